//! Batches of sessions.

use std::collections::BTreeSet;
use std::time::Duration;

use anchorbrowser_emulator::{Builder, Emulator};
use serde_json::{Value, json};

use crate::support::{Api, Reply};

pub(crate) const MS: fn(u64) -> Duration = Duration::from_millis;

/// Creates a batch and gives its path.
pub(crate) async fn create(api: &Api, count: usize) -> String {
    let body = json!({ "count": count, "configuration": { "session": { "tags": ["b"] } }, "metadata": { "team": 7 } });
    let reply = api.post("/v1/batch-sessions", body).await.ok();
    assert_eq!(
        (reply.at("/data/status"), reply.at("/data/total_requests")),
        (json!("pending"), json!(count))
    );
    format!("/v1/batch-sessions/{}", reply.text("/data/batch_id"))
}

pub(crate) fn failing(items: &[usize]) -> Builder {
    let items = items.to_vec();
    Emulator::builder()
        .manual_clock()
        .failures(move |it| it.batch_items = items)
}

/// Completed, failed, processing, pending.
pub(crate) fn counts(reply: &Reply) -> [u64; 4] {
    ["completed", "failed", "processing", "pending"].map(|name| {
        reply
            .at(&format!("/data/{name}_requests"))
            .as_u64()
            .unwrap()
    })
}

/// Status, percentage, phase.
pub(crate) fn progress(reply: &Reply) -> (String, f64, String) {
    let percentage = reply.at("/data/progress/percentage").as_f64().unwrap();
    (
        reply.text("/data/status"),
        percentage,
        reply.text("/data/progress/current_phase"),
    )
}

pub(crate) fn items(reply: &Reply, name: &str) -> Vec<Value> {
    reply
        .at("/data/sessions")
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[name].clone())
        .collect()
}

#[tokio::test]
async fn items_are_created_in_waves() {
    let api = Api::start().await;
    let path = create(&api, 250).await;
    let steps: [(u64, [u64; 4], &str, f64, &str); 7] = [
        (0, [0, 0, 0, 250], "pending", 0.0, "queued"),
        (200, [0, 0, 100, 150], "processing", 0.0, "provisioning"),
        (300, [0, 0, 200, 50], "processing", 0.0, "provisioning"),
        (200, [100, 0, 100, 50], "processing", 40.0, "provisioning"),
        (300, [200, 0, 50, 0], "processing", 80.0, "provisioning"),
        (100, [200, 0, 50, 0], "processing", 80.0, "configuring"),
        (200, [250, 0, 0, 0], "completed", 100.0, "ready"),
    ];
    for (after, expected, status, percentage, phase) in steps {
        api.advance(MS(after));
        let reply = api.get(&path).await.ok();
        assert_eq!(counts(&reply), expected, "{status} {phase}");
        assert_eq!(
            progress(&reply),
            (status.to_owned(), percentage, phase.to_owned())
        );
        assert_eq!(
            reply.json.pointer("/data/actual_completion_time").is_some(),
            status == "completed"
        );
    }
}

#[tokio::test]
async fn the_sessions_of_a_batch_are_sessions() {
    let api = Api::start().await;
    let path = create(&api, 3).await;
    api.advance(MS(700));
    let reply = api.get(&path).await.ok();
    assert_eq!(items(&reply, "item_index"), [0, 1, 2]);
    assert_eq!(items(&reply, "metadata"), vec![json!({ "team": 7 }); 3]);
    assert_eq!(items(&reply, "retry_count"), [0, 0, 0]);
    for item in reply.at("/data/sessions").as_array().unwrap() {
        let id = item["session_id"].as_str().unwrap();
        let session = api.get(&format!("/v1/sessions/{id}")).await.ok();
        assert_eq!(session.at("/data/tags"), json!(["b"]));
        assert!(
            item["cdp_url"].as_str().unwrap().contains(id) && item["live_view_url"].is_string()
        );
    }
    let id = reply.text("/data/sessions/1/session_id");
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let reply = api.get(&path).await.ok();
    assert_eq!(
        items(&reply, "status"),
        vec!["completed"; 3],
        "its creation did succeed"
    );
    assert_eq!(
        reply.json.pointer("/data/sessions/1/cdp_url"),
        None,
        "an ended session takes no connections"
    );
}

#[tokio::test]
async fn a_thousand_sessions_are_there_in_seconds() {
    let api = Api::start().await;
    let path = create(&api, 1000).await;
    api.advance(MS(3_400));
    let reply = api.get(&path).await.ok();
    assert_eq!(counts(&reply), [1000, 0, 0, 0]);
    let ids: BTreeSet<String> = items(&reply, "session_id")
        .iter()
        .map(Value::to_string)
        .collect();
    assert_eq!(ids.len(), 1000);
}

#[tokio::test]
async fn failed_items_are_told_and_retried() {
    let api = Api::with(failing(&[1, 3, 70])).await;
    let path = create(&api, 5).await;
    api.advance(MS(700));
    let before = api.get(&path).await.ok();
    assert_eq!(counts(&before), [3, 2, 0, 0]);
    assert_eq!(
        items(&before, "status"),
        ["completed", "failed", "completed", "failed", "completed"]
    );
    assert!(
        before
            .text("/data/sessions/1/error")
            .contains("provisioned")
    );
    assert_eq!(
        progress(&before),
        ("completed".to_owned(), 100.0, "ready".to_owned())
    );
    let retry = format!("{path}/retry");
    let reply = api.post(&retry, json!({})).await.ok();
    assert_eq!(
        (reply.at("/data/retried_sessions"), reply.at("/data/status")),
        (json!(2), json!("processing"))
    );
    let reply = api.get(&path).await.ok();
    assert_eq!(
        (counts(&reply), progress(&reply)),
        (
            [3, 0, 0, 2],
            ("processing".to_owned(), 60.0, "queued".to_owned())
        )
    );
    assert!(
        api.post(&retry, json!({}))
            .await
            .refused(400)
            .contains("not through")
    );
    api.advance(MS(700));
    let after = api.get(&path).await.ok();
    assert_eq!(counts(&after), [5, 0, 0, 0]);
    assert_eq!(items(&after, "retry_count"), [0, 1, 0, 1, 0]);
    assert_eq!(
        after.at("/data/sessions/0"),
        before.at("/data/sessions/0"),
        "the others were left alone"
    );
    assert!(
        api.post(&retry, json!({ "retry_failed_only": false }))
            .await
            .refused(400)
            .contains("failed")
    );
}

#[tokio::test]
async fn a_batch_without_any_session_has_failed() {
    let api = Api::with(Emulator::builder().manual_clock().failures(|it| {
        (it.session_rate, it.retries_fail) = (1.0, true);
    }))
    .await;
    let path = create(&api, 120).await;
    api.advance(MS(800));
    let reply = api.get(&path).await.ok();
    assert_eq!(
        progress(&reply),
        ("failed".to_owned(), 100.0, "provisioning".to_owned())
    );
    assert!(
        reply
            .text("/data/error")
            .contains("none of the 120 sessions")
    );
    api.post(&format!("{path}/retry"), json!({ "max_retries": 3 }))
        .await
        .ok();
    // Two waves of three attempts.
    for (after, failed) in [(1_099, 0), (1, 100), (899, 100), (1, 120)] {
        api.advance(MS(after));
        assert_eq!(counts(&api.get(&path).await.ok())[1], failed);
    }
    assert_eq!(items(&api.get(&path).await, "retry_count"), vec![3; 120]);
}

#[tokio::test]
async fn batches_are_listed_newest_first() {
    let api = Api::with(failing(&[0])).await;
    let mut ids = Vec::new();
    for count in 1..=5 {
        ids.push(
            create(&api, count)
                .await
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned(),
        );
        api.advance(MS(200));
    }
    ids.reverse();
    // At 1,000 ms: of one session, failed; then three that are done or nearly so; the last has just left its queue.
    let cases = [
        ("", vec![0, 1, 2, 3, 4]),
        ("?status=failed", vec![4]),
        ("?status=completed", vec![3]),
        ("?status=processing", vec![0, 1, 2]),
        ("?limit=2&page=2", vec![2, 3]),
        ("?page=9", vec![]),
        ("?created_after=2026-01-01T00:00:00.400Z", vec![0, 1]),
        ("?created_before=2026-01-01T00:00:00.400Z", vec![3, 4]),
    ];
    for (query, expected) in cases {
        let reply = api.get(&format!("/v1/batch-sessions{query}")).await.ok();
        let expected: Vec<Value> = expected
            .into_iter()
            .map(|index: usize| json!(ids[index]))
            .collect();
        let found = reply.at("/data/batches").as_array().unwrap().clone();
        assert_eq!(
            found
                .iter()
                .map(|batch| batch["batch_id"].clone())
                .collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
    let reply = api.get("/v1/batch-sessions?limit=2&page=2").await.ok();
    let pagination = json!({
        "current_page": 2, "total_pages": 3, "total_records": 5, "has_next": true, "has_prev": true
    });
    assert_eq!(reply.at("/data/pagination"), pagination);
    assert_eq!(reply.at("/data/batches/1/completed_requests"), 1);
    assert!(
        reply
            .text("/data/batches/1/actual_completion_time")
            .starts_with("2026-01-01T00:00:00.9")
    );
}

#[tokio::test]
async fn what_breaks_a_rule_or_a_limit_is_refused() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .account(|it| it.max_concurrent_browsers = Some(10)),
    )
    .await;
    let captcha = json!({ "browser": { "captcha_solver": { "active": true } } });
    let cases = [
        (json!({}), 400, "count"),
        (json!({ "count": 0 }), 400, "count"),
        (json!({ "count": 1001 }), 400, "count"),
        (
            json!({ "count": 1, "configuration": captcha }),
            400,
            "body.configuration.browser.captcha_solver",
        ),
        (
            json!({ "count": 1, "metadata": { "big": "x".repeat(20_000) } }),
            400,
            "body.metadata",
        ),
        (json!({ "count": 11 }), 429, "10 browsers"),
    ];
    for (body, status, text) in cases {
        let message = api.post("/v1/batch-sessions", body).await.refused(status);
        assert!(message.contains(text), "{message}");
    }
    create(&api, 10).await;
    for after in [0, 300, 10_000] {
        api.advance(MS(after));
        api.post("/v1/batch-sessions", json!({ "count": 1 }))
            .await
            .refused(429);
    }
    let poor = Api::with(
        Emulator::builder()
            .manual_clock()
            .account(|it| it.credits = 0.0),
    )
    .await;
    poor.post("/v1/batch-sessions", json!({ "count": 1 }))
        .await
        .refused(402);
    api.get("/v1/batch-sessions/7b1b1f4e-54c3-4f0c-9a40-0d6f2f6c1e01")
        .await
        .refused(404);
}

#[tokio::test]
async fn a_batch_for_which_there_is_no_room_leaves_nothing() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .limits(|it| it.records = 5),
    )
    .await;
    let request = api
        .request(reqwest::Method::POST, "/v1/batch-sessions")
        .json(&json!({ "count": 6 }));
    assert_eq!(request.send().await.unwrap().status(), 507);
    assert_eq!(
        api.get("/v1/batch-sessions")
            .await
            .ok()
            .count("/data/batches"),
        0
    );
    create(&api, 5).await;
}

#[tokio::test]
async fn batches_go_on_after_a_restart() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let start = || Api::with(failing(&[1]).state(file.path()));
    let api = start().await;
    let path = create(&api, 150).await;
    api.advance(MS(500));
    let before = api.get(&path).await.ok();
    api.emulator.shutdown().await;
    let api = start().await;
    assert_eq!(counts(&api.get(&path).await.ok()), counts(&before));
    api.advance(MS(2_000));
    assert_eq!(counts(&api.get(&path).await.ok()), [149, 1, 0, 0]);
}
