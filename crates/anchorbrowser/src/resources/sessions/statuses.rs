//! The status of all sessions of a key.

use anchorbrowser_api::types;

use super::filter::{Filter, filters, narrow};
use crate::call::Call;
use crate::error::Open as _;
use crate::page::{Page, PageStream, Pager, Part};
use crate::resources::paging::count;
use crate::{Client, SessionId, Timestamp};

/// The status of each session of the API key; see [`Sessions::statuses`](super::Sessions::statuses).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListStatuses {
    client: Client,
    filter: Filter,
}

filters!(ListStatuses);

impl ListStatuses {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            filter: Filter::default(),
        }
    }

    /// All of them: the API does not divide this list.
    ///
    /// Calls `get_all_sessions_status`.
    pub fn send(self) -> Call<Page<SessionStatus>> {
        self.pager().send()
    }

    /// All of them, one by one.
    ///
    /// Calls `get_all_sessions_status`.
    pub fn stream(self) -> PageStream<SessionStatus> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<SessionStatus> {
        Pager::new("get_all_sessions_status", move |_| self.clone().part())
    }

    fn part(self) -> Call<Part<SessionStatus>> {
        let operation = "get_all_sessions_status";
        if let Err(error) = self.filter.check(operation, &self.client) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let mut call = api.get_all_sessions_status();
            narrow!(call, self.filter);
            call.send().await?.open("data.items", |answer| {
                let data = answer.data.take()?;
                Some(Part {
                    items: data.items.into_iter().map(SessionStatus::new).collect(),
                    total: count(data.count),
                    next: None,
                })
            })
        })
    }
}

/// The status of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionStatus {
    /// Its id.
    pub id: SessionId,
    /// Its status, e.g. `running`: the API does not limit the words.
    pub status: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<String>,
}

impl SessionStatus {
    fn new(item: types::SessionStatus) -> Self {
        Self {
            id: item.session_id.unwrap_or_default().into(),
            status: item.status,
            created_at: item.created_at,
            tags: item.tags,
        }
    }
}
