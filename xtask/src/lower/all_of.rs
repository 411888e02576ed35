//! `allOf`, and properties beside a union.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Context, Rule, append, component_name, object, origins, walk};

pub(crate) const RULE: Rule = Rule {
    name: "all-of",
    why: "the generator's own merge of `allOf` gives up on conflicts; written out, an object has all \
          its properties in one place",
    apply,
};

/// How deep parts may be nested. The document was checked for circles before.
const DEPTH: usize = 64;

/// What may stand beside a lone reference without changing what it means.
const BESIDE_REFERENCE: &[&str] = &["description", "nullable", "x-text"];

fn apply(context: &mut Context) -> usize {
    let source = context.components().clone();
    let mut merge = Merge {
        source: &source,
        known: BTreeMap::new(),
        notes: Vec::new(),
    };
    let mut count = 0;
    let mut notes = Vec::new();
    let mut visit = |schema: &mut Value, at: &str| {
        count += merge.written_out(schema, &mut Vec::new());
        notes.extend(merge.notes.drain(..).map(|what| (at.to_owned(), what)));
    };
    let components = context.root.pointer_mut("/components/schemas");
    for (name, schema) in components
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        visit(
            schema,
            &format!("/components/schemas/{}", crate::document::escape(name)),
        );
    }
    walk::roots(&mut context.root, &mut visit);
    context.note_all(notes);
    count
}

struct Merge<'a> {
    source: &'a Map<String, Value>,
    /// Components that were merged before: parts that name each other twice would else double the
    /// work at each level.
    known: BTreeMap<String, Value>,
    notes: Vec<&'static str>,
}

impl Merge<'_> {
    /// Writes out a schema and all inside it; gives how many changed. `around` are the schemas with
    /// `allOf` that it stands in: one that holds itself again would never end.
    fn written_out(&mut self, schema: &mut Value, around: &mut Vec<String>) -> usize {
        let before = schema.clone();
        let merged = schema.get("allOf").is_some();
        if merged {
            let mut bare = schema.clone();
            origins::strip(&mut bare);
            let text = bare.to_string();
            if around.contains(&text) {
                self.notes.push("`allOf` that holds itself: any JSON");
                origins::replace(schema, json!({}));
                return 1;
            }
            around.push(text);
        }
        *schema = self.flatten(schema.take(), 0);
        let mut count = usize::from(*schema != before);
        walk::members(schema, "", &mut |member, _| {
            count += self.written_out(member, around)
        });
        if merged {
            around.pop();
        }
        count
    }

    /// A schema without `allOf` of its own. Its members may still have one.
    fn flatten(&mut self, mut schema: Value, depth: usize) -> Value {
        let map = object(&mut schema);
        let Some(parts) = map.remove("allOf") else {
            return self.distribute(schema, depth);
        };
        let mut parts = parts.as_array().cloned().unwrap_or_default();
        // A part that only describes says nothing of the value.
        parts.retain(|part| {
            !part
                .as_object()
                .is_some_and(|part| origins::only(part, &["description"]))
        });
        let bare = origins::only(map, BESIDE_REFERENCE);
        if let ([Value::Object(part)], true) = (parts.as_mut_slice(), bare)
            && part.contains_key("$ref")
        {
            map.extend(
                std::mem::take(part)
                    .into_iter()
                    .filter(|(key, _)| key == "$ref"),
            );
            return schema;
        }
        if depth > DEPTH {
            self.notes.push("`allOf` nested too deep: any JSON");
            return json!({});
        }
        let nullable = map.get("nullable").cloned();
        let mut all_nullable = !parts.is_empty();
        for part in parts {
            let mut part = self.resolved(part, depth);
            let map = object(&mut part);
            all_nullable &= map.remove("nullable") == Some(Value::Bool(true));
            for own in ["description", "discriminator", "x-rust-name"] {
                map.remove(own);
            }
            schema = self.both(schema, part);
        }
        let map = object(&mut schema);
        map.remove("nullable");
        if all_nullable || nullable.is_some() {
            map.insert("nullable".to_owned(), json!(true));
        }
        self.distribute(schema, depth)
    }

    /// What a part means: the component behind a reference, itself without `allOf`.
    fn resolved(&mut self, part: Value, depth: usize) -> Value {
        match component_name(&part) {
            Some(name) => {
                if let Some(known) = self.known.get(&name) {
                    return known.clone();
                }
                let target = self.source.get(&name).cloned().unwrap_or_else(|| json!({}));
                let mut resolved = match component_name(&target).is_some() && depth < DEPTH {
                    true => self.resolved(target, depth + 1),
                    false => self.flatten(target, depth + 1),
                };
                // A component may be another by `allOf` alone.
                if component_name(&resolved).is_some() && depth < DEPTH {
                    resolved = self.resolved(resolved, depth + 1);
                }
                self.known.insert(name, resolved.clone());
                resolved
            }
            None => self.flatten(part, depth + 1),
        }
    }

    /// A schema for the values that fit both.
    fn both(&mut self, left: Value, mut right: Value) -> Value {
        let mut left = left;
        let (a, b) = (object(&mut left), object(&mut right));
        match (a.get("type").cloned(), b.get("type").cloned()) {
            (Some(x), Some(y)) if x != y => {
                let numbers = ["integer", "number"];
                let both_numbers =
                    numbers.iter().any(|name| x == *name) && numbers.iter().any(|name| y == *name);
                if !both_numbers {
                    self.notes
                        .push("`allOf` of types that exclude each other: any JSON");
                    return json!({});
                }
                a.insert("type".to_owned(), json!("integer"));
                b.remove("type");
            }
            _ => {}
        }
        if has_union(a) && has_union(b) {
            self.notes
                .push("`allOf` of several unions: only their common properties");
            for key in ["oneOf", "anyOf"] {
                a.remove(key);
                b.remove(key);
            }
        }
        for (key, theirs) in std::mem::take(b) {
            match (key.as_str(), a.get_mut(&key)) {
                (_, None) => {
                    a.insert(key, theirs);
                }
                ("properties", Some(ours)) => properties(ours, theirs),
                ("required", Some(ours)) => append(ours, &theirs),
                ("enum", Some(ours)) => intersect(ours, &theirs),
                (origins::MARK, Some(ours)) => append(ours, &theirs),
                ("items" | "additionalProperties", Some(ours)) if !origins::same(ours, &theirs) => {
                    *ours = json!({ "allOf": [ours.take(), theirs] });
                }
                ("description", Some(_)) => {}
                (_, Some(ours)) => *ours = theirs,
            }
        }
        left
    }

    /// Properties beside a union belong to each of its arms.
    fn distribute(&mut self, mut schema: Value, depth: usize) -> Value {
        let map = object(&mut schema);
        let own = map
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|own| !own.is_empty());
        if !own || !has_union(map) {
            return schema;
        }
        let key = if map.contains_key("oneOf") {
            "oneOf"
        } else {
            "anyOf"
        };
        let arms = map
            .remove(key)
            .and_then(|arms| arms.as_array().cloned())
            .unwrap_or_default();
        // Arms that only say which properties go together add no shape.
        let shape = [
            "$ref",
            "properties",
            "allOf",
            "oneOf",
            "anyOf",
            "items",
            "enum",
        ];
        let shaped = |arm: &Value| shape.iter().any(|key| arm.get(*key).is_some());
        if !arms.iter().any(shaped) || depth > DEPTH {
            map.remove("discriminator");
            return schema;
        }
        let mut union = Map::new();
        for kept in [
            "description",
            "discriminator",
            "nullable",
            "x-rust-name",
            "x-text",
            origins::MARK,
        ] {
            union.extend(map.remove(kept).map(|value| (kept.to_owned(), value)));
        }
        let arms = arms
            .into_iter()
            .map(|arm| self.flatten(json!({ "allOf": [schema.clone(), arm] }), depth + 1));
        union.insert(key.to_owned(), arms.collect());
        Value::Object(union)
    }
}

fn has_union(schema: &Map<String, Value>) -> bool {
    schema.contains_key("oneOf") || schema.contains_key("anyOf")
}

fn properties(ours: &mut Value, theirs: Value) {
    let ours = object(ours);
    for (name, theirs) in theirs.as_object().cloned().unwrap_or_default() {
        match ours.get_mut(&name) {
            None => {
                ours.insert(name, theirs);
            }
            Some(mine) if origins::same(mine, &theirs) => origins::join(mine, &theirs),
            Some(mine) => *mine = json!({ "allOf": [mine.take(), theirs] }),
        }
    }
}

fn intersect(ours: &mut Value, theirs: &Value) {
    let (Some(ours), Some(theirs)) = (ours.as_array_mut(), theirs.as_array()) else {
        return;
    };
    ours.retain(|value| theirs.contains(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing;

    fn assert_flat(others: Value, before: Value, after: Value) {
        let mut schemas = others;
        schemas["A"] = before;
        let mut context = testing::components(schemas);
        (RULE.apply)(&mut context);
        assert_eq!(context.components()["A"], after);
    }

    #[test]
    fn parts_become_one_object() {
        assert_flat(
            json!({ "Base": { "allOf": [{ "$ref": "#/components/schemas/Root" }], "properties": { "b": {} } },
                    "Root": { "type": "object", "required": ["r"], "properties": { "r": { "type": "string" } } } }),
            json!({ "description": "d", "allOf": [
                { "$ref": "#/components/schemas/Base" },
                { "type": "object", "required": ["o"], "properties": { "o": {}, "r": { "type": "string", "enum": ["x"] } } },
            ] }),
            json!({
                "description": "d",
                "type": "object",
                "required": ["r", "o"],
                "properties": { "r": { "type": "string", "enum": ["x"] }, "b": {}, "o": {} },
            }),
        );
    }

    #[test]
    fn a_lone_reference_stays_one() {
        assert_flat(
            json!({ "B": { "type": "string" } }),
            json!({ "allOf": [{ "$ref": "#/components/schemas/B" }], "nullable": true }),
            json!({ "$ref": "#/components/schemas/B", "nullable": true }),
        );
    }

    #[test]
    fn properties_beside_a_union_go_into_its_arms() {
        assert_flat(
            json!({ "B": { "type": "object", "properties": { "b": {} } } }),
            json!({ "type": "object", "properties": { "a": {} }, "required": ["a"], "oneOf": [
                { "$ref": "#/components/schemas/B" },
                { "properties": { "c": {} } },
            ] }),
            json!({ "oneOf": [
                { "type": "object", "properties": { "a": {}, "b": {} }, "required": ["a"] },
                { "type": "object", "properties": { "a": {}, "c": {} }, "required": ["a"] },
            ] }),
        );
        assert_flat(
            json!({}),
            json!({ "type": "object", "properties": { "a": {} }, "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
            json!({ "type": "object", "properties": { "a": {} } }),
        );
    }

    #[test]
    fn a_schema_may_hold_itself() {
        let node = json!({ "allOf": [
            { "type": "object", "properties": { "next": { "$ref": "#/components/schemas/A" } } },
            { "properties": { "v": {} } },
        ] });
        let flat = json!({
            "type": "object",
            "properties": { "next": { "$ref": "#/components/schemas/A" }, "v": {} },
        });
        assert_flat(json!({}), node, flat);
    }

    #[test]
    fn a_component_may_be_another_by_all_of_alone() {
        assert_flat(
            json!({
                "Proxy": { "allOf": [{ "$ref": "#/components/schemas/Root" }, { "description": "d" }] },
                "Root": { "type": "object", "properties": { "id": {} } },
            }),
            json!({ "allOf": [{ "$ref": "#/components/schemas/Proxy" }], "properties": { "a": {} } }),
            json!({ "type": "object", "properties": { "id": {}, "a": {} } }),
        );
    }

    #[test]
    fn a_merge_that_holds_itself_ends() {
        let own = json!({ "allOf": [{ "$ref": "#/components/schemas/A" }, { "properties": { "more": {} } }] });
        assert_flat(
            json!({}),
            json!({ "type": "object", "properties": { "not": own } }),
            json!({ "type": "object", "properties": {
                "not": { "type": "object", "properties": { "not": {}, "more": {} } },
            } }),
        );
    }

    #[test]
    fn types_that_exclude_each_other_become_any_json() {
        assert_flat(
            json!({}),
            json!({ "allOf": [{ "type": "string" }, { "type": "object" }] }),
            json!({}),
        );
        assert_flat(
            json!({}),
            json!({ "allOf": [{ "type": "number" }, { "type": "integer" }] }),
            json!({ "type": "integer" }),
        );
    }
}
