//! What the generated calls are made of.

use std::future::Future;
use std::pin::Pin;

use anchorbrowser_api::{Client, Error, ResponseValue};
use reqwest::StatusCode;

/// One call of an operation, with all its parameters.
pub(crate) struct Call {
    /// The operation.
    pub(crate) id: &'static str,
    /// Its resource.
    pub(crate) resource: &'static str,
    /// Makes the call.
    pub(crate) call: fn(Client) -> Calling,
}

/// A call under way.
pub(crate) type Calling = Pin<Box<dyn Future<Output = Result<Called, Error>> + Send>>;

/// What became of a call.
#[derive(Debug)]
pub(crate) struct Called {
    /// The status of the answer.
    pub(crate) status: StatusCode,
}

/// Forgets the type of an answer.
pub(crate) fn done<T>(result: Result<ResponseValue<T>, Error>) -> Result<Called, Error> {
    result.map(|response| Called {
        status: response.status(),
    })
}

/// A value of a request type, from JSON.
pub(crate) fn value<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}
