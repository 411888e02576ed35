//! One request to a known operation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use serde_json::Value;

use super::response::{bytes_response, empty_response, json_response, set_headers};
use super::{KEY_HEADER, Unread, read};
use crate::answer::{self, Answer, Later, Outcome, Refusal};
use crate::body::Body;
use crate::call::Call;
use crate::document::{Checked, Operation, RawRequest, Reply, RequestFault, Violation};
use crate::fault::{Effect, Fault, FaultBody};
use crate::shared::{Shared, lock};
use crate::{drift, resources, sample};

/// A request of which the operation is known.
pub(super) struct Serving<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) operation: &'a Operation,
    pub(super) number: u64,
    /// Set to have the connection reset instead of the answer sent.
    pub(super) reset: &'a AtomicBool,
}

impl Serving<'_> {
    pub(super) async fn serve(
        &self,
        request: Request<Incoming>,
        path: BTreeMap<String, String>,
    ) -> Response<Body> {
        let fault = lock(&self.shared.faults).hit(self.operation.id(), self.operation.key());
        if let Some(fault) = &fault {
            lock(&self.shared.exchanges).edit(self.number, |it| it.faulted = true);
            if !self.shared.sleep(fault.delay, || self.taken_up()).await {
                return self.error(&interrupted());
            }
            if fault.effect == (Effect::Reset { processed: false }) {
                return self.reset();
            }
        }
        let (head, body) = request.into_parts();
        let body = read(&head.headers, body, &self.shared.config.limits).await;
        if let Ok(body) = &body {
            lock(&self.shared.exchanges).body(self.number, body);
        }
        if let Some(response) = fault.as_ref().and_then(|fault| self.instead(fault, false)) {
            return response;
        }
        let outcome = match body {
            Ok(body) => self.checked(&head, &path, &body).await,
            Err(Unread::Broken) => return self.reset(),
            Err(unread) => Err(self.unread(&unread)),
        };
        if let Some(response) = fault.as_ref().and_then(|fault| self.instead(fault, true)) {
            return response;
        }
        self.respond(outcome, fault.map(|fault| fault.effect).unwrap_or_default())
    }

    /// The request is where it waits.
    fn taken_up(&self) {
        lock(&self.shared.exchanges).edit(self.number, |it| it.taken_up = true);
    }

    fn unread(&self, unread: &Unread) -> Refusal {
        let status = match unread {
            Unread::TooLarge => self.operation.status(RequestFault::TooLarge),
            Unread::TooSlow => 408,
            Unread::Broken => 400,
        };
        Refusal::new(status, unread.message(&self.shared.config.limits))
    }

    /// Ends the connection instead of answering; the response is never sent.
    fn reset(&self) -> Response<Body> {
        self.reset.store(true, Ordering::Release);
        empty_response(500)
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
                set_headers(&mut response, headers);
                Some(response)
            }
            _ => None,
        }
    }

    /// Checks the request, and lets it have its effect.
    async fn checked(
        &self,
        head: &Parts,
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
            unknown,
            body: content,
            violations,
        } = self.operation.check(&raw);
        if !unknown.is_empty() {
            tracing::warn!(
                operation = self.operation.id(),
                "parameters without effect: {unknown:?}"
            );
            lock(&self.shared.exchanges).edit(self.number, |it| it.unknown_parameters = unknown);
        }
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
        let mut answer = done.map_err(|error| error.refusal())??;
        loop {
            answer = match answer.body {
                answer::Body::Held(held) => {
                    self.taken_up();
                    held.await.unwrap_or_else(|_| Err(interrupted()))?
                }
                answer::Body::Later(Later(work)) => {
                    self.taken_up();
                    let finish = work.await;
                    let done = self.shared.enter(finish);
                    done.map_err(|error| error.refusal())??
                }
                _ => return Ok(answer),
            };
        }
    }

    /// The key, if the operation needs one.
    fn key<'h>(&self, head: &'h Parts) -> Result<&'h str, Refusal> {
        let key = head
            .headers
            .get(KEY_HEADER)
            .and_then(|key| key.to_str().ok())
            .unwrap_or("")
            .trim();
        if !self.operation.needs_key() {
            return Ok(key);
        }
        let fault = match key {
            "" => format!("header {KEY_HEADER}: the key is missing"),
            key if self.shared.accepts(key) => return Ok(key),
            _ => format!("header {KEY_HEADER}: the key is not known"),
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
            None => empty_response(refusal.status),
        };
        set_headers(&mut response, refusal.headers());
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
            answer::Body::Empty | answer::Body::Held(_) | answer::Body::Later(_) => {
                (String::new(), Bytes::new())
            }
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
            true => empty_response(status),
            false => bytes_response(status, &content_type, Bytes::new()),
        };
        *response.body_mut() = self.damaged(bytes, &effect);
        set_headers(&mut response, answer.headers);
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
                        if !shared.sleep(every, || ()).await {
                            return;
                        }
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

/// For who waits when the emulator is reset or shut down.
fn interrupted() -> Refusal {
    Refusal::new(
        503,
        "the emulator was reset or is shutting down; send the request again",
    )
}
