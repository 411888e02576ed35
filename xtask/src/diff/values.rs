//! Compares what schemas say of single values: enums, bounds, formats, patterns, defaults.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::edition::{Pointer, join};
use super::fingerprint::number_of;
use super::label::{listed, shown};
use super::pairs::{Comparer, View};
use super::rules::Id;
use super::schemas::{fact_places, home, values};
use super::shape::{Bound, Fact, Shape, same};

/// Bounds of lengths and counts, and whether they are lower ones.
const COUNTS: [(&str, bool); 8] = [
    ("minLength", true),
    ("maxLength", false),
    ("minItems", true),
    ("maxItems", false),
    ("minProperties", true),
    ("maxProperties", false),
    ("minContains", true),
    ("maxContains", false),
];

impl<'d> Comparer<'d> {
    /// Compares `enum` and `const`.
    pub(super) fn values(&mut self, view: &View<'d>) {
        let (old, new) = (view.old.values.as_ref(), view.new.values.as_ref());
        let place = |at: &Pointer, shape: &Shape<'d>, other: &Shape<'d>| {
            join(&home(shape, other, at), "enum")
        };
        match (old, new) {
            (None, None) => {}
            (None, Some(new)) => {
                let old_at = place(&new.at, &view.old, &view.new);
                let what = format!("must be one of {}", listed(new.list.iter().copied()));
                self.change(view, Id::EnumAdded, &old_at, &new.at, &what);
            }
            (Some(old), None) => {
                let new_at = place(&old.at, &view.new, &view.old);
                let what = format!(
                    "need not be one of {} any more",
                    listed(old.list.iter().copied())
                );
                self.change(view, Id::EnumRemoved, &old.at, &new_at, &what);
            }
            (Some(old), Some(new)) => {
                let added = only(&new.list, &old.list);
                let removed = only(&old.list, &new.list);
                if let ([old_value], [new_value], [_], [_]) =
                    (&*removed, &*added, &*old.list, &*new.list)
                {
                    let what = format!("was {}, is {}", shown(old_value), shown(new_value));
                    return self.change(view, Id::ConstChanged, &old.at, &new.at, &what);
                }
                if !removed.is_empty() {
                    let what = format!("may not be {} any more", listed(removed));
                    self.change(view, Id::EnumValueRemoved, &old.at, &new.at, &what);
                }
                if !added.is_empty() {
                    let what = format!("may be {}", listed(added));
                    self.change(view, Id::EnumValueAdded, &old.at, &new.at, &what);
                }
            }
        }
    }

    /// Compares bounds of numbers, lengths and counts.
    pub(super) fn bounds(&mut self, view: &View<'d>) {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        self.bound(view, old.lower.as_ref(), new.lower.as_ref(), true);
        self.bound(view, old.upper.as_ref(), new.upper.as_ref(), false);
        for (keyword, is_lower) in COUNTS {
            let old = count(&view.old, keyword, is_lower);
            let new = count(&view.new, keyword, is_lower);
            self.bound(view, old.as_ref(), new.as_ref(), is_lower);
        }
        let unique = |shape: &Shape<'d>| {
            shape
                .facts
                .get("uniqueItems")
                .and_then(|facts| facts.first())
                .cloned()
        };
        let (old, new) = (unique(&view.old), unique(&view.new));
        let (rule, what) = match (&old, &new) {
            (None, Some(_)) => (Id::BoundTightened, "may not have equal items any more"),
            (Some(_), None) => (Id::BoundLoosened, "may have equal items"),
            _ => return,
        };
        let (old_at, new_at) = fact_places(view, "uniqueItems", old.as_ref(), new.as_ref());
        self.change(view, rule, &old_at, &new_at, what);
    }

    fn bound(&mut self, view: &View<'d>, old: Option<&Bound>, new: Option<&Bound>, is_lower: bool) {
        let (rule, what) = match (old, new) {
            (None, None) => return,
            (None, Some(new)) => (
                Id::BoundTightened,
                format!("has a new bound: {}", bound_words(new, is_lower)),
            ),
            (Some(old), None) => (
                Id::BoundLoosened,
                format!("has a bound no more: was {}", bound_words(old, is_lower)),
            ),
            (Some(old), Some(new)) => {
                let rule = match (new.is_tighter(old, is_lower), old.is_tighter(new, is_lower)) {
                    (true, _) => Id::BoundTightened,
                    (_, true) => Id::BoundLoosened,
                    _ => return,
                };
                let (from, to) = (bound_words(old, is_lower), bound_words(new, is_lower));
                (rule, format!("has another bound: was {from}, is {to}"))
            }
        };
        let absent = |bound: &Bound, shape: &Shape<'d>, other: &Shape<'d>| {
            let keyword = bound.at.rsplit('/').next().unwrap_or_default();
            join(&home(shape, other, &bound.at), keyword)
        };
        let (old_at, new_at) = match (old, new) {
            (Some(old), Some(new)) => (Rc::clone(&old.at), Rc::clone(&new.at)),
            (Some(old), None) => (Rc::clone(&old.at), absent(old, &view.new, &view.old)),
            (None, Some(new)) => (absent(new, &view.old, &view.new), Rc::clone(&new.at)),
            (None, None) => return,
        };
        self.change(view, rule, &old_at, &new_at, &what);
    }

    /// Compares the keywords that stand for themselves.
    pub(super) fn facts(&mut self, view: &View<'d>) {
        let (old, new) = (Rc::clone(&view.old), Rc::clone(&view.new));
        let keys: BTreeSet<&str> = old.facts.keys().chain(new.facts.keys()).copied().collect();
        for key in keys {
            let first = |shape: &Shape<'d>| match shape.facts.get(key).map(Vec::as_slice) {
                None => Some(None),
                Some([one]) => Some(Some(one.clone())),
                // Several formats or patterns at once have no simple order.
                _ => None,
            };
            let judge: fn(&Value, &Value) -> Id = match key {
                _ if COUNTS.iter().any(|(count, _)| *count == key) => continue,
                "uniqueItems" | "readOnly" | "writeOnly" | "deprecated" | "discriminator" => {
                    continue;
                }
                "format" => format_rule,
                "pattern" => |_, _| Id::PatternChanged,
                "multipleOf" => |_, _| Id::MultipleOfChanged,
                "default" => |_, _| Id::DefaultChanged,
                _ => {
                    self.rest(view, key);
                    continue;
                }
            };
            match (first(&view.old), first(&view.new)) {
                (Some(old), Some(new)) => self.fact(view, key, old.as_ref(), new.as_ref(), judge),
                _ => self.rest(view, key),
            }
        }
    }

    fn fact(
        &mut self,
        view: &View<'d>,
        key: &str,
        old: Option<&Fact<'d>>,
        new: Option<&Fact<'d>>,
        judge: fn(&Value, &Value) -> Id,
    ) {
        let (added, removed) = match key {
            "format" => (Id::FormatAdded, Id::FormatRemoved),
            "pattern" => (Id::PatternAdded, Id::PatternRemoved),
            "default" => (Id::DefaultAdded, Id::DefaultRemoved),
            _ => (Id::BoundTightened, Id::BoundLoosened),
        };
        let (rule, changed) = match (old, new) {
            (Some(old), Some(new)) if same(old.value, new.value) => return,
            (Some(old), Some(new)) => (judge(old.value, new.value), "another"),
            (None, _) => (added, "a new"),
            (_, None) => (removed, "no more"),
        };
        let (old_at, new_at) = fact_places(view, key, old, new);
        let what = format!("has {changed} `{key}`{}", values(old, new));
        self.change(view, rule, &old_at, &new_at, &what);
    }
}

/// The values that only the first of two lists has.
fn only<'d>(list: &[&'d Value], other: &[&'d Value]) -> Vec<&'d Value> {
    let numbers: HashSet<u64> = other.iter().map(|value| number_of(value)).collect();
    let missing = list
        .iter()
        .filter(|value| !numbers.contains(&number_of(value)));
    missing.copied().collect()
}

/// The tightest of several counts.
fn count(shape: &Shape<'_>, keyword: &str, is_lower: bool) -> Option<Bound> {
    let bounds = shape.facts.get(keyword)?.iter().filter_map(|fact| {
        Some(Bound {
            at: Rc::clone(&fact.at),
            number: fact.value.as_f64()?,
            exclusive: false,
        })
    });
    bounds.reduce(|a, b| match b.is_tighter(&a, is_lower) {
        true => b,
        false => a,
    })
}

fn bound_words(bound: &Bound, is_lower: bool) -> String {
    let keyword = bound.at.rsplit('/').next().unwrap_or_default();
    let word = match (keyword, bound.exclusive, is_lower) {
        ("minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum", true, true) => "above",
        ("minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum", true, false) => "below",
        (_, _, true) => "at least",
        (_, _, false) => "at most",
    };
    let unit = match keyword {
        "minLength" | "maxLength" => " characters",
        "minItems" | "maxItems" => " items",
        "minContains" | "maxContains" => " items of a kind",
        "minProperties" | "maxProperties" => " properties",
        _ => "",
    };
    format!("{word} {}{unit}", bound.number)
}

/// The rule for two formats.
fn format_rule(old: &Value, new: &Value) -> Id {
    match (old.as_str(), new.as_str()) {
        (Some("int32"), Some("int64")) | (Some("float"), Some("double")) => Id::FormatWidened,
        (Some("int64"), Some("int32")) | (Some("double"), Some("float")) => Id::FormatNarrowed,
        _ => Id::FormatChanged,
    }
}
