//! Takes a schema apart: follows its references, `allOf` and unions of one arm, until only keywords remain.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::edition::{Edition, Located, Pointer, join};
use super::shape;

/// The most parts of schemas that are read from one document. Long chains of `allOf` would be quadratic.
const STEP_LIMIT: usize = 1_000_000;

/// One mapping of keywords that takes part in a schema. A value fits the schema if it fits all of its atoms.
#[derive(Clone, Debug)]
pub(super) struct Atom<'d> {
    pub(super) pointer: Pointer,
    pub(super) what: What<'d>,
    /// `null` fits as well.
    pub(super) or_null: bool,
}

/// What stands at an atom.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'d> {
    Keywords(&'d Map<String, Value>),
    /// A reference that leads nowhere.
    Unresolved(&'d str),
    /// `true`, `{}` or nothing: every value fits.
    Anything,
    /// `false`, or what no schema can be.
    Odd(&'d Value),
}

/// Parts of a schema that wait, each with whether `null` fits as well.
type Open<'d> = Vec<(Located<'d>, bool)>;

static ANYTHING: Value = Value::Bool(true);

impl<'d> Edition<'d> {
    /// The atoms of the schemas at `uses` together. Chains may be long, so it does without recursion.
    pub(super) fn atoms(&mut self, uses: &[Pointer]) -> Result<Vec<Atom<'d>>> {
        let mut open: Open<'d> = Vec::new();
        for pointer in uses.iter().rev() {
            let value = self.value(pointer).unwrap_or(&ANYTHING);
            open.push(((Rc::clone(pointer), value), false));
        }
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        while let Some(((pointer, value), or_null)) = open.pop() {
            // What is absent has one value for all places.
            if !std::ptr::eq(value, &ANYTHING) && !seen.insert((std::ptr::from_ref(value), or_null))
            {
                continue;
            }
            self.steps += 1;
            if self.steps > STEP_LIMIT {
                bail!(
                    "{}: the schemas of the document are too entangled to be compared: more than {STEP_LIMIT} parts; shorten its chains of `allOf`",
                    self.document.name
                );
            }
            let Value::Object(map) = value else {
                let what = match value {
                    Value::Bool(true) => What::Anything,
                    other => What::Odd(other),
                };
                found.push(Atom {
                    pointer,
                    what,
                    or_null,
                });
                continue;
            };
            let hidden = map.contains_key("$ref") && !self.siblings_count;
            let or_null = or_null || (!hidden && map.get("nullable") == Some(&Value::Bool(true)));
            if let Some(what) = self.parts((&pointer, map), (or_null, hidden), &mut open) {
                found.push(Atom {
                    pointer,
                    what,
                    or_null,
                });
            }
        }
        Ok(simplified(found, uses))
    }

    /// Opens what a mapping includes, and gives what remains of it. `hidden`: all but its reference is to be ignored.
    fn parts(
        &mut self,
        (pointer, map): (&Pointer, &'d Map<String, Value>),
        (or_null, hidden): (bool, bool),
        open: &mut Open<'d>,
    ) -> Option<What<'d>> {
        let mut parts = Vec::new();
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            match self.far_target(reference) {
                Some(target) => parts.push((target, or_null)),
                None => return Some(What::Unresolved(reference)),
            }
        }
        if !hidden {
            if let Some(Value::Array(items)) = map.get("allOf") {
                let base = join(pointer, "allOf");
                let items = items.iter().enumerate();
                parts.extend(
                    items.map(|(index, item)| ((join(&base, &index.to_string()), item), or_null)),
                );
            }
            for key in ["oneOf", "anyOf"] {
                if let Some((index, null)) = shape::only_arm(map, key)
                    && let Some(arm) = map.get(key).and_then(|arms| arms.get(index))
                {
                    let at = join(&join(pointer, key), &index.to_string());
                    parts.push(((at, arm), or_null || null));
                }
            }
        }
        let bare = hidden || map.keys().all(|key| is_notation(map, key));
        let included = !parts.is_empty();
        open.extend(parts.into_iter().rev());
        match (bare, included) {
            (true, true) => None,
            (true, false) => Some(What::Anything),
            (false, _) => Some(What::Keywords(map)),
        }
    }
}

/// Atoms without those that add nothing to others; at least one remains.
fn simplified<'d>(mut found: Vec<Atom<'d>>, uses: &[Pointer]) -> Vec<Atom<'d>> {
    // "Anything" adds nothing to other atoms.
    if found
        .iter()
        .any(|atom| !matches!(atom.what, What::Anything))
    {
        found.retain(|atom| !matches!(atom.what, What::Anything));
    } else {
        found.truncate(1);
    }
    // A union of nothing but itself restricts nothing.
    if found.is_empty() {
        found.push(Atom {
            pointer: uses.first().map_or_else(|| "".into(), Rc::clone),
            what: What::Anything,
            or_null: false,
        });
    }
    found
}

/// Whether a keyword says nothing beyond what its parts say.
fn is_notation(map: &Map<String, Value>, key: &str) -> bool {
    match key {
        "oneOf" | "anyOf" => shape::only_arm(map, key).is_some(),
        _ => shape::is_notation(key),
    }
}
