//! The agent of one session.

use anchorbrowser_api::types;

use super::{AgentTask, Intervention, Reply, Respond};
use crate::call::Call;
use crate::error::Open as _;
use crate::page::List;
use crate::resources::paging::count;
use crate::transfer::Upload;
use crate::{Session, Timestamp};

/// The agent of a session; see [`Session::agent`].
///
/// ```no_run
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// let task = session.agent().task("Buy a hat.").human_intervention(true).start().await?;
/// for question in session.agent().interventions().send().await? {
///     println!("{}", question.message);
///     session.agent().respond("the red one").to(question.id).send().await?;
/// }
/// println!("{:?}", task.status().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SessionAgent<'a> {
    pub(super) session: &'a Session,
}

/// A file that an agent can use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its type, or the extension of its name.
    pub kind: Option<String>,
    /// When it was changed.
    pub last_modified: Option<Timestamp>,
}

impl Session {
    /// The agent of this session: tasks, files, questions to people.
    pub fn agent(&self) -> SessionAgent<'_> {
        SessionAgent { session: self }
    }
}

/// Calls an operation on the session's agent. Its answer says nothing but success.
macro_rules! act {
    ($session:expr, $operation:ident) => {{
        let id = $session.id().clone();
        Call::new($session.client(), move |api| async move {
            Ok(api.$operation().session_id(id).send().await?.map(drop))
        })
    }};
}

impl SessionAgent<'_> {
    /// A task for an agent, in words, in this session. Without a URL it begins at the page that the
    /// session shows.
    pub fn task(&self, prompt: impl Into<String>) -> AgentTask {
        AgentTask::new(self.session.client(), prompt.into()).in_session(self.session)
    }

    /// Uploads a file that the agent can use. A ZIP archive is unpacked, and the files in it are
    /// what the agent can use.
    ///
    /// Calls `upload_agent_files`.
    pub fn upload(&self, file: impl Into<Upload>) -> Call<()> {
        let (id, file) = (self.session.id().clone(), file.into());
        Call::new(self.session.client(), move |api| async move {
            let answer = file.send(api, "upload_agent_files", |api, part| {
                let id = id.clone();
                async move {
                    let form = types::UploadAgentFilesForm::new(part);
                    api.upload_agent_files()
                        .session_id(id)
                        .body(form)
                        .send()
                        .await
                }
            });
            Ok(answer.await?.map(drop))
        })
    }

    /// The files that the agent can use.
    ///
    /// Calls `list_agent_files`.
    pub fn files(&self) -> List<AgentFile> {
        let session = self.session.clone();
        List::new("list_agent_files", move || {
            let id = session.id().clone();
            Call::new(session.client(), move |api| async move {
                let answer = api.list_agent_files().session_id(id).send().await?;
                answer.open("data.files", |answer| {
                    let files = answer.data.take()?.files.into_iter();
                    Some(files.map(AgentFile::new).collect())
                })
            })
        })
    }

    /// Halts the agent; [`resume`](Self::resume) lets it go on.
    ///
    /// Calls `pause_agent`.
    pub fn pause(&self) -> Call<()> {
        act!(self.session, pause_agent)
    }

    /// Lets a halted agent go on.
    ///
    /// Calls `resume_agent`.
    pub fn resume(&self) -> Call<()> {
        act!(self.session, resume_agent)
    }

    /// The questions to people that are open in this session. An agent asks only if its task allows
    /// [`human_intervention`](AgentTask::human_intervention), and then waits.
    ///
    /// Calls `get_requested_human_intervention`.
    pub fn interventions(&self) -> List<Intervention> {
        let session = self.session.clone();
        List::new("get_requested_human_intervention", move || {
            let id = session.id().clone();
            Call::new(session.client(), move |api| async move {
                let call = api.get_requested_human_intervention();
                let answer = call.session_id(id.clone()).send().await?;
                answer.open("data.requests[].requestId", |answer| {
                    let items = answer.data.take()?.requests.into_iter();
                    let asked = |item| Intervention::requested(id.clone(), item);
                    items.map(asked).collect()
                })
            })
        })
    }

    /// Replies to a question of the agent: a text, `true` or `false`, or [`Reply::fields`].
    pub fn respond(&self, reply: impl Into<Reply>) -> Respond {
        Respond::new(self.session, reply.into())
    }
}

impl AgentFile {
    fn new(file: types::ListAgentFilesResponseDataFilesItem) -> Self {
        Self {
            name: file.name.unwrap_or_default(),
            size: count(file.size),
            kind: file.type_,
            last_modified: file.last_modified,
        }
    }
}
