//! Sessions requested now and ready later.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use crate::support::{Api, KEY, Reply};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Requests a session and gives the path of its status.
async fn request(api: &Api, configuration: Value) -> String {
    let reply = api.post("/v1/sessions/async", configuration).await.ok();
    assert_eq!(
        (reply.at("/data/status"), reply.at("/data/session_id")),
        (json!("pending"), Value::Null)
    );
    format!(
        "/v1/sessions/async/{}/status",
        reply.text("/data/request_id")
    )
}

fn progress(reply: &Reply) -> (String, String) {
    (
        reply.text("/data/status"),
        reply.text("/data/progress/current_phase"),
    )
}

#[tokio::test]
async fn a_request_goes_through_its_phases() {
    let api = Api::start().await;
    let path = request(&api, json!({ "session": { "tags": ["later"] } })).await;
    let steps = [
        (0, "pending", "queued", false),
        (199, "pending", "queued", false),
        (1, "processing", "provisioning", false),
        (299, "processing", "provisioning", false),
        (1, "processing", "configuring", true),
        (199, "processing", "configuring", true),
        (1, "ready", "ready", true),
        (9_000, "ready", "ready", true),
    ];
    for (after, status, phase, on_record) in steps {
        api.advance(MS(after));
        let reply = api.get(&path).await.ok();
        assert_eq!(progress(&reply), (status.to_owned(), phase.to_owned()));
        assert_eq!(
            reply.json.pointer("/data/session").is_some(),
            on_record,
            "{status} {phase}"
        );
        assert_eq!(
            reply.json.pointer("/data/session/cdp_url").is_some(),
            status == "ready"
        );
    }
    let item = api.get(&path).await.at("/data/session");
    assert_eq!(item["status"], "completed");
    assert_eq!(item["started_at"], "2026-01-01T00:00:00.200Z");
    assert_eq!(item["completed_at"], "2026-01-01T00:00:00.700Z");
    let session = api
        .get(&format!(
            "/v1/sessions/{}",
            item["session_id"].as_str().unwrap()
        ))
        .await
        .ok();
    assert_eq!(session.at("/data/tags"), json!(["later"]));
    assert!(
        item["cdp_url"]
            .as_str()
            .unwrap()
            .contains(&format!("apiKey={}", KEY.replace('-', "%2D")))
    );
}

#[tokio::test]
async fn the_body_may_be_absent_and_phases_may_take_no_time() {
    let api = Api::with(Emulator::builder().manual_clock().timing(|timing| {
        (timing.queued, timing.provisioning, timing.configuring) = (MS(0), MS(0), MS(0));
    }))
    .await;
    let reply = api.act("/v1/sessions/async").await.ok();
    let path = format!(
        "/v1/sessions/async/{}/status",
        reply.text("/data/request_id")
    );
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "ready");
}

#[tokio::test]
async fn a_failed_request_says_why_and_stays_failed() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .failures(|it| it.session_rate = 1.0),
    )
    .await;
    let path = request(&api, json!({})).await;
    for after in [500, 10_000] {
        api.advance(MS(after));
        let reply = api.get(&path).await.ok();
        assert_eq!(
            progress(&reply),
            ("failed".to_owned(), "provisioning".to_owned())
        );
        assert_eq!(
            reply.text("/data/session/completed_at"),
            "2026-01-01T00:00:00.500Z"
        );
        assert!(reply.text("/data/session/error").contains("provisioned"));
        assert_eq!(reply.json.pointer("/data/session/session_id"), None);
    }
}

#[tokio::test]
async fn about_the_share_that_is_set_fails() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .failures(|it| it.session_rate = 0.5),
    )
    .await;
    let mut paths = Vec::new();
    for _ in 0..60 {
        paths.push(request(&api, json!({})).await);
    }
    api.advance(MS(700));
    let mut failed = 0;
    for path in paths {
        failed += usize::from(api.get(&path).await.ok().text("/data/status") == "failed");
    }
    assert!((15..=45).contains(&failed), "{failed}");
}

#[tokio::test]
async fn ending_the_session_before_it_is_ready_cancels_the_request() {
    let api = Api::start().await;
    let configured = request(&api, json!({})).await;
    api.advance(MS(400));
    let queued = request(&api, json!({})).await;
    api.advance(MS(150));
    let id = api.get(&configured).await.text("/data/session/session_id");
    api.delete("/v1/sessions/all").await.ok();
    for after in [0, 5_000] {
        api.advance(MS(after));
        let reply = api.get(&configured).await.ok();
        assert_eq!(
            progress(&reply),
            ("cancelled".to_owned(), "configuring".to_owned())
        );
        assert_eq!(reply.text("/data/session/session_id"), id);
        assert_eq!(
            reply.text("/data/session/completed_at"),
            "2026-01-01T00:00:00.550Z"
        );
        assert_eq!(reply.json.pointer("/data/session/cdp_url"), None);
    }
    assert_eq!(
        api.get(&queued).await.ok().text("/data/status"),
        "ready",
        "it had no session to end yet"
    );
}

#[tokio::test]
async fn a_cancellation_shows_also_if_nobody_polled_before_the_session_was_due() {
    let api = Api::start().await;
    let path = request(&api, json!({})).await;
    api.advance(MS(500));
    api.delete("/v1/sessions/all").await.ok();
    api.advance(MS(1_000));
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "cancelled");
}

#[tokio::test]
async fn a_ready_request_is_completed_when_its_session_ends() {
    let api = Api::start().await;
    let path = request(&api, json!({})).await;
    api.advance(MS(700));
    let id = api.get(&path).await.text("/data/session/session_id");
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let reply = api.get(&path).await.ok();
    assert_eq!(
        progress(&reply),
        ("completed".to_owned(), "ready".to_owned())
    );
    assert_eq!(reply.text("/data/session/status"), "completed");
    assert_eq!(
        reply.json.pointer("/data/session/cdp_url"),
        None,
        "an ended session takes no connections"
    );
}

#[tokio::test]
async fn rules_and_limits_hold_when_the_session_is_requested() {
    let start = |credits, browsers| {
        Api::with(Emulator::builder().manual_clock().account(move |it| {
            (it.credits, it.max_concurrent_browsers) = (credits, Some(browsers));
        }))
    };
    let api = start(10.0, 2).await;
    let message = api.post(
        "/v1/sessions/async",
        json!({ "browser": { "captcha_solver": { "active": true } } }),
    );
    assert!(message.await.refused(400).contains("captcha_solver"));
    request(&api, json!({})).await;
    request(&api, json!({})).await;
    for after in [0, 300, 10_000] {
        api.advance(MS(after));
        api.post("/v1/sessions/async", json!({})).await.refused(429);
        api.post("/v1/sessions", json!({})).await.refused(429);
    }
    api.delete("/v1/sessions/all").await.ok();
    request(&api, json!({})).await;
    start(0.0, 2)
        .await
        .post("/v1/sessions/async", json!({}))
        .await
        .refused(402);
}

#[tokio::test]
async fn unknown_requests_are_not_found() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    api.get(&format!("/v1/sessions/async/{id}/status"))
        .await
        .refused(404);
}

#[tokio::test]
async fn requests_go_on_after_a_restart() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let start = || Api::with(Emulator::builder().manual_clock().state(file.path()));
    let api = start().await;
    let path = request(&api, json!({})).await;
    api.advance(MS(200));
    api.emulator.shutdown().await;
    let api = start().await;
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "processing");
    api.advance(MS(700));
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "ready");
}

#[tokio::test]
async fn a_session_fails_that_needs_what_has_gone_since() {
    let api = Api::start().await;
    let volume = api.post("/v1/volumes", json!({ "name": "v" })).await.ok();
    let volume = volume.text("/data/id");
    let body = json!({ "browser": { "volume": { "id": volume } } });
    let path = request(&api, body).await;
    api.delete(&format!("/v1/volumes/{volume}")).await.ok();
    api.advance(MS(1_000));
    let status = api.get(&path).await.ok();
    assert_eq!(status.text("/data/status"), "failed");
    assert!(status.text("/data/session/error").contains(&volume));
}
