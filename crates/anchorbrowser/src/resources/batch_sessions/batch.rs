//! A handle on a batch.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::look::Look;
use super::report::{self, BatchReport};
use super::{BatchItem, BatchSnapshot, RetryFailed};
use crate::call::Call;
use crate::error::Error;
use crate::poll::{Begun, PollKind, PollStream, Poller, Wait};
use crate::{BatchId, Client, Session};

/// A handle on a batch of sessions, from [`create`](super::BatchSessions::create) or
/// [`attach`](super::BatchSessions::attach).
///
/// It is cheap to clone. Dropping it does not give the batch up: [`delete`](Self::delete) ends its
/// sessions.
///
/// A batch of more than 1,000 sessions is several batches of the API behind one handle. Its parts
/// are waited for as one. Those that are over are asked for again when all are, since another process
/// can retry them.
///
/// What waits, [`wait`](Self::wait), [`progress`](Self::progress), [`sessions`](Self::sessions),
/// [`failures`](Self::failures), shares its polls with the others that wait for the same batch: a
/// program can use all of them at once, and the API is asked once.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let batch = client.batch_sessions().create(2500).send().await?;
/// let mut sessions = batch.sessions();
/// while let Some(session) = sessions.next().await {
///     session?.goto("https://example.com").await?;
/// }
/// if batch.retry_failed().send().await?.retried > 0 {
///     batch.wait().await?.check()?;
/// }
/// batch.delete().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Batch {
    pub(super) client: Client,
    ids: Arc<[BatchId]>,
    attempts: Arc<Attempts>,
}

impl Batch {
    pub(super) fn new(client: &Client, ids: Vec<BatchId>, begun: Option<Begun>) -> Self {
        Self {
            client: client.clone(),
            ids: ids.into(),
            attempts: Arc::new(Attempts::new(begun)),
        }
    }

    /// Its id; those of all parts, in their order, if it was split.
    pub fn ids(&self) -> &[BatchId] {
        &self.ids
    }

    /// How far the batch has come, with each of its sessions.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if it is not there any more, or a part of it.
    ///
    /// Calls `get_batch_session`, for each part.
    pub fn get(&self) -> Call<BatchSnapshot> {
        let look = self.look();
        Call::new(
            &self.client,
            move |api| async move { look.whole(api).await },
        )
    }

    /// How far each part has come.
    pub(super) fn parts(&self) -> Call<Vec<BatchSnapshot>> {
        let look = self.look();
        Call::new(
            &self.client,
            move |api| async move { look.parts(api).await },
        )
    }

    /// Waits until the batch is over: await it for a report.
    ///
    /// Any end gives a report: that sessions failed, or that the batch was cancelled, is no error.
    /// [`BatchReport::check`] makes it one. It is in progress while it is pending or processing, and
    /// in a state that this version of the SDK does not know.
    ///
    /// ```no_run
    /// # async fn example(batch: anchorbrowser::batch_sessions::Batch) -> anchorbrowser::Result<()> {
    /// let report = batch.wait().await?;
    /// for item in report.failures() {
    ///     println!("{:?}: {:?}", item.index, item.error);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if the batch is not there any more, or a part of it;
    /// [`is_deadline`](Error::is_deadline) after 30 minutes, unless set otherwise.
    ///
    /// Calls `get_batch_session` for each poll, once for each part that is not over.
    pub fn wait(&self) -> Poller<BatchReport, BatchSnapshot> {
        let begun = self.attempts.current().begun;
        let since = begun.unwrap_or_else(Begun::now);
        let look = Arc::new(self.look());
        let weight = look.clone();
        let wait = Wait::new(
            PollKind::Batch,
            self.ids.iter().map(ToString::to_string).collect(),
            move |api| {
                let look = look.clone();
                async move { look.whole(api).await }
            },
            BatchSnapshot::place,
            move |snapshot| report::verdict(snapshot, since),
        );
        let wait = Wait {
            weight: Arc::new(move || weight.weight()),
            ..wait.begun(begun)
        };
        Poller::new(&self.client, wait)
    }

    /// How far the batch comes: what each poll of [`wait`](Self::wait) shows.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// Calls `get_batch_session` for each poll.
    pub fn progress(&self) -> PollStream<BatchSnapshot> {
        self.wait().stream()
    }

    /// Each session, as soon as it is ready; it ends when the batch is over. For a deadline or
    /// schedule of your own: [`wait().deadline(..).sessions()`](Poller::sessions).
    ///
    /// Each comes once; a further stream begins with all that are ready. One that fails after it was
    /// ready is not taken back. One that is retried before the stream has ended comes when it is ready.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// Calls `get_batch_session` for each poll.
    pub fn sessions(&self) -> PollStream<Session> {
        self.wait().sessions()
    }

    /// Each session that could not be created, as soon as that is known, once for each attempt; it
    /// ends when the batch is over.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// Calls `get_batch_session` for each poll.
    pub fn failures(&self) -> PollStream<BatchItem> {
        self.wait().failures()
    }

    /// Runs a closure with each session as soon as it is ready, at most `limit` at once, and gives
    /// the report when the batch is over and all closures have ended. It ends no session, whether or
    /// not it fails: end each in the closure, or [`delete`](Self::delete) the batch.
    ///
    /// ```no_run
    /// # async fn example(batch: anchorbrowser::batch_sessions::Batch) -> anchorbrowser::Result<()> {
    /// use anchorbrowser::Error;
    ///
    /// let report = batch
    ///     .for_each_concurrent(10, async |session| {
    ///         if let Err(error) = session.goto("https://example.com").await {
    ///             println!("{}: {error}", session.id()); // the others go on
    ///         }
    ///         session.end().await?;
    ///         Ok::<_, Error>(()) // names the type of the error; `anyhow::Error` will do, too
    ///     })
    ///     .await?;
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first one, of a closure or of the [wait](Self::wait): the closures that run are dropped
    /// then, and no further one begins. [`InvalidArgument`](crate::ErrorKind::InvalidArgument) if
    /// `limit` is 0.
    ///
    /// Calls `get_batch_session` for each poll.
    pub async fn for_each_concurrent<E, F, R>(&self, limit: usize, run: F) -> Result<BatchReport, E>
    where
        E: From<Error>,
        F: FnMut(Session) -> R,
        R: Future<Output = Result<(), E>>,
    {
        self.wait().for_each_concurrent(limit, run).await
    }

    /// Creates the failed sessions once more, in the parts that are over.
    pub fn retry_failed(&self) -> RetryFailed {
        RetryFailed::new(self)
    }

    /// The sessions are attempted once more: those who wait look at all parts again.
    pub(super) fn begins_again(&self) {
        self.attempts.next();
    }

    fn look(&self) -> Look {
        Look::new(&self.client, &self.ids, &self.attempts)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}

/// An attempt at the sessions of a batch: the first one, or a retry.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub(super) number: u32,
    /// When it began, if it began here.
    pub(super) begun: Option<Begun>,
}

/// The attempts that the clones of a handle know of.
pub(super) struct Attempts(Mutex<Attempt>);

impl Attempts {
    fn new(begun: Option<Begun>) -> Self {
        Self(Mutex::new(Attempt { number: 0, begun }))
    }

    pub(super) fn current(&self) -> Attempt {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) {
        let mut attempt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *attempt = Attempt {
            number: attempt.number.wrapping_add(1),
            begun: Some(Begun::now()),
        };
    }
}
