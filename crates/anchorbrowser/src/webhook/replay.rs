use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long events are remembered: duplicates may come for a day.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// After what time a claim lapses that was neither completed nor released. Much longer than the 10 s
/// in which an answer must come, and short enough for a later attempt to get through.
const LEASE: Duration = Duration::from_secs(60);

/// The number of events that a [`MemoryReplayGuard`] remembers, unless said otherwise.
const CAPACITY: usize = 100_000;

/// Remembers which events were handled.
///
/// It is asked only about events with a right signature. The methods must not wait for long: they
/// are called from async code too. A store beyond this process is better asked by the handler, with
/// [`Event::id`](super::Event::id) and without a guard.
///
/// Where an answer cannot be had, [`Claim::New`] is the right one: an event is rather handled twice
/// than lost.
pub trait ReplayGuard: Send + Sync {
    /// Claims an event for the caller, in one step: of two calls at once, one gets [`Claim::New`].
    fn claim(&self, event_id: &str) -> Claim;

    /// Remembers the event as handled, until at least 24 hours after it was claimed.
    fn complete(&self, event_id: &str);

    /// Takes the claim back: the next one is [`Claim::New`]. Does nothing to a completed event.
    fn release(&self, event_id: &str);
}

/// What a [`ReplayGuard`] knows of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// It was not handled yet, and is the caller's to handle.
    New,
    /// It is claimed by another caller.
    InProgress,
    /// It was handled.
    Completed,
}

/// One guard for several verifiers.
impl<G: ReplayGuard + ?Sized> ReplayGuard for Arc<G> {
    fn claim(&self, event_id: &str) -> Claim {
        G::claim(self, event_id)
    }

    fn complete(&self, event_id: &str) {
        G::complete(self, event_id);
    }

    fn release(&self, event_id: &str) {
        G::release(self, event_id);
    }
}

/// Remembers events in memory, for 24 hours: not across restarts, and not for other processes.
///
/// When it is full, the oldest event is forgotten. A claim that is neither completed nor released
/// lapses after 60 s.
pub struct MemoryReplayGuard {
    capacity: usize,
    events: Mutex<Events>,
}

#[derive(Default)]
struct Events {
    by_id: HashMap<Arc<str>, Seen>,
    /// Ids by [`Seen::number`], oldest first.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
}

struct Seen {
    number: u64,
    claimed: Instant,
    completed: bool,
}

impl MemoryReplayGuard {
    /// Remembers up to 100,000 events.
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// Remembers up to this number of events, and at least one.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            events: Mutex::default(),
        }
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        // Nothing in here can panic halfway.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_at(&self, event_id: &str, now: Instant) -> Claim {
        let mut events = self.events();
        events.forget_before(now);
        match events.by_id.get(event_id) {
            Some(seen) if seen.completed => return Claim::Completed,
            Some(seen) if now.saturating_duration_since(seen.claimed) < LEASE => {
                return Claim::InProgress;
            }
            _ => events.remove(event_id),
        }
        events.add(event_id, now, false, self.capacity);
        Claim::New
    }

    fn complete_at(&self, event_id: &str, now: Instant) {
        let mut events = self.events();
        match events.by_id.get_mut(event_id) {
            Some(seen) => seen.completed = true,
            None => events.add(event_id, now, true, self.capacity),
        }
    }
}

impl Default for MemoryReplayGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayGuard for MemoryReplayGuard {
    fn claim(&self, event_id: &str) -> Claim {
        self.claim_at(event_id, Instant::now())
    }

    fn complete(&self, event_id: &str) {
        self.complete_at(event_id, Instant::now());
    }

    fn release(&self, event_id: &str) {
        let mut events = self.events();
        if events
            .by_id
            .get(event_id)
            .is_some_and(|seen| !seen.completed)
        {
            events.remove(event_id);
        }
    }
}

impl fmt::Debug for MemoryReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayGuard")
            .field("capacity", &self.capacity)
            .field("events", &self.events().by_id.len())
            .finish()
    }
}

impl Events {
    fn add(&mut self, id: &str, claimed: Instant, completed: bool, capacity: usize) {
        if self.by_id.len() >= capacity {
            self.remove_oldest();
        }
        let (id, number) = (Arc::<str>::from(id), self.next);
        self.next += 1;
        let seen = Seen {
            number,
            claimed,
            completed,
        };
        self.order.insert(number, Arc::clone(&id));
        self.by_id.insert(id, seen);
    }

    fn remove(&mut self, id: &str) {
        if let Some(seen) = self.by_id.remove(id) {
            self.order.remove(&seen.number);
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_first() {
            self.by_id.remove(&id);
        }
    }

    fn forget_before(&mut self, now: Instant) {
        let is_old = |seen: &Seen| now.saturating_duration_since(seen.claimed) >= REMEMBERED;
        while let Some((_, id)) = self.order.first_key_value()
            && self.by_id.get(id).is_none_or(is_old)
        {
            self.remove_oldest();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times after the start, for claims.
    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_claim_lapses_and_a_completed_event_is_remembered_for_a_day() {
        let (guard, start) = (MemoryReplayGuard::new(), Instant::now());
        let day = REMEMBERED.as_secs();
        for (seconds, expected) in [
            (0, Claim::New),
            (59, Claim::InProgress),
            (60, Claim::New),
            (119, Claim::InProgress),
        ] {
            assert_eq!(guard.claim_at("a", after(start, seconds)), expected);
        }
        guard.complete_at("a", after(start, 119));
        for (seconds, expected) in [
            (180, Claim::Completed),
            (60 + day - 1, Claim::Completed),
            (60 + day, Claim::New),
        ] {
            assert_eq!(guard.claim_at("a", after(start, seconds)), expected);
        }
    }

    #[test]
    fn released_events_are_new_and_completed_ones_are_not() {
        let guard = MemoryReplayGuard::new();
        assert_eq!(guard.claim("a"), Claim::New);
        assert_eq!(guard.claim("a"), Claim::InProgress);
        guard.release("a");
        assert_eq!(guard.claim("a"), Claim::New);
        guard.complete("a");
        guard.release("a");
        assert_eq!(guard.claim("a"), Claim::Completed);
        guard.complete("never claimed");
        assert_eq!(guard.claim("never claimed"), Claim::Completed);
    }

    #[test]
    fn a_full_guard_forgets_the_oldest() {
        let guard = MemoryReplayGuard::with_capacity(2);
        for id in ["a", "b", "c", "d"] {
            guard.claim(id);
            guard.complete(id);
        }
        assert_eq!(guard.events().order.len(), 2);
        assert_eq!(guard.claim("c"), Claim::Completed);
        assert_eq!(guard.claim("d"), Claim::Completed);
        assert_eq!(guard.claim("a"), Claim::New);
        assert_eq!(guard.claim("c"), Claim::New, "the oldest of c and d");
    }

    #[test]
    fn released_events_leave_nothing_behind() {
        let guard = MemoryReplayGuard::new();
        for _ in 0..10 {
            guard.claim("a");
            guard.release("a");
        }
        let events = guard.events();
        assert_eq!((events.by_id.len(), events.order.len()), (0, 0));
    }

    #[test]
    fn of_many_claims_at_once_one_is_new() {
        let guard = MemoryReplayGuard::new();
        let new = std::thread::scope(|scope| {
            let claims: Vec<_> = (0..8).map(|_| scope.spawn(|| guard.claim("a"))).collect();
            let claims = claims.into_iter().map(|claim| claim.join().unwrap());
            claims.filter(|claim| *claim == Claim::New).count()
        });
        assert_eq!(new, 1);
    }
}
