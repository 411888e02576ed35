#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser_api::wire::Secret;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;
use crate::error::{Error, ErrorKind};

const LIMIT: Duration = Duration::from_secs(20);

/// Must show in no error.
const CANARY: &str = "canary-5e1d";

/// Gives the next connection to `serve`; the task has what that returns.
async fn server<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    serve: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (Secret, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move { serve(listener.accept().await.unwrap().0).await });
    let url = format!("ws://localhost:{port}/ws?sessionId={CANARY}");
    (Secret::from(url), task)
}

async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    tokio_tungstenite::accept_async(stream).await.unwrap()
}

/// A server that sends these messages, and goes when the client has.
async fn sending(messages: Vec<Message>) -> (Secret, JoinHandle<()>) {
    server(|stream| async move {
        let mut socket = accept(stream).await;
        for message in messages {
            socket.send(message).await.unwrap();
        }
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await
}

/// A server that answers a handshake with this text.
async fn answering(answer: &str) -> Secret {
    let answer = answer.to_owned();
    let (url, _) = server(|mut stream| async move {
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read(&mut head).await;
    })
    .await;
    url
}

/// Steps over a connection of this client's.
async fn connect(http: reqwest::ClientBuilder, url: &Secret, limit: Duration) -> Result<Steps> {
    let redact = Redact::nothing();
    let opening = Opening {
        operation: OPERATION,
        url,
        limit,
        redact: &redact,
    };
    Steps::on(opening.connect(http.build().unwrap()).await).await
}

fn http() -> reqwest::ClientBuilder {
    let redirects = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(redirects)
}

/// As [`connect`], whatever proxies the environment names.
async fn open(url: &Secret) -> Result<Steps> {
    connect(http(), url, LIMIT).await
}

async fn next(steps: &mut Steps) -> Option<Result<Step>> {
    tokio::time::timeout(LIMIT, steps.next()).await.unwrap()
}

/// The texts of an error and its causes, which must not show the URL.
fn texts(error: &Error) -> String {
    let mut texts = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        texts = format!("{texts} / {error}");
        cause = error.source();
    }
    let debug = format!("{error:?}");
    assert!(
        !format!("{texts}{debug}").contains(CANARY),
        "{texts} {debug}"
    );
    texts
}

fn is_send<T: Send + Unpin>(_: &T) {}

#[tokio::test]
async fn steps_come_as_sent_until_the_server_closes_the_socket() {
    let frame = json!({ "type": "step", "step": 2, "x": { "y": [1] } });
    let close = CloseFrame {
        code: CloseCode::Normal,
        reason: "session ended".into(),
    };
    let (url, server) = sending(vec![
        Message::text(frame.to_string()),
        Message::Ping("a".into()),
        Message::text("{\"cut"),
        Message::binary(json!([3]).to_string().into_bytes()),
        Message::binary([0xff, b'x'].as_slice()),
        Message::text("{\"step\": \"one\", \"type\": 7}"),
        Message::Close(Some(close)),
    ])
    .await;
    let mut steps = open(&url).await.unwrap();
    is_send(&steps);
    let first = next(&mut steps).await.unwrap().unwrap();
    assert_eq!(
        (first.number, first.kind.as_deref()),
        (Some(2), Some("step"))
    );
    assert_eq!(first.raw, frame);
    let odd = json!({ "step": "one", "type": 7 });
    for raw in [json!("{\"cut"), json!([3]), json!("\u{fffd}x"), odd] {
        let step = next(&mut steps).await.unwrap().unwrap();
        assert_eq!((step.number, step.kind, step.raw), (None, None, raw));
    }
    assert!(next(&mut steps).await.is_none());
    assert!(next(&mut steps).await.is_none());
    // It has seen our Close frame, or the end of the connection.
    tokio::time::timeout(LIMIT, server).await.unwrap().unwrap();
    assert_eq!(format!("{steps:?}"), "Steps { ended: true }");
}

#[tokio::test]
async fn pings_are_answered_while_steps_are_awaited_and_dropping_closes() {
    let (url, server) = server(|stream| async move {
        let mut socket = accept(stream).await;
        socket.send(Message::Ping("a".into())).await.unwrap();
        let pong = socket.next().await.unwrap().unwrap();
        socket.send(Message::text("1")).await.unwrap();
        (pong, socket.next().await)
    })
    .await;
    let mut steps = open(&url).await.unwrap();
    assert_eq!(next(&mut steps).await.unwrap().unwrap().raw, 1);
    drop(steps);
    let (pong, end) = tokio::time::timeout(LIMIT, server).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("a".into()));
    assert!(end.is_none_or(|end| end.is_err()));
}

#[tokio::test]
async fn a_lost_connection_is_an_error_and_then_the_end() {
    let (url, _) = server(|stream| async move {
        let mut socket = accept(stream).await;
        socket.send(Message::text("1")).await.unwrap();
    })
    .await;
    let mut steps = open(&url).await.unwrap();
    next(&mut steps).await.unwrap().unwrap();
    let error = next(&mut steps).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(texts(&error).contains("connection was lost"));
    assert!(next(&mut steps).await.is_none());
}

#[tokio::test]
async fn steps_have_a_limit_and_frames_a_form() {
    let (url, _) = sending(vec![Message::text(" ".repeat(LONGEST + 1))]).await;
    let error = next(&mut open(&url).await.unwrap()).await.unwrap();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TooLarge);
    let (url, _) = server(|stream| async move {
        let mut stream = accept(stream).await.into_inner();
        stream.write_all(&[0xff; 16]).await.unwrap();
        stream
    })
    .await;
    let error = next(&mut open(&url).await.unwrap()).await.unwrap();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    texts(&error);
}

#[tokio::test]
async fn what_a_server_says_instead_is_kept() {
    let json = r#"{"error":{"code":404,"message":"no session\nthere"}}"#;
    for (head, body, shown) in [
        ("404 Not Found", json, "404 Not Found: no session there"),
        (
            "502 Bad Gateway",
            "<html>canary-5e1d",
            "does the session still run?",
        ),
        (
            "307 Temporary Redirect\r\nLocation: /canary-5e1d",
            "",
            "307",
        ),
        ("200 OK", "", "200 OK"),
    ] {
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}");
        let error = open(&answering(&answer).await).await.unwrap_err();
        assert!(texts(&error).contains(shown), "{error}");
        assert_eq!(error.kind(), ErrorKind::Status);
        assert!(
            error
                .status()
                .is_some_and(|status| head.starts_with(status.as_str()))
        );
        assert_eq!(error.body().unwrap(), body);
    }
}

#[tokio::test]
async fn a_refusal_reads_like_that_of_any_call() {
    let json = r#"{"error":{"code":"slow","message":"too many"}}"#;
    let length = json.len();
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: {length}\r\n\r\n{json}"
    );
    let error = open(&answering(&answer).await).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "agent_steps: 429 Too Many Requests: too many (code slow); come back after 7 s"
    );
    assert_eq!(error.code().as_deref(), Some("slow"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_rate_limited() && !error.may_have_been_processed());
}

#[tokio::test]
async fn what_is_no_websocket_is_refused() {
    let upgrade =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    let wrong = format!("{upgrade}Sec-WebSocket-Accept: x\r\n\r\n");
    let error = open(&answering(&wrong).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(texts(&error).contains("Accept"));
    let error = open(&answering("nonsense\r\n\r\n").await)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    texts(&error);
    for (url, reason) in [
        ("http://canary-5e1d/", "ws://"),
        ("canary-5e1d", "ws://"),
        ("ws://", "host"),
        ("wss://canary-5e1d:x/", "host"),
    ] {
        let error = open(&Secret::from(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(texts(&error).contains(reason), "{error}");
    }
}

#[tokio::test]
async fn there_is_a_limit_to_the_handshake_and_an_error_without_a_server() {
    let (url, _silent) = server(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let limit = Duration::from_millis(50);
    let error = connect(http(), &url, limit).await.unwrap_err();
    assert!(
        error.is_timeout() && texts(&error).contains("50ms"),
        "{error}"
    );
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/{CANARY}", gone.local_addr().unwrap());
    drop(gone);
    let error = open(&Secret::from(url)).await.unwrap_err();
    assert!(
        texts(&error).contains("no connection to 127.0.0.1 could be made"),
        "{error}"
    );
}

/// TLS for `localhost` that speaks these protocols, and its certificate.
fn certified(protocols: &[&[u8]]) -> (TlsAcceptor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// A TLS server for `localhost` that sends one step, and its certificate.
async fn secure_server() -> (Secret, CertificateDer<'static>) {
    let (tls, certificate) = certified(&[]);
    let (url, _) = server(|stream| async move {
        // The client may not trust it.
        if let Ok(stream) = tls.accept(stream).await {
            let mut socket = accept(stream).await;
            socket.send(Message::text("1")).await.unwrap();
            let _ = socket.next().await;
        }
    })
    .await;
    let url = url.expose().replacen("ws", "wss", 1);
    (Secret::from(url), certificate)
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn tls_is_spoken_with_whom_the_certificates_say() {
    let (url, _) = secure_server().await;
    let error = open(&url).await.unwrap_err();
    let text = texts(&error);
    assert!(text.contains("certificate"), "{text}");
    let (url, certificate) = secure_server().await;
    let root = reqwest::Certificate::from_der(&certificate).unwrap();
    let client = http().tls_certs_only([root]);
    let mut steps = connect(client, &url, LIMIT).await.unwrap();
    assert_eq!(next(&mut steps).await.unwrap().unwrap().raw, 1);
}

/// Only a client that was given may do so.
#[cfg(all(feature = "http2", feature = "rustls"))]
#[tokio::test]
async fn a_client_that_speaks_http_2_is_told_to_speak_http_1() {
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let (tls, certificate) = certified(&[b"h2"]);
    let (url, _) = server(|stream| async move {
        let answer = hyper::service::service_fn(async |_| {
            let body = http_body_util::Empty::<bytes::Bytes>::new();
            Ok::<_, std::convert::Infallible>(http::Response::new(body))
        });
        let stream = TokioIo::new(tls.accept(stream).await.unwrap());
        let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = http.serve_connection(stream, answer).await;
    })
    .await;
    let url = Secret::from(url.expose().replacen("ws", "wss", 1));
    let root = reqwest::Certificate::from_der(&certificate).unwrap();
    let error = connect(http().tls_certs_only([root]), &url, LIMIT).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(texts(&error).contains("http1_only"), "{error}");
}

#[cfg(not(feature = "rustls"))]
#[tokio::test]
async fn without_tls_the_error_says_so() {
    let (url, _) = secure_server().await;
    let error = open(&url).await.unwrap_err();
    assert!(texts(&error).contains("feature `rustls`"), "{error}");
}
