//! Control of a session as if by hand: mouse, keyboard, clipboard, navigation, screenshots.
//!
//! A session with a browser has it done by the page in front. Without one, what is typed or pasted counts as selected,
//! so that a copy has a text to give; without such a text it gives what the clipboard holds.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::answer::{Answer, Outcome, Refusal};
use crate::browser::{Button, Key, Point, SessionBrowser};
use crate::call::Call;
use crate::media;
use crate::resources::sessions::{self, Session};
use crate::resources::{Routes, digest, recordings, tools};
use crate::world::World;

pub(crate) const ROUTES: Routes = &[
    ("GET /v1/sessions/{sessionId}/screenshot", screenshot),
    ("POST /v1/sessions/{sessionId}/mouse/click", click),
    (
        "POST /v1/sessions/{sessionId}/mouse/doubleClick",
        double_click,
    ),
    ("POST /v1/sessions/{sessionId}/mouse/down", down),
    ("POST /v1/sessions/{sessionId}/mouse/up", up),
    ("POST /v1/sessions/{sessionId}/mouse/move", hover),
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

/// How long an element is waited for, if nothing else is said.
const PATIENCE: Duration = Duration::from_secs(5);

/// Steps of the longest scroll.
const STEPS: u64 = 1_000;

/// The size of a viewport that is not configured.
pub(crate) const VIEWPORT: (u32, u32) = (1440, 900);

/// File extensions of pages: a browser shows them, and downloads the rest.
const PAGES: &[&str] = &["html", "htm", "php"];

/// The answer of these operations has no envelope.
fn done() -> Outcome {
    Ok(Answer::json(json!({ "status": "success" })))
}

/// The same, once a browser has done its work.
fn acted(work: impl Future<Output = Result<(), Refusal>> + Send + 'static) -> Outcome {
    let work = async move {
        // The document has no body for errors of these operations, so the reason goes into the log.
        let done = work.await;
        done.inspect_err(|refusal| tracing::warn!("not done: {}", refusal.message))
    };
    Ok(Answer::later(work, |_, ()| done()))
}

/// The browser of the session of the path, if it has one.
fn browser(world: &World, call: &Call<'_>) -> Option<SessionBrowser> {
    world.browsers.get(call.session())
}

/// A number of the body, 0 without one.
fn number(call: &Call<'_>, name: &str) -> f64 {
    call.body().get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

fn point(call: &Call<'_>, x: &str, y: &str) -> Point {
    (number(call, x), number(call, y))
}

fn button(call: &Call<'_>) -> Button {
    Button::of(call.member("button"))
}

/// A time of the body, which has milliseconds; an hour at most.
fn time(call: &Call<'_>, name: &str, usual: Duration) -> Duration {
    const LONGEST: Duration = Duration::from_secs(3_600);
    let milliseconds = call.body().get(name).and_then(Value::as_f64);
    milliseconds.map_or(usual, |time| {
        Duration::try_from_secs_f64(time / 1_000.0).map_or(LONGEST, |time| time.min(LONGEST))
    })
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
    let browser = browser(world, call);
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
    let Some(browser) = browser(world, call) else {
        return done();
    };
    let (at, button) = (point(call, "x", "y"), button(call));
    let Some(selector) = call.member("selector").map(str::to_owned) else {
        return acted(async move { browser.page().await?.click(at, button, 1).await });
    };
    // The conversion saturates; there are no such many elements.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = number(call, "index") as u64;
    let patience = time(call, "timeout", PATIENCE);
    acted(async move {
        let page = browser.page().await?;
        let at = page.find(&selector, index, patience).await?;
        page.click(at, button, 1).await
    })
}

/// The browser for something that the mouse does at a point.
fn mouse(world: &mut World, call: &Call<'_>) -> Result<Option<SessionBrowser>, Refusal> {
    sessions::running(world, call)?;
    not_negative(call, &["x", "y"])?;
    Ok(browser(world, call))
}

fn double_click(world: &mut World, call: &Call<'_>) -> Outcome {
    let Some(browser) = mouse(world, call)? else {
        return done();
    };
    let (at, button) = (point(call, "x", "y"), button(call));
    acted(async move { browser.page().await?.click(at, button, 2).await })
}

fn down(world: &mut World, call: &Call<'_>) -> Outcome {
    let Some(browser) = mouse(world, call)? else {
        return done();
    };
    let (at, button) = (point(call, "x", "y"), button(call));
    acted(async move { browser.page().await?.press(at, button).await })
}

fn up(world: &mut World, call: &Call<'_>) -> Outcome {
    let Some(browser) = mouse(world, call)? else {
        return done();
    };
    let (at, button) = (point(call, "x", "y"), button(call));
    acted(async move { browser.page().await?.release(at, button).await })
}

fn hover(world: &mut World, call: &Call<'_>) -> Outcome {
    let Some(browser) = mouse(world, call)? else {
        return done();
    };
    let at = point(call, "x", "y");
    acted(async move { browser.page().await?.hover(at).await })
}

fn drag(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["startX", "startY", "endX", "endY"])?;
    let Some(browser) = browser(world, call) else {
        return done();
    };
    let (from, to) = (point(call, "startX", "startY"), point(call, "endX", "endY"));
    let button = button(call);
    acted(async move { browser.page().await?.drag(from, to, button).await })
}

fn scroll(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["x", "y", "steps"])?;
    let Some(browser) = browser(world, call) else {
        return done();
    };
    let (at, by) = (point(call, "x", "y"), point(call, "deltaX", "deltaY"));
    let steps = call.body().get("steps").and_then(Value::as_u64);
    let steps = steps.map_or(1, |steps| u32::try_from(steps.min(STEPS)).unwrap_or(1));
    acted(async move { browser.page().await?.scroll(at, by, steps).await })
}

/// Copies the selection, and gives its text.
fn selection(session: &mut Session) -> String {
    if let Some(typed) = &session.typed {
        typed.clone_into(&mut session.clipboard);
    }
    session.clipboard.clone()
}

fn type_text(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["delay"])?;
    let text = call.member("text").unwrap_or_default().to_owned();
    if let Some(browser) = browser(world, call) {
        let delay = time(call, "delay", Duration::ZERO);
        return acted(async move { browser.page().await?.type_text(&text, delay).await });
    }
    sessions::running(world, call)?.typed = Some(text);
    done()
}

fn shortcut(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    not_negative(call, &["holdTime"])?;
    let keys = call
        .body()
        .get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
    if keys.is_empty() || keys.iter().any(|key| key.is_empty()) {
        return Err(Refusal::bad(
            "body.keys: must name at least one key, and none may be empty",
        ));
    }
    if let Some(browser) = browser(world, call) {
        let unknown = |key| Refusal::bad(format!("body.keys: there is no key `{key}`"));
        let known = keys
            .iter()
            .map(|key| Key::of(key).ok_or_else(|| unknown(key)));
        let keys = known.collect::<Result<Vec<Key>, Refusal>>()?;
        let hold = time(call, "holdTime", Duration::ZERO);
        return acted(async move { browser.page().await?.shortcut(&keys, hold).await });
    }
    let session = sessions::running(world, call)?;
    let keys: Vec<String> = keys.into_iter().map(str::to_lowercase).collect();
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
    let text = sessions::running(world, call)?.clipboard.clone();
    let answer = |text: String| Ok(Answer::data(json!({ "text": text })));
    match browser(world, call) {
        Some(browser) => {
            let reading = async move { browser.page().await?.clipboard().await };
            Ok(Answer::later(reading, move |_, text| answer(text)))
        }
        None => answer(text),
    }
}

fn set_clipboard(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let text = call.member("text").unwrap_or_default().to_owned();
    if let Some(browser) = browser(world, call) {
        return acted(async move { browser.page().await?.set_clipboard(&text).await });
    }
    sessions::running(world, call)?.clipboard = text;
    done()
}

fn copy(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let answer = |text: String| Ok(Answer::json(json!({ "text": text })));
    if let Some(browser) = browser(world, call) {
        let copying = async move { browser.page().await?.copy().await };
        return Ok(Answer::later(copying, move |_, text| answer(text)));
    }
    answer(selection(sessions::running(world, call)?))
}

fn paste(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let text = call.member("text").unwrap_or_default().to_owned();
    if let Some(browser) = browser(world, call) {
        return acted(async move { browser.page().await?.paste(&text).await });
    }
    sessions::running(world, call)?.typed = Some(text);
    done()
}

fn goto(world: &mut World, call: &Call<'_>) -> Outcome {
    sessions::running(world, call)?;
    let address = call.member("url").unwrap_or_default();
    let url = Url::parse(address).map_err(|error| Refusal::bad(format!("body.url: {error}")))?;
    if !["http", "https", "about", "blob", "data"].contains(&url.scheme()) {
        return Err(Refusal::bad(
            "body.url: must begin with http://, https://, about:, blob: or data:",
        ));
    }
    if let Some(browser) = browser(world, call) {
        let address = address.to_owned();
        return acted(async move { browser.page().await?.goto(&address).await });
    }
    sessions::running(world, call)?.visit(address);
    let extension = tools::extension(&url);
    if extension.is_some_and(|extension| !PAGES.contains(&extension.as_str())) {
        recordings::downloaded(world, call.session(), address);
    }
    done()
}
