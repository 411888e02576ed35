use std::fmt;
use std::time::Duration;

use super::{Client, RetryPolicy};
use crate::error::Result;

/// What [`Client::with_options`] changes; what is not set stays as it is.
#[derive(Clone, Default)]
#[must_use]
pub struct Options {
    attempt_timeout: Option<Duration>,
    operation_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
    checks: Option<bool>,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl Options {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// See [`ClientBuilder::attempt_timeout`](super::ClientBuilder::attempt_timeout).
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = Some(limit);
        self
    }

    /// See [`ClientBuilder::operation_timeout`](super::ClientBuilder::operation_timeout).
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.operation_timeout = Some(limit);
        self
    }

    /// See [`ClientBuilder::idle_timeout`](super::ClientBuilder::idle_timeout).
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = Some(limit);
        self
    }

    /// How often a failed request is repeated, with the defaults of [`RetryPolicy::new`].
    pub fn retries(self, max: u32) -> Self {
        self.retry(RetryPolicy::new(max))
    }

    /// See [`ClientBuilder::retry`](super::ClientBuilder::retry).
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// See [`ClientBuilder::checks`](super::ClientBuilder::checks).
    pub fn checks(mut self, on: bool) -> Self {
        self.checks = Some(on);
        self
    }

    /// A further header for each request to the API, in place of one of this name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A further query parameter for each request to the API.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    pub(super) fn apply(self, client: &Client) -> Result<Client> {
        let mut policy = client.api.policy().clone();
        policy.attempt_timeout = self.attempt_timeout.or(policy.attempt_timeout);
        policy.operation_timeout = self.operation_timeout.or(policy.operation_timeout);
        policy.idle_timeout = self.idle_timeout.or(policy.idle_timeout);
        if let Some(retry) = self.retry {
            policy.retry = retry.0;
        }
        let mut api = client.api.with_policy(policy);
        for (name, value) in &self.headers {
            api = api.with_header(name, value)?;
        }
        for (name, value) in &self.query {
            api = api.with_query(name, value);
        }
        Ok(Client {
            api,
            checks: self.checks.unwrap_or(client.checks),
            polling: client.polling.apart(),
        })
    }
}

/// Prints no header's or parameter's value.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |list: &[(String, String)]| -> Vec<String> {
            list.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("Options")
            .field("attempt_timeout", &self.attempt_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("retry", &self.retry)
            .field("checks", &self.checks)
            .field("headers", &names(&self.headers))
            .field("query", &names(&self.query))
            .finish()
    }
}
