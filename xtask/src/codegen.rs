//! `cargo xtask codegen`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::document::{self, Document};
use crate::files::{self, Changes, Generated, Mode};
use crate::generate::{self, Output, Source};
use crate::lower::origins::Origins;
use crate::lower::{self, Lowered};
use crate::overlay::{Applied, Overlay};
use crate::progress::Progress;
use crate::{crate_copy, summary};

/// The document, relative to the workspace.
pub(crate) const DOCUMENT: &str = "openapi.yaml";
/// The overlay, relative to the workspace.
pub(crate) const OVERLAY: &str = "openapi.overlay.yaml";
/// The generated code, relative to the workspace.
pub(crate) const GENERATED: &str = "crates/anchorbrowser-api/src/generated";
/// The generated calls, relative to the workspace.
pub(crate) const CALLS: &str = "tests/it/generated";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Write nothing, and fail if anything would be written.
    pub(crate) check: bool,
    /// Another document than the vendored one.
    pub(crate) document: Option<PathBuf>,
    /// Another overlay than the vendored one.
    pub(crate) overlay: Option<PathBuf>,
    /// Take the document as it is.
    pub(crate) no_overlay: bool,
    /// Write a crate there instead.
    pub(crate) out: Option<PathBuf>,
    /// Write what the generator was given there.
    pub(crate) emit_lowered: Option<PathBuf>,
}

/// All that one run found out.
pub(crate) struct Run {
    /// The document as read.
    pub(crate) document: Document,
    /// What the overlay did.
    pub(crate) applied: Applied,
    /// The document as the generator gets it.
    pub(crate) lowered: Lowered,
    /// The generated files.
    pub(crate) output: Output,
}

/// Runs the verb; gives whether all is as it should be.
pub(crate) fn codegen(workspace: &Path, options: &Options) -> Result<bool> {
    let started = Instant::now();
    let run = run(workspace, options)?;
    let mode = if options.check {
        Mode::Check
    } else {
        Mode::Write
    };
    let changes = match &options.out {
        Some(out) => crate_copy::sync(workspace, out, &run.output, mode)?,
        None => sync(workspace, &run.output, mode)?,
    };
    let text = summary::text(&run, &changes, options, started.elapsed());
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")?;
    Ok(!options.check || (changes.is_clean() && run.applied.stale().next().is_none()))
}

/// From the document to the generated files, without writing any but the lowered document, if that is asked for.
pub(crate) fn run(workspace: &Path, options: &Options) -> Result<Run> {
    let progress = Progress::start();
    progress.step("reading the document");
    let path = options
        .document
        .clone()
        .unwrap_or_else(|| workspace.join(DOCUMENT));
    let document = Document::load(&path)?;
    document.check_header()?;
    let overlay = overlay(workspace, options.overlay.as_deref(), options.no_overlay)?;
    generated(
        document,
        overlay.as_ref(),
        options.emit_lowered.as_deref(),
        &progress,
    )
}

/// Reads the overlay: the one at `path`, or else that of the workspace, if it has one.
pub(crate) fn overlay(
    workspace: &Path,
    path: Option<&Path>,
    no_overlay: bool,
) -> Result<Option<Overlay>> {
    match (path, workspace.join(OVERLAY)) {
        _ if no_overlay => Ok(None),
        (Some(path), _) => Overlay::load(path).map(Some),
        (None, path) if path.exists() => Overlay::load(&path).map(Some),
        (None, _) => Ok(None),
    }
}

/// From a document that was read to the generated files. What the generator is given is written to `emit_lowered`.
pub(crate) fn generated(
    document: Document,
    overlay: Option<&Overlay>,
    emit_lowered: Option<&Path>,
    progress: &Progress,
) -> Result<Run> {
    progress.step("lowering");
    let (applied, lowered) = lower(&document, overlay)?;
    if let Some(path) = emit_lowered {
        let text = format!("{:#}\n", lowered.document);
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    progress.step("generating");
    let output = generate(&document, overlay, &lowered)?;
    Ok(Run {
        document,
        applied,
        lowered,
        output,
    })
}

/// Corrects, checks and lowers a document.
pub(crate) fn lower(document: &Document, overlay: Option<&Overlay>) -> Result<(Applied, Lowered)> {
    let mut root = document.root.clone();
    // Before the overlay, so that origins are places of the published document.
    lower::origins::mark(&mut root, &mut Origins::default());
    let applied = match overlay {
        Some(overlay) => overlay
            .apply(&mut root)
            .with_context(|| format!("{}: the overlay cannot be applied", document.name))?,
        None => Applied::default(),
    };
    document::check_references(document, &root)?;
    if root
        .get("paths")
        .and_then(|paths| paths.as_object())
        .is_none_or(|paths| paths.is_empty())
    {
        bail!(
            "{}: the document has no paths, so there is nothing to generate",
            document.name
        );
    }
    Ok((applied, lower::lower(root)))
}

/// Generates the files from a lowered document.
pub(crate) fn generate(
    document: &Document,
    overlay: Option<&Overlay>,
    lowered: &Lowered,
) -> Result<Output> {
    let source = Source {
        document: &document.sha256,
        overlay: overlay.map(Overlay::sha256).unwrap_or_default(),
    };
    generate::generate(lowered, &source)
        .with_context(|| format!("{}: code generation failed", document.name))
}

/// The machine-written directories of the workspace.
pub(crate) fn owned() -> [&'static Path; 2] {
    [Path::new(GENERATED), Path::new(CALLS)]
}

/// The generated files, relative to the workspace.
pub(crate) fn files(output: &Output) -> Generated {
    let mut all = BTreeMap::new();
    for (path, text) in &output.files.0 {
        all.insert(Path::new(GENERATED).join(path), text.clone());
    }
    all.insert(Path::new(CALLS).join("mod.rs"), output.calls.clone());
    Generated(all)
}

/// Writes or checks the generated files of the workspace.
pub(crate) fn sync(workspace: &Path, output: &Output, mode: Mode) -> Result<Changes> {
    files::sync(workspace, &owned(), &files(output), mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn generated_code_is_fresh() {
        let run = run(&workspace(), &Options::default()).unwrap();
        let changes = sync(&workspace(), &run.output, Mode::Check).unwrap();
        assert!(changes.is_clean(), "run `cargo xtask codegen`: {changes:?}");
        let stale: Vec<_> = run.applied.stale().map(|action| &action.place).collect();
        assert!(
            stale.is_empty(),
            "overlay actions that match nothing: {stale:?}"
        );
    }

    #[test]
    fn two_runs_give_the_same_bytes() {
        let files = |run: Run| (run.output.files.0, run.output.calls);
        let first = files(run(&workspace(), &Options::default()).unwrap());
        let text = std::fs::read_to_string(workspace().join(DOCUMENT)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let windows = folder.path().join("openapi.yaml");
        std::fs::write(&windows, text.replace('\n', "\r\n")).unwrap();
        let options = Options {
            document: Some(windows),
            ..Options::default()
        };
        assert!(first == files(run(&workspace(), &options).unwrap()));
    }
}
