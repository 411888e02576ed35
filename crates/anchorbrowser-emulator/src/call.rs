//! One request, checked against the document, as handlers see it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::{Content, Operation, Part};
use crate::time::Time;

/// A request to one operation. In lenient mode it may break the document: readers give defaults then.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) path: &'a BTreeMap<String, String>,
    pub(crate) query: &'a BTreeMap<String, Value>,
    pub(crate) content: &'a Content,
    /// The key of the request; empty for open operations.
    pub(crate) key: &'a str,
}

impl<'a> Call<'a> {
    /// A path parameter, decoded.
    pub(crate) fn path(&self, name: &str) -> &'a str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The id of the session in the path; the document has two names for it.
    pub(crate) fn session(&self) -> &'a str {
        match self.path("session_id") {
            "" => self.path("sessionId"),
            id => id,
        }
    }

    /// A query parameter as text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.query.get(name)?.as_str()
    }

    /// A query parameter as a whole number: from an integer or from digits.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        match self.query.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => usize::try_from(value.as_u64()?).ok(),
        }
    }

    /// A query parameter as a flag: a boolean, or the text `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.query.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A query parameter as a point in time.
    pub(crate) fn time(&self, name: &str) -> Option<Time> {
        Time::parse(self.text(name)?)
    }

    /// A query parameter as a list, separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        match self.query.get(name) {
            Some(Value::String(text)) => split(text),
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .flat_map(split)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The JSON body; `null` if there is none.
    pub(crate) fn body(&self) -> &'a Value {
        match self.content {
            Content::Json(value) => value,
            _ => &Value::Null,
        }
    }

    /// A member of the JSON body that is text.
    pub(crate) fn member(&self, name: &str) -> Option<&'a str> {
        self.body().get(name)?.as_str()
    }

    /// A part of a multipart body.
    pub(crate) fn part(&self, name: &str) -> Option<&'a Part> {
        match self.content {
            Content::Form(parts) => parts.iter().find(|part| part.name == name),
            _ => None,
        }
    }

    /// A part of a multipart body that is text.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let part = self.part(name)?;
        Some(String::from_utf8_lossy(&part.bytes).into_owned())
    }
}

fn split(text: impl AsRef<str>) -> Vec<String> {
    let items = text.as_ref().split(',').map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
