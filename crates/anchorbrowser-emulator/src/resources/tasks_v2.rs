//! Tasks made from a prompt, and runs of tasks, by the present API. It runs legacy tasks too.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::document::RequestFault;
use crate::resources::agents::{self, AgentRun, Kind, Order, Place, Status};
use crate::resources::tasks::{self, Execution};
use crate::resources::{Routes, billing, sessions};
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v2/tasks/{taskId}/run", run),
    ("GET /v2/tasks/runs/{runId}/status", run_status),
    ("POST /v2/tasks/generate", generate),
    (
        "GET /v2/tasks/{taskId}/generation-status",
        generation_status,
    ),
];

/// A task that is made, or was made, from a prompt. It has the id of the run that makes it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Generation {
    pub(crate) id: String,
    name: String,
    version_id: String,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    may_ask: bool,
    /// Of the sessions that its runs start; may hold the password of a proxy.
    configuration: Value,
}

impl Record for Generation {
    const KIND: &'static str = "generations";

    fn id(&self) -> &str {
        &self.id
    }
}

/// Starts the generation of a task. The answer does not wait for it, whatever `async` says: the only status that the
/// document gives it is `generating`.
fn generate(world: &mut World, call: &Call<'_>) -> Outcome {
    let body = call.body();
    named(world, call, body)?;
    let configuration = match body.get("task_browser_default_configuration") {
        Some(configuration) if configuration.is_object() => configuration.clone(),
        _ => json!({}),
    };
    sessions::check(world, &configuration)?;
    let place = match call.member("browser_session_id") {
        Some(id) => agents::given(world, call, id)?,
        None => {
            billing::solvent(world)?;
            Place::Later {
                configuration: configuration.clone(),
                origin: agents::origin(call),
            }
        }
    };
    let mut script = agents::script(world, |_| Value::Null);
    script.steps = 1;
    let order = Order {
        kind: Kind::Generation,
        script,
        place,
        max_steps: 1,
        may_ask: false,
        queued: Duration::ZERO,
        pace: world.config.timing.generation,
    };
    let id = agents::begin(world, order)?;
    let list = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let generation = Generation {
        id: id.clone(),
        name: call.member("taskName").unwrap_or_default().to_owned(),
        version_id: world.ids.uuid(),
        inputs: list("input_schema"),
        outputs: list("output_schema"),
        may_ask: body["human_intervention"] == true,
        configuration,
    };
    let version = generation.version_id.clone();
    world.tables.generations.insert(generation);
    Ok(Answer::json(json!({
        "id": id,
        "status": "generating",
        "taskId": id,
        "taskVersionId": version,
        "projectId": billing::PROJECT,
    })))
}

/// What a request names must be there.
fn named(world: &World, call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
    let name = |member: &str| body.get(member).and_then(Value::as_str).map(str::to_owned);
    let missing = |what: &str, id: &str| {
        let status = call.operation.status(RequestFault::NotFound);
        Err(Refusal {
            status,
            ..Refusal::missing(what, id)
        })
    };
    match (name("application_id"), name("identity_id")) {
        (Some(id), _) if !world.tables.applications.contains(&id) => missing("application", &id),
        (_, Some(id)) if !world.tables.identities.contains(&id) => missing("identity", &id),
        _ => Ok(()),
    }
}

/// The generated task `id`, and the run that makes it.
fn generated<'w>(world: &'w World, id: &str) -> Result<(&'w Generation, &'w AgentRun), Refusal> {
    let found = world
        .tables
        .generations
        .get(id)
        .zip(world.tables.runs.get(id));
    found.ok_or_else(|| Refusal::missing("task", id))
}

fn generation_status(world: &mut World, call: &Call<'_>) -> Outcome {
    let (generation, run) = generated(world, call.path("taskId"))?;
    let status = match run.status {
        Status::Queued => "waiting-for-session",
        Status::Running => "generating",
        Status::Success => "ready",
        Status::Failure | Status::Timeout | Status::Cancelled => "failed",
    };
    let mut answer = json!({ "id": generation.id, "status": status });
    if let Some(error) = &run.error {
        answer["error"] = json!(error);
    }
    Ok(Answer::json(answer))
}

/// What a run of a task needs to know of it.
struct Runnable {
    execution: Execution,
    configuration: Value,
    may_ask: bool,
    result: Value,
}

fn run(world: &mut World, call: &Call<'_>) -> Outcome {
    let body = call.body();
    let Runnable {
        mut execution,
        mut configuration,
        may_ask,
        result,
    } = runnable(world, call)?;
    named(
        world,
        call,
        &json!({ "identity_id": body.get("identity_id") }),
    )?;
    let place = match call.member("session_id") {
        Some(id) => agents::given(world, call, id)?,
        None => {
            if let Some(identity) = call.member("identity_id") {
                configuration["identities"] = json!([{ "id": identity }]);
                configuration["identity_skip_validation"] =
                    json!(body["identity_skip_validation"] != false);
            }
            let place = agents::own(world, call, &configuration)?;
            agents::kept(place, body.get("cleanup_sessions"))
        }
    };
    let script = agents::script(world, |world| made(world, result));
    let order = tasks::order(world, Kind::TaskV2, script, place, may_ask);
    let id = agents::begin(world, order)?;
    id.clone_into(&mut execution.id);
    world.tables.executions.insert(execution);
    if body["sync"] == true {
        return Ok(agents::held(world, &id));
    }
    let run = world
        .tables
        .runs
        .get(&id)
        .ok_or_else(|| Refusal::missing("run", &id))?;
    ended(run)
}

/// The task of the path, generated or legacy, if it can be run.
fn runnable(world: &World, call: &Call<'_>) -> Result<Runnable, Refusal> {
    let id = call.path("taskId");
    if world.tables.tasks.contains(id) {
        let task = tasks::known(world, id)?;
        let version = tasks::version_to_run(task, "latest")?;
        return Ok(Runnable {
            execution: execution(id, &version.version, &version.id),
            configuration: json!({ "session": task.configuration_of(version) }),
            may_ask: false,
            result: Value::Null,
        });
    }
    let (generation, run) = generated(world, id)?;
    match run.status {
        Status::Success => {}
        Status::Queued | Status::Running => {
            return Err(Refusal::conflict(format!(
                "the task `{id}` is not made yet; poll its generation-status until it is `ready`"
            )));
        }
        _ => {
            return Err(Refusal::conflict(format!(
                "the generation of the task `{id}` failed; generate it again"
            )));
        }
    }
    check_inputs(&generation.inputs, &call.body()["input_params"])?;
    Ok(Runnable {
        execution: execution(id, "1", &generation.version_id),
        configuration: generation.configuration.clone(),
        may_ask: generation.may_ask,
        result: object_schema(&generation.outputs),
    })
}

fn execution(task: &str, version: &str, version_id: &str) -> Execution {
    Execution {
        id: String::new(),
        task: task.to_owned(),
        version: version.to_owned(),
        version_id: version_id.to_owned(),
    }
}

/// Parameters that are required and have no default must be given.
fn check_inputs(parameters: &[Value], given: &Value) -> Result<(), Refusal> {
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap_or_default();
        let needed = parameter["required"] != false && parameter["defaultValue"].is_null();
        if needed && given.get(name).is_none() {
            return Err(Refusal::bad(format!(
                "body.input_params.{name}: the task needs this parameter"
            )));
        }
    }
    Ok(())
}

/// The JSON Schema of an object with these parameters.
fn object_schema(parameters: &[Value]) -> Value {
    let members = parameters.iter().filter_map(|parameter| {
        let kind = parameter["type"].as_str();
        let kind = kind
            .filter(|kind| matches!(*kind, "number" | "boolean"))
            .unwrap_or("string");
        let options = parameter["options"]
            .as_array()
            .filter(|options| !options.is_empty());
        let schema = match options {
            Some(options) if kind == "string" => json!({ "enum": options }),
            _ => json!({ "type": kind }),
        };
        Some((parameter["name"].as_str()?.to_owned(), schema))
    });
    let properties: Map<String, Value> = members.collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// The result of a run without a script.
fn made(world: &mut World, schema: Value) -> Value {
    let empty = schema["required"].as_array().is_none_or(Vec::is_empty);
    if empty {
        return json!("the task is done");
    }
    world.sample(&schema)
}

/// The state of a run; also the answer to a synchronous one.
pub(crate) fn ended(run: &AgentRun) -> Outcome {
    let mut answer = json!({ "run_id": run.id, "status": run.status.text() });
    if let Some(session) = run.session() {
        answer["session_id"] = json!(session);
    }
    if let Some(result) = run.object() {
        answer["result"] = result;
    }
    if let Some(error) = &run.error {
        answer["error"] = json!(error);
    }
    Ok(Answer::json(answer))
}

fn run_status(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("runId");
    let run = world
        .tables
        .runs
        .get(id)
        .filter(|run| matches!(run.kind, Kind::Task | Kind::TaskV2));
    ended(run.ok_or_else(|| Refusal::missing("run", id))?)
}
