//! What is sent: bodies, forms and parameters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::plan::{Direction, FormField, FormKind};
use super::{Context, Rule, component_name, object, origins, rust_path, rust_type, unions, walk};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "requests",
    why: "a request must be able to say null, to say an empty list, and to leave an optional body \
          out; multipart bodies become forms",
    apply,
};

const NULLABLE: &str = "anchorbrowser_api::wire::Nullable";
const JOINED: &str = "anchorbrowser_api::wire::Joined";
const JSON_TEXT: &str = "anchorbrowser_api::wire::JsonText";

fn apply(context: &mut Context) -> usize {
    // Bodies first: what they need not have decides how a field is written.
    let mut count = bodies(context);
    count += fields(context);
    count += forms(context);
    parameters(context);
    binary(context);
    count
}

/// Fields where `null` or an empty list must be distinguishable from nothing at all.
fn fields(context: &mut Context) -> usize {
    let inside = unions::by_value(context.components());
    let directions = context.plan.directions.clone();
    let mut count = 0;
    for (name, schema) in context.components_mut() {
        if directions.get(name) == Some(&Direction::Response) {
            continue;
        }
        let required: BTreeSet<String> = strings(&schema["required"]).collect();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (property, schema) in properties.into_iter().flatten() {
            let nullable = object(schema).remove("nullable").is_some();
            let any = origins::only(object(schema), &["description"]);
            if nullable && !any {
                *schema = nullable_type(&inside, name, schema.take());
                count += 1;
            } else if !required.contains(property) && is_collection(schema) {
                // The generator leaves an empty list out, unless it may be null.
                schema["nullable"] = json!(true);
                count += 1;
            }
        }
    }
    count
}

fn is_collection(schema: &Value) -> bool {
    matches!(schema["type"].as_str(), Some("array" | "object"))
}

fn nullable_type(
    inside: &BTreeMap<String, BTreeSet<String>>,
    owner: &str,
    mut schema: Value,
) -> Value {
    let description = object(&mut schema).remove("description");
    let cycle =
        component_name(&schema).is_some_and(|target| unions::reaches(inside, &target, owner));
    if cycle {
        schema = rust_type("std::boxed::Box", vec![schema]);
    }
    let mut nullable = rust_type(NULLABLE, vec![schema]);
    if let Some(description) = description {
        nullable["description"] = description;
    }
    nullable
}

/// Multipart bodies: the fields go into the plan, the generator gets raw bytes.
fn forms(context: &mut Context) -> usize {
    let components = context.components().clone();
    let mut forms = Vec::new();
    walk::operations(&mut context.root, |_, _, operation| {
        let id = walk::id(operation).to_owned();
        let Some(body) = operation.get_mut("requestBody") else {
            return;
        };
        let Some(content) = body["content"].as_object_mut() else {
            return;
        };
        let Some(form) = content.remove("multipart/form-data") else {
            return;
        };
        let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
        content.insert("application/octet-stream".to_owned(), bytes);
        let name = component_name(&form["schema"]);
        let schema = name
            .as_ref()
            .and_then(|name| components.get(name))
            .unwrap_or(&form["schema"]);
        forms.push((id, name, form_fields(&components, schema)));
    });
    let count = forms.len();
    for (id, component, fields) in forms {
        if let Some(operation) = context.plan.operations.get_mut(&id) {
            operation.form = Some(fields);
        }
        // The form is a type of its own; its schema may have been shared, but seldom is.
        if let Some(component) = component.filter(|name| !referenced(context, name)) {
            context.components_mut().remove(&component);
            context.plan.directions.remove(&component);
        }
    }
    count
}

fn referenced(context: &mut Context, name: &str) -> bool {
    let mut found = false;
    walk::schemas(&mut context.root, walk::Order::Inside, &mut |schema, _| {
        found |= component_name(schema).is_some_and(|target| target == name);
    });
    found
}

fn form_fields(components: &Map<String, Value>, schema: &Value) -> Vec<FormField> {
    let required: BTreeSet<String> = strings(&schema["required"]).collect();
    let mut taken = Taken::default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties.map(|(wire, schema)| FormField {
        name: taken.claim(&names::snake(wire)),
        wire: wire.clone(),
        required: required.contains(wire),
        kind: form_kind(components, schema),
        description: schema["description"].as_str().map(str::to_owned),
        origins: origins::within(schema),
    });
    let mut fields: Vec<_> = fields.collect();
    // Servers that read a form as it comes want to know what a file is for before it begins.
    fields.sort_by_key(|field| matches!(field.kind, FormKind::File | FormKind::Files));
    fields
}

fn form_kind(components: &Map<String, Value>, schema: &Value) -> FormKind {
    let bytes = |schema: &Value| schema["format"] == "binary";
    match schema["type"].as_str() {
        _ if bytes(schema) => FormKind::File,
        Some("array") if bytes(&schema["items"]) => FormKind::Files,
        Some("array") => match scalar(components, &schema["items"]) {
            Some(path) => FormKind::Texts(path),
            None => FormKind::Json,
        },
        _ => match scalar(components, schema) {
            Some(path) => FormKind::Text(path),
            None => FormKind::Json,
        },
    }
}

/// The Rust type of a schema that can be written as one text.
fn scalar(components: &Map<String, Value>, schema: &Value) -> Option<String> {
    let path = match (schema["type"].as_str(), rust_path(schema)) {
        (Some("string"), _) => "::std::string::String",
        (Some("integer"), _) => "i64",
        (Some("number"), _) => "f64",
        (Some("boolean"), _) => "bool",
        (_, Some("anchorbrowser_api::wire::Timestamp")) => "crate::wire::Timestamp",
        (None, _) => {
            let listed = |name: &String| {
                components
                    .get(name)
                    .is_some_and(|schema| schema.get("enum").is_some())
            };
            return component_name(schema)
                .filter(listed)
                .map(|name| format!("crate::types::{name}"));
        }
        _ => return None,
    };
    Some(path.to_owned())
}

/// JSON bodies: a type without the generator's nested builder, which would double the code; and
/// nothing is required of a body that may be left out.
fn bodies(context: &mut Context) -> usize {
    let optional: BTreeSet<_> = context
        .plan
        .operations
        .iter()
        .filter(|(_, operation)| operation.optional_body)
        .map(|(id, _)| id.clone())
        .collect();
    let mut relaxed = Vec::new();
    walk::operations(&mut context.root, |_, _, operation| {
        let id = walk::id(operation).to_owned();
        let content = operation
            .get_mut("requestBody")
            .and_then(|body| body["content"].as_object_mut());
        let json = content
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "multipart/form-data");
        for (_, media_type) in json {
            let Some(name) = component_name(&media_type["schema"]) else {
                continue;
            };
            origins::replace(&mut media_type["schema"], unions::local_type(&name));
            if optional.contains(&id) {
                relaxed.push((id.clone(), name));
            }
        }
    });
    let mut count = 0;
    for (id, name) in relaxed {
        let body = context
            .components_mut()
            .get_mut(&name)
            .and_then(Value::as_object_mut);
        if body.is_some_and(|body| body.remove("required").is_some()) {
            count += 1;
            let what =
                "optional body with required fields: they are not demanded, the service does";
            context.note(&format!("{id} body"), what);
        }
    }
    count
}

/// Parameters: scalars and lists of scalars as they are, all else as text.
fn parameters(context: &mut Context) {
    let enums: BTreeSet<String> = context
        .components()
        .iter()
        .filter(|(_, schema)| schema.get("enum").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    walk::operations(&mut context.root, |_, _, operation| {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let schema = &mut parameter["schema"];
            let map = object(schema);
            map.remove("nullable");
            map.remove("description");
            let text = map.remove("x-text");
            let listed = component_name(schema).is_some_and(|name| enums.contains(&name));
            let simple = listed
                || matches!(
                    schema["type"].as_str(),
                    Some("string" | "integer" | "number" | "boolean")
                )
                || rust_path(schema).is_some_and(|path| path.ends_with("::Timestamp"));
            let lowered = match text.as_ref().and_then(Value::as_str).unwrap_or("scalar") {
                "json" => rust_type(JSON_TEXT, Vec::new()),
                "plain" => json!({ "type": "string" }),
                "joined" if is_list(schema) => rust_type(JOINED, vec![schema["items"].clone()]),
                // An object by itself, because the generator has no optional parameter that is one.
                "repeated" | "joined" => match component_name(schema) {
                    Some(name) => unions::local_type(&name),
                    None => schema.clone(),
                },
                _ if simple => schema.clone(),
                _ => json!({ "type": "string" }),
            };
            origins::replace(schema, lowered);
        }
    });
}

fn is_list(schema: &Value) -> bool {
    schema["type"] == "array"
}

/// Bytes inside JSON are text.
fn binary(context: &mut Context) {
    if let Some(schemas) = context
        .root
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for schema in schemas.values_mut() {
            walk::walk(schema, "", walk::Order::Inside, &mut |schema, _| {
                if schema["format"] == "binary" {
                    object(schema).remove("format");
                }
            });
        }
    }
}

fn strings(value: &Value) -> impl Iterator<Item = String> + '_ {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{operation_names, testing};

    #[test]
    fn null_and_empty_lists_can_be_sent() {
        let mut context = testing::components(json!({ "In": {
            "properties": {
                "text": { "type": "string", "nullable": true, "description": "d" },
                "any": { "nullable": true },
                "list": { "type": "array", "items": {} },
                "must": { "type": "array", "items": {} },
                "node": { "$ref": "#/components/schemas/In", "nullable": true },
            },
            "required": ["must"],
        } }));
        context
            .plan
            .directions
            .insert("In".to_owned(), Direction::Request);
        (RULE.apply)(&mut context);
        let properties = &context.components()["In"]["properties"];
        assert_eq!(rust_path(&properties["text"]), Some(NULLABLE));
        assert_eq!(properties["text"]["description"], "d");
        assert_eq!(properties["any"], json!({}));
        assert_eq!(properties["list"]["nullable"], true);
        assert_eq!(properties["must"]["nullable"], Value::Null);
        let boxed = &properties["node"]["x-rust-type"]["parameters"][0];
        assert_eq!(rust_path(boxed), Some("std::boxed::Box"));
    }

    #[test]
    fn a_multipart_body_becomes_a_form() {
        let mut context = testing::paths(json!({ "/f": { "post": {
            "operationId": "f",
            "requestBody": { "content": { "multipart/form-data": { "schema": { "$ref": "#/components/schemas/F" } } } },
        } } }));
        context.components_mut().insert(
            "F".to_owned(),
            json!({
                "properties": {
                    "file": { "type": "string", "format": "binary" },
                    "files": { "type": "array", "items": { "type": "string", "format": "binary" } },
                    "n": { "type": "integer" },
                    "meta": { "type": "object", "additionalProperties": {} },
                },
                "required": ["file"],
            }),
        );
        (operation_names::RULE.apply)(&mut context);
        (RULE.apply)(&mut context);
        let fields = context.plan.operations["f"].form.clone().unwrap();
        let seen: Vec<_> = fields
            .iter()
            .map(|field| format!("{} {:?} {}", field.wire, field.kind, field.required))
            .collect();
        assert_eq!(
            seen,
            [
                "meta Json false",
                "n Text(\"i64\") false",
                "file File true",
                "files Files false"
            ]
        );
        let content = &context.root["paths"]["/f"]["post"]["requestBody"]["content"];
        assert!(content.get("application/octet-stream").is_some());
        assert!(context.components().is_empty());
    }

    #[test]
    fn parameters_are_scalars_lists_or_text() {
        let cases = [
            ("scalar", json!({ "type": "integer" }), "integer"),
            ("scalar", json!({ "type": "array", "items": {} }), "string"),
            ("repeated", json!({ "type": "array", "items": {} }), "array"),
            (
                "joined",
                json!({ "type": "array", "items": { "type": "string" } }),
                JOINED,
            ),
            ("joined", json!({ "type": "string" }), "string"),
            (
                "repeated",
                json!({ "$ref": "#/components/schemas/S" }),
                "anchorbrowser_api::types::S",
            ),
            ("json", json!({}), JSON_TEXT),
            ("plain", json!({ "type": "object" }), "string"),
        ];
        for (text, mut schema, expected) in cases {
            schema["x-text"] = json!(text);
            let mut context = testing::paths(json!({ "/a": { "get": {
                "operationId": "a", "parameters": [{ "name": "p", "in": "query", "schema": schema }],
            } } }));
            (RULE.apply)(&mut context);
            let schema = &context.root["paths"]["/a"]["get"]["parameters"][0]["schema"];
            let seen = rust_path(schema).or(schema["type"].as_str());
            assert_eq!(seen, Some(expected), "{text}");
        }
    }
}
