//! URLs that hold a secret.

use std::fmt;

use anchorbrowser_api::wire::Secret;

/// Writes a URL that is shown only on demand.
macro_rules! secret_urls {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        $(#[$meta])*
        ///
        /// `Display` and `Debug` show scheme, host and port only; [`expose`](Self::expose) gives the whole.
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Secret);

        impl $name {
            /// The whole URL. Keep it out of logs.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl From<Secret> for $name {
            fn from(url: Secret) -> Self {
                Self(url)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&public_part(self.expose()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), public_part(self.expose()))
            }
        }
    )*};
}

secret_urls! {
    /// The WebSocket address of a session's browser, for drivers that speak the Chrome DevTools
    /// Protocol. It holds the API key.
    CdpUrl,
    /// The address of a page that shows a session's browser. Whoever has it can watch, and by
    /// default use, the browser.
    LiveViewUrl,
}

/// Scheme, host and port of a URL.
fn public_part(url: &str) -> String {
    let Ok(url) = reqwest::Url::parse(url) else {
        return "***".to_owned();
    };
    let host = url.host_str().unwrap_or("***");
    let port = url.port().map(|port| format!(":{port}"));
    format!("{}://{host}{}/***", url.scheme(), port.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_port_are_shown() {
        for (url, shown) in [
            (
                "wss://u:canary@h.example:1/canary?apiKey=canary#canary",
                "wss://h.example:1/***",
            ),
            ("data:canary", "data://***/***"),
            ("canary", "***"),
        ] {
            let url = CdpUrl::from(Secret::from(url));
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("CdpUrl({shown})"));
        }
    }
}
