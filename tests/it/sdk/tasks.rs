//! Tasks: generated, and run.

use std::time::Duration;

use anchorbrowser::tasks::{
    GenerateTask, GenerationStatus, Parameter, ParameterKind, RunStatus, RunTask,
};
use anchorbrowser::{Client, TaskId};
use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::json;

use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.tasks().generate("find-price", "Find the price.").send(),
        client.tasks().generation_status(ID),
        client.tasks().run(ID).send(),
        client.tasks().run_status(ID),
    )
}

/// Generates a task that gives a price.
async fn generated(emulator: &Emulator, client: &Client) -> anyhow::Result<TaskId> {
    let price = Parameter::new("price", ParameterKind::Number);
    let task = client.tasks().generate("find-price", "Find the price.");
    let generation = task.output(price).send().await?;
    assert_eq!(generation.status, GenerationStatus::Generating);
    assert!(generation.task_version_id.is_some() && generation.project_id.is_some());
    let state = client.tasks().generation_status(&generation.id).await?;
    assert_eq!(state.status, GenerationStatus::Generating);
    emulator.advance(Duration::from_secs(5))?;
    let state = client.tasks().generation_status(&generation.id).await?;
    assert_eq!(
        (&state.id, state.status),
        (&generation.id, GenerationStatus::Ready)
    );
    Ok(generation.id)
}

#[tokio::test]
async fn a_task_is_generated_and_run() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let task = generated(&emulator, &client).await?;

    let run = client.tasks().run(&task).send().await?;
    assert_eq!(run.status, RunStatus::Queued);
    emulator.advance(Duration::from_secs(5))?;
    let run = client.tasks().run_status(&run.id).await?;
    assert_eq!(run.status, RunStatus::Success);
    assert!(run.result["price"].is_number() && run.session_id.is_some());
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_waited_for_may_fail_without_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let task = generated(&emulator, &client).await?;

    emulator.script(AgentScript::failed("no such button"))?;
    let run = tokio::spawn(client.tasks().run(&task).sync(true).send());
    emulator.wait_for("run_task", 1).await?;
    emulator.advance(Duration::from_secs(5))?;
    let run = run.await??;
    assert_eq!(run.status, RunStatus::Failure);
    assert_eq!(run.error.as_deref(), Some("no such button"));
    Ok(())
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    assert!(
        client
            .tasks()
            .run(ID)
            .send()
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        client
            .tasks()
            .run_status(ID)
            .await
            .unwrap_err()
            .is_not_found()
    );
    let state = client.tasks().generation_status(ID).await;
    assert!(state.unwrap_err().is_not_found());
    Ok(())
}

fn all_of_generate(client: &Client) -> GenerateTask {
    let card = Parameter::new("card", ParameterKind::Secret).required(false);
    let card = card.description("of the buyer").default_value("canary");
    let colour = Parameter::new("colour", ParameterKind::String).options(["red", "blue"]);
    let task = client
        .tasks()
        .generate("buy", "Buy a hat.")
        .description("hats");
    let task = task.application(ID).identity("i").session("s");
    let task = task.input(card).input(colour);
    let task = task.output(Parameter::new("price", ParameterKind::Number));
    let task = task
        .output_file_only(true)
        .human_intervention(true)
        .sync(true);
    let configuration = json!({ "session": { "tags": ["canary"] } });
    task.browser_configuration(configuration.as_object().cloned().unwrap_or_default())
}

fn all_of_run(client: &Client) -> RunTask {
    let run = client.tasks().run(ID).input("card", "canary").sync(true);
    let run = run.identity("i").identity_skip_validation(false);
    run.session("s").cleanup_sessions(false)
}

#[tokio::test]
async fn each_argument_is_sent() -> anyhow::Result<()> {
    let emulator = Emulator::builder().stateless(true).start().await?;
    let client = super::client(&emulator);
    all_of_generate(&client).send().await?;
    assert_eq!(
        emulator.exchanges_of("generate_task")?[0].json(),
        json!({
            "taskName": "buy", "taskPrompt": "Buy a hat.", "description": "hats", "async": false,
            "application_id": ID, "identity_id": "i", "browser_session_id": "s",
            "input_schema": [
                {
                    "name": "card", "type": "secret", "required": false,
                    "description": "of the buyer", "defaultValue": "canary",
                },
                { "name": "colour", "type": "string", "options": ["red", "blue"] },
            ],
            "output_schema": [{ "name": "price", "type": "number" }],
            "output_file_only": true, "human_intervention": true,
            "task_browser_default_configuration": { "session": { "tags": ["canary"] } },
        })
    );
    all_of_run(&client).send().await?;
    assert_eq!(
        emulator.exchanges_of("run_task")?[0].json(),
        json!({
            "input_params": { "card": "canary" }, "identity_id": "i", "session_id": "s",
            "identity_skip_validation": false, "cleanup_sessions": false, "sync": true,
        })
    );
    Ok(())
}

#[test]
fn no_secret_is_printed() -> anyhow::Result<()> {
    let client = Client::new(super::KEY)?;
    for printed in [
        format!("{:?}", all_of_generate(&client)),
        format!("{:?}", all_of_run(&client)),
        format!(
            "{:?}",
            Parameter::new("a", ParameterKind::Secret).default_value("canary")
        ),
    ] {
        assert!(!printed.contains("canary"), "{printed}");
    }
    Ok(())
}
