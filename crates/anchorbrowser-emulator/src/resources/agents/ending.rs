//! The end of a run: who waits for it is answered, and webhooks are told.

use serde_json::json;

use super::course::in_session;
use crate::agent::AgentOutcome;
use crate::answer::{Answer, Outcome, Refusal};
use crate::resources::agents::{AgentRun, Kind, Place, Status};
use crate::resources::{interventions, sessions, tasks, tasks_v2, webhooks};
use crate::world::{Topic, World};

/// Why a run did not succeed.
pub(super) struct Failure {
    /// The documented word for it, in events.
    kind: &'static str,
    message: String,
}

impl Failure {
    /// Of the run itself.
    fn of(kind: Kind, message: String) -> Self {
        let kind = match kind {
            Kind::Web => "agent_error",
            _ => "automation_failure",
        };
        Self { kind, message }
    }

    pub(super) fn credentials(message: String) -> Self {
        Self {
            kind: "invalid_credentials",
            message,
        }
    }
}

/// Ends a run at once, whatever its script says of steps; for runs that take no time.
pub(crate) fn at_once(world: &mut World, id: &str) -> Option<AgentRun> {
    finish(world, id);
    world.tables.runs.get(id).cloned()
}

/// Ends the runs in a session that has ended: because its time was over, or before.
pub(crate) fn session_ended(world: &mut World, session: &str, expired: bool) {
    let (status, kind, why) = match expired {
        true => (Status::Timeout, "timeout", "reached its maximum duration"),
        false => (Status::Cancelled, "system_error", "was ended"),
    };
    for id in in_session(world, session) {
        let message = format!("the session `{session}` {why} during the run; start another run");
        end(world, &id, status, Some(Failure { kind, message }));
    }
}

/// Ends a run as its script says.
pub(super) fn finish(world: &mut World, id: &str) {
    let Some(run) = world.tables.runs.get(id) else {
        return;
    };
    let (kind, steps, max_steps) = (run.kind, run.script.steps, run.max_steps);
    let (status, error) = match &run.script.outcome {
        _ if steps > max_steps => {
            let error = format!(
                "the agent took the {max_steps} steps that max_steps allows, and was not done"
            );
            (Status::Failure, Some(Failure::of(kind, error)))
        }
        AgentOutcome::Completed(_) => (Status::Success, None),
        AgentOutcome::Failed(error) => (Status::Failure, Some(Failure::of(kind, error.clone()))),
    };
    end(world, id, status, error);
}

pub(super) fn end(world: &mut World, id: &str, status: Status, failure: Option<Failure>) {
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
    run.error = failure.as_ref().map(|failure| failure.message.clone());
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
    announce(world, &run, failure.as_ref());
    let outcome = answer(world, &run);
    world.release(&Topic::Run(run.id), &outcome);
}

/// Tells webhooks how a run ended.
fn announce(world: &mut World, run: &AgentRun, failure: Option<&Failure>) {
    let mut data = json!({ "session_id": run.session(), "status": run.status.text() });
    match run.kind {
        Kind::Web => data["workflow_id"] = json!(run.id),
        Kind::Task | Kind::TaskV2 => {
            let execution = world.tables.executions.get(&run.id);
            data["run_id"] = json!(run.id);
            data["task_id"] = json!(execution.map(|execution| &execution.task));
            if run.script.healed && run.status == Status::Success {
                webhooks::emit(world, "task.healed", data.clone());
            }
        }
        // No tasks by the document's word.
        Kind::Snippet | Kind::Generation => return,
    }
    let event = match run.status {
        Status::Success => "task.completed",
        Status::Cancelled => "task.cancelled",
        _ => "task.failed",
    };
    match failure {
        Some(Failure { kind, message }) => {
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
