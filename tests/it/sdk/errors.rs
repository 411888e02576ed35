//! What users read when something fails.

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser::reqwest;
use anchorbrowser::{Client, ClientBuilder, Error, ErrorKind, Result, RetryPolicy};
use tokio::sync::Notify;

use super::KEY;
use crate::server::{Answer, Server};
use crate::snapshot;

/// A client whose failures are final.
fn builder(url: &str) -> ClientBuilder {
    Client::builder()
        .base_url(url)
        .api_key(KEY)
        .retry(RetryPolicy::none())
}

fn client(url: &str) -> Client {
    builder(url).build().unwrap()
}

/// The failure of a call that gets this answer.
async fn failure(answer: Answer) -> Error {
    let server = Server::always(answer).await;
    let session = client(&server.url()).session("s");
    session.info().await.unwrap_err()
}

/// An error and its causes, in lines.
#[derive(Default)]
struct Texts(String);

impl Texts {
    fn add(&mut self, name: &str, error: &Error) {
        let mut lines = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            lines.push(error.to_string());
            cause = error.source();
        }
        assert!(!lines.join("").contains(KEY) && !format!("{error:?}").contains(KEY));
        // The number of a system's error is the system's.
        let text = lines.join("\n    because: ");
        let text = text.split(" (os error").next().unwrap_or_default();
        self.0.push_str(&format!("{name}\n    {text}\n"));
    }

    async fn call<T>(&mut self, name: &str, call: impl Future<Output = Result<T>>) {
        match call.await {
            Ok(_) => panic!("{name} is no failure"),
            Err(error) => self.add(name, &error),
        }
    }
}

#[tokio::test]
async fn texts() {
    let mut texts = Texts::default();
    settings(&mut texts).await;
    connections(&mut texts).await;
    limits(&mut texts).await;
    statuses(&mut texts).await;
    successes(&mut texts).await;
    snapshot::check("errors", &texts.0);
}

async fn settings(texts: &mut Texts) {
    let keyless = Client::builder().build().unwrap();
    texts
        .call("missing key", async { keyless.session("s").info().await })
        .await;
    texts.add("bad key", &Client::new("two words").unwrap_err());
    let both = builder("http://localhost:1").proxy("http://localhost:2");
    let both = both.http_client(reqwest::Client::new()).build();
    texts.add("two settings of a proxy", &both.unwrap_err());
    let none = builder("http://localhost:1").concurrency_limit(0).build();
    texts.add("no request at once", &none.unwrap_err());
    let client = client("http://localhost:1");
    texts
        .call("id of another path", async {
            client.session("all").end().await
        })
        .await;
    let create = client.sessions().create().captcha_solver(true).send();
    texts.call("captcha without a proxy", create).await;
}

async fn connections(texts: &mut Texts) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let refused = client(&url).sessions().create().send();
    texts.call("connection refused", refused).await;

    let http = reqwest::Client::builder()
        .no_proxy()
        .dns_resolver(Arc::new(NoNames));
    let nowhere = builder("http://api.example").http_client(http.build().unwrap());
    let call = nowhere.build().unwrap().session("s").info();
    texts.call("no such host", call).await;

    let plain = Server::always(Answer::raw("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let secure = client(&plain.url().replace("http:", "https:"))
        .session("s")
        .info();
    texts.call("TLS to a server without", secure).await;

    let error = failure(Answer::reset()).await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    texts
        .0
        .push_str(&format!("connection reset\n    {error}\n"));
}

/// A resolver that knows no name.
struct NoNames;

impl reqwest::dns::Resolve for NoNames {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async { Err("no such name".into()) })
    }
}

async fn limits(texts: &mut Texts) {
    let ms = Duration::from_millis;
    let server = Server::always(Answer::until_closed(Arc::new(Notify::new()))).await;
    let attempt = builder(&server.url())
        .attempt_timeout(ms(50))
        .build()
        .unwrap();
    let error = attempt.session("s").info().await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_processed());
    texts.add("limit of an attempt", &error);

    let operation = builder(&server.url())
        .operation_timeout(ms(50))
        .build()
        .unwrap();
    let error = operation.session("s").info().await.unwrap_err();
    assert!(error.is_timeout());
    texts.add("limit of an operation", &error);

    let call = client(&server.url()).session("s").info();
    let error = call.cancelled_by(std::future::ready(())).await.unwrap_err();
    assert!(error.is_cancelled());
    texts.add("cancelled wait", &error);
}

async fn statuses(texts: &mut Texts) {
    let nested = r#"{"error":{"code":404,"message":"No session s"}}"#;
    for (status, name, body) in [
        (400, "an error with code and message", nested),
        (
            404,
            "the same in another",
            r#"{"error":{"error":{"code":404,"message":"Deep"}}}"#,
        ),
        (403, "a text", r#"{"error":"Cost limit reached"}"#),
        (401, "a wrong key", r#"{"error":"Invalid key"}"#),
        (409, "details", r#"{"error":"Bad","details":["a","b"]}"#),
        (412, "a bare message", r#"{"message":"No credentials"}"#),
        (
            422,
            "what an agent is to do next",
            r#"{"error":"Try","next":{"method":"GET"}}"#,
        ),
        (408, "the end of a long poll", ""),
        (500, "plain text", "upstream connect error"),
        (
            502,
            "a page",
            "<html><head><title>502 Bad Gateway</title></head></html>",
        ),
        (503, "no message", r#"{"status":"down"}"#),
        (504, "a cut message", r#"{"error":{"mess"#),
        (
            402,
            "insufficient credits",
            r#"{"error":{"code":402,"message":"No credits left"}}"#,
        ),
    ] {
        let error = failure(Answer::json(status, body)).await;
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.body().unwrap(), body);
        texts.add(&format!("{status}, {name}"), &error);
    }
    texts.add(
        "500 that is cut",
        &failure(Answer::cut(500, r#"{"error":"cut"}"#)).await,
    );

    let body = r#"{"error":{"code":429,"message":"Too many"}}"#;
    let policy = ("ratelimit-policy", r#""5-in-1min"; q=5; w=60"#);
    let limit = ("ratelimit", r#""5-in-1min"; r=0; t=58"#);
    let error = failure(Answer::new(
        429,
        &[policy, limit, ("retry-after", "58")],
        body,
    ))
    .await;
    assert!(error.is_rate_limited() && !error.is_concurrency_limit());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(58)));
    assert_eq!(error.rate_limit().unwrap().quota, Some(5));
    texts.add("429, rate limit", &error);
    let error = failure(Answer::json(429, body)).await;
    assert!(error.is_concurrency_limit() && !error.is_rate_limited());
    texts.add("429, concurrency limit", &error);
}

async fn successes(texts: &mut Texts) {
    for (name, answer) in [
        (
            "200 of another form",
            Answer::json(200, r#"{"data":{"tags":[{}]}}"#),
        ),
        ("200 that is no JSON", Answer::new(200, &[], "OK")),
        (
            "200 of a page",
            Answer::new(200, &[], "<html><title>Sign in</title>"),
        ),
        ("200 that is cut", Answer::cut(200, "{}")),
        (
            "200 without what is needed",
            Answer::json(200, r#"{"other":1}"#),
        ),
    ] {
        let error = failure(answer).await;
        assert_eq!(error.status().unwrap(), 200);
        assert!(error.body().is_some(), "{name}");
        texts.add(name, &error);
    }
}
