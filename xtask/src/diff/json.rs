//! The report as JSON. Its schema is published as `xtask/diff.schema.json`.
//!
//! Members are only added as long as [`FORMAT`] stays: who reads it should pass over what it does not know.

use std::collections::BTreeSet;

use serde::Serialize;

use super::approvals::{self, Why};
use super::changelog;
use super::finding::{self, Diff, Directions, Verdict};
use super::label::steers;
use super::rust::{self, Rust};
use super::semver::Step;
use crate::document::{Place, unescape};
use crate::surface::{self, Change, Kind, What};

/// Grows when a member goes or gets another meaning.
const FORMAT: u32 = 1;

/// What `cargo xtask diff --format json` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Report<'a> {
    /// The version of this format. It grows when a member goes or gets another meaning; members may come at any time.
    format: u32,
    /// The old document.
    old: Document<'a>,
    /// The new document.
    new: Document<'a>,
    /// How many operations were compared.
    operations: Operations,
    /// The changes, one for each cause, sorted by the verdict on the wire, then by place.
    findings: Vec<Finding<'a>>,
    /// Items that change although the documents say the same in other words.
    notation: Effect<'a>,
    /// Items that change and that no finding explains: faults of this tool, of which `verified` is false.
    unexplained: Vec<Item<'a>>,
    /// What should have become of items and did not: faults of this tool.
    unfulfilled: Vec<Unfulfilled<'a>>,
    /// Approvals that do not hold any more. They approve nothing.
    lapsed: Vec<Lapsed<'a>>,
    /// How many findings there are of each verdict, the worse one of wire and source.
    counts: Counts,
    /// How many findings no rule judges; they have the rule `not-classified`.
    not_classified: usize,
    /// Why Rust items, source verdicts and version are not known; null if they are.
    items_unknown: Option<&'a str>,
    /// The version that follows from the items; null if they are not known.
    version: Option<&'a Step>,
    /// An entry for the CHANGELOG, in Markdown.
    changelog: String,
}

/// A document that was compared.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// The name by which it was given: a path, or `git:REV`.
    name: &'a str,
    /// SHA-256 of its text, in hex.
    sha256: &'a str,
}

/// Numbers of operations, webhooks and callbacks among them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Operations {
    /// In either document.
    all: usize,
    /// In the new document only.
    added: usize,
    /// In the old document only.
    removed: usize,
}

/// A change and all that it reaches.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Finding<'a> {
    /// The kind of change; `cargo xtask diff --rules` lists them. A name never changes its meaning.
    rule: &'static str,
    /// Which ways it matters, seen from a program that uses the API.
    direction: Direction,
    /// What it does to a deployed program that meets the new server.
    wire: Verdict,
    /// What it does to somebody who upgrades the crate; null if the items are not known.
    source: Option<Verdict>,
    /// Where it is in the old document, or where it would be.
    old: Site<'a>,
    /// Where it is in the new document, or where it would be.
    new: Site<'a>,
    /// What changed, in words. Names are in backticks.
    sentence: &'a str,
    /// The operations that it reaches.
    operations: Vec<Operation<'a>>,
    /// Why it is taken as it is; null if nobody said so. Then it counts for `--fail-on`.
    approval: Option<Approval<'a>>,
    /// What follows from it in Rust.
    #[serde(flatten)]
    effect: Effect<'a>,
}

/// A change that is known and taken.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Approval<'a> {
    /// Why.
    reason: &'a str,
    /// The last day on which this holds, as YYYY-MM-DD.
    expires: String,
}

/// An entry of the approvals file that does not hold any more.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Lapsed<'a> {
    /// Why not.
    why: Why,
    /// The rule that it names.
    rule: &'static str,
    /// The JSON pointer that it names.
    place: &'a str,
    /// Why the change was taken.
    reason: &'a str,
    /// Its last day, as YYYY-MM-DD.
    expires: String,
    /// The file that has it.
    file: &'a str,
    /// Its line in the file, from 1.
    line: usize,
    /// Its column in the line, from 1, in characters.
    column: usize,
}

/// The way that a value goes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Direction {
    /// Programs send it.
    Request,
    /// Programs receive it.
    Response,
    /// Both.
    Both,
    /// No operation uses it.
    None,
}

/// A place in a document.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Site<'a> {
    /// From 1. Of what is missing, the line of what it would be in.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// JSON pointer.
    pointer: &'a str,
}

/// An operation, by its new method and path if it has two.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Operation<'a> {
    /// In words: `POST /v1/sessions`, `webhook done POST`.
    name: &'a str,
    /// The HTTP method, in capitals.
    method: String,
    /// The path; the name of a webhook, or the expression of a callback.
    path: String,
}

/// What follows from a cause in Rust.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Effect<'a> {
    /// The items of the generated crate, the worst change first, without the parts of what came or went as a whole.
    items: Vec<Item<'a>>,
    /// The SDK's methods and types that are built on them.
    sdk: &'a BTreeSet<String>,
    /// Code before and after each change that breaks any.
    calls: Vec<Calls<'a>>,
}

/// A public item of the generated crate, and what became of it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Item<'a> {
    /// What it is.
    kind: Kind,
    /// Its path, the new one if it has two.
    path: &'a str,
    /// What happened.
    what: What,
    /// What it was; null for a new one.
    old: Option<Form<'a>>,
    /// What it is; null for one that is gone.
    new: Option<Form<'a>>,
    /// What it does to code that uses the crate.
    verdict: Verdict,
    /// Why it is judged so.
    why: &'static str,
    /// Whether the change was seen in the generated code and is explained by the documents.
    verified: bool,
}

/// An item in one edition of the crate.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Form<'a> {
    /// Its path.
    path: &'a str,
    /// All that matters to code that uses it: of a field its type, of a setter whether it is required, and its type.
    signature: &'a str,
}

/// Code that uses an item.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Calls<'a> {
    /// The path of the item, the new one if it has two.
    item: &'a str,
    /// Rust for the old edition. Names of values are placeholders.
    before: &'a str,
    /// Rust for the new edition; null if nothing replaces it.
    after: Option<&'a str>,
    /// What the code does not say.
    hint: Option<&'a str>,
}

/// What should have become of an item.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Unfulfilled<'a> {
    /// Index of the finding because of which it was expected.
    finding: usize,
    /// What was expected.
    what: What,
    /// The path of the old item; null for a new one.
    old: Option<&'a str>,
    /// The path of the new item; null for one that goes.
    new: Option<&'a str>,
}

/// Numbers of findings by verdict, and of those that are approved.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Counts {
    /// Programs that are in order stop working, or code does not compile.
    breaking: usize,
    /// Some programs may stop working.
    risky: usize,
    /// No program notices, unless it uses what is new.
    compatible: usize,
    /// Only readers notice.
    docs: usize,
    /// Nobody notices.
    none: usize,
    /// Those of all verdicts that are approved.
    approved: usize,
}

static NOBODY: BTreeSet<String> = BTreeSet::new();

/// The report, indented. What would steer a terminal is escaped.
///
/// # Errors
/// None that are known of: it is plain data.
pub(crate) fn json(
    diff: &Diff,
    rust: Result<&Rust, &String>,
    step: Option<&Step>,
) -> serde_json::Result<String> {
    let plain = serde_json::to_string_pretty(&report(diff, rust, step))?;
    let mut out = String::with_capacity(plain.len() + 1);
    for character in plain.chars() {
        // Such characters stand in strings only, but for the ends of lines.
        match steers(character) && character != '\n' {
            true => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            false => out.push(character),
        }
    }
    out.push('\n');
    Ok(out)
}

fn report<'a>(
    diff: &'a Diff,
    rust: Result<&'a Rust, &'a String>,
    step: Option<&'a Step>,
) -> Report<'a> {
    let known = rust.ok();
    let count = |missing: fn(&finding::Operation) -> bool| {
        diff.operations.iter().filter(|it| missing(it)).count()
    };
    let findings = diff.findings.iter().enumerate();
    let findings =
        findings.map(|(index, it)| one(diff, it, known.and_then(|rust| rust.effects.get(index))));
    let classified = |it: &&finding::Finding| it.rule.name != "not-classified";
    Report {
        format: FORMAT,
        old: Document {
            name: &diff.old,
            sha256: &diff.about.0.sha256,
        },
        new: Document {
            name: &diff.new,
            sha256: &diff.about.1.sha256,
        },
        operations: Operations {
            all: diff.operations.len(),
            added: count(|it| it.old.is_none()),
            removed: count(|it| it.new.is_none()),
        },
        findings: findings.collect(),
        notation: effect(known.map(|rust| &rust.notation)),
        unexplained: known
            .into_iter()
            .flat_map(|rust| &rust.unexplained)
            .map(|change| item(change, false))
            .collect(),
        unfulfilled: unfulfilled(known),
        lapsed: diff.lapsed.iter().map(lapsed).collect(),
        counts: counts(diff),
        not_classified: diff.findings.len() - diff.findings.iter().filter(classified).count(),
        items_unknown: rust.err().map(String::as_str),
        version: step,
        changelog: changelog::entry(diff, known),
    }
}

fn one<'a>(
    diff: &'a Diff,
    finding: &'a finding::Finding,
    known: Option<&'a rust::Effect>,
) -> Finding<'a> {
    let operations = finding.operations.iter();
    let operations = operations.filter_map(|index| diff.operations.get(*index));
    Finding {
        rule: finding.rule.name,
        direction: direction(finding.directions),
        wire: finding.wire,
        source: finding.source,
        old: site(&finding.old),
        new: site(&finding.new),
        sentence: &finding.text,
        operations: operations.map(operation).collect(),
        approval: finding.approval.as_deref().map(|it| Approval {
            reason: &it.reason,
            expires: it.expires.to_string(),
        }),
        effect: effect(known),
    }
}

fn direction(directions: Directions) -> Direction {
    match (directions.request, directions.response) {
        (true, true) => Direction::Both,
        (true, false) => Direction::Request,
        (false, true) => Direction::Response,
        (false, false) => Direction::None,
    }
}

fn site(site: &finding::Site) -> Site<'_> {
    let Place { line, column } = site.place;
    Site {
        line,
        column,
        pointer: &site.pointer,
    }
}

fn operation(operation: &finding::Operation) -> Operation<'_> {
    let pointer = operation.new.as_deref().or(operation.old.as_deref());
    let mut tokens = pointer.unwrap_or_default().rsplit('/').map(unescape);
    let mut token = || tokens.next().unwrap_or_default();
    Operation {
        name: &operation.name,
        method: token().to_uppercase(),
        path: token().into_owned(),
    }
}

fn effect(effect: Option<&rust::Effect>) -> Effect<'_> {
    let Some(effect) = effect else {
        return Effect {
            items: Vec::new(),
            sdk: &NOBODY,
            calls: Vec::new(),
        };
    };
    Effect {
        items: effect.items.iter().map(|it| item(it, true)).collect(),
        sdk: &effect.users,
        calls: effect.calls.iter().map(calls).collect(),
    }
}

fn item(change: &Change, verified: bool) -> Item<'_> {
    fn form<'a>(path: Option<&'a String>, signature: &'a str) -> Option<Form<'a>> {
        path.map(|path| Form { path, signature })
    }
    Item {
        kind: change.kind,
        path: change.path(),
        what: change.what,
        old: form(change.old.as_ref(), &change.before),
        new: form(change.new.as_ref(), &change.after),
        verdict: change.verdict,
        why: change.why,
        verified,
    }
}

fn calls(calls: &surface::Calls) -> Calls<'_> {
    Calls {
        item: &calls.item,
        before: &calls.before,
        after: calls.after.as_deref(),
        hint: calls.hint.as_deref(),
    }
}

fn unfulfilled(rust: Option<&Rust>) -> Vec<Unfulfilled<'_>> {
    let open = rust.into_iter().flat_map(|rust| &rust.unfulfilled);
    let open = open.map(|(finding, expected)| Unfulfilled {
        finding: *finding,
        what: expected.what,
        old: expected.old.as_deref(),
        new: expected.new.as_deref(),
    });
    open.collect()
}

fn lapsed(lapsed: &approvals::Lapsed) -> Lapsed<'_> {
    let approval = &*lapsed.approval;
    let Place { line, column } = approval.at;
    Lapsed {
        why: lapsed.why,
        rule: approval.rule,
        place: &approval.place,
        reason: &approval.reason,
        expires: approval.expires.to_string(),
        file: &approval.file,
        line,
        column,
    }
}

fn counts(diff: &Diff) -> Counts {
    let mut counts = Counts::default();
    for finding in &diff.findings {
        let count = match finding.worst() {
            Verdict::Breaking => &mut counts.breaking,
            Verdict::Risky => &mut counts.risky,
            Verdict::Compatible => &mut counts.compatible,
            Verdict::Docs => &mut counts.docs,
            Verdict::None => &mut counts.none,
        };
        *count += 1;
        counts.approved += usize::from(finding.approval.is_some());
    }
    counts
}
