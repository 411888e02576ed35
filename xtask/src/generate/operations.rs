//! The table of operations that the transport reads.

use serde_json::{Map, Value};

use crate::lower::plan::Operation;
use crate::lower::{Lowered, component_name, rust_path};

/// `operations.rs`.
pub(super) fn file(lowered: &Lowered) -> String {
    let plan = &lowered.plan;
    let mut text = format!(
        "\nuse crate::operation::{{Class, Operation}};\n\n\
         /// The version of the API.\npub const API_VERSION: &str = {:?};\n\
         /// Where the service is.\npub const DEFAULT_BASE_URL: &str = {:?};\n\
         /// The header that carries the key.\npub const KEY_HEADER: &str = {:?};\n\
         /// What stands before the key in that header.\npub const KEY_PREFIX: &str = {:?};\n\n\
         /// All operations, sorted by id.\npub const OPERATIONS: &[Operation] = &[\n",
        plan.api_version, plan.base_url, plan.key.header, plan.key.prefix
    );
    for (id, lowered) in lowered.operations() {
        let request = lowered
            .get("requestBody")
            .and_then(|body| signature(&body["content"]));
        let response = signature(&lowered["responses"]["2XX"]["content"]);
        text.push_str(&entry(id, &plan.operations[id], request, response));
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
