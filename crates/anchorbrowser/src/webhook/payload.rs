//! The data of events. No schema of it is published: each field is optional, and a member that has
//! no field, or is not what its field takes, stays in `extra`.

use std::fmt;
use std::ops::Deref;

use anchorbrowser_api::wire::Secret;
use serde_json::{Map, Value};

use super::EventType;
use crate::{
    ApplicationId, BatchId, IdentityId, InterventionId, RecordingId, RequestId, RunId, SessionId,
    TaskId, WorkflowId,
};

/// JSON of any form. Its `Debug` shows no values, which may be private.
#[derive(Clone, PartialEq)]
pub struct Json(pub Value);

impl Deref for Json {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

/// Shows the names of members.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Object(members) => f.debug_set().entries(members.keys()).finish(),
            _ => f.write_str(".."),
        }
    }
}

/// The data of an event, by its type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventPayload {
    /// `task.completed`
    TaskCompleted(TaskData),
    /// `task.failed`; see [`TaskData::error`].
    TaskFailed(TaskData),
    /// `task.cancelled`
    TaskCancelled(TaskData),
    /// `task.healed`: a failed task was mended in a new version of it; see
    /// [`TaskData::healed_task_version_id`].
    TaskHealed(TaskData),
    /// `session.ready`
    SessionReady(SessionData),
    /// `session.completed`
    SessionCompleted(SessionData),
    /// `session.failed`
    SessionFailed(SessionData),
    /// `session.recording.ready`
    SessionRecordingReady(RecordingData),
    /// `batch.completed`
    BatchCompleted(BatchData),
    /// `batch.failed`
    BatchFailed(BatchData),
    /// `intervention.requested`
    InterventionRequested(InterventionData),
    /// `intervention.resolved`
    InterventionResolved(InterventionData),
    /// `identity.authenticated`
    IdentityAuthenticated(IdentityData),
    /// `identity.authentication_failed`
    IdentityAuthenticationFailed(IdentityData),
    /// `data` of a type that this crate does not know, or that is not an object.
    Unknown(Json),
}

/// What the events of a task say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskData {
    /// The task that ran.
    pub task_id: Option<TaskId>,
    /// The run, if it was one of `perform_web_task`.
    pub workflow_id: Option<WorkflowId>,
    /// The run, if it was one of a stored task.
    pub run_id: Option<RunId>,
    /// The session it ran in.
    pub session_id: Option<SessionId>,
    /// How it ended.
    pub status: Option<String>,
    /// Why it failed.
    pub error: Option<EventError>,
    /// The version that mends a failed task.
    pub healed_task_version_id: Option<String>,
    /// The files that the task and its sessions made. Empty if none were captured.
    pub artifacts: Vec<Artifact>,
    /// A link to the recording of the session. It works for a short time, for everyone who has it,
    /// and is often missing: a recording may be ready only after the task has ended.
    pub recording_url: Option<Secret>,
    /// The session in the dashboard.
    pub session_dashboard_url: Option<String>,
    /// All other members of `data`.
    pub extra: Json,
}

/// A file that a task or its session made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Artifact {
    /// The name of the file.
    pub name: Option<String>,
    /// Where it can be had, for everyone who has the link.
    pub url: Option<Secret>,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
    /// Its media type, if known.
    pub content_type: Option<String>,
}

/// What the events of a session say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionData {
    /// The session.
    pub session_id: Option<SessionId>,
    /// The request of an asynchronous start that led to it, or failed.
    pub request_id: Option<RequestId>,
    /// The batch it belongs to.
    pub batch_id: Option<BatchId>,
    /// The state it is in.
    pub status: Option<String>,
    /// Why it failed.
    pub error: Option<EventError>,
    /// All other members of `data`.
    pub extra: Json,
}

/// What the event of a recording says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordingData {
    /// The recording.
    pub recording_id: Option<RecordingId>,
    /// The session that was recorded.
    pub session_id: Option<SessionId>,
    /// All other members of `data`.
    pub extra: Json,
}

/// What the events of a batch say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchData {
    /// The batch.
    pub batch_id: Option<BatchId>,
    /// The state it is in.
    pub status: Option<String>,
    /// The sessions that were asked for.
    pub total_requests: Option<u64>,
    /// Those that were created.
    pub completed_requests: Option<u64>,
    /// Those that were not.
    pub failed_requests: Option<u64>,
    /// All other members of `data`.
    pub extra: Json,
}

/// What the events of an agent's question to a person say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InterventionData {
    /// The question.
    pub request_id: Option<InterventionId>,
    /// The session it is asked in.
    pub session_id: Option<SessionId>,
    /// The run that asks.
    pub run_id: Option<RunId>,
    /// What is asked.
    pub message: Option<String>,
    /// All other members of `data`.
    pub extra: Json,
}

/// What the events of an identity say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IdentityData {
    /// The identity.
    pub identity_id: Option<IdentityId>,
    /// The application it belongs to.
    pub application_id: Option<ApplicationId>,
    /// The state it is in.
    pub status: Option<String>,
    /// Why it could not log in.
    pub error: Option<EventError>,
    /// All other members of `data`.
    pub extra: Json,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventError {
    /// The kind of failure.
    pub error_type: Option<ErrorType>,
    /// What happened, for people.
    pub message: Option<String>,
}

/// The kinds of failure that events name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorType {
    /// `automation_failure`
    AutomationFailure,
    /// `invalid_credentials`
    InvalidCredentials,
    /// `timeout`
    Timeout,
    /// `agent_error`
    AgentError,
    /// `system_error`
    SystemError,
    /// Another one, as it was sent.
    Unknown(String),
}

impl From<String> for ErrorType {
    fn from(text: String) -> Self {
        match text.as_str() {
            "automation_failure" => Self::AutomationFailure,
            "invalid_credentials" => Self::InvalidCredentials,
            "timeout" => Self::Timeout,
            "agent_error" => Self::AgentError,
            "system_error" => Self::SystemError,
            _ => Self::Unknown(text),
        }
    }
}

impl EventPayload {
    /// Reads `data`. What cannot be read is kept as it is.
    pub(super) fn read(event_type: &EventType, data: Value) -> Self {
        let Value::Object(members) = data else {
            return Self::Unknown(Json(data));
        };
        match event_type {
            EventType::TaskCompleted => Self::TaskCompleted(TaskData::read(members)),
            EventType::TaskFailed => Self::TaskFailed(TaskData::read(members)),
            EventType::TaskCancelled => Self::TaskCancelled(TaskData::read(members)),
            EventType::TaskHealed => Self::TaskHealed(TaskData::read(members)),
            EventType::SessionReady => Self::SessionReady(SessionData::read(members)),
            EventType::SessionCompleted => Self::SessionCompleted(SessionData::read(members)),
            EventType::SessionFailed => Self::SessionFailed(SessionData::read(members)),
            EventType::SessionRecordingReady => {
                Self::SessionRecordingReady(RecordingData::read(members))
            }
            EventType::BatchCompleted => Self::BatchCompleted(BatchData::read(members)),
            EventType::BatchFailed => Self::BatchFailed(BatchData::read(members)),
            EventType::InterventionRequested => {
                Self::InterventionRequested(InterventionData::read(members))
            }
            EventType::InterventionResolved => {
                Self::InterventionResolved(InterventionData::read(members))
            }
            EventType::IdentityAuthenticated => {
                Self::IdentityAuthenticated(IdentityData::read(members))
            }
            EventType::IdentityAuthenticationFailed => {
                Self::IdentityAuthenticationFailed(IdentityData::read(members))
            }
            _ => Self::Unknown(Json(Value::Object(members))),
        }
    }
}

impl TaskData {
    fn read(mut data: Map<String, Value>) -> Self {
        Self {
            task_id: id(&mut data, "task_id"),
            workflow_id: id(&mut data, "workflow_id"),
            run_id: id(&mut data, "run_id"),
            session_id: id(&mut data, "session_id"),
            status: text(&mut data, "status"),
            error: take(&mut data, "error", EventError::read),
            healed_task_version_id: text(&mut data, "healed_task_version_id"),
            artifacts: take(&mut data, "artifacts", Artifact::read_all).unwrap_or_default(),
            recording_url: text(&mut data, "recording_url").map(Secret::from),
            session_dashboard_url: text(&mut data, "session_dashboard_url"),
            extra: Json(Value::Object(data)),
        }
    }
}

impl Artifact {
    /// All or none, so that none is lost.
    fn read_all(list: &Value) -> Option<Vec<Self>> {
        list.as_array()?.iter().map(Self::read).collect()
    }

    fn read(artifact: &Value) -> Option<Self> {
        let mut data = artifact.as_object()?.clone();
        Some(Self {
            name: text(&mut data, "name"),
            url: text(&mut data, "url").map(Secret::from),
            size: number(&mut data, "size"),
            content_type: text(&mut data, "content_type"),
        })
    }
}

impl SessionData {
    fn read(mut data: Map<String, Value>) -> Self {
        Self {
            session_id: id(&mut data, "session_id"),
            request_id: id(&mut data, "request_id"),
            batch_id: id(&mut data, "batch_id"),
            status: text(&mut data, "status"),
            error: take(&mut data, "error", EventError::read),
            extra: Json(Value::Object(data)),
        }
    }
}

impl RecordingData {
    fn read(mut data: Map<String, Value>) -> Self {
        Self {
            recording_id: id(&mut data, "recording_id"),
            session_id: id(&mut data, "session_id"),
            extra: Json(Value::Object(data)),
        }
    }
}

impl BatchData {
    fn read(mut data: Map<String, Value>) -> Self {
        Self {
            batch_id: id(&mut data, "batch_id"),
            status: text(&mut data, "status"),
            total_requests: number(&mut data, "total_requests"),
            completed_requests: number(&mut data, "completed_requests"),
            failed_requests: number(&mut data, "failed_requests"),
            extra: Json(Value::Object(data)),
        }
    }
}

impl InterventionData {
    fn read(mut data: Map<String, Value>) -> Self {
        Self {
            request_id: id(&mut data, "request_id"),
            session_id: id(&mut data, "session_id"),
            run_id: id(&mut data, "run_id"),
            message: text(&mut data, "message"),
            extra: Json(Value::Object(data)),
        }
    }
}

impl IdentityData {
    fn read(mut data: Map<String, Value>) -> Self {
        Self {
            identity_id: id(&mut data, "identity_id"),
            application_id: id(&mut data, "application_id"),
            status: text(&mut data, "status"),
            error: take(&mut data, "error", EventError::read),
            extra: Json(Value::Object(data)),
        }
    }
}

impl EventError {
    /// An object with `type` and `message`, or the message alone.
    fn read(error: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match error {
            Value::String(message) => Some(Self {
                error_type: None,
                message: Some(message.clone()),
            }),
            Value::Object(members) => Some(Self {
                error_type: members.get("type").and_then(text).map(ErrorType::from),
                message: members.get("message").and_then(text),
            }),
            _ => None,
        }
    }
}

/// Takes a member out, if it can be read.
fn take<T>(
    data: &mut Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<T> {
    let found = read(data.get(name)?)?;
    data.remove(name);
    Some(found)
}

fn id<T: From<String>>(data: &mut Map<String, Value>, name: &str) -> Option<T> {
    text(data, name).map(T::from)
}

fn text(data: &mut Map<String, Value>, name: &str) -> Option<String> {
    take(data, name, |value| value.as_str().map(str::to_owned))
}

/// A count: a whole number, also if it is written as `40.0`.
fn number(data: &mut Map<String, Value>, name: &str) -> Option<u64> {
    take(data, name, |value| {
        let whole = |number: &f64| number.fract() == 0.0 && (0.0..=2f64.powi(53)).contains(number);
        let number = value.as_f64().filter(whole);
        value.as_u64().or(number.map(|number| number as u64))
    })
}
