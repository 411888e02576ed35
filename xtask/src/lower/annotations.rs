//! Members of a schema that say nothing about its values.

use super::{Context, Rule, origins};

pub(crate) const RULE: Rule = Rule {
    name: "annotations",
    why: "titles below a component give two types one name, defaults become fields that are always \
          sent, and examples are no values: the generator gets none of them",
    apply,
};

const DROPPED: &[&str] = &[
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$id",
    "$schema",
    "$vocabulary",
    "default",
    "deprecated",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
];

/// Extensions that later rules read.
const KEPT: &[&str] = &["x-enum-varnames", "x-rust-name", "x-text", origins::MARK];

fn apply(context: &mut Context) -> usize {
    context.drop_members(|key, value| {
        let extension = key.starts_with("x-") && !KEPT.contains(&key);
        let blank =
            key == "description" && value.as_str().is_none_or(|text| text.trim().is_empty());
        extension || blank || DROPPED.contains(&key)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    #[test]
    fn annotations_go_and_properties_of_their_names_stay() {
        testing::assert_schemas(
            &RULE,
            json!({ "A": {
                "title": "T", "x-oneOf-labels": [1], "x-rust-name": "N", "description": "d",
                "properties": { "title": { "type": "string", "default": "d", "examples": ["e"] }, "default": { "description": " " } },
            } }),
            json!({ "A": {
                "x-rust-name": "N", "description": "d",
                "properties": { "title": { "type": "string" }, "default": {} },
            } }),
        );
    }
}
