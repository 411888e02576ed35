//! The schemas of two documents as pairs: each pair is compared once, and leads to the pairs below it.
//!
//! So recursion ends, a schema used a thousand times costs no more than one, and a cause is one finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use anyhow::{Result, bail};

use super::edition::{Edition, Pointer, SiteId, component_name};
use super::finding::{Directions, Note, Operation};
use super::label::{clean, label};
use super::rules::Id;
use super::shape::Shape;
use super::unions::are_alike;
use crate::document::Document;

/// The most pairs that are compared.
const PAIR_LIMIT: usize = 1_000_000;

/// Number of a pair.
pub(super) type PairId = usize;

/// Two schemas that stand in the same place.
pub(super) struct Pair {
    pub(super) old: SiteId,
    pub(super) new: SiteId,
    /// Whether `null` is judged elsewhere.
    pub(super) null_is_settled: bool,
    /// If another schema took the place of one that is still there: where, and the pair of the two.
    pub(super) replaced: Option<Replaced>,
    pub(super) notes: Vec<Note>,
    pub(super) below: Vec<(PairId, Directions)>,
}

/// A place at which one schema took the place of another.
#[derive(Clone)]
pub(super) struct Replaced {
    pub(super) old: Pointer,
    pub(super) new: Pointer,
    /// The pair of the two schemas. Its changes are no changes of the documents; the worst of them judges this one.
    pub(super) inner: PairId,
}

/// Two shapes that are being compared.
pub(super) struct View<'d> {
    pub(super) pair: PairId,
    pub(super) old: Rc<Shape<'d>>,
    pub(super) new: Rc<Shape<'d>>,
}

/// An operation of either document or both, with what was found in it and the schemas that it uses.
pub(super) struct Reached {
    pub(super) operation: Operation,
    pub(super) notes: Vec<(Note, Directions)>,
    pub(super) roots: Vec<(PairId, Directions)>,
}

/// Compares two documents.
pub(super) struct Comparer<'d> {
    pub(super) old: Edition<'d>,
    pub(super) new: Edition<'d>,
    pub(super) operations: Vec<Reached>,
    /// What belongs to no operation, and the ways that it matters.
    pub(super) notes: Vec<(Note, Directions)>,
    pub(super) schemas: BTreeMap<String, String>,
    /// Tags that have another name: old and new.
    pub(super) renamed_tags: BTreeMap<&'d str, &'d str>,
    /// Security schemes that have another name: new and old.
    pub(super) renamed_schemes: BTreeMap<&'d str, &'d str>,
    /// Pairs that are compared though no operation may lead to them: component schemas.
    pub(super) components: Vec<PairId>,
    /// Changes of path that several operations have in common, with their number.
    pub(super) moves: BTreeMap<(String, String), usize>,
    pairs: Vec<Pair>,
    index: HashMap<(SiteId, SiteId, bool), PairId>,
    replaced: HashMap<(Pointer, Pointer), PairId>,
    /// Pairs before this one have been compared.
    compared: usize,
}

impl<'d> Comparer<'d> {
    pub(super) fn new(old: &'d Document, new: &'d Document) -> Self {
        Self {
            old: Edition::new(old),
            new: Edition::new(new),
            operations: Vec::new(),
            notes: Vec::new(),
            schemas: BTreeMap::new(),
            renamed_tags: BTreeMap::new(),
            renamed_schemes: BTreeMap::new(),
            components: Vec::new(),
            moves: BTreeMap::new(),
            pairs: Vec::new(),
            index: HashMap::new(),
            replaced: HashMap::new(),
            compared: 0,
        }
    }

    /// The pair of two schemas; it is compared sooner or later.
    pub(super) fn pair(&mut self, old: &[Pointer], new: &[Pointer]) -> Result<PairId> {
        let (old_site, new_site) = (self.old.site(old)?, self.new.site(new)?);
        let inner = self.pair_of(old_site, new_site, false)?;
        if !self.is_replaced(old_site, new_site)? {
            return Ok(inner);
        }
        let at = (Rc::clone(&old[0]), Rc::clone(&new[0]));
        if let Some(pair) = self.replaced.get(&at) {
            return Ok(*pair);
        }
        let replaced = Replaced {
            old: Rc::clone(&at.0),
            new: Rc::clone(&at.1),
            inner,
        };
        let pair = self.add_pair(old_site, new_site, false, Some(replaced))?;
        self.replaced.insert(at, pair);
        Ok(pair)
    }

    pub(super) fn pair_of(
        &mut self,
        old: SiteId,
        new: SiteId,
        null_is_settled: bool,
    ) -> Result<PairId> {
        let key = (old, new, null_is_settled);
        if let Some(pair) = self.index.get(&key) {
            return Ok(*pair);
        }
        let pair = self.add_pair(old, new, null_is_settled, None)?;
        self.index.insert(key, pair);
        Ok(pair)
    }

    fn add_pair(
        &mut self,
        old: SiteId,
        new: SiteId,
        null_is_settled: bool,
        replaced: Option<Replaced>,
    ) -> Result<PairId> {
        let pair = self.pairs.len();
        if pair >= PAIR_LIMIT {
            bail!(
                "{} and {}: more than {PAIR_LIMIT} pairs of schemas to compare; split the documents",
                self.old.document.name,
                self.new.document.name
            );
        }
        self.pairs.push(Pair {
            old,
            new,
            null_is_settled,
            replaced,
            notes: Vec::new(),
            below: Vec::new(),
        });
        Ok(pair)
    }

    /// Whether two schemas are different components, at least one of which is in both documents, with another shape.
    fn is_replaced(&mut self, old: SiteId, new: SiteId) -> Result<bool> {
        let (old_at, new_at) = (self.old.origin(old), self.new.origin(new));
        let are_components = component_name(&old_at).is_some() && component_name(&new_at).is_some();
        if old_at == new_at || !are_components {
            return Ok(false);
        }
        let stayed = self.new.value(&old_at).is_some() || self.old.value(&new_at).is_some();
        // Else it is a schema with another name, unless there is no likeness.
        let replaced = stayed || !are_alike(&self.old.shape(old), &self.new.shape(new));
        Ok(replaced && self.old.fingerprint(old)? != self.new.fingerprint(new)?)
    }

    /// Whether two schemas are compared as one that stayed.
    pub(super) fn are_paired(&self, old: SiteId, new: SiteId) -> bool {
        self.index.contains_key(&(old, new, false)) || self.index.contains_key(&(old, new, true))
    }

    pub(super) fn get(&self, pair: PairId) -> &Pair {
        &self.pairs[pair]
    }

    /// The changes of a pair itself.
    pub(super) fn notes_of(&mut self, pair: PairId) -> &mut Vec<Note> {
        &mut self.pairs[pair].notes
    }

    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Compares all pairs that wait, and those that they lead to.
    pub(super) fn compare_pairs(&mut self) -> Result<()> {
        while let Some(pair) = self.pairs.get(self.compared) {
            let (old, new) = (pair.old, pair.new);
            if let Some(replaced) = pair.replaced.clone() {
                self.note_replaced(self.compared, old, new, &replaced);
                self.compared += 1;
                continue;
            }
            let view = View {
                pair: self.compared,
                old: self.old.shape(old),
                new: self.new.shape(new),
            };
            self.compared += 1;
            self.compare(&view)?;
        }
        Ok(())
    }

    /// Adds the change of a place at which another schema stands.
    fn note_replaced(&mut self, pair: PairId, old: SiteId, new: SiteId, replaced: &Replaced) {
        let before = self.old.component(old).unwrap_or_default();
        let after = self.new.component(new).unwrap_or_default();
        let owner = label(self.new.document, &replaced.new);
        let text = format!(
            "`{owner}` is a `{}`, was a `{}`",
            clean(after),
            clean(before)
        );
        let mut note = Note::new(
            Id::ReferenceChanged,
            &replaced.old,
            &replaced.new,
            text,
            Directions::BOTH,
        );
        note.inner = Some(replaced.inner);
        self.pairs[pair].notes.push(note);
    }

    /// Adds a change of the pair itself.
    pub(super) fn note(&mut self, view: &View<'d>, note: Note) {
        self.pairs[view.pair].notes.push(note);
    }

    /// The sentences about references that pairs of schemas have met.
    pub(super) fn broken_references_met(&self) -> BTreeSet<String> {
        let real = self.pairs.iter().zip(self.real_pairs());
        let notes = real
            .filter(|(_, real)| *real)
            .flat_map(|(pair, _)| &pair.notes);
        let about =
            notes.filter(|note| matches!(note.rule, Id::ReferenceBroken | Id::ReferenceMended));
        about.map(|note| note.text.clone()).collect()
    }

    /// Adds a pair below another one.
    pub(super) fn lead(&mut self, view: &View<'d>, below: PairId, mask: Directions) {
        self.pairs[view.pair].below.push((below, mask));
    }
}
