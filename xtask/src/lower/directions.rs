//! Which types are sent and which are received.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::plan::Direction;
use super::{Context, Rule, component_name, origins, rust_type, walk};

pub(crate) const RULE: Rule = Rule {
    name: "unused-types",
    why: "a type that no operation reaches would only be compiled; what is reached, and from where, \
          decides how it is lowered and into which file it goes",
    apply,
};

pub(crate) const LENIENT: Rule = Rule {
    name: "lenient-answers",
    why: "an answer must not be lost for a field that the vendor marks as required and leaves out, \
          or sends as null: in types that are only received nothing is required and no list is null",
    apply: lenient,
};

fn apply(context: &mut Context) -> usize {
    let components = context.components().clone();
    let operations = context.plan.operations.clone();
    // What the operations of a resource send and receive, taken together: each walk may lead
    // through most of the document.
    let mut parts = BTreeMap::<(String, bool), Vec<Value>>::new();
    walk::operations(&mut context.root, |_, _, operation| {
        let id = walk::id(operation);
        let resource = operations
            .get(id)
            .map(|operation| operation.resource.clone());
        let resource = resource.unwrap_or_default();
        for (place, received) in [
            ("parameters", false),
            ("requestBody", false),
            ("responses", true),
        ] {
            let part = operation.get(place).cloned();
            parts
                .entry((resource.clone(), received))
                .or_default()
                .extend(part);
        }
    });
    let mut sent = BTreeSet::new();
    let mut received = BTreeSet::new();
    let mut resources = BTreeMap::<String, BTreeSet<String>>::new();
    for ((resource, is_answer), parts) in &parts {
        let reached = reach(&components, parts);
        for name in &reached {
            resources
                .entry(name.clone())
                .or_default()
                .insert(resource.clone());
        }
        if *is_answer { &mut received } else { &mut sent }.extend(reached);
    }
    for name in components.keys() {
        let direction = match (sent.contains(name), received.contains(name)) {
            (true, true) => Direction::Both,
            (true, false) => Direction::Request,
            (false, true) => Direction::Response,
            (false, false) => continue,
        };
        context.plan.directions.insert(name.clone(), direction);
    }
    context.plan.resources = resources
        .into_iter()
        .map(|(name, mut resources)| {
            let only = resources.pop_first().filter(|_| resources.is_empty());
            (name, only.unwrap_or_else(|| "common".to_owned()))
        })
        .collect();
    let reached = context.plan.directions.clone();
    context
        .components_mut()
        .retain(|name, _| reached.contains_key(name));
    components.len() - context.components().len()
}

/// All components that parts of operations lead to.
fn reach(components: &Map<String, Value>, parts: &[Value]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<_> = parts.iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some((name, schema)) = component_name(value)
                    .and_then(|name| components.get(&name).map(|schema| (name, schema)))
                    && seen.insert(name)
                {
                    open.push(schema);
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    seen
}

fn lenient(context: &mut Context) -> usize {
    let directions = context.plan.directions.clone();
    let mut count = 0;
    for (name, schema) in context.components_mut() {
        if schema.get("properties").is_none() {
            continue;
        }
        let received = directions.get(name) == Some(&Direction::Response);
        let Some(map) = schema.as_object_mut() else {
            continue;
        };
        if received {
            count += usize::from(map.remove("required").is_some());
            for property in map
                .get_mut("properties")
                .and_then(Value::as_object_mut)
                .into_iter()
                .flatten()
            {
                if let Some(property) = property.1.as_object_mut() {
                    // Each field is optional already, and a null list is an empty one.
                    property.remove("nullable");
                }
            }
        }
    }
    walk::schemas(&mut context.root, walk::Order::Inside, &mut |schema, _| {
        for key in ["items", "additionalProperties"] {
            if let Some(member) = schema.get_mut(key) {
                optional(member);
            }
        }
    });
    count
}

/// `null` among the members of a list or a map.
fn optional(member: &mut Value) {
    if member
        .as_object_mut()
        .is_some_and(|map| map.remove("nullable").is_some())
    {
        let inner = member.take();
        *member = match inner
            .as_object()
            .is_some_and(|inner| origins::only(inner, &[]))
        {
            true => json!({}),
            false => rust_type("std::option::Option", vec![inner]),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{operation_names, rust_path};

    fn context() -> Context {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let content = |name: &str| json!({ "content": { "application/json": { "schema": reference(name) } } });
        let mut context = Context::new(json!({
            "paths": {
                "/a": { "post": { "operationId": "a", "x-resource": "one", "requestBody": content("In"), "responses": { "2XX": content("Out") } } },
                "/b": { "get": { "operationId": "b", "x-resource": "two", "responses": { "2XX": content("Shared") } } },
            },
            "components": { "schemas": {
                "In": { "properties": { "s": reference("Shared") }, "required": ["s"] },
                "Out": { "properties": {
                    "s": { "type": "string", "nullable": true },
                    "l": { "type": "array", "nullable": true, "items": { "type": "string", "nullable": true } },
                }, "required": ["s", "l"] },
                "Shared": { "properties": { "self": reference("Shared") }, "required": ["self"] },
                "Unused": { "properties": {} },
            } },
        }));
        (operation_names::RULE.apply)(&mut context);
        context
    }

    #[test]
    fn types_know_who_sends_them_and_where_they_belong() {
        let mut context = context();
        assert_eq!((RULE.apply)(&mut context), 1);
        let directions: Vec<_> = context
            .plan
            .directions
            .iter()
            .map(|(name, way)| (name.as_str(), *way))
            .collect();
        assert_eq!(
            directions,
            [
                ("In", Direction::Request),
                ("Out", Direction::Response),
                ("Shared", Direction::Both)
            ]
        );
        assert_eq!(context.plan.resources["In"], "one");
        assert_eq!(context.plan.resources["Shared"], "common");
        assert!(!context.components().contains_key("Unused"));
    }

    #[test]
    fn nothing_is_required_of_an_answer() {
        let mut context = context();
        (RULE.apply)(&mut context);
        assert_eq!((LENIENT.apply)(&mut context), 1);
        let out = &context.components()["Out"];
        assert_eq!(out["required"], Value::Null);
        assert_eq!(out["properties"]["s"], json!({ "type": "string" }));
        assert_eq!(out["properties"]["l"]["nullable"], Value::Null);
        assert_eq!(
            rust_path(&out["properties"]["l"]["items"]),
            Some("std::option::Option")
        );
        assert_eq!(context.components()["In"]["required"], json!(["s"]));
        assert_eq!(context.components()["Shared"]["required"], json!(["self"]));
    }
}
