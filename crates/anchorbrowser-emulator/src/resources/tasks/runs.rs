//! Runs of legacy tasks, and their results.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::AgentScript;
use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::agents::{self, AgentRun, Kind, Order, Place};
use crate::resources::page;
use crate::resources::tasks::{PAGE, Task, known, laid_over};
use crate::world::{Record, World};

/// The part of a run's time that it waits in the queue: one of so many.
const QUEUED: u32 = 4;

/// What a run executes. It has the id of the run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Execution {
    pub(crate) id: String,
    /// Id of the task.
    pub(crate) task: String,
    pub(crate) version: String,
    pub(crate) version_id: String,
}

impl Record for Execution {
    const KIND: &'static str = "executions";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The run of a task. It lasts as long as `timing.task` says, however many steps its script has.
pub(crate) fn order(
    world: &World,
    kind: Kind,
    mut script: AgentScript,
    place: Place,
    may_ask: bool,
) -> Order {
    let all = world.config.timing.task;
    let queued = all / QUEUED;
    // Without a step there would be nothing that takes the time.
    script.steps = script.steps.max(1);
    let pace = all.saturating_sub(queued) / script.steps;
    Order {
        kind,
        script,
        place,
        max_steps: u32::MAX,
        may_ask,
        queued,
        pace,
    }
}

pub(super) fn run(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.member("taskId").unwrap_or_default();
    let version = call.member("version").unwrap_or("latest");
    begin(world, call, id, version)
}

pub(super) fn run_by_name(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("taskName");
    let task = world
        .tables
        .tasks
        .iter()
        .find(|task| task.name == name && !task.deleted);
    let id = task
        .map(|task| task.id().to_owned())
        .ok_or_else(|| Refusal::missing("task", name))?;
    begin(world, call, &id, "latest")
}

fn begin(world: &mut World, call: &Call<'_>, task: &str, version: &str) -> Outcome {
    let body = call.body();
    let task = known(world, task)?;
    let version = version_to_run(task, version)?;
    let mut execution = Execution {
        id: String::new(),
        task: task.id().to_owned(),
        version: version.version.clone(),
        version_id: version.id.clone(),
    };
    let configuration = task.configuration_of(version);
    let text = format!(
        "the task `{}` ran in version {}",
        task.name, version.version
    );
    inputs(body)?;
    let place = match call.member("sessionId") {
        Some(id) => agents::given(world, call, id)?,
        None => {
            let session = laid_over(
                body.get("overrideBrowserConfiguration"),
                Some(&configuration),
            );
            let place = agents::own(world, call, &json!({ "session": session }))?;
            agents::kept(place, body.get("cleanupSessions"))
        }
    };
    let script = agents::script(world, |_| json!(text));
    let order = order(world, Kind::Task, script, place, false);
    let id = agents::begin(world, order)?;
    id.clone_into(&mut execution.id);
    let task = execution.task.clone();
    world.tables.executions.insert(execution);
    if body["async"] != true {
        return Ok(agents::held(world, &id));
    }
    Ok(Answer::data(json!({
        "success": true,
        "async": true,
        "message": "the run has started",
        "taskId": task,
        "executionResultId": id,
    })))
}

/// A version that has code to run.
pub(crate) fn version_to_run<'t>(
    task: &'t Task,
    version: &str,
) -> Result<&'t super::Version, Refusal> {
    task.version(version).ok_or_else(|| {
        Refusal::new(
            404,
            format!(
                "the task `{}` has no version `{version}`; save a draft or deploy it",
                task.id()
            ),
        )
    })
}

/// The names of inputs; their values may be secrets and are not looked at.
fn inputs(body: &Value) -> Result<(), Refusal> {
    let inputs = body.get("inputs").and_then(Value::as_object);
    match inputs
        .into_iter()
        .flatten()
        .find(|(name, _)| !name.starts_with("ANCHOR_"))
    {
        Some((name, _)) => Err(Refusal::bad(format!(
            "body.inputs.{name}: the name must begin with ANCHOR_"
        ))),
        None => Ok(()),
    }
}

/// The answer to a synchronous run. A run that failed is no error of the request.
pub(crate) fn ended(world: &World, run: &AgentRun) -> Outcome {
    let execution = world
        .tables
        .executions
        .get(&run.id)
        .ok_or_else(|| Refusal::missing("execution", &run.id))?;
    let mut data = json!({
        "success": run.error.is_none(),
        "async": false,
        "message": if run.error.is_none() { "the task succeeded" } else { "the task failed" },
        "taskId": execution.task,
        "executionTime": millis(run.duration()),
    });
    match &run.error {
        Some(error) => data["error"] = json!(error),
        None => data["output"] = json!(run.output()),
    }
    Ok(Answer::data(data))
}

fn millis(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn result(execution: &Execution, run: &AgentRun) -> Value {
    json!({
        "id": execution.id,
        "taskVersionId": execution.version_id,
        "version": execution.version,
        "status": run.status.text(),
        "output": run.output(),
        "errorMessage": run.error,
        "startTime": run.started.unwrap_or(run.created).text(),
        "executionTime": millis(run.duration()),
    })
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let task = known(world, call.path("taskId"))?.id();
    let (status, version) = (call.text("status"), call.text("version"));
    // The newest first.
    let executions = world
        .tables
        .executions
        .iter()
        .rev()
        .filter(|execution| execution.task == task);
    let found = executions.filter_map(|execution| {
        let run = world.tables.runs.get(&execution.id)?;
        let fits = status.is_none_or(|status| run.status.text() == status)
            && version.is_none_or(|version| execution.version == version);
        fits.then_some((execution, run))
    });
    let size = call.number("limit").unwrap_or(PAGE);
    let page = page(found.collect(), call.number("page").unwrap_or(1), size);
    let results: Vec<Value> = page
        .items
        .iter()
        .map(|(execution, run)| result(execution, run))
        .collect();
    Ok(Answer::data(json!({
        "results": results,
        "pagination": {
            "page": page.number,
            "limit": size,
            "total": page.total,
            "totalPages": page.pages,
        },
    })))
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let task = known(world, call.path("taskId"))?.id();
    let id = call.path("executionId");
    let execution = world
        .tables
        .executions
        .get(id)
        .filter(|execution| execution.task == task);
    let found = execution.zip(world.tables.runs.get(id));
    let (execution, run) = found.ok_or_else(|| Refusal::missing("execution", id))?;
    Ok(Answer::data(result(execution, run)))
}
