use std::fmt;
use std::time::SystemTime;

use anchorbrowser_api::wire::Secret;
use serde::Serialize;
use serde_json::Value;

use super::error::SecretError;
use super::headers::{DELIVERY_ID, EVENT, Headers, SIGNATURE, TIMESTAMP};
use super::signature::Keys;

/// Signs deliveries as Anchor does, for tests of a receiver.
#[derive(Clone)]
#[must_use]
pub struct Signer {
    keys: Keys,
    event: Option<String>,
    delivery_id: String,
}

impl Signer {
    /// Signs with one secret.
    ///
    /// # Errors
    /// If the secret is empty or has white space around it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, SecretError> {
        Self::with_secrets([secret])
    }

    /// Signs with each of these secrets: one `v1` for each, in this order.
    ///
    /// # Errors
    /// If there is none, or if one is empty or has white space around it.
    pub fn with_secrets<S: Into<Secret>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, SecretError> {
        Ok(Self {
            keys: Keys::new(secrets)?,
            event: None,
            delivery_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        })
    }

    /// The value of `Anchor-Event`. The default is the `type` in the body.
    pub fn event(mut self, event: impl Into<String>) -> Self {
        self.event = Some(event.into());
        self
    }

    /// The value of `Anchor-Delivery-Id`. The default is a fixed UUID.
    pub fn delivery_id(mut self, id: impl Into<String>) -> Self {
        self.delivery_id = id.into();
        self
    }

    /// The headers of a delivery of this body, signed at this time: whole seconds of it, and none
    /// before 1970. Without a known event there is no `Anchor-Event`.
    pub fn sign(&self, body: impl AsRef<[u8]>, at: SystemTime) -> SignedHeaders {
        let body = body.as_ref();
        let since = at.duration_since(SystemTime::UNIX_EPOCH);
        let timestamp = since.unwrap_or_default().as_secs().to_string();
        let event = self.event.clone().or_else(|| {
            let body: Value = serde_json::from_slice(body).ok()?;
            body["type"].as_str().map(str::to_owned)
        });
        let mut headers = vec![
            (SIGNATURE, self.keys.sign(&timestamp, body)),
            (TIMESTAMP, timestamp),
            (DELIVERY_ID, self.delivery_id.clone()),
        ];
        headers.extend(event.map(|event| (EVENT, event)));
        SignedHeaders(headers)
    }
}

/// Shows no secret.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("secrets", &self.keys.len())
            .field("event", &self.event)
            .field("delivery_id", &self.delivery_id)
            .finish()
    }
}

/// The headers of a signed delivery: pairs of a name in lower case and a value.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders(Vec<(&'static str, String)>);

impl IntoIterator for SignedHeaders {
    type Item = (&'static str, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Headers for SignedHeaders {
    fn value(&self, name: &str) -> Option<&[u8]> {
        self.0.value(name)
    }
}

/// Leaves out the signature, with which a delivery could be sent again.
impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| match *name {
            SIGNATURE => (*name, "***"),
            _ => (*name, value.as_str()),
        });
        f.debug_map().entries(shown).finish()
    }
}

/// The envelope of an event, with its members in Anchor's order.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    r#type: &'a str,
    created: &'a str,
    project_id: &'a str,
    text: String,
    data: Value,
}

/// The body of a delivery, as JSON without white space, for tests of a receiver.
pub fn sample_event(id: &str, event_type: &str, data: Value) -> Vec<u8> {
    let envelope = Envelope {
        id,
        r#type: event_type,
        created: "2026-01-01T00:00:00.000Z",
        project_id: "00000000-0000-4000-8000-000000000001",
        text: format!("A sample of {event_type}"),
        data,
    };
    // Names are text and numbers are finite, so it can always be written.
    serde_json::to_vec(&envelope).unwrap_or_default()
}
