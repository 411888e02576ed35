//! Parameters: where they go and how they are written there.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Context, Rule, origins, walk};
use crate::names::{self, Taken};

pub(crate) const RULE: Rule = Rule {
    name: "parameters",
    why: "the generator takes path, query and header parameters in their default style; other \
          styles are written by a type of ours, and names that would collide get another",
    apply,
};

/// Headers that are no parameters by the specification, because other parts of a document set them.
const NOT_PARAMETERS: &[&str] = &["accept", "content-type", "authorization"];

fn apply(context: &mut Context) -> usize {
    let mut found = Found {
        key_header: context.plan.key.header.clone(),
        ..Found::default()
    };
    walk::operations(&mut context.root, |path, method, operation| {
        found.operation(path, method, operation);
    });
    context.note_all(found.notes);
    let count = found.renamed.len();
    // A name in the path is no name on the wire.
    for (id, name, wire) in found.renamed {
        let wire = wire.map(|wire| ((id, name), wire));
        context.plan.parameters.extend(wire);
    }
    rename_in_templates(&mut context.root);
    count
}

/// What a walk over all parameters found.
#[derive(Default)]
struct Found {
    /// The header that carries the key.
    key_header: String,
    /// Place and words.
    notes: Vec<(String, &'static str)>,
    /// Operation, new name, and name on the wire if that is to be put back.
    renamed: Vec<(String, String, Option<String>)>,
}

impl Found {
    /// Lowers the parameters of an operation.
    fn operation(&mut self, path: &str, method: &str, operation: &mut Map<String, Value>) {
        let id = walk::id(operation).to_owned();
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        let Some(parameters) = parameters else {
            return;
        };
        let at = walk::operation_pointer(path, method);
        let mut seen = BTreeSet::new();
        let mut taken = Taken::with(names::RESERVED_PARAMETERS.iter().copied());
        let in_path = path_names(path, &mut taken);
        parameters.retain_mut(|parameter| {
            let Some(parameter) = parameter.as_object_mut() else {
                return false;
            };
            let text = |key: &str| {
                parameter
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let (wire, place) = (text("name").to_owned(), text("in").to_owned());
            let at = format!("{at}/parameters/{wire}");
            if place == "cookie" {
                self.notes
                    .push((at, "cookie parameter: pass it as a header"));
                return false;
            }
            let sent_anyway = place == "header" && is_sent_anyway(&wire, &self.key_header);
            if sent_anyway || !seen.insert((place.clone(), wire.clone())) {
                return false;
            }
            self.notes
                .extend(style(parameter, &place).map(|note| (at, note)));
            let own = in_path
                .iter()
                .find(|(known, _)| place == "path" && *known == wire);
            let name = match own {
                Some((_, name)) => name.clone(),
                None => taken.claim(&names::snake(&wire)),
            };
            if name != names::snake(&wire) {
                parameter.insert("name".to_owned(), Value::String(name.clone()));
                let wire = (place != "path").then_some(wire);
                self.renamed.push((id.clone(), name, wire));
            }
            true
        });
    }
}

fn is_sent_anyway(header: &str, key_header: &str) -> bool {
    let header = header.to_lowercase();
    NOT_PARAMETERS.contains(&header.as_str()) || header == key_header
}

/// Names for the parameters of a path template. They depend on nothing else, because all methods
/// of a path share the template.
fn path_names(path: &str, taken: &mut Taken) -> Vec<(String, String)> {
    let parameters = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next());
    parameters
        .map(|wire| (wire.to_owned(), taken.claim(&names::snake(wire))))
        .collect()
}

/// Reduces a parameter to name, place and schema. What the value becomes on the wire is left as
/// `x-text` in the schema: `joined` by commas, `json`, or `plain`.
fn style(parameter: &mut Map<String, Value>, place: &str) -> Option<&'static str> {
    let style = parameter.remove("style");
    let style = style
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or(match place {
            "query" => "form",
            _ => "simple",
        });
    let explode = parameter
        .remove("explode")
        .and_then(|explode| explode.as_bool());
    let explode = explode.unwrap_or(style == "form");
    let content = parameter.remove("content");
    let json = content.is_some();
    let mut schema = match content {
        Some(content) => content
            .as_object()
            .and_then(|content| content.values().next())
            .and_then(|media_type| media_type.get("schema"))
            .cloned()
            .unwrap_or_else(|| json!({})),
        None => parameter.remove("schema").unwrap_or_else(|| json!({})),
    };
    let (text, note) = match (place, style) {
        _ if json => ("json", None),
        ("query", "form") if explode => ("repeated", None),
        ("query", "form") => ("joined", None),
        ("query", _) => (
            "plain",
            Some("query parameter in a style of its own: give it as text"),
        ),
        (_, "simple") => ("scalar", None),
        _ => (
            "plain",
            Some("parameter in a style of its own: give it as text"),
        ),
    };
    if !schema.is_object() {
        schema = json!({});
    }
    schema["x-text"] = json!(text);
    let required = place == "path" || parameter.get("required") == Some(&Value::Bool(true));
    parameter.retain(|key, value| {
        let text = ["name", "in", "description"].contains(&key.as_str()) && value.is_string();
        text || key == origins::MARK
    });
    parameter.insert("required".to_owned(), Value::Bool(required));
    parameter.insert("schema".to_owned(), schema);
    note
}

/// Writes the names of path parameters that got another one into the templates.
fn rename_in_templates(root: &mut Value) {
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(path, item)| {
            let mut taken = Taken::with(names::RESERVED_PARAMETERS.iter().copied());
            let renamed =
                path_names(&path, &mut taken)
                    .into_iter()
                    .fold(path, |path, (wire, name)| {
                        if name == names::snake(&wire) {
                            path
                        } else {
                            path.replace(&format!("{{{wire}}}"), &format!("{{{name}}}"))
                        }
                    });
            (renamed, item)
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{operation_names, testing};

    #[test]
    fn styles_become_words_and_colliding_names_get_another() {
        let mut context = testing::paths(json!({ "/a/{session_id}/{body}": { "get": {
            "operationId": "a",
            "parameters": [
                { "name": "session_id", "in": "path", "schema": { "type": "string" } },
                { "name": "body", "in": "path", "schema": { "type": "string" } },
                { "name": "sessionId", "in": "query", "schema": { "type": "string" }, "example": 1 },
                { "name": "list", "in": "query", "explode": false, "schema": { "type": "array" } },
                { "name": "meta", "in": "query", "content": { "application/json": { "schema": { "type": "object" } } } },
                { "name": "deep", "in": "query", "style": "deepObject", "schema": { "type": "object" } },
                { "name": "Accept", "in": "header", "schema": {} },
                { "name": "c", "in": "cookie", "schema": {} },
            ],
        } } }));
        (operation_names::RULE.apply)(&mut context);
        (RULE.apply)(&mut context);
        let path = "/a/{session_id}/{body2}";
        let parameters = context.root["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        let seen: Vec<_> = parameters
            .iter()
            .map(|p| {
                format!(
                    "{} {}",
                    p["name"].as_str().unwrap(),
                    p["schema"]["x-text"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                "session_id scalar",
                "body2 scalar",
                "session_id2 repeated",
                "list joined",
                "meta json",
                "deep plain"
            ]
        );
        let key = ("a".to_owned(), "session_id2".to_owned());
        assert_eq!(context.plan.parameters[&key], "sessionId");
        assert_eq!(context.notes.len(), 2, "{:?}", context.notes);
    }
}
