//! JSON pointers, and references by them.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A chain of references longer than this is taken for a circle.
const LONGEST_CHAIN: usize = 32;

/// One part of a pointer, escaped.
pub(super) fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// One part of a pointer as it is meant.
pub(super) fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// `pointer` and one more part.
pub(super) fn join(pointer: &str, part: &str) -> String {
    format!("{pointer}/{}", escape(part))
}

/// The pointer in a reference within the document; `None` for other references.
pub(super) fn of_reference(reference: &str) -> Option<Cow<'_, str>> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    percent_decode_str(fragment).decode_utf8().ok()
}

/// The pointer as a URI fragment: path templates hold braces, which a URI can't.
pub(super) fn fragment(pointer: &str) -> String {
    let mut text = String::with_capacity(pointer.len() + 1);
    text.push('#');
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/~-._".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// What `schema` refers to in the end, or `schema` itself. A circle ends anywhere on it.
pub(super) fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..LONGEST_CHAIN {
        match target(root, schema) {
            Some((_, next)) => schema = next,
            None => break,
        }
    }
    schema
}

/// The same with the pointer, from the pointer of a node.
pub(super) fn follow<'a>(root: &'a Value, pointer: &str) -> Option<(String, &'a Value)> {
    let mut pointer = pointer.to_owned();
    let mut node = root.pointer(&pointer)?;
    for _ in 0..LONGEST_CHAIN {
        match target(root, node) {
            Some((next, value)) => (pointer, node) = (next.into_owned(), value),
            None => break,
        }
    }
    Some((pointer, node))
}

fn target<'a>(root: &'a Value, node: &'a Value) -> Option<(Cow<'a, str>, &'a Value)> {
    let pointer = of_reference(node.get("$ref")?.as_str()?)?;
    let value = root.pointer(&pointer)?;
    Some((pointer, value))
}
