//! How a client connects.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::error::{Error, ErrorKind};

/// How long connecting may take, if nothing else is set.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The settings of an HTTP client that was not given.
#[derive(Default)]
pub(crate) struct Connecting {
    proxy: Option<reqwest::Proxy>,
    timeout: Option<Duration>,
    /// A second client, set up by its first use.
    second: OnceLock<reqwest::Client>,
}

impl Connecting {
    pub(crate) fn builder(&self) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.timeout.unwrap_or(TIMEOUT));
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }

    /// The client with connections of its own. The first one had the same settings, so that there
    /// is none is as good as impossible; it then stands in.
    pub(crate) fn second(&self, first: &reqwest::Client) -> reqwest::Client {
        let set_up = || self.builder().build().unwrap_or_else(|_| first.clone());
        self.second.get_or_init(set_up).clone()
    }
}

/// The HTTP client, and how to set up a second one, if it was not given.
pub(crate) fn connections(
    own: Option<reqwest::Client>,
    proxy_url: Option<String>,
    timeout: Option<Duration>,
) -> Result<(reqwest::Client, Option<Arc<Connecting>>), Error> {
    let proxy = proxy_url.as_deref().map(proxy).transpose()?;
    match (own, &proxy) {
        (Some(_), Some(_)) => {
            let message = "a proxy has no effect on an HTTP client that was given: set it there";
            return Err(Error::new(ErrorKind::Config, message));
        }
        (Some(own), None) => return Ok((own, None)),
        (None, _) => {}
    }
    let connecting = Connecting {
        proxy,
        timeout,
        second: OnceLock::new(),
    };
    let client = connecting.builder().build().map_err(|source| {
        Error::new(ErrorKind::Config, "the HTTP client cannot be set up").with_source(source)
    })?;
    Ok((client, Some(Arc::new(connecting))))
}

/// The HTTP client prints a proxy's URL, so user name and password are given to it beside that.
fn proxy(text: &str) -> Result<reqwest::Proxy, Error> {
    let refuse = |reason: &str| Error::new(ErrorKind::Config, format!("the proxy {reason}"));
    let mut url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| refuse("is not an HTTP URL such as http://proxy:8080"))?;
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        let decoded = decoded.map_err(|_| refuse("has a user name or password that is no text"));
        decoded.map(|text| text.into_owned())
    };
    let (user, password) = (
        decode(url.username())?,
        decode(url.password().unwrap_or_default())?,
    );
    let removed = url.set_username("").and_then(|()| url.set_password(None));
    removed.map_err(|()| refuse("is not a URL that can have a user name"))?;
    let proxy = reqwest::Proxy::all(url)
        .map_err(|source| refuse("is refused by the HTTP client").with_source(source))?;
    if user.is_empty() && password.is_empty() {
        return Ok(proxy);
    }
    Ok(proxy.basic_auth(&user, &password))
}
