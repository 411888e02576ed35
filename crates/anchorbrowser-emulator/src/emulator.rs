//! Starting, steering and stopping an emulator.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::agent::AgentScript;
use crate::config::{Account, Config, Failures, Limits, Timing};
use crate::courier::{self, Courier};
use crate::document::{Document, DocumentError};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::server;
use crate::shared::{Clock, Shared, lock};
use crate::time::Time;
use crate::world::{Store, StoreError, World};

/// Why an emulator could not start, or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The document can't be read.
    #[error("the document can't be used")]
    Document(#[from] DocumentError),
    /// The address can't be bound.
    #[error("can't listen on {address}; is it taken, or not an address of this machine?")]
    Bind {
        /// What was to be bound.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The state file can't be used.
    #[error("the state can't be kept")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A setting is out of its range.
    #[error("{0}")]
    Setting(String),
}

impl From<StoreError> for EmulatorError {
    fn from(error: StoreError) -> Self {
        Self::State(Box::new(error))
    }
}

/// Settings of an emulator that is to be started.
#[derive(Debug)]
#[must_use = "an emulator runs from `start` on"]
pub struct Builder {
    config: Config,
    address: SocketAddr,
    document: Option<PathBuf>,
    state: Option<PathBuf>,
    manual: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            config: Config::default(),
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            document: None,
            state: None,
            manual: false,
        }
    }
}

impl Builder {
    /// Listens on this port of the loopback address. Default 0: a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Listens on this address. Beyond loopback, everyone who reaches it can do everything: there is no account to
    /// protect. Default `127.0.0.1:0`.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves this document, YAML or JSON, instead of the embedded one. Operations that the emulator does not know
    /// are answered from their schemas.
    pub fn document(mut self, path: impl Into<PathBuf>) -> Self {
        self.document = Some(path.into());
        self
    }

    /// Accepts this key, and no other but those given likewise. Default: any key that is not empty.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.config.keys.push(key.into());
        self
    }

    /// Lets requests pass that break the document; they are only logged and noted. Default `false`.
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.config.lenient = lenient;
        self
    }

    /// Puts unknown members and enum values into every answer, as a newer service would. Default `false`.
    pub fn drift(mut self, drift: bool) -> Self {
        self.config.drift = drift;
        self
    }

    /// Answers every request that fits the document from the schema of its answer, as if all that it names were
    /// there. Nothing is kept. Default `false`.
    pub fn stateless(mut self, stateless: bool) -> Self {
        self.config.stateless = stateless;
        self
    }

    /// Ids and made-up values come from this seed: the same seed and requests give the same answers. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Keeps the state in this SQLite file. What was acknowledged is there after a restart, however the process
    /// ended. Default: in memory only.
    pub fn state(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = Some(path.into());
        self
    }

    /// Time stands still until [`Emulator::advance`]; it starts at 2026-01-01T00:00:00Z. Default: real time.
    pub fn manual_clock(mut self) -> Self {
        self.manual = true;
        self
    }

    /// Allows webhooks with `http://` on loopback. Default `false`: the rules of the API hold, and nothing is
    /// sent, because the emulator sends nothing beyond this machine.
    pub fn local_webhooks(mut self, allowed: bool) -> Self {
        self.config.local_webhooks = allowed;
        self
    }

    /// Changes how long things take.
    pub fn timing(mut self, change: impl FnOnce(&mut Timing)) -> Self {
        change(&mut self.config.timing);
        self
    }

    /// Changes what goes wrong without a scripted fault.
    pub fn failures(mut self, change: impl FnOnce(&mut Failures)) -> Self {
        change(&mut self.config.failures);
        self
    }

    /// Changes the emulated account.
    pub fn account(mut self, change: impl FnOnce(&mut Account)) -> Self {
        change(&mut self.config.account);
        self
    }

    /// Changes what clients may take up.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Starts it on the present tokio runtime, which needs I/O and time enabled.
    ///
    /// # Errors
    ///
    /// If a setting is out of range, the document or the state file can't be used, or the address can't be bound.
    pub async fn start(self) -> Result<Emulator, EmulatorError> {
        if !(0.0..=1.0).contains(&self.config.failures.session_rate) {
            return Err(EmulatorError::Setting(
                "failures.session_rate: must be from 0 to 1".to_owned(),
            ));
        }
        let document = match &self.document {
            Some(path) => Arc::new(Document::read(path)?),
            None => Document::embedded(),
        };
        let bind = |source| EmulatorError::Bind {
            address: self.address,
            source,
        };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let base = format!("http://{address}");
        let (clock, now) = match self.manual {
            true => (Clock::Manual, Time::START),
            false => (Clock::System, Time::system()),
        };
        let mut world = World::new(Arc::new(self.config), document, base.clone(), now);
        let store = self.state.as_deref().map(Store::open).transpose()?;
        if let Some(store) = &store {
            store.load(&mut world)?;
        }
        let (courier, queue) = Courier::new();
        let shared = Arc::new(Shared::new(world, store, clock, courier));
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(server::run(listener, Arc::clone(&shared), stopped.clone())),
            tokio::spawn(courier::run(queue, Arc::clone(&shared), stopped.clone())),
            tokio::spawn({
                let shared = Arc::clone(&shared);
                async move { shared.drive(stopped).await }
            }),
        ];
        Ok(Emulator {
            shared,
            address,
            base,
            stop,
            tasks,
        })
    }
}

/// A running emulator. It stops when this is dropped.
pub struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    base: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Emulator {
    /// Settings for one that is to be started.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts one with default settings.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    pub async fn start() -> Result<Self, EmulatorError> {
        Self::builder().start().await
    }

    /// The base URL for clients, such as `http://127.0.0.1:8787`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The document it serves.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.shared.document
    }

    /// Scripts a fault for calls to come. Faults are used up in the order in which they were scripted.
    ///
    /// # Errors
    ///
    /// If the document has no such operation, or the fault is one that can't be: a status outside 200 to 599, a header
    /// that is none, zero times; or if there are as many faults as records are allowed.
    pub fn fault(&self, fault: Fault) -> Result<(), EmulatorError> {
        crate::control::script(&self.shared, fault)
    }

    /// Forgets all scripted faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Scripts the next agent run, task run or snippet that has no script yet.
    ///
    /// # Errors
    ///
    /// If the state can't be stored.
    pub fn script(&self, script: AgentScript) -> Result<(), EmulatorError> {
        Ok(self.shared.enter(|world| world.scripts.push_back(script))?)
    }

    /// The requests so far, oldest first, without those to the emulator's own paths.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).iter().cloned().collect()
    }

    /// The requests to one operation, oldest first.
    #[must_use]
    pub fn exchanges_of(&self, operation: &str) -> Vec<Exchange> {
        let id = self
            .shared
            .document
            .operation(operation)
            .map(|operation| operation.id().to_owned());
        let exchanges = lock(&self.shared.exchanges);
        exchanges
            .iter()
            .filter(|it| it.operation.is_some() && it.operation == id)
            .cloned()
            .collect()
    }

    /// How many requests there were to one operation.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        self.exchanges_of(operation).len()
    }

    /// Forgets the requests so far.
    pub fn clear_exchanges(&self) {
        lock(&self.shared.exchanges).clear();
    }

    /// Moves a manual clock on. What becomes due on the way happens, in order, before this returns. On real time it
    /// only does what is due already.
    ///
    /// # Errors
    ///
    /// If the state can't be stored.
    pub fn advance(&self, by: Duration) -> Result<(), EmulatorError> {
        match self.shared.clock {
            Clock::Manual => self.shared.advance(by)?,
            Clock::System => self.shared.enter(|_| ())?,
        }
        Ok(())
    }

    /// The present time of its clock, in milliseconds since 1970.
    #[must_use]
    pub fn now_millis(&self) -> i64 {
        self.shared.now().0
    }

    /// Forgets all state, scripted faults and requests. Ids go on: none is given twice.
    ///
    /// # Errors
    ///
    /// If the state can't be stored.
    pub fn reset(&self) -> Result<(), EmulatorError> {
        Ok(self.shared.reset()?)
    }

    /// Waits until the webhook deliveries that were due are sent, or have failed.
    pub async fn deliveries_done(&self) {
        self.shared.courier.idle().await;
    }

    /// Stops it: no new connections, open requests get two seconds to end.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            // It ended, or panicked; either way it is gone.
            let _ = task.await;
        }
    }
}
