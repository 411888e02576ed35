#![allow(clippy::unwrap_used)]

use tokio::time::{sleep, sleep_until};

use super::*;

/// Waits for something that begins now and takes this time, with these phases and the part of it at
/// which each ends. Gives the times of the polls, the last of which shows the end.
pub(crate) async fn waited(
    schedule: &dyn PollSchedule,
    kind: PollKind,
    takes: Duration,
    phases: &[(&str, f64)],
) -> Vec<Duration> {
    let start = Instant::now();
    let mut course = Course::new(kind, Some(Begun::now()));
    let mut polls = Vec::new();
    sleep_until(course.first(schedule)).await;
    loop {
        let now = start.elapsed();
        polls.push(now);
        course.told(place(now.as_secs_f64() / takes.as_secs_f64(), phases));
        if now >= takes {
            if let Some(course) = course.ended() {
                schedule.ended(&course);
            }
            return polls;
        }
        sleep(schedule.pause(&course.state)).await;
    }
}

fn place(share: f64, phases: &[(&str, f64)]) -> Place {
    let phase = phases.iter().find(|(_, end)| share < *end);
    Place {
        phase: phase.map(|(name, _)| (*name).to_owned()),
        ..Place::new(if share < 1.0 { "pending" } else { "ready" })
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A course of polls, each after so many seconds and with the phase it shows.
async fn course(begun: bool, polls: &[(u64, &str)]) -> Option<PollCourse> {
    let mut course = Course::new(PollKind::SessionStart, begun.then(Begun::now));
    for (pause, phase) in polls {
        sleep(seconds(*pause)).await;
        course.told(Place::new(phase));
    }
    course.ended()
}

#[tokio::test(start_paused = true)]
async fn a_phase_begins_between_two_polls() {
    let polls = [(2, "a"), (2, "a"), (2, "b"), (2, "a"), (2, "ready")];
    let course = course(true, &polls).await.unwrap();
    let phase = |name: &str, from, to| (Some(name.to_owned()), seconds(from), seconds(to));
    let first = (None, seconds(0), seconds(1));
    let rest = [phase("a", 1, 5), phase("b", 5, 7), phase("a", 7, 10)];
    assert_eq!(course.phases.first(), Some(&first));
    assert_eq!(course.phases.get(1..), Some(&rest[..]));
    assert_eq!((course.before, course.done), (seconds(8), seconds(10)));
}

/// The last answer may name the phase that was left, or none.
#[tokio::test(start_paused = true)]
async fn the_end_is_the_same_whatever_it_is_called() {
    for last in ["a", "ready"] {
        let course = course(true, &[(2, "a"), (2, "a"), (2, last)])
            .await
            .unwrap();
        let phase = (Some("a".to_owned()), seconds(1), seconds(6));
        assert_eq!(course.phases.last(), Some(&phase), "{last}");
    }
    let course = course(true, &[(2, "ready")]).await.unwrap();
    assert_eq!(course.phases, [(None, seconds(0), seconds(2))]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_not_learned() {
    let late = [(1, "a"), (1, "a"), (3_600, "ready")];
    assert!(course(true, &late).await.is_none());
    assert!(course(false, &[(1, "a"), (1, "ready")]).await.is_none());
    assert!(course(true, &[(1, "a"), (1, "ready")]).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn phases_without_end_take_no_room() {
    let polls: Vec<_> = (0..999).map(|n| (1, ["a", "b"][n % 2])).collect();
    let course = course(true, &polls).await.unwrap();
    assert!(course.phases.len() <= PHASES, "{}", course.phases.len());
    assert_eq!(course.done, seconds(999));
}

#[tokio::test(start_paused = true)]
async fn failures_count_as_polls_and_end_with_a_state() {
    let mut course = Course::new(PollKind::Batch, None);
    assert_eq!((course.failed(), course.failed()), (1, 2));
    sleep(seconds(3)).await;
    course.told(Place::new("a"));
    assert_eq!((course.state.polls, course.state.elapsed), (3, seconds(3)));
    assert_eq!(course.failed(), 1);
}

/// What began elsewhere is asked for at once, and what began here when the schedule says so.
#[tokio::test(start_paused = true)]
async fn the_first_poll_counts_from_the_beginning() {
    let schedule = super::super::Exponential::new(seconds(5), 1.0, seconds(5));
    let begun = Begun::now();
    sleep(seconds(2)).await;
    let first = |begun| Course::new(PollKind::Batch, begun).first(&schedule);
    assert_eq!(first(None), Instant::now());
    assert_eq!(first(Some(begun)), Instant::now() + seconds(3));
}
