//! What can be set: limits, durations, failures, the account.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How long things take, on the emulator's clock.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Timing {
    /// An asynchronous session waits in the queue. Default 200 ms.
    pub queued: Duration,
    /// Then its browser is provisioned. Default 300 ms.
    pub provisioning: Duration,
    /// Then it is configured. Default 200 ms.
    pub configuring: Duration,
    /// One step of an agent. Default 100 ms.
    pub agent_step: Duration,
    /// One run of a task, from `queued` over `running` to its end. Default 400 ms.
    pub task: Duration,
    /// The generation of a task. Default 1 s.
    pub generation: Duration,
    /// The validation of an identity, and one step of a guided login. Default 500 ms.
    pub login: Duration,
    /// A volume is created or deleted. Default zero: at once.
    pub volume: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            queued: Duration::from_millis(200),
            provisioning: Duration::from_millis(300),
            configuring: Duration::from_millis(200),
            agent_step: Duration::from_millis(100),
            task: Duration::from_millis(400),
            generation: Duration::from_secs(1),
            login: Duration::from_millis(500),
            volume: Duration::ZERO,
        }
    }
}

/// What goes wrong without a scripted fault.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Failures {
    /// The share of asynchronous sessions and of batch items that fail, from 0 to 1. Default 0.
    pub session_rate: f64,
    /// Indexes of the batch items that fail, in every batch. Default none.
    pub batch_items: Vec<usize>,
    /// A failed batch item fails again when it is retried. Default `false`: a retry succeeds.
    pub retries_fail: bool,
}

/// The emulated account.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Account {
    /// Credits at the start. Default 1,000. With nothing left, sessions are refused with 402.
    pub credits: f64,
    /// How many sessions run at once; more are refused with 429. Default `None`: no limit.
    pub max_concurrent_browsers: Option<u32>,
    /// Whether volumes are enabled; 403 if not. Default `true`.
    pub volumes: bool,
    /// Session creations taken per [`Account::rate_window`]; more are refused with 429 and `RateLimit` headers.
    /// Default `None`: no limit.
    pub session_rate_limit: Option<u32>,
    /// The window of [`Account::session_rate_limit`]. Default 60 s.
    pub rate_window: Duration,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            credits: 1_000.0,
            max_concurrent_browsers: None,
            volumes: true,
            session_rate_limit: None,
            rate_window: Duration::from_secs(60),
        }
    }
}

/// What a client may take up.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request's body. Default 32 MiB. Larger ones are refused with 413 if the document has it for the
    /// operation, else with 400.
    pub body_bytes: usize,
    /// Bytes of a request's head, at least 8 KiB. Default 64 KiB. Ones that are larger by far get 431: the limit is that
    /// of a buffer, which may take up to twice as much.
    pub head_bytes: usize,
    /// Time for a client to send a request's head; also how long a connection may be idle. Default 30 s.
    pub head_time: Duration,
    /// Time for a client to send a request's body; 408 if it takes longer. Real time, whatever the clock. Default 5 min.
    pub body_time: Duration,
    /// Connections at once. Default 8,192; further ones wait.
    pub connections: usize,
    /// Records of one kind (sessions, batches, ...). Default 100,000. More are refused with 507.
    pub records: usize,
    /// Bytes of all files together, among them profiles and videos of browsers. Default 1 GiB. More are refused with 507.
    pub stored_bytes: u64,
    /// Exchanges kept; the oldest go first. Default 10,000.
    pub exchanges: usize,
    /// Bytes kept of the body of an exchange. Default 64 KiB.
    pub exchange_body_bytes: usize,
    /// Bytes of all exchanges together; the oldest go first. Default 256 MiB.
    pub exchange_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 32 << 20,
            head_bytes: 64 << 10,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(300),
            connections: 8_192,
            records: 100_000,
            stored_bytes: 1 << 30,
            exchanges: 10_000,
            exchange_body_bytes: 64 << 10,
            exchange_bytes: 256 << 20,
        }
    }
}

/// Everything that handlers look up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) seed: u64,
    pub(crate) keys: Keys,
    pub(crate) lenient: bool,
    pub(crate) drift: bool,
    pub(crate) stateless: bool,
    pub(crate) local_webhooks: bool,
    /// The program that runs sessions, if there is one.
    pub(crate) browser: Option<PathBuf>,
    pub(crate) timing: Timing,
    pub(crate) failures: Failures,
    pub(crate) account: Account,
    pub(crate) limits: Limits,
}

/// Keys that are accepted; none: any that is not empty.
#[derive(Clone, Default)]
pub(crate) struct Keys(pub(crate) Vec<String>);

/// Only how many there are.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

impl Keys {
    pub(crate) fn any(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn accept(&self, key: &str) -> bool {
        self.any() || self.0.iter().any(|known| known == key)
    }
}

impl Config {
    /// Says which setting could never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        let visible =
            |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        let limits = &self.limits;
        let wrong = [
            (
                !self.keys.0.iter().all(visible),
                "key: it has visible ASCII characters only, and at least one",
            ),
            (
                !(0.0..=1.0).contains(&self.failures.session_rate),
                "failures.session_rate: must be from 0 to 1",
            ),
            (
                !(self.account.credits.is_finite() && self.account.credits >= 0.0),
                "account.credits: must be a number that is not negative",
            ),
            (
                self.account.rate_window.is_zero(),
                "account.rate_window: must be longer than zero",
            ),
            (
                limits.connections == 0,
                "limits.connections: must be at least 1",
            ),
            (
                limits.head_time.is_zero() || limits.body_time.is_zero(),
                "limits.head_time and limits.body_time: must be longer than zero",
            ),
        ];
        match wrong.iter().find(|(wrong, _)| *wrong) {
            Some((_, message)) => Err((*message).to_owned()),
            None => Ok(()),
        }
    }
}
