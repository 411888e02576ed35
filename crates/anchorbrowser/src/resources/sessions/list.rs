//! Lists of sessions.

use std::time::Duration;

use anchorbrowser_api::types;

use super::filter::{Filter, filters, narrow};
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::resources::paging::{PageRequest, whole};
use crate::timing::from_number;
use crate::{Client, SessionId, Timestamp};

pub use types::ListSessionsSortOrder as SortOrder;

/// A list of sessions, of the past and the present; see
/// [`Sessions::list`](super::Sessions::list).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListSessions {
    client: Client,
    page: PageRequest,
    search: Option<String>,
    status: Option<String>,
    filter: Filter,
    sort: Option<(String, SortOrder)>,
}

/// How many sessions a page of [`ListSessions`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageSize {
    /// 10
    Ten = 10,
    /// 20
    Twenty = 20,
    /// 50
    Fifty = 50,
}

filters!(ListSessions);

impl ListSessions {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            page: PageRequest::first(),
            search: None,
            status: None,
            filter: Filter::default(),
            sort: None,
        }
    }

    /// The number of the first page to fetch; default 1.
    pub fn page(mut self, number: u64) -> Self {
        self.page.number = number;
        self
    }

    /// How many sessions a page holds; default 10.
    pub fn page_size(mut self, size: PageSize) -> Self {
        self.page.size = Some(size as u32);
        self
    }

    /// Keeps sessions that have this text in one of their tags, in upper or lower case. Texts with
    /// commas between them are sought one by one.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Keeps sessions of exactly this status.
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Sorts by a field: `created_at` (the default, in ascending order), `session_id`,
    /// `used_credits` or `api_key_name`.
    pub fn sort(mut self, field: impl Into<String>, order: SortOrder) -> Self {
        self.sort = Some((field.into(), order));
        self
    }

    /// The first page.
    ///
    /// Calls `list_sessions`.
    pub fn send(self) -> Call<Page<SessionSummary>> {
        self.pager().send()
    }

    /// All sessions from the first page on.
    ///
    /// Calls `list_sessions` for each page.
    pub fn stream(self) -> PageStream<SessionSummary> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<SessionSummary> {
        Pager::new("list_sessions", move |cursor| {
            let mut list = self.clone();
            list.page.move_to(cursor);
            list.part()
        })
    }

    fn part(self) -> Call<Part<SessionSummary>> {
        if let Err(error) = self.check("list_sessions") {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let (page, (sort_by, sort_order)) = (self.page, self.sort.unzip());
            let mut call = api.list_sessions();
            narrow!(call, self.filter);
            set!(call,
                page: page.sent_number(),
                limit: page.size,
                search: self.search,
                status: self.status,
                sort_by: sort_by,
                sort_order: sort_order,
            );
            call.send().await?.open("data.sessions", |answer| {
                let data = answer.data.take()?;
                let (current, pages) = (whole(data.page), whole(data.total_pages));
                Some(Part {
                    items: data.sessions.into_iter().map(SessionSummary::new).collect(),
                    total: whole(data.total),
                    next: Cursor::after_page(page.number, current, pages, None),
                })
            })
        })
    }

    fn check(&self, operation: &'static str) -> Result<()> {
        self.page.check(operation, &self.client, 10..=50)?;
        self.filter.check(operation, &self.client)
    }
}

/// A session in a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionSummary {
    /// Its id.
    pub id: SessionId,
    /// Its status, e.g. `running`: the API does not limit the words.
    pub status: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// How long it has lived.
    pub duration: Option<Duration>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The domains that it visited.
    pub domains: Vec<String>,
    /// Whether its browser has no window.
    pub headless: Option<bool>,
    /// Whether it is recorded.
    pub recording: Option<bool>,
    /// The kind of its proxy.
    pub proxy_type: Option<String>,
    /// How many bytes went through its proxy.
    pub proxy_bytes: Option<u64>,
    /// The credits that it used.
    pub credits: Credits,
    /// How many steps agents have taken in it.
    pub steps: Option<u64>,
    /// How many tasks were executed in it.
    pub task_executions: Option<u64>,
    /// Whether a task started it.
    pub task_initiated: Option<bool>,
    /// The address that its browser comes from.
    pub browser_ip: Option<String>,
    /// The name of the API key that created it.
    pub api_key_name: Option<String>,
    /// What the session was created with, as JSON. It may hold secrets, so `Debug` does not show it.
    pub configuration: std::collections::BTreeMap<String, anchorbrowser_api::wire::SecretJson>,
}

impl SessionSummary {
    fn new(item: types::SessionHistoryPageItem) -> Self {
        Self {
            id: item.id.unwrap_or_default().into(),
            status: item.status,
            created_at: item.created_at,
            duration: item
                .duration
                .and_then(|number| from_number(number, Duration::from_secs(1))),
            tags: item.tags,
            domains: item.domains,
            headless: item.headless,
            recording: item.recording,
            proxy_type: item.proxy_type,
            proxy_bytes: whole(item.proxy_bytes),
            credits: Credits::new(item.used_credits),
            steps: whole(item.steps),
            task_executions: whole(item.task_executions_count),
            task_initiated: item.task_initiated,
            browser_ip: item.browser_ip,
            api_key_name: item.api_key_name,
            configuration: item.user_configuration,
        }
    }
}

/// The credits that a session used.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Credits {
    /// This many.
    Used(f64),
    /// Not known yet: the session runs.
    Pending,
    /// What cannot be read as a number, as it was sent.
    Unknown(serde_json::Value),
}

impl Credits {
    fn new(sent: Option<types::SessionHistoryPageItemUsedCredits>) -> Self {
        use types::SessionHistoryPageItemUsedCredits as Sent;
        match sent {
            None => Self::Pending,
            Some(Sent::Number(number)) => Self::Used(number),
            Some(Sent::String(text)) if text.eq_ignore_ascii_case("n/a") => Self::Pending,
            Some(Sent::String(text)) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Self::Used(number),
                _ => Self::Unknown(text.into()),
            },
            Some(Sent::Unknown(json)) => Self::Unknown(json),
            Some(_) => Self::Pending,
        }
    }

    /// The number, if it is known.
    pub fn used(&self) -> Option<f64> {
        match self {
            Self::Used(number) => Some(*number),
            _ => None,
        }
    }
}
