//! The polls of a batch, which may be several behind one handle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anchorbrowser_api::ResponseValue;
use futures_util::future::Either;
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

/// What is known of the parts from earlier looks.
#[derive(Default)]
struct Seen {
    /// The attempt at which parts were over.
    attempt: u32,
    /// The parts that were over, by their places.
    over: HashMap<usize, BatchSnapshot>,
    /// How many sessions each part has. It is kept, so that no item changes its index.
    sizes: Vec<u64>,
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
        let open = self.ids.len() - self.seen().over.len();
        u32::try_from(open).unwrap_or(u32::MAX).max(1)
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

    /// Each part. Those that were over the last time are not asked again, unless they were retried,
    /// or all were.
    pub(super) async fn parts(
        &self,
        api: anchorbrowser_api::Client,
    ) -> Result<ResponseValue<Vec<BatchSnapshot>>> {
        let attempt = self.attempts.current().number;
        let mut known = self.known(attempt);
        let looks = self.ids.iter().enumerate().map(|(place, id)| {
            let (known, api) = (known.remove(&place), api.clone());
            async move {
                match known {
                    Some(part) => Ok(Either::Left(part)),
                    None => fetch(api, self.client.clone(), id.clone())
                        .await
                        .map(Either::Right),
                }
            }
        });
        let looks: Vec<_> = looks.collect();
        let mut looks = stream::iter(looks).buffered(AT_ONCE);
        let (mut parts, mut last) = (Vec::with_capacity(self.ids.len()), None);
        while let Some(looked) = looks.next().await {
            match looked? {
                Either::Left(part) => parts.push(part),
                Either::Right(answer) => {
                    let place = parts.len();
                    last = Some(answer.map(|part| parts.push(self.keep(place, part, attempt))));
                }
            }
        }
        last.map(|answer| answer.map(|()| parts))
            .ok_or_else(nothing)
    }

    /// The parts that are over for good.
    fn known(&self, attempt: u32) -> HashMap<usize, BatchSnapshot> {
        let mut seen = self.seen();
        if seen.attempt != attempt || seen.over.len() == self.ids.len() {
            seen.over.clear();
            seen.attempt = attempt;
        }
        seen.over.clone()
    }

    /// Gives the items of a part their places in the whole, and keeps the part if it is over. Parts
    /// come in their order.
    fn keep(&self, place: usize, mut part: BatchSnapshot, attempt: u32) -> BatchSnapshot {
        let mut seen = self.seen();
        if seen.sizes.len() == place {
            let listed: usize = part.items.iter().map(|items| items.len()).sum();
            seen.sizes.push(part.total.max(listed as u64));
        }
        let before = seen.sizes.iter().take(place).copied();
        shift(&mut part, before.fold(0, u64::saturating_add));
        // A retry in the meantime may have opened it again.
        if part.is_over() && seen.attempt == attempt && self.attempts.current().number == attempt {
            seen.over.insert(place, part.clone());
        }
        part
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
