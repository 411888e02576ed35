//! The receiving side of webhooks: tells genuine deliveries from others, and reads the event.
//!
//! Nothing here needs a [`Client`](anchorbrowser_api::Client), an async runtime or a web framework.
//! A handler needs the headers and the body *as it was received*: bytes, not JSON that was parsed
//! and written again.
//!
//! ```
//! use anchorbrowser::webhook::{Event, EventPayload, Verifier};
//!
//! /// Gives the status of the answer.
//! fn receive(verifier: &Verifier, headers: &[(String, String)], body: &[u8]) -> u16 {
//!     let event = match verifier.verify(headers, body) {
//!         Ok(event) => event,
//!         Err(error) => {
//!             eprintln!("{error}");
//!             return error.status();
//!         }
//!     };
//!     match handle(&event) {
//!         Ok(()) => {
//!             verifier.complete(&event);
//!             204
//!         }
//!         Err(error) => {
//!             eprintln!("{}: {error}", event.id);
//!             verifier.release(&event); // the next delivery of the event is let through
//!             500
//!         }
//!     }
//! }
//!
//! fn handle(event: &Event) -> Result<(), std::io::Error> {
//!     match &event.payload {
//!         EventPayload::TaskFailed(task) => println!("{:?}: {:?}", task.task_id, task.error),
//!         other => println!("{}: {other:?}", event.event_type),
//!     }
//!     Ok(())
//! }
//!
//! // A test signs its own deliveries.
//! use anchorbrowser::webhook::{MemoryReplayGuard, Signer, sample_event};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new("secret")?.replay_guard(MemoryReplayGuard::new());
//! let error = serde_json::json!({ "type": "timeout", "message": "too slow" });
//! let body = sample_event("evt_1", "task.failed", serde_json::json!({ "error": error }));
//! let headers = Signer::new("secret")?.sign(&body, std::time::SystemTime::now());
//! let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
//!
//! assert_eq!(receive(&verifier, &headers, &body), 204);
//! assert_eq!(receive(&verifier, &headers, &body), 200); // a duplicate: taken, and not handled again
//! assert_eq!(receive(&verifier, &headers, b"{}"), 401);
//! # Ok(())
//! # }
//! ```
//!
//! # What is checked
//!
//! In this order:
//! 1. `Anchor-Timestamp` and `Anchor-Signature` (`t=<seconds>,v1=<hex>`) are there and can be read.
//!    `Anchor-Timestamp` is what is signed, and `t` must repeat it.
//! 2. The timestamp is at most [`tolerance`](Verifier::tolerance) away from the clock of this
//!    machine, in either direction.
//! 3. One of the `v1` values is the HMAC-SHA256 of `v0:<timestamp>:<body>` under one of the secrets,
//!    compared in constant time.
//! 4. The body is an event.
//! 5. The event was not handled before, if there is a [`ReplayGuard`].
//!
//! `Anchor-Event` and `Anchor-Delivery-Id` are not covered by the signature. The former is not read:
//! the type of an event is what its body says. The latter is only passed on, for logs.
//!
//! # Duplicates and handlers that fail
//!
//! The same event may be delivered more than once: when an answer is lost, when it takes longer than
//! 10 s, or when it is a status that asks for another attempt (408, 425, 429, 5xx). Every delivery of
//! an event has the same [`Event::id`]. To handle each event once, either give the verifier a
//! [`ReplayGuard`], or, if the effects of a handler are kept in a database, store the id in the same
//! transaction and do without a guard.
//!
//! With a guard, [`verify`](Verifier::verify) claims the event, and the handler says how it went:
//! [`complete`](Verifier::complete) or [`release`](Verifier::release). Only a completed event is a
//! duplicate that may be answered with 2xx ([`VerifyErrorKind::Replayed`]). While the handler is at
//! work, another delivery is [`VerifyErrorKind::InProgress`], which asks for another attempt: the
//! handler may still fail. A claim that nobody ends lapses, so an event is rather handled twice than
//! lost.
//!
//! # Rotation
//!
//! After a rotation the secret before it stays valid for 24 hours. Give both to
//! [`Verifier::with_secrets`] for that time.

mod diagnosis;
mod error;
mod event;
mod headers;
mod payload;
mod replay;
mod signature;
mod signer;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anchorbrowser_api::wire::Secret;

pub use anchorbrowser_api::types::WebhookEventType as EventType;
pub use error::{SecretError, VerifyError, VerifyErrorKind};
pub use event::Event;
pub use headers::Headers;
pub use payload::{
    Artifact, BatchData, ErrorType, EventError, EventPayload, IdentityData, InterventionData, Json,
    RecordingData, SessionData, TaskData,
};
pub use replay::{Claim, MemoryReplayGuard, ReplayGuard};
pub use signer::{SignedHeaders, Signer, sample_event};

use signature::{Keys, Signed};

/// How far a timestamp may be from the clock, unless said otherwise.
const TOLERANCE: Duration = Duration::from_secs(120);

/// Verifies deliveries of a webhook. Cheap to clone; clones share the [`ReplayGuard`].
#[derive(Clone)]
#[must_use]
pub struct Verifier {
    keys: Keys,
    tolerance: Duration,
    guard: Option<Arc<dyn ReplayGuard>>,
}

impl Verifier {
    /// A verifier with one secret: that of the answer which created the webhook, as it stands there.
    ///
    /// # Errors
    /// If the secret is empty or has white space around it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, SecretError> {
        Self::with_secrets([secret])
    }

    /// A verifier that takes a delivery signed with any of these secrets: the new one and the one
    /// before it during a rotation, or those of several webhooks with one URL.
    ///
    /// # Errors
    /// If there is none, or if one is empty or has white space around it.
    pub fn with_secrets<S: Into<Secret>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, SecretError> {
        Ok(Self {
            keys: Keys::new(secrets)?,
            tolerance: TOLERANCE,
            guard: None,
        })
    }

    /// How far a timestamp may be from the clock of this machine, in either direction. The default
    /// is 120 s.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Refuses events that were handled before. By default nothing is remembered.
    pub fn replay_guard(mut self, guard: impl ReplayGuard + 'static) -> Self {
        self.guard = Some(Arc::new(guard));
        self
    }

    /// Verifies a delivery and reads its event. `body` is the body as it was received.
    ///
    /// # Errors
    /// [`VerifyError`], whose [`status`](VerifyError::status) is a fitting answer.
    pub fn verify<H: Headers + ?Sized>(
        &self,
        headers: &H,
        body: impl AsRef<[u8]>,
    ) -> Result<Event, VerifyError> {
        self.verify_at(headers, body, SystemTime::now())
    }

    /// [`verify`](Self::verify) by another clock, for tests and for deliveries that were kept. The
    /// [`ReplayGuard`] keeps to its own time.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_at<H: Headers + ?Sized>(
        &self,
        headers: &H,
        body: impl AsRef<[u8]>,
        now: SystemTime,
    ) -> Result<Event, VerifyError> {
        let body = body.as_ref();
        let signed = Signed::read(headers)?;
        signed.check_age(now, self.tolerance)?;
        let fits = |body: &[u8]| self.keys.verify(&signed, body);
        if !fits(body) {
            // For the text of the error only: nothing that is found there is let through.
            return Err(VerifyError::unsigned(diagnosis::examine(body, fits)));
        }
        let event = Event::read(body, headers)?;
        match self.claim(&event) {
            Claim::New => Ok(event),
            Claim::InProgress => Err(VerifyError::in_progress(event.id.as_str())),
            Claim::Completed => Err(VerifyError::replayed(event.id.as_str())),
        }
    }

    /// Says that an event was handled, or is kept where it will be: its next delivery is
    /// [`Replayed`](VerifyErrorKind::Replayed). Does nothing without a [`ReplayGuard`].
    pub fn complete(&self, event: &Event) {
        if let Some(guard) = &self.guard {
            guard.complete(event.id.as_str());
        }
    }

    /// Says that an event was not handled: its next delivery is verified as if it were the first.
    /// Answer with 500, so that there is one. Does nothing without a [`ReplayGuard`].
    pub fn release(&self, event: &Event) {
        if let Some(guard) = &self.guard {
            guard.release(event.id.as_str());
        }
    }

    fn claim(&self, event: &Event) -> Claim {
        let guard = self.guard.as_ref();
        guard.map_or(Claim::New, |guard| guard.claim(event.id.as_str()))
    }
}

/// Shows no secret.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .field("replay_guard", &self.guard.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests;
