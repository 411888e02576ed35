//! Objects from schemas.

use serde_json::{Map, Value};

use super::Sampler;
use super::build::{ATTEMPTS, MAX_COUNT, MAX_STEPS, Place};
use super::pattern::matching;
use super::shape::{Arm, Shape};

impl<'a> Sampler<'a> {
    pub(super) fn object<'s>(&mut self, shape: &Shape<'s>, place: Place<'_>) -> Option<Value>
    where
        'a: 's,
    {
        let (min, max) = (
            shape.at_least("minProperties"),
            shape.at_most("maxProperties"),
        );
        let required = shape.required();
        if min > max || min > MAX_COUNT || required.len() > max {
            return None;
        }
        let mut members = Map::new();
        for name in &required {
            self.put(shape, name, &mut members, place)?;
        }
        let mut optional = shape.declared();
        optional.retain(|name| !required.contains(name));
        for name in optional {
            let wanted = members.len() < min || (!place.small && !self.random.once_in(8));
            if wanted && members.len() < max {
                // Left out if it has no value.
                let _ = self.put(shape, name, &mut members, place);
            }
        }
        self.put_dependent(shape, &mut members, place)?;
        self.put_further(shape, &mut members, min, max, place);
        (min..=max)
            .contains(&members.len())
            .then_some(Value::Object(members))
    }

    fn put<'s>(
        &mut self,
        shape: &Shape<'s>,
        name: &str,
        members: &mut Map<String, Value>,
        place: Place<'_>,
    ) -> Option<()>
    where
        'a: 's,
    {
        if !members.contains_key(name) {
            let schemas = shape.member(&self.judge, name)?;
            let value = self.member(&schemas, place.inside(name))?;
            members.insert(name.to_owned(), value);
        }
        Some(())
    }

    /// Members that other members ask for.
    fn put_dependent<'s>(
        &mut self,
        shape: &Shape<'s>,
        members: &mut Map<String, Value>,
        place: Place<'_>,
    ) -> Option<()>
    where
        'a: 's,
    {
        loop {
            let asked = shape
                .all("dependentRequired")
                .filter_map(Value::as_object)
                .flatten();
            let asked = asked
                .filter(|(name, _)| members.contains_key(*name))
                .filter_map(|(_, names)| names.as_array());
            let mut missing = asked
                .flatten()
                .filter_map(Value::as_str)
                .filter(|name| !members.contains_key(*name));
            let Some(name) = missing.next() else {
                return Some(());
            };
            self.put(shape, name, members, place)?;
        }
    }

    /// Members that no schema names: those of maps, and those that a lower limit asks for.
    fn put_further<'s>(
        &mut self,
        shape: &Shape<'s>,
        members: &mut Map<String, Value>,
        min: usize,
        max: usize,
        place: Place<'_>,
    ) where
        'a: 's,
    {
        let open = shape.has("additionalProperties") || shape.has("patternProperties");
        let wanted = match (
            place.small || shape.has("unevaluatedProperties"),
            shape.declared().is_empty(),
        ) {
            (false, true) => 1 + self.random.below(2),
            (false, false) if open => self.random.below(2),
            _ => 0,
        };
        let goal = min.max(members.len().saturating_add(wanted)).min(max);
        for _ in 0..goal.saturating_mul(2).saturating_add(ATTEMPTS) {
            if members.len() >= goal || self.steps > MAX_STEPS {
                return;
            }
            if let Some(name) = self.further_name(shape, place) {
                // Left out if it has no value.
                let _ = self.put(shape, &name, members, place);
            }
        }
    }

    fn further_name<'s>(&mut self, shape: &Shape<'s>, place: Place<'_>) -> Option<String>
    where
        'a: 's,
    {
        let patterns: Vec<&str> = shape
            .all("patternProperties")
            .filter_map(Value::as_object)
            .flat_map(Map::keys)
            .map(String::as_str)
            .collect();
        let names: Arm<'s> = shape.all("propertyNames").collect();
        let closed = shape
            .all("additionalProperties")
            .any(|schema| *schema == Value::Bool(false));
        if !patterns.is_empty() && (closed || self.random.once_in(2)) {
            let pattern = self.random.pick(&patterns).copied()?;
            return matching(pattern, &mut self.random, 1, usize::MAX);
        }
        if names.is_empty() {
            return Some(format!("key-{}", self.random.hex(4)));
        }
        match self.node(&names, place.inside("key"))? {
            Value::String(name) => Some(name),
            _ => None,
        }
    }
}
