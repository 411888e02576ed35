//! Which media type of a request body is used.

use serde_json::{Map, Value, json};

use super::{Context, Rule, origins, walk};

pub(crate) const RULE: Rule = Rule {
    name: "bodies",
    why: "the generator takes one media type a body, of a few that it knows; multipart bodies get a \
          form type of their own, others are sent as raw bytes",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let mut count = 0;
    let mut notes = Vec::new();
    let plan = &mut context.plan;
    walk::operations(&mut context.root, |path, method, operation| {
        let Some(mut body) = operation.remove("requestBody") else {
            return;
        };
        let content = body.get_mut("content").map(Value::take);
        let Some((media_type, schema)) = choose(content.as_ref()) else {
            return;
        };
        let at = format!("{}/requestBody", walk::operation_pointer(path, method));
        let others = content
            .as_ref()
            .and_then(Value::as_object)
            .map_or(0, Map::len)
            - 1;
        if others > 0 {
            notes.push((
                at,
                format!("body in several media types: `{media_type}` is sent"),
            ));
        }
        let id = walk::id(operation);
        if let Some(known) = plan.operations.get_mut(id) {
            known.content_type = Some(media_type.clone());
            known.optional_body = body.get("required") != Some(&Value::Bool(true));
        }
        let (key, schema) = lowered(&media_type, schema);
        let mut lowered = json!({ "required": true, "content": { key: { "schema": schema } } });
        if let Some(description) = body.get("description").filter(|text| text.is_string()) {
            lowered["description"] = description.clone();
        }
        origins::join(&mut lowered, &body);
        operation.insert("requestBody".to_owned(), lowered);
        count += 1;
    });
    context.note_all(notes);
    count
}

/// The media type that says most about the body: JSON, then forms, then the first one.
fn choose(content: Option<&Value>) -> Option<(String, Value)> {
    let content = content?.as_object()?;
    let rank = |media_type: &str| match media_type {
        _ if is_json(media_type) => 0,
        _ if is(media_type, "multipart/form-data") => 1,
        _ if is(media_type, "application/x-www-form-urlencoded") => 2,
        _ => 3,
    };
    let (name, media_type) = content.iter().min_by_key(|(name, _)| rank(name))?;
    Some((
        name.clone(),
        media_type
            .get("schema")
            .cloned()
            .unwrap_or_else(|| json!({})),
    ))
}

/// The generator's own word for the media type, and the schema that it wants for it.
fn lowered(media_type: &str, schema: Value) -> (&'static str, Value) {
    let binary = json!({ "type": "string", "format": "binary" });
    match media_type {
        _ if is_json(media_type) => ("application/json", schema),
        _ if is(media_type, "multipart/form-data") => ("multipart/form-data", schema),
        _ if is(media_type, "application/x-www-form-urlencoded") => {
            ("application/x-www-form-urlencoded", schema)
        }
        _ => ("application/octet-stream", binary),
    }
}

/// Whether a media type is JSON: `application/json`, with parameters or not, or `+json`.
pub(crate) fn is_json(media_type: &str) -> bool {
    let name = essence(media_type);
    name == "application/json" || name.ends_with("+json")
}

fn is(media_type: &str, name: &str) -> bool {
    essence(media_type) == name
}

fn essence(media_type: &str) -> String {
    media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{operation_names, testing};

    #[test]
    fn one_media_type_is_kept() {
        let post = |content: Value| json!({ "post": { "requestBody": { "content": content, "required": true } } });
        let mut context = testing::paths(json!({
            "/json": post(json!({ "text/plain": {}, "application/merge-patch+json": { "schema": { "type": "object" } } })),
            "/form": post(json!({ "multipart/form-data": { "schema": { "type": "object" } } })),
            "/raw": post(json!({ "image/png": {} })),
            "/none": { "post": { "requestBody": { "content": {} } } },
        }));
        (operation_names::RULE.apply)(&mut context);
        assert_eq!((RULE.apply)(&mut context), 3);
        let content =
            |path: &str| context.root["paths"][path]["post"]["requestBody"]["content"].clone();
        assert_eq!(
            content("/json"),
            json!({ "application/json": { "schema": { "type": "object" } } })
        );
        assert_eq!(
            content("/form"),
            json!({ "multipart/form-data": { "schema": { "type": "object" } } })
        );
        assert_eq!(
            content("/raw"),
            json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } })
        );
        assert_eq!(content("/none"), Value::Null);
        let sent = |id: &str| context.plan.operations[id].content_type.clone().unwrap();
        assert_eq!(sent("post_json"), "application/merge-patch+json");
        assert_eq!(sent("post_raw"), "image/png");
        assert_eq!(context.notes.len(), 1);
    }
}
