#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
//!
//! This crate builds no URL and knows no wire format: each call goes through
//! [`anchorbrowser_api`], the raw layer, which [`Client::api`] shows.

mod background;
#[cfg(feature = "chromiumoxide")]
#[cfg_attr(docsrs, doc(cfg(feature = "chromiumoxide")))]
pub mod browser;
mod call;
#[cfg(feature = "cdp")]
#[cfg_attr(docsrs, doc(cfg(feature = "cdp")))]
pub mod cdp;
mod client;
mod error;
mod id;
#[cfg(feature = "logging")]
#[cfg_attr(docsrs, doc(cfg(feature = "logging")))]
pub mod logging;
mod macros;
mod page;
pub mod poll;
mod rate_limit;
mod request;
mod resources;
mod secret;
mod session;
#[cfg(any(feature = "cdp", feature = "steps"))]
mod socket;
#[cfg(feature = "steps")]
mod steps;
mod timing;
mod transfer;
mod url;
#[cfg(feature = "webhooks")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
pub mod webhook;

#[cfg(feature = "chromiumoxide")]
#[cfg_attr(docsrs, doc(cfg(feature = "chromiumoxide")))]
pub use browser::ConnectedBrowser;
pub use call::{Answer, Call, CallFuture, Meta};
#[cfg(feature = "cdp")]
#[cfg_attr(docsrs, doc(cfg(feature = "cdp")))]
pub use cdp::CdpConnection;
pub use client::{Client, ClientBuilder, Options, RetryPolicy};
pub use error::{Error, ErrorKind, Result};
pub use id::*;
pub use page::{List, Page, PageStream};
pub use poll::{PollStream, PollToken, Poller, wait_all};
pub use rate_limit::RateLimit;
pub use request::RawRequest;
pub use resources::*;
pub use secret::{CdpUrl, LiveViewUrl};
pub use session::{DownloadedFile, Session, control};
#[cfg(feature = "steps")]
#[cfg_attr(docsrs, doc(cfg(feature = "steps")))]
pub use steps::{Step, Steps};
pub use transfer::{Download, Progress, Upload};

pub use anchorbrowser_api as api;
pub use anchorbrowser_api::wire::{Secret, SecretJson, Timestamp};
pub use bytes::Bytes;
#[cfg(feature = "chromiumoxide")]
#[cfg_attr(docsrs, doc(cfg(feature = "chromiumoxide")))]
pub use chromiumoxide;
pub use reqwest;
#[cfg(feature = "schemars")]
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
pub use schemars;
