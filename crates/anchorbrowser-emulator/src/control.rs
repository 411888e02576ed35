//! The emulator's own paths: scripts, inspection, files behind signed links, and the page at `/`.

mod files;
mod guard;
mod near;
mod page;
mod paths;
mod redact;
mod state;
mod steer;

use std::sync::Arc;

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use hyper::Response;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::EmulatorError;
use crate::answer::Refusal;
use crate::body::Body;
use crate::fault::{Effect, Fault};
use crate::service::{NO_SOCKET, Unread, json_response, read, too_long, wants_socket};
use crate::shared::{Shared, lock};
use crate::world::StoreError;

use paths::Place;

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
    let base = shared.enter(|world| world.base.clone())?;
    guard::check(&base, &head.method, &head.headers)?;
    let Some(place) = paths::find(head.uri.path()) else {
        return Ok(unknown());
    };
    if matches!(place, Place::Page) && wants_socket(&head.headers) {
        return Err(Refusal::new(501, NO_SOCKET));
    }
    if !place.methods().contains(&head.method.as_str()) {
        let allowed = place.methods().join(", ");
        let message = format!(
            "{} is not a method of this path; it has {allowed}",
            head.method
        );
        return Err(Refusal::new(405, message).header(ALLOW.as_str(), allowed));
    }
    let limit = shared.config.limits.body_bytes;
    let body = read(body, limit).await.map_err(|unread| match unread {
        Unread::TooLarge => Refusal::new(413, too_long(limit)),
        Unread::Broken => Refusal::bad("the body ended early"),
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
        (Place::Live, _) => page::live(&asked),
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
    for (name, value) in &refusal.headers {
        if let (Ok(name), Ok(value)) = (
            name.parse::<http::HeaderName>(),
            HeaderValue::from_str(value),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn unknown() -> Response<Body> {
    let paths: Vec<String> = paths::all()
        .map(|(path, methods)| format!("{} {path}", methods.join("|")))
        .collect();
    let error = "the emulator has no such path of its own; `paths` lists those it has";
    json_response(404, &json!({ "error": error, "paths": paths }))
}

/// Scripts a fault, if the document has its operation.
pub(crate) fn script(shared: &Shared, fault: Fault) -> Result<(), EmulatorError> {
    check(shared, &fault).map_err(EmulatorError::Setting)?;
    let mut faults = lock(&shared.faults);
    if faults.list().len() >= shared.config.limits.records {
        return Err(EmulatorError::Setting(
            "too many faults are scripted; clear some first".to_owned(),
        ));
    }
    faults.add(fault);
    Ok(())
}

/// Says why a fault could never do what it says.
fn check(shared: &Shared, fault: &Fault) -> Result<(), String> {
    let operation = fault.operation.as_str();
    if operation != "*" && shared.document.operation(operation).is_none() {
        let known = shared
            .document
            .operations()
            .iter()
            .map(|known| (known.id(), known.key()));
        let near = near::nearest(operation, known).join("`, `");
        return Err(format!(
            "the document has no operation `{}`; near it are `{near}`",
            near::shown(operation)
        ));
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
        Effect::Status { headers, .. } => {
            let valid = |(name, value): (&String, &String)| {
                name.parse::<http::HeaderName>().is_ok() && HeaderValue::from_str(value).is_ok()
            };
            match headers.iter().all(valid) {
                true => Ok(()),
                false => Err(
                    "a scripted header has a name or a value that HTTP does not allow".to_owned(),
                ),
            }
        }
        _ => Ok(()),
    }
}

/// A header whose value is known to be valid.
fn set(response: &mut Response<Body>, name: http::HeaderName, value: &str) {
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
