//! The files and directories of a volume. A directory is a record like a file; those above a file are made with it.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{existing, mounted_by, open, paths};
use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::digest;
use crate::resources::session_files::media_type;
use crate::resources::volumes::State;
use crate::time::Time;
use crate::world::{Record, World};

/// Bytes that one multipart upload may have.
const LARGEST_UPLOAD: usize = 10 << 20;
/// How long a file that a session wrote stays unseen by the API.
const UNSEEN: Duration = Duration::from_secs(60);
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VolumeFile {
    /// See [`key`]; the bytes lie under it too.
    id: String,
    pub(crate) volume: String,
    pub(crate) path: String,
    pub(crate) directory: bool,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) content_type: String,
    pub(crate) modified: Time,
    /// From when on the API shows it.
    shown: Time,
}

impl Record for VolumeFile {
    const KIND: &'static str = "volume_files";

    fn id(&self) -> &str {
        &self.id
    }
}

impl VolumeFile {
    /// As an entry of a list.
    pub(super) fn entry(&self) -> Value {
        let of_file = |value: Value| if self.directory { Value::Null } else { value };
        json!({
            "path": self.path,
            "type": if self.directory { "directory" } else { "file" },
            "size": of_file(json!(self.size)),
            "last_modified": self.modified.text(),
            "etag": of_file(json!(self.etag)),
        })
    }

    fn info(&self) -> Value {
        json!({
            "path": self.path,
            "size": self.size,
            "etag": self.etag,
            "content_type": self.content_type,
            "last_modified": self.modified.text(),
        })
    }
}

fn key(volume: &str, path: &str) -> String {
    format!("{volume}/{path}")
}

/// What is at `path`, if it is shown already.
pub(super) fn entry<'w>(world: &'w World, volume: &str, path: &str) -> Option<&'w VolumeFile> {
    let entry = world.tables.volume_files.get(&key(volume, path))?;
    Some(entry).filter(|entry| entry.shown <= world.now)
}

/// All that is shown in a volume, by path.
pub(super) fn entries<'w>(
    world: &'w World,
    volume: &str,
    fits: impl Fn(&str) -> bool,
) -> Vec<&'w VolumeFile> {
    let all = world.tables.volume_files.iter();
    let mut entries: Vec<&VolumeFile> = all
        .filter(|entry| entry.volume == volume && entry.shown <= world.now && fits(&entry.path))
        .collect();
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

/// The file at `path`; 404 if there is none.
pub(super) fn file<'w>(
    world: &'w World,
    volume: &str,
    path: &str,
) -> Result<&'w VolumeFile, Refusal> {
    entry(world, volume, path)
        .filter(|entry| !entry.directory)
        .ok_or_else(|| Refusal::missing("file", path))
}

/// The bytes of a file.
pub(super) fn bytes(world: &World, file: &VolumeFile) -> Bytes {
    world.blobs.get(&file.id).unwrap_or_default()
}

/// Refuses a path at which a directory lies, or that lies below a file; also if the API does not show it yet.
pub(super) fn room(world: &World, volume: &str, path: &str) -> Result<(), Refusal> {
    let is_directory = |path: &str| {
        let entry = world.tables.volume_files.get(&key(volume, path));
        entry.map(|entry| entry.directory)
    };
    if let Some(file) = paths::parents(path).find(|parent| is_directory(parent) == Some(false)) {
        return Err(Refusal::conflict(format!(
            "`{file}` is a file, so nothing can lie below it"
        )));
    }
    if is_directory(path) == Some(true) {
        return Err(Refusal::conflict(format!(
            "`{path}` is a directory already"
        )));
    }
    Ok(())
}

/// Makes a directory, unless it is there, and shows it from `shown` on.
fn make_directory(world: &mut World, volume: &str, path: &str, shown: Time) -> Result<(), Refusal> {
    let id = key(volume, path);
    if let Some(directory) = world.tables.volume_files.get(&id)
        && directory.directory
        && directory.shown <= shown
    {
        return Ok(());
    }
    world.blobs.remove(&id);
    world.tables.volume_files.add(VolumeFile {
        id,
        volume: volume.to_owned(),
        path: path.to_owned(),
        directory: true,
        size: 0,
        etag: String::new(),
        content_type: String::new(),
        modified: world.now,
        shown,
    })
}

/// Keeps a file, which may replace one, and the directories above it.
pub(super) fn store(
    world: &mut World,
    volume: &str,
    path: &str,
    content_type: &str,
    bytes: Bytes,
    shown: Time,
) -> Result<(), Refusal> {
    room(world, volume, path)?;
    for parent in paths::parents(path) {
        make_directory(world, volume, parent, shown)?;
    }
    let id = key(volume, path);
    let etag = digest(&bytes).chars().take(32).collect();
    let size = bytes.len() as u64;
    world.blobs.put(&id, bytes)?;
    let added = world.tables.volume_files.add(VolumeFile {
        volume: volume.to_owned(),
        path: path.to_owned(),
        directory: false,
        size,
        etag,
        content_type: content_type.to_owned(),
        modified: world.now,
        shown,
        id: id.clone(),
    });
    if added.is_err() {
        world.blobs.remove(&id);
    }
    added
}

/// Keeps what a session downloaded in the volume that it has mounted for writing.
pub(crate) fn save_download(world: &mut World, session: &str, name: &str, bytes: Bytes) {
    let Some((volume, false)) = mounted_by(world, session) else {
        return;
    };
    if existing(world, &volume).is_none_or(|volume| volume.state != State::Ready) {
        return;
    }
    let (path, shown) = (format!("downloads/{name}"), world.now.after(UNSEEN));
    if let Err(refusal) = store(world, &volume, &path, media_type(name), bytes, shown) {
        // A browser tells nobody either that its disk is full.
        tracing::warn!(
            status = refusal.status,
            "a download was not kept in its volume"
        );
    }
}

fn remove(world: &mut World, ids: &[String]) {
    for id in ids {
        world.tables.volume_files.remove(id);
        world.blobs.remove(id);
    }
}

/// Drops all files of a volume.
pub(super) fn forget(world: &mut World, volume: &str) {
    let ids = world
        .tables
        .volume_files
        .ids(|entry| entry.volume == volume);
    remove(world, &ids);
}

pub(super) fn stat(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let path = paths::of_file("query path", call.text("path").unwrap_or_default())?;
    Ok(Answer::data(file(world, &volume, &path)?.info()))
}

pub(super) fn upload(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let Some(part) = call.part("file") else {
        return Err(Refusal::bad("body.file: the part with the file is missing"));
    };
    if part.bytes.len() > LARGEST_UPLOAD {
        return Err(Refusal::new(
            413,
            "body.file: has more than 10 MB; ask for an upload URL and PUT the file there",
        ));
    }
    let name = part
        .file_name
        .as_deref()
        .and_then(paths::file_name)
        .unwrap_or_default();
    // Without a path, or with one that ends in `/`, the file keeps its name.
    let path = match call.field("path").unwrap_or_default() {
        path if path.is_empty() || path.ends_with('/') => format!("{path}{name}"),
        path => path,
    };
    let path = paths::of_file("body.path", &path)?;
    let overwrite = call
        .field("overwrite")
        .is_some_and(|overwrite| overwrite == "true");
    room(world, &volume, &path)?;
    if !overwrite && entry(world, &volume, &path).is_some() {
        return Err(Refusal::conflict(format!(
            "there is a file `{path}` already; set `overwrite` to replace it"
        )));
    }
    let guess = media_type(&path);
    let content_type = part.content_type.as_deref().unwrap_or(guess);
    let now = world.now;
    store(world, &volume, &path, content_type, part.bytes.clone(), now)?;
    Ok(Answer::data(file(world, &volume, &path)?.info()))
}

pub(super) fn create_directory(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let path = paths::of_file("body.path", call.member("path").unwrap_or_default())?;
    room(world, &volume, &path)?;
    if entry(world, &volume, &path).is_some() {
        return Err(Refusal::conflict(format!(
            "there is a file `{path}` already"
        )));
    }
    let now = world.now;
    for directory in paths::parents(&path).chain([path.as_str()]) {
        make_directory(world, &volume, directory, now)?;
    }
    Ok(Answer::data(json!({ "path": path, "type": "directory" })))
}

/// Either `path`, for a file or an empty directory, or `prefix` with `recursive=true`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let given = |name| call.text(name).filter(|text| !text.is_empty());
    let count = match (given("path"), given("prefix")) {
        (Some(path), None) => {
            delete_one(world, &volume, &paths::of_file("query path", path)?)?;
            1
        }
        (None, Some(prefix)) if call.flag("recursive") == Some(true) => {
            delete_all(world, &volume, prefix.trim_start_matches('/'))
        }
        (None, Some(_)) => {
            return Err(Refusal::bad(
                "query recursive: must be `true` beside a prefix",
            ));
        }
        _ => {
            return Err(Refusal::bad(
                "query: give either `path`, or `prefix` and `recursive=true`",
            ));
        }
    };
    Ok(Answer::data(
        json!({ "status": "success", "deleted_count": count }),
    ))
}

fn delete_one(world: &mut World, volume: &str, path: &str) -> Result<(), Refusal> {
    let Some(entry) = entry(world, volume, path) else {
        return Err(Refusal::missing("file", path));
    };
    let (id, inside) = (entry.id.clone(), format!("{path}/"));
    if entry.directory && !entries(world, volume, |path| path.starts_with(&inside)).is_empty() {
        return Err(Refusal::conflict(format!(
            "the directory `{path}` is not empty; give it as `prefix` with `recursive=true`"
        )));
    }
    remove(world, &[id]);
    Ok(())
}

/// Deletes what begins with a text, and gives the number of files. `a/` stands for the directory `a` and all in it.
fn delete_all(world: &mut World, volume: &str, prefix: &str) -> usize {
    let directory = prefix.strip_suffix('/');
    let fits = |path: &str| path.starts_with(prefix) || Some(path) == directory;
    let doomed = entries(world, volume, fits);
    let count = doomed.iter().filter(|entry| !entry.directory).count();
    let ids: Vec<String> = doomed.iter().map(|entry| entry.id.clone()).collect();
    remove(world, &ids);
    count
}
