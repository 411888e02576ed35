//! The emulator over HTTP, as clients see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod agent_access;
mod agents;
mod applications;
mod async_sessions;
mod batches;
mod billing;
mod binary;
mod control;
mod control_api;
mod document;
mod events;
mod extensions;
mod faults;
mod held;
mod history;
mod hostile;
mod identities;
mod integrations;
mod interventions;
mod logins;
mod machines;
mod profiles;
mod recordings;
mod requests;
mod routing;
mod session_files;
mod sessions;
mod state_file;
mod support;
mod tasks;
mod tasks_v2;
mod tools;
mod volumes;
mod webhooks;
