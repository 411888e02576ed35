//! Which operations need the key, and how it is sent.

use serde_json::Value;

use super::plan::KeyScheme;
use super::{Context, Rule, walk};

pub(crate) const RULE: Rule = Rule {
    name: "security",
    why: "the generator knows no authentication: the transport adds the key, and must know to which \
          operations",
    apply,
};

fn apply(context: &mut Context) -> usize {
    let root = context.root.get("security").cloned();
    let mut open = Vec::new();
    let mut wanted = Vec::new();
    walk::operations(&mut context.root, |_, _, operation| {
        let own = operation.remove("security").or_else(|| root.clone());
        let requirements = own.as_ref().and_then(Value::as_array);
        let schemes = requirements
            .into_iter()
            .flatten()
            .filter_map(Value::as_object);
        let schemes: Vec<_> = schemes
            .flat_map(|schemes| schemes.keys().cloned())
            .collect();
        if let (true, Some(id)) = (schemes.is_empty(), operation["operationId"].as_str()) {
            open.push(id.to_owned());
        }
        wanted.extend(schemes);
    });
    let count = open.len();
    for id in open {
        if let Some(operation) = context.plan.operations.get_mut(&id) {
            operation.open = true;
        }
    }
    let mut found = None;
    wanted.sort();
    wanted.dedup();
    for name in wanted {
        let scheme = context
            .root
            .pointer("/components/securitySchemes")
            .and_then(|all| all.get(&name));
        match (scheme.and_then(key_scheme), &found) {
            (Some(scheme), None) => found = Some(scheme),
            (Some(scheme), Some(first)) if scheme == *first => {}
            _ => context.note(
                &format!("/components/securitySchemes/{name}"),
                "security scheme that the transport does not send: pass it as a header",
            ),
        }
    }
    if let Some(scheme) = found {
        context.plan.key = scheme;
    }
    count
}

fn key_scheme(scheme: &Value) -> Option<KeyScheme> {
    let text = |key: &str| {
        scheme[key]
            .as_str()
            .map(str::to_lowercase)
            .unwrap_or_default()
    };
    match (
        text("type").as_str(),
        text("in").as_str(),
        text("scheme").as_str(),
    ) {
        ("apikey", "header", _) => Some(KeyScheme {
            header: text("name"),
            prefix: String::new(),
        }),
        ("http", _, "bearer") | ("oauth2" | "openidconnect", ..) => Some(KeyScheme::default()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::operation_names;

    #[test]
    fn an_operation_without_requirement_is_open() {
        let mut context = Context::new(json!({
            "security": [{ "key": [] }],
            "paths": {
                "/open": { "get": { "operationId": "open", "security": [] } },
                "/shut": { "get": { "operationId": "shut" } },
                "/basic": { "get": { "operationId": "basic", "security": [{ "basic": [] }] } },
            },
            "components": { "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "X-Key" },
                "basic": { "type": "http", "scheme": "basic" },
            } },
        }));
        (operation_names::RULE.apply)(&mut context);
        assert_eq!((RULE.apply)(&mut context), 1);
        assert!(context.plan.operations["open"].open);
        assert!(!context.plan.operations["shut"].open);
        assert_eq!(
            context.plan.key,
            KeyScheme {
                header: "x-key".to_owned(),
                prefix: String::new()
            }
        );
        assert_eq!(context.notes.len(), 1, "{:?}", context.notes);
    }
}
