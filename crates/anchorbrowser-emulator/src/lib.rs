//! The AnchorBrowser API on localhost, read from its OpenAPI document.
//!
//! It knows nothing of the client crates: it reads the document itself, checks requests and its own answers by it, and
//! keeps the state that the service would keep.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use anchorbrowser_emulator::{Emulator, EmulatorError, Fault};
//!
//! # async fn run() -> Result<(), EmulatorError> {
//! let emulator = Emulator::builder().manual_clock().start().await?;
//! emulator.fault(Fault::status(503).on("create_session").times(2))?;
//!
//! // Give `emulator.base_url()` to the program under test; meanwhile:
//! let request = emulator.wait_for("wait_for_event", 1).await?;
//! assert!(request.violations.is_empty());
//! emulator.advance(Duration::from_secs(60))?; // nobody signals the event
//! assert_eq!(emulator.count("create_session")?, 3);
//! # Ok(())
//! # }
//! ```

mod agent;
mod answer;
mod body;
mod browser;
mod builder;
mod call;
mod config;
mod control;
mod courier;
pub mod document;
pub mod drift;
mod emulator;
mod exchange;
mod fault;
mod media;
mod resources;
pub mod sample;
mod server;
mod service;
mod shared;
mod socket;
mod time;
mod webhook;
mod world;

pub use agent::{AgentOutcome, AgentScript, Question};
pub use browser::Browser;
pub use builder::Builder;
pub use config::{Account, Failures, Limits, Timing};
pub use emulator::{Emulator, EmulatorError};
pub use exchange::Exchange;
pub use fault::Fault;
