//! The course of a run: it takes steps over time in a session, and may ask a person on the way.

use std::time::Duration;

use super::ending::{Failure, end, finish};
use crate::answer::Refusal;
use crate::resources::agents::{AgentRun, Kind, Order, Place, Status};
use crate::resources::{billing, identities, interventions, sessions};
use crate::world::{Feed, World};

/// When a run without a session looks again whether there is room for one, at the soonest and at the latest.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(600);

/// Begins a run, and gives its id.
pub(crate) fn begin(world: &mut World, order: Order) -> Result<String, Refusal> {
    let Order {
        kind,
        mut script,
        place,
        max_steps,
        may_ask,
        queued,
        pace,
    } = order;
    let now = world.now;
    let id = world.ids.uuid();
    if !may_ask {
        script.asks = None;
    }
    let session = place.session().map(|id| world.tables.sessions.get(id));
    let opens = session.flatten().and_then(|session| session.opens);
    let waits = !queued.is_zero() || session.is_none() || opens.is_some();
    let mut run = AgentRun {
        id: id.clone(),
        kind,
        status: if waits {
            Status::Queued
        } else {
            Status::Running
        },
        created: now,
        started: (!waits).then_some(now),
        ended: None,
        error: None,
        script,
        steps: 0,
        max_steps,
        pace,
        next: now.after(queued).max(opens.unwrap_or(now)),
        left: None,
        paused: false,
        asking: None,
        place: place.clone(),
    };
    if !waits {
        run.next = now.after(run.wait());
    }
    let added = world.tables.runs.add(run);
    if let (Err(_), Place::Own(session)) = (&added, &place) {
        sessions::end(world, session, "failed");
    }
    added?;
    connect(world, &id);
    Ok(id)
}

/// Takes hold of the run's session: one with a run is not idle.
fn connect(world: &mut World, id: &str) {
    let now = world.now;
    let Some(run) = world.tables.runs.edit(id) else {
        return;
    };
    let Some(session) = run
        .place
        .session()
        .and_then(|id| world.tables.sessions.edit(id))
    else {
        return;
    };
    session.connections += 1;
    if matches!(run.kind, Kind::Task | Kind::TaskV2 | Kind::Snippet) {
        session.executions += 1;
    }
    if session.agent_paused && run.kind == Kind::Web {
        run.paused = true;
        run.freeze(now);
    }
}

/// Lets a run out of the queue.
pub(super) fn start(world: &mut World, id: &str) {
    let now = world.now;
    let Some(run) = world.tables.runs.edit(id) else {
        return;
    };
    if let Place::Later {
        configuration,
        origin,
    } = run.place.clone()
    {
        let place = match sessions::has_room(world) {
            true => sessions::start(world, &configuration, origin)
                .ok()
                .map(Place::Own),
            false => None,
        };
        let Some(run) = world.tables.runs.edit(id) else {
            return;
        };
        let Some(place) = place else {
            // The longer it waits, the more seldom it looks: a clock may be moved on by years at once.
            let waited = now.since(run.created) / 4;
            run.next = now.after(waited.clamp(SOONEST, LATEST));
            return;
        };
        run.place = place;
        connect(world, id);
    }
    let Some(run) = world.tables.runs.get(id) else {
        return;
    };
    if let Some(session) = run.session().map(str::to_owned) {
        let logs_in = run.kind == Kind::TaskV2;
        sessions::open(world, &session);
        if logs_in && identities::rejected(world, &session) {
            let message = format!("an identity of the session `{session}` could not log in");
            end(
                world,
                id,
                Status::Failure,
                Some(Failure::credentials(message)),
            );
            return;
        }
    }
    let Some(run) = world.tables.runs.edit(id) else {
        return;
    };
    run.status = Status::Running;
    run.started = Some(now);
    run.next = now.after(run.wait());
}

/// A session has ended: the runs that wait for a session of their own look again.
pub(crate) fn room(world: &mut World) {
    if world.config.account.max_concurrent_browsers.is_none() {
        return;
    }
    let now = world.now;
    let waits = |run: &AgentRun| run.status == Status::Queued && run.session().is_none();
    for id in world.tables.runs.ids(waits) {
        if let Some(run) = world.tables.runs.edit(&id) {
            run.next = now;
        }
    }
}

/// Takes the step that is due. Steps that take no time are taken together.
pub(super) fn go_on(world: &mut World, id: &str) {
    let now = world.now;
    let Some(run) = world.tables.runs.edit(id) else {
        return;
    };
    let stop = run.asks_after().unwrap_or(u32::MAX).min(run.limit());
    let rest = stop.saturating_sub(run.steps);
    let taken = if run.pace.is_zero() {
        rest
    } else {
        rest.min(1)
    };
    run.steps += taken;
    let (steps, asks, ends) = (run.steps, run.asks_after(), run.steps >= run.limit());
    run.next = now.after(run.wait());
    if run.kind == Kind::Web && taken > 0 {
        if let Some(session) = run
            .place
            .session()
            .and_then(|id| world.tables.sessions.edit(id))
        {
            session.steps += u64::from(taken);
            let told = run.taken(steps - taken + 1);
            world.followers.tell(&session.id, &told);
        }
        billing::charge(world, f64::from(taken) * billing::STEP);
    }
    if asks.is_some_and(|after| after <= steps) {
        ask(world, id);
    } else if ends {
        finish(world, id);
    }
}

fn ask(world: &mut World, id: &str) {
    let now = world.now;
    let Some(run) = world.tables.runs.edit(id) else {
        return;
    };
    run.freeze(now);
    let (question, session) = (
        run.script.asks.take(),
        run.place.session().map(str::to_owned),
    );
    if let (Some(question), Some(session)) = (question, session) {
        let request = interventions::open(world, id, &session, question);
        if let Some(run) = world.tables.runs.edit(id) {
            run.asking = Some(request);
        }
    }
}

/// The question of a run was answered: it goes on.
pub(crate) fn answered(world: &mut World, id: &str) {
    let now = world.now;
    if let Some(run) = world.tables.runs.edit(id) {
        run.asking = None;
        run.thaw(now);
    }
}

/// Pauses the agents in a session, or has them go on.
pub(crate) fn pause(world: &mut World, session: &str, paused: bool) {
    let now = world.now;
    for id in in_session(world, session) {
        let Some(run) = world
            .tables
            .runs
            .edit(&id)
            .filter(|run| run.kind == Kind::Web)
        else {
            continue;
        };
        run.paused = paused;
        if paused {
            run.freeze(now);
        } else {
            run.thaw(now);
        }
    }
}

/// Runs under way in a session.
pub(super) fn in_session(world: &World, session: &str) -> Vec<String> {
    world
        .tables
        .runs
        .ids(|run| !run.status.is_final() && run.session() == Some(session))
}

/// Follows the agents of a running session: first the steps that those at work in it have taken, then what comes.
pub(crate) fn follow(world: &mut World, session: &str) -> Result<Feed, Refusal> {
    sessions::must_run(world, session)?;
    let past = in_session(world, session)
        .iter()
        .filter_map(|id| world.tables.runs.get(id))
        .filter(|run| run.kind == Kind::Web && run.steps > 0)
        .map(|run| run.taken(1))
        .collect();
    Ok(world.followers.add(session, past))
}
