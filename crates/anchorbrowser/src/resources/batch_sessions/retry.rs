use anchorbrowser_api::types;

use super::end::{messages, on_each};
use super::merge::{self, merged};
use super::{Batch, BatchItem, BatchSnapshot, Status, count_or_zero};
use crate::call::{Answer, Call};
use crate::error::{Error, Open as _, Result, in_range};
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
        if let Err(error) = check(&self.client, self.max_retries) {
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
}

fn check(client: &Client, max_retries: Option<u32>) -> Result<()> {
    match max_retries {
        Some(count) if client.checks() => {
            in_range("retry_batch_session", "max_retries", count.into(), 1..=3)
        }
        _ => Ok(()),
    }
}

/// A further attempt at the failed sessions of a batch, in all its parts; see
/// [`Batch::retry_failed`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct RetryFailed {
    batch: Batch,
    max_retries: Option<u32>,
}

impl RetryFailed {
    pub(super) fn new(batch: &Batch) -> Self {
        Self {
            batch: batch.clone(),
            max_retries: None,
        }
    }

    /// How often each session is attempted at most, from 1 to 3; default 1. It ends with the first
    /// success.
    pub fn max_retries(mut self, count: u32) -> Self {
        self.max_retries = Some(count);
        self
    }

    /// Looks which parts are over and have failed sessions, and begins the further attempt there.
    /// [Wait](Batch::wait) for its end as for that of the first one; who waits at present for other
    /// parts of the batch sees these too.
    ///
    /// That there is nothing to retry is no error: then [`BatchRetry::retried`] is 0, as long as
    /// the batch is in progress too. It is not repeated if its outcome is unknown: sessions cost money.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such batch. If a part fails, the
    /// others are retried all the same, and its error is returned.
    ///
    /// Calls `get_batch_session`, and `retry_batch_session` for parts with failed sessions.
    pub fn send(self) -> Call<BatchRetry> {
        if let Err(error) = check(&self.batch.client, self.max_retries) {
            return Call::refused(error);
        }
        Call::from_future(async move {
            let looked = self.batch.parts().with_meta().await?;
            let failed = looked.value.iter().filter(|part| has_failed(part));
            let failed: Vec<_> = failed.flat_map(|part| part.ids.clone()).collect();
            if failed.is_empty() {
                let value = BatchRetry {
                    status: merged(looked.value).map(|whole| whole.status),
                    retried: 0,
                    message: None,
                };
                let meta = looked.meta;
                return Ok(Answer { value, meta });
            }
            let retry = |id| RetryBatch {
                max_retries: self.max_retries,
                ..RetryBatch::new(&self.batch.client, id)
            };
            let done = on_each(&failed, |id| retry(id).send()).await;
            let lost = done.errors.iter().any(Error::may_have_been_processed);
            if lost || !done.answers.is_empty() {
                self.batch.begins_again();
            }
            done.merged("retried", BatchRetry::merged)
        })
    }
}

/// Whether a part has failed sessions, and is over, so that they can be retried.
fn has_failed(part: &BatchSnapshot) -> bool {
    let listed = part.items().next().is_some();
    let failed = part.items().any(BatchItem::is_failed);
    let over = matches!(part.status, Status::Completed | Status::Failed);
    over && (failed || !listed && part.failed > 0)
}

/// What has been begun by a [`RetryBatch`] or [`RetryFailed`].
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

    fn merged(parts: Vec<Self>) -> Self {
        let counts = parts.iter().map(|part| part.retried);
        Self {
            status: merge::status(parts.iter().filter_map(|part| part.status.as_ref())),
            retried: counts.fold(0, u64::saturating_add),
            message: messages(parts.iter().map(|part| part.message.clone())),
        }
    }
}
