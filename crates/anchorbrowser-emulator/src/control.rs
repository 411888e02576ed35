//! The emulator's own paths: scripts, inspection, files behind signed links, and the page at `/`.

mod files;
mod guard;
mod live;
mod near;
mod page;
mod paths;
mod redact;
mod state;
mod steer;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use hyper::Response;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::agent::AgentScript;
use crate::answer::Refusal;
use crate::body::Body;
use crate::document::{Document, Operation};
use crate::fault::{Effect, Fault};
use crate::service::{Unread, json_response, read, set_headers};
use crate::shared::{Shared, lock};
use crate::world::StoreError;

pub(crate) use guard::check_socket;
pub(crate) use live::open as open_live;
use paths::Place;
pub(crate) use state::summary;

/// A request to one of these paths, of which the method fits.
struct Asked<'a> {
    shared: &'a Arc<Shared>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

/// What becomes of it; refusals are answered as `{"error": "..."}`.
type Done = Result<Response<Body>, Refusal>;

impl Asked<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    fn json(&self) -> Result<Value, Refusal> {
        let read = serde_json::from_slice(&self.body);
        read.map_err(|error| Refusal::bad(format!("the body must be JSON: {error}")))
    }
}

/// Answers a request to one of the emulator's own paths.
pub(crate) async fn serve(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = match answer(shared, request).await {
        Ok(response) => response,
        Err(refusal) => refused(&refusal),
    };
    // The path may end in a signed link, which is a secret.
    let place = paths::find(&path).map_or("unknown path", |place| place.name());
    tracing::debug!(
        status = response.status().as_u16(),
        "own path: {method} {place}"
    );
    response
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Done {
    let (head, body) = request.into_parts();
    guard::check(shared.local, &head.method, &head.headers)?;
    let Some(place) = paths::find(head.uri.path()) else {
        return Ok(unknown());
    };
    if !place.methods().contains(&head.method.as_str()) {
        let allowed = place.methods().join(", ");
        let message = format!(
            "{} is not a method of this path; it has {allowed}",
            head.method
        );
        return Err(Refusal::new(405, message).header(ALLOW.as_str(), allowed));
    }
    let limits = &shared.config.limits;
    let body = read(&head.headers, body, limits).await.map_err(|unread| {
        let status = match unread {
            Unread::TooLarge => 413,
            Unread::TooSlow => 408,
            Unread::Broken => 400,
        };
        Refusal::new(status, unread.message(limits))
    })?;
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let asked = Asked {
        shared,
        query,
        headers: head.headers,
        body,
    };
    match (place, head.method.as_str()) {
        (Place::Page, _) => page::overview(&asked),
        (Place::Live, _) => live::get(&asked),
        (Place::LiveSocket, _) => live::no_socket(),
        (Place::Health, _) => steer::health(&asked),
        (Place::State, _) => state::get(&asked),
        (Place::Requests, "DELETE") => state::forget_requests(&asked),
        (Place::Requests, _) => state::requests(&asked),
        (Place::Faults, "POST") => steer::add_faults(&asked),
        (Place::Faults, "DELETE") => steer::clear_faults(&asked),
        (Place::Faults, _) => steer::faults(&asked),
        (Place::Scripts, "DELETE") => steer::clear_scripts(&asked),
        (Place::Scripts, _) => steer::add_scripts(&asked),
        (Place::Advance, _) => steer::advance(&asked),
        (Place::Reset, _) => steer::reset(&asked),
        (Place::File(link), "PUT") => files::put(&asked, &link),
        (Place::File(link), _) => files::get(&asked, &link),
        (Place::Download(id), _) => files::download(&asked, &id),
        (Place::SessionDownloads(session), _) => files::add_download(&asked, &session),
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        error.refusal()
    }
}

fn ok(body: &Value) -> Response<Body> {
    json_response(200, body)
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = json_response(refusal.status, &json!({ "error": refusal.message }));
    set_headers(&mut response, refusal.headers());
    response
}

fn unknown() -> Response<Body> {
    let paths: Vec<String> = paths::all()
        .map(|(path, methods)| format!("{} {path}", methods.join("|")))
        .collect();
    let error = "the emulator has no such path of its own; `paths` lists those it has";
    json_response(404, &json!({ "error": error, "paths": paths }))
}

/// Scripts faults, all or none: half of a list would be a script that nobody wrote. Says how many there are then.
pub(crate) fn script(shared: &Shared, added: Vec<Fault>) -> Result<usize, Refusal> {
    for fault in &added {
        check(shared, fault).map_err(Refusal::bad)?;
    }
    let mut faults = lock(&shared.faults);
    let limit = shared.config.limits.records;
    if faults.list().len() + added.len() > limit {
        return Err(Refusal::new(
            507,
            format!("at most {limit} faults are kept; clear some first"),
        ));
    }
    faults.add(added);
    Ok(faults.list().len())
}

/// Scripts runs, all or none. Says how many scripts wait then.
pub(crate) fn add_scripts(shared: &Shared, scripts: Vec<AgentScript>) -> Result<usize, Refusal> {
    for script in &scripts {
        script.check().map_err(Refusal::bad)?;
    }
    let limit = shared.config.limits.records;
    shared.enter(|world| {
        if world.scripts.len() + scripts.len() > limit {
            return Err(Refusal::new(
                507,
                format!("at most {limit} scripts are kept; let some run or clear them"),
            ));
        }
        world.scripts.extend(scripts);
        Ok(world.scripts.len())
    })?
}

/// The operation of this name, or the error that names the nearest.
pub(crate) fn operation<'d>(document: &'d Document, name: &str) -> Result<&'d Operation, String> {
    document.operation(name).ok_or_else(|| {
        let operations = document.operations().iter();
        let known = operations.map(|known| (known.id(), known.key()));
        let near = near::nearest(name, known).join("`, `");
        format!(
            "the document has no operation `{}`; near it are `{near}`",
            near::shown(name)
        )
    })
}

/// Says why a fault could never do what it says.
fn check(shared: &Shared, fault: &Fault) -> Result<(), String> {
    if fault.operation != "*" {
        operation(&shared.document, &fault.operation)?;
    }
    if fault.times == Some(0) {
        return Err(
            "a fault must fail at least one call; leave `times` out for one, `null` means all"
                .to_owned(),
        );
    }
    match &fault.effect {
        Effect::Status { status, .. } if !(200..=599).contains(status) => Err(format!(
            "{status} is not a status of an answer; use one from 200 to 599"
        )),
        Effect::Status { headers, .. } => headers
            .iter()
            .try_for_each(|(name, value)| check_header(name, value)),
        _ => Ok(()),
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let (Ok(name), Ok(_)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) else {
        return Err("a scripted header has a name or a value that HTTP does not allow".to_owned());
    };
    // They say where the answer ends; a wrong one would break the answers after it as well.
    if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE].contains(&name) {
        return Err(format!(
            "the header {name} can't be scripted; for an answer that ends early there is the effect `cut_body`"
        ));
    }
    Ok(())
}

/// A header whose value is known to be valid.
fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    } else {
        // A header that protects must not be left out in silence.
        *response = json_response(
            StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
            &json!({ "error": "a header failed" }),
        );
    }
}
