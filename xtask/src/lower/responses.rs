//! Which answers of an operation have a type.

use serde_json::{Map, Value, json};

use super::{Context, Rule, bodies, origins, walk};

pub(crate) const RULE: Rule = Rule {
    name: "responses",
    why: "the generator takes one type of success and one of error: any 2xx becomes one type, the \
          rest is left to the transport, which keeps status, headers and body of any shape",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let mut count = 0;
    let mut notes = Vec::new();
    let plan = &mut context.plan;
    walk::operations(&mut context.root, |path, method, operation| {
        let responses = operation.remove("responses").unwrap_or_else(|| json!({}));
        let responses = responses.as_object().cloned().unwrap_or_default();
        let success = success(&responses);
        count += responses.len().saturating_sub(success.len());
        let at = walk::operation_pointer(path, method);
        let answer = Answer::of(&success);
        if answer.mixed {
            notes.push((
                at.clone(),
                "success in JSON and other media types: a byte stream",
            ));
        }
        if answer.schemas.len() > 1 {
            notes.push((at.clone(), "several shapes of success: a union"));
        }
        let id = walk::id(operation);
        if let Some(known) = plan.operations.get_mut(id) {
            known.accept = answer.accept.join(", ");
            let redirects = responses.keys().any(|status| status.starts_with('3'));
            if redirects && known.location.is_none() {
                notes.push((
                    at,
                    "documented redirect: followed for GET, else an error with its target",
                ));
            }
        }
        let mut lowered = answer.lowered();
        for response in success {
            origins::join(&mut lowered, response);
        }
        operation.insert("responses".to_owned(), json!({ "2XX": lowered }));
    });
    context.note_all(notes);
    count
}

/// The responses that mean success; `default` counts only where nothing else does.
fn success(responses: &Map<String, Value>) -> Vec<&Value> {
    let mut success: Vec<_> = responses
        .iter()
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(_, response)| response)
        .collect();
    if success.is_empty() {
        success.extend(responses.get("default"));
    }
    success
}

/// What the success responses of an operation have in common.
#[derive(Default)]
struct Answer {
    description: String,
    schemas: Vec<Value>,
    accept: Vec<String>,
    json: bool,
    mixed: bool,
}

impl Answer {
    fn of(success: &[&Value]) -> Self {
        let mut answer = Self::default();
        for response in success {
            if answer.description.is_empty() {
                answer.description = response["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
            }
            let content = response.get("content").and_then(Value::as_object);
            for (media_type, value) in content.into_iter().flatten() {
                if !answer.accept.contains(media_type) {
                    answer.accept.push(media_type.clone());
                }
                if bodies::is_json(media_type) {
                    answer.json = true;
                    let schema = value.get("schema").cloned().unwrap_or_else(|| json!({}));
                    let known = answer.schemas.iter_mut();
                    match known
                        .into_iter()
                        .find(|known| origins::same(known, &schema))
                    {
                        Some(known) => origins::join(known, &schema),
                        None => answer.schemas.push(schema),
                    }
                }
            }
        }
        answer.mixed = answer.json && answer.accept.iter().any(|name| !bodies::is_json(name));
        if answer.accept.is_empty() {
            answer.accept.push("*/*".to_owned());
        }
        answer
    }

    fn lowered(mut self) -> Value {
        let content = if self.json && !self.mixed {
            let schema = match self.schemas.len() {
                1 => self.schemas.remove(0),
                _ => json!({ "anyOf": self.schemas }),
            };
            json!({ "application/json": { "schema": schema } })
        } else if self.accept != ["*/*"] {
            json!({ "application/octet-stream": {} })
        } else {
            json!({})
        };
        json!({ "description": self.description, "content": content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{operation_names, testing};

    #[test]
    fn success_has_one_type_and_errors_none() {
        let json_of =
            |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
        let string = json!({ "type": "string" });
        let cases = [
            // responses, lowered content, accept
            (
                json!({ "201": json_of(string.clone()), "204": {}, "400": json_of(json!({})), "default": json_of(json!({})) }),
                json!({ "application/json": { "schema": string } }),
                "application/json",
            ),
            (
                json!({ "200": json_of(string.clone()), "202": json_of(json!({ "type": "integer" })) }),
                json!({ "application/json": { "schema": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } } }),
                "application/json",
            ),
            (
                json!({ "200": { "content": { "text/html": {}, "application/json": {} } } }),
                json!({ "application/octet-stream": {} }),
                "application/json, text/html",
            ),
            (
                json!({ "200": { "content": { "image/png": {} } } }),
                json!({ "application/octet-stream": {} }),
                "image/png",
            ),
            (
                json!({ "204": { "description": "gone" } }),
                json!({}),
                "*/*",
            ),
            (
                json!({ "default": json_of(string.clone()) }),
                json!({ "application/json": { "schema": string } }),
                "application/json",
            ),
        ];
        for (responses, content, accept) in cases {
            let mut context = testing::paths(
                json!({ "/a": { "get": { "operationId": "a", "responses": responses } } }),
            );
            (operation_names::RULE.apply)(&mut context);
            (RULE.apply)(&mut context);
            let lowered = &context.root["paths"]["/a"]["get"]["responses"];
            assert_eq!(lowered["2XX"]["content"], content);
            assert_eq!(lowered.as_object().unwrap().len(), 1);
            assert_eq!(context.plan.operations["a"].accept, accept);
        }
    }
}
