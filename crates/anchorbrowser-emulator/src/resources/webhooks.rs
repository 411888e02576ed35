//! Webhooks: registration, events, their deliveries with retries, and the history of these.

mod delivery;
mod handlers;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::{Routes, Secret, billing};
use crate::time::Time;
use crate::webhook;
use crate::world::{Record, World};

pub(crate) use delivery::{Delivery, delivered, outgoing};

pub(crate) const ROUTES: Routes = handlers::ROUTES;

/// Webhooks that a project may have.
const MOST: usize = 5;

/// How long a secret stays valid after it was replaced.
const ROTATION: Duration = Duration::from_secs(24 * 3600);

/// How long deliveries are listed, also those of a deleted webhook.
const HISTORY: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    /// May hold a token.
    url: String,
    description: Option<String>,
    pub(crate) events: Vec<String>,
    pub(crate) enabled: bool,
    secret: Secret<String>,
    /// The secret before the last rotation, and until when consumers may go by it.
    previous: Option<(Secret<String>, Time)>,
    created: Time,
    updated: Time,
    /// A deleted webhook is kept as long as its history, and answers nothing else.
    deleted: Option<Time>,
}

/// Leaves out the URL, which may hold a token.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("events", &self.events)
            .field("enabled", &self.enabled)
            .field("deleted", &self.deleted)
            .finish_non_exhaustive()
    }
}

impl Record for Webhook {
    const KIND: &'static str = "webhooks";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        let forgotten = self.deleted.map(|deleted| deleted.after(HISTORY));
        forgotten.into_iter().chain(self.previous_until()).min()
    }

    fn step(world: &mut World, id: &str) {
        let now = world.now;
        let Some(webhook) = world.tables.webhooks.edit(id) else {
            return;
        };
        if webhook
            .deleted
            .is_some_and(|deleted| deleted.after(HISTORY) <= now)
        {
            world.tables.webhooks.remove(id);
        } else if webhook.previous_until().is_some_and(|until| until <= now) {
            webhook.previous = None;
        }
    }
}

impl Webhook {
    /// Until when the secret before the last rotation is valid.
    pub(crate) fn previous_until(&self) -> Option<Time> {
        self.previous.as_ref().map(|(_, until)| *until)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// Whether it gets anything.
    fn is_active(&self) -> bool {
        self.enabled && self.deleted.is_none()
    }

    fn public(&self) -> Value {
        json!({
            "id": self.id,
            "project_id": billing::PROJECT,
            "url": self.url,
            "description": self.description,
            "subscribed_events": self.events,
            "enabled": self.enabled,
            "created_at": self.created.text(),
            "updated_at": self.updated.text(),
        })
    }
}

/// Queues an event for the webhooks that subscribed to it.
pub(crate) fn emit(world: &mut World, event: &str, data: Value) {
    let webhooks = &world.tables.webhooks;
    let subscribed =
        |webhook: &Webhook| webhook.is_active() && webhook.events.iter().any(|name| name == event);
    let subscribers = webhooks.ids(subscribed);
    // Without subscribers nothing is made, so that a client without webhooks pays nothing for them.
    if !subscribers.is_empty() {
        queue(world, &subscribers, event, &data);
    }
}

/// Makes the envelope of an event, once, and a delivery of it for each webhook. Gives the event's id.
fn queue(world: &mut World, webhooks: &[String], event: &str, data: &Value) -> String {
    let id = world.ids.tagged("evt_");
    // Written by hand, because its members come in the service's order, and JSON objects here are sorted.
    let members = [
        ("id", json!(id)),
        ("type", json!(event)),
        ("created", json!(world.now.text())),
        ("project_id", json!(billing::PROJECT)),
        ("text", json!(text(event, data))),
        ("data", data.clone()),
    ];
    let members = members.map(|(name, value)| format!("\"{name}\":{value}"));
    let envelope = format!("{{{}}}", members.join(","));
    for webhook in webhooks {
        delivery::add(world, webhook, &id, event, &envelope);
    }
    id
}

/// The sentence of an envelope that is for people.
fn text(event: &str, data: &Value) -> String {
    let (subject, happened) = event.rsplit_once('.').unwrap_or((event, "changed"));
    let names: &[&str] = match subject {
        "task" => &["task_id", "workflow_id", "run_id"],
        "session" | "session.recording" => &["session_id", "request_id"],
        "batch" => &["batch_id"],
        "intervention" => &["request_id"],
        "identity" => &["identity_id"],
        _ => &[],
    };
    let id = names.iter().find_map(|name| data.get(name)?.as_str());
    let id = id.map(|id| format!(" {id}")).unwrap_or_default();
    let (subject, happened) = (subject.replace('.', " "), happened.replace('_', " "));
    format!("The {subject}{id} is now: {happened}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let webhook = Webhook {
            id: "wh_1".to_owned(),
            url: "https://example.com/canary".to_owned(),
            description: Some("canary".to_owned()),
            events: vec!["task.failed".to_owned()],
            enabled: true,
            secret: Secret("canary".to_owned()),
            previous: Some((Secret("canary".to_owned()), Time::START)),
            created: Time::START,
            updated: Time::START,
            deleted: None,
        };
        let shown = format!("{webhook:#?} {:?}", webhook.secret);
        assert!(
            shown.contains("wh_1") && !shown.contains("canary"),
            "{shown}"
        );
    }

    #[test]
    fn events_are_told_in_words() {
        let cases = [
            (
                "session.ready",
                json!({ "session_id": "s" }),
                "The session s is now: ready.",
            ),
            (
                "task.completed",
                json!({ "session_id": "s", "workflow_id": "w" }),
                "The task w is now: completed.",
            ),
            (
                "session.recording.ready",
                json!({}),
                "The session recording is now: ready.",
            ),
            (
                "identity.authentication_failed",
                json!({ "identity_id": 1 }),
                "The identity is now: authentication failed.",
            ),
            ("odd", Value::Null, "The odd is now: changed."),
        ];
        for (event, data, expected) in cases {
            assert_eq!(text(event, &data), expected);
        }
    }
}
