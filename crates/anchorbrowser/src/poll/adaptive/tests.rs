#![allow(clippy::unwrap_used)]

use super::super::course::tests::waited;
use super::*;

const START: PollKind = PollKind::SessionStart;
const PHASES: &[(&str, f64)] = &[("queued", 0.2), ("provisioning", 0.8), ("configuring", 1.0)];

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

/// When a start that takes so many seconds is polled.
async fn polls(schedule: &Adaptive, takes: f64, phases: &[(&str, f64)]) -> Vec<f64> {
    let polls = waited(schedule, START, seconds(takes), phases).await;
    polls.iter().map(Duration::as_secs_f64).collect()
}

/// A schedule that has seen so many starts of 9.5 to 10.5 seconds.
async fn taught(count: u32, phases: &[(&str, f64)]) -> Adaptive {
    let schedule = Adaptive::new();
    for n in 0..count {
        let spread = f64::from(n % 11) / 10.0;
        polls(&schedule, 9.5 + spread, phases).await;
    }
    schedule
}

fn pauses(polls: &[f64]) -> Vec<f64> {
    polls.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_never_seen_is_polled_fast_and_then_slower() {
    let polls = polls(&Adaptive::new(), 200.0, &[]).await;
    assert!(polls[0] < 0.6, "{}", polls[0]);
    let pauses = pauses(&polls);
    let sum = |pauses: &[f64]| pauses.iter().sum::<f64>() / pauses.len() as f64;
    let tenth = pauses.len() / 10;
    let parts: Vec<f64> = pauses.chunks(tenth).map(sum).collect();
    assert!(parts[..9].is_sorted(), "{parts:?}");
    assert!(polls.len() < 100, "{}", polls.len());
    let (_, longest) = START.pauses();
    assert!(
        pauses
            .iter()
            .all(|pause| *pause <= longest.as_secs_f64() * 1.1 + 0.002)
    );
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_is_polled_at_the_ceiling() {
    let mut state = PollState::new(START);
    let (_, longest) = START.pauses();
    state.elapsed = seconds(1e6);
    state.in_phase = state.elapsed;
    assert!(Adaptive::new().pause(&state) >= longest.mul_f64(0.9));
}

/// What takes ten seconds is polled once or twice in the first eight, and much around the tenth.
#[tokio::test(start_paused = true)]
async fn it_learns_when_the_end_is_near() {
    for phases in [&[][..], PHASES] {
        let schedule = taught(60, phases).await;
        let fresh = polls(&Adaptive::new(), 10.0, phases).await;
        let (mut early, mut near, mut late) = (0, 0, 0.0);
        for _ in 0..20 {
            let polls = polls(&schedule, 10.0, phases).await;
            early += polls.iter().filter(|at| **at < 8.0).count();
            near += polls.iter().filter(|at| **at >= 9.0).count();
            late += polls.last().unwrap() - 10.0;
        }
        // With phases, each is polled for.
        assert!(
            early <= 20 * if phases.is_empty() { 2 } else { 4 },
            "{early}"
        );
        assert!(near >= 20 && fresh.len() > 11, "{near} {fresh:?}");
        assert!(late / 20.0 < 1.2, "{late}");
    }
}

/// A start that is not like the ones before is found soon, whether it is faster or slower.
#[tokio::test(start_paused = true)]
async fn it_is_not_misled_for_long() {
    let schedule = taught(60, PHASES).await;
    let slow = polls(&schedule, 40.0, PHASES).await;
    assert!(
        slow.last().unwrap() - 40.0 < 5.0 && slow.len() < 60,
        "{slow:?}"
    );
    let mut late = Vec::new();
    for _ in 0..40 {
        late.push(polls(&schedule, 1.0, &[]).await.last().unwrap() - 1.0);
    }
    let last = late[20..].iter().sum::<f64>() / 20.0;
    assert!(last < 0.6, "{late:?}");
}

/// Among starts that are soon over or take long, the soon ones are not waited for like the others.
#[tokio::test(start_paused = true)]
async fn what_ends_before_the_first_poll_counts() {
    let schedule = Adaptive::new();
    let mut late = 0.0;
    for n in 0..100u32 {
        let fast = n % 10 < 7;
        let takes = if fast { 0.3 } else { 10.0 };
        let polls = polls(&schedule, takes, PHASES).await;
        if fast {
            late += polls.last().unwrap() - takes;
        }
    }
    assert!(late / 70.0 < 0.5, "{late}");
}

/// The phase says more than the time does.
#[tokio::test(start_paused = true)]
async fn a_phase_tells_what_is_left() {
    let schedule = taught(60, PHASES).await;
    let pause = |phase: &str| {
        let mut state = PollState::new(START);
        state.elapsed = seconds(4.0);
        state.phase = Some(phase.to_owned());
        schedule.pause(&state)
    };
    let (far, near) = (pause("provisioning"), pause("configuring"));
    assert!(far > near * 3 / 2, "{far:?} {near:?}");
    // Of a phase that was never seen nothing is known.
    let fresh = Adaptive::new().pause(&PollState::new(START));
    assert!(pause("new") < fresh * 3 / 2);
}

/// What comes back to a phase has a longer and a shorter rest from there.
#[test]
fn a_phase_that_was_left_and_entered_again_counts_twice() {
    let phase = |name: &str, from, to| (Some(name.to_owned()), seconds(from), seconds(to));
    let mut course = PollCourse::new(START, seconds(10.0));
    course.phases = vec![
        phase("a", 0.0, 3.0),
        phase("b", 3.0, 6.0),
        phase("a", 6.0, 10.0),
    ];
    let mut memory = Memory::default();
    memory.keep(&course);
    let mut state = PollState::new(START);
    state.phase = Some("a".to_owned());
    for (in_phase, rests) in [(1.0, &[9.0, 3.0][..]), (3.5, &[0.5]), (4.0, &[])] {
        state.in_phase = seconds(in_phase);
        let found: Vec<f64> = memory.rests(&state).iter().map(|rest| rest.to).collect();
        assert_eq!(found, rests, "{in_phase}");
    }
}

/// A schedule can be told how long things take.
#[test]
fn a_course_without_phases_counts_for_all() {
    let schedule = Adaptive::new();
    for _ in 0..50 {
        schedule.ended(&PollCourse::new(START, seconds(10.0)));
    }
    let mut state = PollState::new(START);
    assert!(schedule.pause(&state) > seconds(2.0));
    state.phase = Some("queued".to_owned());
    for (elapsed, least, most) in [(5.0, 2.0, 5.6), (9.8, 0.15, 0.5), (10.1, 0.2, 0.6)] {
        state.elapsed = seconds(elapsed);
        let pause = schedule.pause(&state).as_secs_f64();
        assert!((least..=most).contains(&pause), "{elapsed}: {pause}");
    }
    // Other kinds are not concerned.
    let other = schedule.pause(&PollState::new(PollKind::Volume));
    assert!(other < seconds(1.0), "{other:?}");
}

/// Those that begin together do not poll together.
#[tokio::test(start_paused = true)]
async fn many_do_not_march_in_step() {
    let schedule = taught(60, PHASES).await;
    let state = PollState::new(START);
    let pauses: Vec<f64> = (0..1_000)
        .map(|_| schedule.pause(&state).as_secs_f64())
        .collect();
    let middle = pauses.iter().sum::<f64>() / 1_000.0;
    let within = |part: f64| {
        let near = pauses
            .iter()
            .filter(|pause| (**pause / middle - 1.0).abs() < part);
        near.count()
    };
    assert_eq!(within(0.11), 1_000);
    assert!((400..600).contains(&within(0.05)), "{}", within(0.05));
}

/// A sample of the waits is kept, and it follows a service that becomes faster.
#[test]
fn memory_is_bounded_and_fair() {
    let mut memory = Memory::default();
    let mut keep = |count: u32, took: f64| {
        for _ in 0..count {
            memory.keep(&PollCourse::new(START, seconds(took)));
        }
        let waits = memory.waits.iter();
        (
            memory.waits.len(),
            waits.filter(|wait| wait.done == took as f32).count(),
        )
    };
    assert_eq!(keep(1_000, 10.0), (CAPACITY, CAPACITY));
    let (kept, new) = keep(1_000, 5.0);
    assert!(kept == CAPACITY && (90..=170).contains(&new), "{new}");
    let (kept, new) = keep(20_000, 1.0);
    assert!(kept == CAPACITY && new > 230, "{new}");
}

/// The nearer a batch is to its end, the more often it is polled; but not without end.
#[test]
fn the_part_that_is_done_brings_polls() {
    let schedule = Adaptive::new();
    let pause = |elapsed: f64, share: f64| {
        let mut state = PollState::new(PollKind::Batch);
        state.elapsed = seconds(elapsed);
        state.in_phase = state.elapsed;
        state.share = Some(share);
        schedule.pause(&state).as_secs_f64()
    };
    let (shortest, _) = PollKind::Batch.pauses();
    assert!(pause(300.0, 0.5) > 10.0);
    assert!((5.0..=7.0).contains(&pause(300.0, 0.95)));
    assert!(pause(20.0, 0.99) <= shortest.as_secs_f64() * 1.1);
    assert!(pause(600.0, 1.0) > 9.0);
    for odd in [f64::NAN, -1.0, 0.0, 1e-9, 7.0, f64::INFINITY] {
        assert!(pause(300.0, odd) > 10.0, "{odd}");
    }
}

/// No state leads to a pause out of bounds.
#[test]
fn any_state_gives_a_pause() {
    let times = [
        Duration::ZERO,
        Duration::from_nanos(1),
        seconds(1e4),
        Duration::MAX,
    ];
    for kind in PollKind::ALL {
        let schedule = Adaptive::new();
        for took in times {
            schedule.ended(&PollCourse::new(*kind, took));
        }
        let (shortest, longest) = kind.pauses();
        for (elapsed, in_phase) in times.iter().flat_map(|a| times.map(|b| (*a, b))) {
            let mut state = PollState::new(*kind);
            (state.elapsed, state.in_phase) = (elapsed, in_phase);
            for share in [None, Some(0.5), Some(1.0)] {
                state.share = share;
                let pause = schedule.pause(&state);
                assert!(pause >= shortest.mul_f64(0.9), "{kind} {state:?} {pause:?}");
                assert!(pause <= longest.mul_f64(1.1), "{kind} {state:?} {pause:?}");
            }
        }
    }
}
