//! Runs of tasks.

use std::collections::BTreeMap;
use std::time::Duration;

use anchorbrowser_api::wire::Secret;
use anchorbrowser_api::{Client as ApiClient, ResponseValue, types};

use super::executions::{self, millis};
use super::{Execution, Version, check_name, session_config};
use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::poll::{Begun, Poller};
use crate::sessions::SessionOptions;
use crate::{Client, ExecutionId, SessionId, TaskId};

/// What the names of inputs begin with.
const PREFIX: &str = "ANCHOR_";

/// What is run.
#[derive(Clone, Debug)]
enum Target {
    Id(TaskId, Option<Version>),
    Name(String),
}

impl Target {
    fn operation(&self) -> &'static str {
        match self {
            Self::Id(..) => "run_adhoc_task",
            Self::Name(_) => "run_task_by_name",
        }
    }
}

/// The run of a task; see [`TasksLegacy::run`](super::TasksLegacy::run),
/// [`run_version`](super::TasksLegacy::run_version) and
/// [`run_by_name`](super::TasksLegacy::run_by_name).
///
/// [`send`](Self::send) waits for its end, [`start`](Self::start) does not. Neither is repeated: a
/// second request would run the task again.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `start`"]
pub struct RunTask {
    client: Client,
    target: Target,
    body: types::RunTaskByNameRequest,
    session_options: Option<SessionOptions>,
}

impl RunTask {
    pub(super) fn by_id(client: &Client, id: TaskId, version: Option<Version>) -> Self {
        Self::new(client, Target::Id(id, version))
    }

    pub(super) fn by_name(client: &Client, name: String) -> Self {
        Self::new(client, Target::Name(name))
    }

    fn new(client: &Client, target: Target) -> Self {
        Self {
            client: client.clone(),
            target,
            body: Default::default(),
            session_options: None,
        }
    }

    /// Adds an environment variable of the run. Its name must begin with `ANCHOR_`. Its value is
    /// not printed.
    pub fn input(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        let inputs: &mut BTreeMap<_, _> = self.body.inputs.get_or_insert_default();
        inputs.insert(name.into(), value.into());
        self
    }

    /// Adds environment variables of the run; see [`input`](Self::input).
    pub fn inputs(
        self,
        inputs: impl IntoIterator<Item = (impl Into<String>, impl Into<Secret>)>,
    ) -> Self {
        let add = |run: Self, (name, value)| run.input(name, value);
        inputs.into_iter().fold(self, add)
    }

    /// The session to run in; by default a new one.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.body.session_id = Some(id.into().into_string());
        self
    }

    /// How the session is to be, in place of what the task says. The API takes no settings of the
    /// browser here: options that have some are refused.
    pub fn session_options(mut self, options: SessionOptions) -> Self {
        self.session_options = Some(options);
        self
    }

    /// Whether the run's sessions are cleaned up at its end; default yes.
    pub fn cleanup_sessions(mut self, on: bool) -> Self {
        self.body.cleanup_sessions = Some(on);
        self
    }

    /// Runs the task and gives its result, however long that takes: there is no time limit but
    /// [`operation_timeout`](crate::ClientBuilder::operation_timeout).
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) with the reason if the run fails;
    /// [`is_not_found`](Error::is_not_found) if there is no such task or session;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if an argument is refused before it is sent.
    ///
    /// Calls `run_adhoc_task` or `run_task_by_name`.
    pub fn send(self) -> Call<TaskRun> {
        self.call(false, |answer| {
            answer.open("data.taskId", |data| {
                Some(TaskRun {
                    task_id: data.task_id.take()?.into(),
                    output: data.output.take(),
                    message: data.message.take(),
                    duration: data.execution_time.and_then(millis),
                })
            })
        })
    }

    /// Starts the run and gives its id, by which
    /// [`execution`](super::TasksLegacy::execution) tells how far it is; [`StartedRun::wait`] waits
    /// for its end.
    ///
    /// # Errors
    /// As [`send`](Self::send), but the failure of a run that has started is not known yet.
    ///
    /// Calls `run_adhoc_task` or `run_task_by_name`.
    pub fn start(self) -> Call<StartedRun> {
        let client = self.client.clone();
        let started = self.call(true, |answer| {
            let answer = answer.open("data.taskId", |data| {
                Some((TaskId::from(data.task_id.take()?), std::mem::take(data)))
            })?;
            answer.open("data.executionResultId", |(task_id, data)| {
                let id = data.execution_result_id.take()?;
                Some((task_id.clone(), ExecutionId::from(id)))
            })
        });
        started.and_then(move |(task_id, execution_id)| {
            Ok(StartedRun {
                task_id,
                execution_id,
                client,
                begun: Begun::now(),
            })
        })
    }

    fn call<T: Send + 'static>(
        mut self,
        start: bool,
        open: fn(ResponseValue<types::RunTaskResponseData>) -> Result<ResponseValue<T>>,
    ) -> Call<T> {
        self.body.async_ = Some(start);
        let client = match start {
            true => self.client.starting(),
            false => self.client.clone(),
        };
        let (target, body) = match self.checked() {
            Ok(checked) => checked,
            Err(error) => return Call::refused(error),
        };
        Call::new(&client, move |api| async move {
            let answer = run(api, target, body).await?;
            let answer = answer.open("data", |answer| answer.data.take())?;
            if !answer.success.unwrap_or(answer.error.is_none()) {
                let reason = answer.error.as_deref().or(answer.message.as_deref());
                return Err(Error::failed(&answer, "the run of the task failed", reason));
            }
            open(answer)
        })
    }

    fn checked(mut self) -> Result<(Target, types::RunTaskByNameRequest)> {
        let operation = self.target.operation();
        if let Target::Name(name) = &self.target {
            check_name(operation, &self.client, name)?;
        }
        let mut names = self.body.inputs.iter().flat_map(BTreeMap::keys);
        let wrong = names.find(|name| !name.starts_with(PREFIX));
        if let Some(name) = wrong.filter(|_| self.client.checks()) {
            let message = format!("the name of an input must begin with `{PREFIX}`: `{name}`");
            return Err(Error::invalid(operation, message));
        }
        self.body.override_browser_configuration =
            session_config(operation, &self.client, self.session_options)?;
        Ok((self.target, self.body))
    }
}

async fn run(
    api: ApiClient,
    target: Target,
    body: types::RunTaskByNameRequest,
) -> Result<ResponseValue<types::RunTaskResponse>> {
    let answer = match target {
        Target::Name(name) => {
            let call = api.run_task_by_name().task_name(name);
            call.body(body).send().await?
        }
        Target::Id(id, version) => {
            let body = types::RunTaskRequest {
                async_: body.async_,
                cleanup_sessions: body.cleanup_sessions,
                inputs: body.inputs,
                override_browser_configuration: body.override_browser_configuration,
                session_id: body.session_id,
                task_id: id.into_string(),
                version: version.map(Into::into),
            };
            api.run_adhoc_task().body(body).send().await?
        }
    };
    Ok(answer)
}

/// The result of a run that succeeded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskRun {
    /// The task.
    pub task_id: TaskId,
    /// What the task gave.
    pub output: Option<String>,
    /// A text of the service about the run.
    pub message: Option<String>,
    /// How long the run took.
    pub duration: Option<Duration>,
}

/// A run that has started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartedRun {
    /// The task.
    pub task_id: TaskId,
    /// The run.
    pub execution_id: ExecutionId,
    client: Client,
    begun: Begun,
}

impl StartedRun {
    /// Waits until the run has succeeded; see
    /// [`wait_for_execution`](super::TasksLegacy::wait_for_execution).
    ///
    /// Calls `get_task_execution` for each poll.
    pub fn wait(&self) -> Poller<Execution, Execution> {
        let wait = executions::wait(self.task_id.clone(), self.execution_id.clone());
        Poller::new(&self.client, wait.begun(Some(self.begun)))
    }
}
