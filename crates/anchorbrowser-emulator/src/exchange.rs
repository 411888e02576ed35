//! What was asked and answered.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};

/// One request and what became of it. `Debug` shows neither header values nor the body: they may hold secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// Counted from 1 over the life of the emulator.
    pub number: u64,
    /// When the request came, RFC 3339, on the emulator's clock.
    pub time: String,
    /// Id of the operation, such as `create_session`; `None` if no path or method fitted.
    pub operation: Option<String>,
    /// The method.
    pub method: Method,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The query as sent.
    pub query: Option<String>,
    /// The headers as sent, with the key.
    pub headers: HeaderMap,
    /// The body, up to [`crate::Limits::exchange_body_bytes`]. Empty if it was not read.
    pub body: Bytes,
    /// The status of the answer; `None` while there is none, and if the connection was reset.
    pub status: Option<u16>,
    /// How the request breaks the document: the reasons of a refusal, or, in lenient mode, what was let pass.
    pub violations: Vec<String>,
    /// How the answer breaks the document. Always empty, unless the fault is in the emulator or was asked for.
    pub answer_violations: Vec<String>,
    /// Whether a scripted fault hit it.
    pub faulted: bool,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("number", &self.number)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field(
                "headers",
                &self
                    .headers
                    .keys()
                    .map(http::HeaderName::as_str)
                    .collect::<Vec<_>>(),
            )
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("status", &self.status)
            .field("violations", &self.violations)
            .field("faulted", &self.faulted)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The latest exchanges.
#[derive(Debug)]
pub(crate) struct Exchanges {
    kept: VecDeque<Exchange>,
    limit: usize,
    body_limit: usize,
    count: u64,
}

impl Exchanges {
    pub(crate) fn new(limit: usize, body_limit: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            limit,
            body_limit,
            count: 0,
        }
    }

    /// Begins an exchange, and gives its number.
    pub(crate) fn begin(&mut self, mut exchange: Exchange) -> u64 {
        self.count += 1;
        exchange.number = self.count;
        while self.kept.len() >= self.limit.max(1) {
            self.kept.pop_front();
        }
        self.kept.push_back(exchange);
        self.count
    }

    /// Changes an exchange, if it is still kept.
    pub(crate) fn edit(&mut self, number: u64, change: impl FnOnce(&mut Exchange)) {
        let first = self.count + 1 - self.kept.len() as u64;
        let place = number
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(exchange) = place.and_then(|place| self.kept.get_mut(place)) {
            change(exchange);
        }
    }

    pub(crate) fn body(&mut self, number: u64, body: &Bytes) {
        // A copy: a slice would keep the whole upload alive.
        let kept = Bytes::copy_from_slice(body.get(..self.body_limit).unwrap_or(body));
        self.edit(number, |exchange| exchange.body = kept);
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Exchange> {
        self.kept.iter()
    }

    /// Forgets them; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
