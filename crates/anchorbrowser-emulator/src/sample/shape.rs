//! Schemas taken apart: what `$ref` and `allOf` bring together, and the unions that remain open.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::judge::Judge;

/// How many `$ref` and `allOf` may lie between a place and the schema that says something about it.
const MAX_HOPS: usize = 128;

/// The schema that a reference into `root` names: `#`, or `#/` and a JSON pointer, maybe percent-encoded.
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    let pointer = percent_encoding::percent_decode_str(pointer)
        .decode_utf8()
        .ok()?;
    root.pointer(&pointer)
}

/// Kinds of JSON values, as a set of bits. A number is an integer or a fraction.
pub(crate) mod kind {
    pub(crate) const NULL: u8 = 1;
    pub(crate) const BOOLEAN: u8 = 2;
    pub(crate) const INTEGER: u8 = 4;
    pub(crate) const FRACTION: u8 = 8;
    pub(crate) const STRING: u8 = 16;
    pub(crate) const ARRAY: u8 = 32;
    pub(crate) const OBJECT: u8 = 64;
    pub(crate) const NUMBER: u8 = INTEGER | FRACTION;
    pub(crate) const ALL: u8 = 127;

    /// The kind of a type name; none for an unknown one.
    pub(crate) fn named(name: &str) -> u8 {
        match name {
            "null" => NULL,
            "boolean" => BOOLEAN,
            "integer" => INTEGER,
            "number" => NUMBER,
            "string" => STRING,
            "array" => ARRAY,
            "object" => OBJECT,
            _ => 0,
        }
    }
}

/// Schemas that hold one another's place to each other: any one of them has to hold.
pub(crate) type Arm<'s> = Vec<&'s Value>;

/// Several schemas that a value has to meet at once.
#[derive(Clone, Default)]
pub(crate) struct Shape<'s> {
    /// All object schemas among them, each once.
    pub(crate) parts: Vec<&'s Map<String, Value>>,
    /// `oneOf`, `anyOf` and `if` of the parts. An arm is a list of schemas.
    pub(crate) unions: Vec<Vec<Arm<'s>>>,
}

impl<'s> Shape<'s> {
    /// `None`: no value can meet them, or a reference leads nowhere.
    pub(crate) fn of(root: &'s Value, schemas: &[&'s Value]) -> Option<Self> {
        let mut shape = Self::default();
        shape.add_all(root, schemas).then_some(shape)
    }

    /// The same with each union replaced by those of its arms that `value` meets.
    pub(crate) fn fitting(judge: &Judge<'s>, schemas: &[&'s Value], value: &Value) -> Option<Self> {
        let mut shape = Self::of(judge.root(), schemas)?;
        while let Some(arms) = shape.unions.pop() {
            for arm in arms.iter().filter(|arm| judge.all(arm, value)) {
                shape.add_all(judge.root(), arm);
            }
        }
        Some(shape)
    }

    pub(crate) fn add_all(&mut self, root: &'s Value, schemas: &[&'s Value]) -> bool {
        schemas.iter().all(|schema| self.add(root, schema, 0))
    }

    fn add(&mut self, root: &'s Value, schema: &'s Value, hops: usize) -> bool {
        let map = match schema {
            Value::Bool(holds) => return *holds,
            Value::Object(map) => map,
            _ => return true,
        };
        // A schema that was met before says nothing new; this also ends circles of references.
        if self.parts.iter().any(|part| std::ptr::eq(*part, map)) {
            return true;
        }
        if hops > MAX_HOPS {
            return false;
        }
        self.parts.push(map);
        self.add_unions(map);
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            let Some(target) = resolve(root, reference) else {
                return false;
            };
            if !self.add(root, target, hops + 1) {
                return false;
            }
        }
        list(map, "allOf")
            .iter()
            .all(|schema| self.add(root, schema, hops + 1))
    }

    fn add_unions(&mut self, map: &'s Map<String, Value>) {
        for word in ["oneOf", "anyOf"] {
            if map.contains_key(word) {
                self.unions
                    .push(list(map, word).iter().map(|arm| vec![arm]).collect());
            }
        }
        if let Some(condition) = map.get("if") {
            let met = [Some(condition), map.get("then")];
            let unmet = map.get("else");
            if met.get(1).is_some_and(Option::is_some) || unmet.is_some() {
                self.unions.push(vec![
                    met.into_iter().flatten().collect(),
                    unmet.into_iter().collect(),
                ]);
            }
        }
    }

    /// The values of a keyword in all parts.
    pub(crate) fn all(&self, word: &'static str) -> impl Iterator<Item = &'s Value> + use<'_, 's> {
        self.parts.iter().filter_map(move |part| part.get(word))
    }

    pub(crate) fn has(&self, word: &'static str) -> bool {
        self.all(word).next().is_some()
    }

    /// The strictest of lower limits on a count.
    pub(crate) fn at_least(&self, word: &'static str) -> usize {
        self.all(word).filter_map(count).max().unwrap_or(0)
    }

    /// The strictest of upper limits on a count.
    pub(crate) fn at_most(&self, word: &'static str) -> usize {
        self.all(word).filter_map(count).min().unwrap_or(usize::MAX)
    }

    /// The kinds of values that the types of all parts allow.
    pub(crate) fn kinds(&self) -> u8 {
        self.all("type").fold(kind::ALL, |kinds, value| {
            kinds
                & match value {
                    Value::String(name) => kind::named(name),
                    Value::Array(names) => names
                        .iter()
                        .filter_map(Value::as_str)
                        .fold(0, |all, name| all | kind::named(name)),
                    _ => kind::ALL,
                }
        })
    }

    /// The values that the first `enum` or `const` allows.
    pub(crate) fn listed(&self) -> Option<Vec<&'s Value>> {
        self.parts
            .iter()
            .find_map(|part| match (part.get("const"), part.get("enum")) {
                (Some(value), _) => Some(vec![value]),
                (None, Some(Value::Array(values))) => Some(values.iter().collect()),
                _ => None,
            })
    }

    /// Declared members in the order of the parts, each once.
    pub(crate) fn declared(&self) -> Vec<&'s str> {
        let mut seen = BTreeSet::new();
        let members = self.all("properties").filter_map(Value::as_object);
        members
            .flat_map(|members| members.keys().map(String::as_str))
            .filter(|name| seen.insert(*name))
            .collect()
    }

    pub(crate) fn required(&self) -> BTreeSet<&'s str> {
        self.all("required")
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The schemas of a member; `None` if some part forbids it.
    pub(crate) fn member(&self, judge: &Judge<'s>, name: &str) -> Option<Arm<'s>> {
        let mut schemas = Vec::new();
        for part in &self.parts {
            member_of(part, judge, name, &mut schemas);
        }
        (!schemas.contains(&&Value::Bool(false))).then_some(schemas)
    }

    /// The schemas of an element; `None` if some part forbids it.
    pub(crate) fn element(&self, index: usize) -> Option<Arm<'s>> {
        let of_part = |part: &&'s Map<String, Value>| {
            list(part, "prefixItems")
                .get(index)
                .or_else(|| part.get("items"))
        };
        let schemas: Arm<'s> = self.parts.iter().filter_map(of_part).collect();
        (!schemas.contains(&&Value::Bool(false))).then_some(schemas)
    }

    /// What tells this shape from others: the same parts come again only in recursion.
    pub(crate) fn key(&self) -> Vec<usize> {
        let mut key: Vec<usize> = self
            .parts
            .iter()
            .map(|part| std::ptr::from_ref(*part).addr())
            .collect();
        key.sort_unstable();
        key
    }
}

fn member_of<'s>(
    part: &'s Map<String, Value>,
    judge: &Judge<'s>,
    name: &str,
    schemas: &mut Arm<'s>,
) {
    let before = schemas.len();
    schemas.extend(part.get("properties").and_then(|members| members.get(name)));
    if let Some(patterns) = part.get("patternProperties").and_then(Value::as_object) {
        schemas.extend(
            patterns
                .iter()
                .filter(|(pattern, _)| judge.matches(pattern, name))
                .map(|(_, schema)| schema),
        );
    }
    if schemas.len() == before {
        schemas.extend(part.get("additionalProperties"));
    }
}

/// The array under a keyword; empty if there is none.
pub(crate) fn list<'s>(map: &'s Map<String, Value>, word: &str) -> &'s [Value] {
    map.get(word)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A limit on a count. Whole fractions such as `2.0` are counts too.
pub(crate) fn count(value: &Value) -> Option<usize> {
    match value.as_u64() {
        Some(count) => Some(usize::try_from(count).unwrap_or(usize::MAX)),
        None => value
            .as_f64()
            .filter(|count| *count >= 0.0 && count.fract() == 0.0)
            .map(|count| count as usize),
    }
}
