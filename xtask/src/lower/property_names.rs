//! Names of fields.

use serde_json::{Map, Value};

use super::{Context, Rule};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "property-names",
    why: "properties whose names give one Rust field do not compile: they get another name, and the \
          wire name is put back into the generated code",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let mut renamed = Vec::new();
    for (name, schema) in context.components_mut() {
        let rest = schema.get("additionalProperties").is_some();
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            continue;
        };
        // The generator's own field for all other properties.
        let mut taken = Taken::with(rest.then_some("extra"));
        let mut new_names = Map::new();
        for (wire, property) in std::mem::take(properties) {
            let field = names::snake(&wire);
            let claimed = taken.claim(&field);
            // The generator names a property alike, if its name is made of words.
            let plain = wire
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
                && wire.starts_with(|c: char| c.is_ascii_alphabetic());
            let lowered = if claimed == field && plain {
                wire.clone()
            } else {
                claimed
            };
            if lowered != wire {
                renamed.push((name.clone(), lowered.clone(), wire));
            }
            new_names.insert(lowered, property);
        }
        *properties = new_names;
        rename_required(schema, name, &renamed);
    }
    let count = renamed.len();
    for (name, field, wire) in renamed {
        context
            .plan
            .fields
            .insert((name, names::snake(&field)), wire);
    }
    count
}

fn rename_required(schema: &mut Value, name: &str, renamed: &[(String, String, String)]) {
    let required = schema.get_mut("required").and_then(Value::as_array_mut);
    for entry in required.into_iter().flatten() {
        let new = renamed
            .iter()
            .find(|(owner, _, wire)| owner == name && entry == wire.as_str());
        if let Some((_, field, _)) = new {
            *entry = Value::String(field.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    #[test]
    fn fields_of_one_name_are_kept_apart() {
        let mut context = testing::components(json!({ "A": {
            "properties": { "fooBar": {}, "foo_bar": {}, "+1": {}, "-1": {}, "extra": {}, "type": {}, "größe": {} },
            "required": ["+1", "fooBar"],
            "additionalProperties": {},
        } }));
        (RULE.apply)(&mut context);
        let properties: Vec<_> = context.components()["A"]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(
            properties,
            [
                "extra2", "fooBar", "foo_bar2", "größe", "minus_1", "plus_1", "type"
            ]
        );
        assert_eq!(
            context.components()["A"]["required"],
            json!(["plus_1", "fooBar"])
        );
        let wire = |field: &str| {
            context
                .plan
                .fields
                .get(&("A".to_owned(), field.to_owned()))
                .map(String::as_str)
        };
        assert_eq!(wire("foo_bar2"), Some("foo_bar"));
        assert_eq!(wire("plus_1"), Some("+1"));
        assert_eq!(wire("extra2"), Some("extra"));
        assert_eq!(wire("foo_bar"), None);
    }
}
