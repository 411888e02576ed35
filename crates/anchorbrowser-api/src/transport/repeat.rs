//! Whether a failed attempt is repeated, and when.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::{Class, Retry};

/// Tells whether a call may be repeated, whatever the status.
const SHOULD_RETRY: &str = "x-should-retry";

/// Whether the failure of an attempt is one that is repeated for this class.
pub(super) fn is_repeated(error: &Error, class: Class) -> bool {
    let harmless = matches!(class, Class::Read | Class::Repeatable);
    let status = error.status().map(|status| status.as_u16());
    let word = error
        .headers()
        .and_then(|headers| headers.get(SHOULD_RETRY));
    match word.and_then(|word| word.to_str().ok()) {
        Some("false") => return false,
        Some("true") if harmless || matches!(status, Some(400..=499)) => return true,
        _ => {}
    }
    match (error.kind(), status) {
        (ErrorKind::Connect, _) | (ErrorKind::Status, Some(429)) => true,
        (ErrorKind::Status, Some(503)) if error.retry_after().is_some() => true,
        (ErrorKind::Status, Some(500 | 502..=504)) => harmless,
        (ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Body, _) => harmless,
        _ => false,
    }
}

/// How long to wait after this failure, before repeat `n`, counted from 0. `Err` holds what the
/// server asks for, if that is too long.
pub(super) fn wait(error: &Error, retry: &Retry, n: u32) -> Result<Duration, Duration> {
    match error.retry_after() {
        Some(asked) if asked > retry.max_retry_after => Err(asked),
        Some(asked) if asked > Duration::ZERO => Ok(asked.saturating_add(random(asked / 10))),
        _ => {
            let bound = retry
                .initial_backoff
                .saturating_mul(2u32.saturating_pow(n))
                .min(retry.max_backoff);
            Ok(random(bound))
        }
    }
}

/// A random time from nothing up to this bound.
fn random(bound: Duration) -> Duration {
    bound.mul_f64(fastrand::f64())
}
