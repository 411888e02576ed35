//! Where the generated items come from.
//!
//! Before any rule runs, each schema, parameter, body, answer and operation is marked with its JSON pointer. Rules move
//! and join what carries the marks, and compare without them. At the end the marks are collected and taken out, so the
//! generator never sees one.

mod marks;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::plan::{Enum, Operation, Plan, Union};
use super::walk;
use crate::document::escape;
use crate::names;

pub(crate) use marks::mark;
use marks::marks;
pub(super) use marks::{MARK, extend, join, only, replace, same, strip, within};

/// Path of a public item, such as `types::SessionConfig::recording`.
pub(crate) type ItemPath = String;

/// Which places in the document the generated items come from. Pointers are those of the document as
/// it was when it was marked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// Pointers by item, that of the item's own place first.
    pointers: BTreeMap<ItemPath, Vec<String>>,
    /// Items by pointer.
    items: BTreeMap<String, BTreeSet<ItemPath>>,
    /// The value on the wire of an enum's variant.
    wires: BTreeMap<ItemPath, String>,
    /// The texts that schemas list, by pointer of the list; `const` is a list of one.
    listed: BTreeMap<String, Vec<String>>,
    /// The arms of unions, by pointer of the list: a number that tells different arms apart.
    arms: BTreeMap<String, Vec<u64>>,
    /// What schemas refer to, by pointer of the schema.
    references: BTreeMap<String, String>,
}

impl Origins {
    /// The items that come from exactly this place. None for places that leave no trace in Rust, such as bounds.
    pub(crate) fn items(&self, pointer: &str) -> Vec<ItemPath> {
        self.items
            .get(pointer)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// The items that come from this place or from inside it.
    pub(crate) fn below(&self, pointer: &str) -> Vec<ItemPath> {
        let inside = format!("{pointer}/");
        let mut found: BTreeSet<_> = self.items(pointer).into_iter().collect();
        let range = self.items.range(inside.clone()..);
        for (_, items) in range.take_while(|(at, _)| at.starts_with(&inside)) {
            found.extend(items.iter().cloned());
        }
        found.into_iter().collect()
    }

    /// The items of this place, or else of the nearest place around it that has some.
    pub(crate) fn around(&self, pointer: &str) -> Vec<ItemPath> {
        let mut at = pointer;
        loop {
            let items = self.items(at);
            match at.rfind('/') {
                Some(end) if items.is_empty() => at = &at[..end],
                _ => return items,
            }
        }
    }

    /// Where an item is declared in the document.
    pub(crate) fn pointer(&self, item: &str) -> Option<&str> {
        self.pointers(item).first().map(String::as_str)
    }

    /// All places that an item comes from, that of its own first.
    pub(crate) fn pointers(&self, item: &str) -> &[String] {
        self.pointers.get(item).map_or(&[], Vec::as_slice)
    }

    /// The value that an enum's variant stands for.
    pub(crate) fn wire(&self, variant: &str) -> Option<&str> {
        self.wires.get(variant).map(String::as_str)
    }

    /// Whether an item is declared in another place than in the other edition, or refers to another one from there.
    pub(crate) fn written_otherwise(&self, item: &str, other: &Self, its: &str) -> bool {
        let written = |origins: &Self, item: &str| {
            let places = origins.pointers(item);
            let references = places.iter().filter_map(|at| origins.references.get(at));
            let references: Vec<_> = references.cloned().collect();
            (places.first().cloned(), references)
        };
        written(self, item) != written(other, its)
    }

    /// Whether a field is the one for all other properties.
    pub(crate) fn is_rest(&self, field: &str) -> bool {
        let places = self.pointers(field);
        places
            .iter()
            .any(|at| at.ends_with("/additionalProperties"))
            && field.contains("::extra")
    }

    /// Whether an item is inside a union whose arms are others, or in another order. What is inside the arms may be numbered.
    pub(crate) fn in_other_order(&self, item: &str, other: &Self, its: &str) -> bool {
        let lists = |origins: &Self, item: &str| -> Vec<Vec<u64>> {
            let places = origins.pointers(item).first().into_iter();
            let around = places.flat_map(|at| {
                let ends = at.match_indices('/').map(|(end, _)| &at[..end]);
                ends.filter_map(|list| origins.arms.get(list).cloned())
            });
            around.collect()
        };
        lists(self, item) != lists(other, its)
    }

    /// All items that have an origin.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.pointers.keys().map(String::as_str)
    }
}

impl Origins {
    /// Adds places of an item.
    pub(super) fn add(&mut self, item: &str, marks: impl IntoIterator<Item = String>) {
        for mark in marks {
            let known = self.pointers.entry(item.to_owned()).or_default();
            if !known.contains(&mark) {
                known.push(mark.clone());
            }
            self.items.entry(mark).or_default().insert(item.to_owned());
        }
    }

    fn retain(&mut self, is: impl Fn(&str) -> bool) {
        self.pointers.retain(|item, _| is(item));
        self.items.retain(|_, items| {
            items.retain(|item| is(item));
            !items.is_empty()
        });
    }

    /// The variants of an enum; each comes from the lists that have its value.
    fn variants(&mut self, name: &str, item: &Enum) {
        let owners = self.pointers(&type_path(name)).to_vec();
        for (variant, wire) in &item.variants {
            let path = format!("types::{name}::{variant}");
            let places: Vec<_> = owners
                .iter()
                .flat_map(|owner| self.places(owner, wire))
                .collect();
            self.add(&path, places);
            self.wires.insert(path, wire.clone());
        }
    }

    /// Where a schema lists a value.
    fn places(&self, schema: &str, wire: &str) -> Vec<String> {
        let place = |list: String| -> Option<String> {
            let index = self.listed.get(&list)?.iter().position(|it| it == wire)?;
            Some(match list.ends_with("/const") {
                true => list,
                false => format!("{list}/{index}"),
            })
        };
        ["enum", "const"]
            .iter()
            .filter_map(|key| place(format!("{schema}/{key}")))
            .collect()
    }

    /// The arms of a union. What an arm is called may depend on the schema that it refers to.
    fn arms(&mut self, name: &str, union: &Union) {
        for arm in &union.arms {
            let path = format!("types::{name}::{}", arm.name);
            self.add(&path, within(&arm.schema));
        }
    }

    /// The fields of a struct.
    fn fields(&mut self, name: &str, schema: &Value, plan: &Plan) {
        let owners = self.pointers(&type_path(name)).to_vec();
        let inside = |place: &str| {
            let owners = owners.iter().take(1);
            owners
                .map(|owner| format!("{owner}/{place}"))
                .collect::<Vec<_>>()
        };
        for (lowered, property) in schema["properties"].as_object().into_iter().flatten() {
            let field = names::snake(lowered);
            let key = (name.to_owned(), field.clone());
            let wire = plan.fields.get(&key).unwrap_or(lowered);
            let mut marks = within(property);
            if marks.is_empty() {
                marks = inside(&format!("properties/{}", escape(wire)));
            }
            self.add(&format!("types::{name}::{field}"), marks);
        }
        if let Some(rest) = schema.get("additionalProperties") {
            let mut marks = within(rest);
            marks.extend(inside("additionalProperties"));
            self.add(&format!("types::{name}::extra"), marks);
        }
    }

    /// Client method, builder, setters, body and answer of an operation.
    fn operation(&mut self, operation: &Map<String, Value>, known: Option<&Operation>) {
        let id = walk::id(operation);
        let builder = format!("builder::{}", names::builder(id));
        let own = marks(operation.get(MARK));
        for item in [
            format!("Client::{id}"),
            format!("operations::{id}"),
            builder.clone(),
        ] {
            self.add(&item, own.clone());
        }
        let parameters = operation.get("parameters").and_then(Value::as_array);
        for parameter in parameters.into_iter().flatten() {
            let name = names::snake(parameter["name"].as_str().unwrap_or_default());
            self.add(&format!("{builder}::{name}"), within(parameter));
        }
        if let Some(body) = operation.get("requestBody") {
            self.add(&format!("{builder}::body"), within(body));
            if known.is_some_and(|known| known.form.is_some()) {
                self.add(&type_path(&names::form(id)), within(body));
            }
        }
        let answer = operation.get("responses").map(within).unwrap_or_default();
        let answer = answer.into_iter().chain(own);
        self.add(&format!("{builder}::send"), answer);
    }

    fn form(&mut self, id: &str, known: &Operation) {
        for field in known.form.iter().flatten() {
            let path = format!("types::{}::{}", names::form(id), field.name);
            self.add(&path, field.origins.iter().cloned());
        }
    }
}

fn type_path(name: &str) -> ItemPath {
    format!("types::{name}")
}

/// Notes the types that got their names.
pub(super) fn name_types(types: &Map<String, Value>, origins: &mut Origins) {
    for (name, schema) in types {
        origins.add(&type_path(name), marks(schema.get(MARK)));
    }
}

/// Collects the marks of the lowered document, and takes them out.
pub(super) fn collect(root: &mut Value, plan: &mut Plan) {
    let mut origins = std::mem::take(&mut plan.origins);
    let schemas = root
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    origins.retain(|item| {
        let name = item.strip_prefix("types::").unwrap_or_default();
        schemas.is_some_and(|schemas| schemas.contains_key(name))
            || plan.enums.contains_key(name)
            || plan.unions.contains_key(name)
    });
    for (name, schema) in schemas.into_iter().flatten() {
        origins.fields(name, schema, plan);
    }
    for (name, item) in &plan.enums {
        origins.variants(name, item);
    }
    for (name, union) in &plan.unions {
        origins.arms(name, union);
    }
    walk::operations(root, |_, _, operation| {
        let known = plan.operations.get(walk::id(operation));
        origins.operation(operation, known);
    });
    for (id, operation) in &plan.operations {
        origins.form(id, operation);
    }
    strip(root);
    let arms = plan.unions.values_mut().flat_map(|union| &mut union.arms);
    arms.for_each(|arm| strip(&mut arm.schema));
    plan.origins = origins;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower;

    /// The origins of the items of a document with one operation, which answers `Root`.
    fn origins(schemas: Value) -> Origins {
        let root = json!({
            "openapi": "3.1.0",
            "info": { "title": "T", "version": "1" },
            "paths": { "/a": { "get": { "operationId": "a", "responses": { "200": {
                "description": "d",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Root" } } },
            } } } } },
            "components": { "schemas": schemas },
        });
        lower::lower(root).plan.origins
    }

    #[test]
    fn what_rules_move_keeps_its_origin() {
        let s = "/components/schemas";
        let cases = [
            // Root, other schemas, item, its pointers
            (
                json!({ "properties": { "deep": { "properties": { "x": { "type": "string" } } } } }),
                json!({}),
                "types::RootDeep::x",
                vec![format!("{s}/Root/properties/deep/properties/x")],
            ),
            (
                json!({ "properties": { "id": { "$ref": "#/components/schemas/Id" } } }),
                json!({ "Id": { "type": "string" } }),
                "types::Root::id",
                vec![format!("{s}/Root/properties/id"), format!("{s}/Id")],
            ),
            (
                json!({ "properties": { "ids": { "type": "array", "items": { "$ref": "#/components/schemas/Id" } } } }),
                json!({ "Id": { "type": "string" } }),
                "types::Root::ids",
                vec![
                    format!("{s}/Root/properties/ids"),
                    format!("{s}/Root/properties/ids/items"),
                    format!("{s}/Id"),
                ],
            ),
            (
                json!({ "allOf": [{ "$ref": "#/components/schemas/Base" }, { "properties": { "own": {} } }] }),
                json!({ "Base": { "type": "object", "properties": { "b": { "type": "string" } } } }),
                "types::Root::b",
                vec![format!("{s}/Base/properties/b")],
            ),
            (
                json!({ "properties": { "kind": { "type": ["string", "null"], "enum": ["x", "y", null] } } }),
                json!({}),
                "types::RootKind::Y",
                vec![format!("{s}/Root/properties/kind/enum/1")],
            ),
            (
                json!({ "properties": { "+1": {}, "-1": { "type": "string" } } }),
                json!({}),
                "types::Root::minus_1",
                vec![format!("{s}/Root/properties/-1")],
            ),
            (
                json!({ "properties": { "u": { "oneOf": [{ "type": "string" }, { "$ref": "#/components/schemas/Leaf" }] } } }),
                json!({ "Leaf": { "type": "object", "properties": { "l": {} } } }),
                "types::RootU::Leaf",
                vec![format!("{s}/Root/properties/u/oneOf/1")],
            ),
        ];
        for (schema, mut schemas, item, expected) in cases {
            schemas["Root"] = schema;
            assert_eq!(origins(schemas).pointers(item), expected, "{item}");
        }
    }

    #[test]
    fn items_are_found_by_place() {
        let origins = origins(json!({ "Root": { "properties": {
            "list": { "type": "array", "items": { "properties": { "n": { "type": "integer", "minimum": 1 } } } },
        } } }));
        let at = "/components/schemas/Root/properties/list";
        assert_eq!(origins.items(at), ["types::Root::list"]);
        assert_eq!(
            origins.items(&format!("{at}/items")),
            ["types::Root::list", "types::RootListItem"]
        );
        assert_eq!(
            origins.below(at),
            [
                "types::Root::list",
                "types::RootListItem",
                "types::RootListItem::n"
            ]
        );
        let bound = format!("{at}/items/properties/n/minimum");
        assert!(origins.items(&bound).is_empty());
        assert_eq!(origins.around(&bound), ["types::RootListItem::n"]);
        assert_eq!(
            origins.items("/paths/~1a/get"),
            [
                "Client::a",
                "builder::A",
                "builder::A::send",
                "operations::a"
            ]
        );
        assert_eq!(
            origins.pointer("builder::A::send"),
            Some("/paths/~1a/get/responses/200")
        );
    }
}
