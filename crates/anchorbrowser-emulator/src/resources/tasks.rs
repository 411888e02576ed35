//! Legacy tasks: their metadata. Their code is in versions, and is run by runs.

mod runs;
mod versions;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, billing, check_name, editable, page, sessions};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use runs::{Execution, ended, order, version_to_run};
pub(crate) use versions::Version;

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/task", create),
    ("GET /v1/task", list),
    ("GET /v1/task/{taskId}", get),
    ("PUT /v1/task/{taskId}", update),
    ("DELETE /v1/task/{taskId}", delete),
    ("GET /v1/task/{taskId}/versions", versions::list),
    ("GET /v1/task/{taskId}/latest", versions::latest),
    ("GET /v1/task/{taskId}/draft", versions::draft),
    ("POST /v1/task/{taskId}/draft", versions::save_draft),
    ("POST /v1/task/{taskId}/deploy", versions::deploy),
    ("GET /v1/task/{taskId}/{taskVersion}", versions::get),
    ("POST /v1/task/{taskId}/{taskVersion}", versions::publish),
    ("DELETE /v1/task/{taskId}/{taskVersion}", versions::delete),
    ("POST /v1/task/run", runs::run),
    ("POST /v1/task/run/{taskName}", runs::run_by_name),
    ("GET /v1/task/{taskId}/executions", runs::list),
    ("GET /v1/task/{taskId}/executions/{executionId}", runs::get),
];

/// What a page of a list holds if the request does not say.
const PAGE: usize = 10;
/// What a page of tasks holds at most.
const LARGEST_PAGE: usize = 100;

/// Characters of a name.
const LONGEST_NAME: usize = 255;

/// A task. A deleted one is kept, with its name, but is not found any more.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    id: String,
    name: String,
    description: Option<String>,
    /// Of the sessions that its runs start; may hold the password of a proxy.
    configuration: Option<Value>,
    deleted: bool,
    created: Time,
    updated: Time,
    /// Draft and published versions, in order of creation.
    versions: Vec<Version>,
    /// The highest number that a version ever had.
    highest: u64,
}

impl Record for Task {
    const KIND: &'static str = "tasks";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Task {
    fn metadata(&self) -> Value {
        let mut data = json!({
            "id": self.id,
            "name": self.name,
            "teamId": billing::TEAM,
            "latest": self.newest(),
            "deleted": self.deleted,
            "createdAt": self.created.text(),
            "updatedAt": self.updated.text(),
        });
        if let Some(description) = &self.description {
            data["description"] = json!(description);
        }
        data
    }

    /// With code.
    fn whole(&self) -> Value {
        let mut data = self.metadata();
        if let Some(members) = data.as_object_mut() {
            members.remove("latest");
        }
        data["latestVersion"] = json!(self.newest());
        data["code"] = json!(
            self.version("latest")
                .map_or("", |version| version.code.as_str())
        );
        data["language"] = json!(versions::LANGUAGE);
        put_configuration(&mut data, self.configuration.as_ref());
        data
    }

    /// Name of the newest version; a task begins as a draft, even without code.
    fn newest(&self) -> &str {
        self.version("latest")
            .map_or("draft", |version| version.version.as_str())
    }
}

/// Puts a configuration into an answer, without the password of a proxy.
fn put_configuration(data: &mut Value, configuration: Option<&Value>) {
    let Some(mut configuration) = configuration.cloned() else {
        return;
    };
    if let Some(password) = configuration.pointer_mut("/proxy/password") {
        *password = json!("[redacted]");
    }
    data["browserConfiguration"] = configuration;
}

/// The configuration of a request, if it has one that a session can be started with.
fn configuration(world: &World, body: &Value) -> Result<Option<Value>, Refusal> {
    let Some(configuration) = body
        .get("browserConfiguration")
        .filter(|value| value.is_object())
    else {
        return Ok(None);
    };
    sessions::check(world, &json!({ "session": configuration }))?;
    Ok(Some(configuration.clone()))
}

/// `over` laid over `under`, member by member.
pub(crate) fn laid_over(over: Option<&Value>, under: Option<&Value>) -> Value {
    let members = |value: Option<&Value>| {
        value
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let mut all: Map<String, Value> = members(under);
    all.extend(members(over));
    Value::Object(all)
}

/// The task `id`, unless it is deleted.
pub(crate) fn known<'w>(world: &'w World, id: &str) -> Result<&'w Task, Refusal> {
    let task = world.tables.tasks.get(id).filter(|task| !task.deleted);
    task.ok_or_else(|| Refusal::missing("task", id))
}

/// The task of the path, to be changed. Its time of change is now.
fn edit<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Task, Refusal> {
    let now = world.now;
    let id = call.path("taskId");
    let task = world.tables.tasks.edit(id).filter(|task| !task.deleted);
    let task = task.ok_or_else(|| Refusal::missing("task", id))?;
    task.updated = now;
    Ok(task)
}

/// The task with this name, also a deleted one.
fn named<'w>(world: &'w World, name: &str) -> Option<&'w Task> {
    world.tables.tasks.iter().find(|task| task.name == name)
}

/// The name of a request, which must be one that can be answered.
fn name<'a>(call: &Call<'a>) -> Result<Option<&'a str>, Refusal> {
    let name = call.member("name");
    name.map_or(Ok(()), |name| check_name("body.name", name, LONGEST_NAME))?;
    Ok(name)
}

fn description(body: &Value) -> Option<String> {
    body.get("description")?.as_str().map(str::to_owned)
}

/// Creates a task. One that has the name already is updated, as the document says; only the name of a deleted task,
/// which can't be updated, is refused.
fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let (now, body) = (world.now, call.body());
    let name = name(call)?.ok_or_else(|| Refusal::bad("body.name: a task needs a name"))?;
    let configuration = configuration(world, body)?;
    let id = match named(world, name) {
        Some(task) if task.deleted => {
            return Err(Refusal::conflict(format!(
                "body.name: a deleted task has the name `{name}`; choose another one"
            )));
        }
        Some(task) => task.id.clone(),
        None => {
            let id = world.ids.uuid();
            world.tables.tasks.add(Task {
                id: id.clone(),
                name: name.to_owned(),
                description: None,
                configuration: None,
                deleted: false,
                created: now,
                updated: now,
                versions: Vec::new(),
                highest: 0,
            })?;
            id
        }
    };
    let version = world.ids.uuid();
    let task = editable(&mut world.tables.tasks, "task", &id)?;
    task.updated = now;
    task.description = description(body).or(task.description.take());
    task.configuration = configuration.or(task.configuration.take());
    if call.member("code").is_some_and(|code| !code.is_empty()) {
        versions::put(task, now, version, "draft", body);
    }
    Ok(Answer::data(task.whole()))
}

fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let size = call.number("limit").unwrap_or(PAGE).min(LARGEST_PAGE);
    let tasks: Vec<&Task> = world
        .tables
        .tasks
        .iter()
        .filter(|task| !task.deleted)
        .collect();
    let page = page(tasks, call.number("page").unwrap_or(1), size);
    let tasks: Vec<Value> = page.items.iter().map(|task| task.whole()).collect();
    let (total, number) = (page.total, page.number);
    Ok(Answer::data(
        json!({ "tasks": tasks, "total": total, "page": number, "limit": size }),
    ))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    Ok(Answer::data(known(world, call.path("taskId"))?.metadata()))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = name(call)?;
    let id = &known(world, call.path("taskId"))?.id;
    if name
        .and_then(|name| named(world, name))
        .is_some_and(|other| other.id != *id)
    {
        return Err(Refusal::conflict(
            "body.name: another task has this name; choose another one",
        ));
    }
    let task = edit(world, call)?;
    if let Some(name) = name {
        name.clone_into(&mut task.name);
    }
    task.description = description(call.body()).or(task.description.take());
    Ok(Answer::data(task.metadata()))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    edit(world, call)?.deleted = true;
    Ok(Answer::data(
        json!({ "success": true, "message": "the task was deleted" }),
    ))
}
