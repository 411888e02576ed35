//! Answers: the check of one, and bodies of errors in the documented shape.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::body::{essence, is_json, malformed, pick};
use super::operation::{Operation, Reply};
use super::pointer;
use super::request::MOST;

/// Schemas may refer to themselves, so only so many are looked at for one body.
const MOST_SCHEMAS: usize = 256;

impl Operation {
    /// What is wrong with an answer; nothing if it is as documented.
    ///
    /// Every error can come everywhere, so an undocumented status from 400 on is valid with any
    /// body. Any other undocumented status is not.
    pub fn check_answer(
        &self,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Vec<String> {
        let Some(reply) = self.answer(status) else {
            return if status >= 400 {
                Vec::new()
            } else {
                vec![format!(
                    "status {status} is not documented for {}",
                    self.key()
                )]
            };
        };
        if reply.content.is_empty() {
            return if body.is_empty() {
                Vec::new()
            } else {
                vec![format!("status {status} is documented without a body")]
            };
        }
        self.check_content(reply, content_type, body)
    }

    fn check_content(&self, reply: &Reply, content_type: Option<&str>, body: &[u8]) -> Vec<String> {
        let kinds: Vec<&str> = reply.content().map(|(kind, _)| kind).collect();
        let kinds = kinds.join(" or ");
        let Some(kind) = content_type.map(essence) else {
            return vec![format!(
                "header content-type is missing; documented is {kinds}"
            )];
        };
        let Some(media) = pick(&reply.content, &kind) else {
            return vec![format!(
                "header content-type is not documented; documented is {kinds}"
            )];
        };
        if body.is_empty() {
            return vec!["body is empty".to_owned()];
        }
        if !is_json(&kind) {
            return Vec::new();
        }
        let value: Value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => return vec![format!("body {}", malformed(&error))],
        };
        let Some(checker) = &media.checker else {
            return Vec::new();
        };
        let found = checker.check(&self.source, &value, "body", MOST);
        found
            .into_iter()
            .map(|(place, message)| format!("{place} {message}"))
            .collect()
    }

    /// The body of an error: in the shape documented for the status, else in that of the operation's
    /// other errors, else `{"error": {"code": .., "message": ..}}`. `None` if errors are documented without a body.
    pub fn error_body(&self, status: u16, message: &str) -> Option<Value> {
        let Some(reply) = self.documented_error(status) else {
            return Some(usual(status, message));
        };
        if reply.content.is_empty() {
            return None;
        }
        let media = reply.content.iter().find(|media| is_json(&media.kind));
        let Some(schema) = media.and_then(|media| media.schema.as_ref()) else {
            return Some(usual(status, message));
        };
        let mut shape = Shape {
            operation: self,
            status,
            message,
            left: MOST_SCHEMAS,
        };
        match shape.value(schema, "") {
            Some(body @ Value::Object(_)) => Some(body),
            _ => Some(usual(status, message)),
        }
    }

    /// The answer for a status, else an error of the same class, else any error; one with a body before one without.
    fn documented_error(&self, status: u16) -> Option<&Reply> {
        self.answer(status).or_else(|| {
            let errors = self.answers().iter().filter(|reply| reply.status() >= 400);
            errors.min_by_key(|reply| {
                (
                    reply.content.is_empty(),
                    reply.status() / 100 != status / 100,
                )
            })
        })
    }
}

fn usual(status: u16, message: &str) -> Value {
    json!({ "error": { "code": status, "message": message } })
}

/// Fills the shape of an error.
struct Shape<'a> {
    operation: &'a Operation,
    status: u16,
    message: &'a str,
    left: usize,
}

impl Shape<'_> {
    fn value(&mut self, schema: &Value, name: &str) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        let root = &*self.operation.source.root;
        let schema = pointer::resolve(root, schema);
        if let Some(value) = fixed(schema) {
            return Some(value);
        }
        let mut members = Members::default();
        members.collect(root, schema, &mut self.left);
        if !members.properties.is_empty() || word(schema) == Some("object") {
            return Some(self.object(&members));
        }
        for form in forms(schema) {
            if let Some(value) = self.value(form, name)
                && !value.is_null()
            {
                return Some(value);
            }
        }
        self.plain(schema, name)
    }

    fn object(&mut self, members: &Members<'_>) -> Value {
        let mut object = Map::new();
        for (name, schema) in &members.properties {
            let told = ["code", "error", "message", "status"].contains(name);
            if (told || members.required.contains(name))
                && let Some(value) = self.value(schema, name)
            {
                object.insert((*name).to_owned(), value);
            }
        }
        Value::Object(object)
    }

    fn plain(&mut self, schema: &Value, name: &str) -> Option<Value> {
        Some(match word(schema) {
            Some("integer" | "number") if ["code", "status"].contains(&name) => {
                Value::from(self.status)
            }
            Some("integer" | "number") => schema
                .get("minimum")
                .cloned()
                .unwrap_or_else(|| Value::from(0)),
            Some("boolean") => Value::Bool(false),
            Some("null") => Value::Null,
            Some("array") => {
                let least = schema
                    .get("minItems")
                    .and_then(Value::as_u64)
                    .unwrap_or(0)
                    .min(1);
                let item = schema.get("items").filter(|_| least > 0);
                Value::Array(
                    item.and_then(|item| self.value(item, name))
                        .into_iter()
                        .collect(),
                )
            }
            _ => Value::from(self.text(schema, name)),
        })
    }

    fn text(&self, schema: &Value, name: &str) -> String {
        let format = schema.get("format").and_then(Value::as_str);
        let text = match (format, name) {
            (Some("uuid"), _) => "00000000-0000-4000-8000-000000000000",
            (Some("date-time"), _) => "2025-01-01T00:00:00Z",
            (Some("uri"), _) | (None, "docs" | "url") => "https://example.com/docs",
            (None, "path") => self.operation.path(),
            _ => self.message,
        };
        let most = schema
            .get("maxLength")
            .and_then(Value::as_u64)
            .and_then(|most| usize::try_from(most).ok());
        text.chars().take(most.unwrap_or(usize::MAX)).collect()
    }
}

/// The one value, or the first of the values, that a schema allows.
fn fixed(schema: &Value) -> Option<Value> {
    let options = schema.get("enum").and_then(Value::as_array);
    schema
        .get("const")
        .or_else(|| options.and_then(|options| options.first()))
        .cloned()
}

/// The type of a schema; of several the first that is not null.
fn word(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(word) => Some(word),
        Value::Array(words) => words
            .iter()
            .filter_map(Value::as_str)
            .find(|word| *word != "null"),
        _ => None,
    }
}

fn forms(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|word| schema.get(word)?.as_array())
        .flatten()
}

/// The members of an object, with those that `allOf` adds.
#[derive(Default)]
struct Members<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    required: BTreeSet<&'a str>,
}

impl<'a> Members<'a> {
    fn collect(&mut self, root: &'a Value, schema: &'a Value, left: &mut usize) {
        let schema = pointer::resolve(root, schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        self.properties.extend(
            properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.as_str(), schema)),
        );
        let required = schema.get("required").and_then(Value::as_array);
        self.required
            .extend(required.into_iter().flatten().filter_map(Value::as_str));
        for form in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(less) = left.checked_sub(1) else {
                return;
            };
            *left = less;
            self.collect(root, form, left);
        }
    }
}
