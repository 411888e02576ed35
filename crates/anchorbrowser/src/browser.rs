//! Driving a session's browser with [`chromiumoxide`].
//!
//! [`Session::connect`] gives a [`ConnectedBrowser`], and
//! [`create_and_connect`](crate::sessions::CreateSession::create_and_connect) creates the session too.
//! See [`cdp`](crate::cdp) for what to use when.

mod connect;
mod relay;

use std::fmt;
use std::ops::{Deref, DerefMut};

use chromiumoxide::{Browser, Page};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::instrument::{Instrument as _, WithSubscriber as _};

pub use connect::ConnectBrowser;

use crate::Session;
use crate::call::Call;
use crate::error::Result;

/// What errors call it: the document has no such operation.
const OPERATION: &str = "connect_browser";

/// A `chromiumoxide::Browser` that is connected to a session; see [`Session::connect`].
///
/// It is a [`Browser`] by `Deref`. Its event loop runs on the runtime that it was connected on, and
/// ends when this is dropped. That detaches: the browser, its pages and the session go on.
/// [`end`](Self::end) ends the session. Do not call `Browser::close`, which closes the browser behind
/// the session's back.
///
/// If the connection is lost, all its pages fail; [`reconnect`](Self::reconnect) attaches again.
#[must_use = "dropping it detaches from the browser"]
pub struct ConnectedBrowser {
    browser: Browser,
    page: Page,
    connect: ConnectBrowser,
    tasks: Tasks,
}

/// What drives a browser.
struct Tasks {
    /// The event loop of `chromiumoxide`, and the relay.
    _handler: Task,
    /// Its sender is dropped when the event loop has ended.
    alive: watch::Receiver<()>,
}

/// A task that ends when this is dropped.
struct Task(JoinHandle<()>);

impl Task {
    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(
            future.in_current_span().with_current_subscriber(),
        ))
    }

    async fn ended(&mut self) {
        let _ = (&mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ConnectedBrowser {
    /// The page that was adopted: the first that the browser lists. A session begins with one; if
    /// there is none, one is opened.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.connect.session
    }

    /// Detaches and ends the session; see [`Session::end`].
    ///
    /// Calls `delete_session`.
    pub fn end(self) -> Call<()> {
        let session = self.session().clone();
        drop(self);
        session.end()
    }

    /// Whether the connection is closed or lost.
    pub fn is_closed(&self) -> bool {
        self.tasks.alive.has_changed().is_err()
    }

    /// Waits until the connection is closed or lost.
    pub async fn closed(&self) {
        let mut alive = self.tasks.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    /// Attaches again to the same session, with the same settings, whether or not the connection is
    /// lost. Nothing is replayed: what was under way has failed, and what was set for a connection
    /// (listeners, interception, emulation) is to be set again. Pages of the lost connection stay
    /// unusable; [`page`](Self::page) is a new handle, on the same page if it is still open.
    ///
    /// # Errors
    /// As [`Session::connect`]; this is then as it was.
    pub async fn reconnect(&mut self) -> Result<()> {
        let page = self.page.target_id().clone();
        *self = self.connect.clone().open(Some(&page)).await?;
        Ok(())
    }
}

impl Deref for ConnectedBrowser {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl DerefMut for ConnectedBrowser {
    fn deref_mut(&mut self) -> &mut Browser {
        &mut self.browser
    }
}

impl fmt::Debug for ConnectedBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectedBrowser")
            .field("session", self.session())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
