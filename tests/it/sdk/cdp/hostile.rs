//! Servers that refuse, break off, and say what makes no sense.

use std::future::IntoFuture as _;

use anchorbrowser::{CdpConnection, Error, ErrorKind};
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::super::KEY;
use super::peer::{Browser, ID, Peer, soon};
use crate::server::{Answer, Server};

/// All that an error says.
fn texts(error: &Error) -> String {
    use std::error::Error as _;
    let mut texts = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        texts = format!("{texts} {error} {error:?}");
        cause = error.source();
    }
    assert!(!texts.contains(KEY) && !texts.contains("apiKey"), "{texts}");
    texts
}

#[tokio::test]
async fn a_refused_handshake_says_what_the_service_says() {
    for (status, says, shown) in [
        (
            401,
            format!("the key {KEY} is wrong"),
            "the key *** is wrong",
        ),
        (404, format!("no session {ID}"), ID),
        (501, "no browser here".to_owned(), "no browser here"),
        (429, "too many browsers".to_owned(), "end a session"),
    ] {
        let body = json!({ "error": { "code": status, "message": says } }).to_string();
        let server = Server::always(Answer::json(status, body)).await;
        let error = server_session(&server).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.operation(), Some("cdp"));
        assert!(texts(&error).contains(shown), "{error}");
    }
    let elsewhere = Server::always(Answer::new(200, &[], "")).await;
    let redirect = Answer::redirect(307, &format!("{}/?apiKey={KEY}", elsewhere.url()));
    for answer in [redirect, Answer::new(200, &[], "<html>hello")] {
        let server = Server::always(answer).await;
        let error = server_session(&server).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status, "{error}");
        texts(&error);
    }
    assert!(elsewhere.requests().is_empty());
}

async fn server_session(server: &Server) -> anchorbrowser::Result<CdpConnection> {
    let client = anchorbrowser::Client::builder()
        .base_url(server.url())
        .api_key(KEY)
        .build()?;
    client.session(ID).cdp().await
}

#[tokio::test]
async fn what_makes_no_sense_is_passed_over() -> anyhow::Result<()> {
    let browser = Browser::start(|mut peer, _| async move {
        while let Some(command) = peer.command().await {
            let id = &command["id"];
            for odd in [
                "",
                "{\"id\":",
                "no JSON",
                "[1]",
                "7",
                "{}",
                "{\"id\": 999}",
                "{\"id\": \"1\", \"result\": {}}",
                "{\"id\": -1, \"result\": {}}",
                "{\"id\": 1.5, \"result\": {}}",
                "{\"id\": 99999999999999999999, \"result\": {}}",
                "{\"error\": {\"code\": -32700, \"message\": \"parse\"}}",
                "{\"method\": 7}",
                "{\"method\": \"A.b\", \"id\": 1}",
                "{\"method\": \"A.b\", \"sessionId\": 7, \"params\": 7}",
            ] {
                peer.text(odd).await;
            }
            let binary = json!({ "id": id, "result": { "binary": true } }).to_string();
            peer.0.send(Message::Ping("x".into())).await.unwrap();
            peer.0.send(Message::binary(vec![0xff; 9])).await.unwrap();
            peer.0
                .send(Message::binary(binary.into_bytes()))
                .await
                .unwrap();
            // A second answer to the same.
            peer.answer(&command, json!({})).await;
        }
    })
    .await;
    let cdp = browser.session().cdp().await?;
    let mut events = cdp.events();
    for _ in 0..3 {
        assert_eq!(
            soon(cdp.send("X.y", ()).into_future()).await?["binary"],
            true
        );
    }
    assert_eq!(soon(events.next()).await.unwrap().method, "A.b");
    assert_eq!(soon(events.next()).await.unwrap().params, 7);
    Ok(())
}

/// What comes of a command that is sent to a browser that then does this.
async fn answer_to<F: Future<Output = ()> + Send + 'static>(
    end: impl Fn(Peer) -> F + Send + Sync + Copy + 'static,
) -> (CdpConnection, Error) {
    let browser = Browser::start(move |mut peer, _| async move {
        let _ = peer.command().await;
        end(peer).await;
    })
    .await;
    let cdp = browser.session().cdp().await.unwrap();
    let mut events = cdp.events();
    let error = soon(cdp.send("X.y", ()).into_future()).await.unwrap_err();
    assert!(
        cdp.is_closed() && error.may_have_been_processed(),
        "{error}"
    );
    assert_eq!(soon(events.next()).await, None);
    let next = cdp.send("X.y", ()).await.unwrap_err();
    assert_eq!(next.kind(), error.kind());
    (cdp, error)
}

#[tokio::test]
async fn a_close_in_the_middle_fails_what_waits() {
    let (cdp, error) = answer_to(|mut peer| async move {
        let close = CloseFrame {
            code: CloseCode::Policy,
            reason: format!("session ended {KEY}").into(),
        };
        peer.0.send(Message::Close(Some(close))).await.unwrap();
        let _ = peer.command().await;
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    let text = texts(&error);
    assert!(
        text.contains("the server closed it with code 1008: session ended ***"),
        "{text}"
    );
    soon(cdp.closed()).await.unwrap();
}

#[tokio::test]
async fn a_broken_connection_fails_what_waits() {
    // Dropped, and in the middle of a frame.
    let (cdp, error) = answer_to(|peer| async move { drop(peer) }).await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(texts(&error).contains("connection was lost"), "{error}");
    assert_eq!(
        soon(cdp.closed()).await.unwrap_err().kind(),
        ErrorKind::Transport
    );
    let (_, error) = answer_to(|peer| async move {
        let mut stream = peer.0.into_inner();
        stream.write_all(&[0x81, 100, b'{', b'"']).await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    texts(&error);
    // What is no frame.
    let (_, error) = answer_to(|peer| async move {
        let mut stream = peer.0.into_inner();
        stream.write_all(&[0xff; 16]).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Decode);
    texts(&error);
}

#[tokio::test]
async fn long_and_fragmented_messages_are_taken_up_to_a_limit() -> anyhow::Result<()> {
    const LONG: usize = 20 << 20;
    let browser = Browser::start(|mut peer, _| async move {
        let Some(command) = peer.command().await else {
            return;
        };
        let result = json!({ "id": command["id"], "result": { "data": "x".repeat(LONG) } });
        let text = result.to_string().into_bytes();
        let chunks: Vec<_> = text.chunks(3 << 20).collect();
        for (number, chunk) in chunks.iter().enumerate() {
            let code = if number == 0 {
                Data::Text
            } else {
                Data::Continue
            };
            let last = number + 1 == chunks.len();
            let frame = Frame::message(chunk.to_vec(), OpCode::Data(code), last);
            peer.0.send(Message::Frame(frame)).await.unwrap();
            peer.0.send(Message::Ping("between".into())).await.unwrap();
        }
        let _ = peer.command().await;
        let mut stream = peer.0.into_inner();
        // The head of a frame of 256 MiB and one byte.
        stream
            .write_all(&[0x81, 127, 0, 0, 0, 0, 0x10, 0, 0, 1])
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let cdp = browser.session().cdp().await?;
    let result = soon(cdp.send("X.y", ()).into_future()).await?;
    assert_eq!(result["data"].as_str().map(str::len), Some(LONG));
    let long: Value = json!({ "text": "y".repeat(LONG) });
    let error = soon(cdp.send("X.y", long).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(texts(&error).contains("256 MiB"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_runtime_that_ends_fails_what_waits_elsewhere() -> anyhow::Result<()> {
    let browser =
        Browser::start(|mut peer, _| async move { while peer.command().await.is_some() {} });
    let browser = browser.await;
    let session = browser.session();
    let opened = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(session.cdp().into_future()).unwrap()
    });
    let cdp = tokio::task::spawn_blocking(move || opened.join().unwrap()).await?;
    let error = soon(cdp.send("X.y", ()).into_future()).await.unwrap_err();
    assert!(
        texts(&error).contains("the runtime that it was opened on has ended"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_reads_nothing_does_not_keep_it_open() -> anyhow::Result<()> {
    let browser = Browser::start(|peer, _| async move {
        let _unread = peer;
        std::future::pending::<()>().await;
    })
    .await;
    let cdp = browser.session().cdp().await?;
    let long = json!({ "text": "y".repeat(64 << 20) });
    let waiting = tokio::spawn(cdp.send("X.y", long).into_future());
    let next = cdp
        .send("X.y", ())
        .timeout(std::time::Duration::from_millis(50));
    assert!(next.await.unwrap_err().is_timeout());
    soon(cdp.close()).await;
    let error = soon(waiting).await?.unwrap_err();
    assert!(texts(&error).contains("closed here"), "{error}");
    Ok(())
}
