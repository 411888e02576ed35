//! Whether a value meets a schema.
//!
//! The sampler asks this for parts of values and for lists of schemas, many times for each value; a compiled validator
//! for each of those would cost more than the answer. Patterns, formats and `multipleOf` are left to the validator.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::HashMap;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Number, Value, json};

use super::shape::{count, kind, list, resolve};

/// Bounds one answer: unions in recursion can cost exponential time otherwise.
const MAX_STEPS: u32 = 100_000;
const MAX_DEPTH: usize = 128;

/// Judges by the schemas of one document. Not judged, so always met: `contains`, `dependentSchemas`,
/// `unevaluatedItems`, `unevaluatedProperties`, `$dynamicRef`.
pub(crate) struct Judge<'a> {
    root: &'a Value,
    leaves: RefCell<HashMap<String, Option<Validator>>>,
    steps: Cell<u32>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        Self {
            root,
            leaves: RefCell::default(),
            steps: Cell::new(0),
        }
    }

    pub(crate) fn root(&self) -> &'a Value {
        self.root
    }

    pub(crate) fn fits(&self, schema: &Value, value: &Value) -> bool {
        self.steps.set(MAX_STEPS);
        self.walk(schema, value, 0)
    }

    pub(crate) fn all(&self, schemas: &[&Value], value: &Value) -> bool {
        schemas.iter().all(|schema| self.fits(schema, value))
    }

    /// Whether a value meets what `map` itself says of it, leaving out its parts, unions, and the keyword `except`.
    pub(crate) fn plain(&self, map: &Map<String, Value>, value: &Value, except: &str) -> bool {
        map.iter()
            .filter(|(word, _)| *word != except)
            .all(|(word, operand)| match (word.as_str(), value) {
                ("type", _) => is_of_type(operand, value),
                ("enum", _) => operand
                    .as_array()
                    .is_none_or(|listed| listed.iter().any(|one| equal(one, value))),
                ("const", _) => equal(operand, value),
                (_, Value::Number(number)) => self.number(word, operand, number, value),
                (_, Value::String(text)) => self.text(word, operand, text, value),
                (_, Value::Array(items)) => array(word, operand, items),
                (_, Value::Object(members)) => object(word, operand, members),
                _ => true,
            })
    }

    pub(crate) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.leaf("pattern", &json!(pattern), &json!(text))
    }

    fn walk(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let map = match schema {
            Value::Bool(holds) => return *holds,
            Value::Object(map) => map,
            _ => return true,
        };
        let steps = self.steps.get();
        if steps == 0 || depth > MAX_DEPTH {
            return false;
        }
        self.steps.set(steps - 1);
        self.plain(map, value, "")
            && self.combined(map, value, depth + 1)
            && self.inner(map, value, depth + 1)
    }

    /// `$ref`, `allOf`, unions, `not`.
    fn combined(&self, map: &Map<String, Value>, value: &Value, depth: usize) -> bool {
        let holds = |schema: &Value| self.walk(schema, value, depth);
        let referred = match map.get("$ref").and_then(Value::as_str) {
            Some(reference) => resolve(self.root, reference).is_some_and(holds),
            None => true,
        };
        referred
            && list(map, "allOf").iter().all(holds)
            && (!map.contains_key("anyOf") || list(map, "anyOf").iter().any(holds))
            && (!map.contains_key("oneOf")
                || list(map, "oneOf")
                    .iter()
                    .filter(|arm| holds(arm))
                    .take(2)
                    .count()
                    == 1)
            && map.get("not").is_none_or(|schema| !holds(schema))
            && map.get("if").is_none_or(|condition| {
                let branch = if holds(condition) { "then" } else { "else" };
                map.get(branch).is_none_or(holds)
            })
    }

    /// Elements and members.
    fn inner(&self, map: &Map<String, Value>, value: &Value, depth: usize) -> bool {
        match value {
            Value::Array(items) => {
                let prefix = list(map, "prefixItems");
                let schema_of = |index: usize| prefix.get(index).or_else(|| map.get("items"));
                items.iter().enumerate().all(|(index, item)| {
                    schema_of(index).is_none_or(|schema| self.walk(schema, item, depth))
                })
            }
            Value::Object(members) => members
                .iter()
                .all(|(name, member)| self.member(map, name, member, depth)),
            _ => true,
        }
    }

    fn member(&self, map: &Map<String, Value>, name: &str, member: &Value, depth: usize) -> bool {
        let name_fits = |schema: &Value| self.walk(schema, &Value::String(name.to_owned()), depth);
        if !map.get("propertyNames").is_none_or(name_fits) {
            return false;
        }
        let declared = map.get("properties").and_then(|members| members.get(name));
        let mut known = declared.is_some();
        let mut fits = declared.is_none_or(|schema| self.walk(schema, member, depth));
        for (pattern, schema) in map
            .get("patternProperties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if self.matches(pattern, name) {
                known = true;
                fits = fits && self.walk(schema, member, depth);
            }
        }
        fits && (known
            || map
                .get("additionalProperties")
                .is_none_or(|schema| self.walk(schema, member, depth)))
    }

    fn number(&self, word: &str, operand: &Value, number: &Number, value: &Value) -> bool {
        let Value::Number(limit) = operand else {
            return true;
        };
        match word {
            "minimum" => compare(number, limit) != Ordering::Less,
            "maximum" => compare(number, limit) != Ordering::Greater,
            "exclusiveMinimum" => compare(number, limit) == Ordering::Greater,
            "exclusiveMaximum" => compare(number, limit) == Ordering::Less,
            "multipleOf" => self.leaf(word, operand, value),
            _ => true,
        }
    }

    fn text(&self, word: &str, operand: &Value, text: &str, value: &Value) -> bool {
        match word {
            "minLength" => count(operand).is_none_or(|limit| text.chars().count() >= limit),
            "maxLength" => count(operand).is_none_or(|limit| text.chars().count() <= limit),
            "pattern" | "format" => self.leaf(word, operand, value),
            _ => true,
        }
    }

    /// What the validator says of one keyword. A keyword that it refuses is never met.
    fn leaf(&self, word: &str, operand: &Value, value: &Value) -> bool {
        let mut leaves = self.leaves.borrow_mut();
        let validator = leaves
            .entry(format!("{word} {operand}"))
            .or_insert_with(|| {
                let options = jsonschema::options()
                    .with_draft(Draft::Draft202012)
                    .should_validate_formats(true);
                options.build(&json!({ word: operand })).ok()
            });
        validator
            .as_ref()
            .is_some_and(|validator| validator.is_valid(value))
    }
}

/// The kind of a value; `1.0` is an integer.
pub(crate) fn kind_of(value: &Value) -> u8 {
    match value {
        Value::Null => kind::NULL,
        Value::Bool(_) => kind::BOOLEAN,
        Value::Number(number) if whole(number).is_some() => kind::INTEGER,
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
            kind::INTEGER
        }
        Value::Number(_) => kind::FRACTION,
        Value::String(_) => kind::STRING,
        Value::Array(_) => kind::ARRAY,
        Value::Object(_) => kind::OBJECT,
    }
}

fn is_of_type(operand: &Value, value: &Value) -> bool {
    let is = |name: &str| kind::named(name) & kind_of(value) != 0;
    match operand {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn array(word: &str, operand: &Value, items: &[Value]) -> bool {
    match word {
        "minItems" => count(operand).is_none_or(|limit| items.len() >= limit),
        "maxItems" => count(operand).is_none_or(|limit| items.len() <= limit),
        "uniqueItems" if *operand == Value::Bool(true) => unique(items),
        _ => true,
    }
}

fn object(word: &str, operand: &Value, members: &Map<String, Value>) -> bool {
    let has = |names: &Value| {
        names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .all(|name| members.contains_key(name))
    };
    match word {
        "required" => has(operand),
        "minProperties" => count(operand).is_none_or(|limit| members.len() >= limit),
        "maxProperties" => count(operand).is_none_or(|limit| members.len() <= limit),
        "dependentRequired" => operand
            .as_object()
            .into_iter()
            .flatten()
            .all(|(name, names)| !members.contains_key(name) || has(names)),
        _ => true,
    }
}

pub(crate) fn unique(items: &[Value]) -> bool {
    items
        .iter()
        .enumerate()
        .all(|(index, item)| !items.iter().take(index).any(|other| equal(item, other)))
}

/// JSON equality: `1` and `1.0` are the same number.
pub(crate) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare(one, other) == Ordering::Equal,
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, member)| other.get(name).is_some_and(|other| equal(member, other)))
        }
        _ => one == other,
    }
}

pub(crate) fn whole(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

fn compare(one: &Number, other: &Number) -> Ordering {
    if let (Some(one), Some(other)) = (whole(one), whole(other)) {
        return one.cmp(&other);
    }
    let (one, other) = (
        one.as_f64().unwrap_or(f64::NAN),
        other.as_f64().unwrap_or(f64::NAN),
    );
    one.partial_cmp(&other).unwrap_or(Ordering::Equal)
}
