//! Time that passes only while nothing is on its way, and what the system says of this process.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// So often the runtime must have gone round without a request before time goes on. An exchange
/// takes about six rounds.
const QUIET: u64 = 16;
const TICK: Duration = Duration::from_millis(1);

/// What the service does, for the clock to wait for.
#[derive(Default)]
pub(crate) struct Activity {
    steps: AtomicU64,
}

impl Activity {
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

/// Runs a future on a clock that stands still until nothing is on its way, and then goes on by a
/// millisecond. Tokio's own paused clock would go on while bytes are in a socket.
///
/// Gives the processor time that the future took, without that of the clock.
pub(crate) async fn run<F: Future>(activity: &Activity, future: F) -> (F::Output, Duration) {
    let per_round = cost(activity).await;
    let before = processor();
    let mut rounds = 0;
    let mut future = pin!(future);
    let output = loop {
        tokio::select! {
            biased;
            output = &mut future => break output,
            more = tick(activity) => rounds += more,
        }
    };
    let spent = processor().saturating_sub(before);
    (output, spent.saturating_sub(per_round * rounds))
}

/// Waits until nothing is on its way, and lets a millisecond pass. Gives the number of rounds.
async fn tick(activity: &Activity) -> u32 {
    let mut rounds = 0;
    loop {
        let before = activity.steps();
        for _ in 0..QUIET {
            tokio::task::yield_now().await;
            rounds += 1;
        }
        if activity.steps() == before {
            break;
        }
    }
    tokio::time::advance(TICK).await;
    rounds
}

/// The processor time of a round with nothing in it.
async fn cost(activity: &Activity) -> Duration {
    let before = processor();
    let mut rounds = 0;
    for _ in 0..2_000 {
        rounds += tick(activity).await;
    }
    processor().saturating_sub(before) / rounds
}

/// The processor time of this thread; zero where the system does not tell.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// A line of the system's account of this process, in KiB, e.g. `VmHWM`: its most memory so far.
pub(crate) fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix(line));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|kib| kib.parse().ok()).unwrap_or_default()
}
