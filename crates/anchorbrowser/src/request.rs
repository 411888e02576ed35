//! Requests to paths that the document lacks.

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Client;
use crate::api::Class;
use crate::call::{Answer, Call};
use crate::transfer::Download;

/// A request to any path; see [`Client::request`].
///
/// It is repeated after a failure as an operation would be: GET and HEAD always, PUT and DELETE as
/// what is harmless to repeat, others only if they certainly were not processed.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `json`"]
pub struct RawRequest(anchorbrowser_api::RawRequest);

impl RawRequest {
    pub(crate) fn new(client: &Client, method: Method, path: &str) -> Self {
        Self(client.api().request(method, path))
    }

    /// Adds a query parameter.
    pub fn query(self, name: &str, value: &str) -> Self {
        Self(self.0.query(name, value))
    }

    /// Adds a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Sends this as JSON.
    pub fn body(self, body: &impl Serialize) -> Self {
        Self(self.0.json(body))
    }

    /// Whether the request may be sent again when its outcome is unknown.
    pub fn harmless_to_repeat(self, harmless: bool) -> Self {
        Self(self.0.class(if harmless {
            Class::Repeatable
        } else {
            Class::Once
        }))
    }

    /// Sends it; the body of the answer is read as JSON.
    pub fn json<T: DeserializeOwned + Send + 'static>(self) -> Call<T> {
        Call::from_future(async move { Ok(Answer::new(self.0.fetch::<T>().await?)) })
    }

    /// Sends it; the body of the answer is a stream of bytes.
    pub fn send(self) -> Call<Download> {
        Download::of(Call::from_future(async move {
            Ok(Answer::new(self.0.send().await?))
        }))
    }
}
