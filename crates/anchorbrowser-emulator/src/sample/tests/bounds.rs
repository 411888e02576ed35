//! Schemas that could have no end.

use super::*;

#[test]
fn recursion_ends() {
    let root = json!({
        "Tree": {"type": "object", "required": ["children", "name"], "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/Tree"}}, "parent": {"$ref": "#/Tree"}}},
        "List": {"type": "object", "required": ["next"], "properties": {"next": {"oneOf": [{"$ref": "#/List"}, {"type": "null"}]}}},
        "Term": {"oneOf": [{"$ref": "#/Sum"}, {"$ref": "#/Leaf"}]},
        "Sum": {"type": "object", "required": ["kind", "left", "right"], "properties": {
            "kind": {"const": "sum"}, "left": {"$ref": "#/Term"}, "right": {"$ref": "#/Term"}}},
        "Leaf": {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "leaf"}}},
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        "Home": {"allOf": [{"$ref": "#/Base"}], "required": ["owner"], "properties": {"owner": {"$ref": "#/Person"}}},
        "Person": {"allOf": [{"$ref": "#/Base"}], "properties": {"home": {"$ref": "#/Home"}}},
    });
    let registry = jsonschema::Registry::new()
        .add("urn:root", &root)
        .unwrap()
        .prepare()
        .unwrap();
    for name in ["Tree", "List", "Term", "Home", "Person"] {
        let validator = options()
            .with_registry(&registry)
            .build(&json!({"$ref": format!("urn:root#/{name}")}))
            .unwrap();
        let schema = json!({"$ref": format!("#/{name}")});
        for seed in 0..40 {
            let mut sampler = Sampler::new(&root, seed);
            for value in [sampler.value(&schema), sampler.smallest(&schema)] {
                assert!(validator.is_valid(&value), "{name}: {value}");
            }
            assert!(
                sampler
                    .broken(&schema)
                    .iter()
                    .all(|broken| !validator.is_valid(&broken.value)),
                "{name}"
            );
        }
    }
}

#[test]
fn schemas_without_values_end() {
    let root = json!({
        "Endless": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/Endless"}}},
        "Circle": {"$ref": "#/Circle"},
        "Choice": {"anyOf": [{"$ref": "#/Choice"}, {"$ref": "#/Choice"}, {"$ref": "#/Endless"}]},
        "Wide": {"type": "object", "required": ["a", "b", "c", "d"], "properties": {
            "a": {"$ref": "#/Wide2"}, "b": {"$ref": "#/Wide2"}, "c": {"$ref": "#/Wide2"}, "d": {"$ref": "#/Endless"}}},
        "Wide2": {"type": "array", "minItems": 2000, "items": {"type": "array", "minItems": 2000, "items": {"$ref": "#/Choice"}}},
    });
    for schema in [
        json!(false),
        json!({"$ref": "#/Endless"}),
        json!({"$ref": "#/Choice"}),
        json!({"$ref": "#/Wide"}),
        json!({"$ref": "#/Wide2"}),
        json!({"$ref": "#/nowhere"}),
        json!({"$ref": "elsewhere.yaml"}),
        json!({"$ref": "#/%ff"}),
        json!({"type": "string", "minLength": 5, "maxLength": 4}),
        json!({"type": "string", "minLength": 4_000_000_000_u64}),
        json!({"type": "string", "pattern": "a^b"}),
        json!({"type": "string", "pattern": "("}),
        json!({"type": "string", "pattern": "a{999}{999}{999}"}),
        json!({"type": "string", "pattern": "[^\\x00-\\u{10ffff}]"}),
        json!({"type": "integer", "minimum": 5, "maximum": 4}),
        json!({"type": "integer", "minimum": 1e300}),
        json!({"type": "integer", "multipleOf": 0}),
        json!({"type": "number", "multipleOf": -1}),
        json!({"allOf": [{"multipleOf": -1e300}, {"multipleOf": -1}, {"multipleOf": 0}], "type": "integer"}),
        json!({"type": "array", "minItems": 2, "maxItems": 1}),
        json!({"type": "array", "uniqueItems": true, "minItems": 3, "items": {"type": "boolean"}}),
        json!({"type": "object", "required": ["a"], "properties": {"a": false}}),
        json!({"type": "object", "minProperties": 3, "additionalProperties": false}),
        json!({"enum": []}),
        json!({"oneOf": [{}, {}]}),
        json!({"not": {}}),
        json!({"type": "nonsense"}),
        json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
    ] {
        let mut sampler = Sampler::new(&root, 3);
        assert_eq!(sampler.value(&schema), Value::Null, "{schema}");
        assert_eq!(sampler.smallest(&schema), Value::Null, "{schema}");
        assert!(sampler.broken(&schema).is_empty(), "{schema}");
    }
    // No value is asked for by these; what counts is that they end.
    for schema in [
        json!({"$ref": "#/Circle"}),
        json!("text"),
        json!({"type": 5, "properties": [], "required": "a", "allOf": {}}),
    ] {
        let mut sampler = Sampler::new(&root, 3);
        sampler.value(&schema);
        sampler.broken(&schema);
    }
}

#[test]
fn deep_schemas_fit_the_stack() {
    let level = |index: usize| {
        json!({"allOf": [{"oneOf": [{"anyOf": [{"type": "object", "required": ["next"],
        "properties": {"next": {"$ref": format!("#/{}", index + 1)}}}]}]}]})
    };
    let chain: serde_json::Map<String, Value> = (0..2_000)
        .map(|index| (index.to_string(), level(index)))
        .collect();
    let root = Value::Object(chain);
    let schema = json!({"$ref": "#/0"});
    let mut sampler = Sampler::new(&root, 1);
    assert_eq!(sampler.value(&schema), Value::Null);
    assert!(sampler.broken(&schema).is_empty());
    let mut value = (0..120).fold(json!({}), |inner, _| json!({"next": inner}));
    crate::drift::drift(&root, &schema, &mut value);
    let hops: serde_json::Map<String, Value> = (0..2_000)
        .map(|index| {
            (
                index.to_string(),
                json!({"$ref": format!("#/{}", index + 1)}),
            )
        })
        .collect();
    let root = Value::Object(hops);
    assert_eq!(Sampler::new(&root, 1).value(&schema), Value::Null);
}
