use anchorbrowser_api::types;

use super::{Status, count_or_zero};
use crate::call::Call;
use crate::error::{Open as _, Result, in_range};
use crate::{BatchId, Client};

/// A further attempt at the failed sessions of a batch; see
/// [`BatchSessions::retry`](super::BatchSessions::retry).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct RetryBatch {
    client: Client,
    id: BatchId,
    max_retries: Option<u32>,
    failed_only: Option<bool>,
}

impl RetryBatch {
    pub(super) fn new(client: &Client, id: BatchId) -> Self {
        Self {
            client: client.clone(),
            id,
            max_retries: None,
            failed_only: None,
        }
    }

    /// How often each session is attempted at most, from 1 to 3; default 1. It ends with the first
    /// success.
    pub fn max_retries(mut self, count: u32) -> Self {
        self.max_retries = Some(count);
        self
    }

    /// Whether only failed sessions are created once more; default yes.
    pub fn failed_only(mut self, on: bool) -> Self {
        self.failed_only = Some(on);
        self
    }

    /// Begins the further attempt. The batch is then [`Processing`](Status::Processing) again.
    ///
    /// It is not repeated if its outcome is unknown: sessions cost money.
    ///
    /// # Errors
    /// Status 400 if no session of the batch has failed;
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such batch.
    ///
    /// Calls `retry_batch_session`.
    pub fn send(self) -> Call<BatchRetry> {
        if let Err(error) = self.check() {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let body = types::BatchSessionRetryRequestSchema {
                max_retries: self.max_retries.map(Into::into),
                retry_failed_only: self.failed_only,
            };
            let call = api.retry_batch_session().batch_id(self.id).body(body);
            call.send()
                .await?
                .open("data", |answer| Some(BatchRetry::new(answer.data.take()?)))
        })
    }

    fn check(&self) -> Result<()> {
        match self.max_retries {
            Some(count) if self.client.checks() => {
                in_range("retry_batch_session", "max_retries", count.into(), 1..=3)
            }
            _ => Ok(()),
        }
    }
}

/// What has been begun by a [`RetryBatch`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchRetry {
    /// The status of the batch.
    pub status: Option<Status>,
    /// How many sessions are created once more.
    pub retried: u64,
    /// The same in words.
    pub message: Option<String>,
}

impl BatchRetry {
    fn new(data: types::BatchSessionRetryResponseSchema) -> Self {
        Self {
            status: data.status,
            retried: count_or_zero(data.retried_sessions),
            message: data.message,
        }
    }
}
