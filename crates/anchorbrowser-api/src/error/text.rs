//! Text for people, made of what must not be printed whole.

use std::time::Duration;

/// The most characters of a server's text that an error prints.
const LONGEST: usize = 200;

/// What is shown of a server's text.
pub(crate) type Show<'a> = &'a dyn Fn(&str) -> String;

/// A time limit, e.g. `60 s` or `250 ms`.
pub(crate) fn duration(limit: Duration) -> String {
    if limit < Duration::from_secs(1) {
        format!("{} ms", limit.as_millis())
    } else {
        format!("{} s", limit.as_secs_f64())
    }
}

/// The start of a text on one line, without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    let mut out = String::new();
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if let Some((end, _)) = out.char_indices().nth(LONGEST) {
            out.truncate(end);
            out.push('…');
            break;
        }
    }
    out
}

/// Whether a body is an HTML page, such as a proxy's.
pub(crate) fn is_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [
        &b"<!doctype html"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<!--",
    ]
    .iter()
    .any(|tag| {
        start
            .get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    })
}

/// Names a page by its title.
pub(crate) fn page(body: &[u8], show: Show<'_>) -> String {
    let text = String::from_utf8_lossy(body);
    // ASCII lower case keeps each byte's place.
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|tag| {
        let start = tag + lower.get(tag..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        text.get(start..end)
    });
    match title.map(show).filter(|title| !title.is_empty()) {
        Some(title) => format!("an HTML page instead of the API's answer (title: {title})"),
        None => "an HTML page instead of the API's answer".to_owned(),
    }
}

/// What serde says of a body, without the value it found: that may be a secret.
pub(crate) fn decode_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Texts without values: the syntax errors, and those that name a field of ours.
    if !error.is_data() || text.starts_with("missing field") || text.starts_with("duplicate field")
    {
        return text;
    }
    // What was expected comes last and is ours; the value before it may hold anything.
    let Some((found, expected)) = text.rsplit_once(", expected ") else {
        return "a value of another form than documented".to_owned();
    };
    let found = found
        .strip_prefix("invalid type: ")
        .unwrap_or("another value");
    let kinds = [
        "string",
        "integer",
        "floating point",
        "boolean",
        "null",
        "map",
        "sequence",
        "unit",
    ];
    let found = kinds
        .into_iter()
        .find(|kind| found.starts_with(kind))
        .unwrap_or("another value");
    format!("{found}, expected {expected}")
}
