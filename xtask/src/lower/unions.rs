//! `oneOf` and `anyOf`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::plan::{Arm, Direction, Union};
use super::{Context, Rule, append, component_name, object, origins, rust_path, rust_type, walk};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "unions",
    why: "a union has one list of arms, of types that can be told apart: nested unions, doubles and \
          arms that other arms cover are folded",
    apply: fold_all,
};

pub(crate) const PLAN: Rule = Rule {
    name: "union-types",
    why: "the generator's unions take the first arm that fits and lose what fits none; ours look at \
          tags and required properties, and answers keep unknown shapes as JSON",
    apply: plan_all,
};

fn fold_all(context: &mut Context) -> usize {
    context.change(walk::Order::Inside, fold)
}

/// Folds the union of one schema.
fn fold(schema: &mut Value) -> Option<&'static str> {
    let map = schema.as_object_mut()?;
    let (one, any) = (map.remove("oneOf"), map.remove("anyOf"));
    let both = one.is_some() && any.is_some();
    let arms = one.or(any)?.as_array().cloned().unwrap_or_default();
    // The arms say what the value is; a type beside them says it again, or contradicts them.
    let own = ["description", "discriminator", "nullable"];
    map.retain(|key, _| own.contains(&key.as_str()) || key.starts_with("x-"));
    let mut flat = Vec::new();
    for mut arm in arms {
        let own = object(&mut arm);
        if own.remove("nullable").is_some() {
            map.insert("nullable".to_owned(), json!(true));
        }
        match own.remove("oneOf") {
            Some(Value::Array(mut nested)) => {
                for inner in &mut nested {
                    origins::join(inner, &arm);
                }
                flat.extend(nested);
            }
            _ => flat.push(arm),
        }
    }
    let anything = |arm: &Value| {
        arm.as_object()
            .is_some_and(|arm| origins::only(arm, &["description"]))
    };
    if flat.is_empty() || flat.iter().any(anything) {
        map.retain(|key, _| {
            ["description", "nullable", "x-text", origins::MARK].contains(&key.as_str())
        });
        return Some("union with an arm that fits everything: any JSON");
    }
    let mut arms = covered(flat);
    if arms.len() == 1 && !map.contains_key("discriminator") {
        if let Some(Value::Object(arm)) = arms.pop() {
            let own = std::mem::replace(map, arm);
            origins::extend(map, own);
        }
    } else {
        map.insert("oneOf".to_owned(), Value::Array(arms));
    }
    both.then_some("`oneOf` beside `anyOf`: only `oneOf`")
}

/// The arms without doubles, and without scalars that another scalar covers.
fn covered(mut arms: Vec<Value>) -> Vec<Value> {
    let kind = |arm: &Value| arm["type"].as_str().unwrap_or_default().to_owned();
    let listed = |arm: &Value| kind(arm) == "string" && arm.get("enum").is_some();
    let plain = |arm: &Value| kind(arm) == "string" && arm.get("enum").is_none();
    let number = arms.iter().any(|arm| kind(arm) == "number");
    if arms.iter().any(plain) {
        // A text beside nothing but listed texts is how documents write an open enum.
        let only_texts = arms.iter().all(|arm| plain(arm) || listed(arm));
        match only_texts && arms.iter().any(listed) {
            true => arms.retain(listed),
            false => arms.retain(|arm| !listed(arm)),
        }
    }
    arms.retain(|arm| !number || kind(arm) != "integer");
    let mut kept: Vec<Value> = Vec::new();
    for arm in arms {
        let known = kept.iter().position(|known| listed(known) && listed(&arm));
        match known {
            Some(index) => {
                append(&mut kept[index]["enum"], &arm["enum"]);
                origins::join(&mut kept[index], &arm);
            }
            None => match kept.iter_mut().find(|known| origins::same(known, &arm)) {
                Some(known) => origins::join(known, &arm),
                None => kept.push(arm),
            },
        }
    }
    kept
}

fn plan_all(context: &mut Context) -> usize {
    let components = context.components().clone();
    let inside = by_value(&components);
    let mut planned = BTreeMap::new();
    for (name, schema) in &components {
        let Some(arms) = schema.get("oneOf").and_then(Value::as_array) else {
            continue;
        };
        let mut arms: Vec<_> = arms
            .iter()
            .map(|arm| plan_arm(&components, schema, arm))
            .collect();
        // Arms that say most about themselves are asked first.
        arms.sort_by_key(|arm| {
            let demanded = arm.tags.iter().filter(|(_, _, demanded)| *demanded).count();
            std::cmp::Reverse((demanded, arm.keys.len(), arm.tags.len()))
        });
        let mut taken = Taken::with(["Unknown"]);
        for arm in &mut arms {
            arm.name = taken.claim(&arm.name);
            let target = component_name(&arm.schema);
            arm.boxed = target.is_some_and(|target| reaches(&inside, &target, name));
        }
        let open = context.plan.directions.get(name) != Some(&Direction::Request);
        let description = schema["description"].as_str().map(str::to_owned);
        planned.insert(
            name.clone(),
            Union {
                description,
                arms,
                open,
            },
        );
    }
    native(context, |name| planned.contains_key(name));
    let count = planned.len();
    context.plan.unions = planned;
    count
}

/// Replaces references to components that become types of ours, and drops the components.
pub(super) fn native(context: &mut Context, is: impl Fn(&str) -> bool) {
    let replace = |schema: &mut Value| {
        if let Some(name) = component_name(schema).filter(|name| is(name)) {
            let map = object(schema);
            map.remove("$ref");
            map.extend(object(&mut local_type(&name)).clone());
        }
    };
    walk::schemas(&mut context.root, walk::Order::Inside, &mut |schema, _| {
        replace(schema);
        // Parameters of a generic type are schemas too, which the walk doesn't know of.
        generic_parameters(schema, &replace);
    });
    for union in context.plan.unions.values_mut() {
        for arm in &mut union.arms {
            walk::walk(
                &mut arm.schema,
                "",
                walk::Order::Inside,
                &mut |schema, _| replace(schema),
            );
        }
    }
    context.components_mut().retain(|name, _| !is(name));
}

fn generic_parameters(schema: &mut Value, replace: &dyn Fn(&mut Value)) {
    let parameters = schema
        .pointer_mut("/x-rust-type/parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        walk::walk(parameter, "", walk::Order::Inside, &mut |schema, _| {
            replace(schema)
        });
        generic_parameters(parameter, replace);
    }
}

/// A schema that stands for a type of the generated crate.
pub(super) fn local_type(name: &str) -> Value {
    rust_type(&format!("anchorbrowser_api::types::{name}"), Vec::new())
}

fn plan_arm(components: &Map<String, Value>, union: &Value, arm: &Value) -> Arm {
    let name = component_name(arm);
    let target = name.as_ref().and_then(|name| components.get(name));
    let shape = target.unwrap_or(arm);
    let mut tags = Vec::new();
    // Names that the overlay gave to a tag's value.
    let mut named = Vec::new();
    let required: Vec<_> = shape["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (property, schema) in shape["properties"].as_object().into_iter().flatten() {
        let listed = component_name(schema)
            .and_then(|name| components.get(&name))
            .unwrap_or(schema);
        if let Some([Value::String(value)]) = listed["enum"].as_array().map(Vec::as_slice) {
            tags.push((
                property.clone(),
                vec![value.clone()],
                required.contains(&property.as_str()),
            ));
            named.extend(listed.pointer("/x-enum-varnames/0").and_then(Value::as_str));
        }
    }
    if let Some((property, values)) = name.as_ref().and_then(|name| mapped(union, name))
        && !tags.iter().any(|(known, ..)| *known == property)
    {
        tags.push((property, values, true));
    }
    // A tag that must be there says enough: what else the arm demands may be missing.
    if tags.iter().any(|(_, _, demanded)| *demanded) {
        tags.retain(|(_, _, demanded)| *demanded);
    }
    let keys = match tags.iter().any(|(_, _, demanded)| *demanded) {
        true => Vec::new(),
        false => required.into_iter().map(str::to_owned).collect(),
    };
    let kind = kind(shape);
    let variant = match (tags.first(), &name) {
        (Some((_, values, true)), _) if values.len() == 1 => {
            names::variant(named.first().copied().unwrap_or(&values[0]))
        }
        (_, Some(name)) => names::variant(name),
        _ => scalar_variant(shape, kind).to_owned(),
    };
    Arm {
        name: variant,
        schema: arm.clone(),
        boxed: false,
        kind,
        tags,
        keys,
    }
}

/// The values of the discriminator that mean this component.
fn mapped(union: &Value, name: &str) -> Option<(String, Vec<String>)> {
    let discriminator = union.get("discriminator")?;
    let property = discriminator["propertyName"].as_str()?.to_owned();
    let mapping = discriminator["mapping"].as_object();
    let values: Vec<_> = mapping
        .into_iter()
        .flatten()
        .filter(|(_, target)| {
            let target = target.as_str().and_then(|target| target.rsplit('/').next());
            target.is_some_and(|target| names::pascal(target) == name)
        })
        .map(|(value, _)| value.clone())
        .collect();
    (!values.is_empty()).then_some((property, values))
}

/// The JSON type that a schema fits.
fn kind(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        _ if schema.get("properties").is_some() => "object",
        Some("object") => "object",
        Some("array") => "array",
        Some("string") => "string",
        Some("integer" | "number") => "number",
        Some("boolean") => "boolean",
        // A time may come as a number.
        _ if rust_path(schema).is_some_and(|path| path.ends_with("Secret")) => "string",
        _ => "any",
    }
}

fn scalar_variant(schema: &Value, kind: &str) -> &'static str {
    match (kind, schema.get("type").and_then(Value::as_str)) {
        ("object", _) => "Map",
        ("array", _) => "List",
        ("string", _) => "String",
        ("boolean", _) => "Boolean",
        (_, Some("integer")) => "Integer",
        ("number", _) => "Number",
        _ => "Value",
    }
}

/// Which components hold which others directly, not through a list or a map.
pub(super) fn by_value(components: &Map<String, Value>) -> BTreeMap<String, BTreeSet<String>> {
    let direct = |schema: &Value| {
        let properties = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, member)| member);
        let arms = schema["oneOf"].as_array().into_iter().flatten();
        properties.chain(arms).filter_map(component_name).collect()
    };
    components
        .iter()
        .map(|(name, schema)| (name.clone(), direct(schema)))
        .collect()
}

/// Whether `from` is `to` or holds it.
pub(super) fn reaches(inside: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(inside.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing;

    #[test]
    fn unions_are_folded() {
        let a = json!({ "$ref": "#/components/schemas/X" });
        let cases = [
            (json!({ "anyOf": [a, a] }), a.clone()),
            (
                json!({ "anyOf": [a, { "oneOf": [{ "type": "string" }, { "type": "boolean", "nullable": true }] }] }),
                json!({ "oneOf": [a, { "type": "string" }, { "type": "boolean" }], "nullable": true }),
            ),
            (
                json!({ "oneOf": [{ "type": "string" }, {}], "description": "d" }),
                json!({ "description": "d" }),
            ),
            (
                json!({ "anyOf": [{ "type": "string" }, { "type": "string", "enum": ["a"] }] }),
                json!({ "type": "string", "enum": ["a"] }),
            ),
            (
                json!({ "anyOf": [{ "type": "string", "enum": ["a", "b"] }, { "type": "string", "enum": ["b", "c"] }] }),
                json!({ "type": "string", "enum": ["a", "b", "c"] }),
            ),
            (
                json!({ "oneOf": [{ "type": "number" }, { "type": "string" }, { "type": "string", "enum": ["N/A"] }, { "type": "integer" }] }),
                json!({ "oneOf": [{ "type": "number" }, { "type": "string" }] }),
            ),
            (
                json!({ "type": "array", "items": {}, "anyOf": [{ "type": "object", "properties": { "p": {} } }] }),
                json!({ "type": "object", "properties": { "p": {} } }),
            ),
            (
                json!({ "oneOf": [a], "discriminator": { "propertyName": "type" } }),
                json!({ "oneOf": [a], "discriminator": { "propertyName": "type" } }),
            ),
        ];
        for (before, after) in cases {
            let mut context =
                testing::components(json!({ "A": before, "X": { "properties": { "x": {} } } }));
            (RULE.apply)(&mut context);
            assert_eq!(context.components()["A"], after);
        }
    }

    fn planned(schemas: Value) -> Context {
        let mut context = testing::components(schemas);
        (PLAN.apply)(&mut context);
        context
    }

    #[test]
    fn tags_and_required_properties_tell_arms_apart() {
        let context = planned(json!({
            "Proxy": { "oneOf": [{ "$ref": "#/components/schemas/Anchor" }, { "$ref": "#/components/schemas/Custom" }] },
            "Anchor": { "properties": { "type": { "enum": ["anchor"] }, "active": {} }, "required": ["active"] },
            "Custom": { "properties": { "type": { "enum": ["custom"] }, "server": {} }, "required": ["type", "server"] },
            "Holder": { "properties": { "proxy": { "$ref": "#/components/schemas/Proxy" } } },
        }));
        let union = &context.plan.unions["Proxy"];
        let arms: Vec<_> = union.arms.iter().map(|arm| arm.name.as_str()).collect();
        assert_eq!(arms, ["Custom", "Anchor"]);
        assert_eq!(
            union.arms[0].tags,
            [("type".to_owned(), vec!["custom".to_owned()], true)]
        );
        assert!(union.arms[0].keys.is_empty());
        assert_eq!(
            union.arms[1].tags,
            [("type".to_owned(), vec!["anchor".to_owned()], false)]
        );
        assert_eq!(union.arms[1].keys, ["active"]);
        assert!(union.open);
        let proxy = &context.components()["Holder"]["properties"]["proxy"];
        assert_eq!(rust_path(proxy), Some("anchorbrowser_api::types::Proxy"));
        assert!(!context.components().contains_key("Proxy"));
    }

    #[test]
    fn a_discriminator_names_the_arms() {
        let context = planned(json!({
            "U": {
                "oneOf": [{ "$ref": "#/components/schemas/A" }, { "$ref": "#/components/schemas/B" }],
                "discriminator": { "propertyName": "kind", "mapping": { "first": "#/components/schemas/A", "zweite": "B" } },
            },
            "A": { "properties": { "kind": { "type": "string" } } },
            "B": { "properties": { "kind": { "type": "string" } } },
        }));
        let names: Vec<_> = context.plan.unions["U"]
            .arms
            .iter()
            .map(|arm| arm.name.as_str())
            .collect();
        assert_eq!(names, ["First", "Zweite"]);
    }

    #[test]
    fn an_arm_that_holds_the_union_is_boxed() {
        let context = planned(json!({
            "U": { "oneOf": [{ "$ref": "#/components/schemas/Node" }, { "$ref": "#/components/schemas/Leaf" }, { "type": "string" }] },
            "Node": { "properties": { "child": { "$ref": "#/components/schemas/U" } } },
            "Leaf": { "properties": { "list": { "items": { "$ref": "#/components/schemas/U" } } } },
        }));
        let boxed: Vec<_> = context.plan.unions["U"]
            .arms
            .iter()
            .map(|arm| (arm.name.as_str(), arm.boxed))
            .collect();
        assert_eq!(boxed, [("Node", true), ("Leaf", false), ("String", false)]);
    }
}
