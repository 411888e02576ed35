//! Answers: decoded, streamed or empty.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, Sleep, sleep};

use crate::error::{Answer, Error, ErrorKind, decode_reason, duration, is_html, page};
use crate::transport::{Limits, Passed, Transport};
use crate::wire::{Trail, read};

/// The call that an answer belongs to; travels in the answer's extensions, because generated code
/// hands on nothing but the answer.
#[derive(Clone, Copy)]
pub(crate) struct CallInfo {
    pub(crate) operation: &'static str,
    pub(crate) attempts: u32,
    pub(crate) started: Instant,
    pub(crate) elapsed: Duration,
    /// How long an answer that is a stream may stand still.
    pub(crate) idle_timeout: Option<Duration>,
}

impl CallInfo {
    fn of(response: &Response) -> Self {
        let unknown = || Self {
            operation: "request",
            attempts: 1,
            started: Instant::now(),
            elapsed: Duration::ZERO,
            idle_timeout: None,
        };
        let found = response.extensions().get::<Self>();
        found.copied().unwrap_or_else(unknown)
    }
}

/// A body that was read within the attempt; travels like [`CallInfo`].
#[derive(Clone)]
pub(crate) struct Received(pub(crate) Bytes);

/// An answer of the API: its value, status and headers.
pub struct ResponseValue<T> {
    inner: T,
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Bytes>,
    call: CallInfo,
    /// Knows the secrets that the server may repeat.
    transport: Option<Transport>,
}

impl<T> ResponseValue<T> {
    fn new(inner: T, response: &Response) -> Self {
        Self {
            inner,
            status: response.status(),
            headers: response.headers().clone(),
            body: None,
            call: CallInfo::of(response),
            transport: response.extensions().get().cloned(),
        }
    }

    /// The same answer with what a function makes of its value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> ResponseValue<U> {
        ResponseValue {
            inner: make(self.inner),
            status: self.status,
            headers: self.headers,
            body: self.body,
            call: self.call,
            transport: self.transport,
        }
    }

    /// The same answer with what a function makes of its value, if it can.
    ///
    /// # Errors
    /// That of the function.
    pub fn try_map<U, E>(
        self,
        make: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<ResponseValue<U>, E> {
        Ok(ResponseValue {
            inner: make(self.inner)?,
            status: self.status,
            headers: self.headers,
            body: self.body,
            call: self.call,
            transport: self.transport,
        })
    }

    /// The answer that a call failed with, if one came, for the layer above this one: there it counts
    /// as this value.
    #[doc(hidden)]
    pub fn accepted(operation: &'static str, error: &Error, inner: T) -> Option<Self> {
        Some(Self {
            inner,
            status: error.status()?,
            headers: error.headers()?.clone(),
            body: error.body().cloned(),
            call: CallInfo {
                operation,
                attempts: error.attempts(),
                started: Instant::now(),
                elapsed: error.elapsed(),
                idle_timeout: None,
            },
            transport: None,
        })
    }

    /// Says after how many attempts, and how long after the call began, it came.
    pub(crate) fn after(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.call.attempts = attempts;
        self.call.elapsed = elapsed;
        self
    }

    /// The operation that was called, e.g. `create_session`.
    pub fn operation(&self) -> &'static str {
        self.call.operation
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.call.attempts
    }

    /// How long the call took, all attempts and waits included; of an answer that is a stream, up
    /// to its head.
    pub fn elapsed(&self) -> Duration {
        self.call.elapsed
    }

    /// The status, which is always a success.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as received, if it was JSON. It may hold secrets.
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// A text of the server's without the client's key and the values of its headers.
    #[doc(hidden)]
    pub fn redact(&self, text: &str) -> String {
        match &self.transport {
            Some(transport) => transport.redact(text),
            None => text.to_owned(),
        }
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// The length of the body in bytes, if the server said it.
    pub fn content_length(&self) -> Option<u64> {
        self.headers
            .get(CONTENT_LENGTH)?
            .to_str()
            .ok()?
            .parse()
            .ok()
    }

    /// The media type of the body, if the server said it.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    // Async because generated code awaits it; the body was read within the attempt.
    pub(crate) async fn from_response(mut response: Response) -> Result<Self, Error> {
        let received = response.extensions_mut().remove::<Received>();
        let mut value = ResponseValue::new((), &response);
        let (body, decoded) = match received {
            Some(Received(body)) => {
                let decoded = decode(&body);
                (Some(body), decoded)
            }
            None => (None, Err("the body was not read".to_owned())),
        };
        match decoded {
            Ok(inner) => {
                value.body = body;
                Ok(value.map(|()| inner))
            }
            Err(reason) => {
                let answer = Answer {
                    status: value.status,
                    headers: value.headers,
                    body,
                };
                let error = Error::new(ErrorKind::Decode, reason).with_answer(answer);
                let call = value.call;
                Err(error
                    .of(Some(call.operation))
                    .after(call.attempts, call.elapsed))
            }
        }
    }
}

impl ResponseValue<ByteStream> {
    pub(crate) fn stream(response: Response) -> Self {
        let value = ResponseValue::new((), &response);
        let stream = ByteStream {
            status: value.status,
            headers: value.headers.clone(),
            call: value.call,
            chunks: Some(Box::pin(response.bytes_stream())),
            idle: None,
        };
        value.map(|()| stream)
    }
}

impl ResponseValue<()> {
    pub(crate) fn empty(response: Response) -> Self {
        Self::new((), &response)
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// Prints the status and the value, no header.
impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("status", &self.status.as_u16())
            .field("inner", &self.inner)
            .finish()
    }
}

/// A body as it arrives, never held whole.
pub struct ByteStream {
    /// `None` after its end or a failure.
    chunks: Option<Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>>,
    /// Runs while the next piece is awaited.
    idle: Option<Pin<Box<Sleep>>>,
    status: StatusCode,
    headers: HeaderMap,
    call: CallInfo,
}

impl ByteStream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Body`] if the body breaks off, [`ErrorKind::Timeout`] if nothing comes for
    /// longer than [`Policy::idle_timeout`](crate::Policy::idle_timeout). After an error the
    /// stream is at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }

    fn fail(&mut self, error: Error) -> Error {
        self.chunks = None;
        let answer = Answer {
            status: self.status,
            headers: self.headers.clone(),
            body: None,
        };
        let error = error.of(Some(self.call.operation)).with_answer(answer);
        error.after(self.call.attempts, self.call.started.elapsed())
    }

    /// Whether nothing came for too long.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        let Some(limit) = self.call.idle_timeout else {
            return Poll::Pending;
        };
        let idle = self.idle.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(idle.as_mut().poll(context));
        let message = format!("no byte of the body came for {}", duration(limit));
        Poll::Ready(self.fail(Error::new(ErrorKind::Timeout, message)))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(chunks) = &mut self.chunks else {
            return Poll::Ready(None);
        };
        let Poll::Ready(next) = chunks.as_mut().poll_next(context) else {
            return self.poll_idle(context).map(|error| Some(Err(error)));
        };
        self.idle = None;
        Poll::Ready(next.map(|chunk| {
            chunk.map_err(|source| {
                let error = Error::new(ErrorKind::Body, "the body broke off");
                self.fail(error.with_source(source))
            })
        }))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").finish_non_exhaustive()
    }
}

/// Why a body is not whole.
pub(crate) enum Broken {
    /// It is longer than wanted.
    TooLong,
    /// The connection failed.
    Transport(reqwest::Error),
    /// A time limit passed.
    Passed(Passed),
}

impl Broken {
    /// Says so, after that many bytes.
    pub(crate) fn note(&self, bytes: usize) -> String {
        match self {
            Broken::TooLong => format!("only the first {bytes} bytes of the body were kept"),
            Broken::Transport(_) => format!("the body broke off after {bytes} bytes"),
            Broken::Passed(passed) => {
                let limit = passed.name();
                format!("only the first {bytes} bytes of the body came within {limit}")
            }
        }
    }

    fn into_error(self, bytes: usize) -> Error {
        let note = self.note(bytes);
        match self {
            Broken::TooLong => Error::new(ErrorKind::Body, note),
            Broken::Transport(source) => Error::new(ErrorKind::Body, note).with_source(source),
            Broken::Passed(Passed::Operation) => {
                Error::new(ErrorKind::Timeout, note).into_operation_timeout()
            }
            Broken::Passed(_) => Error::new(ErrorKind::Timeout, note),
        }
    }
}

/// Reads at most `most` bytes; keeps what came if more does not.
pub(crate) async fn read_body(
    response: &mut Response,
    most: usize,
    limits: &Limits,
) -> (Bytes, Option<Broken>) {
    let mut body = BytesMut::new();
    let broken = limits.run(read_chunks(response, most, &mut body)).await;
    let broken = broken.unwrap_or_else(|passed| Some(Broken::Passed(passed)));
    (body.freeze(), broken)
}

async fn read_chunks(response: &mut Response, most: usize, body: &mut BytesMut) -> Option<Broken> {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                body.extend(chunk.iter().take(most - body.len()));
                return Some(Broken::TooLong);
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return None,
            Err(error) => return Some(Broken::Transport(error)),
        }
    }
}

/// Reads the whole body of a success.
pub(crate) async fn receive(response: &mut Response, limits: &Limits) -> Result<Received, Error> {
    let (body, broken) = read_body(response, usize::MAX, limits).await;
    let Some(broken) = broken else {
        return Ok(Received(body));
    };
    Err(broken.into_error(body.len()).with_answer(Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body: Some(body),
    }))
}

/// Decodes a body, or says why not, without its values.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = body
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii();
    if body.is_empty() || body == b"null" {
        // An answer without content is one without values.
        let empty = read_all(b"{}", None).or_else(|_| read_all(b"[]", None));
        return empty.map_err(|error| format!("no content: {}", decode_reason(&error)));
    }
    let error = match read_all(body, None) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if is_html(body) {
        return Err(page(body, &crate::error::excerpt));
    }
    if !error.is_data() {
        return Err(format!("the body is no JSON: {}", decode_reason(&error)));
    }
    // Structs refuse a repeated key; in a JSON value the last one counts.
    let once = serde_json::from_slice::<Value>(body).and_then(|json| serde_json::to_vec(&json));
    if let Ok(value) = once.and_then(|once| read_all(&once, None)) {
        return Ok(value);
    }
    let trail = Trail::default();
    let place = match read_all::<T>(body, Some(&trail)) {
        Err(_) => crate::error::excerpt(&trail.to_string()),
        Ok(_) => String::new(),
    };
    let place = if place.is_empty() {
        ".".to_owned()
    } else {
        place
    };
    Err(format!(
        "the body does not decode at `{place}`: {}",
        decode_reason(&error)
    ))
}

/// Reads the whole of a body; with a trail, an error leaves its place there.
fn read_all<T: DeserializeOwned>(body: &[u8], trail: Option<&Trail>) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = read(&mut json, trail)?;
    json.end()?;
    Ok(value)
}
