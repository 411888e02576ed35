//! Requests to paths that the document does not have.

use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::generated::operations::KEY_HEADER;
use crate::{ByteStream, Class, Client, ResponseValue};

/// The name of these calls in errors and spans.
const ID: &str = "request";

impl Client {
    /// Starts a request to any path below the base URL, for what the document does not have. It is
    /// sent like an operation: with the key, the headers, the limits and the retries of the client.
    ///
    /// The path begins with a slash. An empty segment, `.`, `..`, a query, a fragment or a
    /// backslash in it is refused when the request is sent; values in it must be percent-encoded.
    /// Nothing else is checked: `DELETE /v1/sessions/all` ends all sessions.
    pub fn request(&self, method: Method, path: &str) -> RawRequest {
        RawRequest {
            client: self.clone(),
            class: match method {
                Method::GET | Method::HEAD => Class::Read,
                Method::PUT | Method::DELETE => Class::Repeatable,
                _ => Class::Once,
            },
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            refusal: None,
        }
    }
}

/// A request to any path; made by [`Client::request`].
#[derive(Clone)]
#[must_use = "nothing is sent before `.send().await`, `.fetch().await` or `.json_value().await`"]
pub struct RawRequest {
    client: Client,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Option<Bytes>,
    class: Class,
    /// The first argument that was refused.
    refusal: Option<String>,
}

impl RawRequest {
    /// Appends a query parameter.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a header, in place of an earlier one of this name and of the client's.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let refusal = match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Err(_), _) => "a header's name is not a valid one".to_owned(),
            (Ok(name), _) if name == KEY_HEADER => {
                format!("{KEY_HEADER} is not set as a header but as the client's API key")
            }
            (Ok(name), Err(_)) => {
                format!("the value of the header {name} holds characters that it cannot carry")
            }
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
                return self;
            }
        };
        self.refuse(refusal)
    }

    /// Sets a body of JSON.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.body(json, "application/json"),
            Err(_) => self.refuse("the body cannot be written as JSON".to_owned()),
        }
    }

    /// Sets a body of any media type.
    pub fn body(mut self, bytes: impl Into<Bytes>, content_type: &str) -> Self {
        self.body = Some(bytes.into());
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sets the media type to ask for; default any, and `application/json` for
    /// [`fetch`](Self::fetch).
    pub fn accept(self, media_type: &str) -> Self {
        self.header(ACCEPT.as_str(), media_type)
    }

    /// Says whether it may be sent again; default [`Class::Read`] for GET and HEAD,
    /// [`Class::Repeatable`] for PUT and DELETE, else [`Class::Once`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Sends the request; the body of the answer is a stream.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if an argument is refused, [`ErrorKind::MissingKey`] if the
    /// client has no key, and what any call may fail with.
    pub async fn send(self) -> Result<ResponseValue<ByteStream>, Error> {
        let call = self.client.own_call(ID, self.class, true);
        let request = self.build("*/*").map_err(|error| error.of(Some(ID)))?;
        let response = self.client.call(request, call).await?;
        Ok(ResponseValue::stream(response))
    }

    /// Sends the request and decodes the JSON of the answer.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), [`ErrorKind::Body`] if the body breaks off, and
    /// [`ErrorKind::Decode`] if it is no such JSON.
    pub async fn fetch<T: DeserializeOwned>(self) -> Result<ResponseValue<T>, Error> {
        let call = self.client.own_call(ID, self.class, false);
        let request = self.build("application/json");
        let request = request.map_err(|error| error.of(Some(ID)))?;
        let response = self.client.call(request, call).await?;
        ResponseValue::from_response(response).await
    }

    /// Sends the request and gives the JSON of the answer, whatever it is.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch).
    pub async fn json_value(self) -> Result<ResponseValue<Value>, Error> {
        self.fetch().await
    }

    fn refuse(mut self, refusal: String) -> Self {
        self.refusal.get_or_insert(refusal);
        self
    }

    fn build(&self, accept: &'static str) -> Result<Request, Error> {
        let invalid = |reason: &str| Error::new(ErrorKind::InvalidRequest, reason);
        if let Some(refusal) = &self.refusal {
            return Err(invalid(refusal));
        }
        check(&self.path).map_err(invalid)?;
        let url = Url::parse(&format!("{}{}", self.client.base_url(), self.path));
        let mut url = url.map_err(|_| invalid("the path cannot be part of a URL"))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().entry(ACCEPT).or_insert(accept);
        *request.body_mut() = self.body.clone().map(Into::into);
        let transport = &self.client.inner;
        transport.add_query(&mut request);
        transport.add_headers(&mut request);
        transport.add_key(&mut request)?;
        Ok(request)
    }
}

/// Prints the method only: path, query, headers and body may hold secrets.
impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

/// Refuses what URL parsers would take for something else than a path below the base URL.
fn check(path: &str) -> Result<(), &'static str> {
    let Some(below) = path.strip_prefix('/') else {
        return Err("the path must begin with a slash, below the base URL");
    };
    if path.contains(['?', '#']) {
        return Err("the path must have neither query nor fragment; give the query by `query`");
    }
    if path.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
        return Err("the path holds a backslash, white space or a control character; encode it");
    }
    // URL parsers take `%2e` for a dot.
    let is_refused = |segment: &str| {
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        matches!(segment.as_ref(), "" | "." | "..")
    };
    if !below.is_empty() && below.split('/').any(is_refused) {
        return Err("no segment of the path may be empty, `.` or `..`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_base_url() -> Result<(), Error> {
        let client = Client::builder()
            .base_url("http://h/prefix")
            .api_key("k")
            .build()?;
        for (path, expected) in [
            ("/v1/new", Some("http://h/prefix/v1/new")),
            ("/", Some("http://h/prefix/")),
            (
                "/v1/a%2Fb/%2e%2ea/é",
                Some("http://h/prefix/v1/a%2Fb/%2e%2ea/%C3%A9"),
            ),
            ("/v1/sessions/all", Some("http://h/prefix/v1/sessions/all")),
            ("/@evil", Some("http://h/prefix/@evil")),
            ("", None),
            ("v1", None),
            ("@evil", None),
            ("http://evil/", None),
            ("//evil/", None),
            ("/v1//a", None),
            ("/v1/", None),
            ("/v1/../a", None),
            ("/v1/%2E%2e", None),
            ("/v1/.%2e/a", None),
            ("/./a", None),
            ("/v1\\..\\a", None),
            ("/v1/.\t./a", None),
            ("/v1/a?b=c", None),
            ("/v1/a#b", None),
        ] {
            let built = client.request(Method::GET, path).build("*/*");
            let url = built.map(|request| request.url().to_string());
            assert_eq!(url.as_deref().ok(), expected, "{path}");
        }
        Ok(())
    }
}
