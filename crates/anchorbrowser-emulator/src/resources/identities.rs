//! Identities and their validation.
//!
//! An identity with credentials is `pending` until its login is over, and then `validated`, or `failed` if a credential
//! is for the user `fail@example.com`. Without credentials there is nothing to log in with: it stays `pending`.
//!
//! A session logs in those of its identities that are `pending`; with `identity_skip_validation` off, all of them. Its
//! creation waits for that, unless `identity_async_auth` is on. A login that fails does not keep a session from
//! starting: it shows in the identity and in the event.

mod credentials;
mod login;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, Secret, applications, editable, find, webhooks};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use credentials::FAILING_USER;
pub(crate) use login::{log_in, rejected, remove};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/identities", create),
    ("GET /v1/identities/{identityId}", get),
    ("PUT /v1/identities/{identityId}", update),
    ("DELETE /v1/identities/{identityId}", delete),
    (
        "POST /v1/identities/{identityId}/reauthenticate",
        reauthenticate,
    ),
];

const PENDING: &str = "pending";
const VALIDATED: &str = "validated";
const FAILED: &str = "failed";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) name: String,
    source: String,
    /// Id of the application.
    pub(crate) application: String,
    credentials: Secret<Vec<Value>>,
    pub(crate) metadata: Map<String, Value>,
    /// `pending`, `validated` or `failed`.
    pub(crate) status: String,
    pub(crate) created: Time,
    pub(crate) updated: Time,
    /// When the login under way is over.
    settles: Option<Time>,
    /// The session in which a repeated login runs.
    session: Option<String>,
    /// The profile that a guided login has left.
    profile: Option<String>,
}

impl Record for Identity {
    const KIND: &'static str = "identities";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        self.settles
    }

    fn step(world: &mut World, id: &str) {
        login::settle(world, id);
    }
}

impl Identity {
    /// The kinds of its credentials.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.credentials.kinds()
    }

    /// What the answer to its creation has.
    fn brief(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "metadata": self.metadata,
            "created_at": self.created.text(),
        })
    }

    fn json(&self) -> Value {
        let mut json = self.brief();
        json["source"] = json!(self.source);
        json["updated_at"] = json!(self.updated.text());
        json
    }

    fn login_json(&self, session: &str, is_async: bool) -> Value {
        json!({
            "identityId": self.id,
            "async": is_async,
            "sessionId": session,
            "auth_status": if is_async { "pending" } else { "authenticated" },
            "method": if self.profile.is_some() { "profile" } else { "task" },
        })
    }
}

/// The identity of the path.
fn known<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Identity, Refusal> {
    find(
        &world.tables.identities,
        "identity",
        call.path("identityId"),
    )
}

/// What a guided login leaves.
pub(crate) struct Guided {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) credentials: Secret<Vec<Value>>,
    pub(crate) profile: String,
}

/// Makes an identity of a guided login; gives its id. It needs no validation.
pub(crate) fn from_login(world: &mut World, guided: Guided) -> Result<String, Refusal> {
    let application = applications::link(world, &guided.source, None, None)?;
    let id = world.ids.uuid();
    let event = json!({
        "identity_id": id,
        "application_id": application,
        "name": guided.name,
        "status": VALIDATED,
    });
    world.tables.identities.add(Identity {
        id: id.clone(),
        name: guided.name,
        source: guided.source,
        application,
        credentials: guided.credentials,
        metadata: Map::new(),
        status: VALIDATED.to_owned(),
        created: world.now,
        updated: world.now,
        settles: None,
        session: None,
        profile: Some(guided.profile),
    })?;
    webhooks::emit(world, "identity.authenticated", event);
    Ok(id)
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let source = call.member("source").unwrap_or_default();
    let (name, description) = (
        call.member("applicationName"),
        call.member("applicationDescription"),
    );
    let application = applications::link(world, source, name, description)?;
    let credentials = Secret::read(call.body()).unwrap_or_default();
    let validates = !credentials.is_empty();
    let id = world.ids.uuid();
    let identity = Identity {
        id: id.clone(),
        name: call.member("name").unwrap_or("Unnamed Identity").to_owned(),
        source: source.to_owned(),
        application,
        credentials,
        metadata: call
            .body()
            .get("metadata")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        status: PENDING.to_owned(),
        created: world.now,
        updated: world.now,
        settles: None,
        session: None,
        profile: None,
    };
    let json = identity.brief();
    world.tables.identities.add(identity)?;
    if validates {
        login::begin(world, &id);
        if !call.flag("validateAsync").unwrap_or(true) {
            return Ok(world.hold(
                login::validation(&id),
                None,
                Err(Refusal::missing("identity", &id)),
            ));
        }
    }
    Ok(Answer::json(json))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(known(world, call)?.json()))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    let now = world.now;
    let identity = editable(&mut world.tables.identities, "identity", &id)?;
    if let Some(name) = call.member("name") {
        name.clone_into(&mut identity.name);
    }
    if let Some(metadata) = call.body().get("metadata").and_then(Value::as_object) {
        identity.metadata = metadata.clone();
    }
    identity.updated = now;
    let json = json!({
        "id": id,
        "name": identity.name,
        "metadata": identity.metadata,
        "updated_at": now.text(),
    });
    if let Some(credentials) = Secret::read(call.body()) {
        let validates = !credentials.is_empty();
        identity.credentials = credentials;
        if validates {
            login::begin(world, &id);
        } else {
            login::give_up(world, &id);
        }
    }
    Ok(Answer::json(json))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    remove(world, &id);
    Ok(Answer::json(
        json!({ "message": "the identity was deleted" }),
    ))
}

/// Repeats the login in a session of its own. A request while such a login runs joins it.
fn reauthenticate(world: &mut World, call: &Call<'_>) -> Outcome {
    let identity = known(world, call)?;
    let id = identity.id.clone();
    if identity.credentials.is_empty() {
        return Err(login::no_credentials(&id));
    }
    let session = match identity.session.clone() {
        Some(session) => session,
        None => login::open(world, call, &id)?,
    };
    if call
        .body()
        .get("sync")
        .and_then(Value::as_bool)
        .unwrap_or(true)
    {
        return Ok(world.hold(
            login::repeated(&id),
            None,
            Err(Refusal::missing("identity", &id)),
        ));
    }
    Ok(Answer::json(known(world, call)?.login_json(&session, true)))
}
