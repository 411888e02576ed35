//! A connection to a browser.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use super::command::Command;
use super::driver::Driver;
use super::events::CdpEvents;
use super::shared::{End, Order, Shared, Waiting};
use super::target::CdpTarget;
use crate::call::{Answer, Call};
use crate::error::Result;
use crate::socket::{Redact, Socket};

/// A connection to a session's browser that speaks the Chrome DevTools Protocol; see
/// [`Session::cdp`](crate::Session::cdp).
///
/// It is cheap to clone, and commands may be sent at the same time. It is closed when the last clone
/// is dropped, with all commands, targets and streams of events that came of it: the session goes
/// on. If it is lost it does not connect again; commands then fail with
/// [`ErrorKind::Transport`](crate::ErrorKind::Transport). Messages may be up to 256 MiB long.
///
/// It belongs to the runtime that opens it. HTTP proxies and certificates are those of the client;
/// an [HTTP client that was given](crate::ClientBuilder::http_client) must not speak HTTP/2.
///
/// ```no_run
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// use serde_json::json;
///
/// let page = session.pages().await?.remove(0);
/// let cdp = session.cdp().await?;
/// let page = cdp.attach(page.id).await?;
/// let mut events = page.events();
/// page.send("Page.enable", ()).await?;
/// page.send("Page.navigate", json!({ "url": "https://example.com" })).await?;
/// while let Some(event) = events.next().await {
///     if event.method == "Page.loadEventFired" {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CdpConnection(Arc<Inner>);

struct Inner {
    /// The task ends when this is dropped.
    orders: mpsc::UnboundedSender<Order>,
    shared: Arc<Shared>,
    command_limit: Duration,
    event_buffer: usize,
}

impl CdpConnection {
    /// Begins to read and write on the runtime of the caller's.
    pub(super) fn start(
        socket: Socket,
        redact: Redact,
        command_limit: Duration,
        event_buffer: usize,
    ) -> Self {
        let (orders, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(redact));
        let driver = Driver::new(socket, receiver, shared.clone());
        tokio::spawn(driver.in_current_span().with_current_subscriber());
        Self(Arc::new(Inner {
            orders,
            shared,
            command_limit,
            event_buffer,
        }))
    }

    /// A command to the browser, or to the page that was connected to. Await it for the result.
    ///
    /// `params` is what serialises to an object; `()` stands for none.
    ///
    /// ```no_run
    /// # async fn example(cdp: anchorbrowser::CdpConnection) -> anchorbrowser::Result<()> {
    /// use serde_json::json;
    ///
    /// let created = cdp.send("Target.createTarget", json!({ "url": "about:blank" })).await?;
    /// println!("{}", created["targetId"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Cdp`](crate::ErrorKind::Cdp) if the browser says that it failed, with what it says
    /// as [`Error::cdp`](crate::Error::cdp); [`is_timeout`](crate::Error::is_timeout) if there is no
    /// answer in time; [`ErrorKind::Transport`](crate::ErrorKind::Transport) if the connection is or
    /// gets closed; [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `params` is
    /// no object.
    pub fn send(&self, method: impl Into<String>, params: impl Serialize) -> Command {
        Command::new(self, None, method.into(), serde_json::to_value(params))
    }

    /// Attaches to a target, such as a page, by its id: that of
    /// [`session.pages()`](crate::Session::pages), or of the command `Target.getTargets`. Its commands
    /// and events go over this connection.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`ErrorKind::Cdp`](crate::ErrorKind::Cdp) if there is no such target.
    pub fn attach(&self, target: impl Into<String>) -> Call<CdpTarget> {
        CdpTarget::attach(self, target.into())
    }

    /// The events from now on, of the browser and of all attached targets.
    pub fn events(&self) -> CdpEvents {
        CdpEvents::new(self.subscribe(None), self, None)
    }

    /// Whether it is closed, by either side, or lost.
    pub fn is_closed(&self) -> bool {
        self.0.shared.end().is_some()
    }

    /// Waits until it is closed.
    ///
    /// # Errors
    /// If it was not closed in order by one of the sides: it was lost, or the server sent what is no
    /// WebSocket.
    pub async fn closed(&self) -> Result<()> {
        self.0.shared.gone().await;
        match self.0.shared.end() {
            Some(end) if end.lost => Err(end.error),
            _ => Ok(()),
        }
    }

    /// Closes it for all clones, and waits until the server has seen that, or for a second. Commands
    /// that wait for an answer fail. The session goes on.
    pub async fn close(&self) {
        self.0.shared.close(End::here());
        let _ = self.0.orders.send(Order::Close);
        self.0.shared.gone().await;
    }

    pub(super) fn command_limit(&self) -> Duration {
        self.0.command_limit
    }

    pub(super) fn subscribe(&self, session_id: Option<String>) -> Arc<super::events::Queue> {
        self.0.shared.subscribe(session_id, self.0.event_buffer)
    }

    pub(super) fn submit(
        &self,
        method: &str,
        params: &serde_json::Value,
        session_id: Option<&str>,
    ) -> Result<Waiting, End> {
        let shared = &self.0.shared;
        shared.submit(&self.0.orders, method, params, session_id)
    }
}

/// A call whose answer is that of a command.
pub(super) fn answered<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Call<T> {
    Call::from_future(async move {
        let begin = tokio::time::Instant::now();
        let value = future.await?;
        Ok(Answer::opened(super::OPERATION, value, begin.elapsed()))
    })
}

/// Shows neither URL nor key.
impl fmt::Debug for CdpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CdpConnection")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
