//! Schemas made at random: ones that have values, and ones of any nonsense.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Sampler, options};
use crate::drift::drift;
use crate::sample::judge::Judge;

/// Schemas that have a value each.
fn satisfiable() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (0_u8..20, 0_u8..20).prop_map(|(min, more)| json!({"type": "string", "minLength": min, "maxLength": min + more})),
        (-50_i32..50, 0_i32..9).prop_map(|(min, more)| json!({"type": ["integer", "null"], "minimum": min, "maximum": min + more})),
        (-50.0..50.0, 0.001..9.0).prop_map(|(min, more): (f64, f64)| json!({"type": "number", "minimum": min, "exclusiveMaximum": min + more})),
        (1_u8..9).prop_map(|step| json!({"type": "integer", "multipleOf": step})),
        prop_oneof![Just("uuid"), Just("date-time"), Just("uri"), Just("email"), Just("binary")]
            .prop_map(|format| json!({"type": "string", "format": format})),
        prop_oneof![Just("^[a-z]{2,9}$"), Just("^\\d+(-\\d+)?$"), Just("x"), Just("^(a|b)*$")]
            .prop_map(|pattern| json!({"type": "string", "pattern": pattern})),
        vec(any::<u8>(), 1..4).prop_map(|values| json!({"enum": values})),
        "[a-z]{1,5}".prop_map(|value| json!({"const": value})),
        (-3_i32..3, 2_i32..5)
            .prop_map(|(min, more)| json!({"type": "integer", "exclusiveMinimum": min, "exclusiveMaximum": min + more})),
        Just(json!({"type": "boolean"})),
        Just(json!({})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let members = btree_map("[a-d]{1,2}", (inner.clone(), any::<bool>()), 0..4);
        let object = (members, any::<bool>()).prop_map(|(members, open)| object(&members, open));
        prop_oneof![
            object.clone(),
            vec(object, 1..4).prop_map(|arms| json!({"oneOf": tagged(arms)})),
            (inner.clone(), 0_u8..3, 0_u8..3).prop_map(|(items, min, more)| json!({"type": "array", "items": items, "minItems": min, "maxItems": min + more})),
            vec(inner.clone(), 1..4).prop_map(|arms| json!({"anyOf": arms})),
            inner.clone().prop_map(|schema| json!({"allOf": [schema, {}], "description": "text"})),
            inner.prop_map(|schema| json!({"type": "object", "additionalProperties": schema})),
        ]
    })
}

fn object(members: &std::collections::BTreeMap<String, (Value, bool)>, open: bool) -> Value {
    let required: Vec<&String> = members
        .iter()
        .filter(|(_, (_, required))| *required)
        .map(|(name, _)| name)
        .collect();
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, (schema, _))| (name.clone(), schema.clone()))
        .collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": open})
}

fn tagged(arms: Vec<Value>) -> Vec<Value> {
    let tag = |(index, mut arm): (usize, Value)| {
        arm["properties"]["tag"] = json!({"type": "string", "enum": [format!("arm{index}")]});
        arm["required"].as_array_mut().unwrap().push(json!("tag"));
        arm
    };
    arms.into_iter().enumerate().map(tag).collect()
}

/// Any JSON, much of it with the words of schemas in place and out of place.
fn nonsense() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u8..5).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![
            Just("string"),
            Just("object"),
            Just("array"),
            Just("integer"),
            Just("#"),
            Just("#/allOf/0"),
            Just("#/properties/a"),
            Just("uuid"),
            Just("a"),
            Just("^[a-c]+$")
        ]
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => btree_map(word(), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn word() -> impl Strategy<Value = String> {
    let words = "type enum const $ref oneOf anyOf allOf not if then else properties required additionalProperties patternProperties \
        propertyNames minProperties maxProperties dependentRequired items prefixItems contains minItems maxItems uniqueItems minimum \
        maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format default example examples a b";
    proptest::sample::select(
        words
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    )
}

/// Small values with the members that [`satisfiable`] names.
fn small_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-60_i32..60).prop_map(Value::from),
        (-4_i32..9).prop_map(Value::from),
        (-60.0..60.0).prop_map(|number: f64| json!(number)),
        (0_i32..9).prop_map(|number| json!(f64::from(number))),
        "[a-z0-9]{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let members = btree_map("[a-d]{1,2}", inner.clone(), 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect()));
        prop_oneof![vec(inner, 0..3).prop_map(Value::from), members]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn satisfied(schema in satisfiable(), seed: u64) {
        let validator = options().build(&schema).unwrap();
        let mut sampler = Sampler::new(&schema, seed);
        for value in [sampler.value(&schema), sampler.smallest(&schema)] {
            prop_assert!(validator.is_valid(&value), "{value}");
        }
        for broken in sampler.broken(&schema) {
            prop_assert!(!validator.is_valid(&broken.value), "{broken:?} {}", broken.value);
        }
    }

    #[test]
    fn nothing_panics(schema in nonsense(), value in nonsense(), seed: u64) {
        let mut sampler = Sampler::new(&schema, seed);
        sampler.smallest(&schema);
        let mut made = sampler.value(&schema);
        drift(&schema, &schema, &mut made);
        let mut value = value;
        drift(&schema, &schema, &mut value);
        let broken = sampler.broken(&schema);
        // The validator follows circles of references without end.
        if !schema.to_string().contains("$ref") && let Ok(validator) = options().build(&schema) {
            for broken in broken {
                prop_assert!(!validator.is_valid(&broken.value), "{broken:?} {}", broken.value);
            }
        }
    }

    #[test]
    fn the_judge_and_the_validator_agree(schema in prop_oneof![satisfiable(), nonsense()], value in prop_oneof![small_value(), nonsense()]) {
        let text = schema.to_string();
        if !text.contains("$ref") && !text.contains("contains") && let Ok(validator) = options().build(&schema) {
            prop_assert_eq!(Judge::new(&schema).fits(&schema, &value), validator.is_valid(&value));
        }
    }
}
