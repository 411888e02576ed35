//! The report as Markdown, for a comment on a pull request.
//!
//! Text of the documents stands in code spans, where nothing of it is a link, a mention or HTML. What this tool says itself
//! stands outside.

use std::fmt::Write as _;

use super::changelog;
use super::finding::{Diff, Finding, Verdict};
use super::label::{harmless, pointer};
use super::report::{compared, counts};
use super::rust::{Effect, Rust, words};
use super::semver::Step;

/// How many operations, Rust items, SDK methods and calls of a finding are listed.
const LISTED: usize = 3;

/// The report.
pub(crate) fn markdown(diff: &Diff, rust: Result<&Rust, &String>, step: Option<&Step>) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, diff, rust, step);
    out
}

fn write(
    out: &mut String,
    diff: &Diff,
    rust: Result<&Rust, &String>,
    step: Option<&Step>,
) -> std::fmt::Result {
    writeln!(out, "## {} to {}\n", code(&diff.old), code(&diff.new))?;
    writeln!(out, "{}. {}.", prose(&compared(diff)), prose(&counts(diff)))?;
    if let Err(why) = rust {
        let lines: Vec<_> = why.lines().map(|line| prose(line.trim())).collect();
        writeln!(out, "\nRust items: {}", lines.join("\n- "))?;
    }
    if let Some(step) = step {
        let text = step.text().replace('\n', ". ");
        writeln!(out, "\nNext {text}.")?;
    }
    for verdict in Verdict::ALL {
        let findings = diff.findings.iter().enumerate();
        let group: Vec<_> = findings.filter(|(_, it)| it.worst() == verdict).collect();
        if group.is_empty() {
            continue;
        }
        writeln!(out, "\n### {} ({})\n", verdict.name(), group.len())?;
        for (index, finding) in group {
            one(out, diff, finding)?;
            if let Some(effect) = rust.ok().and_then(|rust| rust.effects.get(index)) {
                follows(out, effect, LISTED)?;
            }
        }
    }
    if let Ok(rust) = rust {
        unforeseen(out, rust)?;
    }
    if !diff.lapsed.is_empty() {
        writeln!(out, "\n### approvals to look at ({})\n", diff.lapsed.len())?;
    }
    for lapsed in &diff.lapsed {
        writeln!(out, "- {}", code(&lapsed.text()))?;
    }
    let entry = changelog::entry(diff, rust.ok());
    // Each line of the entry begins with words of this tool, so that none of them ends the block.
    writeln!(
        out,
        "\n### Entry for CHANGELOG.md\n\n````markdown\n{entry}````"
    )
}

fn one(out: &mut String, diff: &Diff, finding: &Finding) -> std::fmt::Result {
    let direction = match finding.directions.name() {
        name if !finding.operations.is_empty() => format!(" ({name})"),
        _ => String::new(),
    };
    let text = prose(&finding.text);
    writeln!(out, "- {}: {text}{direction}", code(finding.rule.name))?;
    let place = |name: &str, at: &crate::document::Place| {
        code(&format!("{name}:{}:{}", at.line, at.column))
    };
    let source = finding.source.map_or(String::new(), |source| {
        format!(", source {}", source.name())
    });
    write!(
        out,
        "  - wire {}{source}; {}, before {}",
        finding.wire.name(),
        place(&diff.new, &finding.new.place),
        place(&diff.old, &finding.old.place)
    )?;
    let names = finding.operations.iter();
    let names = names.filter_map(|number| Some(&diff.operations.get(*number)?.name));
    let names: Vec<_> = names.collect();
    match names.is_empty() {
        true => writeln!(out)?,
        false => writeln!(out, "; {}", codes(names))?,
    }
    let shown = |text: &str| code(&pointer(text));
    writeln!(out, "  - {}", finding.pointers(shown))?;
    let Some(approval) = &finding.approval else {
        return Ok(());
    };
    let reason = code(&approval.reason);
    writeln!(out, "  - approved until {}: {reason}", approval.expires)
}

/// The items that a change leads to, what is built on them, and the code before and after.
fn follows(out: &mut String, effect: &Effect, listed: usize) -> std::fmt::Result {
    for change in effect.items.iter().take(listed) {
        let verdict = change.verdict.name();
        writeln!(out, "  - {} ({verdict})", code(&words(change)))?;
    }
    if let more @ 1.. = effect.items.len().saturating_sub(listed) {
        writeln!(out, "  - and {more} more")?;
    }
    if !effect.users.is_empty() {
        writeln!(out, "  - SDK: {}", codes(&effect.users))?;
    }
    for calls in effect.calls.iter().take(LISTED) {
        let after = calls.after.as_deref();
        // Code has names and types only, no text of the documents.
        let after = after.map_or(String::new(), |after| format!("  + {after}\n"));
        write!(out, "\n  ```diff\n  - {}\n{after}  ```\n", calls.before)?;
        match (&calls.hint, &calls.after) {
            (Some(hint), _) => writeln!(out, "\n  {hint}")?,
            (None, None) => writeln!(out, "\n  nothing replaces it")?,
            (None, Some(_)) => {}
        }
    }
    match effect.calls.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "\n  and {more} more pieces of code"),
    }
}

/// Items that change although the documents say the same, and what this tool did not foresee.
fn unforeseen(out: &mut String, rust: &Rust) -> std::fmt::Result {
    if !rust.notation.items.is_empty() {
        writeln!(
            out,
            "\n### notation: code changes although the wire does not ({})\n",
            rust.notation.items.len()
        )?;
        follows(out, &rust.notation, usize::MAX)?;
    }
    if !rust.faults.is_empty() {
        let count = rust.faults.len();
        writeln!(out, "\n### faults of this tool: please report ({count})\n")?;
        for fault in &rust.faults {
            writeln!(out, "- {}", code(fault))?;
        }
    }
    Ok(())
}

/// The first few of several names, each in a code span.
pub(super) fn codes<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let shown = names.by_ref().take(LISTED);
    let shown: Vec<_> = shown.map(|name| code(name.as_ref())).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A code span that holds all of `text`.
pub(super) fn code(text: &str) -> String {
    let text = harmless(text);
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let touches = text.starts_with('`') || text.ends_with('`');
    let is_trimmed = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    match text.is_empty() || touches || is_trimmed {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

/// A sentence with names in backticks. Whatever else is no plain word stands in code spans as well, since it may be text of
/// a document.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let mut out = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        // A backtick without a second one ends no code span.
        if index % 2 == 1 && index != last {
            push(&mut out, &code(part));
        } else {
            plain(&mut out, part);
        }
    }
    out
}

/// Adds words outside backticks.
fn plain(out: &mut String, text: &str) {
    let mut quoted = false;
    let mut escaped = false;
    let ends = |character: char| {
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        character.is_whitespace() && !quoted
    };
    for (index, word) in text.split(ends).enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let bare = word.trim_end_matches([')', ',', '.', ';', ':']);
        match is_plain(bare.trim_start_matches('(')) {
            true => out.push_str(word),
            false => {
                push(out, &code(bare));
                out.push_str(&word[bare.len()..]);
            }
        }
    }
}

/// Adds a code span. Two of them need something between.
fn push(out: &mut String, span: &str) {
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(span);
}

/// Whether a word is nothing to Markdown, nor to a forge that looks for mentions, issues and commits.
fn is_plain(word: &str) -> bool {
    let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word
            .chars()
            .all(|c| c.is_ascii_alphabetic() || c == '\'' || c == '-');
    // Also a version, such as 1.0.0.
    let is_digits = |part: &str| part.len() < 7 && part.chars().all(|c| c.is_ascii_digit());
    let is_number = word.split('.').all(is_digits);
    let is_hash = word.len() >= 7 && word.chars().all(|c| c.is_ascii_hexdigit());
    (is_word || is_number) && !is_hash
}
