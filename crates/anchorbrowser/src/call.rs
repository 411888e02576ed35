//! A call that is ready to be sent, and what is known of its answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anchorbrowser_api::ResponseValue;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::error::{Error, Result};
use crate::{Client, RateLimit};

/// The future of [`Call::with_meta`].
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// A call that is ready to be sent: await it.
///
/// Nothing is sent before. Dropping it cancels the call; what the server has begun by then it may
/// finish. A call is a future that owns what it needs, so it can be spawned, joined or selected.
///
/// It needs a Tokio runtime with time and I/O (`enable_all`), and panics without; with the feature
/// `blocking`, `blocking` needs none.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let session = client.sessions().get("session-id").await?;
/// let answer = client.sessions().get("session-id").with_meta().await?;
/// println!("{:?} after {} attempts", answer.meta.status(), answer.meta.attempts());
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before it is awaited"]
pub struct Call<T> {
    future: CallFuture<Answer<T>>,
}

impl<T: Send + 'static> Call<T> {
    /// A call of the raw layer. The closure gets a raw client with the settings of `client`.
    pub(crate) fn new<F, R>(client: &Client, call: F) -> Self
    where
        F: FnOnce(anchorbrowser_api::Client) -> R + Send + 'static,
        R: Future<Output = Result<ResponseValue<T>>> + Send + 'static,
    {
        let client = client.clone();
        Self::from_future(async move { call(client.raw()).await.map(Answer::new) })
    }

    /// A call that is made of others.
    pub(crate) fn from_future(
        future: impl Future<Output = Result<Answer<T>>> + Send + 'static,
    ) -> Self {
        Self {
            future: Box::pin(future),
        }
    }

    /// A call that is refused before anything is sent.
    pub(crate) fn refused(error: Error) -> Self {
        Self::from_future(std::future::ready(Err(error)))
    }

    /// The answer with its status, headers and number of attempts.
    pub fn with_meta(self) -> CallFuture<Answer<T>> {
        self.future
    }

    /// Gives up when `cancel` is ready: the call then fails with
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled). What the server has begun by then it
    /// may finish.
    pub fn cancelled_by(self, cancel: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::from_future(async move {
            let (mut call, mut cancel) = (self.future, std::pin::pin!(cancel));
            std::future::poll_fn(|context| {
                if cancel.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(Error::cancelled()));
                }
                call.as_mut().poll(context)
            })
            .await
        })
    }

    pub(crate) fn and_then<U: Send + 'static>(
        self,
        f: impl FnOnce(T) -> Result<U> + Send + 'static,
    ) -> Call<U> {
        Call::from_future(async move {
            let answer = self.future.await?;
            Ok(Answer {
                value: f(answer.value)?,
                meta: answer.meta,
            })
        })
    }

    /// `None` in place of a failure with this status: here it is how the call ends as well.
    pub(crate) fn none_on(self, operation: &'static str, status: StatusCode) -> Call<Option<T>> {
        Call::from_future(async move {
            match self.future.await {
                Ok(answer) => Ok(Answer {
                    value: Some(answer.value),
                    meta: answer.meta,
                }),
                Err(error) if error.status() == Some(status) => Ok(Answer {
                    value: None,
                    meta: Meta {
                        operation,
                        status,
                        headers: error.headers().cloned().unwrap_or_default(),
                        attempts: error.attempts(),
                        elapsed: error.elapsed(),
                    },
                }),
                Err(error) => Err(error),
            }
        })
    }

    /// Sends the call and waits for the answer, without an async runtime of the caller's.
    ///
    /// The calling thread is blocked: do not use it in async code, where it keeps other tasks, and
    /// the connections that they opened, from going on.
    ///
    /// # Errors
    /// What the call fails with; [`ErrorKind::Config`](crate::ErrorKind::Config) in a callback or
    /// future of another blocking call, which would wait for itself.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> Result<T> {
        crate::background::wait(self)
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let answer = self.future.as_mut().poll(context);
        answer.map_ok(|answer| answer.value)
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

/// An answer, and what is known of how it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What the call gives.
    pub value: T,
    /// Status, headers and number of attempts.
    pub meta: Meta,
}

impl<T> Answer<T> {
    /// A connection that was opened at the first attempt, beside the operations of the document.
    #[cfg(any(feature = "cdp", feature = "steps"))]
    pub(crate) fn opened(operation: &'static str, value: T, elapsed: Duration) -> Self {
        let meta = Meta {
            operation,
            status: StatusCode::SWITCHING_PROTOCOLS,
            headers: HeaderMap::new(),
            attempts: 1,
            elapsed,
        };
        Self { value, meta }
    }

    pub(crate) fn new(response: ResponseValue<T>) -> Self {
        let meta = Meta::of(&response);
        Self {
            value: response.into_inner(),
            meta,
        }
    }
}

/// What is known of an answer beside its value. For a call that is made of several requests, that
/// of the one whose answer is given.
#[derive(Clone)]
pub struct Meta {
    operation: &'static str,
    status: StatusCode,
    headers: HeaderMap,
    attempts: u32,
    elapsed: Duration,
}

impl Meta {
    pub(crate) fn of<T>(response: &ResponseValue<T>) -> Self {
        Self {
            operation: response.operation(),
            status: response.status(),
            headers: response.headers().clone(),
            attempts: response.attempts(),
            elapsed: response.elapsed(),
        }
    }

    /// The operation that was called, e.g. `create_session`.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The status of the answer. It is a success, or what the method says is no failure.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// How often the request was sent: 1 without repeats.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The time from the first attempt to the answer, pauses between attempts included.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The state of the rate limit, if the answer tells it.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        RateLimit::read(&self.headers)
    }
}

/// Prints no header's value.
impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta")
            .field("operation", &self.operation)
            .field("status", &self.status.as_u16())
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
