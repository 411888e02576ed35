//! Requests made from the document by schema.

use anchorbrowser_emulator::document::{Location, Operation};
use anchorbrowser_emulator::sample::Sampler;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::support::Api;

/// A request to one operation, in parts that can be changed.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<(String, Value)>,
}

/// A value as it stands in a path or a query.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A path with this value in the place of a parameter.
pub(crate) fn fill(path: &str, name: &str, value: &str) -> String {
    path.replace(&format!("{{{name}}}"), &encoded(value))
}

/// A request with all its parameters, or with those required only.
pub(crate) fn sample(api: &Api, operation: &Operation, seed: u64, smallest: bool) -> Sample {
    let mut sampler = Sampler::new(api.emulator.document().root(), seed);
    let mut value = |schema: &Value| {
        if smallest {
            sampler.smallest(schema)
        } else {
            sampler.value(schema)
        }
    };
    let mut request = Sample {
        path: operation.path().to_owned(),
        query: Vec::new(),
        body: None,
    };
    for parameter in operation.parameters() {
        let text = text(&value(parameter.schema()));
        match parameter.location() {
            Location::Path => {
                // Schemas of path values don't say that they can't be empty.
                let text = if text.is_empty() {
                    "x".to_owned()
                } else {
                    text
                };
                request.path = fill(&request.path, parameter.name(), &text);
            }
            Location::Query if parameter.required() || !smallest => {
                request.query.push((parameter.name().to_owned(), text));
            }
            _ => {}
        }
    }
    if let Some(body) = operation.body().filter(|body| body.required() || !smallest) {
        let (media_type, schema) = body.content().next().expect("a content type");
        request.body = Some((media_type.to_owned(), value(schema)));
    }
    request
}

impl Sample {
    /// Ready to be sent.
    pub(crate) fn build(&self, api: &Api, operation: &Operation) -> reqwest::RequestBuilder {
        let request = api
            .request(operation.method().clone(), &self.path)
            .query(&self.query);
        match &self.body {
            Some((media_type, body)) if media_type == "multipart/form-data" => {
                request.multipart(form(body))
            }
            Some((media_type, body)) => request
                .header("content-type", media_type)
                .body(body.to_string()),
            None => request,
        }
    }
}

fn form(body: &Value) -> Form {
    let members = body.as_object().into_iter().flatten();
    members.fold(Form::new(), |form, (name, value)| {
        let part = Part::text(text(value));
        form.part(
            name.clone(),
            if name == "file" {
                part.file_name("file.bin")
            } else {
                part
            },
        )
    })
}
