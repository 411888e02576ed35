//! Tasks of the first generation, with code and versions.

mod code;
mod executions;
mod list;
mod run;
mod task;
mod versions;

pub use anchorbrowser_api::types::{
    SessionConfig, TaskExecutionResultStatus as ExecutionStatus, TaskLanguage as Language,
};
pub use executions::{Execution, ListExecutions};
pub use list::ListTasks;
pub use run::{RunTask, StartedRun, TaskRun};
pub use task::{CreateTask, Task, UpdateTask};
pub use versions::{TaskVersion, Version, VersionSummary, WriteVersion};

use std::ops::RangeInclusive;

use anchorbrowser_api::types::DeleteTaskResponse;
use anchorbrowser_api::{Error as ApiError, ResponseValue};

use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::page::List;
use crate::poll::Poller;
use crate::resources::names;
use crate::sessions::SessionOptions;
use crate::{Client, ExecutionId, TaskId};

/// What a page may hold: the document has no most.
const SIZES: RangeInclusive<u64> = 1..=u32::MAX as u64;

/// Tasks of the first generation: code that runs in sessions, with a draft and numbered versions;
/// see [`Client::tasks_legacy`]. New ones are made by [`Client::tasks`].
///
/// The API carries code in Base64; here it is plain source text, in and out.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let tasks = client.tasks_legacy();
/// let code = "export default async () => process.env.ANCHOR_CITY;";
/// let task = tasks.create("weather").code(code).send().await?;
/// tasks.deploy(&task.id).send().await?;
/// let run = tasks.run(&task.id).input("ANCHOR_CITY", "Oslo").send().await?;
/// println!("{:?}", run.output);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TasksLegacy<'a> {
    client: &'a Client,
}

impl<'a> TasksLegacy<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a task, or changes the one that has this name. A name has letters, digits, `-` and
    /// `_` only, at most 255.
    pub fn create(&self, name: impl Into<String>) -> CreateTask {
        CreateTask::new(self.client, name.into())
    }

    /// A task, without its code: that is in its [`version`](Self::version)s.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is none of this id.
    ///
    /// Calls `get_task`.
    pub fn get(&self, id: impl Into<TaskId>) -> Call<Task> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_task().task_id(id).send().await?;
            answer.open("data.id", |answer| Task::of_metadata(answer.data.take()?))
        })
    }

    /// Lists the tasks of the team.
    pub fn list(&self) -> ListTasks {
        ListTasks::new(self.client)
    }

    /// Changes a task's name or description. Its code and its versions stay as they are.
    pub fn update(&self, id: impl Into<TaskId>) -> UpdateTask {
        UpdateTask::new(self.client, id.into())
    }

    /// Deletes a task with all its versions. Its name is not free again.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is none of this id;
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service says that it was not deleted.
    ///
    /// Calls `delete_task`.
    pub fn delete(&self, id: impl Into<TaskId>) -> Call<()> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            deleted(api.delete_task().task_id(id).send().await)
        })
    }

    /// Lists the versions of a task: its draft and the numbered ones.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such task.
    ///
    /// Calls `list_task_versions`.
    pub fn versions(&self, id: impl Into<TaskId>) -> List<VersionSummary> {
        let (client, id) = (self.client.clone(), id.into());
        List::new("list_task_versions", move || {
            let id = id.clone();
            Call::new(&client, |api| async move {
                let answer = api.list_task_versions().task_id(id).send().await?;
                answer.open("data.versions", |answer| {
                    let versions = answer.data.take()?.versions.into_iter();
                    Some(versions.map(VersionSummary::new).collect())
                })
            })
        })
    }

    /// A version of a task with its code: `Version::Draft`, `Version::Latest` or a number.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such task or version.
    ///
    /// Calls `get_task_version`, `get_task_draft` or `get_latest_task_version`.
    pub fn version(&self, id: impl Into<TaskId>, version: impl Into<Version>) -> Call<TaskVersion> {
        let (id, version) = (id.into(), version.into());
        Call::new(self.client, move |api| async move {
            let answer = match version {
                Version::Draft => api.get_task_draft().task_id(id).send().await?,
                Version::Latest => api.get_latest_task_version().task_id(id).send().await?,
                _ => {
                    let call = api.get_task_version().task_id(id);
                    call.task_version(version).send().await?
                }
            };
            TaskVersion::open(answer)
        })
    }

    /// Saves the draft of a task, in place of the one before.
    ///
    /// Its `send` calls `save_task_draft`.
    pub fn save_draft(&self, id: impl Into<TaskId>, code: impl AsRef<str>) -> WriteVersion {
        WriteVersion::draft(self.client, id.into()).code(code)
    }

    /// Publishes a task as a new version, with the next number. This is the usual way.
    ///
    /// Its `send` calls `deploy_task`. It is not repeated if its outcome is unknown.
    pub fn deploy(&self, id: impl Into<TaskId>) -> WriteVersion {
        WriteVersion::deploy(self.client, id.into())
    }

    /// Publishes the version of this number: a new one is created, and needs code; of one that
    /// there is the metadata is changed.
    ///
    /// Its `send` calls `publish_task_version`.
    pub fn publish(&self, id: impl Into<TaskId>, number: u32) -> WriteVersion {
        WriteVersion::publish(self.client, id.into(), number)
    }

    /// Deletes a version of a task.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such task or version;
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service says that it was not deleted.
    ///
    /// Calls `delete_task_version`.
    pub fn delete_version(&self, id: impl Into<TaskId>, version: impl Into<Version>) -> Call<()> {
        let (id, version) = (id.into(), version.into());
        Call::new(self.client, move |api| async move {
            let call = api.delete_task_version().task_id(id);
            deleted(call.task_version(version).send().await)
        })
    }

    /// Runs the latest version of a task.
    pub fn run(&self, id: impl Into<TaskId>) -> RunTask {
        RunTask::by_id(self.client, id.into(), None)
    }

    /// Runs a version of a task: `Version::Draft`, `Version::Latest` or a number.
    pub fn run_version(&self, id: impl Into<TaskId>, version: impl Into<Version>) -> RunTask {
        RunTask::by_id(self.client, id.into(), Some(version.into()))
    }

    /// Runs the latest version of the task that has this name.
    pub fn run_by_name(&self, name: impl Into<String>) -> RunTask {
        RunTask::by_name(self.client, name.into())
    }

    /// Lists the runs of a task.
    pub fn executions(&self, id: impl Into<TaskId>) -> ListExecutions {
        ListExecutions::new(self.client, id.into())
    }

    /// A run of a task, and its result. A run that failed is no error of this call.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such task or run.
    ///
    /// Calls `get_task_execution`.
    pub fn execution(
        &self,
        id: impl Into<TaskId>,
        execution: impl Into<ExecutionId>,
    ) -> Call<Execution> {
        let (id, execution) = (id.into(), execution.into());
        Call::new(self.client, move |api| {
            executions::fetch(api, id, execution)
        })
    }

    /// Waits until a run has succeeded: await it for the run and its result. Of a run that was
    /// started here [`StartedRun::wait`] does it.
    ///
    /// It is in progress while it is queued or running, and in a state that this version of the SDK
    /// does not know.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the run ended as failure, timeout or
    /// cancelled ([`Waited::state`](crate::poll::Waited::state)), with the reason as
    /// [`message`](Error::message); [`is_not_found`](Error::is_not_found) if there is no such task or
    /// run; [`is_deadline`](Error::is_deadline) after 60 minutes, unless set otherwise.
    ///
    /// Calls `get_task_execution` for each poll.
    pub fn wait_for_execution(
        &self,
        id: impl Into<TaskId>,
        execution: impl Into<ExecutionId>,
    ) -> Poller<Execution, Execution> {
        Poller::new(self.client, executions::wait(id.into(), execution.into()))
    }
}

/// The API answers a deletion with whether it succeeded.
fn deleted(
    answer: Result<ResponseValue<DeleteTaskResponse>, ApiError>,
) -> Result<ResponseValue<()>> {
    let answer = answer?;
    if let Some(data) = &answer.data
        && data.success == Some(false)
    {
        let said = data.message.as_deref();
        return Err(Error::failed(&answer, "nothing was deleted", said));
    }
    Ok(answer.map(drop))
}

/// Refuses a name that no task can have.
fn check_name(operation: &'static str, client: &Client, name: &str) -> Result<()> {
    if client.checks() {
        names::check(operation, name, 255)?;
    }
    Ok(())
}

/// The settings of the session in which a task runs. The API takes none of the browser there.
fn session_config(
    operation: &'static str,
    client: &Client,
    options: Option<SessionOptions>,
) -> Result<Option<SessionConfig>> {
    let Some(options) = options else {
        return Ok(None);
    };
    let body = options.checked(operation, client.checks())?;
    let elsewhere = [
        ("browser", body.browser.is_some()),
        ("identities", body.identities.is_some()),
        ("identity_async_auth", body.identity_async_auth.is_some()),
        (
            "identity_skip_validation",
            body.identity_skip_validation.is_some(),
        ),
        ("integrations", body.integrations.is_some()),
    ];
    match elsewhere.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            let message = format!(
                "`{name}` cannot be set for a legacy task: leave out of `session_options(..)` all \
                 but tags, proxy, time limits, recording, live view, `initial_url` and `x402`"
            );
            Err(Error::invalid(operation, message))
        }
        None => Ok(body.session),
    }
}
