//! Tasks, their creation and change.

use anchorbrowser_api::types;

use super::{Language, SessionConfig, Version, check_name, code, session_config};
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::sessions::SessionOptions;
use crate::{Client, TaskId, TeamId, Timestamp};

/// A task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// The team that it belongs to.
    pub team_id: Option<TeamId>,
    /// A text for people.
    pub description: Option<String>,
    /// Its newest version.
    pub latest_version: Option<Version>,
    /// The source code of its newest version; `None` if the answer leaves it out, as those to
    /// [`get`](super::TasksLegacy::get) and [`update`](super::TasksLegacy::update) do. What the
    /// API does not send in Base64 is as it was sent.
    pub code: Option<String>,
    /// The language of the code.
    pub language: Option<Language>,
    /// The settings of the sessions that it runs in.
    pub session_config: Option<SessionConfig>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl Task {
    pub(super) fn new(task: types::Task) -> Self {
        Self {
            id: task.id.unwrap_or_default().into(),
            name: task.name.unwrap_or_default(),
            team_id: task.team_id.map(Into::into),
            description: task.description,
            latest_version: task.latest_version.map(Into::into),
            code: task.code.map(code::decode),
            language: task.language,
            session_config: task.browser_configuration,
            deleted: task.deleted.unwrap_or_default(),
            created_at: task.created_at,
            updated_at: task.updated_at,
        }
    }

    /// `None` without an id.
    pub(super) fn of_metadata(task: types::TaskMetadata) -> Option<Self> {
        Some(Self {
            id: task.id?.into(),
            name: task.name.unwrap_or_default(),
            team_id: task.team_id.map(Into::into),
            description: task.description,
            latest_version: task.latest.map(Into::into),
            code: None,
            language: None,
            session_config: None,
            deleted: task.deleted.unwrap_or_default(),
            created_at: task.created_at,
            updated_at: task.updated_at,
        })
    }
}

/// The creation of a task; see [`TasksLegacy::create`](super::TasksLegacy::create).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTask {
    client: Client,
    body: types::CreateTaskRequest,
    session_options: Option<SessionOptions>,
}

impl CreateTask {
    pub(super) fn new(client: &Client, name: String) -> Self {
        Self {
            client: client.clone(),
            body: types::CreateTaskRequest::new(name, Language::Typescript),
            session_options: None,
        }
    }

    /// The source code, of which the task's draft is made.
    pub fn code(mut self, source: impl AsRef<str>) -> Self {
        self.body.code = Some(code::encode(source.as_ref()));
        self
    }

    /// The language of the code; default TypeScript, which is all that the API documents.
    pub fn language(mut self, language: impl Into<Language>) -> Self {
        self.body.language = language.into();
        self
    }

    /// A text for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// How the sessions are to be that the task runs in. The API takes no settings of the browser
    /// here: options that have some are refused.
    pub fn session_options(mut self, options: SessionOptions) -> Self {
        self.session_options = Some(options);
        self
    }

    /// Creates the task, or changes the one that has its name.
    ///
    /// # Errors
    /// [`is_conflict`](crate::Error::is_conflict) if the name is taken, e.g. by a deleted task;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if an argument is refused
    /// before it is sent.
    ///
    /// Calls `create_task`.
    pub fn send(self) -> Call<Task> {
        let client = self.client.clone();
        let body = match self.body() {
            Ok(body) => body,
            Err(error) => return Call::refused(error),
        };
        Call::new(&client, move |api| async move {
            let answer = api.create_task().body(body).send().await?;
            answer.open("data.id", |answer| {
                let task = answer.data.take()?;
                task.id.is_some().then(|| Task::new(task))
            })
        })
    }

    fn body(mut self) -> Result<types::CreateTaskRequest> {
        let operation = "create_task";
        check_name(operation, &self.client, &self.body.name)?;
        self.body.browser_configuration =
            session_config(operation, &self.client, self.session_options)?;
        Ok(self.body)
    }
}

/// The change of a task; see [`TasksLegacy::update`](super::TasksLegacy::update). What is not set
/// stays as it is.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateTask {
    client: Client,
    id: TaskId,
    body: types::UpdateTaskMetadataRequest,
}

impl UpdateTask {
    pub(super) fn new(client: &Client, id: TaskId) -> Self {
        Self {
            client: client.clone(),
            id,
            body: Default::default(),
        }
    }

    /// The name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// A text for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// Changes the task.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id;
    /// [`is_conflict`](crate::Error::is_conflict) if another one has the name.
    ///
    /// Calls `update_task`.
    pub fn send(self) -> Call<Task> {
        let Self { client, id, body } = self;
        if let Some(name) = &body.name
            && let Err(error) = check_name("update_task", &client, name)
        {
            return Call::refused(error);
        }
        Call::new(&client, move |api| async move {
            let answer = api.update_task().task_id(id).body(body).send().await?;
            answer.open("data.id", |answer| Task::of_metadata(answer.data.take()?))
        })
    }
}
