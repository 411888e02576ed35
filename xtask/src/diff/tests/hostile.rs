//! Recursion, fans and bad input.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::*;

/// Asserts that two documents are compared soon, and gives the rules. Without an end, or with 2^25 steps, it would take hours.
#[track_caller]
fn soon(old: &Value, new: &Value) -> BTreeSet<String> {
    let start = Instant::now();
    let found = verdicts(&compare(old, new).findings);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    found
}

/// Schemas of `levels` levels, each of which refers to the next one as `refer` has it.
fn tower(levels: usize, last: &Value, refer: fn(Value) -> Value) -> Value {
    let mut defs = Map::new();
    for level in 0..levels {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        defs.insert(format!("L{level}"), refer(next));
    }
    defs.insert(format!("L{levels}"), last.clone());
    taking(
        &json!({"$ref": "#/components/schemas/L0"}),
        &Value::Object(defs),
    )
}

#[test]
fn fans_of_references_end_soon() {
    let fans: [fn(Value) -> Value; 6] = [
        |next| json!({"type": "object", "properties": {"a": next, "b": next}}),
        |next| json!({"allOf": [next, next]}),
        |next| json!({"oneOf": [next, next]}),
        |next| json!({"anyOf": [next, next]}),
        |next| json!({"oneOf": [next, {"type": "array", "items": next}]}),
        |next| json!({"type": "object", "properties": {"a": next}, "additionalProperties": {"anyOf": [next, {"type": "null"}]}}),
    ];
    for fan in fans {
        let old = tower(25, &json!({"type": "string", "enum": ["a", "b"]}), fan);
        let new = tower(25, &json!({"type": "string", "enum": ["b"]}), fan);
        assert_eq!(
            soon(&old, &new),
            BTreeSet::from(["enum-value-removed breaking".to_owned()])
        );
        assert_eq!(compare(&old, &new).findings.len(), 1);
    }
}

#[test]
fn fans_of_conditions_end_soon() {
    let fan =
        |next| json!({"type": "object", "not": next, "if": next, "then": next, "contains": next});
    let old = tower(25, &json!({"type": "object", "maxProperties": 3}), fan);
    let new = tower(25, &json!({"type": "object", "maxProperties": 4}), fan);
    assert_eq!(soon(&old, &old), BTreeSet::new());
    let expected = ["bound-loosened compatible", "not-classified risky"];
    assert_eq!(soon(&old, &new), expected.map(str::to_owned).into());
    let chain = |next| json!({"not": next});
    let (old, new) = (
        tower(1000, &json!({"const": 1}), chain),
        tower(1000, &json!({"const": 2}), chain),
    );
    assert!(!soon(&old, &new).is_empty());
}

#[test]
fn recursion_ends_soon() {
    let tree = |kind: &str| {
        let node = json!({"$ref": "#/components/schemas/Node"});
        let other = json!({"$ref": "#/components/schemas/Other"});
        let defs = json!({
            "Node": {"type": "object", "properties": {
                "next": node, "all": {"type": "array", "items": other}, "value": {"type": kind},
            }},
            "Other": {"oneOf": [node, {"type": "object", "properties": {"other": other}}]},
        });
        taking(&node, &defs)
    };
    assert_eq!(soon(&tree("string"), &tree("string")), BTreeSet::new());
    let found = soon(&tree("string"), &tree("integer"));
    assert_eq!(found, BTreeSet::from(["type-changed breaking".to_owned()]));
}

#[test]
fn recursive_schemas_of_other_names_are_the_same() {
    let tree = |name: &str| {
        let node = json!({"$ref": format!("#/components/schemas/{name}")});
        let schema = json!({"type": "object", "properties": {"next": node}});
        taking(&node, &json!({name: schema}))
    };
    assert_eq!(
        soon(&tree("A"), &tree("B")),
        BTreeSet::from(["schema-renamed none".to_owned()])
    );
}

#[test]
fn unions_of_themselves_end_soon() {
    let defs = json!({
        "A": {"oneOf": [{"$ref": "#/components/schemas/A"}]},
        "B": {"anyOf": [{"$ref": "#/components/schemas/C"}, {"$ref": "#/components/schemas/B"}]},
        "C": {"oneOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}]},
    });
    for name in ["A", "B", "C"] {
        let root = taking(
            &json!({"$ref": format!("#/components/schemas/{name}")}),
            &defs,
        );
        assert_eq!(soon(&root, &root), BTreeSet::new());
        let found = soon(&root, &taking(&json!({"type": "string"}), &defs));
        assert!(!found.is_empty());
    }
}

#[test]
fn long_chains_end_soon() {
    let old = tower(3000, &json!({"type": "string"}), |next| next);
    let new = tower(3000, &json!({"type": "integer"}), |next| next);
    assert_eq!(
        soon(&old, &new),
        BTreeSet::from(["type-changed breaking".to_owned()])
    );
}

#[test]
fn too_long_chains_of_all_of_are_refused() {
    let root = tower(
        1500,
        &json!({"type": "object"}),
        |next| json!({"allOf": [next]}),
    );
    let one = document("api.yaml", &root.to_string());
    let error = whole::compare(&one, &one).unwrap_err().to_string();
    let expected = "api.yaml: the schemas of the document are too entangled to be compared";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn large_lists_end_soon() {
    let values = |from: usize| {
        (from..from + 20_000)
            .map(|it| format!("v{it}"))
            .collect::<Vec<_>>()
    };
    let enums = |from| taking(&json!({"enum": values(from)}), &json!({}));
    assert_eq!(soon(&enums(0), &enums(1)).len(), 2);
    let arms = |from: usize| {
        let arms = (from..from + 5000)
            .map(|it| json!({"type": "object", "properties": {format!("p{it}"): {}}}));
        taking(&json!({"oneOf": arms.collect::<Vec<_>>()}), &json!({}))
    };
    let start = Instant::now();
    assert_eq!(compare(&arms(0), &arms(1)).findings.len(), 2);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

/// Texts that are no documents to compare, and what the message says.
const BAD: &[(&str, &str)] = &[
    ("", "api.yaml: the file is empty"),
    (
        "<html></html>",
        "api.yaml:1:1: not an OpenAPI document or overlay: it looks like HTML",
    ),
    ("openapi: 3.1.0\npaths: {}\n", "no `info`"),
    ("swagger: '2.0'\n", "a Swagger 2.0 document"),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\n",
        "no `paths`",
    ),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {}\n---\na: b\n",
        "a second document begins here",
    ),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {/a: {get: {\n",
        "not valid YAML",
    ),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {/a: {$ref: 'other.yaml'}}\n",
        "api.yaml:3:14 (/paths/~1a/$ref)",
    ),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {/a: {$ref: 3}}\n",
        "`$ref` must be a text",
    ),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {}\ncomponents: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}\n",
        "Schemas that include themselves",
    ),
    (
        "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {/a: {get: {operationId: x}, put: {operationId: x}}}\n",
        "Operation ids that occur more than once",
    ),
];

#[test]
fn bad_input_is_refused() {
    for (text, expected) in BAD {
        let read = Document::parse("api.yaml", text.as_bytes());
        let error = read.and_then(load::check).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
}

#[test]
fn nonsense_in_a_document_is_compared_as_it_is() {
    let odd = json!({"paths": {"/a": {"get": {
        "parameters": [3, {"name": 4}], "requestBody": [], "responses": {"200": "x", "300": {"content": []}},
        "security": {}, "servers": 3, "tags": "x", "callbacks": [],
    }}}, "components": {"schemas": {"A": 3, "B": {"type": 3, "properties": [], "required": "a", "enum": 4, "items": [],
        "oneOf": {}, "allOf": {}, "minimum": "x", "discriminator": 4}}, "securitySchemes": {"x": 3}}});
    let plain = with(&json!({"paths": {"/a": {"get": {"responses": {}}}}}));
    let odd = with(&odd);
    assert_eq!(soon(&odd, &odd), BTreeSet::new());
    assert!(!soon(&odd, &plain).is_empty());
    assert!(!soon(&plain, &odd).is_empty());
}
