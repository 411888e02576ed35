//! The generated client against the emulator: two readers of one document.
//!
//! Requests are made from the document and sent by the client. They must be accepted, arrive as they were given, and
//! their answers must decode.

use std::collections::BTreeSet;

use anchorbrowser_api::{Client, OPERATIONS};
use anchorbrowser_emulator::document::{Content, Location, Operation, Part, RawRequest, Route};
use anchorbrowser_emulator::sample::Sampler;
use anchorbrowser_emulator::{Builder, Emulator, Exchange};
use reqwest::Url;
use serde_json::{Map, Value, json};

use crate::calls::{Call, Values};
use crate::generated::CALLS;

/// What each seed makes of the schemas is another value. So many reach all types, `null` too, and all arms of all
/// unions in requests.
const SEEDS: std::ops::Range<u64> = 0..16;

/// The parameter that the document declares as plain text, while the service takes the JSON of an object. That is all
/// that the client lets one give.
const JSON_TEXT: (&str, &str) = ("list_application_identities", "metadata");

/// The parameter of which the document lists words that are also paths of other operations, with the same meaning.
const SAME_PATH: (&str, &str, [&str; 2]) = ("get_task_version", "taskVersion", ["draft", "latest"]);

/// How much of a request is given.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extent {
    /// All parameters, and a body with most of its members.
    All,
    /// All parameters, and a body with its required members.
    Small,
    /// Nothing that is optional.
    Required,
}

async fn start(builder: Builder) -> (Emulator, Client) {
    let emulator = builder.manual_clock().start().await.unwrap();
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_key("canary-key")
        .build()
        .unwrap();
    (emulator, client)
}

/// Calls each operation with values that its schemas allow.
async fn call_all(drift: bool, extents: &[Extent]) {
    let mut faults = Vec::new();
    for seed in SEEDS {
        let builder = Emulator::builder().stateless(true).drift(drift).seed(seed);
        let (emulator, client) = start(builder).await;
        let root = widened(emulator.document().root());
        let mut sampler = Sampler::new(&root, seed);
        for call in CALLS {
            let operation = emulator.document().operation(call.id).unwrap();
            for &extent in extents {
                let values = values(&mut sampler, operation, extent);
                emulator.clear_exchanges();
                let found = faults_of(call, values, &emulator, &client).await;
                let place = format!("{} with seed {seed}, {extent:?}", call.id);
                faults.extend(found.iter().map(|fault| format!("{place}: {fault}")));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Makes one call; says what is wrong with it, as it was sent, taken and answered.
async fn faults_of(
    call: &Call,
    values: Values,
    emulator: &Emulator,
    client: &Client,
) -> Vec<String> {
    let mut faults = Vec::new();
    match (call.call)(client.clone(), values.clone()).await {
        Ok(called) if called.status.is_success() => {}
        Ok(called) => faults.push(format!("answered with {}", called.status)),
        Err(error) => faults.push(format!("{error}; {:?}", error.body())),
    }
    match emulator.exchanges().as_slice() {
        [exchange] => {
            faults.extend_from_slice(&exchange.violations);
            if exchange.operation.as_deref() != Some(call.id) {
                faults.push(format!("taken for {:?}", exchange.operation));
            }
            let given = given(call.id, values, emulator);
            let arrived = arrived(exchange, emulator);
            compare("", Some(&given), Some(&arrived), &mut faults);
        }
        exchanges => faults.push(format!("{} requests", exchanges.len())),
    }
    faults
}

/// Values for an operation.
fn values(sampler: &mut Sampler<'_>, operation: &Operation, extent: Extent) -> Values {
    let mut values = Values::default();
    for parameter in operation.parameters() {
        if !parameter.required() && extent == Extent::Required {
            continue;
        }
        let name = parameter.name();
        let value = match parameter.location() {
            Location::Path => segment(sampler, operation.id(), name, parameter.schema()),
            _ if (operation.id(), name) == JSON_TEXT => sampler.value(&json!({"type": "object"})),
            _ => sampler.value(&widened(parameter.schema())),
        };
        values.parameters.insert(name.to_owned(), value);
    }
    if let Some(body) = operation.body() {
        let schema = &widened(body.content().next().unwrap().1);
        values.body = match extent {
            Extent::All => Some(sampler.value(schema)),
            Extent::Required if !body.required() => None,
            Extent::Small | Extent::Required => Some(sampler.smallest(schema)),
        };
    }
    values
}

/// The same schemas, but where anything goes each type comes, not only text and objects.
fn widened(schema: &Value) -> Value {
    let anything = json!({"type": ["array", "boolean", "null", "number", "object", "string"]});
    let says = |schema: &Value| {
        let words = ["$ref", "allOf", "anyOf", "const", "enum", "oneOf", "type"];
        words.iter().any(|word| schema.get(word).is_some())
    };
    let mut schema = schema.clone();
    match &mut schema {
        Value::Array(list) => list.iter_mut().for_each(|item| *item = widened(item)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                *member = widened(member);
                match (name.as_str(), &mut *member) {
                    ("additionalProperties", further @ Value::Bool(true)) => {
                        *further = anything.clone()
                    }
                    ("properties", Value::Object(properties)) => {
                        let open = properties.values_mut().filter(|schema| !says(schema));
                        open.for_each(|schema| *schema = anything.clone());
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    schema
}

/// A value for a path parameter that does not make the path of another operation.
fn segment(sampler: &mut Sampler<'_>, id: &str, name: &str, schema: &Value) -> Value {
    let operation = anchorbrowser_api::Operation::find(id).unwrap();
    let reserved = operation.reserved.iter().find(|(found, _)| *found == name);
    let mut words = reserved.map_or(Vec::new(), |(_, words)| words.to_vec());
    if (id, name) == (SAME_PATH.0, SAME_PATH.1) {
        words.extend(SAME_PATH.2);
    }
    let fits = |value: &Value| {
        let text = text(value);
        !text.is_empty() && !words.iter().any(|word| word.eq_ignore_ascii_case(&text))
    };
    let mut drawn = (0..100).map(|_| sampler.value(schema));
    drawn.find(fits).unwrap()
}

/// What the values are on the wire.
fn given(id: &str, values: Values, emulator: &Emulator) -> Value {
    let operation = emulator.document().operation(id).unwrap();
    let (mut path, mut query) = (Map::new(), Map::new());
    for parameter in operation.parameters() {
        let name = parameter.name();
        if let Some(value) = values.parameters.get(name) {
            let part = match parameter.location() {
                Location::Path => &mut path,
                _ => &mut query,
            };
            part.insert(name.to_owned(), text(value).into());
        }
    }
    let mut request = json!({ "path": path, "query": query });
    // An empty object where the body is optional says nothing: the client leaves it out.
    let optional = operation.body().is_some_and(|body| !body.required());
    let said = |body: &Value| !(optional && *body == json!({}));
    if let Some(mut body) = values.body.filter(said) {
        let form = operation.body().and_then(|body| body.content().next());
        if let (Some(("multipart/form-data", _)), Value::Object(fields)) = (form, &mut body) {
            for value in fields.values_mut().filter(|value| !value.is_array()) {
                *value = text(value).into();
            }
        }
        request["body"] = body;
    }
    request
}

/// As a path, a query or a form has it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

/// What came, in the form of [`given`].
fn arrived(exchange: &Exchange, emulator: &Emulator) -> Value {
    let document = emulator.document();
    let Route::Found { operation, path } = document.route(&exchange.method, &exchange.path) else {
        panic!("{exchange:?}");
    };
    let url = format!(
        "http://host/?{}",
        exchange.query.as_deref().unwrap_or_default()
    );
    let mut query = Map::new();
    for (name, value) in Url::parse(&url).unwrap().query_pairs() {
        let earlier = query.insert(name.clone().into_owned(), value.into_owned().into());
        assert_eq!(earlier, None, "{name} comes twice");
    }
    let raw = RawRequest {
        path: &path,
        query: exchange.query.as_deref(),
        headers: &exchange.headers,
        body: &exchange.body,
    };
    let mut request = json!({ "path": path, "query": query });
    match operation.check(&raw).body {
        Content::None => {}
        Content::Form(parts) => request["body"] = fields(&parts),
        _ => request["body"] = exchange.json(),
    }
    request
}

/// A form as an object of its fields.
fn fields(parts: &[Part]) -> Value {
    let mut fields = Map::new();
    for part in parts {
        let value = String::from_utf8(part.bytes.to_vec()).unwrap().into();
        match fields.get_mut(&part.name) {
            None => drop(fields.insert(part.name.clone(), value)),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = json!([first, value]),
        }
    }
    fields.into()
}

/// Adds where what arrived is not what was given.
fn compare(place: &str, given: Option<&Value>, arrived: Option<&Value>, faults: &mut Vec<String>) {
    match (given, arrived) {
        (Some(Value::Object(given)), Some(Value::Object(arrived))) => {
            let names: BTreeSet<&String> = given.keys().chain(arrived.keys()).collect();
            for name in names {
                let place = format!("{place}.{name}");
                compare(&place, given.get(name), arrived.get(name), faults);
            }
        }
        (Some(Value::Array(given)), Some(Value::Array(arrived))) => {
            for index in 0..given.len().max(arrived.len()) {
                let place = format!("{place}.{index}");
                compare(&place, given.get(index), arrived.get(index), faults);
            }
        }
        (Some(Value::Number(given)), Some(Value::Number(arrived)))
            if given.as_f64() == arrived.as_f64() => {}
        (given, arrived) if given == arrived => {}
        (given, arrived) => {
            let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            faults.push(format!(
                "{place}: given {}, arrived {}",
                show(given),
                show(arrived)
            ));
        }
    }
}

#[tokio::test]
async fn every_operation_is_accepted_and_decoded() {
    call_all(false, &[Extent::All, Extent::Small, Extent::Required]).await;
}

#[tokio::test]
async fn every_operation_is_decoded_when_the_service_has_moved_on() {
    call_all(true, &[Extent::All]).await;
}

#[tokio::test]
async fn both_readers_know_the_same_operations() {
    let (emulator, _) = start(Emulator::builder()).await;
    let mut read: Vec<(String, String)> = emulator
        .document()
        .operations()
        .iter()
        .map(|operation| (operation.id().to_owned(), operation.key().to_owned()))
        .collect();
    read.sort();
    let generated: Vec<(String, String)> = OPERATIONS
        .iter()
        .map(|operation| {
            let key = format!("{} {}", operation.method, operation.path);
            (operation.id.to_owned(), key)
        })
        .collect();
    assert_eq!(read, generated);
}
