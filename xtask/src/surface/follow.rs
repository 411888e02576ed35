//! Which changes of a surface follow from one cause.

use std::collections::BTreeSet;

use super::changes::{Change, What};
use super::predict::Prediction;
use super::signature::mentions;
use super::{Edition, ItemPath, Kind, owner};
use crate::names;

/// How far a change may be from its cause.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// What names, or is part of, what changed.
    Plain,
    /// What is lowered otherwise because other operations use it, or because a name is free or taken.
    Far,
}

/// All changes, and what is asked of each again and again.
pub(super) struct Facts<'a> {
    old: &'a Edition,
    new: &'a Edition,
    changes: &'a [Change],
    each: Vec<Fact<'a>>,
}

struct Fact<'a> {
    /// Types that only the new signature names.
    named: Vec<&'a str>,
    /// Types that only the old signature names.
    was_named: Vec<&'a str>,
    /// Types, unions and builders that the change depends on: what changes in one of them may change this.
    depends: BTreeSet<String>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(changes: &'a [Change], old: &'a Edition, new: &'a Edition) -> Self {
        let only = |signature: &'a str, other: &str| -> Vec<&'a str> {
            let others: BTreeSet<_> = mentions(other).collect();
            mentions(signature)
                .filter(|name| !others.contains(name))
                .collect()
        };
        let each = changes.iter().map(|change| Fact {
            named: only(&change.after, &change.before),
            was_named: only(&change.before, &change.after),
            depends: depends(change, old, new),
        });
        Self {
            old,
            new,
            changes,
            each: each.collect(),
        }
    }
}

/// What an item depends on beside its own place.
fn depends(change: &Change, old: &Edition, new: &Edition) -> BTreeSet<String> {
    let paths = [&change.old, &change.new];
    let paths = || paths.into_iter().flatten();
    let owners = || paths().map(|path| owner(path).unwrap_or(path).to_owned());
    let sides = [(old, &change.before), (new, &change.after)];
    match change.kind {
        // A struct and its constructor depend on its fields.
        Kind::Struct | Kind::New => owners().collect(),
        // The entry of an operation says what its builder takes and gives.
        Kind::Operation => {
            let ids = paths().filter_map(|path| path.strip_prefix("operations::"));
            ids.map(|id| format!("builder::{}", names::builder(id)))
                .collect()
        }
        // An arm is called, and told from others, by what its payload holds; it is converted from that if no other is.
        Kind::Arm | Kind::From => {
            let mut found: BTreeSet<_> = owners().filter(|_| change.kind == Kind::From).collect();
            for (edition, signature) in sides {
                for payload in mentions(signature) {
                    found.insert(payload.to_owned());
                    found.extend(edition.held(payload).map(str::to_owned));
                }
            }
            found
        }
        // A body without required fields need not be given.
        Kind::Setter if change.path().ends_with("::body") => {
            let types = sides
                .into_iter()
                .flat_map(|(_, signature)| mentions(signature));
            types.map(str::to_owned).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// The changes that follow from one cause.
pub(super) struct Explanation<'a> {
    facts: &'a Facts<'a>,
    /// Old and new items that it is about.
    seeds: (BTreeSet<&'a str>, BTreeSet<&'a str>),
    docs: bool,
    pub(super) explained: BTreeSet<usize>,
    /// What is explained already, by any cause.
    settled: BTreeSet<usize>,
}

impl<'a> Explanation<'a> {
    /// The changes of the items that a prediction names.
    pub(super) fn of(prediction: &'a Prediction, facts: &'a Facts<'a>) -> Self {
        let seeds = |items: &'a BTreeSet<ItemPath>| items.iter().map(String::as_str).collect();
        let mut explanation = Self {
            facts,
            seeds: (seeds(&prediction.old), seeds(&prediction.new)),
            docs: prediction.docs,
            explained: BTreeSet::new(),
            settled: BTreeSet::new(),
        };
        explanation.start();
        explanation
    }

    /// Changes that are not explained otherwise, of what stands in another place, refers to another one or is spelled
    /// otherwise: a comparison of the documents that found nothing there says that it is the same.
    pub(super) fn of_notation(facts: &'a Facts<'a>, settled: &BTreeSet<usize>) -> Self {
        let mut seeds = (BTreeSet::new(), BTreeSet::new());
        let (old, new) = (&facts.old.origins, &facts.new.origins);
        for change in facts.changes {
            let (before, after) = (change.old.as_deref(), change.new.as_deref());
            let (was, is) = (before.or(after), after.or(before));
            let (Some(was), Some(is)) = (was, is) else {
                continue;
            };
            let both = before.is_some() && after.is_some();
            let is_otherwise = match change.kind {
                // Names depend on notation: the place is the same, or this would be no renaming.
                _ if matches!(change.what, What::Docs | What::Renamed) => true,
                Kind::Operation => both && is_respelled(&change.before, &change.after),
                // Other members are admitted whether or not a schema says so.
                Kind::Field if !both => old.is_rest(was) || new.is_rest(is),
                Kind::Field | Kind::Setter | Kind::Send | Kind::Arm => {
                    both && old.written_otherwise(was, new, is)
                        || is_any_object(&change.before, &change.after)
                }
                _ => false,
            };
            if is_otherwise || old.in_other_order(was, new, is) {
                seeds.0.insert(was);
                seeds.1.insert(is);
            }
        }
        let mut explanation = Self {
            facts,
            seeds,
            docs: false,
            explained: BTreeSet::new(),
            settled: settled.clone(),
        };
        explanation.start();
        explanation.follow(Strength::Plain);
        explanation
    }

    fn start(&mut self) {
        for (index, change) in self.facts.changes.iter().enumerate() {
            let is_seed = |path: &Option<ItemPath>, seeds: &BTreeSet<&str>| {
                path.as_deref().is_some_and(|path| seeds.contains(path))
            };
            let meant = is_seed(&change.old, &self.seeds.0) || is_seed(&change.new, &self.seeds.1);
            let fits = !self.docs || change.what == What::Docs;
            if meant && fits && !self.settled.contains(&index) {
                self.explained.insert(index);
            }
        }
    }

    /// Leaves alone what is explained already.
    pub(super) fn settle(&mut self, settled: &BTreeSet<usize>) {
        self.settled.clone_from(settled);
    }

    /// Adds changes that follow from those that are there, until there are no more.
    pub(super) fn follow(&mut self, strength: Strength) {
        loop {
            let is_open = |it: &usize| !self.explained.contains(it) && !self.settled.contains(it);
            let open: Vec<_> = (0..self.facts.changes.len()).filter(is_open).collect();
            let idle = strength == Strength::Plain && self.explained.is_empty();
            if self.docs || idle || open.is_empty() {
                return;
            }
            let known = Known::of(self);
            let reach = (strength == Strength::Far).then(|| self.reach());
            let follows = |index: &usize| {
                let change = &self.facts.changes[*index];
                known.explains(change, &self.facts.each[*index])
                    || reach.as_ref().is_some_and(|reach| {
                        reach.explains(change, self.facts) || known.frees(change)
                    })
            };
            let more: Vec<_> = open.into_iter().filter(follows).collect();
            if more.is_empty() {
                return;
            }
            self.explained.extend(more);
        }
    }

    /// The types that the cause and what follows from it lead to.
    fn reach(&self) -> Reach<'a> {
        let facts = self.facts;
        let explained = || {
            self.explained
                .iter()
                .map(move |index| &facts.changes[*index])
        };
        let old = explained().filter_map(|change| change.old.as_deref());
        let new = explained().filter_map(|change| change.new.as_deref());
        Reach {
            old: facts.old.reached(self.seeds.0.iter().copied().chain(old)),
            new: facts.new.reached(self.seeds.1.iter().copied().chain(new)),
        }
    }
}

/// What is known from the changes that are explained.
#[derive(Default)]
struct Known<'a> {
    /// Types that came, or got this name.
    came: BTreeSet<&'a str>,
    /// Types that went, or lost this name.
    went: BTreeSet<&'a str>,
    /// Types that are named by what came or changed.
    named: BTreeSet<&'a str>,
    /// Types that were named by what went or changed.
    was_named: BTreeSet<&'a str>,
    /// Old and new types and builders in which something changed.
    touched: BTreeSet<&'a str>,
    /// Paths that came or went, without numbers at their ends.
    stems: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(explanation: &Explanation<'a>) -> Self {
        let mut known = Self::default();
        let facts = explanation.facts;
        for index in &explanation.explained {
            let change = &facts.changes[*index];
            if change.what == What::Docs {
                continue;
            }
            known.named.extend(&facts.each[*index].named);
            known.was_named.extend(&facts.each[*index].was_named);
            let is_new = change.old != change.new;
            for (path, moved) in [
                (&change.new, &mut known.came),
                (&change.old, &mut known.went),
            ] {
                let Some(path) = path.as_deref() else {
                    continue;
                };
                known.touched.insert(owner(path).unwrap_or(path));
                moved.extend(is_new.then_some(path));
                known.stems.extend(is_new.then(|| stem(path)));
            }
        }
        known
    }

    fn explains(&self, change: &Change, fact: &Fact<'_>) -> bool {
        let is = |path: &Option<ItemPath>, set: &BTreeSet<&str>| {
            path.as_deref().is_some_and(|path| is_in(set, path))
        };
        // A type comes with what names it, and goes with it.
        let came = change.what == What::Added
            && (is(&change.new, &self.named) || is(&change.new, &self.came));
        let went = change.what == What::Removed
            && (is(&change.old, &self.was_named) || is(&change.old, &self.went));
        // What names another type changes with it.
        let names = fact.named.iter().any(|name| self.came.contains(name))
            || fact.was_named.iter().any(|name| self.went.contains(name));
        came || went
            || names
            || fact
                .depends
                .iter()
                .any(|path| self.touched.contains(&**path))
    }

    /// Whether an item has another number at its end, because another one of its name came or went.
    fn frees(&self, change: &Change) -> bool {
        let paths = [&change.old, &change.new];
        let mut paths = paths.into_iter().flatten();
        change.what == What::Renamed && paths.any(|path| self.stems.contains(stem(path)))
    }
}

/// What a cause leads to.
struct Reach<'a> {
    old: BTreeSet<&'a str>,
    new: BTreeSet<&'a str>,
}

impl Reach<'_> {
    /// Whether the change is in a type that other operations use, or that holds itself in another way.
    fn explains(&self, change: &Change, facts: &Facts<'_>) -> bool {
        let whole = |path: &Option<ItemPath>| {
            path.as_deref()
                .map(|path| owner(path).unwrap_or(path).to_owned())
        };
        let (old, new) = (whole(&change.old), whole(&change.new));
        let (Some(was), Some(is)) = (old.as_ref().or(new.as_ref()), new.as_ref().or(old.as_ref()))
        else {
            return false;
        };
        let reached = self.old.contains(&**was) || self.new.contains(&**is);
        let used_otherwise = facts.old.used(was) != facts.new.used(is);
        let plain = |signature: &str| signature.replace("Box<", "").replace('>', "");
        let only_boxed =
            change.what == What::Changed && plain(&change.before) == plain(&change.after);
        let mut names = mentions(&change.after);
        reached && used_otherwise
            || only_boxed
                && (reached || names.any(|it| self.new.contains(it) || self.old.contains(it)))
    }
}

/// Whether an item or what it is part of is in the set.
fn is_in(set: &BTreeSet<&str>, path: &str) -> bool {
    set.contains(path) || owner(path).is_some_and(|owner| set.contains(owner))
}

/// Whether entries of the table of operations differ only in words that have several spellings: the first of several tags,
/// and media types.
fn is_respelled(before: &str, after: &str) -> bool {
    let rest = |entry: &str| -> String {
        let without = |entry: &str, from: &str, to: &str| match (entry.find(from), entry.find(to)) {
            (Some(start), Some(end)) if start < end => {
                format!("{}{}", &entry[..start], &entry[end..])
            }
            _ => entry.to_owned(),
        };
        let entry = without(entry, "resource: ", "method: ");
        without(&entry, "content_type: ", "reserved: ")
    };
    rest(before) == rest(after)
}

/// Whether types differ only in whether an object of any members is one, or any JSON.
fn is_any_object(before: &str, after: &str) -> bool {
    let plain = |signature: &str| {
        let plain = signature.replace(
            "serde_json::Map<String, serde_json::Value>",
            "serde_json::Value",
        );
        plain.replace("required ", "").replace("optional ", "")
    };
    before.contains("serde_json::") && plain(before) == plain(after)
}

fn stem(path: &str) -> &str {
    path.trim_end_matches(|c: char| c.is_ascii_digit())
}
