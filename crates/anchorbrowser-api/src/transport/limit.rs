//! The time limits of one attempt.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::upload::Upload;
use crate::error::{Error, ErrorKind, duration};

/// Which limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// That of the attempt.
    Attempt(Duration),
    /// That of the whole operation; the loop around the attempts has more to say.
    Operation,
    /// The upload stood still for so long.
    Upload(Duration),
}

impl Passed {
    /// The error if no head of an answer came.
    pub(super) fn into_error(self) -> Error {
        let message = match self {
            Passed::Attempt(limit) => format!(
                "no answer within the attempt's limit of {}; the request may have been processed",
                duration(limit)
            ),
            Passed::Upload(limit) => format!(
                "the upload stood still for {}; the request may have been processed",
                duration(limit)
            ),
            Passed::Operation => "the operation's limit passed".to_owned(),
        };
        let error = Error::new(ErrorKind::Timeout, message);
        match self {
            Passed::Operation => error.into_operation_timeout(),
            _ => error,
        }
    }

    /// The limit, as messages name it.
    pub(crate) fn name(self) -> String {
        match self {
            Passed::Attempt(limit) => format!("the attempt's limit of {}", duration(limit)),
            Passed::Upload(limit) => format!("the upload's idle limit of {}", duration(limit)),
            Passed::Operation => "the operation's limit".to_owned(),
        }
    }
}

/// The limits of an attempt that has begun.
pub(crate) struct Limits {
    pub(super) started: Instant,
    pub(super) attempt: Option<Duration>,
    pub(super) idle: Option<Duration>,
    /// When the operation must end.
    pub(super) deadline: Option<Instant>,
    pub(super) upload: Option<Arc<Upload>>,
}

impl Limits {
    /// Does some work, unless a limit passes before it is done.
    pub(crate) async fn run<F: Future>(&self, work: F) -> Result<F::Output, Passed> {
        let (mut work, mut passed) = (pin!(work), pin!(self.passed()));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => passed.as_mut().poll(context).map(Err),
        })
        .await
    }

    /// Waits until a limit passes.
    async fn passed(&self) -> Passed {
        loop {
            // An upload that moves puts its limit off, and one that ends starts the attempt's.
            let next = self.next();
            match (next, &self.upload) {
                (Some((at, passed)), _) if at <= Instant::now() => return passed,
                (Some((at, _)), Some(upload)) => {
                    let _ = timeout_at(at, upload.ended.notified()).await;
                }
                (Some((at, _)), None) => sleep_until(at).await,
                (None, Some(upload)) => upload.ended.notified().await,
                (None, None) => std::future::pending().await,
            }
        }
    }

    /// The limit that passes first, by what is known of the upload.
    fn next(&self) -> Option<(Instant, Passed)> {
        let attempt = |from: Instant| {
            let limit = self.attempt?;
            Some((from.checked_add(limit)?, Passed::Attempt(limit)))
        };
        let idle = |from: Instant| {
            let limit = self.idle?;
            Some((from.checked_add(limit)?, Passed::Upload(limit)))
        };
        let first = match self.upload.as_ref().map(|upload| upload.state()) {
            None => attempt(self.started),
            Some(state) if state.ended => attempt(state.last),
            Some(state) => idle(state.last),
        };
        let operation = self.deadline.map(|at| (at, Passed::Operation));
        first.into_iter().chain(operation).min_by_key(|(at, _)| *at)
    }
}
