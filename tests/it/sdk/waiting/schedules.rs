//! Schedules of the caller's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anchorbrowser::ErrorKind;
use anchorbrowser::poll::{Fixed, PollSchedule, PollState};
use anchorbrowser_emulator::Emulator;

use super::patient;

const STATUS: &str = "get_async_session_status";

#[tokio::test]
async fn a_pause_without_end_lasts_to_the_deadline() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    let poller = pending.ready().schedule(Fixed(Duration::MAX));
    let error = poller.deadline(Duration::from_millis(200)).await;
    assert!(error.unwrap_err().is_deadline());
    // The first one, and that before the deadline.
    assert_eq!(emulator.count(STATUS)?, 2);
    Ok(())
}

#[tokio::test]
async fn clones_of_an_arc_are_one_schedule() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    let hour = Fixed(Duration::from_secs(3600));
    let shared = Arc::new(hour);
    let any: Arc<dyn PollSchedule> = shared.clone();
    let mut pollers = [
        pending.ready().schedule(shared),
        pending.ready().schedule(any),
        pending.ready().schedule(hour),
    ];
    for (poller, polls) in pollers.iter_mut().zip([1, 1, 2]) {
        poller.next().await.unwrap()?;
        assert_eq!(emulator.count(STATUS)?, polls);
    }
    Ok(())
}

/// Panics after so many polls.
struct Panics {
    after: u32,
    times: AtomicU32,
}

impl PollSchedule for Panics {
    fn pause(&self, so_far: &PollState) -> Duration {
        if so_far.polls >= self.after {
            self.times.fetch_add(1, Ordering::Relaxed);
            panic!("mine")
        }
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_schedule_that_panics_is_an_error() -> anyhow::Result<()> {
    let (_emulator, client) = patient(Emulator::builder()).await?;
    let pending = client.sessions().start().send().await?;
    for after in 0..3 {
        let times = AtomicU32::new(0);
        let schedule = Arc::new(Panics { after, times });
        let poller = pending.ready().schedule(schedule.clone());
        let error = poller.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{after}: {error}");
        let text = error.to_string();
        assert!(text.contains("look at the poll schedule"), "{text}");
        assert_eq!(schedule.times.load(Ordering::Relaxed), 1, "{after}");
    }
    Ok(())
}
