//! Keeping a session from its idle timeout.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;
use reqwest::StatusCode;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::CdpConnection;
use crate::error::{Error, ErrorKind};
use crate::{Session, background, poll};

/// How often the browser is asked whether it is there: a connection may be lost without a sign.
const CHECK: Duration = Duration::from_secs(30);

/// A connection that lasted as long was a good one: the pauses begin anew.
const GOOD: Duration = Duration::from_secs(60);

/// Holds a CDP connection to a session; see [`Session::keep_alive`](crate::Session::keep_alive).
///
/// It runs on a thread of the SDK's own, so it lasts whatever the caller's runtime does. Dropping it
/// detaches.
#[must_use = "dropping it lets the session go idle"]
pub struct KeepAlive {
    state: watch::Receiver<State>,
    /// Dropped, it ends the task.
    _stop: oneshot::Sender<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Attaching,
    Attached,
    /// Trying again would not help.
    GivenUp,
}

impl KeepAlive {
    pub(super) fn new(session: &Session) -> Self {
        let (sender, state) = watch::channel(State::Attaching);
        let (stop, stopped) = oneshot::channel();
        let session = session.clone();
        let spawned = background::spawn(async move {
            select(pin!(hold(&session, sender)), stopped).await;
        });
        if let Err(error) = spawned {
            tracing::warn!(target: "anchorbrowser", %error, "the session is not kept alive");
        }
        Self { state, _stop: stop }
    }

    /// Whether the connection is open at present.
    pub fn is_attached(&self) -> bool {
        *self.state.borrow() == State::Attached && self.state.has_changed().is_ok()
    }

    /// Waits until the connection is open. `false` if it is not going to be, because the service
    /// refuses it: there is no such session, for example.
    ///
    /// It has no time limit of its own: a service that cannot be reached is tried again and again.
    pub async fn attached(&self) -> bool {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| *state != State::Attaching).await;
        settled.is_ok_and(|state| *state == State::Attached)
    }
}

/// Attaches again and again.
async fn hold(session: &Session, state: watch::Sender<State>) {
    let mut streak = 0;
    loop {
        let begin = Instant::now();
        let error = match session.cdp().await {
            Ok(connection) => {
                state.send_replace(State::Attached);
                let error = watch_over(&connection).await;
                state.send_replace(State::Attaching);
                if begin.elapsed() >= GOOD {
                    streak = 0;
                }
                error
            }
            Err(error) => error,
        };
        let id = session.id();
        // An emulator without browsers has nothing to attach to.
        if error.status() == Some(StatusCode::NOT_IMPLEMENTED) {
            tracing::debug!(target: "anchorbrowser", session = %id, "there is no browser to attach to");
            state.send_replace(State::GivenUp);
            return;
        }
        if !poll::is_passing(&error) {
            tracing::warn!(target: "anchorbrowser", session = %id, %error, "the session is not kept alive");
            state.send_replace(State::GivenUp);
            return;
        }
        tracing::debug!(target: "anchorbrowser", session = %id, %error, "a session is attached to again");
        streak += 1;
        tokio::time::sleep(poll::backoff(session.client(), &error, streak)).await;
    }
}

/// Waits for the end of a connection, and asks now and then whether it is alive.
async fn watch_over(connection: &CdpConnection) -> Error {
    let check = async {
        loop {
            tokio::time::sleep(CHECK).await;
            match connection.send("Browser.getVersion", ()).await {
                // An answer is an answer.
                Err(error) if error.kind() != ErrorKind::Cdp => return error,
                _ => {}
            }
        }
    };
    let closed = async {
        match connection.closed().await {
            Err(error) => error,
            Ok(()) => Error::new(ErrorKind::Transport, "the server closed the connection"),
        }
    };
    first(check, closed).await
}

async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    select(pin!(one), pin!(other)).await.factor_first().0
}

impl fmt::Debug for KeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepAlive")
            .field("attached", &self.is_attached())
            .finish_non_exhaustive()
    }
}
