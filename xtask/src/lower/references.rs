//! References to anything but a component schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Context, Rule, origins, reference_to, walk};
use crate::document::{escape, local_pointer, resolve, unescape};
use crate::names;

pub(crate) const RULE: Rule = Rule {
    name: "references",
    why: "the generator follows references to component schemas only: parameters, bodies, responses \
          and path items are written out, and schemas elsewhere become components",
    apply,
};

/// How deep a chain of references may be. The document was checked for circles before.
const CHAIN: usize = 64;

fn apply(context: &mut Context) -> usize {
    let source = context.root.clone();
    let mut count = 0;
    if let Some(paths) = context.root.get_mut("paths").and_then(Value::as_object_mut) {
        paths.retain(|path, _| path.starts_with('/'));
        for item in paths.values_mut() {
            count += write_out(&source, item);
            for (key, value) in item.as_object_mut().into_iter().flatten() {
                if key == "parameters" {
                    count += write_out_all(&source, value);
                } else if walk::METHODS.contains(&key.as_str()) {
                    count += operation(&source, value);
                }
            }
        }
    }
    count + hoist(context, &source)
}

fn operation(source: &Value, operation: &mut Value) -> usize {
    let mut count = 0;
    if let Some(parameters) = operation.get_mut("parameters") {
        count += write_out_all(source, parameters);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        count += write_out(source, body);
    }
    let responses = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut);
    for response in responses
        .into_iter()
        .flatten()
        .map(|(_, response)| response)
    {
        count += write_out(source, response);
    }
    count
}

fn write_out_all(source: &Value, list: &mut Value) -> usize {
    let list = list.as_array_mut().into_iter().flatten();
    list.map(|item| write_out(source, item)).sum()
}

/// Replaces a reference by what it names; members beside the reference win.
fn write_out(source: &Value, value: &mut Value) -> usize {
    let mut siblings = Map::new();
    for step in 0..CHAIN {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else {
            if let (true, Some(map)) = (step > 0, value.as_object_mut()) {
                origins::extend(map, siblings);
            }
            return usize::from(step > 0);
        };
        let Some(found) = resolve(source, target).cloned() else {
            break;
        };
        if let Some(map) = value.as_object() {
            let beside = map.iter().filter(|(key, _)| *key != "$ref");
            siblings.extend(beside.map(|(key, value)| (key.clone(), value.clone())));
        }
        *value = found;
    }
    0
}

/// Makes schemas that stand elsewhere into components, and points to those.
fn hoist(context: &mut Context, source: &Value) -> usize {
    let known = context.components().keys().map(String::as_str);
    let mut taken = names::Taken::with(known);
    let mut moved = BTreeMap::<String, String>::new();
    // A hoisted schema may hold such references itself, so go on until there is none.
    for _ in 0..CHAIN {
        let mut found = Vec::new();
        walk::schemas(&mut context.root, walk::Order::Outside, &mut |schema, _| {
            let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
                return;
            };
            let target = target.to_owned();
            let pointer = local_pointer(&target).unwrap_or_default();
            let component = pointer.strip_prefix("/components/schemas/");
            if let Some(name) = component.filter(|name| !name.contains('/')) {
                // One spelling for each component.
                schema["$ref"] = reference_to(&unescape(name))["$ref"].take();
                return;
            }
            let name = moved.entry(target.clone()).or_insert_with(|| {
                let name = taken.claim(&hoisted_name(&target));
                found.push((name.clone(), target.clone()));
                name
            });
            schema["$ref"] = Value::String(format!("#/components/schemas/{}", escape(name)));
        });
        if found.is_empty() {
            break;
        }
        for (name, target) in found {
            let schema = resolve(source, &target)
                .cloned()
                .unwrap_or(Value::Bool(true));
            context.components_mut().insert(name, schema);
        }
    }
    moved.len()
}

fn hoisted_name(target: &str) -> String {
    let structure = [
        "components",
        "schemas",
        "properties",
        "$defs",
        "definitions",
        "paths",
        "content",
    ];
    let words: Vec<_> = target
        .trim_start_matches('#')
        .split('/')
        .filter(|word| !word.is_empty() && !structure.contains(word))
        .map(|word| names::pascal(&unescape(word)))
        .collect();
    names::pascal(&words.join("_"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    #[test]
    fn components_of_other_kinds_are_written_out() {
        let mut context = Context::new(json!({
            "paths": {
                "/a": { "$ref": "#/components/pathItems/A" },
            },
            "components": {
                "pathItems": { "A": {
                    "parameters": [{ "$ref": "#/components/parameters/P" }],
                    "get": {
                        "requestBody": { "$ref": "#/components/requestBodies/B" },
                        "responses": { "200": { "$ref": "#/components/responses/R", "description": "mine" } },
                    },
                } },
                "parameters": { "P": { "name": "p", "in": "query" } },
                "requestBodies": { "B": { "content": {} } },
                "responses": { "R": { "description": "theirs", "content": {} } },
            },
        }));
        assert_eq!((RULE.apply)(&mut context), 4);
        assert_eq!(
            context.root["paths"]["/a"],
            json!({
                "parameters": [{ "name": "p", "in": "query" }],
                "get": {
                    "requestBody": { "content": {} },
                    "responses": { "200": { "description": "mine", "content": {} } },
                },
            })
        );
    }

    #[test]
    fn schemas_elsewhere_become_components() {
        testing::assert_schemas(
            &RULE,
            json!({
                "A": { "properties": { "x": { "type": "string" } }, "$defs": { "d": { "$ref": "#/components/schemas/A/properties/x" } } },
                "B": { "$ref": "#/components/schemas/A/$defs/d" },
            }),
            json!({
                "A": { "properties": { "x": { "type": "string" } }, "$defs": { "d": { "$ref": "#/components/schemas/Ax" } } },
                "B": { "$ref": "#/components/schemas/Ad" },
                "Ad": { "$ref": "#/components/schemas/Ax" },
                "Ax": { "type": "string" },
            }),
        );
    }
}
