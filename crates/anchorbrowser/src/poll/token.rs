//! Waits that are written down, to go on elsewhere.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{PollKind, Poller};
use crate::Client;
use crate::error::{Error, Result};

/// What a wait is for, in a form that can be stored: another process takes it up by
/// [`Client::resume`]. It holds ids and a time, and no secret.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use anchorbrowser::{PollToken, Session};
///
/// let pending = client.sessions().start().send().await?;
/// let text = serde_json::to_string(&pending.ready().token())?;
/// // Later, and elsewhere:
/// let token: PollToken = serde_json::from_str(&text)?;
/// let session = client.resume::<Session>(&token)?.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PollToken {
    kind: PollKind,
    ids: Vec<String>,
    /// When it began, if that is known, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began_ms: Option<u64>,
}

impl PollToken {
    pub(super) fn new(kind: PollKind, ids: Vec<String>, begun: Option<Begun>) -> Self {
        Self {
            kind,
            ids,
            began_ms: begun.and_then(|begun| begun.millis()),
        }
    }

    /// What is waited for.
    pub fn kind(&self) -> PollKind {
        self.kind
    }

    /// What identifies it: one id mostly, of a large batch one for each part.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub(crate) fn begun(&self) -> Option<Begun> {
        self.began_ms.map(Begun::at_millis)
    }

    /// The ids, of which there must be so many; the kind must be this one.
    pub(crate) fn expect<const N: usize>(&self, kind: PollKind) -> Result<[String; N]> {
        self.expect_kind(kind)?;
        <[String; N]>::try_from(self.ids.clone()).map_err(|ids| {
            let message = format!(
                "the token for {kind} is damaged: its number of ids is {}, not {N}",
                ids.len()
            );
            Error::invalid(kind.operation(), message)
        })
    }

    pub(crate) fn expect_kind(&self, kind: PollKind) -> Result<()> {
        if self.kind == kind {
            return Ok(());
        }
        let message = format!(
            "the token is for {}, and it is to be resumed as {kind}: name the type that it is for",
            self.kind
        );
        Err(Error::invalid(kind.operation(), message))
    }
}

/// When something began, by two clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    pub(super) at: Instant,
    wall: SystemTime,
}

impl Begun {
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// The time since then.
    pub(crate) fn elapsed(self) -> Duration {
        self.at.elapsed()
    }

    fn millis(self) -> Option<u64> {
        let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    }

    /// A time that another process wrote down. One in the future counts as the present.
    fn at_millis(millis: u64) -> Self {
        let now = Self::now();
        let wall = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis));
        let wall = wall.unwrap_or(now.wall);
        let ago = now.wall.duration_since(wall).unwrap_or_default();
        Self {
            at: now.at.checked_sub(ago).unwrap_or(now.at),
            wall,
        }
    }
}

/// What a wait gives in the end, and by which it can be [resumed](Client::resume): a
/// [`Session`](crate::Session), a [`BatchReport`](crate::batch_sessions::BatchReport), and so on.
///
/// It is implemented by this crate alone.
pub trait Awaited: Sized + Send + 'static + sealed::Sealed {
    /// What is known until then.
    type Progress: Clone + Send + Sync + 'static;

    #[doc(hidden)]
    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self::Progress>>;
}

pub(crate) mod sealed {
    /// Keeps others from implementing [`Awaited`](super::Awaited).
    pub trait Sealed {}
}

impl Client {
    /// Goes on with a wait that was begun by another poller, perhaps in another process.
    ///
    /// ```no_run
    /// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
    /// use anchorbrowser::Session;
    ///
    /// let pending = client.sessions().start().send().await?;
    /// let session = match pending.ready().await {
    ///     Err(error) if error.is_deadline() => {
    ///         let Some(waited) = error.waited() else { return Err(error) };
    ///         println!("{error}");
    ///         client.resume::<Session>(&waited.token)?.await?
    ///     }
    ///     other => other?,
    /// };
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the token is for another
    /// kind of wait than the type says.
    pub fn resume<T: Awaited>(&self, token: &PollToken) -> Result<Poller<T, T::Progress>> {
        T::resume(self, token)
    }
}
