//! What each operation sends: every generated call, once, to a server that keeps it.

use std::collections::{BTreeMap, BTreeSet};

use anchorbrowser_api::{KEY_HEADER, OPERATIONS, Operation};

use serde_json::Value;

use crate::calls::Call;
use crate::generated::CALLS;
use crate::server::{Answer, KEY, Request, Server};
use crate::snapshot;

/// The longest line of a body.
const WIDTH: usize = 100;

#[tokio::test]
async fn snapshots() {
    let mut texts = BTreeMap::<&str, String>::new();
    for call in CALLS {
        let request = send(call).await;
        let text = texts.entry(call.resource).or_default();
        text.push_str(&format!("# {}\n{}\n\n", call.id, render(&request)));
    }
    snapshot::check_all("wire", &texts);
}

/// Makes a call and checks what holds for all.
async fn send(call: &Call) -> Request {
    let operation = Operation::find(call.id).unwrap();
    let answer = match operation.response {
        Some("bytes") => Answer::new(200, &[("content-type", operation.accept)], [0, 159, 146]),
        _ => Answer::json(200, "{}"),
    };
    let server = Server::always(answer).await;
    let called = call
        .sampled(server.client())
        .await
        .unwrap_or_else(|e| panic!("{}: {e:?}", call.id));
    assert_eq!(called.status, 200);
    let request = server.request();

    let id = call.id;
    assert_eq!(request.method, operation.method, "{id}");
    assert_eq!(operation.resource, call.resource, "{id}");
    let keys: Vec<&str> = values(&request, KEY_HEADER);
    let expected: &[&str] = if operation.open { &[] } else { &[KEY] };
    assert_eq!(keys, expected, "{id}");
    assert!(!request.holds("api-version"), "{id}");
    assert_eq!(values(&request, "accept"), [operation.accept], "{id}");
    let mut rest = request.clone();
    rest.headers.retain(|(name, _)| name != KEY_HEADER);
    assert!(!rest.holds(KEY), "{id}: the key outside of its header");
    match operation.content_type {
        None => assert_eq!(
            (request.length, request.header("content-type")),
            (0, None),
            "{id}"
        ),
        Some(expected) => {
            let found = request.header("content-type").unwrap_or_default();
            assert_eq!(found.split(';').next(), Some(expected), "{id}");
            assert!(!request.chunked && request.length > 0, "{id}");
            let length = request
                .header("content-length")
                .and_then(|text| text.parse().ok());
            assert_eq!(length, Some(request.length), "{id}");
        }
    }
    request
}

fn values<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    let found = request.headers.iter().filter(|(found, _)| found == name);
    found.map(|(_, value)| value.as_str()).collect()
}

fn render(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, request.target);
    let mut body = request.text();
    let mut headers = BTreeSet::new();
    for (name, value) in &request.headers {
        let mut value = value.clone();
        if let Some(found) = request.header("content-type").and_then(boundary) {
            value = value.replace(found, "[boundary]");
            body = body.replace(found, "[boundary]");
        }
        match name.as_str() {
            // The one is the server's port, the other is checked and moves with the boundary.
            "host" | "content-length" => continue,
            "user-agent" | "x-anchor-sdk" => {
                value = value.replace(env!("CARGO_PKG_VERSION"), "[version]");
            }
            KEY_HEADER => value = value.replace(KEY, "[key]"),
            _ => {}
        }
        headers.insert(format!("{name}: {value}\n"));
    }
    text.extend(headers);
    if !body.is_empty() {
        text += &format!("\n{}", render_body(&body));
    }
    text.trim_end().to_owned()
}

fn boundary(content_type: &str) -> Option<&str> {
    Some(content_type.split_once("boundary=")?.1)
}

fn render_body(body: &str) -> String {
    match serde_json::from_str(body) {
        Ok(json) => render_json(&json, 0),
        Err(_) => body.replace("\r\n", "\n"),
    }
}

/// On one line what fits there.
fn render_json(json: &Value, indent: usize) -> String {
    let flat = json.to_string();
    let inner = indent + 2;
    let (open, items, close) = match json {
        _ if indent + flat.len() <= WIDTH => return flat,
        Value::Object(map) => {
            let item = |(key, value)| format!("{key:?}: {}", render_json(value, inner));
            ('{', map.iter().map(item).collect::<Vec<_>>(), '}')
        }
        Value::Array(list) => {
            let item = |value| render_json(value, inner);
            ('[', list.iter().map(item).collect(), ']')
        }
        _ => return flat,
    };
    let (outside, inside) = (" ".repeat(indent), " ".repeat(inner));
    format!(
        "{open}\n{inside}{}\n{outside}{close}",
        items.join(&format!(",\n{inside}"))
    )
}

#[test]
fn each_operation_is_called() {
    let called: Vec<&str> = CALLS.iter().map(|call| call.id).collect();
    let operations: Vec<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert_eq!(called, operations);
}
