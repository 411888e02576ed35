//! Compares what operations are called and sorted by: method and path, `operationId`, tags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::edition::{Entry, Pointer};
use super::finding::{Directions, Note};
use super::label::clean;
use super::leftovers::Scope;
use super::operations::Call;
use super::pairs::Comparer;
use super::rules::Id;

impl<'d> Comparer<'d> {
    /// Compares what an operation is called, and where it is.
    pub(super) fn identity(&self, scope: &mut Scope, old: &Call<'d>, new: &Call<'d>) {
        let asked = scope.asked;
        if old.method != new.method || old.blank_path() != new.blank_path() {
            self.moved(scope, old, new);
        }
        if old.id() != new.id() {
            let what = match (old.id(), new.id()) {
                (Some(old), Some(new)) => {
                    format!("has the `operationId` {}, was {}", clean(new), clean(old))
                }
                (Some(old), None) => format!("has no `operationId`, was {}", clean(old)),
                (None, Some(new)) => format!("has a new `operationId`: {}", clean(new)),
                (None, None) => return,
            };
            let places = (&old.entry.at("operationId"), &new.entry.at("operationId"));
            self.add_of_owner(scope, Id::OperationIdChanged, places, &what, asked);
        }
        self.tags(scope, old, new);
        self.deprecated(scope, &old.entry, &new.entry, asked);
    }

    /// Adds a change of method or path. If several operations went the same way, it is one cause.
    fn moved(&self, scope: &mut Scope, old: &Call<'d>, new: &Call<'d>) {
        let asked = scope.asked;
        if let Some((from, to)) = old.way_to(new)
            && self
                .moves
                .get(&(from.clone(), to.clone()))
                .is_some_and(|count| *count > 1)
        {
            let at: Pointer = "/paths".into();
            let text = format!(
                "what was below `{}` is below `{}`",
                clean(&from),
                clean(&to)
            );
            let note = Note::new(Id::OperationMoved, &at, &at, text, Directions::BOTH);
            return scope.notes.push((note, asked));
        }
        let before = format!("{} {}", old.method.to_uppercase(), old.path);
        let what = format!("was at `{}`", clean(&before));
        let places = (&old.entry.pointer, &new.entry.pointer);
        self.add(scope, Id::OperationMoved, places, &what, asked);
    }

    fn tags(&self, scope: &mut Scope, old: &Call<'d>, new: &Call<'d>) {
        let (before, after) = (tags(&old.entry), tags(&new.entry));
        let only = |tags: &[&'d str], others: &[&'d str]| -> Vec<&'d str> {
            tags.iter()
                .copied()
                .filter(|tag| !others.contains(tag))
                .collect()
        };
        let (gone, fresh) = (only(&before, &after), only(&after, &before));
        if gone.is_empty() && fresh.is_empty() {
            return;
        }
        if let ([from], [to]) = (gone.as_slice(), fresh.as_slice())
            && self.renamed_tags.get(from) == Some(to)
        {
            // One sentence for all operations that have it.
            let at: Pointer = "/tags".into();
            let text = format!("the tag `{}` was named `{}`", clean(to), clean(from));
            let note = Note::new(Id::TagRenamed, &at, &at, text, Directions::BOTH);
            scope.notes.push((note, scope.asked));
            return;
        }
        let shown = |tags: &[&str]| match tags.is_empty() {
            true => "none".to_owned(),
            false => clean(&tags.join(", ")),
        };
        let what = format!(
            "has other tags: was {}, is {}",
            shown(&before),
            shown(&after)
        );
        let places = (&old.entry.at("tags"), &new.entry.at("tags"));
        self.add_of_owner(scope, Id::OperationTagsChanged, places, &what, scope.asked);
    }

    /// Finds tags that have another name: all operations that had the one have the other.
    pub(super) fn rename_tags(&mut self, pairs: &[(&Call<'d>, &Call<'d>)]) {
        let all = |calls: &mut dyn Iterator<Item = &Call<'d>>| -> BTreeSet<&'d str> {
            calls.flat_map(|call| tags(&call.entry)).collect()
        };
        let old_tags = all(&mut pairs.iter().map(|(old, _)| *old));
        let new_tags = all(&mut pairs.iter().map(|(_, new)| *new));
        let mut partners: BTreeMap<&'d str, BTreeSet<&'d str>> = BTreeMap::new();
        for (old, new) in pairs {
            let (before, after) = (tags(&old.entry), tags(&new.entry));
            for tag in before.iter().filter(|tag| !new_tags.contains(*tag)) {
                let fresh = after.iter().filter(|tag| !old_tags.contains(*tag));
                partners.entry(tag).or_default().extend(fresh);
            }
        }
        let taken: Vec<&str> = partners.values().flatten().copied().collect();
        for (from, to) in partners {
            if let Some(tag) = to
                .first()
                .filter(|tag| to.len() == 1 && taken.iter().filter(|it| it == tag).count() == 1)
            {
                self.renamed_tags.insert(from, tag);
            }
        }
    }
}

/// The tags of an operation; their order is of no account.
fn tags<'d>(entry: &Entry<'d>) -> Vec<&'d str> {
    let tags = entry.get("tags").and_then(Value::as_array);
    let mut tags: Vec<_> = tags
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}
