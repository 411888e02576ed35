//! From the operations to what changed: tells which of them each change reaches, in which direction, and so how it is judged.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use anyhow::{Result, bail};
use serde_json::Value;

use super::edition::Pointer;
use super::finding::{About, Diff, Directions, Finding, Note, Site, Verdict};
use super::pairs::{Comparer, Pair, PairId};
use super::rules::Id;
use crate::document::{Document, Place};

/// The most steps from operations to changes.
const STEP_LIMIT: usize = 50_000_000;

/// What a finding is about: one cause has one key.
type Key = (Id, Pointer, Pointer, String);

/// Where a cause matters.
#[derive(Default)]
struct Reach {
    directions: Directions,
    operations: Vec<usize>,
    /// Verdicts for a request and a response, if they do not follow from the rule.
    judged: Option<(Verdict, Verdict)>,
}

/// The worst of several changes.
struct Worst {
    request: Verdict,
    response: Verdict,
    rule: Option<(Verdict, Id)>,
}

impl Default for Worst {
    fn default() -> Self {
        Self {
            request: Verdict::None,
            response: Verdict::None,
            rule: None,
        }
    }
}

impl Worst {
    fn take(&mut self, note: &Note, directions: Directions) {
        // One that is judged by others is no difference itself.
        if note.inner.is_some() {
            return;
        }
        let rule = note.rule.rule();
        let sides = [
            (directions.request, &mut self.request, rule.request),
            (directions.response, &mut self.response, rule.response),
        ];
        for (matters, worst, verdict) in sides {
            if matters {
                *worst = verdict.min(*worst);
                let this = (verdict, note.rule);
                self.rule = Some(self.rule.map_or(this, |known| known.min(this)));
            }
        }
    }
}

/// The causes, and where each of them matters.
#[derive(Default)]
struct Causes {
    numbers: BTreeMap<Key, usize>,
    /// Where each cause matters, by its number.
    reach: Vec<Reach>,
    /// Steps so far.
    steps: usize,
}

impl Causes {
    /// The number of the cause of a change.
    fn number(&mut self, note: &Note) -> usize {
        let key = (
            note.rule,
            Rc::clone(&note.old),
            Rc::clone(&note.new),
            note.text.clone(),
        );
        let next = self.numbers.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.reach.push(Reach {
                judged: note.judged,
                ..Reach::default()
            });
        }
        number
    }

    /// Says where a cause matters. Operations come in their order.
    fn add(&mut self, number: usize, directions: Directions, operation: Option<usize>) {
        self.steps += 1;
        if directions == Directions::NEITHER {
            return;
        }
        let reach = &mut self.reach[number];
        reach.directions = reach.directions.or(directions);
        if reach.operations.last() != operation.as_ref() {
            reach.operations.extend(operation);
        }
    }
}

impl<'d> Comparer<'d> {
    /// All that was found.
    pub(super) fn finish(mut self) -> Result<Diff> {
        self.judge_by_others()?;
        let causes = self.causes()?;
        let mut reach = causes.reach;
        let mut findings: Vec<_> = causes
            .numbers
            .into_iter()
            .map(|(key, number)| self.finding(key, std::mem::take(&mut reach[number])))
            .collect();
        findings.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        Ok(Diff {
            old: self.old.document.name.clone(),
            new: self.new.document.name.clone(),
            about: (about(self.old.document), about(self.new.document)),
            operations: self.operations.into_iter().map(|it| it.operation).collect(),
            schemas: self.schemas.into_iter().collect(),
            findings,
            lapsed: Vec::new(),
        })
    }

    /// Joins what has the same cause.
    fn causes(&self) -> Result<Causes> {
        let mut causes = Causes::default();
        for (note, directions) in &self.notes {
            let number = causes.number(note);
            causes.add(number, directions.and(note.mask), None);
        }
        // What no operation reaches is said all the same.
        let mut of_pairs: Vec<Vec<(usize, Directions)>> = Vec::with_capacity(self.pairs().len());
        for (pair, real) in self.pairs().iter().zip(self.real_pairs()) {
            let notes = if real { pair.notes.as_slice() } else { &[] };
            let numbers = notes.iter().map(|note| (causes.number(note), note.mask));
            of_pairs.push(numbers.collect());
        }
        let leads_to_change = self.leading_to_changes();
        for (operation, reached) in self.operations.iter().enumerate() {
            for (note, directions) in &reached.notes {
                let number = causes.number(note);
                causes.add(number, directions.and(note.mask), Some(operation));
            }
            let roots = reached.roots.iter().copied();
            let pairs = self.walk(roots, false, &mut causes.steps, |pair| {
                leads_to_change[pair]
            });
            for (pair, directions) in pairs {
                for (number, mask) in &of_pairs[pair] {
                    causes.add(*number, directions.and(*mask), Some(operation));
                }
            }
            self.check_steps(causes.steps)?;
        }
        Ok(causes)
    }

    /// Judges changes that are judged by others: places at which another schema stands, by the worst difference between
    /// the two schemas; and keywords such as `not`, of which only whether they differ is known.
    fn judge_by_others(&mut self) -> Result<()> {
        let mut steps = 0;
        let mut judged = Vec::new();
        for (number, pair) in self.pairs().iter().enumerate() {
            for (index, inner) in pair.notes.iter().enumerate().filter_map(inner) {
                let mut worst = Worst::default();
                let reached = self.walk([(inner, Directions::BOTH)], true, &mut steps, |_| true);
                for (below, directions) in reached {
                    for note in &self.pairs()[below].notes {
                        worst.take(note, directions.and(note.mask));
                    }
                }
                self.check_steps(steps)?;
                judged.push((number, index, worst));
            }
        }
        // The last ones first, because those that are no difference go.
        for (number, index, worst) in judged.into_iter().rev() {
            let notes = self.notes_of(number);
            let note = &mut notes[index];
            let verdicts = (worst.request, worst.response);
            let is_classified = note.rule != Id::NotClassified;
            match worst.rule {
                None if !is_classified => {
                    notes.remove(index);
                    continue;
                }
                Some((_, rule)) => {
                    let rule = rule.rule().name;
                    note.text
                        .push_str(&format!("; the worst difference is {rule}"));
                }
                None => {}
            }
            if is_classified || verdicts.0.min(verdicts.1) >= Verdict::Docs {
                note.judged = Some(verdicts);
            }
        }
        Ok(())
    }

    fn check_steps(&self, steps: usize) -> Result<()> {
        if steps > STEP_LIMIT {
            bail!(
                "{} and {}: too many operations and changes to tell which reaches which; compare a smaller part",
                self.old.document.name,
                self.new.document.name
            );
        }
        Ok(())
    }

    /// For each pair whether it stands somewhere in the documents, rather than between schemas that took each other's place.
    pub(super) fn real_pairs(&self) -> Vec<bool> {
        let roots = self
            .operations
            .iter()
            .flat_map(|it| it.roots.iter().map(|(pair, _)| *pair));
        let mut open: Vec<PairId> = roots.chain(self.components.iter().copied()).collect();
        let mut real = vec![false; self.pairs().len()];
        while let Some(pair) = open.pop() {
            if !std::mem::replace(&mut real[pair], true) {
                open.extend(self.pairs()[pair].below.iter().map(|(below, _)| *below));
            }
        }
        real
    }

    /// For each pair whether it or one below it changed. Only these need to be walked.
    fn leading_to_changes(&self) -> Vec<bool> {
        let mut above: Vec<Vec<PairId>> = vec![Vec::new(); self.pairs().len()];
        for (number, pair) in self.pairs().iter().enumerate() {
            for (below, _) in &pair.below {
                above[*below].push(number);
            }
        }
        let changed = |pair: &Pair| !pair.notes.is_empty();
        let mut leads: Vec<bool> = self.pairs().iter().map(changed).collect();
        let mut open: Vec<PairId> = (0..leads.len()).filter(|pair| leads[*pair]).collect();
        while let Some(pair) = open.pop() {
            for from in &above[pair] {
                if !std::mem::replace(&mut leads[*from], true) {
                    open.push(*from);
                }
            }
        }
        leads
    }

    /// The pairs that `roots` lead to, each with the ways that its values go. `inner`: also into pairs that judge others.
    /// Pairs that are not `wanted` lead nowhere.
    fn walk(
        &self,
        roots: impl IntoIterator<Item = (PairId, Directions)>,
        inner: bool,
        steps: &mut usize,
        wanted: impl Fn(PairId) -> bool,
    ) -> BTreeMap<PairId, Directions> {
        let mut reached: BTreeMap<PairId, Directions> = BTreeMap::new();
        let mut open: VecDeque<(PairId, Directions)> = roots.into_iter().collect();
        while let Some((number, directions)) = open.pop_front() {
            if directions == Directions::NEITHER || !wanted(number) {
                continue;
            }
            let known = reached.entry(number).or_default();
            let all = known.or(directions);
            if all == *known {
                continue;
            }
            *known = all;
            let pair = &self.pairs()[number];
            *steps += pair.below.len() + 1;
            open.extend(
                pair.below
                    .iter()
                    .map(|(next, mask)| (*next, all.and(*mask))),
            );
            let inner = pair
                .notes
                .iter()
                .filter_map(|note| note.inner.filter(|_| inner));
            open.extend(inner.map(|pair| (pair, all)));
        }
        reached
    }

    fn finding(&self, (id, old, new, text): Key, reach: Reach) -> Finding {
        let rule = id.rule();
        let (request, response) = reach.judged.unwrap_or((rule.request, rule.response));
        let verdict = |one: Directions| match one == Directions::REQUEST {
            true => request,
            false => response,
        };
        let is_docs = rule.request == Verdict::Docs;
        let unused = if is_docs {
            Verdict::Docs
        } else {
            Verdict::None
        };
        Finding {
            rule,
            old: site(self.old.document, old),
            new: site(self.new.document, new),
            text,
            directions: reach.directions,
            operations: reach.operations,
            wire: reach.directions.each().map(verdict).min().unwrap_or(unused),
            source: is_docs.then_some(Verdict::Docs),
            approval: None,
        }
    }
}

/// The index of a change among those of its pair, and the pair whose changes judge it.
fn inner((index, note): (usize, &Note)) -> Option<(usize, PairId)> {
    Some((index, note.inner?))
}

fn site(document: &Document, pointer: Pointer) -> Site {
    let place = document.place(&pointer);
    Site {
        place: place.unwrap_or(Place { line: 1, column: 1 }),
        pointer,
    }
}

fn about(document: &Document) -> About {
    let version = document.root.pointer("/info/version");
    About {
        sha256: document.sha256.clone(),
        version: version
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    }
}

/// By verdict, then by place in the new document.
fn sort_key(finding: &Finding) -> (Verdict, Place, Place, &str, &str) {
    (
        finding.wire,
        finding.new.place,
        finding.old.place,
        finding.rule.name,
        &finding.text,
    )
}
