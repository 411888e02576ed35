//! `null`, and values of several types.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Context, Rule, component_name, object, walk};

pub(crate) const RULE: Rule = Rule {
    name: "nullability",
    why: "OpenAPI 3.0 has one type for each schema and `nullable`; 3.1 has lists of types and the \
          type `null`",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let count = context.change(walk::Order::Inside, |schema| {
        let map = object(schema);
        if map.get("nullable") == Some(&Value::Bool(false)) {
            map.remove("nullable");
        }
        types(map);
        values(map);
        arms(map);
        None
    });
    count + at_use(context)
}

/// A component that may be null is one that is never null, used where null may stand.
fn at_use(context: &mut Context) -> usize {
    let mut nullable = BTreeSet::new();
    for (name, schema) in context.components_mut() {
        let only_null = schema.get(ONLY_NULL).is_some();
        let map = object(schema);
        if !only_null && map.remove("nullable").is_some() {
            nullable.insert(name.clone());
        }
    }
    if !nullable.is_empty() {
        walk::schemas(&mut context.root, walk::Order::Inside, &mut |schema, _| {
            if component_name(schema).is_some_and(|name| nullable.contains(&name)) {
                schema["nullable"] = json!(true);
            }
        });
    }
    nullable.len()
}

/// A schema that only `null` fits is marked, so that a union can tell it from any JSON.
const ONLY_NULL: &str = "x-null";

fn types(schema: &mut Map<String, Value>) {
    let types: Vec<Value> = match schema.get("type") {
        Some(Value::Array(types)) => types.clone(),
        Some(Value::String(name)) if name == "null" => vec![json!("null")],
        _ => return,
    };
    schema.remove("type");
    let null = types.iter().any(|name| name == "null");
    let mut others: Vec<_> = types.into_iter().filter(|name| name != "null").collect();
    if null {
        schema.insert("nullable".to_owned(), json!(true));
    }
    match others.len() {
        0 => {
            schema.insert(ONLY_NULL.to_owned(), json!(true));
        }
        1 => {
            schema.insert("type".to_owned(), others.remove(0));
        }
        _ => {
            let description = schema.remove("description");
            let nullable = schema.remove("nullable");
            let arms: Vec<_> = others
                .into_iter()
                .map(|name| {
                    let mut arm = schema.clone();
                    arm.insert("type".to_owned(), name);
                    Value::Object(arm)
                })
                .collect();
            *schema = Map::from_iter([("anyOf".to_owned(), Value::Array(arms))]);
            schema.extend(description.map(|text| ("description".to_owned(), text)));
            schema.extend(nullable.map(|null| ("nullable".to_owned(), null)));
        }
    }
}

/// `null` among the values of an enum.
fn values(schema: &mut Map<String, Value>) {
    let Some(Value::Array(values)) = schema.get_mut("enum") else {
        return;
    };
    let before = values.len();
    values.retain(|value| !value.is_null());
    let empty = values.is_empty();
    if values.len() < before {
        schema.insert("nullable".to_owned(), json!(true));
    }
    if empty {
        schema.remove("enum");
        if before > 0 && !schema.contains_key("type") {
            schema.insert(ONLY_NULL.to_owned(), json!(true));
        }
    }
}

/// `null` among the arms of a union.
fn arms(schema: &mut Map<String, Value>) {
    let mut null = false;
    for key in ["oneOf", "anyOf"] {
        let Some(Value::Array(arms)) = schema.get_mut(key) else {
            continue;
        };
        let before = arms.len();
        arms.retain(|arm| arm.get(ONLY_NULL).is_none());
        null |= arms.len() < before;
        if arms.is_empty() {
            schema.remove(key);
        }
    }
    if null {
        schema.insert("nullable".to_owned(), json!(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing;

    #[test]
    fn null_becomes_nullable() {
        let cases = [
            (
                json!({ "type": ["string", "null"] }),
                json!({ "type": "string", "nullable": true }),
            ),
            (json!({ "type": ["string"] }), json!({ "type": "string" })),
            (
                json!({ "type": "null" }),
                json!({ "nullable": true, "x-null": true }),
            ),
            (
                json!({ "type": ["string", "integer", "null"], "description": "d" }),
                json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }], "nullable": true, "description": "d" }),
            ),
            (
                json!({ "enum": ["a", null] }),
                json!({ "enum": ["a"], "nullable": true }),
            ),
            (
                json!({ "oneOf": [{ "type": "string" }, { "type": "null" }] }),
                json!({ "oneOf": [{ "type": "string" }], "nullable": true }),
            ),
            (
                json!({ "type": "string", "nullable": false }),
                json!({ "type": "string" }),
            ),
        ];
        for (before, after) in cases {
            let property = |schema: Value| json!({ "A": { "properties": { "p": schema } } });
            testing::assert_schemas(&RULE, property(before), property(after));
        }
    }

    #[test]
    fn a_nullable_component_is_nullable_where_it_is_used() {
        let reference = json!({ "$ref": "#/components/schemas/A" });
        testing::assert_schemas(
            &RULE,
            json!({ "A": { "type": ["object", "null"] }, "B": { "properties": { "a": reference } } }),
            json!({
                "A": { "type": "object" },
                "B": { "properties": { "a": { "$ref": "#/components/schemas/A", "nullable": true } } },
            }),
        );
    }
}
