use anchorbrowser_api::types;
use serde_json::{Map, Value};

use super::BatchSummary;
use crate::Client;
use crate::call::Call;
use crate::error::{Open as _, Result, in_range};
use crate::sessions::SessionOptions;

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
    /// It is not repeated if its outcome is unknown: sessions cost money.
    ///
    /// # Errors
    /// [`is_insufficient_credits`](crate::Error::is_insufficient_credits),
    /// [`is_rate_limited`](crate::Error::is_rate_limited), and what any call may fail with.
    ///
    /// Calls `create_batch_session`.
    pub fn send(self) -> Call<BatchSummary> {
        let client = self.client.clone();
        let body = match self.body() {
            Ok(body) => body,
            Err(error) => return Call::refused(error),
        };
        Call::new(&client, move |api| async move {
            let answer = api.create_batch_session().body(body).send().await?;
            answer.open("data.batch_id", |answer| {
                let data = answer.data.take()?;
                Some(BatchSummary {
                    id: data.batch_id?.into(),
                    status: data.status,
                    created_at: data.created_at,
                    completed_at: None,
                    total: super::count_or_zero(data.total_requests),
                    completed: 0,
                    failed: 0,
                })
            })
        })
    }

    fn body(self) -> Result<types::BatchSessionRequestSchema> {
        let (operation, checks) = ("create_batch_session", self.client.checks());
        if checks {
            in_range(operation, "count", self.count.into(), 1..=1000)?;
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
