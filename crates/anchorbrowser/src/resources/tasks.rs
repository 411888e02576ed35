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
use crate::{Client, RunId, TaskId};

/// Tasks, generated from a description and run; see [`Client::tasks`].
///
/// ```no_run
/// use anchorbrowser::tasks::{GenerationStatus, Parameter, ParameterKind, RunStatus};
///
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let generation = client
///     .tasks()
///     .generate("find-price", "Find the price of a product.")
///     .input(Parameter::new("product", ParameterKind::String))
///     .output(Parameter::new("price", ParameterKind::Number))
///     .send()
///     .await?;
/// let id = generation.id;
/// if client.tasks().generation_status(&id).await?.status == GenerationStatus::Ready {
///     let run = client.tasks().run(&id).input("product", "hat").sync(true).send().await?;
///     assert_eq!(run.status, RunStatus::Success);
///     println!("{:?}", run.result.get("price"));
/// }
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
        Call::new(self.client, move |api| async move {
            let call = api.get_task_generation_status().task_id(task);
            Generation::polled(call.send().await?)
        })
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
        Call::new(self.client, move |api| async move {
            TaskRun::read(api.get_task_run_status().run_id(run).send().await?)
        })
    }
}
