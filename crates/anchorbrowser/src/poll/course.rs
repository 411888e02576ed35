//! What a wait is like, as its polls show it.

use std::time::Duration;

use tokio::time::Instant;

use super::schedule::{PollCourse, PollSchedule, PollState};
use super::token::Begun;
use super::{Place, PollKind};

/// The last two polls of a wait that a schedule learns from are so many times the longest pause apart,
/// or half of the whole time. What ended while nobody asked tells nothing.
const UNCERTAIN: u32 = 2;
/// Of how many phases the times are kept; what comes after counts to the last one.
const PHASES: usize = 16;

/// The course of a wait so far.
pub(super) struct Course {
    /// When it began: what is waited for, or else the wait.
    start: Instant,
    /// Whether that is the beginning of what is waited for.
    whole: bool,
    pub(super) state: PollState,
    /// The time of the last poll that told a state, from the start.
    last: Duration,
    /// The time of the one before it.
    before: Duration,
    phases: Vec<(Option<String>, Duration, Duration)>,
    /// When the present phase began.
    entered: Duration,
    /// How many polls failed in a row.
    failures: u32,
}

impl Course {
    pub(super) fn new(kind: PollKind, begun: Option<Begun>) -> Self {
        let now = Instant::now();
        Self {
            start: begun.map_or(now, |begun| begun.at),
            whole: begun.is_some(),
            state: PollState::new(kind),
            last: Duration::ZERO,
            before: Duration::ZERO,
            phases: Vec::new(),
            entered: Duration::ZERO,
            failures: 0,
        }
    }

    /// When the first poll is due.
    pub(super) fn first(&self, schedule: &dyn PollSchedule) -> Instant {
        if !self.whole {
            return Instant::now();
        }
        super::after(self.start, schedule.pause(&self.state))
    }

    /// A poll gave a state.
    pub(super) fn told(&mut self, place: Place) {
        self.failures = 0;
        let now = self.start.elapsed();
        let phase = Some(place.phase.unwrap_or(place.state));
        if self.state.phase != phase {
            let since = self.last + now.saturating_sub(self.last) / 2;
            let left = std::mem::replace(&mut self.state.phase, phase);
            if self.phases.len() < PHASES {
                self.phases.push((left, self.entered, since));
            }
            self.entered = since;
        }
        (self.before, self.last) = (self.last, now);
        self.state.polls = self.state.polls.saturating_add(1);
        self.state.elapsed = now;
        self.state.in_phase = now.saturating_sub(self.entered);
        self.state.share = place.share;
    }

    /// A poll failed; gives how many did in a row.
    pub(super) fn failed(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.state.polls = self.state.polls.saturating_add(1);
        self.state.elapsed = self.start.elapsed();
        self.state.in_phase = self.state.elapsed.saturating_sub(self.entered);
        self.failures
    }

    /// The course of what has just ended, if it is known well enough.
    pub(super) fn ended(mut self) -> Option<PollCourse> {
        let gap = self.last.saturating_sub(self.before);
        let (_, longest) = self.state.kind.pauses();
        if !self.whole || gap > (self.last / 2).max(longest * UNCERTAIN) {
            return None;
        }
        // A phase that only the last poll has shown is the end itself: what was before lasted to it.
        match self.phases.last_mut() {
            Some((.., to)) if self.entered >= self.before => *to = self.last,
            _ => {
                let last = (self.state.phase.take(), self.entered, self.last);
                self.phases.push(last);
            }
        }
        Some(PollCourse {
            kind: self.state.kind,
            phases: self.phases,
            before: self.before,
            done: self.last,
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
