//! The way of one session from the queue to its readiness. Asynchronous requests and batch items go the same way.
//!
//! A session is on record when it has been provisioned: its id is known from then on, and it counts as running. Its
//! addresses are given when it is ready, and as long as it runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::config::Timing;
use crate::resources::sessions;
use crate::time::Time;
use crate::world::World;

/// Why a launch fails that is to fail.
const FAILURE: &str = "the browser of the session could not be provisioned";

/// How far a launch has come. The open states are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Queued,
    Provisioning,
    Configuring,
    Ready,
    Failed,
    Cancelled,
}

/// The document's word for the state of an item or of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Pending,
    Processing,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Processing)
    }
}

impl State {
    pub(crate) fn is_open(self) -> bool {
        self < Self::Ready
    }

    pub(crate) fn status(self) -> Status {
        match self {
            Self::Queued => Status::Pending,
            Self::Provisioning | Self::Configuring => Status::Processing,
            Self::Ready => Status::Completed,
            Self::Failed => Status::Failed,
            Self::Cancelled => Status::Cancelled,
        }
    }

    /// The document's word for the phase that was reached. A launch fails while it is provisioned; alone it can be
    /// cancelled only by its session, which is there while it is configured.
    pub(crate) fn phase(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Provisioning | Self::Failed => "provisioning",
            Self::Configuring | Self::Cancelled => "configuring",
            Self::Ready => "ready",
        }
    }
}

/// One session on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) state: State,
    /// When it leaves the queue.
    begins: Time,
    /// When it is provisioned, or fails.
    registers: Time,
    /// When it is ready; known when it is provisioned.
    finishes: Time,
    /// It has its session, whose browser is not ready: when it will be, is not known.
    #[serde(skip)]
    waits: bool,
    fails: bool,
    /// Attempts that are left, with the present one.
    attempts: u32,
    retries: u32,
    started: Option<Time>,
    ended: Option<Time>,
    session: Option<String>,
    error: Option<String>,
}

impl Launch {
    /// A launch that leaves the queue at `begins`.
    pub(crate) fn new(begins: Time, timing: &Timing, fails: bool) -> Self {
        let registers = begins.after(timing.provisioning);
        Self {
            state: State::Queued,
            begins,
            registers,
            finishes: registers,
            waits: false,
            fails,
            attempts: 1,
            retries: 0,
            started: None,
            ended: None,
            session: None,
            error: None,
        }
    }

    /// Begins anew after a failure or a cancellation, with so many attempts.
    pub(crate) fn retry(&mut self, begins: Time, timing: &Timing, fails: bool, attempts: u32) {
        let retries = self.retries.saturating_add(1);
        *self = Self {
            attempts,
            retries,
            ..Self::new(begins, timing, fails)
        };
    }

    pub(crate) fn fails(&self) -> bool {
        self.fails
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(crate) fn due(&self) -> Option<Time> {
        match self.state {
            State::Queued => Some(self.begins),
            State::Provisioning => Some(self.registers),
            State::Configuring => Some(self.finishes).filter(|_| !self.waits),
            State::Ready | State::Failed | State::Cancelled => None,
        }
    }

    /// Does what is due; `start` starts the session.
    pub(crate) fn step(
        &mut self,
        world: &mut World,
        start: impl FnOnce(&mut World) -> Result<String, Refusal>,
    ) {
        let now = world.now;
        match self.state {
            State::Queued => {
                self.state = State::Provisioning;
                self.started = Some(now);
            }
            State::Provisioning if self.fails && self.attempts > 1 => self.attempt_again(),
            State::Provisioning if self.fails => self.fail(now, FAILURE.to_owned()),
            State::Provisioning => match start(world) {
                Ok(session) => {
                    // The session may be ready later, as its identities log in.
                    let found = world.tables.sessions.get(&session);
                    let opens = found.and_then(|session| session.opens);
                    self.waits = found.is_some_and(|session| session.launching);
                    self.finishes = opens.unwrap_or(now);
                    self.session = Some(session);
                    self.state = State::Configuring;
                }
                Err(refusal) => self.fail(now, refusal.message),
            },
            State::Configuring => {
                let ended = self.ended_early(world);
                self.state = if ended.is_some() {
                    State::Cancelled
                } else {
                    State::Ready
                };
                self.ended = ended.or(Some(now));
            }
            State::Ready | State::Failed | State::Cancelled => {}
        }
    }

    /// The browser of its session is ready, and the session when this says; or it did not start, and why.
    pub(crate) fn launched(&mut self, now: Time, outcome: Result<Time, &str>) {
        self.waits = false;
        match outcome {
            Ok(opens) => self.finishes = opens,
            Err(why) => self.fail(now, why.to_owned()),
        }
    }

    fn fail(&mut self, now: Time, error: String) {
        self.state = State::Failed;
        self.ended = Some(now);
        self.error = Some(error);
    }

    /// The next attempt takes as long as the one that failed.
    fn attempt_again(&mut self) {
        let length = self.registers.since(self.begins);
        self.begins = self.registers;
        self.registers = self.registers.after(length);
        self.attempts -= 1;
        self.retries = self.retries.saturating_add(1);
    }

    /// It is not to become ready any more.
    pub(crate) fn cancel(&mut self, now: Time) {
        if self.state.is_open() {
            self.state = State::Cancelled;
            self.ended = Some(now);
        }
    }

    /// When the session was ended, if that was before it was ready.
    pub(crate) fn ended_early(&self, world: &World) -> Option<Time> {
        let session = match self.state {
            State::Configuring => world.tables.sessions.get(self.session()?),
            _ => return None,
        };
        session.map_or(Some(world.now), |session| session.ended)
    }

    /// The item of the document. `key` is the caller's; the address for CDP has it.
    pub(crate) fn item(
        &self,
        world: &World,
        key: &str,
        index: usize,
        metadata: &Map<String, Value>,
    ) -> Value {
        let mut item = json!({
            "item_index": index,
            "status": self.state.status().text(),
            "retry_count": self.retries,
            "metadata": metadata,
        });
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                item[name] = Value::String(value);
            }
        };
        put("session_id", self.session.clone());
        put("error", self.error.clone());
        put("started_at", self.started.map(Time::text));
        put("completed_at", self.ended.map(Time::text));
        if let Some(session) = self
            .session()
            .filter(|session| self.is_connectable(world, session))
        {
            let (cdp_url, live_view_url) = sessions::addresses(world, session, key);
            put("cdp_url", Some(cdp_url));
            put("live_view_url", Some(live_view_url));
        }
        item
    }

    /// Whether its session was ready, and has ended since.
    pub(crate) fn is_past(&self, world: &World) -> bool {
        let session = self.session().and_then(|id| world.tables.sessions.get(id));
        self.state == State::Ready && !session.is_some_and(sessions::Session::is_running)
    }

    fn is_connectable(&self, world: &World, session: &str) -> bool {
        let session = world.tables.sessions.get(session);
        self.state == State::Ready && session.is_some_and(sessions::Session::is_running)
    }
}

/// Whether the next launch is to fail, by the share of failures that is set.
pub(crate) fn draw_failure(world: &mut World) -> bool {
    let rate = world.config.failures.session_rate;
    rate > 0.0 && world.ids.fraction() < rate
}
