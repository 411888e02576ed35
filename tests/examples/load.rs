//! Load: thousands of asynchronous sessions and a large batch, polled at once, with every answer checked.
//!
//! `cargo run --release -p tests --example load [SESSIONS] [BATCH]`; the defaults are 5,000 and 1,000. Prints how
//! long it took, how many polls a second there can be beside requests that touch neither document nor state, and the
//! memory of client and emulator together.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anchorbrowser_api::{Client, types};
use anchorbrowser_emulator::Emulator;
use anyhow::{Context as _, Result, bail, ensure};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Requests that are in the air at once.
const AT_ONCE: usize = 200;

/// What all tasks share.
struct Load {
    client: Client,
    requests: AtomicU64,
    times: Mutex<Vec<Duration>>,
    room: tokio::sync::Semaphore,
}

impl Load {
    /// One request, counted and timed.
    async fn call<T, E: std::error::Error + Send + Sync + 'static>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T> {
        let _permit = self.room.acquire().await?;
        let start = Instant::now();
        let answer = call.await?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.times.lock().await.push(start.elapsed());
        Ok(answer)
    }

    /// Starts a session and polls until it is ready; every answer must be about it, and never go back. Gives the ids of
    /// the request and of the session.
    async fn session(&self) -> Result<(String, String)> {
        let created = self
            .call(self.client.create_session_async().send())
            .await?
            .into_inner();
        let request = created
            .data
            .and_then(|data| data.request_id)
            .context("no request id")?;
        let rank = |status: &types::AsyncSessionStatus| match status {
            types::AsyncSessionStatus::Pending => Some(0),
            types::AsyncSessionStatus::Processing => Some(1),
            types::AsyncSessionStatus::Ready => Some(2),
            _ => None,
        };
        let mut reached = 0;
        loop {
            let poll = self
                .client
                .get_async_session_status()
                .request_id(&*request)
                .send();
            let status = self.call(poll).await?.into_inner().data.unwrap_or_default();
            ensure!(
                status.request_id.as_deref() == Some(&*request),
                "an answer about another request"
            );
            let state = status.status.context("no status")?;
            let now = rank(&state).with_context(|| format!("{request} is {state}"))?;
            ensure!(now >= reached, "{request} went back to {state}");
            reached = now;
            if reached == 2 {
                let session = status.session.context("ready, and no session")?;
                ensure!(session.cdp_url.is_some(), "ready, and no address");
                let id = session.session_id.context("no session id")?;
                return Ok((request, id));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Starts a batch and polls until it has ended; the counts must add up in every answer.
    async fn batch(&self, size: i64) -> Result<Vec<String>> {
        let request = types::BatchSessionRequestSchema::new(size);
        let created = self
            .call(self.client.create_batch_session().body(request).send())
            .await?
            .into_inner();
        let id = created
            .data
            .and_then(|data| data.batch_id)
            .context("no batch id")?;
        let mut reached = 0.0;
        loop {
            let poll = self.client.get_batch_session().batch_id(&*id).send();
            let batch = self.call(poll).await?.into_inner().data.unwrap_or_default();
            let counts = [
                batch.pending_requests,
                batch.processing_requests,
                batch.completed_requests,
                batch.failed_requests,
            ];
            let sum: i64 = counts.iter().flatten().sum();
            ensure!(
                sum == size && batch.sessions.len() as i64 == size,
                "{counts:?} of {size}"
            );
            let percentage = batch
                .progress
                .and_then(|it| it.percentage)
                .context("no progress")?;
            ensure!(
                percentage >= reached,
                "from {reached} % back to {percentage} %"
            );
            reached = percentage;
            match batch.status.context("no status")? {
                types::BatchStatus::Completed => {
                    let ids = batch
                        .sessions
                        .into_iter()
                        .map(|it| it.session_id.context("no session id"));
                    return ids.collect();
                }
                types::BatchStatus::Pending | types::BatchStatus::Processing => {}
                other => bail!("the batch is {other}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// How many calls a second there can be, with [`AT_ONCE`] of them in the air.
async fn rate<F: Future<Output = Result<()>> + Send>(
    call: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Result<f64> {
    const EACH: usize = 100;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..AT_ONCE {
        let call = call.clone();
        tasks.spawn(async move {
            for number in 0..EACH {
                call(task * EACH + number).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok((AT_ONCE * EACH) as f64 / start.elapsed().as_secs_f64())
}

/// The rate of requests that touch neither document nor state: what HTTP alone costs here.
async fn bare(base: &str) -> Result<f64> {
    let (client, url) = (reqwest::Client::new(), format!("{base}/__emulator/health"));
    rate(move |_| {
        let request = client.get(&url);
        async move {
            request.send().await?.error_for_status()?.bytes().await?;
            Ok(())
        }
    })
    .await
}

/// The rate of polls of sessions that are ready.
async fn polls(client: Client, requests: Vec<String>) -> Result<f64> {
    let requests = Arc::new(requests);
    rate(move |number| {
        let (client, requests) = (client.clone(), Arc::clone(&requests));
        async move {
            let request = requests
                .get(number % requests.len())
                .context("no request")?;
            let poll = client.get_async_session_status().request_id(request).send();
            let status = poll.await?.into_inner().data.and_then(|data| data.status);
            ensure!(
                status == Some(types::AsyncSessionStatus::Ready),
                "{request} is no longer ready"
            );
            Ok(())
        }
    })
    .await
}

/// Memory of this process, in MiB, where the system tells.
fn memory(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix(line))?;
    let kib: u64 = line
        .trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .ok()?;
    Some(kib / 1024)
}

fn number(place: usize, default: i64) -> Result<i64> {
    match std::env::args().nth(place) {
        Some(text) => text
            .parse()
            .with_context(|| format!("`{text}` is no number")),
        None => Ok(default),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let (sessions, size) = (number(1, 5_000)?, number(2, 1_000)?);
    let emulator = Emulator::start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_key("key")
        .build()?;
    let load = Arc::new(Load {
        client,
        requests: AtomicU64::new(0),
        times: Mutex::default(),
        room: tokio::sync::Semaphore::new(AT_ONCE),
    });
    let bare = bare(emulator.base_url()).await?;
    let before = memory("VmRSS");
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..sessions {
        let load = Arc::clone(&load);
        tasks.spawn(async move { load.session().await });
    }
    let batch = load.batch(size);
    let (batch, ids) = tokio::join!(batch, async {
        let mut ids = Vec::new();
        while let Some(id) = tasks.join_next().await {
            ids.push(id??);
        }
        anyhow::Ok(ids)
    });
    let took = start.elapsed();
    let (polled, ids): (Vec<String>, Vec<String>) = ids?.into_iter().unzip();
    let ids: HashSet<String> = batch?.into_iter().chain(ids).collect();
    ensure!(
        ids.len() as i64 == sessions + size,
        "{} different sessions",
        ids.len()
    );
    let answers_wrong = emulator
        .exchanges()
        .iter()
        .filter(|it| !it.answer_violations.is_empty())
        .count();
    ensure!(
        answers_wrong == 0,
        "{answers_wrong} answers break the document"
    );

    let requests = load.requests.load(Ordering::Relaxed);
    let mut times = std::mem::take(&mut *load.times.lock().await);
    times.sort();
    let at = |share: f64| {
        times
            .get((times.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{sessions} sessions and a batch of {size}: all ready, all different, every answer right"
    );
    println!("{requests} requests in {took:.2?}, most of it waiting for sessions");
    println!(
        "single requests: median {:.1?}, 99 % within {:.1?}",
        at(0.5),
        at(0.99)
    );
    let polls = polls(load.client.clone(), polled).await?;
    println!(
        "polls as fast as can be: {polls:.0} a second, {:.0} % of {bare:.0} bare requests",
        100.0 * polls / bare
    );
    if let (Some(before), Some(peak)) = (before, memory("VmHWM")) {
        println!("memory of client and emulator: {before} MiB before, {peak} MiB at most");
    }
    emulator.shutdown().await;
    Ok(())
}
