use anchorbrowser_api::types;
use reqwest::StatusCode;
use serde_json::{Map, Value};

use super::{Batch, MAX_PER_BATCH};
use crate::call::{Answer, Call};
use crate::error::{Error, Open as _, Result};
use crate::poll::Begun;
use crate::sessions::{SessionOptions, unread_id};
use crate::{BatchId, Client, background};

/// The creation of a batch; see [`BatchSessions::create`](super::BatchSessions::create).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateBatch {
    client: Client,
    count: u32,
    options: Option<SessionOptions>,
    metadata: Option<Map<String, Value>>,
}

impl CreateBatch {
    pub(super) fn new(client: &Client, count: u32) -> Self {
        Self {
            client: client.clone(),
            count,
            options: None,
            metadata: None,
        }
    }

    /// How the sessions are to be.
    pub fn options(mut self, options: SessionOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// Adds something that the batch is to be known by, or grouped by.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let metadata = self.metadata.get_or_insert_default();
        metadata.insert(name.into(), value.into());
        self
    }

    /// Creates the batch, and answers at once; its sessions are created in the background.
    ///
    /// More than 1,000 sessions are created as several batches, one after the other. If one of them
    /// cannot be created, those before it are deleted in the background, as are all if the call is
    /// dropped before it is ready. [`drained`](crate::sessions::Sessions::drained) waits for that.
    ///
    /// It is not repeated if its outcome is unknown: sessions cost money. A batch may be left over
    /// then ([`may_have_been_processed`](crate::Error::may_have_been_processed)); the
    /// [list](super::BatchSessions::list) has it.
    ///
    /// # Errors
    /// [`is_insufficient_credits`](crate::Error::is_insufficient_credits),
    /// [`is_rate_limited`](crate::Error::is_rate_limited), and what any call may fail with.
    ///
    /// Calls `create_batch_session`, for each 1,000 sessions.
    pub fn send(self) -> Call<Batch> {
        let client = self.client.clone();
        let count = self.count;
        let body = match self.body() {
            Ok(body) => body,
            Err(error) => return Call::refused(error),
        };
        Call::from_future(async move {
            let (mut created, mut last) = (Vec::new(), None);
            let begun = Begun::now();
            for size in sizes(count) {
                let body = types::BatchSessionRequestSchema {
                    count: size.into(),
                    ..body.clone()
                };
                // It goes on if this call is dropped, and what it has created is deleted then.
                match background::run(create(client.clone(), body)).await {
                    Ok(answer) => {
                        created.push(answer.value);
                        last = Some(answer.meta);
                    }
                    Err(error) if created.is_empty() => return Err(error),
                    Err(error) => {
                        let count = created.len();
                        let hint = format!(
                            "{count} of the batches that were to hold the sessions were created \
                             before, and are deleted in the background"
                        );
                        return Err(error.with_hint(&hint));
                    }
                }
            }
            let meta = last.ok_or_else(Error::cancelled)?;
            let ids = created.into_iter().filter_map(Created::keep).collect();
            Ok(Answer {
                value: Batch::new(&client, ids, Some(begun)),
                meta,
            })
        })
    }

    fn body(self) -> Result<types::BatchSessionRequestSchema> {
        let (operation, checks) = ("create_batch_session", self.client.checks());
        if checks && self.count == 0 {
            let message = "`count` is 0; it must be at least 1";
            return Err(Error::invalid(operation, message));
        }
        let options = self.options;
        let configuration = options.map(|options| options.checked(operation, checks));
        Ok(types::BatchSessionRequestSchema {
            configuration: configuration.transpose()?,
            metadata: self.metadata,
            ..types::BatchSessionRequestSchema::new(self.count.into())
        })
    }
}

/// The sizes of the batches that so many sessions are created in.
fn sizes(count: u32) -> impl Iterator<Item = u32> {
    let parts = count.div_ceil(MAX_PER_BATCH).max(1);
    (0..parts).map(move |part| (count - part * MAX_PER_BATCH).min(MAX_PER_BATCH))
}

async fn create(client: Client, body: types::BatchSessionRequestSchema) -> Result<Answer<Created>> {
    let created = |id: String| Created {
        client: client.clone(),
        id: Some(id.into()),
    };
    let sent = client.raw().create_batch_session().body(body).send().await;
    let answer = sent
        .map_err(Error::from)
        .and_then(|answer| answer.open("data.batch_id", |answer| answer.data.take()?.batch_id));
    // It was created all the same if the answer cannot be read.
    let answer =
        answer.inspect_err(|error| drop(unread_id(error, "/data/batch_id").map(created)))?;
    Ok(Answer::new(answer.map(created)))
}

/// A batch that was created, and is deleted unless it is kept.
struct Created {
    client: Client,
    id: Option<BatchId>,
}

impl Created {
    fn keep(mut self) -> Option<BatchId> {
        self.id.take()
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else {
            return;
        };
        let client = self.client.clone();
        background::spawn_ending(async move {
            // The service does not say that a deletion keeps it from creating further sessions. If this
            // fails, the deletion tells.
            drop(client.batch_sessions().cancel(&id).await);
            let delete = || {
                let delete = client.batch_sessions().delete(&id);
                delete.none_on("delete_batch_session", StatusCode::NOT_FOUND)
            };
            let mut deleted = delete().await;
            // An HTTP client that was given has connections of a runtime that may be gone.
            if deleted
                .as_ref()
                .is_err_and(|error| error.status().is_none())
            {
                deleted = delete().await;
            }
            match deleted {
                Err(error) => {
                    tracing::warn!(target: "anchorbrowser", batch = %id, %error, "a batch could not be deleted");
                }
                Ok(Some(deleted)) if !deleted.is_complete() => {
                    let failed = deleted.failed.max(deleted.errors.len() as u64);
                    tracing::warn!(target: "anchorbrowser", batch = %id, failed, "sessions of a batch could not be deleted");
                }
                Ok(_) => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_batch_is_larger_than_the_api_allows() {
        for (count, parts) in [
            (0, vec![0]),
            (1, vec![1]),
            (1000, vec![1000]),
            (1001, vec![1000, 1]),
            (2500, vec![1000, 1000, 500]),
            (3000, vec![1000; 3]),
        ] {
            assert_eq!(sizes(count).collect::<Vec<_>>(), parts);
        }
        assert_eq!(
            sizes(u32::MAX).map(u64::from).sum::<u64>(),
            u64::from(u32::MAX)
        );
    }
}
