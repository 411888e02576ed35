//! Over which connections calls go: those of their own runtime, and by the client's proxy.

use std::sync::Arc;
use std::time::Duration;

use anchorbrowser::{Client, RetryPolicy};
use anchorbrowser_emulator::{Emulator, Fault};
use tokio::runtime::Runtime;

use super::KEY;
use crate::server::{Answer, Server};

/// A runtime that does nothing unless it is told to.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// A client whose calls fail where they would wait for a connection that stands still.
fn client(emulator: &Emulator) -> Client {
    Client::builder()
        .base_url(emulator.base_url())
        .api_key(KEY)
        .attempt_timeout(Duration::from_secs(5))
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

/// The creation goes on in the background, and so must its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_outlives_the_runtime_that_gave_it_up() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let minute = Duration::from_secs(60);
    emulator.fault(Fault::delay(minute).on("create_session"))?;
    let client = client(&emulator);
    let (caller, (sender, gone)) = (client.clone(), tokio::sync::oneshot::channel());
    let (cancel, cancelled) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = runtime();
        runtime.block_on(async {
            // This connection is free then.
            caller.sessions().list().send().await.unwrap();
            let create = caller.sessions().create().send_owned();
            let cancel = async { cancelled.await.unwrap() };
            assert!(
                create
                    .cancelled_by(cancel)
                    .await
                    .unwrap_err()
                    .is_cancelled()
            );
        });
        drop(runtime);
        sender.send(()).unwrap();
    });
    emulator.wait_for("create_session", 1).await?;
    cancel.send(()).unwrap();
    gone.await?;
    emulator.advance(minute)?;
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await?;
    client.sessions().drained().await;
    assert_eq!(emulator.count("delete_session")?, 1);
    Ok(())
}

/// Neither the end of a guard nor a blocking call waits for a runtime that stands still.
#[tokio::test(flavor = "multi_thread")]
async fn the_background_needs_no_runtime_of_the_callers() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let thread = std::thread::spawn(move || {
        let runtime = runtime();
        let session = runtime.block_on(async {
            client.sessions().list().send().await.unwrap();
            client.sessions().create().send_owned().await.unwrap()
        });
        client.sessions().list().send().blocking().unwrap();
        drop(session);
        runtime.block_on(client.sessions().drained());
        drop(runtime);
    });
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await?;
    // Once, and not again after a limit.
    assert_eq!(emulator.count("delete_session")?, 1);
    Ok(())
}

#[tokio::test]
async fn steps_come_by_the_proxy_of_the_client() -> anyhow::Result<()> {
    let proxy = Server::always(Answer::json(403, r#"{"error":"not here"}"#)).await;
    let builder = Client::builder()
        .base_url("http://api.invalid")
        .api_key(KEY);
    let client = builder.proxy(proxy.url()).build()?;
    let error = client.session("s").agent().steps().await.unwrap_err();
    assert_eq!(error.to_string(), "agent_steps: 403 Forbidden: not here");
    assert_eq!(proxy.request().target, "http://api.invalid/ws?sessionId=s");
    Ok(())
}

#[tokio::test]
async fn opening_the_steps_ends_with_the_limit_of_an_operation() -> anyhow::Result<()> {
    let server = Server::always(Answer::until_closed(Arc::default())).await;
    let builder = Client::builder().base_url(server.url()).api_key(KEY);
    let client = builder
        .operation_timeout(Duration::from_millis(200))
        .build()?;
    let steps = client.session("s").agent().steps();
    let steps = tokio::time::timeout(Duration::from_secs(10), steps.into_future()).await;
    assert!(steps?.unwrap_err().is_timeout());
    Ok(())
}
