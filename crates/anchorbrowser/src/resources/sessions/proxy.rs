use anchorbrowser_api::types;
use anchorbrowser_api::wire::{Secret, SecretJson};

/// The proxy through which a session's browser reaches the web.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proxy {
    /// A proxy of the service.
    Anchor {
        /// Where it is: a two-letter code in lower case; default `us`. Any text is taken, since the
        /// service adds countries.
        country: Option<String>,
        /// The code of a part of the country.
        region: Option<String>,
        /// A city. Needs a region.
        city: Option<String>,
    },
    /// A proxy of one's own.
    Custom {
        /// Its address, e.g. `https://proxy.example:8443`.
        server: String,
        /// The user's name.
        username: String,
        /// The user's password.
        password: Secret,
    },
    /// A kind that this version of the SDK does not know, as JSON: `Proxy::Other(json.into())`. It
    /// may hold a password, so `Debug` does not show it.
    Other(SecretJson),
}

impl Proxy {
    /// A proxy of the service, in its default country.
    pub fn anchor() -> Self {
        Self::Anchor {
            country: None,
            region: None,
            city: None,
        }
    }

    /// A proxy of the service in a country: a two-letter code in lower case, such as `de`.
    pub fn country(code: impl Into<String>) -> Self {
        Self::Anchor {
            country: Some(code.into()),
            region: None,
            city: None,
        }
    }

    /// Narrows a proxy of the service to a part of its country, by its code. Has no effect on others.
    #[must_use]
    pub fn region(mut self, code: impl Into<String>) -> Self {
        if let Self::Anchor { region, .. } = &mut self {
            *region = Some(code.into());
        }
        self
    }

    /// Narrows a proxy of the service to a city. Needs a region. Has no effect on others.
    #[must_use]
    pub fn city(mut self, name: impl Into<String>) -> Self {
        if let Self::Anchor { city, .. } = &mut self {
            *city = Some(name.into());
        }
        self
    }

    /// A proxy of one's own, e.g. at `https://proxy.example:8443`.
    pub fn custom(
        server: impl Into<String>,
        username: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        Self::Custom {
            server: server.into(),
            username: username.into(),
            password: password.into(),
        }
    }

    pub(crate) fn into_api(self) -> types::ProxyConfig {
        match self {
            Self::Anchor {
                country,
                region,
                city,
            } => types::ProxyConfig::AnchorProxy(types::AnchorProxy {
                city,
                country_code: country.as_deref().map(Into::into),
                region,
                type_: Some(types::AnchorProxyType::AnchorProxy),
                ..types::AnchorProxy::new(true)
            }),
            Self::Custom {
                server,
                username,
                password,
            } => types::ProxyConfig::Custom(types::CustomProxy::new(
                types::CustomProxyType::Custom,
                server,
                username,
                password,
                true,
            )),
            Self::Other(json) => types::ProxyConfig::Unknown(json.expose().clone()),
        }
    }
}
