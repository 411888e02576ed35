//! The start of a session.

use std::time::Duration;

use anchorbrowser::poll::Polled;
use anchorbrowser::sessions::{Phase, StartState};
use anchorbrowser::{ErrorKind, Session};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::patient;
use crate::sdk::methods::ID;

#[tokio::test]
async fn a_session_is_waited_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().tag("later").send().await?;
    let mut poller = pending.ready();
    let mut phases = Vec::new();
    let session = loop {
        match poller.next().await.unwrap()? {
            Polled::Done(session) => break session,
            Polled::Progress(status) => phases.extend(status.phase),
        }
        emulator.advance(Duration::from_millis(200))?;
    };
    phases.dedup();
    assert_eq!(
        phases,
        [Phase::Queued, Phase::Provisioning, Phase::Configuring]
    );
    assert_eq!(session.tags().await?, ["later"]);
    assert_eq!(
        poller.polls() as usize,
        emulator.count("get_async_session_status")?
    );
    assert!(poller.next().await.is_none());
    Ok(())
}

/// Each state in which a start can end is told from the others.
#[tokio::test]
async fn each_end_is_told_apart() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::quick(&emulator);
    let error = json!({ "error": "no room, canary" });
    for (state, session, text) in [
        ("failed", error, "no room"),
        ("failed", json!(null), "no reason"),
        ("cancelled", json!(null), "given up"),
        ("completed", json!({ "session_id": "s" }), "has ended"),
    ] {
        let data = json!({ "status": state, "session": session });
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on("get_async_session_status"))?;
        let error = client.sessions().pending(ID).ready().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(error.waited().unwrap().state.as_deref(), Some(state));
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.body().is_some() && error.status().is_some());
    }
    let error = client.sessions().pending(ID).ready().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_waited_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    emulator.advance(Duration::from_secs(1))?;
    pending.ready().await?.end().await?;
    let error = pending.ready().await.unwrap_err();
    let state = error.waited().unwrap().state.as_deref();
    assert_eq!(state, Some(StartState::Completed.as_str()), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_deadline_keeps_the_wait() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    let mut poller = pending.ready().deadline(Duration::from_millis(200));
    let error = poller.until_done().await.unwrap_err();
    assert!(error.is_deadline() && error.is_timeout(), "{error}");
    let waited = error.waited().unwrap();
    assert_eq!(waited.state.as_deref(), Some(StartState::Pending.as_str()));
    assert!(waited.elapsed >= Duration::from_millis(200) && waited.polls > 0);
    emulator.advance(Duration::from_secs(1))?;
    let text = serde_json::to_string(&waited.token)?;
    let other = super::quick(&emulator);
    let session = other
        .resume::<Session>(&serde_json::from_str(&text)?)?
        .await?;
    assert_eq!(poller.until_done().await?.id(), session.id());
    Ok(())
}
