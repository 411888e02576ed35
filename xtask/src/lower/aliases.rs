//! Components that are no structs, enums or unions.

use serde_json::{Map, Value, json};

use super::{Context, Rule, component_name, object, origins, walk};

pub(crate) const SCALARS: Rule = Rule {
    name: "scalar-aliases",
    why: "a component that is a scalar becomes a newtype, which only stands in the way: its schema \
          is written where it is used",
    apply: |context| write_out(context, is_scalar),
};

pub(crate) const RULE: Rule = Rule {
    name: "aliases",
    why: "the same for components that are lists and maps; after their members got names, so that \
          those are written once",
    apply: |context| write_out(context, is_alias),
};

fn write_out(context: &mut Context, is_alias: fn(&Value) -> bool) -> usize {
    let source: Map<_, _> = context
        .components()
        .iter()
        .filter(|(_, schema)| is_alias(schema))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    let mut count = 0;
    let mut notes = Vec::new();
    walk::schemas(&mut context.root, walk::Order::Inside, &mut |schema, at| {
        if !component_name(schema).is_some_and(|name| source.contains_key(&name)) {
            return;
        }
        match written_out(&source, schema, &mut Vec::new()) {
            Some(written) => *schema = written,
            None => {
                origins::replace(schema, json!({}));
                notes.push((at.to_owned(), "list or map of itself: any JSON"));
            }
        }
        count += 1;
    });
    context
        .components_mut()
        .retain(|name, _| !source.contains_key(name));
    context.note_all(notes);
    count
}

fn is_alias(schema: &Value) -> bool {
    let struct_ = schema.get("properties").is_some();
    let enum_ = schema.get("enum").is_some();
    let union = schema.get("oneOf").is_some() || schema.get("anyOf").is_some();
    !struct_ && !enum_ && !union
}

fn is_scalar(schema: &Value) -> bool {
    is_alias(schema)
        && schema.get("items").is_none()
        && schema.get("additionalProperties").is_none()
}

/// The schema behind a reference to an alias; nothing if the alias holds itself.
fn written_out(
    source: &Map<String, Value>,
    schema: &Value,
    inside: &mut Vec<String>,
) -> Option<Value> {
    let name = component_name(schema);
    let target = name.as_ref().and_then(|name| source.get(name));
    let (Some(name), Some(target)) = (name, target) else {
        let mut schema = schema.clone();
        let mut whole = true;
        walk::members(
            &mut schema,
            "",
            &mut |member, _| match written_out(source, member, inside) {
                Some(written) => *member = written,
                None => whole = false,
            },
        );
        return whole.then_some(schema);
    };
    if inside.contains(&name) {
        return None;
    }
    inside.push(name);
    let written = written_out(source, target, inside);
    inside.pop();
    let mut written = written?;
    let beside = schema
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "$ref");
    let beside = beside.map(|(key, value)| (key.clone(), value.clone()));
    origins::extend(object(&mut written), beside.collect());
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::testing;

    #[test]
    fn aliases_are_written_out() {
        testing::assert_schemas(
            &RULE,
            json!({
                "Ids": { "type": "array", "items": { "$ref": "#/components/schemas/Id" } },
                "Id": { "$ref": "#/components/schemas/Text" },
                "Text": { "type": "string", "description": "theirs" },
                "Tree": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
                "A": { "properties": {
                    "ids": { "$ref": "#/components/schemas/Ids", "description": "mine", "nullable": true },
                    "self": { "$ref": "#/components/schemas/A" },
                    "tree": { "$ref": "#/components/schemas/Tree" },
                } },
            }),
            json!({
                "A": { "properties": {
                    "ids": { "type": "array", "items": { "type": "string", "description": "theirs" }, "description": "mine", "nullable": true },
                    "self": { "$ref": "#/components/schemas/A" },
                    "tree": {},
                } },
            }),
        );
    }
}
