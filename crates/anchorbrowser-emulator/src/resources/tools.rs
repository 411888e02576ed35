//! Pictures, printed pages and contents of web pages. Where there are no browsers, all are made up: the emulator itself
//! opens no page.

mod live;

use serde_json::{Value, json};
use url::{Host, Url};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::media;
use crate::resources::sessions::{self, Session};
use crate::resources::{Routes, billing, control, documents};
use crate::webhook;
use crate::world::World;

use live::Desk;

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/tools/screenshot", screenshot),
    ("POST /v1/tools/page-pdf", page_pdf),
    ("POST /v1/tools/fetch/webpage", fetch),
];

/// The longest side of a picture, in pixels.
const LONGEST: u32 = 4096;

/// The extension of the file that a URL names, in lower case.
pub(crate) fn extension(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let (stem, extension) = url.path_segments()?.next_back()?.rsplit_once('.')?;
    // The last part of a version number, as in `v1.2`, is none.
    let fits = (1..=8).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && extension.bytes().any(|byte| byte.is_ascii_alphabetic());
    (!stem.is_empty() && fits).then(|| extension.to_ascii_lowercase())
}

/// The URL of the body, if there is one; it must be the address of a web page.
fn address(call: &Call<'_>) -> Result<Option<Url>, Refusal> {
    let Some(text) = call.member("url") else {
        return Ok(None);
    };
    let url = Url::parse(text).map_err(|error| Refusal::bad(format!("body.url: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::bad(
            "body.url: must begin with http:// or https://",
        ));
    }
    Ok(Some(url))
}

/// The page that a tool works on: the URL of the body, opened in the session of the query if one is named, or else
/// the page that this session shows. With it, the viewport.
fn open(world: &mut World, call: &Call<'_>) -> Result<(String, (u32, u32)), Refusal> {
    let url = address(call)?.map(String::from);
    let Some(id) = call.text("sessionId") else {
        return Ok((url.ok_or_else(no_url)?, control::VIEWPORT));
    };
    let session = session(world, call, id)?;
    let viewport = control::viewport(session);
    if let Some(url) = url {
        session.visit(&url);
        return Ok((url, viewport));
    }
    Ok((
        session
            .pages
            .first()
            .map(|page| page.url.clone())
            .unwrap_or_default(),
        viewport,
    ))
}

fn no_url() -> Refusal {
    Refusal::bad("body.url: is missing; give it, or a sessionId in the query")
}

/// The running session that the query names.
fn session<'w>(
    world: &'w mut World,
    call: &Call<'_>,
    id: &str,
) -> Result<&'w mut Session, Refusal> {
    sessions::in_use(world, call, id).map_err(|refusal| match refusal.status {
        404 if !documents(call, 404) => {
            Refusal::bad(format!("query sessionId: {}", refusal.message))
        }
        _ => refusal,
    })
}

/// A whole number of the body within limits.
fn within(call: &Call<'_>, name: &str, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
    match call.body().get(name).and_then(Value::as_i64) {
        Some(number) if !(least..=most).contains(&number) => Err(Refusal::bad(format!(
            "body.{name}: must be from {least} to {most}"
        ))),
        number => Ok(number),
    }
}

/// Counts a picture of the session that the query names.
fn count(world: &mut World, call: &Call<'_>) {
    let named = call.text("sessionId");
    if let Some(session) = named.and_then(|id| world.tables.sessions.edit(id)) {
        session.screenshots += 1;
    }
}

fn screenshot(world: &mut World, call: &Call<'_>) -> Outcome {
    let side = |name| -> Result<Option<u32>, Refusal> {
        let side = within(call, name, 1, LONGEST.into())?;
        Ok(side.and_then(|side| u32::try_from(side).ok()))
    };
    let (width, height) = (side("width")?, side("height")?);
    // The only type that the document has for the picture is PNG, which loses nothing: the quality changes nothing.
    within(call, "image_quality", 1, 100)?;
    let longest = match world.browsers.are_on() {
        true => live::WAIT,
        false => i64::MAX,
    };
    let wait = within(call, "wait", 0, longest)?.unwrap_or(0);
    // Nothing is sent to `s3_target_address`: the emulator sends nothing beyond this machine.
    if let Some(desk) = Desk::of(world, call)? {
        count(world, call);
        return Ok(desk.screenshot(live::shot(call, (width, height), wait)));
    }
    let (url, viewport) = open(world, call)?;
    count(world, call);
    let (width, mut height) = (width.unwrap_or(viewport.0), height.unwrap_or(viewport.1));
    if call
        .body()
        .get("capture_full_height")
        .and_then(Value::as_bool)
        == Some(true)
    {
        // The page is taken to be twice as high as what shows of it.
        height = height.saturating_mul(2).min(LONGEST);
    }
    Ok(Answer::bytes(
        "image/png",
        media::png(width, height, control::seed(&url)),
    ))
}

fn page_pdf(world: &mut World, call: &Call<'_>) -> Outcome {
    if let Some(desk) = Desk::of(world, call)? {
        return Ok(desk.page_pdf(call.body()));
    }
    let number = |name| call.body().get(name).and_then(Value::as_f64);
    let (width, height) = (
        number("paperWidth").unwrap_or(8.5),
        number("paperHeight").unwrap_or(11.0),
    );
    let landscape = call
        .body()
        .get("landscape")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let (url, _) = open(world, call)?;
    Ok(Answer::bytes(
        "application/pdf",
        media::pdf(&url, landscape, Some((width, height))),
    ))
}

/// Refuses what the web unlocker can't or may not reach: hosts inside a network with 403, hosts that end in
/// `.invalid` with 503. Pages that are tested with a browser are mostly on this machine: with `local`, they are let pass.
fn reachable(url: &Url, local: bool) -> Result<(), Refusal> {
    let host = url.host_str().unwrap_or_default();
    if host.trim_end_matches('.').rsplit('.').next() == Some("invalid") {
        return Err(Refusal::new(
            503,
            "body.url: its host can't be reached; try again later",
        ));
    }
    if local && is_loopback(url) {
        return Ok(());
    }
    // The rules for hosts are those for webhooks.
    webhook::check_url(&format!("https://{host}/"), false).map_err(|_| {
        Refusal::new(
            403,
            "body.url: must name a public host, not a private or loopback one",
        )
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn fetch(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut url = address(call)?.ok_or_else(|| Refusal::bad("body.url: is missing"))?;
    reachable(&url, world.browsers.are_on())?;
    billing::solvent(world)?;
    if world.browsers.are_on() {
        return live::fetch(world, call, url);
    }
    billing::charge(world, billing::STEP);
    // The content names the URL, and must not name a password. Both calls fail only for URLs without a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let (content_type, content) = content(&url);
    Ok(Answer::bytes(content_type, content))
}

/// Content of the type that the URL's extension promises. A serialized URL is ASCII, without spaces, quotation marks
/// or angle brackets.
fn content(url: &Url) -> (&'static str, Vec<u8>) {
    let note = "Made by the AnchorBrowser emulator; nothing was fetched.";
    let (plain, escaped) = (url.as_str(), url.as_str().replace('&', "&amp;"));
    let (content_type, text) = match extension(url).as_deref() {
        Some("pdf") => return ("application/pdf", media::pdf(plain, false, None)),
        Some("bin") => ("application/octet-stream", plain.to_owned()),
        Some("csv") => (
            "text/csv",
            format!("url,note\r\n\"{plain}\",\"{note}\"\r\n"),
        ),
        Some("json") => (
            "application/json",
            json!({ "url": plain, "note": note }).to_string(),
        ),
        Some("xml") => (
            "application/xml",
            format!(
                "<?xml version=\"1.0\"?>\n<page><url>{escaped}</url><note>{note}</note></page>\n"
            ),
        ),
        Some("txt") => ("text/plain", format!("{plain}\n{note}\n")),
        _ => (
            "text/html",
            format!(
                "<!DOCTYPE html>\n<html><head><title>{escaped}</title></head>\
                 <body><h1>{escaped}</h1><p>{note}</p></body></html>\n"
            ),
        ),
    };
    (content_type, text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_files_have_an_extension() {
        for (url, expected) in [
            ("https://a.example/report.CSV?x=1.pdf#y.txt", Some("csv")),
            ("https://a.example/archive.tar.7z", Some("7z")),
            ("https://a.example/api/v1.2", None),
            ("https://a.example/.well-known", None),
            ("https://a.example/x.csv/", None),
            ("https://a.example", None),
            ("data:text/plain,a.csv", None),
        ] {
            assert_eq!(
                extension(&Url::parse(url).unwrap()).as_deref(),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn a_url_can_not_leave_its_place_in_the_content() {
        let url = Url::parse("https://a.example/x.xml?a=<b>&c=\"d\"'&e= ,#<f>\"&").unwrap();
        assert!(!url.as_str().contains(['<', '>', '"', ' ']), "{url}");
        let text = String::from_utf8(content(&url).1).unwrap();
        assert!(text.contains("&amp;c="), "{text}");
    }
}
