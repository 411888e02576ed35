//! The report as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::changelog;
use super::finding::{Diff, Finding, Operation, Verdict};
use super::label::{clean, harmless, harmless_lines, pointer};
use super::paint::Paint;
use super::rust::{Effect, Rust, item};
use super::semver::Step;

/// How many operations, Rust items and SDK methods of a finding are listed, and how many schemas.
const LISTED: usize = 3;

/// The report. `rust` is what became of the items, or why nobody knows; `step` is what that means for the version.
pub(crate) fn text(
    diff: &Diff,
    rust: Result<&Rust, &String>,
    step: Option<&Step>,
    paint: Paint,
) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, diff, rust, (step, paint));
    out
}

fn write(
    out: &mut String,
    diff: &Diff,
    rust: Result<&Rust, &String>,
    (step, paint): (Option<&Step>, Paint),
) -> std::fmt::Result {
    writeln!(out, "{} -> {}", diff.old, diff.new)?;
    writeln!(out, "{}", compared(diff))?;
    if let Err(why) = rust {
        writeln!(out, "Rust items: {}", harmless_lines(why))?;
    }
    for verdict in Verdict::ALL {
        let group: Vec<_> = diff
            .findings
            .iter()
            .enumerate()
            .filter(|(_, it)| it.worst() == verdict)
            .collect();
        if group.is_empty() {
            continue;
        }
        let heading = format!("{} ({})", verdict.name(), group.len());
        writeln!(out, "\n{}", paint.verdict(verdict, &heading))?;
        for (index, finding) in group {
            one(out, diff, finding, paint)?;
            writeln!(out, "      {}", finding.pointers(pointer))?;
            if let Some(approval) = &finding.approval {
                let reason = harmless(&approval.reason);
                writeln!(out, "      approved until {}: {reason}", approval.expires)?;
            }
            if let Some(effect) = rust.ok().and_then(|rust| rust.effects.get(index)) {
                follows(out, effect, LISTED)?;
                code(out, effect, paint)?;
            }
        }
    }
    if let Ok(rust) = rust {
        unforeseen(out, rust, paint)?;
    }
    lapsed(out, diff)?;
    writeln!(out, "\n{}", counts(diff))?;
    if let Some(step) = step {
        writeln!(out, "{}", step.text())?;
    }
    let touched: BTreeSet<&str> = diff
        .findings
        .iter()
        .filter_map(|it| it.schema().1.or(it.schema().0))
        .collect();
    if !touched.is_empty() {
        let touched = touched.into_iter().map(clean);
        writeln!(out, "schemas touched: {}", some(touched))?;
    }
    match diff.findings.is_empty() {
        true => Ok(()),
        false => write!(
            out,
            "\nentry for CHANGELOG.md\n\n{}",
            changelog::entry(diff, rust.ok())
        ),
    }
}

fn one(out: &mut String, diff: &Diff, finding: &Finding, paint: Paint) -> std::fmt::Result {
    let place = &finding.new.place;
    let direction = match finding.directions.name() {
        name if !finding.operations.is_empty() => format!(" ({name})"),
        _ => String::new(),
    };
    writeln!(
        out,
        "  {}:{}:{}: {}: {}{direction}",
        diff.new,
        place.line,
        place.column,
        finding.rule.name,
        harmless(&finding.text)
    )?;
    let old = &finding.old.place;
    let source = finding.source.map_or(String::new(), |source| {
        format!(", source {}", paint.verdict(source, source.name()))
    });
    let wire = paint.verdict(finding.wire, finding.wire.name());
    write!(
        out,
        "      wire {wire}{source}; {}:{}:{}",
        diff.old, old.line, old.column
    )?;
    let names = finding
        .operations
        .iter()
        .filter_map(|number| diff.operations.get(*number));
    let names: Vec<_> = names.map(|operation| operation.name.as_str()).collect();
    // The sentence names the only one.
    let named = matches!(names.as_slice(), [name] if finding.text.contains(name));
    if names.is_empty() || named {
        return writeln!(out);
    }
    writeln!(out, "; {}", some(names))
}

/// The items that a change leads to, and what is built on them.
fn follows(out: &mut String, effect: &Effect, listed: usize) -> std::fmt::Result {
    for change in effect.items.iter().take(listed) {
        writeln!(out, "      {}", item(change))?;
    }
    if let more @ 1.. = effect.items.len().saturating_sub(listed) {
        writeln!(out, "      and {more} more")?;
    }
    match effect.users.is_empty() {
        true => Ok(()),
        false => writeln!(out, "      SDK: {}", some(&effect.users)),
    }
}

/// The first few pieces of code that break, each as it was and as it is.
fn code(out: &mut String, effect: &Effect, paint: Paint) -> std::fmt::Result {
    for calls in effect.calls.iter().take(LISTED) {
        let before = format!("- {}", calls.before);
        writeln!(out, "      {}", paint.removed(&before))?;
        match &calls.after {
            Some(after) => writeln!(out, "      {}", paint.added(&format!("+ {after}")))?,
            None => writeln!(out, "        nothing replaces it")?,
        }
        if let Some(hint) = &calls.hint {
            writeln!(out, "        {hint}")?;
        }
    }
    match effect.calls.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "        and {more} more pieces of code"),
    }
}

/// Approvals that do not hold any more.
fn lapsed(out: &mut String, diff: &Diff) -> std::fmt::Result {
    let lapsed = &diff.lapsed;
    if !lapsed.is_empty() {
        writeln!(out, "\napprovals to look at ({})", lapsed.len())?;
    }
    lapsed
        .iter()
        .try_for_each(|it| writeln!(out, "      {}", harmless(&it.text())))
}

/// Items that change although the documents say the same, and what this tool did not foresee.
fn unforeseen(out: &mut String, rust: &Rust, paint: Paint) -> std::fmt::Result {
    let notation = &rust.notation;
    if !notation.items.is_empty() {
        let count = notation.items.len();
        writeln!(
            out,
            "\nnotation: code changes although the wire does not ({count})"
        )?;
        follows(out, notation, usize::MAX)?;
        code(out, notation, paint)?;
    }
    if !rust.faults.is_empty() {
        let count = rust.faults.len();
        writeln!(out, "\nfaults of this tool: please report ({count})")?;
        for fault in &rust.faults {
            writeln!(out, "      {}", harmless(fault))?;
        }
    }
    Ok(())
}

/// The first few of several names.
fn some<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<T> = names.by_ref().take(LISTED).collect();
    let shown: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What was compared.
pub(super) fn compared(diff: &Diff) -> String {
    let count = |missing: fn(&Operation) -> bool| match diff
        .operations
        .iter()
        .filter(|it| missing(it))
        .count()
    {
        0 => "none".to_owned(),
        count => count.to_string(),
    };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    format!(
        "{} operation{}, {} of them new, {} gone; {} schema{} in both",
        diff.operations.len(),
        plural(diff.operations.len()),
        count(|it| it.old.is_none()),
        count(|it| it.new.is_none()),
        diff.schemas.len(),
        plural(diff.schemas.len()),
    )
}

/// How many changes there are of each verdict.
pub(super) fn counts(diff: &Diff) -> String {
    if diff.findings.is_empty() {
        return "no changes".to_owned();
    }
    let parts = Verdict::ALL.into_iter().filter_map(|verdict| {
        let count = diff
            .findings
            .iter()
            .filter(|it| it.worst() == verdict)
            .count();
        (count > 0).then(|| format!("{count} {}", verdict.name()))
    });
    let plural = if diff.findings.len() == 1 { "" } else { "s" };
    let parts: Vec<_> = parts.collect();
    let approved = diff.findings.iter().filter(|it| it.approval.is_some());
    let approved = match approved.count() {
        0 => String::new(),
        count => format!("; {count} approved"),
    };
    format!(
        "{} change{plural}: {}{approved}",
        diff.findings.len(),
        parts.join(", ")
    )
}
