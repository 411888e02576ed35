//! Names for places and values in sentences.

use serde_json::Value;

use crate::document::{Document, unescape};

/// The most characters of a text or value that are shown.
const SHOWN: usize = 120;
/// The most values of a list that are shown.
const LISTED: usize = 8;
/// The most characters of a pointer that are shown.
const POINTER: usize = 1000;

/// What stands at `pointer`, in words: `Session.status`, or `GET /v1/sessions response 200 .status`.
pub(super) fn label(document: &Document, pointer: &str) -> String {
    let tokens: Vec<_> = pointer.split('/').skip(1).map(unescape).collect();
    let tokens: Vec<&str> = tokens.iter().map(|token| &**token).collect();
    let text = match tokens.as_slice() {
        ["components", "schemas", name, rest @ ..] => format!("{name}{}", below(rest)),
        ["components", "parameters", name, rest @ ..] => {
            format!("parameter {name}{}", object(rest))
        }
        ["components", "headers", name, rest @ ..] => format!("header {name}{}", object(rest)),
        ["components", "responses", name, rest @ ..] => format!("response {name}{}", object(rest)),
        ["components", "requestBodies", name, rest @ ..] => {
            format!("request body {name}{}", object(rest))
        }
        ["paths", path, "parameters", index, rest @ ..] => {
            let at = format!(
                "/paths/{}/parameters/{index}",
                crate::document::escape(path)
            );
            format!("{path} {}{}", parameter(document, &at, index), object(rest))
        }
        ["paths", path, method, "parameters", index, rest @ ..] => {
            let path_token = crate::document::escape(path);
            let at = format!("/paths/{path_token}/{method}/parameters/{index}");
            let name = parameter(document, &at, index);
            format!("{} {path} {name}{}", method.to_uppercase(), object(rest))
        }
        ["paths", path] => (*path).to_owned(),
        ["paths", path, method, rest @ ..] => {
            format!("{} {path}{}", method.to_uppercase(), object(rest))
        }
        ["webhooks", name, method, rest @ ..] => {
            format!("webhook {name} {}{}", method.to_uppercase(), object(rest))
        }
        [] => "the document".to_owned(),
        other => other.join(" "),
    };
    clean(&text)
}

/// A parameter's name.
fn parameter(document: &Document, pointer: &str, index: &str) -> String {
    let name = document
        .root
        .pointer(pointer)
        .and_then(|parameter| parameter.get("name")?.as_str());
    format!("parameter {}", name.unwrap_or(index))
}

/// The tokens below an operation, response and the like.
fn object(tokens: &[&str]) -> String {
    match tokens {
        [] => String::new(),
        ["schema", rest @ ..] => {
            let below = below(rest);
            match below.starts_with('.') {
                true => format!(" {below}"),
                false => below,
            }
        }
        ["content", media_type, rest @ ..] => format!(" ({media_type}){}", object(rest)),
        ["requestBody", rest @ ..] => format!(" request body{}", object(rest)),
        ["responses", status, rest @ ..] => format!(" response {status}{}", object(rest)),
        ["headers", name, rest @ ..] => format!(" header {name}{}", object(rest)),
        ["parameters", index, rest @ ..] => format!(" parameter {index}{}", object(rest)),
        ["callbacks", name, _, method, rest @ ..] => {
            format!(" callback {name} {}{}", method.to_uppercase(), object(rest))
        }
        [token, rest @ ..] => format!(" {token}{}", object(rest)),
    }
}

/// The tokens below a schema.
fn below(tokens: &[&str]) -> String {
    match tokens {
        ["properties", name, rest @ ..] => format!(".{name}{}", below(rest)),
        ["items", rest @ ..] => format!("[]{}", below(rest)),
        ["prefixItems", index, rest @ ..] => format!("[{index}]{}", below(rest)),
        ["additionalProperties", rest @ ..] => format!(".*{}", below(rest)),
        ["patternProperties", pattern, rest @ ..] => format!(".({pattern}){}", below(rest)),
        ["dependentSchemas", name, rest @ ..] => format!(" (with {name}){}", below(rest)),
        [
            word @ ("not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties"),
            rest @ ..,
        ] => format!(" ({word}){}", below(rest)),
        ["allOf", _, rest @ ..] => below(rest),
        ["oneOf" | "anyOf", index, rest @ ..] => format!("|{index}{}", below(rest)),
        // A keyword: the sentence names it.
        _ => String::new(),
    }
}

/// A value as JSON, on one line and not too long.
pub(super) fn shown(value: &Value) -> String {
    clean(&value.to_string())
}

/// A value before and after, at the end of a sentence.
pub(super) fn values(old: Option<&Value>, new: Option<&Value>) -> String {
    match (old, new) {
        (Some(old), Some(new)) => format!(": was {}, is {}", shown(old), shown(new)),
        (Some(old), None) => format!(": was {}", shown(old)),
        (None, Some(new)) => format!(": {}", shown(new)),
        (None, None) => String::new(),
    }
}

/// Several values.
pub(super) fn listed<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let values: Vec<_> = values.into_iter().collect();
    let mut texts: Vec<_> = values
        .iter()
        .take(LISTED)
        .map(|value| shown(value))
        .collect();
    if values.len() > LISTED {
        texts.push(format!("and {} more", values.len() - LISTED));
    }
    texts.join(", ")
}

/// Text of a document without what would steer a terminal or end the backticks around it, and not too long.
pub(super) fn clean(text: &str) -> String {
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", harmless(&text[..end])),
        None => harmless(text),
    };
    shown.replace('`', "\\u{60}")
}

/// A JSON pointer, whole unless somebody made it to be unreadable.
pub(super) fn pointer(pointer: &str) -> String {
    match pointer.char_indices().nth(POINTER) {
        Some((end, _)) => format!("{}...", harmless(&pointer[..end])),
        None => harmless(pointer),
    }
}

/// Text without what would steer a terminal.
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if steers(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Lines of text without what would steer a terminal.
pub(crate) fn harmless_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(harmless).collect();
    lines.join("\n")
}

/// Whether a character does something to a terminal, or to the order in which others are read.
pub(super) fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}
