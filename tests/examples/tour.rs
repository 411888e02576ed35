//! A tour of the API against the emulator: no account, no key, nothing to install.
//!
//! `cargo run -p tests --example tour`

use std::error::Error;
use std::time::Duration;

use anchorbrowser_api::{ByteStream, Client, types};
use anchorbrowser_emulator::{AgentScript, Emulator, Fault};
use serde_json::json;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let emulator = Emulator::builder()
        .failures(|failures| failures.batch_items = vec![3])
        .start()
        .await?;
    println!("The emulator listens on {}.\n", emulator.base_url());
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_key("any-key")
        .build()?;

    session(&client).await?;
    agent(&client, &emulator).await?;
    batch(&client).await?;
    fault(&client, &emulator).await?;

    let billing = client.get_billing().send().await?.into_inner();
    let used = billing.data.and_then(|data| data.credits_used);
    println!(
        "All this used {:.2} credits of nobody.",
        used.unwrap_or_default()
    );
    emulator.shutdown().await;
    Ok(())
}

/// Polls until `done` gives something, for ten seconds at most.
async fn poll<T>(mut done: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..200 {
        if let Some(value) = done().await? {
            return Ok(value);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("ten seconds were not enough".into())
}

/// Reads to the end.
async fn length(mut bytes: ByteStream) -> Result<usize> {
    let mut length = 0;
    while let Some(chunk) = bytes.chunk().await? {
        length += chunk.len();
    }
    Ok(length)
}

/// Starts a session in the background, uses it, ends it.
async fn session(client: &Client) -> Result<()> {
    let request = client.create_session_async().send().await?.into_inner();
    let request = request
        .data
        .and_then(|data| data.request_id)
        .ok_or("no request id")?;
    let mut phases = Vec::new();
    let id = poll(async || {
        let status = client
            .get_async_session_status()
            .request_id(&*request)
            .send()
            .await?;
        let status = status.into_inner().data.unwrap_or_default();
        let phase = status.progress.and_then(|progress| progress.current_phase);
        let phase = phase.map(|phase| phase.to_string()).unwrap_or_default();
        if phases.last() != Some(&phase) {
            phases.push(phase);
        }
        let ready = status.status == Some(types::AsyncSessionStatus::Ready);
        Ok(status
            .session
            .filter(|_| ready)
            .and_then(|session| session.session_id))
    })
    .await?;
    println!("A session went through {}.", phases.join(", "));

    let page = types::NavigateRequestSchema::new("https://example.com/");
    client.goto().session_id(&*id).body(page).send().await?;
    let screenshot = client
        .get_session_screenshot()
        .session_id(&*id)
        .send()
        .await?;
    println!(
        "It opened a page; a screenshot has {} bytes.",
        length(screenshot.into_inner()).await?
    );
    client.delete_session().session_id(&*id).send().await?;
    let bytes = poll(async || {
        match client
            .fetch_primary_recording()
            .session_id(&*id)
            .send()
            .await
        {
            Ok(recording) => Ok(Some(length(recording.into_inner()).await?)),
            // It is ready shortly after the end.
            Err(error) if error.status().is_some_and(|status| status == 404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    println!("It was ended; its recording has {bytes} bytes.\n");
    Ok(())
}

/// Has an agent do something, and waits for its result.
async fn agent(client: &Client, emulator: &Emulator) -> Result<()> {
    emulator.script(AgentScript::completed(json!({ "title": "Example Domain" })))?;
    let task = types::PerformWebTaskRequestSchema {
        async_: Some(true),
        ..types::PerformWebTaskRequestSchema::new("What is the title of this page?")
    };
    let started = client
        .perform_web_task()
        .body(task)
        .send()
        .await?
        .into_inner();
    let Some(types::PerformWebTaskResponseSchemaData::Running(started)) = started.data else {
        return Err("the task was not started".into());
    };
    let workflow = started.workflow_id.ok_or("no workflow id")?;
    let result = poll(async || {
        let status = client
            .get_perform_web_task_status()
            .workflow_id(&*workflow)
            .send()
            .await?;
        Ok(match status.into_inner().data {
            Some(types::PerformWebTaskStatusResponseSchemaData::Completed(done)) => done.result,
            _ => None,
        })
    })
    .await?;
    println!("An agent was asked for a title, and found {result}.\n");
    Ok(())
}

/// Opens five sessions at once, one of which fails, and retries that one.
async fn batch(client: &Client) -> Result<()> {
    let request = types::BatchSessionRequestSchema::new(5);
    let batch = client
        .create_batch_session()
        .body(request)
        .send()
        .await?
        .into_inner();
    let id = batch
        .data
        .and_then(|data| data.batch_id)
        .ok_or("no batch id")?;
    let ended = async || {
        poll(async || {
            let batch = client.get_batch_session().batch_id(&*id).send().await?;
            let batch = batch.into_inner().data.unwrap_or_default();
            Ok(Some(batch).filter(|batch| batch.actual_completion_time.is_some()))
        })
        .await
    };
    let show = |batch: types::BatchSessionStatusResponseSchema| {
        let count = Option::unwrap_or_default;
        println!(
            "A batch: {} sessions run, {} failed.",
            count(batch.completed_requests),
            count(batch.failed_requests)
        );
    };
    show(ended().await?);
    let retry = types::BatchSessionRetryRequestSchema::default();
    client
        .retry_batch_session()
        .batch_id(&*id)
        .body(retry)
        .send()
        .await?;
    show(ended().await?);
    client.delete_batch_session().batch_id(&*id).send().await?;
    println!("It was deleted.\n");
    Ok(())
}

/// Shows an error as the service would give it.
async fn fault(client: &Client, emulator: &Emulator) -> Result<()> {
    emulator.fault(
        Fault::status(429)
            .header("Retry-After", "2")
            .on("create_session"),
    )?;
    if let Err(error) = client.create_session().send().await {
        println!("A scripted fault: {error}.");
    }
    println!("{} requests were recorded.\n", emulator.exchanges().len());
    Ok(())
}
