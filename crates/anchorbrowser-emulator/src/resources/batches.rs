//! Batches of sessions.
//!
//! The items of a batch leave its queue in waves, so that few are provisioned at once. A batch is `pending` until the
//! first item leaves the queue, and has ended when the last item has: `completed` if any session was created, else
//! `failed`. The counts of a batch always add up to its total: of the documented ones, `failed_requests` has the
//! cancelled items too, as they are over without a session to use. The percentage is the share of the items that are
//! over. The phase is that of the hindmost item, `provisioning` while others still queue.
//!
//! Items end for good, except by a retry. One whose session is ended before it is ready is `cancelled`; that shows
//! when somebody looks at the batch, or when the item would have become ready.

mod handlers;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::resources::async_sessions::{Launch, State, Status};
use crate::resources::sessions::{self, Origin};
use crate::resources::webhooks;
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use handlers::ROUTES;

/// What a batch is and how far it has come. Its items are records of their own: a step of one rewrites no other.
/// No `Debug`: the configuration may hold the password of a proxy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) created: Time,
    pub(crate) ended: Option<Time>,
    pub(crate) status: Status,
    pub(crate) total: usize,
    owner: String,
    #[serde(flatten)]
    counts: Counts,
    /// The phase reached: an open state, or [`State::Ready`].
    phase: State,
    /// Why all items failed.
    error: Option<String>,
    configuration: Value,
    metadata: Map<String, Value>,
}

/// One session of a batch.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BatchItem {
    id: String,
    batch: String,
    index: usize,
    #[serde(flatten)]
    launch: Launch,
}

/// How many items are in which state.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Counts {
    queued: usize,
    provisioning: usize,
    configuring: usize,
    ready: usize,
    failed: usize,
    cancelled: usize,
}

impl Counts {
    fn of(&mut self, state: State) -> &mut usize {
        match state {
            State::Queued => &mut self.queued,
            State::Provisioning => &mut self.provisioning,
            State::Configuring => &mut self.configuring,
            State::Ready => &mut self.ready,
            State::Failed => &mut self.failed,
            State::Cancelled => &mut self.cancelled,
        }
    }

    fn shift(&mut self, from: State, to: State) {
        let count = self.of(from);
        *count = count.saturating_sub(1);
        *self.of(to) += 1;
    }

    /// Items that have no session on record yet.
    fn waiting(&self) -> usize {
        self.queued + self.provisioning
    }

    fn open(&self) -> usize {
        self.waiting() + self.configuring
    }

    /// Items that are over without a session to use.
    fn lost(&self) -> usize {
        self.failed + self.cancelled
    }
}

impl Record for Batch {
    const KIND: &'static str = "batches";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Batch {
    fn percentage(&self) -> f64 {
        let over = self.counts.ready + self.counts.lost();
        // Tenths of a percent, rounded down: 100 only when all are over.
        let tenths = over
            .saturating_mul(1000)
            .checked_div(self.total)
            .unwrap_or(1000);
        u32::try_from(tenths).map_or(100.0, |tenths| f64::from(tenths) / 10.0)
    }

    /// An item went from one state to another; at `now`.
    fn moved(&mut self, from: State, to: State, now: Time) {
        self.counts.shift(from, to);
        if self.status == Status::Pending {
            self.status = Status::Processing;
        }
        self.phase = match self.counts {
            counts if counts.waiting() > 0 => State::Provisioning,
            counts if counts.open() > 0 => State::Configuring,
            counts if counts.ready > 0 => State::Ready,
            _ => self.phase,
        };
        if self.counts.open() == 0 {
            self.ended = Some(now);
            self.status = if self.counts.ready > 0 {
                Status::Completed
            } else {
                Status::Failed
            };
        }
    }
}

impl Record for BatchItem {
    const KIND: &'static str = "batch_items";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        self.launch.due()
    }

    fn step(world: &mut World, id: &str) {
        let Some(mut item) = world.tables.batch_items.get(id).cloned() else {
            return;
        };
        let from = item.launch.state;
        let batch = item.batch.clone();
        item.launch.step(world, |world| {
            let found = world.tables.batches.get(&batch);
            let (owner, configuration) = found
                .map(|batch| (batch.owner.clone(), batch.configuration.clone()))
                .unwrap_or_default();
            sessions::check(world, &configuration)?;
            let origin = Origin {
                owner,
                batch: Some(batch.clone()),
                configuring: world.config.timing.configuring,
                ..Origin::default()
            };
            sessions::start(world, &configuration, origin)
        });
        went_on(world, item, from);
    }
}

/// Puts back an item that was in the state `from`, and tells what it has come to.
fn went_on(world: &mut World, item: BatchItem, from: State) {
    let (to, error) = (item.launch.state, item.launch.error().map(str::to_owned));
    let (batch, index) = (item.batch.clone(), item.index);
    world.tables.batch_items.insert(item);
    if to == State::Failed {
        let data = json!({
            "batch_id": batch,
            "item_index": index,
            "status": "failed",
            "error": error,
        });
        webhooks::emit(world, "session.failed", data);
    }
    moved(world, &batch, from, to, error);
}

/// What became of the browser of a session, told to the item that it was started for.
pub(crate) fn launched(world: &mut World, session: &str, outcome: Result<Time, &str>) {
    let started = world.tables.sessions.get(session);
    let batch = started.and_then(|session| world.tables.batches.get(session.batch.as_deref()?));
    let Some(mut item) = batch.and_then(|batch| {
        let of = |item: &&BatchItem| {
            item.launch.state == State::Configuring && item.launch.session() == Some(session)
        };
        items(world, batch).find(of).cloned()
    }) else {
        return;
    };
    let from = item.launch.state;
    item.launch.launched(world.now, outcome);
    went_on(world, item, from);
}

/// The id of an item.
fn item_id(batch: &str, index: usize) -> String {
    format!("{batch}/{index}")
}

/// Items of a batch, in order.
fn items<'w>(world: &'w World, batch: &'w Batch) -> impl Iterator<Item = &'w BatchItem> {
    (0..batch.total).filter_map(|index| world.tables.batch_items.get(&item_id(&batch.id, index)))
}

/// Counts the move of an item, and tells of the end of the batch when it was the last one.
fn moved(world: &mut World, id: &str, from: State, to: State, error: Option<String>) {
    let now = world.now;
    let Some(batch) = world
        .tables
        .batches
        .edit(id)
        .filter(|batch| from != to && batch.status.is_open())
    else {
        return;
    };
    batch.moved(from, to, now);
    let event = match batch.status {
        Status::Completed => "batch.completed",
        Status::Failed => "batch.failed",
        _ => return,
    };
    if batch.status == Status::Failed {
        let last = error.unwrap_or_else(|| "its session was ended before it was ready".to_owned());
        batch.error = Some(format!(
            "none of the {} sessions was created; the last one: {last}",
            batch.total
        ));
    }
    let data = json!({
        "batch_id": id,
        "status": batch.status,
        "total_requests": batch.total,
        "completed_requests": batch.counts.ready,
        "failed_requests": batch.counts.lost(),
    });
    webhooks::emit(world, event, data);
}

/// Cancels the items whose sessions were ended before they were ready.
fn notice_ended(world: &mut World, id: &str) {
    let Some(batch) = world
        .tables
        .batches
        .get(id)
        .filter(|batch| batch.counts.configuring > 0)
    else {
        return;
    };
    let ended: Vec<(String, Time)> = items(world, batch)
        .filter_map(|item| Some((item.id.clone(), item.launch.ended_early(world)?)))
        .collect();
    for (item, time) in ended {
        if let Some(item) = world.tables.batch_items.edit(&item) {
            let from = item.launch.state;
            item.launch.cancel(time);
            let to = item.launch.state;
            moved(world, id, from, to, None);
        }
    }
}

/// How many sessions of batches are not on record yet. They take up room of the account as running ones do.
pub(crate) fn waiting(world: &World) -> usize {
    world
        .tables
        .batches
        .iter()
        .map(|batch| batch.counts.waiting())
        .sum()
}
