//! How many polls a client makes, whatever waits.

use std::pin::pin;
use std::sync::{self, Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep_until, timeout};

use crate::RateLimit;

/// Of what a rate limit leaves, polls take this part; the rest is for other calls.
const SHARE: u64 = 2;
/// The longest time between two polls that a limit, or a server, can ask for.
pub(super) const SLOWEST: Duration = Duration::from_secs(15 * 60);
/// Timers are this exact: turns may lag behind by as much.
const TICKS: Duration = Duration::from_millis(10);

/// If who is next has not taken its turn for so long, its runtime stands still, and it is left behind.
const STALLED: Duration = Duration::from_secs(1);

/// The turns of all polls of a client: so many per second, first come, first served.
pub(crate) struct Pace {
    interval: Duration,
    /// How far turns may lag behind: after a quiet time, so many polls are made at once.
    burst: Duration,
    /// Whose turn it is next waits for it with the lock; the lock is fair. It is another one after
    /// somebody was left behind.
    queue: sync::Mutex<Arc<Mutex<()>>>,
    state: sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the next turn is.
    next: Option<Instant>,
    /// Turns are further apart until then.
    slowed: Option<(Duration, Instant)>,
}

impl Pace {
    /// At most so many polls per second; at least one in a quarter of an hour.
    pub(crate) fn new(per_second: f64) -> Self {
        let interval = Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(SLOWEST);
        let interval = interval.min(SLOWEST);
        Self {
            interval,
            burst: (interval * 10).max(TICKS),
            queue: sync::Mutex::default(),
            state: sync::Mutex::default(),
        }
    }

    fn state(&self) -> sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of `count` requests. Who gives up leaves the queue, and delays nobody.
    pub(crate) async fn turn(&self, count: u32) {
        let _first = self.first().await;
        // The server may ask to hold on in the meantime.
        while let Some(wait) = self.take(count) {
            sleep_until(wait).await;
        }
    }

    /// Waits to be the next one.
    async fn first(&self) -> OwnedMutexGuard<()> {
        loop {
            let queue = self.queue().clone();
            let mut first = pin!(queue.clone().lock_owned());
            loop {
                match timeout(STALLED, &mut first).await {
                    Ok(first) => return first,
                    Err(_) if self.is_left(&queue) => break,
                    Err(_) => {}
                }
            }
        }
    }

    fn queue(&self) -> sync::MutexGuard<'_, Arc<Mutex<()>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all but who stands still have another queue.
    fn is_left(&self, queue: &Arc<Mutex<()>>) -> bool {
        let mut present = self.queue();
        let next = self.state().next;
        let is_stalled = next.is_some_and(|next| next.elapsed() >= STALLED);
        if is_stalled && Arc::ptr_eq(&present, queue) {
            *present = Arc::default();
        }
        !Arc::ptr_eq(&present, queue)
    }

    /// Takes the next turn, or tells when it is.
    fn take(&self, count: u32) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(next) = state.next.filter(|next| *next > now) {
            return Some(next);
        }
        let slowed = state.slowed.filter(|(_, until)| *until > now);
        let (interval, burst) = match slowed {
            Some((interval, _)) if interval > self.interval => (interval, Duration::ZERO),
            _ => (self.interval, self.burst),
        };
        let earliest = now.checked_sub(burst).unwrap_or(now);
        let turn = state.next.map_or(earliest, |next| next.max(earliest));
        state.next = turn.checked_add(interval.saturating_mul(count));
        None
    }

    /// Nothing is polled for this time, or a quarter of an hour if it is longer, and after it at the
    /// usual distance.
    pub(crate) fn hold(&self, time: Duration) {
        let until = Instant::now().checked_add(time.min(SLOWEST));
        let mut state = self.state();
        state.next = state.next.max(until);
    }

    /// Makes what is left of a rate limit last until it starts anew.
    pub(crate) fn told(&self, limit: &RateLimit) {
        let Some(reset) = limit.reset else {
            return;
        };
        if limit.remaining == 0 {
            return self.hold(reset);
        }
        let polls = (limit.remaining / SHARE).max(1);
        let interval = reset / u32::try_from(polls).unwrap_or(u32::MAX);
        let until = Instant::now().checked_add(reset);
        self.state().slowed = until.map(|until| (interval, until));
    }
}

/// About this time: up to a tenth more or less, so that many do not march in step.
pub(crate) fn about(time: Duration) -> Duration {
    let about = time.as_secs_f64() * (0.9 + 0.2 * fastrand::f64());
    Duration::try_from_secs_f64(about).unwrap_or(time)
}

#[cfg(test)]
mod tests;
