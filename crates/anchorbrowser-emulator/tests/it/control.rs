//! Mouse, keyboard, clipboard, navigation, screenshots of sessions.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use serde_json::json;

use crate::support::Api;

/// Width and height of a PNG file.
pub(crate) fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[tokio::test]
async fn hands_do_what_is_asked_or_are_refused() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    for (operation, good, bad) in [
        (
            "mouse/click",
            json!({ "x": 1.5, "y": 2, "button": "right" }),
            json!({ "x": 1 }),
        ),
        (
            "mouse/click",
            json!({ "selector": "#a", "index": 1, "timeout": 10 }),
            json!({ "selector": "#a", "x": 1, "y": 1 }),
        ),
        ("mouse/click", json!({ "x": 0, "y": 0 }), json!({})),
        (
            "mouse/click",
            json!({ "x": 0, "y": 0 }),
            json!({ "selector": " " }),
        ),
        (
            "mouse/doubleClick",
            json!({ "x": 1, "y": 2 }),
            json!({ "x": -1, "y": 2 }),
        ),
        ("mouse/down", json!({ "x": 1, "y": 2 }), json!({ "x": 1 })),
        (
            "mouse/up",
            json!({ "x": 1, "y": 2 }),
            json!({ "x": 1, "y": 2, "button": "fourth" }),
        ),
        (
            "mouse/move",
            json!({ "x": 1, "y": 2 }),
            json!({ "x": 1, "y": -2 }),
        ),
        (
            "drag-and-drop",
            json!({ "startX": 1, "startY": 1, "endX": 2, "endY": 2 }),
            json!({ "startX": 1 }),
        ),
        (
            "scroll",
            json!({ "x": 1, "y": 1, "deltaY": -300 }),
            json!({ "x": 1, "y": 1 }),
        ),
        (
            "keyboard/type",
            json!({ "text": "a", "delay": 5 }),
            json!({ "text": "a", "delay": -5 }),
        ),
        (
            "keyboard/shortcut",
            json!({ "keys": ["Control", "a"] }),
            json!({ "keys": [] }),
        ),
        ("clipboard", json!({ "text": "a" }), json!({})),
        ("paste", json!({ "text": "a" }), json!({ "text": 1 })),
        (
            "goto",
            json!({ "url": "https://one.example/" }),
            json!({ "url": "one.example" }),
        ),
        (
            "goto",
            json!({ "url": "about:blank" }),
            json!({ "url": "ftp://one.example/" }),
        ),
    ] {
        let path = format!("/v1/sessions/{id}/{operation}");
        assert_eq!(
            api.post(&path, good).await.ok().json,
            json!({ "status": "success" }),
            "{operation}"
        );
        api.post(&path, bad).await.refused(400);
        let unknown = "/v1/sessions/00000000-0000-4000-8000-000000000000";
        let body = json!({ "x": 1, "y": 1, "deltaY": 1, "startX": 1, "startY": 1, "endX": 1, "endY": 1, "text": "",
                           "keys": ["a"], "url": "https://one.example/" });
        api.post(&format!("{unknown}/{operation}"), body)
            .await
            .refused(404);
    }
}

#[tokio::test]
async fn an_ended_session_takes_nothing_more() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let path = format!("/v1/sessions/{id}");
    api.post(&format!("{path}/mouse/move"), json!({ "x": 1, "y": 1 }))
        .await
        .refused(400);
    api.get(&format!("{path}/clipboard")).await.refused(404);
    api.act(&format!("{path}/copy")).await.refused(404);
    api.get(&format!("{path}/screenshot")).await.refused(404);
}

#[tokio::test]
async fn the_clipboard_keeps_what_is_put_on_it() {
    let api = Api::start().await;
    let (id, other) = (api.session(json!({})).await, api.session(json!({})).await);
    let path = |operation: &str| format!("/v1/sessions/{id}/{operation}");
    let clipboard = async || api.get(&path("clipboard")).await.ok().text("/data/text");
    let copy = async || api.act(&path("copy")).await.ok().text("/text");
    assert_eq!((&*clipboard().await, &*copy().await), ("", ""));
    api.post(&path("clipboard"), json!({ "text": "one\n\u{1f5b1}" }))
        .await
        .ok();
    assert_eq!(
        (clipboard().await, copy().await),
        ("one\n\u{1f5b1}".to_owned(), "one\n\u{1f5b1}".to_owned())
    );
    api.post(&path("keyboard/type"), json!({ "text": "two" }))
        .await
        .ok();
    assert_eq!(clipboard().await, "one\n\u{1f5b1}", "typing copies nothing");
    assert_eq!((&*copy().await, &*clipboard().await), ("two", "two"));
    api.post(&path("paste"), json!({ "text": "three" }))
        .await
        .ok();
    assert_eq!((&*clipboard().await, &*copy().await), ("two", "three"));
    api.post(&path("clipboard"), json!({ "text": "four" }))
        .await
        .ok();
    api.post(
        &path("keyboard/shortcut"),
        json!({ "keys": ["Control", "V"] }),
    )
    .await
    .ok();
    assert_eq!(copy().await, "four");
    api.post(&path("keyboard/type"), json!({ "text": "five" }))
        .await
        .ok();
    api.post(&path("keyboard/shortcut"), json!({ "keys": ["Meta", "c"] }))
        .await
        .ok();
    assert_eq!(clipboard().await, "five");
    let reply = api
        .get(&format!("/v1/sessions/{other}/clipboard"))
        .await
        .ok();
    assert_eq!(reply.text("/data/text"), "", "every session has its own");
}

#[tokio::test]
async fn goto_opens_the_page() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    api.post(
        &format!("/v1/sessions/{id}/goto"),
        json!({ "url": "https://one.example/a.html" }),
    )
    .await
    .ok();
    let pages = api.get(&format!("/v1/sessions/{id}/pages")).await.ok();
    assert_eq!(
        pages.text("/data/items/0/url"),
        "https://one.example/a.html"
    );
    let page = api.get("/v1/sessions?domains=one.example").await.ok();
    assert_eq!(page.text("/data/sessions/0/id"), id);
}

#[tokio::test]
async fn a_screenshot_has_the_size_of_the_viewport() {
    let api = Api::start().await;
    for (configuration, size) in [
        (json!({}), (1440, 900)),
        (
            json!({ "browser": { "viewport": { "width": 320, "height": 200 } } }),
            (320, 200),
        ),
        (
            json!({ "browser": { "viewport": { "width": -5, "height": 0 } } }),
            (1440, 1),
        ),
    ] {
        let id = api.session(configuration).await;
        let take = async || {
            let reply = api.get(&format!("/v1/sessions/{id}/screenshot")).await.ok();
            assert_eq!(reply.headers["content-type"], "image/png");
            reply.bytes
        };
        let blank = take().await;
        assert_eq!((png_size(&blank), &blank), (size, &take().await));
        api.post(
            &format!("/v1/sessions/{id}/goto"),
            json!({ "url": "https://one.example" }),
        )
        .await
        .ok();
        assert_ne!(take().await, blank, "another page looks different");
    }
    let history = api.get("/v1/sessions/history").await.ok();
    assert_eq!(history.at("/summary/total_screenshots"), 9);
}

#[tokio::test]
async fn control_keeps_a_session_alive() {
    let api = Api::start().await;
    let (used, idle) = (api.session(json!({})).await, api.session(json!({})).await);
    for _ in 0..3 {
        api.advance(Duration::from_secs(4 * 60));
        api.post(
            &format!("/v1/sessions/{used}/mouse/move"),
            json!({ "x": 1, "y": 1 }),
        )
        .await
        .ok();
    }
    let status = async |id: &str| {
        api.get(&format!("/v1/sessions/{id}"))
            .await
            .ok()
            .text("/data/status")
    };
    assert_eq!(
        (&*status(&used).await, &*status(&idle).await),
        ("running", "completed")
    );
}

#[tokio::test]
async fn requests_that_break_the_document_break_nothing_else() {
    let api = Api::with(Emulator::builder().manual_clock().lenient(true)).await;
    let viewport = json!({ "viewport": { "width": "wide", "height": -1.5 } });
    let id = api
        .session(json!({ "browser": viewport, "session": [] }))
        .await;
    let hands = [
        "mouse/click",
        "mouse/up",
        "drag-and-drop",
        "scroll",
        "keyboard/type",
        "keyboard/shortcut",
        "clipboard",
        "copy",
        "paste",
        "goto",
    ];
    let hands = hands.iter().map(|name| format!("/v1/sessions/{id}/{name}"));
    let tools = ["screenshot", "page-pdf", "fetch/webpage"]
        .iter()
        .map(|name| format!("/v1/tools/{name}"));
    for path in hands.chain(tools).chain(["/v1/agent-access".to_owned()]) {
        for body in [
            json!(null),
            json!([{}]),
            json!("text"),
            json!({ "x": "a", "y": [], "selector": {}, "text": 1, "keys": [1, ""], "url": null, "token": 5 }),
            json!({ "x": 1e300, "y": -0.0, "selector": "", "keys": "Control", "url": "https://", "token": "." }),
            json!({ "width": 1e300, "height": "1", "url": "https://a.example/%zz.\u{0}pdf", "paperWidth": -1e308 }),
        ] {
            let status = api.post(&path, body.clone()).await.status;
            assert!(matches!(status, 200 | 400 | 401), "{path} {body}: {status}");
        }
    }
    for query in [
        "limit=0&page=x",
        "page=99999999999999999999",
        "limit=9223372036854775807&page=18446744073709551615",
        "from_date=x&granularity=x",
        "sort_order=&proxy=maybe",
        "metrics=&created_from=",
    ] {
        for path in [
            "/v1/sessions",
            "/v1/sessions/all/status",
            "/v1/sessions/history",
            "/v1/billing",
        ] {
            let status = api.get(&format!("{path}?{query}")).await.status;
            assert!(matches!(status, 200 | 400), "{path}?{query}: {status}");
        }
    }
    api.get(&format!("/v1/sessions/{id}/screenshot")).await.ok();
}
