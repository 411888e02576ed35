//! Tasks: generated from a description, and run.

mod generate;
mod run;

pub use anchorbrowser_api::types::{
    TaskGenerationStatusV2ResponseStatus as GenerationStatus, TaskParameterV2Type as ParameterKind,
    TaskRunStatusV2ResponseStatus as RunStatus,
};
pub use generate::{GenerateTask, Generation, Parameter};
pub use run::{RunTask, TaskRun};

use crate::call::Call;
use crate::poll::Poller;
use crate::{Client, RunId, TaskId};

/// Tasks, generated from a description and run; see [`Client::tasks`].
///
/// ```no_run
/// use anchorbrowser::tasks::{Parameter, ParameterKind};
///
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let generation = client
///     .tasks()
///     .generate("find-price", "Find the price of a product.")
///     .input(Parameter::new("product", ParameterKind::String))
///     .output(Parameter::new("price", ParameterKind::Number))
///     .send()
///     .await?;
/// let task = client.tasks().wait_for_generation(&generation.id).await?.id;
/// let run = client.tasks().run(&task).input("product", "hat").send().await?;
/// let run = client.tasks().wait_for_run(&run.id).await?;
/// println!("{:?}", run.result.get("price"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tasks<'a> {
    client: &'a Client,
}

impl<'a> Tasks<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Generates a task of this name from a description of it in words.
    pub fn generate(&self, name: impl Into<String>, prompt: impl Into<String>) -> GenerateTask {
        GenerateTask::new(self.client, name.into(), prompt.into())
    }

    /// How far the generation of a task is.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such task, and what any call may
    /// fail with.
    ///
    /// Calls `get_task_generation_status`.
    pub fn generation_status(&self, task: impl Into<TaskId>) -> Call<Generation> {
        let task = task.into();
        Call::new(self.client, move |api| generate::fetch(api, task))
    }

    /// Waits until a task is generated: await it for the state of the generation. Then the task can
    /// be [`run`](Self::run).
    ///
    /// It is in progress while it is generated or waits for a session, and in a state that this
    /// version of the SDK does not know.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the generation failed, with the reason as
    /// [`message`](crate::Error::message); [`is_not_found`](crate::Error::is_not_found) if there is no
    /// such task; [`is_deadline`](crate::Error::is_deadline) after 30 minutes, unless set otherwise.
    ///
    /// Calls `get_task_generation_status` for each poll.
    pub fn wait_for_generation(&self, task: impl Into<TaskId>) -> Poller<Generation, Generation> {
        Poller::new(self.client, generate::wait(task.into()))
    }

    /// Runs a task.
    pub fn run(&self, task: impl Into<TaskId>) -> RunTask {
        RunTask::new(self.client, task.into())
    }

    /// The state of a run. That a run has failed is no error, but
    /// [`RunStatus::Failure`].
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such run, and what any call may
    /// fail with.
    ///
    /// Calls `get_task_run_status`.
    pub fn run_status(&self, run: impl Into<RunId>) -> Call<TaskRun> {
        let run = run.into();
        Call::new(self.client, move |api| run::fetch(api, run))
    }

    /// Waits until a run has succeeded: await it for the run with its result.
    ///
    /// It is in progress while it is queued or running, and in a state that this version of the SDK
    /// does not know.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the run ended as failure, timeout or
    /// cancelled ([`Waited::state`](crate::poll::Waited::state)), with the reason as
    /// [`message`](crate::Error::message); [`is_not_found`](crate::Error::is_not_found) if there is no
    /// such run; [`is_deadline`](crate::Error::is_deadline) after 60 minutes, unless set otherwise.
    ///
    /// Calls `get_task_run_status` for each poll.
    pub fn wait_for_run(&self, run: impl Into<RunId>) -> Poller<TaskRun, TaskRun> {
        Poller::new(self.client, run::wait(run.into()))
    }
}
