//! A schedule that learns how long things take.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::schedule::{PollCourse, PollSchedule, PollState};
use super::{PollKind, pace};

/// The schedule of a client, unless another one is given.
///
/// It polls when being late begins to cost more than a poll. Say that the time that is left is one of
/// those that earlier waits had left, when they were in the same phase for as long: then there is a
/// pause after which the expected lateness is as much as a poll is worth, and that is the pause. So
/// it asks seldom while nothing can have happened and often near the expected moment. A wait is known
/// only to have ended between two polls, and counts as spread over that time. In place of waits that
/// it has not seen stands a guess, by which pauses grow with the root of the time; it counts as much
/// as two waits.
///
/// A pause is between the [shortest and the longest](PollKind::pauses) of its kind, and up to a tenth
/// longer or shorter, so that waits which began together do not poll together. Where the service
/// tells the part that is done, a pause is no longer than a quarter of the time that is then left.
///
/// What it learns stays with the client and its clones. It remembers 256 waits of each kind, a fair
/// sample of the last two thousand or so.
pub struct Adaptive(Mutex<HashMap<PollKind, Memory>>);

/// How many waits the guess counts for.
const GUESS: f64 = 2.0;
/// How many waits are remembered.
const CAPACITY: usize = 256;
/// Of how many waits those that are remembered are a sample.
const SAMPLED: u32 = 2_000;
/// Of the time that is probably left, by the part that is done, this part may pass before the next
/// poll.
const OF_THE_REST: f64 = 0.25;
/// This part of the time that has passed is always short enough: something may be all but done for
/// long.
const OF_THE_PAST: f64 = 0.02;

impl Adaptive {
    /// A schedule that has seen nothing.
    pub fn new() -> Self {
        Self(Mutex::default())
    }
}

impl Default for Adaptive {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Adaptive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptive").finish_non_exhaustive()
    }
}

impl PollSchedule for Adaptive {
    fn pause(&self, so_far: &PollState) -> Duration {
        let defaults = so_far.kind.defaults();
        let (shortest, longest) = defaults.pauses;
        let most = longest.as_secs_f64();
        let most = soon(so_far).map_or(most, |soon| soon.min(most));
        let rests = match self.memory().get(&so_far.kind) {
            Some(memory) => memory.rests(so_far),
            None => Vec::new(),
        };
        let guess = Guess {
            age: so_far.in_phase.as_secs_f64() + defaults.scale.as_secs_f64(),
        };
        let pause = pause(&guess, &rests, defaults.price.as_secs_f64(), most);
        let pause = Duration::try_from_secs_f64(pause).unwrap_or(longest);
        pace::about(pause.clamp(shortest, longest))
    }

    fn ended(&self, course: &PollCourse) {
        let mut memory = self.memory();
        memory.entry(course.kind).or_default().keep(course);
    }
}

impl Adaptive {
    fn memory(&self) -> std::sync::MutexGuard<'_, HashMap<PollKind, Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest pause, in seconds, if the part that is done is told: a part of what is left if it goes
/// on as it did.
fn soon(so_far: &PollState) -> Option<f64> {
    let share = so_far.share.filter(|share| (0.01..=1.0).contains(share))?;
    let past = so_far.elapsed.as_secs_f64();
    let left = past * (1.0 - share) / share;
    Some((left * OF_THE_REST).max(past * OF_THE_PAST))
}

/// The pause after which the expected lateness is worth a poll, at most `longest`; in seconds.
fn pause(guess: &Guess, rests: &[Rest], price: f64, longest: f64) -> f64 {
    let weight: f64 = rests.iter().map(|rest| rest.weight).sum();
    let worth = price * (GUESS + weight);
    let lateness = |pause: f64| {
        let seen: f64 = rests.iter().map(|rest| rest.lateness(pause)).sum();
        GUESS * guess.lateness(pause) + seen
    };
    if lateness(longest) <= worth {
        return longest;
    }
    // The lateness grows with the pause, so halving finds it: to a millisecond, of up to a quarter
    // of an hour.
    let (mut low, mut high) = (0.0, longest);
    for _ in 0..20 {
        let middle = (low + high) / 2.0;
        if lateness(middle) < worth {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// What is guessed of something that was not seen before: the longer it has taken, the longer it
/// will take. Its end is as likely now as `1 / age`, in seconds.
struct Guess {
    age: f64,
}

impl Guess {
    /// How late a poll after this pause is on average.
    fn lateness(&self, pause: f64) -> f64 {
        pause - self.age * (1.0 + pause / self.age).ln()
    }
}

/// What a wait had left at some moment, in seconds: it ended between two times, any of them as likely.
struct Rest {
    from: f64,
    to: f64,
    /// How likely it was not over at that moment.
    weight: f64,
}

impl Rest {
    /// `from` is below zero if it may have been over.
    fn new(from: f64, to: f64) -> Self {
        let after = from.max(0.0);
        let weight = if from < to {
            (to - after) / (to - from)
        } else {
            1.0
        };
        Self {
            from: after,
            to,
            weight,
        }
    }

    /// How late a poll after this pause is on average, by the weight.
    fn lateness(&self, pause: f64) -> f64 {
        let late = if pause <= self.from {
            0.0
        } else if pause < self.to {
            (pause - self.from).powi(2) / (2.0 * (self.to - self.from))
        } else {
            pause - (self.from + self.to) / 2.0
        };
        self.weight * late
    }
}

/// The waits of a kind.
#[derive(Default)]
struct Memory {
    /// How many were kept or not.
    seen: u32,
    waits: Vec<Wait>,
}

/// A [`PollCourse`], in seconds.
struct Wait {
    phases: Vec<(Option<Box<str>>, f32, f32)>,
    before: f32,
    done: f32,
}

impl Wait {
    fn of(course: &PollCourse) -> Self {
        let phases = course.phases.iter().map(|(phase, from, to)| {
            let name = phase.as_deref().map(Box::from);
            (name, from.as_secs_f32(), to.as_secs_f32())
        });
        Self {
            phases: phases.collect(),
            before: course.before.min(course.done).as_secs_f32(),
            done: course.done.as_secs_f32(),
        }
    }

    /// What it had left when it was in this phase for as long: several times if it came back to it.
    fn rests(&self, so_far: &PollState) -> impl Iterator<Item = Rest> {
        // If no phase of it is known, any time of it can be compared.
        let unknown = matches!(&*self.phases, [(None, ..)]);
        let age = match unknown {
            true => so_far.elapsed.as_secs_f32(),
            false => so_far.in_phase.as_secs_f32(),
        };
        let same = self.phases.iter().filter(move |(name, from, to)| {
            let fits = unknown || name.as_deref() == so_far.phase.as_deref();
            fits && to - from > age && self.done - from > age
        });
        same.map(move |(_, from, _)| {
            let now = from + age;
            Rest::new((self.before - now).into(), (self.done - now).into())
        })
    }
}

impl Memory {
    /// Keeps a fair sample: one that kept the last ones would know, after a thousand waits that began
    /// together, only those that took long.
    fn keep(&mut self, course: &PollCourse) {
        self.seen = self.seen.saturating_add(1).min(SAMPLED);
        if self.waits.len() < CAPACITY {
            self.waits.push(Wait::of(course));
            return;
        }
        let place = fastrand::usize(..self.seen as usize);
        if let Some(old) = self.waits.get_mut(place) {
            *old = Wait::of(course);
        }
    }

    /// What they had left, that were in this phase for as long.
    fn rests(&self, so_far: &PollState) -> Vec<Rest> {
        let waits = self.waits.iter();
        waits.flat_map(|wait| wait.rests(so_far)).collect()
    }
}

#[cfg(test)]
mod tests;
