//! What a maintainer has to look at after an update.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Edition, snapshots};
use crate::codegen::OVERLAY;
use crate::diff::finding::{Diff, Operation, Verdict};
use crate::document::unescape;
use crate::files::Generated;
use crate::lower::plan;
use crate::overlay::AppliedAction;

/// The two editions and how they differ.
pub(super) struct Editions<'a> {
    pub(super) old: &'a Edition,
    pub(super) new: &'a Edition,
    pub(super) diff: &'a Diff,
}

/// The lists, each a line per entry.
#[derive(Debug, Default)]
pub(super) struct Review {
    /// What is odd about the file.
    notes: Vec<String>,
    /// Operations that no method of the SDK calls.
    uncovered: Vec<String>,
    /// Methods whose operation is gone.
    gone: Vec<String>,
    /// Methods whose operation changed.
    changed: Vec<String>,
    /// How many operations with methods changed compatibly.
    compatible: usize,
    /// What the code says less exactly than the new edition.
    inexact: Vec<String>,
    /// Overlay actions.
    actions: Vec<String>,
    /// Snapshots.
    snapshots: Vec<String>,
}

/// The id of an operation, which the overlay or a rule gave it. Webhooks and callbacks have none.
pub(super) fn id<'p>(plan: &'p plan::Plan, pointer: Option<&str>) -> Option<&'p str> {
    let (path, method) = pointer?.strip_prefix("/paths/")?.split_once('/')?;
    let (path, method) = (unescape(path), method.to_uppercase());
    let mut operations = plan.operations.iter();
    let found = operations.find(|(_, it)| it.method == method && it.path == *path);
    found.map(|(id, _)| id.as_str())
}

impl Review {
    /// Compares the editions with what is in the workspace.
    pub(super) fn new(
        workspace: &Path,
        editions: &Editions<'_>,
        files: &Generated,
    ) -> Result<Self> {
        let path = workspace.join(snapshots::SNAPSHOTS).join("coverage.snap");
        let coverage = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read {}, which says what methods there are",
                path.display()
            )
        })?;
        let coverage = methods(&coverage);
        let mut review = Self::default();
        let bytes = &editions.new.bytes;
        if !bytes.trim_ascii_start().starts_with(b"{") && !bytes.ends_with(b"\n") {
            review.notes.push(
                "the file does not end with a line end: check that it is complete".to_owned(),
            );
        }
        let verdicts = verdicts(editions.diff);
        for (index, operation) in editions.diff.operations.iter().enumerate() {
            review.operation(
                editions,
                &coverage,
                operation,
                verdicts.get(&index).copied(),
            );
        }
        review.changed.sort();
        review
            .changed
            .iter_mut()
            .for_each(|line| *line = line.split_off(1));
        review.inexact = inexact(editions);
        review.actions = actions(editions);
        review.snapshots = snapshots::affected(workspace, files)?
            .into_iter()
            .map(|(name, fate)| format!("{name}.snap{fate}"))
            .collect();
        Ok(review)
    }

    /// Sorts in what one operation means for the SDK.
    fn operation(
        &mut self,
        editions: &Editions<'_>,
        coverage: &BTreeMap<&str, &str>,
        operation: &Operation,
        verdict: Option<Verdict>,
    ) {
        let plan = &editions.new.lowered.plan;
        let old = id(&editions.old.lowered.plan, operation.old.as_deref());
        let new = id(plan, operation.new.as_deref());
        let name = &operation.name;
        let methods = |id: Option<&str>| id.and_then(|id| coverage.get(id));
        match (methods(old), new) {
            (Some(methods), None) => self.gone.push(format!("{name}: {methods}")),
            (Some(methods), Some(new)) => {
                let renamed = match old {
                    Some(old) if old != new => format!(", generated as `{new}` and not as `{old}`"),
                    _ => String::new(),
                };
                let verdict = verdict.unwrap_or(Verdict::None);
                if renamed.is_empty() && verdict == Verdict::Compatible {
                    self.compatible += 1;
                } else if !renamed.is_empty() || verdict < Verdict::Compatible {
                    // The digit sorts the worst first.
                    let (rank, verdict) = (verdict as u8, verdict.name());
                    self.changed
                        .push(format!("{rank}{verdict}{renamed}: {name}: {methods}"));
                }
            }
            (None, Some(new)) if methods(Some(new)).is_none() => {
                let by_rule = plan.named_by_rule.iter().any(|(id, _)| id == new);
                let hint = if by_rule {
                    ", named by rule: name it in the overlay"
                } else {
                    ""
                };
                self.uncovered.push(format!("{new} ({name}){hint}"));
            }
            _ => {}
        }
    }

    /// The lists that are not empty.
    pub(super) fn text(&self) -> String {
        let compatible = match self.compatible {
            0 => String::new(),
            count => format!("; {count} more changed compatibly"),
        };
        let lists = [
            ("the file".to_owned(), &self.notes),
            ("operations without a method of the SDK".to_owned(), &self.uncovered),
            ("methods whose operation is gone".to_owned(), &self.gone),
            (format!("methods whose operation changed{compatible}"), &self.changed),
            ("not expressed as it stands".to_owned(), &self.inexact),
            (format!("actions of {OVERLAY}"), &self.actions),
            (
                "snapshots that may change: run `INSTA_UPDATE=always cargo test -p tests`, and read `git diff tests`".to_owned(),
                &self.snapshots,
            ),
        ];
        let mut out = String::from("to review\n");
        for (title, lines) in lists {
            let counted = self.compatible > 0 && title.ends_with("compatibly");
            if lines.is_empty() && !counted {
                continue;
            }
            // Writing to a string does not fail.
            let _ = writeln!(out, "  {title}");
            for line in lines {
                let _ = writeln!(out, "    {line}");
            }
        }
        if out.lines().count() == 1 {
            out.push_str("  nothing: no code changes but its docs\n");
        }
        out
    }
}

/// Operations and their methods, from the snapshot of the SDK's coverage. Those without methods are left out.
fn methods(coverage: &str) -> BTreeMap<&str, &str> {
    let lines = coverage.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(id, methods)| (id, methods.trim()))
        .filter(|(id, methods)| !id.ends_with(':') && *methods != "-")
        .collect()
}

/// The worst verdict of what reaches each operation.
fn verdicts(diff: &Diff) -> BTreeMap<usize, Verdict> {
    let mut verdicts = BTreeMap::new();
    for finding in &diff.findings {
        for operation in &finding.operations {
            let worst = verdicts.entry(*operation).or_insert(Verdict::None);
            *worst = finding.wire.min(*worst);
        }
    }
    verdicts
}

/// What has no Rust form of its own, as far as the old edition lacked it.
fn inexact(editions: &Editions<'_>) -> Vec<String> {
    let old = &editions.old.lowered.notes;
    let mut lines = Vec::new();
    for (what, places) in &editions.new.lowered.notes {
        let known = |place: &&String| !old.get(what).is_some_and(|old| old.contains(place));
        let places: Vec<_> = places.iter().filter(known).cloned().collect();
        if !places.is_empty() {
            lines.push(format!("{what}: {}", places.join(", ")));
        }
    }
    lines
}

/// The overlay's actions that do something else than before, or nothing.
fn actions(editions: &Editions<'_>) -> Vec<String> {
    let pairs = editions
        .old
        .applied
        .actions
        .iter()
        .zip(&editions.new.applied.actions);
    let outcome = |(old, new): (&AppliedAction, &AppliedAction)| {
        let what = if new.matched == 0 {
            "matches nothing: remove or correct it".to_owned()
        } else if !new.changed {
            "changes nothing: remove it".to_owned()
        } else if new.matched != old.matched {
            format!(
                "matches {} places, before {}: check it",
                new.matched, old.matched
            )
        } else {
            return None;
        };
        Some(format!(
            "{}: {} of `{}` {what}",
            new.place, new.kind, new.target
        ))
    };
    pairs.filter_map(outcome).collect()
}
