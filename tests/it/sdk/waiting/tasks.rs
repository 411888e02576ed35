//! Tasks: generated, and run.

use std::time::Duration;

use anchorbrowser::poll::PollKind;
use anchorbrowser::tasks::{GenerationStatus, RunStatus, TaskRun};
use anchorbrowser::tasks_legacy::ExecutionStatus;
use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::json;

use super::{Means, both, meanings, patient, quick};
use crate::sdk::methods::ID;

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_task_is_generated_and_run() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let tasks = client.tasks();
    let task = tasks
        .generate("find-price", "Find the price.")
        .send()
        .await?
        .id;
    let unknown = json!({ "id": task.as_str(), "status": "thinking" });
    let wait = tasks.wait_for_generation(&task);
    let [generation, _] = both(&emulator, wait, unknown, LONG).await?;
    assert_eq!(
        (&generation.id, generation.status),
        (&task, GenerationStatus::Ready)
    );

    let run = tasks.run(&task).send().await?.id;
    let unknown = json!({ "run_id": run.as_str(), "status": "thinking" });
    let [ended, other] = both(&emulator, tasks.wait_for_run(&run), unknown, LONG).await?;
    assert_eq!((&ended.id, ended.status), (&run, RunStatus::Success));
    assert_eq!(ended.result, other.result);
    Ok(())
}

#[tokio::test]
async fn a_legacy_run_is_waited_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let tasks = client.tasks_legacy();
    let task = tasks.create("a").code("x").send().await?;
    let run = tasks.run_version(&task.id, "draft").start().await?;
    let unknown = json!({ "data": { "id": run.execution_id.as_str(), "status": "thinking" } });
    let [ended, _] = both(&emulator, run.wait(), unknown, LONG).await?;
    assert_eq!(ended.id, run.execution_id);
    assert_eq!(ended.status, Some(ExecutionStatus::Success));

    emulator.script(AgentScript::failed("no such button"))?;
    let run = tasks.run_version(&task.id, "draft").start().await?;
    emulator.advance(LONG)?;
    let wait = tasks.wait_for_execution(&task.id, &run.execution_id);
    let error = wait.await.unwrap_err();
    assert_eq!(error.message().as_deref(), Some("no such button"));
    Ok(())
}

#[tokio::test]
async fn each_state_of_a_generation_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let state = |state: &str| json!({ "id": ID, "status": state, "error": "too vague" });
    let answers = [
        (state("generating"), "generating", Means::Progress),
        (
            state("waiting-for-session"),
            "waiting-for-session",
            Means::Progress,
        ),
        (state("thinking"), "thinking", Means::Progress),
        (state("ready"), "ready", Means::Done),
        (
            state("failed"),
            "failed",
            Means::Failed("the generation of a task ended as `failed`: too vague"),
        ),
    ];
    meanings(
        &emulator,
        || client.tasks().wait_for_generation(ID),
        &answers,
    )
    .await
}

#[tokio::test]
async fn each_state_of_a_run_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let words = [
        ("queued", Means::Progress),
        ("running", Means::Progress),
        ("thinking", Means::Progress),
        ("success", Means::Done),
        (
            "failure",
            Means::Failed("ended as `failure`: no such button"),
        ),
        (
            "timeout",
            Means::Failed("ended as `timeout`: no such button"),
        ),
        (
            "cancelled",
            Means::Failed("ended as `cancelled`: no such button"),
        ),
    ];
    let why = "no such button";
    let run = |state: &str| json!({ "run_id": ID, "status": state, "error": why });
    let answers = words.map(|(state, means)| (run(state), state, means));
    meanings(&emulator, || client.tasks().wait_for_run(ID), &answers).await?;

    let run = |state: &str| json!({ "data": { "id": ID, "status": state, "errorMessage": why } });
    let answers = words.map(|(state, means)| (run(state), state, means));
    let wait = || client.tasks_legacy().wait_for_execution(ID, ID);
    meanings(&emulator, wait, &answers).await
}

#[tokio::test]
async fn what_does_not_exist_is_not_waited_for() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let run = client.tasks().wait_for_run(ID).await.unwrap_err();
    let task = client.tasks().wait_for_generation(ID).await.unwrap_err();
    let legacy = client.tasks_legacy().wait_for_execution(ID, ID);
    for error in [run, task, legacy.await.unwrap_err()] {
        assert!(error.is_not_found(), "{error}");
    }
    assert_eq!(emulator.exchanges().len(), 3, "it is asked once");
    Ok(())
}

#[tokio::test]
async fn a_token_is_for_its_type() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let token = client.tasks().wait_for_generation(ID).token();
    assert_eq!(token.kind(), PollKind::TaskGeneration);
    let error = client.resume::<TaskRun>(&token).unwrap_err();
    assert!(error.to_string().contains("name the type"), "{error}");
    Ok(())
}
