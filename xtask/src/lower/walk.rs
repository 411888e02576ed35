//! Walks over the parts of an OpenAPI document.

use serde_json::{Map, Value};

use crate::document::escape;

/// Methods that a path item can have.
pub(crate) const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Where a schema's members are schemas themselves.
const SCHEMA_MAPS: &[&str] = &[
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];
const SCHEMA_LISTS: &[&str] = &["oneOf", "anyOf", "allOf", "prefixItems"];
const SCHEMAS: &[&str] = &[
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contentSchema",
];

/// A visit of one schema, with the JSON pointer of its place.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&mut Value, &str);

/// Whether `visit` sees a schema before or after its members.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The schema first; members that the visit puts in are visited too.
    Outside,
    /// The members first.
    Inside,
}

/// Calls `visit` for each operation: path, method, operation.
pub(crate) fn operations(
    root: &mut Value,
    mut visit: impl FnMut(&str, &str, &mut Map<String, Value>),
) {
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        for method in METHODS {
            if let Some(operation) = item.get_mut(*method).and_then(Value::as_object_mut) {
                visit(path, method, operation);
            }
        }
    }
}

/// The id of an operation, which each has once they are named.
pub(crate) fn id(operation: &Map<String, Value>) -> &str {
    operation
        .get("operationId")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The pointer of an operation.
pub(crate) fn operation_pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", escape(path))
}

/// Calls `visit` for each schema of the document: of components, parameters, bodies, responses.
pub(crate) fn schemas(root: &mut Value, order: Order, visit: Visit<'_>) {
    if let Some(components) = root
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for (name, schema) in components {
            walk(
                schema,
                &format!("/components/schemas/{}", escape(name)),
                order,
                visit,
            );
        }
    }
    roots(root, &mut |schema, at| walk(schema, at, order, visit));
}

/// Calls `visit` for the outermost schemas of operations.
pub(crate) fn roots(root: &mut Value, visit: Visit<'_>) {
    operations(root, |path, method, operation| {
        let at = operation_pointer(path, method);
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let at = format!("{at}/parameters/{index}");
            if let Some(schema) = parameter.get_mut("schema") {
                visit(schema, &format!("{at}/schema"));
            }
            media_types(parameter, &at, visit);
        }
        if let Some(body) = operation.get_mut("requestBody") {
            media_types(body, &format!("{at}/requestBody"), visit);
        }
        let responses = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            media_types(response, &format!("{at}/responses/{status}"), visit);
        }
    });
}

fn media_types(holder: &mut Value, at: &str, visit: Visit<'_>) {
    let content = holder.get_mut("content").and_then(Value::as_object_mut);
    for (name, media_type) in content.into_iter().flatten() {
        if let Some(schema) = media_type.get_mut("schema") {
            visit(schema, &format!("{at}/content/{}/schema", escape(name)));
        }
    }
}

/// Calls `visit` for a schema and all schemas inside it.
pub(crate) fn walk(schema: &mut Value, at: &str, order: Order, visit: Visit<'_>) {
    if order == Order::Outside {
        visit(schema, at);
    }
    members(schema, at, &mut |member, at| walk(member, at, order, visit));
    if order == Order::Inside {
        visit(schema, at);
    }
}

/// Calls `visit` for the schemas directly inside a schema.
pub(crate) fn members(schema: &mut Value, at: &str, visit: Visit<'_>) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    for (key, value) in schema {
        match value {
            Value::Object(map) if SCHEMA_MAPS.contains(&key.as_str()) => {
                for (name, member) in map {
                    visit(member, &format!("{at}/{}/{}", escape(key), escape(name)));
                }
            }
            Value::Array(list) if SCHEMA_LISTS.contains(&key.as_str()) => {
                for (index, member) in list.iter_mut().enumerate() {
                    visit(member, &format!("{at}/{key}/{index}"));
                }
            }
            Value::Object(_) | Value::Bool(_) if SCHEMAS.contains(&key.as_str()) => {
                visit(value, &format!("{at}/{key}"));
            }
            _ => {}
        }
    }
}
