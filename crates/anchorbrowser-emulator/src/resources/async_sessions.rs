//! Sessions that are requested now and ready later.
//!
//! A request is `pending` in the queue, `processing` while its session is provisioned and configured, and then
//! `ready`, until its session ends: from then on it is `completed`, and has no addresses. It is `failed` if
//! provisioning fails, and `cancelled` if its session is ended before it is ready.

mod launch;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Outcome};
use crate::call::Call;
use crate::resources::sessions::Origin;
use crate::resources::{Routes, find, sessions, webhooks};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use launch::{Launch, State, Status, draw_failure};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/sessions/async", create),
    ("GET /v1/sessions/async/{request_id}/status", status),
];

/// A request for a session. No `Debug`: the configuration may hold the password of a proxy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AsyncRequest {
    pub(crate) id: String,
    pub(crate) created: Time,
    owner: String,
    /// `null` when the session has it.
    configuration: Value,
    #[serde(flatten)]
    launch: Launch,
}

impl Record for AsyncRequest {
    const KIND: &'static str = "requests";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        self.launch.due()
    }

    fn step(world: &mut World, id: &str) {
        let Some(mut request) = world.tables.requests.get(id).cloned() else {
            return;
        };
        let AsyncRequest {
            owner,
            configuration,
            launch,
            ..
        } = &mut request;
        launch.step(world, |world| {
            let configuration = configuration.take();
            sessions::check(world, &configuration)?;
            let origin = Origin {
                owner: owner.clone(),
                request: Some(id.to_owned()),
                configuring: world.config.timing.configuring,
                ..Origin::default()
            };
            sessions::start(world, &configuration, origin)
        });
        let state = request.launch.state;
        if !state.is_open() {
            request.configuration = Value::Null;
        }
        let error = request.launch.error().map(str::to_owned);
        world.tables.requests.insert(request);
        if state == State::Failed {
            tell_failure(world, id, &error.unwrap_or_default());
        }
    }
}

impl AsyncRequest {
    fn status(&self, world: &World) -> &'static str {
        match self.launch.state.status() {
            Status::Completed if self.launch.is_past(world) => "completed",
            Status::Completed => "ready",
            status => status.text(),
        }
    }
}

/// What became of the browser of a session, told to the request for it.
pub(crate) fn launched(world: &mut World, session: &str, outcome: Result<Time, &str>) {
    let now = world.now;
    let of = |request: &AsyncRequest| {
        request.launch.state == State::Configuring && request.launch.session() == Some(session)
    };
    for id in world.tables.requests.ids(of) {
        if let Some(request) = world.tables.requests.edit(&id) {
            request.launch.launched(now, outcome);
        }
        if let Err(why) = outcome {
            tell_failure(world, &id, why);
        }
    }
}

/// Webhooks are told of a request that failed; of its success the session tells.
fn tell_failure(world: &mut World, id: &str, error: &str) {
    let data = json!({ "request_id": id, "status": "failed", "error": error });
    webhooks::emit(world, "session.failed", data);
}

/// How many sessions were requested and are not on record yet. They take up room of the account as running ones do.
pub(crate) fn waiting(world: &World) -> usize {
    let waits = |request: &&AsyncRequest| {
        matches!(request.launch.state, State::Queued | State::Provisioning)
    };
    world.tables.requests.iter().filter(waits).count()
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::check(world, call.body())?;
    sessions::limits(world, 1)?;
    let fails = draw_failure(world);
    let timing = &world.config.timing;
    let request = AsyncRequest {
        created: world.now,
        owner: sessions::owner(call.key),
        configuration: call.body().clone(),
        launch: Launch::new(world.now.after(timing.queued), timing, fails),
        id: world.ids.uuid(),
    };
    let data =
        json!({ "request_id": request.id, "status": request.status(world), "session_id": null });
    world.tables.requests.add(request)?;
    Ok(Answer::data(data))
}

fn status(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("request_id");
    let request = find(&world.tables.requests, "asynchronous request", id)?;
    // Polls only look, unless the session was ended meanwhile.
    if let Some(ended) = request.launch.ended_early(world)
        && let Some(request) = world.tables.requests.edit(id)
    {
        request.launch.cancel(ended);
    }
    let request = find(&world.tables.requests, "asynchronous request", id)?;
    let mut data = json!({
        "request_id": id,
        "status": request.status(world),
        "created_at": request.created.text(),
        "progress": { "current_phase": request.launch.state.phase() },
    });
    if !matches!(request.launch.state, State::Queued | State::Provisioning) {
        data["session"] = request.launch.item(world, call.key, 0, &Map::new());
    }
    Ok(Answer::data(data))
}
