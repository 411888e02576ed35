//! Webhooks.

mod delivery;
mod events;
mod rules;
mod write;

pub use anchorbrowser_api::types::{
    WebhookEventDeliveryRowStatus as DeliveryStatus, WebhookEventType as EventType,
};
pub use events::{Delivery, ListWebhookEvents};
pub use write::{CreateWebhook, UpdateWebhook};

use anchorbrowser_api::types;
use anchorbrowser_api::wire::Secret;

use super::deletion::deleted;
use crate::call::Call;
use crate::error::Open as _;
use crate::poll::Poller;
use crate::{Client, EventId, List, ProjectId, Timestamp, WebhookId};

/// Webhooks: URLs that the service sends events to; see [`Client::webhooks`].
///
/// ```no_run
/// use anchorbrowser::webhooks::EventType;
///
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let events = [EventType::SessionCompleted, EventType::TaskFailed];
/// let created = client.webhooks().create("https://example.com/hook", events).send().await?;
/// let secret = created.secret; // store it: it is not shown again
/// let event = client.webhooks().test(&created.webhook.id, EventType::TaskFailed).await?;
/// client.webhooks().wait_for_delivery(&created.webhook.id, event).await?;
/// # let _ = secret;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Webhooks<'a> {
    client: &'a Client,
}

impl<'a> Webhooks<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a webhook for these kinds of events. A project has at most five.
    ///
    /// The URL must begin with `https://`, hold no user name or password, be at most 2048
    /// characters long and name a public host. That is checked before it is sent; addresses that
    /// names stand for are not looked up.
    pub fn create(
        &self,
        url: impl Into<String>,
        events: impl IntoIterator<Item = impl Into<EventType>>,
    ) -> CreateWebhook {
        CreateWebhook::new(self.client, url.into(), write::collect(events))
    }

    /// Gets a webhook.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id.
    ///
    /// Calls `get_webhook`.
    pub fn get(&self, id: impl Into<WebhookId>) -> Call<Webhook> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_webhook().id(id).send().await?;
            answer.open("id", |answer| Webhook::identified(std::mem::take(answer)))
        })
    }

    /// Lists the webhooks of the project.
    ///
    /// Calls `list_webhooks`.
    pub fn list(&self) -> List<Webhook> {
        let client = self.client.clone();
        List::new("list_webhooks", move || {
            Call::new(&client, |api| async move {
                let answer = api.list_webhooks().send().await?;
                Ok(answer.map(|answer| answer.webhooks.into_iter().map(Webhook::new).collect()))
            })
        })
    }

    /// Changes a webhook.
    pub fn update(&self, id: impl Into<WebhookId>) -> UpdateWebhook {
        UpdateWebhook::new(self.client, id.into())
    }

    /// Deletes a webhook. What was not delivered yet is dropped; its [`events`](Self::events) stay
    /// for seven days.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id;
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service answers that it did not
    /// succeed.
    ///
    /// Calls `delete_webhook`.
    pub fn delete(&self, id: impl Into<WebhookId>) -> Call<()> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_webhook().id(id).send().await?;
            let success = answer.ok;
            deleted(answer, success)
        })
    }

    /// Gives a webhook a new secret, which is not shown again. The one before stays valid for 24
    /// hours: verify deliveries against both for so long.
    ///
    /// It is not repeated if its outcome is unknown: rotate again then, for the secret is lost.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no webhook of this id.
    ///
    /// Calls `rotate_webhook_secret`.
    pub fn rotate_secret(&self, id: impl Into<WebhookId>) -> Call<Secret> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.rotate_webhook_secret().id(id).send().await?;
            answer.open("secret", |answer| answer.secret.take())
        })
    }

    /// Sends a test event of this kind to a webhook, whether it subscribed to the kind or not, and
    /// gives the event's id. It takes the way of all events, so it arrives a little later:
    /// [`wait_for_delivery`](Self::wait_for_delivery) waits for that.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no webhook of this id.
    ///
    /// Calls `send_webhook_test_event`.
    pub fn test(
        &self,
        id: impl Into<WebhookId>,
        event_type: impl Into<EventType>,
    ) -> Call<EventId> {
        let (id, body) = (id.into(), types::WebhookTestRequest::new(event_type.into()));
        Call::new(self.client, move |api| async move {
            let call = api.send_webhook_test_event().id(id).body(body);
            call.send().await?.open("external_event_id", |answer| {
                answer.external_event_id.take().map(Into::into)
            })
        })
    }

    /// Waits until an event is delivered to a webhook, e.g. one of [`test`](Self::test): await it for
    /// the delivery. The event is looked for among the first 1,000 deliveries that
    /// [`events`](Self::events) lists.
    ///
    /// It is in progress, and the progress `None`, while the event is not listed; while it is
    /// pending, so also between two attempts; and in a state that this version of the SDK does not
    /// know.
    ///
    /// ```no_run
    /// use anchorbrowser::webhooks::EventType;
    ///
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let event = client.webhooks().test("wh_1", EventType::SessionReady).await?;
    /// let delivery = client.webhooks().wait_for_delivery("wh_1", event).await?;
    /// println!("{:?}", delivery.response_status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the event is given up, `failed` or `dead`
    /// ([`Waited::state`](crate::poll::Waited::state)), with the last answer's status and what went
    /// wrong as [`message`](crate::Error::message); [`is_not_found`](crate::Error::is_not_found) if
    /// there is no webhook of this id; [`is_deadline`](crate::Error::is_deadline) after 5 minutes,
    /// unless set otherwise: further attempts may come later.
    ///
    /// Calls `list_webhook_events` for each poll, once for each 100 deliveries up to the event.
    pub fn wait_for_delivery(
        &self,
        id: impl Into<WebhookId>,
        event: impl Into<EventId>,
    ) -> Poller<Delivery, Option<Delivery>> {
        Poller::new(self.client, delivery::wait(id.into(), event.into()))
    }

    /// Lists the deliveries of the last seven days to a webhook, also to a deleted one.
    ///
    /// ```no_run
    /// use anchorbrowser::webhooks::DeliveryStatus;
    ///
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let mut dead = client.webhooks().events("wh_1").status(DeliveryStatus::Dead).stream();
    /// while let Some(delivery) = dead.next().await {
    ///     let delivery = delivery?;
    ///     println!("{}: {:?}", delivery.event_id, delivery.error);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self, id: impl Into<WebhookId>) -> ListWebhookEvents {
        ListWebhookEvents::new(self.client, id.into())
    }
}

/// A webhook.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The project that it belongs to.
    pub project_id: Option<ProjectId>,
    /// Where events are sent.
    pub url: String,
    /// A text for people.
    pub description: Option<String>,
    /// The kinds of events that are sent.
    pub subscribed_events: Vec<EventType>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl Webhook {
    fn new(webhook: types::WebhookPublic) -> Self {
        Self {
            id: webhook.id.unwrap_or_default().into(),
            project_id: webhook.project_id.map(Into::into),
            url: webhook.url.unwrap_or_default(),
            description: webhook.description,
            subscribed_events: webhook.subscribed_events,
            enabled: webhook.enabled.unwrap_or(true),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }

    /// `None` without an id.
    fn identified(webhook: types::WebhookPublic) -> Option<Self> {
        webhook.id.is_some().then(|| Self::new(webhook))
    }
}

/// A new webhook and its secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What deliveries are signed with. Store it: it is not shown again.
    pub secret: Secret,
}
