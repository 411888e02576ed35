//! What subscribers of `tracing` see of a call. No URL, header, body or text of the server.

use std::time::Duration;

use reqwest::{Method, Response};
use tracing::field::Empty;
use tracing::{Span, debug, debug_span};

use crate::Error;

const TARGET: &str = "anchorbrowser";

/// The span of a call.
pub(super) fn operation(id: &str, method: &Method) -> Span {
    debug_span!(
        target: TARGET,
        "operation",
        operation = id,
        method = method.as_str(),
        status = Empty,
        attempts = Empty,
        elapsed_ms = Empty,
    )
}

/// The span of an attempt, within that of its call.
pub(super) fn attempt(number: u32) -> Span {
    debug_span!(target: TARGET, "attempt", attempt = number, status = Empty, elapsed_ms = Empty)
}

pub(super) fn end_attempt(span: &Span, result: &Result<Response, Error>, elapsed: Duration) {
    if let Some(status) = status(result) {
        span.record("status", status);
    }
    span.record("elapsed_ms", milliseconds(elapsed));
}

/// Tells that a failed attempt will be repeated.
pub(super) fn repeat(error: &Error, delay: Duration) {
    debug!(
        target: TARGET,
        kind = ?error.kind(),
        status = error.status().map(|status| status.as_u16()),
        delay_ms = milliseconds(delay),
        "repeat",
    );
}

/// Tells how a call ended.
pub(super) fn end(span: &Span, result: &Result<Response, Error>, attempts: u32, elapsed: Duration) {
    end_attempt(span, result, elapsed);
    span.record("attempts", attempts);
    span.in_scope(|| match result {
        Ok(_) => debug!(target: TARGET, "done"),
        Err(error) => debug!(target: TARGET, kind = ?error.kind(), "failed"),
    });
}

fn status(result: &Result<Response, Error>) -> Option<u16> {
    let status = match result {
        Ok(response) => Some(response.status()),
        Err(error) => error.status(),
    };
    status.map(|status| status.as_u16())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
