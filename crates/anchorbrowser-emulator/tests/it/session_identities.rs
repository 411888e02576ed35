//! Identities that sessions are created with.

use std::time::Duration;

use serde_json::{Value, json};

use crate::held::held;
use crate::support::Api;

const LOGIN: Duration = Duration::from_millis(500);

/// An identity that nobody has logged in yet.
async fn pending(api: &Api, user: &str) -> String {
    let credentials = json!([{ "type": "username_password", "username": user, "password": "p" }]);
    let body = json!({ "source": "https://app.example.com", "credentials": credentials });
    api.post("/v1/identities", body).await.ok().text("/id")
}

async fn status(api: &Api, id: &str) -> String {
    let identity = api.get(&format!("/v1/identities/{id}")).await.ok();
    identity.text("/status")
}

fn with(identities: &[&str]) -> Value {
    let identities: Vec<Value> = identities.iter().map(|id| json!({ "id": id })).collect();
    json!({ "identities": identities })
}

#[tokio::test]
async fn a_session_waits_for_the_logins_of_its_identities() {
    let api = Api::start().await;
    let (good, bad) = (
        pending(&api, "ann@example.com").await,
        pending(&api, "fail@example.com").await,
    );
    api.advance(LOGIN / 5);
    let created = held(&api, "/v1/sessions", with(&[&good, &bad])).await;
    api.advance(LOGIN * 4 / 5 - Duration::from_millis(1));
    assert!(!created.is_finished());
    api.advance(Duration::from_millis(1));
    let (code, body) = created.await.unwrap();
    assert_eq!(code, 200, "{body}");
    assert_eq!(
        (&*status(&api, &good).await, &*status(&api, &bad).await),
        ("validated", "failed")
    );
    // What was tried once is not tried again.
    api.session(with(&[&good, &bad])).await;
}

#[tokio::test]
async fn a_session_does_not_wait_if_it_is_not_to() {
    let api = Api::start().await;
    let id = pending(&api, "ann@example.com").await;
    let mut body = with(&[&id]);
    body["identity_async_auth"] = json!(true);
    api.session(body).await;
    assert_eq!(status(&api, &id).await, "pending");
    api.advance(LOGIN);
    assert_eq!(status(&api, &id).await, "validated");
    let bare = json!({ "source": "https://app.example.com" });
    let bare = api.post("/v1/identities", bare).await.ok().text("/id");
    api.session(with(&[&bare])).await;
    assert_eq!(
        status(&api, &bare).await,
        "pending",
        "it has no credentials"
    );
}

#[tokio::test]
async fn a_validation_is_repeated_if_it_is_not_skipped() {
    let api = Api::start().await;
    let id = pending(&api, "ann@example.com").await;
    api.advance(LOGIN);
    let mut body = with(&[&id]);
    body["identity_skip_validation"] = json!(false);
    let created = held(&api, "/v1/sessions", body).await;
    assert_eq!(status(&api, &id).await, "pending");
    api.advance(LOGIN);
    assert_eq!(created.await.unwrap().0, 200);
    assert_eq!(status(&api, &id).await, "validated");
}

#[tokio::test]
async fn an_asynchronous_session_is_ready_after_the_logins() {
    let api = Api::start().await;
    let id = pending(&api, "ann@example.com").await;
    api.advance(LOGIN);
    let mut body = with(&[&id]);
    body["identity_skip_validation"] = json!(false);
    let request = api.post("/v1/sessions/async", body).await.ok();
    let path = format!(
        "/v1/sessions/async/{}/status",
        request.text("/data/request_id")
    );
    // Queued for 200 ms, provisioned for 300 ms.
    api.advance(Duration::from_millis(500) + LOGIN - Duration::from_millis(1));
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "processing");
    api.advance(Duration::from_millis(1));
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "ready");
}

#[tokio::test]
async fn a_task_fails_if_its_identity_can_not_log_in() {
    let api = Api::start().await;
    let body = json!({ "taskName": "a", "taskPrompt": "b" });
    let task = api.post("/v2/tasks/generate", body).await.ok().text("/id");
    api.advance(Duration::from_secs(1));
    let hook = json!({ "url": "https://hooks.example.com", "subscribed_events": ["task.failed"] });
    let hook = api.post("/v1/webhooks", hook).await.ok().text("/id");
    let identity = pending(&api, "fail@example.com").await;
    let run = json!({ "input_params": {}, "identity_id": identity });
    let run = api.post(&format!("/v2/tasks/{task}/run"), run).await.ok();
    assert_eq!(run.text("/status"), "queued");
    api.advance(LOGIN);
    let path = format!("/v2/tasks/runs/{}/status", run.text("/run_id"));
    let run = api.get(&path).await.ok();
    assert_eq!(run.text("/status"), "failure");
    assert!(run.text("/error").contains("identity"), "{}", run.json);
    let events = format!("/v1/webhooks/{hook}/events?include_payload=true");
    let kind = api.get(&events).await.ok();
    assert_eq!(
        kind.text("/events/0/payload/data/error/type"),
        "invalid_credentials"
    );
}
