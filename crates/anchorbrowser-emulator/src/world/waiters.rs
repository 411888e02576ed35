//! Requests that wait: for an event, the end of a run, or a point in time.

use tokio::sync::oneshot;

use crate::answer::Outcome;
use crate::time::Time;

/// What a request waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The event of this name.
    Event(String),
    /// The end of the run, validation or generation with this id.
    Run(String),
    /// Nothing but its deadline.
    Time,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    topic: Topic,
    sender: oneshot::Sender<Outcome>,
    deadline: Option<Time>,
    at_deadline: Outcome,
}

/// All requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Vec<Waiter>,
    next: u64,
    /// Nothing waits any more.
    closed: bool,
    /// Sent when the state is stored: an answer must not overtake what it speaks of.
    released: Vec<(oneshot::Sender<Outcome>, Outcome)>,
}

impl Waiters {
    pub(super) fn add(
        &mut self,
        topic: Topic,
        deadline: Option<Time>,
        at_deadline: Outcome,
    ) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        if self.closed {
            // Without a sender, the wait is over at once.
            return receiver;
        }
        self.next += 1;
        // Requests whose client has gone are dropped here, so that they can't pile up.
        self.waiting.retain(|waiter| !waiter.sender.is_closed());
        self.waiting.push(Waiter {
            number: self.next,
            topic,
            sender,
            deadline,
            at_deadline,
        });
        receiver
    }

    /// Gives `outcome` to all that wait for `topic`, and says how many that were.
    pub(super) fn release(&mut self, topic: &Topic, outcome: &Outcome) -> usize {
        let mut count = 0;
        for waiter in self.take(|waiter| waiter.topic == *topic) {
            if !waiter.sender.is_closed() {
                count += 1;
                self.released.push((waiter.sender, outcome.clone()));
            }
        }
        count
    }

    /// Ends all waits, also those to come.
    pub(super) fn close(&mut self) {
        *self = Self {
            closed: true,
            ..Self::default()
        };
    }

    /// How many requests wait; without those whose client has gone.
    pub(super) fn open(&self) -> usize {
        let open = |waiter: &&Waiter| !waiter.sender.is_closed();
        self.waiting.iter().filter(open).count()
    }

    /// The earliest deadline.
    pub(super) fn due(&self) -> Option<Time> {
        self.waiting
            .iter()
            .filter_map(|waiter| waiter.deadline)
            .min()
    }

    /// Ends those whose deadline has come.
    pub(super) fn expire(&mut self, now: Time) {
        for waiter in self.take(|waiter| waiter.deadline.is_some_and(|deadline| deadline <= now)) {
            self.released.push((waiter.sender, waiter.at_deadline));
        }
    }

    pub(super) fn released(&mut self) -> Vec<(oneshot::Sender<Outcome>, Outcome)> {
        std::mem::take(&mut self.released)
    }

    fn take(&mut self, fits: impl Fn(&Waiter) -> bool) -> Vec<Waiter> {
        let (mut taken, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(fits);
        self.waiting = kept;
        taken.sort_by_key(|waiter| waiter.number);
        taken
    }
}
