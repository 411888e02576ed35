//! Driving a session's browser by the Chrome DevTools Protocol (CDP).
//!
#![doc = include_str!("../docs/browsers.md")]

mod command;
mod connect;
mod connection;
mod driver;
mod error;
mod events;
mod keep_alive;
mod shared;
mod target;

use std::time::Duration;

use tokio::time::Instant;

pub use command::Command;
pub use connect::ConnectCdp;
pub use connection::CdpConnection;
pub use error::CdpError;
pub use events::{CdpEvent, CdpEvents};
pub use keep_alive::KeepAlive;
pub use target::CdpTarget;

#[cfg(feature = "chromiumoxide")]
pub(crate) use connect::Endpoint;

/// What errors call it: the document has no such operation.
pub(crate) const OPERATION: &str = "cdp";

/// A time from now; far away if it cannot be counted.
pub(crate) fn after(time: Duration) -> Instant {
    let now = Instant::now();
    let far = Duration::from_secs(u64::from(u32::MAX));
    now.checked_add(time).unwrap_or(now + far)
}
