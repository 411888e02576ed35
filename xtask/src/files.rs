//! Compares generated files with those on disk, and makes the two equal.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Files that the generator produced, path relative to the root they are synchronised with.
pub(crate) struct Generated(pub(crate) BTreeMap<PathBuf, String>);

/// Whether files are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Make the tree equal.
    Write,
    /// Only compare.
    Check,
}

/// How the tree differed. Paths are relative to the root, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Files with other content.
    pub(crate) stale: Vec<PathBuf>,
    /// Files that weren't there.
    pub(crate) missing: Vec<PathBuf>,
    /// Files in owned directories that the generator doesn't make.
    pub(crate) extra: Vec<PathBuf>,
    /// The number of files that were right.
    pub(crate) unchanged: usize,
}

impl Changes {
    /// Whether the tree was as it should be.
    pub(crate) fn is_clean(&self) -> bool {
        self.stale.is_empty() && self.missing.is_empty() && self.extra.is_empty()
    }
}

/// Compares `files` with what is below `root` in the machine-written directories `owned`, and in [`Mode::Write`] makes the tree equal.
///
/// Every file in an owned directory must be in `files`; files elsewhere are only written. LF and CRLF count as equal.
pub(crate) fn sync(root: &Path, owned: &[&Path], files: &Generated, mode: Mode) -> Result<Changes> {
    for path in owned
        .iter()
        .copied()
        .chain(files.0.keys().map(PathBuf::as_path))
    {
        check_inside(path)?;
    }
    let mut present = BTreeSet::new();
    for directory in owned {
        list(root, directory, &mut present)?;
    }
    let mut changes = Changes::default();
    for (path, text) in &files.0 {
        // In an owned directory only what the listing found counts: it doesn't follow links.
        let listed = !is_owned(owned, path) || present.contains(path);
        match if listed {
            read(&root.join(path))?
        } else {
            None
        } {
            None => changes.missing.push(path.clone()),
            Some(found) if equal(&found, text.as_bytes()) => changes.unchanged += 1,
            Some(_) => changes.stale.push(path.clone()),
        }
    }
    changes.extra = present
        .into_iter()
        .filter(|path| !files.0.contains_key(path))
        .collect();
    if mode == Mode::Write && !changes.is_clean() {
        write(root, owned, files, &changes)?;
    }
    Ok(changes)
}

/// Whether `path` is in one of the owned directories.
fn is_owned(owned: &[&Path], path: &Path) -> bool {
    owned.iter().any(|directory| path.starts_with(directory))
}

/// Refuses paths that could lead out of the root.
fn check_inside(path: &Path) -> Result<()> {
    let normal = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !normal || path.as_os_str().is_empty() {
        bail!(
            "{}: generated paths must be relative and without `..`; correct the generator",
            path.display()
        );
    }
    Ok(())
}

/// Lists all that is in `directory` and isn't a directory itself. Links are listed, not followed.
fn list(root: &Path, directory: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let full = root.join(directory);
    match fs::symlink_metadata(&full) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => bail!(
            "{}: not a directory, but generated files belong in it; remove it",
            full.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| cannot("read", &full)),
    }
    for entry in fs::read_dir(&full).with_context(|| cannot("read", &full))? {
        let entry = entry.with_context(|| cannot("read", &full))?;
        let path = directory.join(entry.file_name());
        if entry
            .file_type()
            .with_context(|| cannot("read", &entry.path()))?
            .is_dir()
        {
            list(root, &path, found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

/// A file's bytes; `None` if there is none. A link is not read: it has no content of its own, so it is stale.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Ok(Some(Vec::new())),
        Ok(metadata) if metadata.is_dir() => bail!(
            "{}: a directory where a generated file belongs; remove it",
            path.display()
        ),
        Ok(_) => fs::read(path)
            .map(Some)
            .with_context(|| cannot("read", path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| cannot("read", path)),
    }
}

/// Whether two texts are the same but for CRLF against LF.
fn equal(a: &[u8], b: &[u8]) -> bool {
    fn normalised(text: &[u8]) -> impl Iterator<Item = u8> {
        let next = text.iter().skip(1).map(Some).chain([None]);
        let pairs = text.iter().zip(next);
        pairs
            .filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')))
            .map(|(byte, _)| *byte)
    }
    a == b || normalised(a).eq(normalised(b))
}

/// Makes the tree equal: first all new content beside its targets, then the renames, then the removals.
fn write(root: &Path, owned: &[&Path], files: &Generated, changes: &Changes) -> Result<()> {
    let (in_the_way, rest): (Vec<_>, Vec<_>) = changes
        .extra
        .iter()
        .partition(|extra| is_in_the_way(extra, files));
    remove(root, owned, &in_the_way)?;
    let mut temporary = Vec::new();
    let result = replace(root, files, changes, &mut temporary);
    if result.is_err() {
        for path in &temporary {
            // The error that matters is the first one.
            let _ = fs::remove_file(path);
        }
    }
    result?;
    remove(root, owned, &rest)
}

/// Whether an extra file stands where a generated file or its directory belongs, also on file systems that ignore case.
fn is_in_the_way(extra: &Path, files: &Generated) -> bool {
    let lower = |path: &Path| PathBuf::from(path.to_string_lossy().to_lowercase());
    let extra = lower(extra);
    files.0.keys().any(|path| {
        let path = lower(path);
        path.starts_with(&extra) || extra.starts_with(&path)
    })
}

/// Writes new content to temporary files, adds these to `temporary`, and then renames them all.
fn replace(
    root: &Path,
    files: &Generated,
    changes: &Changes,
    temporary: &mut Vec<PathBuf>,
) -> Result<()> {
    let mut renames = Vec::new();
    let wanted = changes.stale.iter().chain(&changes.missing);
    for (path, text) in wanted.filter_map(|path| files.0.get_key_value(path)) {
        let target = root.join(path);
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            bail!(
                "{}: not the path of a file; correct the generator",
                target.display()
            );
        };
        fs::create_dir_all(parent).with_context(|| cannot("create", parent))?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let beside = parent.join(hidden);
        temporary.push(beside.clone());
        fs::write(&beside, text).with_context(|| cannot("write", &beside))?;
        renames.push((beside, target));
    }
    for (from, to) in renames {
        fs::rename(&from, &to).with_context(|| cannot("replace", &to))?;
    }
    Ok(())
}

/// Removes extra files, and directories in owned ones that are or became empty.
fn remove(root: &Path, owned: &[&Path], extra: &[&PathBuf]) -> Result<()> {
    for path in extra {
        let full = root.join(path);
        // A link to a directory needs the second form on Windows.
        fs::remove_file(&full)
            .or_else(|error| fs::remove_dir(&full).map_err(|_| error))
            .with_context(|| cannot("remove", &full))?;
    }
    for directory in owned {
        prune(&root.join(directory), false)?;
    }
    Ok(())
}

/// Removes empty directories below `directory`, and with `itself` this one too.
fn prune(directory: &Path, itself: bool) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let mut empty = true;
    for entry in fs::read_dir(directory).with_context(|| cannot("read", directory))? {
        let entry = entry.with_context(|| cannot("read", directory))?;
        if entry
            .file_type()
            .with_context(|| cannot("read", &entry.path()))?
            .is_dir()
        {
            prune(&entry.path(), true)?;
            empty &= !entry.path().exists();
        } else {
            empty = false;
        }
    }
    if empty && itself {
        fs::remove_dir(directory).with_context(|| cannot("remove", directory))?;
    }
    Ok(())
}

/// The context of a file system error.
fn cannot(verb: &str, path: &Path) -> String {
    format!("cannot {verb} {}; check its permissions", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths and texts from `path=text path=text`; `\r` and `\n` stand for line ends.
    fn pairs(files: &str) -> Vec<(String, String)> {
        let pairs = files
            .split_whitespace()
            .filter_map(|file| file.split_once('='));
        let text = |text: &str| text.replace("\\r", "\r").replace("\\n", "\n");
        pairs
            .map(|(path, content)| (path.to_owned(), text(content)))
            .collect()
    }

    /// Files as generated.
    fn generated(files: &str) -> Generated {
        Generated(
            pairs(files)
                .into_iter()
                .map(|(path, text)| (path.into(), text))
                .collect(),
        )
    }

    /// A directory with these files.
    fn tree(files: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in pairs(files) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    /// All files below `root` with their text.
    fn found(root: &Path) -> Vec<(String, String)> {
        let mut paths = BTreeSet::new();
        list(root, Path::new(""), &mut paths).unwrap();
        let read = |path: &PathBuf| fs::read_to_string(root.join(path)).unwrap();
        paths
            .iter()
            .map(|path| (path.display().to_string(), read(path)))
            .collect()
    }

    /// Paths from `path path`.
    fn paths(paths: &str) -> Vec<PathBuf> {
        paths.split_whitespace().map(PathBuf::from).collect()
    }

    const OWNED: [&str; 1] = ["gen"];

    /// Synchronises with `gen` as the owned directory.
    fn sync_gen(root: &Path, files: &str, mode: Mode) -> Result<Changes> {
        sync(root, &OWNED.map(Path::new), &generated(files), mode)
    }

    #[test]
    fn check_reports_and_write_mends() {
        let before = r"gen/a.rs=a gen/b.rs=old gen/crlf.rs=1\r\n2\r\n gen/old/deep/x.rs=x other/keep.rs=k top.md=old";
        let files =
            r"gen/a.rs=a gen/b.rs=new gen/crlf.rs=1\n2\n gen/sub/c.rs=c other/new.rs=n top.md=new";
        let after = r"gen/a.rs=a gen/b.rs=new gen/crlf.rs=1\r\n2\r\n gen/sub/c.rs=c other/keep.rs=k other/new.rs=n top.md=new";
        let root = tree(before);
        let root = root.path();
        fs::create_dir_all(root.join("gen/empty")).unwrap();
        let expected = Changes {
            stale: paths("gen/b.rs top.md"),
            missing: paths("gen/sub/c.rs other/new.rs"),
            extra: paths("gen/old/deep/x.rs"),
            unchanged: 2,
        };
        assert_eq!(sync_gen(root, files, Mode::Check).unwrap(), expected);
        assert_eq!(found(root), pairs(before));

        let modified = || {
            fs::metadata(root.join("gen/a.rs"))
                .unwrap()
                .modified()
                .unwrap()
        };
        let untouched = modified();
        assert_eq!(sync_gen(root, files, Mode::Write).unwrap(), expected);
        assert_eq!(found(root), pairs(after));
        assert!(!root.join("gen/old").exists() && !root.join("gen/empty").exists());
        assert_eq!(modified(), untouched);

        let again = sync_gen(root, files, Mode::Check).unwrap();
        assert!(again.is_clean() && again.unchanged == 6, "{again:?}");
    }

    #[test]
    fn only_line_ends_are_ignored() {
        let same = [("a\r\nb", "a\nb"), ("a\nb", "a\r\nb"), ("", "")];
        let different = [
            ("a\rb", "a\nb"),
            ("a\n", "a"),
            ("a\r", "a"),
            ("a\r\r\n", "a\n"),
        ];
        for (cases, expected) in [(&same[..], true), (&different[..], false)] {
            for (a, b) in cases {
                assert_eq!(equal(a.as_bytes(), b.as_bytes()), expected, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn files_and_directories_change_places() {
        let root = tree("gen/a=file gen/b.rs/x.rs=x gen/Case.rs=old");
        let files = "gen/a/x.rs=x gen/b.rs=b gen/case.rs=new";
        let changes = sync_gen(root.path(), files, Mode::Write).unwrap();
        // Where case is ignored, the old file must go before the new one is written.
        assert!(is_in_the_way(Path::new("gen/Case.rs"), &generated(files)));
        assert!(!is_in_the_way(Path::new("gen/Cas"), &generated(files)));
        assert_eq!(changes.extra, paths("gen/Case.rs gen/a gen/b.rs/x.rs"));
        assert_eq!(found(root.path()), pairs(files));
    }

    #[test]
    fn a_new_tree_is_made_and_an_old_one_emptied() {
        let root = tree("");
        let owned = [Path::new("src/gen")];
        let changes = sync(
            root.path(),
            &owned,
            &generated("src/gen/a.rs=a"),
            Mode::Write,
        )
        .unwrap();
        assert_eq!(changes.missing, paths("src/gen/a.rs"));
        assert_eq!(found(root.path()), pairs("src/gen/a.rs=a"));
        sync(root.path(), &owned, &generated(""), Mode::Write).unwrap();
        assert_eq!(found(root.path()), []);
        assert!(root.path().join("src/gen").is_dir());
    }

    #[test]
    fn nothing_is_replaced_when_something_cannot_be_written() {
        let before = "file=f gen/a.rs=old gen/extra.rs=x";
        let root = tree(before);
        // A directory where the temporary file of `z.rs` would be.
        let blocked = format!("gen2/.z.rs.{}.tmp", std::process::id());
        fs::create_dir_all(root.path().join(blocked)).unwrap();
        for (path, part) in [("gen2/z.rs", "cannot write"), ("file/b.rs", "cannot read")] {
            let files = format!("gen/a.rs=new gen/b.rs=b {path}=z");
            let error = sync_gen(root.path(), &files, Mode::Write).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{error:#}");
            assert_eq!(found(root.path()), pairs(before));
        }
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        let root = tree("a=a d/x=x");
        for path in ["../a", "/a", "gen/../../a", ""] {
            let error = sync_gen(root.path(), &format!("{path}=x"), Mode::Check).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("must be relative and without `..`"),
                "{error}"
            );
            let owned = [Path::new(path)];
            assert!(
                sync(root.path(), &owned, &generated(""), Mode::Write).is_err(),
                "{path}"
            );
        }
        let error = sync(root.path(), &[Path::new("a")], &generated(""), Mode::Check).unwrap_err();
        assert!(error.to_string().contains("a: not a directory"), "{error}");
        let error = sync_gen(root.path(), "d=x", Mode::Check).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("d: a directory where a generated"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let root = tree("outside/a.rs=a outside/b.rs=b gen/x.rs=x");
        let root = root.path();
        symlink(root.join("outside"), root.join("gen/sub")).unwrap();
        symlink(root.join("outside/b.rs"), root.join("gen/b.rs")).unwrap();
        symlink(root.join("outside"), root.join("linked")).unwrap();
        let files = "gen/sub/a.rs=new gen/b.rs=b gen/x.rs=x";
        let changes = sync_gen(root, files, Mode::Write).unwrap();
        assert_eq!(changes.stale, paths("gen/b.rs"));
        assert_eq!(changes.missing, paths("gen/sub/a.rs"));
        assert_eq!(changes.extra, paths("gen/sub"));
        assert!(
            !fs::symlink_metadata(root.join("gen/b.rs"))
                .unwrap()
                .is_symlink()
        );
        assert!(sync_gen(root, files, Mode::Check).unwrap().is_clean());
        assert!(sync(root, &[Path::new("linked")], &generated(""), Mode::Write).is_err());
        assert_eq!(found(&root.join("outside")), pairs("a.rs=a b.rs=b"));
    }
}
