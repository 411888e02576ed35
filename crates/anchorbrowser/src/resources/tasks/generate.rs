use std::fmt;

use anchorbrowser_api::wire::SecretJson;
use anchorbrowser_api::{Needs, ResponseValue, types};
use serde_json::{Map, Value};

use super::{GenerationStatus, ParameterKind};
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::poll::{Awaited, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::{ApplicationId, Client, IdentityId, ProjectId, SessionId, TaskId};

/// A task to be generated; see [`Tasks::generate`](super::Tasks::generate).
#[derive(Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct GenerateTask {
    client: Client,
    body: types::GenerateTaskV2Request,
}

/// How far the generation of a task is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generation {
    /// Identifies the task: to ask for the generation again, and to run the task.
    pub id: TaskId,
    /// How far it is. [`GenerationStatus::Ready`] and [`GenerationStatus::Failed`] are final.
    pub status: GenerationStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// The state of the task's project.
    pub project_state: Option<String>,
    /// The version of the task. Only [`GenerateTask::send`] tells it.
    pub task_version_id: Option<String>,
    /// The project of the task. Only [`GenerateTask::send`] tells it.
    pub project_id: Option<ProjectId>,
}

/// A value that a task takes in or gives back.
#[derive(Clone, Debug)]
#[must_use]
pub struct Parameter(types::TaskParameterV2);

impl Parameter {
    /// A parameter that is required.
    pub fn new(name: impl Into<String>, kind: ParameterKind) -> Self {
        Self(types::TaskParameterV2::new(name, kind))
    }

    /// Whether there must be a value; default yes.
    pub fn required(mut self, on: bool) -> Self {
        self.0.required = Some(on);
        self
    }

    /// What it is for.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = Some(text.into().into());
        self
    }

    /// The value that it has if none is given. `Debug` does not show it.
    pub fn default_value(mut self, value: impl Into<Value>) -> Self {
        self.0.default_value = Some(SecretJson::from(value.into()).into());
        self
    }

    /// The values that it may have.
    pub fn options(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        self.0.options = Some(values.into());
        self
    }
}

impl GenerateTask {
    pub(super) fn new(client: &Client, name: String, prompt: String) -> Self {
        Self {
            client: client.clone(),
            body: types::GenerateTaskV2Request::new(name, prompt),
        }
    }

    /// What the task is for.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// The application that the task works with.
    pub fn application(mut self, id: impl Into<ApplicationId>) -> Self {
        self.body.application_id = Some(id.into().into_string());
        self
    }

    /// The identity that the task is generated with.
    pub fn identity(mut self, id: impl Into<IdentityId>) -> Self {
        self.body.identity_id = Some(id.into().into_string());
        self
    }

    /// Adds a value that the task takes in.
    pub fn input(mut self, parameter: Parameter) -> Self {
        let list = self.body.input_schema.get_or_insert_default();
        list.push(parameter.0);
        self
    }

    /// Adds a value that the task gives back.
    pub fn output(mut self, parameter: Parameter) -> Self {
        let list = self.body.output_schema.get_or_insert_default();
        list.push(parameter.0);
        self
    }

    /// Whether the task gives back a file only; default no.
    pub fn output_file_only(mut self, on: bool) -> Self {
        self.body.output_file_only = Some(on);
        self
    }

    /// Whether the task may ask people; default no.
    pub fn human_intervention(mut self, on: bool) -> Self {
        self.body.human_intervention = Some(on);
        self
    }

    /// Generates the task in this session; by default in one of the service's.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.body.browser_session_id = Some(id.into().into_string());
        self
    }

    /// How the sessions of the task's runs are to be, as JSON: the API does not say in what form.
    /// `Debug` does not show it.
    pub fn browser_configuration(mut self, configuration: Map<String, Value>) -> Self {
        self.body.task_browser_default_configuration = Some(configuration);
        self
    }

    /// Whether the answer comes when the task is generated, however long that takes; default no.
    pub fn sync(mut self, on: bool) -> Self {
        self.body.async_ = Some(!on);
        self
    }

    /// Starts the generation, or with [`sync`](Self::sync) generates the task: then no attempt has a
    /// time limit, and the request is sent once.
    ///
    /// Calls `generate_task`.
    pub fn send(self) -> Call<Generation> {
        let sync = self.body.async_ == Some(false);
        let client = self.client.needing(Needs {
            unlimited: sync,
            never_repeat: sync,
            ..Needs::default()
        });
        Call::new(&client, move |api| async move {
            let answer = api.generate_task().body(self.body).send().await?;
            Generation::started(answer)
        })
    }
}

impl Generation {
    fn started(
        answer: ResponseValue<types::GenerateTaskV2Response>,
    ) -> Result<ResponseValue<Self>> {
        Self::read(answer.map(|answer| {
            let state = types::TaskGenerationStatusV2Response {
                id: answer.id.or(answer.task_id),
                status: answer.status.map(|status| status.as_str().into()),
                ..Default::default()
            };
            (state, answer.task_version_id, answer.project_id)
        }))
    }

    fn read(answer: ResponseValue<State>) -> Result<ResponseValue<Self>> {
        let answer = answer.open("id", |(state, version, project)| {
            let id = TaskId::from(state.id.take()?);
            Some((id, std::mem::take(state), version.take(), project.take()))
        })?;
        answer.open("status", |(id, state, version, project)| {
            Some(Self {
                id: id.clone(),
                status: state.status.take()?,
                error: state.error.take(),
                project_state: state.project_state.take(),
                task_version_id: version.take(),
                project_id: project.take().map(Into::into),
            })
        })
    }

    fn place(&self) -> Place {
        Place::new(&self.status)
    }

    fn verdict(&self) -> Verdict<Self> {
        match self.status {
            GenerationStatus::Ready => Verdict::Done(self.clone()),
            GenerationStatus::Failed => Verdict::failed(self.error.clone()),
            _ => Verdict::InProgress,
        }
    }
}

pub(super) async fn fetch(
    api: anchorbrowser_api::Client,
    task: TaskId,
) -> Result<ResponseValue<Generation>> {
    let call = api.get_task_generation_status().task_id(task);
    Generation::read(call.send().await?.map(|state| (state, None, None)))
}

pub(super) fn wait(task: TaskId) -> Wait<Generation, Generation> {
    Wait::new(
        PollKind::TaskGeneration,
        vec![task.to_string()],
        move |api| fetch(api, task.clone()),
        Generation::place,
        Generation::verdict,
    )
}

/// A generation that is ready.
impl Awaited for Generation {
    type Progress = Self;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self>> {
        let [task] = token.expect(PollKind::TaskGeneration)?;
        Ok(client.tasks().wait_for_generation(task))
    }
}

impl sealed::Sealed for Generation {}

/// What an answer says of a generation: its state, and of a new one the version and the project.
type State = (
    types::TaskGenerationStatusV2Response,
    Option<String>,
    Option<String>,
);

/// Shows neither the configuration nor default values, which may hold passwords.
impl fmt::Debug for GenerateTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenerateTask")
            .field("task_name", &self.body.task_name)
            .field("task_prompt", &self.body.task_prompt)
            .finish_non_exhaustive()
    }
}
