//! Integrations with password managers. Their credentials are kept and never shown.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, Secret, billing};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/integrations", create),
    ("GET /v1/integrations", list),
    ("DELETE /v1/integrations/{integrationId}", delete),
];

/// The one kind of the document.
const ONE_PASSWORD: &str = "1PASSWORD";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Integration {
    pub(crate) id: String,
    name: String,
    credentials: Secret<Value>,
    created: Time,
}

impl Record for Integration {
    const KIND: &'static str = "integrations";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Integration {
    fn path(&self) -> String {
        format!("{}/integrations/{}", billing::TEAM, self.id)
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "type": ONE_PASSWORD,
            "path": self.path(),
            "createdAt": self.created.text(),
        })
    }
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.member("name").unwrap_or_default();
    if name.trim().is_empty() {
        return Err(Refusal::bad("body.name: must not be blank"));
    }
    let credentials = call.body().get("credentials").cloned().unwrap_or_default();
    let token = credentials
        .pointer("/data/serviceAccount")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if token.trim().is_empty() {
        return Err(Refusal::bad(
            "body.credentials.data.serviceAccount: must not be blank",
        ));
    }
    let integration = Integration {
        id: world.ids.uuid(),
        name: name.to_owned(),
        credentials: Secret(credentials),
        created: world.now,
    };
    let json = integration.json();
    world.tables.integrations.add(integration)?;
    Ok(Answer::data(json!({ "integration": json })))
}

fn list(world: &mut World, _: &Call<'_>) -> Outcome {
    let integrations: Vec<Value> = world
        .tables
        .integrations
        .iter()
        .map(Integration::json)
        .collect();
    Ok(Answer::data(json!({ "integrations": integrations })))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("integrationId");
    let removed = world
        .tables
        .integrations
        .remove(id)
        .ok_or_else(|| Refusal::missing("integration", id))?;
    let integration = json!({ "id": removed.id, "deleted": true, "path": removed.path() });
    Ok(Answer::data(json!({ "integration": integration })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_credentials() {
        let credentials = Secret(json!({ "data": { "serviceAccount": "canary" } }));
        let integration = Integration {
            id: "id".to_owned(),
            name: "name".to_owned(),
            credentials,
            created: Time::START,
        };
        assert!(!format!("{integration:?} {integration:#?}").contains("canary"));
    }
}
