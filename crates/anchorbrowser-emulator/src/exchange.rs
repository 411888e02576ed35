//! What was asked and answered.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request};
use tokio::sync::watch;

use crate::config::Limits;

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
    /// Parameters in the query that the document does not give the operation: often a misspelt one. They are no
    /// violation, because services take on parameters before documents do.
    pub unknown_parameters: Vec<String>,
    /// How the answer breaks the document. Always empty, unless the fault is in the emulator or was asked for.
    pub answer_violations: Vec<String>,
    /// Whether a scripted fault hit it.
    pub faulted: bool,
    /// It was answered or refused, or waits.
    pub(crate) taken_up: bool,
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
                    .map(HeaderName::as_str)
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
    /// A request that came at `time`, of which the head is read.
    pub(crate) fn new<B>(time: String, request: &Request<B>) -> Self {
        Self {
            number: 0,
            time,
            operation: None,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            headers: request.headers().clone(),
            body: Bytes::new(),
            status: None,
            violations: Vec::new(),
            unknown_parameters: Vec::new(),
            answer_violations: Vec::new(),
            faulted: false,
            taken_up: false,
        }
    }

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
    limits: Limits,
    count: u64,
    /// Bytes of those kept.
    size: usize,
    changes: watch::Sender<()>,
}

impl Exchanges {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            kept: VecDeque::new(),
            limits: limits.clone(),
            count: 0,
            size: 0,
            changes: watch::Sender::new(()),
        }
    }

    /// Begins an exchange, and gives its number.
    pub(crate) fn begin(&mut self, mut exchange: Exchange) -> u64 {
        self.count += 1;
        exchange.number = self.count;
        self.size += size(&exchange);
        self.kept.push_back(exchange);
        self.trim();
        self.count
    }

    /// Changes an exchange, if it is still kept.
    pub(crate) fn edit(&mut self, number: u64, change: impl FnOnce(&mut Exchange)) {
        let first = self.count + 1 - self.kept.len() as u64;
        let place = number
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(exchange) = place.and_then(|place| self.kept.get_mut(place)) {
            self.size -= size(exchange);
            change(exchange);
            self.size += size(exchange);
            self.changes.send_replace(());
            self.trim();
        }
    }

    pub(crate) fn body(&mut self, number: u64, body: &Bytes) {
        // A copy: a slice would keep the whole upload alive.
        let kept = body.get(..self.limits.exchange_body_bytes).unwrap_or(body);
        let kept = Bytes::copy_from_slice(kept);
        self.edit(number, |exchange| exchange.body = kept);
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Exchange> {
        self.kept.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Tells of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Forgets them; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.size = 0;
    }

    /// Forgets the oldest until the rest is small enough; the newest stays.
    fn trim(&mut self) {
        while self.kept.len() > 1
            && (self.kept.len() > self.limits.exchanges || self.size > self.limits.exchange_bytes)
        {
            let oldest = self.kept.pop_front();
            self.size -= oldest.as_ref().map_or(0, size);
        }
    }
}

/// What an exchange takes up, in bytes, as far as clients decide it.
fn size(exchange: &Exchange) -> usize {
    let headers = exchange.headers.iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let violations: usize = exchange.violations.iter().map(String::len).sum();
    let query = exchange.query.as_ref().map_or(0, String::len);
    size_of::<Exchange>() + exchange.path.len() + query + headers + violations + exchange.body.len()
}
