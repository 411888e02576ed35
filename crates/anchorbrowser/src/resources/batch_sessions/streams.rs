//! What comes out of a batch while it is waited for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::pending;
use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::stream::{self, FuturesUnordered, StreamExt as _};

use super::{BatchItem, BatchReport, BatchSnapshot};
use crate::error::Error;
use crate::poll::{PollKind, PollStream, Polled, Poller};
use crate::{Session, SessionId};

/// What a wait for a batch gives before the end.
impl Poller<BatchReport, BatchSnapshot> {
    /// Each session, as soon as it is ready; see
    /// [`Batch::sessions`](super::Batch::sessions).
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn sessions(self) -> PollStream<Session> {
        let mut given = Given::default();
        self.stream_of(move |snapshot| given.add(snapshot))
    }

    /// Each session that could not be created, once for each attempt; see
    /// [`Batch::failures`](super::Batch::failures).
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn failures(self) -> PollStream<BatchItem> {
        let mut told = Told::default();
        self.stream_of(move |snapshot| told.add(snapshot))
    }

    /// Runs a closure with each session as soon as it is ready; see
    /// [`Batch::for_each_concurrent`](super::Batch::for_each_concurrent).
    ///
    /// # Errors
    /// The first one, of a closure or of [`next`](Self::next).
    pub async fn for_each_concurrent<E, F, R>(
        mut self,
        limit: usize,
        mut run: F,
    ) -> Result<BatchReport, E>
    where
        E: From<Error>,
        F: FnMut(Session) -> R,
        R: Future<Output = Result<(), E>>,
    {
        if limit == 0 {
            let message = "`limit` is 0, and nothing could run; it must be at least 1";
            return Err(Error::invalid(PollKind::Batch.operation(), message).into());
        }
        let (mut given, mut ready) = (Given::default(), VecDeque::new());
        let (mut running, mut report) = (FuturesUnordered::new(), None);
        loop {
            while running.len() < limit
                && let Some(session) = ready.pop_front()
            {
                running.push(run(session));
            }
            if running.is_empty()
                && let Some(report) = report.take()
            {
                return Ok(report);
            }
            let polled = async {
                match report {
                    Some(_) => pending().await,
                    None => self.next().await,
                }
            };
            match first(next_of(&mut running), polled).await {
                Either::Left(ended) => ended?,
                Either::Right(Some(polled)) => match polled? {
                    Polled::Progress(snapshot) => ready.extend(given.add(&snapshot)),
                    Polled::Done(done) => {
                        ready.extend(given.add(&done.snapshot));
                        report = Some(done);
                    }
                },
                Either::Right(None) => return Err(self.has_ended().into()),
            }
        }
    }

    /// What is new in each snapshot.
    fn stream_of<T: Send + 'static>(
        self,
        mut new: impl FnMut(&BatchSnapshot) -> Vec<T> + Send + 'static,
    ) -> PollStream<T> {
        PollStream::new(self.stream().flat_map(move |shown| {
            let items: Vec<_> = match shown {
                Ok(snapshot) => new(&snapshot).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            stream::iter(items)
        }))
    }
}

/// The result of the first of these futures that ends; waits on if there is none.
async fn next_of<F: Future>(running: &mut FuturesUnordered<F>) -> F::Output {
    match running.next().await {
        Some(ended) => ended,
        None => pending().await,
    }
}

/// What is ready first. The other is dropped: both can be, without loss.
async fn first<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> Either<A, B> {
    match select(pin!(one), pin!(other)).await {
        Either::Left((one, _)) => Either::Left(one),
        Either::Right((other, _)) => Either::Right(other),
    }
}

/// The sessions that were handed out.
#[derive(Default)]
struct Given(HashSet<SessionId>);

impl Given {
    /// The sessions of a snapshot that are new.
    fn add(&mut self, snapshot: &BatchSnapshot) -> Vec<Session> {
        let mut is_new = |item: &&BatchItem| match &item.session_id {
            Some(id) if item.is_ready() && !self.0.contains(id) => self.0.insert(id.clone()),
            _ => false,
        };
        let new = snapshot.items().filter(&mut is_new);
        new.filter_map(|item| item.session(&snapshot.client))
            .collect()
    }
}

/// The failures that were told, and of which attempt each was: by the part, and the index of the item
/// or else its place in the answer. Two parts can tell the same index.
#[derive(Default)]
struct Told(HashMap<(usize, Option<u64>, usize), u64>);

impl Told {
    /// The failures of a snapshot that are new. An item that has not failed, as it is retried, can
    /// fail again.
    fn add(&mut self, snapshot: &BatchSnapshot) -> Vec<BatchItem> {
        let mut is_new = |(part, place, item): &(usize, usize, &BatchItem)| {
            let place = item.index.map_or(*place, |_| 0);
            let key = (*part, item.index, place);
            match item.is_failed() {
                true => self.0.insert(key, item.retries) != Some(item.retries),
                false => {
                    self.0.remove(&key);
                    false
                }
            }
        };
        let parts = snapshot.items.iter().enumerate();
        let items = parts.flat_map(|(part, items)| {
            let items = items.iter().enumerate();
            items.map(move |(place, item)| (part, place, item))
        });
        let new = items.filter(&mut is_new);
        new.map(|(.., item)| item.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::Client;

    fn snapshot(items: &[Value]) -> BatchSnapshot {
        let data = json!({ "batch_id": "b", "status": "processing", "sessions": items });
        let client = Client::new("key").unwrap();
        BatchSnapshot::new(client, from_value(data).unwrap()).unwrap()
    }

    #[test]
    fn a_session_is_handed_out_once() {
        let item =
            |index, status, id| json!({ "item_index": index, "status": status, "session_id": id });
        let mut given = Given::default();
        for (items, ids) in [
            (vec![item(0, "processing", "a")], vec![]),
            (vec![item(0, "completed", "a")], vec!["a"]),
            (
                vec![item(0, "completed", "a"), item(1, "completed", "b")],
                vec!["b"],
            ),
            // It failed after all, and was ready again.
            (vec![item(0, "failed", "a")], vec![]),
            (vec![item(0, "completed", "a")], vec![]),
            // It was created once more, twice listed.
            (
                vec![item(0, "completed", "c"), item(2, "completed", "c")],
                vec!["c"],
            ),
        ] {
            let new = given.add(&snapshot(&items));
            let found: Vec<_> = new.iter().map(|session| session.id().as_str()).collect();
            assert_eq!(found, ids, "{items:?}");
        }
    }

    #[test]
    fn a_failure_is_told_once_for_each_attempt() {
        let item = |index: Option<u64>, status, retries| json!({ "item_index": index, "status": status, "retry_count": retries });
        let mut told = Told::default();
        for (items, count) in [
            (vec![item(Some(0), "processing", 0)], 0),
            (vec![item(Some(0), "failed", 0)], 1),
            (vec![item(Some(0), "failed", 0)], 0),
            (vec![item(Some(0), "failed", 1)], 1),
            // The service need not count attempts.
            (vec![item(Some(0), "processing", 1)], 0),
            (vec![item(Some(0), "failed", 1)], 1),
            (vec![item(None, "failed", 0), item(None, "failed", 0)], 2),
            (vec![item(None, "failed", 0), item(None, "failed", 0)], 0),
        ] {
            assert_eq!(told.add(&snapshot(&items)).len(), count, "{items:?}");
        }
    }
}
