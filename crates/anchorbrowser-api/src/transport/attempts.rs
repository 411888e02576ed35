//! The attempts of one call: the loop, its limits and what is told of it.

use reqwest::{Request, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use super::limit::{Limits, Passed};
use super::repeat::Attempts;
use super::upload::Upload;
use super::{redirect, trace};
use crate::error::Error;
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
        let mut run = Run {
            client: self,
            attempts: Attempts::new(self, call.class),
            call,
        };
        // Boxed, because the future of each operation would hold all of it.
        let attempts = Box::pin(run.attempts(request));
        let result = attempts.instrument(span.clone()).await;
        let (id, Attempts { started, made, .. }) = (run.call.id, run.attempts);
        let elapsed = started.elapsed();
        trace::end(&span, &result, made, elapsed);
        let mut response = result?;
        response.extensions_mut().insert(self.inner.clone());
        response.extensions_mut().insert(CallInfo {
            operation: id,
            attempts: made,
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
    attempts: Attempts,
}

impl Run<'_> {
    fn policy(&self) -> &Policy {
        self.client.policy()
    }

    async fn attempts(&mut self, request: Request) -> Result<Response, Error> {
        let result = self.repeat(request).await;
        result.map_err(|error| self.attempts.tell(error.of(Some(self.call.id))))
    }

    async fn repeat(&mut self, mut request: Request) -> Result<Response, Error> {
        loop {
            let permit = self.permit().await?;
            let again = self.may_repeat().then(|| request.try_clone()).flatten();
            self.attempts.made += 1;
            let span = trace::attempt(self.attempts.made);
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
            // The error does not say so by itself: the limit can also pass before anything is sent.
            self.attempts.processed |= error.is_operation_timeout();
            let (wait, again) = self.attempts.failed(self.client, error, again)?;
            sleep(wait).await;
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
        let Some(deadline) = self.attempts.deadline else {
            return Ok(permit.await.ok());
        };
        match timeout_at(deadline, permit).await {
            Ok(permit) => Ok(permit.ok()),
            Err(_) => {
                let error = Passed::Operation.into_error();
                Err(self.attempts.operation_timeout(self.client, error))
            }
        }
    }

    /// Whether there may be an attempt after the one that begins.
    fn may_repeat(&self) -> bool {
        !self.call.needs.never_repeat && self.attempts.made < self.policy().retry.max_retries
    }

    /// Sends a request once, over its redirects.
    async fn attempt(&self, mut request: Request) -> Result<Response, Error> {
        let (transport, needs, policy) = (&self.client.inner, self.call.needs, self.policy());
        let attempt = policy.attempt_timeout.filter(|_| !needs.unlimited);
        let limits = Limits {
            started: Instant::now(),
            attempt: attempt.map(|limit| limit.max(needs.at_least.unwrap_or_default())),
            idle: policy.idle_timeout,
            deadline: self.attempts.deadline,
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
}
