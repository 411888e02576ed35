//! A complete crate in another folder, generated from another document.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::files::{self, Changes, Generated, Mode};
use crate::generate::Output;

/// The crate, relative to the workspace.
const CRATE: &str = "crates/anchorbrowser-api";

/// Writes or checks the crate in `out`: hand-written files as they are here, generated ones from
/// `output`, and a manifest that needs no workspace around it.
pub(crate) fn sync(workspace: &Path, out: &Path, output: &Output, mode: Mode) -> Result<Changes> {
    refuse_foreign(out)?;
    let source = workspace.join(CRATE);
    let mut all = BTreeMap::new();
    collect(&source.join("src"), Path::new("src"), &mut all)?;
    for (path, text) in &output.files.0 {
        all.insert(Path::new("src/generated").join(path), text.clone());
    }
    all.insert(PathBuf::from("Cargo.toml"), manifest(workspace)?);
    if let Mode::Write = mode {
        std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
        // Only a start: the crate's own builds may change it, so it is not compared.
        let lock = out.join("Cargo.lock");
        if !lock.exists() {
            std::fs::copy(workspace.join("Cargo.lock"), &lock)
                .with_context(|| format!("cannot write {}", lock.display()))?;
        }
    }
    files::sync(out, &[Path::new("src")], &Generated(all), mode)
}

/// A folder that holds something else is left alone: its `src` would be replaced.
fn refuse_foreign(out: &Path) -> Result<()> {
    let manifest = out.join("Cargo.toml");
    let ours = std::fs::read_to_string(&manifest).is_ok_and(|text| text.starts_with(MARK));
    if !ours && (manifest.exists() || out.join("src").exists()) {
        bail!(
            "{} holds another crate: `--out` takes an empty folder, or one that it wrote before",
            out.display()
        );
    }
    Ok(())
}

const MARK: &str = "# Written by `cargo xtask codegen --out`.\n";

/// The crate's manifest with the tables of the workspace that it inherits from.
fn manifest(workspace: &Path) -> Result<String> {
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let own = read(workspace.join(CRATE).join("Cargo.toml"))?;
    // Which of the hand-written pieces are used is up to the document.
    let own = own.replace(
        "[lints]\nworkspace = true",
        "[lints.rust]\nunused = \"allow\"",
    );
    let shared = read(workspace.join("Cargo.toml"))?;
    let shared = shared
        .lines()
        .filter(|line| !line.starts_with("members") && !line.contains("path = "));
    Ok(format!("{MARK}{own}\n{}\n", shared.collect::<Vec<_>>().join("\n")).replace('\r', ""))
}

fn collect(folder: &Path, relative: &Path, into: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    if relative == Path::new("src/generated") {
        return Ok(());
    }
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let (path, relative) = (entry.path(), relative.join(entry.file_name()));
        if path.is_dir() {
            collect(&path, &relative, into)?;
        } else {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            into.insert(relative, text);
        }
    }
    Ok(())
}
