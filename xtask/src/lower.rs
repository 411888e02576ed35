//! From an OpenAPI 3.1 (or 3.0) document to the plain OpenAPI 3.0.3 that the generator takes.
//!
//! Each rule is a value with a name and a reason, in one ordered table. A fault of one vendor's
//! document belongs into the overlay; what the generator can't take in any document is a rule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(crate) mod origins;
pub(crate) mod plan;
pub(crate) mod walk;

mod aliases;
mod all_of;
mod annotations;
mod bodies;
mod constraints;
mod directions;
mod enums;
mod inline_types;
mod keywords;
mod nullability;
mod operation_names;
mod parameters;
mod path_items;
mod property_names;
mod references;
mod requests;
mod responses;
mod scalars;
mod security;
mod shapes;
mod unions;

use plan::Plan;

/// One step of the lowering.
pub(crate) struct Rule {
    /// As the summary prints it.
    pub(crate) name: &'static str,
    /// Why the generator needs it.
    pub(crate) why: &'static str,
    /// Changes the document or the plan; gives the number of places it changed.
    pub(crate) apply: fn(&mut Context) -> usize,
}

/// All rules, in the order in which they run.
pub(crate) const RULES: &[Rule] = &[
    references::RULE,
    path_items::RULE,
    operation_names::RULE,
    security::RULE,
    bodies::RULE,
    responses::RULE,
    parameters::RULE,
    annotations::RULE,
    keywords::RULE,
    nullability::RULE,
    all_of::RULE,
    constraints::RULE,
    scalars::RULE,
    shapes::RULE,
    aliases::SCALARS,
    unions::RULE,
    inline_types::RULE,
    aliases::RULE,
    directions::RULE,
    unions::PLAN,
    requests::RULE,
    directions::LENIENT,
    property_names::RULE,
    enums::RULE,
];

/// Something of the document that has no Rust form of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Note {
    /// What it is, and what stands for it.
    pub(crate) what: String,
    /// JSON pointer.
    pub(crate) at: String,
}

/// What the rules work on.
pub(crate) struct Context {
    /// The document.
    pub(crate) root: Value,
    /// What the generator gets beside the document.
    pub(crate) plan: Plan,
    /// What could not be said.
    pub(crate) notes: BTreeSet<Note>,
}

impl Context {
    /// A context before any rule.
    pub(crate) fn new(root: Value) -> Self {
        Self {
            root,
            plan: Plan::default(),
            notes: BTreeSet::new(),
        }
    }

    /// Notes something that has no Rust form.
    pub(crate) fn note(&mut self, at: &str, what: impl Into<String>) {
        self.notes.insert(Note {
            what: what.into(),
            at: at.to_owned(),
        });
    }

    /// Notes several things, each with its place.
    pub(crate) fn note_all<W: Into<String>>(
        &mut self,
        notes: impl IntoIterator<Item = (String, W)>,
    ) {
        for (at, what) in notes {
            self.note(&at, what);
        }
    }

    /// Changes each schema; gives how many became another. What `change` gives is noted.
    pub(crate) fn change<N>(
        &mut self,
        order: walk::Order,
        mut change: impl FnMut(&mut Value) -> N,
    ) -> usize
    where
        N: IntoIterator<Item = &'static str>,
    {
        let mut count = 0;
        let mut notes = Vec::new();
        walk::schemas(&mut self.root, order, &mut |schema, at| {
            let before = schema.clone();
            let found = change(schema);
            notes.extend(found.into_iter().map(|what| (at.to_owned(), what)));
            count += usize::from(*schema != before);
            // Whatever became of it, it still stands for the same place.
            origins::join(schema, &before);
        });
        self.note_all(notes);
        count
    }

    /// Drops members of schemas; gives how many.
    pub(crate) fn drop_members(&mut self, dropped: impl Fn(&str, &Value) -> bool) -> usize {
        let mut count = 0;
        walk::schemas(&mut self.root, walk::Order::Inside, &mut |schema, _| {
            if let Some(schema) = schema.as_object_mut() {
                let before = schema.len();
                schema.retain(|key, value| !dropped(key, value));
                count += before - schema.len();
            }
        });
        count
    }

    /// The schemas under `components`.
    pub(crate) fn components(&self) -> &Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.root
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .unwrap_or(&NONE)
    }

    /// The schemas under `components`; makes the place if there is none.
    pub(crate) fn components_mut(&mut self) -> &mut Map<String, Value> {
        let mut place = &mut self.root;
        for key in ["components", "schemas"] {
            if !place.get(key).is_some_and(Value::is_object) {
                place[key] = json!({});
            }
            place = &mut place[key];
        }
        object(place)
    }
}

/// The lowered document with all that goes with it.
pub(crate) struct Lowered {
    /// OpenAPI 3.0.3.
    pub(crate) document: Value,
    /// What the generator gets beside the document.
    pub(crate) plan: Plan,
    /// Each rule's name and how often it matched.
    pub(crate) matches: Vec<(&'static str, usize)>,
    /// What has no Rust form, by kind, with the places.
    pub(crate) notes: BTreeMap<String, Vec<String>>,
}

impl Lowered {
    /// The operations of the lowered document, by id.
    pub(crate) fn operations(&self) -> BTreeMap<&str, &Map<String, Value>> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let items = paths.filter_map(|(_, item)| item.as_object()).flatten();
        let operations = items.filter_map(|(_, operation)| operation.as_object());
        operations
            .filter_map(|operation| Some((operation.get("operationId")?.as_str()?, operation)))
            .collect()
    }
}

/// Applies all rules.
pub(crate) fn lower(root: Value) -> Lowered {
    let mut context = Context::new(root);
    origins::mark(&mut context.root, &mut context.plan.origins);
    let matches = RULES
        .iter()
        .map(|rule| (rule.name, (rule.apply)(&mut context)))
        .collect();
    let Context {
        mut root,
        mut plan,
        notes,
    } = context;
    origins::collect(&mut root, &mut plan);
    finish(&mut root, &mut plan);
    let mut grouped = BTreeMap::<String, Vec<String>>::new();
    for note in notes {
        grouped.entry(note.what).or_default().push(note.at);
    }
    Lowered {
        document: root,
        plan,
        matches,
        notes: grouped,
    }
}

/// Drops what the generator doesn't read, so that it can't stumble over it.
fn finish(root: &mut Value, plan: &mut Plan) {
    let text = |pointer: &str, default: &str| {
        root.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    plan.title = text("/info/title", "API");
    plan.api_version = text("/info/version", "0");
    plan.base_url = text("/servers/0/url", "http://localhost")
        .trim_end_matches('/')
        .to_owned();
    walk::operations(root, |_, _, operation| {
        operation.retain(|key, value| match key.as_str() {
            "operationId" | "summary" | "description" => value.is_string(),
            "parameters" | "requestBody" | "responses" => true,
            _ => false,
        });
    });
    let schemas = root
        .pointer("/components/schemas")
        .cloned()
        .unwrap_or_else(|| json!({}));
    let paths = root.get("paths").cloned().unwrap_or_else(|| json!({}));
    *root = json!({
        "openapi": "3.0.3",
        "info": { "title": plan.title, "version": plan.api_version },
        "paths": paths,
        "components": { "schemas": schemas },
    });
}

/// The mapping in `value`, which is made one if it is none.
pub(crate) fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// Appends the entries of a list that another list doesn't have yet.
pub(crate) fn append(list: &mut Value, more: &Value) {
    let (Some(list), Some(more)) = (list.as_array_mut(), more.as_array()) else {
        return;
    };
    for value in more {
        if !list.contains(value) {
            list.push(value.clone());
        }
    }
}

/// The name in `#/components/schemas/NAME`.
pub(crate) fn component_name(schema: &Value) -> Option<String> {
    let reference = schema.get("$ref")?.as_str()?;
    let name = reference.strip_prefix("#/components/schemas/")?;
    (!name.contains('/')).then(|| crate::document::unescape(name).into_owned())
}

/// A reference to a component.
pub(crate) fn reference_to(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", crate::document::escape(name)) })
}

/// A schema that stands for a Rust type of this crate or of the standard library.
pub(crate) fn rust_type(path: &str, parameters: Vec<Value>) -> Value {
    let name = path.split("::").next().unwrap_or(path);
    let mut extension = json!({ "crate": name, "version": "*", "path": path });
    if !parameters.is_empty() {
        extension["parameters"] = Value::Array(parameters);
    }
    json!({ "x-rust-type": extension })
}

/// The Rust path that [`rust_type`] put into a schema.
pub(crate) fn rust_path(schema: &Value) -> Option<&str> {
    schema.pointer("/x-rust-type/path").and_then(Value::as_str)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A document with the given component schemas and no operation.
    pub(crate) fn components(schemas: Value) -> Context {
        Context::new(json!({
            "openapi": "3.1.0",
            "info": { "title": "T", "version": "1" },
            "paths": {},
            "components": { "schemas": schemas },
        }))
    }

    /// A document with the given paths.
    pub(crate) fn paths(paths: Value) -> Context {
        Context::new(json!({
            "openapi": "3.1.0",
            "info": { "title": "T", "version": "1" },
            "paths": paths,
        }))
    }

    /// Asserts what a rule makes of component schemas.
    pub(crate) fn assert_schemas(rule: &Rule, before: Value, after: Value) {
        let mut context = components(before);
        (rule.apply)(&mut context);
        assert_eq!(
            Value::Object(context.components().clone()),
            after,
            "rule `{}` ({})",
            rule.name,
            rule.why
        );
    }
}
