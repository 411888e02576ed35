//! What each operation is called, where it belongs, and what the transport must know of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::plan::Operation;
use super::{Context, Rule, walk};
use crate::document::{local_pointer, unescape};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "operation-names",
    why: "the generator demands an operationId, in a form that becomes one Rust method; an operation \
          without one gets it from method and path, so that nothing blocks an update",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let templates: Vec<String> = context
        .root
        .get("paths")
        .and_then(Value::as_object)
        .map(|paths| paths.keys().cloned().collect())
        .unwrap_or_default();
    // A schema of a parameter may be a component. The walk below has the document for itself.
    let known = Known {
        templates,
        schemas: context.components().clone(),
    };
    let mut named = Named::default();
    // Ids of the document and the overlay come first: a made-up one must not take their name.
    for by_rule in [false, true] {
        walk::operations(&mut context.root, |path, method, operation| {
            if operation.get("operationId").is_some_and(Value::is_string) != by_rule {
                named.name(path, method, operation, by_rule, &known);
            }
        });
    }
    let count = named.by_rule.len();
    context.plan.operations = named.operations;
    context.plan.named_by_rule = named.by_rule;
    context.note_all(named.notes);
    count
}

/// What the whole document says.
struct Known {
    /// The paths.
    templates: Vec<String>,
    /// The component schemas.
    schemas: Map<String, Value>,
}

#[derive(Default)]
struct Named {
    operations: BTreeMap<String, Operation>,
    by_rule: Vec<(String, String)>,
    methods: Taken,
    builders: Taken,
    notes: Vec<(String, String)>,
}

impl Named {
    fn name(
        &mut self,
        path: &str,
        method: &str,
        operation: &mut Map<String, Value>,
        by_rule: bool,
        known: &Known,
    ) {
        let given = operation.get("operationId").and_then(Value::as_str);
        let wanted = match given {
            Some(id) if !by_rule => id.to_owned(),
            Some(_) => return,
            None => id_from_path(path, method),
        };
        let mut id = self.methods.claim(&names::operation(&wanted));
        // Two methods may still share the name of their builder type: `a_b1` and `a_b_1`.
        while self.builders.claim(&names::builder(&id)) != names::builder(&id) {
            id = self.methods.claim(&format!("{id}_operation"));
        }
        if by_rule {
            self.by_rule
                .push((id.clone(), format!("{} {path}", method.to_uppercase())));
        }
        operation.insert("operationId".to_owned(), Value::String(id.clone()));
        if operation.contains_key("callbacks") {
            let at = walk::operation_pointer(path, method);
            self.notes.push((
                at,
                "callbacks: the service calls them, no client method".to_owned(),
            ));
        }
        self.operations
            .insert(id, describe(path, method, operation, known));
    }
}

fn describe(path: &str, method: &str, operation: &Map<String, Value>, known: &Known) -> Operation {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let tag = operation
        .get("tags")
        .and_then(|tags| tags.get(0))
        .and_then(Value::as_str);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        resource: names::snake(text("x-resource").or(tag).unwrap_or("other")),
        class: match (text("x-retry"), method) {
            (Some("read"), _) | (None, "get" | "head" | "options" | "trace") => "Read",
            (Some("repeatable"), _) | (None, "put" | "delete") => "Repeatable",
            _ => "Once",
        },
        reserved: reserved(path, operation, known),
        location: text("x-location").map(str::to_owned),
        deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
        ..Operation::default()
    }
}

/// `get_v1_widgets_by_widget_id`: plain, long, and never two for one.
fn id_from_path(path: &str, method: &str) -> String {
    let words = path.split('/').filter(|part| !part.is_empty()).map(|part| {
        match part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            Some(parameter) => format!("by_{}", names::snake(parameter)),
            None => names::snake(part),
        }
    });
    let words: Vec<_> = words.collect();
    format!("{method}_{}", words.join("_"))
}

/// For each path parameter the words that stand in its place in other paths: `all` in
/// `/v1/sessions/all` for `/v1/sessions/{session_id}`. As a value they would address that path.
fn reserved(
    path: &str,
    operation: &Map<String, Value>,
    known: &Known,
) -> Vec<(String, Vec<String>)> {
    let segments: Vec<_> = path.split('/').collect();
    let mut found = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let Some(name) = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        else {
            continue;
        };
        let parameter = operation
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|parameter| parameter["name"] == name && parameter["in"] == "path");
        let allowed = Allowed::of(parameter, &known.schemas);
        let words: BTreeSet<_> = known
            .templates
            .iter()
            .map(|template| template.split('/').collect::<Vec<_>>())
            .filter(|other| same_place(&segments[..index], other))
            .filter_map(|other| other.get(index).copied())
            .filter(|word| !word.is_empty() && !word.contains('{') && !allowed.allows(word))
            .map(str::to_owned)
            .collect();
        if !words.is_empty() {
            found.push((name.to_owned(), words.into_iter().collect()));
        }
    }
    found
}

/// Whether `other` begins with the same segments; a parameter is the same as any parameter.
fn same_place(before: &[&str], other: &[&str]) -> bool {
    other.len() > before.len()
        && before.iter().zip(other).all(|(mine, theirs)| {
            mine == theirs || (mine.starts_with('{') && theirs.starts_with('{'))
        })
}

/// Words that the document itself wants as values: listed in `enum` or `x-allowed-words`, or named
/// in a pattern of plain alternatives such as `^(draft|latest|\d+)$`.
#[derive(Default)]
struct Allowed<'d> {
    words: BTreeSet<&'d str>,
}

impl<'d> Allowed<'d> {
    fn of(parameter: Option<&'d Value>, schemas: &'d Map<String, Value>) -> Self {
        let mut allowed = Self::default();
        let Some(parameter) = parameter else {
            return allowed;
        };
        allowed.list(&parameter["x-allowed-words"]);
        let mut open = vec![&parameter["schema"]];
        let mut seen = BTreeSet::new();
        while let Some(schema) = open.pop() {
            allowed.list(&schema["enum"]);
            let pattern = schema["pattern"].as_str().unwrap_or_default();
            let alternatives = pattern.split(['(', ')', '|', '^', '$']);
            allowed.words.extend(alternatives);
            open.extend(schema["allOf"].as_array().into_iter().flatten());
            // Each once, because schemas may go round in circles.
            let name = schema["$ref"].as_str().and_then(component);
            let name = name.filter(|name| seen.insert(name.clone()));
            open.extend(name.and_then(|name| schemas.get(&name)));
        }
        allowed
    }

    fn list(&mut self, words: &'d Value) {
        let words = words.as_array().into_iter().flatten();
        self.words.extend(words.filter_map(Value::as_str));
    }

    fn allows(&self, word: &str) -> bool {
        self.words.contains(word)
    }
}

/// The name in a reference to a component schema.
fn component(reference: &str) -> Option<String> {
    let pointer = local_pointer(reference)?;
    let name = pointer.strip_prefix("/components/schemas/")?;
    Some(unescape(name).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    fn ids(context: &Context) -> Vec<&str> {
        context.plan.operations.keys().map(String::as_str).collect()
    }

    #[test]
    fn ids_come_from_the_document_or_from_the_path() {
        let mut context = testing::paths(json!({
            "/v1/widgets": { "get": { "operationId": "listWidgets" }, "post": {} },
            "/v1/widgets/{widgetId}": { "get": { "tags": ["Widget Shop"] } },
            "/v1/post": { "get": { "operationId": "post", "x-resource": "mail", "x-retry": "once" } },
        }));
        assert_eq!((RULE.apply)(&mut context), 2);
        assert_eq!(
            ids(&context),
            [
                "get_v1_widgets_by_widget_id",
                "list_widgets",
                "post_operation",
                "post_v1_widgets"
            ]
        );
        assert_eq!(
            context.plan.operations["get_v1_widgets_by_widget_id"].resource,
            "widget_shop"
        );
        assert_eq!(context.plan.operations["post_operation"].resource, "mail");
        assert_eq!(context.plan.operations["post_operation"].class, "Once");
        assert_eq!(context.plan.operations["list_widgets"].class, "Read");
    }

    #[test]
    fn ids_that_give_one_method_or_one_builder_are_kept_apart() {
        let mut context = testing::paths(json!({
            "/a": { "get": { "operationId": "uploadFile" } },
            "/b": { "get": { "operationId": "upload_file" } },
            "/c": { "get": { "operationId": "a_b1" } },
            "/d": { "get": { "operationId": "a_b_1" } },
        }));
        (RULE.apply)(&mut context);
        assert_eq!(
            ids(&context),
            ["a_b1", "a_b_1_operation", "upload_file", "upload_file2"]
        );
    }

    #[test]
    fn words_of_other_paths_are_reserved() {
        let path = |name: &str, extra: Value| {
            let mut parameter = json!({ "name": name, "in": "path" });
            parameter
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            json!({ "get": { "operationId": format!("get_{name}"), "parameters": [parameter] } })
        };
        let mut context = testing::paths(json!({
            "/s/{id}": path("id", json!({})),
            "/s/all": {}, "/s/history": {}, "/s/async/{r}/status": {}, "/other/thing": {},
            "/t/{a}/{version}": path("version", json!({ "schema": { "pattern": "^(draft|\\d+)$" } })),
            "/t/{b}/draft": {}, "/t/{b}/deploy": {},
            "/r/{rec}": path("rec", json!({ "x-allowed-words": ["primary"] })),
            "/r/primary/fetch": {},
        }));
        (RULE.apply)(&mut context);
        let words = |id: &str| context.plan.operations[id].reserved.clone();
        let all = ["all", "async", "history"].map(str::to_owned).to_vec();
        assert_eq!(words("get_id"), [("id".to_owned(), all)]);
        assert_eq!(
            words("get_version"),
            [("version".to_owned(), vec!["deploy".to_owned()])]
        );
        assert_eq!(words("get_rec"), []);
    }

    #[test]
    fn words_that_a_component_schema_wants_are_not_reserved() {
        let parameter = |name: &str| {
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            json!({ "get": { "operationId": name, "parameters": [{ "name": "v", "in": "path", "schema": schema }] } })
        };
        let mut context = testing::paths(json!({
            "/a/{v}": parameter("Pattern"), "/a/draft": {}, "/a/deploy": {},
            "/b/{v}": parameter("All"), "/b/draft": {}, "/b/new": {}, "/b/deploy": {},
        }));
        context.root["components"]["schemas"] = json!({
            "Pattern": { "type": "string", "pattern": "^(draft|\\d+)$" },
            "All": { "allOf": [
                { "$ref": "#/components/schemas/Pattern" }, { "$ref": "#/components/schemas/All" }, { "enum": ["new"] },
            ] },
        });
        (RULE.apply)(&mut context);
        let deploy = vec![("v".to_owned(), vec!["deploy".to_owned()])];
        for id in ["pattern", "all"] {
            assert_eq!(context.plan.operations[id].reserved, deploy);
        }
    }
}
