//! The operations on batches.

use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::config::Timing;
use crate::resources::async_sessions::{Launch, State, Status, draw_failure};
use crate::resources::batches::{Batch, BatchItem, Counts, item_id, items, notice_ended};
use crate::resources::{Routes, find, page, sessions};
use crate::time::Time;
use crate::world::World;

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/batch-sessions", list),
    ("POST /v1/batch-sessions", create),
    ("GET /v1/batch-sessions/{batch_id}", get),
    ("PATCH /v1/batch-sessions/{batch_id}", cancel),
    ("DELETE /v1/batch-sessions/{batch_id}", delete),
    ("POST /v1/batch-sessions/{batch_id}/retry", retry),
];

/// Items of one batch that are provisioned at once.
const WAVE: usize = 100;
/// The limit of the document's text. The one of its schema is lower, and is checked before.
const MAX_COUNT: usize = 5000;
const MAX_ATTEMPTS: u32 = 3;
/// Every session of the batch keeps the configuration, and every item shows the metadata.
const CONFIGURATION_BYTES: usize = 64 << 10;
const METADATA_BYTES: usize = 16 << 10;

/// When the item at `position` leaves the queue. A wave lasts as long as its attempts can last.
fn begins(now: Time, timing: &Timing, position: usize, attempts: u32) -> Time {
    let waves = u32::try_from(position / WAVE).unwrap_or(u32::MAX);
    now.after(timing.queued).after(
        timing
            .provisioning
            .saturating_mul(waves.saturating_mul(attempts)),
    )
}

fn count(body: &Value) -> Result<usize, Refusal> {
    let count = body
        .get("count")
        .and_then(Value::as_u64)
        .and_then(|count| usize::try_from(count).ok());
    count
        .filter(|count| (1..=MAX_COUNT).contains(count))
        .ok_or_else(|| {
            Refusal::bad(format!(
                "body.count: must be a whole number from 1 to {MAX_COUNT}"
            ))
        })
}

fn bounded(body: &Value, name: &str, limit: usize) -> Result<Value, Refusal> {
    let value = body.get(name).cloned().unwrap_or_default();
    if value.to_string().len() > limit {
        return Err(Refusal::bad(format!(
            "body.{name}: the emulator takes at most {limit} bytes of JSON, as it is kept for every session"
        )));
    }
    Ok(value)
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let total = count(call.body())?;
    let configuration = bounded(call.body(), "configuration", CONFIGURATION_BYTES)?;
    let metadata = bounded(call.body(), "metadata", METADATA_BYTES)?;
    sessions::check(world, &configuration).map_err(|mut refusal| {
        refusal.message = refusal.message.replacen("body.", "body.configuration.", 1);
        refusal
    })?;
    sessions::limits(world, total)?;
    let batch = Batch {
        id: world.ids.uuid(),
        created: world.now,
        ended: None,
        status: Status::Pending,
        total,
        owner: sessions::owner(call.key),
        counts: Counts {
            queued: total,
            ..Counts::default()
        },
        phase: State::Queued,
        error: None,
        configuration,
        metadata: metadata.as_object().cloned().unwrap_or_default(),
    };
    let data = json!({
        "batch_id": batch.id,
        "status": batch.status,
        "total_requests": total,
        "created_at": batch.created.text(),
    });
    let id = batch.id.clone();
    world.tables.batches.add(batch)?;
    if let Err(refusal) = add_items(world, &id, total) {
        remove(world, &id);
        return Err(refusal);
    }
    Ok(Answer::data(data))
}

fn add_items(world: &mut World, batch: &str, total: usize) -> Result<(), Refusal> {
    for index in 0..total {
        let fails = draw_failure(world) || world.config.failures.batch_items.contains(&index);
        let timing = &world.config.timing;
        let launch = Launch::new(begins(world.now, timing, index, 1), timing, fails);
        world.tables.batch_items.add(BatchItem {
            id: item_id(batch, index),
            batch: batch.to_owned(),
            index,
            launch,
        })?;
    }
    Ok(())
}

/// Takes the batch and its items off the record.
fn remove(world: &mut World, id: &str) {
    let Some(batch) = world.tables.batches.remove(id) else {
        return;
    };
    for index in 0..batch.total {
        world.tables.batch_items.remove(&item_id(id, index));
    }
}

/// The batch of the path, up to date.
fn known<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w Batch, Refusal> {
    let id = call.path("batch_id");
    notice_ended(world, id);
    find(&world.tables.batches, "batch", id)
}

/// A batch as lists show it; the whole has more.
fn summary(batch: &Batch) -> Value {
    let mut value = json!({
        "batch_id": batch.id,
        "status": batch.status,
        "total_requests": batch.total,
        "completed_requests": batch.counts.ready,
        "failed_requests": batch.counts.lost(),
        "created_at": batch.created.text(),
    });
    if let Some(ended) = batch.ended {
        value["actual_completion_time"] = ended.text().into();
    }
    value
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let batch = known(world, call)?.clone();
    let sessions = items(world, &batch).enumerate();
    let sessions: Vec<Value> = sessions
        .map(|(index, item)| item.launch.item(world, call.key, index, &batch.metadata))
        .collect();
    let mut data = summary(&batch);
    data["processing_requests"] = (batch.counts.provisioning + batch.counts.configuring).into();
    data["pending_requests"] = batch.counts.queued.into();
    data["sessions"] = sessions.into();
    data["progress"] =
        json!({ "percentage": batch.percentage(), "current_phase": batch.phase.phase() });
    if let Some(error) = &batch.error {
        data["error"] = error.as_str().into();
    }
    Ok(Answer::data(data))
}

/// Newest first.
fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let (status, after, before) = (
        call.text("status"),
        call.time("created_after"),
        call.time("created_before"),
    );
    let fits = |batch: &&Batch| {
        status.is_none_or(|status| status == batch.status.text())
            && after.is_none_or(|after| batch.created > after)
            && before.is_none_or(|before| batch.created < before)
    };
    let found: Vec<&Batch> = world.tables.batches.iter().rev().filter(fits).collect();
    let page = page(
        found,
        call.number("page").unwrap_or(1),
        call.number("limit").unwrap_or(20),
    );
    let batches: Vec<Value> = page.items.iter().map(|batch| summary(batch)).collect();
    Ok(Answer::data(json!({
        "batches": batches,
        "pagination": page.pagination(),
    })))
}

/// The sessions of a batch, those of earlier attempts too.
fn sessions_of(world: &World, batch: &str) -> Vec<String> {
    world
        .tables
        .sessions
        .ids(|session| session.batch.as_deref() == Some(batch))
}

/// Sessions that were created stay `completed` items; they are only ended.
fn cancel(world: &mut World, call: &Call<'_>) -> Outcome {
    let batch = known(world, call)?.clone();
    let id = batch.id.clone();
    if call.member("status") != Some("cancelled") {
        return Err(Refusal::bad(
            "body.status: must be `cancelled`; a batch can't be put into another state",
        ));
    }
    if !batch.status.is_open() {
        return Err(Refusal::conflict(format!(
            "the batch `{id}` is {} already; end its sessions one by one, or delete it",
            batch.status.text()
        )));
    }
    cancel_items(world, batch);
    let sessions = sessions_of(world, &id);
    let ended = sessions
        .iter()
        .filter(|session| sessions::end(world, session, "completed"))
        .count();
    Ok(Answer::data(json!({
        "batch_id": id,
        "status": Status::Cancelled,
        "cancelled_sessions": ended,
        "message": format!("the batch is cancelled; {ended} running sessions were ended"),
    })))
}

/// What is not ready yet is cancelled, and the batch with it.
fn cancel_items(world: &mut World, mut batch: Batch) {
    let open = items(world, &batch).filter(|item| item.launch.state.is_open());
    for id in open.map(|item| item.id.clone()).collect::<Vec<_>>() {
        if let Some(item) = world.tables.batch_items.edit(&id) {
            let from = item.launch.state;
            item.launch.cancel(world.now);
            batch.counts.shift(from, item.launch.state);
        }
    }
    batch.status = Status::Cancelled;
    batch.ended = Some(world.now);
    world.tables.batches.insert(batch);
}

/// Sessions that had ended by themselves are deleted like the others.
fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    let mut deleted = 0;
    for session in sessions_of(world, &id) {
        deleted += usize::from(sessions::remove(world, &session));
    }
    remove(world, &id);
    Ok(Answer::data(json!({
        "batch_id": id,
        "deleted_sessions": deleted,
        "failed_deletions": 0,
        "message": format!("the batch and its {deleted} sessions were deleted"),
    })))
}

/// With `retry_failed_only` off, cancelled items are retried too; never those whose session was created.
fn retry(world: &mut World, call: &Call<'_>) -> Outcome {
    let batch = known(world, call)?.clone();
    match batch.status {
        Status::Completed | Status::Failed => {}
        Status::Cancelled => return Err(Refusal::bad("the batch was cancelled; create a new one")),
        Status::Pending | Status::Processing => {
            return Err(Refusal::bad(
                "the batch is not through yet; retry what failed when it has ended",
            ));
        }
    }
    let failed_only = call
        .body()
        .get("retry_failed_only")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let attempts = call
        .body()
        .get("max_retries")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let attempts = u32::try_from(attempts)
        .unwrap_or(MAX_ATTEMPTS)
        .clamp(1, MAX_ATTEMPTS);
    let lost = |state| state == State::Failed || (!failed_only && state == State::Cancelled);
    let chosen: Vec<BatchItem> = items(world, &batch)
        .filter(|item| lost(item.launch.state))
        .cloned()
        .collect();
    if chosen.is_empty() {
        return Err(Refusal::bad(
            "no session of the batch has failed; there is nothing to retry",
        ));
    }
    sessions::limits(world, chosen.len())?;
    let retried = chosen.len();
    begin_again(world, batch, chosen, attempts);
    Ok(Answer::data(json!({
        "batch_id": call.path("batch_id"),
        "status": Status::Processing,
        "retried_sessions": retried,
        "message": format!("{retried} sessions are created once more"),
    })))
}

fn begin_again(world: &mut World, mut batch: Batch, items: Vec<BatchItem>, attempts: u32) {
    let timing = world.config.timing.clone();
    let retries_fail = world.config.failures.retries_fail;
    let used = if retries_fail && items.iter().any(|item| item.launch.fails()) {
        attempts
    } else {
        1
    };
    for (position, mut item) in items.into_iter().enumerate() {
        let from = item.launch.state;
        let fails = retries_fail && item.launch.fails();
        item.launch.retry(
            begins(world.now, &timing, position, used),
            &timing,
            fails,
            attempts,
        );
        batch.counts.shift(from, item.launch.state);
        world.tables.batch_items.insert(item);
    }
    batch.status = Status::Processing;
    batch.phase = State::Queued;
    batch.ended = None;
    batch.error = None;
    world.tables.batches.insert(batch);
}
