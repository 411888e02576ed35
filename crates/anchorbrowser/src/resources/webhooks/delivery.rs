//! Waiting for a delivery.

use anchorbrowser_api::ResponseValue;

use super::events::part;
use super::{Delivery, DeliveryStatus};
use crate::error::Result;
use crate::page::Cursor;
use crate::poll::{Awaited, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::{Client, EventId, WebhookId};

/// How many deliveries are asked for at once: as many as can be.
const PAGE: i64 = 100;
/// How many deliveries a poll looks through. The document has no order of them; if the newest come
/// first, a page is enough.
const MOST: u64 = 1_000;

pub(super) fn wait(webhook: WebhookId, event: EventId) -> Wait<Delivery, Option<Delivery>> {
    Wait::new(
        PollKind::Delivery,
        vec![webhook.to_string(), event.to_string()],
        move |api| fetch(api, webhook.clone(), event.clone()),
        place,
        verdict,
    )
}

/// The delivery of the event, if it is listed.
async fn fetch(
    api: anchorbrowser_api::Client,
    webhook: WebhookId,
    event: EventId,
) -> Result<ResponseValue<Option<Delivery>>> {
    let mut offset = 0;
    loop {
        let mut call = api.list_webhook_events().id(webhook.clone()).limit(PAGE);
        if offset != 0 {
            call = call.offset(i64::try_from(offset).unwrap_or(i64::MAX));
        }
        let mut answer = call.send().await?.map(|answer| part(answer, offset));
        let mut items = std::mem::take(&mut answer.items).into_iter();
        let found = items.find(|delivery| delivery.event_id == event);
        match answer.next {
            Some(Cursor::Offset(next)) if found.is_none() && (offset + 1..MOST).contains(&next) => {
                offset = next;
            }
            _ => return Ok(answer.map(|_| found)),
        }
    }
}

fn place(delivery: &Option<Delivery>) -> Place {
    match delivery {
        Some(delivery) => Place::told(delivery.status.as_ref()),
        None => Place::new("not listed"),
    }
}

fn verdict(delivery: &Option<Delivery>) -> Verdict<Delivery> {
    let Some(delivery) = delivery else {
        return Verdict::InProgress;
    };
    match delivery.status {
        Some(DeliveryStatus::Succeeded) => Verdict::Done(delivery.clone()),
        Some(DeliveryStatus::Failed | DeliveryStatus::Dead) => Verdict::failed(reason(delivery)),
        _ => Verdict::InProgress,
    }
}

/// The last answer's status, and what went wrong.
fn reason(delivery: &Delivery) -> Option<String> {
    match (delivery.response_status, &delivery.error) {
        (Some(status), Some(error)) => Some(format!("status {status}: {error}")),
        (Some(status), None) => Some(format!("status {status}")),
        (None, error) => error.clone(),
    }
}

/// An event that is delivered.
impl Awaited for Delivery {
    type Progress = Option<Self>;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Option<Self>>> {
        let [webhook, event] = token.expect(PollKind::Delivery)?;
        Ok(client.webhooks().wait_for_delivery(webhook, event))
    }
}

impl sealed::Sealed for Delivery {}
