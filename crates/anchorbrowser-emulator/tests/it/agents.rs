//! Agents: tasks on the web, snippets, pause and resume.

use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::{Value, json};

use crate::held::held;
use crate::support::Api;

const PERFORM: &str = "/v1/tools/perform-web-task";
const MILLIS: fn(u64) -> Duration = Duration::from_millis;

/// Starts a task in a session or in none, and gives the id of its workflow.
async fn start(api: &Api, session: Option<&str>, mut body: Value) -> String {
    body["async"] = json!(true);
    let query = session
        .map(|id| format!("?sessionId={id}"))
        .unwrap_or_default();
    let reply = api.post(&format!("{PERFORM}{query}"), body).await.ok();
    assert_eq!(reply.text("/data/status"), "running");
    reply.text("/data/workflow_id")
}

async fn status(api: &Api, workflow: &str) -> Value {
    api.get(&format!("{PERFORM}/{workflow}/status"))
        .await
        .ok()
        .at("/data")
}

#[tokio::test]
async fn a_task_without_async_is_answered_at_its_end() {
    let api = Api::start().await;
    let schema = json!({
        "type": "object", "required": ["n"], "properties": { "n": { "type": "integer", "minimum": 5 } },
    });
    let plain = held(&api, PERFORM, json!({ "prompt": "do it" })).await;
    let typed = held(
        &api,
        PERFORM,
        json!({ "prompt": "do it", "output_schema": schema }),
    )
    .await;
    api.advance(MILLIS(299));
    assert!(!plain.is_finished());
    api.advance(MILLIS(1));
    let (code, body) = plain.await.unwrap();
    assert_eq!(
        (code, body["data"]["result"]["result"].is_string()),
        (200, true),
        "{body}"
    );
    let (_, body) = typed.await.unwrap();
    assert!(
        body["data"]["result"]["n"].as_i64().is_some_and(|n| n >= 5),
        "{body}"
    );
}

#[tokio::test]
async fn a_task_runs_in_a_session_of_its_own() {
    let api = Api::start().await;
    api.emulator
        .script(AgentScript::completed(json!({ "price": 3 })).steps(2))
        .unwrap();
    let workflow = start(
        &api,
        None,
        json!({ "prompt": "do it", "url": "https://example.com/a" }),
    )
    .await;
    let running = status(&api, &workflow).await;
    let session = format!("/v1/sessions/{}", running["sessionId"].as_str().unwrap());
    assert_eq!(running["status"], "RUNNING");
    assert_eq!(
        api.get(&format!("{session}/pages"))
            .await
            .ok()
            .at("/data/items/0/url"),
        "https://example.com/a"
    );
    api.advance(MILLIS(100));
    assert_eq!(api.get(&session).await.ok().at("/data/steps"), 1);
    api.advance(MILLIS(100));
    let ended = status(&api, &workflow).await;
    assert_eq!(
        (&ended["status"], &ended["result"]),
        (&json!("COMPLETED"), &json!({ "price": 3 }))
    );
    assert_eq!(
        api.get(&session).await.ok().text("/data/status"),
        "completed"
    );
}

#[tokio::test]
async fn a_task_keeps_the_session_it_is_given_and_keeps_it_busy() {
    let api = Api::start().await;
    let session = api
        .session(json!({ "session": { "timeout": { "idle_timeout": 1 } } }))
        .await;
    let path = format!("/v1/sessions/{session}");
    api.emulator
        .script(AgentScript::completed("done").steps(1_000))
        .unwrap();
    let workflow = start(
        &api,
        Some(&session),
        json!({ "prompt": "do it", "max_steps": 2_000 }),
    )
    .await;
    api.advance(Duration::from_secs(99));
    assert_eq!(
        status(&api, &workflow).await["status"],
        "RUNNING",
        "the session was not idle"
    );
    api.advance(Duration::from_secs(1));
    assert_eq!(
        status(&api, &workflow).await["result"],
        json!({ "result": "done" })
    );
    assert_eq!(api.get(&path).await.ok().text("/data/status"), "running");
    assert_eq!(api.get(&path).await.ok().at("/data/steps"), 1_000);
    api.advance(Duration::from_secs(60));
    assert_eq!(
        api.get(&path).await.ok().text("/data/status"),
        "completed",
        "idle from the end of the task on"
    );
}

#[tokio::test]
async fn tasks_fail_by_script_by_steps_and_with_their_session() {
    let api = Api::start().await;
    let fails = async |workflow: &str, why: &str| {
        let data = status(&api, workflow).await;
        let error = data["error"].as_str().unwrap_or_default();
        assert!(
            data["status"] == "FAILED" && error.contains(why),
            "{why}: {data}"
        );
    };
    api.emulator
        .script(AgentScript::failed("the page was gone"))
        .unwrap();
    let scripted = start(&api, None, json!({ "prompt": "a" })).await;
    api.emulator
        .script(AgentScript::completed("done").steps(3))
        .unwrap();
    let limited = start(&api, None, json!({ "prompt": "b", "max_steps": 2 })).await;
    let session = api.session(json!({})).await;
    let cut = start(&api, Some(&session), json!({ "prompt": "c" })).await;
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    fails(&cut, "was ended").await;
    api.advance(MILLIS(200));
    fails(&limited, "max_steps").await;
    api.advance(MILLIS(100));
    fails(&scripted, "the page was gone").await;

    let short = api
        .session(json!({ "session": { "timeout": { "max_duration": 1 } } }))
        .await;
    api.emulator
        .script(AgentScript::completed("never").steps(1_000))
        .unwrap();
    let body = json!({ "prompt": "d", "max_steps": 1_000 });
    let waiting = held(&api, &format!("{PERFORM}?sessionId={short}"), body).await;
    api.advance(Duration::from_secs(60));
    let (code, body) = waiting.await.unwrap();
    assert_eq!(
        code, 500,
        "the document has no other status for a task that failed"
    );
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("maximum duration"),
        "{body}"
    );
}

#[tokio::test]
async fn without_a_script_the_steps_that_are_allowed_are_enough() {
    let api = Api::start().await;
    let workflow = start(&api, None, json!({ "prompt": "a", "max_steps": 1 })).await;
    api.advance(MILLIS(100));
    assert_eq!(status(&api, &workflow).await["status"], "COMPLETED");
}

#[tokio::test]
async fn requests_for_nothing_are_refused() {
    let api = Api::start().await;
    let ended = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{ended}")).await.ok();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for session in [&ended, unknown] {
        let perform = format!("{PERFORM}?sessionId={session}");
        assert!(
            api.post(&perform, json!({ "prompt": "a" }))
                .await
                .refused(400)
                .contains(session)
        );
        let execute = format!("/v1/tools/execute-code?sessionId={session}");
        assert!(
            api.post(&execute, json!({ "code": "1" }))
                .await
                .refused(400)
                .contains(session)
        );
    }
    api.post(PERFORM, json!({ "prompt": "a", "max_steps": 0 }))
        .await
        .refused(400);
    assert!(
        api.get(&format!("{PERFORM}/w1/status"))
            .await
            .refused(400)
            .contains("w1")
    );
    for act in ["pause", "resume"] {
        api.act(&format!("/v1/sessions/{ended}/agent/{act}"))
            .await
            .refused(400);
        api.act(&format!("/v1/sessions/{unknown}/agent/{act}"))
            .await
            .refused(404);
    }
}

#[tokio::test]
async fn a_paused_agent_makes_no_steps() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let act = async |what: &str| {
        api.act(&format!("/v1/sessions/{session}/agent/{what}"))
            .await
            .ok()
    };
    let workflow = start(&api, Some(&session), json!({ "prompt": "a" })).await;
    api.advance(MILLIS(150));
    act("pause").await;
    act("pause").await;
    let late = start(&api, Some(&session), json!({ "prompt": "b" })).await;
    api.advance(MILLIS(10_000));
    assert_eq!(
        api.get(&format!("/v1/sessions/{session}"))
            .await
            .ok()
            .at("/data/steps"),
        1
    );
    act("resume").await;
    api.advance(MILLIS(149));
    assert_eq!(status(&api, &workflow).await["status"], "RUNNING");
    api.advance(MILLIS(1));
    assert_eq!(status(&api, &workflow).await["status"], "COMPLETED");
    assert_eq!(
        status(&api, &late).await["status"],
        "RUNNING",
        "it began when the agent was paused"
    );
    api.advance(MILLIS(150));
    assert_eq!(status(&api, &late).await["status"], "COMPLETED");
}

#[tokio::test]
async fn snippets_are_answered_at_once() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let execute = async || {
        let path = format!("/v1/tools/execute-code?sessionId={session}");
        api.post(&path, json!({ "code": "return 1" }))
            .await
            .ok()
            .json
    };
    api.emulator
        .script(AgentScript::completed(json!({ "a": [1] })))
        .unwrap();
    api.emulator
        .script(AgentScript::failed("a is not defined"))
        .unwrap();
    let done = execute().await;
    assert_eq!(
        (&done["success"], &done["output"]),
        (&json!(true), &json!("{\"a\":[1]}"))
    );
    let failed = execute().await;
    assert_eq!(
        (&failed["success"], &failed["error"]),
        (&json!(false), &json!("a is not defined"))
    );
    assert_eq!(execute().await["output"], "null");
    assert_ne!(done["executionResultId"], failed["executionResultId"]);
}

#[tokio::test]
async fn steps_without_duration_and_secrets_leave_no_trace() {
    let builder = Emulator::builder().manual_clock();
    let api = Api::with(builder.timing(|timing| timing.agent_step = Duration::ZERO)).await;
    api.emulator
        .script(AgentScript::completed("done").steps(100_000))
        .unwrap();
    let body = json!({ "prompt": "log in", "max_steps": 100_000, "secret_values": { "P": "canary-secret" } });
    let reply = api.post(PERFORM, body).await.ok();
    assert_eq!(reply.text("/data/result/result"), "done");
    assert!(!reply.json.to_string().contains("canary-secret"));
}

#[tokio::test]
async fn steps_are_charged_when_they_are_made() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    start(&api, Some(&session), json!({ "prompt": "a" })).await;
    for (after, used) in [(0, 0.0), (100, 0.01), (200, 0.03), (1_000, 0.03)] {
        api.advance(MILLIS(after));
        assert_eq!(
            api.get("/v1/billing").await.ok().at("/data/credits_used"),
            used
        );
    }
}

#[tokio::test]
async fn runs_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || {
        Emulator::builder()
            .manual_clock()
            .state(folder.path().join("state.db"))
    };
    let api = Api::with(builder()).await;
    api.emulator
        .script(AgentScript::completed("done").asks("may I?"))
        .unwrap();
    let session = api.session(json!({})).await;
    let asking = json!({ "prompt": "a", "human_intervention": true });
    let asking = start(&api, Some(&session), asking).await;
    let plain = start(&api, None, json!({ "prompt": "b" })).await;
    api.advance(MILLIS(150));
    api.emulator.shutdown().await;

    let api = Api::with(builder()).await;
    api.advance(MILLIS(150));
    assert_eq!(status(&api, &plain).await["status"], "COMPLETED");
    let respond = format!("/v1/sessions/{session}/agent/respond-to-human-intervention");
    api.post(&respond, json!({ "response": "yes" })).await.ok();
    api.advance(MILLIS(200));
    assert_eq!(
        status(&api, &asking).await["result"],
        json!({ "result": "done" })
    );
}
