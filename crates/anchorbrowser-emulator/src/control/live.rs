//! The live view of a session with a browser: a page whose script shows the browser by a WebSocket.

use std::sync::{Arc, OnceLock};

use http::{Request, StatusCode};
use hyper::Response;
use hyper::body::Incoming;

use super::page::{self, digest, escape, html, whole};
use super::{Asked, Done, guard, refused};
use crate::answer::Refusal;
use crate::body::Body;
use crate::browser::Live;
use crate::resources::sessions;
use crate::shared::{Shared, lock};
use crate::socket::{Granted, Slot};
use crate::world::{StoreError, World};

const BODY: &str = include_str!("live/body.html");
const STYLE: &str = include_str!("live/style.css");
const SCRIPT: &str = include_str!("live/script.js");

/// The page behind a live view URL. It may be framed: that is what live views are for.
pub(super) fn get(asked: &Asked<'_>) -> Done {
    let id = asked.query("sessionId").unwrap_or_default();
    let tab = asked.query("page");
    let checked = asked.shared.enter(|world| {
        let on = world.browsers.are_on();
        on.then(|| check(world, id, tab))
    })?;
    match checked {
        None => page::live(asked),
        Some(Ok(())) => Ok(document()),
        Some(Err(refusal)) => Ok(explained(&refusal)),
    }
}

fn check(world: &World, id: &str, tab: Option<&str>) -> Result<(), Refusal> {
    let session = sessions::viewable(world, id)?;
    match tab {
        Some(tab) if !session.pages.iter().any(|page| page.id == tab) => {
            Err(Refusal::missing("page", tab))
        }
        _ => Ok(()),
    }
}

fn document() -> Response<Body> {
    static POLICY: OnceLock<String> = OnceLock::new();
    let policy = POLICY.get_or_init(|| {
        let (script, style) = (digest(SCRIPT), digest(STYLE));
        format!("script-src {script}; style-src {style}; img-src blob:; connect-src 'self'")
    });
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Live view</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
         <body>{BODY}<script>{SCRIPT}</script></body></html>"
    );
    whole(page, policy)
}

/// Why there is nothing to see, as a page: it is people who read it.
fn explained(refusal: &Refusal) -> Response<Body> {
    let body = format!(
        "<h1>Nothing to see here</h1><p>The live view can't be shown: {}.</p>",
        escape(&refusal.message)
    );
    let mut response = html("Live view", &body, None, "");
    *response.status_mut() =
        StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// Opens the socket of a live view.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    mut request: Request<Incoming>,
    slot: &Slot,
) -> Response<Body> {
    let opened = match guard::check_socket(shared.local, request.headers()) {
        Ok(()) => Live::open(shared, &mut request).await,
        Err(refusal) => Err(refusal),
    };
    match opened {
        Ok((response, live)) => {
            tracing::debug!("a live view begins");
            *lock(slot) = Some(Granted::Live(live.into()));
            response
        }
        Err(refusal) => refused(&refusal),
    }
}

/// For who asks for the socket as for a page.
pub(super) fn no_socket() -> Done {
    Err(Refusal::new(
        426,
        "this is a WebSocket; the page that uses it is at /__emulator/live?sessionId=<id>",
    )
    .header("upgrade", "websocket"))
}

/// Sessions whose live views can be looked at. To follow a link to a view that shows only once would use it up.
pub(super) fn shown(shared: &Shared) -> Result<Vec<String>, StoreError> {
    shared.enter(|world| {
        let sessions = world.tables.sessions.iter();
        let shown = sessions.filter(|session| {
            world.browsers.get(&session.id).is_some() && !sessions::is_one_time(session)
        });
        shown.map(|session| session.id.clone()).collect()
    })
}

/// The link to the live view of a session.
pub(super) fn link(id: &str) -> String {
    let id = escape(id);
    format!("<a href=\"/__emulator/live?sessionId={id}\">{id}</a>")
}
