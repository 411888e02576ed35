//! Events.

use std::time::Duration;

use anchorbrowser::ErrorKind;
use anchorbrowser_emulator::{Emulator, Fault};
use serde::Serialize;
use serde_json::json;

use super::checks::{assert_clean, refused};
use super::methods::{Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.events().wait("a").timeout(Duration::from_secs(1)).send(),
        client.events().signal("a", json!({ "b": 1 })),
    )
}

#[tokio::test]
async fn those_who_wait_get_what_is_signaled() -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Found {
        code: &'static str,
    }
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let waits: Vec<_> = (0..2)
        .map(|_| tokio::spawn(client.events().wait("code/ü").send()))
        .collect();
    emulator.wait_for("wait_for_event", 2).await?;
    client
        .events()
        .signal("code/ü", Found { code: "canary" })
        .await?;
    for wait in waits {
        let event = wait.await??.expect("the event was signaled");
        assert_eq!(event.get("code"), Some(&json!("canary")));
        assert_eq!(event.to_json(), json!({ "code": "canary" }));
        assert_clean(&event);
    }
    Ok(())
}

#[tokio::test]
async fn a_wait_that_is_over_gives_none() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    for (timeout, seconds) in [(None, 60), (Some(Duration::from_secs(5)), 5)] {
        emulator.clear_exchanges();
        let wait = client.events().wait("code");
        let wait = timeout
            .into_iter()
            .fold(wait, |wait, time| wait.timeout(time));
        let wait = tokio::spawn(wait.send().with_meta());
        emulator.wait_for("wait_for_event", 1).await?;
        emulator.advance(Duration::from_secs(seconds))?;
        let answer = wait.await??;
        assert!(answer.value.is_none());
        assert_eq!(answer.meta.status(), 408);
        assert_eq!(answer.meta.operation(), "wait_for_event");
        assert!(answer.meta.headers().contains_key("content-type"));
    }
    assert_eq!(emulator.exchanges()[0].json(), json!({ "timeoutMs": 5000 }));
    Ok(())
}

#[tokio::test]
async fn a_wait_is_sent_in_milliseconds_and_never_as_zero() -> anyhow::Result<()> {
    let emulator = Emulator::builder().lenient(true).start().await?;
    let client = super::client(&emulator);
    for (time, millis) in [
        (Duration::from_nanos(1), json!(1)),
        (Duration::from_micros(2500), json!(2)),
        (Duration::MAX, json!(i64::MAX)),
    ] {
        emulator.clear_exchanges();
        client.events().signal("a", json!({})).await?;
        let event = client.events().wait("a").timeout(time).send().await?;
        assert!(event.is_some());
        assert_eq!(emulator.exchanges()[1].json()["timeoutMs"], millis);
    }
    Ok(())
}

#[tokio::test]
async fn other_failures_of_a_wait_are_errors() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    emulator.fault(Fault::status(401))?;
    let error = client.events().wait("a").send().await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_the_service_refuses_is_refused_here() -> anyhow::Result<()> {
    refused("wait_for_event", "timeoutMs", |client| {
        client.events().wait("a").timeout(Duration::ZERO).send()
    })
    .await?;
    let emulator = Emulator::start().await?;
    for data in [json!(null), json!("a"), json!([1])] {
        let error = super::client(&emulator)
            .events()
            .signal("a", data)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("`data`"), "{error}");
    }
    assert_eq!(emulator.exchanges().len(), 0);
    Ok(())
}
