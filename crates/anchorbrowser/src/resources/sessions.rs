//! Browser sessions.

mod filter;
mod history;
mod info;
mod list;
mod many;
mod options;
mod owned;
mod pending;
mod proxy;
mod rules;
mod statuses;

pub use history::{Figures, GetHistory, History, HistoryPoint};
pub use info::{PageInfo, SessionInfo};
pub use list::{Credits, ListSessions, PageSize, SessionSummary, SortOrder};
pub use many::{Many, ManyReport, ManySessions};
pub use options::{SensitiveDataMask, SessionOptions};
pub use owned::OwnedSession;
pub(crate) use owned::unread_id;
pub use pending::{PendingSession, StartStatus};
pub use proxy::Proxy;
pub use statuses::{ListStatuses, SessionStatus};
pub use types::{
    AsyncSessionStatus as StartState, GetSessionsHistoryMetricsItem as Metric, Granularity,
    ProvisioningPhase as Phase,
};

use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Open as _;
use crate::session::Session;
use crate::{Client, RequestId, SessionId, background};

/// Browser sessions; see [`Client::sessions`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let session = client.sessions().create().headless(true).tag("nightly").send().await?;
/// println!("{}", session.id());
/// session.end().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a> {
    client: &'a Client,
}

/// The creation of a session; see [`Sessions::create`].
pub type CreateSession = SessionOptions<Create>;

/// The start of a session; see [`Sessions::start`].
pub type StartSession = SessionOptions<Start>;

/// The creation of many sessions; see [`Sessions::create_many`].
pub type CreateSessions = SessionOptions<Many>;

/// Part of [`CreateSession`].
#[derive(Clone, Debug)]
pub struct Create(Client);

/// Part of [`StartSession`].
#[derive(Clone, Debug)]
pub struct Start(Client);

impl<'a> Sessions<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a session, and answers when its browser is ready: a few seconds mostly.
    ///
    /// It is not repeated if its outcome is unknown: a session costs money. It gets two minutes at
    /// least.
    pub fn create(&self) -> CreateSession {
        SessionOptions::of(Create(self.client.clone()))
    }

    /// Asks for a session, and answers at once; its browser is ready later.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let pending = client.sessions().start().headless(true).send().await?;
    /// let status = pending.status().await?;
    /// println!("{}: {}", pending.request_id(), status.state);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(&self) -> StartSession {
        SessionOptions::of(Start(self.client.clone()))
    }

    /// Starts so many sessions, all with the same options, and gives each as it is ready.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let mut sessions = client.sessions().create_many(50).headless(true).send()?;
    /// while let Some(session) = sessions.next().await {
    ///     match session {
    ///         Ok(session) => println!("{} is ready", session.id()), // ended here, as it is dropped
    ///         Err(error) => println!("{error}"),
    ///     }
    /// }
    /// println!("{:?}", sessions.report());
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_many(&self, count: usize) -> CreateSessions {
        SessionOptions::of(Many::new(self.client, count))
    }

    /// A session that was asked for by [`start`](Self::start), perhaps in another process. Nothing
    /// is sent, so the request need not exist.
    pub fn pending(&self, id: impl Into<RequestId>) -> PendingSession {
        PendingSession::new(self.client, id.into())
    }

    /// What the service knows of a session, which may have ended.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such session.
    ///
    /// Calls `get_session`.
    pub fn get(&self, id: impl Into<SessionId>) -> Call<SessionInfo> {
        self.attach(id).info()
    }

    /// Ends a session; see [`Session::end`].
    ///
    /// Calls `delete_session`.
    pub fn end(&self, id: impl Into<SessionId>) -> Call<()> {
        self.attach(id).end()
    }

    /// Ends **every** running session of the API key: also those of other programs, and of other
    /// people who share the key.
    ///
    /// Calls `delete_all_sessions`.
    pub fn end_all(&self) -> Call<()> {
        Call::new(self.client, |api| async move {
            Ok(api.delete_all_sessions().send().await?.map(drop))
        })
    }

    /// Waits until no session is left that the program is still ending in the background, because its
    /// [`OwnedSession`] was dropped, or because its creation was given up. One that cannot be ended
    /// is not waited for longer than its calls take.
    ///
    /// It is for the end of a program, and concerns all clients. It has no time limit of its own.
    pub async fn drained(&self) {
        background::drained().await;
    }

    /// Lists sessions, of the past and the present.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let mut sessions = client.sessions().list().tag("nightly").stream();
    /// while let Some(session) = sessions.next().await {
    ///     println!("{}", session?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListSessions {
        ListSessions::new(self.client)
    }

    /// Lists the status of each session of the API key, in one answer.
    pub fn statuses(&self) -> ListStatuses {
        ListStatuses::new(self.client)
    }

    /// Figures on the sessions of a period: how many there were, how long they lived, what they
    /// cost.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// use anchorbrowser::sessions::Metric;
    ///
    /// let history = client.sessions().history().metric(Metric::CreditsUsed).send().await?;
    /// println!("{:?} in all", history.summary.credits);
    /// for point in history.points {
    ///     println!("{:?}: {:?}", point.date, point.figures.credits);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn history(&self) -> GetHistory {
        GetHistory::new(self.client)
    }

    /// A handle on a session that exists. Nothing is sent, so it need not exist.
    pub fn attach(&self, id: impl Into<SessionId>) -> Session {
        Session::at(self.client, id.into(), None, None)
    }
}

impl CreateSession {
    /// Creates the session. It lives until it is ended, or until one of its limits; see
    /// [`send_owned`](Self::send_owned) and [`scope`](Self::scope) for one that ends itself.
    ///
    /// # Errors
    /// [`is_rate_limited`](crate::Error::is_rate_limited),
    /// [`is_concurrency_limit`](crate::Error::is_concurrency_limit),
    /// [`is_insufficient_credits`](crate::Error::is_insufficient_credits), and what any call may
    /// fail with.
    ///
    /// Calls `create_session`.
    pub fn send(self) -> Call<Session> {
        let (Create(client), options) = self.split();
        let body = match options.checked("create_session", client.checks()) {
            Ok(body) => body,
            Err(error) => return Call::refused(error),
        };
        Call::new(&client.clone(), move |api| async move {
            let answer = api.create_session().body(body).send().await?;
            Session::created(&client, answer)
        })
    }
}

impl StartSession {
    /// Asks for the session. It lives, once it is there, until it is ended, or until one of its
    /// limits, whether or not anybody asks for its [`status`](PendingSession::status).
    ///
    /// It is not repeated if its outcome is unknown: a session costs money.
    ///
    /// # Errors
    /// As [`CreateSession::send`]; also [`is_forbidden`](crate::Error::is_forbidden) if a cost limit
    /// of the project is reached.
    ///
    /// Calls `create_session_async`.
    pub fn send(self) -> Call<PendingSession> {
        let (Start(client), options) = self.split();
        let body = match options.checked("create_session_async", client.checks()) {
            Ok(body) => body,
            Err(error) => return Call::refused(error),
        };
        Call::new(&client.clone(), move |api| async move {
            let answer = api.create_session_async().body(body).send().await?;
            answer.open("data.request_id", |answer| {
                let id = answer.data.take()?.request_id?;
                Some(PendingSession::started(&client, id.into()))
            })
        })
    }
}
