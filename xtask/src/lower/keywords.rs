//! Keywords of JSON Schema that OpenAPI 3.0 doesn't have.

use serde_json::{Map, Value, json};

use super::{Context, Rule, object, origins, walk};

pub(crate) const RULE: Rule = Rule {
    name: "keywords",
    why: "the generator reads the schemas of OpenAPI 3.0: newer keywords are said in its words, or \
          dropped, which only widens the type",
    apply,
};

/// Conditions and assertions about members. Without them more values are valid, none fewer.
const ASSERTIONS: &[&str] = &[
    "$defs",
    "contains",
    "definitions",
    "dependentRequired",
    "maxContains",
    "minContains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

fn apply(context: &mut Context) -> usize {
    context.change(walk::Order::Outside, |schema| {
        let mut notes = Vec::from_iter(boolean(schema));
        let map = object(schema);
        notes.extend(malformed(map));
        map.retain(|key, _| !ASSERTIONS.contains(&key.as_str()));
        if let Some(value) = map.remove("const") {
            map.insert("enum".to_owned(), json!([value]));
        }
        notes.extend(conditions(map));
        notes.extend(tuples(map));
        if map.contains_key("$dynamicRef") || map.contains_key("$recursiveRef") {
            *map = Map::new();
            notes.push("dynamic reference: any JSON");
        }
        patterns(map);
        content(map);
        infer_type(map);
        siblings(schema);
        notes
    })
}

/// Keywords with values of another kind than they have say nothing.
fn malformed(schema: &mut Map<String, Value>) -> Option<&'static str> {
    let before = schema.len();
    schema.retain(|key, value| match key.as_str() {
        "type" => value.is_string() || value.is_array(),
        "properties" | "patternProperties" => value.is_object(),
        "required" | "enum" | "oneOf" | "anyOf" | "allOf" => value.is_array(),
        "items" => !value.is_string(),
        "additionalProperties" => value.is_object() || value.is_boolean(),
        "nullable" => value.is_boolean(),
        "discriminator" => value["propertyName"].is_string(),
        _ => true,
    });
    (schema.len() < before).then_some("keyword with a value of the wrong kind: not read")
}

/// `true` is any JSON; `false` too, because Rust has no type for what never is.
fn boolean(schema: &mut Value) -> Option<&'static str> {
    let Value::Bool(allowed) = schema else {
        return None;
    };
    let note = (!*allowed).then_some("`false` as a schema: any JSON");
    *schema = json!({});
    note
}

/// Properties that only a condition names are kept as optional ones.
fn conditions(schema: &mut Map<String, Value>) -> Option<&'static str> {
    let mut found = false;
    let mut branches = Vec::new();
    for key in ["if", "not"] {
        found |= schema.remove(key).is_some();
    }
    for key in ["then", "else"] {
        branches.extend(schema.remove(key));
    }
    if let Some(Value::Object(dependent)) = schema.remove("dependentSchemas") {
        branches.extend(dependent.into_iter().map(|(_, branch)| branch));
    }
    for mut branch in branches {
        found = true;
        if let Some(Value::Object(properties)) = branch.get_mut("properties").map(Value::take) {
            let own = object(schema.entry("properties").or_insert_with(|| json!({})));
            for (name, property) in properties {
                own.entry(name).or_insert(property);
            }
        }
    }
    found.then_some("condition (`if`, `not`, `dependentSchemas`): not checked")
}

/// A tuple is a list; of what, is known only if all places hold the same.
fn tuples(schema: &mut Map<String, Value>) -> Option<&'static str> {
    let listed = match (schema.remove("prefixItems"), schema.get("items")) {
        (Some(Value::Array(listed)), rest) => {
            let rest = rest.filter(|rest| rest.is_object()).cloned();
            listed.into_iter().chain(rest).collect()
        }
        (None, Some(Value::Array(listed))) => listed.clone(),
        _ => return None,
    };
    let same = listed
        .windows(2)
        .all(|pair| origins::same(&pair[0], &pair[1]));
    let items = listed
        .into_iter()
        .next()
        .filter(|_| same)
        .unwrap_or_else(|| json!({}));
    schema.insert("items".to_owned(), items);
    schema.insert("type".to_owned(), json!("array"));
    (!same).then_some("tuple: a list of any JSON")
}

/// Properties by pattern are the members of a map.
fn patterns(schema: &mut Map<String, Value>) {
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
    let Some(Value::Object(patterns)) = schema.remove("patternProperties") else {
        return;
    };
    let others = schema.remove("additionalProperties");
    let mut kinds: Vec<_> = patterns
        .into_iter()
        .map(|(_, kind)| kind)
        .chain(others)
        .collect();
    kinds.dedup_by(|a, b| origins::same(a, b));
    let kind = if kinds.len() == 1 {
        kinds.remove(0)
    } else {
        json!({})
    };
    schema.insert("additionalProperties".to_owned(), kind);
}

/// Bytes are declared by media type in 3.1 and by `format` in 3.0.
fn content(schema: &mut Map<String, Value>) {
    schema.remove("contentSchema");
    let encoded = schema.remove("contentEncoding").is_some();
    let Some(media_type) = schema.remove("contentMediaType") else {
        return;
    };
    let text = media_type
        .as_str()
        .is_some_and(|name| name.starts_with("text/") || name.contains("json"));
    if !encoded && !text {
        schema.insert("format".to_owned(), json!("binary"));
    }
    schema.entry("type").or_insert_with(|| json!("string"));
}

/// The type that the other keywords imply.
fn infer_type(schema: &mut Map<String, Value>) {
    let combined = ["$ref", "allOf", "oneOf", "anyOf", "type", "enum"];
    if combined.iter().any(|key| schema.contains_key(*key)) {
        return;
    }
    let implied = [
        (
            "object",
            &["properties", "additionalProperties", "required"][..],
        ),
        ("array", &["items"]),
        ("string", &["pattern", "minLength", "maxLength"]),
    ];
    for (name, keys) in implied {
        if keys.iter().any(|key| schema.contains_key(*key)) {
            schema.insert("type".to_owned(), json!(name));
            return;
        }
    }
}

/// What stands beside a reference holds too: 3.0 says so with `allOf`.
fn siblings(schema: &mut Value) {
    let map = object(schema);
    if origins::only(map, &["$ref", "description", "x-text"]) {
        return;
    }
    if let Some(reference) = map.remove("$ref") {
        let list = map.entry("allOf").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.insert(0, json!({ "$ref": reference }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing;

    #[test]
    fn newer_keywords_are_said_in_older_words() {
        let cases = [
            (json!(true), json!({})),
            (json!(false), json!({})),
            (json!({ "const": "a" }), json!({ "enum": ["a"] })),
            (
                json!({ "prefixItems": [{ "type": "string" }, { "type": "integer" }] }),
                json!({ "type": "array", "items": {} }),
            ),
            (
                json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": { "type": "string" } }),
                json!({ "type": "array", "items": { "type": "string" } }),
            ),
            (
                json!({ "patternProperties": { "^a": { "type": "string" } }, "additionalProperties": false }),
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            ),
            (
                json!({ "patternProperties": { "^a": { "type": "string" } }, "additionalProperties": { "type": "integer" } }),
                json!({ "type": "object", "additionalProperties": {} }),
            ),
            (
                json!({ "if": {}, "then": { "properties": { "a": { "type": "string" } } }, "properties": { "b": {} } }),
                json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": {} } }),
            ),
            (
                json!({ "contentMediaType": "application/octet-stream" }),
                json!({ "type": "string", "format": "binary" }),
            ),
            (
                json!({ "type": "string", "contentMediaType": "image/png", "contentEncoding": "base64" }),
                json!({ "type": "string" }),
            ),
            (
                json!({ "$ref": "#/components/schemas/X", "description": "d" }),
                json!({ "$ref": "#/components/schemas/X", "description": "d" }),
            ),
            (
                json!({ "$ref": "#/components/schemas/X", "nullable": true }),
                json!({ "allOf": [{ "$ref": "#/components/schemas/X" }], "nullable": true }),
            ),
            (json!({ "$dynamicRef": "#node" }), json!({})),
            (
                json!({ "type": { "type": "string" }, "required": true }),
                json!({}),
            ),
            (json!({ "not": { "type": "string" } }), json!({})),
        ];
        for (before, after) in cases {
            testing::assert_schemas(&RULE, json!({ "A": before }), json!({ "A": after }));
        }
    }

    #[test]
    fn what_is_dropped_is_noted() {
        for schema in [
            json!(false),
            json!({ "not": {} }),
            json!({ "prefixItems": [true, { "type": "string" }] }),
        ] {
            let mut context = testing::components(json!({ "A": schema }));
            (RULE.apply)(&mut context);
            assert_eq!(context.notes.len(), 1, "{schema}");
        }
    }
}
