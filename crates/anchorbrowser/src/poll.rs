//! Waiting for what the service does in the background.
//!
#![doc = include_str!("../docs/waiting.md")]

mod adaptive;
mod all;
mod course;
mod kind;
mod pace;
mod poll_stream;
mod schedule;
mod token;
mod wait;
mod waited;
mod watch;

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use anchorbrowser_api::ResponseValue;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use crate::Client;
use crate::call::{Answer, Call, Meta};
use crate::error::{Error, ErrorKind, Result};

pub use adaptive::Adaptive;
pub use all::{WaitAll, wait_all};
pub use kind::PollKind;
pub use poll_stream::PollStream;
pub use schedule::{Exponential, Fixed, PollCourse, PollSchedule, PollState};
pub use token::{Awaited, PollToken};
pub(crate) use token::{Begun, sealed};
#[cfg(feature = "cdp")]
pub(crate) use wait::Hold;
pub(crate) use wait::{Failure, Place, Verdict, Wait};
pub use waited::Waited;

use pace::Pace;
pub(crate) use watch::backoff;
#[cfg(feature = "cdp")]
pub(crate) use watch::is_passing;
use watch::{Gone, Outcome, Subject, Watch, Watches};

/// How many polls in a row may fail, unless the caller says otherwise.
const MAX_FAILURES: u32 = 10;
/// How many polls all waits of a client make in a second, unless the caller says otherwise.
pub(crate) const PER_SECOND: f64 = 100.0;
/// How long before the deadline the last poll is made: this part of the time, and no more than that.
const LAST_CALL: (u32, Duration) = (10, Duration::from_secs(2));

/// A time from now. One too far away to be counted never comes.
fn after(now: Instant, time: Duration) -> Instant {
    let far = now + Duration::from_secs(u64::from(u32::MAX));
    now.checked_add(time).map_or(far, |at| at.min(far))
}

/// What is shared by the waits of a client and its clones.
#[derive(Clone)]
pub(crate) struct Polling {
    schedule: Arc<dyn PollSchedule>,
    pace: Arc<Pace>,
    watches: Arc<Watches>,
}

impl Polling {
    pub(crate) fn new(schedule: Arc<dyn PollSchedule>, per_second: f64) -> Self {
        Self {
            schedule,
            pace: Arc::new(Pace::new(per_second)),
            watches: Arc::default(),
        }
    }

    /// With the same schedule and limit. What is polled with other headers or time limits is polled
    /// apart.
    pub(crate) fn apart(&self) -> Self {
        Self {
            watches: Arc::default(),
            ..self.clone()
        }
    }
}

/// What a poll of a [`Poller`] showed.
#[derive(Clone, Debug)]
pub enum Polled<T, P> {
    /// It goes on.
    Progress(P),
    /// It is done.
    Done(T),
}

/// Waits for something that the service does in the background, by asking for its state.
///
/// Await it for the result. [`next`](Self::next) and [`stream`](Self::stream) show the progress. See
/// [`poll`](self) for how often it asks, and for the defaults.
///
/// It can be given up at any time: what is dropped polls no more, and a future of
/// [`next`](Self::next) or [`until_done`](Self::until_done) that is dropped loses nothing. What is
/// waited for goes on with the service.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use std::time::Duration;
/// use anchorbrowser::poll::Polled;
///
/// let pending = client.sessions().start().send().await?;
/// let mut poller = pending.ready().deadline(Duration::from_secs(90));
/// while let Some(polled) = poller.next().await {
///     match polled? {
///         Polled::Progress(status) => println!("{:?}", status.phase),
///         Polled::Done(session) => println!("{} is ready", session.id()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is polled before it is awaited, or `next` is called"]
pub struct Poller<T, P> {
    client: Client,
    wait: Wait<T, P>,
    schedule: Arc<dyn PollSchedule>,
    limit: Duration,
    max_failures: u32,
    watch: Option<Arc<Watch<P>>>,
    /// The number of the poll that was seen last.
    seen: u32,
    polls: u32,
    /// How many polls in a row have failed, since the wait began or was gone on with.
    failures: u32,
    started: Option<Instant>,
    /// When the deadline is, and when the last poll before it.
    deadline: Option<(Instant, Option<Instant>)>,
    /// Whether a poll was asked for after the deadline.
    late: bool,
    last: Option<Arc<ResponseValue<P>>>,
    /// What the last poll failed with, if it did.
    failure: Option<Error>,
    ended: bool,
}

impl<T: Send + 'static, P: Clone + Send + Sync + 'static> Poller<T, P> {
    pub(crate) fn new(client: &Client, wait: Wait<T, P>) -> Self {
        Self {
            client: client.needing(anchorbrowser_api::Needs {
                // What fails is polled again, when the schedule and the server say so.
                never_repeat: true,
                ..Default::default()
            }),
            limit: wait.kind.deadline(),
            schedule: client.polling().schedule.clone(),
            wait,
            max_failures: MAX_FAILURES,
            watch: None,
            seen: 0,
            polls: 0,
            failures: 0,
            started: None,
            deadline: None,
            late: false,
            last: None,
            failure: None,
            ended: false,
        }
    }

    /// How long to wait, from the first call of [`next`](Self::next) or
    /// [`until_done`](Self::until_done); by default that of the [kind](PollKind::deadline). Then the
    /// wait fails with [`ErrorKind::Deadline`], and can be gone on with, for as long again.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self.deadline = None;
        self
    }

    /// When to poll, in place of the client's schedule. Polls are shared with those only that have a
    /// clone of the same [`Arc`], be it set here or for the client.
    pub fn schedule(mut self, schedule: impl PollSchedule) -> Self {
        self.schedule = Arc::new(schedule);
        self
    }

    /// How many polls in a row may fail, if a later one may succeed; default 10. What the server
    /// refuses, e.g. with 401 or 404, is final at once.
    pub fn max_failures(mut self, count: u32) -> Self {
        self.max_failures = count;
        self
    }

    /// What is waited for.
    pub fn kind(&self) -> PollKind {
        self.wait.kind
    }

    /// How many polls this one has seen the outcome of, those that failed too.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// The time since it began to wait.
    pub fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// What the last poll that succeeded has shown.
    pub fn last(&self) -> Option<&P> {
        self.last.as_deref().map(|answer| &**answer)
    }

    /// What another process needs to go on with the wait; see [`Client::resume`].
    pub fn token(&self) -> PollToken {
        PollToken::new(self.wait.kind, self.wait.ids.clone(), self.wait.begun)
    }

    /// What the next poll shows, when it is due; `None` after the end.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] if what is waited for has failed, or was cancelled;
    /// [`ErrorKind::Deadline`]; what a poll fails with, if the server refuses it, or too many fail in a
    /// row. [`Error::waited`] tells what was seen last. After a deadline, and after polls that failed
    /// but need not, it can be called again.
    pub async fn next(&mut self) -> Option<Result<Polled<T, P>>> {
        if self.ended {
            return None;
        }
        Some(self.poll_next().await)
    }

    /// Waits to the end.
    ///
    /// # Errors
    /// As [`next`](Self::next); [`ErrorKind::InvalidArgument`] if it has ended before.
    pub async fn until_done(&mut self) -> Result<T> {
        loop {
            match self.next().await {
                Some(Ok(Polled::Done(done))) => return Ok(done),
                Some(Ok(Polled::Progress(_))) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(self.has_ended()),
            }
        }
    }

    /// There is nothing more to wait for.
    pub(crate) fn has_ended(&self) -> Error {
        let message = "this poller has ended, and given its result, before";
        Error::invalid(self.wait.kind.operation(), message)
    }

    /// Polls at once, whatever the schedule says.
    ///
    /// # Errors
    /// As [`next`](Self::next), but that no failed poll is survived, and there is no deadline.
    pub async fn poll_once(&mut self) -> Result<Polled<T, P>> {
        self.started.get_or_insert_with(Instant::now);
        let answer = (self.wait.ask)(self.client.raw()).await;
        self.polls += 1;
        match answer {
            Ok(answer) => self.judge(Arc::new(answer)),
            Err(error) => Err(self.tell(error)),
        }
    }

    /// The progress as a stream: what each poll shows, the last one too. Dropping it stops the
    /// polling.
    pub fn stream(self) -> PollStream<P> {
        PollStream::new(stream::unfold(self, |mut poller| async {
            let shown = match poller.next().await? {
                Ok(Polled::Progress(progress)) => Ok(progress),
                Ok(Polled::Done(_)) => Ok(poller.last()?.clone()),
                Err(error) => Err(error),
            };
            Some((shown, poller))
        }))
    }

    /// Waits to the end, without an async runtime of the caller's.
    ///
    /// # Errors
    /// As [`next`](Self::next) and [`Call::blocking`].
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> Result<T> {
        self.into_future().blocking()
    }

    async fn poll_next(&mut self) -> Result<Polled<T, P>> {
        let (deadline, mut last_call) = self.begin();
        loop {
            let watch = self.watch();
            let after = watch.after(self.seen, last_call);
            let seen = match timeout_at(deadline, after).await {
                Ok(Ok(seen)) => seen,
                // Others that shared the polls had seen what they waited for.
                Ok(Err(Gone)) if watch.is_over() => {
                    self.watch = None;
                    continue;
                }
                Ok(Err(Gone)) => {
                    let message = "the task that polls has panicked; look at the poll schedule";
                    let error = Error::new(ErrorKind::Config, message);
                    return Err(self.tell(error.of(self.wait.kind.operation())));
                }
                Err(_) => return Err(self.passed()),
            };
            // Polls before it joined are not its own.
            let polls = seen.number.saturating_sub(self.seen);
            self.polls += polls;
            self.seen = seen.number;
            if last_call.is_some_and(|due| due <= seen.at) {
                last_call = None;
                self.deadline = Some((deadline, None));
            }
            match seen.outcome {
                Outcome::Nothing => {}
                Outcome::State(answer) => return self.judge(answer),
                Outcome::Failed(error, streak) => {
                    self.failures = streak.min(self.failures.saturating_add(polls));
                    if self.failures > self.max_failures {
                        return Err(self.too_many(error));
                    }
                    self.failure = Some(error);
                }
                Outcome::Final(error) => {
                    self.ended = true;
                    self.wait.hold = None;
                    return Err(self.tell(error));
                }
            }
        }
    }

    /// Begins to wait, or goes on, and gives the deadline and when the last poll before it is due.
    fn begin(&mut self) -> (Instant, Option<Instant>) {
        let now = Instant::now();
        self.started.get_or_insert(now);
        self.wait.hold.iter_mut().for_each(|hold| hold());
        let limit = self.limit;
        let (part, most) = LAST_CALL;
        let goes_on = self.deadline.is_some();
        let (deadline, last_call) = *self.deadline.get_or_insert_with(|| {
            let deadline = after(now, limit);
            let margin = (limit / part).min(most);
            (deadline, deadline.checked_sub(margin))
        });
        if goes_on && deadline <= now && !self.late {
            // The caller was busy when it passed: what has become of it is looked at once.
            self.late = true;
            let more = now + (limit / part).min(most);
            self.deadline = Some((more, Some(now)));
            return (more, Some(now));
        }
        (deadline, last_call)
    }

    /// A value with what is known of the last answer.
    pub(crate) fn answer<U>(&self, value: U) -> Result<Answer<U>> {
        match &self.last {
            Some(answer) => Ok(Answer {
                value,
                meta: Meta::of(answer),
            }),
            // It is asked for at the end only, so there was an answer.
            None => Err(Error::cancelled()),
        }
    }

    fn watch(&mut self) -> Arc<Watch<P>> {
        if let Some(watch) = self.watch.as_ref().filter(|watch| watch.is_here()) {
            return watch.clone();
        }
        let verdict = self.wait.verdict.clone();
        let subject = Subject {
            client: self.client.clone(),
            kind: self.wait.kind,
            ids: self.wait.ids.clone(),
            begun: self.wait.begun,
            schedule: self.schedule.clone(),
            ask: self.wait.ask.clone(),
            weight: self.wait.weight.clone(),
            place: self.wait.place,
            over: Arc::new(move |state| match verdict(state) {
                Verdict::InProgress => None,
                Verdict::Done(_) | Verdict::Unfit(_) => Some(true),
                Verdict::Failed(_) => Some(false),
            }),
        };
        let polling = self.client.polling();
        let watch = polling.watches.join(&polling.pace, subject);
        self.seen = watch.joins_after();
        self.watch = Some(watch.clone());
        watch
    }

    fn judge(&mut self, answer: Arc<ResponseValue<P>>) -> Result<Polled<T, P>> {
        let verdict = (self.wait.verdict)(&answer);
        self.last = Some(answer.clone());
        self.failure = None;
        self.failures = 0;
        if !matches!(verdict, Verdict::InProgress) {
            self.ended = true;
            self.watch = None;
            self.wait.hold = None;
        }
        match verdict {
            Verdict::InProgress => Ok(Polled::Progress(P::clone(&answer))),
            Verdict::Done(done) => Ok(Polled::Done(done)),
            Verdict::Failed(failure) => {
                let state = Place::of(&answer, self.wait.place).state;
                let what = format!("{} ended as `{state}`", self.wait.kind);
                let error = match (failure.note, failure.reason) {
                    (Some(note), None) => {
                        let message = format!("{what}: {note}");
                        Error::of_answer(ErrorKind::Failed, &answer, message)
                    }
                    (_, reason) => Error::failed(&answer, &what, reason.as_deref()),
                };
                Err(self.tell(error))
            }
            Verdict::Unfit(message) => {
                Err(self.tell(Error::of_answer(ErrorKind::Decode, &answer, message)))
            }
        }
    }

    /// More polls in a row have failed than may.
    fn too_many(&mut self, error: Error) -> Error {
        let count = std::mem::take(&mut self.failures);
        let hint = match count {
            1 => "no failed poll is survived here, see `max_failures`".to_owned(),
            _ => format!("{count} polls in a row failed, this is the last"),
        };
        self.tell(error.with_hint(&hint))
    }

    /// The deadline has passed.
    fn passed(&mut self) -> Error {
        self.deadline = None;
        self.late = false;
        let limit = self.limit;
        let kind = self.wait.kind;
        let mut message = format!("the deadline of {limit:.1?} for {kind} has passed");
        if self.failure.is_some() {
            message.push_str(", and the last poll failed");
        }
        let mut error = Error::new(ErrorKind::Deadline, message).of(kind.operation());
        if let Some(failure) = self.failure.take() {
            error = error.with_source(failure);
        }
        self.tell(error)
            .with_hint("it goes on with the service: wait again, or resume it by the error's token")
    }

    /// Adds what is known of the wait to an error.
    fn tell(&self, error: Error) -> Error {
        let last = self.last.as_ref();
        let place = last.map(|answer| Place::of(answer, self.wait.place));
        let (state, phase) = place.map(|place| (place.state, place.phase)).unzip();
        error.with_wait(Waited {
            token: self.token(),
            elapsed: self.elapsed(),
            polls: self.polls,
            state,
            phase: phase.flatten(),
        })
    }
}

impl<T: Send + 'static, P: Clone + Send + Sync + 'static> IntoFuture for Poller<T, P> {
    type Output = Result<T>;
    type IntoFuture = Call<T>;

    fn into_future(mut self) -> Call<T> {
        Call::from_future(async move {
            let value = self.until_done().await?;
            self.answer(value)
        })
    }
}

impl<T, P> fmt::Debug for Poller<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("kind", &self.wait.kind)
            .field("ids", &self.wait.ids)
            .field("polls", &self.polls)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
