//! One request: routed, recorded, checked against the document, answered from the state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::answer::{self, Answer, Outcome, Refusal};
use crate::body::Body;
use crate::call::Call;
use crate::document::{Checked, Operation, RawRequest, Reply, RequestFault, Route, Violation};
use crate::exchange::Exchange;
use crate::fault::{Effect, Fault, FaultBody};
use crate::resources;
use crate::shared::{Shared, lock};
use crate::{control, drift, sample};

/// The header with the key.
const KEY_HEADER: &str = "anchor-api-key";

/// Paths that are the emulator's own, not the API's.
const OWN: &str = "/__emulator";

/// What clients are told that want to drive a browser, or to follow an agent, by WebSocket.
pub(crate) const NO_SOCKET: &str = "the emulator runs no browser and no agent, so there is nothing to connect to by \
                                    CDP or WebSocket; call the operations of the API instead";

/// Answers one request. With `reset` set, the connection is reset instead.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Response<Body> {
    let path = request.uri().path();
    if path == "/"
        || path
            .strip_prefix(OWN)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    {
        return control::serve(&shared, request).await;
    }
    let document = Arc::clone(&shared.document);
    let exchange = Exchange {
        number: 0,
        time: shared.now().text(),
        operation: None,
        method: request.method().clone(),
        path: path.to_owned(),
        query: request.uri().query().map(str::to_owned),
        headers: request.headers().clone(),
        body: Bytes::new(),
        status: None,
        violations: Vec::new(),
        answer_violations: Vec::new(),
        faulted: false,
    };
    let number = lock(&shared.exchanges).begin(exchange);
    let socket = wants_socket(request.headers());
    let response = match document.route(request.method(), path) {
        Route::Found { operation, path } => {
            lock(&shared.exchanges)
                .edit(number, |it| it.operation = Some(operation.id().to_owned()));
            let serving = Serving {
                shared: &shared,
                operation,
                number,
                reset: &reset,
            };
            serving.serve(request, path).await
        }
        Route::Method { allow } => {
            let allow: Vec<&str> = allow.iter().map(Method::as_str).collect();
            let message = format!(
                "{} is not a method of this path; it has {}",
                request.method(),
                allow.join(", ")
            );
            plain_error(405, &message, Some(allow.join(", ")))
        }
        Route::Malformed(what) => {
            plain_error(400, &format!("the path can't be read: {what}"), None)
        }
        Route::None if socket => plain_error(501, NO_SOCKET, None),
        Route::None => plain_error(404, &format!("the document has no path `{path}`"), None),
    };
    let status = response.status().as_u16();
    tracing::info!(
        number,
        status,
        "{} {}",
        response_name(&shared, number),
        status
    );
    if !reset.load(Ordering::Acquire) {
        lock(&shared.exchanges).edit(number, |it| it.status = Some(status));
    }
    response
}

/// What a log line calls an exchange: nothing of it can be a secret.
fn response_name(shared: &Shared, number: u64) -> String {
    let mut name = String::new();
    lock(&shared.exchanges).edit(number, |it| {
        name = it
            .operation
            .clone()
            .unwrap_or_else(|| format!("{} (no operation)", it.method));
    });
    name
}

/// Whether a request asks for a WebSocket. Clients that offer HTTP/2 send `Upgrade` too.
pub(crate) fn wants_socket(headers: &HeaderMap) -> bool {
    let protocols = headers.get_all(UPGRADE).iter();
    protocols
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

/// The error shape of the API, for requests that fit no operation.
fn plain_error(status: u16, message: &str, allow: Option<String>) -> Response<Body> {
    let body = json!({ "error": { "code": status, "message": message } });
    let mut response = json_response(status, &body);
    if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// A response with JSON.
pub(crate) fn json_response(status: u16, body: &Value) -> Response<Body> {
    bytes_response(status, "application/json", body.to_string())
}

/// A response with these bytes.
pub(crate) fn bytes_response(
    status: u16,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

/// A request whose body is longer than the limit, or could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    TooLarge,
    Broken,
}

/// What to say of a body that is longer than the limit.
pub(crate) fn too_long(limit: usize) -> String {
    format!(
        "the body is longer than the {limit} bytes that are taken; send less, or start the emulator with a higher limit"
    )
}

/// Reads a body of limited length.
pub(crate) async fn read(body: Incoming, limit: usize) -> Result<Bytes, Unread> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}

/// A request of which the operation is known.
struct Serving<'a> {
    shared: &'a Arc<Shared>,
    operation: &'a Operation,
    number: u64,
    reset: &'a AtomicBool,
}

impl Serving<'_> {
    async fn serve(
        &self,
        request: Request<Incoming>,
        path: BTreeMap<String, String>,
    ) -> Response<Body> {
        let fault = lock(&self.shared.faults).hit(self.operation.id(), self.operation.key());
        if let Some(fault) = &fault {
            lock(&self.shared.exchanges).edit(self.number, |it| it.faulted = true);
            self.shared.sleep(fault.delay).await;
            if fault.effect == (Effect::Reset { processed: false }) {
                return self.reset();
            }
        }
        let (head, body) = request.into_parts();
        let body = read(body, self.shared.config.limits.body_bytes).await;
        if let Ok(body) = &body {
            lock(&self.shared.exchanges).body(self.number, body);
        }
        if let Some(response) = fault.as_ref().and_then(|fault| self.instead(fault, false)) {
            return response;
        }
        let outcome = match body {
            Ok(body) => self.checked(&head, &path, &body).await,
            Err(Unread::Broken) => return self.reset(),
            Err(Unread::TooLarge) => Err(Refusal::new(
                self.operation.status(RequestFault::TooLarge),
                too_long(self.shared.config.limits.body_bytes),
            )),
        };
        if let Some(response) = fault.as_ref().and_then(|fault| self.instead(fault, true)) {
            return response;
        }
        self.respond(outcome, fault.map(|fault| fault.effect).unwrap_or_default())
    }

    /// Ends the connection instead of answering; the response is never sent.
    fn reset(&self) -> Response<Body> {
        self.reset.store(true, Ordering::Release);
        Response::new(Body::whole(Bytes::new()))
    }

    /// What a scripted fault puts in the place of the answer, before or after the request has had its effect.
    fn instead(&self, fault: &Fault, after: bool) -> Option<Response<Body>> {
        match &fault.effect {
            Effect::Reset { processed } if *processed == after => Some(self.reset()),
            Effect::Status {
                status,
                headers,
                body,
                processed,
            } if *processed == after => {
                let message = "a scripted fault of the emulator";
                let mut response = match body {
                    Some(FaultBody::Json(value)) => json_response(*status, value),
                    Some(FaultBody::Text { content_type, text }) => {
                        bytes_response(*status, content_type, text.clone())
                    }
                    None => self.error(&Refusal::new(*status, message)),
                };
                for (name, value) in headers {
                    if let (Ok(name), Ok(value)) =
                        (name.parse::<HeaderName>(), HeaderValue::from_str(value))
                    {
                        response.headers_mut().insert(name, value);
                    }
                }
                Some(response)
            }
            _ => None,
        }
    }

    /// Checks the request, and lets it have its effect.
    async fn checked(
        &self,
        head: &http::request::Parts,
        path: &BTreeMap<String, String>,
        body: &Bytes,
    ) -> Outcome {
        let key = self.key(head)?;
        let raw = RawRequest {
            path,
            query: head.uri.query(),
            headers: &head.headers,
            body,
        };
        let Checked {
            query,
            body: content,
            violations,
        } = self.operation.check(&raw);
        self.refuse(&violations)?;
        let call = Call {
            operation: self.operation,
            path,
            query: &query,
            content: &content,
            key,
        };
        let handler =
            resources::handler(self.operation.key()).filter(|_| !self.shared.config.stateless);
        let done = self.shared.enter(|world| match handler {
            Some(handler) => handler(world, &call),
            None => self.made(world.ids.number()),
        });
        let answer = done.map_err(|error| error.refusal())??;
        match answer.body {
            answer::Body::Held(held) => held.await.unwrap_or_else(|_| {
                Err(Refusal::new(
                    503,
                    "the emulator was reset or is shutting down; send the request again",
                ))
            }),
            _ => Ok(answer),
        }
    }

    /// The key, if the operation needs one.
    fn key<'h>(&self, head: &'h http::request::Parts) -> Result<&'h str, Refusal> {
        let key = head
            .headers
            .get(KEY_HEADER)
            .and_then(|key| key.to_str().ok())
            .unwrap_or("")
            .trim();
        if !self.operation.needs_key() {
            return Ok(key);
        }
        let keys = &self.shared.config.keys;
        let fault = match key {
            "" => format!("header {KEY_HEADER}: the key is missing"),
            key if !keys.is_empty()
                && !keys.iter().any(|known| known == key)
                && !self.issued(key) =>
            {
                format!("header {KEY_HEADER}: the key is not known")
            }
            key => return Ok(key),
        };
        self.note(vec![fault.clone()]);
        if self.shared.config.lenient {
            return Ok(key);
        }
        Err(Refusal::new(
            self.operation.status(RequestFault::Key),
            fault,
        ))
    }

    /// Whether agent access gave out the key.
    fn issued(&self, key: &str) -> bool {
        let issued = self
            .shared
            .enter(|world| resources::agent_access::issued(world, key));
        issued.unwrap_or_default()
    }

    /// Refuses a request that breaks the document; in lenient mode it only notes how.
    fn refuse(&self, violations: &[Violation]) -> Result<(), Refusal> {
        let Some(first) = violations.first() else {
            return Ok(());
        };
        let text: Vec<String> = violations
            .iter()
            .map(|it| format!("{}: {}", it.place, it.message))
            .collect();
        let message = text.join("; ");
        self.note(text);
        if self.shared.config.lenient {
            tracing::warn!(operation = self.operation.id(), "let pass: {message}");
            return Ok(());
        }
        Err(Refusal::new(self.operation.status(first.fault), message))
    }

    fn note(&self, violations: Vec<String>) {
        lock(&self.shared.exchanges).edit(self.number, |it| it.violations.extend(violations));
    }

    /// An answer made from the schema, for operations that nobody handles.
    fn made(&self, seed: u64) -> Outcome {
        let status = self.operation.success();
        let Some((media_type, schema)) =
            self.reply(status).and_then(|reply| reply.content().next())
        else {
            return Ok(Answer {
                status: None,
                headers: Vec::new(),
                body: answer::Body::Empty,
            });
        };
        let schema = schema.unwrap_or(&Value::Bool(true));
        if !media_type.contains("json") {
            return Ok(Answer::bytes(
                media_type,
                format!("made by the emulator, as {media_type}"),
            ));
        }
        Ok(Answer::json(
            sample::Sampler::new(self.shared.document.root(), seed).value(schema),
        ))
    }

    /// The error of a refusal, in the shape that the document gives for it.
    fn error(&self, refusal: &Refusal) -> Response<Body> {
        let mut response = match self.operation.error_body(refusal.status, &refusal.message) {
            Some(body) => json_response(refusal.status, &body),
            None => {
                let mut response = Response::new(Body::whole(Bytes::new()));
                *response.status_mut() = StatusCode::from_u16(refusal.status)
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                response
            }
        };
        set_headers(&mut response, &refusal.headers);
        response
    }

    fn respond(&self, outcome: Outcome, effect: Effect) -> Response<Body> {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(refusal) => return self.error(&refusal),
        };
        let status = answer.status.unwrap_or_else(|| self.operation.success());
        let drifts = self.shared.config.drift || effect == Effect::Drift;
        let (content_type, bytes) = match answer.body {
            answer::Body::Json(mut value) => {
                if drifts {
                    self.drift(status, &mut value);
                }
                (
                    "application/json".to_owned(),
                    Bytes::from(value.to_string()),
                )
            }
            answer::Body::Bytes {
                content_type,
                bytes,
            } => (content_type, bytes),
            answer::Body::Empty | answer::Body::Held(_) => (String::new(), Bytes::new()),
        };
        let media_type = Some(content_type.as_str()).filter(|text| !text.is_empty());
        let violations = if drifts {
            Vec::new()
        } else {
            self.operation.check_answer(status, media_type, &bytes)
        };
        if !violations.is_empty() {
            tracing::error!(
                operation = self.operation.id(),
                "the answer breaks the document: {violations:?}"
            );
            lock(&self.shared.exchanges).edit(self.number, |it| it.answer_violations = violations);
        }
        let mut response = match content_type.is_empty() {
            true => {
                let mut response = Response::new(Body::whole(Bytes::new()));
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
                response
            }
            false => bytes_response(status, &content_type, Bytes::new()),
        };
        *response.body_mut() = self.damaged(bytes, &effect);
        set_headers(&mut response, &answer.headers);
        response
    }

    /// What the document says of answers with this status.
    fn reply(&self, status: u16) -> Option<&Reply> {
        self.operation
            .answers()
            .iter()
            .find(|reply| reply.covers(status))
    }

    fn drift(&self, status: u16, value: &mut Value) {
        let schema = self
            .reply(status)
            .and_then(|reply| reply.content().find(|(media, _)| media.contains("json")));
        if let Some((_, Some(schema))) = schema {
            drift::drift(self.shared.document.root(), schema, value);
        }
    }

    /// The body as a scripted fault leaves it.
    fn damaged(&self, bytes: Bytes, effect: &Effect) -> Body {
        match effect {
            Effect::InvalidJson => Body::whole(bytes.slice(..bytes.len() / 2)),
            Effect::CutBody { bytes: kept } => {
                let (sender, pieces) = tokio::sync::mpsc::channel(1);
                let kept = bytes.slice(..bytes.len().min(*kept));
                // There is room for one piece; then the sender is gone, and the body cut.
                let _ = sender.try_send(kept);
                // One byte more than there is: also an empty body is cut.
                Body::pieces(bytes.len() as u64 + 1, pieces)
            }
            Effect::SlowBody { bytes: size, every } => {
                let (sender, pieces) = tokio::sync::mpsc::channel(1);
                let (shared, every, size) = (Arc::clone(self.shared), *every, (*size).max(1));
                let length = bytes.len() as u64;
                tokio::spawn(async move {
                    let mut rest = bytes;
                    while !rest.is_empty() {
                        shared.sleep(every).await;
                        let piece = rest.split_to(size.min(rest.len()));
                        if sender.send(piece).await.is_err() {
                            return;
                        }
                    }
                });
                Body::pieces(length, pieces)
            }
            _ => Body::whole(bytes),
        }
    }
}

fn set_headers(response: &mut Response<Body>, headers: &[(&'static str, String)]) {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
}
