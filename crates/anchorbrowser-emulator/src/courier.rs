//! Sends webhook deliveries, away from the requests that caused them.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::resources::webhooks;
use crate::server::stopped;
use crate::shared::Shared;
use crate::webhook;
use crate::world::StoreError;

/// Deliveries under way at once.
const AT_ONCE: usize = 16;

/// Takes deliveries that are due.
pub(crate) struct Courier {
    queue: mpsc::UnboundedSender<String>,
    /// Deliveries taken and not yet done.
    open: watch::Sender<usize>,
}

/// The other end of a [`Courier`].
pub(crate) type Queue = mpsc::UnboundedReceiver<String>;

impl Courier {
    pub(crate) fn new() -> (Self, Queue) {
        let (queue, receiver) = mpsc::unbounded_channel();
        (
            Self {
                queue,
                open: watch::Sender::new(0),
            },
            receiver,
        )
    }

    /// Takes the delivery `id`.
    pub(crate) fn send(&self, id: String) {
        self.open.send_modify(|open| *open += 1);
        // Without a receiver the emulator is shutting down.
        let _ = self.queue.send(id);
    }

    /// Waits until nothing is under way.
    pub(crate) async fn idle(&self) {
        // Fails only without a sender, and `self` has one.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

/// Sends what is queued until `stop` turns true.
pub(crate) async fn run(mut queue: Queue, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut sending = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            Some(_) = sending.join_next() => {}
            Some(id) = queue.recv(), if sending.len() < AT_ONCE => {
                let shared = Arc::clone(&shared);
                sending.spawn(async move {
                    let _open = Open(&shared.courier);
                    if let Err(error) = attempt(&shared, &id).await {
                        tracing::error!(%error, "the outcome of a delivery could not be stored");
                    }
                });
            }
        }
    }
}

/// A delivery under way; it counts as done however it ends.
struct Open<'a>(&'a Courier);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0
            .open
            .send_modify(|open| *open = open.saturating_sub(1));
    }
}

async fn attempt(shared: &Shared, id: &str) -> Result<(), StoreError> {
    // Made now and not when it was queued: the webhook may be gone since, and consumers refuse old timestamps.
    if let Some(delivery) = shared.enter(|world| webhooks::outgoing(world, id))? {
        let result = webhook::send(&delivery, webhook::TIME_LIMIT).await;
        shared.enter(|world| webhooks::delivered(world, id, &result))?;
    }
    Ok(())
}
