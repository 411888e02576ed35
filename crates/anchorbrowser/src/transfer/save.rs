//! Saving a body: a file that is there when it is whole, or not at all.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::download::Download;
use super::{PIECE, name, random};
use crate::error::{Error, ErrorKind, Result};

/// How many names are tried in a directory that has one already.
const NAMES: u32 = 10_000;

/// Where a body is saved.
pub(super) enum Target {
    /// At this path, in place of a file there.
    File(PathBuf),
    /// In this directory under this name, beside a file of that name.
    Directory(PathBuf, String),
}

/// Saves the rest of a body and gives its path. Whenever this is dropped, no part of it stays.
pub(super) async fn save(download: &mut Download, target: Target) -> Result<PathBuf> {
    let shown = match &target {
        Target::File(path) => path.clone(),
        Target::Directory(directory, name) => directory.join(name),
    };
    let created = blocking(move || Temporary::create(target)).await;
    let (file, temporary) = created.map_err(|source| failure(download, &shown, source))?;
    let mut writer = BufWriter::with_capacity(PIECE, tokio::fs::File::from_std(file));
    while let Some(chunk) = download.chunk().await? {
        let written = writer.write_all(&chunk).await;
        written.map_err(|source| failure(download, &shown, source))?;
    }
    let flushed = writer.flush().await;
    flushed.map_err(|source| failure(download, &shown, source))?;
    let file = writer.into_inner().into_std().await;
    let published = blocking(move || {
        // Otherwise a crash of the machine could leave an empty file in place of the old one.
        file.sync_all()?;
        drop(file);
        temporary.publish()
    });
    published
        .await
        .map_err(|source| failure(download, &shown, source))
}

/// Runs what blocks. If this is dropped, it runs to its end all the same, and what it gives is
/// dropped.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let task = tokio::task::spawn_blocking(run);
    task.await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn failure(download: &Download, path: &Path, source: io::Error) -> Error {
    let message = format!(
        "`{}` cannot be written; check its directory, the permissions and the free space",
        path.display()
    );
    download
        .failure(ErrorKind::File, message)
        .with_source(source)
}

/// A file under another name than its own; dropping this removes it.
struct Temporary {
    path: PathBuf,
    target: Target,
}

impl Temporary {
    /// Makes an empty file in the directory of the target, for writing.
    fn create(mut target: Target) -> io::Result<(fs::File, Self)> {
        let (directory, permissions) = match &mut target {
            Target::Directory(directory, _) => (directory.as_path(), None),
            Target::File(path) => {
                // Of a symbolic link, the file that it leads to is replaced.
                *path = fs::canonicalize(&*path).unwrap_or_else(|_| path.clone());
                (directory_of(path)?, replaced(path)?)
            }
        };
        let name = format!(".anchorbrowser-{:016x}.part", random());
        let path = directory.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        let temporary = Self { path, target };
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        Ok((file, temporary))
    }

    /// Gives the file its own name.
    fn publish(self) -> io::Result<PathBuf> {
        match &self.target {
            Target::File(path) => {
                fs::rename(&self.path, path)?;
                Ok(path.clone())
            }
            Target::Directory(directory, name) => self.publish_beside(directory, name),
        }
    }

    fn publish_beside(&self, directory: &Path, name: &str) -> io::Result<PathBuf> {
        for number in 0..NAMES {
            let path = directory.join(name::numbered(name, number));
            // An empty file takes the name, so that nothing else can until the rename.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(placeholder) => drop(placeholder),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let renamed = fs::rename(&self.path, &path);
            return match renamed {
                Ok(()) => Ok(path),
                Err(error) => {
                    // The rename's failure is told; a second one would only hide it.
                    let _ = fs::remove_file(&path);
                    Err(error)
                }
            };
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// Here, and not on another thread: the process may be about to end.
impl Drop for Temporary {
    fn drop(&mut self) {
        // It is not there if it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

/// The permissions of the file that is replaced, if there is one.
fn replaced(path: &Path) -> io::Result<Option<fs::Permissions>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.permissions())),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is there and no regular file; to save in a directory, use `save_in`",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn directory_of(path: &Path) -> io::Result<&Path> {
    match (path.file_name(), path.parent()) {
        (Some(_), Some(directory)) if directory.as_os_str().is_empty() => Ok(Path::new(".")),
        (Some(_), Some(directory)) => Ok(directory),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no name of a file",
        )),
    }
}
