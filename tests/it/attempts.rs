//! Repeats: what is sent again, what must not be, when, and what is told of it.

use std::time::{Duration, Instant};

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::types::*;
use anchorbrowser_api::{Class, Client, Error, ErrorKind, Needs, Policy, ResponseValue, Retry};
use reqwest::Method;
use serde_json::Value;

use crate::server::{Answer, Server};

/// At most two repeats, at once.
pub(crate) fn quick() -> Policy {
    let mut retry = Retry::new(2);
    retry.initial_backoff = Duration::from_millis(1);
    Policy {
        retry,
        ..Policy::default()
    }
}

/// A call of this class.
async fn call(client: &Client, class: Class) -> Result<ResponseValue<Value>, Error> {
    let request = client.request(Method::POST, "/v1/any").class(class);
    request.json_value().await
}

/// How many requests a call of each class sends, if it always gets this answer.
async fn sent(answer: &Answer, policy: &Policy) -> [usize; 3] {
    let mut counts = [0; 3];
    let classes = [Class::Read, Class::Repeatable, Class::Once];
    for (count, class) in counts.iter_mut().zip(classes) {
        let server = Server::always(answer.clone()).await;
        let client = server.builder().policy(policy.clone()).build().unwrap();
        let error = call(&client, class).await.unwrap_err();
        *count = server.requests().len();
        assert_eq!(error.attempts() as usize, *count, "{error}");
    }
    counts
}

fn status(status: u16, headers: &[(&str, &str)]) -> Answer {
    Answer::new(status, headers, "")
}

#[tokio::test]
async fn what_may_have_been_processed_is_repeated_only_if_that_is_harmless() {
    let (always, harmless, never) = ([3, 3, 3], [3, 3, 1], [1, 1, 1]);
    let yes = [("x-should-retry", "true")];
    let no = [("x-should-retry", "false"), ("retry-after", "0")];
    for (answer, expected) in [
        (status(429, &[]), always),
        (status(429, &[("retry-after", "0")]), always),
        (status(503, &[("retry-after", "0")]), always),
        (status(503, &[("retry-after-ms", "1")]), always),
        (status(503, &[("retry-after", "soon")]), harmless),
        (status(503, &[]), harmless),
        (status(500, &[("retry-after", "0")]), harmless),
        (status(502, &[]), harmless),
        (status(504, &[]), harmless),
        (Answer::reset(), harmless),
        (Answer::raw(""), harmless),
        (Answer::cut(200, "{"), harmless),
        (Answer::cut(500, "{"), harmless),
        (Answer::json(200, "no JSON"), never),
        (Answer::redirect(307, "/v1/other"), never),
        (status(429, &no), never),
        (status(500, &no), never),
        (status(503, &no), never),
        (status(408, &yes), always),
        (status(409, &yes), always),
        (status(500, &yes), harmless),
        (status(501, &yes), harmless),
        (status(307, &yes), harmless),
        (status(409, &[("x-should-retry", "maybe")]), never),
    ] {
        assert_eq!(sent(&answer, &quick()).await, expected, "{answer:?}");
    }
    for code in [
        400, 401, 402, 403, 404, 408, 409, 412, 413, 422, 501, 505, 520,
    ] {
        assert_eq!(sent(&status(code, &[]), &quick()).await, never, "{code}");
    }
}

#[tokio::test]
async fn what_is_never_to_be_repeated_is_not() {
    let policy = Policy {
        needs: |operation| Needs {
            never_repeat: operation.id == "list_sessions",
            ..Needs::default()
        },
        ..quick()
    };
    let answer = status(429, &[("x-should-retry", "true")]);
    let server = Server::always(answer).await;
    let client = server.builder().policy(policy).build().unwrap();
    client.list_sessions().send().await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    client.create_session().send().await.unwrap_err();
    assert_eq!(server.requests().len(), 4);
    let never = Needs {
        never_repeat: true,
        ..Needs::default()
    };
    let client = client.with_needs(never);
    client.create_session().send().await.unwrap_err();
    call(&client, Class::Read).await.unwrap_err();
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_tried_again_for_all() {
    let port = {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        listener.unwrap().local_addr().unwrap().port()
    };
    let builder = Client::builder().base_url(format!("http://127.0.0.1:{port}"));
    let client = builder.api_key("key").policy(quick()).build().unwrap();
    let error = client.create_session().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 3));
    assert!(!error.may_have_been_processed());
}

#[tokio::test]
async fn a_call_that_is_repeated_sends_the_same_again() {
    let long = "x".repeat(600_000);
    let server = Server::list([
        Answer::reset(),
        status(500, &[]),
        Answer::json(200, r#"{"a":1}"#),
    ])
    .await;
    let client = server.builder().policy(quick()).build().unwrap();
    let request = client.request(Method::PUT, "/v1/any").query("a", "b");
    let answer = request.json(&long).json_value().await.unwrap();
    assert_eq!((answer.attempts(), answer.operation()), (3, "request"));
    assert!(answer.elapsed() > Duration::ZERO);
    assert_eq!(*answer, serde_json::json!({"a": 1}));
    let requests = server.requests();
    for request in &requests {
        assert_eq!(
            (request.target.as_str(), request.chunked),
            ("/v1/any?a=b", false)
        );
        assert_eq!(request.header("content-length"), Some("600002"));
        assert_eq!(request.length, 600_002);
        assert_eq!(request.headers, requests[0].headers);
    }
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn generated_calls_are_repeated_by_the_class_of_their_operation() {
    let server = Server::always(status(502, &[])).await;
    let client = server.builder().policy(quick()).build().unwrap();
    client.create_session().send().await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    let screenshot = client.get_session_screenshot().session_id("s");
    let error = screenshot.send().await.unwrap_err();
    assert_eq!((server.requests().len(), error.attempts()), (4, 3));
}

#[tokio::test]
async fn a_stream_is_sent_once_and_bytes_again() {
    let server = Server::always(status(429, &[])).await;
    let client = server.builder().policy(quick()).build().unwrap();
    let file = FilePart::bytes("a", "b");
    let form = UploadSessionFileForm { file };
    let upload = client.upload_session_file().session_id("s").body(form);
    let error = upload.send().await.unwrap_err();
    assert_eq!((server.requests().len(), error.attempts()), (1, 1));
    let file = FilePart::bytes("a", "b");
    let error = client.upload_url(&server.url(), &[], file).await;
    assert_eq!(error.unwrap_err().attempts(), 3);
}

#[tokio::test]
async fn an_error_keeps_the_last_answer_and_says_how_many_came() {
    let server = Server::list([
        Answer::reset(),
        Answer::json(500, r#"{"error":"first"}"#),
        Answer::new(503, &[("x-last", "1")], "last"),
    ])
    .await;
    let client = server.builder().policy(quick()).build().unwrap();
    let error = client.list_sessions().send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "list_sessions: 503 Service Unavailable: last (3 attempts)"
    );
    assert_eq!(error.body().unwrap(), "last");
    assert_eq!(error.headers().unwrap()["x-last"], "1");
    assert!(error.elapsed() > Duration::ZERO);

    let server = Server::list([Answer::reset(), Answer::json(200, "no JSON")]).await;
    let client = server.client().with_policy(quick());
    let error = client.list_sessions().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, 2));
    assert!(error.to_string().ends_with("(2 attempts)"), "{error}");
}

#[tokio::test]
async fn errors_say_whether_the_call_may_have_been_processed() {
    for (answers, expected) in [
        (vec![status(400, &[])], false),
        (vec![status(429, &[])], false),
        (vec![status(503, &[("retry-after", "900")])], false),
        (vec![status(503, &[])], true),
        (vec![status(500, &[])], true),
        (vec![status(408, &[])], true),
        (vec![Answer::redirect(303, "/done")], true),
        (vec![Answer::reset()], true),
        (vec![Answer::cut(200, "{")], true),
        (vec![Answer::json(200, "[")], true),
        // Whatever comes later, the first one may have been.
        (
            vec![Answer::reset(), status(429, &[]), status(404, &[])],
            true,
        ),
        (vec![status(429, &[]), status(404, &[])], false),
    ] {
        let attempts = answers.len() as u32;
        let server = Server::list(answers.clone()).await;
        let mut policy = quick();
        policy.retry.max_retries = attempts - 1;
        let client = server.client().with_policy(policy);
        let error = call(&client, Class::Repeatable).await.unwrap_err();
        assert_eq!(error.attempts(), attempts, "{answers:?}");
        assert_eq!(error.may_have_been_processed(), expected, "{answers:?}");
    }
    let error = Client::builder()
        .build()
        .unwrap()
        .list_sessions()
        .send()
        .await;
    let error = error.unwrap_err();
    assert!(!error.may_have_been_processed());
    assert_eq!((error.attempts(), error.elapsed()), (0, Duration::ZERO));
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_is_kept() {
    for header in [("retry-after-ms", "80"), ("retry-after", "0.08")] {
        let server = Server::list([status(429, &[header]), Answer::json(200, "{}")]).await;
        let client = server.client().with_policy(quick());
        let began = Instant::now();
        let answer = client.create_session().send().await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(80), "{header:?}");
        assert!(answer.elapsed() >= Duration::from_millis(80), "{header:?}");
        assert_eq!(answer.attempts(), 2);
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_not_begun() {
    let far = "Fri, 31 Dec 9999 23:59:59 GMT";
    let limited = Policy {
        operation_timeout: Some(Duration::from_secs(30)),
        ..quick()
    };
    for (policy, after, why) in [
        (quick(), "61", "the server asks to wait 61 s"),
        (quick(), far, "the server asks to wait"),
        (limited, "50", "the operation's limit"),
    ] {
        let server = Server::always(status(429, &[("retry-after", after)])).await;
        let client = server.client().with_policy(policy);
        let began = Instant::now();
        let error = client.create_session().send().await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(20), "{after}");
        assert_eq!((error.attempts(), server.requests().len()), (1, 1));
        assert!(error.retry_after().unwrap() >= Duration::from_secs(50));
        assert_eq!(error.status().unwrap(), 429);
        assert!(!error.is_timeout() && !error.is_operation_timeout());
        let text = error.to_string();
        assert!(
            text.contains("not repeated: ") && text.contains(why),
            "{text}"
        );
    }
}

#[tokio::test]
async fn repeats_of_all_clones_are_paid_from_one_budget() {
    let server = Server::start(|request| match request.target.as_str() {
        "/v1/billing" => Answer::json(200, "{}"),
        _ => status(500, &[]),
    })
    .await;
    let mut policy = quick();
    policy.retry.max_retries = 100;
    policy.retry.max_backoff = Duration::ZERO;
    let client = server.builder().policy(policy).build().unwrap();
    let error = client.list_sessions().send().await.unwrap_err();
    // The budget is 50 repeats.
    assert_eq!((error.attempts(), server.requests().len()), (51, 51));
    let text = error.to_string();
    assert!(text.contains("(51 attempts; not repeated: "), "{text}");
    assert!(text.contains("retry budget"), "{text}");

    let clone = client.with_policy(quick());
    let error = clone.list_sessions().send().await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains("(not repeated: "), "{error}");
    // Ten that succeed pay one more.
    for _ in 0..10 {
        clone.get_billing().send().await.unwrap();
    }
    let error = client.list_sessions().send().await.unwrap_err();
    assert_eq!(error.attempts(), 2);
    // What another client does is paid by itself.
    let other = server.builder().policy(quick()).build().unwrap();
    let error = other.list_sessions().send().await.unwrap_err();
    assert_eq!(error.attempts(), 3);
}
