//! Sessions that are kept from their idle timeout.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anchorbrowser::poll::{Fixed, PollSchedule, PollState, Polled};
use anchorbrowser::{Client, RetryPolicy, Session};
use serde_json::json;
use tokio::sync::Notify;

use super::super::KEY;
use super::peer::{Browser, ID, Peer, soon, until};
use crate::server::{Answer, Server};

/// A browser that counts who is connected, and drops the first so many at once.
async fn counting(dropped: usize) -> (Browser, Arc<AtomicUsize>) {
    let open = Arc::new(AtomicUsize::new(0));
    let count = open.clone();
    let browser = Browser::start(move |peer: Peer, number| {
        let count = count.clone();
        async move {
            if number >= dropped {
                count.fetch_add(1, Ordering::SeqCst);
                peer.answer_all(|_| json!({})).await;
                count.fetch_sub(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    (browser, open)
}

/// A session of this service, whose browser is elsewhere.
async fn session_of(service: &Server) -> Session {
    let client = Client::builder().base_url(service.url()).api_key(KEY);
    let retry = RetryPolicy::new(0).backoff(Duration::from_millis(1), Duration::from_millis(2));
    let client = client.retry(retry).build().unwrap();
    client.sessions().create().send().await.unwrap()
}

/// A service that creates one session at this browser, and runs its task when it is told to.
async fn service(browser_url: String, run: Arc<Notify>) -> Server {
    Server::start(move |request| match request.target.as_str() {
        "/v1/sessions" => {
            let data = json!({ "id": ID, "cdp_url": browser_url, "live_view_url": "https://x" });
            Answer::json(200, json!({ "data": data }).to_string())
        }
        _ => Answer::raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            .wait(run.clone())
            .then("connection: close\r\n\r\n{\"data\":{\"result\":\"done\"}}"),
    })
    .await
}

#[tokio::test]
async fn a_connection_is_held_until_the_guard_is_dropped() -> anyhow::Result<()> {
    let (browser, open) = counting(0).await;
    let alive = browser.session().keep_alive();
    assert!(soon(alive.attached()).await && alive.is_attached());
    until(|| open.load(Ordering::SeqCst) == 1).await;
    drop(alive);
    until(|| open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(browser.handshakes().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_lost_is_made_again() -> anyhow::Result<()> {
    let (browser, open) = counting(3).await;
    let service = service(browser.url(), Arc::default()).await;
    let alive = session_of(&service).await.keep_alive();
    until(|| open.load(Ordering::SeqCst) == 1).await;
    assert_eq!(browser.handshakes().len(), 4);
    until(|| alive.is_attached()).await;
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_given_up() -> anyhow::Result<()> {
    let server = Server::always(Answer::json(404, r#"{"error":{"message":"no session"}}"#)).await;
    let client = Client::builder()
        .base_url(server.url())
        .api_key(KEY)
        .build()?;
    let alive = client.session(ID).keep_alive();
    assert!(!soon(alive.attached()).await && !alive.is_attached());
    assert_eq!(server.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_task_that_is_run_keeps_its_session_alive() -> anyhow::Result<()> {
    let (browser, open) = counting(0).await;
    let run = Arc::new(Notify::new());
    let service = service(browser.url(), run.clone()).await;
    let session = session_of(&service).await;
    let task = tokio::spawn(session.agent().task("Buy a hat.").run());
    until(|| open.load(Ordering::SeqCst) == 1).await;
    run.notify_one();
    soon(task).await??;
    until(|| open.load(Ordering::SeqCst) == 0).await;

    run.notify_one();
    let task = session.agent().task("Buy a hat.").keep_alive(false);
    soon(task.run()).await?;
    assert_eq!(browser.handshakes().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_task_is_run_also_if_its_session_cannot_be_kept_alive() -> anyhow::Result<()> {
    let run = Arc::new(Notify::new());
    run.notify_one();
    let service = service("ws://127.0.0.1:1/".to_owned(), run).await;
    let session = session_of(&service).await;
    soon(session.agent().task("Buy a hat.").run()).await?;
    Ok(())
}

/// A service whose runs are over when somebody is connected to this browser.
async fn runs(browser_url: String, open: Arc<AtomicUsize>) -> Server {
    Server::start(move |request| {
        let data = match (request.method.as_str(), request.target.as_str()) {
            ("POST", "/v1/sessions") => {
                json!({ "id": ID, "cdp_url": browser_url, "live_view_url": "https://x" })
            }
            ("POST", _) => json!({ "workflow_id": "w1", "status": "RUNNING" }),
            _ if open.load(Ordering::SeqCst) == 1 => {
                json!({ "status": "COMPLETED", "result": "done" })
            }
            _ => json!({ "status": "RUNNING" }),
        };
        Answer::json(200, json!({ "data": data }).to_string())
    })
    .await
}

#[tokio::test]
async fn a_task_that_is_waited_for_keeps_its_session_alive() -> anyhow::Result<()> {
    let (browser, open) = counting(0).await;
    let service = runs(browser.url(), open.clone()).await;
    let session = session_of(&service).await;
    let task = session.agent().task("Buy a hat.").start().await?;
    assert_eq!(browser.handshakes().len(), 0);
    let mut wait = task.wait().schedule(Fixed(Duration::from_millis(1)));
    while let Polled::Progress(_) = soon(wait.next()).await.unwrap()? {}
    // At the end of the run, not of the poller.
    until(|| open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(browser.handshakes().len(), 1);
    drop(wait);
    Ok(())
}

#[tokio::test]
async fn a_session_is_kept_alive_before_the_first_poll() -> anyhow::Result<()> {
    struct Late;
    impl PollSchedule for Late {
        fn pause(&self, _: &PollState) -> Duration {
            Duration::from_secs(3600)
        }
    }
    let (browser, open) = counting(0).await;
    let service = runs(browser.url(), open.clone()).await;
    let session = session_of(&service).await;
    let task = session.agent().task("Buy a hat.").start().await?;
    let wait = tokio::spawn(task.wait().schedule(Late).into_future());
    until(|| open.load(Ordering::SeqCst) == 1).await;
    wait.abort();
    until(|| open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(service.requests().len(), 2);
    Ok(())
}
