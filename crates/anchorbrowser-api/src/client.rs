//! Making a client.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorKind};
use crate::generated::operations::{KEY_HEADER, KEY_PREFIX};
use crate::transport::{Budget, Key, Shared, Transport, connections};
use crate::{Client, DEFAULT_BASE_URL, Needs, Policy};

const KEY_VARIABLE: &str = "ANCHORBROWSER_API_KEY";
const BASE_URL_VARIABLE: &str = "ANCHORBROWSER_BASE_URL";
const HEADERS_VARIABLE: &str = "ANCHORBROWSER_CUSTOM_HEADERS";
/// Many guides show this one; nothing reads it.
const OTHER_KEY_VARIABLE: &str = "ANCHOR_API_KEY";

const USER_AGENT: &str = concat!("anchorbrowser-rust/", env!("CARGO_PKG_VERSION"));

impl Client {
    /// A client with this API key and the defaults of [`ClientBuilder`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it cannot be a key.
    pub fn new(key: impl Into<String>) -> Result<Self, Error> {
        Self::builder().api_key(key).build()
    }

    /// A client with the settings of the environment; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    /// [`ErrorKind::MissingKey`] without `ANCHORBROWSER_API_KEY`, [`ErrorKind::Config`] if a
    /// setting is refused. The operations that need no key can be called by a client made with
    /// the builder.
    pub fn from_env() -> Result<Self, Error> {
        let client = ClientBuilder::from_env().build()?;
        client.require_key()?;
        Ok(client)
    }

    /// Starts from the defaults, without a key; nothing is read from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The base URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.baseurl
    }

    /// Whether there is an API key.
    ///
    /// # Errors
    /// [`ErrorKind::MissingKey`], which says how to set one.
    pub fn require_key(&self) -> Result<(), Error> {
        match self.inner.0.key {
            Some(_) => Ok(()),
            None => Err(self.inner.missing_key()),
        }
    }

    /// How the calls of this client behave.
    pub fn policy(&self) -> &Policy {
        &self.inner.0.policy
    }

    /// A clone whose calls behave otherwise. Clones share connections, the concurrency limit and
    /// the retry budget.
    pub fn with_policy(&self, policy: Policy) -> Client {
        self.with(|shared| shared.policy = policy)
    }

    /// A clone each call of which needs this too, beside what its operation does.
    pub fn with_needs(&self, needs: Needs) -> Client {
        self.with(|shared| shared.needs = shared.needs.and(needs))
    }

    /// A clone that sends this header with each request to the API, in place of an earlier one of
    /// this name; see [`ClientBuilder::header`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if name or value cannot be a header's, or if it is the key's.
    pub fn with_header(&self, name: &str, value: &str) -> Result<Client, Error> {
        let added = headers(vec![(name.to_owned(), value.to_owned())])?;
        Ok(self.with(|shared| shared.headers.extend(added)))
    }

    /// A clone that appends this parameter to the query of each request to the API, those by
    /// [`download_link`](Self::download_link) excepted.
    pub fn with_query(&self, name: &str, value: &str) -> Client {
        let pair = (name.to_owned(), value.to_owned());
        self.with(|shared| shared.query.push(pair))
    }

    /// A clone with connections of its own, to make calls on another runtime than this client's: a
    /// connection stands still with the runtime that opened it, and is lost with it. All these
    /// clones share theirs. Those of a client that was given an
    /// [`http_client`](ClientBuilder::http_client) have none of their own.
    pub fn with_own_connections(&self) -> Client {
        match &self.inner.0.connecting {
            Some(connecting) => Client {
                client: connecting.second(&self.client),
                ..self.clone()
            },
            None => self.clone(),
        }
    }

    /// An HTTP client to open WebSockets with, which connects as this one does: one of its own that
    /// has this client's proxy and limit for connecting, speaks HTTP/1.1 and follows no redirects; or
    /// the [`http_client`](ClientBuilder::http_client) that was given.
    ///
    /// # Errors
    /// If it cannot be set up.
    pub fn socket_client(&self) -> reqwest::Result<reqwest::Client> {
        match &self.inner.0.connecting {
            Some(connecting) => connecting.builder().http1_only().build(),
            None => Ok(self.client.clone()),
        }
    }

    /// A text of the server's without the key and the values of the headers of this client.
    #[doc(hidden)]
    pub fn redact(&self, text: &str) -> String {
        self.inner.redact(text)
    }

    pub(crate) fn with(&self, edit: impl FnOnce(&mut Shared)) -> Client {
        let mut shared = Shared::clone(&self.inner.0);
        edit(&mut shared);
        Client {
            inner: Transport(Arc::new(shared)),
            ..self.clone()
        }
    }
}

/// The settings of a [`Client`].
#[derive(Clone, Default)]
#[must_use]
pub struct ClientBuilder {
    base_url: Option<String>,
    key: Option<String>,
    headers: Vec<(String, String)>,
    user_agent: Option<String>,
    connect_timeout: Option<Duration>,
    http_client: Option<reqwest::Client>,
    policy: Policy,
    concurrency_limit: Option<usize>,
    proxy: Option<String>,
    other_key_set: bool,
    /// The first variable of the environment that cannot be read.
    unreadable: Option<&'static str>,
}

impl ClientBuilder {
    /// Starts from the environment: `ANCHORBROWSER_API_KEY`, `ANCHORBROWSER_BASE_URL` and
    /// `ANCHORBROWSER_CUSTOM_HEADERS` (one `Name: value` a line). An empty variable counts as
    /// absent. What is set afterwards wins.
    pub fn from_env() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    fn from_lookup(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut builder = Self {
            other_key_set: get(OTHER_KEY_VARIABLE).is_some(),
            ..Self::default()
        };
        let mut read = |name| match get(name)?.into_string() {
            Ok(value) => Some(value).filter(|value| !value.trim().is_empty()),
            Err(_) => {
                builder.unreadable.get_or_insert(name);
                None
            }
        };
        let (key, base_url, headers) = (
            read(KEY_VARIABLE),
            read(BASE_URL_VARIABLE),
            read(HEADERS_VARIABLE),
        );
        builder.key = key;
        builder.base_url = base_url;
        for line in headers
            .iter()
            .flat_map(|text| text.lines())
            .filter(|l| !l.trim().is_empty())
        {
            let Some((name, value)) = line.split_once(':') else {
                builder.unreadable.get_or_insert(HEADERS_VARIABLE);
                continue;
            };
            builder = builder.header(name.trim(), value.trim());
        }
        builder
    }

    /// Where the API is; default [`DEFAULT_BASE_URL`]. It may have a path, below which all
    /// operations are then sought.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The API key. Without one, only the operations that are open can be called.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// A header for each request to the API, in place of an earlier one of this name. It is not
    /// sent to other hosts.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The `User-Agent`; default `anchorbrowser-rust/<version>`, or that of
    /// [`http_client`](Self::http_client).
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.user_agent = Some(value.into());
        self
    }

    /// How long connecting may take; default 20 seconds. Has no effect together with
    /// [`http_client`](Self::http_client). How long an answer may take is up to the
    /// [`policy`](Self::policy).
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How calls behave; by default nothing is repeated and nothing but connecting has a limit.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How many attempts of this client and its clones may run at once; others wait. An attempt
    /// runs until its JSON answer has come, or the head of an answer that is a stream. Default no
    /// limit; 0 is refused.
    pub fn concurrency_limit(mut self, limit: usize) -> Self {
        self.concurrency_limit = Some(limit);
        self
    }

    /// The HTTP proxy for all requests, e.g. `http://user:password@proxy:8080`. Default: what the
    /// environment's `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say. Refused together
    /// with [`http_client`](Self::http_client).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// The HTTP client to use, e.g. one with other certificates.
    ///
    /// Configure it with `reqwest::redirect::Policy::none()`: this crate follows redirects
    /// itself, and any other policy may carry the key to another host.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Makes the client; connects to nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if a setting is refused. No error prints the setting's value.
    pub fn build(self) -> Result<Client, Error> {
        if let Some(name) = self.unreadable {
            let wanted = if name == HEADERS_VARIABLE {
                "lines of `Name: value` in Unicode"
            } else {
                "Unicode text"
            };
            return Err(config(format!(
                "the environment variable {name} is not {wanted}"
            )));
        }
        let base = base_url(self.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL))?;
        let default_agent = self.http_client.is_none().then_some(USER_AGENT);
        let user_agent = self.user_agent.as_deref().or(default_agent);
        let user_agent = user_agent.map(|value| header_value("User-Agent", value));
        let concurrency = match self.concurrency_limit {
            Some(0) => {
                let message = "the concurrency limit is 0: nothing could be sent";
                return Err(config(message.to_owned()));
            }
            limit => limit.map(|limit| Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
        };
        let (client, connecting) = connections(self.http_client, self.proxy, self.connect_timeout)?;
        let shared = Shared {
            key: self.key.map(key).transpose()?,
            headers: headers(self.headers)?,
            user_agent: user_agent.transpose()?,
            query: Vec::new(),
            other_key_set: self.other_key_set,
            base,
            policy: self.policy,
            needs: Needs::default(),
            concurrency: concurrency.map(Arc::new),
            budget: Arc::new(Budget::new()),
            deadline: None,
            connecting,
        };
        let base = shared.base.as_str().trim_end_matches('/').to_owned();
        Ok(Client::new_with_client(
            &base,
            client,
            Transport(Arc::new(shared)),
        ))
    }
}

/// Prints no secret: only whether there is a key, and the headers' names.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ClientBuilder")
            .field("key", &self.key.as_ref().map(|_| "***"))
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn base_url(text: &str) -> Result<Url, Error> {
    let refuse = |reason| Err(config(format!("the base URL {reason}")));
    let Ok(url) = Url::parse(text) else {
        return refuse("is not an absolute URL such as https://api.anchorbrowser.io");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("must have neither query nor fragment");
    }
    Ok(url)
}

fn key(text: String) -> Result<Key, Error> {
    let refuse = |reason| Err(config(format!("the API key {reason}")));
    if text.trim().is_empty() {
        return refuse("is empty");
    }
    if text.contains(char::is_whitespace) {
        return refuse("holds white space, maybe from the end of a line");
    }
    // A header could carry more than ASCII; a key never does, but quotes copied with it are.
    let header = HeaderValue::from_str(&format!("{KEY_PREFIX}{text}"));
    let Some(mut header) = header.ok().filter(|_| text.is_ascii()) else {
        return refuse("holds characters that a key cannot have");
    };
    header.set_sensitive(true);
    Ok(Key { text, header })
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(value).map_err(|_| {
        config(format!(
            "the value of the header {name} holds characters that it cannot carry"
        ))
    })
}

fn headers(list: Vec<(String, String)>) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        let Ok(header) = HeaderName::try_from(name.as_str()) else {
            return Err(config("a header's name is not a valid one".to_owned()));
        };
        if header == KEY_HEADER {
            return Err(config(format!(
                "{KEY_HEADER} is not set as a header but as the API key"
            )));
        }
        let mut value = header_value(header.as_str(), &value)?;
        value.set_sensitive(true);
        map.insert(header, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "canary-6c1f";

    fn refused(builder: ClientBuilder) -> String {
        let error = builder.build().expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error}{error:?}").contains(CANARY), "{error:?}");
        error.to_string()
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let base = |url: &str| refused(Client::builder().base_url(url.replace('~', CANARY)));
        for (url, expected) in [
            ("~", "absolute URL"),
            ("ftp://~", "http://"),
            ("https://~@host", "user name"),
            ("https://:~@host", "user name"),
            ("https://host?a=~", "query"),
            ("https://host#~", "fragment"),
        ] {
            assert!(base(url).contains(expected), "{url}");
        }
        let key = |key: &str| refused(Client::builder().api_key(key.replace('~', CANARY)));
        for (text, expected) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("~\n", "white space"),
            (" ~", "white space"),
            ("~\u{7f}", "cannot have"),
            ("“~”", "cannot have"),
        ] {
            assert!(key(text).contains(expected), "{text:?}");
        }
        let header = |name: &str, value: &str| refused(Client::builder().header(name, value));
        assert!(header("a b", CANARY).contains("name"));
        assert!(header("x-a", "a\nb").contains("x-a"));
        assert!(header(KEY_HEADER, CANARY).contains("API key"));
    }

    #[test]
    fn the_environment_is_read_and_explicit_settings_win() -> Result<(), Error> {
        let builder = ClientBuilder::from_lookup(|name| {
            Some(match name {
                "ANCHORBROWSER_API_KEY" => CANARY.into(),
                "ANCHORBROWSER_BASE_URL" => "http://localhost:1/prefix//".into(),
                "ANCHORBROWSER_CUSTOM_HEADERS" => "X-One: a:b\n\n X-Two :c\r\n".into(),
                _ => return None,
            })
        });
        let client = builder.clone().header("x-one", "mine").build()?;
        assert_eq!(client.base_url(), "http://localhost:1/prefix");
        assert_eq!(client.inner.0.headers["x-one"], "mine");
        assert_eq!(client.inner.0.headers["x-two"], "c");
        let printed = format!("{client:?} {builder:?}");
        assert!(
            !printed.contains(CANARY) && !printed.contains("mine"),
            "{printed}"
        );
        assert_eq!(
            builder.base_url("https://other").build()?.base_url(),
            "https://other"
        );
        Ok(())
    }

    #[test]
    fn an_environment_without_key_says_which_variable_to_set() -> Result<(), Error> {
        let guide = |name: &str| (name == "ANCHOR_API_KEY").then(|| CANARY.into());
        let error = ClientBuilder::from_lookup(guide)
            .build()?
            .inner
            .missing_key()
            .to_string();
        assert!(error.contains("set ANCHORBROWSER_API_KEY"), "{error}");
        assert!(
            error.contains("ANCHOR_API_KEY is set, but is not read"),
            "{error}"
        );
        let bad = |name: &str| (name == HEADERS_VARIABLE).then(|| CANARY.into());
        assert!(refused(ClientBuilder::from_lookup(bad)).contains(HEADERS_VARIABLE));
        Ok(())
    }
}
