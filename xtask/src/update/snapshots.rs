//! Which snapshots may change with generated code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::codegen::{CALLS, GENERATED};
use crate::files::Generated;

/// The snapshots, relative to the workspace.
pub(super) const SNAPSHOTS: &str = "tests/it/snapshots";

/// Names of the snapshots that may change, each with what becomes of it: those of which generated code is another one.
/// Docs are in no snapshot.
pub(super) fn affected(
    workspace: &Path,
    files: &Generated,
) -> Result<BTreeMap<String, &'static str>> {
    let mut names = BTreeSet::new();
    let mut gone = BTreeSet::new();
    for (folder, kind) in [("types", "types"), ("builder", "wire")] {
        let folder = Path::new(GENERATED).join(folder);
        for resource in resources(workspace, &folder, files)? {
            let path = folder.join(format!("{resource}.rs"));
            let name = format!("{kind}__{resource}");
            let new = files.0.get(&path).map(|text| code(text));
            if new.is_none() {
                gone.insert(name.clone());
            }
            if new != read(workspace, &path)?.as_deref().map(code) {
                names.insert(name);
            }
        }
    }
    tables(workspace, files, &mut names)?;
    let folder = workspace.join(SNAPSHOTS);
    let named = names.into_iter().map(|name| {
        let fate = match folder.join(format!("{name}.snap")).exists() {
            true if gone.contains(&name) => " is to be removed",
            true => "",
            false => " is new",
        };
        (name, fate)
    });
    Ok(named.collect())
}

/// Adds the snapshots that show the tables of operations and of calls.
fn tables(workspace: &Path, files: &Generated, names: &mut BTreeSet<String>) -> Result<()> {
    let operations = Path::new(GENERATED).join("operations.rs");
    for path in [&operations, &Path::new(CALLS).join("mod.rs")] {
        let old = read(workspace, path)?.unwrap_or_default();
        let new = files.0.get(path).map(String::as_str).unwrap_or_default();
        let (old, new) = (entries(&old), entries(new));
        if *path == operations && old != new {
            names.insert("operations".to_owned());
        }
        if *path == operations && old.keys().ne(new.keys()) {
            names.insert("coverage".to_owned());
        }
        let ids: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let entries = (old.get(id), new.get(id));
            if entries.0 != entries.1 {
                let entries = [entries.0, entries.1].into_iter().flatten();
                let resources = entries.filter_map(|entry| field(entry, "resource"));
                names.extend(resources.map(|resource| format!("wire__{resource}")));
            }
        }
    }
    Ok(())
}

/// The resources that have a file in a generated folder, before or after.
fn resources(workspace: &Path, folder: &Path, files: &Generated) -> Result<BTreeSet<String>> {
    let mut paths: Vec<PathBuf> = files.0.keys().cloned().collect();
    let full = workspace.join(folder);
    if full.is_dir() {
        let cannot = || format!("cannot read {}; check its permissions", full.display());
        for entry in std::fs::read_dir(&full).with_context(cannot)? {
            paths.push(folder.join(entry.with_context(cannot)?.file_name()));
        }
    }
    let resource = |path: PathBuf| {
        let inside = path.parent() == Some(folder) && path.extension()? == "rs";
        let name = path.file_stem()?.to_str()?.to_owned();
        (inside && name != "mod").then_some(name)
    };
    Ok(paths.into_iter().filter_map(resource).collect())
}

/// A file's text with LF as line end; `None` if there is none.
fn read(workspace: &Path, path: &Path) -> Result<Option<String>> {
    let path = workspace.join(path);
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}; check its permissions", path.display()))?;
    Ok(Some(text.replace("\r\n", "\n")))
}

/// The lines without docs.
fn code(text: &str) -> Vec<&str> {
    let is_docs = |line: &&str| line.trim_start().starts_with("//");
    text.lines().filter(|line| !is_docs(line)).collect()
}

/// The entries of a generated table, by id.
fn entries(text: &str) -> BTreeMap<&str, &str> {
    text.split("\n    },")
        .filter_map(|entry| {
            let start = entry
                .rfind("\n    Operation {")
                .or_else(|| entry.rfind("\n    Call {"))?;
            let entry = entry.get(start..)?;
            Some((field(entry, "id")?, entry))
        })
        .collect()
}

/// A field of an entry that is a text.
fn field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("        {name}: \"");
    let line = entry.lines().find_map(|line| line.strip_prefix(&start))?;
    line.strip_suffix("\",")
}
