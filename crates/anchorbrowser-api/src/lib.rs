//! Every operation of the AnchorBrowser API, generated from its OpenAPI document: the raw layer of
//! the `anchorbrowser` SDK.
//!
//! This crate knows HTTP and the key, and no convenience: each operation of the document is a
//! method of [`Client`] that takes what the document names and gives the answer as it came. It
//! hides no operation, waits for no state and removes no envelope.
//!
//! What it does add to the generated code holds for each call:
//! - an [`Error`] keeps the status, the headers and the body of the answer, and neither its
//!   `Display` nor its `Debug` prints a body, a header's value, a URL or the key;
//! - an answer is not lost because of a value that the document does not know (see [`wire`]);
//! - nothing is repeated and nothing has a time limit, unless a [`Policy`] says so, and what may
//!   have been processed is repeated only where that is harmless;
//! - the key goes to the API's own origin only, also over redirects;
//! - a path value that would address another operation (empty, `.`, `..`, a word such as `all`)
//!   is refused before anything is sent.

mod client;
mod error;
#[rustfmt::skip]
mod generated;
mod links;
pub mod multipart;
mod operation;
mod policy;
mod raw;
mod runtime;
#[cfg(feature = "schemars")]
mod schemas;
mod transport;
pub mod wire;

pub use client::ClientBuilder;
pub use error::{Error, ErrorBody, ErrorKind};
pub use generated::operations::{
    API_VERSION, DEFAULT_BASE_URL, KEY_HEADER, KEY_PREFIX, OPERATIONS,
};
pub use generated::{Client, DOCUMENT_SHA256, GENERATOR, OVERLAY_SHA256, builder, types};
pub use operation::{Class, Operation};
pub use policy::{Needs, Policy, Retry};
pub use raw::RawRequest;
pub use runtime::{ByteStream, ResponseValue};
#[cfg(feature = "schemars")]
pub use schemas::{TypeSchema, schemas};
#[doc(hidden)]
pub use transport::Repeats;
pub(crate) use transport::Transport;
