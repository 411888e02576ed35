//! What the changes of a document do to the generated items, and to the SDK's methods that are built on them.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::Builder;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Options;
use super::finding::{Diff, Finding, Operation, Verdict};
use super::label::harmless;
use crate::codegen;
use crate::document::Document;
use crate::progress::Progress;
use crate::surface::sdk::Sdk;
use crate::surface::{
    Calls, Cause, Change, Edition, Expected, Kind, Verified, What, calls, owner, places, verify,
    whole,
};

/// The largest document that code is generated from, in bytes of JSON. Both editions take some ten seconds then.
const SIZE_LIMIT: usize = 2_000_000;

/// The stack of a thread that generates code: that of a main thread, because schemas may be deeply nested.
const STACK: usize = 8 << 20;

/// What became of the items.
#[derive(Debug)]
pub(crate) struct Rust {
    /// All changes.
    pub(crate) changes: Vec<Change>,
    /// What follows from each finding, in their order.
    pub(crate) effects: Vec<Effect>,
    /// The worst verdict of changes that follow from no finding.
    pub(crate) rest: Verdict,
    /// Changes that follow from another notation alone.
    pub(crate) notation: Effect,
    /// Changes that no finding explains, without the parts of what came or went as a whole.
    pub(crate) unexplained: Vec<Change>,
    /// What should have happened and did not, with the index of the finding.
    pub(crate) unfulfilled: Vec<(usize, Expected)>,
    /// Both of these in words: faults of this tool.
    pub(crate) faults: Vec<String>,
}

/// What follows from one cause.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    /// The items, the worst change first, without the parts of what came or went as a whole.
    pub(crate) items: Vec<Change>,
    /// The SDK's methods and types that are built on them.
    pub(crate) users: BTreeSet<String>,
    /// Code before and after each change that breaks any.
    pub(crate) calls: Vec<Calls>,
}

/// A finding as a cause, with the operations that its indices mean.
struct Told<'a>(&'a Finding, &'a [Operation]);

impl Cause for Told<'_> {
    fn rule(&self) -> &str {
        self.0.rule.name
    }

    fn old_place(&self) -> &str {
        &self.0.old.pointer
    }

    fn new_place(&self) -> &str {
        &self.0.new.pointer
    }

    fn operations(&self) -> Vec<(String, String)> {
        let reached = self.0.operations.iter();
        let reached = reached.filter_map(|index| self.1.get(*index));
        let places = reached.filter_map(|it| Some((it.old.as_deref()?, it.new.as_deref()?)));
        places
            .map(|(old, new)| (old.to_owned(), new.to_owned()))
            .collect()
    }
}

/// Generates both editions, gives each finding its verdict for those who upgrade the crate, and tells what became of the
/// items; or why that cannot be told.
///
/// # Errors
/// If the overlay or the SDK's sources cannot be read.
pub(super) fn join(
    workspace: &Path,
    options: &Options,
    diff: &mut Diff,
    (old, new): (Document, Document),
) -> Result<Result<Rust, String>> {
    let overlay = codegen::overlay(workspace, options.overlay.as_deref(), options.no_overlay)?;
    // The overlay of the workspace is for one vendor's documents, and so are the SDK's methods.
    let own = codegen::overlay(workspace, None, false).ok().flatten();
    let is_own = own.is_some_and(|own| [&old, &new].into_iter().all(|it| own.is_for(&it.root)));
    let overlay = overlay.filter(|_| is_own || options.overlay.is_some());
    if let Some(large) = [&old, &new].into_iter().find(|it| is_large(&it.root)) {
        return Ok(Err(format!(
            "left out: {} is too large to generate both editions in seconds: more than {} MB as JSON; \
             `cargo xtask codegen` generates one however long it takes",
            large.name,
            SIZE_LIMIT / 1_000_000
        )));
    }
    let progress = Progress::start();
    let edition = |document: Document| {
        let run = codegen::generated(document, overlay.as_ref(), None, &progress)?;
        Edition::of(&run.lowered, &run.output)
    };
    let (old, new) = match both(|| edition(old), || edition(new)) {
        Ok(editions) => editions,
        Err(error) => return Ok(Err(format!("not known: {error:#}"))),
    };
    let sdk = match is_own {
        true => Sdk::read(workspace)?,
        false => Sdk::default(),
    };
    Ok(Ok(explain(diff, &old, &new, &sdk)))
}

/// Does both at the same time, since each takes as long as the other.
fn both<T: Send>(
    one: impl FnOnce() -> Result<T> + Send,
    other: impl FnOnce() -> Result<T>,
) -> Result<(T, T)> {
    std::thread::scope(|scope| {
        let thread = Builder::new().stack_size(STACK).spawn_scoped(scope, one);
        let thread = thread.context("no thread can be started to generate code in; try again")?;
        let other = other();
        let one = thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok((one, other?))
    })
}

/// Whether it would take long to generate code from a document. Its text may have comments and indentation, which cost
/// nothing.
fn is_large(root: &Value) -> bool {
    root.to_string().len() > SIZE_LIMIT
}

/// Explains the changes of the items by the findings.
pub(crate) fn explain(diff: &mut Diff, old: &Edition, new: &Edition, sdk: &Sdk) -> Rust {
    // Users of the SDK reach the generated client by `api()`.
    let client = match sdk.is_empty() {
        true => "client",
        false => "client.api()",
    };
    let told = |finding| Told(finding, &diff.operations);
    let causes: Vec<_> = diff.findings.iter().map(told).collect();
    let verified = verify(&causes, old, new);
    let own: Vec<_> = causes.iter().map(|it| own(it, old, new)).collect();
    let explained = nearest(&verified, &own);
    let effect = |indices: &BTreeSet<usize>, own: &BTreeSet<String>| {
        let changes: Vec<_> = indices
            .iter()
            .map(|index| &verified.changes[*index])
            .collect();
        let users = changes
            .iter()
            .filter(|change| change.what != What::Docs)
            .flat_map(|change| users(sdk, change, old, new))
            .collect();
        let mut items: Vec<_> = whole(changes).into_iter().cloned().collect();
        // What stands in the very place says more than what follows from it.
        items.sort_by_key(|item| (item.verdict, !own.contains(item.path())));
        let calls = calls(&items, (old, new), client);
        Effect {
            items,
            users,
            calls,
        }
    };
    let each = explained.iter().zip(&own);
    let effects: Vec<_> = each.map(|(indices, own)| effect(indices, own)).collect();
    let notation = effect(&verified.notation, &BTreeSet::new());
    let faults = faults(diff, &verified);
    for (finding, indices) in diff.findings.iter_mut().zip(&explained) {
        let verdicts = indices.iter().map(|index| verified.changes[*index].verdict);
        finding.source = Some(verdicts.min().unwrap_or(Verdict::None));
    }
    let unexplained = verified.unexplained.iter();
    let unexplained = whole(unexplained.map(|index| &verified.changes[*index]));
    let unexplained = unexplained.into_iter().cloned().collect();
    let rest = verified.changes.iter().enumerate();
    let rest = rest.filter(|(index, _)| !explained.iter().any(|it| it.contains(index)));
    let rest = rest.map(|(_, change)| change.verdict).min();
    Rust {
        rest: rest.unwrap_or(Verdict::None),
        changes: verified.changes,
        effects,
        notation,
        unexplained,
        unfulfilled: verified.unfulfilled,
        faults,
    }
}

/// The items that stand in the places of a cause.
fn own(cause: &impl Cause, old: &Edition, new: &Edition) -> BTreeSet<String> {
    let places = places(cause).into_iter();
    // What has no item of its own, such as a keyword, belongs to what it is in.
    let own = places.flat_map(|(before, after)| {
        let before = old.origins.around(&before);
        before.into_iter().chain(new.origins.around(&after))
    });
    own.collect()
}

/// What follows from each cause. The name of an operation may depend on all others, so that any cause may explain it; but
/// if one is about the operation itself, it is that one.
fn nearest(verified: &Verified, own: &[BTreeSet<String>]) -> Vec<BTreeSet<usize>> {
    let is_own = |index: usize, own: &BTreeSet<String>| {
        let change = &verified.changes[index];
        [&change.old, &change.new]
            .into_iter()
            .flatten()
            .any(|path| own.contains(owner(path).unwrap_or(path)) || own.contains(path))
    };
    let is_settled = |index: usize| {
        let of_operation = matches!(
            verified.changes[index].kind,
            Kind::Operation | Kind::Method | Kind::Builder
        );
        let mut each = verified.explained.iter().zip(own);
        of_operation && each.any(|(it, own)| it.contains(&index) && is_own(index, own))
    };
    let settled: BTreeSet<_> = (0..verified.changes.len())
        .filter(|index| is_settled(*index))
        .collect();
    let each = verified.explained.iter().zip(own);
    let keep = |(indices, own): (&BTreeSet<usize>, &BTreeSet<String>)| {
        let kept = indices.iter().copied();
        kept.filter(|index| !settled.contains(index) || is_own(*index, own))
            .collect()
    };
    each.map(keep).collect()
}

/// The SDK's methods and types that are built on an item.
fn users(sdk: &Sdk, change: &Change, old: &Edition, new: &Edition) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    for (edition, path) in [(old, &change.old), (new, &change.new)] {
        let Some(path) = path else {
            continue;
        };
        let whole = owner(path).unwrap_or(path);
        let operation = path
            .strip_prefix("Client::")
            .or_else(|| path.strip_prefix("operations::"))
            .or_else(|| edition.operation(whole));
        users.extend(match operation {
            Some(operation) => sdk.methods_of(operation),
            None => sdk.users_of(whole),
        });
        // A method may read an answer, or fill a body, without naming its type.
        let holders = edition.users(whole).filter_map(owner);
        let operations = holders.filter_map(|holder| edition.operation(holder));
        users.extend(operations.flat_map(|operation| sdk.methods_of(operation)));
    }
    users
}

/// What this tool did not foresee.
fn faults(diff: &Diff, verified: &Verified) -> Vec<String> {
    let unexplained = verified.unexplained.iter();
    let unexplained = whole(unexplained.map(|index| &verified.changes[*index]));
    let unexplained = unexplained
        .into_iter()
        .map(|change| format!("no change explains {}", item(change)));
    let unfulfilled = verified.unfulfilled.iter().map(|(index, expected)| {
        let path = expected.new.as_ref().or(expected.old.as_ref());
        let happens = match expected.what {
            What::Added => "be new",
            What::Removed => "be gone",
            What::Renamed => "have another name",
            What::Changed | What::Docs => "be different",
        };
        let finding = &diff.findings[*index];
        format!(
            "{} should {happens}, because of {} at {}",
            path.map_or("an item", String::as_str),
            finding.rule.name,
            finding.new.pointer
        )
    });
    unexplained.chain(unfulfilled).collect()
}

/// A change in words, with its verdict.
pub(super) fn item(change: &Change) -> String {
    format!("{} ({})", words(change), change.verdict.name())
}

/// A change in words.
pub(super) fn words(change: &Change) -> String {
    const LONGEST: usize = 60;
    let path = change.path();
    let signature = |text: &str| (text.len() <= LONGEST).then(|| text.to_owned());
    let text = match (
        change.what,
        signature(&change.before),
        signature(&change.after),
    ) {
        (What::Added, _, Some(after)) if path.matches("::").count() > 1 => {
            format!("{path} is new: {after}")
        }
        (What::Added, ..) => format!("{path} is new"),
        (What::Removed, ..) => format!("{path} is gone"),
        (What::Renamed, ..) => {
            format!("{} -> {path}", change.old.as_deref().unwrap_or_default())
        }
        (What::Docs, ..) => format!("{path}: other words"),
        (What::Changed, Some(before), Some(after)) => format!("{path}: {before} -> {after}"),
        (What::Changed, ..) => format!("{path}: another signature"),
    };
    harmless(&text)
}
