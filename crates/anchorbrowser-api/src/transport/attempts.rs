//! The attempts of one call: the loop, its limits and what is told of it.

use std::time::Duration;

use reqwest::{Request, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use super::limit::{Limits, Passed};
use super::upload::Upload;
use super::{redirect, repeat, trace};
use crate::error::{Error, duration};
use crate::runtime::{CallInfo, receive};
use crate::{Class, Client, Needs, Policy};

/// What is called, beside the request.
pub(crate) struct Call {
    /// The operation's name.
    pub(crate) id: &'static str,
    pub(crate) class: Class,
    /// Says that a redirect is the answer, and where its target stands in it.
    pub(crate) pointer: Option<&'static str>,
    /// Whether the body of a success goes to the caller as a stream.
    pub(crate) streams: bool,
    pub(crate) needs: Needs,
}

impl Client {
    /// Sends a request, as often as the policy says; an answer that is no success is an error.
    pub(crate) async fn call(&self, request: Request, call: Call) -> Result<Response, Error> {
        let span = trace::operation(call.id, request.method());
        let started = Instant::now();
        let limit = self.policy().operation_timeout;
        let mut run = Run {
            client: self,
            deadline: limit.and_then(|limit| started.checked_add(limit)),
            call,
            attempts: 0,
            processed: false,
            last: None,
        };
        // Boxed, because the future of each operation would hold all of it.
        let attempts = Box::pin(run.attempts(request));
        let result = attempts.instrument(span.clone()).await;
        let (id, attempts, elapsed) = (run.call.id, run.attempts, started.elapsed());
        let result = result.map_err(|error| {
            let error = error.of(Some(id)).processed_before(run.processed);
            error.after(attempts, elapsed)
        });
        trace::end(&span, &result, attempts, elapsed);
        let mut response = result?;
        response.extensions_mut().insert(self.inner.clone());
        response.extensions_mut().insert(CallInfo {
            operation: id,
            attempts,
            started,
            elapsed,
            idle_timeout: self.policy().idle_timeout,
        });
        Ok(response)
    }
}

/// A call that is being made.
struct Run<'a> {
    client: &'a Client,
    call: Call,
    deadline: Option<Instant>,
    /// How many attempts began.
    attempts: u32,
    /// Whether one of them may have been processed.
    processed: bool,
    /// Why the last attempt that ended failed.
    last: Option<Error>,
}

impl Run<'_> {
    fn policy(&self) -> &Policy {
        self.client.policy()
    }

    async fn attempts(&mut self, mut request: Request) -> Result<Response, Error> {
        loop {
            let permit = self.permit().await?;
            let again = self.may_repeat().then(|| request.try_clone()).flatten();
            self.attempts += 1;
            let span = trace::attempt(self.attempts);
            let started = Instant::now();
            let result = self.attempt(request).instrument(span.clone()).await;
            drop(permit);
            trace::end_attempt(&span, &result, started.elapsed());
            let error = match result {
                Ok(response) => {
                    self.client.inner.0.budget.refill();
                    return Ok(response);
                }
                Err(error) => error,
            };
            if error.is_operation_timeout() {
                self.processed = true;
                return Err(self.operation_timeout(error));
            }
            self.processed |= error.may_have_been_processed();
            let Some(again) = again else {
                return Err(error);
            };
            match self.wait(&error) {
                Ok(wait) => {
                    trace::repeat(&error, wait);
                    sleep(wait).await;
                }
                Err(note) => return Err(error.with_note(note)),
            }
            self.last = Some(error);
            request = again;
        }
    }

    /// Waits until one more attempt may run; the permit lasts as long as the attempt.
    async fn permit(&mut self) -> Result<Option<OwnedSemaphorePermit>, Error> {
        let Some(concurrency) = &self.client.inner.0.concurrency else {
            return Ok(None);
        };
        if self.call.needs.unqueued {
            return Ok(None);
        }
        let permit = concurrency.clone().acquire_owned();
        let Some(deadline) = self.deadline else {
            return Ok(permit.await.ok());
        };
        match timeout_at(deadline, permit).await {
            Ok(permit) => Ok(permit.ok()),
            Err(_) => Err(self.operation_timeout(Passed::Operation.into_error())),
        }
    }

    /// Whether there may be an attempt after the one that begins.
    fn may_repeat(&self) -> bool {
        !self.call.needs.never_repeat && self.attempts < self.policy().retry.max_retries
    }

    /// How long to wait before the next attempt; if there is none, maybe a note why.
    fn wait(&self, error: &Error) -> Result<Duration, Option<String>> {
        if !repeat::is_repeated(error, self.call.class) {
            return Err(None);
        }
        let wait = repeat::wait(error, &self.policy().retry, self.attempts - 1);
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
        if !self.client.inner.0.budget.pay() {
            let note =
                "not repeated: too many calls of this client fail, and its retry budget is spent";
            return Err(Some(note.to_owned()));
        }
        Ok(wait)
    }

    /// Sends a request once, over its redirects.
    async fn attempt(&self, mut request: Request) -> Result<Response, Error> {
        let (transport, needs, policy) = (&self.client.inner, self.call.needs, self.policy());
        let attempt = policy.attempt_timeout.filter(|_| !needs.unlimited);
        let limits = Limits {
            started: Instant::now(),
            attempt: attempt.map(|limit| limit.max(needs.at_least.unwrap_or_default())),
            idle: policy.idle_timeout,
            deadline: self.deadline,
            upload: Upload::watch(&mut request),
        };
        let pointer = self.call.pointer;
        let sent = redirect::send(&self.client.client, transport, request, pointer.is_none());
        let sent = limits.run(sent).await.map_err(Passed::into_error)?;
        let (mut response, mut refusal) = sent?;
        if let (Some(pointer), true) = (pointer, redirect::is_redirect(response.status())) {
            refusal = match redirect::into_answer(&response, pointer) {
                Some(answer) => {
                    response = answer.into();
                    None
                }
                None => Some(redirect::NOWHERE),
            };
        }
        if !response.status().is_success() {
            return Err(transport.fail(response, refusal, &limits).await);
        }
        if !self.call.streams {
            let received = receive(&mut response, &limits).await?;
            response.extensions_mut().insert(received);
        }
        Ok(response)
    }

    /// Says where the operation's limit passed, and what went before.
    fn operation_timeout(&mut self, error: Error) -> Error {
        let limit = self.policy().operation_timeout.unwrap_or_default();
        let limit = format!("the operation's limit of {} passed", duration(limit));
        let message = match (&self.last, self.attempts) {
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
}
