//! What a server says, without what must not be shown.

use anchorbrowser_api::wire::Secret;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::Client;

/// A shorter value or segment of a URL is no secret, and replacing it would garble the text.
const SHORTEST_VALUE: usize = 8;
const SHORTEST_SEGMENT: usize = 16;

/// Takes secrets out of texts: the client's, and the parts of a URL.
#[derive(Clone)]
pub(crate) struct Redact {
    client: Option<Client>,
    secrets: Vec<String>,
}

impl Redact {
    /// Nothing is secret.
    #[cfg(test)]
    pub(crate) fn nothing() -> Self {
        Self {
            client: None,
            secrets: Vec::new(),
        }
    }

    /// What the client knows as secret, and parts of a URL: the values in its query and the segments of
    /// its path, but for these.
    pub(crate) fn new(client: &Client, url: &Secret, shown: &[&str]) -> Self {
        Self {
            client: Some(client.clone()),
            secrets: parts(url, shown),
        }
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        let known = match &self.client {
            Some(client) => client.api().redact(text),
            None => text.to_owned(),
        };
        let secrets = self.secrets.iter();
        secrets.fold(known, |text, secret| text.replace(secret, "***"))
    }
}

fn parts(url: &Secret, shown: &[&str]) -> Vec<String> {
    let Ok(url) = Url::parse(url.expose()) else {
        return Vec::new();
    };
    let query = url.query().unwrap_or_default().split('&');
    let values = query.filter_map(|pair| Some(pair.split_once('=')?.1));
    let values = values.filter(|value| value.len() >= SHORTEST_VALUE);
    let segments = url.path_segments().into_iter().flatten();
    let segments = segments.filter(|segment| segment.len() >= SHORTEST_SEGMENT);
    let mut parts = Vec::new();
    for part in values.chain(segments).chain(url.password()) {
        let decoded = percent_decode_str(part).decode_utf8_lossy();
        if !shown.contains(&&*decoded) {
            parts.extend([part.to_owned(), decoded.into_owned()]);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url_are_not_shown() {
        let url =
            "wss://h.example/devtools/canary-path-0123?apiKey=canary%2Fkey&a=b&sessionId=session-1";
        let redact = Redact {
            client: None,
            secrets: parts(&Secret::from(url), &["session-1"]),
        };
        let told = "canary-path-0123 canary/key canary%2Fkey b session-1 devtools";
        assert_eq!(redact.text(told), "*** *** *** b session-1 devtools");
    }
}
