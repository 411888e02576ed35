//! Steering and stopping an emulator.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::agent::AgentScript;
use crate::answer::Refusal;
use crate::browser::{self, Reports};
use crate::builder::Builder;
use crate::document::{Document, DocumentError};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::resources::{recordings, sessions};
use crate::shared::{Clock, REAL, Shared, lock};
use crate::world::{Event, StoreError};
use crate::{control, courier, server};

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
    /// A setting is out of its range, or an argument names what is not there.
    #[error("{0}")]
    Setting(String),
}

impl From<Refusal> for EmulatorError {
    fn from(refusal: Refusal) -> Self {
        Self::Setting(refusal.message)
    }
}

impl From<StoreError> for EmulatorError {
    fn from(error: StoreError) -> Self {
        Self::State(Box::new(error))
    }
}

/// A running emulator. It stops when this is dropped: requests under way are refused with 503, and the state file is
/// free again. The address is free when the runtime has dropped its tasks; [`Emulator::shutdown`] waits for that.
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
        self.shared.close();
    }
}

impl Emulator {
    /// Starts its tasks.
    pub(crate) fn run(
        shared: Arc<Shared>,
        listener: TcpListener,
        queue: courier::Queue,
        reports: Option<Reports>,
        address: SocketAddr,
        base: String,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = vec![
            tokio::spawn(server::run(listener, Arc::clone(&shared), stopped.clone())),
            tokio::spawn(courier::run(queue, Arc::clone(&shared), stopped.clone())),
            tokio::spawn({
                let shared = Arc::clone(&shared);
                async move { shared.drive(stopped).await }
            }),
        ];
        if let Some(reports) = reports {
            let reporting = browser::report(reports, Arc::clone(&shared), stop.subscribe());
            tasks.push(tokio::spawn(reporting));
        }
        Self {
            shared,
            address,
            base,
            stop,
            tasks,
        }
    }

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

    /// The base URL for clients, such as `http://127.0.0.1:8787`. Of an emulator that listens on all addresses it is the
    /// one on loopback.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The program that runs the sessions, if there is one.
    #[must_use]
    pub fn browser(&self) -> Option<&Path> {
        self.shared.config.browser.as_deref()
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
    /// that is none or that frames the body, zero times; or if there are as many faults as records are allowed.
    pub fn fault(&self, fault: Fault) -> Result<(), EmulatorError> {
        control::script(&self.shared, vec![fault])?;
        Ok(())
    }

    /// Forgets all scripted faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Scripts the next agent run, task run or snippet that has no script yet.
    ///
    /// # Errors
    ///
    /// If it has too many steps, if there are as many scripts as records are allowed, or if the state can't be stored.
    pub fn script(&self, script: AgentScript) -> Result<(), EmulatorError> {
        control::add_scripts(&self.shared, vec![script])?;
        Ok(())
    }

    /// Forgets the scripts that no run has taken yet.
    ///
    /// # Errors
    ///
    /// If the state can't be stored.
    pub fn clear_scripts(&self) -> Result<(), EmulatorError> {
        Ok(self.shared.enter(|world| world.scripts.clear())?)
    }

    /// Has the browser of a running session download a file from `url`, and gives the id of the download.
    ///
    /// # Errors
    ///
    /// If no such session runs, `name` is no file name, `url` is no absolute URL, there is no room for the bytes, or the
    /// state can't be stored.
    pub fn add_download(
        &self,
        session: &str,
        name: &str,
        url: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<String, EmulatorError> {
        let bytes = bytes.into();
        let added = self
            .shared
            .enter(|world| recordings::add_download(world, session, name, url, bytes))?;
        Ok(added?)
    }

    /// Sends a text frame as it stands, such as one that is no JSON, to the step sockets of a running session, and says
    /// to how many.
    ///
    /// Step sockets are at `/ws?sessionId=<id>`. One sends a text frame for each step of the agents in its session, also
    /// of runs that begin later; first those that the runs under way have taken already. It ends with the session, by a
    /// Close frame with code 1000. Task runs and snippets have no steps there. The document describes no frame; those of
    /// the emulator are `{"type": "step", "sessionId": "...", "workflowId": "...", "step": 1, "total": 3}`.
    ///
    /// # Errors
    ///
    /// If no such session runs, or the state can't be stored.
    pub fn push_step(
        &self,
        session: &str,
        frame: impl Into<String>,
    ) -> Result<usize, EmulatorError> {
        self.push(session, &Event::Text(frame.into()))
    }

    /// Sends a binary frame to the step sockets of a running session, and says to how many.
    ///
    /// # Errors
    ///
    /// As [`Emulator::push_step`].
    pub fn push_binary_step(
        &self,
        session: &str,
        frame: impl Into<Bytes>,
    ) -> Result<usize, EmulatorError> {
        self.push(session, &Event::Binary(frame.into()))
    }

    fn push(&self, session: &str, event: &Event) -> Result<usize, EmulatorError> {
        let told = self.shared.enter(|world| {
            sessions::must_run(world, session)?;
            Ok::<_, Refusal>(world.followers.tell(session, event))
        })?;
        Ok(told?)
    }

    /// Ends all step sockets without a Close frame, as a lost connection does, after what they were sent before; says
    /// how many there were.
    ///
    /// # Errors
    ///
    /// If the state can't be stored.
    pub fn drop_sockets(&self) -> Result<usize, EmulatorError> {
        Ok(self
            .shared
            .enter(|world| world.followers.tell_all(&Event::Cut))?)
    }

    /// What there is, as `GET /__emulator/state` shows it: `counts` by kind, and the newest 50 `sessions`, `batches`,
    /// `runs`, `deliveries` of webhooks and others with their ids, newest first; `waiting` is the number of requests that
    /// wait for something. Without secrets.
    ///
    /// # Errors
    ///
    /// If the state can't be stored.
    pub fn state(&self) -> Result<Value, EmulatorError> {
        Ok(control::summary(&self.shared)?)
    }

    /// The requests so far, oldest first, without those to the emulator's own paths and for the sockets of browsers.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).iter().cloned().collect()
    }

    /// The requests to one operation, by its id or its method and path, oldest first.
    ///
    /// # Errors
    ///
    /// If the document has no such operation: a misspelt one would look like one that was never called.
    pub fn exchanges_of(&self, operation: &str) -> Result<Vec<Exchange>, EmulatorError> {
        let operation = control::operation(&self.shared.document, operation);
        let id = operation.map_err(EmulatorError::Setting)?.id();
        let exchanges = lock(&self.shared.exchanges);
        let of = exchanges
            .iter()
            .filter(|it| it.operation.as_deref() == Some(id));
        Ok(of.cloned().collect())
    }

    /// How many requests there were to one operation, by its id or its method and path.
    ///
    /// # Errors
    ///
    /// If the document has no such operation.
    pub fn count(&self, operation: &str) -> Result<usize, EmulatorError> {
        Ok(self.exchanges_of(operation)?.len())
    }

    /// Waits for a request to one operation, and gives it: the `count`-th of those that are kept, from 1. It is there when
    /// the emulator has answered it, or when it waits for something, such as an event or the clock: then time can be
    /// moved on for it. Waits for ever if there is none; [`tokio::time::timeout`] sets a limit.
    ///
    /// # Errors
    ///
    /// If the document has no such operation.
    pub async fn wait_for(&self, operation: &str, count: usize) -> Result<Exchange, EmulatorError> {
        let operation = control::operation(&self.shared.document, operation);
        let id = operation.map_err(EmulatorError::Setting)?.id();
        let mut changes = lock(&self.shared.exchanges).changes();
        loop {
            changes.mark_unchanged();
            let found = lock(&self.shared.exchanges)
                .iter()
                .filter(|it| it.taken_up && it.operation.as_deref() == Some(id))
                .nth(count.saturating_sub(1))
                .cloned();
            if let Some(exchange) = found {
                return Ok(exchange);
            }
            // Fails only without a sender, and `self` has one.
            let _ = changes.changed().await;
        }
    }

    /// Forgets the requests so far.
    pub fn clear_exchanges(&self) {
        lock(&self.shared.exchanges).clear();
    }

    /// Moves a manual clock on. What becomes due on the way happens, in order, before this returns.
    ///
    /// # Errors
    ///
    /// If the clock is the real one, which moves by itself, or the state can't be stored.
    pub fn advance(&self, by: Duration) -> Result<(), EmulatorError> {
        match self.shared.clock {
            Clock::Manual => Ok(self.shared.advance(by)?),
            Clock::System(_) => Err(EmulatorError::Setting(REAL.to_owned())),
        }
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

    /// Stops it: no new connections, requests that wait are refused with 503, others get two seconds to end. Afterwards
    /// address and state file are free again, and no browser is left.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            // It ended, or panicked; either way it is gone.
            let _ = task.await;
        }
        self.shared.end_browsers().await;
    }
}
