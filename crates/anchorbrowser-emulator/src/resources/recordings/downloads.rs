//! Files that sessions downloaded.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Position, Url};

use crate::answer::{Outcome, Refusal};
use crate::call::Call;
use crate::media;
use crate::resources::session_files::media_type;
use crate::resources::{find, listed, volumes};
use crate::time::Time;
use crate::world::{Record, World};

const LONGEST_URL: usize = 8_192;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Download {
    id: String,
    pub(crate) session: String,
    /// As the page called it.
    original_name: String,
    /// The same, unless the session has a file of that name already.
    pub(crate) name: String,
    url: String,
    /// The page that was open.
    origin: String,
    size: u64,
    created: Time,
    #[serde(default)]
    took: Duration,
}

/// A file that a session has downloaded.
pub(crate) struct Arrived {
    pub(crate) name: String,
    pub(crate) url: String,
    /// The page that it was downloaded from; without, the one that the session shows.
    pub(crate) origin: Option<String>,
    pub(crate) bytes: Bytes,
    pub(crate) took: Duration,
}

impl Record for Download {
    const KIND: &'static str = "downloads";

    fn id(&self) -> &str {
        &self.id
    }
}

/// A URL as RFC 3986 wants it, which is stricter than what browsers take, and without credentials.
fn uri(text: &str) -> Option<String> {
    // What may stand in a path or a query but for `%`, which is encoded where it starts no escape.
    const OTHERS: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    if text.len() > LONGEST_URL {
        return None;
    }
    let mut url = Url::parse(text).ok()?;
    // Fails only where a URL has no place for them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let rest = &url[Position::BeforePath..];
    let mut pieces = rest.split('%');
    let mut encoded = utf8_percent_encode(pieces.next()?, OTHERS).to_string();
    for piece in pieces {
        let escape = piece.as_bytes().get(..2);
        let escape = escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        encoded.push_str(if escape { "%" } else { "%25" });
        encoded.extend(utf8_percent_encode(piece, OTHERS));
    }
    Some(format!("{}{encoded}", &url[..Position::BeforePath]))
}

/// `name`, or the like with a number, so that the session has no other file of that name.
fn unique(world: &World, session: &str, name: &str) -> String {
    let all = world.tables.downloads.iter();
    let of_session = all.filter(|download| download.session == session);
    let taken: HashSet<&str> = of_session.map(|download| download.name.as_str()).collect();
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let numbered = (1_u32..).map(|number| format!("{stem} ({number}){ending}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names
        .find(|name| !taken.contains(name.as_str()))
        .unwrap_or_else(|| name.to_owned())
}

/// Has a running session download a file from `url`, and gives the id of the download.
pub(crate) fn add_download(
    world: &mut World,
    session: &str,
    name: &str,
    url: &str,
    bytes: Bytes,
) -> Result<String, Refusal> {
    if uri(url).is_none() {
        return Err(Refusal::bad(
            "url: must be an absolute URL of at most 8,192 bytes",
        ));
    }
    let arrived = Arrived {
        name: name.to_owned(),
        url: url.to_owned(),
        origin: None,
        bytes,
        took: Duration::ZERO,
    };
    keep_download(world, session, arrived)
}

/// Keeps a file that a running session has downloaded, and gives the id of the download.
pub(crate) fn keep_download(
    world: &mut World,
    session: &str,
    arrived: Arrived,
) -> Result<String, Refusal> {
    let record = find(&world.tables.sessions, "session", session)?;
    if !record.is_running() {
        return Err(Refusal::conflict(format!(
            "the session `{session}` has ended; only a running one downloads files"
        )));
    }
    let original = volumes::file_name(&arrived.name).ok_or_else(|| {
        Refusal::bad("name: must be a file name of 1 to 255 bytes without control characters")
    })?;
    let shown = || record.pages.first().and_then(|page| uri(&page.url));
    let origin = arrived.origin.as_deref().and_then(uri).or_else(shown);
    // One that holds the whole file, such as `data:`, may be too long.
    let url = uri(&arrived.url).or_else(|| origin.clone());
    let url = url.unwrap_or_else(|| "about:blank".to_owned());
    let origin = origin.unwrap_or_else(|| url.clone());
    let bytes = arrived.bytes;
    let id = world.ids.uuid();
    let download = Download {
        name: unique(world, session, original),
        original_name: original.to_owned(),
        session: session.to_owned(),
        url,
        origin,
        size: bytes.len() as u64,
        created: world.now,
        took: arrived.took,
        id: id.clone(),
    };
    let name = download.name.clone();
    world.blobs.put(&id, bytes.clone())?;
    if let Err(refusal) = world.tables.downloads.add(download) {
        world.blobs.remove(&id);
        return Err(refusal);
    }
    volumes::save_download(world, session, &name, bytes);
    Ok(id)
}

/// A session went to a URL that looks like a file: it downloads one, made up. The browser shows PDFs itself unless
/// its viewer is off, and with peer-to-peer downloads nothing is kept.
pub(crate) fn downloaded(world: &mut World, session: &str, url: &str) {
    let Some(record) = world.tables.sessions.get(session) else {
        return;
    };
    let Ok(mut parsed) = Url::parse(url) else {
        return;
    };
    // It may hold what is nobody's business in a file.
    parsed.set_query(None);
    let path = percent_encoding::percent_decode_str(parsed.path()).decode_utf8_lossy();
    let Some(name) = volumes::file_name(&path).map(str::to_owned) else {
        return;
    };
    let shown =
        media_type(&name) == "application/pdf" && record.switch("/browser/pdf_viewer", true);
    if shown || record.switch("/browser/p2p_download", false) {
        return;
    }
    let host = parsed.host_str().unwrap_or_default();
    let content = content(&name, &format!("{name} of {host}, made by the emulator"));
    if let Err(refusal) = add_download(world, session, &name, url, content) {
        tracing::warn!(status = refusal.status, "a download was not kept");
    }
}

/// A small file of the kind that `name` says.
fn content(name: &str, text: &str) -> Bytes {
    match media_type(name) {
        "application/pdf" => media::pdf(text, false, None).into(),
        "image/png" => media::png(64, 64, 0).into(),
        "application/json" => json!({ "text": text }).to_string().into(),
        "text/csv" => format!("text\n\"{}\"\n", text.replace('"', "\"\"")).into(),
        "application/xml" => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            format!("<?xml version=\"1.0\"?>\n<text>{text}</text>\n").into()
        }
        // An archive of no files.
        "application/zip" => [b"PK\x05\x06".as_slice(), &[0; 18]].concat().into(),
        _ => format!("{text}\n").into(),
    }
}

/// Drops the downloads of a session.
pub(super) fn forget(world: &mut World, session: &str) {
    for id in world.tables.downloads.ids(|it| it.session == session) {
        world.tables.downloads.remove(&id);
        world.blobs.remove(&id);
    }
}

/// A download: its file name, its content type and its bytes.
pub(crate) fn download(world: &World, id: &str) -> Option<(String, String, Bytes)> {
    let download = world.tables.downloads.get(id)?;
    let name = download.name.clone();
    Some((
        name,
        media_type(&download.name).to_owned(),
        world.blobs.get(id)?,
    ))
}

/// All downloads of a session, running or ended.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = call.session();
    find(&world.tables.sessions, "session", session)?;
    let all = world.tables.downloads.iter();
    let items: Vec<Value> = all
        .filter(|download| download.session == session)
        .map(|download| {
            json!({
                "id": download.id,
                "file_link": format!("{}/__emulator/downloads/{}", world.base, download.id),
                "original_download_url": download.url,
                "origin_url": download.origin,
                "suggested_file_name": download.name,
                "original_file_name": download.original_name,
                "duration": u64::try_from(download.took.as_millis()).unwrap_or(u64::MAX),
                "size": download.size,
                "created_at": download.created.text(),
            })
        })
        .collect();
    Ok(listed(items))
}

#[cfg(test)]
#[path = "downloads_tests.rs"]
mod tests;
