//! What resources say of the things that can be waited for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use anchorbrowser_api::ResponseValue;

use super::{Begun, PollKind};
use crate::error::{Result, printable};

/// Begins to hold something, unless it does already; dropped, it lets go of it.
pub(crate) type Hold = Box<dyn FnMut() + Send + Sync>;

/// What a resource says of something that can be waited for.
pub(crate) struct Wait<T, P> {
    pub(crate) kind: PollKind,
    pub(crate) ids: Vec<String>,
    /// When it began, if it began here.
    pub(crate) begun: Option<Begun>,
    pub(crate) ask: Ask<P>,
    /// How many requests a poll is made of.
    pub(crate) weight: Weight,
    pub(crate) place: fn(&P) -> Place,
    pub(crate) verdict: Judge<P, Verdict<T>>,
    /// What is held from when it is first awaited to the end.
    pub(crate) hold: Option<Hold>,
}

impl<T, P> Wait<T, P> {
    /// A wait that began elsewhere, of which a poll is one request.
    pub(crate) fn new<F>(
        kind: PollKind,
        ids: Vec<String>,
        ask: impl Fn(anchorbrowser_api::Client) -> F + Send + Sync + 'static,
        place: fn(&P) -> Place,
        verdict: impl Fn(&P) -> Verdict<T> + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<ResponseValue<P>>> + Send + 'static,
    {
        Self {
            kind,
            ids,
            begun: None,
            ask: Arc::new(move |api| Box::pin(ask(api))),
            weight: Arc::new(|| 1),
            place,
            verdict: Arc::new(verdict),
            hold: None,
        }
    }

    pub(crate) fn begun(mut self, begun: Option<Begun>) -> Self {
        self.begun = begun;
        self
    }
}

/// The answer to a poll, as it is fetched.
pub(crate) type Asked<P> = Pin<Box<dyn Future<Output = Result<ResponseValue<P>>> + Send>>;

/// Makes a poll.
pub(super) type Ask<P> = Arc<dyn Fn(anchorbrowser_api::Client) -> Asked<P> + Send + Sync>;

/// Says how many requests the next poll is made of.
pub(super) type Weight = Arc<dyn Fn() -> u32 + Send + Sync>;

/// Says what an answer means.
pub(super) type Judge<P, V> = Arc<dyn Fn(&P) -> V + Send + Sync>;

/// What an answer says of the way of what is waited for.
pub(crate) struct Place {
    /// The API's word for its state.
    pub(crate) state: String,
    pub(crate) phase: Option<String>,
    /// The part that is done, from 0 to 1.
    pub(crate) share: Option<f64>,
}

impl Place {
    pub(crate) fn new(state: impl ToString) -> Self {
        Self {
            state: state.to_string(),
            phase: None,
            share: None,
        }
    }

    /// Of a state that an answer may lack.
    pub(crate) fn told(state: Option<impl ToString>) -> Self {
        Self::new(state.map_or_else(|| "no state".to_owned(), |state| state.to_string()))
    }

    /// What an answer says, in words that can be printed.
    pub(super) fn of<P>(answer: &ResponseValue<P>, place: fn(&P) -> Self) -> Self {
        let place = place(answer);
        Self {
            state: printable(answer, &place.state),
            phase: place.phase.map(|phase| printable(answer, &phase)),
            share: place.share,
        }
    }
}

/// What an answer means for who waits.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict<T> {
    InProgress,
    Done(T),
    /// It is over, and not as was hoped for.
    Failed(Failure),
    /// It is done, and what it gave cannot be used: why.
    Unfit(String),
}

/// Why something is over that was hoped to end otherwise.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Failure {
    /// What the state means, where its name does not say it.
    pub(crate) note: Option<&'static str>,
    /// The reason that the service gives.
    pub(crate) reason: Option<String>,
}

impl<T> Verdict<T> {
    /// It is over, and the service may say why.
    pub(crate) fn failed(reason: Option<String>) -> Self {
        Self::Failed(Failure { note: None, reason })
    }
}
