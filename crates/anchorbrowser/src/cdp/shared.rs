//! What the handles on a connection share with the task that reads and writes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::OPERATION;
use super::error::CdpError;
use super::events::{CdpEvent, Queue};
use crate::error::{Error, ErrorKind, Result};
use crate::socket::{Redact, SocketError};

/// What the task is to do.
pub(super) enum Order {
    Send(String),
    /// Close the connection.
    Close,
}

/// Why a connection is closed.
#[derive(Clone)]
pub(super) struct End {
    pub(super) error: Error,
    /// It was not closed in order by one of the sides.
    pub(super) lost: bool,
}

impl End {
    pub(super) fn closed(why: &str) -> Self {
        let message = format!("the connection to the browser is closed: {why}");
        Self {
            error: Error::new(ErrorKind::Transport, message).of(OPERATION),
            lost: false,
        }
    }

    pub(super) fn here() -> Self {
        Self::closed("it was closed here")
    }

    pub(super) fn lost(error: SocketError) -> Self {
        Self {
            error: Error::from(error).of(OPERATION),
            lost: true,
        }
    }
}

/// What comes of a command.
pub(super) type Outcome = Result<Result<Value, CdpError>, End>;

#[derive(Default)]
struct State {
    last_id: i32,
    waiting: HashMap<i32, oneshot::Sender<Outcome>>,
    readers: Vec<Weak<Queue>>,
    end: Option<End>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    /// Whether the task has ended.
    gone: watch::Sender<bool>,
    pub(super) redact: Redact,
}

impl Shared {
    pub(super) fn new(redact: Redact) -> Self {
        Self {
            state: Mutex::default(),
            gone: watch::Sender::new(false),
            redact,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the connection is closed, if it is.
    pub(super) fn end(&self) -> Option<End> {
        self.state().end.clone()
    }

    /// Waits until the task has ended.
    pub(super) async fn gone(&self) {
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// Hands a command over to the task. The answer comes by the receiver.
    pub(super) fn submit(
        self: &Arc<Self>,
        orders: &mpsc::UnboundedSender<Order>,
        method: &str,
        params: &Value,
        session_id: Option<&str>,
    ) -> Result<Waiting, End> {
        let mut state = self.state();
        if let Some(end) = &state.end {
            return Err(end.clone());
        }
        let id = state.free_id();
        let mut message = json!({ "id": id, "method": method });
        if !params.is_null() {
            message["params"] = params.clone();
        }
        if let Some(session_id) = session_id {
            message["sessionId"] = session_id.into();
        }
        let (sender, answer) = oneshot::channel();
        state.waiting.insert(id, sender);
        // Under the lock, so that commands are sent in the order of their numbers.
        let _ = orders.send(Order::Send(message.to_string()));
        Ok(Waiting {
            shared: self.clone(),
            id,
            answer,
        })
    }

    /// Events from now on: those of this flat session, or all.
    pub(super) fn subscribe(&self, session_id: Option<String>, capacity: usize) -> Arc<Queue> {
        let queue = Arc::new(Queue::new(session_id, capacity));
        let mut state = self.state();
        state.readers.retain(|reader| reader.strong_count() > 0);
        state.readers.push(Arc::downgrade(&queue));
        if state.end.is_some() {
            queue.end();
        }
        queue
    }

    /// Takes a message of the browser's. What is no answer to a command that is waited for, and no
    /// event, is passed over.
    pub(super) fn receive(&self, message: &[u8]) {
        let Ok(Value::Object(mut message)) = serde_json::from_slice(message) else {
            tracing::debug!(target: "anchorbrowser", bytes = message.len(), "a CDP message is no JSON object");
            return;
        };
        if let Some(Value::String(method)) = message.remove("method") {
            let session_id = message.remove("sessionId");
            self.tell(CdpEvent {
                method,
                params: message.remove("params").unwrap_or_default(),
                session_id: session_id.and_then(|id| id.as_str().map(str::to_owned)),
                missed: 0,
            });
            return;
        }
        let id = message.get("id").and_then(Value::as_i64);
        let Some(answered) = id.and_then(|id| self.forget(i32::try_from(id).ok()?)) else {
            tracing::debug!(target: "anchorbrowser", ?id, "a CDP message answers no command");
            return;
        };
        let outcome = match message.remove("error") {
            None | Some(Value::Null) => Ok(message.remove("result").unwrap_or_default()),
            Some(error) => Err(CdpError::read(error, &self.redact)),
        };
        let _ = answered.send(Ok(outcome));
    }

    fn tell(&self, event: CdpEvent) {
        let readers: Vec<_> = {
            let state = self.state();
            state.readers.iter().filter_map(Weak::upgrade).collect()
        };
        for reader in readers.iter().filter(|reader| reader.wants(&event)) {
            reader.push(event.clone());
        }
    }

    fn forget(&self, id: i32) -> Option<oneshot::Sender<Outcome>> {
        self.state().waiting.remove(&id)
    }

    /// The connection is closed: commands fail, and streams of events end. The first reason counts.
    pub(super) fn close(&self, end: End) {
        let (waiting, readers) = {
            let mut state = self.state();
            if state.end.is_some() {
                return;
            }
            state.end = Some(end.clone());
            (
                std::mem::take(&mut state.waiting),
                std::mem::take(&mut state.readers),
            )
        };
        for (_, waiting) in waiting {
            let _ = waiting.send(Err(end.clone()));
        }
        for reader in readers.iter().filter_map(Weak::upgrade) {
            reader.end();
        }
    }

    /// The task has ended.
    pub(super) fn leave(&self) {
        self.gone.send_replace(true);
    }
}

impl State {
    /// Browsers count in 31 bits.
    fn free_id(&mut self) -> i32 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.waiting.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

/// A command that waits for its answer. Dropped, it is forgotten.
pub(super) struct Waiting {
    shared: Arc<Shared>,
    id: i32,
    answer: oneshot::Receiver<Outcome>,
}

impl Waiting {
    pub(super) async fn outcome(mut self) -> Outcome {
        let outcome = (&mut self.answer).await;
        // The sender is dropped only with the connection.
        outcome.unwrap_or_else(|_| Err(self.shared.end().unwrap_or_else(End::here)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.forget(self.id);
    }
}
