//! Tells a body that was parsed and written again from a wrong secret, for the error's text.
//!
//! JSON libraries differ in white space, in the order of members and in what they escape. If a body
//! that has the same meaning in another notation fits the signature, the secret is right and the
//! body is not what was received. The body is refused either way. What cannot be known any more,
//! such as an order that was lost, is not found.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The longest body that is looked into, in bytes. A stranger can make this happen, so it has to be
/// cheap: each of the [`ORDERS`] in each of the [`STYLES`] is hashed once a key.
const LONGEST: usize = 64 * 1024;

/// The members of an envelope, in the order in which they are sent.
const ENVELOPE: [&str; 6] = ["id", "type", "created", "project_id", "text", "data"];

/// Ways to order members, each applied to what the one before it left. The first is as received.
const ORDERS: [fn(&mut Node); 3] = [|_| (), as_envelope, sort];

const STYLES: [Style; 5] = {
    const fn style(spaced: bool, escapes: fn(char) -> bool) -> Style {
        Style { spaced, escapes }
    }
    [
        style(false, nothing),
        style(false, not_ascii),
        style(false, html),
        style(true, nothing),
        style(true, not_ascii),
    ]
};

/// A notation of JSON.
struct Style {
    /// With a space after `,` and `:`, as Python writes it.
    spaced: bool,
    /// What is written as `\uXXXX` though it need not be.
    escapes: fn(char) -> bool,
}

fn nothing(_: char) -> bool {
    false
}

/// As Python does.
fn not_ascii(c: char) -> bool {
    !(' '..='~').contains(&c)
}

/// As Go does.
fn html(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

/// What can be said of a body that does not fit its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Another notation of it fits.
    Reserialized,
    /// Its members are ordered by name, as many libraries leave them, and Anchor does not.
    Sorted,
    /// Nothing.
    Unknown,
}

/// Looks for the notation of `body` that was signed. `fits` verifies one.
pub(super) fn examine(body: &[u8], fits: impl Fn(&[u8]) -> bool) -> Finding {
    if body.len() > LONGEST {
        return Finding::Unknown;
    }
    let trimmed = body.trim_ascii();
    if fits(trimmed) || fits(&[trimmed, b"\n"].concat()) {
        return Finding::Reserialized;
    }
    let Ok(mut tree) = serde_json::from_slice::<Node>(body) else {
        return Finding::Unknown;
    };
    let sorted = is_sorted(&tree);
    let mut written = String::new();
    for order in ORDERS {
        order(&mut tree);
        for style in &STYLES {
            written.clear();
            write(&tree, style, &mut written);
            if fits(written.as_bytes()) {
                return Finding::Reserialized;
            }
        }
    }
    match sorted {
        true => Finding::Sorted,
        false => Finding::Unknown,
    }
}

/// JSON with its members in the order in which they came.
enum Node {
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A number, `true`, `false` or `null`, as it is written.
    Other(String),
}

/// The members of the whole in the order of [`ENVELOPE`], then others.
fn as_envelope(tree: &mut Node) {
    let place = |name: &String| ENVELOPE.iter().position(|known| known == name);
    if let Node::Object(members) = tree {
        members.sort_by_key(|(name, _)| place(name).unwrap_or(ENVELOPE.len()));
    }
}

/// Whether it is an envelope with its members by name.
fn is_sorted(tree: &Node) -> bool {
    match tree {
        Node::Object(members) => {
            members.len() >= ENVELOPE.len() && members.is_sorted_by_key(|(name, _)| name)
        }
        _ => false,
    }
}

/// All members by name.
fn sort(tree: &mut Node) {
    match tree {
        Node::List(items) => items.iter_mut().for_each(sort),
        Node::Object(members) => {
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.iter_mut().for_each(|(_, value)| sort(value));
        }
        Node::Text(_) | Node::Other(_) => {}
    }
}

fn write(node: &Node, style: &Style, to: &mut String) {
    let (comma, colon) = match style.spaced {
        true => (", ", ": "),
        false => (",", ":"),
    };
    match node {
        Node::Other(text) => to.push_str(text),
        Node::Text(text) => write_text(text, style, to),
        Node::List(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                to.push_str(if index == 0 { "" } else { comma });
                write(item, style, to);
            }
            to.push(']');
        }
        Node::Object(members) => {
            to.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                to.push_str(if index == 0 { "" } else { comma });
                write_text(name, style, to);
                to.push_str(colon);
                write(value, style, to);
            }
            to.push('}');
        }
    }
}

fn write_text(text: &str, style: &Style, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            c if c < ' ' || (style.escapes)(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    to.push_str("\\u");
                    let digits = [12, 8, 4, 0]
                        .map(|shift| char::from_digit(u32::from(*unit >> shift) & 15, 16));
                    to.extend(digits.into_iter().flatten());
                }
            }
            c => to.push(c),
        }
    }
    to.push('"');
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visit)
    }
}

struct Visit;

impl<'de> Visitor<'de> for Visit {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Other(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Other(serde_json::json!(value).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
