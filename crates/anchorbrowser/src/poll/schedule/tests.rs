#![allow(clippy::unwrap_used)]

use super::super::course::tests::waited;
use super::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// When something is polled that takes so many seconds.
async fn polls(schedule: &dyn PollSchedule, takes: u64) -> Vec<u64> {
    let polls = waited(schedule, PollKind::SessionStart, seconds(takes), &[]).await;
    polls.iter().map(Duration::as_secs).collect()
}

#[tokio::test(start_paused = true)]
async fn fixed_polls_at_once_and_evenly() {
    assert_eq!(polls(&Fixed(seconds(2)), 5).await, [0, 2, 4, 6]);
}

#[tokio::test(start_paused = true)]
async fn exponential_grows_to_the_ceiling() {
    let doubling = Exponential::new(seconds(1), 2.0, seconds(5));
    assert_eq!(polls(&doubling, 20).await, [1, 3, 7, 12, 17, 22]);
    let shared = std::sync::Arc::new(doubling);
    assert_eq!(polls(&shared, 5).await, [1, 3, 7]);
}

#[tokio::test]
async fn odd_factors_and_times_give_pauses() {
    let (second, ceiling) = (seconds(1), seconds(60));
    let mut state = PollState::new(PollKind::Volume);
    for (first, factor, polls, pause) in [
        (second, 0.5, 9, second),
        (second, -3.0, 9, second),
        (second, f64::NAN, 9, second),
        (second, f64::INFINITY, 0, second),
        (second, f64::INFINITY, 1, ceiling),
        (second, 2.0, u32::MAX, ceiling),
        (Duration::MAX, 2.0, 1, ceiling),
        (Duration::ZERO, 2.0, 9, Duration::ZERO),
    ] {
        state.polls = polls;
        let schedule = Exponential::new(first, factor, ceiling);
        assert_eq!(schedule.pause(&state), pause, "{first:?} {factor}");
    }
}
