use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser_api::{Policy, Retry};

use super::{Client, patience};
use crate::error::Result;
use crate::poll::{self, Adaptive, PollSchedule, Polling};

/// How long an attempt waits for its answer, if the operation needs no longer.
const ATTEMPT: Duration = Duration::from_secs(60);
/// How long an upload or a download may stand still.
const IDLE: Duration = Duration::from_secs(60);

/// The settings of a [`Client`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    api: anchorbrowser_api::ClientBuilder,
    policy: Policy,
    checks: bool,
    schedule: Option<Arc<dyn PollSchedule>>,
    polls_per_second: f64,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self::of(anchorbrowser_api::Client::builder())
    }

    /// Starts from the environment: `ANCHORBROWSER_API_KEY`, `ANCHORBROWSER_BASE_URL` and
    /// `ANCHORBROWSER_CUSTOM_HEADERS` (one `Name: value` a line). An empty variable counts as
    /// absent. What is set afterwards wins.
    pub fn from_env() -> Self {
        Self::of(anchorbrowser_api::ClientBuilder::from_env())
    }

    fn of(api: anchorbrowser_api::ClientBuilder) -> Self {
        let policy = Policy {
            retry: RetryPolicy::default().0,
            attempt_timeout: Some(ATTEMPT),
            operation_timeout: None,
            idle_timeout: Some(IDLE),
            needs: patience::needs,
        };
        Self {
            api,
            policy,
            checks: true,
            schedule: None,
            polls_per_second: poll::PER_SECOND,
        }
    }

    /// Where the API is; default `https://api.anchorbrowser.io`. It may have a path, below which
    /// all operations are then sought.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        self.api(|api| api.base_url(url))
    }

    /// The API key. Without one, only [`Client::agent_access`] can be called.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.api(|api| api.api_key(key))
    }

    /// A header for each request to the API, in place of an earlier one of this name. It is not
    /// sent to other hosts.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.api(|api| api.header(name, value))
    }

    /// The `User-Agent`; default `anchorbrowser-rust/<version>`, or that of
    /// [`http_client`](Self::http_client).
    pub fn user_agent(self, value: impl Into<String>) -> Self {
        self.api(|api| api.user_agent(value))
    }

    /// An HTTP proxy for all requests, e.g. `http://user:password@proxy.example:3128`. By default
    /// that of the environment (`HTTPS_PROXY`, `NO_PROXY` and so on). Refused together with [`http_client`](Self::http_client), which has settings of its own.
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.api(|api| api.proxy(url))
    }

    /// The HTTP client to use, e.g. one with other certificates.
    ///
    /// Configure it with `reqwest::redirect::Policy::none()`: the SDK follows redirects itself,
    /// and any other policy may carry the key to another host.
    ///
    /// Its connections belong to the runtime that opens them. What the SDK does in the background,
    /// as ending an [`OwnedSession`](crate::sessions::OwnedSession), uses them too: keep the runtime
    /// running until that is done.
    pub fn http_client(self, client: reqwest::Client) -> Self {
        self.api(|api| api.http_client(client))
    }

    /// How long connecting may take; default 20 seconds. Has no effect together with
    /// [`http_client`](Self::http_client).
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.api(|api| api.connect_timeout(limit))
    }

    /// How long one attempt may take, from sending to the end of the answer; default 60 seconds.
    /// An attempt that times out is repeated if that is harmless.
    ///
    /// Operations that are known to take longer have longer limits, which this setting does not
    /// shorten; [`operation_timeout`](Self::operation_timeout) does. Of uploads and downloads only
    /// the time in which nothing moves is limited: [`idle_timeout`](Self::idle_timeout).
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.policy.attempt_timeout = Some(limit);
        self
    }

    /// How long an operation may take in all: attempts, the pauses between them and the wait for
    /// the [`concurrency_limit`](Self::concurrency_limit). By default the attempts' own limits are
    /// all there is. It holds for every operation, also for those that take long; of a download,
    /// up to the beginning of the body.
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.policy.operation_timeout = Some(limit);
        self
    }

    /// How long an upload or a download may stand still; default 60 seconds.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.policy.idle_timeout = Some(limit);
        self
    }

    /// When and how often failed requests are repeated; default [`RetryPolicy::default`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy.retry = policy.0;
        self
    }

    /// How many requests may wait for an answer at once, over all clones of the client; further
    /// ones wait their turn. By default there is no limit. Ending a session never waits.
    pub fn concurrency_limit(self, limit: usize) -> Self {
        self.api(|api| api.concurrency_limit(limit))
    }

    /// Whether arguments are checked against what the API states in prose, e.g. that solving
    /// captchas needs a proxy; default `true`. Turn it off if the API has learned what this
    /// version of the SDK refuses.
    pub fn checks(mut self, on: bool) -> Self {
        self.checks = on;
        self
    }

    /// When [waits](crate::poll) poll, unless a poller has a schedule of its own; default
    /// [`Adaptive`].
    pub fn poll_schedule(mut self, schedule: impl PollSchedule) -> Self {
        self.schedule = Some(Arc::new(schedule));
        self
    }

    /// How many polls all [waits](crate::poll) of the client and its clones make in a second, at
    /// most; default 100. They have their turn in the order in which they are due. Less than one in
    /// a quarter of an hour counts as that.
    pub fn polls_per_second(mut self, limit: f64) -> Self {
        self.polls_per_second = limit;
        self
    }

    /// Makes the client; connects to nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is refused. No error prints the
    /// setting's value.
    pub fn build(self) -> Result<Client> {
        let schedule = self.schedule.unwrap_or_else(|| Arc::new(Adaptive::new()));
        Ok(Client {
            api: self.api.policy(self.policy).build()?,
            checks: self.checks,
            polling: Polling::new(schedule, self.polls_per_second),
        })
    }

    fn api(
        mut self,
        set: impl FnOnce(anchorbrowser_api::ClientBuilder) -> anchorbrowser_api::ClientBuilder,
    ) -> Self {
        self.api = set(self.api);
        self
    }
}

/// Prints no secret.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("api", &self.api)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

/// When and how often failed requests are repeated.
///
/// Repeated is what certainly was not processed (no connection, 429, 503 that says when to come
/// back), and of operations that are harmless to repeat also what may have been processed (time
/// limits, broken connections, 500, 502, 503, 504). 408 and 409 are final. An operation that
/// creates, runs or sends something is not repeated unless it certainly was not processed: a
/// session costs money. The server's `x-should-retry`, `retry-after-ms` and `Retry-After` are
/// obeyed. Pauses have full jitter, and a budget that all calls of a client share keeps repeats
/// from making an outage worse.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetryPolicy(pub(crate) Retry);

impl RetryPolicy {
    /// At most this many repeats, with the other defaults: pauses of up to half a second, doubling
    /// to 8 seconds; a server may ask for up to 60 seconds.
    pub fn new(max_retries: u32) -> Self {
        Self(Retry::new(max_retries))
    }

    /// No repeats.
    pub fn none() -> Self {
        Self::new(0)
    }

    /// The longest first pause, which doubles with each repeat up to `max`. The pause is a random
    /// part of it.
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        self.0.initial_backoff = initial;
        self.0.max_backoff = max;
        self
    }

    /// The longest pause that a server may ask for; default 60 seconds. If it asks for more, the
    /// failure is final, and [`Error::retry_after`](crate::Error::retry_after) tells it.
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.0.max_retry_after = limit;
        self
    }
}

/// Two repeats.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new(2)
    }
}
