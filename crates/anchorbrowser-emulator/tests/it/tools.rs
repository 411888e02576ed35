//! Screenshots, PDF files and contents of pages.

use serde_json::{Value, json};

use crate::control::png_size;
use crate::support::Api;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn a_screenshot_has_the_size_asked_for() {
    let api = Api::start().await;
    let small = json!({ "browser": { "viewport": { "width": 300, "height": 150 } } });
    let session = format!("?sessionId={}", api.session(small).await);
    let url = "https://one.example/";
    for (query, body, size) in [
        ("", json!({ "url": url }), (1440, 900)),
        (
            "",
            json!({ "url": url, "width": 640, "height": 480 }),
            (640, 480),
        ),
        (
            "",
            json!({ "url": url, "width": 100, "height": 50, "capture_full_height": true }),
            (100, 100),
        ),
        (&session, json!({}), (300, 150)),
        (&session, json!({ "url": url, "width": 10 }), (10, 150)),
    ] {
        let reply = api
            .post(&format!("/v1/tools/screenshot{query}"), body)
            .await
            .ok();
        assert_eq!(png_size(&reply.bytes), size);
        assert_eq!(reply.headers["content-type"], "image/png");
    }
    let id = session.trim_start_matches("?sessionId=");
    let pages = api.get(&format!("/v1/sessions/{id}/pages")).await.ok();
    assert_eq!(
        pages.text("/data/items/0/url"),
        url,
        "the session opened the page"
    );
}

#[tokio::test]
async fn a_screenshot_is_refused() {
    let api = Api::start().await;
    let ended = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{ended}")).await.ok();
    for (query, body) in [
        (String::new(), json!({})),
        (String::new(), json!({ "url": "file:///etc/passwd" })),
        (
            String::new(),
            json!({ "url": "https://a.example", "width": 0 }),
        ),
        (
            String::new(),
            json!({ "url": "https://a.example", "height": 4097 }),
        ),
        (
            String::new(),
            json!({ "url": "https://a.example", "image_quality": 101 }),
        ),
        (
            String::new(),
            json!({ "url": "https://a.example", "wait": -1 }),
        ),
        (format!("?sessionId={UNKNOWN}"), json!({})),
        (format!("?sessionId={ended}"), json!({})),
    ] {
        api.post(&format!("/v1/tools/screenshot{query}"), body)
            .await
            .refused(400);
    }
}

#[tokio::test]
async fn a_page_is_printed() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let paper =
        |reply: &[u8]| String::from_utf8_lossy(reply).contains("/MediaBox [0 0 360.00 288.00]");
    let body = json!({ "url": "https://one.example/", "landscape": true, "paperWidth": 4, "paperHeight": 5 });
    for query in [String::new(), format!("?sessionId={id}")] {
        let reply = api
            .post(&format!("/v1/tools/page-pdf{query}"), body.clone())
            .await
            .ok();
        assert_eq!(reply.headers["content-type"], "application/pdf");
        assert!(reply.bytes.starts_with(b"%PDF-") && paper(&reply.bytes));
        assert!(String::from_utf8_lossy(&reply.bytes).contains("one.example"));
    }
    api.post(&format!("/v1/tools/page-pdf?sessionId={UNKNOWN}"), body)
        .await
        .refused(404);
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let body = json!({ "url": "https://one.example/" });
    api.post(&format!("/v1/tools/page-pdf?sessionId={id}"), body)
        .await
        .refused(400);
    for body in [
        json!({}),
        json!({ "url": "mailto:a@b.example" }),
        json!({ "url": "https://a.example", "scale": 3 }),
    ] {
        api.post("/v1/tools/page-pdf", body).await.refused(400);
    }
}

#[tokio::test]
async fn a_fetched_page_is_of_the_type_that_its_url_promises() {
    let api = Api::start().await;
    for (path, expected) in [
        ("a.pdf", "application/pdf"),
        ("a.csv?x=1&y=2", "text/csv"),
        ("a.json", "application/json"),
        ("a.xml?x=1&y=2", "application/xml"),
        ("a.TXT", "text/plain"),
        ("a.bin", "application/octet-stream"),
        ("a.html", "text/html"),
        ("", "text/html"),
    ] {
        let url = format!("https://me:canary-password@one.example/{path}");
        let reply = api
            .post("/v1/tools/fetch/webpage", json!({ "url": url }))
            .await
            .ok();
        assert_eq!(reply.headers["content-type"], expected, "{path}");
        let text = String::from_utf8_lossy(&reply.bytes);
        assert!(
            text.contains("one.example") && !text.contains("canary-password"),
            "{text}"
        );
        assert_eq!(reply.json != Value::Null, expected == "application/json");
    }
    let billing = api.get("/v1/billing").await.ok();
    assert_eq!(billing.at("/data/credits_used"), 0.08, "each is charged");
}

#[tokio::test]
async fn a_page_that_can_not_be_fetched_costs_nothing() {
    let api = Api::start().await;
    for (url, status) in [
        ("one.example", 400),
        ("ftp://one.example/a.csv", 400),
        ("http://localhost:8080/", 403),
        ("http://127.1/", 403),
        ("https://[::1]/", 403),
        ("https://10.0.0.1/?a=canary", 403),
        ("http://169.254.169.254/latest/meta-data", 403),
        ("https://db.internal/", 403),
        ("https://gone.invalid/a", 503),
        ("https://gone.invalid./a", 503),
    ] {
        let text = api
            .post("/v1/tools/fetch/webpage", json!({ "url": url }))
            .await
            .refused(status);
        assert!(
            text.contains("body.url") && !text.contains("canary"),
            "{text}"
        );
    }
    assert_eq!(
        api.get("/v1/billing").await.ok().at("/data/credits_used"),
        0.0
    );
}
