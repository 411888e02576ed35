//! A call of each operation, for the tests: what makes the request from values, and a sample with all values.
//!
//! Samples are made from the lowered document, so a new operation is tested as soon as it is there.

use std::cell::Cell;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{text, types};
use crate::lower::plan::{FormField, FormKind, Operation};
use crate::lower::{Lowered, component_name, rust_path};
use crate::names;

/// The most objects and unions in the sample of an operation. References fan out: 25 levels of two would be 33 million.
const SAMPLED: usize = 1_000;

const HEAD: &str = r#"
use anchorbrowser_api::{Client, Error, types, wire};
use serde_json::Value;

use crate::calls::{Call, Called, Listed, Values, done};

"#;

/// The text of the calls.
pub(super) fn file(lowered: &Lowered) -> Result<String> {
    let sampler = Sampler {
        lowered,
        left: Cell::new(SAMPLED),
    };
    let mut functions = String::new();
    let mut table =
        String::from("/// All calls, sorted by operation.\npub const CALLS: &[Call] = &[\n");
    for (id, operation) in lowered.operations() {
        let known = &lowered.plan.operations[id];
        let (setters, sample) = parts(&sampler, id, operation, known);
        functions.push_str(&function(id, &setters, known.deprecated));
        table.push_str(&format!(
            "    Call {{ id: {id:?}, resource: {:?}, sample: r##\"{sample}\"##, call: |client, values| Box::pin({id}(client, values)) }},\n",
            known.resource
        ));
    }
    table.push_str("];\n");
    let file: syn::File = syn::parse_str(&format!("{HEAD}{table}{functions}"))
        .context("the calls for the tests are no Rust")?;
    Ok(format!("\n{}", text(file.items)))
}

/// Makes the request of an operation from values. The builder itself says what is missing.
fn function(id: &str, setters: &[String], deprecated: bool) -> String {
    let allow = if deprecated {
        "#[allow(deprecated)]\n"
    } else {
        ""
    };
    let setters: String = setters
        .iter()
        .map(|setter| format!("    let call = values.{setter};\n"))
        .collect();
    let values = if setters.is_empty() { "_" } else { "values" };
    format!(
        "\n{allow}async fn {id}(client: Client, {values}: Values) -> Result<Called, Error> {{\n    let call = client.{id}();\n{setters}    done(call.send().await)\n}}\n"
    )
}

/// What sets parameters and body, and the JSON of values for all of them.
fn parts(
    sampler: &Sampler<'_>,
    id: &str,
    operation: &Map<String, Value>,
    known: &Operation,
) -> (Vec<String>, Value) {
    sampler.left.set(SAMPLED);
    let mut setters = Vec::new();
    let mut values = Map::new();
    let mut sample = Map::new();
    let parameters = operation.get("parameters").and_then(Value::as_array);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let renamed = &sampler.lowered.plan.parameters;
        let wire = renamed
            .get(&(id.to_owned(), name.to_owned()))
            .map_or(name, String::as_str);
        let schema = &parameter["schema"];
        let (ty, value) = argument(schema);
        let method = names::snake(name);
        setters.push(format!(
            "set(call, {wire:?}, |it, v: {ty}| it.{method}({value}))"
        ));
        values.insert(wire.to_owned(), sampler.parameter(schema, wire));
    }
    if !values.is_empty() {
        sample.insert("parameters".to_owned(), values.into());
    }
    let body = match (&known.form, operation.get("requestBody")) {
        (Some(fields), _) => Some(form(id, fields)),
        (None, Some(body)) => Some(plain_body(sampler, body)),
        (None, None) => None,
    };
    if let Some((setter, value)) = body {
        setters.push(setter);
        sample.insert("body".to_owned(), value);
    }
    (setters, sample.into())
}

/// What sets a body that is no form, and a sample of it.
fn plain_body(sampler: &Sampler<'_>, body: &Value) -> (String, Value) {
    let content = body["content"].as_object();
    let (media_type, schema) = content
        .and_then(|content| content.iter().next())
        .map(|(name, value)| (name.as_str(), &value["schema"]))
        .unwrap_or(("application/json", &Value::Null));
    let (ty, value) = match media_type {
        "application/octet-stream" => ("String".to_owned(), json!("bytes")),
        _ => (argument(schema).0, sampler.parameter(schema, "body")),
    };
    (format!("body(call, |it, v: {ty}| it.body(v))"), value)
}

/// What sets a form, and a sample of it.
fn form(id: &str, fields: &[FormField]) -> (String, Value) {
    let values: Vec<_> = fields.iter().map(form_value).collect();
    let setter = format!(
        "form(call, |it, form| it.body(types::{} {{ {} }}))",
        names::form(id),
        values.join(", ")
    );
    (setter, form_sample(fields))
}

/// The type that a value is read as, and the expression that the setter takes.
fn argument(schema: &Value) -> (String, &'static str) {
    match rust_path(schema) {
        Some(path) if path.ends_with("::JsonText") => ("Value".to_owned(), "v"),
        Some(path) if path.ends_with("::Joined") => {
            let item = schema
                .pointer("/x-rust-type/parameters/0")
                .unwrap_or(&Value::Null);
            (format!("Listed<{}>", short(&types::rust(item))), "v.0")
        }
        _ => (short(&types::rust(schema)), "v"),
    }
}

/// A type as it is written outside of the crate.
fn short(path: &str) -> String {
    ["crate::", "::std::string::", "::std::vec::"]
        .iter()
        .fold(path.to_owned(), |path, prefix| path.replace(prefix, ""))
}

/// How a form takes a field's value.
fn form_value(field: &FormField) -> String {
    let (name, wire) = (&field.name, &field.wire);
    let value = match (&field.kind, field.required) {
        (FormKind::File, true) => format!("form.files({wire:?}).pop().unwrap()"),
        (FormKind::File, false) => format!("form.files({wire:?}).pop()"),
        (FormKind::Files, _) => format!("form.files({wire:?})"),
        (FormKind::Texts(_), _) => format!("form.get::<Option<_>>({wire:?}).unwrap_or_default()"),
        (FormKind::Text(_) | FormKind::Json, _) => format!("form.get({wire:?})"),
    };
    format!("{name}: {value}")
}

fn form_sample(fields: &[FormField]) -> Value {
    let text = |field: &FormField, path: &str| match path {
        "i64" => json!(1),
        "f64" => json!(1.5),
        "bool" => json!(true),
        _ => json!(field.wire),
    };
    let sample = |field: &FormField| match &field.kind {
        FormKind::File => json!(format!("bytes of {}", field.name)),
        FormKind::Files => json!([format!("bytes of {}", field.name)]),
        FormKind::Text(path) => text(field, path),
        FormKind::Texts(path) => json!([text(field, path)]),
        FormKind::Json => json!({ &*field.wire: true }),
    };
    fields
        .iter()
        .map(|field| (field.wire.clone(), sample(field)))
        .collect::<Map<_, _>>()
        .into()
}

/// Makes values that fit a schema.
struct Sampler<'a> {
    lowered: &'a Lowered,
    /// How many more objects and unions there may be.
    left: Cell<usize>,
}

impl Sampler<'_> {
    /// A value for a parameter or a body.
    fn parameter(&self, schema: &Value, name: &str) -> Value {
        match rust_path(schema) {
            Some(path) if path.ends_with("::JsonText") => json!({ name: true }),
            Some(path) if path.ends_with("::Joined") => {
                let item = schema.pointer("/x-rust-type/parameters/0");
                self.several(item.unwrap_or(&Value::Null), name).into()
            }
            _ => self.sample(schema, name, &mut Vec::new()),
        }
    }

    /// Two values for a list, if the schema has two.
    fn several(&self, schema: &Value, name: &str) -> Vec<Value> {
        let listed = rust_path(schema)
            .and_then(|path| path.rsplit("::").next())
            .and_then(|name| self.lowered.plan.enums.get(name));
        match listed {
            Some(listed) => listed
                .variants
                .iter()
                .take(2)
                .map(|(_, wire)| json!(wire))
                .collect(),
            None => vec![self.sample(schema, name, &mut Vec::new())],
        }
    }

    /// JSON with all properties, as deep as types don't repeat, and as long as there may be more.
    fn sample(&self, schema: &Value, name: &str, inside: &mut Vec<String>) -> Value {
        let local =
            rust_path(schema).and_then(|path| path.strip_prefix("anchorbrowser_api::types::"));
        if let Some(ty) = component_name(schema).or(local.map(str::to_owned)) {
            return self.named(&ty, name, inside);
        }
        if let Some(path) = rust_path(schema) {
            let inner = schema.pointer("/x-rust-type/parameters/0");
            return match (path, inner) {
                (path, _) if path.ends_with("::Timestamp") => json!("2026-01-02T03:04:05Z"),
                (path, _) if path.ends_with("::Secret") => json!("(secret)"),
                (_, Some(inner)) => self.sample(inner, name, inside),
                _ => json!(name),
            };
        }
        match schema["type"].as_str() {
            Some("string") => json!(name),
            Some("integer") => json!(7),
            Some("number") => json!(1.5),
            Some("boolean") => json!(true),
            Some("array") => json!([self.sample(&schema["items"], name, inside)]),
            Some("object") => {
                json!({ "key": self.sample(&schema["additionalProperties"], name, inside) })
            }
            _ => json!({ name: "any" }),
        }
    }

    fn named(&self, ty: &str, name: &str, inside: &mut Vec<String>) -> Value {
        let plan = &self.lowered.plan;
        if let Some(listed) = plan.enums.get(ty) {
            return listed
                .variants
                .first()
                .map_or(Value::Null, |(_, wire)| json!(wire));
        }
        let left = self.left.get();
        if left == 0 || inside.iter().any(|outer| outer == ty) {
            return Value::Null;
        }
        self.left.set(left - 1);
        inside.push(ty.to_owned());
        let sample = match plan.unions.get(ty) {
            Some(union) => union
                .arms
                .first()
                .map_or(Value::Null, |arm| self.sample(&arm.schema, name, inside)),
            None => self.structure(ty, inside),
        };
        inside.pop();
        sample
    }

    fn structure(&self, ty: &str, inside: &mut Vec<String>) -> Value {
        let schema = &self.lowered.document["components"]["schemas"][ty];
        let mut members = Map::new();
        for (lowered, property) in schema["properties"].as_object().into_iter().flatten() {
            let key = (ty.to_owned(), names::snake(lowered));
            let wire = self.lowered.plan.fields.get(&key).unwrap_or(lowered);
            let value = self.sample(property, wire, inside);
            if !value.is_null() {
                members.insert(wire.clone(), value);
            }
        }
        Value::Object(members)
    }
}
