//! The schemas of the API's own document.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::{Sampler, options};

/// The document as JSON, with `nullable` written as JSON Schema has it and its one dangling reference mended.
pub(crate) fn document() -> Value {
    let loaded = Yaml::load_from_str(include_str!("../../../openapi.yaml")).unwrap();
    let mut document = json_of(&loaded[0]);
    mend(&mut document);
    document["components"]["schemas"]["FlatErrorResponse"] = json!({"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}});
    document
}

fn json_of(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(json_of).collect(),
        Yaml::Mapping(members) => {
            let name = |node: &Yaml<'_>| match json_of(node) {
                Value::String(name) => name,
                other => other.to_string(),
            };
            Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (name(key), json_of(value)))
                    .collect(),
            )
        }
        other => panic!("{other:?}"),
    }
}

fn mend(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(members) => {
            members.values_mut().for_each(mend);
            if members.remove("nullable") == Some(json!(true)) {
                allow_null(members);
            }
        }
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    if let Some(name) = schema.remove("type") {
        schema.insert("type".to_owned(), json!([name, "null"]));
    } else if schema.contains_key("$ref") || schema.contains_key("allOf") {
        let inner = Value::Object(std::mem::take(schema));
        schema.insert("anyOf".to_owned(), json!([inner, {"type": "null"}]));
    }
}

#[test]
fn all_components() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.len() > 190);
    let registry = jsonschema::Registry::new()
        .add("urn:document", &document)
        .unwrap()
        .prepare()
        .unwrap();
    let mut faults = 0;
    for (name, schema) in schemas {
        let reference = json!({"$ref": format!("urn:document#/components/schemas/{name}")});
        let validator = options()
            .with_registry(&registry)
            .build(&reference)
            .unwrap();
        for seed in 0..20 {
            let mut sampler = Sampler::new(&document, seed);
            for value in [sampler.value(schema), sampler.smallest(schema)] {
                assert!(
                    validator.is_valid(&value),
                    "{name}, seed {seed}: {:?}\n{value}",
                    validator.validate(&value)
                );
            }
        }
        let broken = Sampler::new(&document, 1).broken(schema);
        faults += broken.len();
        for broken in broken {
            assert!(
                !validator.is_valid(&broken.value),
                "{name}: {broken:?}\n{}",
                broken.value
            );
        }
    }
    assert!(faults > 2_000, "only {faults} faults");
}
