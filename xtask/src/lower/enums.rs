//! Enums of strings.

use serde_json::Value;

use super::plan::Enum;
use super::{Context, Rule, unions};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "open-enums",
    why: "the generator's enums refuse a value that the vendor adds later, and an answer would be \
          lost for it: ours keep it as `Unknown`",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let mut enums = std::collections::BTreeMap::new();
    for (name, schema) in context.components() {
        let Some(values) = schema.get("enum").and_then(Value::as_array) else {
            continue;
        };
        let given = schema.get("x-enum-varnames").and_then(Value::as_array);
        let mut named: Vec<_> = values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| {
                let wire = value.as_str()?.to_owned();
                let given = given
                    .and_then(|given| given.get(index))
                    .and_then(Value::as_str);
                Some((index, names::variant(given.unwrap_or(&wire)), wire))
            })
            .collect();
        // Which of two values gets the plain name must not depend on the order in the document.
        named.sort_by(|a, b| a.2.cmp(&b.2));
        named.dedup_by(|a, b| a.2 == b.2);
        let mut taken = Taken::with(["Unknown"]);
        for (_, variant, _) in &mut named {
            *variant = taken.claim(variant);
        }
        named.sort_by_key(|(index, ..)| *index);
        let description = schema["description"].as_str().map(str::to_owned);
        let variants = named
            .into_iter()
            .map(|(_, variant, wire)| (variant, wire))
            .collect();
        enums.insert(
            name.clone(),
            Enum {
                description,
                variants,
            },
        );
    }
    unions::native(context, |name| enums.contains_key(name));
    let count = enums.len();
    context.plan.enums = enums;
    count
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::{rust_path, testing};

    #[test]
    fn values_become_variants_of_their_own() {
        let mut context = testing::components(json!({
            "E": { "enum": ["desc", "asc", "ASC", "N/A", "", "unknown", "1PASSWORD", "+1", "-1"], "type": "string" },
            "Named": { "enum": ["1PASSWORD"], "x-enum-varnames": ["OnePassword"], "type": "string" },
            "Holder": { "properties": { "e": { "$ref": "#/components/schemas/E", "description": "d" } } },
        }));
        assert_eq!((RULE.apply)(&mut context), 2);
        let variants: Vec<_> = context.plan.enums["E"]
            .variants
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            variants,
            [
                "Desc",
                "Asc2",
                "Asc",
                "NA",
                "Empty",
                "UnknownValue",
                "N1password",
                "Plus1",
                "Minus1"
            ]
        );
        assert_eq!(context.plan.enums["Named"].variants[0].0, "OnePassword");
        let field = &context.components()["Holder"]["properties"]["e"];
        assert_eq!(rust_path(field), Some("anchorbrowser_api::types::E"));
        assert_eq!(field["description"], "d");
    }
}
