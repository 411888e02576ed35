//! Failures keep what the server said, and say in one line what happened.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser_api::types::*;
use anchorbrowser_api::{Client, Error, ErrorKind};
use tokio::sync::Notify;

use crate::server::{Answer, KEY, Server};
use crate::snapshot;

/// The failure of a call that gets this answer.
async fn failure(answer: Answer) -> Error {
    let server = Server::always(answer).await;
    let error = server
        .client()
        .get_session()
        .session_id("s")
        .send()
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(error.operation(), Some("get_session"));
    error
}

/// What the server sent, and code, message and details that are read from it.
type Shape = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    &'static [&'static str],
);

const SHAPES: &[Shape] = &[
    (
        r#"{"error":{"code":404,"message":"No session"}}"#,
        Some("404"),
        Some("No session"),
        &[],
    ),
    (
        r#"{"error":{"error":{"code":5,"message":"Deep"}}}"#,
        Some("5"),
        Some("Deep"),
        &[],
    ),
    (r#"{"error":"Flat"}"#, None, Some("Flat"), &[]),
    (
        r#"{"error":"Bad","details":["a","b"]}"#,
        None,
        Some("Bad"),
        &["a", "b"],
    ),
    (
        r#"{"error":"E","details":[{"message":"m"},{"x":1}]}"#,
        None,
        Some("E"),
        &["m", r#"{"x":1}"#],
    ),
    (
        r#"{"message":"Bare","code":"not_found"}"#,
        Some("not_found"),
        Some("Bare"),
        &[],
    ),
    (
        r#"{"error":"Try","next":{"method":"GET"},"docs":"d"}"#,
        None,
        Some("Try"),
        &[],
    ),
    (r#""A text""#, None, Some("A text"), &[]),
    (
        "\u{feff}{\"error\":\"After a mark\"}",
        None,
        Some("After a mark"),
        &[],
    ),
    (r#"{"status":"gone"}"#, None, None, &[]),
    (
        r#"{"error":{"code":"x","message":null}}"#,
        Some("x"),
        None,
        &[],
    ),
    (r#"{"error":null,"message":{"a":1}}"#, None, None, &[]),
    ("[1]", None, None, &[]),
    (
        "upstream connect error",
        None,
        Some("upstream connect error"),
        &[],
    ),
    // Cut off: it may hold anything, so it is no message.
    (r#"{"error":{"code":404,"mess"#, None, None, &[]),
    ("<?xml version=\"1.0\"?><Error/>", None, None, &[]),
    ("<html><title>Bad gateway</title></html>", None, None, &[]),
];

#[tokio::test]
async fn a_status_keeps_its_body_in_any_shape() {
    let mut cases = Vec::new();
    for shape in SHAPES {
        // What the header says of the body does not matter.
        for content_type in ["application/json", "text/html; charset=utf-8"] {
            for status in [400, 401, 403, 404, 408, 409, 418, 429, 500, 503, 599] {
                cases.push((shape, content_type, status));
            }
        }
    }
    let answers = cases.iter().map(|((body, ..), content_type, status)| {
        Answer::new(
            *status,
            &[("content-type", content_type), ("x-trace", "t-1")],
            body,
        )
    });
    let server = Server::list(answers).await;
    let client = server.client();
    for ((body, code, message, details), _, status) in cases {
        let error = client
            .get_session()
            .session_id("s")
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status, "{body}");
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.headers().unwrap()["x-trace"], "t-1");
        assert_eq!(error.body().unwrap(), body);
        let read = error.error_body().unwrap();
        assert_eq!(read.code(), *code, "{body}");
        assert_eq!(read.message(), *message, "{body}");
        assert_eq!(read.details(), *details, "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_is_kept() {
    let bytes = b"\xff\xfe\x00bad";
    let error = failure(Answer::new(502, &[], bytes)).await;
    assert_eq!(error.body().unwrap().as_ref(), bytes);
    assert_eq!(error.status().unwrap(), 502);
    assert!(error.error_body().unwrap().json().is_none());

    for body in ["", " \r\n"] {
        let error = failure(Answer::new(500, &[], body)).await;
        assert_eq!(error.body().unwrap(), body);
        assert!(error.error_body().is_none());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_kept_as_far_as_it_came() {
    for status in [500, 401] {
        let error = failure(Answer::cut(status, r#"{"error":"cut"}"#)).await;
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (ErrorKind::Status, status)
        );
        assert_eq!(error.body().unwrap(), r#"{"error":"cut"}"#);
        assert_eq!(error.error_body().unwrap().message(), Some("cut"));
        assert!(error.source().is_some());
    }
    let error = failure(Answer::chunked(500, &[], b"first").then("zz\r\n")).await;
    assert_eq!(
        (error.status().unwrap().as_u16(), &error.body().unwrap()[..]),
        (500, &b"first"[..])
    );
}

#[tokio::test]
async fn of_a_long_body_the_beginning_is_kept() {
    const MIB: usize = 1 << 20;
    for length in [MIB, MIB + 1, 3 * MIB] {
        let body: Vec<u8> = (0..length).map(|index| b'a' + (index % 23) as u8).collect();
        let error = failure(Answer::new(500, &[], &body)).await;
        assert_eq!(error.body().unwrap(), &body[..MIB]);
        assert!(error.to_string().len() < 500, "{error}");
        assert_eq!(error.to_string().contains("only the first"), length > MIB);
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_decoded_keeps_all_and_names_the_place() {
    for (body, place) in [
        (r#"{"data":{"session_id":{"a":1}}}"#, "`data.session_id`"),
        (r#"{"data":{"tags":["a",["b"]]}}"#, "`data.tags[1]`"),
        (r#"{"data":[]}"#, "`data`"),
        (r#"{"data":{"session_id":"s""#, "no JSON"),
        ("<!doctype html><title>Sign in</title>", "Sign in"),
        ("OK", "no JSON"),
    ] {
        let error = failure(Answer::new(200, &[("x-trace", "t-1")], body)).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.status().unwrap(), 200);
        assert_eq!(error.headers().unwrap()["x-trace"], "t-1");
        assert_eq!(error.body().unwrap(), body);
        assert!(error.error_body().is_none());
        assert!(error.to_string().contains(place), "{error}");
    }
}

#[tokio::test]
async fn a_success_that_breaks_off_is_no_success() {
    let error = failure(Answer::cut(200, r#"{"data":{}}"#)).await;
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Body, 200)
    );
    assert_eq!(error.body().unwrap(), r#"{"data":{}}"#);
    assert!(error.source().is_some());
}

#[tokio::test]
async fn no_answer_has_no_status() {
    for answer in [
        Answer::reset(),
        Answer::raw(""),
        Answer::raw("SSH-2.0-OpenSSH\r\n"),
    ] {
        let error = failure(answer).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Transport, None));
        assert!(error.body().is_none() && error.headers().is_none());
        assert!(!error.is_connect() && !error.is_timeout());
    }
    let error = refused().await;
    assert!(error.is_connect() && error.status().is_none());
    let error = timed_out().await;
    assert!(error.is_timeout() && error.status().is_none());
}

/// A call to a port on which nobody listens, and no one else can.
async fn refused() -> Error {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let client = Client::builder()
        .base_url(url)
        .api_key(KEY)
        .build()
        .unwrap();
    client.list_sessions().send().await.unwrap_err()
}

async fn timed_out() -> Error {
    let server = Server::always(Answer::until_closed(Arc::new(Notify::new()))).await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.timeout(Duration::from_millis(50)).build().unwrap();
    let client = server.builder().http_client(http).build().unwrap();
    client.create_session().send().await.unwrap_err()
}

#[tokio::test]
async fn texts() {
    let mut lines = Vec::new();
    let mut add = |name: &str, error: Error| lines.push(format!("{name:<24} {error}"));

    let keyless = Client::builder().build().unwrap();
    let client = Client::new(KEY).unwrap();
    add(
        "missing key",
        keyless.list_sessions().send().await.unwrap_err(),
    );
    add("bad key", Client::new("two words").unwrap_err());
    add(
        "bad base URL",
        Client::builder()
            .base_url("localhost:80")
            .build()
            .unwrap_err(),
    );
    add(
        "missing path value",
        client.get_session().send().await.unwrap_err(),
    );
    add(
        "missing body",
        client.paste().session_id("s").send().await.unwrap_err(),
    );
    add(
        "missing query value",
        client
            .get_file_info()
            .volume_id("v")
            .send()
            .await
            .unwrap_err(),
    );
    for id in ["", ".", "..", "all", "History"] {
        let error = client
            .delete_session()
            .session_id(id)
            .send()
            .await
            .unwrap_err();
        add(&format!("session id {id:?}"), error);
    }
    let version = client
        .get_task_version()
        .task_id("t")
        .task_version("versions");
    add("task version", version.send().await.unwrap_err());
    let metrics = vec!["a,b".into()];
    let history = client
        .get_sessions_history()
        .metrics(anchorbrowser_api::wire::Joined(metrics));
    add("comma in a list", history.send().await.unwrap_err());
    add(
        "download of no URL",
        client.download_url("/x").await.unwrap_err(),
    );
    add("connection refused", refused().await);
    add("time limit", timed_out().await);
    add("connection reset", failure(Answer::reset()).await);
    let moved = Server::always(Answer::redirect(307, "/elsewhere")).await;
    add(
        "redirect of a POST",
        moved.client().create_session().send().await.unwrap_err(),
    );
    add(
        "redirect loop",
        moved.client().list_sessions().send().await.unwrap_err(),
    );
    add(
        "redirect to nowhere",
        failure(Answer::new(302, &[], "")).await,
    );
    add(
        "redirect to a file",
        failure(Answer::redirect(302, "file:///etc/passwd")).await,
    );
    for (body, ..) in SHAPES {
        add(
            "500",
            failure(Answer::new(500, &[("content-type", "text/x")], body)).await,
        );
    }
    add(
        "401",
        failure(Answer::json(401, r#"{"error":"Invalid key"}"#)).await,
    );
    let body = format!(r#"{{"error":"no key {KEY}"}}"#);
    add(
        "401 that repeats it",
        failure(Answer::json(401, body)).await,
    );
    add(
        "500 without a body",
        failure(Answer::new(500, &[], "")).await,
    );
    add(
        "500 that is cut",
        failure(Answer::cut(500, r#"{"error":"cut"}"#)).await,
    );
    add(
        "500 of many words",
        failure(Answer::new(500, &[], "words ".repeat(99))).await,
    );
    add(
        "status of no name",
        failure(Answer::json(599, r#"{"error":"e"}"#)).await,
    );
    add(
        "200 of a wrong type",
        failure(Answer::json(200, r#"{"data":{"tags":[{}]}}"#)).await,
    );
    add(
        "200 that is no JSON",
        failure(Answer::new(200, &[], "OK")).await,
    );
    add(
        "200 of a page",
        failure(Answer::new(200, &[], "<html><title>Sign in</title>")).await,
    );
    add("200 that is cut", failure(Answer::cut(200, "{}")).await);

    snapshot::check("raw_errors", &lines.join("\n"));
}

#[tokio::test]
async fn nothing_is_sent_without_what_is_needed() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let client = server.client();
    let keyless = Client::builder().base_url(server.url()).build().unwrap();
    let error = keyless.create_session().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingKey);
    let paste = PasteRequestSchema::new("t");
    for error in [
        client.get_session().send().await.unwrap_err(),
        client.paste().body(paste).send().await.unwrap_err(),
        client.paste().session_id("s").send().await.unwrap_err(),
        client
            .get_file_info()
            .volume_id("v")
            .send()
            .await
            .unwrap_err(),
        client
            .execute_code()
            .body(ExecuteCodeRequestSchema::new("1"))
            .send()
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.to_string().contains("is missing: call `."), "{error}");
    }
    assert!(server.requests().is_empty());
    // The open ones need none.
    keyless.get_agent_access_guide().send().await.unwrap();
    assert_eq!(server.requests().len(), 1);
}
