//! Connections to browsers.

mod browsers;
mod events;
mod hostile;
mod keep_alive;
mod peer;
mod secrets;

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser::ErrorKind;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use self::peer::{Browser, ID, soon};
use super::KEY;
use crate::server::{Answer, Server};

/// Answers with what it was asked.
fn echo(command: &Value) -> Value {
    let mut asked = command.clone();
    asked.as_object_mut().unwrap().remove("id");
    asked
}

#[tokio::test]
async fn a_command_is_sent_as_given_and_has_its_result() -> anyhow::Result<()> {
    let browser = Browser::start(|peer, _| peer.answer_all(echo)).await;
    let cdp = browser.session().cdp().await?;
    let url = json!({ "url": "https://example.com" });
    let result = cdp.send("Page.navigate", &url).await?;
    assert_eq!(result, json!({ "method": "Page.navigate", "params": url }));
    let result = cdp.send("Page.enable", ()).await?;
    assert_eq!(result, json!({ "method": "Page.enable" }));

    #[derive(Debug, serde::Deserialize)]
    struct Echo {
        method: String,
    }
    let typed = cdp
        .send("Page.enable", json!({}))
        .output_as::<Echo>()
        .await?;
    assert_eq!(typed.method, "Page.enable");
    let error = cdp
        .send("X.y", ())
        .output_as::<Vec<u8>>()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "cdp: the result of `X.y` does not fit: expected a sequence"
    );
    for params in [json!([1]), json!("x"), json!(7)] {
        let error = cdp.send("X.y", params).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(!error.may_have_been_processed());
    }
    Ok(())
}

#[tokio::test]
async fn the_browser_is_where_the_url_says_and_a_page_beside_it() -> anyhow::Result<()> {
    let browser = Browser::start(|peer, _| peer.answer_all(echo)).await;
    let session = browser.session();
    drop(session.cdp().await?);
    drop(session.cdp().page("A1").await?);
    let query = format!("?apiKey={KEY}&sessionId={ID}");
    let handshakes = browser.handshakes();
    let targets: Vec<_> = handshakes.iter().map(|(target, _)| target).collect();
    assert_eq!(
        targets,
        [&format!("/{query}"), &format!("/devtools/page/A1{query}")]
    );
    assert!(handshakes.iter().all(|(_, headers)| !headers.contains(KEY)));
    let error = session.cdp().page("").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(browser.handshakes().len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_the_browser_refuses_has_its_code_and_message() -> anyhow::Result<()> {
    let browser = Browser::start(|mut peer, _| async move {
        for error in [
            json!({ "code": -32601, "message": "'X.y' wasn't found" }),
            json!({ "code": -32000, "message": format!("{KEY} is known"), "data": { "a": 1 } }),
            json!("odd"),
        ] {
            let Some(command) = peer.command().await else {
                return;
            };
            peer.send(json!({ "id": command["id"], "error": error }))
                .await;
        }
    })
    .await;
    let cdp = browser.session().cdp().await?;
    let error = cdp.send("X.y", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cdp);
    assert_eq!(error.cdp().unwrap().code, -32601);
    assert_eq!(error.message().as_deref(), Some("'X.y' wasn't found"));
    assert_eq!(
        error.to_string(),
        "cdp: `X.y` failed: 'X.y' wasn't found (code -32601)"
    );
    assert!(!cdp.is_closed());
    let error = cdp.send("X.y", ()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    assert_eq!(error.cdp().unwrap().data, Some(json!({ "a": 1 })));
    let error = cdp.send("X.y", ()).await.unwrap_err();
    assert_eq!(error.cdp().unwrap().code, 0, "{error}");
    Ok(())
}

#[tokio::test]
async fn a_target_has_commands_and_is_detached_from_when_it_is_dropped() -> anyhow::Result<()> {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let browser = Browser::start(move |peer, _| {
        let sender = sender.clone();
        peer.answer_all(move |command| {
            sender.send(command.clone()).unwrap();
            json!({ "sessionId": "flat-1" })
        })
    })
    .await;
    let cdp = browser.session().cdp().await?;
    let target = cdp.attach("A1").await?;
    assert_eq!((target.id(), target.session_id()), ("A1", "flat-1"));
    let command = target.send("Page.enable", ());
    drop(target);
    command.await?;
    let expected = [
        ("Target.attachToTarget", Value::Null),
        ("Page.enable", json!("flat-1")),
        ("Target.detachFromTarget", Value::Null),
    ];
    for (method, session) in expected {
        let command = soon(seen.recv()).await.unwrap();
        assert_eq!(
            (&command["method"], &command["sessionId"]),
            (&json!(method), &session)
        );
    }
    assert!(!cdp.is_closed());
    Ok(())
}

#[tokio::test]
async fn thousands_of_commands_wait_at_once() -> anyhow::Result<()> {
    const COUNT: usize = 10_000;
    let browser = Browser::start(|mut peer, _| async move {
        let mut commands = Vec::new();
        while commands.len() < COUNT {
            let Some(command) = peer.command().await else {
                return;
            };
            commands.push(command);
        }
        for command in commands.iter().rev() {
            peer.answer(command, command["params"].clone()).await;
        }
        let _ = peer.command().await;
    })
    .await;
    let cdp = browser.session().cdp().await?;
    let commands = (0..COUNT).map(|number| {
        let cdp = cdp.clone();
        async move { cdp.send("X.y", json!({ "number": number })).await }
    });
    let results = soon(futures_util::future::try_join_all(commands)).await?;
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result["number"], number);
    }
    Ok(())
}

#[tokio::test]
async fn a_command_has_a_limit_and_is_then_forgotten() -> anyhow::Result<()> {
    let browser = Browser::start(|mut peer, _| async move {
        let (first, second) = (peer.command().await, peer.command().await);
        let third = peer.command().await;
        for command in [first, second, third].into_iter().flatten() {
            peer.answer(&command, command["params"].clone()).await;
        }
        let _ = peer.command().await;
    })
    .await;
    let session = browser.session();
    let limit = Duration::from_millis(20);
    let cdp = session.cdp().command_timeout(limit).await?;
    let error = cdp.send("X.slow", ()).await.unwrap_err();
    assert!(
        error.is_timeout() && error.may_have_been_processed(),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("`X.slow` has no answer after 20ms"),
        "{error}"
    );
    let dropped = tokio::time::timeout(
        limit,
        cdp.send("X.y", ()).timeout(peer::LIMIT).into_future(),
    );
    assert!(dropped.await.is_err());
    // The answers to both come now, and are nobody's.
    let third = cdp.send("X.y", json!({ "number": 3 })).timeout(peer::LIMIT);
    assert_eq!(third.await?["number"], 3);
    Ok(())
}

#[tokio::test]
async fn it_closes_with_its_last_handle_and_the_session_goes_on() -> anyhow::Result<()> {
    let closed = Arc::new(Notify::new());
    let tell = closed.clone();
    let browser = Browser::start(move |peer, _| {
        let tell = tell.clone();
        async move {
            peer.answer_all(echo).await;
            tell.notify_one();
        }
    })
    .await;
    let session = browser.session();
    let cdp = session.cdp().await?;
    let events = cdp.events();
    let other = cdp.clone();
    drop(cdp);
    other.send("X.y", ()).await?;
    drop(other);
    drop(events);
    soon(closed.notified()).await;

    let cdp = session.cdp().await?;
    let other = cdp.clone();
    soon(cdp.close()).await;
    soon(closed.notified()).await;
    assert!(other.is_closed());
    soon(other.closed()).await?;
    let error = other.send("X.y", ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("closed here") && !error.may_have_been_processed());
    assert!(other.events().next().await.is_none());
    // Nothing but handshakes was sent.
    assert_eq!(browser.handshakes().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_client_with_the_root_speaks_tls() -> anyhow::Result<()> {
    let browser = Browser::secure(|peer, _| peer.answer_all(echo)).await;
    let session = browser.session();
    assert!(session.cdp_url().expose().starts_with("wss://"));
    let cdp = session.cdp().await?;
    assert_eq!(cdp.send("X.y", ()).await?["method"], "X.y");
    let base = session.client().base_url().to_owned();
    let stranger = anchorbrowser::Client::builder().base_url(base).api_key(KEY);
    let error = stranger.build()?.session(ID).cdp().await.unwrap_err();
    assert!(error.is_connect(), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_proxy_of_the_client_is_used() -> anyhow::Result<()> {
    let proxy = Server::always(Answer::json(502, r#"{"error":{"message":"no way"}}"#)).await;
    let client = anchorbrowser::Client::builder()
        .base_url("http://api.example")
        .api_key(KEY)
        .proxy(proxy.url())
        .build()?;
    let error = client.session(ID).cdp().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(502));
    let target = proxy.request().target;
    assert!(target.starts_with("http://connect.example/"), "{target}");
    Ok(())
}

#[test]
fn it_needs_no_runtime_of_the_callers() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let browser = runtime.block_on(Browser::start(|mut peer, _| async move {
        peer.send(json!({ "method": "A.b" })).await;
        peer.answer_all(echo).await;
    }));
    let cdp = browser.session().cdp().blocking()?;
    assert_eq!(cdp.send("X.y", ()).blocking()?["method"], "X.y");
    let events = cdp.events().blocking();
    drop(runtime);
    assert_eq!(events.count(), 0);
    Ok(())
}
