//! What no other function compares: prose, examples, extensions, and keywords that nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::edition::{Edition, Entry, Pointer, join};
use super::finding::{Directions, Note};
use super::label::{clean, label, values};
use super::pairs::{Comparer, PairId};
use super::rules::Id;
use super::schemas::changed;
use super::shape::same;

/// What one operation, or the document, collects.
pub(super) struct Scope {
    pub(super) notes: Vec<(Note, Directions)>,
    pub(super) roots: Vec<(PairId, Directions)>,
    /// The way of requests: webhooks and callbacks are requests that programs receive.
    pub(super) asked: Directions,
    /// The way of answers.
    pub(super) answered: Directions,
}

impl Scope {
    pub(super) fn new(asked: Directions, answered: Directions) -> Self {
        Self {
            notes: Vec::new(),
            roots: Vec::new(),
            asked,
            answered,
        }
    }
}

/// The rule for a keyword that is for readers.
pub(super) fn docs_rule(key: &str) -> Id {
    match key {
        "example" | "examples" => Id::ExampleChanged,
        "externalDocs" => Id::ExternalDocsChanged,
        _ => Id::DescriptionChanged,
    }
}

impl<'d> Comparer<'d> {
    /// Adds a change at two places; `what` follows the name of the place in the new document.
    pub(super) fn add(
        &self,
        scope: &mut Scope,
        rule: Id,
        (old, new): (&Pointer, &Pointer),
        what: &str,
        directions: Directions,
    ) {
        let text = format!("`{}` {what}", label(self.new.document, new));
        let note = Note::new(rule, old, new, text, Directions::BOTH);
        scope.notes.push((note, directions));
    }

    /// Adds a change of what stands below a key, such as `deprecated`: the sentence is about the owner and names the key.
    pub(super) fn add_of_owner(
        &self,
        scope: &mut Scope,
        rule: Id,
        (old, new): (&Pointer, &Pointer),
        what: &str,
        directions: Directions,
    ) {
        let owner = new.rsplit_once('/').map_or("", |(owner, _)| owner);
        let text = match owner {
            "" => format!("the document {what}"),
            _ => format!("`{}` {what}", label(self.new.document, owner)),
        };
        let note = Note::new(rule, old, new, text, Directions::BOTH);
        scope.notes.push((note, directions));
    }

    /// Adds that something became required, or optional: the rule and the words for each.
    pub(super) fn requirement(
        &self,
        scope: &mut Scope,
        (old, new): (&Entry<'d>, &Entry<'d>),
        required: (Id, &str),
        optional: (Id, &str),
        directions: Directions,
    ) {
        let (rule, what) = match (old.flag("required"), new.flag("required")) {
            (false, true) => required,
            (true, false) => optional,
            _ => return,
        };
        self.add(scope, rule, (&old.pointer, &new.pointer), what, directions);
    }

    /// Compares the entries of two objects but for `known` ones.
    pub(super) fn leftovers(
        &self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        known: &[&str],
        directions: Directions,
    ) {
        let own = |entry: &Entry<'d>| {
            entry
                .map
                .keys()
                .map(String::as_str)
                .collect::<BTreeSet<&'d str>>()
        };
        let mut keys: BTreeSet<&str> = own(old).union(&own(new)).copied().collect();
        keys.extend(["summary", "description"]);
        for key in keys {
            if known.contains(&key) {
                continue;
            }
            let (old_at, old_value) = said(old, key);
            let (new_at, new_value) = said(new, key);
            if equal(key, old_value, new_value) || self.same_parts(key, old, new) {
                continue;
            }
            let rule = match key {
                "summary" | "description" | "title" | "example" | "examples" | "externalDocs"
                | "$comment" => docs_rule(key),
                _ if key.starts_with("x-") => Id::ExtensionChanged,
                _ => Id::NotClassified,
            };
            let values = match rule {
                Id::NotClassified => values(old_value, new_value),
                _ => String::new(),
            };
            let what = format!(
                "has {} `{}`{values}",
                changed(old_value, new_value),
                clean(key)
            );
            self.add_of_owner(scope, rule, (&old_at, &new_at), &what, directions);
        }
    }

    /// Whether both have the same links or examples, of which each may be a reference.
    fn same_parts(&self, key: &str, old: &Entry<'d>, new: &Entry<'d>) -> bool {
        let parts = |edition: &Edition<'d>,
                     entry: &Entry<'d>|
         -> Option<BTreeMap<&str, &Map<String, Value>>> {
            let names = entry.get(key)?.as_object()?.keys();
            let part = |name: &'d String| edition.entry(&join(&entry.at(key), name));
            names
                .map(|name| Some((name.as_str(), part(name)?.map)))
                .collect()
        };
        let (before, after) = (parts(&self.old, old), parts(&self.new, new));
        matches!(key, "links" | "examples") && before.is_some() && before == after
    }

    /// Compares `deprecated`.
    pub(super) fn deprecated(
        &self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        directions: Directions,
    ) {
        let (rule, what) = match (old.flag("deprecated"), new.flag("deprecated")) {
            (false, true) => (Id::Deprecated, "is deprecated"),
            (true, false) => (Id::Undeprecated, "is not deprecated any more"),
            _ => return,
        };
        let places = (&old.at("deprecated"), &new.at("deprecated"));
        self.add_of_owner(scope, rule, places, what, directions);
    }
}

/// An entry and its place. The words of a reference come before those of its target.
fn said<'d>(entry: &Entry<'d>, key: &str) -> (Pointer, Option<&'d Value>) {
    if matches!(key, "summary" | "description")
        && let Some((at, map)) = &entry.reference
        && let Some(value) = map.get(key)
    {
        return (join(at, key), Some(value));
    }
    (entry.at(key), entry.get(key))
}

/// Whether an entry stayed. What is absent is like its default.
fn equal(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => same(old, new),
        (Some(one), None) | (None, Some(one)) => {
            matches!(
                key,
                "links" | "callbacks" | "headers" | "content" | "encoding" | "examples"
            ) && one.as_object().is_some_and(|map| map.is_empty())
        }
    }
}

/// The entry for a part of the document that is a mapping.
pub(super) fn plain<'d>(pointer: &Pointer, value: Option<&'d Value>) -> Option<Entry<'d>> {
    Some(Entry {
        pointer: Rc::clone(pointer),
        map: value?.as_object()?,
        reference: None,
    })
}
