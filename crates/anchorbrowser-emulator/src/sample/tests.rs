mod bounds;
pub(crate) mod document;
mod random_schemas;

use std::collections::BTreeSet;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use super::Sampler;

fn validator(schema: &Value) -> Validator {
    options().build(schema).unwrap()
}

fn options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
}

/// Checks what all schemas have in common: valid values, and broken ones that are not.
fn check(schema: &Value) -> Vec<Value> {
    let validator = validator(schema);
    let mut values = Vec::new();
    for seed in 0..40 {
        let mut sampler = Sampler::new(schema, seed);
        let value = sampler.value(schema);
        let smallest = sampler.smallest(schema);
        for value in [&value, &smallest] {
            assert!(
                validator.is_valid(value),
                "{schema}\n{value}\n{:?}",
                validator.validate(value)
            );
        }
        for broken in sampler.broken(schema) {
            assert!(
                !validator.is_valid(&broken.value),
                "{schema}\n{broken:?}\n{}",
                broken.value
            );
        }
        values.push(value);
    }
    values
}

#[test]
fn one_valid_value_each() {
    for schema in [
        json!({"type": ["string", "null"], "minLength": 3}),
        json!({"type": "string", "maxLength": 2}),
        json!({"type": "string", "minLength": 300, "maxLength": 300}),
        json!({"type": "string", "minLength": 30, "format": "uri"}),
        json!({"type": "string", "maxLength": 0}),
        json!({"enum": ["a", 1, null, {"b": []}]}),
        json!({"const": {"a": 1.5}}),
        json!({"type": "string", "enum": ["a", "bcd"], "minLength": 2}),
        json!({"type": "integer", "minimum": -1}),
        json!({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}),
        json!({"type": "integer", "minimum": 7, "multipleOf": 5}),
        json!({"type": "integer", "multipleOf": 0.5}),
        json!({"type": "integer", "multipleOf": 1000}),
        json!({"type": "integer", "maximum": -9}),
        json!({"type": "integer", "minimum": 9_007_199_254_740_993_i64}),
        json!({"type": "integer", "minimum": 18_446_744_073_709_551_615_u64}),
        json!({"type": "number", "minimum": 0.1, "maximum": 0.2}),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}),
        json!({"type": "number", "multipleOf": 0.01}),
        json!({"type": "number", "multipleOf": 0.1, "minimum": 5}),
        json!({"type": "number", "maximum": -3.5}),
        json!({"type": "number", "minimum": 1e300}),
        json!({"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3}),
        json!({"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": true}),
        json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": false, "minItems": 2}),
        json!({"type": "array", "contains": {"const": 5}, "items": {"type": "integer"}}),
        json!({"type": "array", "maxItems": 0}),
        json!({"type": "object", "minProperties": 3, "maxProperties": 4}),
        json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2}),
        json!({"type": "object", "propertyNames": {"pattern": "^x[0-9]{3}$"}, "minProperties": 2}),
        json!({"type": "object", "patternProperties": {"^ANCHOR_.+$": {"type": "string"}}, "additionalProperties": false, "minProperties": 1}),
        json!({"properties": {"a": {"type": "string"}, "b": false}, "required": ["a", "free"]}),
        json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false}),
        json!({"type": "object", "properties": {"a": {}, "b": {"const": 1}}, "dependentRequired": {"a": ["b"]}, "required": ["a"]}),
        json!({"allOf": [{"properties": {"a": {"type": "number"}}}, {"properties": {"a": {"type": "integer", "minimum": 4}}, "required": ["a"]}], "type": "object"}),
        json!({"allOf": [{"allOf": [{"type": "object", "required": ["a"]}]}, {"required": ["b"]}]}),
        json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
        json!({"oneOf": [{"type": "string", "maxLength": 5}, {"type": "string", "minLength": 3}]}),
        json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object", "properties": {"a": {}, "b": {}}}),
        json!({"anyOf": [{"type": "string", "format": "uuid"}, false, {"$ref": "#/missing"}]}),
        json!({"oneOf": [{"type": "null"}, {"anyOf": [{"type": "boolean"}, {"type": "array"}]}]}),
        json!({"type": "integer", "not": {"maximum": 50}}),
        json!({"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
            "if": {"properties": {"a": {"const": true}}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}),
        json!({"default": "x", "type": "integer"}),
        json!({"example": "shown", "type": "string"}),
        json!({"type": "string", "pattern": "^(?=shown)", "examples": [1, "shown"]}),
        json!({"allOf": [{"pattern": "^a"}, {"pattern": "z$"}, {"maxLength": 9}], "type": "string", "examples": ["a-z"]}),
        json!({}),
        json!(true),
    ] {
        if schema.to_string().contains("#/missing") {
            let value = Sampler::new(&schema, 1).value(&schema);
            assert!(value.is_string(), "{value}");
            continue;
        }
        check(&schema);
    }
}

#[test]
fn the_judge_agrees_with_the_validator() {
    let schemas = [
        json!({"type": ["integer", "null"]}),
        json!({"enum": [1, "b", null, [1.0]]}),
        json!({"const": {"a": 1}}),
        json!({"minimum": 2}),
        json!({"maximum": 2}),
        json!({"exclusiveMinimum": 2}),
        json!({"exclusiveMaximum": 2.0}),
        json!({"multipleOf": 0.5}),
        json!({"minLength": 2}),
        json!({"maxLength": 2}),
        json!({"pattern": "b$"}),
        json!({"format": "date"}),
        json!({"minItems": 2}),
        json!({"maxItems": 1}),
        json!({"uniqueItems": true}),
        json!({"items": {"type": "string"}}),
        json!({"prefixItems": [{"type": "integer"}], "items": false}),
        json!({"minProperties": 2}),
        json!({"maxProperties": 1}),
        json!({"required": ["a"]}),
        json!({"dependentRequired": {"a": ["b"]}}),
        json!({"propertyNames": {"maxLength": 1}}),
        json!({"properties": {"a": {"type": "integer"}}, "additionalProperties": false}),
        json!({"patternProperties": {"^b": {"type": "string"}}, "additionalProperties": {"type": "integer"}}),
        json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}),
        json!({"anyOf": [{"type": "string"}, {"minimum": 2}]}),
        json!({"oneOf": [{"type": "number"}, {"type": "integer"}, {"type": "object"}]}),
        json!({"not": {"type": "string"}}),
        json!({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "integer"}}),
        json!({"$ref": "#/$defs/x", "maximum": 2, "$defs": {"x": {"minimum": 2}}}),
    ];
    let values = [
        json!(null),
        json!(true),
        json!(1),
        json!(1.0),
        json!(2),
        json!(2.5),
        json!(3),
        json!(-1),
        json!(u64::MAX),
        json!(2.3),
        json!(""),
        json!("b"),
        json!("ab"),
        json!("üü"),
        json!("abc"),
        json!("2025-01-31"),
        json!([]),
        json!([1]),
        json!([1, 1.0]),
        json!([[1.0], {"a": 1}, {"a": 1.0}]),
        json!(["a", "b"]),
        json!([1, "a"]),
        json!({}),
        json!({"a": 1}),
        json!({"a": 1.0}),
        json!({"a": "x"}),
        json!({"a": 1, "b": 2}),
        json!({"b": "x"}),
        json!({"bb": 1}),
        json!({"c": 1, "bb": "x"}),
    ];
    for schema in &schemas {
        let (judge, validator) = (super::judge::Judge::new(schema), validator(schema));
        for value in &values {
            assert_eq!(
                judge.fits(schema, value),
                validator.is_valid(value),
                "{schema} {value}"
            );
        }
    }
}

#[test]
fn no_schema_gives_text_or_an_object() {
    for schema in [json!({}), json!(true)] {
        for value in check(&schema) {
            assert!(
                value.is_string() || value.as_object().is_some_and(|members| members.len() < 4),
                "{value}"
            );
        }
    }
}

#[test]
fn patterns_and_lengths() {
    for (pattern, min, max) in [
        ("^[a-zA-Z0-9_-]+$", 1, 64),
        ("^[1-9]\\d*$", 0, 99),
        ("^\\d+(-\\d+)?(,\\s*\\d+(-\\d+)?)*$", 0, 40),
        ("^-?\\d+(\\.\\d+)?$", 0, 99),
        ("^[A-Za-z0-9+/]*={0,2}$", 40, 44),
        ("^(draft|latest|\\d+)$", 0, 20),
        ("^[a-z]{3}-[A-Z]{2}$", 6, 6),
        ("^x.*y$", 500, 510),
        ("abc", 10, 12),
        ("^(a|bb|ccc){2,5}$", 9, 11),
        ("\\bword\\b", 0, 99),
        ("^[^/\\s]+/[^/]+$", 3, 12),
        ("^\\p{Lu}\\p{Ll}+$", 0, 9),
        ("^\\S+@\\S+\\.\\S+$", 0, 30),
        ("^$", 0, 0),
        ("", 1, 5),
        ("^ü$", 0, 3),
        ("^(?:[01]\\d|2[0-3]):[0-5]\\d$", 0, 9),
    ] {
        let schema =
            json!({"type": "string", "pattern": pattern, "minLength": min, "maxLength": max});
        let values = check(&schema);
        assert!(
            values
                .iter()
                .all(|value| value.as_str().is_some_and(str::is_ascii) || pattern.contains('ü')),
            "{values:?}"
        );
    }
}

#[test]
fn formats() {
    for format in [
        "uuid",
        "date-time",
        "date",
        "time",
        "duration",
        "uri",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "binary",
        "byte",
        "password",
        "uri-reference",
        "uri-template",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        "unknown",
    ] {
        for name in ["sessionId", "x", "Ünï", "a.b c"] {
            let schema = json!({"type": "object", "properties": {name: {"type": "string", "format": format}}, "required": [name]});
            check(&schema);
        }
    }
    check(&json!({"type": "string", "format": "byte", "minLength": 30}));
    check(&json!({"type": "string", "format": "email", "maxLength": 40}));
}

#[test]
fn text_tells_the_name() {
    let names = [
        "cdp_url",
        "userEmail",
        "created_at",
        "startDate",
        "browser_ip",
        "displayName",
    ];
    let members: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"type": "string"})))
        .collect();
    let value = Sampler::new(&Value::Null, 7)
        .smallest(&json!({"type": "object", "properties": members, "required": names}));
    let starts = [
        "https://example.com/cdp-url-",
        "user-email-",
        "2025-",
        "2025-",
        "192.0.2.",
        "display-name-",
    ];
    for (name, start) in names.iter().zip(starts) {
        assert!(
            value[name]
                .as_str()
                .is_some_and(|text| text.starts_with(start)),
            "{value}"
        );
    }
}

#[test]
fn the_seed_decides() {
    let schema = json!({"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}, "n": {"type": "number"}}, "required": ["id"]});
    let mut other = Sampler::new(&schema, 5);
    other.value(&schema);
    let run = |seed| {
        let mut sampler = Sampler::new(&schema, seed);
        (
            sampler.value(&schema),
            sampler.smallest(&schema),
            sampler.broken(&schema),
        )
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
    let mut sampler = Sampler::new(&schema, 5);
    assert_ne!(sampler.value(&schema), sampler.value(&schema));
}

#[test]
fn every_kind_of_fault() {
    let schema = json!({"type": "object", "required": ["name", "all"], "additionalProperties": false, "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 9, "pattern": "^[a-z0-9-]+$"},
        "all": {"type": "object", "required": ["kind", "id", "count", "ratio", "list"], "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "id": {"type": "string", "format": "uuid"},
            "count": {"type": "integer", "minimum": 1, "maximum": 50, "multipleOf": 5},
            "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "list": {"type": "array", "minItems": 1, "maxItems": 3, "uniqueItems": true, "items": {"type": "boolean"}}}}}});
    let broken = Sampler::new(&schema, 1).broken(&schema);
    let found: BTreeSet<(&str, &str)> = broken
        .iter()
        .map(|broken| (broken.place.as_str(), broken.what))
        .collect();
    for expected in [
        ("", "wrong type"),
        ("", "null not allowed"),
        ("name", "missing required member"),
        ("unknown_member", "member not allowed"),
        ("name", "too short"),
        ("name", "too long"),
        ("name", "pattern not matched"),
        ("all.kind", "unknown enum value"),
        ("all.kind", "missing required member"),
        ("all.id", "format not matched"),
        ("all.id", "wrong type"),
        ("all.count", "below the minimum"),
        ("all.count", "above the maximum"),
        ("all.count", "not a multiple"),
        ("all.ratio", "not above the exclusive minimum"),
        ("all.ratio", "not below the exclusive maximum"),
        ("all.list", "too few elements"),
        ("all.list", "equal elements"),
        ("all.list.0", "wrong type"),
    ] {
        assert!(
            found.contains(&expected),
            "{expected:?} is not among {found:?}"
        );
    }
    check(&schema);
}
