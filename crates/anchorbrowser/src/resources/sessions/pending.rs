//! Sessions that are asked for and not waited for.

use anchorbrowser_api::types;

use super::{Phase, StartState};
use crate::batch_sessions::BatchItem;
use crate::call::Call;
use crate::error::Open as _;
use crate::{Client, RequestId, Session, Timestamp};

/// A session that has been asked for; see [`Sessions::start`](super::Sessions::start).
///
/// It is cheap to clone. Dropping it does not give the session up.
#[derive(Clone, Debug)]
pub struct PendingSession {
    client: Client,
    request_id: RequestId,
}

impl PendingSession {
    pub(super) fn new(client: &Client, request_id: RequestId) -> Self {
        Self {
            client: client.clone(),
            request_id,
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
        Call::new(&self.client, move |api| async move {
            let answer = api.get_async_session_status().request_id(id).send().await?;
            answer.open("data.status", |answer| {
                StartStatus::new(&client, answer.data.take()?)
            })
        })
    }
}

/// How far the start of a session has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartStatus {
    /// The state of the request. It does not change further once it is
    /// [`Ready`](StartState::Ready), [`Failed`](StartState::Failed) or
    /// [`Cancelled`](StartState::Cancelled).
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
}
