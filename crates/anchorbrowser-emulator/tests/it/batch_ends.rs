//! Batches that are cancelled or deleted.

use serde_json::{Value, json};

use crate::batches::{MS, counts, create, failing, items};
use crate::support::Api;

#[tokio::test]
async fn cancelling_ends_what_runs_and_keeps_the_rest_from_starting() {
    let api = Api::with(failing(&[0])).await;
    let path = create(&api, 210).await;
    api.advance(MS(700));
    let reply = api
        .patch(&path, json!({ "status": "cancelled" }))
        .await
        .ok();
    assert_eq!(
        (
            reply.at("/data/status"),
            reply.at("/data/cancelled_sessions")
        ),
        (json!("cancelled"), json!(99))
    );
    for after in [0, 60_000] {
        api.advance(MS(after));
        let reply = api.get(&path).await.ok();
        assert_eq!(
            (counts(&reply), reply.text("/data/status")),
            ([99, 111, 0, 0], "cancelled".to_owned())
        );
        let statuses = items(&reply, "status");
        assert_eq!(
            (&statuses[0], &statuses[1], &statuses[209]),
            (&json!("failed"), &json!("completed"), &json!("cancelled"))
        );
        assert!(items(&reply, "cdp_url").iter().all(Value::is_null));
        assert_eq!(
            reply.text("/data/actual_completion_time"),
            "2026-01-01T00:00:00.700Z"
        );
    }
    api.patch(&path, json!({ "status": "cancelled" }))
        .await
        .refused(409);
    assert!(
        api.post(&format!("{path}/retry"), json!({}))
            .await
            .refused(400)
            .contains("cancelled")
    );
}

#[tokio::test]
async fn cancelling_also_ends_sessions_that_are_being_configured() {
    let api = Api::start().await;
    let path = create(&api, 2).await;
    api.advance(MS(600));
    assert_eq!(
        api.patch(&path, json!({ "status": "cancelled" }))
            .await
            .at("/data/cancelled_sessions"),
        2
    );
    let reply = api.get(&path).await.ok();
    assert_eq!(counts(&reply), [0, 2, 0, 0]);
    let id = reply.text("/data/sessions/0/session_id");
    assert_eq!(
        api.get(&format!("/v1/sessions/{id}"))
            .await
            .text("/data/status"),
        "completed"
    );
}

#[tokio::test]
async fn an_item_is_cancelled_with_its_session_and_can_be_retried() {
    let api = Api::start().await;
    let path = create(&api, 2).await;
    api.advance(MS(600));
    let id = api.get(&path).await.text("/data/sessions/0/session_id");
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    assert_eq!(counts(&api.get(&path).await.ok()), [0, 1, 1, 0]);
    api.advance(MS(100));
    let retry = format!("{path}/retry");
    assert_eq!(
        items(&api.get(&path).await.ok(), "status"),
        ["cancelled", "completed"]
    );
    api.post(&retry, json!({})).await.refused(400);
    let reply = api
        .post(&retry, json!({ "retry_failed_only": false }))
        .await
        .ok();
    assert_eq!(reply.at("/data/retried_sessions"), 1);
    let waiting = api.get(&path).await.ok().at("/data/sessions/0");
    assert_eq!(
        (&waiting["status"], waiting.get("session_id")),
        (&json!("pending"), None)
    );
    api.advance(MS(700));
    let reply = api.get(&path).await.ok();
    assert_eq!(counts(&reply), [2, 0, 0, 0]);
    assert_ne!(reply.text("/data/sessions/0/session_id"), id);
    assert_eq!(api.delete(&path).await.ok().at("/data/deleted_sessions"), 3);
}

#[tokio::test]
async fn deleting_removes_the_batch_and_its_sessions() {
    let api = Api::with(failing(&[2])).await;
    let (path, other) = (create(&api, 130).await, create(&api, 1).await);
    api.advance(MS(700));
    let id = api.get(&path).await.text("/data/sessions/0/session_id");
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let reply = api.delete(&path).await.ok();
    assert_eq!(
        (
            reply.at("/data/deleted_sessions"),
            reply.at("/data/failed_deletions")
        ),
        (json!(99), json!(0))
    );
    assert_eq!(reply.json.pointer("/data/errors"), None);
    api.get(&format!("/v1/sessions/{id}")).await.refused(404);
    api.advance(MS(10_000));
    api.get(&path).await.refused(404);
    api.delete(&path).await.refused(404);
    api.patch(&path, json!({ "status": "cancelled" }))
        .await
        .refused(404);
    api.post(&format!("{path}/retry"), json!({}))
        .await
        .refused(404);
    assert_eq!(counts(&api.get(&other).await.ok()), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_deleted_batch_leaves_nothing_of_its_sessions() {
    let api = Api::start().await;
    let path = create(&api, 2).await;
    api.advance(MS(1_000));
    for id in items(&api.get(&path).await.ok(), "session_id") {
        let session = format!("/v1/sessions/{}", id.as_str().unwrap());
        let file = json!({ "url": "https://a.example/b.csv" });
        api.post(&format!("{session}/goto"), file).await.ok();
        let part = reqwest::multipart::Part::bytes(b"x").file_name("x");
        let form = reqwest::multipart::Form::new().part("file", part);
        api.form(&format!("{session}/uploads"), form).await.ok();
    }
    api.delete(&path).await.ok();
    let state = api.get("/__emulator/state").await.ok();
    assert_eq!(state.at("/stored_bytes"), 0);
    for kind in [
        "batches",
        "batch_items",
        "sessions",
        "recordings",
        "downloads",
        "session_files",
    ] {
        assert_eq!(state.at(&format!("/counts/{kind}")), 0, "{kind}");
    }
}
