//! One thing that is polled, whoever waits for it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anchorbrowser_api::ResponseValue;
use tokio::runtime::{self, Handle};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use super::course::Course;
use super::pace::{self, Pace};
use super::token::Begun;
use super::wait::{Ask, Judge, Weight};
use super::{Place, PollKind, PollSchedule};
use crate::error::Error;
use crate::{Client, RateLimit};

/// What is asked, and how an answer is read.
pub(super) struct Subject<P> {
    pub(super) client: Client,
    pub(super) kind: PollKind,
    pub(super) ids: Vec<String>,
    pub(super) begun: Option<Begun>,
    pub(super) schedule: Arc<dyn PollSchedule>,
    pub(super) ask: Ask<P>,
    /// How many requests a poll is made of.
    pub(super) weight: Weight,
    pub(super) place: fn(&P) -> Place,
    /// Whether there is nothing more to wait for: `Some(true)` if it ended well.
    pub(super) over: Judge<P, Option<bool>>,
}

/// What the last poll gave.
pub(super) enum Outcome<P> {
    /// There was none.
    Nothing,
    State(Arc<ResponseValue<P>>),
    /// It failed, as so many did in a row; the next one may succeed.
    Failed(Error, u32),
    /// It failed, and further ones would too.
    Final(Error),
}

impl<P> Clone for Outcome<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::State(answer) => Self::State(answer.clone()),
            Self::Failed(error, streak) => Self::Failed(error.clone(), *streak),
            Self::Final(error) => Self::Final(error.clone()),
        }
    }
}

/// The outcome of a poll and its number, from 1.
pub(super) struct Seen<P> {
    pub(super) number: u32,
    pub(super) outcome: Outcome<P>,
    /// When it was made.
    pub(super) at: Instant,
    /// When the next poll is due; `None` if it is the last.
    next: Option<Instant>,
}

/// A subject that is being polled. The polls end when it is dropped.
pub(super) struct Watch<P> {
    seen: watch::Receiver<Seen<P>>,
    demand: Arc<Demand>,
    polls: AbortHandle,
    runtime: runtime::Id,
}

impl<P> Drop for Watch<P> {
    fn drop(&mut self) {
        self.polls.abort();
    }
}

/// The task that polls has ended.
pub(super) struct Gone;

impl<P> Watch<P> {
    /// Whether somebody has seen what they waited for. Otherwise a task that ends has panicked.
    pub(super) fn is_over(&self) -> bool {
        self.seen.borrow().next.is_none()
    }

    /// The number of the poll after which one that joins is to see what polls give: the last but one.
    /// If nobody has asked for long, what the last one gave is stale, and it is the last.
    pub(super) fn joins_after(&self) -> u32 {
        let last = self.seen.borrow();
        match last.next {
            Some(next) if next <= Instant::now() => last.number,
            _ => last.number.saturating_sub(1),
        }
    }

    /// Whether the task runs on the caller's runtime. Another one may stand still, or be gone.
    pub(super) fn is_here(&self) -> bool {
        self.runtime == Handle::current().id()
    }

    /// What a poll gave that is later than this one. `last_call`: if none was made by then, one is.
    pub(super) async fn after(
        &self,
        number: u32,
        last_call: Option<Instant>,
    ) -> Result<Seen<P>, Gone> {
        let mut seen = self.seen.clone();
        loop {
            {
                let seen = seen.borrow_and_update();
                if seen.number > number {
                    return Ok(Seen {
                        number: seen.number,
                        outcome: seen.outcome.clone(),
                        at: seen.at,
                        next: seen.next,
                    });
                }
            }
            self.demand.add(number, last_call);
            if seen.changed().await.is_err() && seen.borrow().number <= number {
                return Err(Gone);
            }
        }
    }
}

/// Up to which poll somebody waits. Nothing is polled that nobody waits for.
#[derive(Default)]
struct Demand {
    state: Mutex<Wanted>,
    changed: Notify,
}

#[derive(Default)]
struct Wanted {
    /// A poll after this one.
    after: Option<u32>,
    /// By when there must be one.
    last_call: Option<Instant>,
}

impl Demand {
    fn state(&self) -> MutexGuard<'_, Wanted> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, number: u32, last_call: Option<Instant>) {
        let mut state = self.state();
        state.after = state.after.max(Some(number));
        state.last_call = state.last_call.into_iter().chain(last_call).min();
        drop(state);
        self.changed.notify_one();
    }

    /// Waits until a poll is due that somebody wants after the one of this number.
    async fn due(&self, number: u32, at: Instant) {
        loop {
            let (wanted, last_call) = {
                let state = self.state();
                (state.after >= Some(number), state.last_call)
            };
            let due = last_call.map_or(at, |last_call| last_call.min(at));
            match wanted {
                true if Instant::now() >= due => return,
                true => drop(timeout_at(due, self.changed.notified()).await),
                false => self.changed.notified().await,
            }
        }
    }

    /// The deadlines have had their poll.
    fn answered(&self) {
        self.state().last_call = None;
    }
}

/// What a client polls at present.
#[derive(Default)]
pub(super) struct Watches(Mutex<HashMap<Key, Weak<dyn Any + Send + Sync>>>);

/// Those who wait for the same by the same schedule, on the same runtime, share their polls.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: PollKind,
    ids: Vec<String>,
    state: TypeId,
    schedule: usize,
    runtime: runtime::Id,
}

impl Watches {
    fn map(&self) -> MutexGuard<'_, HashMap<Key, Weak<dyn Any + Send + Sync>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The polls of a subject, which begin if there are none.
    pub(super) fn join<P: Send + Sync + 'static>(
        self: &Arc<Self>,
        pace: &Arc<Pace>,
        subject: Subject<P>,
    ) -> Arc<Watch<P>> {
        let runtime = Handle::current().id();
        let key = Key {
            kind: subject.kind,
            ids: subject.ids.clone(),
            state: TypeId::of::<P>(),
            schedule: subject.schedule.address(),
            runtime,
        };
        let mut map = self.map();
        let known = map.get(&key).and_then(Weak::upgrade);
        let known = known.and_then(|known| known.downcast::<Watch<P>>().ok());
        if let Some(known) = known.filter(|known| known.seen.has_changed().is_ok()) {
            return known;
        }
        if map.len() == map.capacity() {
            map.retain(|_, watch| watch.strong_count() > 0);
        }
        let demand = Arc::new(Demand::default());
        let now = Instant::now();
        let nothing = Seen {
            number: 0,
            outcome: Outcome::Nothing,
            at: now,
            next: Some(now),
        };
        let (sender, seen) = watch::channel(nothing);
        let polls = Polls {
            subject,
            pace: pace.clone(),
            demand: demand.clone(),
            sender,
            watches: Arc::downgrade(self),
            key: key.clone(),
        };
        let polls = polls.run().in_current_span().with_current_subscriber();
        let watch = Arc::new(Watch {
            seen,
            demand,
            polls: tokio::spawn(polls).abort_handle(),
            runtime,
        });
        let entry: Arc<dyn Any + Send + Sync> = watch.clone();
        map.insert(key, Arc::downgrade(&entry));
        watch
    }
}

/// The task that polls.
struct Polls<P> {
    subject: Subject<P>,
    pace: Arc<Pace>,
    demand: Arc<Demand>,
    sender: watch::Sender<Seen<P>>,
    watches: Weak<Watches>,
    key: Key,
}

impl<P: Send + Sync + 'static> Polls<P> {
    async fn run(self) {
        let Subject {
            client,
            kind,
            schedule,
            place,
            ..
        } = &self.subject;
        let mut course = Course::new(*kind, self.subject.begun);
        let mut next = course.first(&**schedule);
        for number in 1.. {
            self.demand.due(number - 1, next).await;
            self.pace.turn((self.subject.weight)()).await;
            let answer = (self.subject.ask)(client.raw()).await;
            self.demand.answered();
            let outcome = match answer {
                Ok(answer) => {
                    self.heed(RateLimit::read(answer.headers()));
                    course.told(Place::of(&answer, *place));
                    Outcome::State(Arc::new(answer))
                }
                Err(error) => self.failed(&mut course, error),
            };
            let over = match &outcome {
                Outcome::State(answer) => (self.subject.over)(answer),
                Outcome::Final(_) => Some(false),
                _ => None,
            };
            if over.is_some() {
                // Who comes later is to see what has become of it since.
                self.leave();
            }
            let pause = match &outcome {
                Outcome::Failed(error, streak) => backoff(client, error, *streak),
                _ => schedule.pause(&course.state),
            };
            tracing::debug!(
                target: "anchorbrowser",
                operation = kind.operation(),
                polls = number,
                phase = course.state.phase,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "polled"
            );
            let now = Instant::now();
            next = super::after(now, pause);
            self.sender.send_replace(Seen {
                number,
                outcome,
                at: now,
                next: over.is_none().then_some(next),
            });
            if let Some(well) = over {
                if let Some(course) = course.ended().filter(|_| well) {
                    schedule.ended(&course);
                }
                return;
            }
        }
    }

    /// Nobody joins these polls any more.
    fn leave(&self) {
        if let Some(watches) = self.watches.upgrade() {
            watches.map().remove(&self.key);
        }
    }

    fn heed(&self, limit: Option<RateLimit>) {
        if let Some(limit) = limit {
            self.pace.told(&limit);
        }
    }

    fn failed(&self, course: &mut Course, error: Error) -> Outcome<P> {
        let streak = course.failed();
        if !is_passing(&error) {
            return Outcome::Final(error);
        }
        self.heed(error.rate_limit());
        if let Some(wait) = error.retry_after() {
            self.pace.hold(wait);
        }
        Outcome::Failed(error, streak)
    }
}

/// Whether what failed so may succeed later.
pub(crate) fn is_passing(error: &Error) -> bool {
    use crate::ErrorKind as Kind;
    match error.kind() {
        Kind::Connect | Kind::Timeout | Kind::Transport | Kind::Body | Kind::Decode => true,
        Kind::Status => error
            .status()
            .is_some_and(|status| status.is_server_error() || matches!(status.as_u16(), 408 | 429)),
        _ => false,
    }
}

/// The pause after so many failures in a row: that of the client's repeats, and what the server asks
/// for.
pub(crate) fn backoff(client: &Client, error: &Error, streak: u32) -> Duration {
    let retry = &client.api().policy().retry;
    let doubled = 2u32.saturating_pow(streak.saturating_sub(1));
    let pause = retry.initial_backoff.saturating_mul(doubled);
    let pause = pace::about(pause.min(retry.max_backoff));
    pause.max(error.retry_after().unwrap_or_default().min(pace::SLOWEST))
}
