//! The state of the emulated service, behind one lock. Handlers are plain functions on it; time passes in
//! [`World::settle`], which does in order of time what became due.

mod blobs;
mod followers;
mod ids;
mod store;
mod table;
mod waiters;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::agent::AgentScript;
use crate::answer::{Answer, Outcome};
use crate::browser::Browsers;
use crate::config::Config;
use crate::document::Document;
use crate::resources::Tables;
use crate::time::Time;

pub(crate) use blobs::Blobs;
pub(crate) use followers::{Event, Feed, Followers};
pub(crate) use ids::{Ids, hex};
pub(crate) use store::{Store, StoreError};
pub(crate) use table::{Record, Table};
pub(crate) use waiters::{Topic, Waiters};

/// What is due when: time, kind, id.
pub(crate) type Timers = BTreeSet<(Time, &'static str, String)>;

/// Calls in a row with which a record may stay due at the same time. More is a record that does not move on.
const STEPS_AT_ONCE: u32 = 10_000;

/// The whole state.
pub(crate) struct World {
    /// The time of the request or of the step at hand.
    pub(crate) now: Time,
    pub(crate) config: Arc<Config>,
    pub(crate) document: Arc<Document>,
    /// Where the emulator listens, without a slash at the end.
    pub(crate) base: String,
    pub(crate) ids: Ids,
    pub(crate) tables: Tables,
    pub(crate) blobs: Blobs,
    /// What the next agent runs do; when it is empty, the default.
    pub(crate) scripts: VecDeque<AgentScript>,
    /// Webhook deliveries to be sent now, by id.
    pub(crate) outbox: Vec<String>,
    /// Sockets that follow the agents of a session. Like requests that wait, they are not stored.
    pub(crate) followers: Followers,
    /// The browsers of sessions that run.
    pub(crate) browsers: Browsers,
    waiters: Waiters,
    timers: Timers,
}

impl World {
    pub(crate) fn new(
        config: Arc<Config>,
        document: Arc<Document>,
        base: String,
        now: Time,
    ) -> Self {
        let mut tables = Tables::default();
        tables.limit(config.limits.records);
        Self {
            now,
            ids: Ids::new(config.seed),
            blobs: Blobs::new(config.limits.stored_bytes),
            config,
            document,
            base,
            tables,
            scripts: VecDeque::new(),
            outbox: Vec::new(),
            followers: Followers::default(),
            browsers: Browsers::default(),
            waiters: Waiters::default(),
            timers: Timers::new(),
        }
    }

    /// Forgets all state. Ids go on, so that old ones are not given to new things.
    pub(crate) fn reset(&mut self) {
        let (config, document) = (Arc::clone(&self.config), Arc::clone(&self.document));
        *self = Self {
            ids: self.ids,
            browsers: self.browsers.anew(),
            ..Self::new(config, document, self.base.clone(), self.now)
        };
    }

    /// Lets time pass until `now`: does what is due, in order of time.
    pub(crate) fn settle(&mut self, now: Time) {
        let mut last = None;
        let mut repeats = 0;
        loop {
            self.tables.schedule(&mut self.timers);
            let timer = self.timers.first().filter(|timer| timer.0 <= now).cloned();
            let waiter = self.waiters.due().filter(|due| *due <= now);
            match (timer, waiter) {
                (None, None) => break,
                (Some((time, kind, id)), due) if due.is_none_or(|due| time <= due) => {
                    let timer = (time, kind, id);
                    self.timers.remove(&timer);
                    repeats = if last.as_ref() == Some(&timer) {
                        repeats + 1
                    } else {
                        0
                    };
                    if repeats == STEPS_AT_ONCE {
                        tracing::error!(kind, id = timer.2, "a record stays due and is left alone");
                        continue;
                    }
                    self.now = self.now.max(time);
                    Tables::step(self, timer.1, &timer.2);
                    last = Some(timer);
                }
                (_, due) => {
                    self.now = self.now.max(due.unwrap_or(now));
                    self.waiters.expire(self.now);
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// When something is due next.
    pub(crate) fn due(&mut self) -> Option<Time> {
        self.tables.schedule(&mut self.timers);
        let timer = self.timers.first().map(|timer| timer.0);
        timer.into_iter().chain(self.waiters.due()).min()
    }

    /// An answer that is held until `topic` is released, or until `deadline`, when it becomes `otherwise`.
    pub(crate) fn hold(
        &mut self,
        topic: Topic,
        deadline: Option<Time>,
        otherwise: Outcome,
    ) -> Answer {
        Answer::held(self.waiters.add(topic, deadline, otherwise))
    }

    /// Answers all requests that wait for `topic`; says how many there were.
    pub(crate) fn release(&mut self, topic: &Topic, outcome: &Outcome) -> usize {
        self.waiters.release(topic, outcome)
    }

    /// How many requests wait for something.
    pub(crate) fn waiting(&self) -> usize {
        self.waiters.open()
    }

    /// Ends all waits, also those to come; whoever waits is told to ask again.
    pub(crate) fn end_waits(&mut self) {
        self.waiters.close();
    }

    /// Stores what changed, if there is a state file, and then tells who follows it, and answers who waited for it.
    pub(crate) fn finish(&mut self, store: Option<&mut Store>) -> Result<(), StoreError> {
        let stored = match store {
            Some(store) => store.save(self),
            None => Ok(()),
        };
        if stored.is_ok() {
            self.tables.stored();
            self.blobs.stored();
            self.followers.deliver();
        }
        for (sender, outcome) in self.waiters.released() {
            let outcome = match &stored {
                Ok(()) => outcome,
                Err(error) => Err(error.refusal()),
            };
            // The client may have gone; then nobody is told.
            let _ = sender.send(outcome);
        }
        stored
    }

    /// A value made from a schema of the document.
    pub(crate) fn sample(&mut self, schema: &Value) -> Value {
        let document = Arc::clone(&self.document);
        crate::sample::Sampler::new(document.root(), self.ids.number()).value(schema)
    }
}
