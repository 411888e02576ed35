//! Many wait for one batch.

use anchorbrowser_emulator::Emulator;

use super::LONG;
use crate::sdk::waiting::patient;

/// Waits, streams and clones of a handle ask once for all.
#[tokio::test]
async fn all_waits_for_a_batch_share_their_polls() -> anyhow::Result<()> {
    let builder = Emulator::builder().failures(|failures| failures.batch_items = vec![1]);
    let (emulator, client) = patient(builder).await?;
    let batch = client.batch_sessions().create(3).send().await?;
    let mut poller = batch.wait();
    let mut progress = batch.progress();
    let other = client.batch_sessions().attach(batch.ids().to_vec());
    let (sessions, failures) = (other.sessions(), batch.clone().failures());
    let mut first = Vec::new();
    for _ in 0..5 {
        let (polled, shown) = tokio::join!(poller.next(), progress.next());
        polled.unwrap()?;
        first.push(shown.unwrap()?);
    }
    emulator.advance(LONG)?;
    let (report, progress, sessions, failures) = tokio::join!(
        poller.until_done(),
        progress.collect(),
        sessions.collect(),
        failures.collect()
    );
    assert_eq!(report?.ready, 2);
    assert_eq!((sessions?.len(), failures?.len()), (2, 1));
    assert!(progress?.last().unwrap().is_over());
    let polls = emulator.count("get_batch_session")?;
    assert_eq!(polls, poller.polls() as usize);
    Ok(())
}

/// A stream whose items nobody takes asks for nothing.
#[tokio::test]
async fn nothing_is_asked_that_nobody_waits_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let batch = client.batch_sessions().create(2).send().await?;
    let mut progress = batch.progress();
    progress.next().await.unwrap()?;
    let unheard = batch.sessions();
    for _ in 0..20 {
        client.batch_sessions().list().send().await?;
    }
    assert_eq!(emulator.count("get_batch_session")?, 1);
    drop(unheard);
    Ok(())
}
