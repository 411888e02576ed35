//! Calls beside the document's operations: any path, links, uploads; and clones of a client.

use std::pin::Pin;
use std::task::{Context, Poll};

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::{ByteStream, Client, Error, ErrorKind, KEY_HEADER, ResponseValue};
use bytes::Bytes;
use futures_core::Stream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, KEY, Request, Server};

const CANARY: &str = "canary-5ae0c2";

async fn text(answer: ResponseValue<ByteStream>) -> String {
    let mut stream = answer.into_inner();
    let mut all = Vec::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        all.extend_from_slice(&chunk);
    }
    String::from_utf8(all).unwrap()
}

fn assert_clean(error: &Error) {
    let text = format!("{error} {error:?} {:?}", std::error::Error::source(error));
    assert!(!text.contains("canary"), "{text}");
}

/// Whether a request carries the key and the client's own header, or neither.
fn is_ours(request: &Request) -> bool {
    let ours = request.header(KEY_HEADER) == Some(KEY) && request.header("x-own") == Some(CANARY);
    let nothing = !request.holds(KEY) && !request.holds(CANARY) && !request.holds("x-anchor");
    assert!(ours != nothing, "{request:?}");
    ours
}

#[tokio::test]
async fn a_request_to_any_path_is_sent_like_an_operation() {
    let server = Server::always(Answer::json(200, r#"{"a":1}"#)).await;
    let client = server.builder().header("x-own", "client").build().unwrap();
    let post = client
        .request(Method::POST, "/v1/new%2Fone")
        .query("q", "a b&c");
    let post = post
        .query("q", "d")
        .header("x-own", "mine")
        .json(&json!([1]));
    assert_eq!(*post.json_value().await.unwrap(), json!({"a": 1}));
    let put = client
        .request(Method::PUT, "/v2/x")
        .body("text", "text/plain");
    let put = put.accept("text/csv").send().await.unwrap();
    assert_eq!((put.status().as_u16(), put.operation()), (200, "request"));
    assert_eq!(text(put).await, r#"{"a":1}"#);
    let [post, put] = server.requests().try_into().unwrap();
    assert_eq!(
        (post.method.as_str(), post.target.as_str()),
        ("POST", "/v1/new%2Fone?q=a+b%26c&q=d")
    );
    assert_eq!(post.text(), "[1]");
    for (request, accept, content_type, own) in [
        (&post, "application/json", "application/json", "mine"),
        (&put, "text/csv", "text/plain", "client"),
    ] {
        assert_eq!(request.header("accept"), Some(accept));
        assert_eq!(request.header("content-type"), Some(content_type));
        assert_eq!(request.header("x-own"), Some(own));
        assert_eq!(request.header(KEY_HEADER), Some(KEY));
        assert!(request.header("x-anchor-sdk").unwrap().starts_with("rust/"));
    }
}

#[tokio::test]
async fn what_a_request_cannot_be_is_refused_before_anything_is_sent() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let client = server.client();
    let get = |path: &str| client.request(Method::GET, &path.replace('~', CANARY));
    let unfit = std::collections::BTreeMap::from([((1, 2), 3)]);
    for (request, expected) in [
        (get("~"), "begin with a slash"),
        (get("/~/../x"), "`..`"),
        (get("/~?a=b"), "give the query by `query`"),
        (get("/~").header("a b", "c"), "name"),
        (get("/~").header("x-a", "canary\n"), "x-a"),
        (get("/~").header(KEY_HEADER, CANARY), "API key"),
        (get("/~").json(&unfit), "JSON"),
        (get("/~").accept("\n"), "accept"),
    ] {
        assert!(!format!("{request:?}").contains("canary"));
        let error = request.send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::InvalidRequest, 0)
        );
        assert!(error.to_string().starts_with("request: "), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_clean(&error);
    }
    let keyless = Client::builder().base_url(server.url()).build().unwrap();
    let error = keyless.request(Method::GET, "/").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingKey);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_failure_of_a_request_is_that_of_an_operation() {
    let server = Server::list([
        Answer::json(404, r#"{"error":"none"}"#),
        Answer::json(200, r#"{"a":"x"}"#),
    ])
    .await;
    let client = server.client();
    let error = client.request(Method::GET, "/x").send().await.unwrap_err();
    assert_eq!(error.to_string(), "request: 404 Not Found: none");
    let numbers = client.request(Method::GET, "/x");
    let error = numbers
        .fetch::<std::collections::BTreeMap<String, u8>>()
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn clones_send_what_they_were_told_to_and_leave_the_first_alone() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let client = server.builder().header("x-own", "one").build().unwrap();
    let clone = client.with_query("a", "b c").with_query("a", "d");
    let clone = clone.with_header("X-Own", "two").unwrap();
    clone.list_sessions().tags("t").send().await.unwrap();
    clone
        .request(Method::GET, "/x")
        .query("q", "1")
        .send()
        .await
        .unwrap();
    clone.get_agent_access_guide().send().await.unwrap();
    client.list_sessions().send().await.unwrap();
    let requests = server.requests();
    let sent: Vec<_> = requests
        .iter()
        .map(|r| (r.target.as_str(), r.header("x-own").unwrap()))
        .collect();
    assert_eq!(
        sent,
        [
            ("/v1/sessions?tags=t&a=b+c&a=d", "two"),
            ("/x?q=1&a=b+c&a=d", "two"),
            ("/v1/agent-access?a=b+c&a=d", "two"),
            ("/v1/sessions", "one"),
        ]
    );
    assert!(!format!("{:?}", client.with_header("x-own", CANARY)).contains("canary"));
    for (name, value) in [("a b", "c"), ("x-a", "canary\n"), (KEY_HEADER, CANARY)] {
        let error = client.with_header(name, value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_clean(&error);
    }
}

#[tokio::test]
async fn a_link_gets_the_key_if_it_is_of_the_apis_own_origin() {
    let server = Server::always(Answer::new(200, &[("content-type", "text/csv")], "bytes")).await;
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    let client = server
        .builder()
        .base_url(format!("{}/prefix", server.url()));
    let client = client.header("x-own", CANARY).build().unwrap();
    for (link, target, ours) in [
        (
            "http://127.0.0.1:PORT/v1/file?sig=%7e",
            "/v1/file?sig=%7e",
            true,
        ),
        ("/v1/file?a=b", "/prefix/v1/file?a=b", true),
        ("//127.0.0.1:PORT/x", "/x", true),
        ("http://localhost:PORT/x?sig=1", "/x?sig=1", false),
        ("//localhost:PORT/x", "/x", false),
    ] {
        let answer = client
            .download_link(&link.replace("PORT", &port))
            .await
            .unwrap();
        assert_eq!(answer.content_type(), Some("text/csv"));
        assert_eq!(text(answer).await, "bytes");
        let request = server.requests().pop().unwrap();
        assert_eq!(
            (request.target.as_str(), is_ours(&request)),
            (target, ours),
            "{link}"
        );
    }
    let count = server.requests().len();
    for link in [
        "",
        "canary",
        "ftp://canary/x",
        "http://canary:x",
        "javascript:canary",
    ] {
        let error = client.download_link(link).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{link}");
        assert_clean(&error);
    }
    let keyless = Client::builder().base_url(server.url()).build().unwrap();
    let error = keyless.download_link("/x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingKey);
    assert_eq!(server.requests().len(), count);
}

#[tokio::test]
async fn a_link_that_redirects_away_keeps_the_key_at_home() {
    let away = Server::always(Answer::new(200, &[], "bytes")).await;
    let server = Server::always(Answer::redirect(302, &format!("{}/x?sig=1", away.url()))).await;
    let client = server.builder().header("x-own", CANARY).build().unwrap();
    let answer = client.download_link("/v1/file").await.unwrap();
    assert_eq!(text(answer).await, "bytes");
    assert!(is_ours(&server.request()) && !is_ours(&away.request()));
}

#[tokio::test]
async fn an_upload_sends_the_headers_it_was_given_and_no_other() {
    let server = Server::always(Answer::new(200, &[("etag", "e")], "")).await;
    let client = server.builder().header("x-own", CANARY).build().unwrap();
    let client = client.with_query("a", "b");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let signed = [
        header("Content-Type", "text/csv"),
        header("x-amz-meta", "m"),
    ];
    let url = format!("{}/bucket/x?sig=%7e", server.url());
    let long = "x".repeat(700_000);
    let part = FilePart::bytes("a.txt", long.clone()).content_type("image/png");
    let answer = client.upload_url(&url, &signed, part).await.unwrap();
    assert_eq!(answer.headers()["etag"], "e");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f"), &long).unwrap();
    let part = FilePart::path(dir.path().join("f")).await.unwrap();
    client.upload_url(&url, &signed, part).await.unwrap();
    for request in server.requests() {
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("PUT", "/bucket/x?sig=%7e")
        );
        let mut names: Vec<_> = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        // Each HTTP request has a host; and `accept: */*` is the HTTP client's.
        assert_eq!(
            names,
            [
                "accept",
                "content-length",
                "content-type",
                "host",
                "x-amz-meta"
            ]
        );
        assert_eq!(request.header("content-type"), Some("text/csv"));
        assert_eq!((request.length, request.chunked), (700_000, false));
        assert!(!is_ours(&request));
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_upload_that_fails_prints_no_url() {
    let xml = format!("<?xml version=\"1.0\"?><Error>{CANARY}</Error>");
    let server = Server::list([
        Answer::new(403, &[], xml),
        Answer::redirect(307, &format!("http://localhost:1/{CANARY}")),
        Answer::reset(),
    ])
    .await;
    let client = server.client();
    let url = format!("{}/x?sig={CANARY}", server.url());
    let put = async |url: &str, headers: &[(String, String)]| {
        let part = FilePart::bytes("a", "b");
        let error = client.upload_url(url, headers, part).await.unwrap_err();
        assert_eq!(error.operation(), Some("upload_url"));
        assert_clean(&error);
        error.kind()
    };
    for expected in [ErrorKind::Status, ErrorKind::Redirect, ErrorKind::Transport] {
        assert_eq!(put(&url, &[]).await, expected);
    }
    for (name, value) in [
        ("a b", CANARY),
        ("x-a", "canary\n"),
        ("content-length", "7"),
    ] {
        let headers = [(name.to_owned(), value.to_owned())];
        assert_eq!(
            put(&url, &headers).await,
            ErrorKind::InvalidRequest,
            "{name}"
        );
    }
    assert_eq!(put(CANARY, &[]).await, ErrorKind::InvalidRequest);
    assert_eq!(server.requests().len(), 3);
}

/// One byte after the other.
struct Bytewise(u8);

impl Stream for Bytewise {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        Poll::Ready(left.map(|_| Ok(Bytes::from_static(b"x"))))
    }
}

/// The request is whole before the stream has ended, if that is too long.
#[tokio::test]
async fn an_upload_must_have_the_length_that_was_said() {
    let server = Server::always(Answer::json(200, "")).await;
    for (given, said, ok) in [(2, 2, true), (1, 2, false), (3, 2, false), (0, 0, true)] {
        let file = FilePart::stream("a", Bytewise(given), said);
        let put = server.client().upload_url(&server.url(), &[], file).await;
        assert_eq!(put.is_ok(), ok, "{given} {said}");
    }
    assert!(server.requests().iter().all(|request| request.length != 1));
}

#[tokio::test]
async fn a_proxy_gets_all_requests_and_its_password_is_not_printed() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let proxy = server
        .url()
        .replace("http://", "http://us%20er:canary%2Fp@");
    let builder = Client::builder()
        .base_url("http://api.invalid")
        .api_key(KEY)
        .proxy(&proxy);
    assert!(!format!("{builder:?}").contains("canary"));
    let client = builder.clone().build().unwrap();
    assert!(!format!("{client:?}").contains("canary"), "{client:?}");
    client.list_sessions().send().await.unwrap();
    let request = server.request();
    assert_eq!(request.target, "http://api.invalid/v1/sessions");
    // `us er:canary/p`
    assert_eq!(
        request.header("proxy-authorization"),
        Some("Basic dXMgZXI6Y2FuYXJ5L3A=")
    );

    let own = builder.http_client(reqwest::Client::new()).build();
    let refused = |url: &str| Client::builder().proxy(url).build().unwrap_err();
    for (error, expected) in [
        (own.unwrap_err(), "HTTP client that was given"),
        (refused(CANARY), "not an HTTP URL"),
        (refused("socks5://canary:1"), "not an HTTP URL"),
        (refused("http://%ff:canary@h"), "no text"),
        (
            Client::builder().concurrency_limit(0).build().unwrap_err(),
            "concurrency limit is 0",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(expected), "{error}");
        assert_clean(&error);
    }
}

#[test]
fn an_answer_can_be_made_another() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = Server::always(Answer::new(201, &[("x-kept", "1")], r#"{"a":1}"#)).await;
        let answer = server
            .client()
            .request(Method::GET, "/x")
            .json_value()
            .await
            .unwrap();
        let answer = answer.map(|value| value["a"].clone());
        let answer = answer
            .try_map(|value| value.as_u64().ok_or("no number"))
            .unwrap();
        assert_eq!(
            (*answer, answer.status().as_u16(), answer.attempts()),
            (1, 201, 1)
        );
        assert_eq!(
            (
                answer.headers()["x-kept"].to_str().unwrap(),
                answer.operation()
            ),
            ("1", "request")
        );
        assert_eq!(answer.try_map(Err::<Value, _>).map(|_| ()), Err(1));
    });
}
