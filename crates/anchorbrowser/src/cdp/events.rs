//! What the browser tells without being asked.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use serde_json::Value;

use super::connection::CdpConnection;
use super::target::Attached;

/// How many events are kept for a slow reader, unless the caller says otherwise.
pub(super) const CAPACITY: usize = 1024;

/// Something that happened in the browser.
///
/// Most kinds are told only once a command such as `Page.enable` asks for them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CdpEvent {
    /// Its name, e.g. `Page.loadEventFired`.
    pub method: String,
    /// What it tells: an object, or null.
    pub params: Value,
    /// The flat session of the target in which it happened; `None` for the browser itself, or the
    /// page that was connected to.
    pub session_id: Option<String>,
    /// How many events were dropped right before this one, because the reader was too slow.
    pub missed: u64,
}

/// A stream of events, from when it was made to when the connection closes;
/// [`next`](Self::next) reads it without further crates.
///
/// Of a reader that is too slow the oldest events are dropped, and the next event says how many were:
/// [`CdpEvent::missed`]. The connection stays open as long as this.
pub struct CdpEvents {
    queue: Arc<Queue>,
    // What it holds open.
    _connection: CdpConnection,
    _target: Option<Arc<Attached>>,
}

impl CdpEvents {
    pub(super) fn new(
        queue: Arc<Queue>,
        connection: &CdpConnection,
        target: Option<Arc<Attached>>,
    ) -> Self {
        Self {
            queue,
            _connection: connection.clone(),
            _target: target,
        }
    }

    /// The next event; `None` when the connection has closed.
    ///
    /// May be dropped before it is done, as `tokio::select!` does: no event is lost.
    pub async fn next(&mut self) -> Option<CdpEvent> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// An iterator that waits for each event, without an async runtime of the caller's.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> impl Iterator<Item = crate::Result<CdpEvent>> {
        crate::background::items(futures_util::StreamExt::map(self, Ok))
    }
}

impl Stream for CdpEvents {
    type Item = CdpEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<CdpEvent>> {
        let mut kept = self.queue.kept();
        match kept.events.pop_front() {
            Some(mut event) => {
                event.missed = std::mem::take(&mut kept.missed);
                Poll::Ready(Some(event))
            }
            None if kept.ended => Poll::Ready(None),
            None => {
                kept.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for CdpEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.queue.kept();
        f.debug_struct("CdpEvents")
            .field("waiting", &kept.events.len())
            .field("ended", &kept.ended)
            .finish_non_exhaustive()
    }
}

/// The events that one reader has not read.
pub(super) struct Queue {
    /// Whose events they are; those of all if `None`.
    session_id: Option<String>,
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<CdpEvent>,
    /// Before the first of them.
    missed: u64,
    ended: bool,
    reader: Option<Waker>,
}

impl Queue {
    pub(super) fn new(session_id: Option<String>, capacity: usize) -> Self {
        Self {
            session_id,
            capacity,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wants(&self, event: &CdpEvent) -> bool {
        self.session_id.is_none() || self.session_id == event.session_id
    }

    pub(super) fn push(&self, event: CdpEvent) {
        let mut kept = self.kept();
        if kept.events.len() == self.capacity {
            kept.events.pop_front();
            kept.missed += 1;
        }
        kept.events.push_back(event);
        Self::wake(kept);
    }

    /// There are no further events.
    pub(super) fn end(&self) {
        let mut kept = self.kept();
        kept.ended = true;
        Self::wake(kept);
    }

    fn wake(mut kept: MutexGuard<'_, Kept>) {
        let reader = kept.reader.take();
        drop(kept);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}
