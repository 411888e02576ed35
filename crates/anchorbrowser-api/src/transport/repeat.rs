//! Whether a failed attempt is repeated, and when.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::trace;
use crate::error::{Error, ErrorKind, duration};
use crate::{Class, Client, ResponseValue, Retry};

/// Tells whether a call may be repeated, whatever the status.
const SHOULD_RETRY: &str = "x-should-retry";

/// Whether the failure of an attempt is one that is repeated for this class.
fn is_repeated(error: &Error, class: Class) -> bool {
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
fn wait(error: &Error, retry: &Retry, n: u32) -> Result<Duration, Duration> {
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

/// The attempts of a call, as far as they have come.
pub(super) struct Attempts {
    class: Class,
    pub(super) started: Instant,
    /// When the operation must end.
    pub(super) deadline: Option<Instant>,
    /// How many began.
    pub(super) made: u32,
    /// Whether one of them may have been processed.
    pub(super) processed: bool,
    /// Why the last one that ended failed.
    last: Option<Error>,
}

impl Attempts {
    pub(super) fn new(client: &Client, class: Class) -> Self {
        let started = Instant::now();
        let limit = client.policy().operation_timeout;
        let deadline = limit.and_then(|limit| started.checked_add(limit));
        Self {
            class,
            started,
            // A part of an operation has the whole one's limit.
            deadline: client.inner.0.deadline.or(deadline),
            made: 0,
            processed: false,
            last: None,
        }
    }

    /// How long to wait after this failure until `again` is sent, or what the call fails with.
    pub(super) fn failed<T>(
        &mut self,
        client: &Client,
        error: Error,
        again: Option<T>,
    ) -> Result<(Duration, T), Error> {
        if error.is_operation_timeout() {
            return Err(self.operation_timeout(client, error));
        }
        self.processed |= error.may_have_been_processed();
        let Some(again) = again else {
            return Err(error);
        };
        match self.wait(client, &error) {
            Ok(wait) => {
                trace::repeat(&error, wait);
                self.last = Some(error);
                Ok((wait, again))
            }
            Err(note) => Err(error.with_note(note)),
        }
    }

    /// How long to wait before the next attempt; if there is none, maybe a note why.
    fn wait(&self, client: &Client, error: &Error) -> Result<Duration, Option<String>> {
        if !is_repeated(error, self.class) {
            return Err(None);
        }
        let wait = wait(error, &client.policy().retry, self.made.saturating_sub(1));
        let wait = wait.map_err(|asked| {
            let asked = duration(asked);
            Some(format!(
                "not repeated: the server asks to wait {asked}, longer than allowed"
            ))
        })?;
        let end = Instant::now().checked_add(wait);
        if let Some(deadline) = self.deadline
            && end.is_none_or(|end| end >= deadline)
        {
            let note = "not repeated: the wait would pass the operation's limit";
            return Err(Some(note.to_owned()));
        }
        if !client.inner.0.budget.pay() {
            let note =
                "not repeated: too many calls of this client fail, and its retry budget is spent";
            return Err(Some(note.to_owned()));
        }
        Ok(wait)
    }

    /// Says where the operation's limit passed, and what went before.
    pub(super) fn operation_timeout(&mut self, client: &Client, error: Error) -> Error {
        let limit = client.policy().operation_timeout.unwrap_or_default();
        let limit = format!("the operation's limit of {} passed", duration(limit));
        let message = match (&self.last, self.made) {
            (Some(last), 1) => format!("{limit} after 1 attempt; last: {}", last.failure()),
            (Some(last), n) => format!("{limit} after {n} attempts; last: {}", last.failure()),
            (None, 0) => format!(
                "{limit} in the wait for other calls to end, by the concurrency limit; nothing was sent"
            ),
            (None, _) => {
                format!("{limit} in the first attempt; the request may have been processed")
            }
        };
        error.map_message(|_| message).with_last(self.last.take())
    }

    /// Says what is known of the call.
    pub(super) fn tell(&self, error: Error) -> Error {
        let error = error.processed_before(self.processed);
        error.after(self.made, self.started.elapsed())
    }
}

/// The repeats of a call that the transport cannot repeat, because its body is a stream: the layer
/// above makes the attempts, by the same policy.
#[doc(hidden)]
pub struct Repeats {
    client: Client,
    attempts: Attempts,
}

impl Repeats {
    pub fn new(client: &Client, class: Class) -> Self {
        Self {
            attempts: Attempts::new(client, class),
            client: client.clone(),
        }
    }

    /// The client for one attempt, which ends with the limit of the operation.
    pub fn client(&self) -> Client {
        self.client
            .with(|shared| shared.deadline = self.attempts.deadline)
    }

    /// Waits after this failure until there is to be one more attempt. `left`: whether there is
    /// anything to send.
    ///
    /// # Errors
    /// What the call fails with, if there is to be none.
    pub async fn failed(&mut self, error: Error, left: bool) -> Result<(), Error> {
        self.attempts.made += error.attempts();
        self.attempts.processed |= error.may_have_been_processed();
        let policy = self.client.policy();
        let again = left
            && self.attempts.made <= policy.retry.max_retries
            && !self.client.inner.0.needs.never_repeat;
        let wait = self
            .attempts
            .failed(&self.client, error, again.then_some(()));
        let (wait, ()) = wait.map_err(|error| self.attempts.tell(error))?;
        sleep(wait).await;
        Ok(())
    }

    /// The answer of the last attempt as that of them all.
    pub fn answer<T>(&self, answer: ResponseValue<T>) -> ResponseValue<T> {
        let made = self.attempts.made + answer.attempts();
        answer.after(made, self.attempts.started.elapsed())
    }
}
