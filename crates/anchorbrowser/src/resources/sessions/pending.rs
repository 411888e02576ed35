//! Sessions that are asked for and not waited for.

use anchorbrowser_api::{ResponseValue, types};

use super::{Phase, StartState};
use crate::batch_sessions::BatchItem;
use crate::call::{Answer, Call};
use crate::error::{Error, ErrorKind, Open as _, Result};
use crate::poll::{
    Awaited, Begun, Failure, Place, PollKind, PollToken, Polled, Poller, Verdict, Wait, sealed,
};
use crate::{Client, RequestId, Session, Timestamp};

/// A session that has been asked for; see [`Sessions::start`](super::Sessions::start).
///
/// It is cheap to clone. Dropping it does not give the session up.
#[derive(Clone, Debug)]
pub struct PendingSession {
    client: Client,
    request_id: RequestId,
    /// When it was asked for, if that was here.
    begun: Option<Begun>,
}

impl PendingSession {
    pub(super) fn new(client: &Client, request_id: RequestId) -> Self {
        Self {
            client: client.clone(),
            request_id,
            begun: None,
        }
    }

    /// One that was asked for just now.
    pub(super) fn started(client: &Client, request_id: RequestId) -> Self {
        Self {
            begun: Some(Begun::now()),
            ..Self::new(client, request_id)
        }
    }

    /// The same, with the settings of another client.
    pub(super) fn by(self, client: &Client) -> Self {
        Self {
            client: client.clone(),
            ..self
        }
    }

    /// Identifies the request, e.g. for another process; see
    /// [`Sessions::pending`](super::Sessions::pending).
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// How far the start has come.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such request. A start that failed
    /// is no error: [`StartStatus::state`] says so.
    ///
    /// Calls `get_async_session_status`.
    pub fn status(&self) -> Call<StartStatus> {
        let (client, id) = (self.client.clone(), self.request_id.clone());
        Call::new(&self.client, move |api| fetch(api, client, id))
    }

    /// Waits until the session is ready: await it for the session.
    ///
    /// It is in progress while it is pending or processing, and in a state that this version of the
    /// SDK does not know.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let session = client.sessions().start().headless(true).send().await?.ready().await?;
    /// session.goto("https://example.com").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) with the state
    /// ([`Waited::state`](crate::poll::Waited::state)): `failed`, with the reason as
    /// [`message`](crate::Error::message); `cancelled`, if it was given up; `completed`, if the
    /// session was ready and has ended since. [`is_not_found`](crate::Error::is_not_found) if there is
    /// no such request; [`is_deadline`](crate::Error::is_deadline) after 5 minutes, unless set
    /// otherwise.
    ///
    /// Calls `get_async_session_status` for each poll.
    pub fn ready(&self) -> Poller<Session, StartStatus> {
        let (client, id) = (self.client.clone(), self.request_id.clone());
        let wait = Wait::new(
            PollKind::SessionStart,
            vec![id.to_string()],
            move |api| fetch(api, client.clone(), id.clone()),
            StartStatus::place,
            StartStatus::verdict,
        );
        Poller::new(&self.client, wait.begun(self.begun))
    }

    /// Gives the start up, so that no session is left over.
    ///
    /// The API has no call for it: this waits until there is a record of the session, and ends it.
    /// It is no error if the start has failed or was cancelled, or if the session has ended. If the
    /// call is dropped before it is ready, the session comes up all the same.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let pending = client.sessions().start().send().await?;
    /// // It is not needed after all.
    /// pending.cancel().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ready`](Self::ready), but for the states in which there is no session to end: so also
    /// [`is_deadline`](crate::Error::is_deadline) if there is no record of it after 5 minutes.
    ///
    /// Calls `get_async_session_status` for each poll, and `delete_session`.
    pub fn cancel(&self) -> Call<()> {
        let pending = self.clone();
        Call::from_future(async move { pending.give_up().await })
    }

    async fn give_up(&self) -> Result<Answer<()>> {
        let mut poller = self.ready();
        while let Some(polled) = poller.next().await {
            let (session, ready) = match polled {
                Ok(Polled::Done(session)) => (Some(session), true),
                Ok(Polled::Progress(status)) => {
                    let item = status.item.as_ref();
                    (item.and_then(|item| item.handle(&self.client)), false)
                }
                Err(error) if error.kind() == ErrorKind::Failed => return poller.answer(()),
                Err(error) => return Err(error),
            };
            let Some(session) = session else {
                continue;
            };
            match session.end().with_meta().await {
                // It may not be known as a session before it is ready.
                Err(error) if error.is_not_found() && !ready => {}
                Err(error) if error.is_not_found() => return poller.answer(()),
                ended => return ended,
            }
        }
        // There is an answer or an error before the end.
        Err(Error::cancelled())
    }
}

/// A start that is ready.
impl Awaited for Session {
    type Progress = StartStatus;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, StartStatus>> {
        let [id] = token.expect(PollKind::SessionStart)?;
        let pending = PendingSession {
            begun: token.begun(),
            ..PendingSession::new(client, id.into())
        };
        Ok(pending.ready())
    }
}

impl sealed::Sealed for Session {}

async fn fetch(
    api: anchorbrowser_api::Client,
    client: Client,
    id: RequestId,
) -> Result<ResponseValue<StartStatus>> {
    let answer = api.get_async_session_status().request_id(id).send().await?;
    answer.open("data.status", |answer| {
        StartStatus::new(&client, answer.data.take()?)
    })
}

/// How far the start of a session has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartStatus {
    /// The state of the request. It does not change further once it is
    /// [`Failed`](StartState::Failed), [`Cancelled`](StartState::Cancelled), or
    /// [`Completed`](StartState::Completed): that is what [`Ready`](StartState::Ready) becomes when
    /// the session has ended.
    pub state: StartState,
    /// What is being done.
    pub phase: Option<Phase>,
    /// When the session was asked for.
    pub created_at: Option<Timestamp>,
    /// The session, when it is ready.
    pub session: Option<Session>,
    /// Why the session could not be started.
    pub error: Option<String>,
    /// All that is told of the session, as soon as there is a record of it: its id also before it
    /// is ready, e.g. to [`end`](super::Sessions::end) it.
    pub item: Option<BatchItem>,
}

impl StartStatus {
    fn new(client: &Client, data: types::AsyncSessionStatusResponseSchemaData) -> Option<Self> {
        let state = data.status?;
        let item = data.session.map(BatchItem::new);
        let ready = matches!(state, StartState::Ready | StartState::Completed);
        let session = item.as_ref().filter(|_| ready);
        Some(Self {
            session: session.and_then(|item| item.handle(client)),
            state,
            phase: data.progress.and_then(|progress| progress.current_phase),
            created_at: data.created_at,
            error: item.as_ref().and_then(|item| item.error.clone()),
            item,
        })
    }

    fn place(&self) -> Place {
        Place {
            phase: self.phase.as_ref().map(ToString::to_string),
            ..Place::new(&self.state)
        }
    }

    fn verdict(&self) -> Verdict<Session> {
        let failed = |note| {
            Verdict::Failed(Failure {
                note,
                reason: self.error.clone(),
            })
        };
        match (&self.state, &self.session) {
            (StartState::Ready, Some(session)) => Verdict::Done(session.clone()),
            (StartState::Completed, _) => failed(Some("it was ready, and has ended since")),
            (StartState::Cancelled, _) => failed(Some("it was given up before it was ready")),
            (StartState::Failed, _) => failed(None),
            // Ready too: it cannot be used as long as there is no record of the session.
            _ => Verdict::InProgress,
        }
    }
}
