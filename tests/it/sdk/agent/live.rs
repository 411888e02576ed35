//! Live steps of agents.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anchorbrowser::ErrorKind;
use anchorbrowser_emulator::{AgentScript, Emulator};

use crate::sdk::methods::ID;

#[tokio::test]
async fn each_step_of_a_run_is_told() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    emulator.script(AgentScript::completed("done").steps(5))?;
    let numbers = Arc::new(Mutex::new(Vec::new()));
    let seen = numbers.clone();
    let task = client.agent().task("Buy a hat.");
    let task = task.on_step(move |step| seen.lock().unwrap().push(step.number));
    let run = tokio::spawn(task.run());
    emulator.wait_for("perform_web_task", 1).await?;
    emulator.advance(Duration::from_secs(60))?;
    run.await??;
    assert_eq!(
        *numbers.lock().unwrap(),
        (1..=5).map(Some).collect::<Vec<_>>()
    );
    assert_eq!(emulator.count("create_session")?, 1);
    assert_eq!(emulator.count("delete_session")?, 1);
    Ok(())
}

#[tokio::test]
async fn a_run_goes_on_without_its_steps() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let task = client.agent().task("Buy a hat.").on_step(|_| {});
    let run = tokio::spawn(task.run());
    emulator.wait_for("perform_web_task", 1).await?;
    emulator.drop_sockets()?;
    emulator.advance(Duration::from_secs(60))?;
    run.await??;
    Ok(())
}

#[tokio::test]
async fn a_task_that_cannot_be_followed_is_not_run() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let task = || client.agent().task("Buy a hat.").on_step(|_| {});
    let error = task().session(ID).run().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.operation(), Some("agent_steps"));
    let error = task().start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(emulator.count("perform_web_task")?, 0);
    assert_eq!(emulator.count("create_session")?, 0);
    Ok(())
}

#[tokio::test]
async fn steps_are_a_stream_that_ends_with_the_session() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let session = client.sessions().create().send().await?;
    let mut steps = session.agent().steps().await?;
    let running = session.agent().task("Buy a hat.").start().await?;
    emulator.advance(Duration::from_secs(60))?;
    assert_eq!(steps.next().await.unwrap()?.number, Some(1));
    drop(running);
    session.end().await?;
    while let Some(step) = steps.next().await {
        step?;
    }
    Ok(())
}
