//! Values with one thing wrong.

use serde_json::{Value, json};

use super::Broken;
use super::judge::{Judge, kind_of};
use super::number;
use super::pattern::{MAX_TEXT, matching};
use super::random::Random;
use super::shape::Shape;

/// Most values, and most JSON nodes in all of them together.
const MAX_VALUES: usize = 1_000;
const MAX_NODES: usize = 500_000;
/// Most elements that an upper limit is passed by.
const MAX_ITEMS: usize = 1_000;

/// Breaks `valid` in one place after the other.
pub(super) fn broken(
    judge: &Judge<'_>,
    random: &mut Random,
    schema: &Value,
    valid: &Value,
) -> Vec<Broken> {
    let limit = MAX_VALUES.min(MAX_NODES / nodes(valid));
    if !judge.fits(schema, valid) {
        return Vec::new();
    }
    let mut breaker = Breaker {
        judge,
        random,
        schema,
        valid,
        limit,
        path: Vec::new(),
        found: Vec::new(),
    };
    breaker.walk(&[schema], valid, false);
    breaker.found
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum(),
        _ => 0,
    }
}

struct Breaker<'b, 's> {
    judge: &'b Judge<'s>,
    random: &'b mut Random,
    schema: &'s Value,
    valid: &'b Value,
    limit: usize,
    path: Vec<String>,
    found: Vec<Broken>,
}

/// A replacement for the value at the current place, the member of it that is wrong, and what is wrong.
type Fault = (Value, Option<String>, &'static str);

impl<'s> Breaker<'_, 's> {
    /// `in_union`: the value at this place came from one of several arms, so that another arm may allow what this refuses.
    fn walk(&mut self, schemas: &[&'s Value], value: &Value, in_union: bool) {
        let (Some(whole), Some(shape)) = (
            Shape::of(self.judge.root(), schemas),
            Shape::fitting(self.judge, schemas, value),
        ) else {
            return;
        };
        // One wrong type is enough; which one is wrong depends on all arms of a union.
        let mut types = wrong_types(&shape).into_iter();
        let _ = types.any(|wrong| self.keep(schemas, in_union, (wrong, None, "wrong type")));
        if !value.is_null() {
            self.keep(schemas, in_union, (Value::Null, None, "null not allowed"));
        }
        for fault in self.faults(&shape, value) {
            self.keep(schemas, in_union, fault);
        }
        let in_union = in_union || !whole.unions.is_empty();
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let Some(schemas) = shape.member(self.judge, name) {
                        self.step(name.clone(), &schemas, member, in_union);
                    }
                }
            }
            Value::Array(items) => {
                if let (Some(item), Some(schemas)) = (items.first(), shape.element(0)) {
                    self.step("0".to_owned(), &schemas, item, in_union);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, name: String, schemas: &[&'s Value], value: &Value, in_union: bool) {
        if self.found.len() < self.limit {
            self.path.push(name);
            self.walk(schemas, value, in_union);
            self.path.pop();
        }
    }

    /// Keeps a fault if the schemas of its place refuse it, and the whole schema too.
    fn keep(
        &mut self,
        schemas: &[&'s Value],
        in_union: bool,
        (replacement, member, what): Fault,
    ) -> bool {
        if self.found.len() >= self.limit || self.judge.all(schemas, &replacement) {
            return false;
        }
        let mut value = self.valid.clone();
        let Some(place) = at_mut(&mut value, &self.path) else {
            return false;
        };
        *place = replacement;
        if in_union && self.judge.fits(self.schema, &value) {
            return false;
        }
        let place: Vec<&str> = self
            .path
            .iter()
            .map(String::as_str)
            .chain(member.as_deref())
            .collect();
        self.found.push(Broken {
            place: place.join("."),
            value,
            what,
        });
        true
    }

    fn faults(&mut self, shape: &Shape<'s>, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        if shape.listed().is_some() {
            faults.extend(unlisted(shape, value));
            return faults;
        }
        match value {
            Value::Number(_) => faults.extend(self.numbers(shape, value)),
            Value::String(text) => faults.extend(self.texts(shape, text)),
            Value::Array(items) => faults.extend(arrays(self.judge, shape, items)),
            Value::Object(_) => faults.extend(objects(self.judge, shape, value)),
            _ => {}
        }
        faults
    }

    fn numbers(&self, shape: &Shape<'s>, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (word, what) in [
            ("minimum", "below the minimum"),
            ("exclusiveMinimum", "not above the exclusive minimum"),
            ("maximum", "above the maximum"),
            ("exclusiveMaximum", "not below the exclusive maximum"),
            ("multipleOf", "not a multiple"),
        ] {
            let candidates = shape.all(word).flat_map(|limit| beyond(word, limit, value));
            faults.extend(
                candidates
                    .into_iter()
                    .find(|value| only_breaks(self.judge, shape, value, word))
                    .map(|value| (value, None, what)),
            );
        }
        faults
    }

    fn texts(&mut self, shape: &Shape<'s>, text: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        let length = text.chars().count();
        let (min, max) = (shape.at_least("minLength"), shape.at_most("maxLength"));
        if let Some(short) = min.checked_sub(1) {
            let candidates = self.of_length(shape, text, short.min(length));
            faults.extend(self.first_text(shape, candidates, "minLength", "too short"));
        }
        if max < MAX_TEXT {
            let candidates = self.of_length(shape, text, max + 1);
            faults.extend(self.first_text(shape, candidates, "maxLength", "too long"));
        }
        for (word, what) in [
            ("pattern", "pattern not matched"),
            ("format", "format not matched"),
        ] {
            if shape.has(word) {
                let candidates = odd_texts(text, min, max);
                faults.extend(self.first_text(shape, candidates, word, what));
            }
        }
        faults
    }

    fn first_text(
        &self,
        shape: &Shape<'s>,
        candidates: Vec<String>,
        word: &'static str,
        what: &'static str,
    ) -> Option<Fault> {
        let found = candidates
            .into_iter()
            .map(Value::String)
            .find(|value| only_breaks(self.judge, shape, value, word));
        found.map(|value| (value, None, what))
    }

    /// Texts of one length: the old one cut or stretched, and others that match the pattern.
    fn of_length(&mut self, shape: &Shape<'s>, text: &str, length: usize) -> Vec<String> {
        let last = text.chars().last().unwrap_or('a');
        let stretched = text
            .chars()
            .chain(std::iter::repeat(last))
            .take(length)
            .collect();
        let mut texts = vec![stretched, "a".repeat(length)];
        for pattern in shape.all("pattern").filter_map(Value::as_str) {
            texts.extend((0..8).filter_map(|_| matching(pattern, self.random, length, length)));
        }
        texts
    }
}

/// Whether a value meets all parts of the shape except for one keyword, which it does not meet.
fn only_breaks(judge: &Judge<'_>, shape: &Shape<'_>, value: &Value, word: &str) -> bool {
    number::is_met(judge, shape, value, word) && !number::is_met(judge, shape, value, "")
}

fn at_mut<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, name| match value {
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        Value::Object(members) => members.get_mut(name),
        _ => None,
    })
}

/// Values of types that the shape does not allow.
fn wrong_types(shape: &Shape<'_>) -> Vec<Value> {
    let kinds = shape.kinds();
    let others = [
        json!("wrong-type"),
        json!(17),
        json!({}),
        json!([]),
        json!(true),
    ];
    others
        .into_iter()
        .filter(|other| kind_of(other) & kinds == 0)
        .collect()
}

fn unlisted(shape: &Shape<'_>, value: &Value) -> Option<Fault> {
    let value = match value {
        Value::String(_) => json!("unknown-value"),
        Value::Number(_) => json!(
            shape
                .listed()?
                .iter()
                .filter_map(|value| value.as_i64())
                .max()?
                .checked_add(1)?
        ),
        _ => return None,
    };
    Some((value, None, "unknown enum value"))
}

/// Numbers beyond a limit, next to it and further off.
fn beyond(word: &str, limit: &Value, value: &Value) -> Vec<Value> {
    let numbers = |from: &Value, adds: &[f64]| -> Vec<Value> {
        let whole = |add: &f64| Some(json!(from.as_i64()?.checked_add(small_whole(*add)?)?));
        let float = |add: &f64| Some(json!(from.as_f64()? + add));
        adds.iter()
            .filter_map(whole)
            .chain(adds.iter().filter_map(float))
            .collect()
    };
    let step = limit.as_f64().unwrap_or(1.0);
    match word {
        "minimum" => numbers(limit, &[-1.0, -2.0, -5.0, -10.0, -60.0, -100.0]),
        "maximum" => numbers(limit, &[1.0, 2.0, 5.0, 10.0, 60.0, 100.0]),
        "exclusiveMinimum" => numbers(limit, &[0.0, -1.0, -2.0, -5.0, -10.0]),
        "exclusiveMaximum" => numbers(limit, &[0.0, 1.0, 2.0, 5.0, 10.0]),
        _ => numbers(value, &[1.0, -1.0, step / 2.0, step / -2.0]),
    }
}

fn small_whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e6).then_some(number as i64)
}

fn arrays(judge: &Judge<'_>, shape: &Shape<'_>, items: &[Value]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut keep = |items: Vec<Value>, word: &str, what| {
        let value = Value::Array(items);
        if only_breaks(judge, shape, &value, word) {
            faults.push((value, None, what));
        }
    };
    if let Some(short) = shape.at_least("minItems").checked_sub(1) {
        keep(
            items.iter().take(short).cloned().collect(),
            "minItems",
            "too few elements",
        );
    }
    let max = shape.at_most("maxItems");
    if max < MAX_ITEMS {
        keep(
            items.iter().cycle().take(max + 1).cloned().collect(),
            "maxItems",
            "too many elements",
        );
    }
    keep(
        items.iter().chain(items.first()).cloned().collect(),
        "uniqueItems",
        "equal elements",
    );
    faults
}

fn objects(judge: &Judge<'_>, shape: &Shape<'_>, value: &Value) -> Vec<Fault> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for name in shape.required() {
        let mut members = members.clone();
        members.remove(name);
        let value = Value::Object(members);
        if only_breaks(judge, shape, &value, "required") {
            faults.push((value, Some(name.to_owned()), "missing required member"));
        }
    }
    let unknown = "unknown_member";
    if shape.member(judge, unknown).is_none() {
        let mut members = members.clone();
        members.insert(unknown.to_owned(), json!("text"));
        faults.push((
            Value::Object(members),
            Some(unknown.to_owned()),
            "member not allowed",
        ));
    }
    faults
}

/// Texts that hardly any pattern or format matches, within the limits of length.
fn odd_texts(text: &str, min: usize, max: usize) -> Vec<String> {
    let fill = |odd: &str| -> String {
        odd.chars()
            .chain(std::iter::repeat('!'))
            .take(min.max(odd.len()).min(max))
            .collect()
    };
    let odd = ["not valid!", "!", " ", "-", "a", "0", "%%", "\u{7f}"].map(fill);
    let marked = text
        .chars()
        .take(max.saturating_sub(1))
        .chain(['!'])
        .collect();
    odd.into_iter()
        .chain([marked, String::new()])
        .filter(|odd| odd.len() <= MAX_TEXT)
        .collect()
}
