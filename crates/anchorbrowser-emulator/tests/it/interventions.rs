//! Questions of an agent to a person.

use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Question};
use serde_json::{Value, json};

use crate::held::held;
use crate::support::{Api, Reply};

/// A session with an agent that has asked this.
async fn asking(api: &Api, question: Question) -> (String, String) {
    let session = api.session(json!({ "session": { "tags": ["t"] } })).await;
    let workflow = ask(api, &session, question).await;
    (session, workflow)
}

/// Has an agent in a session ask, and gives its workflow.
async fn ask(api: &Api, session: &str, question: Question) -> String {
    let mut script = AgentScript::completed("done");
    script.asks = Some(question);
    api.emulator.script(script).unwrap();
    let body = json!({ "prompt": "a", "async": true, "human_intervention": true });
    let reply = api
        .post(
            &format!("/v1/tools/perform-web-task?sessionId={session}"),
            body,
        )
        .await
        .ok();
    api.advance(Duration::from_millis(100));
    reply.text("/data/workflow_id")
}

fn question(input: &str, fields: Value) -> Question {
    let fields = serde_json::from_value(fields).unwrap();
    Question {
        message: "which one?".to_owned(),
        input: input.to_owned(),
        fields,
    }
}

async fn status(api: &Api, workflow: &str) -> String {
    api.get(&format!("/v1/tools/perform-web-task/{workflow}/status"))
        .await
        .ok()
        .text("/data/status")
}

async fn requested(api: &Api, session: &str) -> Reply {
    api.get(&format!(
        "/v1/sessions/{session}/agent/requested-human-intervention"
    ))
    .await
}

async fn respond(api: &Api, session: &str, body: Value) -> Reply {
    api.post(
        &format!("/v1/sessions/{session}/agent/respond-to-human-intervention"),
        body,
    )
    .await
}

#[tokio::test]
async fn a_run_waits_for_the_response() {
    let api = Api::start().await;
    let (session, workflow) = asking(&api, question("text", json!([]))).await;
    api.advance(Duration::from_secs(100));
    assert_eq!(status(&api, &workflow).await, "RUNNING");
    let all = api.get("/v1/sessions/pending-interventions").await.ok();
    assert_eq!(
        (all.at("/data/count"), all.text("/data/items/0/sessionId")),
        (json!(1), session.clone())
    );
    assert_eq!(all.at("/data/items/0/tags"), json!(["t"]));
    let one = requested(&api, &session).await.ok();
    assert_eq!(
        (
            one.count("/data/requests"),
            one.text("/data/requests/0/message")
        ),
        (1, "which one?".to_owned())
    );
    let id = one.text("/data/requests/0/requestId");
    respond(
        &api,
        &session,
        json!({ "requestId": id, "response": "the red one" }),
    )
    .await
    .ok();
    assert_eq!(
        requested(&api, &session).await.ok().count("/data/requests"),
        0
    );
    api.advance(Duration::from_millis(199));
    assert_eq!(status(&api, &workflow).await, "RUNNING");
    api.advance(Duration::from_millis(1));
    assert_eq!(status(&api, &workflow).await, "COMPLETED");
}

#[tokio::test]
async fn responses_must_fit_the_question() {
    let fields = json!([{ "name": "user", "required": true }, { "name": "note", "label": "Note" }]);
    let cases = [
        ("text", vec![json!(true), json!({})], json!("yes")),
        ("confirm", vec![json!("yes"), json!({})], json!(false)),
        (
            "fields",
            vec![json!("yes"), json!({ "note": "n" })],
            json!({ "user": "canary-secret" }),
        ),
        (
            "unheard of",
            vec![json!(true)],
            json!("a question of an unknown type is one for text"),
        ),
    ];
    for (input, wrong, right) in cases {
        let api = Api::start().await;
        let (session, _) = asking(&api, question(input, fields.clone())).await;
        for response in wrong {
            respond(&api, &session, json!({ "response": response }))
                .await
                .refused(400);
        }
        let reply = respond(&api, &session, json!({ "response": right }))
            .await
            .ok();
        assert!(!reply.json.to_string().contains("canary-secret"));
    }
}

#[tokio::test]
async fn the_newest_question_is_answered_unless_one_is_named() {
    let api = Api::start().await;
    let (session, first) = asking(&api, question("text", json!([]))).await;
    let second = ask(&api, &session, question("confirm", json!([]))).await;
    respond(&api, &session, json!({ "response": true }))
        .await
        .ok();
    api.advance(Duration::from_secs(1));
    assert_eq!(
        (&*status(&api, &first).await, &*status(&api, &second).await),
        ("RUNNING", "COMPLETED")
    );
    let unknown = json!({ "requestId": "r-1", "response": "x" });
    assert!(
        respond(&api, &session, unknown)
            .await
            .refused(404)
            .contains("r-1")
    );
    respond(&api, &session, json!({ "response": "x" }))
        .await
        .ok();
    respond(&api, &session, json!({ "response": "x" }))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_response_does_not_wake_a_paused_agent() {
    let api = Api::start().await;
    let (session, workflow) = asking(&api, question("text", json!([]))).await;
    api.act(&format!("/v1/sessions/{session}/agent/pause"))
        .await
        .ok();
    respond(&api, &session, json!({ "response": "x" }))
        .await
        .ok();
    api.advance(Duration::from_secs(10));
    assert_eq!(status(&api, &workflow).await, "RUNNING");
    api.act(&format!("/v1/sessions/{session}/agent/resume"))
        .await
        .ok();
    api.advance(Duration::from_millis(200));
    assert_eq!(status(&api, &workflow).await, "COMPLETED");
}

#[tokio::test]
async fn a_run_asks_only_if_it_may_and_its_question_ends_with_its_session() {
    let api = Api::start().await;
    api.emulator
        .script(AgentScript::completed("done").asks("may I?"))
        .unwrap();
    let silent = held(&api, "/v1/tools/perform-web-task", json!({ "prompt": "a" })).await;
    api.advance(Duration::from_millis(300));
    assert_eq!(silent.await.unwrap().0, 200);
    let (session, workflow) = asking(&api, question("text", json!([]))).await;
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    assert_eq!(status(&api, &workflow).await, "FAILED");
    assert_eq!(
        api.get("/v1/sessions/pending-interventions")
            .await
            .ok()
            .at("/data/count"),
        0
    );
    requested(&api, &session).await.refused(400);
    respond(&api, &session, json!({ "response": "x" }))
        .await
        .refused(400);
    requested(&api, "00000000-0000-4000-8000-000000000000")
        .await
        .refused(404);
}
