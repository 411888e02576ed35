//! Agents: tasks on the web, snippets of code, pause and resume.

mod course;
mod ending;
mod run;

use std::time::Duration;

use serde_json::{Value, json};

use crate::agent::AgentScript;
use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::document::RequestFault;
use crate::resources::{Routes, sessions};
use crate::world::World;

pub(crate) use course::{answered, begin, follow, room};
pub(crate) use ending::{held, session_ended};
pub(crate) use run::{AgentRun, Kind, Order, Place, Status, given, kept, origin, own, script};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/tools/perform-web-task", perform),
    ("GET /v1/tools/perform-web-task/{workflowId}/status", status),
    ("POST /v1/tools/execute-code", execute),
    ("POST /v1/sessions/{session_id}/agent/pause", pause),
    ("POST /v1/sessions/{session_id}/agent/resume", resume),
];

/// What the document says of a request without `max_steps`.
const MAX_STEPS: u32 = 200;

fn perform(world: &mut World, call: &Call<'_>) -> Outcome {
    let body = call.body();
    let max_steps = max_steps(body)?;
    let place = match call.text("sessionId").filter(|id| !id.is_empty()) {
        Some(id) => given(world, call, id)?,
        None => own(world, call, &json!({}))?,
    };
    if let (Some(url), Place::Given(id) | Place::Own(id)) = (call.member("url"), &place) {
        sessions::visit(world, id, url);
    }
    let scripted = !world.scripts.is_empty();
    let mut script = script(world, |world| match body.get("output_schema") {
        Some(schema) if schema.is_object() => world.sample(schema),
        _ => json!("the task is done"),
    });
    if !scripted {
        script.steps = script.steps.min(max_steps);
    }
    let order = Order {
        kind: Kind::Web,
        script,
        place,
        max_steps,
        may_ask: body["human_intervention"] == true,
        queued: Duration::ZERO,
        pace: world.config.timing.agent_step,
    };
    let id = begin(world, order)?;
    if body["async"] == true {
        return Ok(Answer::data(
            json!({ "status": "running", "workflow_id": id }),
        ));
    }
    Ok(held(world, &id))
}

fn max_steps(body: &Value) -> Result<u32, Refusal> {
    match body.get("max_steps").and_then(Value::as_f64) {
        Some(steps) if steps < 1.0 => Err(Refusal::bad("body.max_steps: must be at least 1")),
        // More than fits is as good as no limit; the conversion saturates.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(steps) => Ok(steps as u32),
        None => Ok(MAX_STEPS),
    }
}

fn status(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("workflowId");
    let run = world
        .tables
        .runs
        .get(id)
        .filter(|run| run.kind == Kind::Web)
        .ok_or_else(|| {
            let status = call.operation.status(RequestFault::NotFound);
            Refusal {
                status,
                ..Refusal::missing("workflow", id)
            }
        })?;
    let mut data = match run.status {
        Status::Queued | Status::Running => json!({ "status": "RUNNING" }),
        Status::Success => json!({ "status": "COMPLETED", "result": run.object() }),
        // The document has one word for every other end.
        Status::Failure | Status::Timeout | Status::Cancelled => {
            json!({ "status": "FAILED", "error": run.error })
        }
    };
    if let Some(session) = run.session() {
        data["sessionId"] = json!(session);
    }
    Ok(Answer::data(data))
}

/// The page in front of a session's browser runs the code. Without a browser, or with a script for it, snippets take no
/// time: the answer comes at once.
fn execute(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = call.text("sessionId").unwrap_or_default().to_owned();
    let place = given(world, call, &session)?;
    let browser = world.browsers.get(&session);
    if let Some(browser) = browser.filter(|_| world.scripts.is_empty()) {
        let code = call.member("code").unwrap_or_default().to_owned();
        let running = async move { browser.page().await?.run(&code).await };
        return Ok(Answer::later(running, move |world, ran| {
            sessions::must_run(world, &session)
                .map_err(|refusal| Refusal::new(500, refusal.message))?;
            let script = match ran {
                Ok(value) => AgentScript::completed(value),
                Err(message) => AgentScript::failed(message),
            };
            executed(world, place, script)
        }));
    }
    let script = script(world, |_| Value::Null);
    executed(world, place, script)
}

/// Notes a snippet that has run, and says what came of it.
fn executed(world: &mut World, place: Place, script: AgentScript) -> Outcome {
    let order = Order {
        kind: Kind::Snippet,
        script,
        place,
        max_steps: u32::MAX,
        may_ask: false,
        queued: Duration::ZERO,
        pace: Duration::ZERO,
    };
    let id = begin(world, order)?;
    let run = ending::at_once(world, &id).ok_or_else(|| Refusal::missing("run", &id))?;
    Ok(Answer::json(match run.result() {
        Some(value) => json!({
            "success": true,
            "message": "the code was executed",
            "output": value.to_string(),
            "executionResultId": id,
        }),
        None => json!({
            "success": false,
            "message": "the code failed",
            "error": run.error,
            "executionResultId": id,
        }),
    }))
}

fn pause(world: &mut World, call: &Call<'_>) -> Outcome {
    set_paused(world, call, true)
}

fn resume(world: &mut World, call: &Call<'_>) -> Outcome {
    set_paused(world, call, false)
}

/// The session remembers it: an agent that starts while it is paused waits too. Without an agent it is no error; the
/// document wants nothing but a running session.
fn set_paused(world: &mut World, call: &Call<'_>, paused: bool) -> Outcome {
    sessions::running(world, call)?.agent_paused = paused;
    course::pause(world, call.session(), paused);
    Ok(Answer::done())
}
