//! Answers: decoded, streamed or empty.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Answer, Error, ErrorKind, decode_reason, is_html, page};
use crate::wire::{Trail, read};

/// The operation that an answer belongs to; travels in the answer's extensions, because generated
/// code hands on nothing but the answer.
#[derive(Clone, Copy)]
pub(crate) struct OperationId(pub(crate) &'static str);

fn operation(response: &Response) -> Option<&'static str> {
    response.extensions().get::<OperationId>().map(|id| id.0)
}

/// An answer of the API: its value, status and headers.
pub struct ResponseValue<T> {
    inner: T,
    status: StatusCode,
    headers: HeaderMap,
}

impl<T> ResponseValue<T> {
    fn new(inner: T, response: &Response) -> Self {
        Self {
            inner,
            status: response.status(),
            headers: response.headers().clone(),
        }
    }

    /// The status, which is always a success.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
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
    pub(crate) async fn from_response(response: Response) -> Result<Self, Error> {
        let operation = operation(&response);
        let ResponseValue {
            status, headers, ..
        } = ResponseValue::new((), &response);
        let (body, broken) = read_body(response, usize::MAX).await;
        let error = match broken {
            Some(broken) => broken.into_error(body.len()),
            None => match decode(&body) {
                Ok(inner) => {
                    return Ok(Self {
                        inner,
                        status,
                        headers,
                    });
                }
                Err(reason) => Error::new(ErrorKind::Decode, reason),
            },
        };
        Err(error.of(operation).with_answer(Answer {
            status,
            headers,
            body: Some(body),
        }))
    }
}

impl ResponseValue<ByteStream> {
    pub(crate) fn stream(response: Response) -> Self {
        let value = ResponseValue::new((), &response);
        let ResponseValue {
            status, headers, ..
        } = value;
        let inner = ByteStream {
            operation: operation(&response),
            status,
            headers: headers.clone(),
            chunks: Box::pin(response.bytes_stream()),
        };
        Self {
            inner,
            status,
            headers,
        }
    }
}

impl ResponseValue<()> {
    #[allow(dead_code)] // only a document with empty answers needs it
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
    chunks: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    operation: Option<&'static str>,
    status: StatusCode,
    headers: HeaderMap,
}

impl ByteStream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Body`] if the body breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.chunks.as_mut().poll_next(context);
        polled.map_err(|source| {
            let headers = self.headers.clone();
            let answer = Answer {
                status: self.status,
                headers,
                body: None,
            };
            Error::new(ErrorKind::Body, "the body broke off")
                .of(self.operation)
                .with_answer(answer)
                .with_source(source)
        })
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
    Limit,
    /// The connection failed.
    Transport(reqwest::Error),
}

impl Broken {
    /// Says so, after that many bytes.
    pub(crate) fn note(&self, bytes: usize) -> String {
        match self {
            Broken::Limit => format!("only the first {bytes} bytes of the body were kept"),
            Broken::Transport(_) => format!("the body broke off after {bytes} bytes"),
        }
    }

    fn into_error(self, bytes: usize) -> Error {
        let error = Error::new(ErrorKind::Body, self.note(bytes));
        match self {
            Broken::Limit => error,
            Broken::Transport(source) => error.with_source(source),
        }
    }
}

/// Reads at most `limit` bytes; keeps what came if more does not.
pub(crate) async fn read_body(mut response: Response, limit: usize) -> (Bytes, Option<Broken>) {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                body.extend(chunk.iter().take(limit - body.len()));
                return (body.freeze(), Some(Broken::Limit));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return (body.freeze(), None),
            Err(error) => return (body.freeze(), Some(Broken::Transport(error))),
        }
    }
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
        return Err(page(body));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Item {
        #[serde(default)]
        id: Option<i64>,
    }

    #[test]
    fn bodies_decode_in_spite_of_their_wrapping() {
        for (body, id) in [
            ("{\"id\":1}", Some(1)),
            ("\u{feff} {\"id\":1}\n", Some(1)),
            ("", None),
            (" null ", None),
            ("{\"id\":1,\"id\":2}", Some(2)),
        ] {
            assert_eq!(decode(body.as_bytes()), Ok(Item { id }));
        }
        assert_eq!(decode::<Vec<i64>>(b""), Ok(vec![]));
    }

    #[test]
    fn a_decode_failure_names_the_place_and_no_value() {
        for (body, expected) in [
            (
                r#"{"a":[{"id":1},{"id":"wss://canary, expected x"}]}"#,
                "the body does not decode at `a[1].id`: string, expected i64 at line 1",
            ),
            (
                r#"{"a":[{"id":{"canary":1}}]}"#,
                "at `a[0].id`: map, expected i64",
            ),
            (
                r#"{"a":[{"id":1.5}]}"#,
                "at `a[0].id`: floating point, expected i64",
            ),
            (
                r#"{"a":[{"id":1}"#,
                "the body is no JSON: EOF while parsing",
            ),
            ("canary", "the body is no JSON: expected value"),
            ("{} canary", "the body is no JSON: trailing characters"),
            (
                "<!DOCTYPE html><title>canar</title>",
                "an HTML page instead of the API's answer (title",
            ),
        ] {
            let reason = decode::<BTreeMap<String, Vec<Item>>>(body.as_bytes()).expect_err(body);
            assert!(reason.contains(expected), "{reason}");
            assert!(!reason.contains("canary"), "{reason}");
        }
    }
}
