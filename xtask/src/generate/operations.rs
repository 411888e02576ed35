//! The table of operations that the transport reads.

use crate::lower::plan::Operation;
use crate::lower::{Lowered, component_name, rust_path, walk};
use serde_json::{Map, Value};

/// `operations.rs`.
pub(super) fn file(lowered: &Lowered) -> String {
    let plan = &lowered.plan;
    let mut document = lowered.document.clone();
    let mut signatures = std::collections::BTreeMap::new();
    walk::operations(&mut document, |_, _, operation| {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let request = operation.get("requestBody").map(|body| &body["content"]);
        let response = &operation["responses"]["2XX"]["content"];
        signatures.insert(id, (request.and_then(signature), signature(response)));
    });
    let mut text = format!(
        "\nuse crate::operation::{{Class, Operation}};\n\n\
         /// The version of the API.\npub const API_VERSION: &str = {:?};\n\
         /// Where the service is.\npub const DEFAULT_BASE_URL: &str = {:?};\n\
         /// The header that carries the key.\npub const KEY_HEADER: &str = {:?};\n\
         /// What stands before the key in that header.\npub const KEY_PREFIX: &str = {:?};\n\n\
         /// All operations, sorted by id.\npub const OPERATIONS: &[Operation] = &[\n",
        plan.api_version, plan.base_url, plan.key.header, plan.key.prefix
    );
    for (id, operation) in &plan.operations {
        let (request, response) = signatures.remove(id).unwrap_or_default();
        text.push_str(&entry(id, operation, request, response));
    }
    text.push_str("];\n");
    text
}

fn entry(
    id: &str,
    operation: &Operation,
    request: Option<String>,
    response: Option<String>,
) -> String {
    let reserved: Vec<_> = operation
        .reserved
        .iter()
        .map(|(name, words)| format!("({name:?}, &{words:?})"))
        .collect();
    let request = match &operation.form {
        Some(_) => Some(crate::names::form(id)),
        None => request,
    };
    format!(
        "    Operation {{\n        id: {id:?},\n        resource: {:?},\n        method: {:?},\n        \
         path: {:?},\n        open: {},\n        class: Class::{},\n        optional_body: {},\n        \
         content_type: {:?},\n        accept: {:?},\n        reserved: &[{}],\n        location: {:?},\n        \
         request: {:?},\n        response: {:?},\n        deprecated: {},\n    }},\n",
        operation.resource,
        operation.method,
        operation.path,
        operation.open,
        operation.class,
        operation.optional_body,
        operation.content_type,
        operation.accept,
        reserved.join(", "),
        operation.location,
        request,
        response,
        operation.deprecated,
    )
}

/// What a body is, in a few words.
fn signature(content: &Value) -> Option<String> {
    let content: &Map<String, Value> = content.as_object()?;
    let (media_type, value) = content.iter().next()?;
    if media_type == "application/octet-stream" {
        return Some("bytes".to_owned());
    }
    Some(type_words(&value["schema"]))
}

/// A schema in a few words: `[Item]`, `{String}`, `Session`.
fn type_words(schema: &Value) -> String {
    if let Some(name) = component_name(schema) {
        return name;
    }
    if let Some(path) = rust_path(schema) {
        return path.rsplit("::").next().unwrap_or(path).to_owned();
    }
    match schema["type"].as_str() {
        Some("array") => format!("[{}]", type_words(&schema["items"])),
        Some("object") => format!("{{{}}}", type_words(&schema["additionalProperties"])),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}
