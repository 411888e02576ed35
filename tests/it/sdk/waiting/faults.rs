//! Polls that fail.

use std::error::Error as _;
use std::time::{Duration, Instant};

use anchorbrowser::sessions::{PendingSession, StartState};
use anchorbrowser::{Client, ErrorKind, Options, RetryPolicy};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::{patient, quick};

const STATUS: &str = "get_async_session_status";

/// A start that is ready, as the next poll that succeeds will show.
async fn ready(emulator: &Emulator, client: &Client) -> anyhow::Result<PendingSession> {
    let pending = client.sessions().start().send().await?;
    emulator.advance(Duration::from_secs(1))?;
    Ok(pending)
}

#[tokio::test]
async fn what_may_pass_is_survived() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let soon = Fault::status(429).header("retry-after-ms", "5");
    let statuses = [408, 500, 502, 503, 504, 599].map(Fault::status);
    let others = [
        soon,
        Fault::status(429),
        Fault::reset_before(),
        Fault::reset_after(),
        Fault::cut_body(10),
        Fault::invalid_json(),
        Fault::html(200),
        Fault::html(502),
        Fault::status(200).json(json!({})),
    ];
    for fault in statuses.into_iter().chain(others) {
        let pending = ready(&emulator, &client).await?;
        emulator.clear_exchanges();
        emulator.fault(fault.clone().on(STATUS).times(3))?;
        let mut poller = pending.ready();
        poller.until_done().await?;
        // The transport repeats nothing by itself.
        assert_eq!(
            (poller.polls(), emulator.count(STATUS)?),
            (4, 4),
            "{fault:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_survived() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::builder(&emulator).attempt_timeout(Duration::from_millis(300));
    let client = client.build()?;
    let pending = ready(&emulator, &client).await?;
    emulator.fault(Fault::delay(Duration::from_secs(3600)).on(STATUS))?;
    let mut poller = pending.ready();
    poller.until_done().await?;
    assert!(poller.polls() >= 2);
    Ok(())
}

/// Too many failures end the wait, and it can be gone on with: as many are then survived again.
#[tokio::test]
async fn failures_in_a_row_have_a_limit() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    let mut poller = pending.ready().max_failures(2);
    poller.next().await.unwrap()?;
    emulator.fault(Fault::status(503).on(STATUS).times(2))?;
    poller.next().await.unwrap()?;
    emulator.fault(Fault::html(503).on(STATUS).always())?;
    for polls in [7, 10] {
        let error = poller.until_done().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
        assert!(
            error.to_string().contains("3 polls in a row failed"),
            "{error}"
        );
        let waited = error.waited().unwrap();
        assert_eq!(waited.state.as_deref(), Some("pending"));
        assert_eq!(
            (waited.polls, emulator.count(STATUS)?),
            (polls, polls as usize)
        );
    }
    // Who joins now has seen one failure, and survives it.
    emulator.clear_faults();
    emulator.advance(Duration::from_secs(1))?;
    pending.ready().max_failures(1).await?;
    poller.until_done().await?;
    Ok(())
}

/// That before the deadline is one, and not as many as there is time for.
#[tokio::test]
async fn failures_before_the_deadline_have_pauses() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pause = Duration::from_millis(200);
    let retry = RetryPolicy::none().backoff(pause, pause);
    let client = client.with_options(Options::new().retry(retry))?;
    emulator.fault(Fault::status(503).on(STATUS).always())?;
    let pending = client.sessions().start().send().await?;
    let poller = pending.ready().max_failures(1_000);
    let error = poller.deadline(Duration::from_secs(1)).await.unwrap_err();
    assert!(error.is_deadline(), "{error}");
    assert!(
        error.to_string().contains("the last poll failed"),
        "{error}"
    );
    let failure = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(failure.contains("503"), "{failure}");
    assert!(emulator.count(STATUS)? < 10, "{}", emulator.count(STATUS)?);
    Ok(())
}

#[tokio::test]
async fn a_pause_without_end_after_a_failure_lasts_to_the_deadline() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let retry = RetryPolicy::none().backoff(Duration::MAX, Duration::MAX);
    let client = client.with_options(Options::new().retry(retry))?;
    let pending = ready(&emulator, &client).await?;
    emulator.fault(Fault::status(503).on(STATUS))?;
    pending.ready().deadline(Duration::from_millis(500)).await?;
    assert_eq!(emulator.count(STATUS)?, 2);
    Ok(())
}

#[tokio::test]
async fn an_empty_reason_is_none() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    let failed = json!({ "data": { "status": "failed", "session": { "error": "" } } });
    emulator.fault(Fault::status(200).json(failed).on(STATUS))?;
    let error = pending.ready().await.unwrap_err();
    assert!(error.to_string().contains("gives no reason"), "{error}");
    assert_eq!(error.message(), None);
    Ok(())
}

#[tokio::test]
async fn what_the_server_refuses_is_final() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    for (count, status) in [400, 401, 402, 403, 404, 409, 410].into_iter().enumerate() {
        emulator.fault(Fault::status(status).on(STATUS))?;
        let mut poller = pending.ready();
        let error = poller.until_done().await.unwrap_err();
        assert_eq!(error.status().map(|found| found.as_u16()), Some(status));
        assert!(error.waited().unwrap().state.is_none());
        assert_eq!(emulator.count(STATUS)?, count + 1);
        assert!(poller.next().await.is_none());
    }
    Ok(())
}

/// What the server says of its limits holds for all waits of a client.
#[tokio::test]
async fn a_server_that_asks_to_wait_is_heeded_by_all() -> anyhow::Result<()> {
    let pending = json!({ "data": { "status": "pending" } });
    let used_up = r#""5-in-1min"; r=0; t=1"#;
    for (fault, pause) in [
        (Fault::status(429).header("retry-after-ms", "300"), 300),
        (Fault::status(429).header("RateLimit", used_up), 1_000),
        (
            Fault::status(200)
                .json(pending)
                .header("RateLimit", used_up),
            1_000,
        ),
    ] {
        let (emulator, client) = patient(Emulator::builder()).await?;
        let (one, other) = (
            ready(&emulator, &client).await?,
            ready(&emulator, &client).await?,
        );
        emulator.fault(fault.on(STATUS))?;
        // It has been told when it gives its outcome.
        let _ = one.ready().max_failures(0).next().await;
        let told = Instant::now();
        other.ready().await?;
        assert!(
            told.elapsed() >= Duration::from_millis(pause - 50),
            "{:?}",
            told.elapsed()
        );
        assert_eq!(emulator.count(STATUS)?, 2);
    }
    Ok(())
}

/// A state or phase that this version does not know is one in which to wait on, and so is a ready
/// session of which nothing is told.
#[tokio::test]
async fn unknown_states_are_waited_through() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = ready(&emulator, &client).await?;
    let later = json!({ "data": { "status": "ready", "progress": { "current_phase": "ready" } } });
    emulator.fault(Fault::drift().on(STATUS).times(2))?;
    emulator.fault(Fault::status(200).json(later).on(STATUS))?;
    let mut poller = pending.ready();
    let mut seen = Vec::new();
    let session = loop {
        match poller.next().await.unwrap()? {
            anchorbrowser::poll::Polled::Done(session) => break session,
            anchorbrowser::poll::Polled::Progress(status) => seen.push(status.state),
        }
    };
    let unknown = StartState::Unknown("drifted_ready".to_owned());
    assert_eq!(seen, [unknown.clone(), unknown, StartState::Ready]);
    session.tags().await?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_starts_anew_is_survived() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("state");
    let (emulator, client) = patient(Emulator::builder().state(&file)).await?;
    let pending = client.sessions().start().send().await?;
    let mut poller = pending.ready().max_failures(0);
    poller.next().await.unwrap()?;
    let port = emulator.address().port();
    emulator.shutdown().await;
    let error = poller.until_done().await.unwrap_err();
    assert!(
        error.is_connect() || error.kind() == ErrorKind::Transport,
        "{error}"
    );

    let builder = Emulator::builder().state(&file).port(port).manual_clock();
    let emulator = builder.start().await?;
    emulator.advance(Duration::from_secs(1))?;
    let session = poller.until_done().await?;
    assert!(quick(&emulator).session(session.id()).info().await.is_ok());
    Ok(())
}
