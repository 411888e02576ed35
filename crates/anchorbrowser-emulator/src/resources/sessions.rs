//! Sessions: creation, their end by hand, by idleness and by age, tags and pages.

mod browser;
mod live;
mod record;
mod rules;

use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::resources::{Routes, billing, documents, editable, find, history, listed};
use crate::world::{Topic, World};

pub(crate) use browser::{
    browser_failed, browser_gone, browser_ready, connected, disconnected, set_pages, settle_lost,
    visit,
};
pub(crate) use live::{begin_view, is_one_time, viewable};
pub(crate) use record::{Origin, Session, end, open, owner, remove, start, switch};
pub(crate) use rules::{check, has_room, limits, room};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/sessions", create),
    ("GET /v1/sessions/{session_id}", get),
    ("DELETE /v1/sessions/{session_id}", delete),
    ("DELETE /v1/sessions/all", delete_all),
    ("GET /v1/sessions/{session_id}/tags", tags),
    ("PUT /v1/sessions/{session_id}/tags", put_tags),
    ("DELETE /v1/sessions/{session_id}/tags", delete_tags),
    ("GET /v1/sessions/{session_id}/pages", pages),
];

/// The addresses of a session: CDP, with the key in it as in the real one, and live view.
pub(crate) fn addresses(world: &World, id: &str, key: &str) -> (String, String) {
    let socket = world.base.replacen("http", "ws", 1);
    let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
    (
        format!("{socket}/?apiKey={key}&sessionId={id}"),
        format!("{}/__emulator/live?sessionId={id}", world.base),
    )
}

/// The session of the path, running and now in use.
pub(crate) fn running<'w>(
    world: &'w mut World,
    call: &Call<'_>,
) -> Result<&'w mut Session, Refusal> {
    in_use(world, call, call.session())
}

/// The session `id`, running and now in use. Ended ones are refused with 400 where the document has it, else with 404.
pub(crate) fn in_use<'w>(
    world: &'w mut World,
    call: &Call<'_>,
    id: &str,
) -> Result<&'w mut Session, Refusal> {
    let now = world.now;
    let session = editable(&mut world.tables.sessions, "session", id)?;
    if !session.is_running() {
        let status = if documents(call, 400) { 400 } else { 404 };
        let message = format!("the session `{id}` has ended; this operation needs a running one");
        return Err(Refusal::new(status, message));
    }
    session.active = now;
    Ok(session)
}

/// Refuses with 404 unless the session `id` runs. Unlike [`in_use`], it does not count as use.
pub(crate) fn must_run(world: &World, id: &str) -> Result<(), Refusal> {
    match find(&world.tables.sessions, "session", id)?.is_running() {
        true => Ok(()),
        false => Err(Refusal::new(404, format!("the session `{id}` has ended"))),
    }
}

/// The session of the path, running or ended.
fn known<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Session, Refusal> {
    find(&world.tables.sessions, "session", call.session())
}

/// The session of the path, to be changed.
fn edit<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Session, Refusal> {
    editable(&mut world.tables.sessions, "session", call.session())
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    check(world, call.body())?;
    limits(world, 1)?;
    let origin = Origin {
        owner: owner(call.key),
        ..Origin::default()
    };
    let id = start(world, call.body(), origin)?;
    let (cdp_url, live_view_url) = addresses(world, &id, call.key);
    let answer =
        Answer::data(json!({ "id": id, "cdp_url": cdp_url, "live_view_url": live_view_url }));
    let Some(browser) = world.browsers.get(&id) else {
        return opened(world, &id, answer);
    };
    // That it ended before it was there is no 404: nobody knows its id yet.
    let starting = async move {
        let started = browser.running().await;
        started.map_err(|refusal| Refusal::new(500, refusal.message))
    };
    Ok(Answer::later(starting, move |world, _| {
        browser_ready(world, &id);
        opened(world, &id, answer)
    }))
}

/// The answer once a session is ready.
fn opened(world: &mut World, id: &str, answer: Answer) -> Outcome {
    match world.tables.sessions.get(id).and_then(|it| it.opens) {
        Some(opens) => Ok(world.hold(Topic::Time, Some(opens), Ok(answer))),
        None => Ok(answer),
    }
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now;
    let session = known(world, call)?;
    let seconds = session.duration(now).as_secs();
    let credits = session
        .credits
        .unwrap_or_else(|| billing::session_credits_until(session, now));
    Ok(Answer::data(json!({
        "session_id": session.id,
        "team_id": billing::TEAM,
        "duration": seconds,
        "status": session.status,
        "credits_used": credits,
        "configuration": history::configuration(session),
        "proxy_bytes": session.proxy_bytes,
        "tokens": {},
        "steps": session.steps,
        "tags": session.tags,
        "created_at": session.created.text(),
    })))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = known(world, call)?.id.clone();
    let browsers = world.browsers.get(&id);
    // Ending what has ended is done, not refused: a repeated DELETE is harmless.
    end(world, &id, "completed");
    Ok(browser::when_gone(
        browsers.into_iter().collect(),
        Answer::done(),
    ))
}

fn delete_all(world: &mut World, call: &Call<'_>) -> Outcome {
    let owner = owner(call.key);
    let mine = |session: &Session| session.is_running() && session.owner == owner;
    let ids = world.tables.sessions.ids(mine);
    let browsers = ids.iter().filter_map(|id| world.browsers.get(id)).collect();
    for id in &ids {
        end(world, id, "completed");
    }
    Ok(browser::when_gone(browsers, Answer::done()))
}

fn tags(world: &mut World, call: &Call<'_>) -> Outcome {
    let tags = &known(world, call)?.tags;
    let tags = if tags.is_empty() {
        Value::Null
    } else {
        json!(tags)
    };
    Ok(Answer::json(json!({ "tags": tags })))
}

fn put_tags(world: &mut World, call: &Call<'_>) -> Outcome {
    let tags = call.body().get("tags").and_then(Value::as_array);
    let tags = tags
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    edit(world, call)?.tags = tags;
    Ok(Answer::json(
        json!({ "success": true, "message": "the tags were replaced" }),
    ))
}

fn delete_tags(world: &mut World, call: &Call<'_>) -> Outcome {
    edit(world, call)?.tags.clear();
    Ok(Answer::json(
        json!({ "success": true, "message": "the tags were removed" }),
    ))
}

fn pages(world: &mut World, call: &Call<'_>) -> Outcome {
    let running = running(world, call)?.id.clone();
    match world.browsers.get(&running) {
        // What the browser has told may lag behind what was done to it.
        Some(browser) => {
            let tabs = async move { browser.running().await?.look().await.map_err(Into::into) };
            Ok(Answer::later(tabs, move |world, tabs| {
                set_pages(world, &running, tabs);
                shown(world, &running)
            }))
        }
        None => shown(world, &running),
    }
}

/// The pages of a session that are on record.
fn shown(world: &World, id: &str) -> Outcome {
    let session = find(&world.tables.sessions, "session", id)?;
    let base = &world.base;
    let items: Vec<Value> = session
        .pages
        .iter()
        .map(|page| {
            let frontend = format!(
                "{base}/__emulator/live?sessionId={}&page={}",
                session.id, page.id
            );
            json!({ "id": page.id, "title": page.title, "url": page.url, "frontend_url": frontend })
        })
        .collect();
    Ok(listed(items))
}
