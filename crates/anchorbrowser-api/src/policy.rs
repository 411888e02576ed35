//! How calls behave: repeats, time limits and what single operations need beside them.

use std::fmt;
use std::time::Duration;

use crate::Operation;

/// How the calls of a [`Client`](crate::Client) behave.
///
/// By default nothing is repeated and nothing has a time limit.
#[derive(Clone)]
pub struct Policy {
    /// How often and when a failed attempt is repeated; default never.
    pub retry: Retry,
    /// How long one attempt may take, from sending to the end of the answer's JSON body; for an
    /// answer that is a stream, to its head. While an upload moves the limit does not count: it
    /// starts when the whole body is sent. Default none.
    pub attempt_timeout: Option<Duration>,
    /// How long a call may take: all attempts, the waits between them and the wait for the
    /// [concurrency limit](crate::ClientBuilder::concurrency_limit). Reading an answer that is a
    /// stream is not part of it. Default none.
    pub operation_timeout: Option<Duration>,
    /// How long an upload or an answer that is a stream may stand still. Default none.
    pub idle_timeout: Option<Duration>,
    /// What an operation needs beside this policy; by default nothing.
    pub needs: fn(&Operation) -> Needs,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: Retry::none(),
            attempt_timeout: None,
            operation_timeout: None,
            idle_timeout: None,
            needs: |_| Needs::default(),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("retry", &self.retry)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}

/// How often and when a failed attempt is repeated.
///
/// Repeated is what was certainly not processed: a connection that could not be made, a 429, a
/// 503 with `Retry-After`. What may have been processed (a time limit, a connection or a body that
/// broke off, a 500, 502, 503 or 504) is repeated only if the operation's
/// [class](crate::Class) is `Read` or `Repeatable`. All other answers are final. The header
/// `x-should-retry: false` makes any answer final; `true` makes any answer to a `Read` or
/// `Repeatable` operation one that is repeated, and of a `Once` operation any 4xx.
///
/// A body that is a stream is sent once. The clones of a client share a budget: each repeat costs
/// one of 50 tokens, each operation that succeeds gives a tenth of one back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Retry {
    /// The most repeats of one call; 0 is none.
    pub max_retries: u32,
    /// Before the first repeat, the wait is a random time up to this one; the bound doubles with
    /// each repeat. Default 500 milliseconds.
    pub initial_backoff: Duration,
    /// The most that the bound grows to; default 8 seconds.
    pub max_backoff: Duration,
    /// The longest wait that a server may ask for by `Retry-After`; an answer that asks for more
    /// is final. Default 60 seconds.
    pub max_retry_after: Duration,
}

impl Retry {
    /// No repeats.
    pub fn none() -> Self {
        Self::new(0)
    }

    /// At most this many repeats, with the default waits.
    pub fn new(max_retries: u32) -> Self {
        Self {
            max_retries,
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

/// No repeats.
impl Default for Retry {
    fn default() -> Self {
        Self::none()
    }
}

/// What an operation needs beside the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Raises the limit of an attempt, if it is lower; that of the operation stays.
    pub at_least: Option<Duration>,
    /// Removes the limit of an attempt.
    pub unlimited: bool,
    /// It is sent once, whatever fails.
    pub never_repeat: bool,
    /// It does not wait for the concurrency limit, and takes nothing of it.
    pub unqueued: bool,
}

impl Needs {
    /// What both need.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            at_least: self.at_least.max(other.at_least),
            unlimited: self.unlimited || other.unlimited,
            never_repeat: self.never_repeat || other.never_repeat,
            unqueued: self.unqueued || other.unqueued,
        }
    }
}
