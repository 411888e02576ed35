//! Names of operations.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use http::Method;
use serde_json::Value;

use super::text;

const OVERLAY: &str = include_str!("../../openapi.overlay.yaml");

/// The overlay's names by `METHOD path`.
fn given() -> &'static BTreeMap<String, String> {
    static NAMES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        text::read(OVERLAY).map_or_else(|_| BTreeMap::new(), |overlay| read(&overlay))
    })
}

/// Reads the actions that name one operation; all others are about things that nobody here reads.
fn read(overlay: &Value) -> BTreeMap<String, String> {
    let actions = overlay.get("actions").and_then(Value::as_array);
    actions
        .into_iter()
        .flatten()
        .filter_map(|action| {
            let name = action.pointer("/update/operationId")?.as_str()?;
            let (path, method) = action
                .get("target")?
                .as_str()?
                .strip_prefix("$.paths['")?
                .split_once("'].")?;
            let plain = method.bytes().all(|byte| byte.is_ascii_lowercase());
            plain.then(|| {
                (
                    format!("{} {path}", method.to_ascii_uppercase()),
                    name.to_owned(),
                )
            })
        })
        .collect()
}

/// The name of an operation: the overlay's, else the document's own, else one made of method and path.
pub(super) fn of(method: &Method, path: &str, own: Option<&str>) -> String {
    if let Some(name) = given().get(&format!("{method} {path}")) {
        return name.clone();
    }
    match own.map(snake) {
        Some(name) if !name.is_empty() => name,
        _ => made(method, path),
    }
}

fn made(method: &Method, path: &str) -> String {
    let mut parts = vec![method.as_str().to_ascii_lowercase()];
    for segment in path.split('/') {
        let by = if segment.contains('{') { "by_" } else { "" };
        let words = snake(segment);
        if !words.is_empty() {
            parts.push(format!("{by}{words}"));
        }
    }
    parts.join("_")
}

/// `getURLInfo` and `get-url info` become `get_url_info`.
pub(super) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (index, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            if !text.is_empty() && !text.ends_with('_') {
                text.push('_');
            }
            continue;
        }
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins && !text.ends_with('_') {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{made, of, snake};
    use http::Method;

    #[test]
    fn names_are_snake_case() {
        for (name, expected) in [
            ("createWebhook", "create_webhook"),
            ("getURLInfo", "get_url_info"),
            ("mouse/doubleClick", "mouse_double_click"),
            ("{sessionId}", "session_id"),
            ("v2Run", "v2_run"),
            ("--", ""),
        ] {
            assert_eq!(snake(name), expected, "{name}");
        }
        assert_eq!(
            made(&Method::GET, "/v1/sessions/{sessionId}/pages"),
            "get_v1_sessions_by_session_id_pages"
        );
    }

    #[test]
    fn the_overlay_comes_first() {
        assert_eq!(
            of(&Method::POST, "/v1/sessions", Some("other")),
            "create_session"
        );
        assert_eq!(
            of(&Method::POST, "/v9/sessions", Some("otherName")),
            "other_name"
        );
        assert_eq!(of(&Method::POST, "/v9/sessions", None), "post_v9_sessions");
    }
}
