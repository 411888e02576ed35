//! Agents and tools: tasks on the web, questions to people, snippets, pages as files, events.

use anchorbrowser_api::types;
use anchorbrowser_emulator::AgentScript;
use serde_json::{Value, json};

use super::{Walk, bytes, done, ok};

pub(super) async fn walk(walk: &Walk) {
    task(walk).await;
    question(walk).await;
    tools(walk).await;
    event(walk).await;
}

/// Starts a task that is not waited for, and gives its workflow.
async fn start(walk: &Walk, session: &str, body: types::PerformWebTaskRequestSchema) -> String {
    let body = types::PerformWebTaskRequestSchema {
        async_: Some(true),
        ..body
    };
    let call = walk
        .client
        .perform_web_task()
        .session_id(session)
        .body(body);
    match ok(call.send()).await.data.unwrap() {
        types::PerformWebTaskResponseSchemaData::Running(run) if !walk.drift => {
            run.workflow_id.unwrap()
        }
        types::PerformWebTaskResponseSchemaData::Unknown(run) if walk.drift => {
            run["workflow_id"].as_str().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

/// A task must be in this state; gives its result.
async fn state(walk: &Walk, workflow: &str, expected: &str) -> Value {
    use types::PerformWebTaskStatusResponseSchemaData as Data;
    let call = walk.client.get_perform_web_task_status();
    let data = ok(call.workflow_id(workflow).send()).await.data.unwrap();
    assert_eq!(matches!(data, Data::Unknown(_)), walk.drift);
    let data = serde_json::to_value(data).unwrap();
    walk.says(data["status"].as_str(), expected);
    data["result"].clone()
}

async fn task(walk: &Walk) {
    let client = &walk.client;
    let price = json!({ "price": 3 });
    walk.emulator
        .script(AgentScript::completed(price.clone()))
        .unwrap();
    let body = types::PerformWebTaskRequestSchema::new("What does it cost?");
    let call = client.perform_web_task().body(body.clone()).send();
    let answer = walk.held("perform_web_task", 300, call).await;
    let answer = serde_json::to_value(answer.data).unwrap();
    assert_eq!(answer["result"], price);

    let session = walk.session().await;
    walk.emulator
        .script(AgentScript::completed(price.clone()))
        .unwrap();
    let workflow = start(walk, &session, body).await;
    done(&ok(client.pause_agent().session_id(&session).send()).await);
    walk.passes(10_000);
    state(walk, &workflow, "RUNNING").await;
    done(&ok(client.resume_agent().session_id(&session).send()).await);
    walk.passes(300);
    assert_eq!(state(walk, &workflow, "COMPLETED").await, price);
    ok(client.delete_session().session_id(&session).send()).await;
}

/// An agent asks, a person answers, and it goes on.
async fn question(walk: &Walk) {
    let client = &walk.client;
    let session = walk.session().await;
    let script = AgentScript::completed("bought").asks("Which colour?");
    walk.emulator.script(script).unwrap();
    let body = types::PerformWebTaskRequestSchema {
        human_intervention: Some(true),
        ..types::PerformWebTaskRequestSchema::new("Buy a hat.")
    };
    let workflow = start(walk, &session, body).await;
    walk.passes(100);

    let pending = ok(client.list_pending_interventions().send()).await;
    let pending = pending.data.unwrap();
    assert_eq!(pending.count, Some(1));
    assert_eq!(pending.items[0].session_id.as_ref(), Some(&session));
    let asked = client.get_requested_human_intervention();
    let asked = ok(asked.session_id(&session).send()).await.data.unwrap();
    let asked = &asked.requests[0];
    assert_eq!(asked.message.as_deref(), Some("Which colour?"));
    walk.says(asked.input_type.as_ref(), "text");
    let reply = types::HumanInterventionResponseRequestResponse::String("red".into());
    let body = types::HumanInterventionResponseRequest {
        request_id: asked.request_id.clone(),
        ..types::HumanInterventionResponseRequest::new(reply)
    };
    let respond = client.respond_to_human_intervention().body(body);
    ok(respond.session_id(&session).send()).await;
    walk.passes(200);
    let result = state(walk, &workflow, "COMPLETED").await;
    assert_eq!(result, json!({ "result": "bought" }));
    ok(client.delete_session().session_id(&session).send()).await;
}

async fn tools(walk: &Walk) {
    let client = &walk.client;
    let session = walk.session().await;
    walk.emulator.script(AgentScript::completed(2)).unwrap();
    let code = types::ExecuteCodeRequestSchema::new("return 1 + 1");
    let ran = ok(client.execute_code().session_id(&session).body(code).send()).await;
    assert_eq!(
        (ran.success, ran.output.as_deref()),
        (Some(true), Some("2"))
    );
    ok(client.delete_session().session_id(&session).send()).await;

    let url = "https://example.com/report.json";
    let body = types::ScreenshotRequestSchema {
        url: Some(url.to_owned()),
        width: Some(320),
        height: Some(200),
        ..Default::default()
    };
    let image = bytes(client.screenshot_webpage().body(body).send()).await;
    assert_eq!(
        image[16..24],
        [0, 0, 1, 64, 0, 0, 0, 200],
        "width and height"
    );
    let body = types::CreatePagePdfBody::new(url);
    let pdf = bytes(client.create_page_pdf().body(body).send()).await;
    assert!(pdf.starts_with(b"%PDF-"));
    let body = types::WebUnlockerRequestSchema::new(url);
    let page = bytes(client.fetch_webpage().body(body).send()).await;
    serde_json::from_slice::<Value>(&page).unwrap();
}

/// One part of a program waits for what another one says.
async fn event(walk: &Walk) {
    let client = &walk.client;
    let body = types::WaitForEventRequestSchema {
        timeout_ms: Some(5_000),
    };
    let wait = client
        .wait_for_event()
        .event_name("one/time code")
        .body(body);
    let data = [("code".to_owned(), json!(123_456).into())].into();
    let body = types::SignalEventRequestSchema::new(data);
    let signal = client.signal_event().event_name("one/time code").body(body);
    let signalled = async {
        walk.emulator.wait_for("wait_for_event", 1).await.unwrap();
        ok(signal.send()).await
    };
    let (event, signalled) = tokio::join!(ok(wait.send()), signalled);
    done(&signalled);
    assert_eq!(event.data["code"].expose(), &json!(123_456));
}
