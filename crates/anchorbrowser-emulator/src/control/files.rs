//! Files behind signed links, and downloads of sessions.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{Asked, Done, ok, set};
use crate::answer::Refusal;
use crate::body::Body;
use crate::resources::{recordings, volumes};
use crate::service::{KEY_HEADER, bytes_response, json_response};

/// All but the characters that RFC 8187 takes as they are.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

pub(super) fn get(asked: &Asked<'_>, link: &str) -> Done {
    let (content_type, bytes) = asked
        .shared
        .enter(|world| volumes::fetch_link(world, link))??;
    Ok(file(None, &content_type, bytes))
}

pub(super) fn put(asked: &Asked<'_>, link: &str) -> Done {
    let content_type = asked.header(CONTENT_TYPE.as_str());
    let bytes = asked.body.clone();
    asked
        .shared
        .enter(|world| volumes::put_link(world, link, content_type, bytes))??;
    Ok(ok(&json!({ "status": "ok" })))
}

pub(super) fn download(asked: &Asked<'_>, id: &str) -> Done {
    authorize(asked)?;
    let found = asked
        .shared
        .enter(|world| recordings::download(world, id))?;
    let (name, content_type, bytes) = found.ok_or_else(|| Refusal::missing("download", id))?;
    Ok(file(Some(&name), &content_type, bytes))
}

pub(super) fn add_download(asked: &Asked<'_>, session: &str) -> Done {
    let name = asked.query("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| {
        Refusal::bad("query name: the file name is missing; add `?name=report.pdf`")
    })?;
    let made = format!(
        "https://example.com/{}",
        utf8_percent_encode(name, FILE_NAME)
    );
    let url = asked.query("url").unwrap_or(&made);
    let bytes = asked.body.clone();
    let (id, base) = asked.shared.enter(|world| {
        recordings::add_download(world, session, name, url, bytes)
            .map(|id| (id, world.base.clone()))
    })??;
    Ok(json_response(
        201,
        &json!({ "id": id, "file_link": format!("{base}/__emulator/downloads/{id}") }),
    ))
}

/// Downloads need the key, as the API does.
fn authorize(asked: &Asked<'_>) -> Result<(), Refusal> {
    let key = asked.header(KEY_HEADER).map(str::trim).unwrap_or_default();
    let what = match key {
        "" => "the key is missing; downloads need it",
        key if asked.shared.accepts(key) => return Ok(()),
        _ => "the key is not known",
    };
    Err(Refusal::new(401, format!("header {KEY_HEADER}: {what}")))
}

/// A file that is saved, not shown: what was uploaded must not act as a page of the emulator.
fn file(name: Option<&str>, content_type: &str, bytes: Bytes) -> Response<Body> {
    let mut response = bytes_response(200, content_type, bytes);
    let disposition = match name {
        Some(name) => format!(
            "attachment; filename*=UTF-8''{}",
            utf8_percent_encode(name, FILE_NAME)
        ),
        None => "attachment".to_owned(),
    };
    set(&mut response, CONTENT_DISPOSITION, &disposition);
    set(
        &mut response,
        CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'",
    );
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}
