//! Bounds, patterns and formats.

use super::{Context, Rule};

pub(crate) const RULE: Rule = Rule {
    name: "constraints",
    why: "the generator makes a type of its own from each bound, pattern and format, and checks it \
          on answers too: a changed bound would change Rust types, and an id that is no UUID would \
          lose an answer",
    apply,
};

const BOUNDS: &[&str] = &[
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// Formats that later rules give a type of ours.
const FORMATS: &[&str] = &["binary", "date-time", "password"];

fn apply(context: &mut Context) -> usize {
    context.drop_members(|key, value| {
        let known = value
            .as_str()
            .is_some_and(|format| FORMATS.contains(&format));
        BOUNDS.contains(&key) || (key == "format" && !known)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    #[test]
    fn bounds_and_most_formats_go() {
        testing::assert_schemas(
            &RULE,
            json!({ "A": { "properties": {
                "id": { "type": "string", "format": "uuid", "pattern": "^a$", "minLength": 1 },
                "n": { "type": "integer", "exclusiveMinimum": 0, "maximum": 5 },
                "at": { "type": "string", "format": "date-time" },
                "pattern": { "type": "array", "minItems": 1 },
            } } }),
            json!({ "A": { "properties": {
                "id": { "type": "string" },
                "n": { "type": "integer" },
                "at": { "type": "string", "format": "date-time" },
                "pattern": { "type": "array" },
            } } }),
        );
    }
}
