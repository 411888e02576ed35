//! `cargo xtask update`: takes in a new edition of the document.
//!
//! All is read, checked, compared and generated in memory. Only then are files replaced, all of them or none.

mod put_back;
mod review;
mod snapshots;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::codegen::{self, DOCUMENT};
use crate::diff::date::Date;
use crate::diff::finding::Diff;
use crate::diff::label::harmless_lines;
use crate::diff::{self, approvals};
use crate::document::Document;
use crate::files::{self, Changes, Generated, Mode};
use crate::generate::Output;
use crate::lower::Lowered;
use crate::overlay::{Applied, Overlay};
use crate::progress::Progress;
use crate::surface::Edition as Surface;
use crate::surface::sdk::Sdk;
use review::{Editions, Review};

/// How many of the operations that are gone are listed in a refusal.
const LISTED: usize = 3;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// The new edition: a file, or `-` for standard input.
    file: String,
    /// Write nothing.
    dry_run: bool,
    /// Take an edition in which most of the API is gone.
    allow_loss: bool,
}

/// Why the verb failed. The numbers are exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    NotWritten = 1,
    BadInput = 2,
    BadCall = 3,
}

/// All that is known of one edition before code is made of it.
struct Edition {
    document: Document,
    bytes: Vec<u8>,
    applied: Applied,
    lowered: Lowered,
}

/// What is to be written, and what to tell.
struct Plan {
    files: Generated,
    text: String,
}

/// Runs the verb.
pub(crate) fn main(workspace: &Path, arguments: impl Iterator<Item = String>) -> ExitCode {
    let mut out = String::new();
    let result = match options(arguments) {
        Err(message) => Err((Failure::BadCall, anyhow!(message))),
        Ok(options) => run(workspace, &options, std::io::stdin(), &mut out),
    };
    // A reader that has seen enough, such as `head`, is no failure of the update.
    let _ = std::io::stdout().write_all(harmless_lines(&out).as_bytes());
    let Err((failure, error)) = result else {
        return ExitCode::SUCCESS;
    };
    let error = harmless_lines(&format!("{error:#}"));
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(failure as u8)
}

/// Reads the command line; gives what is wrong with it.
fn options(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut files = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--dry-run" => options.dry_run = true,
            "--allow-loss" => options.allow_loss = true,
            flag if flag.starts_with('-') && flag != "-" => {
                return Err(format!(
                    "update has no option `{flag}`; `cargo xtask help` lists them"
                ));
            }
            _ => files.push(argument),
        }
    }
    match <[String; 1]>::try_from(files) {
        Ok([file]) if !file.is_empty() => options.file = file,
        _ => return Err("update needs one document: `cargo xtask update FILE`".to_owned()),
    }
    Ok(options)
}

/// Takes in the edition; what to tell goes to `out`, also if it fails.
fn run(
    workspace: &Path,
    options: &Options,
    input: impl Read,
    out: &mut String,
) -> Result<(), (Failure, anyhow::Error)> {
    let plan = plan(workspace, options, input).map_err(|error| (Failure::BadInput, error))?;
    let Some(plan) = plan else {
        out.push_str("openapi.yaml is this edition already; nothing is written\n");
        return Ok(());
    };
    out.push_str(&plan.text);
    if options.dry_run {
        out.push_str("\ndry run: nothing is written\n");
        return Ok(());
    }
    let changes = write(workspace, &plan.files).map_err(|error| (Failure::NotWritten, error))?;
    let is_code = |path: &&PathBuf| path.as_path() != Path::new(DOCUMENT);
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "\nwritten: openapi.yaml and generated code: {} changed, {} new, {} removed",
        changes.stale.iter().filter(is_code).count(),
        changes.missing.len(),
        changes.extra.len()
    );
    Ok(())
}

/// Does all that needs no writing; `None` if the edition is the vendored one.
fn plan(workspace: &Path, options: &Options, input: impl Read) -> Result<Option<Plan>> {
    let progress = Progress::start();
    progress.step("reading the documents");
    let (old, old_bytes) = Document::load_with_bytes(&workspace.join(DOCUMENT))?;
    let (new, new_bytes) = match options.file.as_str() {
        "-" => Document::read_with_bytes("standard input", input)?,
        file => Document::load_with_bytes(Path::new(file))?,
    };
    let (old, new) = (diff::load::check(old)?, diff::load::check(new)?);
    if old.sha256 == new.sha256 {
        return Ok(None);
    }
    let is_start = old_bytes.starts_with(new_bytes.trim_ascii_end());
    if !options.allow_loss {
        refuse_cut(is_start, &new, "it is the beginning of openapi.yaml")?;
    }
    let overlay = codegen::overlay(workspace, None, false)?;
    let old = edition(old, old_bytes, overlay.as_ref())
        .context("the vendored document is at fault; see `cargo xtask codegen`")?;
    progress.step("comparing");
    let mut diff = diff::whole::compare(&old.document, &new)?;
    if !options.allow_loss {
        refuse_loss(&old, &new, &diff)?;
        let has = |document: &Document| document.root.get("components").is_some();
        let lacks = has(&old.document) && !has(&new);
        refuse_cut(lacks, &new, "it has no `components`, but openapi.yaml has")?;
    }
    progress.step("lowering");
    let new = edition(new, new_bytes, overlay.as_ref())?;
    progress.step("generating");
    let generate = |it: &Edition| codegen::generate(&it.document, overlay.as_ref(), &it.lowered);
    let (before, output) = (generate(&old)?, generate(&new)?);
    let approvals = approve(workspace, &mut diff);
    let report = report(workspace, &mut diff, (&old, &before), (&new, &output))?;
    let mut files = codegen::files(&output);
    let editions = Editions {
        old: &old,
        new: &new,
        diff: &diff,
    };
    let review = Review::new(workspace, &editions, &files)?;
    // The reader checked that it is UTF-8. A BOM and CRLF stay: the file is the vendor's.
    files
        .0
        .insert(PathBuf::from(DOCUMENT), String::from_utf8(new.bytes)?);
    let text = format!("{report}{approvals}\n{}", review.text());
    Ok(Some(Plan { files, text }))
}

/// Approves changes; tells why not if the file is at fault. An update is not refused for what it approves or not.
fn approve(workspace: &Path, diff: &mut Diff) -> String {
    match approvals::load(workspace, None) {
        Ok(approvals) => {
            approvals::apply(&approvals, Date::today(), diff);
            String::new()
        }
        Err(error) => format!("\napprovals are left out: {error:#}\n"),
    }
}

/// The report of `cargo xtask diff`.
fn report(
    workspace: &Path,
    diff: &mut Diff,
    old: (&Edition, &Output),
    new: (&Edition, &Output),
) -> Result<String> {
    let surface = |(edition, output): (&Edition, &Output)| Surface::of(&edition.lowered, output);
    let (old, new) = (surface(old)?, surface(new)?);
    // What cannot be read of the SDK and its version is left out: an update does not depend on it.
    let sdk = Sdk::read(workspace).unwrap_or_default();
    let rust = diff::rust::explain(diff, &old, &new, &sdk);
    let step = diff::semver::step(workspace, diff, &rust).ok();
    let paint = diff::paint::Paint::PLAIN;
    Ok(diff::report::text(diff, Ok(&rust), step.as_ref(), paint))
}

/// Corrects and lowers a document.
fn edition(document: Document, bytes: Vec<u8>, overlay: Option<&Overlay>) -> Result<Edition> {
    let (applied, lowered) = codegen::lower(&document, overlay)?;
    Ok(Edition {
        document,
        bytes,
        applied,
        lowered,
    })
}

/// Refuses a file that ends early, as far as that shows.
fn refuse_cut(is_cut: bool, new: &Document, why: &str) -> Result<()> {
    if is_cut {
        bail!(
            "{}: {why}, so the file is probably cut; get it again, or give `--allow-loss` if it is complete",
            new.name
        );
    }
    Ok(())
}

/// Refuses an edition that lacks more than half of the operations.
fn refuse_loss(old: &Edition, new: &Document, diff: &Diff) -> Result<()> {
    let known: Vec<_> = diff
        .operations
        .iter()
        .filter(|it| review::id(&old.lowered.plan, it.old.as_deref()).is_some())
        .collect();
    let gone: Vec<_> = known.iter().filter(|it| it.new.is_none()).collect();
    if gone.len() * 2 <= known.len() {
        return Ok(());
    }
    let title = |document: &Document| document.root.pointer("/info/title").cloned();
    let what = match (title(&old.document), title(new)) {
        (Some(old), Some(new)) if old != new => {
            format!("it is probably the document of another API: its title is {new}, not {old}")
        }
        _ => "most of the API is gone".to_owned(),
    };
    let names: Vec<_> = gone
        .iter()
        .take(LISTED)
        .map(|it| it.name.as_str())
        .collect();
    bail!(
        "{}: {what}; {} of {} operations of openapi.yaml are missing, such as {}; \
         check that it is the right file and complete, or give `--allow-loss`",
        new.name,
        gone.len(),
        known.len(),
        names.join(", ")
    )
}

/// Replaces the files, or none of them.
fn write(workspace: &Path, files: &Generated) -> Result<Changes> {
    let sync = |mode| files::sync(workspace, &codegen::owned(), files, mode);
    let changes = sync(Mode::Check)?;
    let paths = [&changes.stale, &changes.missing, &changes.extra];
    let paths: Vec<_> = paths.into_iter().flatten().collect();
    put_back::on_failure(workspace, &paths, || sync(Mode::Write))
}
