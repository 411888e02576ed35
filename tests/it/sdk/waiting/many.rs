//! Many sessions at once, and starts that are given up.

use std::collections::HashSet;
use std::time::Duration;

use anchorbrowser::sessions::{ManyReport, ManySessions, OwnedSession, SessionOptions};
use anchorbrowser::{Client, ErrorKind, Proxy};
use anchorbrowser_emulator::{Builder, Emulator, Fault};
use serde_json::json;

use super::{patient, quick};
use crate::server::{Answer, Server};

const START: &str = "create_session_async";
const STATUS: &str = "get_async_session_status";

/// An emulator whose starts take a few milliseconds, and its client.
async fn swift(emulator: Builder) -> anyhow::Result<(Emulator, Client)> {
    let ms = Duration::from_millis;
    let emulator = emulator.timing(|timing| {
        (timing.queued, timing.provisioning, timing.configuring) = (ms(1), ms(2), ms(2));
    });
    let emulator = emulator.start().await?;
    let client = quick(&emulator);
    Ok((emulator, client))
}

/// How many sessions run.
fn alive(emulator: &Emulator) -> anyhow::Result<usize> {
    let state = emulator.state()?;
    let sessions = state["sessions"].as_array().unwrap();
    Ok(sessions
        .iter()
        .filter(|one| one["status"] == "running")
        .count())
}

/// Not begun, under way, handed out, ended, failed, not ended.
fn counts(report: &ManyReport) -> [usize; 6] {
    let counts = [
        report.not_begun,
        report.under_way,
        report.handed_out,
        report.ended,
        report.failed.len(),
        report.not_ended.len(),
    ];
    assert_eq!(counts.iter().sum::<usize>(), report.asked_for);
    counts
}

async fn all(sessions: &mut ManySessions) -> Vec<anchorbrowser::Result<OwnedSession>> {
    let mut all = Vec::new();
    while let Some(session) = sessions.next().await {
        all.push(session);
    }
    all
}

#[tokio::test]
async fn all_are_handed_out() -> anyhow::Result<()> {
    let (emulator, client) = swift(Emulator::builder()).await?;
    let mut sessions = client.sessions().create_many(25).tag("many").send()?;
    let mut ids = HashSet::new();
    while let Some(session) = sessions.next().await {
        let session = session?;
        assert_eq!(session.tags().await?, ["many"]);
        ids.insert(session.keep().id().clone());
    }
    assert_eq!((ids.len(), alive(&emulator)?), (25, 25));
    assert_eq!(counts(&sessions.end_rest().await), [0, 0, 25, 0, 0, 0]);
    assert_eq!(emulator.count("delete_session")?, 0);
    Ok(())
}

#[tokio::test]
async fn no_more_than_the_limit_are_under_way() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let mut sessions = client.sessions().create_many(5).concurrency(2).send()?;
    let asked = |count| emulator.wait_for(START, count);
    assert_eq!(emulator.count(START)?, 0);
    tokio::select! {
        _ = sessions.next() => panic!("none is ready"),
        _ = asked(2) => {}
    }
    // They go on while nobody takes one.
    emulator.wait_for(STATUS, 20).await?;
    assert_eq!(emulator.count(START)?, 2);
    emulator.advance(Duration::from_secs(1))?;
    asked(4).await?;
    assert_eq!(counts(&sessions.report()), [1, 4, 0, 0, 0, 0]);
    emulator.advance(Duration::from_secs(1))?;
    asked(5).await?;
    emulator.advance(Duration::from_secs(1))?;
    assert_eq!(all(&mut sessions).await.into_iter().flatten().count(), 5);
    assert_eq!(counts(&sessions.report()), [0, 0, 5, 0, 0, 0]);
    Ok(())
}

#[tokio::test]
async fn a_failure_does_not_stop_the_others() -> anyhow::Result<()> {
    let failures = |emulator: Builder| emulator.failures(|failures| failures.session_rate = 0.5);
    let (emulator, client) = swift(failures(Emulator::builder())).await?;
    emulator.fault(Fault::status(500).on(START).skip(3))?;
    let mut sessions = client.sessions().create_many(20).send()?;
    let failed = all(&mut sessions).await.into_iter().filter_map(Result::err);
    let failed: Vec<_> = failed.collect();
    assert!((2..20).contains(&failed.len()));
    let begun = failed
        .iter()
        .filter(|error| error.kind() == ErrorKind::Failed);
    assert_eq!(begun.count(), failed.len() - 1);
    let count = failed.len();
    assert_eq!(counts(&sessions.report()), [0, 0, 20 - count, 0, count, 0]);
    client.sessions().drained().await;
    assert_eq!(alive(&emulator)?, 0);
    Ok(())
}

/// What the next start would be refused for as well.
#[tokio::test]
async fn a_refusal_begins_no_more() -> anyhow::Result<()> {
    for status in [400, 401, 402, 403] {
        let (emulator, client) = swift(Emulator::builder()).await?;
        emulator.fault(Fault::status(status).on(START).skip(3).always())?;
        let mut sessions = client.sessions().create_many(1_000).concurrency(1).send()?;
        let results = all(&mut sessions).await;
        assert_eq!(results.len(), 4);
        let error = results[3].as_ref().unwrap_err();
        assert_eq!(error.status().map(|found| found.as_u16()), Some(status));
        assert_eq!(counts(&sessions.report()), [996, 0, 3, 0, 1, 0]);
        assert_eq!(emulator.count(START)?, 4);
    }
    Ok(())
}

/// More than may run at once, and more than may be asked for at once.
#[tokio::test]
async fn starts_wait_for_room() -> anyhow::Result<()> {
    let (emulator, client) = swift(Emulator::builder().account(|account| {
        account.max_concurrent_browsers = Some(2);
    }))
    .await?;
    emulator.fault(Fault::status(429).header("retry-after-ms", "20").on(START))?;
    let mut sessions = client.sessions().create_many(8).concurrency(3).send()?;
    while let Some(session) = sessions.next().await {
        session?.end().await?;
    }
    assert_eq!(counts(&sessions.report()), [0, 0, 8, 0, 0, 0]);
    assert!(emulator.count(START)? > 8);

    let create = client.sessions().create_many(9).concurrency(1);
    let mut sessions = create.deadline(Duration::from_millis(500)).send()?;
    let results = all(&mut sessions).await;
    assert_eq!(results.len(), 3);
    assert!(results[2].as_ref().unwrap_err().is_concurrency_limit());
    assert_eq!(counts(&sessions.report()), [6, 0, 2, 0, 1, 0]);
    Ok(())
}

/// A start that waits for room is not asked for once more.
#[tokio::test]
async fn who_waits_for_room_can_be_stopped() -> anyhow::Result<()> {
    let (emulator, client) = swift(Emulator::builder()).await?;
    let full = Fault::status(429).header("Retry-After", "60");
    emulator.fault(full.on(START).always())?;
    let mut sessions = client.sessions().create_many(3).concurrency(1).send()?;
    tokio::select! {
        _ = sessions.next() => panic!("there is no room"),
        asked = emulator.wait_for(START, 1) => drop(asked?),
    }
    assert_eq!(counts(&sessions.end_rest().await), [3, 0, 0, 0, 0, 0]);
    assert_eq!(emulator.count(START)?, 1);
    Ok(())
}

#[tokio::test]
async fn what_is_not_sent_is_no_session() -> anyhow::Result<()> {
    let (emulator, client) = swift(Emulator::builder()).await?;
    let many = |count| client.sessions().create_many(count);
    let mut none = many(0).send()?;
    assert!(none.next().await.is_none());
    assert_eq!(counts(&none.report()), [0; 6]);
    drop(many(3).send()?);
    assert_eq!(
        counts(&many(3).send()?.end_rest().await),
        [3, 0, 0, 0, 0, 0]
    );
    let refused = [
        many(3).concurrency(0),
        many(3).options(SessionOptions::new().captcha_solver(true)),
    ];
    for create in refused {
        let error = create.send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert_eq!(error.operation(), Some(START));
    }
    client.sessions().drained().await;
    assert!(emulator.exchanges().is_empty());
    Ok(())
}

/// Two are ready, of which one was taken; one is being started, one asked for, two not begun.
async fn in_the_middle(
    emulator: &Emulator,
    client: &Client,
) -> anyhow::Result<(ManySessions, OwnedSession)> {
    let second = Duration::from_secs(1);
    emulator.fault(Fault::delay(3 * second).on(START).skip(3))?;
    let create = client
        .sessions()
        .create_many(6)
        .concurrency(2)
        .proxy(Proxy::country("de"));
    let mut sessions = create.send()?;
    tokio::select! {
        _ = sessions.next() => anyhow::bail!("none is ready"),
        asked = emulator.wait_for(START, 2) => drop(asked?),
    }
    emulator.advance(second)?;
    let taken = sessions.next().await.unwrap()?;
    emulator.wait_for(START, 4).await?;
    Ok((sessions, taken))
}

/// What a future gives, while time goes on.
async fn passing<T>(emulator: &Emulator, future: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut future = std::pin::pin!(future);
    loop {
        let tick = Duration::from_millis(5);
        if let Ok(value) = tokio::time::timeout(tick, &mut future).await {
            return Ok(value);
        }
        emulator.advance(Duration::from_secs(1))?;
    }
}

#[tokio::test]
async fn dropping_the_stream_leaves_nothing() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let (sessions, taken) = in_the_middle(&emulator, &client).await?;
    assert_eq!(counts(&sessions.report()), [2, 3, 1, 0, 0, 0]);
    drop(sessions);
    emulator.wait_for("delete_session", 1).await?;
    emulator.advance(Duration::from_secs(3))?;
    passing(&emulator, client.sessions().drained()).await?;
    assert_eq!((emulator.count(START)?, alive(&emulator)?), (4, 1));
    taken.end().await?;
    assert_eq!(alive(&emulator)?, 0);
    Ok(())
}

#[tokio::test]
async fn the_rest_is_ended_and_reported() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let (sessions, taken) = in_the_middle(&emulator, &client).await?;
    // A session that cannot be ended at the first try is ended in the background.
    emulator.fault(Fault::status(403).on("delete_session"))?;
    let report = passing(&emulator, tokio::spawn(sessions.end_rest())).await??;
    assert_eq!(counts(&report), [2, 0, 1, 2, 0, 1]);
    client.sessions().drained().await;
    assert_eq!((emulator.count(START)?, alive(&emulator)?), (4, 1));
    assert!(taken.tags().await?.is_empty());
    Ok(())
}

/// It is not ready in time, and must not become ready for nobody.
#[tokio::test]
async fn a_start_that_takes_too_long_is_given_up() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let create = client
        .sessions()
        .create_many(1)
        .deadline(Duration::from_millis(30));
    let mut sessions = create.send()?;
    let error = sessions.next().await.unwrap().unwrap_err();
    assert!(
        error.is_deadline() && error.to_string().ends_with("no session is left over"),
        "{error}"
    );
    emulator.advance(Duration::from_secs(1))?;
    client.sessions().drained().await;
    assert_eq!(
        (emulator.count("delete_session")?, alive(&emulator)?),
        (1, 0)
    );
    Ok(())
}

/// It was begun, although the answer is not what it should be.
#[tokio::test]
async fn a_start_whose_answer_cannot_be_read_is_given_up() -> anyhow::Result<()> {
    let server = Server::start(|request| match &*request.method {
        "POST" => Answer::json(200, r#"{"data":{"request_id":"r","status":{}}}"#),
        "GET" => Answer::json(
            200,
            r#"{"data":{"status":"ready","session":{"session_id":"s"}}}"#,
        ),
        _ => Answer::json(200, "{}"),
    });
    let server = server.await;
    let client = Client::builder()
        .base_url(server.url())
        .api_key("k")
        .build()?;
    let mut sessions = client.sessions().create_many(1).send()?;
    let error = sessions.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    client.sessions().drained().await;
    let last = server.requests().pop().unwrap();
    assert_eq!((&*last.method, &*last.target), ("DELETE", "/v1/sessions/s"));
    Ok(())
}

#[tokio::test]
async fn a_thread_takes_them_without_a_runtime() -> anyhow::Result<()> {
    let (emulator, client) = swift(Emulator::builder()).await?;
    let taken = tokio::task::spawn_blocking(move || {
        let sessions = client.sessions().create_many(4).send()?.blocking();
        let sessions: Vec<_> = sessions.map(|session| Ok(session?.keep())).collect();
        sessions.into_iter().collect::<anyhow::Result<Vec<_>>>()
    });
    assert_eq!(taken.await??.len(), 4);
    assert_eq!(alive(&emulator)?, 4);
    Ok(())
}

/// In whatever state it is: the session does not outlive it.
#[tokio::test]
async fn a_start_is_given_up_in_any_state() -> anyhow::Result<()> {
    let ms = Duration::from_millis;
    // Queued, being provisioned, being configured, ready.
    for (passed, phase, status) in [
        (ms(0), "queued", "cancelled"),
        (ms(300), "provisioning", "cancelled"),
        (ms(600), "configuring", "cancelled"),
        (ms(800), "ready", "completed"),
    ] {
        let (emulator, client) = patient(Emulator::builder()).await?;
        let pending = client.sessions().start().send().await?;
        emulator.advance(passed)?;
        assert_eq!(pending.status().await?.phase.unwrap().as_str(), phase);
        let cancel = tokio::spawn(pending.cancel());
        if phase == "queued" || phase == "provisioning" {
            emulator.wait_for(STATUS, 5).await?;
            assert_eq!(emulator.count("delete_session")?, 0);
            emulator.advance(ms(600) - passed)?;
        }
        cancel.await??;
        assert_eq!(
            (emulator.count("delete_session")?, alive(&emulator)?),
            (1, 0)
        );
        assert_eq!(pending.status().await?.state.as_str(), status);
        // Once more, it is over.
        pending.cancel().await?;
    }
    Ok(())
}

#[tokio::test]
async fn giving_up_what_is_over_is_no_error() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    for status in ["failed", "cancelled", "completed"] {
        let over = json!({ "data": { "status": status } });
        emulator.fault(Fault::status(200).json(over).on(STATUS))?;
        pending.cancel().await?;
    }
    assert_eq!(emulator.count("delete_session")?, 0);
    // A session that is not known yet is waited for; one that was ready has ended.
    emulator.advance(Duration::from_millis(600))?;
    emulator.fault(Fault::status(404).on("delete_session").times(2))?;
    pending.cancel().await?;
    assert_eq!(
        (emulator.count("delete_session")?, alive(&emulator)?),
        (3, 0)
    );
    emulator.fault(Fault::status(403).on("delete_session"))?;
    let other = client.sessions().start().send().await?;
    emulator.advance(Duration::from_secs(1))?;
    assert!(other.cancel().await.unwrap_err().is_forbidden());
    emulator.fault(Fault::status(404).on("delete_session"))?;
    other.cancel().await?;
    let unknown = client.sessions().pending(crate::sdk::methods::ID);
    assert!(unknown.cancel().await.unwrap_err().is_not_found());
    Ok(())
}

/// Many are ended a few at a time: all at once the service may refuse.
#[tokio::test]
async fn what_is_dropped_is_ended_a_few_at_a_time() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let mut sessions = client.sessions().create_many(30).concurrency(30).send()?;
    tokio::select! {
        _ = sessions.next() => anyhow::bail!("none is ready"),
        asked = emulator.wait_for(START, 30) => drop(asked?),
    }
    emulator.advance(Duration::from_secs(1))?;
    let calls = async |operation| -> anyhow::Result<usize> {
        // Until no more come.
        loop {
            let count = emulator.count(operation)?;
            for _ in 0..20 {
                client.batch_sessions().list().send().await?;
            }
            if emulator.count(operation)? == count {
                return Ok(count);
            }
        }
    };
    calls(STATUS).await?;
    let slow = Fault::delay(Duration::from_secs(1)).on("delete_session");
    emulator.fault(slow.always())?;
    drop(sessions);
    emulator.wait_for("delete_session", 1).await?;
    assert_eq!(calls("delete_session").await?, 10);
    passing(&emulator, client.sessions().drained()).await?;
    assert_eq!(
        (emulator.count("delete_session")?, alive(&emulator)?),
        (30, 0)
    );
    Ok(())
}
