//! Links under which a file of a volume is put or fetched without a key, for a while.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{State, existing, files, open, paths};
use crate::answer::{Answer, Body, Outcome, Refusal};
use crate::call::Call;
use crate::resources::session_files::media_type;
use crate::time::Time;
use crate::world::{Record, World};

/// How long a link can be used.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// How long it is known afterwards, so that its use is refused with the reason.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// Bytes that one upload by link may have: 5 GB.
const LARGEST: u64 = 5 << 30;

/// A link. Whoever knows its id may use it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Link {
    id: String,
    pub(crate) volume: String,
    pub(crate) path: String,
    /// The one PUT that it allows; without it, it allows GETs.
    put: Option<Put>,
    expires: Time,
}

/// What a PUT must be like.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Put {
    content_type: String,
    size: Option<u64>,
    done: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id: _,
            volume,
            path,
            put,
            expires,
        } = self;
        let mut text = f.debug_struct("Link");
        text.field("volume", volume)
            .field("path", path)
            .field("put", put);
        text.field("expires", expires).finish_non_exhaustive()
    }
}

impl Record for Link {
    const KIND: &'static str = "links";

    fn id(&self) -> &str {
        &self.id
    }

    fn due(&self) -> Option<Time> {
        Some(self.expires.after(REMEMBERED))
    }

    fn step(world: &mut World, id: &str) {
        world.tables.links.remove(id);
    }
}

/// Makes a link and gives its URL.
fn make(world: &mut World, volume: &str, path: &str, put: Option<Put>) -> Result<String, Refusal> {
    let id = world.ids.secret();
    let url = format!("{}/__emulator/files/{id}", world.base);
    world.tables.links.add(Link {
        id,
        volume: volume.to_owned(),
        path: path.to_owned(),
        put,
        expires: world.now.after(LIFE),
    })?;
    Ok(url)
}

/// A link that is still good, of a volume that is still there. Messages don't repeat its id: it is a secret.
fn usable(world: &World, id: &str) -> Result<Link, Refusal> {
    let Some(link) = world.tables.links.get(id) else {
        return Err(Refusal::new(
            404,
            "there is no such link; ask for a new one",
        ));
    };
    if link.expires <= world.now {
        return Err(Refusal::new(403, "the link has expired; ask for a new one"));
    }
    match existing(world, &link.volume) {
        Some(volume) if volume.state == State::Ready => Ok(link.clone()),
        _ => Err(Refusal::missing("volume", &link.volume)),
    }
}

/// The file behind a link: its content type and its bytes.
pub(crate) fn fetch_link(world: &mut World, id: &str) -> Result<(String, Bytes), Refusal> {
    let link = usable(world, id)?;
    if link.put.is_some() {
        return Err(Refusal::new(403, "the link is for PUT, not for GET"));
    }
    let file = files::file(world, &link.volume, &link.path)?;
    Ok((file.content_type.clone(), files::bytes(world, file)))
}

/// Keeps the file that is put to a link. The link is used up if that succeeds.
pub(crate) fn put_link(
    world: &mut World,
    id: &str,
    content_type: Option<&str>,
    bytes: Bytes,
) -> Result<(), Refusal> {
    let link = usable(world, id)?;
    let Some(put) = link.put else {
        return Err(Refusal::new(403, "the link is for GET, not for PUT"));
    };
    if put.done {
        return Err(Refusal::new(
            403,
            "the link has been used; ask for a new one",
        ));
    }
    if !content_type.is_some_and(|sent| sent.trim().eq_ignore_ascii_case(&put.content_type)) {
        return Err(Refusal::new(
            403,
            "header content-type: is not the one that came with the link; send its headers unchanged",
        ));
    }
    if put.size.is_some_and(|size| size != bytes.len() as u64) {
        return Err(Refusal::bad(
            "the body has not the `size` for which the link was asked",
        ));
    }
    let now = world.now;
    files::store(
        world,
        &link.volume,
        &link.path,
        &put.content_type,
        bytes,
        now,
    )?;
    if let Some(put) = world
        .tables
        .links
        .edit(id)
        .and_then(|link| link.put.as_mut())
    {
        put.done = true;
    }
    Ok(())
}

pub(super) fn upload_url(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let path = paths::of_file("body.path", call.member("path").unwrap_or_default())?;
    files::room(world, &volume, &path)
        .map_err(|refusal| Refusal::bad(format!("body.path: {}", refusal.message)))?;
    let size = match call.body().get("size") {
        None | Some(Value::Null) => None,
        Some(size) => match size.as_u64() {
            Some(size @ 0..=LARGEST) => Some(size),
            _ => return Err(Refusal::bad("body.size: must be from 0 bytes to 5 GB")),
        },
    };
    let content_type = call
        .member("content_type")
        .unwrap_or_else(|| media_type(&path));
    let visible = |byte: u8| (b' '..=b'~').contains(&byte);
    if !content_type.contains('/') || !content_type.bytes().all(visible) {
        return Err(Refusal::bad(
            "body.content_type: must be a media type such as `text/csv`",
        ));
    }
    let content_type = content_type.trim().to_owned();
    let headers = json!({ "Content-Type": content_type });
    let put = Put {
        content_type,
        size,
        done: false,
    };
    let url = make(world, &volume, &path, Some(put))?;
    Ok(Answer::data(json!({
        "signed_url": url,
        "method": "PUT",
        "headers": headers,
        "expires_in": LIFE.as_secs(),
    })))
}

pub(super) fn download_url(world: &mut World, call: &Call<'_>) -> Outcome {
    let volume = open(world, call)?;
    let path = paths::of_file("query path", call.text("path").unwrap_or_default())?;
    let file = files::file(world, &volume, &path)?;
    let (size, content_type) = (file.size, file.content_type.clone());
    let url = make(world, &volume, &path, None)?;
    if call.flag("redirect") == Some(true) {
        let answer = Answer {
            status: Some(302),
            headers: Vec::new(),
            body: Body::Empty,
        };
        return Ok(answer.header("location", url));
    }
    Ok(Answer::data(json!({
        "signed_url": url,
        "expires_in": LIFE.as_secs(),
        "size": size,
        "content_type": content_type,
    })))
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
