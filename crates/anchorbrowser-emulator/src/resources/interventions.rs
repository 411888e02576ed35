//! Questions of agents to a person. While one is open, its run waits, and its clock stands.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::Question;
use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, agents, listed, sessions, webhooks};
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/sessions/pending-interventions", pending),
    (
        "GET /v1/sessions/{session_id}/agent/requested-human-intervention",
        requested,
    ),
    (
        "POST /v1/sessions/{session_id}/agent/respond-to-human-intervention",
        respond,
    ),
];

/// An open question. Once answered it is gone, and the answer with it: it may be a password.
#[derive(Serialize, Deserialize)]
pub(crate) struct Intervention {
    id: String,
    session: String,
    run: String,
    message: String,
    /// `text`, `confirm` or `fields`.
    input: String,
    fields: Vec<Value>,
}

impl Record for Intervention {
    const KIND: &'static str = "interventions";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Intervention {
    fn answer(&self) -> Value {
        let mut answer =
            json!({ "requestId": self.id, "message": self.message, "inputType": self.input });
        if self.input == "fields" {
            answer["fields"] = json!(self.fields);
        }
        answer
    }

    /// Refuses a response that does not fit the question.
    fn check(&self, response: &Value) -> Result<(), Refusal> {
        let (fits, wanted) = match self.input.as_str() {
            "confirm" => (response.is_boolean(), "true or false"),
            "fields" => (
                response.is_object(),
                "an object with the values of the fields",
            ),
            _ => (response.is_string(), "text"),
        };
        if !fits {
            return Err(Refusal::bad(format!(
                "body.response: the question wants {wanted}"
            )));
        }
        for field in &self.fields {
            let name = field["name"].as_str().unwrap_or_default();
            let given = response.get(name).is_some_and(|value| !value.is_null());
            if self.input == "fields" && field["required"] == true && !given {
                return Err(Refusal::bad(format!(
                    "body.response.{name}: the field is required"
                )));
            }
        }
        Ok(())
    }
}

/// Opens the question of a run, and gives its id.
pub(crate) fn open(world: &mut World, run: &str, session: &str, question: Question) -> String {
    let id = world.ids.uuid();
    let input = match question.input.as_str() {
        input @ ("confirm" | "fields") => input,
        _ => "text",
    };
    let question = Intervention {
        id: id.clone(),
        session: session.to_owned(),
        run: run.to_owned(),
        input: input.to_owned(),
        message: question.message,
        fields: question.fields.into_iter().filter_map(field).collect(),
    };
    let data = json!({
        "session_id": session,
        "run_id": run,
        "request_id": id,
        "message": question.message,
        "input_type": question.input,
    });
    world.tables.interventions.insert(question);
    webhooks::emit(world, "intervention.requested", data);
    id
}

/// A scripted field as the document has it: with a name and a label.
fn field(mut field: Value) -> Option<Value> {
    let name = field.get("name")?.as_str()?.to_owned();
    if !field["label"].is_string() {
        field["label"] = Value::String(name);
    }
    Some(field)
}

/// Drops the question of a run that has ended.
pub(crate) fn close(world: &mut World, id: &str) {
    world.tables.interventions.remove(id);
}

fn pending(world: &mut World, _: &Call<'_>) -> Outcome {
    let items = world.tables.interventions.iter().map(|question| {
        let mut item = question.answer();
        let session = world.tables.sessions.get(&question.session);
        item["sessionId"] = json!(question.session);
        item["tags"] = json!(
            session
                .map(|session| session.tags.as_slice())
                .unwrap_or_default()
        );
        item
    });
    let items: Vec<Value> = items.collect();
    Ok(listed(items))
}

fn requested(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let session = call.session();
    let questions = world
        .tables
        .interventions
        .iter()
        .filter(|question| question.session == session);
    let requests: Vec<Value> = questions.map(Intervention::answer).collect();
    let message = match requests.len() {
        0 => "the agent asks nothing".to_owned(),
        count => format!("the agent waits for {count} response(s)"),
    };
    Ok(Answer::data(
        json!({ "status": "success", "message": message, "requests": requests }),
    ))
}

/// The question with this id; without an id, the newest of the session.
fn find<'w>(
    world: &'w World,
    session: &str,
    named: Option<&str>,
) -> Result<&'w Intervention, Refusal> {
    let mut questions = world
        .tables
        .interventions
        .iter()
        .filter(|question| question.session == session);
    match named {
        Some(id) => questions
            .find(|question| question.id == id)
            .ok_or_else(|| Refusal::missing("open request for intervention", id)),
        None => questions.next_back().ok_or_else(|| {
            Refusal::new(
                404,
                format!("the agent of the session `{session}` asks nothing now"),
            )
        }),
    }
}

fn respond(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let session = call.session();
    let named = call.member("requestId");
    let question = find(world, session, named)?;
    question.check(call.body().get("response").unwrap_or(&Value::Null))?;
    let (id, run) = (question.id.clone(), question.run.clone());
    world.tables.interventions.remove(&id);
    agents::answered(world, &run);
    if named.is_some() {
        let data = json!({ "session_id": session, "run_id": run, "request_id": id });
        webhooks::emit(world, "intervention.resolved", data);
    }
    Ok(Answer::data(
        json!({ "status": "success", "message": "the agent goes on" }),
    ))
}
