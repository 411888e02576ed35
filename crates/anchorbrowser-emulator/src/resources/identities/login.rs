//! Logins with the credentials of identities: those of new ones, those of sessions, and repeated ones.

use serde_json::{Value, json};

use super::{FAILED, PENDING, VALIDATED, known};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::resources::sessions::{self, Origin};
use crate::resources::webhooks;
use crate::time::Time;
use crate::world::{Topic, World};

/// Requests that wait for the validation of a new identity.
pub(super) fn validation(id: &str) -> Topic {
    Topic::Run(format!("validation of identity {id}"))
}

/// Requests that wait for a repeated login.
pub(super) fn repeated(id: &str) -> Topic {
    Topic::Run(format!("login of identity {id}"))
}

/// Begins a login with the credentials of an identity. One that is under way begins anew.
pub(super) fn begin(world: &mut World, id: &str) {
    let settles = world.now.after(world.config.timing.login);
    if let Some(identity) = world.tables.identities.edit(id) {
        PENDING.clone_into(&mut identity.status);
        identity.settles = Some(settles);
    }
}

/// Logs in the identities that the configuration of a session names, and says when that is over.
pub(crate) fn log_in(world: &mut World, configuration: &Value) -> Option<Time> {
    let all = configuration.get("identity_skip_validation") == Some(&Value::Bool(false));
    let mut over = None;
    for id in named(configuration) {
        let Some(identity) = world.tables.identities.get(id) else {
            continue;
        };
        if identity.credentials.is_empty() || !(all || identity.status == PENDING) {
            continue;
        }
        // One that is logging in already is waited for.
        if identity.settles.is_none() {
            begin(world, id);
        }
        let identity = world.tables.identities.get(id);
        over = over.max(identity.and_then(|identity| identity.settles));
    }
    over
}

/// Ids of the identities that the configuration of a session names.
fn named(configuration: &Value) -> impl Iterator<Item = &str> {
    let list = configuration.get("identities").and_then(Value::as_array);
    let ids = list.into_iter().flatten();
    ids.filter_map(|identity| identity.get("id")?.as_str())
}

/// Whether the last login of an identity that a session names has failed.
pub(crate) fn rejected(world: &World, session: &str) -> bool {
    let Some(session) = world.tables.sessions.get(session) else {
        return false;
    };
    let mut identities =
        named(&session.configuration).filter_map(|id| world.tables.identities.get(id));
    identities.any(|identity| identity.status == FAILED)
}

/// Ends the login that is under way, and tells those who wait for it.
pub(super) fn settle(world: &mut World, id: &str) {
    let now = world.now;
    let Some(identity) = world.tables.identities.edit(id) else {
        return;
    };
    identity.settles = None;
    identity.updated = now;
    let session = identity.session.take();
    let ended = session.as_ref().is_some_and(|it| {
        !world
            .tables
            .sessions
            .get(it)
            .is_some_and(|it| it.is_running())
    });
    let passed = !ended && !identity.credentials.fail();
    if passed { VALIDATED } else { FAILED }.clone_into(&mut identity.status);
    let why = match ended {
        true => "the session of the login ended before the login was over",
        false => "the credentials were rejected",
    };
    let created = Ok(Answer::json(identity.brief()));
    let answer = match passed {
        true => Ok(Answer::json(
            identity.login_json(session.as_deref().unwrap_or_default(), false),
        )),
        false => Err(Refusal::new(
            422,
            format!("the login of the identity `{id}` failed: {why}"),
        )),
    };
    let mut event = json!({
        "identity_id": id,
        "application_id": identity.application,
        "name": identity.name,
        "status": identity.status,
    });
    if passed {
        webhooks::emit(world, "identity.authenticated", event);
    } else {
        event["error"] = json!({ "type": "invalid_credentials", "message": why });
        webhooks::emit(world, "identity.authentication_failed", event);
    }
    if let Some(session) = session {
        sessions::end(world, &session, "completed");
    }
    world.release(&validation(id), &created);
    world.release(&repeated(id), &answer);
}

/// Gives up the login that is under way, as there is nothing more to log in with.
pub(super) fn give_up(world: &mut World, id: &str) {
    let Some(identity) = world.tables.identities.edit(id) else {
        return;
    };
    PENDING.clone_into(&mut identity.status);
    identity.settles = None;
    let session = identity.session.take();
    let created = Ok(Answer::json(identity.brief()));
    if let Some(session) = session {
        sessions::end(world, &session, "completed");
    }
    world.release(&validation(id), &created);
    world.release(&repeated(id), &Err(no_credentials(id)));
}

pub(super) fn no_credentials(id: &str) -> Refusal {
    Refusal::new(
        412,
        format!("the identity `{id}` has no credentials; PUT some first"),
    )
}

/// Removes an identity; who waits for its login is refused.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    let Some(removed) = world.tables.identities.remove(id) else {
        return false;
    };
    if let Some(session) = removed.session {
        sessions::end(world, &session, "completed");
    }
    let gone = Err(Refusal::missing("identity", id));
    world.release(&validation(id), &gone);
    world.release(&repeated(id), &gone);
    true
}

/// Starts the session of a repeated login, and the login in it.
pub(super) fn open(world: &mut World, call: &Call<'_>, id: &str) -> Result<String, Refusal> {
    sessions::limits(world, 1)?;
    let identity = known(world, call)?;
    let (source, profile) = (identity.source.clone(), identity.profile.clone());
    // Who waits for the login waits for it by its own request.
    let mut configuration = json!({ "identities": [{ "id": id }], "identity_async_auth": true });
    if let Some(profile) = profile {
        configuration["browser"] = json!({ "profile": { "name": profile } });
    }
    let origin = Origin {
        owner: sessions::owner(call.key),
        task_initiated: true,
        ..Origin::default()
    };
    let session = sessions::start(world, &configuration, origin)?;
    sessions::visit(world, &session, &source);
    if let Some(session) = world.tables.sessions.edit(&session) {
        session.connections += 1;
    }
    if let Some(identity) = world.tables.identities.edit(id) {
        identity.session = Some(session.clone());
    }
    begin(world, id);
    Ok(session)
}
