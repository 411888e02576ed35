//! What became of events.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anchorbrowser_api::types;
use anchorbrowser_api::wire::SecretJson;

use super::{DeliveryStatus, EventType};
use crate::call::Call;
use crate::error::in_range;
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::resources::paging::count;
use crate::{Client, DeliveryId, EventId, Timestamp, WebhookId};

/// How many deliveries a page may hold.
const PAGE_SIZES: RangeInclusive<u64> = 1..=100;

/// A list of deliveries to a webhook; see [`Webhooks::events`](super::Webhooks::events).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListWebhookEvents {
    client: Client,
    id: WebhookId,
    offset: u64,
    page_size: Option<u32>,
    status: Option<DeliveryStatus>,
    event_type: Option<EventType>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    include_payload: Option<bool>,
}

impl ListWebhookEvents {
    pub(super) fn new(client: &Client, id: WebhookId) -> Self {
        Self {
            client: client.clone(),
            id,
            offset: 0,
            page_size: None,
            status: None,
            event_type: None,
            since: None,
            until: None,
            include_payload: None,
        }
    }

    /// How many deliveries to pass over; default none.
    pub fn offset(mut self, count: u64) -> Self {
        self.offset = count;
        self
    }

    /// How many deliveries a page holds: 1 to 100; default 25.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page_size = Some(size);
        self
    }

    /// Keeps deliveries of this status.
    pub fn status(mut self, status: DeliveryStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Keeps deliveries of this kind of event.
    pub fn event_type(mut self, event_type: impl Into<EventType>) -> Self {
        self.event_type = Some(event_type.into());
        self
    }

    /// Keeps deliveries of this time or later.
    pub fn since(mut self, time: impl Into<Timestamp>) -> Self {
        self.since = Some(time.into());
        self
    }

    /// Keeps deliveries of this time or earlier.
    pub fn until(mut self, time: impl Into<Timestamp>) -> Self {
        self.until = Some(time.into());
        self
    }

    /// Whether each delivery comes with the event that was sent; default no.
    pub fn include_payload(mut self, on: bool) -> Self {
        self.include_payload = Some(on);
        self
    }

    /// The first page.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no webhook of this id.
    ///
    /// Calls `list_webhook_events`.
    pub fn send(self) -> Call<Page<Delivery>> {
        self.pager().send()
    }

    /// All deliveries from the offset on.
    ///
    /// Calls `list_webhook_events` for each page.
    pub fn stream(self) -> PageStream<Delivery> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<Delivery> {
        Pager::new("list_webhook_events", move |cursor| {
            let mut list = self.clone();
            if let Some(Cursor::Offset(count)) = cursor {
                list.offset = *count;
            }
            list.part()
        })
    }

    fn part(self) -> Call<Part<Delivery>> {
        if self.client.checks()
            && let Some(size) = self.page_size
            && let Err(error) = in_range("list_webhook_events", "limit", size.into(), PAGE_SIZES)
        {
            return Call::refused(error);
        }
        Call::new(&self.client.clone(), move |api| async move {
            let mut call = api.list_webhook_events().id(self.id);
            if self.offset != 0 {
                call = call.offset(i64::try_from(self.offset).unwrap_or(i64::MAX));
            }
            set!(call,
                limit: self.page_size.map(i64::from),
                status: self.status.map(|status| status.as_str().to_owned()),
                event_type: self.event_type,
                since: self.since,
                until: self.until,
                include_payload: self.include_payload.map(|on| if on { "true" } else { "false" }),
            );
            let answer = call.send().await?;
            Ok(answer.map(|answer| part(answer, self.offset)))
        })
    }
}

pub(super) fn part(answer: types::WebhookEventsListResponse, asked: u64) -> Part<Delivery> {
    let pagination = answer.pagination.unwrap_or_default();
    let total = count(pagination.total);
    // From where the server says it is: if it ignores the offset asked for, the list does not
    // advance, and that is noticed.
    let begin = count(pagination.offset).unwrap_or(asked);
    let end = begin.saturating_add(answer.events.len() as u64);
    Part {
        items: answer.events.into_iter().map(Delivery::new).collect(),
        total,
        next: total
            .is_some_and(|total| end < total)
            .then_some(Cursor::Offset(end)),
    }
}

/// The delivery of an event to a webhook.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event's id: the same in all deliveries of an event.
    pub event_id: EventId,
    /// The kind of event.
    pub event_type: Option<EventType>,
    /// What became of it. A failed attempt is repeated until it is `Succeeded`, `Failed` (the
    /// answer was one that repeating does not help) or `Dead` (by default after six attempts).
    pub status: Option<DeliveryStatus>,
    /// How often it was tried.
    pub attempt: Option<u64>,
    /// The status of the last answer.
    pub response_status: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it is, or was, due.
    pub scheduled_at: Option<Timestamp>,
    /// When it was over.
    pub completed_at: Option<Timestamp>,
    /// The members of the event as it was sent; empty unless
    /// [`include_payload`](ListWebhookEvents::include_payload) asked for them. They may hold signed
    /// URLs, so `Debug` does not show them.
    pub payload: BTreeMap<String, SecretJson>,
}

impl Delivery {
    fn new(row: types::WebhookEventDeliveryRow) -> Self {
        let status = row.response_status;
        Self {
            id: row.id.unwrap_or_default().into(),
            event_id: row.external_event_id.unwrap_or_default().into(),
            event_type: row.event_type,
            status: row.status,
            attempt: count(row.attempt),
            response_status: status.and_then(|status| u16::try_from(status).ok()),
            error: row.error_message,
            scheduled_at: row.scheduled_at,
            completed_at: row.completed_at,
            payload: row.payload,
        }
    }
}
