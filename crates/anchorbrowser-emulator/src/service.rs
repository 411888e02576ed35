//! One request: routed, recorded, checked against the document, answered from the state.

mod response;
mod serving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use http::header::{EXPECT, UPGRADE};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use serde_json::json;

use crate::answer::Refusal;
use crate::body::Body;
use crate::browser;
use crate::config::Limits;
use crate::control;
use crate::document::Route;
use crate::exchange::Exchange;
use crate::shared::{Shared, lock};
use crate::socket::{self, Granted, Slot};

pub(crate) use response::{bytes_response, json_response, set_headers};
use serving::Serving;

/// The header with the key.
pub(crate) const KEY_HEADER: &str = "anchor-api-key";

/// Paths that are the emulator's own, not the API's.
const OWN: &str = "/__emulator";

/// What clients are told that want to drive a browser by WebSocket where there is none.
const NO_BROWSER: &str = "the emulator runs no browser, so there is nothing to connect to by CDP; start it with \
                          `--browser auto`, or call the operations of the API instead; agents are followed at \
                          /ws?sessionId=<id>";

/// What they are told at other paths than those where there is one.
const NO_SOCKET: &str = "there is no socket at this path; that of a session is its cdp_url, and that of a page is \
                         /devtools/page/<page id>?sessionId=<session id>";

/// Bytes over the limit that are taken and dropped: a client that is cut off while it sends may never read why.
const DROPPED: usize = 256 << 20;

/// Answers one request. With `reset` set, the connection is reset instead; with a socket in `slot`, it becomes that.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    mut request: Request<Incoming>,
    reset: Arc<AtomicBool>,
    slot: Slot,
) -> Response<Body> {
    let path = request.uri().path();
    let own = path
        .strip_prefix(OWN)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if browser::is_cdp_path(path) && wants_socket(request.headers()) {
        return browser_socket(&shared, request, &slot).await;
    }
    if path == browser::LIVE_PATH && wants_socket(request.headers()) {
        return control::open_live(&shared, request, &slot).await;
    }
    if own || path == "/" {
        return control::serve(&shared, request).await;
    }
    // Made before the lock is taken: to tell the time may take the state's, which goes first.
    let exchange = Exchange::new(shared.now().text(), &request);
    let number = lock(&shared.exchanges).begin(exchange);
    let document = Arc::clone(&shared.document);
    // What a log line calls the request: nothing of it can be a secret.
    let mut name = "no operation";
    let response = match document.route(request.method(), path) {
        Route::Found { operation, path } => {
            name = operation.id();
            lock(&shared.exchanges).edit(number, |it| it.operation = Some(name.to_owned()));
            let serving = Serving {
                shared: &shared,
                operation,
                number,
                reset: &reset,
            };
            serving.serve(request, path).await
        }
        Route::None if path == socket::PATH && wants_socket(request.headers()) => {
            name = "step socket";
            grant(
                socket::open(&shared, &mut request).map(|(r, steps)| (r, Granted::Steps(steps))),
                &slot,
            )
        }
        route => unrouted(&route, &request, shared.config.browser.is_some()),
    };
    let reset = reset.load(Ordering::Acquire);
    let status = (!reset).then_some(response.status().as_u16());
    tracing::info!(
        number,
        status,
        "{name}{}",
        if reset { ", reset" } else { "" }
    );
    lock(&shared.exchanges).edit(number, |it| {
        it.status = status;
        it.taken_up = true;
    });
    response
}

/// Grants the socket of a browser, or says why not. The API has it at another host, so that it is none of the requests
/// on record: clients connect when they like, and each would find other requests there.
async fn browser_socket(
    shared: &Arc<Shared>,
    mut request: Request<Incoming>,
    slot: &Slot,
) -> Response<Body> {
    let response = match shared.config.browser {
        Some(_) => {
            let opened = browser::Relay::open(shared, &mut request).await;
            let granted = opened.map(|(answer, relay)| (answer, Granted::Relay(relay.into())));
            grant(granted, slot)
        }
        None => refused(&Refusal::new(501, NO_BROWSER)),
    };
    tracing::info!(status = response.status().as_u16(), "browser socket");
    response
}

/// Whether a request asks for a WebSocket. Clients that offer HTTP/2 send `Upgrade` too.
pub(crate) fn wants_socket(headers: &HeaderMap) -> bool {
    let protocols = headers.get_all(UPGRADE).iter();
    protocols
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

/// Grants a socket to the connection, or says why not.
fn grant(opened: Result<(Response<Body>, Granted), Refusal>, slot: &Slot) -> Response<Body> {
    match opened {
        Ok((response, granted)) => {
            *lock(slot) = Some(granted);
            response
        }
        Err(refusal) => refused(&refusal),
    }
}

/// The error for a request that fits no operation.
fn unrouted(route: &Route<'_>, request: &Request<Incoming>, browsers: bool) -> Response<Body> {
    let refusal = match route {
        Route::Method { allow } => {
            let allow: Vec<&str> = allow.iter().map(Method::as_str).collect();
            let allow = allow.join(", ");
            let method = request.method();
            Refusal::new(
                405,
                format!("{method} is not a method of this path; it has {allow}"),
            )
            .header("allow", allow)
        }
        Route::Malformed(what) => Refusal::bad(format!("the path can't be read: {what}")),
        Route::None if wants_socket(request.headers()) && !browsers => {
            Refusal::new(501, NO_BROWSER)
        }
        Route::None if wants_socket(request.headers()) => Refusal::new(404, NO_SOCKET),
        Route::None | Route::Found { .. } => Refusal::new(
            404,
            format!("the document has no path `{}`", request.uri().path()),
        ),
    };
    refused(&refusal)
}

/// The error of a refusal, in the shape that most operations have for it.
fn refused(refusal: &Refusal) -> Response<Body> {
    let body = json!({ "error": { "code": refusal.status, "message": refusal.message } });
    let mut response = json_response(refusal.status, &body);
    set_headers(&mut response, refusal.headers());
    response
}

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    TooLarge,
    TooSlow,
    Broken,
}

impl Unread {
    /// What to tell the client.
    pub(crate) fn message(&self, limits: &Limits) -> String {
        match self {
            Self::TooLarge => format!(
                "the body is longer than the {} bytes that are taken; send less, or start the emulator with a higher limit",
                limits.body_bytes
            ),
            Self::TooSlow => format!(
                "the body did not come within {} seconds",
                limits.body_time.as_secs_f64()
            ),
            Self::Broken => "the body ended early, or can't be read".to_owned(),
        }
    }
}

/// Reads a body of limited length, in limited time.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    limits: &Limits,
) -> Result<Bytes, Unread> {
    let limit = limits.body_bytes;
    let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // Who asks before sending is told before sending.
    let ends = if headers.contains_key(EXPECT) {
        limit
    } else {
        limit.saturating_add(DROPPED)
    };
    if stated > ends {
        return Err(Unread::TooLarge);
    }
    let whole = async {
        let (mut kept, mut size) = (BytesMut::new(), 0_usize);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Unread::Broken)?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            size = size.saturating_add(data.len());
            if size > ends {
                break;
            }
            if size <= limit {
                kept.extend_from_slice(data);
            }
        }
        match size > limit {
            true => Err(Unread::TooLarge),
            false => Ok(kept.freeze()),
        }
    };
    tokio::time::timeout(limits.body_time, whole)
        .await
        .unwrap_or(Err(Unread::TooSlow))
}
