use anchorbrowser_api::{ResponseValue, types};
use serde_json::{Map, Value};

use super::RunStatus;
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::poll::{Awaited, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::{Client, IdentityId, RunId, Secret, SessionId, TaskId};

/// A run of a task to be; see [`Tasks::run`](super::Tasks::run).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct RunTask {
    client: Client,
    task: TaskId,
    body: types::RunTaskV2Request,
}

/// The state of a run of a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskRun {
    /// Identifies the run.
    pub id: RunId,
    /// How far it is, or how it ended.
    pub status: RunStatus,
    /// What the task gave, by the names of its outputs; empty until then.
    pub result: Map<String, Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// The session that it works in.
    pub session_id: Option<SessionId>,
}

impl RunTask {
    pub(super) fn new(client: &Client, task: TaskId) -> Self {
        Self {
            client: client.clone(),
            task,
            body: types::RunTaskV2Request::new(Default::default()),
        }
    }

    /// Adds an input. It may be a password, so `Debug` does not show the value.
    pub fn input(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.body.input_params.insert(name.into(), value.into());
        self
    }

    /// Logs in as this identity.
    pub fn identity(mut self, id: impl Into<IdentityId>) -> Self {
        self.body.identity_id = Some(id.into().into_string());
        self
    }

    /// Whether the identity is used without a check that it is logged in; default yes.
    pub fn identity_skip_validation(mut self, on: bool) -> Self {
        self.body.identity_skip_validation = Some(on);
        self
    }

    /// Runs in this session; by default in one of its own.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.body.session_id = Some(id.into().into_string());
        self
    }

    /// Whether the sessions of the run are cleaned up when it ends; default yes.
    pub fn cleanup_sessions(mut self, on: bool) -> Self {
        self.body.cleanup_sessions = Some(on);
        self
    }

    /// Whether the answer comes when the run has ended, however long that takes; default no.
    pub fn sync(mut self, on: bool) -> Self {
        self.body.sync = Some(on);
        self
    }

    /// Starts the run, or with [`sync`](Self::sync) runs the task to its end: then no attempt has a
    /// time limit. The request is sent once, because a second one would run the task again.
    ///
    /// That a run has failed is no error, but [`RunStatus::Failure`]. For the end of one that is
    /// started: [`Tasks::wait_for_run`](super::Tasks::wait_for_run).
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such task, and what any call may
    /// fail with.
    ///
    /// Calls `run_task`.
    pub fn send(self) -> Call<TaskRun> {
        let client = match self.body.sync {
            Some(true) => self.client,
            _ => self.client.starting(),
        };
        Call::new(&client, move |api| async move {
            let call = api.run_task().task_id(self.task).body(self.body);
            TaskRun::read(call.send().await?)
        })
    }
}

impl TaskRun {
    fn read(answer: ResponseValue<types::TaskRunStatusV2Response>) -> Result<ResponseValue<Self>> {
        let answer = answer.open("run_id", |answer| {
            let id = answer.run_id.take()?;
            Some((id, std::mem::take(answer)))
        })?;
        answer.open("status", |(id, answer)| {
            Some(Self {
                id: std::mem::take(id).into(),
                status: answer.status.take()?,
                result: std::mem::take(&mut answer.result),
                error: answer.error.take(),
                session_id: answer.session_id.take().map(Into::into),
            })
        })
    }

    fn place(&self) -> Place {
        Place::new(&self.status)
    }

    fn verdict(&self) -> Verdict<Self> {
        match self.status {
            RunStatus::Success => Verdict::Done(self.clone()),
            RunStatus::Failure | RunStatus::Timeout | RunStatus::Cancelled => {
                Verdict::failed(self.error.clone())
            }
            _ => Verdict::InProgress,
        }
    }
}

pub(super) async fn fetch(
    api: anchorbrowser_api::Client,
    run: RunId,
) -> Result<ResponseValue<TaskRun>> {
    TaskRun::read(api.get_task_run_status().run_id(run).send().await?)
}

pub(super) fn wait(run: RunId) -> Wait<TaskRun, TaskRun> {
    Wait::new(
        PollKind::TaskRun,
        vec![run.to_string()],
        move |api| fetch(api, run.clone()),
        TaskRun::place,
        TaskRun::verdict,
    )
}

/// A run that has succeeded.
impl Awaited for TaskRun {
    type Progress = Self;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self>> {
        let [run] = token.expect(PollKind::TaskRun)?;
        Ok(client.tasks().wait_for_run(run))
    }
}

impl sealed::Sealed for TaskRun {}
