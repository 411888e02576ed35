//! Compares discriminators: the property that tells the arms of a union apart, and what its values stand for.

use std::collections::{BTreeMap, HashSet};
use std::slice;

use anyhow::Result;
use serde_json::Value;

use super::edition::{Edition, Pointer, SiteId, component_name, join};
use super::label::clean;
use super::pairs::{Comparer, View};
use super::rules::Id;
use super::schemas::{fact_places, values};
use super::shape::{Fact, Shape};
use super::unions::{Arm, constant};

impl<'d> Comparer<'d> {
    /// Compares discriminators. Values of arms that came or went are said with these.
    pub(super) fn discriminators(
        &mut self,
        view: &View<'d>,
        removed: &[Arm],
        added: &[Arm],
    ) -> Result<()> {
        let fact = |shape: &Shape<'d>| {
            shape
                .facts
                .get("discriminator")
                .and_then(|facts| facts.first())
                .cloned()
        };
        let (old, new) = (fact(&view.old), fact(&view.new));
        let (old_at, new_at) = fact_places(view, "discriminator", old.as_ref(), new.as_ref());
        let (Some(old_fact), Some(new_fact)) = (&old, &new) else {
            let (rule, what) = match (&old, &new) {
                (None, Some(_)) => (Id::DiscriminatorAdded, "has a discriminator"),
                (Some(_), None) => (Id::DiscriminatorRemoved, "has a discriminator no more"),
                _ => return Ok(()),
            };
            self.change(
                view,
                rule,
                &old_at,
                &new_at,
                &format!("{what}{}", values(old.as_ref(), new.as_ref())),
            );
            return Ok(());
        };
        let (old_name, new_name) = (property_name(old_fact.value), property_name(new_fact.value));
        if old_name != new_name {
            let what = format!(
                "is told apart by `{}`, was by `{}`",
                clean(new_name.unwrap_or_default()),
                clean(old_name.unwrap_or_default())
            );
            self.change(view, Id::DiscriminatorChanged, &old_at, &new_at, &what);
            return Ok(());
        }
        self.discriminator_values(view, (old_fact, new_fact), removed, added)?;
        let extra = |value: &'d Value| {
            let map = value.as_object().into_iter().flatten();
            map.filter(|(key, _)| !matches!(key.as_str(), "propertyName" | "mapping"))
                .collect::<BTreeMap<_, _>>()
        };
        if extra(old_fact.value) != extra(new_fact.value) {
            self.change(
                view,
                Id::NotClassified,
                &old_at,
                &new_at,
                "has another `discriminator`",
            );
        }
        Ok(())
    }

    fn discriminator_values(
        &mut self,
        view: &View<'d>,
        (old_fact, new_fact): (&Fact<'d>, &Fact<'d>),
        removed: &[Arm],
        added: &[Arm],
    ) -> Result<()> {
        let old_values = mapping(&mut self.old, &view.old, old_fact.value)?;
        let new_values = mapping(&mut self.new, &view.new, new_fact.value)?;
        let at = (&old_fact.at, &new_fact.at);
        let sites = |arms: &[Arm]| arms.iter().map(|arm| arm.site).collect::<HashSet<_>>();
        let (removed, added) = (sites(removed), sites(added));
        for (value, site) in &old_values {
            match new_values.get(value) {
                Some(other) if self.is_same_schema(*site, *other) => {}
                Some(_) => self.tag(
                    view,
                    Id::DiscriminatorValueChanged,
                    at,
                    value,
                    "stands for another schema",
                ),
                None if removed.contains(site) => {}
                None => self.tag(
                    view,
                    Id::DiscriminatorValueRemoved,
                    at,
                    value,
                    "is not known any more",
                ),
            }
        }
        for (value, site) in &new_values {
            if !old_values.contains_key(value) && !added.contains(site) {
                self.tag(view, Id::DiscriminatorValueAdded, at, value, "is new");
            }
        }
        Ok(())
    }

    /// Whether two schemas are one that stayed: they are compared as such, or have one name.
    fn is_same_schema(&self, old: SiteId, new: SiteId) -> bool {
        let (old_name, new_name) = (self.old.component(old), self.new.component(new));
        self.are_paired(old, new) || (old_name.is_some() && old_name == new_name)
    }

    fn tag(
        &mut self,
        view: &View<'d>,
        rule: Id,
        (old, new): (&Pointer, &Pointer),
        value: &str,
        what: &str,
    ) {
        let what = format!("has a discriminator whose value `{}` {what}", clean(value));
        self.change(view, rule, old, new, &what);
    }
}

pub(super) fn property_name(discriminator: &Value) -> Option<&str> {
    discriminator.get("propertyName")?.as_str()
}

/// What the values of a discriminator stand for, as far as its `mapping` says. Its values are references or names.
pub(super) fn explicit_mapping(
    edition: &mut Edition<'_>,
    discriminator: &Value,
) -> Result<BTreeMap<String, SiteId>> {
    let mut found = BTreeMap::new();
    let entries = discriminator.get("mapping").and_then(Value::as_object);
    for (value, target) in entries.into_iter().flatten() {
        let Some(target) = target.as_str() else {
            continue;
        };
        let pointer = match target.starts_with('#') {
            true => edition
                .target(target)
                .unwrap_or_else(|| target.trim_start_matches('#').into()),
            false => join("/components/schemas", target),
        };
        found.insert(value.clone(), edition.site(&[pointer])?);
    }
    Ok(found)
}

/// What all values of a discriminator stand for. An arm that `mapping` leaves out has a constant, or else its name.
fn mapping(
    edition: &mut Edition<'_>,
    shape: &Shape<'_>,
    discriminator: &Value,
) -> Result<BTreeMap<String, SiteId>> {
    let mut found = explicit_mapping(edition, discriminator)?;
    let mapped: HashSet<SiteId> = found.values().copied().collect();
    for at in shape.unions.iter().flat_map(|union| &union.arms) {
        let site = edition.site(slice::from_ref(at))?;
        if mapped.contains(&site) {
            continue;
        }
        let value = match constant(edition, site, property_name(discriminator))? {
            Some((_, value)) => Some(value),
            None => component_name(&edition.origin(site)).map(str::to_owned),
        };
        if let Some(value) = value {
            found.entry(value).or_insert(site);
        }
    }
    Ok(found)
}
