//! Figures on the sessions of a period.

use std::time::Duration;

use anchorbrowser_api::types;

use super::{Granularity, Metric};
use crate::call::Call;
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::resources::paging::{PageRequest, count, whole};
use crate::timing::from_number;
use crate::{Client, Timestamp};

const HOUR: Duration = Duration::from_secs(3600);

/// Figures on the sessions of a period; see [`Sessions::history`](super::Sessions::history).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct GetHistory {
    client: Client,
    from_date: Option<Timestamp>,
    to_date: Option<Timestamp>,
    granularity: Option<Granularity>,
    metrics: Vec<Metric>,
    page: PageRequest,
}

impl GetHistory {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            from_date: None,
            to_date: None,
            granularity: None,
            metrics: Vec::new(),
            page: PageRequest::first(),
        }
    }

    /// When the period begins.
    pub fn from_date(mut self, time: impl Into<Timestamp>) -> Self {
        self.from_date = Some(time.into());
        self
    }

    /// When the period ends.
    pub fn to_date(mut self, time: impl Into<Timestamp>) -> Self {
        self.to_date = Some(time.into());
        self
    }

    /// The time that each point stands for; default a day.
    pub fn granularity(mut self, granularity: Granularity) -> Self {
        self.granularity = Some(granularity);
        self
    }

    /// Adds a figure that the points are to have; by default they have the number of sessions.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// The number of the first page to fetch; default 1.
    pub fn page(mut self, number: u64) -> Self {
        self.page.number = number;
        self
    }

    /// How many points a page holds, from 1 to 1000; default 100.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page.size = Some(size);
        self
    }

    /// The summary, and the first page of points.
    ///
    /// Calls `get_sessions_history`.
    pub fn send(self) -> Call<History> {
        let pager = self.clone().pager();
        self.first().and_then(|(summary, part)| {
            Ok(History {
                summary,
                points: pager.begun(part),
            })
        })
    }

    /// All points from the first page on.
    ///
    /// Calls `get_sessions_history` for each page.
    pub fn stream(self) -> PageStream<HistoryPoint> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<HistoryPoint> {
        Pager::new("get_sessions_history", move |cursor| {
            let mut history = self.clone();
            history.page.move_to(cursor);
            history.first().and_then(|(_, part)| Ok(part))
        })
    }

    fn first(self) -> Call<(Figures, Part<HistoryPoint>)> {
        let operation = "get_sessions_history";
        if let Err(error) = self.page.check(operation, &self.client, 1..=1000) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let page = self.page;
            let mut call = api.get_sessions_history();
            set!(call,
                page: page.sent_number(),
                from_date: self.from_date,
                to_date: self.to_date,
                granularity: self.granularity,
                metrics: (!self.metrics.is_empty()).then_some(self.metrics),
                limit: page.size,
            );
            Ok(call.send().await?.map(|answer| read(page.number, answer)))
        })
    }
}

fn read(page: u64, answer: types::SessionHistoryResponse) -> (Figures, Part<HistoryPoint>) {
    let told = answer.pagination.unwrap_or_default();
    let part = Part {
        items: answer.data.into_iter().map(HistoryPoint::new).collect(),
        total: count(told.total_records),
        next: Cursor::after_page(
            page,
            count(told.current_page),
            count(told.total_pages),
            told.has_next,
        ),
    };
    (Figures::total(answer.summary.unwrap_or_default()), part)
}

/// Figures on the sessions of a period, in all and over time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct History {
    /// The figures of the whole period.
    pub summary: Figures,
    /// The first page of points, in the order of time.
    pub points: Page<HistoryPoint>,
}

/// The figures of a part of the period.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HistoryPoint {
    /// The date or time that it begins with, in the API's words.
    pub date: Option<String>,
    /// The figures that were asked for.
    pub figures: Figures,
}

impl HistoryPoint {
    fn new(point: types::SessionHistoryDataPoint) -> Self {
        Self {
            date: point.date,
            figures: Figures {
                sessions: whole(point.session_count),
                proxy_bytes: whole(point.proxy_bytes),
                steps: whole(point.ai_steps),
                session_time: hours(point.session_hours),
                credits: point.credits_used,
                screenshots: whole(point.screenshots),
                network_bytes: whole(point.network_bytes_total),
            },
        }
    }
}

/// Figures on sessions. What was not asked for is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// How many sessions were created.
    pub sessions: Option<u64>,
    /// How many bytes went through proxies.
    pub proxy_bytes: Option<u64>,
    /// How many steps agents took.
    pub steps: Option<u64>,
    /// How long the sessions lived, taken together.
    pub session_time: Option<Duration>,
    /// The credits that were used.
    pub credits: Option<f64>,
    /// How many screenshots were made.
    pub screenshots: Option<u64>,
    /// How many bytes were sent and received.
    pub network_bytes: Option<u64>,
}

impl Figures {
    fn total(summary: types::SessionHistorySummary) -> Self {
        Self {
            sessions: whole(summary.total_sessions),
            proxy_bytes: whole(summary.total_proxy_bytes),
            steps: whole(summary.total_ai_steps),
            session_time: hours(summary.total_session_hours),
            credits: summary.total_credits_used,
            screenshots: whole(summary.total_screenshots),
            network_bytes: whole(summary.total_network_bytes_total),
        }
    }
}

fn hours(number: Option<f64>) -> Option<Duration> {
    number.and_then(|number| from_number(number, HOUR))
}
