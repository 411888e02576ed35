//! The state of the rate limit, as answers tell it.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// The state of a rate limit, from the headers `RateLimit` and `RateLimit-Policy`.
///
/// If an answer tells of several limits, this is the one that is nearest to being used up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The name of the limit, e.g. `5-in-1min`.
    pub policy: String,
    /// How many requests are left.
    pub remaining: u64,
    /// After what time the count starts anew, if it is told.
    pub reset: Option<Duration>,
    /// How many requests a window takes, if it is told.
    pub quota: Option<u64>,
    /// The length of a window, if it is told.
    pub window: Option<Duration>,
}

impl RateLimit {
    /// Reads the headers; `None` if there are none, or none that can be read.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let policies = items(headers, "ratelimit-policy");
        let limits = items(headers, "ratelimit").into_iter().filter_map(|item| {
            let policy = policies.iter().find(|policy| policy.name == item.name);
            let of_policy = |key| policy.and_then(|policy| policy.number(key));
            Some(Self {
                remaining: item.number("r")?,
                reset: item.number("t").map(Duration::from_secs),
                quota: of_policy("q"),
                window: of_policy("w").map(Duration::from_secs),
                policy: item.name,
            })
        });
        limits.min_by_key(|limit| limit.remaining)
    }
}

/// One member of a list of a structured field: a string with parameters.
struct Item {
    name: String,
    parameters: Vec<(String, String)>,
}

impl Item {
    fn number(&self, key: &str) -> Option<u64> {
        let (_, value) = self.parameters.iter().find(|(name, _)| name == key)?;
        value.parse().ok()
    }
}

/// The members of a header that is a list of strings with parameters (RFC 9651, as far as these
/// headers use it).
fn items(headers: &HeaderMap, name: &str) -> Vec<Item> {
    let values = headers.get_all(name).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| split(text, ','))
        .filter_map(item)
        .collect()
}

fn item(text: &str) -> Option<Item> {
    let mut parts = split(text, ';');
    let name = parts.next()?.trim();
    let name = name.strip_prefix('"').unwrap_or(name);
    let parameters = parts.map(|part| match part.split_once('=') {
        Some((key, value)) => (key.trim().to_owned(), value.trim().to_owned()),
        None => (part.trim().to_owned(), String::new()),
    });
    Some(Item {
        name: name.strip_suffix('"').unwrap_or(name).to_owned(),
        parameters: parameters.collect(),
    })
}

/// Splits at a separator that does not stand in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limit: &'static str, policy: &'static str) -> Option<RateLimit> {
        let value = reqwest::header::HeaderValue::from_static;
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit", value(limit));
        headers.insert("ratelimit-policy", value(policy));
        RateLimit::read(&headers)
    }

    #[test]
    fn the_headers_of_the_draft_are_read() {
        let policy = r#""5-in-1min"; q=5; w=60; pk=:YWJj:"#;
        let limit = read(r#""5-in-1min"; r=0; t=58"#, policy).expect("a limit");
        assert_eq!(limit.policy, "5-in-1min");
        assert_eq!((limit.remaining, limit.quota), (0, Some(5)));
        assert_eq!(limit.reset, Some(Duration::from_secs(58)));
        assert_eq!(limit.window, Some(Duration::from_secs(60)));
    }

    #[test]
    fn of_several_limits_the_tightest_counts() {
        let limit = read(r#""a,;b";r=9, "c";r=2;t=x"#, "").expect("a limit");
        assert_eq!((&*limit.policy, limit.remaining), ("c", 2));
        assert_eq!((limit.reset, limit.quota), (None, None));
        assert_eq!(
            read(r#""a,;b";r=9"#, "").map(|limit| limit.policy),
            Some("a,;b".into())
        );
    }

    #[test]
    fn what_cannot_be_read_is_no_limit() {
        for text in ["", "x", r#""a"; t=1"#, r#""a"; r=-1"#, "\"", ";;,,="] {
            assert_eq!(read(text, text), None, "{text}");
        }
    }
}
