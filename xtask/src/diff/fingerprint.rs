//! A number for a schema's shape: what has another number has another shape, up to a few levels down.

use std::hash::{DefaultHasher, Hash as _, Hasher};

use anyhow::Result;
use serde_json::Value;

use super::edition::{Edition, Pointer, SiteId};
use super::shape::{Bound, Fact, Shape};

/// How many levels of schemas count. Recursive ones have no last level.
const LEVELS: u8 = 4;

impl Edition<'_> {
    /// The number for the shape of `site`. Names of schemas, places and prose do not count.
    pub(super) fn fingerprint(&mut self, site: SiteId) -> Result<u64> {
        self.print(site, LEVELS)
    }

    fn print(&mut self, site: SiteId, levels: u8) -> Result<u64> {
        if let Some(print) = self.prints.get(&(site, levels)) {
            return Ok(*print);
        }
        let shape = self.shape(site);
        let mut hasher = DefaultHasher::new();
        own(&shape, &mut hasher);
        if levels > 0 {
            self.below(&shape, levels - 1, &mut hasher)?;
        }
        let print = hasher.finish();
        self.prints.insert((site, levels), print);
        Ok(print)
    }

    fn below(&mut self, shape: &Shape<'_>, levels: u8, hasher: &mut DefaultHasher) -> Result<()> {
        for member in shape.properties.values() {
            self.child(&member.uses, levels)?.hash(hasher);
        }
        for uses in shape.patterns.values().chain(&shape.tuple) {
            self.child(uses, levels)?.hash(hasher);
        }
        for uses in [&shape.additional, &shape.items] {
            self.child(uses, levels)?.hash(hasher);
        }
        for (key, facts) in &shape.applied {
            key.hash(hasher);
            for fact in facts {
                self.child(std::slice::from_ref(&fact.at), levels)?
                    .hash(hasher);
            }
        }
        for union in &shape.unions {
            let mut arms = Vec::new();
            for arm in &union.arms {
                arms.push(self.child(std::slice::from_ref(arm), levels)?);
            }
            arms.sort_unstable();
            arms.hash(hasher);
        }
        Ok(())
    }

    fn child(&mut self, uses: &[Pointer], levels: u8) -> Result<u64> {
        if uses.is_empty() {
            return Ok(0);
        }
        let site = self.site(uses)?;
        self.print(site, levels)
    }
}

/// Hashes what the shape says without its children.
fn own(shape: &Shape<'_>, hasher: &mut DefaultHasher) {
    shape.types.hash(hasher);
    let values = shape.values.as_ref().map(|values| {
        let mut numbers: Vec<u64> = values.list.iter().map(|value| number_of(value)).collect();
        numbers.sort_unstable();
        numbers
    });
    values.hash(hasher);
    for bound in [&shape.lower, &shape.upper] {
        let bound = bound.as_ref();
        bound
            .map(
                |Bound {
                     number, exclusive, ..
                 }| (number.to_bits(), *exclusive),
            )
            .hash(hasher);
    }
    for (key, facts) in &shape.facts {
        key.hash(hasher);
        let mut numbers: Vec<u64> = facts.iter().map(|fact| fact_number(key, fact)).collect();
        numbers.sort_unstable();
        numbers.hash(hasher);
    }
    for (name, member) in &shape.properties {
        (name, member.required).hash(hasher);
    }
    shape.patterns.keys().for_each(|name| name.hash(hasher));
    shape.closed.is_some().hash(hasher);
    for union in &shape.unions {
        (union.any_of, union.arms.len()).hash(hasher);
    }
    shape.unresolved.hash(hasher);
}

fn fact_number(key: &str, fact: &Fact<'_>) -> u64 {
    match fact.value.get("propertyName") {
        // Its mapping names schemas.
        Some(name) if key == "discriminator" => number_of(name),
        _ => number_of(fact.value),
    }
}

/// A number for a JSON value; the same for `1` and `1.0`.
pub(super) fn number_of(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(value, &mut hasher);
    hasher.finish()
}

fn hash(value: &Value, hasher: &mut DefaultHasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(flag) => flag.hash(hasher),
        Value::Number(number) => number.as_f64().map(f64::to_bits).hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| hash(item, hasher));
        }
        Value::Object(map) => {
            map.len().hash(hasher);
            for (key, value) in map {
                key.hash(hasher);
                hash(value, hasher);
            }
        }
    }
}
