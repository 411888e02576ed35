//! Keeps web pages from reading and steering the emulator through the browser of whoever runs it.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method};

use crate::answer::Refusal;

/// Refuses a request that a page of another site has its browser send.
///
/// Such a page can send requests here across sites, which then name it in `Origin`, or point its own name to this
/// machine, which then stands in `Host`. The latter is told apart only if the emulator is `local`, bound to loopback:
/// beyond, it does not know by which names it is reached.
pub(super) fn check(local: bool, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let hosts: Vec<&str> = headers
        .get_all(HOST)
        .iter()
        .map(|host| host.to_str().unwrap_or_default())
        .collect();
    if local && !hosts.iter().all(|host| is_loopback(host)) {
        return Err(Refusal::new(
            403,
            "the header Host names another machine than this one; use the base URL that the emulator printed",
        ));
    }
    let same = |origin: &str| {
        let site = origin.split_once("://").map(|(_, site)| site);
        site.is_some_and(|site| hosts.iter().any(|host| host.eq_ignore_ascii_case(site)))
    };
    let mut origins = headers
        .get_all(ORIGIN)
        .iter()
        .map(|origin| origin.to_str().unwrap_or_default());
    if !method.is_safe() && !origins.all(same) {
        return Err(Refusal::new(
            403,
            "the header Origin names another site; web pages may not steer the emulator, only programs may",
        ));
    }
    Ok(())
}

/// The same for a request for a socket: it is asked for by GET, and yet steers.
pub(crate) fn check_socket(local: bool, headers: &HeaderMap) -> Result<(), Refusal> {
    check(local, &Method::POST, headers)
}

/// Whether a host, perhaps with a port, leads to this machine only.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    if host.contains('@') {
        return false;
    }
    let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let address = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    // Names below `localhost` are nobody's to register.
    address.is_ok_and(|address| address.is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let local = [
            "localhost",
            "LOCALHOST:8787",
            "localhost.:1",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:8",
        ];
        let other = [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:8787",
            "10.0.0.1",
            "[::2]:8",
        ];
        let odd = [
            "0.0.0.0",
            "user@localhost",
            "localhost@example.com",
            "localhost:80:80",
            "notlocalhost",
            "\u{e9}",
        ];
        assert_eq!(local.map(is_loopback), [true; 7]);
        assert_eq!(other.map(is_loopback), [false; 6]);
        assert_eq!(odd.map(is_loopback), [false; 6]);
    }

    #[test]
    fn requests() {
        const LOCAL: bool = true;
        let cases = [
            (LOCAL, "GET", "127.0.0.1:8787", None, true),
            (LOCAL, "GET", "evil.example:8787", None, false),
            (
                LOCAL,
                "GET",
                "localhost:8787",
                Some("https://evil.example"),
                true,
            ),
            (LOCAL, "POST", "localhost:8787", None, true),
            (
                LOCAL,
                "POST",
                "localhost:8787",
                Some("http://localhost:8787"),
                true,
            ),
            (
                LOCAL,
                "POST",
                "localhost:8787",
                Some("http://LOCALHOST:8787"),
                true,
            ),
            (
                LOCAL,
                "POST",
                "localhost:8787",
                Some("http://localhost:3000"),
                false,
            ),
            (LOCAL, "POST", "localhost:8787", Some("null"), false),
            (LOCAL, "PUT", "localhost:8787", Some(""), false),
            (
                LOCAL,
                "DELETE",
                "evil.example:8787",
                Some("http://evil.example:8787"),
                false,
            ),
            (false, "POST", "box.lan:8787", None, true),
            (
                false,
                "POST",
                "box.lan:8787",
                Some("http://box.lan:8787"),
                true,
            ),
            (
                false,
                "POST",
                "box.lan:8787",
                Some("https://evil.example"),
                false,
            ),
            (LOCAL, "GET", "[::1]:8787", None, true),
            (LOCAL, "GET", "evil.example", None, false),
        ];
        for (local, method, host, origin, allowed) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            let done = check(local, &method.parse().unwrap(), &headers);
            assert_eq!(done.is_ok(), allowed, "{local} {method} {host} {origin:?}");
        }
    }
}
