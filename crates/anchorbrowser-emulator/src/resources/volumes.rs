//! Volumes: named storage that outlives sessions, its files, and the links under which large files are moved.

mod files;
mod links;
mod listing;
mod paths;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, check_name, documents, listed};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use files::{VolumeFile, save_download};
pub(crate) use links::{Link, fetch_link, put_link};
pub(crate) use paths::{file_name, normal};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/volumes", create),
    ("GET /v1/volumes", list),
    ("GET /v1/volumes/by-name/{name}", by_name),
    ("GET /v1/volumes/{volume_id}", get),
    ("DELETE /v1/volumes/{volume_id}", delete),
    ("GET /v1/volumes/{volume_id}/files", listing::files),
    ("POST /v1/volumes/{volume_id}/files", files::upload),
    ("DELETE /v1/volumes/{volume_id}/files", files::delete),
    ("GET /v1/volumes/{volume_id}/files/stat", files::stat),
    ("GET /v1/volumes/{volume_id}/paths", listing::paths),
    (
        "POST /v1/volumes/{volume_id}/directories",
        files::create_directory,
    ),
    (
        "POST /v1/volumes/{volume_id}/files/upload-url",
        links::upload_url,
    ),
    (
        "GET /v1/volumes/{volume_id}/files/download",
        links::download_url,
    ),
];

/// Volumes that a team has at once.
const MOST: usize = 10;
const LONGEST_NAME: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Creating,
    Ready,
    Deleting,
    Deleted,
}

impl State {
    fn text(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Ready => "ready",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) created: Time,
    pub(crate) updated: Time,
    /// When a session last mounted or unmounted it.
    pub(crate) last_used: Option<Time>,
    pub(crate) deleted: Option<Time>,
    /// When its creation or deletion is done.
    done: Option<Time>,
}

impl Record for Volume {
    const KIND: &'static str = "volumes";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        self.done
    }

    fn step(world: &mut World, id: &str) {
        let now = world.now;
        let Some(volume) = world.tables.volumes.edit(id) else {
            return;
        };
        volume.done = None;
        volume.updated = now;
        match volume.state {
            State::Creating => volume.state = State::Ready,
            State::Deleting => {
                volume.state = State::Deleted;
                volume.deleted = Some(now);
                files::forget(world, id);
            }
            State::Ready | State::Deleted => {}
        }
    }
}

impl Volume {
    fn is_there(&self) -> bool {
        self.state != State::Deleted
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "state": self.state.text(),
            "error_reason": null,
            "created_at": self.created.text(),
            "updated_at": self.updated.text(),
            "last_used_at": self.last_used.map(Time::text),
            "deleted_at": self.deleted.map(Time::text),
        })
    }
}

/// Refuses a session that is to mount a volume which can't be mounted.
pub(crate) fn check_mount(world: &World, id: &str) -> Result<(), Refusal> {
    match existing(world, id) {
        None => Err(Refusal::bad(format!(
            "body.browser.volume.id: there is no volume `{id}`"
        ))),
        Some(volume) if volume.state != State::Ready => Err(Refusal::bad(format!(
            "body.browser.volume.id: the volume `{id}` is {}; only a ready one can be mounted",
            volume.state.text()
        ))),
        Some(_) => Ok(()),
    }
}

/// A session has just mounted its volume, or unmounted it. Which are mounted is told by the sessions that run; here
/// only the time is noted.
pub(crate) fn used(world: &mut World, session: &str) {
    let now = world.now;
    let Some((id, _)) = mounted_by(world, session) else {
        return;
    };
    if let Some(volume) = world.tables.volumes.edit(&id) {
        volume.last_used = Some(now);
    }
}

/// The volume that a session names, and whether it may only read it.
fn mounted_by(world: &World, session: &str) -> Option<(String, bool)> {
    let volume = world
        .tables
        .sessions
        .get(session)?
        .configuration
        .pointer("/browser/volume")?;
    let reads = volume.get("read_only").and_then(Value::as_bool) == Some(true);
    Some((volume.get("id")?.as_str()?.to_owned(), reads))
}

/// The running session that has mounted a volume, if there is one.
fn mounter<'w>(world: &'w World, id: &str) -> Option<&'w str> {
    let mut running = world
        .tables
        .sessions
        .iter()
        .filter(|session| session.is_running());
    let session = running.find(|session| {
        let volume = session.configuration.pointer("/browser/volume/id");
        volume.and_then(Value::as_str) == Some(id)
    })?;
    Some(&session.id)
}

/// A volume that is not deleted.
fn existing<'w>(world: &'w World, id: &str) -> Option<&'w Volume> {
    world
        .tables
        .volumes
        .get(id)
        .filter(|volume| volume.is_there())
}

/// The volume of the path.
fn known<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Volume, Refusal> {
    let id = call.path("volume_id");
    existing(world, id).ok_or_else(|| Refusal::missing("volume", id))
}

/// The id of the volume of the path, which must be ready.
fn open(world: &World, call: &Call<'_>) -> Result<String, Refusal> {
    let volume = known(world, call)?;
    if volume.state == State::Ready {
        return Ok(volume.id.clone());
    }
    let status = if documents(call, 409) && !documents(call, 412) {
        409
    } else {
        412
    };
    Err(Refusal::new(
        status,
        format!(
            "the volume `{}` is {}; its files can be used while it is ready",
            volume.id,
            volume.state.text()
        ),
    ))
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    if !world.config.account.volumes {
        return Err(Refusal::new(
            403,
            "volumes are not enabled for this account",
        ));
    }
    let name = call.member("name").unwrap_or_default();
    check_name("body.name", name, LONGEST_NAME)?;
    let there = world
        .tables
        .volumes
        .iter()
        .filter(|volume| volume.is_there());
    let names: Vec<&str> = there.map(|volume| volume.name.as_str()).collect();
    if names.contains(&name) {
        return Err(Refusal::conflict(format!(
            "body.name: there is a volume `{name}` already; use it, or take another name"
        )));
    }
    if names.len() >= MOST {
        return Err(Refusal::conflict(format!(
            "there are {MOST} volumes, which is the most; delete one first"
        )));
    }
    let wait = world.config.timing.volume;
    let volume = Volume {
        id: world.ids.uuid(),
        name: name.to_owned(),
        state: if wait.is_zero() {
            State::Ready
        } else {
            State::Creating
        },
        created: world.now,
        updated: world.now,
        last_used: None,
        deleted: None,
        done: Some(world.now.after(wait)).filter(|_| !wait.is_zero()),
    };
    let answer = volume.json();
    world.tables.volumes.add(volume)?;
    Ok(Answer::data(answer))
}

fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let deleted = call.flag("include_deleted") == Some(true);
    let state = call.text("state");
    let items: Vec<Value> = world
        .tables
        .volumes
        .iter()
        .filter(|volume| deleted || volume.is_there())
        .filter(|volume| state.is_none_or(|state| volume.state.text() == state))
        .map(Volume::json)
        .collect();
    Ok(listed(items))
}

fn by_name(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("name");
    let mut volumes = world.tables.volumes.iter();
    let volume = volumes.find(|volume| volume.is_there() && volume.name == name);
    let volume = volume.ok_or_else(|| Refusal::missing("volume", name))?;
    Ok(Answer::data(volume.json()))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    Ok(Answer::data(known(world, call)?.json()))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    if let Some(session) = mounter(world, &id) {
        return Err(Refusal::conflict(format!(
            "the volume `{id}` is mounted by the session `{session}`; end the session first"
        )));
    }
    let (now, wait) = (world.now, world.config.timing.volume);
    if let Some(volume) = world.tables.volumes.edit(&id)
        && volume.state != State::Deleting
    {
        volume.state = State::Deleting;
        volume.updated = now;
        volume.done = Some(now.after(wait));
        if wait.is_zero() {
            Volume::step(world, &id);
        }
    }
    let state = world
        .tables
        .volumes
        .get(&id)
        .map_or(State::Deleted, |volume| volume.state);
    Ok(Answer::data(json!({ "id": id, "status": state.text() })))
}

/// Makes a volume that is ready.
#[cfg(test)]
pub(crate) fn ready(world: &mut World, id: &str) -> String {
    world.tables.volumes.insert(Volume {
        id: id.to_owned(),
        name: id.to_owned(),
        state: State::Ready,
        created: world.now,
        updated: world.now,
        last_used: None,
        deleted: None,
        done: None,
    });
    id.to_owned()
}

/// The bytes of a file, if it is shown.
#[cfg(test)]
pub(crate) fn read(world: &World, volume: &str, path: &str) -> Option<bytes::Bytes> {
    files::file(world, volume, path)
        .ok()
        .map(|file| files::bytes(world, file))
}
