//! What happens to a request between generated code and the wire.

mod attempts;
mod budget;
mod connect;
mod limit;
mod path;
mod redirect;
mod repeat;
mod trace;
mod upload;

use std::fmt;
use std::sync::Arc;

use reqwest::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use reqwest::{Request, Response, Url};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub(crate) use attempts::Call;
pub(crate) use budget::Budget;
pub(crate) use connect::{Connecting, connections};
pub(crate) use limit::{Limits, Passed};
pub use repeat::Repeats;

use crate::error::{Answer, Error, ErrorKind};
use crate::generated::operations::KEY_HEADER;
use crate::runtime::{Broken, OperationInfo, read_body};
use crate::{Client, Needs, Operation, Policy};

/// The most bytes that are kept of the body of an answer that is no success.
const LONGEST_ERROR_BODY: usize = 1 << 20;

/// Tells the vendor which SDK calls.
const SDK_HEADER: HeaderName = HeaderName::from_static("x-anchor-sdk");
const SDK: HeaderValue = HeaderValue::from_static(concat!("rust/", env!("CARGO_PKG_VERSION")));

/// What a [`Client`] sends with each request, and how its calls behave.
#[derive(Clone)]
pub(crate) struct Transport(pub(crate) Arc<Shared>);

#[derive(Clone)]
pub(crate) struct Shared {
    /// The base URL, parsed.
    pub(crate) base: Url,
    pub(crate) key: Option<Key>,
    pub(crate) headers: HeaderMap,
    pub(crate) user_agent: Option<HeaderValue>,
    /// Appended to the query of each request.
    pub(crate) query: Vec<(String, String)>,
    /// Whether the environment has `ANCHOR_API_KEY`, which nothing reads.
    pub(crate) other_key_set: bool,
    pub(crate) policy: Policy,
    /// What each call needs beside what its operation does.
    pub(crate) needs: Needs,
    /// One permit for each attempt that may run at once.
    pub(crate) concurrency: Option<Arc<Semaphore>>,
    pub(crate) budget: Arc<Budget>,
    /// When the operation must end of which each call is an attempt.
    pub(crate) deadline: Option<Instant>,
    /// `None` if the HTTP client was given.
    pub(crate) connecting: Option<Arc<Connecting>>,
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    /// With its prefix, and marked as sensitive.
    pub(crate) header: HeaderValue,
}

/// Prints no secret: only whether there is a key, and the headers' names.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("key", &self.0.key.as_ref().map(|_| "***"))
            .field("headers", &self.0.headers.keys().collect::<Vec<_>>())
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Whether a URL is of the API's own origin: scheme, host and port.
    pub(crate) fn is_home(&self, url: &Url) -> bool {
        self.0.base.origin() == url.origin()
    }

    /// Removes the key and the values of the configured headers and parameters from a server's
    /// text.
    pub(crate) fn redact(&self, text: &str) -> String {
        let headers = self.0.headers.values();
        let headers = headers.filter_map(|value| value.to_str().ok());
        let query = self.0.query.iter().map(|(_, value)| value.as_str());
        let key = self.0.key.as_ref().map(|key| key.text.as_str());
        // A short value is no secret, and replacing it would garble the text.
        let values = headers.chain(query).filter(|value| value.len() >= 8);
        let secrets = values.chain(key);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// The error of an operation that needs a key.
    pub(crate) fn missing_key(&self) -> Error {
        let mut message =
            "no API key: set ANCHORBROWSER_API_KEY, or give the key to the client".to_owned();
        if self.0.other_key_set {
            message.push_str(" (ANCHOR_API_KEY is set, but is not read: rename it)");
        }
        Error::new(ErrorKind::MissingKey, message)
    }

    fn complete(&self, request: &mut Request, operation: &Operation) -> Result<(), Error> {
        path::check(operation, self.0.base.path(), request.url().path())
            .map_err(|reason| Error::new(ErrorKind::InvalidRequest, reason))?;
        if operation.optional_body {
            drop_empty_body(request);
        }
        let headers = request.headers_mut();
        if !operation.accept.is_empty() && !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static(operation.accept));
        }
        // Generated code knows `application/json` and plain bytes only; forms bring their own.
        let own = operation.content_type.filter(|name| !name.contains("form"));
        if let (Some(name), true) = (own, headers.contains_key(CONTENT_TYPE)) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(name));
        }
        self.add_query(request);
        self.add_headers(request);
        if operation.open {
            return Ok(());
        }
        self.add_key(request)
    }

    /// Appends the configured parameters.
    pub(crate) fn add_query(&self, request: &mut Request) {
        // An empty list would leave a `?` behind.
        if !self.0.query.is_empty() {
            let mut pairs = request.url_mut().query_pairs_mut();
            pairs.extend_pairs(&self.0.query);
        }
    }

    /// Adds the configured headers, and those of this crate.
    pub(crate) fn add_headers(&self, request: &mut Request) {
        let headers = request.headers_mut();
        headers.insert(SDK_HEADER, SDK);
        for (name, value) in &self.0.headers {
            // What the caller gave to this one call counts more.
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        self.add_user_agent(request);
    }

    pub(crate) fn add_user_agent(&self, request: &mut Request) {
        if let Some(value) = &self.0.user_agent {
            let headers = request.headers_mut();
            headers.entry(USER_AGENT).or_insert_with(|| value.clone());
        }
    }

    pub(crate) fn add_key(&self, request: &mut Request) -> Result<(), Error> {
        let key = self.0.key.as_ref().ok_or_else(|| self.missing_key())?;
        let name = HeaderName::from_static(KEY_HEADER);
        request.headers_mut().insert(name, key.header.clone());
        Ok(())
    }

    /// An error of an answer that is no success, with its body.
    async fn fail(&self, mut response: Response, refusal: Option<&str>, limits: &Limits) -> Error {
        let (body, broken) = read_body(&mut response, LONGEST_ERROR_BODY, limits).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let location = redirect::location(&headers).map(str::to_owned);
        let note = broken.as_ref().map(|broken| broken.note(body.len()));
        let answer = Answer {
            status,
            headers,
            body: Some(body),
        };
        let error = match refusal {
            Some(reason) => {
                let message = format!("the redirect is not followed: {reason}");
                let error = Error::new(ErrorKind::Redirect, message);
                error.with_answer(answer).with_location(location)
            }
            None => Error::from_answer(answer, note.as_deref(), |text| self.redact(text)),
        };
        match broken {
            Some(Broken::Transport(source)) => error.with_source(source),
            _ => error,
        }
    }
}

impl Client {
    /// Completes a request, and refuses one that must not be sent.
    pub(crate) async fn pre(
        &self,
        request: &mut Request,
        info: &OperationInfo,
    ) -> Result<(), Error> {
        let id = info.operation_id;
        operation(id)
            .and_then(|operation| self.inner.complete(request, operation))
            .map_err(|error| error.of(Some(id)))
    }

    /// Sends a request, as often as the policy says; an answer that is no success is an error.
    pub(crate) async fn exec(
        &self,
        request: Request,
        info: &OperationInfo,
    ) -> Result<Response, Error> {
        let id = info.operation_id;
        let operation = operation(id).map_err(|error| error.of(Some(id)))?;
        let needs = (self.inner.0.policy.needs)(operation).and(self.inner.0.needs);
        let call = Call {
            id,
            class: operation.class,
            pointer: operation.location,
            streams: operation.response == Some("bytes"),
            needs,
        };
        self.call(request, call).await
    }

    /// Runs after `exec`; there is nothing left to do.
    pub(crate) async fn post(
        &self,
        _result: &Result<Response, Error>,
        _info: &OperationInfo,
    ) -> Result<(), Error> {
        Ok(())
    }
}

fn operation(id: &str) -> Result<&'static Operation, Error> {
    let unknown = "it is not in the table of operations";
    Operation::find(id).ok_or_else(|| Error::new(ErrorKind::InvalidRequest, unknown))
}

/// A body that says nothing is not sent, where the document lets it be absent.
fn drop_empty_body(request: &mut Request) {
    let body = request.body().and_then(reqwest::Body::as_bytes);
    if matches!(body, Some(b"{}" | b"null")) {
        *request.body_mut() = None;
        request.headers_mut().remove(CONTENT_TYPE);
        request.headers_mut().remove(CONTENT_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_body_is_dropped() -> Result<(), Error> {
        for (body, kept) in [
            ("{}", false),
            ("null", false),
            ("{\"a\":1}", true),
            ("[]", true),
            ("", true),
        ] {
            let http = reqwest::Client::new().post("http://localhost").body(body);
            let mut request = http.header(CONTENT_TYPE, "application/json").build()?;
            drop_empty_body(&mut request);
            assert_eq!(request.body().is_some(), kept, "{body}");
            assert_eq!(request.headers().contains_key(CONTENT_TYPE), kept, "{body}");
        }
        Ok(())
    }

    #[test]
    fn what_a_server_repeats_of_our_secrets_is_not_displayed() -> Result<(), Error> {
        let builder = Client::builder()
            .api_key("key-1")
            .header("x-a", "1")
            .header("x-b", "12345678");
        let client = builder.base_url("http://localhost:1/prefix").build()?;
        let text = client.inner.redact("key-1 of 12345678 is not 1");
        assert_eq!(text, "*** of *** is not 1");
        for (url, home) in [
            ("http://localhost:1/other", true),
            ("https://localhost:1/", false),
            ("http://localhost/", false),
            ("http://localhost.evil:1/", false),
        ] {
            assert_eq!(
                Url::parse(url).map(|url| client.inner.is_home(&url)),
                Ok(home),
                "{url}"
            );
        }
        Ok(())
    }
}
