//! The operations.

use serde_json::{Value, json};

use super::{MOST, ROTATION, Webhook, delivery, queue};
use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, Secret};
use crate::webhook;
use crate::world::World;

pub(super) const ROUTES: Routes = &[
    ("POST /v1/webhooks", create),
    ("GET /v1/webhooks", list),
    ("GET /v1/webhooks/{id}", get),
    ("PATCH /v1/webhooks/{id}", update),
    ("DELETE /v1/webhooks/{id}", delete),
    ("POST /v1/webhooks/{id}/rotate-secret", rotate),
    ("POST /v1/webhooks/{id}/test", test),
    ("GET /v1/webhooks/{id}/events", events),
];

/// The webhooks that are not deleted.
fn listed(world: &World) -> impl Iterator<Item = &Webhook> {
    let webhooks = world.tables.webhooks.iter();
    webhooks.filter(|webhook| !webhook.is_deleted())
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let url = checked_url(world, call.member("url").unwrap_or_default())?;
    let events = subscriptions(call.body().get("subscribed_events"))?;
    if listed(world).count() >= MOST {
        return Err(Refusal::conflict(format!(
            "the project has {MOST} webhooks, which is the limit; delete one first"
        )));
    }
    let webhook = Webhook {
        id: world.ids.tagged("wh_"),
        url,
        description: call.member("description").map(str::to_owned),
        events,
        enabled: true,
        secret: Secret(world.ids.secret()),
        previous: None,
        created: world.now,
        updated: world.now,
        deleted: None,
    };
    let answer = with_secret(&webhook);
    world.tables.webhooks.add(webhook)?;
    Ok(answer)
}

fn list(world: &mut World, _: &Call<'_>) -> Outcome {
    let webhooks: Vec<Value> = listed(world).map(Webhook::public).collect();
    Ok(Answer::json(json!({ "webhooks": webhooks })))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("id");
    let webhook = listed(world).find(|webhook| webhook.id == id);
    Ok(Answer::json(webhook.ok_or_else(|| missing(id))?.public()))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    edit(world, call)?;
    // All is checked before anything is changed.
    let url = call
        .member("url")
        .map(|url| checked_url(world, url))
        .transpose()?;
    let events = match call.body().get("subscribed_events") {
        Some(events) => Some(subscriptions(Some(events))?),
        None => None,
    };
    let now = world.now;
    let webhook = edit(world, call)?;
    webhook.updated = now;
    if let Some(url) = url {
        webhook.url = url;
    }
    if let Some(events) = events {
        webhook.events = events;
    }
    if let Some(description) = call.body().get("description") {
        webhook.description = description.as_str().map(str::to_owned);
    }
    if let Some(enabled) = call.body().get("enabled").and_then(Value::as_bool) {
        webhook.enabled = enabled;
    }
    let answer = Answer::json(webhook.public());
    delivery::drop_pending(world, call.path("id"));
    Ok(answer)
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now;
    edit(world, call)?.deleted = Some(now);
    delivery::drop_pending(world, call.path("id"));
    Ok(Answer::json(json!({ "ok": true })))
}

fn rotate(world: &mut World, call: &Call<'_>) -> Outcome {
    edit(world, call)?;
    let (now, secret) = (world.now, Secret(world.ids.secret()));
    let webhook = edit(world, call)?;
    let previous = std::mem::replace(&mut webhook.secret, secret);
    webhook.previous = Some((previous, now.after(ROTATION)));
    webhook.updated = now;
    Ok(with_secret(webhook))
}

/// The event goes to this webhook whether it subscribed or not, and to no other.
fn test(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("id");
    if !edit(world, call)?.enabled {
        return Err(Refusal::bad(format!(
            "the webhook `{id}` is disabled and gets nothing; enable it first"
        )));
    }
    let event = call.member("event_type").unwrap_or("session.completed");
    let event_id = queue(world, &[id.to_owned()], event, &json!({ "test": true }));
    Ok(Answer::json(
        json!({ "external_event_id": event_id, "event_type": event }),
    ))
}

fn events(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("id");
    if !world.tables.webhooks.contains(id) {
        return Err(missing(id));
    }
    let (since, until) = (call.time("since"), call.time("until"));
    let (status, event) = (call.text("status"), call.text("event_type"));
    let rows = world.tables.deliveries.iter().rev().filter(|it| {
        it.webhook == id
            && status.is_none_or(|status| it.status == status)
            && event.is_none_or(|event| it.event == event)
            && since.is_none_or(|since| it.created >= since)
            && until.is_none_or(|until| it.created <= until)
    });
    let rows: Vec<_> = rows.collect();
    let (limit, offset) = (
        call.number("limit").unwrap_or(25),
        call.number("offset").unwrap_or(0),
    );
    let with_payload = call.flag("include_payload").unwrap_or(false);
    let events: Vec<Value> = rows
        .iter()
        .skip(offset)
        .take(limit)
        .map(|row| row.row(with_payload))
        .collect();
    let pagination = json!({ "limit": limit, "offset": offset, "total": rows.len() });
    Ok(Answer::json(
        json!({ "events": events, "pagination": pagination }),
    ))
}

/// The webhook of the path, to be changed.
fn edit<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Webhook, Refusal> {
    let id = call.path("id");
    let webhook = world
        .tables
        .webhooks
        .edit(id)
        .filter(|webhook| !webhook.is_deleted());
    webhook.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Refusal {
    Refusal::missing("webhook", id)
}

fn checked_url(world: &World, url: &str) -> Result<String, Refusal> {
    webhook::check_url(url, world.config.local_webhooks).map_err(Refusal::bad)?;
    Ok(url.to_owned())
}

fn subscriptions(events: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let events = events.and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = Vec::new();
    for event in events.filter_map(Value::as_str) {
        if !names.iter().any(|name| name == event) {
            names.push(event.to_owned());
        }
    }
    match names.is_empty() {
        true => Err(Refusal::bad(
            "`subscribed_events` must name at least one event",
        )),
        false => Ok(names),
    }
}

fn with_secret(webhook: &Webhook) -> Answer {
    let mut body = webhook.public();
    body["secret"] = json!(webhook.secret.0);
    Answer::json(body)
}
