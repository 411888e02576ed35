use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::diagnosis::Finding;

/// A secret that cannot be a webhook's. The text says why, and shows nothing of the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError(&'static str);

impl SecretError {
    pub(super) fn new(text: &'static str) -> Self {
        Self(text)
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for SecretError {}

/// Why a delivery was not let through. The text says what to do; it shows no secret, no signature
/// and nothing of the body but the id of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    kind: VerifyErrorKind,
    text: String,
}

/// The kinds of [`VerifyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyErrorKind {
    /// The header of this name is not there.
    MissingHeader(&'static str),
    /// `Anchor-Signature` is not of the form `t=<seconds>,v1=<hex>`.
    MalformedSignature,
    /// `Anchor-Timestamp` is not a number of seconds since 1970.
    MalformedTimestamp,
    /// `Anchor-Timestamp` and `t` of `Anchor-Signature` differ.
    TimestampMismatch,
    /// The delivery was signed too long ago.
    TimestampTooOld {
        /// The time since then, by the clock of this machine.
        age: Duration,
    },
    /// The delivery was signed in the future.
    TimestampTooNew {
        /// The time until then, by the clock of this machine.
        ahead: Duration,
    },
    /// The signature fits the body under none of the secrets.
    Mismatch,
    /// The signature does not fit the body, but one that differs in JSON notation only.
    ReserializedBody,
    /// The event was completed before. A normal thing: answer with 2xx, and do nothing.
    Replayed,
    /// Another delivery of the event is being handled. Answer with 503: there will be another attempt.
    InProgress,
    /// The body is signed rightly, but is not an event.
    InvalidPayload,
}

use VerifyErrorKind as Kind;

impl VerifyError {
    /// The kind of the failure.
    pub fn kind(&self) -> VerifyErrorKind {
        self.kind
    }

    /// An HTTP status to answer with:
    /// - 200 for [`Replayed`](VerifyErrorKind::Replayed), so that it is not sent again;
    /// - 503 for [`InProgress`](VerifyErrorKind::InProgress) and 500 for
    ///   [`ReserializedBody`](VerifyErrorKind::ReserializedBody), the receiver's own fault: the
    ///   event is sent again;
    /// - 401 if the delivery is not known to be genuine and recent, and 400 if it cannot be read.
    ///   The event is not sent again. While a secret or a clock may still be wrong, 503 keeps it
    ///   coming for some attempts.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::Replayed => 200,
            Kind::InProgress => 503,
            Kind::ReserializedBody => 500,
            Kind::TimestampTooOld { .. } | Kind::TimestampTooNew { .. } | Kind::Mismatch => 401,
            Kind::MissingHeader(_)
            | Kind::MalformedSignature
            | Kind::MalformedTimestamp
            | Kind::TimestampMismatch
            | Kind::InvalidPayload => 400,
        }
    }

    fn new(kind: Kind, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { kind, text }
    }

    pub(super) fn missing(name: &'static str) -> Self {
        let text = format!(
            "the header `{name}` is missing: the request is not from Anchor, or a proxy removed the header"
        );
        Self::new(Kind::MissingHeader(name), text)
    }

    pub(super) fn signature(why: &str) -> Self {
        let text = format!("the header `anchor-signature` is not `t=<seconds>,v1=<hex>`: {why}");
        Self::new(Kind::MalformedSignature, text)
    }

    pub(super) fn timestamp() -> Self {
        Self::new(
            Kind::MalformedTimestamp,
            "the header `anchor-timestamp` is not a number of seconds since 1970",
        )
    }

    pub(super) fn timestamps_differ() -> Self {
        Self::new(
            Kind::TimestampMismatch,
            "the header `anchor-timestamp` differs from `t` in `anchor-signature`: one of them was altered",
        )
    }

    pub(super) fn too_old(age: Duration, tolerance: Duration) -> Self {
        let text = format!(
            "the delivery was signed {:.1} s ago, and {:.1} s are allowed: it was kept back or is sent again by \
             someone else, or the clock of this machine is fast",
            age.as_secs_f64(),
            tolerance.as_secs_f64()
        );
        Self::new(Kind::TimestampTooOld { age }, text)
    }

    pub(super) fn too_new(ahead: Duration, tolerance: Duration) -> Self {
        let text = format!(
            "the delivery was signed {:.1} s in the future, and {:.1} s are allowed: set the clock of this \
             machine, which is probably slow",
            ahead.as_secs_f64(),
            tolerance.as_secs_f64()
        );
        Self::new(Kind::TimestampTooNew { ahead }, text)
    }

    /// The signature does not fit the body.
    pub(super) fn unsigned(finding: Finding) -> Self {
        let hint = match finding {
            Finding::Reserialized => {
                return Self::new(
                    Kind::ReserializedBody,
                    "the body was parsed and written again before it was verified; pass the raw bytes of the \
                     request, and take them before a framework reads them as JSON",
                );
            }
            Finding::Sorted => {
                " (its members are in alphabetical order, as if it had been parsed and written again)"
            }
            Finding::Unknown => "",
        };
        let text = format!(
            "the signature does not fit the body: the secret is not this webhook's (after a rotation, give \
             both), or the body is not the raw bytes that were received{hint}, or the request is not from Anchor"
        );
        Self::new(Kind::Mismatch, text)
    }

    pub(super) fn replayed(id: &str) -> Self {
        let text = format!("the event `{id}` was handled before; answer with 2xx and do nothing");
        Self::new(Kind::Replayed, text)
    }

    pub(super) fn in_progress(id: &str) -> Self {
        let text = format!(
            "another delivery of the event `{id}` is being handled; answer with 503, so that it is sent again \
             if that one fails"
        );
        Self::new(Kind::InProgress, text)
    }

    pub(super) fn payload(why: impl fmt::Display) -> Self {
        let text = format!(
            "the body is signed rightly, but is not an event: {why}; look at the delivery in the webhook's history"
        );
        Self::new(Kind::InvalidPayload, text)
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for VerifyError {}
