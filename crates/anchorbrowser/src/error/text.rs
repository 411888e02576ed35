//! What errors say.

use anchorbrowser_api::ResponseValue;

/// What the service says, without secrets, on one line, and of a long text the beginning.
pub(crate) fn printable<T>(answer: &ResponseValue<T>, text: &str) -> String {
    // Before it is cut: a part of a secret would not be found.
    excerpt(&answer.redact(text))
}

/// The beginning of a text, on one line.
pub(crate) fn excerpt(reason: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    reason.chars().take(300).map(clean).collect()
}

/// Why JSON does not fit a type, without the value: that may be anything.
pub(crate) fn misfit(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        return text;
    }
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => "a value of another form".to_owned(),
    }
}
