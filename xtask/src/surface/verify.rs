//! Sets what should follow from the changes of the document against what became of the surface.

use std::collections::BTreeSet;

use super::changes::{Change, What, compare};
use super::follow::{Explanation, Facts, Strength};
use super::predict::{Cause, Expected, Prediction, is_move, places, predict};
use super::{Edition, ItemPath};

/// What became of the surface, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    /// All changes, by path.
    pub(crate) changes: Vec<Change>,
    /// For each cause the changes that follow from it: indices into `changes`.
    pub(crate) explained: Vec<BTreeSet<usize>>,
    /// Changes that no cause explains, and that may follow from another notation alone: a `$ref` written out, or made of
    /// what was written out, another order of arms, another spelling. They concern users all the same.
    pub(crate) notation: BTreeSet<usize>,
    /// Changes that nothing explains. They are faults of ours.
    pub(crate) unexplained: BTreeSet<usize>,
    /// What should have happened and did not, with the index of the cause. They are faults of ours.
    pub(crate) unfulfilled: Vec<(usize, Expected)>,
}

/// Compares two surfaces and finds out which changes of the document each change follows from.
pub(crate) fn verify(causes: &[impl Cause], old: &Edition, new: &Edition) -> Verified {
    let changes = compare(old, new, &moves(causes));
    let predictions: Vec<_> = causes
        .iter()
        .map(|cause| predict(cause, old, new))
        .collect();
    let facts = Facts::of(&changes, old, new);
    let mut open: Vec<_> = predictions
        .iter()
        .map(|prediction| Explanation::of(prediction, &facts))
        .collect();
    for strength in [Strength::Plain, Strength::Far] {
        for explanation in &mut open {
            explanation.follow(strength);
        }
        // What is far away is only asked of what nothing nearer explains.
        let settled = all(&open);
        for explanation in &mut open {
            explanation.settle(&settled);
        }
    }
    let notation = Explanation::of_notation(&facts, &all(&open));
    let explained: Vec<_> = open.into_iter().map(|it| it.explained).collect();
    let notation = notation.explained;
    let is_open = |index: &usize| {
        !notation.contains(index) && !explained.iter().any(|indices| indices.contains(index))
    };
    let unexplained = (0..changes.len()).filter(is_open).collect();
    let unfulfilled = unfulfilled(&predictions, &changes);
    Verified {
        changes,
        explained,
        notation,
        unexplained,
        unfulfilled,
    }
}

fn all(explanations: &[Explanation<'_>]) -> BTreeSet<usize> {
    let explained = explanations.iter().flat_map(|it| &it.explained);
    explained.copied().collect()
}

/// The places that are known to have moved.
fn moves(causes: &[impl Cause]) -> Vec<(String, String)> {
    let mut moves = BTreeSet::new();
    for cause in causes.iter().filter(|cause| is_move(cause.rule())) {
        for (old, new) in places(cause) {
            // A renamed path parameter is another path.
            let operation = |at: &str| {
                let end = at
                    .match_indices('/')
                    .nth(3)
                    .map_or(at.len(), |(end, _)| end);
                at.starts_with("/paths/").then(|| at[..end].to_owned())
            };
            if let (Some(before), Some(after)) = (operation(&old), operation(&new))
                && before != after
            {
                moves.insert((before, after));
            }
            moves.insert((old, new));
        }
    }
    moves.into_iter().collect()
}

fn unfulfilled(predictions: &[Prediction], changes: &[Change]) -> Vec<(usize, Expected)> {
    let happened = |what: &[What], old: &Option<ItemPath>, new: &Option<ItemPath>| {
        changes.iter().any(|change| {
            what.contains(&change.what)
                && (old.is_none() || change.old == *old)
                && (new.is_none() || change.new == *new)
        })
    };
    let is_open = |expected: &&Expected| {
        let Expected { what, old, new } = expected;
        !match what {
            What::Added => happened(&[What::Added, What::Renamed], &None, new),
            What::Removed => happened(&[What::Removed, What::Renamed], old, &None),
            What::Renamed => {
                happened(&[What::Renamed], old, new)
                    || happened(&[What::Added], &None, new)
                        && happened(&[What::Removed], old, &None)
            }
            What::Changed | What::Docs => {
                happened(&[What::Changed, What::Renamed], old, &None)
                    || happened(&[What::Changed], &None, new)
            }
        }
    };
    let each = predictions.iter().enumerate();
    let open = each.flat_map(|(index, it)| {
        it.expected
            .iter()
            .filter(is_open)
            .map(move |it| (index, it.clone()))
    });
    open.collect()
}
