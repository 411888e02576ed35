//! Many sessions at once.

use std::fmt;
use std::future::{Future, IntoFuture as _};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{self, FuturesUnordered, Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::{CreateSessions, OwnedSession, PendingSession, SessionOptions, unread_id};
use crate::error::{Error, ErrorKind, Result};
use crate::poll::{PollKind, backoff};
use crate::{Client, background};

/// How many starts may be under way at once, unless the caller says otherwise.
const AT_ONCE: usize = 10;
/// How many sessions are ended at once.
const ENDS_AT_ONCE: usize = 10;
const OPERATION: &str = "create_session_async";

/// Part of [`CreateSessions`].
#[derive(Clone, Debug)]
pub struct Many {
    client: Client,
    count: usize,
    at_once: usize,
    deadline: Duration,
}

impl Many {
    pub(super) fn new(client: &Client, count: usize) -> Self {
        Self {
            client: client.clone(),
            count,
            at_once: AT_ONCE,
            deadline: PollKind::SessionStart.deadline(),
        }
    }
}

impl CreateSessions {
    /// How many starts may be under way at once; default 10. A session that is ready does not count,
    /// whether or not it was taken, nor does a start that is given up.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.caller.at_once = limit;
        self
    }

    /// How long each start may take, from its request to its readiness; default 5 minutes. As long
    /// may it take before that until there is room for it, if the service has none.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.caller.deadline = limit;
        self
    }

    /// The sessions, as they become ready. Nothing is sent before the first one is asked for.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the options are refused, or the concurrency is 0.
    ///
    /// Calls `create_session_async` for each session, `get_async_session_status` for each poll, and
    /// `delete_session` for what is not handed out.
    pub fn send(self) -> Result<ManySessions> {
        let (many, options) = self.split();
        if many.at_once == 0 {
            return Err(Error::invalid(
                OPERATION,
                "`concurrency` must be at least 1",
            ));
        }
        options.clone().checked(OPERATION, many.client.checks())?;
        let (stop, stopped) = watch::channel(false);
        let (ready, items) = mpsc::unbounded_channel();
        let tally = Arc::new(Mutex::new(Tally::new(many.count)));
        let starts = Starts {
            many,
            options,
            stopped,
            ready,
            tally: tally.clone(),
        };
        let running = background::run(async move {
            starts.run().await;
            Ok(())
        });
        Ok(ManySessions {
            running: Some(Box::pin(running)),
            stop,
            items: Items(items),
            tally,
        })
    }
}

/// Sessions that come one by one, as they become ready; see
/// [`Sessions::create_many`](super::Sessions::create_many).
///
/// Each is an [`OwnedSession`], which is ended when it is dropped, so that a program which fails
/// between two of them leaves none over; [`keep`](OwnedSession::keep) makes it a plain
/// [`Session`](crate::Session).
///
/// The starts go on in the background while nothing is taken. One that fails is an error, and the
/// others go on. But once the service refuses one as it would the next (the options, the key, no
/// credits, a cost limit), no more are begun.
///
/// A start that is refused with 429, because too many sessions run or are asked for, is asked for
/// again until its [deadline](CreateSessions::deadline): so more sessions than may run at once can be
/// worked off, if each is ended after its use. If there is no room until then, it fails with that
/// refusal, and no more are begun.
///
/// A start that is not ready in time, or of which that cannot be found out, fails and is given up.
///
/// Dropping it ends in the background what was not handed out: sessions that are ready, and those
/// that come up later. [`end_rest`](Self::end_rest) does that, too, and says what has become of them.
#[must_use = "nothing is sent before the first session is asked for"]
pub struct ManySessions {
    /// The starts, until they are all over.
    running: Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>,
    /// Dropped, it stops them as well.
    stop: watch::Sender<bool>,
    items: Items,
    tally: Arc<Mutex<Tally>>,
}

impl ManySessions {
    /// The next session that is ready, or the failure of a start; `None` at the end.
    ///
    /// # Errors
    /// What a start fails with, as [`StartSession::send`](super::StartSession::send) and
    /// [`PendingSession::ready`].
    pub async fn next(&mut self) -> Option<Result<OwnedSession>> {
        StreamExt::next(self).await
    }

    /// How far they have come.
    pub fn report(&self) -> ManyReport {
        lock(&self.tally).report()
    }

    /// Begins no further session, ends those that were not handed out, and reports. Starts that are
    /// under way are given up, as by [`PendingSession::cancel`].
    ///
    /// What cannot be ended is in the report. If this is dropped before it is ready, it goes on in
    /// the background.
    pub async fn end_rest(mut self) -> ManyReport {
        self.stop.send_replace(true);
        let tally = self.tally.clone();
        let rest = stream::poll_fn(|context| self.poll_item(context));
        let ended = rest.for_each_concurrent(ENDS_AT_ONCE, |item| async {
            if let Ok(session) = item {
                let outcome = Outcome::of_end(session.end().await);
                lock(&tally).note(outcome);
            }
        });
        ended.await;
        self.report()
    }

    /// An iterator that waits for each session, without an async runtime of the caller's. Dropping
    /// it ends in the background what was not handed out.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> impl Iterator<Item = Result<OwnedSession>> {
        background::items(self)
    }
}

impl ManySessions {
    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<OwnedSession>>> {
        if let Some(running) = &mut self.running
            && let Poll::Ready(over) = running.as_mut().poll(context)
        {
            self.running = None;
            if let Err(error) = over {
                return Poll::Ready(Some(Err(error)));
            }
        }
        self.items.0.poll_recv(context)
    }
}

/// The sessions that are ready, and failures.
struct Items(mpsc::UnboundedReceiver<Result<OwnedSession>>);

/// The sessions that nobody took are ended a few at a time: all at once the service may refuse.
impl Drop for Items {
    fn drop(&mut self) {
        self.0.close();
        let mut rest = Vec::new();
        while let Ok(item) = self.0.try_recv() {
            rest.extend(item);
        }
        if !rest.is_empty() {
            background::spawn_ending(
                stream::iter(rest).for_each_concurrent(ENDS_AT_ONCE, OwnedSession::close),
            );
        }
    }
}

impl Stream for ManySessions {
    type Item = Result<OwnedSession>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.poll_item(context));
        if let Some(Ok(_)) = item {
            lock(&self.tally).handed_out += 1;
        }
        Poll::Ready(item)
    }
}

impl fmt::Debug for ManySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report();
        f.debug_tuple("ManySessions").field(&report).finish()
    }
}

/// What has become of sessions that were started together; see [`ManySessions::report`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ManyReport {
    /// How many were asked for: the sum of all that follow.
    pub asked_for: usize,
    /// How many starts were not begun, so far or at all.
    pub not_begun: usize,
    /// How many are being started, or are ready and were not taken.
    pub under_way: usize,
    /// How many sessions were handed out.
    pub handed_out: usize,
    /// How many were ended, or given up, before they were handed out.
    pub ended: usize,
    /// Why starts failed.
    pub failed: Vec<Error>,
    /// Why sessions could not be ended that were not handed out. They live until one of their own
    /// limits, unless they could be ended at a second try in the background.
    pub not_ended: Vec<Error>,
}

/// What becomes of a start.
enum Outcome {
    Ready(OwnedSession),
    Failed(Error),
    NotBegun,
    Ended,
    NotEnded(Error),
}

impl Outcome {
    fn of_end(ended: Result<()>) -> Self {
        match ended {
            Ok(()) => Self::Ended,
            Err(error) => Self::NotEnded(error),
        }
    }
}

#[derive(Default)]
struct Tally {
    /// How many are still to be begun.
    left: usize,
    /// Whether no more are begun: the service would refuse them.
    refused: bool,
    begun: usize,
    handed_out: usize,
    ended: usize,
    failed: Vec<Error>,
    not_ended: Vec<Error>,
}

impl Tally {
    fn new(count: usize) -> Self {
        Self {
            left: count,
            ..Self::default()
        }
    }

    fn note(&mut self, outcome: Outcome) {
        match outcome {
            // It is handed out, or ended, later.
            Outcome::Ready(_) => {}
            Outcome::Failed(error) => self.failed.push(error),
            Outcome::NotBegun => {
                self.begun -= 1;
                self.left += 1;
            }
            Outcome::Ended => self.ended += 1,
            Outcome::NotEnded(error) => {
                tracing::warn!(target: "anchorbrowser", %error, "a session could not be ended");
                self.not_ended.push(error);
            }
        }
    }

    fn report(&self) -> ManyReport {
        let over = self.handed_out + self.ended + self.failed.len() + self.not_ended.len();
        ManyReport {
            asked_for: self.left + self.begun,
            not_begun: self.left,
            under_way: self.begun.saturating_sub(over),
            handed_out: self.handed_out,
            ended: self.ended,
            failed: self.failed.clone(),
            not_ended: self.not_ended.clone(),
        }
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The starts. They run on the background thread: none is lost with the caller.
struct Starts {
    many: Many,
    options: SessionOptions,
    /// Told, or closed, when no more are wanted.
    stopped: watch::Receiver<bool>,
    ready: mpsc::UnboundedSender<Result<OwnedSession>>,
    tally: Arc<Mutex<Tally>>,
}

impl Starts {
    async fn run(&self) {
        let mut starts = FuturesUnordered::new();
        loop {
            while starts.len() < self.many.at_once && self.begin() {
                starts.push(self.start());
            }
            let item = match starts.next().await {
                None => return,
                Some(Outcome::Ready(session)) => Ok(session),
                Some(Outcome::Failed(error)) => {
                    lock(&self.tally).note(Outcome::Failed(error.clone()));
                    Err(error)
                }
                Some(outcome) => {
                    lock(&self.tally).note(outcome);
                    continue;
                }
            };
            // A session that nobody takes is ended, as it is dropped.
            let _ = self.ready.send(item);
        }
    }

    /// Whether one more is to be begun, which then counts.
    fn begin(&self) -> bool {
        let stopped = *self.stopped.borrow() || self.stopped.has_changed().is_err();
        let mut tally = lock(&self.tally);
        if stopped || tally.refused || tally.left == 0 {
            return false;
        }
        tally.left -= 1;
        tally.begun += 1;
        true
    }

    async fn start(&self) -> Outcome {
        let pending = match self.ask().await {
            Ok(Some(pending)) => pending,
            Ok(None) => return Outcome::NotBegun,
            Err(error) => return Outcome::Failed(error),
        };
        let ready = pending.ready().deadline(self.many.deadline);
        match self.unless_stopped(ready.into_future()).await {
            Some(Ok(session)) => Outcome::Ready(OwnedSession::new(session)),
            Some(Err(error)) if error.kind() == ErrorKind::Failed || error.is_not_found() => {
                Outcome::Failed(error)
            }
            Some(Err(error)) => {
                give_up(pending);
                let hint = "it is given up, so that no session is left over";
                Outcome::Failed(error.with_only_hint(hint))
            }
            None => {
                let ended = pending.cancel().await;
                if ended.is_err() {
                    give_up(pending);
                }
                Outcome::of_end(ended)
            }
        }
    }

    /// Asks for a session, and again while there is no room for it; `None` if they are stopped.
    async fn ask(&self) -> Result<Option<PendingSession>> {
        let client = &self.many.client;
        // What is refused is asked for again here, where it can be stopped.
        let once = client.needing(anchorbrowser_api::Needs {
            never_repeat: true,
            ..Default::default()
        });
        let begun = Instant::now();
        let mut refusals = 0;
        loop {
            let start = once.sessions().start().options(self.options.clone());
            let error = match start.send().await {
                Ok(pending) => return Ok(Some(pending.by(client))),
                Err(error) => error,
            };
            refusals += 1;
            let pause = backoff(client, &error, refusals);
            let in_time = begun.elapsed().saturating_add(pause) < self.many.deadline;
            if !in_time || !may_ask_again(client, &error, refusals) {
                unread(client, &error).into_iter().for_each(give_up);
                lock(&self.tally).refused |= would_be_refused_too(&error);
                return Err(error);
            }
            if self.unless_stopped(sleep(pause)).await.is_none() {
                return Ok(None);
            }
        }
    }

    /// What a future gives; `None` if the starts are stopped before.
    async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut stopped = self.stopped.clone();
        let stop = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        match select(pin!(future), pin!(stop)).await {
            Either::Left((value, _)) => Some(value),
            Either::Right(_) => None,
        }
    }
}

/// Whether a start that was not processed can be asked for again: as often as it takes if there is
/// no room, else as often as the client repeats what it sends.
fn may_ask_again(client: &Client, error: &Error, count: u32) -> bool {
    let status = error.status().map(|status| status.as_u16());
    let refused = error.is_connect() || status == Some(503) && error.retry_after().is_some();
    status == Some(429) || refused && count <= client.api().policy().retry.max_retries
}

/// Whether the next start would fail alike: it has the same options and key.
fn would_be_refused_too(error: &Error) -> bool {
    match error.status() {
        Some(status) => status.is_client_error() && !matches!(status.as_u16(), 408 | 409),
        None => matches!(
            error.kind(),
            ErrorKind::Config | ErrorKind::InvalidArgument | ErrorKind::MissingKey
        ),
    }
}

/// The start of an answer that cannot be read: it was begun all the same.
fn unread(client: &Client, error: &Error) -> Option<PendingSession> {
    let id = unread_id(error, "/data/request_id")?;
    Some(client.sessions().pending(id))
}

fn give_up(pending: PendingSession) {
    background::spawn_ending(async move {
        if let Err(error) = pending.cancel().await {
            let id = pending.request_id();
            tracing::warn!(target: "anchorbrowser", request = %id, %error, "a start could not be given up");
        }
    });
}
