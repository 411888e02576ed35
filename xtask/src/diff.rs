//! `cargo xtask diff`: what a new edition of the document does to those who use the API.
//!
//! The documents are compared as published, before the overlay.

mod access;
mod atoms;
mod discriminators;
mod edition;
pub(crate) mod finding;
mod fingerprint;
mod identity;
mod label;
mod leftovers;
pub(crate) mod load;
mod matching;
mod objects;
mod operations;
mod pairs;
mod reach;
pub(crate) mod report;
mod requests;
mod responses;
mod rules;
mod schemas;
mod shape;
mod types;
mod unions;
mod values;
pub(crate) mod whole;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use finding::Verdict;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The old document: a file or `git:REV`.
    pub(crate) old: String,
    /// The new document; none for the vendored one.
    pub(crate) new: Option<String>,
    /// Changes of this verdict or a worse one are a failure.
    pub(crate) fail_on: Option<Level>,
    /// List the rules instead.
    pub(crate) rules: bool,
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
        Ok(options) => match run(workspace, &options) {
            Ok((end, text)) => (end, Ok(text)),
            Err(error) => (End::BadInput, Err(format!("{error:#}"))),
        },
    };
    // A reader that has seen enough, such as `head`, is no failure of the comparison.
    let _ = match out {
        Ok(text) => std::io::stdout().write_all(text.as_bytes()),
        Err(message) => writeln!(std::io::stderr(), "error: {message}"),
    };
    ExitCode::from(end as u8)
}

/// Compares, and gives the report.
fn run(workspace: &Path, options: &Options) -> Result<(End, String)> {
    if options.rules {
        return Ok((End::Fine, report::rules()));
    }
    let old = load::load(workspace, &options.old)?;
    let new = match &options.new {
        Some(new) => load::load(workspace, new)?,
        None => load::vendored(workspace)?,
    };
    let diff = whole::compare(&old, &new)?;
    let is_failure = |level: Level| diff.findings.iter().any(|it| it.worst() <= level.verdict());
    let end = match options.fail_on.is_some_and(is_failure) {
        true => End::Changes,
        false => End::Fine,
    };
    Ok((end, report::text(&diff)))
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
