//! Control of a session as if by hand: mouse, keyboard, clipboard, navigation, screenshots.
//!
//! There is no browser behind the emulator. What is typed or pasted counts as selected, so that a copy has a text
//! to give; without such a text it gives what the clipboard holds.

use serde_json::{Value, json};
use url::Url;

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::media;
use crate::resources::sessions::{self, Session};
use crate::resources::{Routes, digest, recordings, tools};
use crate::world::World;

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/sessions/{sessionId}/screenshot", screenshot),
    ("POST /v1/sessions/{sessionId}/mouse/click", click),
    ("POST /v1/sessions/{sessionId}/mouse/doubleClick", mouse),
    ("POST /v1/sessions/{sessionId}/mouse/down", mouse),
    ("POST /v1/sessions/{sessionId}/mouse/up", mouse),
    ("POST /v1/sessions/{sessionId}/mouse/move", mouse),
    ("POST /v1/sessions/{sessionId}/drag-and-drop", drag),
    ("POST /v1/sessions/{sessionId}/scroll", scroll),
    ("POST /v1/sessions/{sessionId}/keyboard/type", type_text),
    ("POST /v1/sessions/{sessionId}/keyboard/shortcut", shortcut),
    ("GET /v1/sessions/{sessionId}/clipboard", clipboard),
    ("POST /v1/sessions/{sessionId}/clipboard", set_clipboard),
    ("POST /v1/sessions/{sessionId}/copy", copy),
    ("POST /v1/sessions/{sessionId}/paste", paste),
    ("POST /v1/sessions/{sessionId}/goto", goto),
];

/// The size of a viewport that is not configured.
pub(crate) const VIEWPORT: (u32, u32) = (1440, 900);

/// File extensions of pages: a browser shows them, and downloads the rest.
const PAGES: &[&str] = &["html", "htm", "php"];

/// The answer of these operations has no envelope.
fn done() -> Outcome {
    Ok(Answer::json(json!({ "status": "success" })))
}

/// Numbers that the body has under these names must not be negative.
fn not_negative(call: &Call<'_>, names: &[&str]) -> Result<(), Refusal> {
    let number = |name: &str| call.body().get(name).and_then(Value::as_f64);
    match names
        .iter()
        .find(|name| number(name).is_some_and(|number| number < 0.0))
    {
        Some(name) => Err(Refusal::bad(format!("body.{name}: must not be negative"))),
        None => Ok(()),
    }
}

/// The viewport of a session: width and height.
pub(crate) fn viewport(session: &Session) -> (u32, u32) {
    let side = |name, usual| {
        let value = session
            .configuration
            .pointer(&format!("/browser/viewport/{name}"));
        value
            .and_then(Value::as_u64)
            .and_then(|side| u32::try_from(side).ok())
            .unwrap_or(usual)
    };
    (side("width", VIEWPORT.0), side("height", VIEWPORT.1))
}

/// Decides the colours of a screenshot: those of one page look alike.
pub(crate) fn seed(url: &str) -> u64 {
    u64::from_str_radix(&digest(url.as_bytes())[..16], 16).unwrap_or_default()
}

fn screenshot(world: &mut World, call: &Call<'_>) -> Outcome {
    let browser = world.browsers.get(call.session());
    let session = sessions::running(world, call)?;
    session.screenshots += 1;
    let (width, height) = viewport(session);
    if let Some(browser) = browser {
        let shot = async move { browser.page().await?.screenshot().await };
        return Ok(Answer::later(shot, |_, png| {
            Ok(Answer::bytes("image/png", png))
        }));
    }
    let url = session.pages.first().map_or("", |page| page.url.as_str());
    Ok(Answer::bytes(
        "image/png",
        media::png(width, height, seed(url)),
    ))
}

fn click(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let has = |name| call.body().get(name).is_some_and(|value| !value.is_null());
    match (has("x"), has("y"), has("selector")) {
        (true, true, false) => {}
        (false, false, true)
            if call
                .member("selector")
                .is_some_and(|text| !text.trim().is_empty()) => {}
        (false, false, true) => return Err(Refusal::bad("body.selector: must not be empty")),
        (_, _, true) => {
            return Err(Refusal::bad(
                "body.selector: must not be given together with x or y",
            ));
        }
        _ => return Err(Refusal::bad("body: needs x and y, or a selector")),
    }
    not_negative(call, &["x", "y", "timeout", "index"])?;
    done()
}

fn mouse(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["x", "y"])?;
    done()
}

fn drag(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["startX", "startY", "endX", "endY"])?;
    done()
}

fn scroll(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["x", "y", "steps"])?;
    done()
}

/// Copies the selection, and gives its text.
fn selection(session: &mut Session) -> String {
    if let Some(typed) = &session.typed {
        typed.clone_into(&mut session.clipboard);
    }
    session.clipboard.clone()
}

fn type_text(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?;
    not_negative(call, &["delay"])?;
    session.typed = call.member("text").map(str::to_owned);
    done()
}

fn shortcut(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?;
    not_negative(call, &["holdTime"])?;
    let keys = call
        .body()
        .get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let keys: Vec<String> = keys
        .filter_map(Value::as_str)
        .map(str::to_lowercase)
        .collect();
    if keys.is_empty() || keys.iter().any(String::is_empty) {
        return Err(Refusal::bad(
            "body.keys: must name at least one key, and none may be empty",
        ));
    }
    let pressed = |names: &[&str]| keys.iter().any(|key| names.contains(&key.as_str()));
    if pressed(&["control", "controlormeta", "ctrl", "meta", "cmd", "command"]) {
        if pressed(&["c", "x"]) {
            selection(session);
        } else if pressed(&["v"]) {
            session.typed = Some(session.clipboard.clone());
        }
    }
    done()
}

fn clipboard(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?;
    Ok(Answer::data(json!({ "text": session.clipboard })))
}

fn set_clipboard(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?;
    call.member("text")
        .unwrap_or_default()
        .clone_into(&mut session.clipboard);
    done()
}

fn copy(world: &mut World, call: &Call<'_>) -> Outcome {
    let text = selection(sessions::running(world, call)?);
    Ok(Answer::json(json!({ "text": text })))
}

fn paste(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?;
    session.typed = call.member("text").map(str::to_owned);
    done()
}

fn goto(world: &mut World, call: &Call<'_>) -> Outcome {
    let session = sessions::running(world, call)?;
    let address = call.member("url").unwrap_or_default();
    let url = Url::parse(address).map_err(|error| Refusal::bad(format!("body.url: {error}")))?;
    if !["http", "https", "about", "blob", "data"].contains(&url.scheme()) {
        return Err(Refusal::bad(
            "body.url: must begin with http://, https://, about:, blob: or data:",
        ));
    }
    session.visit(address);
    if let Some(browser) = world.browsers.get(call.session()) {
        let address = address.to_owned();
        let going = async move { browser.page().await?.goto(&address).await };
        return Ok(Answer::later(going, |_, ()| done()));
    }
    let extension = tools::extension(&url);
    if extension.is_some_and(|extension| !PAGES.contains(&extension.as_str())) {
        recordings::downloaded(world, call.session(), address);
    }
    done()
}
