//! Runs: waited for, started, typed.

use std::time::Duration;

use anchorbrowser::agent::{AgentKind, AgentTask, TaskStatus};
use anchorbrowser::{Client, ErrorKind, Options, SessionId};
use anchorbrowser_emulator::{AgentScript, Emulator, Fault};
use serde_json::{Value, json};

use crate::sdk::methods::{ID, methods};
use crate::server::{Answer, Server};

/// An emulator whose agents take no time.
async fn quick() -> anyhow::Result<Emulator> {
    let emulator = Emulator::builder().timing(|timing| timing.agent_step = Duration::ZERO);
    Ok(emulator.start().await?)
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Price {
    amount: f64,
    seller: Option<Seller>,
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Seller {
    name: String,
}

#[tokio::test]
async fn a_run_gives_its_result_as_it_was_sent() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    emulator.script(AgentScript::completed("done"))?;
    let outcome = client.agent().task("Buy a hat.").run().await?;
    assert_eq!(outcome.output, json!({ "result": "done" }));
    assert_eq!((outcome.raw, outcome.session_id), (outcome.output, None));
    let body = emulator.exchanges_of("perform_web_task")?[0].json();
    assert_eq!(body, json!({ "prompt": "Buy a hat." }));
    Ok(())
}

#[tokio::test]
async fn a_result_is_of_the_type_that_was_asked_for() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let raw = json!({ "amount": 3, "seller": { "name": "eve" } });
    emulator.script(AgentScript::completed(raw.clone()))?;
    let outcome = client
        .agent()
        .task("Price?")
        .output::<Price>()
        .run()
        .await?;
    assert_eq!(outcome.output.amount, 3.0);
    assert_eq!(
        outcome.output.seller.map(|it| it.name).as_deref(),
        Some("eve")
    );
    assert_eq!(outcome.raw, raw);

    emulator.script(AgentScript::completed(json!(["a", "b"])))?;
    let names = client
        .agent()
        .task("Who?")
        .output::<Vec<String>>()
        .run()
        .await?;
    assert_eq!(names.output, ["a", "b"]);

    let schema = emulator.exchanges_of("perform_web_task")?[0].json()["output_schema"].clone();
    assert_eq!(schema["properties"]["amount"]["type"], "number");
    let text = schema.to_string();
    assert!(
        text.contains("draft/2020-12") && !text.contains("$ref"),
        "{text}"
    );
    assert!(text.contains("\"name\""), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_result_of_another_type_is_an_error_that_shows_no_value() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    emulator.script(AgentScript::completed(json!({ "amount": "canary" })))?;
    let run = client.agent().task("Price?").output::<Price>().run().await;
    let error = run.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let printed = format!("{error} {error:?}");
    assert!(
        printed.contains("expected f64") && !printed.contains("canary"),
        "{printed}"
    );
    Ok(())
}

#[tokio::test]
async fn a_failure_that_is_reported_as_success_is_an_error() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let failed = json!({ "data": { "status": "FAILED", "error": "no such button" } });
    emulator.fault(Fault::status(200).json(failed).on("perform_web_task"))?;
    let error = client.agent().task("Buy a hat.").run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("no such button"), "{error}");

    let nothing = json!({ "data": { "status": "DONE" } });
    emulator.fault(Fault::status(200).json(nothing).on("perform_web_task"))?;
    let error = client.agent().task("Buy a hat.").run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("data.result"), "{error}");
    assert_eq!(
        emulator.count("perform_web_task")?,
        2,
        "nothing is repeated"
    );
    Ok(())
}

#[tokio::test]
async fn a_run_that_was_started_is_asked_for_its_state() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let session = client.sessions().create().send().await?;
    emulator.script(AgentScript::completed(json!({ "amount": 3 })))?;
    let task = session
        .agent()
        .task("Price?")
        .output::<Price>()
        .start()
        .await?;
    assert_eq!(task.session_id(), Some(session.id()));
    assert_eq!(
        emulator.exchanges_of("perform_web_task")?[0].json()["async"],
        true
    );

    session.agent().pause().await?;
    emulator.advance(Duration::from_secs(60))?;
    let status = task.status().await?;
    assert!(matches!(status, TaskStatus::Running { .. }), "{status:?}");
    assert_eq!(status.session_id(), Some(session.id()));
    session.agent().resume().await?;
    emulator.advance(Duration::from_secs(60))?;
    let TaskStatus::Completed(outcome) = task.status().await? else {
        panic!("it has not succeeded");
    };
    assert_eq!(
        outcome.output,
        Price {
            amount: 3.0,
            seller: None
        }
    );
    assert_eq!(outcome.session_id.as_ref(), Some(session.id()));

    let again = client.agent().running(task.workflow_id());
    let status = again.output_as::<Price>().status().await?;
    assert!(matches!(status, TaskStatus::Completed(_)), "{status:?}");
    Ok(())
}

#[tokio::test]
async fn the_state_of_a_run_that_failed_is_no_error() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    emulator.script(AgentScript::failed("no such button"))?;
    let task = client.agent().task("Buy a hat.").start().await?;
    emulator.advance(Duration::from_secs(60))?;
    let status = task.status().await?;
    assert!(status.session_id().is_some());
    let TaskStatus::Failed { message, .. } = status else {
        panic!("{status:?}");
    };
    assert_eq!(message, "no such button");
    Ok(())
}

/// What the service says of a run, and what is made of it.
type Said = (Value, fn(&TaskStatus) -> bool);

#[tokio::test]
async fn each_word_of_the_service_is_understood() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let cases: [Said; 4] = [
        (json!({ "status": "running" }), |it| {
            matches!(it, TaskStatus::Running { .. })
        }),
        (json!({ "status": "failed" }), |it| {
            matches!(it, TaskStatus::Failed { .. })
        }),
        (
            json!({ "status": "completed", "result": { "a": 1 } }),
            |it| matches!(it, TaskStatus::Completed(outcome) if outcome.output["a"] == 1),
        ),
        (
            json!({ "status": "STALLED" }),
            |it| matches!(it, TaskStatus::Unknown { status, .. } if status == "STALLED"),
        ),
    ];
    for (mut data, fits) in cases {
        data["sessionId"] = json!("s");
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on("get_perform_web_task_status"))?;
        let status = client.agent().running("w").status().await?;
        assert!(fits(&status), "{status:?}");
        assert_eq!(status.session_id(), Some(&SessionId::from("s")));
    }
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_does_not_exist_is_refused_by_the_service() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let error = client.agent().running("w").status().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status);
    assert_eq!(error.operation(), Some("get_perform_web_task_status"));
    Ok(())
}

type Refused = (&'static str, fn(AgentTask) -> AgentTask);

#[tokio::test]
async fn what_the_document_rules_out_is_refused() -> anyhow::Result<()> {
    let cases: &[Refused] = &[
        ("llm_timeout", |it| it.llm_timeout(Duration::from_secs(9))),
        ("llm_timeout", |it| {
            it.llm_timeout(Duration::from_millis(600_001))
        }),
        ("output_schema", |it| it.output_schema(json!("number"))),
    ];
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let unchecked = client.with_options(Options::new().checks(false))?;
    let task = |client: &Client| client.agent().task("Buy a hat.");
    for (field, with) in cases {
        for error in [
            with(task(&client)).run().await.err(),
            with(task(&client)).start().await.err(),
        ] {
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(field), "{error}");
        }
        assert_eq!(emulator.count("perform_web_task")?, 0);
        let error = with(task(&unchecked)).run().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status, "{field}");
        emulator.clear_exchanges();
    }
    Ok(())
}

#[tokio::test]
async fn the_limit_on_the_model_is_for_one_agent() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let task = |client: &Client, kind: AgentKind| {
        let task = client.agent().task("Buy a hat.").agent(kind);
        task.llm_timeout(Duration::from_secs(60)).run()
    };
    let error = task(&client, AgentKind::OpenaiCua).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(emulator.count("perform_web_task")?, 0);

    task(&client, AgentKind::BrowserUse).await?;
    let unchecked = client.with_options(Options::new().checks(false))?;
    task(&unchecked, AgentKind::OpenaiCua).await?;
    assert_eq!(emulator.count("perform_web_task")?, 2);
    Ok(())
}

#[tokio::test]
async fn a_task_that_is_refused_creates_no_session() -> anyhow::Result<()> {
    let emulator = quick().await?;
    let client = crate::sdk::client(&emulator);
    let task = client
        .agent()
        .task("Buy a hat.")
        .session_options(Default::default());
    let run = task.llm_timeout(Duration::ZERO).run().await;
    assert_eq!(run.unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert!(emulator.exchanges().is_empty());
    Ok(())
}

/// Runs have no time limit; that one has started must be told at once.
#[tokio::test]
async fn a_start_does_not_wait_for_ever() -> anyhow::Result<()> {
    let server = Server::always(Answer::until_closed(Default::default())).await;
    let client = Client::builder().base_url(server.url()).api_key("k");
    let client = client.attempt_timeout(Duration::from_millis(50)).build()?;
    let starts = methods!(client =>
        client.agent().task("Buy a hat.").start(),
        client.tasks().run(ID).send(),
        client.tasks_legacy().run(ID).start(),
        client.tasks_legacy().run_by_name("a").start(),
    );
    for (number, start) in starts.into_iter().enumerate() {
        let start = (start.call)(client.clone());
        let ended = tokio::time::timeout(Duration::from_secs(20), start).await;
        assert!(ended?.unwrap_err().is_timeout());
        assert_eq!(server.requests().len(), number + 1, "it is sent once");
    }
    Ok(())
}
