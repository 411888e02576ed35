//! Runs of agents.

use std::time::Duration;

use anchorbrowser::agent::{AgentTask, TaskOutcome};
use anchorbrowser::poll::Polled;
use anchorbrowser::sessions::SessionOptions;
use anchorbrowser::{Client, ErrorKind};
use anchorbrowser_emulator::{AgentScript, Emulator, Fault};
use serde_json::{Value, json};

use super::{Means, both, meanings, patient, quick};

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Price {
    amount: f64,
}

const MINUTE: Duration = Duration::from_secs(60);

/// A task in a session of its own.
fn task(client: &Client) -> AgentTask {
    let task = client.agent().task("Price?");
    task.session_options(SessionOptions::new())
}

fn unknown() -> Value {
    json!({ "data": { "status": "STALLED" } })
}

#[tokio::test]
async fn a_run_is_waited_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    emulator.script(AgentScript::completed(json!({ "amount": 3 })))?;
    let task = client.agent().task("Price?").output::<Price>();
    let task = task.start().await?;
    let [outcome, other] = both(&emulator, task.wait(), unknown(), MINUTE).await?;
    assert_eq!(outcome.output, Price { amount: 3.0 });
    assert_eq!(other.output, outcome.output);
    assert!(outcome.session_id.is_some());
    Ok(())
}

/// Without a type the result is what was sent, also by a token.
#[tokio::test]
async fn a_result_stays_as_it_was_sent() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    emulator.script(AgentScript::completed("done"))?;
    let task = client.agent().task("Buy a hat.").start().await?;
    let outcomes: [TaskOutcome; 2] = both(&emulator, task.wait(), unknown(), MINUTE).await?;
    for outcome in outcomes {
        assert_eq!(outcome.output, json!({ "result": "done" }));
    }
    let token = task.wait().token();
    let named = quick(&emulator).resume::<TaskOutcome<String>>(&token)?;
    assert_eq!(named.await?.output, "done");
    Ok(())
}

#[tokio::test]
async fn each_word_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let answers = [
        (
            json!({ "data": { "status": "RUNNING" } }),
            "RUNNING",
            Means::Progress,
        ),
        (
            json!({ "data": { "status": "completed", "result": {} } }),
            "COMPLETED",
            Means::Done,
        ),
        (
            json!({ "data": { "status": "FAILED", "error": "no such button" } }),
            "FAILED",
            Means::Failed("a run of an agent ended as `FAILED`: no such button"),
        ),
        (
            json!({ "data": { "status": "FAILED" } }),
            "FAILED",
            Means::Failed("no reason"),
        ),
        (unknown(), "STALLED", Means::Progress),
    ];
    meanings(&emulator, || client.agent().running("w").wait(), &answers).await
}

#[tokio::test]
async fn a_result_of_another_type_is_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let data = json!({ "status": "COMPLETED", "result": { "amount": "canary" } });
    let answer = Fault::status(200).json(json!({ "data": data }));
    emulator.fault(answer.on("get_perform_web_task_status").times(2))?;
    let task = quick(&emulator).agent().running("w").output_as::<Price>();
    let error = task.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("expected f64"), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert!(error.body().is_some() && error.waited().is_some());
    let asked = task.status().await.unwrap_err();
    assert_eq!(asked.kind(), ErrorKind::Decode);
    Ok(())
}

/// The session that was created for a run lasts as long as its last poller.
#[tokio::test]
async fn a_session_outlives_the_handle_of_its_run() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let running = task(&client).start().await?;
    let id = running.session_id().unwrap().clone();
    let mut poller = running.wait();
    drop(running);
    let polled = poller.next().await.unwrap()?;
    assert!(matches!(polled, Polled::Progress(_)));
    assert_eq!(emulator.count("delete_session")?, 0);
    emulator.advance(MINUTE)?;
    let outcome = poller.until_done().await?;
    assert_eq!(outcome.session_id.as_ref(), Some(&id));
    assert_eq!(emulator.count("delete_session")?, 0);
    drop(poller);
    let ended = emulator.wait_for("delete_session", 1).await?;
    assert!(ended.path.ends_with(id.as_str()));
    Ok(())
}

#[tokio::test]
async fn a_run_is_started_and_waited_for_at_once() -> anyhow::Result<()> {
    let builder = Emulator::builder().timing(|timing| timing.agent_step = Duration::ZERO);
    let emulator = builder.start().await?;
    let client = quick(&emulator);
    task(&client).start().await?.wait().await?;
    emulator.wait_for("delete_session", 1).await?;

    let running = task(&client).start().await?;
    let poller = running.wait();
    let session = running.into_session().unwrap().keep();
    poller.await?;
    session.goto("https://example.com").await?;
    assert_eq!(emulator.count("delete_session")?, 1);
    Ok(())
}

/// Giving up ends the session, and the run with it.
#[tokio::test]
async fn a_wait_that_is_dropped_leaves_no_session() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let mut poller = task(&client).start().await?.wait();
    poller.next().await.unwrap()?;
    drop(poller);
    emulator.wait_for("delete_session", 1).await?;
    Ok(())
}
