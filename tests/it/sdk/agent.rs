//! Agents: tasks, runs, files, questions to people.

mod interventions;
mod live;
mod places;
mod tasks;

use anchorbrowser::agent::AgentTask;
use anchorbrowser::{Client, Upload};
use anchorbrowser_emulator::Emulator;
use serde_json::json;
use std::time::Duration;

use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.agent().task("Buy a hat.").run(),
        client.agent().running("w").status(),
        client.agent().pending_interventions().send(),
        client.session(ID).agent().task("Buy a hat.").run(),
        client.session(ID).agent().upload(Upload::bytes("a.csv", "a,b\n")),
        client.session(ID).agent().files().send(),
        client.session(ID).agent().pause(),
        client.session(ID).agent().resume(),
        client.session(ID).agent().interventions().send(),
        client.session(ID).agent().respond(true).send(),
    )
}

/// A task with all that the document lets it have.
fn all_of_task(client: &Client) -> AgentTask {
    use anchorbrowser::agent::{AgentKind, Provider};
    let task = client.agent().task("Buy a hat.").url("https://example.com");
    let task = task.session(ID).agent(AgentKind::BrowserUse);
    let task = task.provider(Provider::Azure).model("big").max_steps(7);
    let task = task.llm_timeout(Duration::from_millis(30_001));
    let task = task.human_intervention(true).detect_elements(false);
    let task = task.highlight_elements(true).secret_value("PIN", "canary");
    task.output_schema(json!({ "type": "object" }))
}

#[tokio::test]
async fn each_argument_of_a_task_is_sent() -> anyhow::Result<()> {
    let emulator = Emulator::builder().stateless(true).start().await?;
    all_of_task(&super::client(&emulator)).run().await?;
    let sent = &emulator.exchanges_of("perform_web_task")?[0];
    assert_eq!(sent.query, Some(format!("sessionId={ID}")));
    assert_eq!(
        sent.json(),
        json!({
            "prompt": "Buy a hat.", "url": "https://example.com", "agent": "browser-use",
            "provider": "azure", "model": "big", "max_steps": 7, "llm_timeout": 31,
            "human_intervention": true, "detect_elements": false, "highlight_elements": true,
            "secret_values": { "PIN": "canary" }, "output_schema": { "type": "object" },
        })
    );
    Ok(())
}

#[test]
fn no_secret_is_printed() -> anyhow::Result<()> {
    let client = Client::new(super::KEY)?;
    let session = client.session(ID);
    for printed in [
        format!("{:?}", all_of_task(&client)),
        format!("{:?}", session.agent().respond("canary")),
        format!("{session:?} {:?}", client.agent().running("w")),
    ] {
        assert!(!printed.contains("canary"), "{printed}");
    }
    Ok(())
}

#[tokio::test]
async fn the_agent_gets_files() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    assert!(session.agent().files().send().await?.items.is_empty());
    session
        .agent()
        .upload(Upload::bytes("list.csv", "a,b\n"))
        .await?;
    let files = session.agent().files().send().await?.items;
    assert_eq!(files.len(), 1);
    assert_eq!(
        (files[0].name.as_str(), files[0].size),
        ("list.csv", Some(4))
    );
    assert!(files[0].last_modified.is_some());
    Ok(())
}
