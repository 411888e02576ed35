//! How a batch ends, and what is told of it.

use std::time::Duration;

use anchorbrowser::batch_sessions::{BatchReport, Status};
use anchorbrowser::poll::{PollToken, Polled};
use anchorbrowser::{ErrorKind, Session};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::{LONG, item, script};
use crate::sdk::methods::ID;
use crate::sdk::waiting::{patient, quick};

#[tokio::test]
async fn a_batch_is_waited_for() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.batch_items = vec![1]);
    let (emulator, client) = patient(builder).await?;
    let batch = client.batch_sessions().create(3).send().await?;
    let mut poller = batch.wait();
    let mut seen = Vec::new();
    let report = loop {
        match poller.next().await.unwrap()? {
            Polled::Done(report) => break report,
            Polled::Progress(snapshot) => seen.push(snapshot.status),
        }
        emulator.advance(Duration::from_millis(300))?;
    };
    seen.dedup();
    assert_eq!(seen, [Status::Pending, Status::Processing]);
    assert_eq!(report.status(), &Status::Completed);
    assert_eq!((report.ready, report.failed, report.total), (2, 1, 3));
    assert_eq!((report.cancelled, report.unfinished), (0, 0));
    assert_eq!(report.sessions().count(), 2);
    assert_eq!(report.failures().next().unwrap().index, Some(1));
    assert_eq!(report.snapshot.items().count(), 3);
    assert!(report.elapsed > Duration::ZERO);
    let text = report.to_string();
    assert!(text.starts_with("2 of 3 sessions are ready, 1 failed, after"));

    let error = report.check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains(&error.message().unwrap()));

    let retry = batch.retry_failed().max_retries(2).send().await?;
    assert_eq!((retry.retried, retry.status), (1, Some(Status::Processing)));
    emulator.advance(LONG)?;
    let report = batch.wait().await?.check()?;
    assert_eq!((report.ready, report.failed), (3, 0));
    assert_eq!(batch.retry_failed().send().await?.retried, 0);
    assert_eq!(emulator.count("retry_batch_session")?, 1);
    Ok(())
}

/// No end is an error, and each is told from the others.
#[tokio::test]
async fn each_end_gives_a_report() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    for (status, items, counts, complete) in [
        ("completed", ["completed", "completed"], [2, 0, 0, 0], true),
        ("completed", ["completed", "failed"], [1, 1, 0, 0], false),
        ("failed", ["failed", "failed"], [0, 2, 0, 0], false),
        ("cancelled", ["completed", "cancelled"], [1, 0, 1, 0], false),
        (
            "completed",
            ["completed", "processing"],
            [1, 0, 0, 1],
            false,
        ),
    ] {
        let items = items.iter().enumerate();
        let items: Vec<_> = items
            .map(|(index, status)| {
                let mut item = item(index, status, &format!("s-{index}"));
                // Only what is complete has an address.
                if *status != "completed" {
                    item["cdp_url"] = json!(null);
                }
                item
            })
            .collect();
        let data = json!({ "status": status, "total_requests": 2, "sessions": items });
        script(&emulator, [data])?;
        let report = client.batch_sessions().attach([ID]).wait().await?;
        emulator.clear_faults();
        assert_eq!(report.status().as_str(), status);
        let found = [
            report.ready,
            report.failed,
            report.cancelled,
            report.unfinished,
        ];
        assert_eq!(
            (found, report.is_complete()),
            (counts, complete),
            "{status}"
        );
        assert!(!format!("{report:?} {report}").contains("canary"));
        let check = report.check();
        assert_eq!(check.is_ok(), complete);
        assert!(check.is_ok() || !format!("{:?}", check.unwrap_err()).contains("canary"));
    }
    let error = client
        .batch_sessions()
        .attach([ID])
        .wait()
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    Ok(())
}

/// What passes is survived, and what does not is told with what was seen last.
#[tokio::test]
async fn failed_polls_are_survived() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(1).send().await?;
    emulator.advance(LONG)?;
    for fault in [
        Fault::status(500),
        Fault::html(502),
        Fault::status(408),
        Fault::rate_limited(Duration::ZERO),
        Fault::reset_before(),
        Fault::reset_after(),
        Fault::cut_body(10),
        Fault::invalid_json(),
        Fault::status(200).json(json!({ "data": {} })),
    ] {
        emulator.fault(fault.on("get_batch_session"))?;
        let mut poller = batch.wait();
        assert!(poller.until_done().await?.is_complete());
        assert_eq!(poller.polls(), 2);
    }
    emulator.fault(Fault::status(403).on("get_batch_session"))?;
    assert!(batch.wait().await.unwrap_err().is_forbidden());
    Ok(())
}

#[tokio::test]
async fn a_wait_goes_on_in_a_second_client() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(2).send().await?;
    let mut poller = batch.wait().deadline(Duration::from_millis(50));
    let error = poller.until_done().await.unwrap_err();
    assert!(error.is_deadline(), "{error}");
    let waited = error.waited().unwrap();
    assert_eq!(waited.state.as_deref(), Some("pending"));
    assert_eq!(waited.phase.as_deref(), Some("queued"));
    let ids: Vec<_> = batch.ids().iter().map(|id| id.as_str()).collect();
    assert_eq!(waited.token.ids(), ids);

    let text = serde_json::to_string(&waited.token)?;
    let token: PollToken = serde_json::from_str(&text)?;
    emulator.advance(LONG)?;
    let other = quick(&emulator);
    assert_eq!(other.resume::<BatchReport>(&token)?.await?.ready, 2);
    let sessions = other.resume::<BatchReport>(&token)?.sessions();
    assert_eq!(sessions.collect().await?.len(), 2);
    assert!(poller.until_done().await?.is_complete());
    let error = other.resume::<Session>(&token).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    Ok(())
}

/// Who was busy when the deadline passed learns what has become of the batch all the same.
#[tokio::test]
async fn a_deadline_that_passed_elsewhere_leaves_a_last_look() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(2).send().await?;
    let limit = Duration::from_millis(300);
    for over in [false, true] {
        let mut poller = batch.wait().deadline(limit);
        assert!(matches!(poller.next().await.unwrap()?, Polled::Progress(_)));
        while poller.elapsed() < limit {
            client.batch_sessions().list().send().await?;
        }
        if over {
            emulator.advance(LONG)?;
        }
        let polls = poller.polls();
        match poller.until_done().await {
            Ok(report) => assert!(over && report.is_complete()),
            Err(error) => assert!(!over && error.is_deadline(), "{error}"),
        }
        assert!(poller.polls() > polls);
    }
    Ok(())
}

/// What is dropped polls no more.
#[tokio::test]
async fn nothing_is_polled_after_a_drop() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(2).send().await?;
    let mut progress = batch.progress();
    let mut sessions = batch.sessions();
    progress.next().await.unwrap()?;
    let waits = async { sessions.next().await };
    let given_up = tokio::time::timeout(Duration::from_millis(20), waits).await;
    assert!(given_up.is_err());
    drop((progress, sessions));
    // One poll may have been on its way.
    client.batch_sessions().list().send().await?;
    let polls = emulator.count("get_batch_session")?;
    for _ in 0..20 {
        client.batch_sessions().list().send().await?;
    }
    assert_eq!(emulator.count("get_batch_session")?, polls);
    Ok(())
}

/// The server comes back with what it had.
#[tokio::test]
async fn a_restart_of_the_server_is_survived() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state");
    let start = || Emulator::builder().state(&state).manual_clock();
    let (emulator, client) = patient(start()).await?;
    let batch = client.batch_sessions().create(2).send().await?;
    let mut poller = batch.wait().max_failures(u32::MAX);
    assert!(matches!(poller.next().await.unwrap()?, Polled::Progress(_)));
    let address = emulator.address();
    emulator.shutdown().await;
    let wait = tokio::spawn(async move { poller.until_done().await });
    let emulator = start().address(address).start().await?;
    emulator.advance(LONG)?;
    assert!(wait.await??.is_complete());
    Ok(())
}

#[tokio::test]
async fn what_is_over_is_not_cancelled() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(2).send().await?;
    let cancelled = batch.cancel().await?;
    assert_eq!(cancelled.status, Some(Status::Cancelled));
    assert!(cancelled.over.is_empty() && cancelled.message.is_some());
    let report = batch.wait().await?;
    assert_eq!((report.status(), report.cancelled), (&Status::Cancelled, 2));
    let again = batch.cancel().with_meta().await?;
    assert_eq!(again.meta.status().as_u16(), 409);
    assert_eq!((again.value.status, again.value.ended), (None, 0));
    assert_eq!(again.value.over, batch.ids());
    let unknown = client.batch_sessions().attach([ID]).cancel().await;
    assert!(unknown.unwrap_err().is_not_found());
    emulator.fault(Fault::status(403).on("update_batch_session"))?;
    assert!(batch.cancel().await.unwrap_err().is_forbidden());
    Ok(())
}
