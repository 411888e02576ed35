//! Profiles: made from scratch, or from a session and stored when it ends.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::sessions::Session;
use crate::resources::{Routes, find, listed};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/profiles", create),
    ("GET /v1/profiles", list),
    ("GET /v1/profiles/{name}", get),
    ("DELETE /v1/profiles/{name}", delete),
];

/// Waits for the end of its session.
const PENDING: &str = "pending";
const READY: &str = "ready";

/// The one source of the document.
const SESSION: &str = "session";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) name: String,
    description: Option<String>,
    /// The session that it is made from.
    pub(crate) session: Option<String>,
    dedicated_sticky_ip: bool,
    /// `pending` or `ready`.
    pub(crate) status: String,
    created: Time,
}

impl Record for Profile {
    const KIND: &'static str = "profiles";

    fn id(&self) -> &str {
        &self.name
    }
}

impl Profile {
    fn json(&self) -> Value {
        let mut json = Map::new();
        json.insert("name".to_owned(), json!(self.name));
        if let Some(description) = &self.description {
            json.insert("description".to_owned(), json!(description));
        }
        if let Some(session) = &self.session {
            json.insert("source".to_owned(), json!(SESSION));
            json.insert("session_id".to_owned(), json!(session));
        }
        json.insert("status".to_owned(), json!(self.status));
        json.insert("created_at".to_owned(), json!(self.created.text()));
        Value::Object(json)
    }
}

/// Refuses a name that can't be given to a new profile.
pub(crate) fn check_name(world: &World, place: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::bad(format!("{place}: must not be empty")));
    }
    if world.tables.profiles.contains(name) {
        return Err(Refusal::conflict(format!(
            "{place}: there is a profile `{name}` already; choose another name, or delete that one"
        )));
    }
    Ok(())
}

/// Adds a profile of a running session; it is stored when the session ends.
pub(crate) fn from_session(world: &mut World, name: &str, session: &str) -> Result<(), Refusal> {
    let created = world.now;
    world.tables.profiles.add(Profile {
        name: name.to_owned(),
        description: None,
        session: Some(session.to_owned()),
        dedicated_sticky_ip: false,
        status: PENDING.to_owned(),
        created,
    })
}

/// The profiles that a session which has just ended is stored under: those made from it, and the one that it asked to
/// persist. They wait for [`stored`].
pub(crate) fn of_session(world: &mut World, session: &str) -> Vec<String> {
    let waiting = |profile: &Profile| {
        profile.status == PENDING && profile.session.as_deref() == Some(session)
    };
    let mut names = world.tables.profiles.ids(waiting);
    let ended = world.tables.sessions.get(session);
    let Some(name) = ended.and_then(persistent).map(str::to_owned) else {
        return names;
    };
    if let Some(profile) = world.tables.profiles.edit(&name) {
        PENDING.clone_into(&mut profile.status);
        profile.session = Some(session.to_owned());
    } else if let Err(refusal) = from_session(world, &name, session) {
        tracing::warn!(refusal.message, "the profile of a session was not stored");
        return names;
    }
    if !names.contains(&name) {
        names.push(name);
    }
    names
}

/// The profiles of a session are ready. Without an archive they keep what they had. Those that have been deleted, or are of
/// another session by now, are left alone.
pub(crate) fn stored(world: &mut World, session: &str, names: &[String], archive: Option<&Bytes>) {
    for name in names {
        let mut profile = world.tables.profiles.edit(name);
        let of_session = |profile: &&mut Profile| {
            profile.status == PENDING && profile.session.as_deref() == Some(session)
        };
        let Some(profile) = profile.take().filter(of_session) else {
            continue;
        };
        READY.clone_into(&mut profile.status);
        if let Some(archive) = archive
            && let Err(refusal) = world.blobs.put(&blob(name), archive.clone())
        {
            let why = refusal.message;
            tracing::warn!(session, "a profile keeps what it had: {why}");
        }
    }
}

/// What a browser left in a profile.
pub(crate) fn archive(world: &World, name: &str) -> Option<Bytes> {
    world.blobs.get(&blob(name))
}

/// The id of the bytes of a profile.
fn blob(name: &str) -> String {
    format!("profile/{name}")
}

/// Profiles of a state file that were about to be stored keep what they had.
pub(crate) fn settle_lost(world: &mut World) {
    let sessions = &world.tables.sessions;
    let runs = |id: &String| sessions.get(id).is_some_and(Session::is_running);
    let pending = |profile: &Profile| {
        profile.status == PENDING && !profile.session.as_ref().is_some_and(runs)
    };
    for name in world.tables.profiles.ids(pending) {
        if let Some(profile) = world.tables.profiles.edit(&name) {
            READY.clone_into(&mut profile.status);
        }
    }
}

/// The name of the profile that a session keeps, if it keeps one.
fn persistent(session: &Session) -> Option<&str> {
    let profile = session.configuration.pointer("/browser/profile")?;
    profile
        .get("persist")?
        .as_bool()
        .filter(|persist| *persist)?;
    profile
        .get("name")?
        .as_str()
        .filter(|name| !name.is_empty())
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.member("name").unwrap_or_default();
    let session = call.member("session_id");
    match call.member("source") {
        None | Some(SESSION) => {}
        Some(_) => {
            return Err(Refusal::new(
                501,
                "body.source: only `session` is supported",
            ));
        }
    }
    if call.member("source").is_some() && session.is_none() {
        return Err(Refusal::bad(
            "body.session_id: is missing; the source `session` needs it",
        ));
    }
    check_name(world, "body.name", name)?;
    if let Some(id) = session {
        let known = find(&world.tables.sessions, "session", id)?;
        if !known.is_running() {
            let message =
                format!("the session `{id}` has ended; a profile is made from a running one");
            return Err(Refusal::new(404, message));
        }
    }
    let status = if session.is_some() { PENDING } else { READY };
    let profile = Profile {
        name: name.to_owned(),
        description: call.member("description").map(str::to_owned),
        session: session.map(str::to_owned),
        dedicated_sticky_ip: call
            .body()
            .get("dedicated_sticky_ip")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        status: status.to_owned(),
        created: world.now,
    };
    world.tables.profiles.add(profile)?;
    Ok(Answer::done())
}

fn list(world: &mut World, _: &Call<'_>) -> Outcome {
    let items: Vec<Value> = world.tables.profiles.iter().map(Profile::json).collect();
    Ok(listed(items))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("name");
    let profile = find(&world.tables.profiles, "profile", name)?;
    Ok(Answer::data(profile.json()))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("name");
    world
        .tables
        .profiles
        .remove(name)
        .ok_or_else(|| Refusal::missing("profile", name))?;
    world.blobs.remove(&blob(name));
    Ok(Answer::done())
}
