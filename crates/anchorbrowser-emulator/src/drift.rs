//! What a newer server would answer.

use serde_json::{Value, json};

use crate::sample::judge::Judge;
use crate::sample::shape::{Arm, Shape};

/// The member that [`drift`] adds.
pub const MEMBER: &str = "drifted_member";
/// What [`drift`] puts before a value of an enumeration.
pub const PREFIX: &str = "drifted_";

/// Values nested deeper stay as they are.
const MAX_DEPTH: usize = 128;

/// Changes `value` to what a server newer than the schema could answer. The change is the same each time.
///
/// - Each object whose schema declares members gets one more, `drifted_member`, an object itself. Maps, which declare
///   none, get nothing; nor do objects whose further members have a schema that would refuse it.
/// - Each string out of an `enum` or `const` gets the prefix `drifted_`. Tags that tell the arms of a union apart are
///   such strings and change too: clients are to read unknown unions as plain JSON.
/// - Nothing else changes. Of a union, the arms that the value meets are followed; if it meets none, what lies inside
///   stays as it is. Strings that are not in their enumeration stay too.
pub fn drift(root: &Value, schema: &Value, value: &mut Value) {
    walk(&Judge::new(root), &[schema], value, 0);
}

fn walk<'s>(judge: &Judge<'s>, schemas: &[&'s Value], value: &mut Value, depth: usize) {
    if schemas.is_empty() || depth > MAX_DEPTH {
        return;
    }
    let Some(shape) = Shape::fitting(judge, schemas, value) else {
        return;
    };
    match value {
        Value::String(text) if is_listed(&shape, text) => text.insert_str(0, PREFIX),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(
                    judge,
                    &shape.element(index).unwrap_or_default(),
                    item,
                    depth + 1,
                );
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                walk(
                    judge,
                    &shape.member(judge, name).unwrap_or_default(),
                    member,
                    depth + 1,
                );
            }
            let added = json!({ "added": true });
            if takes_member(judge, &shape, &added) {
                members.insert(MEMBER.to_owned(), added);
            }
        }
        _ => {}
    }
}

fn is_listed(shape: &Shape<'_>, text: &str) -> bool {
    let enums = shape.all("enum").filter_map(Value::as_array).flatten();
    enums
        .chain(shape.all("const"))
        .any(|value| value.as_str() == Some(text))
}

/// Whether the shape is that of an object with members of its own, and nothing but `false` speaks against one more.
fn takes_member<'s>(judge: &Judge<'s>, shape: &Shape<'s>, added: &Value) -> bool {
    let schemas: Arm<'s> = shape
        .all("additionalProperties")
        .filter(|schema| **schema != Value::Bool(false))
        .collect();
    !shape.declared().is_empty() && judge.all(&schemas, added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sampler;

    fn drifted(schema: &Value, mut value: Value) -> Value {
        drift(schema, schema, &mut value);
        value
    }

    #[test]
    fn objects_get_a_member_and_enums_a_value() {
        let schema = json!({"type": "object", "properties": {
            "state": {"type": ["string", "null"], "enum": ["on", "off", null]},
            "text": {"type": "string"},
            "level": {"enum": [1, 2]},
            "items": {"type": "array", "items": {"type": "object", "properties": {"kind": {"const": "one"}}}},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {}}}},
            "free": {"type": "object"},
            "words": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
            "closed": {"type": "object", "properties": {"a": {}}, "additionalProperties": false}}});
        let added = json!({"added": true});
        let value = json!({"state": "on", "text": "on", "level": 1, "items": [{"kind": "one"}, {"kind": "two"}], "map": {"x": {"a": 1}},
            "free": {"a": {}}, "words": {"a": "b"}, "closed": {}, "undeclared": {"state": "on"}});
        let expected = json!({"state": "drifted_on", "text": "on", "level": 1,
            "items": [{"kind": "drifted_one", MEMBER: added}, {"kind": "two", MEMBER: added}],
            "map": {"x": {"a": 1, MEMBER: added}}, "free": {"a": {}}, "words": {"a": "b"}, "closed": {MEMBER: added},
            "undeclared": {"state": "on"}, MEMBER: added});
        assert_eq!(drifted(&schema, value), expected);
        assert_eq!(
            drifted(&schema, json!({"state": null})),
            json!({"state": null, MEMBER: added})
        );
        assert_eq!(drifted(&schema, json!(["on"])), json!(["on"]));
    }

    #[test]
    fn the_fitting_arm_is_followed() {
        let schema = json!({"oneOf": [{"$ref": "#/$defs/a"}, {"allOf": [{"$ref": "#/$defs/b"}]}], "$defs": {
            "a": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "enum": ["a"]}, "x": {"enum": ["u"]}}},
            "b": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "enum": ["b"]}, "x": {"enum": ["v"]}}}}});
        let added = json!({"added": true});
        assert_eq!(
            drifted(&schema, json!({"type": "b", "x": "v"})),
            json!({"type": "drifted_b", "x": "drifted_v", MEMBER: added})
        );
        assert_eq!(
            drifted(&schema, json!({"type": "b", "x": "u"})),
            json!({"type": "b", "x": "u"})
        );
    }

    #[test]
    fn every_described_object_of_the_document() {
        let document = crate::sample::tests::document::document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let old = Sampler::new(&document, 4).value(schema);
            let mut new = old.clone();
            drift(&document, schema, &mut new);
            let mut again = old.clone();
            drift(&document, schema, &mut again);
            assert_eq!(new, again, "{name}");
            undo(&mut new);
            assert_eq!(new, old, "{name}");
        }
    }

    fn undo(value: &mut Value) {
        match value {
            Value::String(text) => *text = text.replacen(PREFIX, "", 1),
            Value::Array(items) => items.iter_mut().for_each(undo),
            Value::Object(members) => {
                members.remove(MEMBER);
                members.values_mut().for_each(undo);
            }
            _ => {}
        }
    }
}
