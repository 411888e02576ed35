//! The same for all operations at once: answers made of their types' JSON Schemas.

use std::collections::BTreeMap;

use anchorbrowser_api::{Operation, schemas};
use serde_json::{Map, Value, json};

use crate::calls::Call;
use crate::generated::CALLS;
use crate::server::{Answer, Server};

/// How an answer departs from the document.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Odd {
    /// Each field is `null`.
    Null,
    /// Each object is there, and empty; each list and map holds one item.
    Hollow,
    /// Values are of another form: unknown words, numbers as text, times as numbers, more fields.
    Strange,
}

struct Schemas(BTreeMap<&'static str, Value>);

impl Schemas {
    fn sample(&self, schema: &Value, odd: Odd, depth: usize) -> Value {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let name = target.trim_start_matches("#/$defs/");
            return self.sample(&self.0[name], odd, depth + 1);
        }
        if let Some(arms) = schema.get("anyOf").and_then(Value::as_array) {
            return self.sample(&arms[0], odd, depth);
        }
        // The types are no endless ones, but an extra field would be a level of its own.
        assert!(depth < 20, "{schema}");
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            return self.object(properties, odd, depth);
        }
        match kind(schema) {
            "array" => json!([self.sample(&schema["items"], odd, depth)]),
            "object" => json!({"key": self.sample(&schema["additionalProperties"], odd, depth)}),
            "boolean" => json!(true),
            "integer" | "number" if odd == Odd::Strange => json!("7.0"),
            "integer" | "number" => json!(7),
            "string"
                if odd == Odd::Strange && schema.get("format") == Some(&"date-time".into()) =>
            {
                json!(1_767_323_045)
            }
            "string" => json!("a new word"),
            _ => json!({"anything": [null]}),
        }
    }

    fn object(&self, properties: &Map<String, Value>, odd: Odd, depth: usize) -> Value {
        let mut object = Map::new();
        for (name, schema) in properties {
            let value = match odd {
                Odd::Null => Value::Null,
                Odd::Hollow if !self.has_objects(schema) => continue,
                Odd::Hollow | Odd::Strange => self.sample(schema, odd, depth),
            };
            object.insert(name.clone(), value);
        }
        if odd == Odd::Strange {
            object.insert("a new field".to_owned(), json!({"a": [1]}));
        }
        object.into()
    }

    /// Whether a value is or holds an object of known properties.
    fn has_objects(&self, schema: &Value) -> bool {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let schema = &self.0[target.trim_start_matches("#/$defs/")];
            return schema.get("properties").is_some() || self.has_objects(schema);
        }
        let arms = schema
            .get("anyOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let inner = ["items", "additionalProperties"]
            .iter()
            .filter_map(|name| schema.get(name));
        arms.chain(inner).any(|schema| self.has_objects(schema))
    }
}

/// The JSON type, the first one that is not null.
fn kind(schema: &Value) -> &str {
    let kinds = schema.get("type").unwrap_or(&Value::Null);
    let mut kinds = kinds
        .as_array()
        .map_or(std::slice::from_ref(kinds), Vec::as_slice)
        .iter();
    kinds
        .find_map(|kind| kind.as_str().filter(|kind| *kind != "null"))
        .unwrap_or_default()
}

async fn all_answers_survive(odd: Odd) {
    let schemas = schemas()
        .into_iter()
        .map(|found| (found.name, found.schema.to_value()));
    let schemas = Schemas(schemas.collect());
    let body = |call: &Call| {
        let response = Operation::find(call.id).and_then(|operation| operation.response);
        let schema = response.and_then(|name| schemas.0.get(name))?;
        Some(schemas.sample(schema, odd, 0).to_string())
    };
    let calls: Vec<_> = CALLS
        .iter()
        .filter_map(|call| Some((call, body(call)?)))
        .collect();
    let server = Server::list(calls.iter().map(|(_, body)| Answer::json(200, body))).await;
    let client = server.client();
    let mut lost = Vec::new();
    for (call, body) in &calls {
        if let Err(error) = call.sampled(client.clone()).await {
            println!("{error}\n{body}");
            lost.push(call.id);
        }
    }
    assert!(
        calls.len() * 2 > CALLS.len(),
        "most operations answer in JSON"
    );
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test]
async fn null_everywhere() {
    all_answers_survive(Odd::Null).await;
}

#[tokio::test]
async fn nothing_that_is_required() {
    all_answers_survive(Odd::Hollow).await;
}

#[tokio::test]
async fn values_of_another_form() {
    all_answers_survive(Odd::Strange).await;
}
