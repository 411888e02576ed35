//! The shapes in which the API says what went wrong.

use serde_json::Value;

use super::text::Show;

/// What the body of an answer that is no success says.
///
/// The document knows eight shapes, and proxies add text and pages; this reads them all.
#[derive(Clone)]
pub struct ErrorBody {
    json: Option<Value>,
    code: Option<String>,
    message: Option<String>,
    details: Vec<String>,
}

impl ErrorBody {
    /// Reads a body; `None` if it is empty.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let body = body
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(body)
            .trim_ascii();
        if body.is_empty() {
            return None;
        }
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let message = match &json {
            Some(json) => message(json),
            None if is_machine_text(body) => None,
            None => Some(String::from_utf8_lossy(body).into_owned()),
        };
        let details = json.as_ref().map(details).unwrap_or_default();
        let code = json.as_ref().and_then(code);
        Some(Self {
            json,
            code,
            message,
            details,
        })
    }

    /// The API's own code, a number or a word, as text. It need not be the status.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The message, whole and as sent; for a plain text body, that text.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Further messages, e.g. one for each argument that was refused; mostly empty.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// The whole body, if it is JSON.
    pub fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// Message, details and code in one line.
    pub(super) fn line(&self, show: Show<'_>) -> Option<String> {
        let mut line = show(self.message.as_deref()?);
        if !self.details.is_empty() {
            line = format!("{line}: {}", show(&self.details.join("; ")));
        }
        if let Some(code) = &self.code {
            line = format!("{line} (code {})", show(code));
        }
        Some(line)
    }
}

/// Prints the code and the names in the body, not what it says: a server may repeat a secret.
impl std::fmt::Debug for ErrorBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrorBody")
            .field("code", &self.code)
            .field("json", &self.json.as_ref().map(crate::wire::outline))
            .finish_non_exhaustive()
    }
}

/// Whether a text that is no JSON was not written for people: a page, XML, or JSON that was cut off.
/// It may hold anything, so it is no message.
fn is_machine_text(body: &[u8]) -> bool {
    matches!(body, [b'<' | b'{', ..] | [b'[', b'{' | b'"', ..])
}

/// `body`, then what its `error` holds, then what that one's `error` holds.
fn levels(body: &Value) -> impl Iterator<Item = &Value> {
    std::iter::successors(Some(body), |value| value.get("error")).take(3)
}

/// A string, `.message`, `.error` as a string, `.error.message`, `.error.error.message`: the
/// first that is there.
fn message(body: &Value) -> Option<String> {
    levels(body)
        .filter_map(|value| value.as_str().or_else(|| value.get("message")?.as_str()))
        .find(|text| !text.trim().is_empty())
        .map(str::to_owned)
}

fn code(body: &Value) -> Option<String> {
    levels(body).find_map(|value| match value.get("code")? {
        Value::String(code) if !code.is_empty() => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    })
}

fn details(body: &Value) -> Vec<String> {
    let found = levels(body).find_map(|value| value.get("details"));
    let list = match found {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    list.iter()
        .map(|detail| match message(detail) {
            Some(text) => text,
            None => detail.to_string(),
        })
        .collect()
}
