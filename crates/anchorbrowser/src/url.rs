//! Checks of addresses that go to the service. Their errors name the field and not the address,
//! which may hold a secret.

use reqwest::Url;

use crate::error::{Error, Result};

/// Refuses what is no absolute URL.
pub(crate) fn absolute(operation: &'static str, field: &str, text: &str) -> Result<()> {
    match Url::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => {
            let message = format!("`{field}` must be a URL with its scheme, as in `https://..`");
            Err(Error::invalid(operation, message))
        }
    }
}

/// Refuses what is no HTTPS URL.
pub(crate) fn https(operation: &'static str, field: &str, text: &str) -> Result<()> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" => Ok(()),
        _ => {
            let message = format!("`{field}` must be an HTTPS URL: `https://..`");
            Err(Error::invalid(operation, message))
        }
    }
}

/// The host of a URL as browsers name it: with the port, unless that is the scheme's own.
pub(crate) fn host(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_port_that_is_not_the_schemes_own() {
        for (url, expected) in [
            ("https://a.example/login?x", Some("a.example")),
            ("https://a.example:443/", Some("a.example")),
            ("http://A.example:8080", Some("a.example:8080")),
            ("http://[::1]:8080", Some("[::1]:8080")),
            ("mailto:ann@a.example", None),
            ("a.example/login", None),
            ("", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn an_error_names_the_field_and_not_the_address() {
        for text in [
            "",
            "canary.example",
            "//canary.example",
            "http://canary.example",
        ] {
            let error = https("op", "field", text).unwrap_err().to_string();
            assert!(
                error.contains("`field`") && !error.contains("canary"),
                "{error}"
            );
        }
        assert!(absolute("op", "field", "canary.example").is_err());
        assert!(absolute("op", "field", "http://a.example").is_ok());
        assert!(https("op", "field", "https://a.example").is_ok());
    }
}
