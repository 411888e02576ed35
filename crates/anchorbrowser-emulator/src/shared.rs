//! What all connections share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::answer::{Answer, Body};
use crate::config::Config;
use crate::courier::Courier;
use crate::document::Document;
use crate::exchange::Exchanges;
use crate::fault::Faults;
use crate::resources::agent_access;
use crate::server::stopped;
use crate::time::{Steady, Time};
use crate::world::{Store, StoreError, Topic, World};

/// Where time comes from.
#[derive(Debug)]
pub(crate) enum Clock {
    System(Steady),
    /// Stands still until it is advanced.
    Manual,
}

/// Why real time can't be moved.
pub(crate) const REAL: &str = "the clock is the real one and moves by itself; start the emulator with a manual clock \
    to move it";

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) document: Arc<Document>,
    pub(crate) clock: Clock,
    /// Listens on loopback only.
    pub(crate) local: bool,
    pub(crate) exchanges: Mutex<Exchanges>,
    pub(crate) faults: Mutex<Faults>,
    /// Sends the webhook deliveries that are due.
    pub(crate) courier: Courier,
    state: Mutex<State>,
    /// The next due time may be another one.
    changed: Notify,
}

struct State {
    world: World,
    store: Option<Store>,
    /// The emulator is gone, and with it the state file.
    closed: bool,
}

/// Locks; a panic elsewhere is no reason to panic here. Who needs several locks takes the state's first, then that of
/// the faults, then that of the exchanges.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        world: World,
        store: Option<Store>,
        manual: bool,
        local: bool,
        courier: Courier,
    ) -> Self {
        let clock = match manual {
            true => Clock::Manual,
            // Not behind what is stored: else nothing would become due until real time has caught up.
            false => Clock::System(Steady::new(world.now)),
        };
        Self {
            exchanges: Mutex::new(Exchanges::new(&world.config.limits)),
            local,
            config: Arc::clone(&world.config),
            document: Arc::clone(&world.document),
            clock,
            faults: Mutex::default(),
            courier,
            state: Mutex::new(State {
                world,
                store,
                closed: false,
            }),
            changed: Notify::new(),
        }
    }

    /// Does something with the state, at the present time. An error says that the state could not be stored; then
    /// nothing may be acknowledged.
    pub(crate) fn enter<R>(&self, act: impl FnOnce(&mut World) -> R) -> Result<R, StoreError> {
        let mut guard = lock(&self.state);
        let now = match &self.clock {
            Clock::System(clock) => clock.now(),
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
        if guard.closed {
            return Err(StoreError::Closed);
        }
        if let Some(store) = &mut guard.store {
            store.clear()?;
        }
        guard.world.reset();
        lock(&self.faults).clear();
        lock(&self.exchanges).clear();
        Ok(())
    }

    /// Ends all waits and lets go of the state file. Requests still under way are refused from now on.
    pub(crate) fn close(&self) {
        let mut guard = lock(&self.state);
        guard.closed = true;
        guard.store = None;
        guard.world.end_waits();
        guard.world.browsers.stop();
    }

    /// Ends all browsers, and waits until they are gone.
    pub(crate) async fn end_browsers(&self) {
        let stopped = lock(&self.state).world.browsers.stop();
        stopped.gone().await;
    }

    fn act<R>(
        &self,
        state: &mut State,
        now: Time,
        act: impl FnOnce(&mut World) -> R,
    ) -> Result<R, StoreError> {
        let State {
            world,
            store,
            closed,
        } = state;
        if *closed {
            return Err(StoreError::Closed);
        }
        world.settle(now);
        let result = act(world);
        // What was made due at once is seen by the next request, whoever makes it.
        let now = world.now;
        world.settle(now);
        let stored = world.finish(store.as_mut());
        // What is not stored is not told to anyone: it goes out with the next state that is.
        if stored.is_ok() {
            for delivery in std::mem::take(&mut world.outbox) {
                self.courier.send(delivery);
            }
        }
        self.changed.notify_one();
        stored.map(|()| result)
    }

    /// The present time.
    pub(crate) fn now(&self) -> Time {
        match &self.clock {
            Clock::System(clock) => clock.now(),
            Clock::Manual => lock(&self.state).world.now,
        }
    }

    /// Waits on the emulator's clock. `false`: it was reset or is shutting down before the time came.
    pub(crate) async fn sleep(&self, duration: Duration, waits: impl FnOnce()) -> bool {
        if duration.is_zero() {
            return true;
        }
        let held = self.enter(|world| {
            let deadline = world.now.after(duration);
            world.hold(Topic::Time, Some(deadline), Ok(Answer::done()))
        });
        waits();
        match held {
            Ok(Answer {
                body: Body::Held(receiver),
                ..
            }) => receiver.await.is_ok(),
            _ => false,
        }
    }

    /// Whether a key opens the API: one of the settings, or one that agent access gave out.
    pub(crate) fn accepts(&self, key: &str) -> bool {
        self.config.keys.accept(key)
            || self
                .enter(|world| agent_access::issued(world, key))
                .unwrap_or_default()
    }

    /// Does what is due, when it is due. Only a system clock moves by itself.
    pub(crate) async fn drive(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let due = lock(&self.state).world.due();
            let wait = match (&self.clock, due) {
                (Clock::System(clock), Some(due)) => Some(due.since(clock.now())),
                _ => None,
            };
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
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
