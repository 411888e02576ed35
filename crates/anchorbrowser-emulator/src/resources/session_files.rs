//! Files for a running session: those that its pages can upload, and those that its agents can use. They go with
//! the session.

mod archive;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::document::Part;
use crate::resources::{Routes, sessions, volumes};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/sessions/{sessionId}/uploads", upload),
    (
        "POST /v1/sessions/{sessionId}/agent/files",
        upload_for_agent,
    ),
    ("GET /v1/sessions/{sessionId}/agent/files", list_for_agent),
];

/// Where a file lies in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Folder {
    Uploads,
    Agent,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionFile {
    /// See [`key`]; the bytes lie under it too, except for what came in an archive.
    id: String,
    pub(crate) session: String,
    pub(crate) folder: Folder,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) content_type: String,
    pub(crate) modified: Time,
}

impl Record for SessionFile {
    const KIND: &'static str = "session_files";

    fn id(&self) -> &str {
        &self.id
    }
}

fn key(session: &str, folder: Folder, name: &str) -> String {
    let folder = match folder {
        Folder::Uploads => "uploads",
        Folder::Agent => "agent",
    };
    format!("{session}/{folder}/{name}")
}

/// The media type that the ending of a file's name stands for.
pub(crate) fn media_type(name: &str) -> &'static str {
    let ending = name
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_ascii_lowercase();
    match ending.as_str() {
        "csv" => "text/csv",
        "gif" => "image/gif",
        "gz" => "application/gzip",
        "htm" | "html" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "json" => "application/json",
        "mp4" => "video/mp4",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" | "log" | "md" => "text/plain",
        "webp" => "image/webp",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// Drops the files of a session that has ended.
pub(crate) fn forget(world: &mut World, session: &str) {
    for id in world
        .tables
        .session_files
        .ids(|file| file.session == session)
    {
        world.tables.session_files.remove(&id);
        world.blobs.remove(&id);
    }
}

/// A file that is to be kept. Without bytes only its name and size are.
struct Incoming {
    name: String,
    size: u64,
    content_type: String,
    bytes: Option<Bytes>,
}

impl Incoming {
    fn of(part: &Part) -> Result<Self, Refusal> {
        let given = part.file_name.as_deref().unwrap_or_default();
        if given.is_empty() && part.bytes.is_empty() {
            return Err(Refusal::bad("body.file: holds no file"));
        }
        let name = match given {
            "" => "file",
            given => volumes::file_name(given).ok_or_else(|| {
                Refusal::bad("body.file: its file name can't be used; it needs 1 to 255 bytes")
            })?,
        };
        Ok(Self {
            name: name.to_owned(),
            size: part.bytes.len() as u64,
            content_type: part
                .content_type
                .clone()
                .unwrap_or_else(|| media_type(name).to_owned()),
            bytes: Some(part.bytes.clone()),
        })
    }

    fn is_archive(&self) -> bool {
        self.name.to_ascii_lowercase().ends_with(".zip")
            || matches!(
                self.content_type.as_str(),
                "application/zip" | "application/x-zip-compressed"
            )
    }
}

/// Keeps a file; one with its name is replaced.
fn store(world: &mut World, session: &str, folder: Folder, file: Incoming) -> Result<(), Refusal> {
    let id = key(session, folder, &file.name);
    match file.bytes {
        Some(bytes) => world.blobs.put(&id, bytes)?,
        None => world.blobs.remove(&id),
    }
    let added = world.tables.session_files.add(SessionFile {
        session: session.to_owned(),
        folder,
        name: file.name,
        size: file.size,
        content_type: file.content_type,
        modified: world.now,
        id: id.clone(),
    });
    if added.is_err() {
        world.blobs.remove(&id);
    }
    added
}

/// The session of the path, and the file that the request brings.
fn incoming(world: &mut World, call: &Call<'_>) -> Result<(String, Incoming), Refusal> {
    let session = sessions::running(world, call)?.id.clone();
    let part = call
        .part("file")
        .ok_or_else(|| Refusal::bad("body.file: the file is missing"))?;
    Ok((session, Incoming::of(part)?))
}

fn taken(message: String) -> Outcome {
    Ok(Answer::data(
        json!({ "status": "success", "message": message }),
    ))
}

fn upload(world: &mut World, call: &Call<'_>) -> Outcome {
    let (session, file) = incoming(world, call)?;
    let (name, bytes) = (file.name.clone(), file.bytes.clone().unwrap_or_default());
    store(world, &session, Folder::Uploads, file)?;
    let Some(browser) = world.browsers.get(&session) else {
        return taken(format!("the file is at /uploads/{name}"));
    };
    let writing = async move {
        let written = browser.running().await?.upload(&name, &bytes).await;
        written.map_err(|error| Refusal::new(500, format!("the file could not be kept: {error}")))
    };
    Ok(Answer::later(writing, |_, path| {
        taken(format!("the file is at {}", path.display()))
    }))
}

/// An archive is taken apart. Of what is in it, names and sizes are kept: nothing asks for the contents.
fn upload_for_agent(world: &mut World, call: &Call<'_>) -> Outcome {
    let (session, file) = incoming(world, call)?;
    let files = match &file.bytes {
        Some(bytes) if file.is_archive() => unpacked(bytes)?,
        _ => vec![file],
    };
    let count = files.len();
    for file in files {
        store(world, &session, Folder::Agent, file)?;
    }
    taken(format!("{count} resources are there for agents"))
}

fn unpacked(bytes: &[u8]) -> Result<Vec<Incoming>, Refusal> {
    let entries = archive::entries(bytes).ok_or_else(|| {
        Refusal::bad("body.file: can't be read as a ZIP archive, which its name or type says it is")
    })?;
    let files: Result<Vec<Incoming>, Refusal> = entries
        .into_iter()
        .map(|entry| {
            let name = volumes::normal("body.file: a name in the archive", &entry.name)?;
            let content_type = media_type(&name).to_owned();
            Ok(Incoming {
                name,
                size: entry.size,
                content_type,
                bytes: None,
            })
        })
        .collect();
    match files? {
        files if files.is_empty() => Err(Refusal::bad("body.file: the archive holds no file")),
        files => Ok(files),
    }
}

fn list_for_agent(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?.id.clone();
    let all = world.tables.session_files.iter();
    let files: Vec<Value> = all
        .filter(|file| file.session == session && file.folder == Folder::Agent)
        .map(|file| {
            json!({
                "name": file.name,
                "size": file.size,
                "type": file.content_type,
                "lastModified": file.modified.text(),
            })
        })
        .collect();
    Ok(Answer::data(json!({ "files": files })))
}
