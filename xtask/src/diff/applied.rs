//! Compares keywords that apply a schema in a way of their own: `not`, `if`, `contains`, `propertyNames` and the like.
//!
//! What narrows the schema below most of them narrows the one that holds them, so that they are compared as any schema
//! below another one. Of `not` and `if` that is not so: whether their schemas differ is seen, what that does is not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::Result;
use serde_json::{Map, Value};

use super::edition::{Edition, Pointer, join};
use super::finding::{Directions, Note};
use super::label::{clean, label, shown};
use super::matching::{Matching, Repeated};
use super::pairs::{Comparer, View};
use super::rules::Id;
use super::schemas::{changed, fact_places, home, values};
use super::shape::{Fact, same};

/// A keyword, and for `dependentSchemas` the name of the property.
pub(super) type Key<'d> = (&'d str, &'d str);

/// The schemas of such keywords. An `allOf` may have several of one keyword.
pub(super) type Applied<'d> = BTreeMap<Key<'d>, Vec<Fact<'d>>>;

/// Takes a keyword, if it is one of these and says something.
pub(super) fn take<'d>(
    applied: &mut Applied<'d>,
    map: &Map<String, Value>,
    (key, value): (&'d str, &'d Value),
    at: &Pointer,
) -> bool {
    let mut add = |name: &'d str, at: Pointer, value: &'d Value| {
        let facts = applied.entry((key, name)).or_default();
        facts.push(Fact { at, value });
    };
    let anything = is_anything(value);
    match (key, value) {
        ("dependentSchemas", Value::Object(schemas)) => {
            for (name, schema) in schemas.iter().filter(|(_, it)| !is_anything(it)) {
                add(name, join(at, name), schema);
            }
        }
        (_, value) if !value.is_object() && !value.is_boolean() => return false,
        // The one says nothing without the other.
        ("if", _) if !map.contains_key("then") && !map.contains_key("else") => {}
        ("then" | "else", _) if !map.contains_key("if") => {}
        ("then" | "else" | "propertyNames" | "unevaluatedItems" | "unevaluatedProperties", _)
            if anything => {}
        (
            "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties",
            _,
        ) => add("", Rc::clone(at), value),
        _ => return false,
    }
    true
}

/// Whether every value fits a schema.
fn is_anything(schema: &Value) -> bool {
    schema == &Value::Bool(true) || schema.as_object().is_some_and(Map::is_empty)
}

impl<'d> Comparer<'d> {
    /// Compares all keywords of this kind.
    pub(super) fn applied(&mut self, view: &View<'d>) -> Result<()> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        let keys: BTreeSet<Key<'d>> = old
            .applied
            .keys()
            .chain(new.applied.keys())
            .copied()
            .collect();
        for key in keys {
            let facts = |applied: &Applied<'d>| applied.get(&key).cloned().unwrap_or_default();
            let (old, new) = (facts(&old.applied), facts(&new.applied));
            // Of two conditions each belongs to its own mapping; what came or went is nobody's counterpart.
            if old.len() != new.len() {
                self.applied_changed(view, key, (old.first(), new.first()));
                continue;
            }
            let mut matching = Matching::new(old.len(), new.len());
            let keys = (prints(&mut self.old, &old)?, prints(&mut self.new, &new)?);
            matching.by(keys.0, keys.1, Repeated::InOrder);
            let rest: Vec<_> = matching
                .old
                .iter()
                .copied()
                .zip(matching.new.iter().copied())
                .collect();
            for (old, new) in matching
                .pairs
                .iter()
                .chain(&rest)
                .map(|(a, b)| (&old[*a], &new[*b]))
            {
                let pair = self.pair(&[Rc::clone(&old.at)], &[Rc::clone(&new.at)])?;
                match key.0 {
                    "not" | "if" => {
                        let note = self.applied_note(view, key, (Some(old), Some(new)));
                        self.note(
                            view,
                            Note {
                                inner: Some(pair),
                                ..note
                            },
                        );
                    }
                    _ => self.lead(view, pair, Directions::BOTH),
                }
            }
        }
        Ok(())
    }

    fn applied_changed(
        &mut self,
        view: &View<'d>,
        key: Key<'d>,
        facts: (Option<&Fact<'d>>, Option<&Fact<'d>>),
    ) {
        let note = self.applied_note(view, key, facts);
        self.note(view, note);
    }

    /// The change of a keyword as a whole, which no rule judges.
    fn applied_note(
        &self,
        view: &View<'d>,
        (key, name): Key<'d>,
        (old, new): (Option<&Fact<'d>>, Option<&Fact<'d>>),
    ) -> Note {
        let word = match name {
            "" => key.to_owned(),
            _ => format!("{key}.{name}"),
        };
        let what = match (old, new) {
            (Some(old), Some(new)) if same(old.value, new.value) => {
                format!("has another `{}` behind {}", clean(&word), shown(new.value))
            }
            _ => format!(
                "has {} `{}`{}",
                changed(old, new),
                clean(&word),
                values(old, new)
            ),
        };
        let (old_at, new_at) = fact_places(view, key, old, new);
        let owner = home(&view.new, &view.new, &new_at);
        let text = format!("`{}` {what}", label(self.new.document, &owner));
        Note::new(Id::NotClassified, &old_at, &new_at, text, Directions::BOTH)
    }
}

/// Numbers for the shapes of schemas.
fn prints<'d>(edition: &mut Edition<'d>, facts: &[Fact<'d>]) -> Result<Vec<Option<u64>>> {
    let print = |fact: &Fact<'d>| {
        let site = edition.site(std::slice::from_ref(&fact.at))?;
        edition.fingerprint(site).map(Some)
    };
    facts.iter().map(print).collect()
}

/// Whether two values of a keyword that stands for itself are the same.
pub(super) fn same_fact(key: &str, one: &Value, other: &Value) -> bool {
    let names = |value: &Value| -> Option<BTreeSet<String>> {
        let names = value.as_array()?.iter();
        names.map(|name| name.as_str().map(str::to_owned)).collect()
    };
    match (key, one, other) {
        // The order of the names does not count.
        ("dependentRequired", Value::Object(one), Value::Object(other)) => {
            let same_names = |name: &String, value: &Value| {
                let other = other.get(name).and_then(names);
                other.is_some() && other == names(value)
            };
            one.len() == other.len() && one.iter().all(|(name, value)| same_names(name, value))
        }
        _ => same(one, other),
    }
}
