//! What happens before an operation is at work.

use anchorbrowser_emulator::Emulator;
use reqwest::Method;
use serde_json::json;

use crate::support::{Api, KEY};

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let api = Api::start().await;
    let text = api.get("/v1/nothing").await.refused(404);
    assert!(text.contains("/v1/nothing"), "{text}");
    let reply = api.send(api.request(Method::PATCH, "/v1/sessions")).await;
    assert_eq!(reply.headers["allow"], "GET, POST");
    reply.refused(405);
    api.get("/v1/sessions/%ff/tags").await.refused(400);
    api.get("/v1/sessions/").await.refused(404);
}

#[tokio::test]
async fn no_browser_is_connected_to_and_offers_of_http_2_do_no_harm() {
    let api = Api::start().await;
    let upgrade = |path: &str, to: &'static str| {
        let request = api.request(Method::GET, path);
        api.send(
            request
                .header("connection", "upgrade")
                .header("upgrade", to),
        )
    };
    for path in ["/?apiKey=k&sessionId=x", "/devtools/page/x"] {
        let text = upgrade(path, "WebSocket").await.refused(501);
        assert!(text.contains("no browser"), "{path}: {text}");
    }
    upgrade("/v1/profiles", "h2c").await.ok();
    upgrade("/", "h2c").await.ok();
    upgrade("/ws", "h2c").await.refused(404);
}

#[tokio::test]
async fn static_segments_win_over_templates() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    api.delete("/v1/sessions/all").await.ok();
    assert_eq!(
        api.get(&format!("/v1/sessions/{id}"))
            .await
            .text("/data/status"),
        "completed"
    );
    for (path, operation) in [
        ("/v1/sessions/history", "get_sessions_history"),
        (
            "/v1/sessions/pending-interventions",
            "list_pending_interventions",
        ),
    ] {
        api.get(path).await.ok();
        assert_eq!(api.emulator.count(operation).unwrap(), 1, "{path}");
    }
    assert_eq!(api.emulator.count("get_session").unwrap(), 1);
}

#[tokio::test]
async fn keys_are_demanded_where_the_document_does() {
    let api = Api::with(Emulator::builder().manual_clock().key("other").key(KEY)).await;
    let client = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", api.emulator.base_url());
    api.get("/v1/sessions").await.ok();
    let unknown = client
        .get(url("/v1/sessions"))
        .header("anchor-api-key", "stranger");
    let text = api.send(unknown).await.refused(401);
    assert!(
        text.contains("anchor-api-key") && !text.contains("stranger"),
        "{text}"
    );
    let missing = api.send(client.get(url("/v1/sessions"))).await;
    assert_eq!(missing.at("/error/code"), 401);
    api.send(client.get(url("/v1/agent-access"))).await.ok();
}

#[tokio::test]
async fn bodies_are_read_as_the_document_says() {
    let api = Api::start().await;
    let post = |path: &str| api.request(Method::POST, path);
    let json_text = |text: &str| {
        post("/v1/batch-sessions")
            .header("content-type", "application/json")
            .body(text.to_owned())
    };
    for (request, word) in [
        (json_text("{\"count\": "), "JSON"),
        (json_text("[]"), "body"),
        (json_text("{}"), "count"),
        (json_text("{\"count\": 1001}"), "count"),
        (
            json_text(
                "{\"count\": 1, \"configuration\": {\"session\": {\"timeout\": {\"max_duration\": \"x\"}}}}",
            ),
            "max_duration",
        ),
        (
            post("/v1/batch-sessions").body("{\"count\": 1}"),
            "content-type",
        ),
        (post("/v1/batch-sessions"), "body"),
    ] {
        let reply = api.send(request).await;
        assert_eq!(reply.status, 400, "{}", reply.json);
        let text = reply.text("/error/message");
        assert!(
            text.to_lowercase().contains(&word.to_lowercase()),
            "{word}: {text}"
        );
    }
    let charset = post("/v1/sessions")
        .header("content-type", "application/json; charset=utf-8")
        .body("{}");
    api.send(charset).await.ok();
    api.act("/v1/sessions").await.ok();
}

#[tokio::test]
async fn too_large_bodies_are_refused() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .limits(|limits| limits.body_bytes = 1_000),
    )
    .await;
    let text = api
        .post("/v1/profiles", json!({ "name": "x".repeat(2_000) }))
        .await
        .refused(400);
    assert!(
        text.contains("1000") && text.contains("higher limit"),
        "{text}"
    );
    let volume = "7d9f0a52-6c1b-4d8e-9a37-2b5c8e4f1a60";
    let form = reqwest::multipart::Form::new().text("file", "x".repeat(2_000));
    api.form(&format!("/v1/volumes/{volume}/files"), form)
        .await
        .refused(413);
}

#[tokio::test]
async fn a_lenient_emulator_lets_pass_and_notes() {
    let api = Api::with(Emulator::builder().manual_clock().lenient(true)).await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/sessions?limit=11", api.emulator.base_url());
    api.send(client.get(url)).await.ok();
    let exchange = api.emulator.exchanges().pop().unwrap();
    assert_eq!(exchange.violations.len(), 2, "{exchange:?}");
    assert!(
        exchange.violations[0].contains("anchor-api-key")
            && exchange.violations[1].contains("limit")
    );
}

#[tokio::test]
async fn requests_are_recorded_and_their_secrets_not_shown() {
    let api = Api::start().await;
    let proxy = json!({ "type": "custom", "server": "http://p", "username": "u", "password": "canary-password", "active": true });
    api.session(json!({ "session": { "proxy": proxy, "tags": ["t"] } }))
        .await;
    let exchange = api
        .emulator
        .exchanges_of("create_session")
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(exchange.header("anchor-api-key"), Some(KEY));
    assert_eq!(exchange.json()["session"]["tags"], json!(["t"]));
    assert_eq!((exchange.status, exchange.number), (Some(200), 1));
    let debug = format!("{exchange:?} {:?}", api.emulator);
    assert!(!debug.contains("canary"), "{debug}");
    api.emulator.clear_exchanges();
    assert_eq!(api.emulator.count("create_session").unwrap(), 0);
}

#[tokio::test]
async fn state_growth_is_limited() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .limits(|limits| limits.records = 2),
    )
    .await;
    for _ in 0..2 {
        api.session(json!({})).await;
    }
    let request = api
        .request(Method::POST, "/v1/sessions")
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(request.status(), 507);
    api.emulator.reset().unwrap();
    api.session(json!({})).await;
}

#[tokio::test]
async fn parameters_that_the_document_does_not_have_are_noted() {
    let api = Api::start().await;
    api.get("/v1/sessions?limt=50&limit=10&limt=20").await.ok();
    let exchange = api.emulator.exchanges().pop().unwrap();
    assert_eq!(exchange.unknown_parameters, ["limt"]);
    assert!(exchange.violations.is_empty());
    api.get("/v1/sessions?limit=10").await.ok();
    let exchange = api.emulator.exchanges().pop().unwrap();
    assert!(exchange.unknown_parameters.is_empty());
}
