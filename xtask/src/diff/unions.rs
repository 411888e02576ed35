//! Compares `oneOf` and `anyOf`: finds which arm is which, and what tells them apart.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::slice;

use anyhow::Result;

use super::discriminators::{explicit_mapping, property_name};
use super::edition::{Edition, Pointer, SiteId};
use super::finding::Directions;
use super::label::clean;
use super::matching::{Matching, Repeated};
use super::pairs::{Comparer, View};
use super::rules::Id;
use super::schemas::home;
use super::shape::{Shape, Union};
use super::types::Types;

/// An arm of a union.
#[derive(Clone)]
pub(super) struct Arm {
    at: Pointer,
    pub(super) site: SiteId,
    /// The property that tells it apart, and its value.
    tag: Option<(String, String)>,
}

impl<'d> Comparer<'d> {
    /// If one side is a union and the other is not, compares that with the arm that it became, or was; gives whether
    /// it was so.
    pub(super) fn union_met(&mut self, view: &View<'d>) -> Result<bool> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        let sides = self.get(view.pair);
        let (old_site, new_site) = (sides.old, sides.new);
        let any = Types::ALL.without(Types::NULL);
        let is_plain = |shape: &Shape<'d>| shape.unions.is_empty() && !shape.types.has(any);
        if is_plain(&old) && new.is_union() {
            let arms = arms(&mut self.new, &new, &new.unions[0])?;
            let Some(kept) = self.arm_of(old_site, true, &arms)? else {
                return Ok(self.another_kind(view));
            };
            self.null(view, old.types.has(Types::NULL), new.types.has(Types::NULL));
            self.beside_arms(view, &new)?;
            let below = self.pair_of(old_site, arms[kept].site, true)?;
            self.lead(view, below, Directions::BOTH);
            for (_, arm) in arms.iter().enumerate().filter(|(index, _)| *index != kept) {
                self.arm_added(view, arm);
            }
            return Ok(true);
        }
        if old.is_union() && is_plain(&new) {
            let arms = arms(&mut self.old, &old, &old.unions[0])?;
            let Some(kept) = self.arm_of(new_site, false, &arms)? else {
                return Ok(self.another_kind(view));
            };
            self.null(view, old.types.has(Types::NULL), new.types.has(Types::NULL));
            self.beside_arms(view, &old)?;
            let below = self.pair_of(arms[kept].site, new_site, true)?;
            self.lead(view, below, Directions::BOTH);
            for (_, arm) in arms.iter().enumerate().filter(|(index, _)| *index != kept) {
                self.arm_removed(view, arm);
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Compares what a union says beside its arms with what stands on the other side.
    fn beside_arms(&mut self, view: &View<'d>, union: &Shape<'d>) -> Result<()> {
        for key in union.facts.keys() {
            if !matches!(
                *key,
                "discriminator" | "readOnly" | "writeOnly" | "deprecated"
            ) {
                self.rest(view, key);
            }
        }
        self.applied(view)
    }

    fn another_kind(&mut self, view: &View<'d>) -> bool {
        let kind = |shape: &Shape<'d>| match shape.is_union() {
            true => "one of several schemas".to_owned(),
            false => shape.types.words(),
        };
        let what = format!("was {}, is {}", kind(&view.old), kind(&view.new));
        self.change(
            view,
            Id::TypeChanged,
            &view.old.types_at,
            &view.new.types_at,
            &what,
        );
        true
    }

    /// The arm among those of the other document that a schema is. `is_old`: the schema is of the old one.
    fn arm_of(&mut self, site: SiteId, is_old: bool, arms: &[Arm]) -> Result<Option<usize>> {
        let (own, other) = match is_old {
            true => (&mut self.old, &mut self.new),
            false => (&mut self.new, &mut self.old),
        };
        if let Some(name) = own.component(site).map(str::to_owned) {
            let found = arms
                .iter()
                .position(|arm| other.component(arm.site) == Some(&*name));
            if found.is_some() {
                return Ok(found);
            }
        }
        let print = own.fingerprint(site)?;
        let shape = own.shape(site);
        let mut similar = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            if other.fingerprint(arm.site)? == print {
                return Ok(Some(index));
            }
            if are_alike(&shape, &other.shape(arm.site)) {
                similar.push(index);
            }
        }
        Ok(match similar.as_slice() {
            [one] => Some(*one),
            _ => None,
        })
    }

    /// Compares the unions of both.
    pub(super) fn unions(&mut self, view: &View<'d>) -> Result<()> {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        let mut arms_added = Vec::new();
        let mut arms_removed = Vec::new();
        for (old_union, new_union) in old.unions.iter().zip(&new.unions) {
            let rule = match (old_union.any_of, new_union.any_of) {
                (false, true) => Some((Id::OneOfBecameAnyOf, "may fit several arms")),
                (true, false) => Some((Id::AnyOfBecameOneOf, "may fit one arm only")),
                _ => None,
            };
            if let Some((rule, what)) = rule {
                self.change(view, rule, &old_union.at, &new_union.at, what);
            }
            let old_arms = arms(&mut self.old, &old, old_union)?;
            let new_arms = arms(&mut self.new, &new, new_union)?;
            let matching = self.match_arms(&old_arms, &new_arms)?;
            for (old, new) in &matching.pairs {
                let below = self.pair_of(old_arms[*old].site, new_arms[*new].site, false)?;
                self.lead(view, below, Directions::BOTH);
            }
            arms_removed.extend(matching.old.iter().map(|index| old_arms[*index].clone()));
            arms_added.extend(matching.new.iter().map(|index| new_arms[*index].clone()));
        }
        arms_removed
            .iter()
            .for_each(|arm| self.arm_removed(view, arm));
        arms_added.iter().for_each(|arm| self.arm_added(view, arm));
        for union in old.unions.iter().skip(new.unions.len()) {
            let new_at = home(&new, &old, &union.at);
            self.change(
                view,
                Id::UnionRemoved,
                &union.at,
                &new_at,
                "need not fit one of several schemas any more",
            );
        }
        for union in new.unions.iter().skip(old.unions.len()) {
            let old_at = home(&old, &new, &union.at);
            self.change(
                view,
                Id::UnionAdded,
                &old_at,
                &union.at,
                "must fit one of several schemas as well",
            );
        }
        self.discriminators(view, &arms_removed, &arms_added)
    }

    /// Finds which arm is which: by discriminator or constant, by name, by shape, and last by type.
    fn match_arms(&mut self, old: &[Arm], new: &[Arm]) -> Result<Matching> {
        let mut matching = Matching::new(old.len(), new.len());
        let tags = |arms: &[Arm]| arms.iter().map(|arm| arm.tag.clone()).collect();
        matching.by(tags(old), tags(new), Repeated::Leave);
        let names = |edition: &Edition<'d>, arms: &[Arm], left: &[usize]| {
            let name = |index: &usize| edition.component(arms[*index].site).map(str::to_owned);
            left.iter().map(name).collect::<Vec<_>>()
        };
        let keys = (
            names(&self.old, old, &matching.old),
            names(&self.new, new, &matching.new),
        );
        matching.by(keys.0, keys.1, Repeated::InOrder);
        if matching.is_done() {
            return Ok(matching);
        }
        let old_keys = prints(&mut self.old, old, &matching.old)?;
        let new_keys = prints(&mut self.new, new, &matching.new)?;
        matching.by(old_keys, new_keys, Repeated::InOrder);
        let types = |edition: &mut Edition<'d>, arms: &[Arm], left: &[usize]| {
            let types = |index: &usize| Some(edition.shape(arms[*index].site).types);
            left.iter().map(types).collect::<Vec<_>>()
        };
        let old_keys = types(&mut self.old, old, &matching.old);
        let new_keys = types(&mut self.new, new, &matching.new);
        let mut by_type = Matching {
            pairs: Vec::new(),
            ..matching.clone()
        };
        for (before, after) in by_type.by(old_keys, new_keys, Repeated::Leave) {
            let shapes = (
                self.old.shape(old[before].site),
                self.new.shape(new[after].site),
            );
            if are_alike(&shapes.0, &shapes.1) {
                matching.take(before, after);
            }
        }
        Ok(matching)
    }

    fn arm_added(&mut self, view: &View<'d>, arm: &Arm) {
        let old_at = home(&view.old, &view.new, &arm.at);
        let what = format!("may be {}", arm_name(&self.new, arm));
        self.change_of_owner(
            view,
            Id::UnionArmAdded,
            (&old_at, &arm.at),
            &what,
            Directions::BOTH,
        );
    }

    fn arm_removed(&mut self, view: &View<'d>, arm: &Arm) {
        let new_at = home(&view.new, &view.old, &arm.at);
        let what = format!("may not be {} any more", arm_name(&self.old, arm));
        self.change_of_owner(
            view,
            Id::UnionArmRemoved,
            (&arm.at, &new_at),
            &what,
            Directions::BOTH,
        );
    }
}

/// Whether two schemas may be the same one: of one type, and objects have half of their properties in common.
pub(super) fn are_alike(old: &Shape<'_>, new: &Shape<'_>) -> bool {
    let names = old.properties.keys();
    let common = names
        .filter(|name| new.properties.contains_key(*name))
        .count();
    old.types.without(Types::NULL) == new.types.without(Types::NULL)
        && 2 * common >= old.properties.len().max(new.properties.len())
}

/// The arms of a union with what tells them apart.
fn arms<'d>(edition: &mut Edition<'d>, shape: &Shape<'d>, union: &Union) -> Result<Vec<Arm>> {
    let discriminator = shape
        .facts
        .get("discriminator")
        .and_then(|facts| facts.first());
    let property = discriminator.and_then(|fact| property_name(fact.value));
    let mut mapped: BTreeMap<SiteId, String> = BTreeMap::new();
    if let Some(fact) = discriminator {
        for (value, site) in explicit_mapping(edition, fact.value)? {
            mapped.entry(site).or_insert(value);
        }
    }
    let mut arms = Vec::new();
    for at in &union.arms {
        let site = edition.site(slice::from_ref(at))?;
        let tag = match (property, mapped.get(&site)) {
            (Some(property), Some(value)) => Some((property.to_owned(), value.clone())),
            _ => constant(edition, site, property)?,
        };
        arms.push(Arm {
            at: Rc::clone(at),
            site,
            tag,
        });
    }
    Ok(arms)
}

/// The first property with only one value, or that of `property`.
pub(super) fn constant(
    edition: &mut Edition<'_>,
    site: SiteId,
    property: Option<&str>,
) -> Result<Option<(String, String)>> {
    let shape = edition.shape(site);
    for (name, member) in &shape.properties {
        if property.is_some_and(|property| property != *name) {
            continue;
        }
        let below = edition.site(&member.uses)?;
        if let Some(values) = &edition.shape(below).values
            && let [value] = values.list.as_slice()
        {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            return Ok(Some(((*name).to_owned(), value)));
        }
    }
    Ok(None)
}

fn prints(edition: &mut Edition<'_>, arms: &[Arm], left: &[usize]) -> Result<Vec<Option<u64>>> {
    left.iter()
        .map(|index| edition.fingerprint(arms[*index].site).map(Some))
        .collect()
}

/// An arm in a sentence.
fn arm_name(edition: &Edition<'_>, arm: &Arm) -> String {
    match (edition.component(arm.site), &arm.tag) {
        (Some(name), _) => format!("a `{}`", clean(name)),
        (None, Some((property, value))) => {
            format!("what has `{}` = `{}`", clean(property), clean(value))
        }
        (None, None) => {
            let label = super::label::label(edition.document, &arm.at);
            format!("`{label}`")
        }
    }
}
