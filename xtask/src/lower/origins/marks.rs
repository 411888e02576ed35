//! The marks that schemas and other parts of a document carry through the rules.

use std::hash::{Hash as _, Hasher as _};

use serde_json::{Map, Value, json};

use super::Origins;
use crate::document::escape;
use crate::lower::{append, walk};

/// The member that carries the pointers.
pub(crate) const MARK: &str = "x-lowered-from";

/// Marks all that rules move, and notes the lists of values. What is marked already keeps its mark: so a document that is
/// marked before the overlay is applied has the pointers that it was published with.
pub(crate) fn mark(root: &mut Value, origins: &mut Origins) {
    let mut marker = Marker { origins };
    let items = root.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in items.into_iter().flatten() {
        marker.path_item(item, &format!("/paths/{}", escape(path)));
    }
    for section in [
        "schemas",
        "parameters",
        "requestBodies",
        "responses",
        "pathItems",
    ] {
        let at = format!("/components/{section}");
        let entries = root.pointer_mut(&at).and_then(Value::as_object_mut);
        for (name, entry) in entries.into_iter().flatten() {
            let at = format!("{at}/{}", escape(name));
            match section {
                "schemas" => marker.schema(entry, &at),
                "parameters" => marker.parameter(entry, &at),
                "pathItems" => marker.path_item(entry, &at),
                _ => marker.content(entry, &at),
            }
        }
    }
}

struct Marker<'a> {
    origins: &'a mut Origins,
}

impl Marker<'_> {
    fn path_item(&mut self, item: &mut Value, at: &str) {
        self.parameters(item, at);
        for method in walk::METHODS {
            let Some(operation) = item.get_mut(*method).filter(|it| it.is_object()) else {
                continue;
            };
            let at = format!("{at}/{method}");
            set(operation, &at);
            self.parameters(operation, &at);
            if let Some(body) = operation.get_mut("requestBody") {
                self.content(body, &format!("{at}/requestBody"));
            }
            let responses = operation
                .get_mut("responses")
                .and_then(Value::as_object_mut);
            for (status, response) in responses.into_iter().flatten() {
                self.content(response, &format!("{at}/responses/{}", escape(status)));
            }
        }
    }

    fn parameters(&mut self, holder: &mut Value, at: &str) {
        let list = holder.get_mut("parameters").and_then(Value::as_array_mut);
        for (index, parameter) in list.into_iter().flatten().enumerate() {
            self.parameter(parameter, &format!("{at}/parameters/{index}"));
        }
    }

    fn parameter(&mut self, parameter: &mut Value, at: &str) {
        if let Some(schema) = parameter.get_mut("schema") {
            self.schema(schema, &format!("{at}/schema"));
        }
        self.content(parameter, at);
    }

    /// A body, an answer, or what else has content.
    fn content(&mut self, holder: &mut Value, at: &str) {
        set(holder, at);
        let content = holder.get_mut("content").and_then(Value::as_object_mut);
        for (name, media_type) in content.into_iter().flatten() {
            if let Some(schema) = media_type.get_mut("schema") {
                self.schema(schema, &format!("{at}/content/{}/schema", escape(name)));
            }
        }
    }

    fn schema(&mut self, schema: &mut Value, at: &str) {
        walk::walk(schema, at, walk::Order::Outside, &mut |schema, at| {
            set(schema, at);
            let at = marks(schema.get(MARK))
                .into_iter()
                .next()
                .unwrap_or_default();
            if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
                let references = &mut self.origins.references;
                references.insert(at.clone(), target.to_owned());
            }
            for key in ["oneOf", "anyOf"] {
                if let Some(arms) = schema.get(key).and_then(Value::as_array) {
                    let arms = arms.iter().map(print).collect();
                    self.origins.arms.insert(format!("{at}/{key}"), arms);
                }
            }
            let texts = |value: &Value| value.as_str().map(str::to_owned);
            let listed = schema.get("enum").and_then(Value::as_array);
            let listed = listed.map(|list| ("enum", list.iter()));
            let only = schema
                .get("const")
                .map(|only| ("const", std::slice::from_ref(only).iter()));
            for (key, values) in listed.into_iter().chain(only) {
                // What is no text is kept as a blank, so that places stay right.
                let values = values.map(|value| texts(value).unwrap_or_default());
                self.origins
                    .listed
                    .insert(format!("{at}/{key}"), values.collect());
            }
        });
    }
}

/// A number for a schema, marks aside.
fn print(schema: &Value) -> u64 {
    let mut bare = schema.clone();
    strip(&mut bare);
    let mut hasher = std::hash::DefaultHasher::new();
    bare.to_string().hash(&mut hasher);
    hasher.finish()
}

fn set(value: &mut Value, at: &str) {
    if let Some(map) = value.as_object_mut() {
        map.entry(MARK).or_insert_with(|| json!([at]));
    }
}

/// The pointers in a mark.
pub(super) fn marks(mark: Option<&Value>) -> Vec<String> {
    let list = mark.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The pointers of a value and of all inside it, the outermost first.
pub(in crate::lower) fn within(value: &Value) -> Vec<String> {
    let mut found = marks(value.get(MARK));
    let members: Vec<&Value> = match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    found.extend(members.into_iter().flat_map(within));
    found
}

/// Takes over the marks of `from`, after those that are there.
pub(in crate::lower) fn join(into: &mut Value, from: &Value) {
    let Some(more) = from.get(MARK) else {
        return;
    };
    if let Some(map) = into.as_object_mut() {
        append(map.entry(MARK).or_insert_with(|| json!([])), more);
    }
}

/// Members that win over those of `into`; marks are joined, theirs first.
pub(in crate::lower) fn extend(into: &mut Map<String, Value>, members: Map<String, Value>) {
    let known = into.get(MARK).cloned();
    into.extend(members);
    if let (Some(known), Some(mark)) = (known, into.get_mut(MARK)) {
        append(mark, &known);
    }
}

/// Puts another schema in the place of one; the marks of both remain.
pub(in crate::lower) fn replace(schema: &mut Value, mut by: Value) {
    let mut mark = json!({});
    join(&mut mark, schema);
    join(&mut mark, &by);
    if let (Some(map), Some(mark)) = (by.as_object_mut(), mark.get_mut(MARK)) {
        map.insert(MARK.to_owned(), mark.take());
    }
    *schema = by;
}

/// Whether all members of a schema are among `keys`, marks aside.
pub(in crate::lower) fn only(schema: &Map<String, Value>, keys: &[&str]) -> bool {
    schema
        .keys()
        .all(|key| key == MARK || keys.contains(&key.as_str()))
}

/// Whether two values are the same, marks aside.
pub(in crate::lower) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let plain = |map: &Map<String, Value>| map.len() - usize::from(map.contains_key(MARK));
            plain(left) == plain(right)
                && left
                    .iter()
                    .filter(|(key, _)| *key != MARK)
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        _ => left == right,
    }
}

/// Takes out all marks.
pub(in crate::lower) fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            // A property may have this name, but a property is no list.
            if map.get(MARK).is_some_and(Value::is_array) {
                map.remove(MARK);
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}
