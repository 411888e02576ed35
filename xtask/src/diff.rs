//! `cargo xtask diff`: what a new edition of the document does to those who use the API.
//!
//! The documents are compared as published, before the overlay. What that means for the generated items is read from the
//! code that is generated from both, and explained by the changes of the documents.

mod access;
mod applied;
pub(crate) mod approvals;
mod atoms;
mod changelog;
pub(crate) mod date;
mod discriminators;
mod edition;
pub(crate) mod finding;
mod fingerprint;
mod identity;
mod json;
pub(crate) mod label;
mod leftovers;
pub(crate) mod load;
mod markdown;
mod matching;
mod objects;
mod operations;
pub(crate) mod paint;
mod pairs;
mod reach;
pub(crate) mod report;
mod requests;
mod responses;
mod rules;
pub(crate) mod rust;
mod schemas;
pub(crate) mod semver;
mod shape;
mod types;
mod unions;
mod values;
pub(crate) mod whole;

#[cfg(test)]
mod tests;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

pub(crate) use finding::Verdict;
#[cfg(test)]
pub(crate) use rules::RULES;

use date::Date;
use finding::Diff;
use label::harmless_lines;
use paint::Paint;
use rust::Rust;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The old document: a file or `git:REV`.
    pub(crate) old: String,
    /// The new document; none for the vendored one.
    pub(crate) new: Option<String>,
    /// Changes of this verdict or a worse one are a failure.
    pub(crate) fail_on: Option<Level>,
    /// How the report is written.
    pub(crate) format: Format,
    /// Colours of the text.
    pub(crate) paint: Paint,
    /// Leave the Rust items out.
    pub(crate) wire: bool,
    /// Another overlay than the vendored one.
    pub(crate) overlay: Option<PathBuf>,
    /// Generate from the documents as they are.
    pub(crate) no_overlay: bool,
    /// Another approvals file than that of the workspace.
    pub(crate) approvals: Option<PathBuf>,
    /// The day for which approvals are read; none for that of the clock.
    pub(crate) today: Option<Date>,
    /// List the rules instead.
    pub(crate) rules: bool,
}

/// What `--format` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// What `--fail-on` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Breaking changes only.
    Breaking,
    /// Risky ones as well.
    Risky,
}

impl Level {
    fn verdict(self) -> Verdict {
        match self {
            Self::Breaking => Verdict::Breaking,
            Self::Risky => Verdict::Risky,
        }
    }
}

/// How the verb ended. The numbers are exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Fine = 0,
    Changes = 1,
    BadInput = 2,
    BadCall = 3,
}

/// Runs the verb.
pub(crate) fn main(workspace: &Path, arguments: impl Iterator<Item = String>) -> ExitCode {
    let (end, out) = match options(arguments) {
        Err(message) => (End::BadCall, Err(message)),
        Ok(mut options) => {
            options.paint = Paint::of_stdout();
            match run(workspace, &options) {
                Ok((end, text)) => (end, Ok(text)),
                Err(error) => (End::BadInput, Err(format!("{error:#}"))),
            }
        }
    };
    let written = out.and_then(|text| write(std::io::stdout(), &text));
    let Err(message) = written else {
        return ExitCode::from(end as u8);
    };
    let _ = writeln!(std::io::stderr(), "error: {}", harmless_lines(&message));
    // A report that nobody got says nothing, whatever was in it.
    let end = match end {
        End::BadCall => end,
        _ => End::BadInput,
    };
    ExitCode::from(end as u8)
}

/// Writes the report. A reader that has seen enough, such as `head`, is no failure of the comparison.
fn write(mut out: impl Write, text: &str) -> Result<(), String> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("the report cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Compares, and gives the report.
fn run(workspace: &Path, options: &Options) -> Result<(End, String)> {
    if options.rules {
        return Ok((End::Fine, rules::page()));
    }
    let approvals = approvals::load(workspace, options.approvals.as_deref())?;
    let old = load::load(workspace, &options.old)?;
    let new = match &options.new {
        Some(new) => load::load(workspace, new)?,
        None => load::vendored(workspace)?,
    };
    let mut diff = whole::compare(&old, &new)?;
    let today = options.today.unwrap_or_else(Date::today);
    approvals::apply(&approvals, today, &mut diff);
    let rust = match options.wire {
        true => Err("left out, as `--wire` says".to_owned()),
        false => rust::join(workspace, options, &mut diff, (old, new))?,
    };
    let is_failure = |level: Level| worst(&diff, rust.as_ref().ok()) <= level.verdict();
    let end = match options.fail_on.is_some_and(is_failure) {
        true => End::Changes,
        false => End::Fine,
    };
    let step = match &rust {
        Ok(rust) => Some(semver::step(workspace, &diff, rust)?),
        Err(_) => None,
    };
    let (rust, step) = (rust.as_ref(), step.as_ref());
    let report = match options.format {
        Format::Text => report::text(&diff, rust, step, options.paint),
        Format::Json => json::json(&diff, rust, step)?,
        Format::Markdown => markdown::markdown(&diff, rust, step),
    };
    Ok((end, report))
}

/// The worst verdict of all that is not approved: on the wire, and of the items.
fn worst(diff: &Diff, rust: Option<&Rust>) -> Verdict {
    let findings = diff.findings.iter().filter(|it| it.approval.is_none());
    let verdicts = findings.map(finding::Finding::worst);
    // Items that no finding explains count as well.
    let verdicts = verdicts.chain(rust.map(|rust| rust.rest));
    verdicts.min().unwrap_or(Verdict::None)
}

/// What `--format` takes.
fn format(name: Option<String>) -> Result<Format, String> {
    match name.as_deref() {
        Some("text") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        Some("markdown") => Ok(Format::Markdown),
        _ => Err("`--format` needs `text`, `json` or `markdown`".to_owned()),
    }
}

/// Reads the command line; gives what is wrong with it and what to write.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut documents = Vec::new();
    while let Some(argument) = arguments.next() {
        let (flag, inline) = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                (flag.to_owned(), Some(value.to_owned()))
            }
            _ => (argument, None),
        };
        match flag.as_str() {
            "--rules" if inline.is_none() => options.rules = true,
            "--wire" if inline.is_none() => options.wire = true,
            "--no-overlay" if inline.is_none() => options.no_overlay = true,
            "--overlay" | "--approvals" => {
                let path = inline.or_else(|| arguments.next());
                let path = path.filter(|path| !path.is_empty());
                let path = path.ok_or_else(|| format!("`{flag}` needs a path"))?;
                let place = match flag.as_str() {
                    "--overlay" => &mut options.overlay,
                    _ => &mut options.approvals,
                };
                *place = Some(PathBuf::from(path));
            }
            "--today" => {
                let day = inline.or_else(|| arguments.next());
                options.today = day.and_then(|day| Date::parse(&day));
                options.today.ok_or("`--today` needs a day as YYYY-MM-DD")?;
            }
            "--format" => {
                options.format = format(inline.or_else(|| arguments.next()))?;
            }
            "--fail-on" => {
                options.fail_on = match inline.or_else(|| arguments.next()).as_deref() {
                    Some("breaking") => Some(Level::Breaking),
                    Some("risky") => Some(Level::Risky),
                    _ => return Err("`--fail-on` needs `breaking` or `risky`".to_owned()),
                };
            }
            _ if flag.starts_with('-') => {
                return Err(format!(
                    "diff has no option `{flag}`; `cargo xtask help` lists them"
                ));
            }
            _ => documents.push(flag),
        }
    }
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next(), documents.next()) {
        (None, ..) if options.rules => {}
        (Some(_), ..) if options.rules => {
            return Err("`--rules` compares nothing; leave the documents out".to_owned());
        }
        (Some(old), new, None) if !old.is_empty() && new.as_deref() != Some("") => {
            options.old = old;
            options.new = new;
        }
        _ => {
            return Err("diff needs one or two documents: `cargo xtask diff OLD [NEW]`".to_owned());
        }
    }
    Ok(options)
}
