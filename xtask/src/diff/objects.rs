//! Compares the properties of objects and the items of lists.

use std::rc::Rc;

use anyhow::Result;

use super::edition::{Edition, Pointer, join};
use super::finding::Directions;
use super::label::clean;
use super::matching::{Matching, Repeated, plain_name};
use super::pairs::{Comparer, View};
use super::rules::Id;
use super::schemas::home;
use super::shape::{Member, Shape};
use super::types::Types;

/// A property by name.
type Named<'s, 'd> = (&'d str, &'s Member);

impl<'d> Comparer<'d> {
    /// Compares properties and what is admitted beside them.
    pub(super) fn objects(&mut self, view: &View<'d>) -> Result<()> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        let old_members: Vec<Named<'_, 'd>> = old
            .properties
            .iter()
            .map(|(name, it)| (*name, it))
            .collect();
        let new_members: Vec<Named<'_, 'd>> = new
            .properties
            .iter()
            .map(|(name, it)| (*name, it))
            .collect();
        let mut matching = Matching::new(old_members.len(), new_members.len());
        let names =
            |members: &[Named<'_, 'd>]| members.iter().map(|(name, _)| Some(*name)).collect();
        for (old, new) in matching.by(names(&old_members), names(&new_members), Repeated::Leave) {
            self.property(view, old_members[old], new_members[new])?;
        }
        for (old, new) in self.renamed(&old_members, &new_members, &mut matching)? {
            let ((old_name, old_member), (new_name, new_member)) =
                (old_members[old], new_members[new]);
            let mask = self.mask(Some(old_member), Some(new_member))?;
            let what = format!("was named `{}`", clean(old_name));
            let (old_at, new_at) = (&old_member.uses[0], &new_member.uses[0]);
            self.change_masked(view, Id::PropertyRenamed, old_at, new_at, &what, mask);
            self.property(view, (old_name, old_member), (new_name, new_member))?;
        }
        for index in &matching.old {
            self.property_removed(view, old_members[*index])?;
        }
        for index in &matching.new {
            self.property_added(view, new_members[*index])?;
        }
        self.patterns(view)?;
        self.additional(view)
    }

    /// Compares one property of both.
    fn property(
        &mut self,
        view: &View<'d>,
        (_, old): Named<'_, 'd>,
        (_, new): Named<'_, 'd>,
    ) -> Result<()> {
        let mask = self.mask(Some(old), Some(new))?;
        if old.required != new.required {
            let (rule, what) = match new.required {
                true => (Id::PropertyBecameRequired, "is required"),
                false => (Id::PropertyBecameOptional, "is optional"),
            };
            self.change_masked(view, rule, &old.uses[0], &new.uses[0], what, mask);
        }
        let below = self.pair(&old.uses, &new.uses)?;
        self.lead(view, below, mask);
        Ok(())
    }

    /// The ways that a property goes: one that is `readOnly` is never sent.
    fn mask(&mut self, old: Option<&Member>, new: Option<&Member>) -> Result<Directions> {
        let mut sides = Vec::new();
        for (edition, member) in [(&mut self.old, old), (&mut self.new, new)] {
            if let Some(member) = member {
                sides.push(ways(edition, member)?);
            }
        }
        Ok(sides.into_iter().fold(Directions::NEITHER, Directions::or))
    }

    /// Finds properties that have another name: one that differs in case and underscores, or the only one with a shape
    /// that is not found by chance.
    fn renamed(
        &mut self,
        old: &[Named<'_, 'd>],
        new: &[Named<'_, 'd>],
        matching: &mut Matching,
    ) -> Result<Vec<(usize, usize)>> {
        if matching.is_done() {
            return Ok(Vec::new());
        }
        let plain_names = |edition: &mut Edition<'d>, members: &[Named<'_, 'd>], left: &[usize]| {
            let mut keys = Vec::new();
            for index in left {
                let (name, member) = members[*index];
                let site = edition.site(&member.uses)?;
                let types = edition.shape(site).types.without(Types::NULL);
                keys.push(Some((plain_name(name), types)));
            }
            anyhow::Ok(keys)
        };
        let old_keys = plain_names(&mut self.old, old, &matching.old)?;
        let new_keys = plain_names(&mut self.new, new, &matching.new)?;
        let mut found = matching.by(old_keys, new_keys, Repeated::Leave);
        if matching.old.len() == 1 && matching.new.len() == 1 {
            let old_keys = shapes(&mut self.old, old, &matching.old)?;
            let new_keys = shapes(&mut self.new, new, &matching.new)?;
            found.extend(matching.by(old_keys, new_keys, Repeated::Leave));
        }
        Ok(found)
    }

    fn property_removed(&mut self, view: &View<'d>, (name, member): Named<'_, 'd>) -> Result<()> {
        let mask = self.mask(Some(member), None)?;
        let rule = match (member.required, view.new.closed.is_some()) {
            (true, false) => Id::RequiredPropertyRemoved,
            (false, false) => Id::OptionalPropertyRemoved,
            (true, true) => Id::RequiredPropertyRefused,
            (false, true) => Id::OptionalPropertyRefused,
        };
        let old_at = &member.uses[0];
        let new_at = home(&view.new, &view.old, old_at);
        let what = format!("lost its {} property `{}`", need(member), clean(name));
        self.change_masked(view, rule, old_at, &new_at, &what, mask);
        Ok(())
    }

    fn property_added(&mut self, view: &View<'d>, (name, member): Named<'_, 'd>) -> Result<()> {
        let mask = self.mask(None, Some(member))?;
        let rule = match (member.required, view.old.closed.is_some()) {
            (true, false) => Id::RequiredPropertyAdded,
            (false, false) => Id::OptionalPropertyAdded,
            (true, true) => Id::RequiredPropertyAdmitted,
            (false, true) => Id::OptionalPropertyAdmitted,
        };
        let new_at = &member.uses[0];
        let old_at = home(&view.old, &view.new, new_at);
        let what = format!("has a new {} property `{}`", need(member), clean(name));
        self.change_of_owner(view, rule, (&old_at, new_at), &what, mask);
        Ok(())
    }

    /// Compares `patternProperties`.
    fn patterns(&mut self, view: &View<'d>) -> Result<()> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        for (pattern, old_uses) in &old.patterns {
            match new.patterns.get(pattern) {
                Some(new_uses) => {
                    let below = self.pair(old_uses, new_uses)?;
                    self.lead(view, below, Directions::BOTH);
                }
                None => {
                    let new_at = home(&new, &old, &old_uses[0]);
                    let what = format!(
                        "says nothing of properties like `{}` any more",
                        clean(pattern)
                    );
                    self.change(
                        view,
                        Id::PatternPropertyRemoved,
                        &old_uses[0],
                        &new_at,
                        &what,
                    );
                }
            }
        }
        for (pattern, new_uses) in new
            .patterns
            .iter()
            .filter(|(it, _)| !old.patterns.contains_key(*it))
        {
            let old_at = home(&old, &new, &new_uses[0]);
            let what = format!("has a schema for properties like `{}`", clean(pattern));
            self.change(view, Id::PatternPropertyAdded, &old_at, &new_uses[0], &what);
        }
        Ok(())
    }

    /// Compares what other properties may be.
    fn additional(&mut self, view: &View<'d>) -> Result<()> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        if !old.types.has(Types::OBJECT) || !new.types.has(Types::OBJECT) {
            return Ok(());
        }
        let old_at = additional_place(&old, &new);
        let new_at = additional_place(&new, &old);
        let (rule, what) = match (&old.closed, &new.closed) {
            (Some(_), Some(_)) => return Ok(()),
            (None, Some(_)) => (Id::AdditionalPropertiesClosed, "admits no other properties"),
            (Some(_), None) => (Id::AdditionalPropertiesOpened, "admits other properties"),
            (None, None) => match (old.additional.is_empty(), new.additional.is_empty()) {
                (true, true) => return Ok(()),
                (true, false) => (
                    Id::AdditionalPropertiesNarrowed,
                    "says what other properties are",
                ),
                (false, true) => (
                    Id::AdditionalPropertiesWidened,
                    "says nothing of other properties any more",
                ),
                (false, false) => {
                    let below = self.pair(&old.additional, &new.additional)?;
                    self.lead(view, below, Directions::BOTH);
                    return Ok(());
                }
            },
        };
        self.change_of_owner(view, rule, (&old_at, &new_at), what, Directions::BOTH);
        Ok(())
    }

    /// Compares the items of lists.
    pub(super) fn arrays(&mut self, view: &View<'d>) -> Result<()> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        if !old.types.has(Types::ARRAY) || !new.types.has(Types::ARRAY) {
            return Ok(());
        }
        if !(old.items.is_empty() && new.items.is_empty()) {
            let below = self.pair(&items(&old, &new), &items(&new, &old))?;
            self.lead(view, below, Directions::BOTH);
        }
        for index in 0..old.tuple.len().max(new.tuple.len()) {
            let below = self.pair(&item(&old, &new, index), &item(&new, &old, index))?;
            self.lead(view, below, Directions::BOTH);
        }
        Ok(())
    }
}

/// The ways that a property goes in one document.
fn ways(edition: &mut Edition<'_>, member: &Member) -> Result<Directions> {
    let site = edition.site(&member.uses)?;
    let shape = edition.shape(site);
    Ok(match (shape.flag("readOnly"), shape.flag("writeOnly")) {
        (true, false) => Directions::RESPONSE,
        (false, true) => Directions::REQUEST,
        _ => Directions::BOTH,
    })
}

/// The shapes of properties, but for those that many have.
fn shapes(
    edition: &mut Edition<'_>,
    members: &[Named<'_, '_>],
    left: &[usize],
) -> Result<Vec<Option<u64>>> {
    let mut keys = Vec::new();
    for index in left {
        let site = edition.site(&members[*index].1.uses)?;
        keys.push(match edition.is_trivial(site) {
            true => None,
            false => Some(edition.fingerprint(site)?),
        });
    }
    Ok(keys)
}

fn need(member: &Member) -> &'static str {
    match member.required {
        true => "required",
        false => "optional",
    }
}

/// Where `additionalProperties` stands, or would stand.
fn additional_place(shape: &Shape<'_>, other: &Shape<'_>) -> Pointer {
    let own = shape.closed.as_ref().or(shape.additional.first());
    let others = other.closed.as_ref().or(other.additional.first());
    match (own, others) {
        (Some(own), _) => Rc::clone(own),
        (None, Some(others)) => join(&home(shape, other, others), "additionalProperties"),
        (None, None) => home(shape, other, ""),
    }
}

/// The schema of the item at `index`. After the fixed ones it is that of all others.
fn item(shape: &Shape<'_>, other: &Shape<'_>, index: usize) -> Vec<Pointer> {
    match shape.tuple.get(index) {
        Some(uses) if !uses.is_empty() => uses.clone(),
        _ if !shape.items.is_empty() => shape.items.clone(),
        _ => {
            let like = other.tuple.get(index).and_then(|uses| uses.first());
            let home = home(shape, other, like.map_or("", |it| &**it));
            vec![join(&join(&home, "prefixItems"), &index.to_string())]
        }
    }
}

/// The schema of items, or where it would stand.
fn items(shape: &Shape<'_>, other: &Shape<'_>) -> Vec<Pointer> {
    match shape.items.is_empty() {
        false => shape.items.clone(),
        true => {
            let like = other.items.first().map_or("", |it| &**it);
            vec![join(&home(shape, other, like), "items")]
        }
    }
}
