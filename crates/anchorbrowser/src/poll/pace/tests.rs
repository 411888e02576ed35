#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::time::{advance, sleep};

use super::*;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn limit(remaining: u64, reset: u64) -> RateLimit {
    RateLimit {
        policy: "all".to_owned(),
        remaining,
        reset: Some(Duration::from_secs(reset)),
        quota: None,
        window: None,
    }
}

/// How many turns there are in this time, for somebody who always wants one.
async fn turns(pace: &Pace, time: Duration) -> usize {
    let end = Instant::now() + time;
    let turns = stream::repeat(()).then(|()| pace.turn(1));
    let turns = turns.take_until(sleep_until(end)).count().await;
    sleep_until(end).await;
    turns
}

/// How many turns there are at once.
fn at_once(pace: &Pace) -> usize {
    std::iter::from_fn(|| pace.turn(1).now_or_never()).count()
}

#[tokio::test(start_paused = true)]
async fn so_many_a_second_and_some_at_once() {
    for per_second in [1.0, 100.0, 2_000.0] {
        let pace = Pace::new(per_second);
        sleep(millis(60_000)).await;
        let first = at_once(&pace);
        assert!((10..=21).contains(&first), "{per_second}: {first}");
        let later = turns(&pace, millis(10_000)).await as f64 / 10.0;
        assert!(
            (later / per_second - 1.0).abs() < 0.11,
            "{per_second}: {later}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_rate_is_too_odd() {
    let hour = Duration::from_secs(3_600);
    for rate in [0.0, -1.0, f64::NAN, 1e-300] {
        let pace = Pace::new(rate);
        at_once(&pace);
        let later = turns(&pace, hour).await;
        assert!((3..=4).contains(&later), "{rate}: {later}");
    }
    for rate in [1e12, f64::MAX, f64::INFINITY] {
        let pace = Pace::new(rate);
        join_all((0..10_000).map(|_| pace.turn(1))).await;
    }
}

/// All who wait have a turn before anybody has another one.
#[tokio::test(start_paused = true)]
async fn a_thousand_take_turns() {
    let pace = Arc::new(Pace::new(100.0));
    pace.hold(millis(1));
    let counts = Arc::new(sync::Mutex::new(vec![0u32; 1_000]));
    let tasks: Vec<_> = (0..1_000)
        .map(|place| {
            let (pace, counts) = (pace.clone(), counts.clone());
            tokio::spawn(async move {
                loop {
                    pace.turn(1).await;
                    let mut counts = counts.lock().unwrap();
                    counts[place] += 1;
                    let (least, most) = (counts.iter().min(), counts.iter().max());
                    assert!(most.unwrap() - least.unwrap() <= 1);
                    if counts[place] == 3 {
                        return;
                    }
                }
            })
        })
        .collect();
    let start = Instant::now();
    for task in join_all(tasks).await {
        task.unwrap();
    }
    assert!(start.elapsed() >= millis(29_000) && start.elapsed() <= millis(30_000));
}

#[tokio::test(start_paused = true)]
async fn a_large_poll_counts_as_its_requests() {
    let pace = Pace::new(10.0);
    at_once(&pace);
    pace.turn(50).await;
    let start = Instant::now();
    pace.turn(1).await;
    assert!(start.elapsed() >= millis(4_900));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_delays_nobody() {
    let pace = Pace::new(1.0);
    at_once(&pace);
    let start = Instant::now();
    {
        // A queue of those who do not wait to the end.
        let mut queue: Vec<_> = (0..100).map(|_| Box::pin(pace.turn(60))).collect();
        for turn in &mut queue {
            assert!(turn.now_or_never().is_none());
        }
    }
    pace.turn(1).await;
    assert!(start.elapsed() <= millis(1_001), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_for_all_and_ends_gently() {
    let pace = Pace::new(10.0);
    at_once(&pace);
    let start = Instant::now();
    let waiting = join_all((0..21).map(|_| async {
        pace.turn(1).await;
        start.elapsed()
    }));
    let held = async {
        // Some wait already, and the longest hold counts.
        sleep(millis(50)).await;
        pace.hold(millis(30_000));
        pace.hold(millis(1_000));
    };
    let (times, ()) = tokio::join!(waiting, held);
    assert_eq!(times.first().unwrap().as_millis(), 30_050);
    assert!(times.last().unwrap().as_millis() >= 32_050, "{times:?}");
    pace.hold(Duration::MAX);
    assert!(pace.turn(1).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_lasts_until_it_starts_anew() {
    let pace = Pace::new(100.0);
    pace.told(&limit(20, 10));
    // A half is for other calls.
    let now = turns(&pace, millis(10_000)).await;
    assert!((9..=11).contains(&now), "{now}");
    let later = turns(&pace, millis(10_000)).await;
    assert!((990..=1_020).contains(&later), "{later}");

    pace.told(&limit(0, 5));
    assert_eq!(turns(&pace, millis(4_999)).await, 0);
    assert!(turns(&pace, millis(1_000)).await > 90);
}

#[tokio::test(start_paused = true)]
async fn a_wide_rate_limit_changes_nothing() {
    let pace = Pace::new(100.0);
    let unknown = RateLimit {
        reset: None,
        ..limit(0, 0)
    };
    for limit in [
        limit(u64::MAX, 60),
        limit(1, 0),
        limit(0, 0),
        limit(9, u64::MAX),
        unknown,
    ] {
        pace.told(&limit);
        advance(millis(1)).await;
        assert!(turns(&pace, millis(1_000)).await >= 99, "{limit:?}");
    }
}

#[test]
fn about_is_within_a_tenth() {
    let times: Vec<_> = (0..1_000).map(|_| about(millis(1_000))).collect();
    let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*least >= millis(900) && *least < millis(920), "{least:?}");
    assert!(*most <= millis(1_100) && *most > millis(1_080), "{most:?}");
}

/// A runtime that nobody drives keeps the turn that its task waits for.
#[tokio::test(start_paused = true)]
async fn who_stands_still_is_passed_by() {
    let pace = Pace::new(1.0);
    at_once(&pace);
    let mut still = Box::pin(pace.turn(1));
    assert!((&mut still).now_or_never().is_none());
    let started = Instant::now();
    for _ in 0..3 {
        pace.turn(1).await;
    }
    let waited = started.elapsed();
    assert!(
        waited >= millis(3_000) && waited < millis(6_000),
        "{waited:?}"
    );
    still.await;
}

/// A hundred who come after one that stands still lose a moment, all together.
#[tokio::test(start_paused = true)]
async fn who_stands_still_slows_nobody() {
    let pace = Pace::new(10.0);
    at_once(&pace);
    let mut still = Box::pin(pace.turn(1));
    assert!((&mut still).now_or_never().is_none());
    let started = Instant::now();
    join_all((0..100).map(|_| pace.turn(1))).await;
    let waited = started.elapsed();
    assert!(
        waited > millis(9_000) && waited < millis(12_500),
        "{waited:?}"
    );
    still.await;
}
