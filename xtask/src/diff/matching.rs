//! Pairs up what two lists have in common, by one key after another.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// What is not paired up yet, as indices into the two lists, and what is.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    pub(super) old: Vec<usize>,
    pub(super) new: Vec<usize>,
    pub(super) pairs: Vec<(usize, usize)>,
}

/// What to do with a key that several entries have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    /// Pair them up in their order.
    InOrder,
    /// Leave them.
    Leave,
}

impl Matching {
    pub(super) fn new(old: usize, new: usize) -> Self {
        Self {
            old: (0..old).collect(),
            new: (0..new).collect(),
            pairs: Vec::new(),
        }
    }

    /// Whether one of the lists is used up.
    pub(super) fn is_done(&self) -> bool {
        self.old.is_empty() || self.new.is_empty()
    }

    /// Pairs up two entries.
    pub(super) fn take(&mut self, old: usize, new: usize) {
        self.old.retain(|index| *index != old);
        self.new.retain(|index| *index != new);
        self.pairs.push((old, new));
    }

    /// Pairs up entries with the same key, and gives the pairs. The keys are those of `old` and `new`, in this order.
    pub(super) fn by<K: Eq + Hash>(
        &mut self,
        old_keys: Vec<Option<K>>,
        new_keys: Vec<Option<K>>,
        repeated: Repeated,
    ) -> Vec<(usize, usize)> {
        let mut groups: HashMap<K, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (index, key) in self.old.iter().zip(old_keys) {
            if let Some(key) = key {
                groups.entry(key).or_default().0.push(*index);
            }
        }
        for (index, key) in self.new.iter().zip(new_keys) {
            if let Some(key) = key {
                groups.entry(key).or_default().1.push(*index);
            }
        }
        let mut pairs: Vec<(usize, usize)> = groups
            .into_values()
            .filter(|(old, new)| {
                repeated == Repeated::InOrder || (old.len() == 1 && new.len() == 1)
            })
            .flat_map(|(old, new)| old.into_iter().zip(new))
            .collect();
        pairs.sort_unstable();
        let (old, new): (HashSet<_>, HashSet<_>) = pairs.iter().copied().unzip();
        self.old.retain(|index| !old.contains(index));
        self.new.retain(|index| !new.contains(index));
        self.pairs.extend(&pairs);
        pairs
    }
}

/// A name without case, underscores and hyphens.
pub(super) fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}
