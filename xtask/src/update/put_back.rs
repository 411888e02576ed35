//! Puts files back as they were if writing fails in the middle.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A file before the change; no bytes if there was none.
struct Saved {
    path: PathBuf,
    bytes: Option<Vec<u8>>,
}

/// Runs `write`, which changes nothing but the files `paths` below `root`, and their directories. If it fails, all
/// are put back.
pub(super) fn on_failure<T>(
    root: &Path,
    paths: &[&PathBuf],
    write: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let saved: Result<Vec<Saved>> = paths.iter().map(|path| save(&root.join(path))).collect();
    let saved = saved?;
    let error = match write() {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // What was made goes first: it may stand where a directory belongs.
    let (made, there): (Vec<_>, Vec<_>) = saved.iter().partition(|it| it.bytes.is_none());
    let failed: Vec<String> = made
        .into_iter()
        .chain(there)
        .filter_map(|it| {
            let error = restore(root, it).err()?;
            Some(format!("{} ({error})", it.path.display()))
        })
        .collect();
    match failed.is_empty() {
        true => Err(error.context("nothing is changed: what was written is put back")),
        false => Err(error.context(format!(
            "writing failed, and these could not be put back, so take them from git: {}",
            failed.join(", ")
        ))),
    }
}

/// Keeps what a file has. A link has nothing of its own that could be put back.
fn save(path: &Path) -> Result<Saved> {
    let bytes = match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => bail!(
            "{}: not a plain file; remove it, so that a file can be written",
            path.display()
        ),
        Ok(_) => {
            Some(fs::read(path).with_context(|| {
                format!("cannot read {}; check its permissions", path.display())
            })?)
        }
        // The second: one of its directories is a file.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            None
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read {}; check its permissions", path.display()));
        }
    };
    Ok(Saved {
        path: path.to_owned(),
        bytes,
    })
}

/// Makes one file as it was, as far as it is not.
fn restore(root: &Path, saved: &Saved) -> Result<(), Error> {
    let path = &saved.path;
    let Some(bytes) = &saved.bytes else {
        match fs::remove_file(path) {
            Err(error) if path.symlink_metadata().is_ok() => return Err(error),
            _ => remove_empty(root, path),
        }
        return Ok(());
    };
    if fs::read(path).is_ok_and(|found| found == *bytes) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let beside = path.with_extension(format!("{}.old.tmp", std::process::id()));
    let result = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
    }
    result
}

/// Removes the directories above `path` that are empty. Git has none of those, so none is missed.
fn remove_empty(root: &Path, path: &Path) {
    let below = path.ancestors().skip(1).take_while(|it| *it != root);
    for directory in below {
        // One that was never made is no reason to stop.
        if fs::remove_dir(directory).is_err() && directory.exists() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::files_of;
    use super::*;

    #[test]
    fn every_kind_of_change_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, text) in [("kept/a", "a"), ("gone/deep/b", "b"), ("way", "w")] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let before = files_of(root);
        let paths = ["kept/a", "gone/deep/b", "way", "way/new", "made/deep/c"].map(PathBuf::from);
        let paths: Vec<_> = paths.iter().collect();
        let result: Result<()> = on_failure(root, &paths, || {
            fs::write(root.join("kept/a"), "other")?;
            fs::remove_dir_all(root.join("gone"))?;
            fs::remove_file(root.join("way"))?;
            fs::create_dir_all(root.join("way"))?;
            fs::write(root.join("way/new"), "n")?;
            fs::create_dir_all(root.join("made/deep"))?;
            fs::write(root.join("made/deep/c"), "c")?;
            bail!("the disk is full")
        });
        let message = format!("{:#}", result.unwrap_err());
        assert_eq!(
            message,
            "nothing is changed: what was written is put back: the disk is full"
        );
        assert!(files_of(root) == before);
        assert!(!root.join("made").exists());

        // What cannot be put back is named.
        let result: Result<()> = on_failure(root, &paths, || {
            fs::remove_file(root.join("kept/a"))?;
            fs::create_dir_all(root.join("kept/a/sub"))?;
            bail!("the disk is full")
        });
        let message = format!("{:#}", result.unwrap_err());
        assert!(
            message.contains("could not be put back, so take them from git: "),
            "{message}"
        );
        assert!(
            message.contains("kept/a") && message.ends_with("the disk is full"),
            "{message}"
        );
    }
}
