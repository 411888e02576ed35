//! Waiting for asynchronous sessions, against a loop that asks every second.
//!
//! `cargo run --release -p tests --example waiting [--quick]`. Each line is measured in a process of
//! its own, over HTTP, with a service in the same process and the same thread, on a clock that stands
//! still while anything is on its way: what is late is late by the schedule, not by this machine.

mod clock;
mod service;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser::Client;
use anchorbrowser::sessions::PendingSession;
use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;

use clock::memory;
use service::Service;

/// Starts that a client has seen that is not new.
const LESSONS: usize = 100;
/// Enough for every poll that is due.
const UNLIMITED: f64 = 1e9;

const HEAD: &str = "\
Starts take 2 to 40 s: lognormal, with a median of 8 s.
Polls per session; delay between ready and noticed, mean and 99th percentile, in seconds;
the most memory above that before the starts, in MiB, with the service's connections;
processor time of client and service together, in ms per session.
The aim: at most the loop's polls with half its mean delay, or half its polls with its delay.
";
const FOOT: &str = "
The default is 100 polls a second, by which 5,000 sessions are asked for once in 50 s; the other
lines have no limit (`polls_per_second`).
A client that is new makes more polls than the loop. Without phases there is only the time that others
have taken, which is too spread to foretell much.";

/// What one process measures.
struct Case {
    /// Whether the SDK waits, or the loop.
    sdk: bool,
    phases: bool,
    learnt: bool,
    /// How many sessions a client waits for.
    each: usize,
    clients: usize,
    per_second: f64,
}

/// What it found.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// Per session.
    polls: f64,
    /// Between ready and noticed, in seconds.
    mean: f64,
    p99: f64,
    /// The most above that before the starts, in MiB.
    memory: f64,
    /// Processor time of client and service, in milliseconds per session.
    cpu: f64,
}

impl Case {
    fn args(&self) -> [String; 6] {
        [
            self.sdk.to_string(),
            self.phases.to_string(),
            self.learnt.to_string(),
            self.each.to_string(),
            self.clients.to_string(),
            self.per_second.to_string(),
        ]
    }

    fn parse(args: &[String]) -> Result<Self> {
        let [sdk, phases, learnt, each, clients, per_second] = args else {
            anyhow::bail!("a case has six arguments");
        };
        Ok(Self {
            sdk: sdk.parse()?,
            phases: phases.parse()?,
            learnt: learnt.parse()?,
            each: each.parse()?,
            clients: clients.parse()?,
            per_second: per_second.parse()?,
        })
    }

    /// Measures in a process of its own.
    fn measure(&self) -> Result<Figures> {
        let output = Command::new(std::env::current_exe()?)
            .args(self.args())
            .output()?;
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), problem);
        let text = String::from_utf8(output.stdout)?;
        let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        match numbers?[..] {
            [polls, mean, p99, memory, cpu] => Ok(Figures {
                polls,
                mean,
                p99,
                memory,
                cpu,
            }),
            _ => anyhow::bail!("not five numbers: {text}"),
        }
    }

    fn client(&self, url: &str) -> Result<Client> {
        let client = Client::builder()
            .base_url(url)
            .api_key("key")
            .polls_per_second(self.per_second)
            .concurrency_limit(if self.clients > 1 { 8 } else { 256 });
        Ok(client.build()?)
    }

    async fn run(&self) -> Result<Figures> {
        let count = self.clients * self.each;
        let lessons = if self.learnt {
            self.clients * LESSONS
        } else {
            0
        };
        let (service, url) = Service::serve(self.phases, lessons + count).await?;
        let clients = (0..self.clients).map(|_| self.client(&url));
        let clients = clients.collect::<Result<Vec<_>>>()?;
        tokio::time::pause();
        if self.learnt {
            let lessons = wait(&service, &clients, LESSONS, self.sdk);
            clock::run(&service.activity, lessons).await.0?;
        }
        let before = memory("VmRSS");
        let waiting = wait(&service, &clients, self.each, self.sdk);
        let (late, cpu) = clock::run(&service.activity, waiting).await;
        let mut late = late?;
        ensure!(late.len() == count, "{} of {count} are ready", late.len());
        late.sort();
        let polls: u32 = service
            .starts(lessons)
            .iter()
            .map(|start| start.polls)
            .sum();
        let place = (count * 99).div_ceil(100).saturating_sub(1);
        Ok(Figures {
            polls: f64::from(polls) / count as f64,
            mean: late.iter().sum::<Duration>().as_secs_f64() / count as f64,
            p99: late.get(place).context("no delay")?.as_secs_f64(),
            memory: memory("VmHWM").saturating_sub(before) as f64 / 1024.0,
            cpu: cpu.as_secs_f64() * 1e3 / count as f64,
        })
    }
}

/// Starts sessions, so many for each client, and waits for each in a task of its own. Gives how late
/// each was noticed.
async fn wait(
    service: &Arc<Service>,
    clients: &[Client],
    each: usize,
    sdk: bool,
) -> Result<Vec<Duration>> {
    let mut tasks = JoinSet::new();
    for client in clients {
        for _ in 0..each {
            let (client, service) = (client.clone(), service.clone());
            tasks.spawn(async move {
                let pending = client.sessions().start().send().await?;
                match sdk {
                    // There is time enough for what waits for its turn.
                    true => drop(pending.ready().deadline(Duration::from_secs(3_600)).await?),
                    false => by_hand(&pending).await?,
                }
                let late = service.ready_since(pending.request_id().as_str());
                late.context("it was not started")
            });
        }
    }
    let mut late = Vec::with_capacity(tasks.len());
    while let Some(task) = tasks.join_next().await {
        late.push(task??);
    }
    Ok(late)
}

/// As users write it.
async fn by_hand(pending: &PendingSession) -> Result<()> {
    while pending.status().await?.session.is_none() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// How many requests it takes that so many wait for one start, and how long the last one is late.
async fn share(count: usize) -> Result<(u32, Duration)> {
    let (service, url) = Service::serve(true, 1).await?;
    let client = Client::builder().base_url(url).api_key("key").build()?;
    tokio::time::pause();
    let waiting = async {
        let pending = client.sessions().start().send().await?;
        let pollers = (0..count).map(|_| pending.ready());
        let sessions = anchorbrowser::wait_all(pollers).await;
        ensure!(sessions.into_iter().all(|session| session.is_ok()));
        let late = service.ready_since(pending.request_id().as_str());
        late.context("it was not started")
    };
    let late = clock::run(&service.activity, waiting).await.0?;
    let polls = service.starts(0).iter().map(|start| start.polls).sum();
    Ok((polls, late))
}

/// A line of the table. Memory and processor time of few sessions are mostly those of the clock.
fn line(name: &str, who: &str, it: &Figures, large: bool) {
    let number = |number: f64| match large {
        true => format!("{number:.2}"),
        false => "-".to_owned(),
    };
    println!(
        "{name:<30} {who:<5} {:>6.1} {:>6.2} {:>6.2} {:>7} {:>6}",
        it.polls,
        it.mean,
        it.p99,
        number(it.memory),
        number(it.cpu)
    );
}

/// The loop and the SDK, and whether the aim is reached: at most the polls with half the delay, or
/// half the polls with at most the delay.
fn pair(name: &str, loops: &Figures, sdk: &Figures, large: bool) {
    line(name, "loop", loops, large);
    line("", "sdk", sdk, large);
    let (polls, mean) = (sdk.polls / loops.polls, sdk.mean / loops.mean);
    let reached = polls <= 1.0 && mean <= 0.5 || polls <= 0.5 && mean <= 1.0;
    println!(
        "{:>30} polls {polls:.2} x delay {mean:.2} = {:.2}{}",
        "",
        polls * mean,
        if reached { ", the aim" } else { "" }
    );
}

fn compare(quick: bool) -> Result<()> {
    let many = if quick { 500 } else { 5_000 };
    // Few sessions are waited for by several clients, for the sake of the mean.
    let sizes = [
        (1, if quick { 20 } else { 200 }),
        (100, if quick { 2 } else { 10 }),
        (many, 1),
    ];
    println!("{HEAD}");
    println!(
        "{:<36} {:>6} {:>6} {:>6} {:>7} {:>6}",
        "sessions", "polls", "mean", "p99", "memory", "cpu"
    );
    for phases in [true, false] {
        for (each, clients) in sizes {
            let case = |sdk, learnt| Case {
                sdk,
                phases,
                learnt,
                each,
                clients,
                per_second: UNLIMITED,
            };
            for learnt in [false, true] {
                let (loops, sdk) = (
                    case(false, learnt).measure()?,
                    case(true, learnt).measure()?,
                );
                let told = if phases { "phases" } else { "no phases" };
                let seen = if learnt { "100 seen" } else { "new" };
                pair(
                    &format!("{each}, {told}, {seen}"),
                    &loops,
                    &sdk,
                    each == many,
                );
            }
        }
    }
    let slow = Case {
        sdk: true,
        phases: true,
        learnt: true,
        each: many,
        clients: 1,
        per_second: 100.0,
    };
    line(
        &format!("{many}, phases, 100 polls/s"),
        "sdk",
        &slow.measure()?,
        true,
    );
    println!("{FOOT}");
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.len() {
        6 => {
            let it = runtime()?.block_on(Case::parse(&args)?.run())?;
            println!(
                "{} {} {} {} {}",
                it.polls, it.mean, it.p99, it.memory, it.cpu
            );
            Ok(())
        }
        _ => {
            compare(args.iter().any(|arg| arg == "--quick"))?;
            let (polls, late) = runtime()?.block_on(share(5_000))?;
            println!("5,000 wait for one start: {polls} polls, {late:.2?} late.");
            Ok(())
        }
    }
}
