//! What the API states of a webhook in prose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::EventType;
use crate::Client;
use crate::error::{Error, Result};

const LONGEST_URL: usize = 2048;
const LONGEST_DESCRIPTION: usize = 256;

/// Top-level names that stand for hosts inside a network only.
const INTERNAL: &[&str] = &["internal", "local", "localhost"];

/// What is to be checked of a request.
pub(super) struct Given<'a> {
    pub(super) url: Option<&'a str>,
    pub(super) events: Option<&'a [EventType]>,
    pub(super) description: Option<&'a str>,
}

impl Given<'_> {
    /// Refuses what the API would refuse, unless the client's checks are off.
    pub(super) fn check(&self, operation: &'static str, client: &Client) -> Result<()> {
        if !client.checks() {
            return Ok(());
        }
        match self.broken() {
            Some(reason) => Err(Error::invalid(operation, reason)),
            None => Ok(()),
        }
    }

    /// The rule that is broken. No text repeats the URL, which may hold a token.
    fn broken(&self) -> Option<String> {
        if self.events.is_some_and(<[_]>::is_empty) {
            return Some("`subscribed_events` must name at least one kind of event".to_owned());
        }
        let length = self.description.map_or(0, |text| text.chars().count());
        if length > LONGEST_DESCRIPTION {
            let message =
                format!("`description` must have at most {LONGEST_DESCRIPTION} characters");
            return Some(message);
        }
        broken_url(self.url?).map(|reason| format!("`url` {reason}"))
    }
}

fn broken_url(text: &str) -> Option<String> {
    if text.chars().count() > LONGEST_URL {
        return Some(format!("must have at most {LONGEST_URL} characters"));
    }
    let Ok(url) = Url::parse(text) else {
        return Some("must be an absolute URL such as `https://example.com/hook`".to_owned());
    };
    if url.scheme() != "https" {
        return Some("must begin with `https://`".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must hold no user name or password".to_owned());
    }
    let what = inner_host(url.host_str().unwrap_or_default())?;
    Some(format!("must name a public host, not {what}"))
}

/// What a host is, if it is none of the public internet. The parser has made it lower-case, and an
/// IPv4 address in any notation four decimal numbers.
fn inner_host(host: &str) -> Option<&'static str> {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return inner_ipv6(address.parse().ok()?);
    }
    if let Ok(address) = host.parse() {
        return inner_ipv4(address);
    }
    // A dot at the end marks a whole name; it leads to the same host.
    match host.strip_suffix('.').unwrap_or(host).rsplit_once('.') {
        None => Some("a name without a domain, such as `localhost`"),
        Some((_, last)) if INTERNAL.contains(&last) => {
            Some("a name below `.internal`, `.local` or `.localhost`")
        }
        Some(_) => None,
    }
}

fn inner_ipv4(address: Ipv4Addr) -> Option<&'static str> {
    let [first, second, ..] = address.octets();
    match (first, second) {
        (0, _) => Some("an unspecified address"),
        (127, _) => Some("a loopback address"),
        (169, 254) => Some("a link-local or metadata address"),
        // Behind a provider's NAT; some clouds keep their metadata there.
        (100, 64..=127) => Some("a shared address"),
        _ if address.is_private() => Some("a private address"),
        _ => None,
    }
}

fn inner_ipv6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("an unspecified address");
    }
    if address.is_loopback() {
        return Some("a loopback address");
    }
    if address.is_unicast_link_local() {
        return Some("a link-local address");
    }
    if address.is_unique_local() {
        return Some("a private address");
    }
    embedded_ipv4(address).and_then(inner_ipv4)
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, or by NAT64.
fn embedded_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if let IpAddr::V4(mapped) = address.to_canonical() {
        return Some(mapped);
    }
    let bits = address.to_bits();
    let low = Ipv4Addr::from_bits(bits as u32);
    let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0).to_bits();
    [0, nat64].contains(&(bits >> 32 << 32)).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_the_api_refuses_are_told_apart() {
        for (url, expected) in [
            ("https://example.com/hook?token=a", None),
            ("https://EXAMPLE.com.:8443", None),
            ("https://local.example", None),
            ("https://93.184.216.34", None),
            ("https://172.15.0.1", None),
            ("https://100.63.0.1", None),
            ("https://[2606:2800:220:1::1]/", None),
            ("https://[::ffff:93.184.216.34]", None),
            ("example.com/hook", Some("absolute URL")),
            ("https://", Some("absolute URL")),
            ("http://example.com", Some("https://")),
            ("https://user@example.com", Some("user name")),
            ("https://:pass@example.com", Some("user name")),
            ("https://localhost", Some("without a domain")),
            ("https://LOCALHOST.", Some("without a domain")),
            ("https://metadata", Some("without a domain")),
            ("https://a.localhost", Some(".localhost")),
            ("https://printer.local:1/", Some(".local")),
            ("https://metadata.google.internal.", Some(".internal")),
            ("https://127.0.0.1", Some("loopback")),
            ("https://2130706433", Some("loopback")),
            ("https://0x7f.1", Some("loopback")),
            ("https://0.0.0.0", Some("unspecified")),
            ("https://10.1.2.3", Some("private")),
            ("https://172.31.0.1", Some("private")),
            ("https://192.168.0.1", Some("private")),
            ("https://169.254.169.254", Some("metadata")),
            ("https://100.100.100.200", Some("shared")),
            ("https://[::1]", Some("loopback")),
            ("https://[::]", Some("unspecified")),
            ("https://[fe80::1]", Some("link-local")),
            ("https://[fd00:ec2::254]", Some("private")),
            ("https://[::ffff:10.0.0.1]", Some("private")),
            ("https://[::10.0.0.1]", Some("private")),
            ("https://[64:ff9b::169.254.169.254]", Some("metadata")),
        ] {
            let found = broken_url(url);
            match expected {
                None => assert_eq!(found, None, "{url}"),
                Some(part) => assert!(
                    found.as_ref().is_some_and(|text| text.contains(part)),
                    "{url}: {found:?}"
                ),
            }
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let long = |path: usize| format!("https://e.example/{}", "é".repeat(path));
        assert_eq!(broken_url(&long(LONGEST_URL - 18)), None);
        assert!(broken_url(&long(LONGEST_URL - 17)).is_some());
        let description = |count: usize| {
            let text = "é".repeat(count);
            Given {
                url: None,
                events: None,
                description: Some(&text),
            }
            .broken()
        };
        assert_eq!(description(256), None);
        assert!(description(257).is_some_and(|text| text.contains("256")));
    }
}
