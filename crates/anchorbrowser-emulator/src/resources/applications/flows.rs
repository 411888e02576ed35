//! Authentication flows of an application; at most one of them is the recommended one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::editable;
use crate::resources::identities::Identity;
use crate::time::Time;
use crate::world::{Record, World};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthFlow {
    pub(crate) id: String,
    pub(crate) application: String,
    name: String,
    description: Option<String>,
    is_recommended: bool,
    methods: Vec<String>,
    custom_fields: Vec<Value>,
    created: Time,
    updated: Time,
}

impl Record for AuthFlow {
    const KIND: &'static str = "auth_flows";

    fn id(&self) -> &str {
        &self.id
    }
}

impl AuthFlow {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "is_recommended": self.is_recommended,
            "methods": self.methods,
            "custom_fields": self.custom_fields,
            "created_at": self.created.text(),
            "updated_at": self.updated.text(),
        })
    }

    /// Takes over what a request gives.
    fn apply(&mut self, body: &Value) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |name: &str| body.get(name).and_then(Value::as_array);
        if let Some(name) = text("name") {
            self.name = name;
        }
        if let Some(description) = text("description") {
            self.description = Some(description);
        }
        if let Some(is_recommended) = body.get("is_recommended").and_then(Value::as_bool) {
            self.is_recommended = is_recommended;
        }
        if let Some(methods) = list("methods") {
            self.methods = methods
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
        }
        if let Some(fields) = list("custom_fields") {
            let names = fields
                .iter()
                .filter_map(|field| field.get("name")?.as_str());
            self.custom_fields = names.map(|name| json!({ "name": name })).collect();
        }
    }
}

/// The flows of an application, in order of creation.
fn of<'w>(world: &'w World, application: &str) -> impl Iterator<Item = &'w AuthFlow> {
    let application = application.to_owned();
    world
        .tables
        .auth_flows
        .iter()
        .filter(move |flow| flow.application == application)
}

/// The methods that the flows of an application offer, each once.
pub(super) fn methods(world: &World, application: &str) -> Vec<String> {
    let mut methods = Vec::new();
    for method in of(world, application).flat_map(|flow| &flow.methods) {
        if !methods.contains(method) {
            methods.push(method.clone());
        }
    }
    methods
}

/// The name of the flow whose methods are those of an identity's credentials; the recommended one comes first.
pub(super) fn linked(world: &World, identity: &Identity) -> Option<String> {
    let kinds = identity.kinds();
    let fits = |flow: &&AuthFlow| {
        flow.methods.len() == kinds.len()
            && flow
                .methods
                .iter()
                .all(|method| kinds.contains(&method.as_str()))
    };
    let flow = of(world, &identity.application)
        .filter(fits)
        .max_by_key(|flow| flow.is_recommended);
    flow.map(|flow| flow.name.clone())
}

/// Leaves `id` as the only recommended flow of its application, if it is recommended.
fn recommend(world: &mut World, id: &str) {
    let Some(flow) = world
        .tables
        .auth_flows
        .get(id)
        .filter(|flow| flow.is_recommended)
    else {
        return;
    };
    let application = flow.application.clone();
    let others =
        |flow: &AuthFlow| flow.application == application && flow.is_recommended && flow.id != id;
    for other in world.tables.auth_flows.ids(others) {
        if let Some(flow) = world.tables.auth_flows.edit(&other) {
            flow.is_recommended = false;
        }
    }
}

/// The id of the flow of the path, which must be one of the application of the path.
fn known<'c>(world: &World, call: &Call<'c>) -> Result<&'c str, Refusal> {
    let application = super::known(world, call)?;
    let id = call.path("authFlowId");
    let flow = world
        .tables
        .auth_flows
        .get(id)
        .filter(|flow| flow.application == application.id);
    flow.map(|_| id)
        .ok_or_else(|| Refusal::missing("authentication flow of this application", id))
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let application = super::known(world, call)?;
    let flows: Vec<Value> = of(world, &application.id).map(AuthFlow::json).collect();
    Ok(Answer::json(json!({ "auth_flows": flows })))
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let application = super::known(world, call)?.id.clone();
    let id = world.ids.uuid();
    let mut flow = AuthFlow {
        id: id.clone(),
        application,
        name: String::new(),
        description: None,
        is_recommended: false,
        methods: Vec::new(),
        custom_fields: Vec::new(),
        created: world.now,
        updated: world.now,
    };
    flow.apply(call.body());
    let json = flow.json();
    world.tables.auth_flows.add(flow)?;
    recommend(world, &id);
    Ok(Answer::json(json))
}

pub(super) fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?;
    let now = world.now;
    let flow = editable(&mut world.tables.auth_flows, "authentication flow", id)?;
    flow.apply(call.body());
    flow.updated = now;
    let json = flow.json();
    recommend(world, id);
    Ok(Answer::json(json))
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?;
    world.tables.auth_flows.remove(id);
    Ok(Answer::json(json!({ "success": true })))
}
