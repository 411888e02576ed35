//! What `codegen` tells about its run.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::codegen::{Options, Run};
use crate::files::Changes;
use crate::generate::GENERATOR;
use crate::overlay::AppliedAction;

/// How many places of one kind are listed.
const LISTED: usize = 3;

/// The summary.
pub(crate) fn text(run: &Run, changes: &Changes, options: &Options, elapsed: Duration) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, run, changes, options, elapsed);
    out
}

fn write(
    out: &mut String,
    run: &Run,
    changes: &Changes,
    options: &Options,
    elapsed: Duration,
) -> std::fmt::Result {
    let plan = &run.lowered.plan;
    writeln!(
        out,
        "{}: {} operations, {} types (API {}, {GENERATOR}, {:.1} s)",
        run.document.name,
        plan.operations.len(),
        run.output.types,
        plan.api_version,
        elapsed.as_secs_f64(),
    )?;
    overlay(out, run)?;
    let rules = run.lowered.matches.iter().filter(|(_, count)| *count > 0);
    let rules: Vec<_> = rules
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    writeln!(out, "rules:    {}", wrapped(&rules))?;
    if !plan.named_by_rule.is_empty() {
        writeln!(out, "named by rule (name them in the overlay):")?;
        for (id, operation) in &plan.named_by_rule {
            writeln!(out, "  {id}  {operation}")?;
        }
    }
    let forms: Vec<_> = plan
        .operations
        .iter()
        .filter(|(_, operation)| operation.form.is_some())
        .map(|(id, _)| id.clone())
        .collect();
    if !forms.is_empty() {
        writeln!(out, "multipart, as typed forms: {}", forms.join(", "))?;
    }
    if !run.lowered.notes.is_empty() {
        writeln!(out, "not expressed as it stands:")?;
        for (what, places) in &run.lowered.notes {
            writeln!(out, "  {what}: {}", some(places))?;
        }
    }
    files(out, changes, options)
}

fn overlay(out: &mut String, run: &Run) -> std::fmt::Result {
    let actions = &run.applied.actions;
    if actions.is_empty() {
        return Ok(());
    }
    let matched: usize = actions.iter().map(|action| action.matched).sum();
    writeln!(out, "overlay:  {} actions, {matched} places", actions.len())?;
    for action in run.applied.stale() {
        writeln!(out, "  stale: {} matches nothing: remove it", named(action))?;
    }
    for action in run.applied.superfluous() {
        writeln!(
            out,
            "  superfluous: {} changes nothing: remove it",
            named(action)
        )?;
    }
    Ok(())
}

/// An action by place, number, kind and target, with its reason.
fn named(action: &AppliedAction) -> String {
    let reason = action
        .description
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default();
    format!(
        "{}: action {}, {} of `{}`{reason}",
        action.place,
        action.index + 1,
        action.kind,
        action.target
    )
}

fn files(out: &mut String, changes: &Changes, options: &Options) -> std::fmt::Result {
    let changed = changes.stale.len() + changes.missing.len() + changes.extra.len();
    let (changed_word, missing_word, extra_word) = match options.check {
        true => ("stale", "missing", "extra"),
        false => ("changed", "new", "removed"),
    };
    writeln!(
        out,
        "files:    {} unchanged, {changed} not",
        changes.unchanged
    )?;
    let kinds = [
        (changed_word, &changes.stale),
        (missing_word, &changes.missing),
        (extra_word, &changes.extra),
    ];
    for (word, paths) in kinds {
        for path in paths {
            writeln!(out, "  {word}: {}", shown(path))?;
        }
    }
    if options.check && changed > 0 {
        writeln!(out, "run `cargo xtask codegen`")?;
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

fn some(places: &[String]) -> String {
    let more = places.len().saturating_sub(LISTED);
    let listed = places[..places.len() - more].join(", ");
    if more > 0 {
        format!("{listed} and {more} more")
    } else {
        listed
    }
}

/// Words in lines of a readable length, indented under the first.
fn wrapped(words: &[String]) -> String {
    let mut out = String::new();
    let mut length = 10;
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
            length += 2;
        }
        if length + word.len() > 98 {
            out.truncate(out.trim_end().len());
            out.push_str("\n          ");
            length = 10;
        }
        out.push_str(word);
        length += word.len();
    }
    out
}
