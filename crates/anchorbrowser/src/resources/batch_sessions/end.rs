//! The end of a batch, and what is done with all its parts.

use anchorbrowser_api::types;
use futures_util::stream::{self, StreamExt as _};
use reqwest::StatusCode;

use super::look::AT_ONCE;
use super::merge;
use super::{Batch, Status, count_or_zero};
use crate::call::{Answer, Call};
use crate::error::{Error, Result};
use crate::{BatchId, SessionId};

impl Batch {
    /// Gives the batch up: no further session is created, and those that run are ended. That it, or a
    /// part of it, has ended before is no error: see [`BatchCancellation::over`].
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such batch. If a part fails, the others
    /// are given up all the same, and its error is returned.
    ///
    /// Calls `update_batch_session`, for each part.
    pub fn cancel(&self) -> Call<BatchCancellation> {
        let batch = self.clone();
        Call::from_future(async move {
            let cancel = |id: BatchId| {
                let call = batch.client.batch_sessions().cancel(&id);
                let call = call.none_on("update_batch_session", StatusCode::CONFLICT);
                call.and_then(move |cancelled| {
                    Ok(cancelled.unwrap_or_else(|| BatchCancellation::of_over(id)))
                })
            };
            let done = on_each(batch.ids(), cancel).await;
            done.merged("given up", BatchCancellation::merged)
        })
    }

    /// Ends the sessions of the batch, and removes them with all their data.
    ///
    /// That some of them could not be deleted is no error: see [`BatchDeletion::is_complete`]. The
    /// service does not say what becomes of sessions that are still to be created:
    /// [`cancel`](Self::cancel) a batch that is in progress first.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such batch; of a batch that was split, if
    /// there is none of its parts. If a part fails otherwise, the others are deleted all the same, and
    /// its error is returned: call it again for the rest.
    ///
    /// Calls `delete_batch_session`, for each part.
    pub fn delete(&self) -> Call<BatchDeletion> {
        let batch = self.clone();
        Call::from_future(async move {
            let delete = |id: BatchId| batch.client.batch_sessions().delete(id);
            let mut done = on_each(batch.ids(), delete).await;
            let is_there = |error: &Error| !error.is_not_found();
            if !done.answers.is_empty() || done.errors.iter().any(is_there) {
                // What is gone was deleted before.
                done.errors.retain(is_there);
            }
            done.merged("deleted", BatchDeletion::merged)
        })
    }
}

/// What was done with the parts of a batch.
pub(super) struct Done<T> {
    pub(super) answers: Vec<Answer<T>>,
    pub(super) errors: Vec<Error>,
}

/// Makes a call for each part, whatever becomes of the others.
pub(super) async fn on_each<T: Send + 'static>(
    ids: &[BatchId],
    call: impl Fn(BatchId) -> Call<T>,
) -> Done<T> {
    let calls: Vec<_> = ids.iter().map(|id| call(id.clone()).with_meta()).collect();
    let mut calls = stream::iter(calls).buffered(AT_ONCE);
    let mut done = Done {
        answers: Vec::new(),
        errors: Vec::new(),
    };
    while let Some(answer) = calls.next().await {
        match answer {
            Ok(answer) => done.answers.push(answer),
            Err(error) => done.errors.push(error),
        }
    }
    done
}

impl<T> Done<T> {
    /// The answers as one, or the first error; `verb` is what was done with the others.
    pub(super) fn merged(
        mut self,
        verb: &str,
        merge: impl FnOnce(Vec<T>) -> T,
    ) -> Result<Answer<T>> {
        let (done, failed) = (self.answers.len(), self.errors.len());
        if failed > 0 {
            let error = self.errors.swap_remove(0);
            let all = done + failed;
            let hint = format!("{done} of the {all} parts of the batch were {verb}");
            return Err(if all > 1 {
                error.with_hint(&hint)
            } else {
                error
            });
        }
        let Some(meta) = self.answers.last().map(|answer| answer.meta.clone()) else {
            return Err(super::look::nothing());
        };
        let values = self.answers.into_iter().map(|answer| answer.value);
        Ok(Answer {
            value: merge(values.collect()),
            meta,
        })
    }
}

/// The messages of the parts, in one text.
pub(super) fn messages(messages: impl Iterator<Item = Option<String>>) -> Option<String> {
    let messages: Vec<_> = messages.flatten().collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

/// What has become of a batch that was given up.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BatchCancellation {
    /// The status of the batch; `None` if it was over before, and was not given up.
    pub status: Option<Status>,
    /// How many running sessions were ended.
    pub ended: u64,
    /// The same in words.
    pub message: Option<String>,
    /// The batches, or parts of one, that had ended before: their sessions go on. To end them,
    /// delete the batch.
    pub over: Vec<BatchId>,
}

impl BatchCancellation {
    pub(super) fn new(data: types::BatchSessionUpdateResponseSchema) -> Self {
        Self {
            status: data.status,
            ended: count_or_zero(data.cancelled_sessions),
            message: data.message,
            over: Vec::new(),
        }
    }

    fn of_over(id: BatchId) -> Self {
        Self {
            over: vec![id],
            ..Self::default()
        }
    }

    fn merged(parts: Vec<Self>) -> Self {
        Self {
            status: merge::status(parts.iter().filter_map(|part| part.status.as_ref())),
            ended: parts
                .iter()
                .map(|part| part.ended)
                .fold(0, u64::saturating_add),
            message: messages(parts.iter().map(|part| part.message.clone())),
            over: parts.into_iter().flat_map(|part| part.over).collect(),
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

    fn merged(parts: Vec<Self>) -> Self {
        let sum = |count: fn(&Self) -> u64| parts.iter().map(count).fold(0, u64::saturating_add);
        Self {
            deleted: sum(|part| part.deleted),
            failed: sum(|part| part.failed),
            message: messages(parts.iter().map(|part| part.message.clone())),
            errors: parts.into_iter().flat_map(|part| part.errors).collect(),
        }
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
