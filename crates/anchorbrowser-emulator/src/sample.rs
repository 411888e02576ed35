//! Values made from JSON Schema 2020-12: valid ones, and ones with a single fault.
//!
//! All schemas are plain JSON values. `$ref` is `#` or `#/...` into the root that the sampler was made with.
//! Patterns are those of the crate `regex-syntax`; for others, `default` and `examples` are used.

mod breaking;
mod build;
pub(crate) mod judge;
mod number;
mod object;
mod pattern;
mod random;
pub(crate) mod shape;
mod text;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use serde_json::Value;

use build::Place;
use judge::Judge;
use random::Random;

/// Makes values from schemas. Two samplers with the same root and seed answer the same calls alike.
pub struct Sampler<'a> {
    judge: Judge<'a>,
    random: Random,
    /// Schemas visited for the current value.
    steps: u32,
    /// Shapes that the current place lies in.
    open: Vec<Vec<usize>>,
}

impl fmt::Debug for Sampler<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sampler").finish_non_exhaustive()
    }
}

/// A value that its schema refuses for one reason.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Broken {
    /// The whole value.
    pub value: Value,
    /// The faulty member or element: names and indices with dots between, empty for the value as a whole.
    pub place: String,
    /// What is wrong there, in a few words such as `missing required member`.
    pub what: &'static str,
}

impl fmt::Debug for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Broken")
            .field("place", &self.place)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

impl<'a> Sampler<'a> {
    /// A sampler for schemas whose references lead into `root`.
    #[must_use]
    pub fn new(root: &'a Value, seed: u64) -> Self {
        Self {
            judge: Judge::new(root),
            random: Random::new(seed),
            steps: 0,
            open: Vec::new(),
        }
    }

    /// A valid value with all required members and most optional ones. Null comes now and then where it is allowed.
    ///
    /// Calls on one sampler give different values, one after the other. A schema that no value meets gives null; so
    /// does one whose values lie beyond the bounds of the search (64 levels, 40,000 schemas). Not followed:
    /// `dependentSchemas`, `unevaluatedItems`, `unevaluatedProperties` other than by adding no unknown member.
    pub fn value(&mut self, schema: &Value) -> Value {
        self.find(schema, false).unwrap_or(Value::Null)
    }

    /// A valid value with required members only, and arrays as short as they may be. Else like [`Sampler::value`].
    pub fn smallest(&mut self, schema: &Value) -> Value {
        self.find(schema, true).unwrap_or(Value::Null)
    }

    /// Values with one thing wrong, all made from one valid value: a required member missing, a wrong type, null,
    /// an unknown enum value, a number out of range, text or an array too short or too long, a pattern or format not
    /// matched, equal elements, a member that is not allowed.
    ///
    /// Arms of unions that the valid value does not use are not broken. Empty if the schema has no valid value or
    /// allows everything. At most 1,000.
    pub fn broken(&mut self, schema: &Value) -> Vec<Broken> {
        match self.find(schema, false) {
            Some(valid) => breaking::broken(&self.judge, &mut self.random, schema, &valid),
            None => Vec::new(),
        }
    }

    fn find(&mut self, schema: &Value, small: bool) -> Option<Value> {
        self.steps = 0;
        self.open.clear();
        self.node(&[schema], Place::root(small))
    }
}
