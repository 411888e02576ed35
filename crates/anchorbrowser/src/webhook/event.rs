use std::fmt;

use anchorbrowser_api::wire::Timestamp;
use serde_json::Value;

use super::EventType;
use super::error::VerifyError;
use super::headers::{self, Headers};
use super::payload::{EventPayload, Json};
use crate::{DeliveryId, EventId, ProjectId};

/// An event that was verified.
///
/// Its `Debug` leaves out the text and the data, which may be private.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// The id, `evt_...`: the same in every delivery of the event.
    pub id: EventId,
    /// What happened. Types that are newer than this crate are `Unknown`.
    pub event_type: EventType,
    /// When it happened.
    pub created: Option<Timestamp>,
    /// The project it belongs to.
    pub project_id: Option<ProjectId>,
    /// One line for people. Its wording is not to be relied on.
    pub text: String,
    /// The data of the event, by its type.
    pub payload: EventPayload,
    /// The id of the delivery, for logs. It is not covered by the signature.
    pub delivery_id: Option<DeliveryId>,
    /// The whole envelope, as it was sent.
    pub raw: Json,
}

impl Event {
    /// Reads an envelope. Only `id` and `type` are needed: a genuine event is not lost for less.
    pub(super) fn read<H: Headers + ?Sized>(body: &[u8], headers: &H) -> Result<Self, VerifyError> {
        let raw: Value = serde_json::from_slice(body).map_err(VerifyError::payload)?;
        let text = |name: &str| raw[name].as_str().map(str::to_owned);
        let needed = |name: &str| {
            text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
                VerifyError::payload(format_args!("`{name}` is missing or is not text"))
            })
        };
        let event_type = EventType::from(needed("type")?);
        Ok(Self {
            id: needed("id")?.into(),
            created: serde_json::from_value(raw["created"].clone()).ok(),
            project_id: text("project_id").map(Into::into),
            text: text("text").unwrap_or_default(),
            payload: EventPayload::read(&event_type, raw["data"].clone()),
            delivery_id: headers::text(headers, headers::DELIVERY_ID).map(Into::into),
            event_type,
            raw: Json(raw),
        })
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("created", &self.created)
            .field("project_id", &self.project_id)
            .field("delivery_id", &self.delivery_id)
            .finish_non_exhaustive()
    }
}
