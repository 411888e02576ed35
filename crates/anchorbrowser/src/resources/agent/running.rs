//! Runs that are not waited for.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::outcome::{self, Decode, Report, TaskStatus};
use crate::call::Call;
use crate::error::Open as _;
use crate::sessions::OwnedSession;
use crate::{Client, SessionId, WorkflowId};

/// A run of an agent that was started; see [`AgentTask::start`](super::AgentTask::start).
///
/// If a session was created for it, dropping this ends the session, and the run with it; see
/// [`AgentTask::keep_session`](super::AgentTask::keep_session). Otherwise the run goes on, and
/// [`Agent::running`](super::Agent::running) finds it again by its id.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use anchorbrowser::agent::TaskStatus;
///
/// let task = client.agent().task("What is the price?").url("https://example.com").start().await?;
/// match task.status().await? {
///     TaskStatus::Completed(outcome) => println!("{}", outcome.output),
///     TaskStatus::Failed { message, .. } => println!("it failed: {message}"),
///     _ => println!("it goes on"),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends the session that was created for it, if one was"]
pub struct RunningTask<T = Value> {
    pub(super) client: Client,
    pub(super) workflow: WorkflowId,
    pub(super) session_id: Option<SessionId>,
    /// The session that was created for the run, and ends with this.
    pub(super) session: Option<OwnedSession>,
    pub(super) decode: Decode<T>,
}

impl RunningTask {
    pub(super) fn attached(client: &Client, workflow: WorkflowId) -> Self {
        Self {
            client: client.clone(),
            workflow,
            session_id: None,
            session: None,
            decode: outcome::untyped,
        }
    }

    /// Reads the result as this type, which is to fit what the task asked for.
    pub fn output_as<T: DeserializeOwned>(self) -> RunningTask<T> {
        RunningTask {
            client: self.client,
            workflow: self.workflow,
            session_id: self.session_id,
            session: self.session,
            decode: outcome::typed,
        }
    }
}

impl<T: Send + 'static> RunningTask<T> {
    /// The id of the run.
    pub fn workflow_id(&self) -> &WorkflowId {
        &self.workflow
    }

    /// The session of the run, if the task named one, or one was created for it. That of another run
    /// is told by [`status`](Self::status).
    pub fn session_id(&self) -> Option<&SessionId> {
        self.session_id.as_ref()
    }

    /// The session that was created for the run, to end it or to keep it; `None` if there is none.
    pub fn into_session(self) -> Option<OwnedSession> {
        self.session
    }

    /// The state of the run. That a run has failed is no error, but
    /// [`TaskStatus::Failed`].
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the result does not fit the output type;
    /// [`Error::body`](crate::Error::body) then has it. And what any call may fail with.
    ///
    /// Calls `get_perform_web_task_status`.
    pub fn status(&self) -> Call<TaskStatus<T>> {
        let (workflow, decode) = (self.workflow.clone(), self.decode);
        let session_id = self.session_id.clone();
        Call::new(&self.client, move |api| async move {
            let call = api.get_perform_web_task_status().workflow_id(workflow);
            let answer = call.send().await?;
            let data = answer.open("data", |answer| answer.data.take())?;
            outcome::status(data.map(|data| Report::new(&data)), session_id, decode)
        })
    }
}

impl<T> fmt::Debug for RunningTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningTask")
            .field("workflow", &self.workflow)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}
