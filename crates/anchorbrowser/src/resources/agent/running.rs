//! Runs that were started.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anchorbrowser_api::ResponseValue;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::outcome::{self, Decode, Report, TaskOutcome, TaskStatus};
#[cfg(feature = "cdp")]
use crate::Session;
use crate::call::Call;
use crate::error::{Error, ErrorKind, Open as _, Result};
#[cfg(feature = "cdp")]
use crate::poll::Hold;
use crate::poll::{Awaited, Begun, PollKind, PollToken, Poller, Wait, sealed};
use crate::sessions::OwnedSession;
use crate::{Client, SessionId, WorkflowId};

/// A run of an agent that was started; see [`AgentTask::start`](super::AgentTask::start).
///
/// If a session was created for it, dropping this and its pollers ends the session, and the run with
/// it; see [`AgentTask::keep_session`](super::AgentTask::keep_session). Otherwise the run goes on, and
/// [`Agent::running`](super::Agent::running) finds it again by its id.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let task = client.agent().task("What is the price?").url("https://example.com").start().await?;
/// println!("{} has started", task.workflow_id());
/// let outcome = task.wait().await?;
/// println!("{}", outcome.output);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends the session that was created for it, if one was"]
pub struct RunningTask<T = Value> {
    client: Client,
    workflow: WorkflowId,
    session_id: Option<SessionId>,
    /// The session that was created for the run. Pollers have it too, so that it outlives this.
    session: Arc<Mutex<Option<OwnedSession>>>,
    /// The session that is to be kept alive while the run is waited for.
    #[cfg(feature = "cdp")]
    kept_alive: Option<Session>,
    decode: Decode<T>,
    /// When it was started, if that was here.
    begun: Option<Begun>,
}

impl RunningTask {
    pub(super) fn attached(client: &Client, workflow: WorkflowId) -> Self {
        Self::new(client, workflow, outcome::untyped)
    }

    /// Reads the result as this type, which is to fit what the task asked for.
    pub fn output_as<T: DeserializeOwned + 'static>(self) -> RunningTask<T> {
        RunningTask {
            client: self.client,
            workflow: self.workflow,
            session_id: self.session_id,
            session: self.session,
            #[cfg(feature = "cdp")]
            kept_alive: self.kept_alive,
            decode: outcome::typed,
            begun: self.begun,
        }
    }
}

impl<T> RunningTask<T> {
    fn new(client: &Client, workflow: WorkflowId, decode: Decode<T>) -> Self {
        Self {
            client: client.clone(),
            workflow,
            session_id: None,
            session: Arc::default(),
            #[cfg(feature = "cdp")]
            kept_alive: None,
            decode,
            begun: None,
        }
    }

    /// One that was started just now, with the session that ends with it.
    pub(super) fn started(
        client: &Client,
        workflow: WorkflowId,
        session_id: Option<SessionId>,
        session: Option<OwnedSession>,
        decode: Decode<T>,
    ) -> Self {
        Self {
            session_id,
            session: Arc::new(Mutex::new(session)),
            begun: Some(Begun::now()),
            ..Self::new(client, workflow, decode)
        }
    }

    /// Has this session kept alive while the run is waited for.
    #[cfg(feature = "cdp")]
    pub(super) fn keeping_alive(mut self, session: Option<Session>) -> Self {
        self.kept_alive = session;
        self
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
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.take()
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
        let (workflow, session_id) = (self.workflow.clone(), self.session_id.clone());
        let decode = self.decode;
        Call::new(&self.client, move |api| async move {
            let answer = fetch(api, workflow, session_id).await?;
            match TaskStatus::clone(&answer).decoded(decode) {
                Ok(status) => Ok(answer.map(|_| status)),
                Err(message) => Err(Error::of_answer(ErrorKind::Decode, &answer, message)),
            }
        })
    }

    /// Waits for the end of the run: await it for the outcome. The session that was created for the
    /// run, if one was, lasts as long as the poller, even if this is dropped. It ends with the process: a
    /// [token](Poller::token) helps only if the task said
    /// [`keep_session`](crate::agent::AgentTask::keep_session), or has a session of its own.
    ///
    /// From when it is first awaited to the end of the run, a session that the task was given is kept
    /// from its idle timeout; see
    /// [`AgentTask::keep_alive`](super::AgentTask::keep_alive).
    ///
    /// It is in progress while it is running, and in a state that this version of the SDK does not
    /// know. The progress has the result as it was sent, whatever the output type.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the run failed, with the reason as
    /// [`message`](crate::Error::message); [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the
    /// result does not fit the output type, with the result in [`body`](crate::Error::body);
    /// [`is_deadline`](crate::Error::is_deadline) after 60 minutes, unless set otherwise; what a call
    /// may fail with.
    ///
    /// Calls `get_perform_web_task_status` for each poll.
    pub fn wait(&self) -> Poller<TaskOutcome<T>, TaskStatus> {
        let (workflow, session_id) = (self.workflow.clone(), self.session_id.clone());
        let (session, decode) = (self.session.clone(), self.decode);
        let wait = Wait::new(
            PollKind::AgentRun,
            vec![workflow.to_string()],
            move |api| {
                // It ends with the last poller.
                let _ = &session;
                fetch(api, workflow.clone(), session_id.clone())
            },
            TaskStatus::place,
            move |status: &TaskStatus| status.verdict(decode),
        );
        #[cfg(feature = "cdp")]
        let wait = Wait {
            hold: self.kept_alive.clone().map(keeping_alive),
            ..wait
        };
        Poller::new(&self.client, wait.begun(self.begun))
    }
}

/// A run that has succeeded. Its type is not in the token: name the one that fits what the task asked
/// for, or [`Value`] for the result as it was sent.
impl<T: DeserializeOwned + Send + 'static> Awaited for TaskOutcome<T> {
    type Progress = TaskStatus;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, TaskStatus>> {
        let [id] = token.expect(PollKind::AgentRun)?;
        let run = RunningTask {
            begun: token.begun(),
            ..RunningTask::new(client, id.into(), outcome::typed)
        };
        Ok(run.wait())
    }
}

impl<T> sealed::Sealed for TaskOutcome<T> {}

#[cfg(feature = "cdp")]
fn keeping_alive(session: Session) -> Hold {
    let mut alive = None;
    Box::new(move || {
        let _ = alive.get_or_insert_with(|| session.keep_alive());
    })
}

async fn fetch(
    api: anchorbrowser_api::Client,
    workflow: WorkflowId,
    session_id: Option<SessionId>,
) -> Result<ResponseValue<TaskStatus>> {
    let call = api.get_perform_web_task_status().workflow_id(workflow);
    let data = call
        .send()
        .await?
        .open("data", |answer| answer.data.take())?;
    Ok(data.map(|data| TaskStatus::new(Report::new(&data), session_id)))
}

impl<T> fmt::Debug for RunningTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningTask")
            .field("workflow", &self.workflow)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}
