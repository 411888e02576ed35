//! What lists of sessions are narrowed down by.

use crate::error::{Error, Result};
use crate::{BatchId, Client, Timestamp};

#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) tags: Vec<String>,
    pub(super) domains: Vec<String>,
    pub(super) batch: Option<BatchId>,
    pub(super) profile: Option<String>,
    pub(super) created_from: Option<Timestamp>,
    pub(super) created_to: Option<Timestamp>,
    pub(super) extra_stealth: Option<bool>,
    pub(super) proxy: Option<bool>,
    pub(super) task_initiated: Option<bool>,
}

impl Filter {
    /// Refuses what the API would take for two values.
    pub(super) fn check(&self, operation: &'static str, client: &Client) -> Result<()> {
        if !client.checks() {
            return Ok(());
        }
        for (name, values) in [("tags", &self.tags), ("domains", &self.domains)] {
            if values.iter().any(|value| value.contains(',')) {
                let message = format!(
                    "a value of `{name}` holds a comma, and the API would take it for two values"
                );
                return Err(Error::invalid(operation, message));
            }
        }
        Ok(())
    }
}

/// A list as the API takes it; nothing, if it is empty.
pub(super) fn joined(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| list.join(","))
}

/// Writes the setters of a builder that has a `filter`.
macro_rules! filters {
    ($builder:ident) => {
        impl $builder {
            /// Keeps sessions that have this tag, and all others that were given. A tag that holds
            /// a comma cannot be asked for.
            pub fn tag(mut self, tag: impl Into<String>) -> Self {
                self.filter.tags.push(tag.into());
                self
            }

            /// Keeps sessions that visited this domain, and all others that were given.
            pub fn domain(mut self, domain: impl Into<String>) -> Self {
                self.filter.domains.push(domain.into());
                self
            }

            /// Keeps sessions of a batch.
            pub fn batch(mut self, id: impl Into<$crate::BatchId>) -> Self {
                self.filter.batch = Some(id.into());
                self
            }

            /// Keeps sessions whose profile has this text in its name, in upper or lower case.
            pub fn profile(mut self, name: impl Into<String>) -> Self {
                self.filter.profile = Some(name.into());
                self
            }

            /// Keeps sessions that were created at this time or later.
            pub fn created_from(mut self, time: impl Into<$crate::Timestamp>) -> Self {
                self.filter.created_from = Some(time.into());
                self
            }

            /// Keeps sessions that were created at this time or earlier.
            pub fn created_to(mut self, time: impl Into<$crate::Timestamp>) -> Self {
                self.filter.created_to = Some(time.into());
                self
            }

            /// Keeps sessions with, or without, extra stealth.
            pub fn extra_stealth(mut self, on: bool) -> Self {
                self.filter.extra_stealth = Some(on);
                self
            }

            /// Keeps sessions with, or without, a proxy.
            pub fn proxy(mut self, on: bool) -> Self {
                self.filter.proxy = Some(on);
                self
            }

            /// Keeps sessions that a task started, or the others.
            pub fn task_initiated(mut self, on: bool) -> Self {
                self.filter.task_initiated = Some(on);
                self
            }
        }
    };
}

/// Hands a filter to a raw builder.
macro_rules! narrow {
    ($call:ident, $filter:expr) => {
        let filter = $filter;
        $crate::macros::set!($call,
            tags: $crate::resources::sessions::filter::joined(&filter.tags),
            domains: $crate::resources::sessions::filter::joined(&filter.domains),
            batch_id: filter.batch,
            profile_name: filter.profile,
            created_from: filter.created_from,
            created_to: filter.created_to,
            extra_stealth: filter.extra_stealth,
            proxy: filter.proxy,
            task_initiated: filter.task_initiated,
        );
    };
}

pub(super) use {filters, narrow};
