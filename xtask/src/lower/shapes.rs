//! Objects and lists.

use serde_json::{Map, Value, json};

use super::{Context, Rule, object, walk};

pub(crate) const RULE: Rule = Rule {
    name: "shapes",
    why: "an object is a struct, a map or any JSON, and the generator must not have to guess which",
    apply,
};

/// All that a schema may say from here on.
const KEYWORDS: &[&str] = &[
    "$ref",
    "additionalProperties",
    "anyOf",
    "description",
    "discriminator",
    "enum",
    "format",
    "items",
    "nullable",
    "oneOf",
    "properties",
    "required",
    "type",
];

fn apply(context: &mut Context) -> usize {
    context.change(walk::Order::Inside, |schema| {
        let map = object(schema);
        map.retain(|key, _| KEYWORDS.contains(&key.as_str()) || key.starts_with("x-"));
        map.remove("x-null");
        match map.get("type").and_then(Value::as_str) {
            Some("array") => {
                map.entry("items").or_insert_with(|| json!({}));
                only(map, &["properties", "required", "additionalProperties"]);
            }
            Some("object") => object_shape(map),
            Some("string" | "integer" | "number" | "boolean") => {
                only(
                    map,
                    &["properties", "required", "additionalProperties", "items"],
                );
            }
            Some(_) => {
                map.remove("type");
            }
            None => {}
        }
        None
    })
}

fn only(schema: &mut Map<String, Value>, foreign: &[&str]) {
    schema.retain(|key, _| !foreign.contains(&key.as_str()));
}

fn object_shape(schema: &mut Map<String, Value>) {
    schema.remove("items");
    // A property that is demanded but not described can hold anything.
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let union = schema.contains_key("oneOf") || schema.contains_key("anyOf");
    if !union && !required.is_empty() {
        let properties = object(schema.entry("properties").or_insert_with(|| json!({})));
        for name in required {
            properties.entry(name).or_insert_with(|| json!({}));
        }
    }
    let empty = schema
        .get("properties")
        .and_then(Value::as_object)
        .is_none_or(Map::is_empty);
    if !empty {
        return;
    }
    schema.remove("properties");
    if union {
        schema.remove("type");
    } else if !schema.contains_key("additionalProperties") {
        // `type: object` and nothing else: free JSON, and vendors don't hold themselves to objects.
        schema.remove("type");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing;

    #[test]
    fn each_object_has_one_shape() {
        let cases = [
            (json!({ "type": "object" }), json!({})),
            (json!({ "type": "object", "properties": {} }), json!({})),
            (
                json!({ "type": "object", "additionalProperties": {} }),
                json!({ "type": "object", "additionalProperties": {} }),
            ),
            (
                json!({ "type": "object", "required": ["a"] }),
                json!({ "type": "object", "required": ["a"], "properties": { "a": {} } }),
            ),
            (
                json!({ "type": "object", "oneOf": [{}] }),
                json!({ "oneOf": [{}] }),
            ),
            (
                json!({ "type": "array", "minimum": 1 }),
                json!({ "type": "array", "items": {} }),
            ),
            (json!({ "type": "file" }), json!({})),
        ];
        for (before, after) in cases {
            testing::assert_schemas(&RULE, json!({ "A": before }), json!({ "A": after }));
        }
    }
}
