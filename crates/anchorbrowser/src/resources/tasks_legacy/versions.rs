//! Versions of tasks, and how they are written.

use std::fmt;

use anchorbrowser_api::{ResponseValue, types};

use super::{Language, SessionConfig, code, session_config};
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::sessions::SessionOptions;
use crate::{Client, TaskId, Timestamp};

/// Which version of a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// The draft, which is not published.
    Draft,
    /// The newest one.
    Latest,
    /// The published one of this number.
    Number(u32),
    /// What this version of the SDK does not know, as it was sent.
    Other(String),
}

impl From<u32> for Version {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Version {
    fn from(text: &str) -> Self {
        match text {
            "draft" => Self::Draft,
            "latest" => Self::Latest,
            // A sign is taken by `parse`, and not by the API.
            _ if text.starts_with('+') => Self::Other(text.to_owned()),
            _ => match text.parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Other(text.to_owned()),
            },
        }
    }
}

impl From<String> for Version {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&Version> for Version {
    fn from(version: &Version) -> Self {
        version.clone()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

/// As the API writes it.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => f.pad("draft"),
            Self::Latest => f.pad("latest"),
            Self::Number(number) => number.fmt(f),
            Self::Other(text) => f.pad(text),
        }
    }
}

/// A version of a task, with its code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskVersion {
    /// The id of this version, other than its name or number.
    pub id: String,
    /// The task.
    pub task_id: TaskId,
    /// Which one it is.
    pub version: Version,
    /// The source code. What the API does not send in Base64 is as it was sent.
    pub code: String,
    /// The language of the code.
    pub language: Option<Language>,
    /// A text for people.
    pub description: Option<String>,
    /// The settings of the sessions that it runs in.
    pub session_config: Option<SessionConfig>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl TaskVersion {
    pub(super) fn open(
        answer: ResponseValue<types::TaskVersionResponse>,
    ) -> Result<ResponseValue<Self>> {
        let answer = answer.open("data", |answer| answer.data.take())?;
        let answer = answer.open("data.version", |data| {
            let version = data.version.take()?;
            Some((Version::from(version), std::mem::take(data)))
        })?;
        answer.open("data.code", |(version, data)| {
            let (version, data) = (version.clone(), std::mem::take(data));
            Some(Self {
                id: data.id.unwrap_or_default(),
                task_id: data.task_id.unwrap_or_default().into(),
                version,
                code: code::decode(data.code?),
                language: data.language,
                description: data.description,
                session_config: data.browser_configuration,
                deleted: data.deleted.unwrap_or_default(),
                created_at: data.created_at,
                updated_at: data.updated_at,
            })
        })
    }
}

/// A version in a list, without its code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionSummary {
    /// Which one it is.
    pub version: Version,
    /// A text for people.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl VersionSummary {
    pub(super) fn new(item: types::TaskVersionsListResponseDataVersionsItem) -> Self {
        Self {
            version: item.version.unwrap_or_default().into(),
            description: item.description,
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }
}

/// What is written.
#[derive(Clone, Debug)]
enum Target {
    Draft,
    Next,
    Number(u32),
}

/// The saving or publishing of a version; see
/// [`TasksLegacy::save_draft`](super::TasksLegacy::save_draft),
/// [`deploy`](super::TasksLegacy::deploy) and [`publish`](super::TasksLegacy::publish).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct WriteVersion {
    client: Client,
    id: TaskId,
    target: Target,
    body: types::PublishVersionRequest,
    session_options: Option<SessionOptions>,
}

impl WriteVersion {
    pub(super) fn draft(client: &Client, id: TaskId) -> Self {
        Self::new(client, id, Target::Draft)
    }

    pub(super) fn deploy(client: &Client, id: TaskId) -> Self {
        Self::new(client, id, Target::Next)
    }

    pub(super) fn publish(client: &Client, id: TaskId, number: u32) -> Self {
        Self::new(client, id, Target::Number(number))
    }

    fn new(client: &Client, id: TaskId, target: Target) -> Self {
        Self {
            client: client.clone(),
            id,
            target,
            body: Default::default(),
            session_options: None,
        }
    }

    /// The source code.
    pub fn code(mut self, source: impl AsRef<str>) -> Self {
        self.body.code = Some(code::encode(source.as_ref()));
        self
    }

    /// The language of the code.
    pub fn language(mut self, language: impl Into<Language>) -> Self {
        self.body.language = Some(language.into());
        self
    }

    /// A text for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// How the sessions are to be that the version runs in. The API takes no settings of the
    /// browser here: options that have some are refused.
    pub fn session_options(mut self, options: SessionOptions) -> Self {
        self.session_options = Some(options);
        self
    }

    /// Saves or publishes the version.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such task; 400 if a new version
    /// has no code.
    ///
    /// Calls `save_task_draft`, `deploy_task` or `publish_task_version`.
    pub fn send(self) -> Call<TaskVersion> {
        let operation = match self.target {
            Target::Draft => "save_task_draft",
            Target::Next => "deploy_task",
            Target::Number(_) => "publish_task_version",
        };
        let (id, mut body) = (self.id, self.body);
        body.browser_configuration =
            match session_config(operation, &self.client, self.session_options) {
                Ok(config) => config,
                Err(error) => return Call::refused(error),
            };
        let target = self.target;
        Call::new(&self.client, move |api| async move {
            let answer = match target {
                Target::Draft => {
                    let call = api.save_task_draft().task_id(id);
                    call.body(draft(body)).send().await?
                }
                Target::Next => api.deploy_task().task_id(id).body(body).send().await?,
                Target::Number(number) => {
                    let call = api.publish_task_version().task_id(id);
                    let call = call.task_version(number.to_string());
                    call.body(body).send().await?
                }
            };
            TaskVersion::open(answer)
        })
    }
}

fn draft(body: types::PublishVersionRequest) -> types::DraftTaskRequest {
    types::DraftTaskRequest {
        browser_configuration: body.browser_configuration,
        description: body.description,
        language: body.language,
        // `save_draft` takes it.
        code: body.code.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_word_or_a_number() {
        for (text, version) in [
            ("draft", Version::Draft),
            ("latest", Version::Latest),
            ("0", Version::Number(0)),
            ("4294967295", Version::Number(u32::MAX)),
            ("4294967296", Version::Other("4294967296".to_owned())),
            ("+1", Version::Other("+1".to_owned())),
            ("", Version::Other(String::new())),
        ] {
            assert_eq!(Version::from(text), version);
            assert_eq!(version.to_string(), text);
        }
        assert_eq!(Version::from("007"), Version::Number(7));
    }
}
