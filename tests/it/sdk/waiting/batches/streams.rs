//! What comes out of a batch while it is waited for.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use anchorbrowser::{Error, Session};
use anchorbrowser_emulator::Emulator;
use serde_json::json;

use super::{LONG, item, script};
use crate::sdk::methods::ID;
use crate::sdk::waiting::{patient, quick};

/// The emulator creates a hundred sessions at once: each wave comes before the next one begins.
#[tokio::test]
async fn sessions_come_as_they_are_ready() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.batch_items = vec![7, 110]);
    let (emulator, client) = patient(builder).await?;
    let batch = client.batch_sessions().create(120).send().await?;
    let (mut sessions, mut failures) = (batch.sessions(), batch.failures());
    emulator.advance(Duration::from_millis(700))?;
    let mut ids = HashSet::new();
    for _ in 0..99 {
        let session = sessions.next().await.unwrap()?;
        assert!(session.tags().await?.is_empty());
        ids.insert(session.id().clone());
    }
    let failed = failures.next().await.unwrap()?;
    assert_eq!(failed.index, Some(7));
    assert!(batch.get().await?.status.as_str() == "processing");
    emulator.advance(LONG)?;
    while let Some(session) = sessions.next().await {
        ids.insert(session?.id().clone());
    }
    let rest = failures.collect().await?;
    assert_eq!((ids.len(), rest.len()), (118, 1));
    assert_eq!((rest[0].index, rest[0].error.is_some()), (Some(110), true));
    Ok(())
}

/// What was handed out is not taken back, and what is there after a retry comes then.
#[tokio::test]
async fn an_item_may_go_back() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let going = |items| json!({ "status": "processing", "total_requests": 2, "sessions": items });
    let retried = || json!({ "item_index": 0, "status": "failed", "retry_count": 1 });
    let answers = || {
        [
            going(json!([item(0, "completed", "a")])),
            going(json!([item(0, "failed", "a"), item(1, "failed", "b")])),
            going(json!([retried(), item(1, "processing", "b")])),
            json!({ "status": "completed", "sessions": [item(0, "completed", "c"), item(1, "failed", "b")] }),
        ]
    };
    script(&emulator, answers())?;
    let batch = client.batch_sessions().attach([ID]);
    let sessions = batch.sessions().collect().await?;
    let ids: Vec<_> = sessions
        .iter()
        .map(|session| session.id().as_str())
        .collect();
    // The last item has an address while it is processed.
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(!format!("{sessions:?}").contains("canary"));

    emulator.clear_faults();
    script(&emulator, answers())?;
    let failures = batch.failures().collect().await?;
    let told: Vec<_> = failures
        .iter()
        .map(|item| (item.index.unwrap(), item.retries))
        .collect();
    assert_eq!(told, [(0, 0), (1, 0), (0, 1), (1, 0)]);
    Ok(())
}

/// As many closures as allowed run at once, and the batch is polled meanwhile.
#[tokio::test]
async fn closures_run_within_a_limit() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(130).send().await?;
    emulator.advance(Duration::from_millis(700))?;
    let (running, most, ended) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let run = async |session: Session| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        if ended.get() == 0 {
            // The first one goes on until the batch is seen to be over.
            emulator.advance(LONG)?;
            let polls = emulator.count("get_batch_session")?;
            emulator.wait_for("get_batch_session", polls + 1).await?;
        }
        session.end().await?;
        running.set(running.get() - 1);
        ended.set(ended.get() + 1);
        anyhow::Ok(())
    };
    let report = batch.for_each_concurrent(7, &run).await?;
    assert_eq!((ended.get(), most.get(), running.get()), (130, 7, 0));
    assert_eq!(
        (report.ready, emulator.count("delete_session")?),
        (130, 130)
    );
    Ok(())
}

/// The first error ends it all: what runs is dropped, and nothing begins or is polled any more.
#[tokio::test]
async fn the_first_error_of_a_closure_ends_the_wait() -> anyhow::Result<()> {
    struct Dropped<'a>(&'a Cell<u32>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(10).send().await?;
    emulator.advance(LONG)?;
    let (begun, dropped) = (Cell::new(0), Cell::new(0));
    let run = async |_: Session| {
        let guard = Dropped(&dropped);
        begun.set(begun.get() + 1);
        if begun.get() < 4 {
            std::future::pending::<()>().await;
        }
        drop(guard);
        anyhow::bail!("mine")
    };
    let error = batch.for_each_concurrent(4, &run).await.unwrap_err();
    assert_eq!(error.to_string(), "mine");
    assert_eq!((begun.get(), dropped.get()), (4, 4));

    let gone = client.batch_sessions().attach([ID]);
    let run = async |_| -> Result<(), Error> { unreachable!() };
    assert!(
        gone.for_each_concurrent(1, run)
            .await
            .unwrap_err()
            .is_not_found()
    );
    Ok(())
}

/// It can be spawned, if the closure can.
#[tokio::test]
async fn closures_run_in_a_task() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(3).send().await?;
    emulator.advance(LONG)?;
    let end = |session: Session| async move { session.end().await };
    let task = tokio::spawn(async move { batch.for_each_concurrent(2, end).await });
    assert!(task.await??.is_complete());
    Ok(())
}
