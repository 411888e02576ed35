//! What a run is: of an agent, a task, a snippet or a generation.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::{AgentOutcome, AgentScript};
use crate::answer::Refusal;
use crate::call::Call;
use crate::document::RequestFault;
use crate::resources::agents::course;
use crate::resources::sessions::{self, Origin};
use crate::time::Time;
use crate::world::{Event, Record, World};

/// What a run carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A task on the web, by an agent. Its steps count in the session.
    Web,
    /// A piece of code.
    Snippet,
    /// A legacy task.
    Task,
    /// A task, by the present API.
    TaskV2,
    /// The generation of a task.
    Generation,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Queued,
    Running,
    Success,
    Failure,
    Timeout,
    Cancelled,
}

impl Status {
    /// What task runs call it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What a run is to do, and where.
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) script: AgentScript,
    pub(crate) place: Place,
    /// Steps after which it fails.
    pub(crate) max_steps: u32,
    pub(crate) may_ask: bool,
    /// Time in the queue.
    pub(crate) queued: Duration,
    /// Time of a step.
    pub(crate) pace: Duration,
}

/// Where a run takes place.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Place {
    /// In a session that is there, and goes on afterwards.
    Given(String),
    /// In a session of its own, which ends with it.
    Own(String),
    /// In a session of its own as soon as the account has room for it.
    Later {
        configuration: Value,
        origin: Origin,
    },
}

impl Place {
    pub(super) fn session(&self) -> Option<&str> {
        match self {
            Self::Given(id) | Self::Own(id) => Some(id),
            Self::Later { .. } => None,
        }
    }
}

/// A run. Neither its prompt nor its inputs are kept: they may hold secrets, and the script decides what comes of it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AgentRun {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) created: Time,
    pub(crate) started: Option<Time>,
    pub(crate) ended: Option<Time>,
    pub(crate) error: Option<String>,
    pub(super) place: Place,
    /// Its question is taken out when it is asked.
    pub(super) script: AgentScript,
    /// Steps taken.
    pub(super) steps: u32,
    pub(super) max_steps: u32,
    pub(super) pace: Duration,
    /// When it goes on, unless its clock stands.
    pub(super) next: Time,
    /// Its clock stands, this long before it goes on.
    pub(super) left: Option<Duration>,
    pub(super) paused: bool,
    /// The open question.
    pub(super) asking: Option<String>,
}

impl Record for AgentRun {
    const KIND: &'static str = "runs";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        (!self.status.is_final() && self.left.is_none()).then_some(self.next)
    }

    fn step(world: &mut World, id: &str) {
        let Some(run) = world.tables.runs.edit(id) else {
            return;
        };
        match run.status {
            Status::Queued => course::start(world, id),
            Status::Running => course::go_on(world, id),
            _ => {}
        }
    }
}

impl AgentRun {
    pub(crate) fn session(&self) -> Option<&str> {
        self.place.session()
    }

    /// The result of a run that succeeded.
    pub(crate) fn result(&self) -> Option<&Value> {
        match &self.script.outcome {
            AgentOutcome::Completed(value) if self.status == Status::Success => Some(value),
            _ => None,
        }
    }

    /// The result as an object: one that is none is put into one, as its member `result`.
    pub(crate) fn object(&self) -> Option<Value> {
        let result = self.result()?;
        Some(if result.is_object() {
            result.clone()
        } else {
            json!({ "result": result })
        })
    }

    /// The result as text: one that is none is JSON.
    pub(crate) fn output(&self) -> Option<String> {
        let result = self.result()?;
        Some(
            result
                .as_str()
                .map_or_else(|| result.to_string(), str::to_owned),
        )
    }

    /// Its steps from the `first` on, up to where it is.
    pub(super) fn taken(&self, first: u32) -> Event {
        Event::Steps {
            run: self.id.clone(),
            first,
            last: self.steps,
            total: self.limit(),
        }
    }

    /// How long it has run in all.
    pub(crate) fn duration(&self) -> Option<Duration> {
        Some(self.ended?.since(self.started?))
    }

    /// Steps with which it is over.
    pub(super) fn limit(&self) -> u32 {
        self.script.steps.min(self.max_steps)
    }

    /// Steps after which it asks its question.
    pub(super) fn asks_after(&self) -> Option<u32> {
        self.script
            .asks
            .as_ref()
            .map(|_| (self.script.steps / 2).max(1).min(self.script.steps))
    }

    /// Time until its next step; nothing if it has none to take.
    pub(super) fn wait(&self) -> Duration {
        if self.steps < self.limit() {
            self.pace
        } else {
            Duration::ZERO
        }
    }

    /// Stops its clock.
    pub(super) fn freeze(&mut self, now: Time) {
        if self.left.is_none() {
            self.left = Some(self.next.since(now));
        }
    }

    /// Has its clock go on, if nothing else holds it.
    pub(super) fn thaw(&mut self, now: Time) {
        if !self.paused
            && self.asking.is_none()
            && let Some(left) = self.left.take()
        {
            self.next = now.after(left);
        }
    }
}

/// The script for the next run; without one, success with what `usual` gives.
pub(crate) fn script(world: &mut World, usual: impl FnOnce(&mut World) -> Value) -> AgentScript {
    match world.scripts.pop_front() {
        Some(script) => script,
        None => AgentScript::completed(usual(world)),
    }
}

/// The session that a request names, running.
pub(crate) fn given(world: &mut World, call: &Call<'_>, id: &str) -> Result<Place, Refusal> {
    let found = sessions::in_use(world, call, id).map(|_| Place::Given(id.to_owned()));
    found.map_err(|refusal| match refusal.status {
        404 => Refusal {
            status: call.operation.status(RequestFault::NotFound),
            ..refusal
        },
        _ => refusal,
    })
}

/// A new session for a run.
pub(crate) fn own(
    world: &mut World,
    call: &Call<'_>,
    configuration: &Value,
) -> Result<Place, Refusal> {
    sessions::check(world, configuration)?;
    sessions::limits(world, 1)?;
    Ok(Place::Own(sessions::start(
        world,
        configuration,
        origin(call),
    )?))
}

/// The session of a run's own, which stays if the request does not want it cleaned up.
pub(crate) fn kept(place: Place, cleanup: Option<&Value>) -> Place {
    match place {
        Place::Own(id) if cleanup == Some(&Value::Bool(false)) => Place::Given(id),
        place => place,
    }
}

pub(crate) fn origin(call: &Call<'_>) -> Origin {
    Origin {
        owner: sessions::owner(call.key),
        task_initiated: true,
        ..Origin::default()
    }
}
