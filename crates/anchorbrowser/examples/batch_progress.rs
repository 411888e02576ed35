//! A batch of sessions, with its progress on the terminal: a bar, the rate, the phase and what failed.
//!
//! `cargo run --example batch_progress [COUNT]`; default 250. Without a key it runs on an emulator, where
//! some sessions fail and are then created once more.

mod support;

use std::time::Duration;

use anchorbrowser::batch_sessions::{Batch, BatchReport};
use anchorbrowser::sessions::SessionOptions;
use anchorbrowser_emulator::Emulator;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let count = match std::env::args().nth(1) {
        Some(count) => count.parse().context("COUNT is a number of sessions")?,
        None => 250,
    };
    let emulator = Emulator::builder()
        .timing(|timing| timing.provisioning = Duration::from_secs(1))
        .failures(|failures| failures.batch_items = vec![3, 40, 41]);
    let (client, _emulator) = support::client(emulator).await?;
    let options = SessionOptions::new().headless(true);
    let batch = client
        .batch_sessions()
        .create(count)
        .options(options)
        .send()
        .await?;
    // Whatever goes wrong from here on, the sessions are not left behind: they cost money.
    let result = tokio::select! {
        result = watch(&batch, count.into()) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if result.is_err() {
        batch.cancel().await?; // no further sessions are created
    }
    let deleted = batch.delete().await?;
    println!("{} sessions were deleted.", deleted.deleted);
    result
}

async fn watch(batch: &Batch, count: u64) -> anyhow::Result<()> {
    let mut report = wait(batch, count).await?;
    if report.failed > 0 {
        let retry = batch.retry_failed().send().await?;
        println!("{} are created once more.", retry.retried);
        report = wait(batch, count).await?;
    }
    println!("{report}.");
    Ok(())
}

/// Waits until the batch is over, and shows how it goes.
async fn wait(batch: &Batch, count: u64) -> anyhow::Result<BatchReport> {
    let style = "{wide_bar} {pos}/{len} sessions, {per_sec:0}, {elapsed} {msg}";
    let bar = ProgressBar::new(count).with_style(ProgressStyle::with_template(style)?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut progress = batch.progress();
    while let Some(snapshot) = progress.next().await {
        let snapshot = snapshot?;
        bar.set_position(snapshot.completed + snapshot.failed);
        let phase = snapshot.phase.as_ref().map(ToString::to_string);
        let failed = (snapshot.failed > 0).then(|| format!("{} failed", snapshot.failed));
        let told: Vec<_> = phase.into_iter().chain(failed).collect();
        bar.set_message(told.join(", "));
    }
    bar.finish();
    let report = batch.wait().await?;
    for item in report.failures() {
        let reason = item.error.as_deref().unwrap_or("no reason is given");
        println!("session {}: {reason}", item.index.unwrap_or_default());
    }
    Ok(report)
}
