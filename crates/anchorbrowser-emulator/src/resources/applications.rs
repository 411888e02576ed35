//! Applications, under which identities are kept: one for each host. Creating one again for the same host answers the
//! one that is there, with the name and the description changed if they are given.

mod flows;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::identities::{self, Identity};
use crate::resources::{Routes, digest, find};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) use flows::AuthFlow;

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/applications", create),
    ("GET /v1/applications", list),
    ("GET /v1/applications/{applicationId}", get),
    ("DELETE /v1/applications/{applicationId}", delete),
    (
        "GET /v1/applications/{applicationId}/identities",
        list_identities,
    ),
    (
        "GET /v1/applications/{applicationId}/auth-flows",
        flows::list,
    ),
    (
        "POST /v1/applications/{applicationId}/auth-flows",
        flows::create,
    ),
    (
        "PATCH /v1/applications/{applicationId}/auth-flows/{authFlowId}",
        flows::update,
    ),
    (
        "DELETE /v1/applications/{applicationId}/auth-flows/{authFlowId}",
        flows::delete,
    ),
    ("POST /v1/applications/{applicationId}/tokens", token),
];

/// How long an identity token is good for.
const TOKEN_LIFE: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: String,
    host: String,
    name: String,
    url: String,
    description: Option<String>,
    created: Time,
    updated: Time,
}

impl Record for Application {
    const KIND: &'static str = "applications";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Application {
    /// What the answer to its creation has.
    fn brief(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "url": self.url,
            "description": self.description,
            "created_at": self.created.text(),
        })
    }

    fn json(&self, world: &World) -> Value {
        let identities = world.tables.identities.iter();
        let mut json = self.brief();
        json["identity_count"] = json!(identities.filter(|it| it.application == self.id).count());
        json["auth_methods"] = json!(flows::methods(world, &self.id));
        json["updated_at"] = json!(self.updated.text());
        json
    }
}

/// The host of an http or https URL, with the port if there is one, in lower case.
pub(crate) fn host(url: &str) -> Option<String> {
    let url = Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// The application of the host of `source`, which becomes new if there is none; gives its id.
pub(crate) fn link(
    world: &mut World,
    source: &str,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<String, Refusal> {
    let host = host(source)
        .ok_or_else(|| Refusal::bad("body.source: must be an http or https URL with a host"))?;
    let now = world.now;
    let known = world
        .tables
        .applications
        .iter()
        .find(|it| it.host == host)
        .map(|it| it.id.clone());
    let Some(id) = known else {
        let id = world.ids.uuid();
        world.tables.applications.add(Application {
            id: id.clone(),
            name: name.unwrap_or(&host).to_owned(),
            host,
            url: source.to_owned(),
            description: description.map(str::to_owned),
            created: now,
            updated: now,
        })?;
        return Ok(id);
    };
    if (name.is_some() || description.is_some())
        && let Some(application) = world.tables.applications.edit(&id)
    {
        if let Some(name) = name {
            name.clone_into(&mut application.name);
        }
        if let Some(description) = description {
            application.description = Some(description.to_owned());
        }
        application.updated = now;
    }
    Ok(id)
}

/// The application of the path.
fn known<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Application, Refusal> {
    find(
        &world.tables.applications,
        "application",
        call.path("applicationId"),
    )
}

/// Whether `text` has `part` in it, whatever the case.
fn contains(text: &str, part: Option<&str>) -> bool {
    part.is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let source = call.member("source").unwrap_or_default();
    let id = link(
        world,
        source,
        call.member("name"),
        call.member("description"),
    )?;
    let application = find(&world.tables.applications, "application", &id)?;
    Ok(Answer::json(application.brief()))
}

fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let search = call.text("search");
    let found = world
        .tables
        .applications
        .iter()
        .filter(|it| contains(&it.name, search));
    let applications: Vec<Value> = found.map(|it| it.json(world)).collect();
    Ok(Answer::json(json!({ "applications": applications })))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let application = known(world, call)?;
    Ok(Answer::json(application.json(world)))
}

/// Its identities and flows go with it.
fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    for identity in world.tables.identities.ids(|it| it.application == id) {
        identities::remove(world, &identity);
    }
    for flow in world.tables.auth_flows.ids(|it| it.application == id) {
        world.tables.auth_flows.remove(&flow);
    }
    world.tables.applications.remove(&id);
    Ok(Answer::json(json!({ "success": true })))
}

fn list_identities(world: &mut World, call: &Call<'_>) -> Outcome {
    let application = known(world, call)?;
    let (search, metadata) = (call.text("search"), wanted(call)?);
    let fits = |it: &&Identity| {
        it.application == application.id
            && contains(&it.name, search)
            && metadata
                .iter()
                .all(|(key, value)| it.metadata.get(key) == Some(value))
    };
    let found = world.tables.identities.iter().filter(fits);
    let identities: Vec<Value> = found.map(|it| identity_json(world, it)).collect();
    Ok(Answer::json(json!({ "identities": identities })))
}

/// The metadata to look for: a JSON object, written as text.
fn wanted(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    match call.query.get("metadata") {
        None => Ok(Map::new()),
        Some(Value::Object(wanted)) => Ok(wanted.clone()),
        Some(text) => text
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| {
                Refusal::bad("query metadata: must be a JSON object, such as {\"team\":\"a\"}")
            }),
    }
}

fn identity_json(world: &World, identity: &Identity) -> Value {
    json!({
        "id": identity.id,
        "name": identity.name,
        "auth_flow": flows::linked(world, identity),
        "status": identity.status,
        "created_at": identity.created.text(),
        "updated_at": identity.updated.text(),
    })
}

/// Issues a token. It is answered once and not kept: nothing in the document takes it.
fn token(world: &mut World, call: &Call<'_>) -> Outcome {
    known(world, call)?;
    let url = call
        .member("callbackUrl")
        .and_then(|url| Url::parse(url).ok());
    if url.is_none_or(|url| url.scheme() != "https" || url.host_str().is_none()) {
        return Err(Refusal::bad("body.callbackUrl: must be an https URL"));
    }
    let token = world.ids.secret();
    Ok(Answer::json(json!({
        "token": token,
        "expiresAt": world.now.after(TOKEN_LIFE).text(),
        "tokenHash": digest(token.as_bytes()),
    })))
}
