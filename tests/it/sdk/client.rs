//! The client's settings, as the wire shows them.

use std::time::Duration;

use anchorbrowser::reqwest::{Method, StatusCode};
use anchorbrowser::{Client, Options};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use super::KEY;
use crate::server::{Answer, Server};

const MS: Duration = Duration::from_millis(1);

/// Waits for an answer for less time than the emulator takes for one.
async fn hurried() -> anyhow::Result<(Emulator, Client)> {
    let emulator = Emulator::builder().start().await?;
    let client = super::builder(&emulator)
        .attempt_timeout(150 * MS)
        .build()?;
    Ok((emulator, client))
}

#[tokio::test]
async fn operations_that_take_long_get_their_time() -> anyhow::Result<()> {
    let (emulator, client) = hurried().await?;
    for operation in [
        "create_session",
        "goto",
        "perform_web_task",
        "fetch_webpage",
    ] {
        emulator.fault(Fault::delay(400 * MS).on(operation))?;
    }
    let session = client.sessions().create().send().await?;
    session.goto("https://example.com").await?;
    session.agent().task("Do it").run().await?;
    let page = client
        .tools()
        .fetch_webpage("https://example.com")
        .send()
        .await?;
    assert!(!page.bytes().await?.is_empty());
    // It waits for longer than the client's attempts may take, and ends as it should.
    let event = client
        .events()
        .wait("never")
        .timeout(400 * MS)
        .send()
        .await?;
    assert!(event.is_none());

    emulator.fault(Fault::delay(400 * MS).on("get_session").always())?;
    let error = session.info().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((error.attempts(), emulator.count("get_session")?), (3, 3));
    Ok(())
}

#[tokio::test]
async fn the_limit_of_an_operation_holds_for_all() -> anyhow::Result<()> {
    let (emulator, client) = hurried().await?;
    let client = client.with_options(Options::new().operation_timeout(100 * MS))?;
    emulator.fault(Fault::delay(20_000 * MS).on("perform_web_task"))?;
    let error = client.agent().task("Do it").run().await.unwrap_err();
    assert!(
        error.is_timeout() && error.may_have_been_processed(),
        "{error}"
    );
    assert_eq!(emulator.count("perform_web_task")?, 1);
    Ok(())
}

#[tokio::test]
async fn options_change_a_clone_only() -> anyhow::Result<()> {
    let server = Server::always(Answer::json(200, r#"{"data":{"session_id":"s"}}"#)).await;
    let builder = Client::builder().base_url(server.url()).api_key(KEY);
    let client = builder.header("x-one", "1").header("x-two", "2").build()?;
    let options = Options::new()
        .header("x-two", "other")
        .query("trace", "a b");
    client.with_options(options)?.session("s").info().await?;
    client.session("s").info().await?;
    let [changed, plain] = &server.requests()[..] else {
        panic!("{:?}", server.requests());
    };
    assert_eq!(changed.target, "/v1/sessions/s?trace=a+b");
    assert_eq!(plain.target, "/v1/sessions/s");
    let headers = |name| (changed.header(name), plain.header(name));
    assert_eq!(headers("x-one"), (Some("1"), Some("1")));
    assert_eq!(headers("x-two"), (Some("other"), Some("2")));
    let version = concat!("rust/", env!("CARGO_PKG_VERSION"));
    assert_eq!(headers("x-anchor-sdk"), (Some(version), Some(version)));
    Ok(())
}

#[tokio::test]
async fn an_answer_tells_how_it_came() -> anyhow::Result<()> {
    let emulator = Emulator::builder().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    emulator.fault(Fault::status(502).on("get_session").times(2))?;
    let answer = session.info().with_meta().await?;
    assert_eq!(answer.value.id, *session.id());
    assert_eq!(answer.meta.operation(), "get_session");
    assert_eq!(
        (answer.meta.status(), answer.meta.attempts()),
        (StatusCode::OK, 3)
    );
    assert!(answer.meta.headers().contains_key("content-type"));

    emulator.fault(
        Fault::rate_limited(30_000 * MS)
            .on("create_session")
            .always(),
    )?;
    let client = client.with_options(Options::new().retries(0))?;
    let error = client.sessions().create().send().await.unwrap_err();
    assert!(error.is_rate_limited(), "{error}");
    assert_eq!(error.rate_limit().map(|limit| limit.remaining), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_request_to_any_path_is_made_like_a_call() -> anyhow::Result<()> {
    let server = Server::start(|request| match &*request.method {
        "GET" if request.target.contains("first") => Answer::json(200, r#"["a","b"]"#),
        "GET" => Answer::new(200, &[], "bytes"),
        _ => Answer::new(503, &[], ""),
    });
    let server = server.await;
    let client = Client::builder()
        .base_url(server.url())
        .api_key(KEY)
        .build()?;
    let client = client
        .with_options(Options::new().retry(anchorbrowser::RetryPolicy::new(1).backoff(MS, MS)))?;
    let list = client
        .request(Method::GET, "/v9/widgets")
        .query("page", "first");
    assert_eq!(list.json::<Vec<String>>().await?, ["a", "b"]);
    let bytes = client.request(Method::GET, "/v9/widgets/1").send().await?;
    assert_eq!(bytes.bytes().await?, "bytes");
    assert_eq!(server.requests()[0].target, "/v9/widgets?page=first");
    assert_eq!(server.requests()[0].header("anchor-api-key"), Some(KEY));

    // What creates is sent once, unless the caller says that it does no harm.
    for (harmless, sent) in [(false, 3), (true, 5)] {
        let post = client
            .request(Method::POST, "/v9/widgets")
            .body(&json!({ "a": 1 }));
        let post = post.harmless_to_repeat(harmless);
        assert!(post.json::<Value>().await.is_err());
        assert_eq!(server.requests().len(), sent);
    }
    assert_eq!(server.requests()[4].text(), r#"{"a":1}"#);
    let error = client
        .request(Method::GET, "https://other.example/")
        .send()
        .await;
    assert_eq!(error.unwrap_err().attempts(), 0);
    Ok(())
}

#[tokio::test]
async fn a_proxy_gets_the_requests() -> anyhow::Result<()> {
    let proxy = Server::always(Answer::json(200, r#"{"data":{"session_id":"s"}}"#)).await;
    let builder = Client::builder()
        .base_url("http://api.example.invalid")
        .api_key(KEY);
    let client = builder.proxy(proxy.url()).build()?;
    assert_eq!(client.session("s").info().await?.id, "s");
    let request = proxy.request();
    assert_eq!(request.target, "http://api.example.invalid/v1/sessions/s");
    Ok(())
}
