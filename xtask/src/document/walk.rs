//! Pointers, and a walk that tells keywords from names and data.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Writes a key as one token of a JSON pointer.
pub(crate) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Reads one token of a JSON pointer.
pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

/// What a local reference (`#`, `#/...` or `#anchor`) leads to.
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = local_pointer(reference)?;
    if pointer.is_empty() || pointer.starts_with('/') {
        return root.pointer(&pointer);
    }
    let mut found = None;
    visit(root, &mut |here, map| {
        if found.is_none() && map.get("$anchor").and_then(Value::as_str) == Some(&*pointer) {
            found = Some(here.to_owned());
        }
    });
    root.pointer(&found?)
}

/// The decoded fragment of a local reference; `None` for any other.
pub(crate) fn local_pointer(reference: &str) -> Option<Cow<'_, str>> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.contains('%') {
        return Some(Cow::Borrowed(fragment));
    }
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || u8::try_from(char::from(rest.next()?).to_digit(16)?).ok();
                digit()? * 16 + digit()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// What the entries of a node are.
#[derive(Clone, Copy)]
enum Position {
    /// Keywords of OpenAPI or JSON Schema.
    Keywords,
    /// Names that the author chose, whose values have keywords. `extensions`: whether `x-` entries are extensions.
    Names {
        /// Whether `x-` entries are extensions rather than names.
        extensions: bool,
    },
    /// Names of links: a link's own entries are data, except `$ref`.
    Links,
    /// Data of the API: examples, defaults, extensions.
    Data,
}

/// Calls `found` with pointer and entries of each mapping whose keys are keywords: neither data (examples, defaults,
/// enum values, extensions) nor mappings from names, such as `properties`, though the values in these count.
pub(crate) fn visit<'a>(root: &'a Value, found: &mut impl FnMut(&str, &'a Map<String, Value>)) {
    descend(root, Position::Keywords, &mut String::new(), found);
}

/// Visits `value` and what is below it.
fn descend<'a, F: FnMut(&str, &'a Map<String, Value>)>(
    value: &'a Value,
    position: Position,
    pointer: &mut String,
    found: &mut F,
) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                step(&index.to_string(), item, position, pointer, found);
            }
        }
        Value::Object(map) => {
            if matches!(position, Position::Keywords) {
                found(pointer, map);
            }
            for (key, child) in map {
                let below = match position {
                    Position::Keywords => below_keyword(key, child),
                    Position::Names { extensions: true } if key.starts_with("x-") => Position::Data,
                    Position::Names { .. } => Position::Keywords,
                    Position::Links => {
                        if let Some(link) =
                            child.as_object().filter(|link| link.contains_key("$ref"))
                        {
                            let length = pointer.len();
                            push(pointer, key);
                            found(pointer, link);
                            pointer.truncate(length);
                        }
                        Position::Data
                    }
                    Position::Data => Position::Data,
                };
                step(key, child, below, pointer, found);
            }
        }
        _ => {}
    }
}

/// Visits the child under `token`.
fn step<'a, F: FnMut(&str, &'a Map<String, Value>)>(
    token: &str,
    child: &'a Value,
    position: Position,
    pointer: &mut String,
    found: &mut F,
) {
    if matches!(position, Position::Data) || !(child.is_object() || child.is_array()) {
        return;
    }
    let length = pointer.len();
    push(pointer, token);
    descend(child, position, pointer, found);
    pointer.truncate(length);
}

/// Appends a token to a pointer.
fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    if token.contains(['~', '/']) {
        pointer.push_str(&escape(token));
    } else {
        pointer.push_str(token);
    }
}

/// What stands below the keyword `key`.
fn below_keyword(key: &str, child: &Value) -> Position {
    match key {
        "example" | "examples" | "default" | "enum" | "const" | "mapping" => Position::Data,
        "paths" | "webhooks" | "responses" | "callbacks" => Position::Names { extensions: true },
        "links" => Position::Links,
        // A list of parameters in an operation, a mapping from names in `components`.
        "parameters" if child.is_array() => Position::Keywords,
        "properties" | "patternProperties" | "dependentSchemas" | "dependencies" | "$defs"
        | "definitions" | "content" | "encoding" | "headers" | "parameters" | "pathItems"
        | "requestBodies" | "schemas" | "securitySchemes" => Position::Names { extensions: false },
        _ if key.starts_with("x-") => Position::Data,
        _ => Position::Keywords,
    }
}
