//! Agents: runs that are followed, questions to people, tools, events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anchorbrowser::Upload;
use anchorbrowser::agent::{RunningTask, TaskOutcome, TaskStatus};
use anchorbrowser_emulator::AgentScript;
use serde_json::{Value, json};

use super::Walk;

const URL: &str = "https://example.com/report.json";

pub(super) async fn walk(walk: &Walk) -> anyhow::Result<()> {
    followed(walk).await?;
    asked(walk).await?;
    tools(walk).await?;
    event(walk).await
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Price {
    amount: f64,
}

/// A run gives a value of a type, and tells each step.
async fn followed(walk: &Walk) -> anyhow::Result<()> {
    let script = AgentScript::completed(json!({ "amount": 3 }));
    walk.emulator.script(script.steps(4))?;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = steps.clone();
    let task = walk.client.agent().task("What does it cost?").url(URL);
    let task = task.on_step(move |step| seen.lock().unwrap().extend(step.number));
    let task = task.output::<Price>();
    let outcome: TaskOutcome<Price> = walk.held("perform_web_task", task.run()).await?;
    assert_eq!(outcome.output, Price { amount: 3.0 });
    assert_eq!(*steps.lock().unwrap(), [1, 2, 3, 4]);
    let status = walk.client.sessions().get(outcome.session_id.unwrap());
    assert_eq!(status.await?.status.as_deref(), Some("completed"));
    Ok(())
}

/// The state of a run, and its result if it has ended.
async fn state(walk: &Walk, run: &RunningTask) -> anyhow::Result<(String, Value)> {
    Ok(match run.status().await? {
        TaskStatus::Running { .. } => ("RUNNING".to_owned(), Value::Null),
        TaskStatus::Completed(outcome) => ("COMPLETED".to_owned(), outcome.raw),
        // A newer service calls all states otherwise; then only the state is known.
        TaskStatus::Unknown { status, .. } if walk.drift => (
            status.trim_start_matches("drifted_").to_owned(),
            Value::Null,
        ),
        other => panic!("{other:?}"),
    })
}

/// An agent gets a file, is halted, asks, is answered, and goes on.
async fn asked(walk: &Walk) -> anyhow::Result<()> {
    let session = walk.session().await?;
    let agent = session.agent();
    agent.upload(Upload::bytes("sizes.csv", "a,b\n")).await?;
    assert_eq!(agent.files().send().await?.items[0].name, "sizes.csv");
    let script = AgentScript::completed("bought").asks("Which colour?");
    walk.emulator.script(script)?;
    let run = agent.task("Buy a hat.").human_intervention(true);
    let run = run.start().await?;
    agent.pause().await?;
    walk.passes(Duration::from_secs(10))?;
    assert!(agent.interventions().send().await?.items.is_empty());
    agent.resume().await?;
    walk.passes(Duration::from_secs(10))?;

    let pending = walk.client.agent().pending_interventions().send().await?;
    let question = &agent.interventions().send().await?.items[0];
    assert_eq!(pending.items[0].id, question.id);
    assert_eq!(pending.items[0].session_id, *session.id());
    assert_eq!(question.message, "Which colour?");
    walk.says(question.input.as_ref(), "text");
    assert_eq!(state(walk, &run).await?.0, "RUNNING");
    agent.respond("red").to(&question.id).send().await?;
    walk.passes(Duration::from_secs(10))?;
    let (state, result) = state(walk, &run).await?;
    assert_eq!(state, "COMPLETED");
    assert!(walk.drift || result == json!({ "result": "bought" }));
    session.end().await?;
    Ok(())
}

async fn tools(walk: &Walk) -> anyhow::Result<()> {
    let (tools, session) = (walk.client.tools(), walk.session().await?);
    walk.emulator.script(AgentScript::completed(2))?;
    let code = tools.execute_code(session.id(), "return 1 + 1");
    assert_eq!(code.send().await?.output, 2);
    walk.emulator.script(AgentScript::failed("no such thing"))?;
    let failed = tools
        .execute_code(session.id(), "throw 1")
        .outcome()
        .await?;
    assert!(!failed.success && failed.error.is_some());
    let image = tools.screenshot_of(session.id()).send().await?;
    assert!(image.bytes().await?.starts_with(b"\x89PNG"));
    session.end().await?;

    let image = tools.screenshot(URL).width(320).height(200).send().await?;
    let size = [0, 0, 1, 64, 0, 0, 0, 200];
    assert_eq!(image.bytes().await?[16..24], size, "width and height");
    let pdf = tools.pdf(URL).landscape(true).send().await?;
    assert!(pdf.bytes().await?.starts_with(b"%PDF-"));
    let page = tools.fetch_webpage(URL).send().await?.text().await?;
    serde_json::from_str::<Value>(&page)?;
    Ok(())
}

/// One part of a program waits for what another one says.
async fn event(walk: &Walk) -> anyhow::Result<()> {
    let (name, limit) = ("one/time code", Duration::from_secs(5));
    let events = walk.client.events();
    let none = walk.held("wait_for_event", events.wait(name).timeout(limit).send());
    assert!(none.await?.is_none());
    let wait = tokio::spawn(events.wait(name).timeout(limit).send().into_future());
    walk.emulator.wait_for("wait_for_event", 2).await?;
    events.signal(name, json!({ "code": 123_456 })).await?;
    let event = wait.await??.unwrap();
    assert_eq!(event.get("code"), Some(&json!(123_456)));
    Ok(())
}
