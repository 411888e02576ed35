//! A schema without its notation: what it admits, whichever way it was written.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::applied::{self, Applied};
use super::atoms::{Atom, What};
use super::edition::{Pointer, join};
use super::fingerprint::number_of;
use super::types::Types;

/// A keyword's value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Fact<'d> {
    pub(super) at: Pointer,
    pub(super) value: &'d Value,
}

/// The values of an `enum` or `const`, without `null`.
#[derive(Debug)]
pub(super) struct Values<'d> {
    pub(super) at: Pointer,
    pub(super) list: Vec<&'d Value>,
}

/// A property.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// The schemas that its value must fit.
    pub(super) uses: Vec<Pointer>,
    pub(super) required: bool,
}

/// A `oneOf` or `anyOf`, without arms that only `null` fits.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) at: Pointer,
    pub(super) any_of: bool,
    pub(super) arms: Vec<Pointer>,
}

/// The least or greatest number.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) at: Pointer,
    pub(super) number: f64,
    pub(super) exclusive: bool,
}

/// A schema without its notation.
#[derive(Debug)]
pub(super) struct Shape<'d> {
    /// The mappings of keywords that it consists of.
    pub(super) homes: Vec<Pointer>,
    pub(super) types: Types,
    /// Where the types are said.
    pub(super) types_at: Pointer,
    pub(super) values: Option<Values<'d>>,
    pub(super) lower: Option<Bound>,
    pub(super) upper: Option<Bound>,
    /// Keywords that stand for themselves, among them all that are not understood.
    pub(super) facts: BTreeMap<&'d str, Vec<Fact<'d>>>,
    /// What is for readers only.
    pub(super) docs: BTreeMap<&'d str, Vec<Fact<'d>>>,
    pub(super) properties: BTreeMap<&'d str, Member>,
    pub(super) patterns: BTreeMap<&'d str, Vec<Pointer>>,
    /// `additionalProperties: false`.
    pub(super) closed: Option<Pointer>,
    pub(super) additional: Vec<Pointer>,
    pub(super) items: Vec<Pointer>,
    pub(super) tuple: Vec<Vec<Pointer>>,
    pub(super) unions: Vec<Union>,
    /// `not`, `if`, `contains` and the like.
    pub(super) applied: Applied<'d>,
    /// References that lead nowhere.
    pub(super) unresolved: Vec<&'d str>,
}

impl Shape<'_> {
    /// Whether every value fits.
    pub(super) fn is_any(&self) -> bool {
        self.types == Types::ALL
            && self.values.is_none()
            && self.facts.is_empty()
            && self.properties.is_empty()
            && self.patterns.is_empty()
            && self.closed.is_none()
            && self.additional.is_empty()
            && self.items.is_empty()
            && self.tuple.is_empty()
            && self.unions.is_empty()
            && self.applied.is_empty()
            && self.unresolved.is_empty()
    }

    /// Whether it is one union and nothing else.
    pub(super) fn is_union(&self) -> bool {
        self.unions.len() == 1
            && self.values.is_none()
            && self.properties.is_empty()
            && self.items.is_empty()
            && self.additional.is_empty()
    }

    /// Whether a flag such as `readOnly` is set.
    pub(super) fn flag(&self, keyword: &str) -> bool {
        self.facts.contains_key(keyword)
    }
}

/// Keywords that are for readers.
const DOCS: [&str; 6] = [
    "title",
    "description",
    "example",
    "examples",
    "externalDocs",
    "$comment",
];

static BINARY: LazyLock<Value> = LazyLock::new(|| Value::from("binary"));
static BYTE: LazyLock<Value> = LazyLock::new(|| Value::from("byte"));

/// Whether a keyword by itself restricts no value: what it holds is taken elsewhere.
pub(super) fn is_notation(key: &str) -> bool {
    matches!(
        key,
        "$ref" | "allOf" | "nullable" | "$anchor" | "$defs" | "definitions"
    )
}

/// The index of the one arm of a union, or of the one that more than `null` fits, and whether there is one for `null`.
pub(super) fn only_arm(map: &Map<String, Value>, key: &str) -> Option<(usize, bool)> {
    let arms = map.get(key)?.as_array()?;
    if map.contains_key("discriminator") {
        return None;
    }
    if arms.len() == 1 {
        return Some((0, false));
    }
    let mut rest = (0..arms.len()).filter(|index| !is_null(&arms[*index]));
    let only = rest.next()?;
    rest.next().is_none().then_some((only, true))
}

/// Whether only `null` fits a schema.
fn is_null(schema: &Value) -> bool {
    let Some(map) = schema.as_object() else {
        return false;
    };
    map.get("type").and_then(Types::named) == Some(Types::NULL)
        || map.get("const") == Some(&Value::Null)
        || map
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_null))
}

/// The schema that `atoms` make together.
pub(super) fn read<'d>(atoms: &[Atom<'d>]) -> Shape<'d> {
    let first = atoms
        .first()
        .map_or_else(|| "".into(), |atom| Rc::clone(&atom.pointer));
    let mut shape = Shape {
        homes: atoms.iter().map(|atom| Rc::clone(&atom.pointer)).collect(),
        types: Types::ALL,
        types_at: first,
        values: None,
        lower: None,
        upper: None,
        facts: BTreeMap::new(),
        docs: BTreeMap::new(),
        properties: BTreeMap::new(),
        patterns: BTreeMap::new(),
        closed: None,
        additional: Vec::new(),
        items: Vec::new(),
        tuple: Vec::new(),
        unions: Vec::new(),
        applied: BTreeMap::new(),
        unresolved: Vec::new(),
    };
    for atom in atoms {
        match atom.what {
            What::Keywords(map) => shape.take(atom, map),
            What::Unresolved(reference) => shape.unresolved.push(reference),
            What::Anything => {}
            What::Odd(Value::Bool(_)) => shape.types = Types::NONE,
            What::Odd(value) => shape.fact("", &atom.pointer, value),
        }
    }
    for bound in [&mut shape.lower, &mut shape.upper] {
        if shape.types.without(Types::NULL) == Types::INTEGER {
            inclusive(bound);
        }
    }
    shape
}

/// `exclusiveMinimum: 0` of an integer is `minimum: 1`; the sign of the step is the caller's.
fn inclusive(bound: &mut Option<Bound>) {
    if let Some(bound) = bound
        && bound.exclusive
        && bound.number.fract() == 0.0
    {
        let step = if bound.at.ends_with("inimum") {
            1.0
        } else {
            -1.0
        };
        bound.number += step;
        bound.exclusive = false;
    }
}

impl<'d> Shape<'d> {
    /// Adds one mapping of keywords.
    fn take(&mut self, atom: &Atom<'d>, map: &'d Map<String, Value>) {
        let types = Self::types_of(atom, map);
        let narrowed = self.types.and(types);
        if narrowed != self.types {
            self.types_at = match map.contains_key("type") {
                true => join(&atom.pointer, "type"),
                false => Rc::clone(&atom.pointer),
            };
            self.types = narrowed;
        }
        for (key, value) in map {
            self.keyword(&atom.pointer, map, key, value);
        }
        if !map.contains_key("format") {
            if map.get("contentEncoding").and_then(Value::as_str) == Some("base64") {
                self.fact("format", &join(&atom.pointer, "contentEncoding"), &BYTE);
            } else if is_binary(map) {
                self.fact("format", &join(&atom.pointer, "contentMediaType"), &BINARY);
            }
        }
    }

    fn keyword(
        &mut self,
        home: &Pointer,
        map: &'d Map<String, Value>,
        key: &'d str,
        value: &'d Value,
    ) {
        let at = join(home, key);
        match (key, value) {
            ("type", _) if Types::named(value).is_some() => {}
            ("enum", Value::Array(values)) => self.restrict(&at, values.iter().collect()),
            ("const", _) => self.restrict(&at, vec![value]),
            ("properties", Value::Object(properties)) => {
                for name in properties.keys() {
                    let member = self.properties.entry(name).or_default();
                    member.uses.push(join(&at, name));
                }
            }
            ("required", Value::Array(names)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    let member = self.properties.entry(name).or_default();
                    member.required = true;
                    if member.uses.is_empty() {
                        member.uses.push(join(&join(home, "properties"), name));
                    }
                }
            }
            ("patternProperties", Value::Object(patterns)) => {
                for name in patterns.keys() {
                    let uses = self.patterns.entry(name).or_default();
                    uses.push(join(&at, name));
                }
            }
            ("additionalProperties", Value::Bool(false)) => self.closed = Some(at),
            ("additionalProperties", Value::Bool(true)) => {}
            ("additionalProperties", Value::Object(schema)) if schema.is_empty() => {}
            ("additionalProperties", Value::Object(_)) => self.additional.push(at),
            ("items", Value::Object(_) | Value::Bool(_)) => self.items.push(at),
            ("prefixItems", Value::Array(items)) => {
                self.tuple
                    .resize(self.tuple.len().max(items.len()), Vec::new());
                for (index, uses) in self.tuple.iter_mut().enumerate().take(items.len()) {
                    uses.push(join(&at, &index.to_string()));
                }
            }
            ("oneOf" | "anyOf", Value::Array(arms)) => self.union(map, key, at, arms),
            ("minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum", _)
                if value.is_number() || value.is_boolean() =>
            {
                self.bound(map, key, at, value);
            }
            _ if applied::take(&mut self.applied, map, (key, value), &at) => {}
            _ if DOCS.contains(&key) => {
                self.docs.entry(key).or_default().push(Fact { at, value });
            }
            _ if is_notation(key) || says_nothing(key, value) => {}
            ("contentEncoding" | "contentMediaType", _) if is_binary(map) || value == "base64" => {}
            _ => self.fact(key, &at, value),
        }
    }

    /// Adds a keyword that stands for itself. Several different ones are all kept.
    fn fact(&mut self, key: &'d str, at: &Pointer, value: &'d Value) {
        let facts = self.facts.entry(key).or_default();
        if !facts.iter().any(|fact| same(fact.value, value)) {
            facts.push(Fact {
                at: Rc::clone(at),
                value,
            });
        }
    }

    fn restrict(&mut self, at: &Pointer, mut list: Vec<&'d Value>) {
        list.retain(|value| !value.is_null());
        match &mut self.values {
            Some(values) => {
                let numbers: HashSet<u64> = list.iter().map(|value| number_of(value)).collect();
                values
                    .list
                    .retain(|value| numbers.contains(&number_of(value)));
            }
            None if list.is_empty() => {}
            None => {
                self.values = Some(Values {
                    at: Rc::clone(at),
                    list,
                });
            }
        }
    }

    fn union(&mut self, map: &Map<String, Value>, key: &str, at: Pointer, arms: &[Value]) {
        if only_arm(map, key).is_some() || bare_types(arms).is_some() {
            return;
        }
        let arms: Vec<_> = (0..arms.len())
            .filter(|index| !is_null(&arms[*index]))
            .map(|index| join(&at, &index.to_string()))
            .collect();
        if !arms.is_empty() {
            self.unions.push(Union {
                at,
                any_of: key == "anyOf",
                arms,
            });
        }
    }

    /// Takes one of the four keywords for bounds, in either notation, if it is tighter than what there is.
    fn bound(&mut self, map: &Map<String, Value>, key: &str, at: Pointer, value: &Value) {
        let Some(number) = value.as_f64() else {
            return;
        };
        let (is_lower, flag) = match key {
            "minimum" => (true, "exclusiveMinimum"),
            "exclusiveMinimum" => (true, ""),
            "maximum" => (false, "exclusiveMaximum"),
            _ => (false, ""),
        };
        let new = Bound {
            at,
            number,
            exclusive: flag.is_empty() || map.get(flag) == Some(&Value::Bool(true)),
        };
        let slot = if is_lower {
            &mut self.lower
        } else {
            &mut self.upper
        };
        let tighter = slot
            .as_ref()
            .is_none_or(|old| new.is_tighter(old, is_lower));
        if tighter {
            *slot = Some(new);
        }
    }

    /// The types that one mapping admits.
    fn types_of(atom: &Atom<'d>, map: &Map<String, Value>) -> Types {
        let mut types = match map.get("type").and_then(Types::named) {
            Some(types) => types,
            None => implied(map),
        };
        for key in ["oneOf", "anyOf"] {
            let Some(Value::Array(arms)) = map.get(key) else {
                continue;
            };
            if only_arm(map, key).is_some() {
                continue;
            }
            let arms_types = bare_types(arms).unwrap_or(Types::ALL.without(Types::NULL));
            let null = match arms.iter().any(is_null) {
                true => Types::NULL,
                false => Types::NONE,
            };
            types = types.and(arms_types.or(null));
        }
        if atom.or_null {
            types = types.or(Types::NULL);
        }
        types
    }
}

impl Bound {
    /// Whether fewer numbers fit.
    pub(super) fn is_tighter(&self, other: &Self, is_lower: bool) -> bool {
        if self.number == other.number {
            return self.exclusive && !other.exclusive;
        }
        (self.number > other.number) == is_lower
    }
}

/// The types of a schema without `type`: those of its values, or those that its keywords are about.
fn implied(map: &Map<String, Value>) -> Types {
    let has = |keys: &[&str]| keys.iter().any(|key| map.contains_key(*key));
    if let Some(Value::Array(values)) = map.get("enum") {
        values.iter().map(Types::of).fold(Types::NONE, Types::or)
    } else if let Some(value) = map.get("const") {
        Types::of(value)
    } else if has(&[
        "properties",
        "additionalProperties",
        "required",
        "patternProperties",
    ]) {
        Types::OBJECT
    } else if has(&["items", "prefixItems"]) {
        Types::ARRAY
    } else {
        Types::ALL
    }
}

/// The types of a union whose arms say nothing but a type: the same as a list of types.
fn bare_types(arms: &[Value]) -> Option<Types> {
    arms.iter().try_fold(Types::NONE, |types, arm| {
        let map = arm.as_object().filter(|map| map.len() == 1)?;
        Some(types.or(Types::named(map.get("type")?)?))
    })
}

/// Whether a keyword has the value that it has when it is absent.
fn says_nothing(key: &str, value: &Value) -> bool {
    match key {
        "readOnly" | "writeOnly" | "deprecated" | "uniqueItems" => value == &Value::Bool(false),
        "minLength" | "minItems" | "minProperties" => value.as_f64() == Some(0.0),
        "minContains" => value.as_f64() == Some(1.0),
        "dependentRequired" => value.as_object().is_some_and(Map::is_empty),
        _ => false,
    }
}

/// The 3.1 notation of `format: binary`.
fn is_binary(map: &Map<String, Value>) -> bool {
    !map.contains_key("contentEncoding")
        && map.get("contentMediaType").and_then(Value::as_str) == Some("application/octet-stream")
}

/// Whether two values are the same JSON: `1` is `1.0`, and the order of a list counts.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
