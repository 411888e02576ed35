//! Every operation, with requests made from its schemas.

use anchorbrowser_emulator::Emulator;
use anchorbrowser_emulator::document::{Body, Location, Operation, RequestFault};
use anchorbrowser_emulator::sample::Sampler;
use serde_json::Value;

use crate::requests::{Sample, fill, sample};
use crate::support::{Api, Reply};

/// As if everything that a request names were there.
async fn stateless() -> Api {
    Api::with(Emulator::builder().manual_clock().stateless(true)).await
}

#[tokio::test]
async fn a_request_made_from_the_document_is_accepted_and_its_answer_valid() {
    let api = stateless().await;
    for operation in api.emulator.document().operations() {
        for (seed, smallest) in [(1, false), (2, false), (3, true)] {
            let request = sample(&api, operation, seed, smallest);
            let reply = api.send(request.build(&api, operation)).await;
            assert_eq!(
                reply.status,
                operation.success(),
                "{}: {request:?} {}",
                operation.key(),
                reply.json
            );
        }
    }
    assert_eq!(
        api.emulator.exchanges().len(),
        3 * api.emulator.document().operations().len()
    );
}

/// A refusal must have the documented status, the documented shape, and a message that names the place.
#[track_caller]
fn assert_refused(
    operation: &Operation,
    reply: &Reply,
    fault: RequestFault,
    place: &str,
    request: &Sample,
) {
    let expected = operation.status(fault);
    assert_eq!(
        reply.status,
        expected,
        "{} {place}: {request:?} {}",
        operation.key(),
        reply.json
    );
    let media_type = reply
        .headers
        .get("content-type")
        .and_then(|it| it.to_str().ok());
    let violations = operation.check_answer(reply.status, media_type, &reply.bytes);
    assert_eq!(
        violations,
        Vec::<String>::new(),
        "{} {place}: {}",
        operation.key(),
        reply.json
    );
    if operation.error_body(expected, "x").is_some() {
        let name = place
            .rsplit(['.', ' '])
            .find(|part| !part.is_empty())
            .unwrap_or(place);
        let name = name.split('[').next().unwrap_or(name);
        let message = reply.json.to_string();
        assert!(
            message.contains(name),
            "{} does not name `{name}`: {message}",
            operation.key()
        );
    }
}

#[tokio::test]
async fn a_request_with_one_fault_is_refused_in_the_documented_shape() {
    let api = stateless().await;
    let mut refused = 0;
    for operation in api.emulator.document().operations() {
        let good = sample(&api, operation, 1, false);
        for (fault, place, request) in broken(&api, operation, &good) {
            let reply = api.send(request.build(&api, operation)).await;
            assert_refused(operation, &reply, fault, &place, &request);
            refused += 1;
        }
        if operation.needs_key() {
            let request = good.build(&api, operation).header("anchor-api-key", "");
            let mut request = request.build().unwrap();
            request.headers_mut().remove("anchor-api-key");
            let client = reqwest::Client::new();
            let reply = api
                .send(reqwest::RequestBuilder::from_parts(client, request))
                .await;
            assert_refused(
                operation,
                &reply,
                RequestFault::Key,
                "anchor-api-key",
                &good,
            );
            refused += 1;
        }
    }
    assert!(refused > 1_000, "{refused}");
}

/// Requests with one thing wrong each.
fn broken(api: &Api, operation: &Operation, good: &Sample) -> Vec<(RequestFault, String, Sample)> {
    let mut requests = Vec::new();
    let mut sampler = Sampler::new(api.emulator.document().root(), 5);
    for parameter in operation.parameters() {
        let name = parameter.name();
        for wrong in sampler.broken(parameter.schema()) {
            // In a URL all is text: only text can be wrong there.
            let Value::String(text) = &wrong.value else {
                continue;
            };
            let mut request = good.clone();
            if parameter.location() == Location::Path && !text.is_empty() {
                request.path = path_with(api, operation, name, text);
            } else if parameter.location() == Location::Query {
                request.query.retain(|(key, _)| key != name);
                request.query.push((name.to_owned(), text.clone()));
            } else {
                continue;
            }
            requests.push((RequestFault::Parameter, name.to_owned(), request));
        }
        if parameter.location() == Location::Query && parameter.required() {
            let mut request = good.clone();
            request.query.retain(|(key, _)| key != name);
            requests.push((RequestFault::Parameter, name.to_owned(), request));
        }
    }
    if let Some((media_type, _)) = &good.body {
        let required = operation.body().is_some_and(Body::required);
        if required {
            requests.push((
                RequestFault::Body,
                "body".to_owned(),
                Sample {
                    body: None,
                    ..good.clone()
                },
            ));
        }
        if media_type == "application/json" {
            let (_, schema) = operation.body().unwrap().content().next().unwrap();
            for wrong in sampler.broken(schema) {
                let body = Some((media_type.clone(), wrong.value));
                let place = if wrong.place.is_empty() {
                    "body".to_owned()
                } else {
                    wrong.place
                };
                requests.push((
                    RequestFault::Body,
                    place,
                    Sample {
                        body,
                        ..good.clone()
                    },
                ));
            }
        }
        let other = Some(("text/plain".to_owned(), Value::String("text".to_owned())));
        requests.push((
            RequestFault::ContentType,
            "content-type".to_owned(),
            Sample {
                body: other,
                ..good.clone()
            },
        ));
    }
    requests
}

/// The path of an operation with one value given and the others valid.
fn path_with(api: &Api, operation: &Operation, name: &str, value: &str) -> String {
    let mut sampler = Sampler::new(api.emulator.document().root(), 1);
    let path = fill(operation.path(), name, value);
    operation
        .parameters()
        .iter()
        .filter(|it| it.location() == Location::Path)
        .fold(path, |path, it| {
            let value = sampler
                .value(it.schema())
                .as_str()
                .unwrap_or("x")
                .to_owned();
            fill(
                &path,
                it.name(),
                if value.is_empty() { "x" } else { &value },
            )
        })
}
