//! A call of each operation with all its parameters, for the tests of the wire.
//!
//! Values are made from the lowered document, so a new operation is tested as soon as it is there.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{text, types};
use crate::lower::plan::{FormField, FormKind, Operation};
use crate::lower::{Lowered, component_name, rust_path};
use crate::names;

const HEAD: &str = r#"
use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::{Client, Error, types, wire};
use serde_json::json;

use crate::calls::{Call, Called, done, value};

"#;

/// The text of the calls.
pub(super) fn file(lowered: &Lowered) -> Result<String> {
    let sampler = Sampler { lowered };
    let mut functions = String::new();
    let mut table =
        String::from("/// All calls, sorted by operation.\npub const CALLS: &[Call] = &[\n");
    for (id, operation) in lowered.operations() {
        let known = &lowered.plan.operations[id];
        functions.push_str(&function(&sampler, id, operation, known));
        table.push_str(&format!(
            "    Call {{ id: {id:?}, resource: {:?}, call: |client| Box::pin({id}(client)) }},\n",
            known.resource
        ));
    }
    table.push_str("];\n");
    let file: syn::File = syn::parse_str(&format!("{HEAD}{table}{functions}"))
        .context("the calls for the tests are no Rust")?;
    Ok(format!("\n{}", text(file.items)))
}

fn function(
    sampler: &Sampler<'_>,
    id: &str,
    operation: &Map<String, Value>,
    known: &Operation,
) -> String {
    let mut setters = String::new();
    let parameters = operation.get("parameters").and_then(Value::as_array);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let wire = sampler
            .lowered
            .plan
            .parameters
            .get(&(id.to_owned(), name.to_owned()))
            .map_or(name, String::as_str);
        setters.push_str(&format!(
            ".{}({})",
            names::snake(name),
            sampler.argument(&parameter["schema"], wire)
        ));
    }
    if let Some(fields) = &known.form {
        setters.push_str(&format!(".body({})", form(id, fields)));
    } else if let Some(body) = operation.get("requestBody") {
        let content = body["content"].as_object();
        let (media_type, schema) = content
            .and_then(|content| content.iter().next())
            .map(|(name, value)| (name.as_str(), &value["schema"]))
            .unwrap_or(("application/json", &Value::Null));
        let argument = match media_type {
            "application/octet-stream" => "\"bytes\"".to_owned(),
            _ => sampler.argument(schema, "body"),
        };
        setters.push_str(&format!(".body({argument})"));
    }
    let allow = if known.deprecated {
        "#[allow(deprecated)]\n"
    } else {
        ""
    };
    format!(
        "\n{allow}async fn {id}(client: Client) -> Result<Called, Error> {{\n    done(client.{id}(){setters}.send().await)\n}}\n"
    )
}

fn form(id: &str, fields: &[FormField]) -> String {
    let values = fields.iter().map(|field| {
        let file = format!(
            "FilePart::bytes(\"{}.txt\", \"bytes of {}\")",
            field.name, field.name
        );
        let text = |path: &str| match path {
            "i64" => "1".to_owned(),
            "f64" => "1.5".to_owned(),
            "bool" => "true".to_owned(),
            _ => format!("{:?}.into()", field.wire),
        };
        let value = match &field.kind {
            FormKind::File => file,
            FormKind::Files => format!("vec![{file}]"),
            FormKind::Text(path) => text(path),
            FormKind::Texts(path) => format!("vec![{}]", text(path)),
            FormKind::Json => format!("json!({{ {:?}: true }})", field.wire),
        };
        let list = matches!(field.kind, FormKind::Files | FormKind::Texts(_));
        match field.required || list {
            true => format!("{}: {value}", field.name),
            false => format!("{}: Some({value})", field.name),
        }
    });
    let values: Vec<_> = values.collect();
    format!("types::{} {{ {} }}", names::form(id), values.join(", "))
}

/// Makes values that fit a schema.
struct Sampler<'a> {
    lowered: &'a Lowered,
}

impl Sampler<'_> {
    /// A Rust expression for a parameter or a body.
    fn argument(&self, schema: &Value, name: &str) -> String {
        match (schema["type"].as_str(), rust_path(schema)) {
            (Some("string"), _) => format!("{name:?}"),
            (Some("integer"), _) => "7".to_owned(),
            (Some("number"), _) => "1.5".to_owned(),
            (Some("boolean"), _) => "true".to_owned(),
            (_, Some(path)) if path.ends_with("::Timestamp") => {
                "wire::Timestamp::from(\"2026-01-02T03:04:05Z\")".to_owned()
            }
            (_, Some(path)) if path.ends_with("::JsonText") => {
                format!("wire::JsonText::from(json!({{ {name:?}: true }}))")
            }
            (_, Some(path)) if path.ends_with("::Joined") => {
                let item = schema
                    .pointer("/x-rust-type/parameters/0")
                    .unwrap_or(&Value::Null);
                let values: Vec<_> = self
                    .several(item, name)
                    .iter()
                    .map(Value::to_string)
                    .collect();
                let values = values.iter().map(|value| match item["type"].as_str() {
                    Some("integer" | "number" | "boolean") => value.clone(),
                    _ => format!("{value}.into()"),
                });
                format!(
                    "wire::Joined::from(vec![{}])",
                    values.collect::<Vec<_>>().join(", ")
                )
            }
            _ => {
                let sample = self.sample(schema, name, &mut Vec::new());
                let ty = types::rust(schema).replace("crate::", "");
                format!("value::<{ty}>(r##\"{sample}\"##)")
            }
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

    /// JSON with all properties, as deep as types don't repeat.
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
        if inside.iter().any(|outer| outer == ty) {
            return Value::Null;
        }
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
