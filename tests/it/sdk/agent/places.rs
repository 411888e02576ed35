//! Where an agent works, and what becomes of the session.

use std::time::Duration;

use anchorbrowser::Client;
use anchorbrowser::agent::AgentTask;
use anchorbrowser::sessions::SessionOptions;
use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::json;

/// A task in a session of its own.
fn task(client: &Client) -> AgentTask {
    let options = SessionOptions::new().tag("hats");
    client.agent().task("Buy a hat.").session_options(options)
}

/// Starts a run in the background and gives what waits for it, when the agent works.
async fn begun(
    emulator: &Emulator,
    task: AgentTask,
) -> anyhow::Result<tokio::task::JoinHandle<anchorbrowser::Result<anchorbrowser::agent::TaskOutcome>>>
{
    let run = tokio::spawn(task.run());
    emulator.wait_for("perform_web_task", 1).await?;
    Ok(run)
}

#[tokio::test]
async fn a_session_is_created_for_a_run_and_ended_after_it() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let run = begun(&emulator, task(&client)).await?;
    emulator.advance(Duration::from_secs(60))?;
    let outcome = run.await??;

    let id = outcome.session_id.unwrap();
    let sent = &emulator.exchanges_of("perform_web_task")?[0];
    assert_eq!(sent.query, Some(format!("sessionId={id}")));
    assert_eq!(
        emulator.exchanges_of("create_session")?[0].json(),
        json!({ "session": { "tags": ["hats"], "timeout": { "idle_timeout": -1 } } })
    );
    let ended = &emulator.exchanges_of("delete_session")?;
    assert_eq!(ended.len(), 1);
    assert!(ended[0].path.ends_with(id.as_str()));
    Ok(())
}

#[tokio::test]
async fn an_idle_timeout_of_the_caller_stays() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let options = SessionOptions::new().idle_timeout(Duration::from_secs(600));
    let running = client.agent().task("Buy a hat.").session_options(options);
    let running = running.start().await?;
    let sent = emulator.exchanges_of("create_session")?[0].json();
    assert_eq!(sent["session"]["timeout"], json!({ "idle_timeout": 10 }));
    assert!(running.session_id().is_some());
    Ok(())
}

#[tokio::test]
async fn a_session_is_ended_also_if_the_run_fails() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    emulator.script(AgentScript::failed("no such button"))?;
    let run = begun(&emulator, task(&client).keep_session()).await?;
    emulator.advance(Duration::from_secs(60))?;
    assert!(run.await?.is_err());
    assert_eq!(emulator.count("delete_session")?, 1);
    Ok(())
}

#[tokio::test]
async fn a_session_is_ended_if_nobody_waits_for_the_run() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    begun(&emulator, task(&client)).await?.abort();
    let ended = emulator.wait_for("delete_session", 1).await?;
    assert_eq!(ended.status, Some(200));
    Ok(())
}

#[tokio::test]
async fn a_session_can_be_kept() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let run = begun(&emulator, task(&client).keep_session()).await?;
    emulator.advance(Duration::from_secs(60))?;
    let session = client.session(run.await??.session_id.unwrap());
    assert_eq!(emulator.count("delete_session")?, 0);
    session.goto("https://example.com").await?;

    let running = task(&client).keep_session().start().await?;
    let session = client.session(running.session_id().unwrap());
    assert!(running.into_session().is_none());
    session.end().await?;
    assert_eq!(emulator.count("delete_session")?, 1);
    Ok(())
}

/// Only of a session that the SDK creates it is known which one to keep.
#[tokio::test]
async fn a_session_that_is_to_be_kept_is_created() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let task = client.agent().task("Buy a hat.").keep_session();
    let running = task.start().await?;
    let session = client.session(running.session_id().unwrap());
    drop(running);
    session.goto("https://example.com").await?;
    assert_eq!(emulator.count("create_session")?, 1);
    Ok(())
}

#[tokio::test]
async fn a_session_of_a_started_run_ends_with_its_handle() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let running = task(&client).start().await?;
    let id = running.session_id().unwrap().clone();
    drop(running);
    let ended = emulator.wait_for("delete_session", 1).await?;
    assert!(ended.path.ends_with(id.as_str()));

    let session = task(&client).start().await?.into_session().unwrap();
    session.end().await?;
    assert_eq!(emulator.count("delete_session")?, 2);
    Ok(())
}

#[tokio::test]
async fn a_session_of_the_caller_goes_on() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let session = client.sessions().create().send().await?;
    let task = client.agent().task("Buy a hat.").session(&session);
    let run = begun(&emulator, task).await?;
    emulator.advance(Duration::from_secs(60))?;
    let outcome = run.await??;
    assert_eq!(outcome.session_id.as_ref(), Some(session.id()));
    assert_eq!(emulator.count("create_session")?, 1);
    assert_eq!(emulator.count("delete_session")?, 0);
    Ok(())
}
