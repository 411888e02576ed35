//! A service that starts sessions: the two operations of it that the benchmark needs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::clock::Activity;

/// A session that was asked for.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) ready: Instant,
    /// When it is provisioned, and when configured.
    phases: [Instant; 2],
    pub(crate) polls: u32,
}

pub(crate) struct Service {
    pub(crate) activity: Activity,
    /// Whether it tells the phases.
    phases: bool,
    state: Mutex<(fastrand::Rng, Vec<Start>)>,
}

impl Service {
    /// Serves on a port of loopback, which it gives.
    pub(crate) async fn serve(phases: bool, expected: usize) -> Result<(Arc<Self>, String)> {
        let service = Arc::new(Self {
            activity: Activity::default(),
            phases,
            state: Mutex::new((fastrand::Rng::with_seed(7), Vec::with_capacity(expected))),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let accepting = service.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.activity.step();
                let service = accepting.clone();
                tokio::spawn(async move { service.connection(stream).await });
            }
        });
        Ok((service, url))
    }

    fn state<T>(&self, with: impl FnOnce(&mut fastrand::Rng, &mut Vec<Start>) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (random, starts) = &mut *state;
        with(random, starts)
    }

    /// The starts from this one on.
    pub(crate) fn starts(&self, from: usize) -> Vec<Start> {
        self.state(|_, starts| starts.get(from..).unwrap_or_default().to_vec())
    }

    /// How long the start of this request has been ready.
    pub(crate) fn ready_since(&self, request_id: &str) -> Option<Duration> {
        let start = self.state(|_, starts| starts.get(place(request_id)?).cloned())?;
        Some(start.ready.elapsed())
    }

    /// Answers requests, one after the other.
    async fn connection(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = Vec::with_capacity(2_048);
        loop {
            let end = loop {
                if let Some(end) = request_end(&buffer) {
                    break end;
                }
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            self.activity.step();
            let head = buffer.drain(..end).collect::<Vec<_>>();
            let line = head.split(|byte| *byte == b'\r').next();
            let body = self.answer(std::str::from_utf8(line.unwrap_or_default())?)?;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await?;
            self.activity.step();
        }
    }

    fn answer(&self, line: &str) -> Result<String> {
        if line.starts_with("POST") {
            let place = self.state(|random, starts| {
                starts.push(Start::new(random));
                starts.len() - 1
            });
            return Ok(format!(
                r#"{{"data":{{"request_id":"{ID}{place:012}","status":"pending"}}}}"#
            ));
        }
        let path = line.split(' ').nth(1).unwrap_or_default();
        let id = path.rsplit('/').nth(1).unwrap_or_default();
        let start = self.state(|_, starts| {
            let start = starts.get_mut(place(id)?)?;
            start.polls += 1;
            Some(start.clone())
        });
        let start = start.with_context(|| format!("no such request: {line}"))?;
        Ok(self.status(id, &start))
    }

    fn status(&self, id: &str, start: &Start) -> String {
        let now = Instant::now();
        let [provisioned, configured] = start.phases;
        let (status, phase) = match () {
            () if now >= start.ready => ("ready", "ready"),
            () if now >= configured => ("pending", "configuring"),
            () if now >= provisioned => ("pending", "provisioning"),
            () => ("pending", "queued"),
        };
        let progress = match self.phases {
            true => format!(r#","progress":{{"current_phase":"{phase}"}}"#),
            false => String::new(),
        };
        let session = match status {
            "ready" => format!(r#","session":{{"session_id":"{id}","cdp_url":"ws://127.0.0.1/"}}"#),
            _ => String::new(),
        };
        format!(
            r#"{{"data":{{"request_id":"{id}","status":"{status}","created_at":"2026-01-01T00:00:00Z"{progress}{session}}}}}"#
        )
    }
}

const ID: &str = "00000000-0000-4000-8000-";

fn place(request_id: &str) -> Option<usize> {
    request_id.strip_prefix(ID)?.parse().ok()
}

/// Where the first request in the buffer ends, if it is there as a whole.
fn request_end(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(buffer.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length.unwrap_or_default();
    (buffer.len() >= end).then_some(end)
}

impl Start {
    fn new(random: &mut fastrand::Rng) -> Self {
        let now = Instant::now();
        let takes = takes(random);
        // Queued for 5 to 25 % of the time, configured in the last 10 to 25 %.
        let queued = 0.05 + 0.2 * random.f64();
        let configured = 0.75 + 0.15 * random.f64();
        let at = |part: f64| now + Duration::from_secs_f64(takes * part);
        Self {
            ready: at(1.0),
            phases: [at(queued), at(configured)],
            polls: 0,
        }
    }
}

/// How long a start takes, in seconds: lognormal with a median of 8, between 2 and 40.
fn takes(random: &mut fastrand::Rng) -> f64 {
    loop {
        let (a, b) = (1.0 - random.f64(), random.f64());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let takes = 8.0 * (0.6 * normal).exp();
        if (2.0..=40.0).contains(&takes) {
            return takes;
        }
    }
}
