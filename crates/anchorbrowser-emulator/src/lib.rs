//! The AnchorBrowser API on localhost, read from its OpenAPI document.
//!
//! It knows nothing of the client crates: it reads the document itself, checks requests and its own answers by it, and
//! keeps the state that the service would keep.

mod agent;
mod answer;
mod body;
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
mod time;
mod webhook;
mod world;

pub use agent::{AgentOutcome, AgentScript, Question};
pub use config::{Account, Failures, Limits, Timing};
pub use emulator::{Builder, Emulator, EmulatorError};
pub use exchange::Exchange;
pub use fault::Fault;
