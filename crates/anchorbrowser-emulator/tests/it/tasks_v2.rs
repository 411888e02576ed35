//! Tasks made from a prompt, and their runs.

use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::{Value, json};

use crate::held::held;
use crate::support::Api;

async fn generate(api: &Api, mut body: Value) -> String {
    body["taskName"] = json!("prices");
    body["taskPrompt"] = json!("find the price");
    let reply = api.post("/v2/tasks/generate", body).await.ok();
    assert_eq!(reply.text("/status"), "generating");
    reply.text("/id")
}

async fn generation(api: &Api, id: &str) -> String {
    api.get(&format!("/v2/tasks/{id}/generation-status"))
        .await
        .ok()
        .text("/status")
}

/// A generated task, ready to run.
async fn ready(api: &Api, body: Value) -> String {
    let id = generate(api, body).await;
    api.advance(Duration::from_secs(1));
    assert_eq!(generation(api, &id).await, "ready");
    id
}

#[tokio::test]
async fn a_task_is_generated_over_time() {
    let api = Api::start().await;
    for asynchronous in [true, false] {
        let id = generate(&api, json!({ "async": asynchronous })).await;
        api.advance(Duration::from_millis(999));
        assert_eq!(generation(&api, &id).await, "generating");
        let early = api
            .post(
                &format!("/v2/tasks/{id}/run"),
                json!({ "input_params": {} }),
            )
            .await;
        assert!(early.refused(409).contains("generation-status"));
        api.advance(Duration::from_millis(1));
        assert_eq!(generation(&api, &id).await, "ready");
    }
    api.get("/v2/tasks/t1/generation-status").await.refused(404);
}

#[tokio::test]
async fn a_generation_fails_by_script_or_with_its_session() {
    let api = Api::start().await;
    api.emulator
        .script(AgentScript::failed("too vague"))
        .unwrap();
    let scripted = generate(&api, json!({})).await;
    let session = api.session(json!({})).await;
    let cut = generate(&api, json!({ "browser_session_id": session })).await;
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    api.advance(Duration::from_secs(1));
    for (id, why) in [(scripted, "too vague"), (cut, "was ended")] {
        let reply = api
            .get(&format!("/v2/tasks/{id}/generation-status"))
            .await
            .ok();
        assert_eq!(reply.text("/status"), "failed");
        assert!(reply.text("/error").contains(why));
        api.post(
            &format!("/v2/tasks/{id}/run"),
            json!({ "input_params": {} }),
        )
        .await
        .refused(409);
    }
}

#[tokio::test]
async fn a_generation_waits_for_room() {
    let builder = Emulator::builder()
        .manual_clock()
        .account(|account| account.max_concurrent_browsers = Some(1));
    let api = Api::with(builder).await;
    let session = api.session(json!({})).await;
    let id = generate(&api, json!({})).await;
    api.advance(Duration::from_secs(10));
    assert_eq!(generation(&api, &id).await, "waiting-for-session");
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    assert_eq!(generation(&api, &id).await, "generating");
    api.advance(Duration::from_secs(1));
    assert_eq!(generation(&api, &id).await, "ready");
    api.session(json!({})).await;
}

#[tokio::test]
async fn a_run_gives_what_the_task_is_to_give() {
    let api = Api::start().await;
    let outputs =
        json!([{ "name": "price", "type": "number" }, { "name": "sold", "type": "boolean" }]);
    let id = ready(&api, json!({ "output_schema": outputs })).await;
    let started = api
        .post(
            &format!("/v2/tasks/{id}/run"),
            json!({ "input_params": {} }),
        )
        .await
        .ok();
    assert_eq!(started.text("/status"), "queued");
    let path = format!("/v2/tasks/runs/{}/status", started.text("/run_id"));
    for (after, status) in [(100, "running"), (299, "running"), (1, "success")] {
        api.advance(Duration::from_millis(after));
        assert_eq!(api.get(&path).await.ok().text("/status"), status);
    }
    let result = api.get(&path).await.ok().at("/result");
    assert!(
        result["price"].is_number() && result["sold"].is_boolean(),
        "{result}"
    );
    api.get("/v2/tasks/runs/r1/status").await.refused(404);
}

#[tokio::test]
async fn a_synchronous_run_is_answered_at_its_end() {
    let api = Api::start().await;
    let id = ready(&api, json!({})).await;
    api.emulator
        .script(AgentScript::failed("no such page"))
        .unwrap();
    let run = held(
        &api,
        &format!("/v2/tasks/{id}/run"),
        json!({ "input_params": {}, "sync": true }),
    )
    .await;
    api.advance(Duration::from_millis(400));
    let (code, body) = run.await.unwrap();
    assert_eq!(
        (code, &body["status"], &body["error"]),
        (200, &json!("failure"), &json!("no such page"))
    );
}

#[tokio::test]
async fn a_run_may_ask_if_its_task_allows_it() {
    let api = Api::start().await;
    let id = ready(&api, json!({ "human_intervention": true })).await;
    api.emulator
        .script(AgentScript::completed("done").asks("which?"))
        .unwrap();
    let started = api
        .post(
            &format!("/v2/tasks/{id}/run"),
            json!({ "input_params": {} }),
        )
        .await
        .ok();
    let path = format!("/v2/tasks/runs/{}/status", started.text("/run_id"));
    api.advance(Duration::from_secs(10));
    assert_eq!(api.get(&path).await.ok().text("/status"), "running");
    let respond = format!(
        "/v1/sessions/{}/agent/respond-to-human-intervention",
        started.text("/session_id")
    );
    api.post(&respond, json!({ "response": "that one" }))
        .await
        .ok();
    api.advance(Duration::from_millis(200));
    assert_eq!(
        api.get(&path).await.ok().at("/result"),
        json!({ "result": "done" })
    );
}

#[tokio::test]
async fn legacy_tasks_run_too_and_sessions_are_cleaned_up() {
    let api = Api::start().await;
    let body = json!({ "name": "old", "language": "typescript", "code": "cmV0dXJuIDE7" });
    let id = api.post("/v1/task", body).await.ok().text("/data/id");
    for (cleanup, status) in [(true, "completed"), (false, "running")] {
        let body = json!({ "input_params": {}, "cleanup_sessions": cleanup });
        let run = api.post(&format!("/v2/tasks/{id}/run"), body).await.ok();
        api.advance(Duration::from_millis(400));
        let session = api
            .get(&format!("/v1/sessions/{}", run.text("/session_id")))
            .await
            .ok();
        assert_eq!(session.text("/data/status"), status);
    }
    assert_eq!(
        api.get(&format!("/v1/task/{id}/executions"))
            .await
            .ok()
            .count("/data/results"),
        2
    );
}

#[tokio::test]
async fn runs_that_can_not_be_are_refused() {
    let api = Api::start().await;
    let inputs = json!([{ "name": "city", "type": "string" }, { "name": "day", "type": "string", "required": false }]);
    let id = ready(&api, json!({ "input_schema": inputs })).await;
    for (task, body, status, names) in [
        ("t1", json!({}), 404, "t1"),
        (
            &*id,
            json!({ "input_params": { "day": "today" } }),
            400,
            "city",
        ),
        (
            &*id,
            json!({ "input_params": { "city": "a" }, "session_id": "s1" }),
            404,
            "s1",
        ),
        (
            &*id,
            json!({ "input_params": { "city": "a" }, "identity_id": "i1" }),
            404,
            "i1",
        ),
    ] {
        let mut body = body;
        body["input_params"] = body
            .get("input_params")
            .cloned()
            .unwrap_or_else(|| json!({}));
        let text = api
            .post(&format!("/v2/tasks/{task}/run"), body)
            .await
            .refused(status);
        assert!(text.contains(names), "{text}");
    }
    for member in ["identity_id", "browser_session_id", "application_id"] {
        let mut body = json!({ "taskName": "a", "taskPrompt": "b" });
        body[member] = json!("00000000-0000-4000-8000-000000000000");
        api.post("/v2/tasks/generate", body).await.refused(400);
    }
}

#[tokio::test]
async fn waiting_for_years_is_soon_over() {
    let account = Emulator::builder()
        .manual_clock()
        .account(|account| account.max_concurrent_browsers = Some(1));
    let api = Api::with(account).await;
    let endless = json!({ "timeout": { "max_duration": -1, "idle_timeout": -1 } });
    let session = api.session(json!({ "session": endless })).await;
    let id = generate(&api, json!({})).await;
    api.advance(Duration::from_secs(10 * 365 * 24 * 3600));
    assert_eq!(generation(&api, &id).await, "waiting-for-session");
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    assert_eq!(generation(&api, &id).await, "generating");
}
