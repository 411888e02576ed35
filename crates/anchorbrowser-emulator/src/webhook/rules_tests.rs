use super::*;

/// Taken with and without local webhooks.
const TAKEN: &[&str] = &[
    "https://example.com",
    "https://example.com/",
    "https://example.com./hook",
    "https://hooks.example.com:8443/a/b?c=d#e",
    "HTTPS://EXAMPLE.COM/hook",
    "https://example.com/a@b?c=d@e",
    "https://bücher.example/hook",
    "https://internal.example.com/",
    "https://localhost.example.com/",
    "https://8.8.8.8/hook",
    "https://8.8.8.8:8443",
    "https://100.63.255.255/",
    "https://100.128.0.0/",
    "https://169.253.255.255/",
    "https://172.15.255.255/",
    "https://172.32.0.0/",
    "https://223.255.255.255/",
    "https://[2606:4700::1111]/hook",
    "https://[2606:4700::1111]:8443/hook",
];

/// Refused with and without local webhooks, with a part of the message.
const REFUSED: &[(&str, &str)] = &[
    ("", "not a valid URL"),
    ("example.com/hook", "not a valid URL"),
    ("https://", "not a valid URL"),
    ("https://[::1", "not a valid URL"),
    ("https://1.2.3.256/", "not a valid URL"),
    ("https://[fe80::1%25eth0]/", "not a valid URL"),
    ("https:example.com", "after `://`"),
    ("https:///example.com", "after `://`"),
    ("ftp://example.com/", "https://"),
    ("file:///etc/passwd", "after `://`"),
    ("javascript://example.com/", "https://"),
    ("http://example.com/", "https://"),
    ("http://10.0.0.1/", "https://"),
    ("http://localhost.example.com/", "https://"),
    ("http://app.localhost/", "https://"),
    ("http://[::ffff:127.0.0.1]/", "https://"),
    ("https://user:pass@example.com/", "user name or a password"),
    ("https://user@example.com/", "user name or a password"),
    ("https://@example.com/", "user name or a password"),
    ("https://:@example.com/", "user name or a password"),
    ("http://user@127.0.0.1/", "user name or a password"),
    (" https://example.com/", "spaces"),
    ("https://example.com/a b", "spaces"),
    ("https://exam\nple.com/", "control"),
    ("https://example.com\\@10.0.0.1/", "backslashes"),
    ("https://localhost/", "`localhost`"),
    ("https://LOCALHOST./", "`localhost`"),
    ("https://%6cocalhost/", "`localhost`"),
    ("https://ｌocalhost/", "`localhost`"),
    ("https://app.localhost/", "below"),
    ("https://printer.local/", "below"),
    ("https://printer.LOCAL./", "below"),
    ("https://metadata.google.internal/", "below"),
    ("https://intranet/", "one part"),
    ("https://com./", "one part"),
    ("https://example..com/", "empty part"),
    ("https://.example.com/", "empty part"),
    ("https://example.com../", "empty part"),
    ("https://0.0.0.0/", "unspecified"),
    ("https://0.1.2.3/", "unspecified"),
    ("https://10.255.0.1/", "private"),
    ("https://172.16.0.0/", "private"),
    ("https://172.31.255.255/", "private"),
    ("https://192.168.1.1:8443/", "private"),
    ("https://100.64.0.0/", "carrier-grade"),
    ("https://100.127.255.255/", "carrier-grade"),
    ("https://127.0.0.1/", "loopback"),
    ("https://127.255.255.254/", "loopback"),
    ("https://169.254.169.254/latest/meta-data/", "metadata"),
    ("https://168.63.129.16/", "metadata"),
    ("https://192.0.0.192/", "metadata"),
    ("https://224.0.0.1/", "multicast"),
    ("https://239.255.255.255/", "multicast"),
    ("https://240.0.0.1/", "reserved"),
    ("https://255.255.255.255/", "reserved"),
    ("https://2130706433/", "four decimal numbers"),
    ("https://0x7f000001/", "four decimal numbers"),
    ("https://017700000001/", "four decimal numbers"),
    ("https://0177.0.0.1/", "four decimal numbers"),
    ("https://127.1/", "four decimal numbers"),
    ("https://127.0.0.1./", "four decimal numbers"),
    ("https://0x08080808/", "four decimal numbers"),
    ("https://①②⑦.0.0.1/", "four decimal numbers"),
    ("http://2130706433/", "four decimal numbers"),
    ("https://[::]/", "unspecified"),
    ("https://[::1]/", "loopback"),
    ("https://[0:0:0:0:0:0:0:1]:8443/", "loopback"),
    ("https://[::127.0.0.1]/", "stands for an IPv4"),
    ("https://[::ffff:127.0.0.1]/", "stands for an IPv4"),
    ("https://[::ffff:8.8.8.8]/", "stands for an IPv4"),
    ("https://[::ffff:0:7f00:1]/", "stands for an IPv4"),
    ("https://[64:ff9b::7f00:1]/", "NAT64"),
    ("https://[64:ff9b:1::a00:1]/", "NAT64"),
    ("https://[2001::1]/", "Teredo"),
    ("https://[2002:7f00:1::]/", "6to4"),
    ("https://[fc00::1]/", "unique local"),
    ("https://[fd00:ec2::254]/", "unique local"),
    ("https://[fe80::1]/", "link-local"),
    ("https://[febf::1]/", "link-local"),
    ("https://[fec0::1]/", "site-local"),
    ("https://[ff02::1]/", "multicast"),
];

/// Taken with local webhooks only.
const LOCAL: &[&str] = &[
    "http://127.0.0.1",
    "http://127.0.0.1:1/hook?a=b",
    "http://127.1.2.3:65535/",
    "http://[::1]:8080/",
    "http://localhost:3000/hook",
    "HTTP://LocalHost/",
];

#[test]
fn public_urls_are_taken() {
    for url in TAKEN {
        for local in [false, true] {
            assert_eq!(check_url(url, local), Ok(()), "{url}");
        }
        assert!(local_target(url).is_none(), "{url}");
    }
}

#[test]
fn other_urls_are_refused_with_the_rule() {
    for (url, part) in REFUSED {
        for local in [false, true] {
            let message = check_url(url, local).unwrap_err();
            assert!(message.contains(part), "{url}: {message}");
            assert!(message.starts_with("`url` "), "{url}: {message}");
        }
        assert!(local_target(url).is_none(), "{url}");
    }
}

#[test]
fn loopback_needs_the_permission() {
    for url in LOCAL {
        assert_eq!(check_url(url, true), Ok(()), "{url}");
        let message = check_url(url, false).unwrap_err();
        assert!(message.contains("local webhooks allowed"), "{message}");
    }
}

#[test]
fn length_counts_characters() {
    let fill = |count: usize| format!("https://example.com/{}", "ü".repeat(count));
    assert_eq!(check_url(&fill(LONGEST - 20), false), Ok(()));
    let message = check_url(&fill(LONGEST - 19), false).unwrap_err();
    assert!(message.contains("2048 characters"), "{message}");
}

#[test]
fn messages_do_not_repeat_the_url() {
    for url in [
        "http://10.0.0.1/s3cret",
        "https://10.0.0.1/s3cret",
        "s3cret",
    ] {
        assert!(!check_url(url, false).unwrap_err().contains("s3cret"));
    }
}

#[test]
fn targets_are_on_this_machine() {
    for url in LOCAL {
        let (addresses, _) = local_target(url).unwrap();
        assert!(addresses.iter().all(|a| a.ip().is_loopback()), "{url}");
    }
    let (addresses, _) = local_target("http://localhost:3000/").unwrap();
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["127.0.0.1:3000", "[::1]:3000"]);
    let (addresses, _) = local_target("http://127.0.0.1/").unwrap();
    assert_eq!(addresses, [SocketAddr::from(([127, 0, 0, 1], 80))]);
}
