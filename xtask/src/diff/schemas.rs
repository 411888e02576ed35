//! Compares two schemas, without those below them.

use std::collections::BTreeSet;
use std::rc::Rc;

use anyhow::Result;

use super::applied::same_fact;
use super::edition::{Pointer, join};
use super::finding::{Directions, Note};
use super::label::{self, clean};
use super::leftovers;
use super::pairs::{Comparer, View};
use super::rules::Id;
use super::shape::{Fact, Shape, same};
use super::types::Types;

impl<'d> Comparer<'d> {
    /// Compares the two shapes of a pair, and leads to the pairs below.
    pub(super) fn compare(&mut self, view: &View<'d>) -> Result<()> {
        if !self.references(view) {
            return Ok(());
        }
        self.docs(view);
        self.flags(view);
        if self.union_met(view)? {
            return Ok(());
        }
        let same_kind = self.types(view);
        // What one side says beyond its type is part of the change from or to any type.
        let is_any = view.old.is_any() || view.new.is_any();
        let null = Types::NULL;
        if !same_kind || (is_any && view.old.types.without(null) != view.new.types.without(null)) {
            return Ok(());
        }
        self.values(view);
        self.bounds(view);
        self.facts(view);
        self.objects(view)?;
        self.arrays(view)?;
        self.applied(view)?;
        self.unions(view)
    }

    /// Adds a change of a schema at two places in it; `what` follows the schema's name.
    pub(super) fn change(
        &mut self,
        view: &View<'d>,
        rule: Id,
        old: &Pointer,
        new: &Pointer,
        what: &str,
    ) {
        self.change_masked(view, rule, old, new, what, Directions::BOTH);
    }

    pub(super) fn change_masked(
        &mut self,
        view: &View<'d>,
        rule: Id,
        old: &Pointer,
        new: &Pointer,
        what: &str,
        mask: Directions,
    ) {
        let text = format!("`{}` {what}", label::label(self.new.document, new));
        self.note(view, Note::new(rule, old, new, text, mask));
    }

    /// Adds a change of what a schema has: the sentence is about the schema, the places are those of what it has.
    pub(super) fn change_of_owner(
        &mut self,
        view: &View<'d>,
        rule: Id,
        (old, new): (&Pointer, &Pointer),
        what: &str,
        mask: Directions,
    ) {
        let owner = home(&view.new, &view.new, new);
        let text = format!("`{}` {what}", label::label(self.new.document, &owner));
        self.note(view, Note::new(rule, old, new, text, mask));
    }

    /// Compares references that lead nowhere; gives whether there is more to compare.
    fn references(&mut self, view: &View<'d>) -> bool {
        let (old, new) = (&view.old.unresolved, &view.new.unresolved);
        let old: BTreeSet<&str> = old.iter().copied().collect();
        let new: BTreeSet<&str> = new.iter().copied().collect();
        // Two documents may lack the same target; what is there is not known, but no more has changed.
        for (_, note) in broken_or_mended(&old, &new) {
            self.note(view, note);
        }
        old == new
    }

    /// Compares what is for readers.
    fn docs(&mut self, view: &View<'d>) {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        let keys: BTreeSet<&str> = old.docs.keys().chain(new.docs.keys()).copied().collect();
        for key in keys {
            let (old, new) = (old.docs.get(key), new.docs.get(key));
            let (old, new) = (old.map_or(&[][..], |it| it), new.map_or(&[][..], |it| it));
            let only = |facts: &[Fact<'d>], others: &[Fact<'d>]| -> Vec<Fact<'d>> {
                facts
                    .iter()
                    .filter(|fact| !others.iter().any(|it| same(it.value, fact.value)))
                    .cloned()
                    .collect()
            };
            let (gone, fresh) = (only(old, new), only(new, old));
            for index in 0..gone.len().max(fresh.len()) {
                let (old, new) = (gone.get(index), fresh.get(index));
                let (old_at, new_at) = fact_places(view, key, old, new);
                let what = format!("has {} `{key}`", changed(old, new));
                self.change(view, leftovers::docs_rule(key), &old_at, &new_at, &what);
            }
        }
    }

    /// Compares `readOnly`, `writeOnly` and `deprecated`.
    fn flags(&mut self, view: &View<'d>) {
        let table = [
            (
                "readOnly",
                Id::BecameReadOnly,
                "is set by the server only",
                Id::NoLongerReadOnly,
                "may be sent as well",
            ),
            (
                "writeOnly",
                Id::BecameWriteOnly,
                "is never answered",
                Id::NoLongerWriteOnly,
                "is answered as well",
            ),
            (
                "deprecated",
                Id::Deprecated,
                "is deprecated",
                Id::Undeprecated,
                "is not deprecated any more",
            ),
        ];
        for (keyword, set, is_set, unset, is_unset) in table {
            let old = view.old.facts.get(keyword).and_then(|facts| facts.first());
            let new = view.new.facts.get(keyword).and_then(|facts| facts.first());
            let (rule, what) = match (old, new) {
                (None, Some(_)) => (set, is_set),
                (Some(_), None) => (unset, is_unset),
                _ => continue,
            };
            let (old_at, new_at) = fact_places(view, keyword, old, new);
            self.change(view, rule, &old_at, &new_at, what);
        }
    }

    /// Compares the types; gives whether any of them stayed.
    fn types(&mut self, view: &View<'d>) -> bool {
        let (old, new) = (view.old.types, view.new.types);
        if old == new {
            return true;
        }
        let (old_at, new_at) = (&view.old.types_at, &view.new.types_at);
        let (old_rest, new_rest) = (old.without(Types::NULL), new.without(Types::NULL));
        // What may be anything may be null; that is not worth a finding of its own.
        let one_is_union = view.old.unions.is_empty() != view.new.unions.is_empty();
        let one_is_any =
            (old == Types::ALL || new == Types::ALL) && (old_rest != new_rest || one_is_union);
        let null_alone = old_rest.is_empty() || new_rest.is_empty();
        if !one_is_any && !null_alone {
            self.null(view, old.has(Types::NULL), new.has(Types::NULL));
        }
        let (from, to) = match null_alone {
            true => (old, new),
            false => (old_rest, new_rest),
        };
        let rule = match (from, to) {
            _ if from == to => return true,
            _ if from.has(to) => Id::TypeNarrowed,
            _ if to.has(from) => Id::TypeWidened,
            _ => Id::TypeChanged,
        };
        let what = format!("was {}, is {}", from.words(), to.words());
        self.change(view, rule, old_at, new_at, &what);
        !from.and(to).is_empty()
    }

    /// Compares whether a value may be `null`.
    pub(super) fn null(&mut self, view: &View<'d>, old: bool, new: bool) {
        if self.get(view.pair).null_is_settled || old == new {
            return;
        }
        let (rule, what) = match new {
            true => (Id::BecameNullable, "may be null"),
            false => (Id::NoLongerNullable, "may not be null any more"),
        };
        self.change(view, rule, &view.old.types_at, &view.new.types_at, what);
    }

    /// Compares keywords that no other function knows.
    pub(super) fn rest(&mut self, view: &View<'d>, key: &str) {
        let (old, new) = (view.old.facts.get(key), view.new.facts.get(key));
        let (old, new) = (old.map_or(&[][..], |it| it), new.map_or(&[][..], |it| it));
        let contains = |facts: &[Fact<'_>], fact: &Fact<'_>| {
            facts.iter().any(|it| same_fact(key, it.value, fact.value))
        };
        if old.iter().all(|fact| contains(new, fact)) && new.iter().all(|fact| contains(old, fact))
        {
            return;
        }
        let rule = match key.starts_with("x-") {
            true => Id::ExtensionChanged,
            false => Id::NotClassified,
        };
        let (old, new) = (old.first(), new.first());
        let (old_at, new_at) = fact_places(view, key, old, new);
        let what = match key {
            // No schema at all.
            "" => "is not what a schema can be, or is no longer so".to_owned(),
            _ => format!(
                "has {} `{}`{}",
                changed(old, new),
                clean(key),
                values(old, new)
            ),
        };
        self.change(view, rule, &old_at, &new_at, &what);
    }
}

/// Where a keyword stands, or would stand.
pub(super) fn fact_places(
    view: &View<'_>,
    key: &str,
    old: Option<&Fact<'_>>,
    new: Option<&Fact<'_>>,
) -> (Pointer, Pointer) {
    let place = |fact: Option<&Fact<'_>>,
                 shape: &Shape<'_>,
                 other: Option<&Fact<'_>>,
                 others: &Shape<'_>| {
        match (fact, other) {
            (Some(fact), _) => Rc::clone(&fact.at),
            (None, Some(other)) => join(&home(shape, others, &other.at), key),
            (None, None) => home(shape, others, ""),
        }
    };
    (
        place(old, &view.old, new, &view.new),
        place(new, &view.new, old, &view.old),
    )
}

/// The mapping of `shape` in which `pointer` of `other` would stand: that with the same pointer, or else the first.
pub(super) fn home(shape: &Shape<'_>, other: &Shape<'_>, pointer: &str) -> Pointer {
    let owner = other.homes.iter().filter(|home| {
        pointer
            .strip_prefix(&***home)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let owner = owner.max_by_key(|home| home.len());
    let found = owner.and_then(|owner| shape.homes.iter().find(|home| *home == owner));
    found
        .or(shape.homes.first())
        .map_or_else(|| "".into(), Rc::clone)
}

/// `a new`, `another` or `no more`, before the name of a keyword.
pub(super) fn changed<T>(old: Option<T>, new: Option<T>) -> &'static str {
    match (old.is_some(), new.is_some()) {
        (false, true) => "a new",
        (true, false) => "no more",
        _ => "another",
    }
}

/// The values of a keyword before and after.
pub(super) fn values(old: Option<&Fact<'_>>, new: Option<&Fact<'_>>) -> String {
    label::values(old.map(|it| it.value), new.map(|it| it.value))
}

/// The references that only one document can follow, of those that lead nowhere in the old one and in the new one. The
/// target stands for all of its uses.
pub(super) fn broken_or_mended<'d>(
    old: &BTreeSet<&'d str>,
    new: &BTreeSet<&'d str>,
) -> Vec<(&'d str, Note)> {
    let changes = [
        (
            Id::ReferenceBroken,
            new.difference(old),
            "leads nowhere any more",
        ),
        (
            Id::ReferenceMended,
            old.difference(new),
            "led nowhere, and has a target",
        ),
    ];
    let notes = changes.into_iter().flat_map(|(rule, references, what)| {
        references.map(move |reference| {
            let place: Pointer = reference.strip_prefix('#').unwrap_or_default().into();
            let text = format!("the reference `{}` {what}", clean(reference));
            let note = Note::new(rule, &place, &place, text, Directions::BOTH);
            (*reference, note)
        })
    });
    notes.collect()
}
