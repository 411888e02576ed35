//! The client and its settings.

mod builder;
mod options;
mod patience;

use std::fmt;

use reqwest::Method;

pub use builder::{ClientBuilder, RetryPolicy};
pub use options::Options;

use crate::error::Result;
use crate::poll::Polling;
use crate::{RawRequest, Session, SessionId, background, resources};

/// A client of the AnchorBrowser API.
///
/// It is cheap to clone, and its clones share connections, the concurrency limit, the retry
/// budget and what [waits](crate::poll) learn. Calls are grouped by resource: `client.sessions().create()`, `client.volumes().list()`.
///
/// ```no_run
/// # async fn example() -> anchorbrowser::Result<()> {
/// let client = anchorbrowser::Client::from_env()?;
/// let session = client.sessions().create().headless(true).send().await?;
/// session.goto("https://example.com").await?;
/// session.end().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    api: anchorbrowser_api::Client,
    /// Whether arguments are checked before they are sent.
    checks: bool,
    polling: Polling,
}

impl Client {
    /// A client with this API key and the defaults of [`ClientBuilder`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it cannot be a key.
    pub fn new(key: impl Into<String>) -> Result<Self> {
        Self::builder().api_key(key).build()
    }

    /// A client with the settings of the environment; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    /// [`ErrorKind::MissingKey`](crate::ErrorKind::MissingKey) without `ANCHORBROWSER_API_KEY`,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is refused. The operations that
    /// need no key can be called by a client made with the builder.
    pub fn from_env() -> Result<Self> {
        let client = ClientBuilder::from_env().build()?;
        client.api.require_key()?;
        Ok(client)
    }

    /// Starts from the defaults, without a key; nothing is read from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A clone with other time limits, retries, headers or query parameters. It shares connections,
    /// concurrency limit and retry budget with this one.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let options = anchorbrowser::Options::new().attempt_timeout(Duration::from_secs(5)).retries(0);
    /// let sessions = client.with_options(options)?.sessions().list().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is refused.
    pub fn with_options(&self, options: Options) -> Result<Self> {
        options.apply(self)
    }

    /// The raw layer: every operation of the document, with this client's key, retries, limits and
    /// errors.
    pub fn api(&self) -> &anchorbrowser_api::Client {
        &self.api
    }

    /// A request to any path below the base URL, for operations that the document lacks; with this
    /// client's key, retries, limits and errors.
    ///
    /// ```no_run
    /// # use anchorbrowser::reqwest::Method;
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let widgets: Vec<String> = client.request(Method::GET, "/v1/widgets").query("limit", "10").json().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: &str) -> RawRequest {
        RawRequest::new(self, method, path)
    }

    /// Where the API is, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.api.base_url()
    }

    /// A handle on a session that exists, by its id; the same as
    /// [`sessions().attach(id)`](resources::sessions::Sessions::attach). Nothing is sent.
    pub fn session(&self, id: impl Into<SessionId>) -> Session {
        self.sessions().attach(id)
    }

    /// The raw layer for a call that is made here and now. In the background its connections are not
    /// those of the caller's runtime, which may stand still or end while the call goes on.
    pub(crate) fn raw(&self) -> anchorbrowser_api::Client {
        match background::is_here() {
            true => self.api.with_own_connections(),
            false => self.api.clone(),
        }
    }

    /// Whether arguments are checked before they are sent.
    pub(crate) fn checks(&self) -> bool {
        self.checks
    }

    /// What waits share.
    pub(crate) fn polling(&self) -> &Polling {
        &self.polling
    }

    /// This client with other needs of the transport, for one call.
    pub(crate) fn needing(&self, needs: anchorbrowser_api::Needs) -> Self {
        Self {
            api: self.api.with_needs(needs),
            ..self.clone()
        }
    }

    /// This client for a run that is started and not waited for: an attempt has its usual limit.
    pub(crate) fn starting(&self) -> Self {
        let policy = anchorbrowser_api::Policy {
            needs: patience::needs_of_a_start,
            ..self.api.policy().clone()
        };
        Self {
            api: self.api.with_policy(policy),
            ..self.clone()
        }
    }
}

/// Writes the accessors of the resources.
macro_rules! resources {
    ($($(#[$meta:meta])* $name:ident: $module:ident::$type:ident),* $(,)?) => {
        impl Client {$(
            $(#[$meta])*
            pub fn $name(&self) -> resources::$module::$type<'_> {
                resources::$module::$type::new(self)
            }
        )*}
    };
}

resources! {
    /// Browser sessions.
    sessions: sessions::Sessions,
    /// Batches of sessions.
    batch_sessions: batch_sessions::BatchSessions,
    /// Recordings of sessions.
    recordings: recordings::Recordings,
    /// Agents that work in sessions, and their questions to people.
    agent: agent::Agent,
    /// Tools that work on a page: fetch, screenshot, PDF, code.
    tools: tools::Tools,
    /// Tasks: generated from a description, and run.
    tasks: tasks::Tasks,
    /// Tasks of the first generation, with code and versions.
    tasks_legacy: tasks_legacy::TasksLegacy,
    /// Browser profiles.
    profiles: profiles::Profiles,
    /// Applications that identities log in to, and their auth flows.
    applications: applications::Applications,
    /// Identities, and guided logins.
    identities: identities::Identities,
    /// Webhooks.
    webhooks: webhooks::Webhooks,
    /// Volumes and their files.
    volumes: volumes::Volumes,
    /// Browser extensions.
    extensions: extensions::Extensions,
    /// Client certificates.
    certificates: certificates::Certificates,
    /// Integrations with password managers.
    integrations: integrations::Integrations,
    /// Events that programs and sessions signal to each other.
    events: events::Events,
    /// Credits and usage.
    billing: billing::Billing,
    /// How an agent obtains an API key of its own.
    agent_access: agent_access::AgentAccess,
}

/// Prints no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}
