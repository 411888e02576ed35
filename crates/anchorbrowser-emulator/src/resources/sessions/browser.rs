//! What the browser of a session means to the session: it starts and ends with it.

use std::collections::HashSet;

use url::Url;

use super::record::{Page, Session, end};
use crate::answer::Answer;
use crate::browser::{Ending, SessionBrowser, Settings, Tab};
use crate::resources::{async_sessions, batches, profiles, recordings};
use crate::time::Time;
use crate::world::World;

/// Starts the browser of a session that has just been made. Says whether there is one to wait for.
pub(super) fn launch(world: &mut World, id: &str) -> bool {
    let Some(session) = world.tables.sessions.get(id) else {
        return false;
    };
    let settings = Settings::of(session);
    if settings.record && world.browsers.record() {
        recordings::filmed(world, id);
    }
    world.browsers.launch(id, settings);
    world.browsers.are_on()
}

/// Ends the browser of a session that has just ended; what waits for it waits no longer.
pub(super) fn end_browser(world: &mut World, id: &str, launching: bool) {
    let profiles = profiles::of_session(world, id);
    let ending = Ending {
        profiles: profiles.clone(),
    };
    if !world.browsers.end(id, ending) {
        profiles::stored(world, id, &profiles, None);
    }
    if launching {
        launched(world, id, Ok(world.now));
    }
}

/// Tells what the session was started for what became of its browser.
fn launched(world: &mut World, id: &str, outcome: Result<Time, &str>) {
    async_sessions::launched(world, id, outcome);
    batches::launched(world, id, outcome);
}

/// The browser of a session runs: the session opens when all else is ready too.
pub(crate) fn browser_ready(world: &mut World, id: &str) {
    let now = world.now;
    let launching = |session: &&mut Session| session.launching;
    let Some(session) = world.tables.sessions.edit(id).filter(launching) else {
        return;
    };
    session.launching = false;
    let opens = session.opens.unwrap_or(now).max(now);
    session.opens = Some(opens);
    launched(world, id, Ok(opens));
}

/// The browser of a session did not start.
pub(crate) fn browser_failed(world: &mut World, id: &str, why: &str) {
    launched(world, id, Err(why));
    end(world, id, "failed");
}

/// The browser of a session has gone. Unless the session has ended, it crashed or was killed.
pub(crate) fn browser_gone(world: &mut World, id: &str) {
    if end(world, id, "failed") {
        tracing::warn!(
            session = id,
            "the browser went by itself; so the session failed"
        );
    }
}

/// Settles what a state file still waits for: it went with the emulator that ran it, as did the browsers of its sessions.
pub(crate) fn settle_lost(world: &mut World) {
    if world.browsers.are_on() {
        for id in world.tables.sessions.ids(Session::is_running) {
            end(world, &id, "failed");
        }
    }
    profiles::settle_lost(world);
    recordings::settle_lost(world);
}

/// The tabs of the browser are others.
pub(crate) fn set_pages(world: &mut World, id: &str, tabs: Vec<Tab>) {
    let running = |session: &&mut Session| session.is_running();
    if let Some(session) = world.tables.sessions.edit(id).filter(running) {
        let page = |Tab { id, title, url }| Page { id, title, url };
        let shown: HashSet<String> = session.pages.iter().map(|page| whole(&page.url)).collect();
        let urls = tabs.iter().map(|tab| whole(&tab.url));
        for url in urls.filter(|url| url.starts_with("http") && !shown.contains(url)) {
            session.loaded(&url);
        }
        session.pages = tabs.into_iter().map(page).collect();
    }
}

/// The URL of a page, without the place in it.
fn whole(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| url.to_owned(),
        |mut url| {
            url.set_fragment(None);
            url.into()
        },
    )
}

/// Has a session go to a URL, as agents and logins begin. A browser is not waited for.
pub(crate) fn visit(world: &mut World, id: &str, url: &str) {
    if world.browsers.visit(id, url) {
        return;
    }
    if let Some(session) = world.tables.sessions.edit(id) {
        session.visit(url);
    }
}

/// A client has connected to a session.
pub(crate) fn connected(world: &mut World, id: &str) {
    if let Some(session) = world.tables.sessions.edit(id) {
        session.sockets += 1;
    }
}

/// A client has disconnected from a session, which is idle from now on if it was the last.
pub(crate) fn disconnected(world: &mut World, id: &str) {
    let now = world.now;
    if let Some(session) = world.tables.sessions.edit(id) {
        session.sockets = session.sockets.saturating_sub(1);
        session.active = now;
    }
}

/// The answer once the browsers of ended sessions are gone, with what is stored of them.
pub(super) fn when_gone(browsers: Vec<SessionBrowser>, answer: Answer) -> Answer {
    if browsers.is_empty() {
        return answer;
    }
    let gone = async move {
        for browser in browsers {
            browser.gone().await;
        }
        Ok(())
    };
    Answer::later(gone, |_, ()| Ok(answer))
}
