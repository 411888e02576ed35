//! Tasks for agents.

use std::fmt;
use std::time::Duration;

use anchorbrowser_api::{ResponseValue, types};
use serde_json::Value;

use super::outcome::{self, Decode, Report, TaskOutcome};
use super::{AgentKind, Provider, RunningTask};
use crate::call::{Answer, Call};
use crate::error::{Error, Open as _, Result};
use crate::macros::set;
use crate::sessions::{OwnedSession, SessionOptions};
use crate::timing::seconds;
use crate::{Client, Secret, Session, SessionId};

const OPERATION: &str = "perform_web_task";

/// A task for an agent; see [`Agent::task`](super::Agent::task). [`run`](Self::run) makes one call
/// that lasts to its end; [`start`](Self::start) starts it, and [`RunningTask::wait`] waits for its
/// end by polls.
#[must_use = "nothing is sent before `run` or `start`"]
pub struct AgentTask<T = Value> {
    client: Client,
    place: Place,
    keep_session: bool,
    #[cfg(feature = "cdp")]
    keep_alive: bool,
    body: types::PerformWebTaskRequestSchema,
    decode: Decode<T>,
    #[cfg(feature = "steps")]
    on_step: Option<super::live::OnStep>,
}

/// Where the agent works.
#[derive(Debug)]
enum Place {
    /// In a session that the service starts and ends.
    Anywhere,
    Given(Box<Session>),
    Create(Box<SessionOptions>),
}

impl AgentTask {
    pub(super) fn new(client: &Client, prompt: String) -> Self {
        Self {
            client: client.clone(),
            place: Place::Anywhere,
            keep_session: false,
            #[cfg(feature = "cdp")]
            keep_alive: true,
            body: types::PerformWebTaskRequestSchema::new(prompt),
            decode: outcome::untyped,
            #[cfg(feature = "steps")]
            on_step: None,
        }
    }

    /// The type of the result: its JSON Schema (draft 2020-12, without references, unless the type
    /// holds itself) is sent as [`output_schema`](Self::output_schema), and the result is read as it.
    #[cfg(feature = "schemars")]
    #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
    pub fn output<T>(self) -> AgentTask<T>
    where
        T: serde::de::DeserializeOwned + schemars::JsonSchema + 'static,
    {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        let settings = settings.with(|settings| settings.inline_subschemas = true);
        let mut schema = settings.into_generator().into_root_schema_for::<T>();
        schema.ensure_object();
        AgentTask {
            client: self.client,
            place: self.place,
            keep_session: self.keep_session,
            #[cfg(feature = "cdp")]
            keep_alive: self.keep_alive,
            body: self.body,
            decode: outcome::typed,
            #[cfg(feature = "steps")]
            on_step: self.on_step,
        }
        .output_schema(schema.to_value())
    }
}

impl<T> AgentTask<T> {
    /// The page to begin at; by default the one that the session shows.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.body.url = Some(url.into());
        self
    }

    /// Works in this session, which goes on afterwards.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.place = Place::Given(Box::new(self.client.session(id)));
        self
    }

    /// Works in this session, with its own CDP address.
    pub(super) fn in_session(mut self, session: &Session) -> Self {
        self.place = Place::Given(Box::new(session.clone()));
        self
    }

    /// Works in a session that is created for the task, and ended after it; see
    /// [`keep_session`](Self::keep_session).
    ///
    /// A run may take long, and nothing else need be connected to the session. So it has no idle
    /// timeout, unless the options set one; the limit on its duration holds.
    pub fn session_options(mut self, options: SessionOptions) -> Self {
        self.place = Place::Create(Box::new(options));
        self
    }

    /// Keeps the session that is created for the task: by [`run`](Self::run) if the task succeeds,
    /// by [`start`](Self::start) if it starts. Without [`session_options`](Self::session_options) one
    /// is created too. To keep a session whatever happens, create it, and give it by
    /// [`session`](Self::session).
    pub fn keep_session(mut self) -> Self {
        self.keep_session = true;
        self
    }

    /// Whether [`run`](Self::run) and [`RunningTask::wait`] hold a CDP connection to the
    /// [`session`](Self::session) that was given, so that its idle timeout does not end it meanwhile;
    /// default yes. See [`Session::keep_alive`]. If there can be no connection, that is logged, and
    /// the run goes on all the same.
    #[cfg(feature = "cdp")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cdp")))]
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.keep_alive = on;
        self
    }

    /// Which agent does it; default [`AgentKind::BrowserUse`].
    pub fn agent(mut self, kind: AgentKind) -> Self {
        self.body.agent = Some(kind);
        self
    }

    /// Who runs the model.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.body.provider = Some(provider);
        self
    }

    /// The name of the model.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.body.model = Some(name.into());
        self
    }

    /// How many steps the agent takes at most; default 200.
    pub fn max_steps(mut self, count: u32) -> Self {
        self.body.max_steps = Some(count.into());
        self
    }

    /// How long one call of the model may take: 10 to 600 seconds. The API counts whole seconds: a
    /// part of one is rounded up. Only of [`AgentKind::BrowserUse`].
    pub fn llm_timeout(mut self, limit: Duration) -> Self {
        self.body.llm_timeout = Some(seconds(limit));
        self
    }

    /// Whether the agent may ask people; default no. It then waits for the reply; see
    /// [`SessionAgent::respond`](super::SessionAgent::respond).
    pub fn human_intervention(mut self, on: bool) -> Self {
        self.body.human_intervention = Some(on);
        self
    }

    /// Whether elements of pages are detected, which helps the agent to find them.
    pub fn detect_elements(mut self, on: bool) -> Self {
        self.body.detect_elements = Some(on);
        self
    }

    /// Whether elements are highlighted, for those who watch.
    pub fn highlight_elements(mut self, on: bool) -> Self {
        self.body.highlight_elements = Some(on);
        self
    }

    /// Adds a secret, such as a password: the agent gets it as an environment variable of this name.
    pub fn secret_value(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        let values = self.body.secret_values.get_or_insert_default();
        values.insert(name.into(), value.into());
        self
    }

    /// The JSON Schema of the result: an object.
    pub fn output_schema(mut self, schema: Value) -> Self {
        self.body.output_schema = Some(schema);
        self
    }

    /// Calls this for each step of [`run`](Self::run), as it happens. Without a session or options for
    /// one, a session is created for the task, as by
    /// [`session_options`](Self::session_options). If the steps cannot be followed from the
    /// beginning, the task is not run; if the connection is lost, it goes on without.
    ///
    /// [`start`](Self::start) refuses it: follow a run that is not waited for by
    /// [`SessionAgent::steps`](super::SessionAgent::steps).
    #[cfg(feature = "steps")]
    #[cfg_attr(docsrs, doc(cfg(feature = "steps")))]
    pub fn on_step(mut self, call: impl FnMut(crate::steps::Step) + Send + 'static) -> Self {
        self.on_step = Some(Box::new(call));
        self
    }

    /// Whether each step is told, which needs a session that is known.
    fn is_followed(&self) -> bool {
        #[cfg(feature = "steps")]
        return self.on_step.is_some();
        #[cfg(not(feature = "steps"))]
        false
    }

    /// Has a session created where it must be known which one it is.
    fn settle(&mut self) {
        if (self.is_followed() || self.keep_session) && matches!(self.place, Place::Anywhere) {
            self.place = Place::Create(Box::default());
        }
    }

    fn check(&self) -> Result<()> {
        let refuse = |message| Err(Error::invalid(OPERATION, message));
        if !self.client.checks() {
            return Ok(());
        }
        if let Some(limit) = self.body.llm_timeout {
            if !(10..=600).contains(&limit) {
                return refuse("`llm_timeout` must be from 10 to 600 seconds");
            }
            let known = AgentKind::VALUES.iter();
            let mut others = known.filter(|name| **name != AgentKind::BrowserUse.as_str());
            let agent = self.body.agent.as_ref();
            if agent.is_some_and(|agent| others.any(|name| agent.as_str() == *name)) {
                let message = "`llm_timeout` is for the agent `browser-use` only: leave it out, or \
                               choose that agent";
                return refuse(message);
            }
        }
        if matches!(&self.body.output_schema, Some(schema) if !schema.is_object()) {
            return refuse("`output_schema` must be a JSON object");
        }
        Ok(())
    }
}

impl<T: Send + 'static> AgentTask<T> {
    /// Runs the task and waits for its end, however long that takes: the connection is held for all
    /// that time, and only [`operation_timeout`](crate::ClientBuilder::operation_timeout) limits it.
    /// The request is sent once, because a second one would run the task again. For long tasks
    /// [`start`](Self::start) and [`RunningTask::wait`] are safer.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service reports that the run failed;
    /// it may also answer with status 500.
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the result does not fit the output type.
    /// [`Error::body`] then has the answer. And what any call may fail with.
    ///
    /// Calls `perform_web_task`; for [`session_options`](Self::session_options) also
    /// `create_session` and `delete_session`.
    pub fn run(mut self) -> Call<TaskOutcome<T>> {
        if let Err(error) = self.check() {
            return Call::refused(error);
        }
        self.settle();
        Call::from_future(async move {
            let session = self.place.open(&self.client).await?;
            let id = session.id();
            #[cfg(feature = "cdp")]
            let _alive = session.given(self.keep_alive).map(Session::keep_alive);
            let call = perform(&self.client, id.clone(), self.body);
            #[cfg(feature = "steps")]
            let call = super::live::beside(call, &self.client, id.as_ref(), self.on_step);
            let outcome = call
                .await
                .and_then(|report| outcome::ended(report, id, self.decode));
            session.close(self.keep_session && outcome.is_ok()).await;
            Ok(Answer::new(outcome?))
        })
    }

    /// Starts the task, and does not wait for its end: [`RunningTask::wait`] does. The request is sent
    /// once, because a second one would run the task again.
    ///
    /// # Errors
    /// What any call may fail with.
    ///
    /// Calls `perform_web_task`; for [`session_options`](Self::session_options) also
    /// `create_session`.
    pub fn start(mut self) -> Call<RunningTask<T>> {
        if let Err(error) = self.check() {
            return Call::refused(error);
        }
        if self.is_followed() {
            let message = "`on_step` is for `run`: follow a run that is not waited for by \
                           `session.agent().steps()`";
            return Call::refused(Error::invalid(OPERATION, message));
        }
        self.settle();
        self.body.async_ = Some(true);
        Call::from_future(async move {
            let session = self.place.open(&self.client).await?;
            let session_id = session.id();
            let client = self.client.starting();
            let answer = perform(&client, session_id.clone(), self.body).await?;
            let workflow = answer.open("data.workflow_id", |report| report.text("workflow_id"))?;
            #[cfg(feature = "cdp")]
            let kept_alive = session.given(self.keep_alive).cloned();
            let session = session.owned(self.keep_session);
            Ok(Answer::new(workflow.map(|id| {
                let running =
                    RunningTask::started(&self.client, id.into(), session_id, session, self.decode);
                #[cfg(feature = "cdp")]
                let running = running.keeping_alive(kept_alive);
                running
            })))
        })
    }
}

/// Calls the operation. What comes is what it says of the run.
async fn perform(
    client: &Client,
    session: Option<SessionId>,
    body: types::PerformWebTaskRequestSchema,
) -> Result<ResponseValue<Report>> {
    let api = client.raw();
    let mut call = api.perform_web_task().body(body);
    set!(call, session_id: session);
    let answer = call.send().await?;
    let data = answer.open("data", |answer| answer.data.take())?;
    Ok(data.map(|data| Report::new(&data)))
}

/// The session of a run.
enum Opened {
    Unknown,
    Given(Box<Session>),
    Owned(OwnedSession),
}

impl Place {
    async fn open(self, client: &Client) -> Result<Opened> {
        Ok(match self {
            Self::Anywhere => Opened::Unknown,
            Self::Given(session) => Opened::Given(session),
            Self::Create(options) => {
                let create = client.sessions().create().options(*options);
                let create = create.raw(|body| {
                    let session = body.session.get_or_insert_default();
                    let timeout = session.timeout.get_or_insert_default();
                    timeout.idle_timeout.get_or_insert(-1);
                });
                Opened::Owned(create.send_owned().await?)
            }
        })
    }
}

impl Opened {
    fn id(&self) -> Option<SessionId> {
        match self {
            Self::Unknown => None,
            Self::Given(session) => Some(session.id().clone()),
            Self::Owned(session) => Some(session.id().clone()),
        }
    }

    /// The session that was given, if it is to be kept alive.
    #[cfg(feature = "cdp")]
    fn given(&self, keep_alive: bool) -> Option<&Session> {
        match self {
            Self::Given(session) if keep_alive => Some(session),
            _ => None,
        }
    }

    /// What ends the session, unless it is to be kept.
    fn owned(self, keep: bool) -> Option<OwnedSession> {
        let Self::Owned(session) = self else {
            return None;
        };
        if keep {
            session.keep();
            return None;
        }
        Some(session)
    }

    async fn close(self, keep: bool) {
        if let Some(session) = self.owned(keep) {
            session.close().await;
        }
    }
}

/// Prints no secret: those of the body do not show themselves.
impl<T> fmt::Debug for AgentTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentTask")
            .field("place", &self.place)
            .field("keep_session", &self.keep_session)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
