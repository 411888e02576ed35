//! Which URLs a webhook may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// The longest URL, in characters.
const LONGEST: usize = 2048;

/// Blocks of IPv4 addresses that are refused, with the length of the prefix.
const IPV4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an unspecified address"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private address"),
    (
        Ipv4Addr::new(100, 64, 0, 0),
        10,
        "an address behind carrier-grade NAT",
    ),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    // Platform services of a cloud, at a public address.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a metadata address"),
    (
        Ipv4Addr::new(169, 254, 0, 0),
        16,
        "a link-local or metadata address",
    ),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private address"),
    // Protocol assignments; one cloud keeps its metadata there.
    (Ipv4Addr::new(192, 0, 0, 0), 24, "a metadata address"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private address"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved address"),
];

/// The same for IPv6. The first block that fits names the rule.
const IPV6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "an unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    // Addresses that carry an IPv4 address would lead around the list above.
    (
        Ipv6Addr::UNSPECIFIED,
        96,
        "an IPv6 address that stands for an IPv4 address",
    ),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        "an IPv6 address that stands for an IPv4 address",
    ),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0),
        96,
        "an IPv6 address that stands for an IPv4 address",
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0),
        96,
        "a NAT64 address",
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0),
        48,
        "a NAT64 address",
    ),
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        32,
        "a Teredo address",
    ),
    (
        Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0),
        16,
        "a 6to4 address",
    ),
    (
        Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0),
        7,
        "a unique local address",
    ),
    (
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        10,
        "a link-local address",
    ),
    (
        Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0),
        10,
        "a site-local address",
    ),
    (
        Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
        8,
        "a multicast address",
    ),
];

/// Top-level names that resolve inside a network only.
const INTERNAL: &[&str] = &["internal", "local", "localhost"];

/// Checks the URL of a webhook: `https`, at most 2048 characters, no credentials, and a host that is public by its
/// looks. Names are not resolved. With `local`, `http` on a loopback host (127.0.0.0/8, `::1`, `localhost`) is taken
/// too, on any port.
///
/// The message says which rule is broken and never repeats the URL, which may hold a token.
pub(crate) fn check_url(url: &str, local: bool) -> Result<(), String> {
    let parsed = parse(url)?;
    match parsed.scheme() {
        "https" => check_host(&parsed),
        "http" if local && loopback(&parsed).is_some() => Ok(()),
        "http" if local => Err(
            "`url` must start with `https://`, or with `http://` and a loopback host (127.0.0.1, [::1], localhost)"
                .to_owned(),
        ),
        "http" if loopback(&parsed).is_some() => Err(
            "`url` must start with `https://`; start the emulator with local webhooks allowed to use `http://` on a \
             loopback host"
                .to_owned(),
        ),
        _ => Err("`url` must start with `https://`".to_owned()),
    }
}

/// Where `url` leads on this machine, and the URL itself, if it is one that the emulator may contact: valid by the
/// rules, `http`, on a loopback host.
///
/// `localhost` is not looked up: a hosts file could send it elsewhere.
pub(crate) fn local_target(url: &str) -> Option<(Vec<SocketAddr>, Url)> {
    let parsed = parse(url).ok().filter(|url| url.scheme() == "http")?;
    let port = parsed.port_or_known_default()?;
    let addresses = loopback(&parsed)?
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect();
    Some((addresses, parsed))
}

/// The rules that hold whatever the scheme and the host are.
fn parse(url: &str) -> Result<Url, String> {
    if url.chars().count() > LONGEST {
        return Err(format!("`url` must have at most {LONGEST} characters"));
    }
    // The parser drops or replaces these. What is stored must be what was checked.
    if url
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return Err("`url` must not contain spaces, control characters or backslashes".to_owned());
    }
    let parsed = Url::parse(url).map_err(|error| format!("`url` is not a valid URL: {error}"))?;
    let Some(authority) = authority(url) else {
        return Err("`url` must have a host after `://`".to_owned());
    };
    if authority.contains('@') {
        return Err("`url` must not contain a user name or a password".to_owned());
    }
    if let Some(Host::Ipv4(address)) = parsed.host() {
        // The parser also reads one number for all parts, octal and hexadecimal ones, and digits of other scripts.
        if authority.split(':').next() != Some(address.to_string().as_str()) {
            return Err("`url` must write an IPv4 address as four decimal numbers".to_owned());
        }
    }
    Ok(parsed)
}

/// Credentials, host and port as they are written.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#'])
        .next()
        .filter(|text| !text.is_empty())
}

/// The addresses of a loopback host.
fn loopback(url: &Url) -> Option<Vec<IpAddr>> {
    match url.host()? {
        Host::Ipv4(address) if address.is_loopback() => Some(vec![address.into()]),
        Host::Ipv6(address) if address.is_loopback() => Some(vec![address.into()]),
        Host::Domain("localhost") => {
            Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        _ => None,
    }
}

fn check_host(url: &Url) -> Result<(), String> {
    let refused = match url.host() {
        Some(Host::Ipv4(address)) => ipv4_rule(address),
        Some(Host::Ipv6(address)) => ipv6_rule(address),
        Some(Host::Domain(name)) => name_rule(name),
        None => Some("no host at all"),
    };
    refused.map_or(Ok(()), |what| {
        Err(format!("`url` must name a public host, not {what}"))
    })
}

fn ipv4_rule(address: Ipv4Addr) -> Option<&'static str> {
    let within = |block: Ipv4Addr, length: u32| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
    };
    IPV4.iter()
        .find(|&&(block, length, _)| within(block, length))
        .map(|&(_, _, what)| what)
}

fn ipv6_rule(address: Ipv6Addr) -> Option<&'static str> {
    let within = |block: Ipv6Addr, length: u32| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
    };
    IPV6.iter()
        .find(|&&(block, length, _)| within(block, length))
        .map(|&(_, _, what)| what)
}

/// The parser has made `name` lower-case and ASCII.
fn name_rule(name: &str) -> Option<&'static str> {
    // A dot at the end marks a full name; it leads to the same host.
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.split('.').any(str::is_empty) {
        return Some("a name with an empty part");
    }
    match name.rsplit_once('.') {
        None if name == "localhost" => Some("`localhost`"),
        None => Some("a name of one part"),
        Some((_, last)) if INTERNAL.contains(&last) => {
            Some("a name below `.localhost`, `.local` or `.internal`")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
