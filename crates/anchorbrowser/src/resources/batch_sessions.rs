//! Batches of sessions.

mod batch;
mod create;
mod end;
mod item;
mod list;
mod look;
mod merge;
mod report;
mod retry;
mod snapshot;
mod streams;

pub use batch::Batch;
pub use create::CreateBatch;
pub use end::{BatchCancellation, BatchDeletion, FailedDeletion};
pub use item::BatchItem;
pub use list::{BatchSummary, ListBatches};
pub use report::BatchReport;
pub use retry::{BatchRetry, RetryBatch, RetryFailed};
pub use snapshot::BatchSnapshot;
pub use types::{BatchStatus as Status, ProvisioningPhase as Phase};

use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Open as _;
use crate::resources::paging::count;
use crate::{BatchId, Client};

/// How many sessions the API creates in one batch at most.
const MAX_PER_BATCH: u32 = 1000;

/// Batches of sessions; see [`Client::batch_sessions`].
///
/// The sessions of a batch are created in the background, with one configuration. A [`Batch`] tells
/// how far they are, and hands each out as soon as it is ready.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use anchorbrowser::sessions::SessionOptions;
///
/// let options = SessionOptions::new().headless(true);
/// let batch = client.batch_sessions().create(20).options(options).send().await?;
/// let report = batch.wait().await?;
/// println!("{report}");
/// for session in report.sessions() {
///     session.goto("https://example.com").await?;
/// }
/// batch.delete().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BatchSessions<'a> {
    client: &'a Client,
}

impl<'a> BatchSessions<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a batch of `count` sessions, at least 1. More than the API creates in one batch, which
    /// is 1,000, become several behind one handle.
    pub fn create(&self, count: u32) -> CreateBatch {
        CreateBatch::new(self.client, count)
    }

    /// A handle on a batch that exists; of one that was split, with the ids of all its parts in their
    /// order, as [`Batch::ids`] gives them. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let batch = client.batch_sessions().attach(["batch-id"]);
    /// println!("{}", batch.wait().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach(&self, ids: impl IntoIterator<Item = impl Into<BatchId>>) -> Batch {
        Batch::new(self.client, ids.into_iter().map(Into::into).collect(), None)
    }

    /// How far a batch has come, with each of its sessions.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such batch.
    ///
    /// Calls `get_batch_session`.
    pub fn get(&self, id: impl Into<BatchId>) -> Call<BatchSnapshot> {
        let (client, id) = (self.client.clone(), id.into());
        Call::new(self.client, move |api| look::fetch(api, client, id))
    }

    /// Lists batches.
    pub fn list(&self) -> ListBatches {
        ListBatches::new(self.client)
    }

    /// Gives a batch up: no further session is created, and those that run are ended.
    ///
    /// # Errors
    /// [`is_conflict`](crate::Error::is_conflict) if the batch has ended before: then
    /// [`delete`](Self::delete) ends its sessions. [`is_not_found`](crate::Error::is_not_found) if
    /// there is no such batch.
    ///
    /// Calls `update_batch_session`.
    pub fn cancel(&self, id: impl Into<BatchId>) -> Call<BatchCancellation> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let status = types::BatchSessionUpdateRequestSchemaStatus::Cancelled;
            let body = types::BatchSessionUpdateRequestSchema::new(status);
            let call = api.update_batch_session().batch_id(id).body(body);
            call.send().await?.open("data", |answer| {
                Some(BatchCancellation::new(answer.data.take()?))
            })
        })
    }

    /// Ends the sessions of a batch, and removes them with all their data.
    ///
    /// That some of them could not be deleted is no error: see [`BatchDeletion::is_complete`].
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such batch.
    ///
    /// Calls `delete_batch_session`.
    pub fn delete(&self, id: impl Into<BatchId>) -> Call<BatchDeletion> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_batch_session().batch_id(id).send().await?;
            answer.open("data", |answer| {
                Some(BatchDeletion::new(answer.data.take()?))
            })
        })
    }

    /// Creates the failed sessions of a batch once more.
    pub fn retry(&self, id: impl Into<BatchId>) -> RetryBatch {
        RetryBatch::new(self.client, id.into())
    }
}

/// A count, which is never negative; 0 if it is not told.
fn count_or_zero(number: Option<i64>) -> u64 {
    count(number).unwrap_or(0)
}
