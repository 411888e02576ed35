//! Reads the documents to compare.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::codegen::DOCUMENT;
use crate::document::{self, Document};

/// Reads a file, or `git:REV`, the vendored document of an earlier commit.
pub(crate) fn load(workspace: &Path, name: &str) -> Result<Document> {
    let document = match name.strip_prefix("git:") {
        Some(revision) => of_commit(workspace, revision)?,
        None => Document::load(Path::new(name))?,
    };
    check(document)
}

/// Reads the vendored document.
pub(crate) fn vendored(workspace: &Path) -> Result<Document> {
    check(Document::load(&workspace.join(DOCUMENT))?)
}

/// Refuses what is not an OpenAPI document, and what cannot be compared.
pub(crate) fn check(document: Document) -> Result<Document> {
    document.check_header()?;
    document::check_comparable(&document)?;
    Ok(document)
}

/// The vendored document as it is in a commit.
fn of_commit(workspace: &Path, revision: &str) -> Result<Document> {
    if revision.is_empty() || revision.starts_with('-') {
        bail!("`git:{revision}` names no commit; write it as `git:HEAD~1`");
    }
    let object = format!("{revision}:{DOCUMENT}");
    let output = Command::new("git")
        .arg("-C")
        .arg(workspace)
        .args(["cat-file", "blob", &object])
        .output()
        .with_context(|| format!("cannot run git to read {object}; install it, or give a file"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!(
            "git has no {object}; check the name of the commit: {}",
            message.trim()
        );
    }
    Document::parse(&format!("git:{revision}"), &output.stdout)
}
