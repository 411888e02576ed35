//! What a path item says for all its operations.

use serde_json::Value;

use super::{Context, Rule, walk};

pub(crate) const RULE: Rule = Rule {
    name: "path-items",
    why: "parameters of a path item belong to each operation, where later rules look for them",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let mut count = 0;
    let mut notes = Vec::new();
    let Some(paths) = context.root.get_mut("paths").and_then(Value::as_object_mut) else {
        return 0;
    };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        let shared = item.remove("parameters");
        let shared: Vec<Value> = shared
            .as_ref()
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        item.retain(|key, value| {
            let method = walk::METHODS.contains(&key.as_str());
            let documentation = ["summary", "description", "servers"].contains(&key.as_str());
            if !method && !documentation && !key.starts_with("x-") {
                notes.push((
                    path.clone(),
                    format!("`{key}` in a path item: not generated"),
                ));
            }
            method && value.is_object()
        });
        for operation in item.values_mut() {
            count += share(operation, &shared);
        }
    }
    for (path, what) in notes {
        context.note(&format!("/paths/{}", crate::document::escape(&path)), what);
    }
    if let Some(webhooks) = context.root.get("webhooks").and_then(Value::as_object) {
        let what = format!(
            "{} webhooks: the service calls them, no client method",
            webhooks.len()
        );
        context.note("/webhooks", what);
    }
    count
}

fn share(operation: &mut Value, shared: &[Value]) -> usize {
    let own = super::object(operation)
        .entry("parameters")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Some(own) = own.as_array_mut() else {
        return 0;
    };
    let missing: Vec<_> = shared
        .iter()
        .filter(|parameter| {
            !own.iter()
                .any(|mine| mine["name"] == parameter["name"] && mine["in"] == parameter["in"])
        })
        .cloned()
        .collect();
    let count = missing.len();
    own.splice(0..0, missing);
    count
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing;

    #[test]
    fn parameters_move_to_operations_which_may_override_them() {
        let mut context = testing::paths(json!({ "/a/{id}": {
            "summary": "s",
            "parameters": [{ "name": "id", "in": "path" }, { "name": "q", "in": "query", "a": 1 }],
            "get": { "parameters": [{ "name": "q", "in": "query", "a": 2 }] },
            "query": {},
        } }));
        assert_eq!((RULE.apply)(&mut context), 1);
        assert_eq!(
            context.root["paths"]["/a/{id}"],
            json!({ "get": { "parameters": [{ "name": "id", "in": "path" }, { "name": "q", "in": "query", "a": 2 }] } })
        );
        assert_eq!(context.notes.len(), 1);
    }
}
