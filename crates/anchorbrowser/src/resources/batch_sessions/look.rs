//! The polls of a batch, which may be several behind one handle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anchorbrowser_api::ResponseValue;
use futures_util::stream::{self, StreamExt as _};

use super::batch::Attempts;
use super::merge::merged;
use super::{BatchItem, BatchSnapshot};
use crate::error::{Error, Open as _, Result};
use crate::{BatchId, Client};

/// How many parts are asked at once.
pub(super) const AT_ONCE: usize = 8;

/// Looks at all parts of a batch, again and again.
pub(super) struct Look {
    client: Client,
    ids: Vec<BatchId>,
    attempts: Arc<Attempts>,
    seen: Mutex<Seen>,
}

/// Parts of a batch, by their places.
type Parts = BTreeMap<usize, BatchSnapshot>;

/// What is known of the parts from earlier looks.
#[derive(Default)]
struct Seen {
    /// The attempt that it was seen at.
    attempt: u32,
    /// The parts that were over the last time.
    over: Parts,
    /// Those that have answered since, when another one did not. Their items have no places yet.
    answered: Parts,
    /// How many sessions each part has. It is kept, so that no item changes its index.
    sizes: BTreeMap<usize, u64>,
}

impl Look {
    pub(super) fn new(client: &Client, ids: &[BatchId], attempts: &Arc<Attempts>) -> Self {
        Self {
            client: client.clone(),
            ids: ids.to_vec(),
            attempts: attempts.clone(),
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests the next look is made of.
    pub(super) fn weight(&self) -> u32 {
        let seen = self.seen();
        let known = seen.over.len() + seen.answered.len();
        u32::try_from(self.ids.len().saturating_sub(known))
            .unwrap_or(u32::MAX)
            .max(1)
    }

    /// The batch as a whole, with what is known of the answer of its last part.
    pub(super) async fn whole(
        &self,
        api: anchorbrowser_api::Client,
    ) -> Result<ResponseValue<BatchSnapshot>> {
        let mut answer = self.parts(api).await?;
        let parts = std::mem::take(&mut *answer);
        let whole = merged(parts).ok_or_else(nothing)?;
        Ok(answer.map(|_| whole))
    }

    /// Each part. Those that were over the last time are asked again only when all are over: they may
    /// have been retried since, by another process.
    pub(super) async fn parts(
        &self,
        api: anchorbrowser_api::Client,
    ) -> Result<ResponseValue<Vec<BatchSnapshot>>> {
        let attempt = self.attempts.current().number;
        let (mut over, answered) = self.known(attempt);
        let mut answer = self.ask(&api, attempt, answered, &over).await?;
        if !over.is_empty() && answer.values().all(BatchSnapshot::is_over) {
            self.seen().over.clear();
            over.clear();
            let answered = std::mem::take(&mut *answer);
            answer = self.ask(&api, attempt, answered, &over).await?;
        }
        let mut seen = self.seen();
        seen.answered.clear();
        seen.place(&mut answer);
        answer.extend(over);
        if self.is_at(&seen, attempt) {
            let over = answer.iter().filter(|(_, part)| part.is_over());
            seen.over = over.map(|(place, part)| (*place, part.clone())).collect();
        }
        drop(seen);
        Ok(answer.map(|parts| parts.into_values().collect()))
    }

    /// Asks for the parts that have not answered, and need not be left out. All are asked, whichever
    /// fails: the next look then asks for that one alone.
    async fn ask(
        &self,
        api: &anchorbrowser_api::Client,
        attempt: u32,
        mut answered: Parts,
        left_out: &Parts,
    ) -> Result<ResponseValue<Parts>> {
        let open = self.ids.iter().enumerate();
        let open = open
            .filter(|(place, _)| !answered.contains_key(place) && !left_out.contains_key(place));
        let asks = open.map(|(place, id)| {
            let asked = fetch(api.clone(), self.client.clone(), id.clone());
            async move { (place, asked.await) }
        });
        let asks: Vec<_> = asks.collect();
        let mut asks = stream::iter(asks).buffered(AT_ONCE);
        let (mut last, mut failed) = (None, None);
        while let Some((place, answer)) = asks.next().await {
            match answer {
                Ok(answer) => {
                    last = Some(answer.map(|part| answered.insert(place, part)));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            let mut seen = self.seen();
            if self.is_at(&seen, attempt) {
                seen.answered = answered;
            }
            return Err(error);
        }
        last.map(|answer| answer.map(|_| answered))
            .ok_or_else(nothing)
    }

    /// The parts that were over, and those that have answered since.
    fn known(&self, attempt: u32) -> (Parts, Parts) {
        let mut seen = self.seen();
        if seen.attempt != attempt || seen.over.len() + seen.answered.len() >= self.ids.len() {
            (seen.attempt, seen.over, seen.answered) = (attempt, Parts::new(), Parts::new());
        }
        (seen.over.clone(), seen.answered.clone())
    }

    /// Whether it is still this attempt: otherwise a retry may have opened what was over.
    fn is_at(&self, seen: &Seen, attempt: u32) -> bool {
        seen.attempt == attempt && self.attempts.current().number == attempt
    }
}

impl Seen {
    /// Gives the items of these parts their places in the whole.
    fn place(&mut self, parts: &mut Parts) {
        for (place, part) in &*parts {
            let listed: usize = part.items.iter().map(|items| items.len()).sum();
            let size = part.total.max(listed as u64);
            self.sizes.entry(*place).or_insert(size);
        }
        for (place, part) in parts {
            let before = self.sizes.range(..*place).map(|(_, size)| *size);
            shift(part, before.fold(0, u64::saturating_add));
        }
    }
}

/// Moves the items back by this many places.
fn shift(part: &mut BatchSnapshot, by: u64) {
    if by == 0 {
        return;
    }
    for items in &mut part.items {
        // They were read just now: nobody shares them, and nothing is copied.
        for item in Arc::make_mut(items) {
            let BatchItem { index, .. } = item;
            *index = index.map(|index| index.saturating_add(by));
        }
    }
}

/// There is no part.
pub(super) fn nothing() -> Error {
    let message = "the handle has no id of a batch; give `attach` at least one";
    Error::invalid("get_batch_session", message)
}

/// One batch, as the API knows it.
pub(super) async fn fetch(
    api: anchorbrowser_api::Client,
    client: Client,
    id: BatchId,
) -> Result<ResponseValue<BatchSnapshot>> {
    let answer = api.get_batch_session().batch_id(id).send().await?;
    let answer = answer.open("data.status", |answer| {
        let data = answer.data.take()?;
        data.status.is_some().then_some(data)
    })?;
    answer.open("data.batch_id", |data| {
        BatchSnapshot::new(client, std::mem::take(data))
    })
}
