//! Sessions that end themselves.

use std::fmt;
use std::ops::Deref;

use reqwest::StatusCode;
use serde_json::Value;

use super::CreateSession;
use crate::background;
use crate::call::{Answer, Call};
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::{Client, SessionId};

/// A session that is ended when this guard is dropped: at the end of a scope, by an early return, a
/// panic, or the cancellation of the task.
///
/// Dropping it ends the session in the background. A thread that drops one waits at its own end, up
/// to 10 seconds, for what is unfinished there, so a program may end right after. Prefer
/// [`end`](Self::end), which tells of a failure.
///
/// A program that is killed, aborts, or ends while other threads hold guards, ends no session: the
/// session's own limits do. The same holds where the system runs no destructors at the end of `main`
/// (Windows, musl); [`Sessions::drained`](super::Sessions::drained) waits there too.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let session = client.sessions().create().send_owned().await?;
/// session.goto("https://example.com").await?; // if this fails, the session is ended
/// session.end().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends the session"]
pub struct OwnedSession {
    session: Session,
    /// Whether it is still to be ended.
    alive: bool,
}

impl OwnedSession {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            alive: true,
        }
    }

    /// Ends the session. It is no error if it has ended before. If this is dropped or fails, the
    /// session is ended in the background.
    ///
    /// Calls `delete_session`.
    pub fn end(self) -> Call<()> {
        let end = ending(&self.session);
        Call::from_future(async move {
            // Until here the guard is in this future: if that is dropped, it ends the session.
            let answer = end.with_meta().await?;
            self.keep();
            Ok(Answer {
                value: (),
                meta: answer.meta,
            })
        })
    }

    /// Ends the session when its work is done, whose result must not be lost by a failure here.
    pub(crate) async fn close(self) {
        if let Err(error) = self.end().await {
            tracing::debug!(target: "anchorbrowser", %error, "ending a session failed; it is tried again");
        }
    }

    /// The session, which then does not end itself.
    pub fn keep(mut self) -> Session {
        self.alive = false;
        self.session.clone()
    }
}

impl From<&OwnedSession> for SessionId {
    fn from(owned: &OwnedSession) -> Self {
        owned.id().clone()
    }
}

impl Deref for OwnedSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for OwnedSession {
    fn drop(&mut self) {
        if !self.alive {
            return;
        }
        let session = self.session.clone();
        background::spawn_ending(async move {
            let mut ended = ending(&session).await;
            // An HTTP client that was given has connections of a runtime that may be gone.
            if ended.as_ref().is_err_and(|error| error.status().is_none()) {
                ended = ending(&session).await;
            }
            if let Err(error) = ended {
                let id = session.id();
                tracing::warn!(target: "anchorbrowser", session = %id, %error, "a session could not be ended");
            }
        });
    }
}

/// Ends a session; that it has ended before is no failure.
fn ending(session: &Session) -> Call<Option<()>> {
    let end = session.end();
    end.none_on("delete_session", StatusCode::NOT_FOUND)
}

/// The session of an answer that cannot be read: it was created all the same.
fn unread(client: &Client, error: &Error) -> Option<OwnedSession> {
    let id = unread_id(error, "/data/id")?;
    Some(OwnedSession::new(client.session(id)))
}

/// The id, at this place, of what was created by a call whose answer cannot be read.
pub(crate) fn unread_id(error: &Error, pointer: &str) -> Option<String> {
    let body = error.body().filter(|_| error.kind() == ErrorKind::Decode)?;
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.pointer(pointer)?.as_str()?.to_owned())
}

impl fmt::Debug for OwnedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedSession").field(&self.session).finish()
    }
}

impl CreateSession {
    /// Creates the session and gives a guard that ends it.
    ///
    /// If the call is dropped before it is ready, the creation goes on in the background, and the
    /// session is ended as soon as the server has answered: none is left over.
    ///
    /// Calls `create_session`, and later `delete_session`.
    pub fn send_owned(self) -> Call<OwnedSession> {
        Call::from_future(background::run(async move {
            let client = self.caller.0.clone();
            let created = self.send().with_meta().await;
            let answer = created.inspect_err(|error| drop(unread(&client, error)))?;
            Ok(Answer {
                value: OwnedSession::new(answer.value),
                meta: answer.meta,
            })
        }))
    }

    /// Creates the session, runs the closure with it, and ends it: also if the closure fails or
    /// panics, or the whole is dropped.
    ///
    /// What the closure gives is not lost if the session cannot be ended: that is tried again in
    /// the background.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// let tags = client.sessions().create().scope(async |session| {
    ///     session.goto("https://example.com").await?;
    ///     session.tags().await
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What creating fails with, or the closure.
    pub async fn scope<T, E, F>(self, run: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(&Session) -> Result<T, E>,
    {
        let session = self.send_owned().await?;
        let result = run(&session).await;
        session.close().await;
        result
    }
}
