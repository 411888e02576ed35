//! Events: clients wait for a name, and others signal it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::Routes;
use crate::world::{Record, Topic, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/events/{event_name}/wait", wait),
    ("POST /v1/events/{event_name}", signal),
];

/// How long a wait lasts that says nothing of it, in milliseconds.
const WAIT: f64 = 60_000.0;

/// A signal that nobody waited for. The next wait for its name takes the oldest one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Signal {
    id: String,
    name: String,
    data: Value,
}

impl Record for Signal {
    const KIND: &'static str = "signals";

    fn id(&self) -> &str {
        &self.id
    }
}

fn wait(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("event_name");
    let millis = call
        .body()
        .get("timeoutMs")
        .and_then(Value::as_f64)
        .unwrap_or(WAIT);
    if millis < 1.0 {
        return Err(Refusal::bad(
            "body.timeoutMs: must be at least 1 millisecond",
        ));
    }
    let kept = world
        .tables
        .signals
        .iter()
        .find(|signal| signal.name == name)
        .map(|signal| signal.id.clone());
    if let Some(signal) = kept.and_then(|id| world.tables.signals.remove(&id)) {
        return Ok(Answer::data(signal.data));
    }
    // A float as large as it likes becomes the largest duration there is.
    let limit = Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or(Duration::MAX);
    let deadline = world.now.after(limit);
    let late = Refusal::new(
        408,
        format!("the event `{name}` was not signaled within {millis} ms"),
    );
    Ok(world.hold(Topic::Event(name.to_owned()), Some(deadline), Err(late)))
}

fn signal(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("event_name").to_owned();
    let Some(data) = call
        .body()
        .get("data")
        .filter(|data| data.is_object())
        .cloned()
    else {
        return Err(Refusal::bad(
            "body.data: must be an object, the data of the event",
        ));
    };
    let told = world.release(&Topic::Event(name.clone()), &Ok(Answer::data(data.clone())));
    if told == 0 {
        let id = world.ids.uuid();
        world.tables.signals.add(Signal { id, name, data })?;
    }
    Ok(Answer::done())
}
