//! Commands to a browser.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout_at;

use super::connection::{CdpConnection, answered};
use super::target::Attached;
use super::{OPERATION, after};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Result, misfit};

/// A command to a browser: await it for the result; see [`CdpConnection::send`].
///
/// Nothing is sent before. A command that is dropped is forgotten: the browser may do it all the same.
#[must_use = "nothing is sent before it is awaited"]
pub struct Command<T = Value> {
    connection: CdpConnection,
    target: Option<Arc<Attached>>,
    method: String,
    params: Result<Value, serde_json::Error>,
    limit: Duration,
    output: PhantomData<fn() -> T>,
}

impl Command {
    pub(super) fn new(
        connection: &CdpConnection,
        target: Option<Arc<Attached>>,
        method: String,
        params: Result<Value, serde_json::Error>,
    ) -> Self {
        Self {
            connection: connection.clone(),
            target,
            method,
            params,
            limit: connection.command_limit(),
            output: PhantomData,
        }
    }

    /// Reads the result as this type.
    ///
    /// ```no_run
    /// # async fn example(cdp: anchorbrowser::CdpConnection) -> anchorbrowser::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Version {
    ///     product: String,
    /// }
    ///
    /// let version = cdp.send("Browser.getVersion", ()).output_as::<Version>().await?;
    /// println!("{}", version.product);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Also [`ErrorKind::Decode`] if it does not fit.
    pub fn output_as<T: DeserializeOwned + Send + 'static>(self) -> Command<T> {
        Command {
            connection: self.connection,
            target: self.target,
            method: self.method,
            params: self.params,
            limit: self.limit,
            output: PhantomData,
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> Command<T> {
    /// How long it waits for the answer; by default as the connection says, which is 60 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sends it, and waits for the answer without an async runtime of the caller's.
    ///
    /// # Errors
    /// As [`CdpConnection::send`].
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> Result<T> {
        self.into_future().blocking()
    }

    async fn run(self) -> Result<T> {
        let method = &self.method;
        let params = match self.params {
            Ok(params @ (Value::Null | Value::Object(_))) => params,
            Ok(_) => {
                let message = format!("the parameters of `{method}` must be an object");
                return Err(Error::invalid(OPERATION, message));
            }
            Err(_) => {
                let message = format!("the parameters of `{method}` are no JSON");
                return Err(Error::invalid(OPERATION, message));
            }
        };
        let at = after(self.limit);
        let session_id = self.target.as_deref().map(Attached::session_id);
        let waiting = self.connection.submit(method, &params, session_id);
        let waiting = waiting.map_err(|end| end.error)?;
        let outcome = timeout_at(at, waiting.outcome()).await.map_err(|_| {
            let message = format!(
                "`{method}` has no answer after {:?}; the browser may do it all the same",
                self.limit
            );
            Error::new(ErrorKind::Timeout, message).of(OPERATION).sent()
        })?;
        let result = outcome
            .map_err(|end| end.error.sent())?
            .map_err(|error| Error::refused_by_browser(method, error).of(OPERATION))?;
        T::deserialize(result).map_err(|error| {
            let reason = misfit(&error);
            let message = format!("the result of `{method}` does not fit: {reason}");
            Error::new(ErrorKind::Decode, message).of(OPERATION).sent()
        })
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Command<T> {
    type Output = Result<T>;
    type IntoFuture = Call<T>;

    fn into_future(self) -> Call<T> {
        answered(self.run())
    }
}

/// Prints no parameters: they may hold a password that is typed.
impl<T> fmt::Debug for Command<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("method", &self.method)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
