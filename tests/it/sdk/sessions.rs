//! Sessions.

mod lists;

use std::time::Duration;

use anchorbrowser::sessions::{
    Credits, Granularity, Metric, PageSize, Phase, SessionOptions, SortOrder, StartState,
};
use anchorbrowser::{Client, ErrorKind, Proxy, SessionId};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use super::methods::{ID, Method, methods};
use super::{KEY, client, unchecked};

/// A part of the key that is written alike in a URL.
pub(super) const SECRET: &str = "5d20c7";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.sessions().create().send(),
        client.sessions().start().send(),
        client.sessions().pending(ID).status(),
        client.sessions().get(ID),
        client.sessions().list().send(),
        client.sessions().statuses().send(),
        client.sessions().history().send(),
        client.sessions().end(ID),
        client.sessions().end_all(),
        client.session(ID).info(),
        client.session(ID).pages(),
        client.session(ID).tags(),
        client.session(ID).set_tags(["a"]),
        client.session(ID).clear_tags(),
        client.session(ID).end(),
    )
}

#[tokio::test]
async fn a_session_is_created_found_tagged_and_ended() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    let create = client.sessions().create().tag("first");
    let session = create.initial_url("https://example.com/").send().await?;
    emulator.advance(Duration::from_secs(90))?;

    let info = client.sessions().get(session.id()).await?;
    assert_eq!(info.id, *session.id());
    assert_eq!(info.status.as_deref(), Some("running"));
    assert_eq!(info.duration, Some(Duration::from_secs(90)));
    assert_eq!(info.tags, ["first"]);

    let pages = session.pages().await?;
    assert_eq!(pages[0].url.as_deref(), Some("https://example.com/"));
    let live_view = pages[0].live_view_url.as_ref().unwrap();
    assert!(live_view.expose().contains(session.id().as_str()));

    session.set_tags(["second", "third"]).await?;
    assert_eq!(session.tags().await?, ["second", "third"]);
    let statuses = client.sessions().statuses().tag("third").send().await?;
    assert_eq!((statuses.items.len(), statuses.total), (1, Some(1)));
    assert_eq!(statuses.items[0].id, *session.id());
    session.clear_tags().await?;
    assert!(session.tags().await?.is_empty());

    client.sessions().end(session.id()).await?;
    let info = session.info().await?;
    assert_eq!(info.status.as_deref(), Some("completed"));
    assert!(session.pages().await.unwrap_err().is_not_found());
    assert!(client.session(ID).info().await.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn tags_that_were_not_changed_are_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let methods = methods!(client =>
        client.session(ID).set_tags(["a"]),
        client.session(ID).clear_tags(),
    );
    let no = json!({ "success": false, "message": "too many tags" });
    for (method, operation) in methods
        .into_iter()
        .zip(["put_session_tags", "delete_session_tags"])
    {
        emulator.fault(Fault::status(200).json(no.clone()).on(operation))?;
        let error = (method.call)(client.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.to_string().contains("too many tags"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn all_sessions_are_ended_at_once() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    for _ in 0..3 {
        client.sessions().create().send().await?;
    }
    client.sessions().end_all().await?;
    let mut statuses = client.sessions().statuses().stream();
    while let Some(session) = statuses.next().await {
        assert_eq!(session?.status.as_deref(), Some("completed"));
    }
    Ok(())
}

/// An id that is a word of the API would call another operation: that which ends all, for one.
#[tokio::test]
async fn ids_that_are_words_of_the_api_are_refused() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    for id in ["all", "", "..", "history"] {
        let error = client.sessions().end(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{id}");
    }
    assert!(emulator.exchanges().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_session_is_asked_for_and_there_later() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    let pending = client.sessions().start().tag("later").send().await?;
    let status = pending.status().await?;
    assert_eq!(status.state, StartState::Pending);
    assert_eq!(status.phase, Some(Phase::Queued));
    assert!(status.session.is_none() && status.created_at.is_some());
    assert!(status.item.is_none());

    emulator.advance(Duration::from_millis(600))?; // it has an id, and cannot be used yet
    let status = pending.status().await?;
    assert_eq!(status.phase, Some(Phase::Configuring));
    assert!(status.session.is_none());
    let item = status.item.unwrap();
    assert!(item.session_id.is_some() && item.started_at.is_some());

    emulator.advance(Duration::from_millis(100))?;
    let pending = client.sessions().pending(pending.request_id());
    let status = pending.status().await?;
    assert_eq!(status.state, StartState::Ready);
    let session = status.session.as_ref().unwrap();
    assert_eq!(session.tags().await?, ["later"]);
    assert!(session.cdp_url().expose().contains(SECRET));
    assert!(session.live_view_url().is_some());
    assert!(KEY.ends_with(SECRET) && !format!("{pending:?} {status:?}").contains(SECRET));

    let unknown = client.sessions().pending(ID).status().await;
    assert!(unknown.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn a_start_that_fails_says_why() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.session_rate = 1.0);
    let emulator = builder.manual_clock().start().await?;
    let pending = client(&emulator).sessions().start().send().await?;
    emulator.advance(Duration::from_secs(1))?;
    let status = pending.status().await?;
    assert_eq!(status.state, StartState::Failed);
    assert!(status.session.is_none() && status.error.is_some());
    Ok(())
}

#[tokio::test]
async fn an_answer_without_what_was_asked_for_is_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let methods = methods!(client =>
        client.sessions().start().send(),
        client.sessions().pending(ID).status(),
        client.session(ID).info(),
        client.session(ID).pages(),
    );
    let fields = [
        ("create_session_async", "data.request_id"),
        ("get_async_session_status", "data.status"),
        ("get_session", "data.session_id"),
        ("get_session_pages", "data.items"),
    ];
    for (method, (operation, field)) in methods.into_iter().zip(fields) {
        emulator.fault(Fault::status(200).json(json!({})).on(operation))?;
        let error = (method.call)(client.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{operation}");
        assert!(error.to_string().contains(field), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn what_may_be_secret_is_not_printed() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let proxy = Proxy::custom("https://p.example:1", "u", "canary");
    let create = client.sessions().create().proxy(proxy.clone());
    let start = client.sessions().start().proxy(proxy);
    let configuration = json!({ "password": "canary" });
    let (url, cdp) = ("https://h.example/canary", "wss://h.example/canary");
    let created = json!({ "id": "s", "cdp_url": cdp, "live_view_url": url });
    let info = json!({ "session_id": "s", "configuration": configuration });
    let pages = json!({ "items": [{ "id": "p", "frontend_url": url }] });
    let list = json!({ "sessions": [{ "id": "s", "user_configuration": configuration }] });
    for (operation, data) in [
        ("create_session", created),
        ("get_session", info),
        ("get_session_pages", pages),
        ("list_sessions", list),
    ] {
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on(operation))?;
    }
    let other = Proxy::Other(json!({ "password": "canary" }).into());
    let mut printed = format!("{create:?} {start:?} {other:?}");
    let session = create.send().await?;
    let (info, pages) = (session.info().await?, session.pages().await?);
    let list = client.sessions().list().send().await?;
    printed += &format!("{session:?} {info:?} {pages:?} {list:?}");
    assert!(!printed.contains("canary"), "{printed}");
    assert_eq!(info.configuration.unwrap().expose()["password"], "canary");
    assert_eq!(pages[0].live_view_url.as_ref().unwrap().expose(), url);
    assert_eq!(session.cdp_url().expose(), cdp);
    Ok(())
}

/// What the API states in prose: nothing is sent, unless the checks are off.
#[tokio::test]
async fn what_the_api_would_refuse_is_not_sent() -> anyhow::Result<()> {
    let emulator = Emulator::builder().lenient(true).start().await?;
    let custom = Proxy::custom("https://p.example:1", "u", "p");
    let new = SessionOptions::new;
    for (named, options) in [
        ("captcha_solver", new().captcha_solver(true)),
        ("extra_stealth", new().extra_stealth(true)),
        ("extra_stealth", new().extra_stealth(true).proxy(custom)),
        ("city", new().proxy(Proxy::country("de").city("Bonn"))),
        ("popup_blocker", new().popup_blocker(true).adblock(false)),
        (
            "one_time_url",
            new().one_time_live_view(true).headless(true),
        ),
        ("max_duration", new().max_duration(Duration::ZERO)),
        ("idle_timeout", new().idle_timeout(Duration::ZERO)),
    ] {
        refused(&emulator, named, async |client| {
            let create = client.sessions().create();
            create.options(options.clone()).send().await.map(drop)
        })
        .await?;
        refused(&emulator, named, async |client| {
            let start = client.sessions().start();
            start.options(options.clone()).send().await.map(drop)
        })
        .await?;
    }
    refused(&emulator, "tags", async |client| {
        client.sessions().list().tag("a,b").send().await.map(drop)
    })
    .await?;
    refused(&emulator, "domains", async |client| {
        let list = client.sessions().statuses().domain("a,b");
        list.send().await.map(drop)
    })
    .await?;
    refused(&emulator, "limit", async |client| {
        let history = client.sessions().history().page_size(1001);
        history.send().await.map(drop)
    })
    .await?;
    refused(&emulator, "page", async |client| {
        client.sessions().history().page(0).send().await.map(drop)
    })
    .await?;
    refused(&emulator, "page", async |client| {
        client.sessions().list().page(0).send().await.map(drop)
    })
    .await
}

/// The call is refused before anything is sent, by an error that names the field; without checks
/// it is sent.
pub(super) async fn refused(
    emulator: &Emulator,
    named: &str,
    call: impl AsyncFn(Client) -> anchorbrowser::Result<()>,
) -> anyhow::Result<()> {
    emulator.clear_exchanges();
    let error = call(client(emulator)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{named}");
    assert!(error.to_string().contains(named), "{error}");
    assert!(emulator.exchanges().is_empty(), "{named}");
    // The server may refuse it as well.
    let _ = call(unchecked(emulator)).await;
    let sent = emulator.exchanges();
    assert_eq!(sent.len(), 1, "{named}");
    assert!(sent[0].status.unwrap() < 500, "{named}");
    Ok(())
}

/// Spawned, joined, and in a stream's buffer, as it is.
#[tokio::test]
async fn a_call_is_a_future() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let create = || client.sessions().create().send();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        tasks.spawn(create());
    }
    for session in tasks.join_all().await {
        session?;
    }
    let (one, other) = tokio::try_join!(create(), create())?;
    assert_ne!(one.id(), other.id());
    let future: std::pin::Pin<Box<dyn Future<Output = anchorbrowser::Result<_>> + Send>> =
        Box::pin(client.sessions().get(&one));
    assert_eq!(&future.await?.id, one.id());
    assert_eq!(emulator.count("create_session")?, 5);
    Ok(())
}

#[test]
fn an_id_is_read_from_text_and_found_by_it() -> anyhow::Result<()> {
    let id: SessionId = "one".parse()?;
    let hashed = std::collections::HashMap::from([(id.clone(), 1)]);
    let sorted = std::collections::BTreeMap::from([(id, 1)]);
    assert_eq!((hashed.get("one"), sorted.get("one")), (Some(&1), Some(&1)));
    Ok(())
}
