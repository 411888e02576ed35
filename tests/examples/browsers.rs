//! Real browsers at once: sessions are created, driven and ended concurrently on an emulator with Chromium.
//!
//! `cargo run -p tests --example browsers [SESSIONS]`; the default is 20. Prints how long each part took and the memory
//! of all browsers together, and fails if a process or a directory is left over.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anchorbrowser::{Client, Session};
use anchorbrowser_emulator::{Browser, Emulator};
use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<()> {
    let count = match std::env::args().nth(1) {
        Some(count) => count.parse().context("SESSIONS must be a number")?,
        None => 20,
    };
    let place = tempfile::tempdir()?;
    let emulator = Emulator::builder()
        .browser(Browser::Auto)
        .browser_directory(place.path())
        // Videos are made after the end, in directories of their own.
        .record(false)
        .account(|account| account.max_concurrent_browsers = Some(count))
        .start()
        .await?;
    let browser = emulator.browser().context("no Chromium is installed")?;
    println!("{count} sessions at once, each in {}", browser.display());
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_key("any")
        .build()?;

    let sessions = each("created", 0..count, |_| create(client.clone())).await?;
    ensure!(fs::read_dir(place.path())?.count() == count as usize);
    let sessions = each("driven", sessions, drive).await?;
    let (processes, memory) = memory(place.path());
    println!(
        "memory   {processes} processes, {} MiB, {} MiB a session",
        memory >> 20,
        (memory >> 20) / u64::from(count.max(1))
    );
    each("ended", sessions, async |session| session.end().await).await?;
    ensure!(
        fs::read_dir(place.path())?.count() == 0,
        "a directory is left over"
    );
    let (left, _) = self::memory(place.path());
    ensure!(left == 0, "{left} processes are left over");
    println!("left     nothing");
    emulator.shutdown().await;
    Ok(())
}

async fn create(client: Client) -> anchorbrowser::Result<Session> {
    client.sessions().create().send().await
}

/// Writes into a page and looks at it.
async fn drive(session: Session) -> anchorbrowser::Result<Session> {
    session
        .goto("data:text/html,<title>Form</title><input autofocus>")
        .await?;
    session.keyboard().type_text("hello").send().await?;
    session.screenshot().await?.bytes().await?;
    Ok(session)
}

/// Does the same with each, all at once, and prints how long that took.
async fn each<T, R: Send + 'static, F>(
    what: &str,
    things: impl IntoIterator<Item = T>,
    act: impl Fn(T) -> F,
) -> Result<Vec<R>>
where
    F: Future<Output = anchorbrowser::Result<R>> + Send + 'static,
{
    let began = Instant::now();
    let mut running = JoinSet::new();
    for thing in things {
        let act = act(thing);
        running.spawn(async move { (act.await, began.elapsed()) });
    }
    let (mut done, mut times) = (Vec::new(), Vec::new());
    for (result, time) in running.join_all().await {
        done.push(result?);
        times.push(time);
    }
    times.sort();
    let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64);
    println!(
        "{what:8} the first after {:.2} s, the last after {:.2} s",
        seconds(times.first()),
        seconds(times.last())
    );
    Ok(done)
}

/// How many processes name `place`, and their memory in bytes. What several share is counted once, by parts.
fn memory(place: &Path) -> (usize, u64) {
    let mark = place.to_string_lossy().into_owned();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&mark)
    });
    let sizes: Vec<u64> = ours.map(|process| size(&process.path())).collect();
    (sizes.len(), sizes.iter().sum())
}

/// The proportional size of a process.
fn size(process: &Path) -> u64 {
    let table = fs::read_to_string(process.join("smaps_rollup")).unwrap_or_default();
    let line = table.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}
