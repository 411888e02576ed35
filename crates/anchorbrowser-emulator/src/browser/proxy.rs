//! The proxy of the caller that a browser is to use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderValue;
use serde_json::Value;
use url::Url;

use crate::resources::sessions::switch;

/// A proxy, with what it takes to log in to it. Without `Debug`: that is a secret.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// `http`, `https`, `socks4` or `socks5`.
    scheme: String,
    /// With brackets, if it is an IPv6 address.
    host: String,
    port: Option<u16>,
    pub(super) login: Option<HeaderValue>,
}

/// Kinds of proxies that the browser knows.
const SCHEMES: [&str; 4] = ["http", "https", "socks4", "socks5"];

impl Proxy {
    /// The custom proxy of a configuration, if it has an active one. The error says why it can't be used; it repeats nothing
    /// of it, because passwords get into the wrong place.
    pub(crate) fn of(configuration: &Value) -> Result<Option<Self>, String> {
        let text = |name: &str| {
            configuration
                .pointer(&format!("/session/proxy/{name}"))?
                .as_str()
        };
        if !switch(configuration, "/session/proxy", false) || text("type") != Some("custom") {
            return Ok(None);
        }
        let server = text("server").unwrap_or_default();
        let name = text("username").unwrap_or_default();
        let password = text("password").unwrap_or_default();
        Self::new(server, name, password).map(Some)
    }

    fn new(server: &str, name: &str, password: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("body.session.proxy.server: {what}"));
        let url = match server.contains("://") {
            true => Url::parse(server),
            false => Url::parse(&format!("http://{server}")),
        };
        let parts = url
            .ok()
            .and_then(|url| Some((url.host_str()?.to_owned(), url)));
        let Some((host, url)) = parts.filter(|(host, _)| is_host(host)) else {
            return wrong("can't be read; it is written as PROTOCOL://HOST:PORT");
        };
        if !SCHEMES.contains(&url.scheme()) {
            return wrong("the protocol must be http, https, socks4 or socks5");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("must not hold credentials; they go to `username` and `password`");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return wrong("must end with the port");
        }
        if url.port() == Some(0) {
            return wrong("the port must not be 0");
        }
        let login = login(name, password)?;
        if login.is_some() && url.scheme() != "http" {
            return wrong(
                "the emulator logs in to proxies by http:// only; give empty credentials, or a proxy of that kind",
            );
        }
        Ok(Self {
            scheme: url.scheme().to_owned(),
            host,
            port: url.port(),
            login,
        })
    }

    /// As the command line of the browser has it.
    pub(super) fn server(&self) -> String {
        let (scheme, host) = (&self.scheme, &self.host);
        match self.port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }
    }

    /// Host and port to connect to; those of `http`.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port.unwrap_or(80))
    }
}

/// Whether a host can't be taken for something else on a command line.
fn is_host(host: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(usual)
}

/// The header that logs in. `None`: there is nothing to log in with.
fn login(name: &str, password: &str) -> Result<Option<HeaderValue>, String> {
    if name.is_empty() && password.is_empty() {
        return Ok(None);
    }
    // The header could not tell where the name ends.
    if name.contains(':') {
        return Err("body.session.proxy.username: must not have a colon".to_owned());
    }
    let encoded = BASE64.encode(format!("{name}:{password}"));
    let header = HeaderValue::from_str(&format!("Basic {encoded}"));
    let mut header =
        header.map_err(|_| "body.session.proxy: the login can't be sent".to_owned())?;
    header.set_sensitive(true);
    Ok(Some(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(server: &str, name: &str, password: &str) -> String {
        Proxy::new(server, name, password).err().unwrap_or_default()
    }

    #[test]
    fn a_server_is_given_to_the_browser_as_it_is_meant() {
        let cases = [
            ("http://proxy.test:3128", "http://proxy.test:3128"),
            ("proxy.test:3128", "http://proxy.test:3128"),
            ("http://proxy.test/", "http://proxy.test"),
            ("https://proxy.test:8443", "https://proxy.test:8443"),
            ("socks5://[::1]:1080", "socks5://[::1]:1080"),
        ];
        for (given, wanted) in cases {
            assert_eq!(Proxy::new(given, "", "").ok().unwrap().server(), wanted);
        }
        let usual = Proxy::new("http://proxy.test", "a", "b").ok().unwrap();
        assert_eq!(
            (usual.address(), usual.login.is_some()),
            ("proxy.test:80".to_owned(), true)
        );
    }

    #[test]
    fn what_can_not_be_used_is_refused_without_a_word_of_it() {
        let cases = [
            ("", "", ""),
            ("http://", "", ""),
            ("http://canary host:1", "", ""),
            ("socks5://canary;http=evil:1", "", ""),
            ("socks5://canary,direct:1", "", ""),
            ("ftp://canary:1", "", ""),
            ("http://canary:0", "", ""),
            ("http://canary:99999", "", ""),
            ("http://canary:1/path", "", ""),
            ("http://u:canary@h:1", "", ""),
            ("socks5://h:1", "u", "canary"),
            ("https://h:1", "u", "canary"),
            ("http://h:1", "canary:u", "canary"),
        ];
        for (server, name, password) in cases {
            let why = refused(server, name, password);
            assert!(why.starts_with("body.session.proxy."), "{server}: {why}");
            assert!(!why.contains("canary"), "{why}");
        }
    }
}
