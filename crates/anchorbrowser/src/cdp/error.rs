//! Why the browser did not do what a command says.

use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;

use crate::error::excerpt;
use crate::socket::Redact;

/// The browser's answer that a command failed; see [`Error::cdp`](crate::Error::cdp).
///
/// `Debug` does not show [`data`](Self::data).
#[derive(Clone)]
#[non_exhaustive]
pub struct CdpError {
    /// The protocol's code, e.g. -32601 for a method that there is not, or -32000 for what failed in
    /// the browser.
    pub code: i64,
    /// What the browser says, without the client's secrets.
    pub message: String,
    /// What it adds, if anything.
    pub data: Option<Value>,
}

impl CdpError {
    /// The member `error` of an answer, in whatever form.
    pub(super) fn read(mut error: Value, redact: &Redact) -> Self {
        let message = error.get("message").and_then(Value::as_str);
        Self {
            code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
            message: redact.text(message.unwrap_or("the browser gives no reason")),
            data: error.get_mut("data").map(Value::take),
        }
    }
}

impl fmt::Display for CdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", excerpt(&self.message), self.code)
    }
}

impl fmt::Debug for CdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CdpError")
            .field("code", &self.code)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl StdError for CdpError {}
