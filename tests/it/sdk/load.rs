//! Many calls at once, and calls that are given up.

use std::sync::Arc;
use std::time::Duration;

use anchorbrowser::Client;
use anchorbrowser_emulator::Emulator;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::KEY;
use crate::server::{Answer, Server};

/// 200 tasks that create, read and end a session, all by one client.
async fn crowd(limit: Option<usize>) -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let mut builder = Client::builder().base_url(emulator.base_url()).api_key(KEY);
    if let Some(limit) = limit {
        builder = builder.concurrency_limit(limit);
    }
    let client = builder.build()?;
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let client = client.clone();
        tasks.spawn(async move {
            let session = client
                .sessions()
                .create()
                .tag(format!("n{number}"))
                .send()
                .await?;
            let tags = session.tags().await?;
            session.end().await?;
            Ok::<_, anchorbrowser::Error>((number, tags))
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (number, tags) = done??;
        assert_eq!(tags, [format!("n{number}")]);
    }
    for operation in ["create_session", "get_session_tags", "delete_session"] {
        assert_eq!(emulator.count(operation)?, 200, "{operation}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_at_once_on_many_threads() -> anyhow::Result<()> {
    crowd(None).await
}

#[tokio::test]
async fn two_hundred_calls_at_once_on_one_thread_ten_at_a_time() -> anyhow::Result<()> {
    crowd(Some(10)).await
}

#[tokio::test]
async fn a_dropped_call_hangs_up() -> anyhow::Result<()> {
    let closed = Arc::new(Notify::new());
    let server = Server::always(Answer::until_closed(closed.clone())).await;
    let client = Client::builder()
        .base_url(server.url())
        .api_key(KEY)
        .build()?;
    let call = tokio::spawn(async move { client.session("s").info().await });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    call.abort();
    closed.notified().await;
    assert_eq!(server.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn ending_a_session_waits_for_no_turn() -> anyhow::Result<()> {
    let held = Arc::new(Notify::new());
    let wait = held.clone();
    let server = Server::start(move |request| match &*request.method {
        "DELETE" => Answer::json(200, "{}"),
        _ => Answer::raw("")
            .wait(wait.clone())
            .then("HTTP/1.1 200 OK\r\n\r\n{\"data\":{}}"),
    });
    let server = server.await;
    let builder = Client::builder().base_url(server.url()).api_key(KEY);
    let client = builder
        .concurrency_limit(1)
        .attempt_timeout(Duration::from_secs(20))
        .build()?;
    let first = tokio::spawn(client.session("a").info().with_meta());
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    client.session("b").end().await?;
    held.notify_one();
    first.await?.ok();
    assert_eq!(server.requests().len(), 2);
    Ok(())
}
