//! What there is, in short and without secrets.

use serde_json::{Map, Value, json};

use super::{Asked, Done, ok, redact};
use crate::answer::Refusal;
use crate::exchange::Exchange;
use crate::resources::webhooks::{Delivery, Webhook};
use crate::shared::{Clock, Shared, lock};
use crate::time::Time;
use crate::world::{Record, StoreError, Table, World};

/// Records of one kind that are shown, newest first.
const SHOWN: usize = 50;

/// Requests that are listed if nobody says how many.
const REQUESTS: usize = 100;

/// Members of records that are shown. None of them can be a secret, but text among them may hold one.
const MEMBERS: [&str; 25] = [
    "id",
    "kind",
    "status",
    "state",
    "phase",
    "name",
    "created",
    "started",
    "ended",
    "tags",
    "batch",
    "session",
    "task",
    "version",
    "steps",
    "total",
    "queued",
    "provisioning",
    "configuring",
    "ready",
    "failed",
    "cancelled",
    "error",
    "connections",
    "sockets",
];

/// Members that are points in time.
const TIMES: [&str; 3] = ["created", "started", "ended"];

/// Members that are one word of a list, which records spell as they like.
const WORDS: [&str; 4] = ["kind", "status", "state", "phase"];

pub(super) fn get(asked: &Asked<'_>) -> Done {
    Ok(ok(&summary(asked.shared)?))
}

/// The state: how much there is of each kind, and the newest of what runs.
pub(crate) fn summary(shared: &Shared) -> Result<Value, StoreError> {
    let clock = match shared.clock {
        Clock::System(_) => "real",
        Clock::Manual => "manual",
    };
    let faults = lock(&shared.faults).list().len();
    let requests = lock(&shared.exchanges).len();
    let mut summary = shared.enter(|world| world_summary(world))?;
    if let Value::Object(members) = &mut summary {
        members.insert("clock".to_owned(), json!(clock));
        members.insert("faults".to_owned(), json!(faults));
        members.insert("requests".to_owned(), json!(requests));
    }
    Ok(summary)
}

fn world_summary(world: &World) -> Value {
    let tables = &world.tables;
    let counts: Map<String, Value> = tables
        .counts()
        .into_iter()
        .map(|(kind, count)| (kind.to_owned(), json!(count)))
        .collect();
    let webhooks = tables
        .webhooks
        .iter()
        .filter(|webhook| !webhook.is_deleted())
        .map(webhook);
    json!({
        "base_url": world.base,
        "now": world.now.text(),
        "now_ms": world.now.0,
        "counts": counts,
        "stored_bytes": world.blobs.size(),
        "scripts": world.scripts.len(),
        "waiting": world.waiting(),
        "step_sockets": world.followers.open(),
        "sessions": newest(&tables.sessions, brief),
        "async_sessions": newest(&tables.requests, brief),
        "batches": newest(&tables.batches, brief),
        "runs": newest(&tables.runs, brief),
        "executions": newest(&tables.executions, brief),
        "webhooks": webhooks.collect::<Vec<_>>(),
        "deliveries": newest(&tables.deliveries, delivery),
    })
}

fn newest<T: Record>(table: &Table<T>, show: impl Fn(&T) -> Value) -> Vec<Value> {
    table.iter().rev().take(SHOWN).map(show).collect()
}

/// The members of a record that tell people what it is.
fn brief<T: Record>(record: &T) -> Value {
    let Ok(Value::Object(mut members)) = serde_json::to_value(record) else {
        return json!({ "id": record.id() });
    };
    let mut shown = Map::new();
    for name in MEMBERS {
        let Some(mut member) = members.remove(name).filter(|member| !member.is_null()) else {
            continue;
        };
        if let Some(millis) = member.as_i64().filter(|_| TIMES.contains(&name)) {
            member = json!(Time(millis).text());
        }
        if let Some(word) = member.as_str().filter(|_| WORDS.contains(&name)) {
            member = json!(word.to_lowercase());
        }
        shown.insert(name.to_owned(), member);
    }
    let page = members
        .get("pages")
        .and_then(|pages| pages.get(0))
        .and_then(|page| page.get("url"));
    if let Some(url) = page {
        shown.insert("url".to_owned(), url.clone());
    }
    let mut shown = Value::Object(shown);
    redact::json(&mut shown);
    shown
}

fn webhook(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "enabled": webhook.enabled,
        "events": webhook.events,
        "previous_secret_until": webhook.previous_until().map(Time::text),
    })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "webhook": delivery.webhook,
        "event": delivery.event,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "response": delivery.response,
        "error": delivery.error,
    })
}

pub(super) fn requests(asked: &Asked<'_>) -> Done {
    let limit = match asked.query("limit") {
        Some(limit) => limit
            .parse()
            .map_err(|_| Refusal::bad("query limit: must be a whole number"))?,
        None => REQUESTS,
    };
    let operation = match asked.query("operation") {
        Some(name) => {
            let known = super::operation(&asked.shared.document, name);
            let known = known.map_err(|error| Refusal::bad(format!("query operation: {error}")))?;
            Some(known.id())
        }
        None => None,
    };
    let requests = latest(asked.shared, limit, operation);
    Ok(ok(&json!({ "requests": requests })))
}

pub(super) fn forget_requests(asked: &Asked<'_>) -> Done {
    lock(&asked.shared.exchanges).clear();
    Ok(ok(&json!({ "requests": [] })))
}

/// The latest requests, oldest first.
pub(super) fn latest(shared: &Shared, limit: usize, operation: Option<&str>) -> Vec<Value> {
    let exchanges = lock(&shared.exchanges);
    let fitting = exchanges
        .iter()
        .rev()
        .filter(|it| operation.is_none() || it.operation.as_deref() == operation);
    // Copied, so that other requests need not wait until all are written.
    let kept: Vec<Exchange> = fitting.take(limit).cloned().collect();
    drop(exchanges);
    kept.iter().rev().map(request).collect()
}

fn request(exchange: &Exchange) -> Value {
    let mut body = exchange.json();
    redact::json(&mut body);
    let shown = |lines: &[String]| {
        lines
            .iter()
            .map(|line| redact::text(line))
            .collect::<Vec<_>>()
    };
    json!({
        "number": exchange.number,
        "time": exchange.time,
        "operation": exchange.operation,
        "method": exchange.method.as_str(),
        "path": redact::text(&exchange.path),
        "query": exchange.query.as_deref().map(redact::query),
        "headers": redact::headers(&exchange.headers),
        // Only JSON has names that tell what is secret in it.
        "body": body,
        "body_bytes": exchange.body.len(),
        "status": exchange.status,
        "violations": shown(&exchange.violations),
        "unknown_parameters": shown(&exchange.unknown_parameters),
        "answer_violations": shown(&exchange.answer_violations),
        "faulted": exchange.faulted,
    })
}
