//! The one error type.

mod body;
mod retry_after;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, InvalidHeaderValue};

pub use body::ErrorBody;
pub(crate) use text::{Show, decode_reason, duration, excerpt, is_html, page};

/// Why a call failed.
///
/// `Display` names the operation, what happened and, where it can, what to do. Of a body it prints
/// the message only: that of any of the API's error shapes, or a short plain text. Neither it nor
/// `Debug` prints a header's value, a URL or the key. All that the server said is in
/// [`body`](Error::body) and [`error_body`](Error::error_body).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Option<&'static str>,
    message: String,
    answer: Option<Answer>,
    location: Option<String>,
    is_timeout: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
    attempts: u32,
    elapsed: Duration,
    /// Why no further attempt was made, where that is not plain from the failure.
    note: Option<String>,
    /// Whether an attempt before the last one may have been processed.
    processed_before: bool,
    is_operation_timeout: bool,
    /// If the operation's limit passed, the failure before that.
    last: Option<Error>,
}

/// What came from the server.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `None` if the body went to the caller as a stream.
    pub(crate) body: Option<Bytes>,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's settings were refused; nothing was sent.
    Config,
    /// An argument is missing or refused; nothing was sent.
    InvalidRequest,
    /// The operation needs a key and the client has none; nothing was sent.
    MissingKey,
    /// No connection could be made, to the API or to where it redirected; the request was not
    /// processed.
    Connect,
    /// A time limit passed before the whole answer came; the request may have been processed, see
    /// [`Error::may_have_been_processed`].
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
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            message: message.into(),
            answer: None,
            location: None,
            is_timeout: kind == ErrorKind::Timeout,
            source: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            note: None,
            processed_before: false,
            is_operation_timeout: false,
            last: None,
        }))
    }

    /// An error of the layer above this one.
    #[doc(hidden)]
    pub fn custom(
        kind: ErrorKind,
        operation: Option<&'static str>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(kind, message).of(operation)
    }

    /// The failure of a request that the layer above this one sent itself, once. `redact` takes
    /// secrets out of what is shown of the body.
    #[doc(hidden)]
    pub fn answered(
        operation: &'static str,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        redact: impl Fn(&str) -> String,
    ) -> Self {
        let body = Some(body);
        let answer = Answer {
            status,
            headers,
            body,
        };
        let error = Self::from_answer(answer, None, redact);
        error.of(Some(operation)).after(1, Duration::ZERO)
    }

    /// Names the operation that failed.
    pub(crate) fn of(mut self, operation: Option<&'static str>) -> Self {
        self.0.operation = operation;
        self
    }

    pub(crate) fn with_answer(mut self, answer: Answer) -> Self {
        self.0.answer = Some(answer);
        self
    }

    pub(crate) fn with_location(mut self, location: Option<String>) -> Self {
        self.0.location = location;
        self
    }

    /// Keeps the cause, without the URL: it may be a signed one.
    pub(crate) fn with_source(mut self, source: reqwest::Error) -> Self {
        self.0.is_timeout |= source.is_timeout();
        self.0.source = Some(Box::new(source.without_url()));
        self
    }

    /// Says after how many attempts, and how long after the call began, it failed.
    pub(crate) fn after(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    /// Says why no further attempt was made.
    pub(crate) fn with_note(mut self, note: Option<String>) -> Self {
        self.0.note = note;
        self
    }

    /// Says that an attempt before this one may have been processed.
    pub(crate) fn processed_before(mut self, processed: bool) -> Self {
        self.0.processed_before |= processed;
        self
    }

    /// Says that it was the operation's limit that passed.
    pub(crate) fn into_operation_timeout(mut self) -> Self {
        self.0.is_operation_timeout = true;
        self
    }

    /// Keeps the failure before this one as the cause.
    pub(crate) fn with_last(mut self, last: Option<Error>) -> Self {
        self.0.last = last;
        self
    }

    /// What generated code makes of an argument's failure.
    pub(crate) fn argument(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).of(Some(operation))
    }

    /// What generated code makes of a status it does not know. The transport makes an error of
    /// each such answer before generated code sees it, so this is a fallback.
    #[allow(non_snake_case)]
    pub(crate) fn UnexpectedResponse(response: reqwest::Response) -> Self {
        Self::new(ErrorKind::Status, "an unexpected status").with_answer(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: None,
        })
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, e.g. `create_session`; `None` if no call was being made.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation
    }

    /// The answer; if the operation's limit passed before another one came, the last one.
    fn answer(&self) -> Option<&Answer> {
        let last = || self.0.last.as_ref()?.answer();
        self.0.answer.as_ref().or_else(last)
    }

    /// The status of the last answer, if one came.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(|answer| answer.status)
    }

    /// The headers of the last answer, if one came.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.answer().map(|answer| &answer.headers)
    }

    /// The body of the last answer as received: of a status that is no success at most its first
    /// MiB, of a body that broke off what came, of a body that could not be decoded all of it.
    /// `None` if no answer came, or if its body went to the caller as a stream.
    pub fn body(&self) -> Option<&Bytes> {
        self.answer()?.body.as_ref()
    }

    /// How many attempts were made, the one that failed included; 0 if nothing was sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long after the call began it failed; zero if nothing was sent.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// How long the server asks to wait before the next call, by `retry-after-ms` or
    /// `Retry-After` of the last answer. A date counts from now.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::read(self.headers()?, SystemTime::now())
    }

    /// Whether the server may have done what was asked for, by any attempt: `false` if nothing was
    /// sent, if no connection could be made or if the request was refused (a 4xx other than 408,
    /// or a 503 with `Retry-After`).
    pub fn may_have_been_processed(&self) -> bool {
        use ErrorKind::{Config, Connect, InvalidRequest, MissingKey, Status, Timeout};
        let by_this = match self.kind() {
            Config | InvalidRequest | MissingKey | Connect => false,
            Timeout if self.0.is_operation_timeout => false,
            Status => match self.status().map(|status| status.as_u16()) {
                Some(408) => true,
                Some(503) => self.retry_after().is_none(),
                Some(status) => status >= 500,
                None => false,
            },
            _ => true,
        };
        by_this || self.0.processed_before
    }

    /// Whether the limit of the whole operation passed, not only that of an attempt; then
    /// [`is_timeout`](Self::is_timeout) holds too.
    pub fn is_operation_timeout(&self) -> bool {
        self.0.is_operation_timeout
    }

    /// What the body of an answer that is no success says; `None` if it has no body.
    pub fn error_body(&self) -> Option<ErrorBody> {
        match self.kind() {
            ErrorKind::Status | ErrorKind::Redirect => ErrorBody::read(self.body()?),
            _ => self.0.last.as_ref()?.error_body(),
        }
    }

    /// Where a redirect that was not followed points, as sent. It may be a signed URL: a secret.
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// Whether a time limit passed.
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout
    }

    /// Whether no connection could be made, so that the request was not processed.
    pub fn is_connect(&self) -> bool {
        self.kind() == ErrorKind::Connect
    }

    /// An answer that is no success. `note` says what is missing of its body, if anything is.
    /// What the server says goes through `redact` before it is shortened: a part of a secret is
    /// not found again.
    pub(crate) fn from_answer(
        answer: Answer,
        note: Option<&str>,
        redact: impl Fn(&str) -> String,
    ) -> Self {
        let mut message = describe(&answer, &|text| excerpt(&redact(text)));
        if answer.status == StatusCode::UNAUTHORIZED {
            message.push_str("; check the API key");
        }
        if let Some(note) = note {
            message = format!("{message} ({note})");
        }
        Self::new(ErrorKind::Status, message).with_answer(answer)
    }

    /// Status and message, without the operation.
    pub(crate) fn failure(&self) -> String {
        let message = &self.0.message;
        let Some(status) = self.0.answer.as_ref().map(|answer| answer.status) else {
            return message.clone();
        };
        match status.canonical_reason() {
            Some(reason) => format!("{} {reason}: {message}", status.as_u16()),
            None => format!("{}: {message}", status.as_u16()),
        }
    }

    /// Says something else.
    pub(crate) fn map_message(mut self, edit: impl FnOnce(String) -> String) -> Self {
        self.0.message = edit(std::mem::take(&mut self.0.message));
        self
    }
}

/// What an answer that is no success says, in one line.
fn describe(answer: &Answer, show: Show<'_>) -> String {
    let Some(body) = answer
        .body
        .as_deref()
        .filter(|body| !body.trim_ascii().is_empty())
    else {
        return "no body".to_owned();
    };
    if is_html(body) {
        return page(body, show);
    }
    let Some(read) = ErrorBody::read(body) else {
        return "no body".to_owned();
    };
    if let Some(line) = read.line(show) {
        return line;
    }
    match read.json() {
        Some(json) => format!(
            "no message in the body ({})",
            show(&crate::wire::outline(json))
        ),
        None => {
            let content_type = answer
                .headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok());
            format!("a body of type {}", show(content_type.unwrap_or("unknown")))
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(source: reqwest::Error) -> Self {
        let (kind, message) = if source.is_builder() {
            (
                ErrorKind::InvalidRequest,
                "the request could not be built; check its arguments",
            )
        } else if source.is_connect() {
            (
                ErrorKind::Connect,
                "no connection could be made; check the network and the base URL",
            )
        } else if source.is_timeout() {
            (
                ErrorKind::Timeout,
                "no answer within the time limit; the request may have been processed",
            )
        } else {
            (
                ErrorKind::Transport,
                "the connection failed before an answer came; the request may have been processed",
            )
        };
        Self::new(kind, message).with_source(source)
    }
}

impl From<InvalidHeaderValue> for Error {
    fn from(_: InvalidHeaderValue) -> Self {
        let message = "a value holds characters that a header cannot carry";
        Self::new(ErrorKind::InvalidRequest, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.failure())?;
        let attempts = match self.0.attempts {
            // The message says it.
            _ if self.0.is_operation_timeout => None,
            0 | 1 => None,
            attempts => Some(format!("{attempts} attempts")),
        };
        match (attempts, &self.0.note) {
            (Some(attempts), Some(note)) => write!(f, " ({attempts}; {note})"),
            (Some(attempts), None) => write!(f, " ({attempts})"),
            (None, Some(note)) => write!(f, " ({note})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.to_string())
            .field(
                "source",
                &self.source().map(|source| source as &dyn fmt::Debug),
            )
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let last = self.0.last.as_ref().map(|last| last as _);
        last.or(self.0.source.as_deref().map(|source| source as _))
    }
}

#[cfg(test)]
mod tests;
