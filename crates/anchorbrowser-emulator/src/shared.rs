//! What all connections share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::answer::{Outcome, Refusal};
use crate::config::Config;
use crate::document::Document;
use crate::exchange::Exchanges;
use crate::fault::Faults;
use crate::server::stopped;
use crate::time::Time;
use crate::world::{Store, StoreError, Topic, World};

/// Where time comes from.
#[derive(Debug)]
pub(crate) enum Clock {
    System,
    /// Stands still until it is advanced.
    Manual,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) document: Arc<Document>,
    pub(crate) clock: Clock,
    pub(crate) exchanges: Mutex<Exchanges>,
    pub(crate) faults: Mutex<Faults>,
    /// Sends the webhook deliveries that are due.
    pub(crate) courier: crate::courier::Courier,
    state: Mutex<State>,
    /// The next due time may be another one.
    changed: Notify,
}

struct State {
    world: World,
    store: Option<Store>,
}

/// Locks; a panic elsewhere is no reason to panic here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        world: World,
        store: Option<Store>,
        clock: Clock,
        courier: crate::courier::Courier,
    ) -> Self {
        let limits = &world.config.limits;
        Self {
            exchanges: Mutex::new(Exchanges::new(limits.exchanges, limits.exchange_body_bytes)),
            config: Arc::clone(&world.config),
            document: Arc::clone(&world.document),
            clock,
            faults: Mutex::default(),
            courier,
            state: Mutex::new(State { world, store }),
            changed: Notify::new(),
        }
    }

    /// Does something with the state, at the present time. An error says that the state could not be stored; then
    /// nothing may be acknowledged.
    pub(crate) fn enter<R>(&self, act: impl FnOnce(&mut World) -> R) -> Result<R, StoreError> {
        let mut guard = lock(&self.state);
        let now = match self.clock {
            Clock::System => Time::system(),
            Clock::Manual => guard.world.now,
        };
        self.act(&mut guard, now, act)
    }

    /// Moves a manual clock on, and does on the way what becomes due.
    pub(crate) fn advance(&self, by: Duration) -> Result<(), StoreError> {
        let mut guard = lock(&self.state);
        let now = guard.world.now.after(by);
        self.act(&mut guard, now, |_| ())
    }

    /// Forgets all state, also what is stored.
    pub(crate) fn reset(&self) -> Result<(), StoreError> {
        let mut guard = lock(&self.state);
        if let Some(store) = &mut guard.store {
            store.clear()?;
        }
        guard.world.reset();
        lock(&self.faults).clear();
        lock(&self.exchanges).clear();
        Ok(())
    }

    fn act<R>(
        &self,
        state: &mut State,
        now: Time,
        act: impl FnOnce(&mut World) -> R,
    ) -> Result<R, StoreError> {
        let State { world, store } = state;
        world.settle(now);
        let result = act(world);
        // What was made due at once is seen by the next request, whoever makes it.
        let now = world.now;
        world.settle(now);
        let stored = world.finish(store.as_mut());
        for delivery in std::mem::take(&mut world.outbox) {
            self.courier.send(delivery);
        }
        self.changed.notify_one();
        stored.map(|()| result)
    }

    /// The present time.
    pub(crate) fn now(&self) -> Time {
        match self.clock {
            Clock::System => Time::system(),
            Clock::Manual => lock(&self.state).world.now,
        }
    }

    /// Waits on the emulator's clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        let outcome: Outcome = Err(Refusal::new(503, "the wait is over"));
        let held = self.enter(|world| {
            let deadline = world.now.after(duration);
            world.hold(Topic::Time, Some(deadline), outcome)
        });
        if let Ok(crate::answer::Answer {
            body: crate::answer::Body::Held(receiver),
            ..
        }) = held
        {
            // Dropped when the emulator is reset: the wait ends then.
            let _ = receiver.await;
        }
    }

    /// Does what is due, when it is due. Only a system clock moves by itself.
    pub(crate) async fn drive(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let due = lock(&self.state).world.due();
            let wait = match (&self.clock, due) {
                (Clock::System, Some(due)) => Some(due.since(Time::system())),
                _ => None,
            };
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = self.changed.notified() => {}
                () = timer => {
                    if let Err(error) = self.enter(|_| ()) {
                        tracing::error!(%error, "what became due could not be stored");
                    }
                }
            }
        }
    }
}
