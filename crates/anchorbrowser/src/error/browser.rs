//! Failures of commands to a browser.

use std::sync::Arc;

use super::{Error, ErrorKind};
use crate::cdp::CdpError;

impl Error {
    /// A command that the browser says failed.
    pub(crate) fn refused_by_browser(method: &str, refusal: CdpError) -> Self {
        let mut error = Self::new(ErrorKind::Cdp, format!("`{method}` failed: {refusal}")).sent();
        error.0.reason = Some(refusal.message.clone());
        error.0.cdp = Some(Arc::new(refusal));
        error
    }

    /// What was asked for once, by whatever means.
    pub(crate) fn sent(mut self) -> Self {
        self.0.attempts = 1;
        self
    }

    /// What the browser says of a command that failed: code, message, data.
    #[cfg_attr(docsrs, doc(cfg(feature = "cdp")))]
    pub fn cdp(&self) -> Option<&CdpError> {
        self.0.cdp.as_deref()
    }
}
