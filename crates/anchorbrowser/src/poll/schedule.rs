//! When to poll.

use std::time::Duration;

use super::PollKind;

/// Says how long to wait between two polls.
///
/// A schedule is shared: it may be asked for many waits at once. All waits of a client also share a
/// [limit of polls per second](crate::ClientBuilder::polls_per_second), which can make a pause
/// longer, and the last poll is made shortly before the deadline, which can make it shorter.
///
/// ```
/// use std::time::Duration;
/// use anchorbrowser::poll::{PollSchedule, PollState};
///
/// /// Every second at first, then every ten.
/// struct Patient;
///
/// impl PollSchedule for Patient {
///     fn pause(&self, so_far: &PollState) -> Duration {
///         let hurry = so_far.elapsed < Duration::from_secs(60);
///         Duration::from_secs(if hurry { 1 } else { 10 })
///     }
/// }
/// ```
pub trait PollSchedule: Send + Sync + 'static {
    /// The pause before the next poll; with [`Duration::MAX`] there is none but that shortly before the
    /// deadline. Before the first one (`polls` is 0) it counts from the beginning of what is waited
    /// for, and is asked only if that is known; otherwise the first poll is made at once.
    fn pause(&self, so_far: &PollState) -> Duration;

    /// A wait has ended well. A schedule that learns can take it to heart; by default nothing
    /// happens.
    fn ended(&self, course: &PollCourse) {
        let _ = course;
    }

    /// Where it lies in memory: by this, clones of an [`Arc`](std::sync::Arc) are one schedule.
    #[doc(hidden)]
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// How far a wait has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollState {
    /// What is waited for.
    pub kind: PollKind,
    /// How many polls were made.
    pub polls: u32,
    /// The time since it began: what is waited for, or the wait, if it began elsewhere.
    pub elapsed: Duration,
    /// The state that the last poll showed, or the phase, if it told one.
    pub phase: Option<String>,
    /// The time since it is in this phase, as far as the polls can tell.
    pub in_phase: Duration,
    /// The part that is done, from 0 to 1, if the last poll told it.
    pub share: Option<f64>,
}

impl PollState {
    /// The state of a wait that begins.
    pub fn new(kind: PollKind) -> Self {
        Self {
            kind,
            polls: 0,
            elapsed: Duration::ZERO,
            phase: None,
            in_phase: Duration::ZERO,
            share: None,
        }
    }
}

/// The course of a wait that ended well. Times are those since it began. Polls show only that
/// something has happened since the last one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollCourse {
    /// What was waited for.
    pub kind: PollKind,
    /// The phases that were seen, in order: each with the times at which it began and ended, which are
    /// the middle between two polls. The first is `None`, for the time before the first poll. The last
    /// one ends with `done`. Of more than 16, the rest is left out.
    pub phases: Vec<(Option<String>, Duration, Duration)>,
    /// The last poll before the end; zero if there was none.
    pub before: Duration,
    /// The poll that showed the end.
    pub done: Duration,
}

impl PollCourse {
    /// The course of something that took this time, to the moment, and of which no phase was seen.
    /// With it a schedule can be told what to expect.
    pub fn new(kind: PollKind, took: Duration) -> Self {
        Self {
            kind,
            phases: vec![(None, Duration::ZERO, took)],
            before: took,
            done: took,
        }
    }
}

/// Polls at once, and then with a pause that is always the same.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub Duration);

impl PollSchedule for Fixed {
    fn pause(&self, so_far: &PollState) -> Duration {
        if so_far.polls == 0 {
            return Duration::ZERO;
        }
        self.0
    }
}

/// Pauses that grow by a factor up to a ceiling.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    first: Duration,
    factor: f64,
    longest: Duration,
}

impl Exponential {
    /// Begins with this pause; each further one is longer by the factor, up to the longest. A factor
    /// below 1, or one that is no number, counts as 1.
    pub fn new(first: Duration, factor: f64, longest: Duration) -> Self {
        Self {
            first,
            factor: factor.max(1.0),
            longest,
        }
    }
}

impl PollSchedule for Exponential {
    fn pause(&self, so_far: &PollState) -> Duration {
        let grown = self.first.as_secs_f64() * self.factor.powf(so_far.polls.into());
        Duration::try_from_secs_f64(grown).map_or(self.longest, |pause| pause.min(self.longest))
    }
}

/// A schedule that is shared.
impl<S: PollSchedule + ?Sized> PollSchedule for std::sync::Arc<S> {
    fn pause(&self, so_far: &PollState) -> Duration {
        (**self).pause(so_far)
    }

    fn ended(&self, course: &PollCourse) {
        (**self).ended(course);
    }

    fn address(&self) -> usize {
        (**self).address()
    }
}

#[cfg(test)]
mod tests;
