//! Brings a document into the form that the rest of the crate reads: plain JSON Schema 2020-12,
//! with every reference in place.

use serde_json::{Map, Value, json};

use super::DocumentError;
use super::pointer;

/// Members that hold parts by name; a name there is no keyword.
const NAMED: [&str; 17] = [
    "$defs",
    "callbacks",
    "content",
    "definitions",
    "dependentSchemas",
    "encoding",
    "headers",
    "links",
    "parameters",
    "pathItems",
    "paths",
    "patternProperties",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "webhooks",
];

/// Members that hold data, in which nothing is a keyword.
const DATA: [&str; 6] = ["const", "default", "enum", "example", "examples", "mapping"];

/// A schema that the vendor's document refers to and does not have.
const MISSING: &str = "FlatErrorResponse";

/// The only dialect that schemas may name.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn normalize(root: &mut Value) -> Result<(), DocumentError> {
    check_version(root)?;
    mend(root)?;
    let mut references = Vec::new();
    node(root, String::new(), &mut references)?;
    for (place, reference) in references {
        check_reference(root, &place, &reference)?;
    }
    Ok(())
}

fn check_version(root: &Value) -> Result<(), DocumentError> {
    match root.get("openapi") {
        Some(Value::String(version)) if version == "3.1" || version.starts_with("3.1.") => Ok(()),
        Some(Value::String(version)) => Err(DocumentError::new(format!(
            "OpenAPI {version} is not read; convert the document to 3.1"
        ))
        .at("/openapi")),
        Some(_) => {
            Err(DocumentError::new("the version must be text, such as '3.1.0'").at("/openapi"))
        }
        None => Err(DocumentError::new(
            "the member `openapi` is missing; give an OpenAPI 3.1 document",
        )),
    }
}

/// Adds the schema that the vendor left out, if it is asked for.
fn mend(root: &mut Value) -> Result<(), DocumentError> {
    let Some(root) = root.as_object_mut() else {
        return Ok(());
    };
    let misplaced = |place| DocumentError::new("must be a mapping").at(place);
    let components = root
        .entry("components")
        .or_insert_with(|| Value::Object(Map::new()));
    let components = components
        .as_object_mut()
        .ok_or_else(|| misplaced("/components"))?;
    let schemas = components
        .entry("schemas")
        .or_insert_with(|| Value::Object(Map::new()));
    let schemas = schemas
        .as_object_mut()
        .ok_or_else(|| misplaced("/components/schemas"))?;
    schemas.entry(MISSING).or_insert_with(|| {
        json!({ "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } })
    });
    Ok(())
}

type References = Vec<(String, String)>;

/// Brings one part of the document into form, and notes the references in it.
fn node(
    value: &mut Value,
    place: String,
    references: &mut References,
) -> Result<(), DocumentError> {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                node(item, format!("{place}/{index}"), references)?;
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if DATA.contains(&name.as_str()) || name.starts_with("x-") {
                    continue;
                }
                let place = pointer::join(&place, name);
                match member {
                    Value::Object(parts) if NAMED.contains(&name.as_str()) => {
                        for (part, member) in parts.iter_mut() {
                            node(member, pointer::join(&place, part), references)?;
                        }
                    }
                    _ => node(member, place, references)?,
                }
            }
            keywords(members, &place, references)?;
            if let Some(form) = nullable(members) {
                *value = form;
            }
        }
        _ => {}
    }
    Ok(())
}

fn keywords(
    members: &mut Map<String, Value>,
    place: &str,
    references: &mut References,
) -> Result<(), DocumentError> {
    if let Some(Value::String(reference)) = members.get("$ref") {
        references.push((place.to_owned(), reference.clone()));
    }
    for keyword in ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef"] {
        if members.get(keyword).is_some_and(Value::is_string) {
            return Err(DocumentError::new(format!(
                "`{keyword}` is not read; put the schema under `components.schemas` and refer to it by `$ref`"
            ))
            .at(place));
        }
    }
    if members
        .get("$schema")
        .and_then(Value::as_str)
        .is_some_and(|dialect| dialect != DIALECT)
    {
        return Err(DocumentError::new(format!("only the dialect {DIALECT} is read")).at(place));
    }
    if let Some(Value::String(text)) = members.get_mut("pattern") {
        *text = ascii(text);
    }
    if let Some(Value::Object(patterns)) = members.get_mut("patternProperties") {
        *patterns = std::mem::take(patterns)
            .into_iter()
            .map(|(text, schema)| (ascii(&text), schema))
            .collect();
    }
    Ok(())
}

fn check_reference(root: &Value, place: &str, reference: &str) -> Result<(), DocumentError> {
    let Some(target) = pointer::of_reference(reference) else {
        return Err(DocumentError::new(format!(
            "the reference `{reference}` leads out of the document; copy its target into `components` and write `#/components/...`"
        ))
        .at(place));
    };
    if root.pointer(&target).is_none() {
        return Err(DocumentError::new(format!(
            "the reference `{reference}` leads nowhere; add the target or correct the reference"
        ))
        .at(place));
    }
    Ok(())
}

/// Takes `nullable`, which OpenAPI 3.0 had, out of a schema, and says the same in JSON Schema.
/// Gives the new schema if the old one can't be changed in place.
fn nullable(members: &mut Map<String, Value>) -> Option<Value> {
    let Some(Value::Bool(may)) = members.get("nullable") else {
        return None;
    };
    let may = *may;
    members.remove("nullable");
    if !may {
        return None;
    }
    if ["$ref", "allOf", "anyOf", "const", "not", "oneOf"]
        .iter()
        .any(|word| members.contains_key(*word))
    {
        let rest = Value::Object(std::mem::take(members));
        return Some(json!({ "anyOf": [rest, { "type": "null" }] }));
    }
    match members.get_mut("type") {
        Some(Value::String(word)) if word != "null" => {
            let word = std::mem::take(word);
            members.insert("type".to_owned(), json!([word, "null"]));
        }
        Some(Value::Array(words)) if !words.iter().any(|word| word == "null") => {
            words.push(json!("null"))
        }
        _ => {}
    }
    if let Some(Value::Array(options)) = members.get_mut("enum")
        && !options.contains(&Value::Null)
    {
        options.push(Value::Null);
    }
    None
}

/// A pattern with ASCII classes: `\d` and `\w` mean ASCII in the patterns of JSON Schema, and more elsewhere.
pub(super) fn ascii(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut within = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match (letters.next(), within) {
                (Some('d'), false) => text.push_str("[0-9]"),
                (Some('d'), true) => text.push_str("0-9"),
                (Some('w'), false) => text.push_str("[A-Za-z0-9_]"),
                (Some('w'), true) => text.push_str("A-Za-z0-9_"),
                (Some('D'), false) => text.push_str("[^0-9]"),
                (Some('W'), false) => text.push_str("[^A-Za-z0-9_]"),
                (other, _) => {
                    text.push('\\');
                    text.extend(other);
                }
            },
            '[' if !within => {
                within = true;
                text.push(letter);
            }
            ']' => {
                within = false;
                text.push(letter);
            }
            _ => text.push(letter),
        }
    }
    text
}
