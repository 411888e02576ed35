//! The draft and the numbered versions of a task.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::tasks::{
    self, Task, configuration, description, edit, known, put_configuration,
};
use crate::time::Time;
use crate::world::World;

/// The only one there is.
pub(super) const LANGUAGE: &str = "typescript";

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) id: String,
    /// `draft` or a number.
    pub(crate) version: String,
    /// In Base64.
    pub(crate) code: String,
    description: Option<String>,
    /// May hold the password of a proxy.
    pub(crate) configuration: Option<Value>,
    created: Time,
    updated: Time,
}

impl Version {
    fn number(&self) -> Option<u64> {
        self.version.parse().ok()
    }

    fn answer(&self, task: &str) -> Value {
        let mut data = json!({
            "id": self.id,
            "taskId": task,
            "version": self.version,
            "code": self.code,
            "language": LANGUAGE,
            "deleted": false,
            "createdAt": self.created.text(),
            "updatedAt": self.updated.text(),
        });
        if let Some(description) = &self.description {
            data["description"] = json!(description);
        }
        put_configuration(&mut data, self.configuration.as_ref());
        data
    }
}

impl Task {
    /// A version by `draft`, `latest` or its number. The latest is the published one with the highest number; before
    /// one is published it is the draft.
    pub(crate) fn version(&self, name: &str) -> Option<&Version> {
        if name == "latest" {
            return self.versions.iter().max_by_key(|version| version.number());
        }
        let name = normal(name);
        self.versions.iter().find(|version| version.version == name)
    }

    /// The configuration of the sessions in which a version runs.
    pub(crate) fn configuration_of(&self, version: &Version) -> Value {
        tasks::laid_over(version.configuration.as_ref(), self.configuration.as_ref())
    }
}

/// A number without leading zeros.
fn normal(version: &str) -> &str {
    match version.trim_start_matches('0') {
        "" if !version.is_empty() => "0",
        rest => rest,
    }
}

/// Makes a version, or changes the one that there is. Only a draft gets new code.
pub(super) fn put(task: &mut Task, now: Time, id: String, name: &str, body: &Value) {
    let code = body.get("code").and_then(Value::as_str);
    let configuration = body
        .get("browserConfiguration")
        .filter(|value| value.is_object())
        .cloned();
    let version = match task
        .versions
        .iter_mut()
        .find(|version| version.version == name)
    {
        Some(version) => version,
        None => {
            let code = code
                .map(str::to_owned)
                .or_else(|| Some(task.version("draft")?.code.clone()));
            task.versions.push(Version {
                id,
                version: name.to_owned(),
                code: code.unwrap_or_default(),
                description: None,
                configuration: None,
                created: now,
                updated: now,
            });
            task.highest = task.highest.max(name.parse().unwrap_or(0));
            let Some(version) = task.versions.last_mut() else {
                return;
            };
            version
        }
    };
    version.updated = now;
    version.description = description(body).or(version.description.take());
    version.configuration = configuration.or(version.configuration.take());
    if let Some(code) = code.filter(|_| name == "draft") {
        code.clone_into(&mut version.code);
    }
}

/// Changes or makes the version `name` of the task of the path, and answers it.
fn save(world: &mut World, call: &Call<'_>, name: &str) -> Outcome {
    known(world, call.path("taskId"))?;
    configuration(world, call.body())?;
    let (now, id) = (world.now, world.ids.uuid());
    let task = edit(world, call)?;
    if task.version(name).is_none()
        && call.member("code").is_none()
        && task.version("draft").is_none()
    {
        return Err(Refusal::bad(
            "body.code: a new version needs code, and the task has no draft to take it from",
        ));
    }
    put(task, now, id, name, call.body());
    answer(task, name)
}

fn answer(task: &Task, name: &str) -> Outcome {
    let version = task.version(name).ok_or_else(|| {
        Refusal::new(
            404,
            format!("the task `{}` has no version `{name}`", task.id),
        )
    })?;
    Ok(Answer::data(version.answer(&task.id)))
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let task = known(world, call.path("taskId"))?;
    let versions = task.versions.iter().map(|version| {
        let mut item = json!({
            "version": version.version,
            "createdAt": version.created.text(),
            "updatedAt": version.updated.text(),
        });
        if let Some(description) = &version.description {
            item["description"] = json!(description);
        }
        item
    });
    let versions: Vec<Value> = versions.collect();
    Ok(Answer::data(
        json!({ "taskId": task.id, "versions": versions }),
    ))
}

pub(super) fn latest(world: &mut World, call: &Call<'_>) -> Outcome {
    answer(known(world, call.path("taskId"))?, "latest")
}

pub(super) fn draft(world: &mut World, call: &Call<'_>) -> Outcome {
    answer(known(world, call.path("taskId"))?, "draft")
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    answer(known(world, call.path("taskId"))?, call.path("taskVersion"))
}

pub(super) fn save_draft(world: &mut World, call: &Call<'_>) -> Outcome {
    save(world, call, "draft")
}

pub(super) fn deploy(world: &mut World, call: &Call<'_>) -> Outcome {
    let next = known(world, call.path("taskId"))?.highest.saturating_add(1);
    save(world, call, &next.to_string())
}

pub(super) fn publish(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = normal(call.path("taskVersion"));
    if name == "0" || name.parse::<u64>().is_err() {
        return Err(Refusal::bad(
            "path taskVersion: must be a number from 1; `draft` can't be published by this name",
        ));
    }
    save(world, call, name)
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let task = edit(world, call)?;
    let name = call.path("taskVersion");
    let found = task.version(name).map(|version| version.id.clone());
    let Some(id) = found else {
        return Err(Refusal::new(
            404,
            format!("the task `{}` has no version `{name}`", task.id),
        ));
    };
    task.versions.retain(|version| version.id != id);
    Ok(Answer::data(
        json!({ "success": true, "message": "the version was deleted" }),
    ))
}
