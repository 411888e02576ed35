//! Limits: of time, of an attempt, of an operation, of what stands still; and of calls at once.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::types::*;
use anchorbrowser_api::{Class, Client, Error, ErrorKind, Needs, Policy};
use bytes::Bytes;
use futures_core::Stream;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::attempts::quick;
use crate::server::{Answer, Server};

/// Long enough for a slow machine: only a fault takes so long.
const NEVER: Duration = Duration::from_secs(60);
/// A limit that passes in a test.
const SOON: Duration = Duration::from_millis(300);

/// What a test waits for, unless it never comes.
async fn within<F: Future>(work: F) -> F::Output {
    timeout(NEVER, work).await.expect("it takes too long")
}

/// An answer that never comes.
fn silence() -> Answer {
    Answer::until_closed(Arc::default())
}

fn attempt_limit(limit: Duration) -> Policy {
    Policy {
        attempt_timeout: Some(limit),
        ..quick()
    }
}

fn operation_limit(limit: Duration) -> Policy {
    Policy {
        operation_timeout: Some(limit),
        ..quick()
    }
}

/// Waits for as long as a limit of [`SOON`] that begins now.
async fn soon() {
    let server = Server::always(silence()).await;
    let mut policy = attempt_limit(SOON);
    policy.retry.max_retries = 0;
    let client = server.client().with_policy(policy);
    assert!(
        client
            .list_sessions()
            .send()
            .await
            .unwrap_err()
            .is_timeout()
    );
}

#[tokio::test]
async fn the_limit_of_an_attempt_is_repeated_only_if_that_is_harmless() {
    for (class, expected) in [(Class::Read, 3), (Class::Repeatable, 3), (Class::Once, 1)] {
        let closed = Arc::new(Notify::new());
        let server = Server::always(Answer::until_closed(closed.clone())).await;
        let client = server.client().with_policy(attempt_limit(SOON));
        let request = client.request(Method::POST, "/v1/any").class(class);
        let error = request.json_value().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Timeout, expected)
        );
        assert_eq!(server.requests().len(), expected as usize);
        assert!(error.is_timeout() && !error.is_operation_timeout());
        assert!(error.may_have_been_processed());
        let text = "request: no answer within the attempt's limit of 300 ms; \
                    the request may have been processed";
        assert!(error.to_string().starts_with(text), "{error}");
        within(closed.notified()).await;
    }
}

#[tokio::test]
async fn the_limit_of_an_attempt_holds_for_the_whole_of_a_json_body() {
    for status in [200, 400] {
        let answer =
            Answer::chunked(status, &[("x-kept", "1")], b"{\"a").then_closed(Arc::default());
        let server = Server::always(answer).await;
        let client = server.client().with_policy(attempt_limit(SOON));
        let error = client.create_session().send().await.unwrap_err();
        let kind = if status == 200 {
            ErrorKind::Timeout
        } else {
            ErrorKind::Status
        };
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (kind, status)
        );
        assert_eq!(error.body().unwrap(), "{\"a");
        assert_eq!(error.headers().unwrap()["x-kept"], "1");
        let text = "only the first 3 bytes of the body came within the attempt's limit of 300 ms";
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn a_stream_is_limited_by_its_head_and_then_by_standing_still() {
    let answer = Answer::chunked(200, &[], b"first").then_closed(Arc::default());
    let server = Server::always(answer).await;
    let policy = Policy {
        idle_timeout: Some(SOON),
        ..attempt_limit(NEVER)
    };
    let client = server.client().with_policy(policy);
    let image = client.get_session_screenshot().session_id("s").send();
    let mut image = image.await.unwrap();
    assert_eq!(image.chunk().await.unwrap().unwrap(), "first");
    let error = image.chunk().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_timeout()),
        (ErrorKind::Timeout, true)
    );
    assert_eq!(
        (error.status().unwrap().as_u16(), error.attempts()),
        (200, 1)
    );
    assert!(error.elapsed() >= SOON);
    let text = "get_session_screenshot: 200 OK: no byte of the body came for 300 ms";
    assert_eq!(error.to_string(), text);
    assert!(image.chunk().await.unwrap().is_none());

    // The limit of the attempt ends with the head.
    let go = Arc::new(Notify::new());
    let answer = Answer::chunked(200, &[], b"first").wait(go.clone());
    let server = Server::always(answer.then(crate::server::CHUNKS_END)).await;
    let client = server.client().with_policy(attempt_limit(SOON));
    let image = client.get_session_screenshot().session_id("s").send();
    let mut image = image.await.unwrap();
    soon().await;
    go.notify_one();
    assert_eq!(image.chunk().await.unwrap().unwrap(), "first");
    assert!(image.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn what_an_operation_needs_puts_the_limit_of_an_attempt_off() {
    let longer = |operation: &anchorbrowser_api::Operation| Needs {
        at_least: (operation.id == "create_session").then_some(NEVER),
        ..Needs::default()
    };
    let unlimited = Needs {
        unlimited: true,
        ..Needs::default()
    };
    let (tell, mut arrived) = unbounded_channel();
    let go = Arc::new(Notify::new());
    let answer = Answer::raw("").wait(go.clone());
    let answer = answer.then("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    let server = Server::start(move |_| {
        tell.send(()).unwrap();
        answer.clone()
    })
    .await;
    let policy = Policy {
        needs: longer,
        ..attempt_limit(SOON)
    };
    let client = server.client().with_policy(policy);
    for client in [client.clone(), client.with_needs(unlimited)] {
        let call = tokio::spawn(async move { client.create_session().send().await.map(|_| ()) });
        within(arrived.recv()).await.unwrap();
        soon().await;
        go.notify_one();
        within(call).await.unwrap().unwrap();
    }
    let error = client.create_session_async().send().await;
    assert!(error.unwrap_err().is_timeout());
}

#[tokio::test]
async fn the_limit_of_an_operation_bounds_all_its_attempts() {
    let server = Server::always(silence()).await;
    let unlimited = Needs {
        unlimited: true,
        at_least: Some(NEVER),
        ..Needs::default()
    };
    let client = server
        .client()
        .with_policy(operation_limit(SOON))
        .with_needs(unlimited);
    let error = client.list_sessions().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
    assert!(error.is_timeout() && error.is_operation_timeout() && error.may_have_been_processed());
    assert_eq!(
        error.to_string(),
        "list_sessions: the operation's limit of 300 ms passed in the first attempt; \
         the request may have been processed"
    );

    let answers = [Answer::json(500, r#"{"error":"first"}"#), silence()];
    let server = Server::list(answers).await;
    let client = server.client().with_policy(operation_limit(2 * SOON));
    let error = client.list_sessions().send().await.unwrap_err();
    assert!(error.is_operation_timeout(), "{error}");
    assert_eq!(
        error.to_string(),
        "list_sessions: the operation's limit of 600 ms passed after 2 attempts; \
         last: 500 Internal Server Error: first"
    );
    assert_eq!(
        (error.attempts(), error.status().unwrap().as_u16()),
        (2, 500)
    );
    assert_eq!(error.body().unwrap(), r#"{"error":"first"}"#);
    let last: &Error = error.source().unwrap().downcast_ref().unwrap();
    assert_eq!((last.kind(), last.is_timeout()), (ErrorKind::Status, false));
}

#[tokio::test]
async fn the_limit_of_an_operation_keeps_what_came_of_the_answer() {
    let answer = Answer::chunked(200, &[], b"{\"a").then_closed(Arc::default());
    let server = Server::always(answer).await;
    let client = server.client().with_policy(operation_limit(SOON));
    let error = client.list_sessions().send().await.unwrap_err();
    assert!(error.is_operation_timeout());
    assert_eq!(error.body().unwrap(), "{\"a");
    assert_eq!(error.status().unwrap(), 200);
}

/// A body that a test feeds.
struct Fed(UnboundedReceiver<Bytes>);

impl Stream for Fed {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(Ok))
    }
}

/// An upload of six bytes, fed by the sender.
fn upload(
    client: &Client,
) -> (
    UnboundedSender<Bytes>,
    impl Future<Output = Result<(), Error>> + use<>,
) {
    let (feed, fed) = unbounded_channel();
    let form = UploadSessionFileForm {
        file: FilePart::stream("a", Fed(fed), 6),
    };
    let client = client.clone();
    let call = async move {
        let upload = client.upload_session_file().session_id("s").body(form);
        upload.send().await.map(|_| ())
    };
    (feed, call)
}

#[tokio::test]
async fn an_upload_that_moves_has_time() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let policy = Policy {
        // Less than the whole upload takes.
        idle_timeout: Some(3 * SOON),
        ..attempt_limit(SOON)
    };
    let (feed, call) = upload(&server.client().with_policy(policy));
    let call = tokio::spawn(call);
    for chunk in ["ab", "c", "d", "ef"] {
        soon().await;
        feed.send(chunk.into()).unwrap();
    }
    drop(feed);
    within(call).await.unwrap().unwrap();
    assert!(server.request().text().contains("abcdef"));
}

#[tokio::test]
async fn a_long_body_is_an_upload_too() {
    // More than the buffers between client and server hold.
    let body = vec![b'x'; 32 << 20];
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        soon().await;
        let mut buffer = vec![0; 1 << 20];
        let mut left = 32 << 20;
        while left > 0 {
            let count = stream.read(&mut buffer).await.unwrap();
            let body = buffer[..count].iter().filter(|byte| **byte == b'x');
            left -= body.count();
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let mut policy = attempt_limit(SOON);
    policy.idle_timeout = Some(NEVER);
    policy.retry.max_retries = 0;
    let client = Client::builder().policy(policy).build().unwrap();
    let file = FilePart::bytes("a", body);
    client.upload_url(&base, &[], file).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn an_upload_that_stands_still_ends() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let policy = Policy {
        idle_timeout: Some(SOON),
        ..attempt_limit(NEVER)
    };
    let (feed, call) = upload(&server.client().with_policy(policy));
    feed.send("abc".into()).unwrap();
    let error = call.await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
    let text = "upload_session_file: the upload stood still for 300 ms; \
                the request may have been processed";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn the_limit_of_an_attempt_begins_when_the_upload_is_sent() {
    let server = Server::always(silence()).await;
    let policy = Policy {
        idle_timeout: Some(NEVER),
        ..attempt_limit(SOON)
    };
    let (feed, call) = upload(&server.client().with_policy(policy));
    feed.send("abcdef".into()).unwrap();
    drop(feed);
    let error = within(call).await.unwrap_err();
    assert!(
        error.to_string().contains("the attempt's limit of 300 ms"),
        "{error}"
    );
}

/// A server that tells of each request, and answers as many as it is let to.
async fn gated() -> (Server, UnboundedReceiver<()>, Arc<Notify>) {
    let (tell, arrived) = unbounded_channel();
    let go = Arc::new(Notify::new());
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";
    let answer = Answer::raw(head).wait(go.clone()).then("{}");
    let server = Server::start(move |_| {
        let _ = tell.send(());
        answer.clone()
    })
    .await;
    (server, arrived, go)
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_the_limit_lets() {
    let (server, mut arrived, go) = gated().await;
    let client = server.builder().concurrency_limit(2).build().unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..6 {
        // Clones share the limit.
        let client = client.with_policy(quick());
        calls.spawn(async move { client.list_sessions().send().await.map(|_| ()) });
    }
    within(arrived.recv()).await.unwrap();
    within(arrived.recv()).await.unwrap();
    let unqueued = client.with_needs(Needs {
        unqueued: true,
        ..Needs::default()
    });
    calls.spawn(async move { unqueued.get_billing().send().await.map(|_| ()) });
    within(arrived.recv()).await.unwrap();
    assert!(arrived.is_empty());

    // The limit of the operation counts while it waits.
    let limited = client.with_policy(operation_limit(SOON));
    let error = limited.list_sessions().send().await.unwrap_err();
    assert!(error.is_operation_timeout() && !error.may_have_been_processed());
    assert_eq!((error.attempts(), error.status()), (0, None));
    assert!(error.to_string().ends_with("nothing was sent"), "{error}");

    // The head alone frees no place: a JSON body is part of the attempt.
    assert!(arrived.is_empty());
    let mut done = 0;
    while done < 7 {
        go.notify_one();
        within(calls.join_next()).await.unwrap().unwrap().unwrap();
        done += 1;
        // At most two of those that queue, and the one that does not.
        assert!(server.requests().len() <= done + 3);
    }
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn a_stream_holds_no_place_and_neither_does_a_wait() {
    let server = Server::start(|request| match request.target.as_str() {
        "/v1/billing" => Answer::json(200, "{}"),
        "/v1/sessions" => Answer::new(429, &[("retry-after", "30")], ""),
        _ => Answer::chunked(200, &[], b"first").then_closed(Arc::default()),
    })
    .await;
    let builder = server.builder().concurrency_limit(1);
    let client = builder.policy(quick()).build().unwrap();
    let stream = client.get_session_screenshot().session_id("s").send();
    let stream = stream.await.unwrap();
    within(client.get_billing().send()).await.unwrap();
    drop(stream);

    let waits = client.clone();
    let waiting = tokio::spawn(async move { waits.list_sessions().send().await.map(|_| ()) });
    let began = tokio::time::Instant::now();
    while !server
        .requests()
        .iter()
        .any(|request| request.target == "/v1/sessions")
    {
        tokio::task::yield_now().await;
    }
    client.get_billing().send().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(20));
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_call_that_is_dropped_gives_its_place_back() {
    let (server, mut arrived, go) = gated().await;
    let policy = Policy {
        idle_timeout: Some(NEVER),
        operation_timeout: Some(NEVER),
        ..attempt_limit(NEVER)
    };
    let client = server
        .builder()
        .concurrency_limit(1)
        .policy(policy)
        .build()
        .unwrap();
    let start = |client: Client| {
        tokio::spawn(async move { client.list_sessions().send().await.map(|_| ()) })
    };
    let runs = start(client.clone());
    within(arrived.recv()).await.unwrap();
    let waits = start(client.clone());
    let last = start(client);
    for call in [runs, waits] {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    // The answer to the first stays unasked for.
    within(arrived.recv()).await.unwrap();
    go.notify_waiters();
    go.notify_one();
    within(last).await.unwrap().unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_may_be_repeated_ends_its_connection() {
    let closed = Arc::new(Notify::new());
    let (tell, arrived) = (Arc::new(Semaphore::new(0)), closed.clone());
    let told = tell.clone();
    let server = Server::start(move |_| {
        tell.add_permits(1);
        Answer::until_closed(arrived.clone())
    })
    .await;
    let client = server.client().with_policy(attempt_limit(NEVER));
    let call = tokio::spawn(async move { client.list_sessions().send().await.map(|_| ()) });
    within(told.acquire()).await.unwrap().forget();
    call.abort();
    within(closed.notified()).await;
    assert_eq!(server.requests().len(), 1);
}
