use anchorbrowser_api::types;

use super::{Status, count_or_zero};
use crate::call::Call;
use crate::error::Open as _;
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::resources::paging::{PageRequest, count};
use crate::{BatchId, Client, Timestamp};

/// A list of batches; see [`BatchSessions::list`](super::BatchSessions::list).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListBatches {
    client: Client,
    page: PageRequest,
    status: Option<Status>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
}

impl ListBatches {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            page: PageRequest::first(),
            status: None,
            created_after: None,
            created_before: None,
        }
    }

    /// The number of the first page to fetch; default 1.
    pub fn page(mut self, number: u64) -> Self {
        self.page.number = number;
        self
    }

    /// How many batches a page holds, from 1 to 100; default 20.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page.size = Some(size);
        self
    }

    /// Keeps batches of this status.
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Keeps batches that were created after this time.
    pub fn created_after(mut self, time: impl Into<Timestamp>) -> Self {
        self.created_after = Some(time.into());
        self
    }

    /// Keeps batches that were created before this time.
    pub fn created_before(mut self, time: impl Into<Timestamp>) -> Self {
        self.created_before = Some(time.into());
        self
    }

    /// The first page.
    ///
    /// Calls `list_batch_sessions`.
    pub fn send(self) -> Call<Page<BatchSummary>> {
        self.pager().send()
    }

    /// All batches from the first page on.
    ///
    /// Calls `list_batch_sessions` for each page.
    pub fn stream(self) -> PageStream<BatchSummary> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<BatchSummary> {
        Pager::new("list_batch_sessions", move |cursor| {
            let mut list = self.clone();
            list.page.move_to(cursor);
            list.part()
        })
    }

    fn part(self) -> Call<Part<BatchSummary>> {
        let operation = "list_batch_sessions";
        if let Err(error) = self.page.check(operation, &self.client, 1..=100) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let page = self.page;
            let mut call = api.list_batch_sessions();
            set!(call,
                page: page.sent_number(),
                limit: page.size,
                status: self.status.as_ref().map(Status::as_str),
                created_after: self.created_after,
                created_before: self.created_before,
            );
            call.send().await?.open("data.batches", |answer| {
                let data = answer.data.take()?;
                let told = data.pagination.unwrap_or_default();
                Some(Part {
                    items: data.batches.into_iter().map(BatchSummary::new).collect(),
                    total: count(told.total_records),
                    next: Cursor::after_page(
                        page.number,
                        count(told.current_page),
                        count(told.total_pages),
                        told.has_next,
                    ),
                })
            })
        })
    }
}

/// A batch in a list. A count that the API does not tell is 0.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchSummary {
    /// Its id.
    pub id: BatchId,
    /// Its status.
    pub status: Option<Status>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When its last session was created, or had failed.
    pub completed_at: Option<Timestamp>,
    /// How many sessions were asked for.
    pub total: u64,
    /// How many sessions have been created.
    pub completed: u64,
    /// How many sessions could not be created.
    pub failed: u64,
}

impl BatchSummary {
    fn new(item: types::BatchSessionListItemSchema) -> Self {
        Self {
            id: item.batch_id.unwrap_or_default().into(),
            status: item.status,
            created_at: item.created_at,
            completed_at: item.actual_completion_time,
            total: count_or_zero(item.total_requests),
            completed: count_or_zero(item.completed_requests),
            failed: count_or_zero(item.failed_requests),
        }
    }
}
