use anchorbrowser_api::types;
use serde_json::{Map, Value};

use super::{Phase, Status, count_or_zero};
use crate::resources::paging::count;
use crate::{BatchId, CdpUrl, Client, LiveViewUrl, Session, SessionId, Timestamp};

/// How far a batch had come when it was asked. A count that the API does not tell is 0.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchSnapshot {
    /// Its id.
    pub id: BatchId,
    /// Its status.
    pub status: Status,
    /// What is being done.
    pub phase: Option<Phase>,
    /// How much of it is done, in percent from 0 to 100.
    pub percentage: Option<f64>,
    /// How many sessions were asked for.
    pub total: u64,
    /// How many sessions have been created.
    pub completed: u64,
    /// How many sessions could not be created.
    pub failed: u64,
    /// How many sessions are being created.
    pub processing: u64,
    /// How many sessions wait their turn.
    pub pending: u64,
    /// Its sessions.
    pub items: Vec<BatchItem>,
    /// Why the batch failed, if it did.
    pub error: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When its last session was created, or had failed.
    pub completed_at: Option<Timestamp>,
}

impl BatchSnapshot {
    pub(super) fn new(
        status: Status,
        data: types::BatchSessionStatusResponseSchema,
    ) -> Option<Self> {
        let progress = data.progress.unwrap_or_default();
        Some(Self {
            id: data.batch_id?.into(),
            status,
            phase: progress.current_phase,
            percentage: progress.percentage,
            total: count_or_zero(data.total_requests),
            completed: count_or_zero(data.completed_requests),
            failed: count_or_zero(data.failed_requests),
            processing: count_or_zero(data.processing_requests),
            pending: count_or_zero(data.pending_requests),
            items: data.sessions.into_iter().map(BatchItem::new).collect(),
            error: data.error,
            created_at: data.created_at,
            completed_at: data.actual_completion_time,
        })
    }

    /// Handles on the sessions that are ready.
    pub fn sessions(&self, client: &Client) -> impl Iterator<Item = Session> {
        self.items.iter().filter_map(|item| item.session(client))
    }
}

/// One session of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchItem {
    /// Its place in the batch, from 0.
    pub index: Option<u64>,
    /// How far its creation has come.
    pub status: Option<Status>,
    /// The session's id, once it has one. It need not be ready then; see
    /// [`session`](Self::session).
    pub session_id: Option<SessionId>,
    /// Where a driver connects to, if the session is ready for it. It holds the API key.
    pub cdp_url: Option<CdpUrl>,
    /// The page that shows the browser, if it is ready.
    pub live_view_url: Option<LiveViewUrl>,
    /// Why the session could not be created.
    pub error: Option<String>,
    /// How often its creation was attempted once more.
    pub retries: u64,
    /// What this session is to be known by, beside the others.
    pub metadata: Map<String, Value>,
    /// When its creation began.
    pub started_at: Option<Timestamp>,
    /// When its creation ended.
    pub completed_at: Option<Timestamp>,
}

impl BatchItem {
    pub(crate) fn new(item: types::BatchSessionItemSchema) -> Self {
        Self {
            index: count(item.item_index),
            status: item.status,
            session_id: item.session_id.map(Into::into),
            cdp_url: item.cdp_url.map(Into::into),
            live_view_url: item.live_view_url.map(Into::into),
            error: item.error,
            retries: count_or_zero(item.retry_count),
            metadata: item.metadata,
            started_at: item.started_at,
            completed_at: item.completed_at,
        }
    }

    /// A handle on the session; `None` as long as it is not ready.
    pub fn session(&self, client: &Client) -> Option<Session> {
        let ready = self.cdp_url.is_some() || self.status == Some(Status::Completed);
        ready.then(|| self.handle(client)).flatten()
    }

    /// A handle on the session, ready or not.
    pub(crate) fn handle(&self, client: &Client) -> Option<Session> {
        let session = client.session(self.session_id.as_ref()?);
        Some(session.at(self.cdp_url.clone(), self.live_view_url.clone()))
    }
}

/// What has become of a batch that was given up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchCancellation {
    /// The status of the batch.
    pub status: Option<Status>,
    /// How many running sessions were ended.
    pub ended: u64,
    /// The same in words.
    pub message: Option<String>,
}

impl BatchCancellation {
    pub(super) fn new(data: types::BatchSessionUpdateResponseSchema) -> Self {
        Self {
            status: data.status,
            ended: count_or_zero(data.cancelled_sessions),
            message: data.message,
        }
    }
}

/// What has become of the sessions of a batch that was deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchDeletion {
    /// How many sessions were deleted.
    pub deleted: u64,
    /// How many sessions could not be deleted.
    pub failed: u64,
    /// What went wrong with each of these.
    pub errors: Vec<FailedDeletion>,
    /// The same in words.
    pub message: Option<String>,
}

impl BatchDeletion {
    pub(super) fn new(data: types::BatchSessionDeleteResponseSchema) -> Self {
        Self {
            deleted: count_or_zero(data.deleted_sessions),
            failed: count_or_zero(data.failed_deletions),
            errors: data.errors.into_iter().map(FailedDeletion::new).collect(),
            message: data.message,
        }
    }

    /// Whether all sessions were deleted.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.errors.is_empty()
    }
}

/// A session of a batch that could not be deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedDeletion {
    /// Its id.
    pub session_id: SessionId,
    /// What went wrong.
    pub error: Option<String>,
}

impl FailedDeletion {
    fn new(item: types::BatchSessionDeleteResponseSchemaErrorsItem) -> Self {
        Self {
            session_id: item.session_id.unwrap_or_default().into(),
            error: item.error,
        }
    }
}
