//! Methods of the SDK, as the coverage test calls them.

use std::future::Future;
use std::pin::Pin;

use anchorbrowser::{Client, Result};

/// An id that is valid wherever the API wants one.
pub(crate) const ID: &str = "0b5e8f5e-3c1a-4d0f-9a52-7d1b6d6c1f10";

/// A call under way.
pub(crate) type Calling = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A method of the SDK that reaches an operation.
pub(crate) struct Method {
    /// How it is called, e.g. `client.sessions().get(ID)`.
    pub(crate) name: &'static str,
    pub(crate) call: fn(Client) -> Calling,
}

/// Lists calls: `methods!(client => client.sessions().get(ID), ...)`. Each must be awaitable.
macro_rules! methods {
    ($client:ident => $($call:expr),* $(,)?) => {
        vec![$($crate::sdk::methods::Method {
            name: stringify!($call),
            call: |$client| Box::pin(async move {
                let _ = $call.await?;
                Ok(())
            }),
        }),*]
    };
}
pub(crate) use methods;
