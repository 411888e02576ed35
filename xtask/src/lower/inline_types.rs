//! Names for all types.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Context, Rule, append, component_name, origins, reference_to, walk};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "inline-types",
    why: "a struct, enum or union inside another schema gets a name from its place, chosen so that no \
          two types share one",
    apply,
};

fn apply(context: &mut Context) -> usize {
    // Forms get their types later, but their names are theirs.
    let forms = context.plan.operations.iter().filter(|(_, operation)| {
        operation
            .content_type
            .as_ref()
            .is_some_and(|name| name.starts_with("multipart/"))
    });
    let forms: Vec<_> = forms.map(|(id, _)| names::form(id)).collect();
    let mut taken = Taken::with(forms.iter().map(String::as_str));
    rename(context, &mut taken);
    let mut moved = Moved {
        taken,
        shared: BTreeMap::new(),
        types: Map::new(),
        count: 0,
    };
    let components = std::mem::take(context.components_mut());
    for (name, mut schema) in components {
        moved.members(&mut schema, &name);
        moved.types.insert(name, schema);
    }
    walk::operations(&mut context.root, |_, _, operation| {
        moved.operation(operation)
    });
    origins::name_types(&moved.types, &mut context.plan.origins);
    *context.components_mut() = moved.types;
    moved.count
}

/// Gives each component the name of its Rust type.
fn rename(context: &mut Context, taken: &mut Taken) {
    let old = std::mem::take(context.components_mut());
    let new: BTreeMap<_, _> = old
        .keys()
        .map(|name| (name.clone(), taken.claim(&names::type_name(name))))
        .collect();
    *context.components_mut() = old
        .into_iter()
        .map(|(name, schema)| (new[&name].clone(), schema))
        .collect();
    walk::schemas(&mut context.root, walk::Order::Inside, &mut |schema, _| {
        if let Some(name) = component_name(schema).and_then(|name| new.get(&name)) {
            schema["$ref"] = reference_to(name)["$ref"].take();
        }
    });
}

struct Moved {
    taken: Taken,
    /// Types that the overlay gave one name: the type, and the schema that was first.
    shared: BTreeMap<String, (String, Value)>,
    types: Map<String, Value>,
    count: usize,
}

impl Moved {
    fn operation(&mut self, operation: &mut Map<String, Value>) {
        let id = walk::id(operation);
        let prefix = names::pascal(id);
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = format!(
                "{prefix}{}",
                names::pascal(parameter["name"].as_str().unwrap_or_default())
            );
            if let Some(schema) = parameter.get_mut("schema") {
                self.visit(schema, &name);
            }
        }
        for (place, suffix) in [("/requestBody", "Body"), ("/responses/2XX", "Response")] {
            let mut whole = Value::Object(std::mem::take(operation));
            let content = whole
                .pointer_mut(&format!("{place}/content"))
                .and_then(Value::as_object_mut);
            for (_, media_type) in content.into_iter().flatten() {
                if let Some(schema) = media_type.get_mut("schema") {
                    self.visit(schema, &format!("{prefix}{suffix}"));
                }
            }
            if let Value::Object(map) = whole {
                *operation = map;
            }
        }
    }

    fn visit(&mut self, schema: &mut Value, name: &str) {
        if !is_type(schema) {
            self.members(schema, name);
            return;
        }
        let wanted = schema
            .get("x-rust-name")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let beside = take_beside(schema);
        self.count += 1;
        let name = match wanted {
            Some(wanted) => self.share(schema, &names::type_name(&wanted)),
            None => {
                let name = self.taken.claim(&names::type_name(name));
                self.members(schema, &name);
                self.types.insert(name.clone(), schema.take());
                name
            }
        };
        *schema = reference_to(&name);
        if let Some(map) = schema.as_object_mut() {
            map.extend(beside);
        }
    }

    /// One type for all places of a name. An enum has the values of all places; of another type
    /// all places must say the same, or they are types of their own.
    fn share(&mut self, schema: &mut Value, wanted: &str) -> String {
        // What one place says of it need not hold for the others.
        schema
            .as_object_mut()
            .map(|schema| schema.remove("description"));
        if let Some((known, first)) = self.shared.get(wanted) {
            let own = self
                .types
                .get_mut(known)
                .and_then(|own| own.get_mut("enum"));
            if let (Some(own), Some(values)) = (own, schema.get("enum")) {
                append(own, values);
                if let Some(own) = self.types.get_mut(known) {
                    origins::join(own, schema);
                }
                return known.clone();
            }
            if origins::same(first, schema) {
                if let Some(own) = self.types.get_mut(known) {
                    origins::join(own, schema);
                }
                return known.clone();
            }
        }
        let name = self.taken.claim(wanted);
        let first = (name.clone(), schema.clone());
        self.shared.entry(wanted.to_owned()).or_insert(first);
        self.members(schema, &name);
        self.types.insert(name.clone(), schema.take());
        name
    }

    fn members(&mut self, schema: &mut Value, name: &str) {
        let mut index = 0;
        let arms = schema.get("oneOf").is_some();
        walk::members(schema, "", &mut |member, at| {
            let last = at.rsplit('/').next().unwrap_or_default();
            let suffix = match last {
                "items" if at == "/items" => "Item".to_owned(),
                "additionalProperties" if at == "/additionalProperties" => "Value".to_owned(),
                _ if arms && at.starts_with("/oneOf/") => {
                    index += 1;
                    arm_suffix(member, index)
                }
                property => names::pascal(&crate::document::unescape(property)),
            };
            self.visit(member, &format!("{name}{suffix}"));
        });
    }
}

fn arm_suffix(arm: &Value, index: usize) -> String {
    let tag = arm["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .find_map(
            |(_, property)| match property["enum"].as_array().map(Vec::as_slice) {
                Some([Value::String(value)]) => Some(names::variant(value)),
                _ => None,
            },
        );
    tag.unwrap_or_else(|| format!("Variant{index}"))
}

fn is_type(schema: &Value) -> bool {
    ["properties", "enum", "oneOf"]
        .iter()
        .any(|key| schema.get(*key).is_some())
}

/// What belongs to the place and not to the type.
fn take_beside(schema: &mut Value) -> Map<String, Value> {
    let mut beside = Map::new();
    let Some(map) = schema.as_object_mut() else {
        return beside;
    };
    for key in ["nullable", "x-text"] {
        beside.extend(map.remove(key).map(|value| (key.to_owned(), value)));
    }
    map.remove("x-rust-name");
    for key in ["description", origins::MARK] {
        beside.extend(map.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    beside
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    #[test]
    fn types_get_names_from_their_places() {
        testing::assert_schemas(
            &RULE,
            json!({ "putTags": { "properties": {
                "a_b": { "properties": { "deep": { "type": "string", "enum": ["x"] } }, "nullable": true, "description": "d" },
                "list": { "type": "array", "items": { "properties": { "n": {} } } },
                "other": { "$ref": "#/components/schemas/putTags" },
            } } }),
            json!({
                "PutTags": { "properties": {
                    "a_b": { "$ref": "#/components/schemas/PutTagsAb", "nullable": true, "description": "d" },
                    "list": { "type": "array", "items": { "$ref": "#/components/schemas/PutTagsListItem" } },
                    "other": { "$ref": "#/components/schemas/PutTags" },
                } },
                "PutTagsAb": { "properties": { "deep": { "$ref": "#/components/schemas/PutTagsAbDeep" } }, "description": "d" },
                "PutTagsAbDeep": { "type": "string", "enum": ["x"] },
                "PutTagsListItem": { "properties": { "n": {} } },
            }),
        );
    }

    #[test]
    fn names_that_differ_only_in_case_stay_apart() {
        let mut context = testing::components(json!({
            "foo_bar": { "properties": { "a": {} } },
            "FooBar": { "properties": { "other": { "$ref": "#/components/schemas/foo_bar" } } },
            "string": { "properties": { "a": {} } },
        }));
        (RULE.apply)(&mut context);
        let names: Vec<_> = context.components().keys().cloned().collect();
        assert_eq!(names, ["FooBar", "FooBar2", "StringType"]);
        assert_eq!(
            context.components()["FooBar"]["properties"]["other"],
            json!({ "$ref": "#/components/schemas/FooBar2" })
        );
    }

    #[test]
    fn one_name_in_several_places_is_one_type() {
        let status =
            |values: &[&str]| json!({ "type": "string", "enum": values, "x-rust-name": "Status" });
        testing::assert_schemas(
            &RULE,
            json!({
                "A": { "properties": { "s": status(&["x", "y"]) } },
                "B": { "properties": { "s": status(&["y", "z"]) } },
            }),
            json!({
                "A": { "properties": { "s": { "$ref": "#/components/schemas/Status" } } },
                "B": { "properties": { "s": { "$ref": "#/components/schemas/Status" } } },
                "Status": { "type": "string", "enum": ["x", "y", "z"] },
            }),
        );
    }

    #[test]
    fn structs_of_one_name_are_one_type_only_if_they_are_alike() {
        let named = |property: &str| json!({ "properties": { property: {} }, "x-rust-name": "N" });
        testing::assert_schemas(
            &RULE,
            json!({ "A": { "properties": { "x": named("a"), "y": named("a"), "z": named("b") } } }),
            json!({
                "A": { "properties": {
                    "x": { "$ref": "#/components/schemas/N" },
                    "y": { "$ref": "#/components/schemas/N" },
                    "z": { "$ref": "#/components/schemas/N2" },
                } },
                "N": { "properties": { "a": {} } },
                "N2": { "properties": { "b": {} } },
            }),
        );
    }
}
