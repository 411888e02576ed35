//! Batches of sessions.

mod create;
mod list;
mod retry;
mod snapshot;

pub use create::CreateBatch;
pub use list::{BatchSummary, ListBatches};
pub use retry::{BatchRetry, RetryBatch};
pub use snapshot::{BatchCancellation, BatchDeletion, BatchItem, BatchSnapshot, FailedDeletion};
pub use types::{BatchStatus as Status, ProvisioningPhase as Phase};

use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Open as _;
use crate::resources::paging::count;
use crate::{BatchId, Client};

/// Batches of sessions; see [`Client::batch_sessions`].
///
/// The sessions of a batch are created in the background, with one configuration.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use anchorbrowser::sessions::SessionOptions;
///
/// let options = SessionOptions::new().headless(true);
/// let batch = client.batch_sessions().create(20).options(options).send().await?;
/// let snapshot = client.batch_sessions().get(&batch.id).await?;
/// println!("{} of {} sessions are there", snapshot.completed, snapshot.total);
/// for session in snapshot.sessions(&client) {
///     session.goto("https://example.com").await?;
/// }
/// client.batch_sessions().delete(&batch.id).await?;
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

    /// Creates a batch of `count` sessions, from 1 to 1000.
    pub fn create(&self, count: u32) -> CreateBatch {
        CreateBatch::new(self.client, count)
    }

    /// How far a batch has come, with each of its sessions.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such batch.
    ///
    /// Calls `get_batch_session`.
    pub fn get(&self, id: impl Into<BatchId>) -> Call<BatchSnapshot> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_batch_session().batch_id(id).send().await?;
            let answer = answer.open("data.status", |answer| {
                let mut data = answer.data.take()?;
                Some((data.status.take()?, data))
            })?;
            answer.open("data.batch_id", |(status, data)| {
                BatchSnapshot::new(status.clone(), std::mem::take(data))
            })
        })
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
