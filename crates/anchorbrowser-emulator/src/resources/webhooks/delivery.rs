//! Deliveries: one event to one webhook, over up to [`webhook::MAX_ATTEMPTS`] attempts.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HISTORY, Webhook, webhook};
use crate::time::Time;
use crate::webhook::Verdict;
use crate::world::{Record, World};

const PENDING: &str = "pending";

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) webhook: String,
    /// Id of the event; the deliveries of one event to several webhooks share it.
    pub(super) event_id: String,
    pub(crate) event: String,
    /// The envelope as it is sent and signed.
    envelope: String,
    /// `pending`, `succeeded`, `failed` or `dead`.
    pub(crate) status: String,
    /// Attempts that have ended.
    pub(crate) attempts: u32,
    /// What the consumer answered last.
    pub(crate) response: Option<u16>,
    pub(crate) error: Option<String>,
    pub(super) created: Time,
    /// When the last attempt was due, or the next one is.
    scheduled: Time,
    completed: Option<Time>,
    /// Taken by the courier. Not stored: after a restart nobody knows how far it came, so it is sent again.
    #[serde(skip)]
    under_way: bool,
}

/// Leaves out the envelope, whose data may be private.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("webhook", &self.webhook)
            .field("event", &self.event)
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl Record for Delivery {
    const KIND: &'static str = "deliveries";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        match self.is_pending() {
            true if self.under_way => None,
            true => Some(self.scheduled),
            false => Some(self.created.after(HISTORY)),
        }
    }

    fn step(world: &mut World, id: &str) {
        let now = world.now;
        let tables = &mut world.tables;
        let Some(delivery) = tables.deliveries.edit(id) else {
            return;
        };
        if !delivery.is_pending() {
            tables.deliveries.remove(id);
            return;
        }
        match active(tables.webhooks.get(&delivery.webhook)) {
            Ok(_) => {
                delivery.under_way = true;
                world.outbox.push(id.to_owned());
            }
            Err(why) => delivery.end("failed", now, Some(why.to_owned())),
        }
    }
}

impl Delivery {
    fn is_pending(&self) -> bool {
        self.status == PENDING
    }

    fn end(&mut self, status: &str, now: Time, error: Option<String>) {
        status.clone_into(&mut self.status);
        self.error = error;
        self.completed = Some(now);
    }

    /// A row of the history.
    pub(super) fn row(&self, with_payload: bool) -> Value {
        let mut row = json!({
            "id": self.id,
            "external_event_id": self.event_id,
            "event_type": self.event,
            "status": self.status,
            "attempt": self.attempts,
            "response_status": self.response,
            "error_message": self.error,
            "scheduled_at": self.scheduled.text(),
            "completed_at": self.completed.map(Time::text),
        });
        if with_payload {
            row["payload"] = serde_json::from_str(&self.envelope).unwrap_or_default();
        }
        row
    }
}

/// The webhook, if it gets anything; else why it does not.
fn active(webhook: Option<&Webhook>) -> Result<&Webhook, &'static str> {
    match webhook {
        Some(webhook) if webhook.is_active() => Ok(webhook),
        Some(webhook) if webhook.deleted.is_none() => {
            Err("the webhook was disabled before the event was delivered")
        }
        _ => Err("the webhook was deleted before the event was delivered"),
    }
}

/// Adds a delivery that is due at once. A full table loses its oldest delivery that has ended: an event has no request
/// that could be refused instead.
pub(super) fn add(world: &mut World, webhook: &str, event_id: &str, event: &str, envelope: &str) {
    let delivery = Delivery {
        id: world.ids.uuid(),
        webhook: webhook.to_owned(),
        event_id: event_id.to_owned(),
        event: event.to_owned(),
        envelope: envelope.to_owned(),
        status: PENDING.to_owned(),
        attempts: 0,
        response: None,
        error: None,
        created: world.now,
        scheduled: world.now,
        completed: None,
        under_way: false,
    };
    let deliveries = &mut world.tables.deliveries;
    if deliveries.len() >= world.config.limits.records {
        let oldest = deliveries
            .iter()
            .find(|delivery| !delivery.is_pending())
            .map(|delivery| delivery.id.clone());
        if let Some(oldest) = oldest {
            deliveries.remove(&oldest);
        }
    }
    if deliveries.add(delivery).is_err() {
        tracing::warn!(event, "an event was lost: too many deliveries are pending");
    }
}

/// Ends what a webhook that was disabled or deleted would still get. What is under way ends by itself.
pub(super) fn drop_pending(world: &mut World, webhook: &str) {
    let now = world.now;
    let Err(why) = active(world.tables.webhooks.get(webhook)) else {
        return;
    };
    let deliveries = &mut world.tables.deliveries;
    for id in deliveries.ids(|it| it.webhook == webhook && it.is_pending() && !it.under_way) {
        if let Some(delivery) = deliveries.edit(&id) {
            delivery.end("failed", now, Some(why.to_owned()));
        }
    }
}

/// The delivery `id`, ready to be sent now. `None` if it is not to be sent any more.
pub(crate) fn outgoing(world: &mut World, id: &str) -> Option<webhook::Delivery> {
    let now = world.now;
    let tables = &mut world.tables;
    let webhook = tables
        .deliveries
        .get(id)
        .and_then(|delivery| tables.webhooks.get(&delivery.webhook));
    let webhook = match active(webhook) {
        Ok(webhook) => webhook,
        Err(why) => {
            let delivery = tables
                .deliveries
                .edit(id)
                .filter(|delivery| delivery.is_pending())?;
            delivery.end("failed", now, Some(why.to_owned()));
            return None;
        }
    };
    let delivery = tables
        .deliveries
        .get(id)
        .filter(|delivery| delivery.is_pending())?;
    let body = Bytes::copy_from_slice(delivery.envelope.as_bytes());
    Some(webhook::Delivery {
        url: webhook.url.clone(),
        event: delivery.event.clone(),
        delivery_id: delivery.id.clone(),
        timestamp: now.seconds(),
        // Only the newest secret signs. Consumers try the previous one too, for what was signed before a rotation.
        signature: webhook::signature(&webhook.secret.0, now.seconds(), &body)?,
        body,
    })
}

/// Takes note of how a delivery went.
pub(crate) fn delivered(world: &mut World, id: &str, result: &Result<u16, String>) {
    let now = world.now;
    let tables = &mut world.tables;
    // Gone when the emulator was reset meanwhile.
    let Some(delivery) = tables
        .deliveries
        .edit(id)
        .filter(|delivery| delivery.is_pending())
    else {
        return;
    };
    delivery.under_way = false;
    delivery.attempts += 1;
    delivery.response = result.as_ref().ok().copied();
    let webhook = active(tables.webhooks.get(&delivery.webhook));
    let error = match result {
        Ok(status) => format!("the webhook answered {status}"),
        Err(error) => error.clone(),
    };
    match (webhook::verdict(result), webhook) {
        (Verdict::Succeeded, _) => delivery.end("succeeded", now, None),
        (Verdict::Failed, _) => delivery.end("failed", now, Some(error)),
        (Verdict::Retry, Err(why)) => delivery.end("failed", now, Some(why.to_owned())),
        // Nothing beyond this machine is contacted, now or later.
        (Verdict::Retry, Ok(webhook)) if webhook::local_target(&webhook.url).is_none() => {
            delivery.end("failed", now, Some(error));
        }
        (Verdict::Retry, Ok(_)) if delivery.attempts >= webhook::MAX_ATTEMPTS => {
            delivery.end("dead", now, Some(error));
        }
        (Verdict::Retry, Ok(_)) => {
            delivery.error = Some(error);
            delivery.scheduled = now.after(webhook::retry_delay(delivery.attempts));
        }
    }
}
