//! The entry for the CHANGELOG: what users of the crates see, in the form of Keep a Changelog.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::finding::{Diff, Finding, Verdict};
use super::markdown::{code, codes, prose};
use super::rust::{Effect, Rust};
use crate::surface::{Change, Kind, What, type_of};

/// How many characters of the document's hash are shown.
const HASH: usize = 12;
/// How many Rust items a line names.
const LISTED: usize = 3;
/// The longest signature that a line shows.
const LONGEST: usize = 60;

/// Rules by which something is new for users; by the reverse of each, something is gone.
const ADDED: [&str; 20] = [
    "operation-added",
    "webhook-added",
    "callback-added",
    "required-parameter-added",
    "optional-parameter-added",
    "required-body-added",
    "optional-body-added",
    "media-type-added",
    "success-status-added",
    "error-status-added",
    "required-header-added",
    "optional-header-added",
    "required-property-added",
    "optional-property-added",
    "optional-property-admitted",
    "enum-value-added",
    "union-arm-added",
    "discriminator-value-added",
    "security-alternative-added",
    "server-added",
];

/// A heading, in the order of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Added,
    Changed,
    Deprecated,
    Removed,
}

/// The entry, in Markdown; without `rust` as far as the wire goes.
pub(crate) fn entry(diff: &Diff, rust: Option<&Rust>) -> String {
    let mut sections = BTreeMap::<Section, Vec<String>>::new();
    let mut add = |section, line: String| {
        let lines = sections.entry(section).or_default();
        // Several places may have changed in the same words.
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    let mut findings: Vec<_> = diff.findings.iter().enumerate().collect();
    findings.sort_by_key(|(_, finding)| finding.worst());
    for (index, finding) in findings {
        let effect = rust.and_then(|rust| rust.effects.get(index));
        let items = effect.map(|effect| shown(&effect.items));
        let is_seen = match &items {
            Some(items) => finding.worst() <= Verdict::Risky || !items.is_empty(),
            None => finding.wire <= Verdict::Compatible,
        };
        if is_seen {
            let section = section_of(finding);
            let items = items.unwrap_or_default();
            add(section, line(section, finding, &items, effect));
        }
    }
    // What no finding is the cause of concerns users all the same.
    for items in rust
        .into_iter()
        .flat_map(|it| [&it.notation.items, &it.unexplained])
    {
        for (section, line) in other_lines(&shown(items)) {
            add(section, line);
        }
    }
    written(diff, &sections)
}

fn written(diff: &Diff, sections: &BTreeMap<Section, Vec<String>>) -> String {
    let is_called =
        |pointer: &str| !pointer.starts_with("/webhooks/") && !pointer.contains("/callbacks/");
    let operations = diff.operations.iter().filter_map(|it| it.new.as_deref());
    let about = &diff.about.1;
    let count = operations.filter(|pointer| is_called(pointer)).count();
    let mut out = format!(
        "Document: API {}, {count} operation{}, SHA-256 `{}`.\n",
        prose(&about.version),
        if count == 1 { "" } else { "s" },
        about.sha256.get(..HASH).unwrap_or_default()
    );
    for (section, lines) in sections {
        // Writing to a string does not fail.
        let _ = writeln!(out, "\n### {section:?}\n");
        for line in lines {
            let _ = writeln!(out, "- {line}");
        }
    }
    if sections.is_empty() {
        out.push_str("\nNothing changes for users.\n");
    }
    out
}

/// One line a section for items that no finding is the cause of.
fn other_lines(items: &[&Change]) -> Vec<(Section, String)> {
    let section_of = |change: &Change| match change.what {
        What::Added => Section::Added,
        What::Removed => Section::Removed,
        What::Renamed | What::Changed | What::Docs => Section::Changed,
    };
    let mut sections = BTreeMap::<Section, Vec<&Change>>::new();
    for item in items {
        sections.entry(section_of(item)).or_default().push(item);
    }
    let line = |(section, items): (Section, Vec<&Change>)| {
        let worst = items.iter().map(|it| it.verdict).min();
        let mark = mark(worst.unwrap_or(Verdict::None));
        (section, format!("{mark}{}.", listed(&items, section)))
    };
    sections.into_iter().map(line).collect()
}

/// The items that users name. A builder and the table of operations go with the method.
fn shown<'a>(items: impl IntoIterator<Item = &'a Change>) -> Vec<&'a Change> {
    let items = items
        .into_iter()
        .filter(|it| it.what != What::Docs && it.kind != Kind::Operation);
    let items: Vec<_> = items.collect();
    let has_method = items.iter().any(|it| it.kind == Kind::Method);
    let is_shown = |it: &&&Change| !(has_method && matches!(it.kind, Kind::Builder | Kind::Send));
    items.iter().filter(is_shown).copied().collect()
}

fn section_of(finding: &Finding) -> Section {
    let rule = finding.rule;
    match rule.name {
        "deprecated" => Section::Deprecated,
        // A new demand is nothing that users get.
        name if ADDED.contains(&name) && finding.wire != Verdict::Breaking => Section::Added,
        _ if ADDED.contains(&rule.reverse.rule().name) => Section::Removed,
        _ => Section::Changed,
    }
}

fn line(section: Section, finding: &Finding, items: &[&Change], effect: Option<&Effect>) -> String {
    let mut line = format!("{}{}", mark(finding.worst()), prose(&finding.text));
    if !items.is_empty() {
        let _ = write!(line, ": {}", listed(items, section));
    }
    line.push('.');
    match effect {
        Some(effect) if !effect.users.is_empty() => {
            format!("{line} SDK: {}.", codes(&effect.users))
        }
        _ => line,
    }
}

/// What became of the first few items.
fn listed(items: &[&Change], section: Section) -> String {
    let shown = items.iter().take(LISTED).map(|it| words(it, section));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Breaking => "**Breaking:** ",
        _ => "",
    }
}

/// What became of an item.
fn words(change: &Change, section: Section) -> String {
    let path = code(change.path());
    let is_told = match section {
        Section::Deprecated => change.what == What::Changed,
        Section::Removed => change.what == What::Removed,
        Section::Added | Section::Changed => false,
    };
    match change.what {
        _ if is_told => path,
        What::Removed => format!("{path} is gone"),
        What::Renamed => format!(
            "{} is called {path}",
            code(change.old.as_deref().unwrap_or_default())
        ),
        What::Changed => format!("{path} {}", other_form(change)),
        What::Added | What::Docs => path,
    }
}

/// What an item is, and what it was.
fn other_form(change: &Change) -> String {
    let (before, after) = (
        type_of(change.kind, &change.before),
        type_of(change.kind, &change.after),
    );
    let (is, was) = match change.kind {
        Kind::Setter if before == after && change.after.starts_with("required") => {
            return "must be called".to_owned();
        }
        Kind::Setter if before == after => return "may be left out".to_owned(),
        Kind::Setter => ("takes", "took"),
        Kind::Send => ("gives", "gave"),
        Kind::Arm => ("holds", "held"),
        Kind::Struct => return "has other traits".to_owned(),
        _ => ("is", "was"),
    };
    match before.len().max(after.len()) <= LONGEST {
        true => format!("{is} {}, {was} {}", code(after), code(before)),
        false => "has another signature".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::RULES;
    use super::*;

    #[test]
    fn what_is_new_is_told_by_rules_that_exist() {
        for name in ADDED {
            assert!(RULES.iter().any(|rule| rule.name == name), "{name}");
        }
    }
}
