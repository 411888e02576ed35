//! Creating and changing webhooks.

use anchorbrowser_api::types;
use anchorbrowser_api::wire::Nullable;

use super::rules::Given;
use super::{CreatedWebhook, EventType, Webhook};
use crate::call::Call;
use crate::error::Open as _;
use crate::{Client, WebhookId};

pub(super) fn collect(events: impl IntoIterator<Item = impl Into<EventType>>) -> Vec<EventType> {
    events.into_iter().map(Into::into).collect()
}

/// The creation of a webhook; see [`Webhooks::create`](super::Webhooks::create).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateWebhook {
    client: Client,
    body: types::WebhookCreateRequest,
}

impl CreateWebhook {
    pub(super) fn new(client: &Client, url: String, events: Vec<EventType>) -> Self {
        Self {
            client: client.clone(),
            body: types::WebhookCreateRequest::new(url, events),
        }
    }

    /// A text for people, of at most 256 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// Creates the webhook. It is not repeated if its outcome is unknown.
    ///
    /// # Errors
    /// [`is_conflict`](crate::Error::is_conflict) if the project has five webhooks;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if an argument is refused
    /// before it is sent.
    ///
    /// Calls `create_webhook`.
    pub fn send(self) -> Call<CreatedWebhook> {
        let Self { client, body } = self;
        let given = Given {
            url: Some(&body.url),
            events: Some(&body.subscribed_events),
            description: body.description.as_deref(),
        };
        if let Err(error) = given.check("create_webhook", &client) {
            return Call::refused(error);
        }
        Call::new(&client, move |api| async move {
            let answer = api.create_webhook().body(body).send().await?;
            let answer = answer.open("id", |answer| {
                answer.id.is_some().then(|| std::mem::take(answer))
            })?;
            answer.open("secret", |answer| {
                let secret = answer.secret.take()?;
                let webhook = Webhook::new(public(std::mem::take(answer)));
                Some(CreatedWebhook { webhook, secret })
            })
        })
    }
}

fn public(webhook: types::WebhookWithSecret) -> types::WebhookPublic {
    types::WebhookPublic {
        created_at: webhook.created_at,
        description: webhook.description,
        enabled: webhook.enabled,
        id: webhook.id,
        project_id: webhook.project_id,
        subscribed_events: webhook.subscribed_events,
        updated_at: webhook.updated_at,
        url: webhook.url,
    }
}

/// The change of a webhook; see [`Webhooks::update`](super::Webhooks::update). What is not set
/// stays as it is.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateWebhook {
    client: Client,
    id: WebhookId,
    body: types::WebhookUpdateRequest,
}

impl UpdateWebhook {
    pub(super) fn new(client: &Client, id: WebhookId) -> Self {
        Self {
            client: client.clone(),
            id,
            body: Default::default(),
        }
    }

    /// Where events are sent; see [`Webhooks::create`](super::Webhooks::create) for what is
    /// allowed.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.body.url = Some(url.into());
        self
    }

    /// The kinds of events that are sent, in place of those so far.
    pub fn subscribed_events(
        mut self,
        events: impl IntoIterator<Item = impl Into<EventType>>,
    ) -> Self {
        self.body.subscribed_events = Some(collect(events));
        self
    }

    /// A text for people, of at most 256 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(Nullable::Value(text.into()));
        self
    }

    /// Removes the description.
    pub fn clear_description(mut self) -> Self {
        self.body.description = Some(Nullable::Null);
        self
    }

    /// Whether anything is sent.
    pub fn enabled(mut self, on: bool) -> Self {
        self.body.enabled = Some(on);
        self
    }

    /// Changes the webhook.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if an argument is refused
    /// before it is sent.
    ///
    /// Calls `update_webhook`.
    pub fn send(self) -> Call<Webhook> {
        let Self { client, id, body } = self;
        let description = body.description.as_ref().and_then(Nullable::as_option);
        let given = Given {
            url: body.url.as_deref(),
            events: body.subscribed_events.as_deref(),
            description: description.map(String::as_str),
        };
        if let Err(error) = given.check("update_webhook", &client) {
            return Call::refused(error);
        }
        Call::new(&client, move |api| async move {
            let answer = api.update_webhook().id(id).body(body).send().await?;
            answer.open("id", |answer| Webhook::identified(std::mem::take(answer)))
        })
    }
}
