//! Takes secrets out of what is listed and shown: values whose name says that they are one.

use http::HeaderMap;
use serde_json::{Map, Value};

/// What stands in the place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// Parts of names of secrets, in lower case without separators.
const PARTS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "authorization",
    "cookie",
    "signature",
    "apikey",
];

/// Whole words of names of secrets.
const WORDS: [&str; 7] = ["auth", "key", "keys", "otp", "pin", "pwd", "totp"];

/// The words of a name in `snake_case`, `camelCase` or `Header-Case`, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last_upper = true;
    for c in name.chars() {
        let starts = c.is_uppercase() && !last_upper;
        if starts || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        last_upper = c.is_uppercase() || !c.is_alphanumeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a name says that its value is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let whole = words.concat();
    PARTS.iter().any(|part| whole.contains(part))
        || words
            .iter()
            .any(|word| WORDS.contains(&word.as_str()) || word.ends_with("key"))
}

/// Header values by name; secret ones redacted.
pub(super) fn headers(headers: &HeaderMap) -> Value {
    let mut shown = Map::new();
    for name in headers.keys() {
        let values = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let values = values.collect::<Vec<_>>().join(", ");
        let value = if is_secret(name.as_str()) {
            REDACTED.to_owned()
        } else {
            text(&values)
        };
        shown.insert(name.as_str().to_owned(), Value::String(value));
    }
    Value::Object(shown)
}

/// JSON in which the values of secret members, and secrets in URLs, are redacted.
pub(super) fn json(value: &mut Value) {
    match value {
        Value::String(string) => *string = text(string),
        Value::Array(items) => items.iter_mut().for_each(json),
        Value::Object(members) => {
            // A list of fields has the name of each beside its value.
            let named = ["name", "key", "label"].iter().any(|name| {
                members
                    .get(*name)
                    .and_then(Value::as_str)
                    .is_some_and(is_secret)
            });
            for (name, member) in members.iter_mut() {
                // What is filled into a login form has the names that its page gives.
                let form = name == "values" && member.is_object();
                if is_secret(name) || form || (named && name == "value") {
                    hide(member);
                } else {
                    json(member);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Redacts all that a value says, but not that there is none.
fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = Value::String(REDACTED.to_owned());
    }
}

/// A query, with the values of secret parameters redacted.
pub(super) fn query(query: &str) -> String {
    // Read as the tail of a URL.
    let text = text(&format!("?{query}"));
    text.strip_prefix('?').unwrap_or_default().to_owned()
}

/// Text in which the values of secret parameters and the credentials of URLs are redacted.
pub(super) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(['?', '&', ';', ':']) {
        let (before, mark) = rest.split_at(place);
        shown.push_str(before);
        if let Some(after) = mark.strip_prefix("://") {
            shown.push_str("://");
            let authority = after.split(end_of_authority).next().unwrap_or_default();
            rest = match authority.rfind('@') {
                Some(at) => {
                    shown.push_str(REDACTED);
                    after.split_at(at).1
                }
                None => after,
            };
            continue;
        }
        let mut chars = mark.chars();
        shown.extend(chars.next());
        rest = chars.as_str();
        if mark.starts_with(':') {
            continue;
        }
        let Some(end) = rest.find(|c| c == '=' || end_of_value(c)) else {
            continue;
        };
        let (name, value) = rest.split_at(end);
        let Some(value) = value
            .strip_prefix('=')
            .filter(|_| is_secret(&decoded(name)))
        else {
            continue;
        };
        shown.push_str(name);
        shown.push('=');
        shown.push_str(REDACTED);
        let end = value.find(end_of_value).unwrap_or(value.len());
        rest = value.split_at(end).1;
    }
    shown.push_str(rest);
    shown
}

fn decoded(name: &str) -> String {
    percent_encoding::percent_decode_str(name)
        .decode_utf8_lossy()
        .into_owned()
}

fn end_of_authority(c: char) -> bool {
    matches!(c, '/' | '?' | '#') || c.is_whitespace()
}

fn end_of_value(c: char) -> bool {
    matches!(c, '?' | '&' | ';' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names() {
        let secret = [
            "password",
            "proxy_password",
            "apiKey",
            "api-key",
            "APIKEY",
            "anchor-api-key",
            "Authorization",
            "key",
            "accessToken",
            "id_token",
            "otp",
            "totpSecret",
            "clientSecret",
            "credentials",
            "Set-Cookie",
            "pin",
            "X-Auth",
            "Anchor-Signature",
            "anchor-identity-token",
            "accesskey",
        ];
        let plain = [
            "name",
            "keyboard",
            "text",
            "author",
            "session_id",
            "content-type",
            "spinning",
            "url",
            "monkeys",
            "",
        ];
        for name in secret {
            assert!(is_secret(name), "{name}");
        }
        for name in plain {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn texts() {
        let cases = [
            (
                "ws://h/?apiKey=abc&sessionId=1",
                "ws://h/?apiKey=[redacted]&sessionId=1",
            ),
            ("?a=1&API%4bEY=x y", "?a=1&API%4bEY=[redacted] y"),
            ("https://u:p@h/x?q=a:b", "https://[redacted]@h/x?q=a:b"),
            (
                "see https://a@b@h, http://h/?token=t#f",
                "see https://[redacted]@h, http://h/?token=[redacted]#f",
            ),
            (
                "http://h/?next=http://u:p@i/?key=k",
                "http://h/?next=http://[redacted]@i/?key=[redacted]",
            ),
            ("12:30? no; key", "12:30? no; key"),
            ("a://", "a://"),
            ("é?é=é&", "é?é=é&"),
            ("?secret=", "?secret=[redacted]"),
            ("", ""),
        ];
        for (before, after) in cases {
            assert_eq!(text(before), after);
        }
        assert_eq!(query("apiKey=k&limit=1"), "apiKey=[redacted]&limit=1");
    }

    #[test]
    fn members() {
        let mut value = json!({
            "browser": { "proxy": { "password": "p", "username": "u" } },
            "credentials": [{ "type": "x", "username": "u" }],
            "fields": [{ "name": "Bank PIN", "value": "1" }, { "name": "colour", "value": "red" }],
            "values": { "box1": "p" },
            "token": null,
            "urls": ["wss://h?apiKey=k"],
            "n": 1,
        });
        json(&mut value);
        let expected = json!({
            "browser": { "proxy": { "password": REDACTED, "username": "u" } },
            "credentials": REDACTED,
            "fields": [{ "name": "Bank PIN", "value": REDACTED }, { "name": "colour", "value": "red" }],
            "values": REDACTED,
            "token": null,
            "urls": ["wss://h?apiKey=[redacted]"],
            "n": 1,
        });
        assert_eq!(value, expected);
    }
}
