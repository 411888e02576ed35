//! Tests of the workspace through the public API, against servers on loopback.

// What helpers of tests do is as good as done in a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attempts;
mod attempts_limits;
mod attempts_raw;
mod attempts_trace;
mod bodies;
mod browsers;
mod calls;
mod callsites;
mod contract;
mod decode;
mod errors;
#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, unused_imports, clippy::all)]
mod generated;
mod operations;
mod paths;
mod redirects;
mod sdk;
mod secrets;
mod server;
mod snapshot;
mod streams;
mod survive;
mod transport;
mod types;
mod walk;
mod wire;
