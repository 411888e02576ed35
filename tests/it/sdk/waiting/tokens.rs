//! Tokens of waits, and that no wait tells a secret.

use std::error::Error as _;
use std::time::Duration;

use anchorbrowser::poll::{PollKind, Polled};
use anchorbrowser::{ErrorKind, PollToken, Session};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;
use tracing::instrument::WithSubscriber as _;

use super::patient;
use crate::sdk::secrets::Log;
use crate::sdk::{KEY, methods::ID};

const STATUS: &str = "get_async_session_status";

fn token(kind: &str, ids: &[&str], began_ms: Option<u64>) -> serde_json::Result<PollToken> {
    serde_json::from_value(json!({ "kind": kind, "ids": ids, "began_ms": began_ms }))
}

#[tokio::test]
async fn a_token_is_the_same_after_a_round() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    let token = pending.ready().token();
    assert_eq!(
        (token.kind(), token.ids()),
        (
            PollKind::SessionStart,
            &[pending.request_id().to_string()][..]
        )
    );
    let text = serde_json::to_string(&token)?;
    let read: PollToken = serde_json::from_str(&text)?;
    assert_eq!(read, token);
    assert_eq!(client.resume::<Session>(&read)?.token(), token);
    emulator.advance(Duration::from_secs(1))?;
    client.resume::<Session>(&read)?.await?;
    // One without a time was asked for elsewhere.
    let unknown = client
        .sessions()
        .pending(pending.request_id())
        .ready()
        .token();
    assert!(!serde_json::to_string(&unknown)?.contains("began"));
    Ok(())
}

#[tokio::test]
async fn any_time_in_a_token_will_do() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    emulator.advance(Duration::from_secs(1))?;
    let future = 4_000_000_000_000;
    for began in [
        None,
        Some(0),
        Some(1),
        Some(future),
        Some(i64::MAX as u64),
        Some(u64::MAX),
    ] {
        let token = token("session_start", &[pending.request_id().as_str()], began)?;
        // The client's own schedule as well, which reckons with the time.
        let adaptive = anchorbrowser::poll::Adaptive::new();
        let poller = client.resume::<Session>(&token)?.schedule(adaptive);
        assert_eq!(poller.token(), token);
        poller.deadline(Duration::from_secs(10)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_token_for_something_else_is_refused() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    for (token, text) in [
        (
            token("batch", &[ID], None)?,
            "the token is for a batch of sessions",
        ),
        (
            token("session_start", &[], None)?,
            "its number of ids is 0, not 1",
        ),
        (token("session_start", &[ID, ID], None)?, "is 2, not 1"),
    ] {
        let error = client.resume::<Session>(&token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text), "{error}");
    }
    assert!(
        token("newer", &[ID], None)
            .unwrap_err()
            .to_string()
            .contains("unknown variant `newer`")
    );
    for text in ["", "{", "[]", "{}", "null", r#"{"kind":"batch","ids":7}"#] {
        assert!(serde_json::from_str::<PollToken>(text).is_err(), "{text}");
    }
    assert!(emulator.exchanges().is_empty());
    Ok(())
}

/// The key is in the address of each session, and here the server repeats it wherever it can.
#[tokio::test]
async fn waits_tell_no_secret() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    crate::callsites::ask_each_time();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let subscriber = subscriber.with_writer(log.clone()).finish();
    let mut texts = Vec::new();
    let program = async {
        let pending = client.sessions().start().send().await?;
        let echo = json!({ "data": { "status": format!("a\n{KEY}"), "progress": { "current_phase": KEY } } });
        let failed = json!({ "data": { "status": "failed", "session": { "error": KEY } } });
        emulator.fault(Fault::status(200).json(echo).on(STATUS).always())?;
        let mut poller = pending.ready().deadline(Duration::from_millis(200));
        let late = poller.until_done().await.unwrap_err();
        assert!(late.to_string().contains("last seen: `a "), "{late}");
        emulator.clear_faults();
        emulator.fault(Fault::status(200).json(failed).on(STATUS))?;
        let failed = pending.ready().await.unwrap_err();
        assert_eq!(failed.message().as_deref(), Some(KEY));
        for error in [late, failed] {
            let waited = error.waited().unwrap();
            let token = serde_json::to_string(&waited.token)?;
            texts.push(format!(
                "{error} {error:?} {error:#?} {:?} {waited} {waited:?} {token}",
                error.source()
            ));
        }
        emulator.advance(Duration::from_secs(1))?;
        let mut poller = pending.ready();
        let Polled::Done(session) = poller.next().await.unwrap()? else {
            anyhow::bail!("it is ready");
        };
        assert!(session.cdp_url().expose().contains("canary"));
        let polled = Polled::<_, ()>::Done(session);
        texts.push(format!(
            "{poller:?} {poller:#?} {:?} {polled:?} {pending:?}",
            poller.last()
        ));
        anyhow::Ok(())
    };
    program.with_subscriber(subscriber).await?;
    let log = String::from_utf8(log.0.lock().unwrap().clone())?;
    assert!(log.contains("polled"), "{log}");
    for text in texts.iter().chain([&log]) {
        assert!(!text.contains("canary"), "{text}");
    }
    Ok(())
}
