//! The one error type.

#[cfg(feature = "cdp")]
mod browser;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser_api::{Error as ApiError, ErrorKind as ApiKind, ResponseValue};
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

pub(crate) use text::{excerpt, misfit, printable};

use crate::poll::Waited;
use crate::{Meta, RateLimit};

/// What a call gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// `Display` names the operation, what happened and, where it can, what to do; it does not repeat
/// [`source`](std::error::Error::source). Neither it nor `Debug` prints a key, a URL that holds one,
/// a header's value or a body. All that the server said is in [`body`](Self::body).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: Option<&'static str>,
    /// What happened; empty if the raw layer's failure says it.
    message: String,
    /// What to do, each with a separator before it.
    hints: String,
    /// What the raw layer failed with; its text then begins this error's.
    api: Option<Arc<ApiError>>,
    /// Of an answer that came whole and is not what it should be.
    answer: Option<(StatusCode, HeaderMap, Option<Bytes>)>,
    attempts: u32,
    elapsed: Duration,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    /// What the service says of a failure that it reports with success.
    reason: Option<String>,
    /// Of a wait that failed.
    waited: Option<Box<Waited>>,
    #[cfg(feature = "cdp")]
    cdp: Option<Arc<crate::cdp::CdpError>>,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's settings were refused; nothing was sent.
    Config,
    /// An argument is missing or refused; nothing was sent.
    InvalidArgument,
    /// The operation needs a key and the client has none; nothing was sent.
    MissingKey,
    /// No connection could be made; the request was not processed.
    Connect,
    /// A time limit passed; the request may have been processed.
    Timeout,
    /// The connection failed before an answer came; the request may have been processed.
    Transport,
    /// The server answered with a status that is no success.
    Status,
    /// The server answered with a redirect that is not followed.
    Redirect,
    /// The status was a success, and the body broke off.
    Body,
    /// The status was a success, and the body is not what the document says.
    Decode,
    /// The service did what was asked for, and reports that it failed: an agent's run, for example.
    Failed,
    /// The wait for an answer was cancelled by the caller.
    Cancelled,
    /// The deadline of a [`Poller`](crate::Poller) passed. What is waited for goes on with the
    /// service, and the wait can be gone on with.
    Deadline,
    /// A local file could not be read or written.
    File,
    /// A body is longer than the caller allows, or a message than a socket takes.
    TooLarge,
    /// The browser says that a command of the Chrome DevTools Protocol failed.
    Cdp,
}

impl From<ApiKind> for ErrorKind {
    fn from(kind: ApiKind) -> Self {
        match kind {
            ApiKind::Config => Self::Config,
            ApiKind::InvalidRequest => Self::InvalidArgument,
            ApiKind::MissingKey => Self::MissingKey,
            ApiKind::Connect => Self::Connect,
            ApiKind::Timeout => Self::Timeout,
            ApiKind::Status => Self::Status,
            ApiKind::Redirect => Self::Redirect,
            ApiKind::Body => Self::Body,
            ApiKind::Decode => Self::Decode,
            _ => Self::Transport,
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            message: message.into(),
            hints: String::new(),
            api: None,
            answer: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            source: None,
            reason: None,
            waited: None,
            #[cfg(feature = "cdp")]
            cdp: None,
        }))
    }

    /// An argument that is refused. `operation` is what would have been called.
    pub(crate) fn invalid(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message).of(operation)
    }

    pub(crate) fn cancelled() -> Self {
        let message = "the wait was cancelled; the server may go on with the request";
        Self::new(ErrorKind::Cancelled, message)
    }

    /// An answer that came whole, and from which something is missing or which reports a failure.
    pub(crate) fn of_answer<T>(
        kind: ErrorKind,
        answer: &ResponseValue<T>,
        message: impl Into<String>,
    ) -> Self {
        let error = Self::new(kind, message).of(answer.operation());
        let body = answer.body().cloned();
        let mut error = error.with_answer(answer.status(), answer.headers().clone(), body);
        error.0.attempts = answer.attempts();
        error.0.elapsed = answer.elapsed();
        error
    }

    /// Keeps the answer that came.
    pub(crate) fn with_answer(
        mut self,
        status: StatusCode,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Self {
        self.0.answer = Some((status, headers, body));
        self.0.attempts = 1;
        self
    }

    /// An answer that came whole and reports a failure: what failed, and the reason that the service
    /// gives, of which not more than a few lines are printed.
    pub(crate) fn failed<T>(answer: &ResponseValue<T>, what: &str, reason: Option<&str>) -> Self {
        let reason = reason.filter(|text| !text.trim().is_empty());
        let whole = reason.map(str::to_owned);
        let reason = reason.unwrap_or("the service gives no reason");
        let reason = printable(answer, reason);
        let mut error = Self::of_answer(ErrorKind::Failed, answer, format!("{what}: {reason}"));
        error.0.reason = whole;
        error
    }

    /// A failure that an earlier answer of this operation reported, with the reason that the service
    /// gives, whole.
    pub(crate) fn reported(
        operation: &'static str,
        message: String,
        reason: Option<String>,
    ) -> Self {
        let mut error = Self::new(ErrorKind::Failed, message).of(operation);
        error.0.attempts = 1;
        error.0.reason = reason;
        error
    }

    /// A failure with the body of an answer, which went to the caller as a stream.
    pub(crate) fn of_stream(kind: ErrorKind, meta: &Meta, message: impl Into<String>) -> Self {
        let mut error = Self::new(kind, message).of(meta.operation());
        error.0.answer = Some((meta.status(), meta.headers().clone(), None));
        error.0.attempts = meta.attempts();
        error.0.elapsed = meta.elapsed();
        error
    }

    /// Adds what is known of the wait that failed.
    pub(crate) fn with_wait(mut self, waited: Waited) -> Self {
        self.0.waited = Some(Box::new(waited));
        self
    }

    /// Adds what to do.
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.0.hints.push_str("; ");
        self.0.hints.push_str(hint);
        self
    }

    /// Says what to do in place of what was said so far.
    pub(crate) fn with_only_hint(mut self, hint: &str) -> Self {
        self.0.hints.clear();
        self.with_hint(hint)
    }

    pub(crate) fn of(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, e.g. `create_session`; `None` if no call was being made.
    pub fn operation(&self) -> Option<&str> {
        match &self.0.api {
            Some(error) => error.operation(),
            None => self.0.operation,
        }
    }

    /// The status of the answer, if one came.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.api {
            Some(error) => error.status(),
            None => self.0.answer.as_ref().map(|answer| answer.0),
        }
    }

    /// The headers of the answer, if one came.
    pub fn headers(&self) -> Option<&HeaderMap> {
        match &self.0.api {
            Some(error) => error.headers(),
            None => self.0.answer.as_ref().map(|answer| &answer.1),
        }
    }

    /// The body of the answer as received; of a status that is no success at most its first MiB.
    /// `None` if no answer came, or if its body went to the caller as a stream. It may hold secrets.
    pub fn body(&self) -> Option<&Bytes> {
        match &self.0.api {
            Some(error) => error.body(),
            None => self.0.answer.as_ref()?.2.as_ref(),
        }
    }

    /// The API's own code, a number or a word, as text. It need not be the status.
    pub fn code(&self) -> Option<String> {
        let body = self.0.api.as_ref()?.error_body()?;
        body.code().map(str::to_owned)
    }

    /// The API's own message, whole and as sent; of a failure that it reports with success, the
    /// reason.
    pub fn message(&self) -> Option<String> {
        if self.0.reason.is_some() {
            return self.0.reason.clone();
        }
        let body = self.0.api.as_ref()?.error_body()?;
        body.message().map(str::to_owned)
    }

    /// How often the request was sent; 0 if it was not.
    pub fn attempts(&self) -> u32 {
        match &self.0.api {
            Some(error) => error.attempts(),
            None => self.0.attempts,
        }
    }

    /// The time from the first attempt to the failure.
    pub fn elapsed(&self) -> Duration {
        match &self.0.api {
            Some(error) => error.elapsed(),
            None => self.0.elapsed,
        }
    }

    /// How long the server asks to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.api.as_ref()?.retry_after()
    }

    /// The state of the rate limit, if the answer tells it.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.headers().and_then(RateLimit::read)
    }

    /// Whether a time limit passed, of an attempt, an operation or a wait.
    pub fn is_timeout(&self) -> bool {
        let api = self.0.api.as_ref().is_some_and(|api| api.is_timeout());
        api || matches!(self.kind(), ErrorKind::Timeout | ErrorKind::Deadline)
    }

    /// Whether the deadline of a [`Poller`](crate::Poller) passed: what is waited for goes on.
    pub fn is_deadline(&self) -> bool {
        self.kind() == ErrorKind::Deadline
    }

    /// What is known of the wait, if it is one of a [`Poller`](crate::Poller) that failed: how long it
    /// was, what it saw last, and a token to go on with it.
    pub fn waited(&self) -> Option<&Waited> {
        self.0.waited.as_deref()
    }

    /// Whether no connection could be made, so that the request was not processed.
    pub fn is_connect(&self) -> bool {
        self.kind() == ErrorKind::Connect
    }

    /// Whether the wait was cancelled by the caller.
    pub fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Cancelled
    }

    /// Whether there are too many requests: 429, other than
    /// [`is_concurrency_limit`](Self::is_concurrency_limit). Waiting helps; see
    /// [`retry_after`](Self::retry_after).
    pub fn is_rate_limited(&self) -> bool {
        self.has_status(429) && !self.is_concurrency_limit()
    }

    /// Whether too many browsers run at once: 429 without a time after which to come back. Ending a
    /// session helps.
    pub fn is_concurrency_limit(&self) -> bool {
        self.has_status(429) && self.retry_after().is_none() && self.rate_limit().is_none()
    }

    /// Whether the account has too few credits: 402.
    pub fn is_insufficient_credits(&self) -> bool {
        self.has_status(402)
    }

    /// Whether the key is refused: 401.
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(401)
    }

    /// Whether the key may not do this, or a cost limit of the project is reached: 403.
    pub fn is_forbidden(&self) -> bool {
        self.has_status(403)
    }

    /// Whether there is no such thing: 404.
    pub fn is_not_found(&self) -> bool {
        self.has_status(404)
    }

    /// Whether the state of a thing does not allow it, or a name is taken: 409.
    pub fn is_conflict(&self) -> bool {
        self.has_status(409)
    }

    /// Whether the server may have processed the request in spite of this failure. `false` means
    /// that it certainly has not.
    pub fn may_have_been_processed(&self) -> bool {
        match &self.0.api {
            Some(error) => error.may_have_been_processed(),
            None => self.0.attempts > 0 || self.kind() == ErrorKind::Cancelled,
        }
    }

    /// What to do about a status, where the server's text rarely says it.
    fn advice(&self) -> Option<String> {
        if self.is_insufficient_credits() {
            Some("add credits to the account".to_owned())
        } else if self.is_concurrency_limit() {
            Some("end a session, or wait until one ends".to_owned())
        } else if self.is_rate_limited() {
            let wait = self.retry_after().or_else(|| self.rate_limit()?.reset)?;
            let seconds = wait.as_millis().div_ceil(1000);
            (seconds > 0).then(|| format!("come back after {seconds} s"))
        } else {
            None
        }
    }

    fn has_status(&self, status: u16) -> bool {
        self.status().is_some_and(|found| found.as_u16() == status)
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let mut wrapped = Self::new(error.kind().into(), String::new());
        wrapped.0.api = Some(Arc::new(error));
        wrapped
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.api, self.0.operation) {
            (Some(error), _) => error.fmt(f)?,
            (None, Some(operation)) => write!(f, "{operation}: {}", self.0.message)?,
            (None, None) => f.write_str(&self.0.message)?,
        }
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        if let Some(waited) = &self.0.waited {
            write!(f, "; after {waited}")?;
        }
        f.write_str(&self.0.hints)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", &self.to_string())
            .field("source", &self.source())
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.api {
            Some(error) => error.source(),
            None => self.0.source.as_deref().map(|source| source as _),
        }
    }
}

/// Refuses a number outside its range. `name` is the API's.
pub(crate) fn in_range(
    operation: &'static str,
    name: &str,
    number: u64,
    range: RangeInclusive<u64>,
) -> Result<()> {
    if range.contains(&number) {
        return Ok(());
    }
    let (from, to) = range.into_inner();
    let message = format!("`{name}` is {number}; it must be from {from} to {to}");
    Err(Error::invalid(operation, message))
}

/// Takes out of an answer what a call gives.
pub(crate) trait Open<T> {
    /// What `open` finds; without it, an error that names the missing `field` and keeps the body.
    fn open<U>(
        self,
        field: &str,
        open: impl FnOnce(&mut T) -> Option<U>,
    ) -> Result<ResponseValue<U>>;
}

impl<T> Open<T> for ResponseValue<T> {
    fn open<U>(
        mut self,
        field: &str,
        open: impl FnOnce(&mut T) -> Option<U>,
    ) -> Result<ResponseValue<U>> {
        match open(&mut self) {
            Some(value) => Ok(self.map(|_| value)),
            None => {
                let status = self.status();
                let message = format!("{status}: the answer has no `{field}`");
                Err(Error::of_answer(ErrorKind::Decode, &self, message))
            }
        }
    }
}
