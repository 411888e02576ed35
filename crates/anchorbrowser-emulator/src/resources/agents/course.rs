//! The course of a run. It takes steps over time in a session, may ask a person on the way, and ends with a result or an
//! error; then who waits for it is told.

use std::time::Duration;

use serde_json::json;

use crate::agent::AgentOutcome;
use crate::answer::{Answer, Outcome, Refusal};
use crate::resources::agents::{AgentRun, Kind, Order, Place, Status};
use crate::resources::{billing, interventions, sessions, tasks, tasks_v2, webhooks};
use crate::world::{Topic, World};

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
    let waits = !queued.is_zero() || place.session().is_none();
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
        next: now.after(queued),
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

/// Ends a run at once, whatever its script says of steps; for runs that take no time.
pub(crate) fn at_once(world: &mut World, id: &str) -> Option<AgentRun> {
    finish(world, id);
    world.tables.runs.get(id).cloned()
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
        let place = match has_room(world) {
            true => sessions::start(world, &configuration, origin)
                .ok()
                .map(Place::Own),
            false => None,
        };
        let Some(run) = world.tables.runs.edit(id) else {
            return;
        };
        let Some(place) = place else {
            // It looks again; a pace of zero must not keep it due at one and the same time.
            run.next = now.after(run.pace.max(Duration::from_millis(100)));
            return;
        };
        run.place = place;
        connect(world, id);
    }
    let Some(run) = world.tables.runs.edit(id) else {
        return;
    };
    run.status = Status::Running;
    run.started = Some(now);
    run.next = now.after(run.wait());
}

/// Whether the account may run one more browser.
fn has_room(world: &World) -> bool {
    let running = || {
        world
            .tables
            .sessions
            .iter()
            .filter(|session| session.is_running())
            .count()
    };
    world
        .config
        .account
        .max_concurrent_browsers
        .is_none_or(|limit| running() < limit as usize)
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
fn in_session(world: &World, session: &str) -> Vec<String> {
    world
        .tables
        .runs
        .ids(|run| !run.status.is_final() && run.session() == Some(session))
}

/// Ends the runs in a session that has ended: because its time was over, or before.
pub(crate) fn session_ended(world: &mut World, session: &str, expired: bool) {
    let (status, why) = match expired {
        true => (Status::Timeout, "reached its maximum duration"),
        false => (Status::Cancelled, "was ended"),
    };
    for id in in_session(world, session) {
        end(
            world,
            &id,
            status,
            Some(format!(
                "the session `{session}` {why} during the run; start another run"
            )),
        );
    }
}

/// Ends a run as its script says.
fn finish(world: &mut World, id: &str) {
    let Some(run) = world.tables.runs.get(id) else {
        return;
    };
    let (steps, max_steps) = (run.script.steps, run.max_steps);
    let (status, error) = match &run.script.outcome {
        _ if steps > max_steps => {
            let error = format!(
                "the agent took the {max_steps} steps that max_steps allows, and was not done"
            );
            (Status::Failure, Some(error))
        }
        AgentOutcome::Completed(_) => (Status::Success, None),
        AgentOutcome::Failed(error) => (Status::Failure, Some(error.clone())),
    };
    end(world, id, status, error);
}

fn end(world: &mut World, id: &str, status: Status, error: Option<String>) {
    let now = world.now;
    let Some(run) = world
        .tables
        .runs
        .edit(id)
        .filter(|run| !run.status.is_final())
    else {
        return;
    };
    run.status = status;
    run.started = run.started.or(Some(now));
    run.ended = Some(now);
    run.error = error;
    let asking = run.asking.take();
    let run = run.clone();
    if let Some(request) = asking {
        interventions::close(world, &request);
    }
    match &run.place {
        Place::Own(session) => {
            sessions::end(world, session, "completed");
        }
        Place::Given(session) => {
            if let Some(session) = world
                .tables
                .sessions
                .edit(session)
                .filter(|session| session.is_running())
            {
                session.connections = session.connections.saturating_sub(1);
                session.active = now;
            }
        }
        Place::Later { .. } => {}
    }
    announce(world, &run);
    let outcome = answer(world, &run);
    world.release(&Topic::Run(run.id), &outcome);
}

/// Tells webhooks how a run ended.
fn announce(world: &mut World, run: &AgentRun) {
    if matches!(run.kind, Kind::Snippet | Kind::Generation) {
        return;
    }
    let mut data =
        json!({ "run_id": run.id, "session_id": run.session(), "status": run.status.text() });
    if let Some(execution) = world.tables.executions.get(&run.id) {
        data["task_id"] = json!(execution.task);
    }
    let event = match run.status {
        Status::Success => "task.completed",
        Status::Cancelled => "task.cancelled",
        _ => "task.failed",
    };
    match &run.error {
        Some(message) => {
            let kind = if run.status == Status::Timeout {
                "timeout"
            } else {
                "automation_failure"
            };
            data["error"] = json!({ "type": kind, "message": message });
        }
        None => data["result"] = json!(run.result()),
    }
    webhooks::emit(world, event, data);
}

/// The answer to a request that waited for the end of a run.
fn answer(world: &World, run: &AgentRun) -> Outcome {
    match run.kind {
        Kind::Task => tasks::ended(world, run),
        Kind::TaskV2 => tasks_v2::ended(run),
        Kind::Web | Kind::Snippet | Kind::Generation => match run.object() {
            Some(result) => Ok(Answer::data(json!({ "result": result }))),
            None => Err(Refusal::new(500, run.error.clone().unwrap_or_default())),
        },
    }
}

/// The answer of a request that waits for the end of a run.
pub(crate) fn held(world: &mut World, id: &str) -> Answer {
    world.hold(
        Topic::Run(id.to_owned()),
        None,
        Err(Refusal::new(503, "the run goes on")),
    )
}
