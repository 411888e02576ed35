//! Strings, numbers and enums.

use serde_json::{Value, json};

use super::{Context, Rule, rust_type, walk};

pub(crate) const RULE: Rule = Rule {
    name: "scalars",
    why: "one Rust type for each kind of scalar: times and secrets get types of ours, numbers are \
          64 bits wide, and only enums of strings stay enums",
    apply,
};

/// A time, kept as sent.
pub(crate) const TIMESTAMP: &str = "anchorbrowser_api::wire::Timestamp";
/// A text that is never printed.
pub(crate) const SECRET: &str = "anchorbrowser_api::wire::Secret";
/// JSON of any kind that is never printed.
const SECRET_JSON: &str = "anchorbrowser_api::wire::SecretJson";

fn apply(context: &mut Context) -> usize {
    context.change(walk::Order::Inside, |schema| {
        let note = values(schema);
        typed(schema);
        note
    })
}

/// An enum of strings stays one; others become the type that their values have.
fn values(schema: &mut Value) -> Option<&'static str> {
    let values = schema.get("enum")?.as_array()?.clone();
    let all = |is: fn(&Value) -> bool| !values.is_empty() && values.iter().all(is);
    let (name, note) = if all(Value::is_string) {
        schema["type"] = json!("string");
        return None;
    } else if all(|value| value.is_i64() || value.is_u64()) {
        ("integer", "enum of integers: an integer")
    } else if all(Value::is_number) {
        ("number", "enum of numbers: a number")
    } else if all(Value::is_boolean) {
        ("boolean", "enum of booleans: a boolean")
    } else {
        ("", "enum of values of several types: any JSON")
    };
    let map = schema.as_object_mut()?;
    map.remove("enum");
    map.remove("x-enum-varnames");
    if name.is_empty() {
        map.remove("type");
    } else {
        map.insert("type".to_owned(), json!(name));
    }
    Some(note)
}

fn typed(schema: &mut Value) {
    let format = schema
        .get("format")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let name = schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    let own = match (name.as_str(), format.as_str()) {
        ("string", "date-time") => Some(TIMESTAMP),
        ("string", "password") if !map.contains_key("enum") => Some(SECRET),
        ("", "password") if !map.contains_key("$ref") => Some(SECRET_JSON),
        ("object", "password") if !map.contains_key("properties") => Some(SECRET_JSON),
        _ => None,
    };
    if let Some(path) = own {
        map.remove("type");
        map.remove("format");
        map.insert(
            "x-rust-type".to_owned(),
            rust_type(path, Vec::new())["x-rust-type"].take(),
        );
        return;
    }
    match name.as_str() {
        "integer" => map.insert("format".to_owned(), json!("int64")),
        "number" => map.insert("format".to_owned(), json!("double")),
        "string" if format == "binary" => None,
        _ => map.remove("format"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{rust_path, testing};

    #[test]
    fn scalars_have_one_form_each() {
        let cases = [
            (
                json!({ "type": "integer" }),
                json!({ "type": "integer", "format": "int64" }),
            ),
            (
                json!({ "type": "number" }),
                json!({ "type": "number", "format": "double" }),
            ),
            (
                json!({ "enum": ["a"] }),
                json!({ "type": "string", "enum": ["a"] }),
            ),
            (
                json!({ "enum": [10, 20] }),
                json!({ "type": "integer", "format": "int64" }),
            ),
            (json!({ "type": "string", "enum": ["a", 1] }), json!({})),
            (
                json!({ "type": "string", "format": "binary" }),
                json!({ "type": "string", "format": "binary" }),
            ),
        ];
        for (before, after) in cases {
            testing::assert_schemas(&RULE, json!({ "A": before }), json!({ "A": after }));
        }
    }

    #[test]
    fn times_and_secrets_have_types_of_ours() {
        let mut context = testing::components(json!({
            "T": { "type": "string", "format": "date-time", "nullable": true },
            "S": { "type": "string", "format": "password" },
            "J": { "format": "password" },
            "O": { "type": "object", "format": "password" },
        }));
        (RULE.apply)(&mut context);
        assert_eq!(rust_path(&context.components()["T"]), Some(TIMESTAMP));
        assert_eq!(context.components()["T"]["nullable"], true);
        assert_eq!(rust_path(&context.components()["S"]), Some(SECRET));
        assert_eq!(rust_path(&context.components()["J"]), Some(SECRET_JSON));
        assert_eq!(rust_path(&context.components()["O"]), Some(SECRET_JSON));
    }
}
