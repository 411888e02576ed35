//! Repeats of uploads. The transport cannot repeat them: it has no second copy of a body that
//! streams.

use std::time::Duration;

use anchorbrowser_api::{Client, Error, ErrorKind};
use tokio::time::Instant;

use super::random;

/// How often and when an upload is repeated, by the policy of its client.
pub(super) struct Repeats {
    made: u32,
    /// By when the whole must be done.
    deadline: Option<Instant>,
}

impl Repeats {
    pub(super) fn new(api: &Client) -> Self {
        let limit = api.policy().operation_timeout;
        Self {
            made: 0,
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
        }
    }

    /// The client for the next attempt, with what is left of the time limit.
    pub(super) fn client(&self, api: &Client) -> Client {
        let Some(deadline) = self.deadline.filter(|_| self.made > 0) else {
            return api.clone();
        };
        let mut policy = api.policy().clone();
        policy.operation_timeout = Some(deadline.saturating_duration_since(Instant::now()));
        api.with_policy(policy)
    }

    /// How long to wait before the upload is repeated after this failure; `None` if it is not.
    pub(super) fn wait(&mut self, api: &Client, error: &Error) -> Option<Duration> {
        let retry = &api.policy().retry;
        if self.made >= retry.max_retries || !is_unprocessed(error) {
            return None;
        }
        let wait = match error.retry_after() {
            Some(asked) if asked > retry.max_retry_after => return None,
            Some(asked) => asked,
            None => {
                let doubled = 2u32.saturating_pow(self.made);
                let bound = retry.initial_backoff.saturating_mul(doubled);
                let share = (random() % 1024) as f64 / 1024.0;
                bound.min(retry.max_backoff).mul_f64(share)
            }
        };
        self.made += 1;
        let in_time = |deadline| Instant::now() + wait < deadline;
        self.deadline.is_none_or(in_time).then_some(wait)
    }
}

/// Whether the request certainly had no effect, and may have one if it is sent again.
fn is_unprocessed(error: &Error) -> bool {
    let header = |name| error.headers()?.get(name)?.to_str().ok();
    if header("x-should-retry") == Some("false") {
        return false;
    }
    match (error.kind(), error.status().map(|status| status.as_u16())) {
        (ErrorKind::Connect, _) | (ErrorKind::Status, Some(429)) => true,
        (ErrorKind::Status, Some(503)) => error.retry_after().is_some(),
        _ => false,
    }
}
