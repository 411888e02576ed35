//! Every kind of webhook event, caused by what it speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::{Value, json};

use crate::support::Api;

const KINDS: [&str; 14] = [
    "task.completed",
    "task.failed",
    "task.cancelled",
    "task.healed",
    "session.ready",
    "session.completed",
    "session.failed",
    "session.recording.ready",
    "batch.completed",
    "batch.failed",
    "intervention.requested",
    "intervention.resolved",
    "identity.authenticated",
    "identity.authentication_failed",
];

/// A run of an agent in a session, and its workflow.
async fn perform(api: &Api, session: &str, script: AgentScript) -> String {
    api.emulator.script(script).unwrap();
    let body = json!({ "prompt": "a", "async": true, "human_intervention": true });
    let path = format!("/v1/tools/perform-web-task?sessionId={session}");
    api.post(&path, body).await.ok().text("/data/workflow_id")
}

/// Agents in a session of their own: one that succeeds after a question, one that fails, one that is cancelled.
async fn agents(api: &Api) -> [String; 4] {
    let session = api.session(json!({})).await;
    let asking = AgentScript::completed("done").asks("which one?");
    let completed = perform(api, &session, asking).await;
    api.advance(Duration::from_millis(100));
    let path = format!("/v1/sessions/{session}/agent");
    let asked = api
        .get(&format!("{path}/requested-human-intervention"))
        .await
        .ok();
    let answer =
        json!({ "requestId": asked.text("/data/requests/0/requestId"), "response": "that" });
    api.post(&format!("{path}/respond-to-human-intervention"), answer)
        .await
        .ok();
    let failed = perform(api, &session, AgentScript::failed("no")).await;
    api.advance(Duration::from_secs(1));
    let cancelled = perform(api, &session, AgentScript::completed("late")).await;
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    [session, completed, failed, cancelled]
}

async fn task(api: &Api) -> String {
    let body = json!({ "name": "t", "language": "typescript", "code": "YQ==" });
    let task = api.post("/v1/task", body).await.ok().text("/data/id");
    let healed = AgentScript::completed("done").healed();
    api.emulator.script(healed).unwrap();
    let run = json!({ "taskId": task, "version": "draft", "async": true });
    api.post("/v1/task/run", run).await.ok();
    task
}

async fn identity(api: &Api, user: &str) -> String {
    let credentials = json!([{ "type": "username_password", "username": user, "password": "p" }]);
    let body = json!({ "source": "https://app.example.com", "credentials": credentials });
    api.post("/v1/identities", body).await.ok().text("/id")
}

async fn batch(api: &Api, count: usize) -> String {
    let body = json!({ "count": count });
    let batch = api.post("/v1/batch-sessions", body).await.ok();
    batch.text("/data/batch_id")
}

/// The envelopes of all deliveries, oldest first.
async fn envelopes(api: &Api, webhook: &str) -> Vec<Value> {
    api.emulator.deliveries_done().await;
    let path = format!("/v1/webhooks/{webhook}/events?include_payload=true&limit=100");
    let rows = api.get(&path).await.ok().at("/events");
    let rows = rows.as_array().unwrap().iter().rev();
    rows.map(|row| row["payload"].clone()).collect()
}

#[tokio::test]
async fn every_event_comes_once_from_what_it_speaks_of() {
    let builder = Emulator::builder().manual_clock();
    let api = Api::with(builder.failures(|it| it.batch_items = vec![0])).await;
    let hook = json!({ "url": "https://hooks.example.com", "subscribed_events": KINDS });
    let hook = api.post("/v1/webhooks", hook).await.ok().text("/id");
    let [session, completed, failed, cancelled] = agents(&api).await;
    let task = task(&api).await;
    let (good, bad) = (
        identity(&api, "ann@example.com").await,
        identity(&api, "fail@example.com").await,
    );
    let (half, none) = (batch(&api, 2).await, batch(&api, 1).await);
    api.advance(Duration::from_secs(3));
    api.delete("/v1/sessions/all").await.ok();
    api.advance(Duration::from_secs(1));

    let all = envelopes(&api, &hook).await;
    let mut counts = BTreeMap::new();
    for event in &all {
        *counts.entry(event["type"].as_str().unwrap()).or_insert(0) += 1;
    }
    // Three sessions: of the agents, of the task, of the one batch that had one.
    let several = BTreeMap::from([
        ("session.ready", 3),
        ("session.completed", 3),
        ("session.recording.ready", 3),
        ("session.failed", 2),
        ("task.completed", 2),
    ]);
    for kind in KINDS {
        let wanted = several.get(kind).copied().unwrap_or(1);
        assert_eq!(counts.get(kind), Some(&wanted), "{kind} {counts:?}");
    }
    let ids: BTreeSet<String> = all.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), all.len());
    for (kind, name, id) in [
        ("task.completed", "workflow_id", &completed),
        ("task.failed", "workflow_id", &failed),
        ("task.cancelled", "workflow_id", &cancelled),
        ("task.healed", "task_id", &task),
        ("task.completed", "task_id", &task),
        ("session.ready", "session_id", &session),
        ("session.completed", "session_id", &session),
        ("session.recording.ready", "session_id", &session),
        ("session.ready", "batch_id", &half),
        ("session.completed", "batch_id", &half),
        ("session.failed", "batch_id", &half),
        ("session.failed", "batch_id", &none),
        ("batch.completed", "batch_id", &half),
        ("batch.failed", "batch_id", &none),
        ("intervention.requested", "session_id", &session),
        ("intervention.resolved", "session_id", &session),
        ("identity.authenticated", "identity_id", &good),
        ("identity.authentication_failed", "identity_id", &bad),
    ] {
        let fits = |event: &&Value| event["type"] == kind && event["data"][name] == **id;
        assert_eq!(all.iter().filter(fits).count(), 1, "{kind} {id}");
    }
    for (kind, error) in [
        ("task.failed", "agent_error"),
        ("identity.authentication_failed", "invalid_credentials"),
    ] {
        let event = all.iter().find(|event| event["type"] == kind).unwrap();
        assert_eq!(event["data"]["error"]["type"], error);
    }
}

#[tokio::test]
async fn a_session_tells_first_that_it_is_ready_and_last_that_its_recording_is() {
    let api = Api::start().await;
    let kinds = [
        "session.ready",
        "session.completed",
        "session.recording.ready",
    ];
    let hook = json!({ "url": "https://hooks.example.com", "subscribed_events": kinds });
    let hook = api.post("/v1/webhooks", hook).await.ok().text("/id");
    let request = api.post("/v1/sessions/async", json!({})).await.ok();
    let request = request.text("/data/request_id");
    api.advance(Duration::from_millis(699));
    assert_eq!(envelopes(&api, &hook).await.len(), 0);
    api.advance(Duration::from_secs(3600));
    let all = envelopes(&api, &hook).await;
    let told: Vec<&Value> = all.iter().map(|event| &event["type"]).collect();
    assert_eq!(told, kinds);
    let (ready, completed) = (&all[0], &all[1]);
    assert_eq!(ready["created"], "2026-01-01T00:00:00.700Z");
    assert_eq!(ready["data"]["request_id"], *request);
    assert_eq!(completed["data"]["duration"], 300, "idle for five minutes");
}
