//! One session of a batch.

use std::collections::HashMap;

use anchorbrowser_api::types;
use serde_json::{Map, Value};

use super::{Status, count_or_zero};
use crate::resources::paging::count;
use crate::{CdpUrl, Client, LiveViewUrl, Session, SessionId, Timestamp};

/// One session of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchItem {
    /// Its place in the batch, from 0. Of a batch that was split, its place in the whole.
    pub index: Option<u64>,
    /// How far its creation has come.
    pub status: Option<Status>,
    /// The session's id, once it has one. It need not be ready then; see
    /// [`session`](Self::session).
    pub session_id: Option<SessionId>,
    /// Where a driver connects to, if the session is ready for it. It holds the API key.
    pub cdp_url: Option<CdpUrl>,
    /// The page that shows the browser, if it is ready.
    pub live_view_url: Option<LiveViewUrl>,
    /// Why the session could not be created.
    pub error: Option<String>,
    /// How often its creation was attempted once more.
    pub retries: u64,
    /// What this session is to be known by, beside the others.
    pub metadata: Map<String, Value>,
    /// When its creation began.
    pub started_at: Option<Timestamp>,
    /// When its creation ended.
    pub completed_at: Option<Timestamp>,
}

impl BatchItem {
    pub(crate) fn new(item: types::BatchSessionItemSchema) -> Self {
        Self {
            index: count(item.item_index),
            status: item.status,
            session_id: item.session_id.map(Into::into),
            cdp_url: item.cdp_url.map(Into::into),
            live_view_url: item.live_view_url.map(Into::into),
            error: item.error,
            retries: count_or_zero(item.retry_count),
            metadata: item.metadata,
            started_at: item.started_at,
            completed_at: item.completed_at,
        }
    }

    /// Whether the session can be used: its creation is complete, or it has an address and has not
    /// failed.
    pub fn is_ready(&self) -> bool {
        let ready = match self.status {
            Some(Status::Completed) => true,
            Some(Status::Failed | Status::Cancelled) => false,
            _ => self.cdp_url.is_some(),
        };
        ready && self.session_id.is_some()
    }

    /// Whether the session could not be created.
    pub fn is_failed(&self) -> bool {
        self.status == Some(Status::Failed)
    }

    /// A handle on the session; `None` as long as it is not [ready](Self::is_ready).
    pub fn session(&self, client: &Client) -> Option<Session> {
        self.is_ready().then(|| self.handle(client)).flatten()
    }

    /// A handle on the session, ready or not.
    pub(crate) fn handle(&self, client: &Client) -> Option<Session> {
        let id = self.session_id.clone()?;
        let (cdp, live_view) = (self.cdp_url.clone(), self.live_view_url.clone());
        Some(Session::at(client, id, cdp, live_view))
    }
}

/// The items of an answer. Of those with the same index the latest attempt counts; but no session that
/// is ready is lost.
pub(super) fn read(items: Vec<types::BatchSessionItemSchema>) -> Vec<BatchItem> {
    let items: Vec<_> = items.into_iter().map(BatchItem::new).collect();
    // As they should come: then none is there twice.
    if items.is_sorted_by(|one, next| one.index < next.index) {
        return items;
    }
    let mut places = HashMap::new();
    let mut kept: Vec<BatchItem> = Vec::with_capacity(items.len());
    for item in items {
        let new = kept.len();
        let place = item.index.map(|index| *places.entry(index).or_insert(new));
        match place.and_then(|place| kept.get_mut(place)) {
            Some(known) if is_another(known, &item) => kept.push(item),
            Some(known) if known.retries > item.retries => {}
            Some(known) => *known = item,
            None => kept.push(item),
        }
    }
    kept
}

/// Whether both are ready, and each has a session of its own.
fn is_another(known: &BatchItem, item: &BatchItem) -> bool {
    known.is_ready() && item.is_ready() && known.session_id != item.session_id
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn item(value: Value) -> types::BatchSessionItemSchema {
        from_value(value).unwrap()
    }

    #[test]
    fn what_can_be_used_is_told_by_status_and_address() {
        let (id, url) = ("s", "wss://x/");
        for (value, ready) in [
            (json!({ "status": "completed", "session_id": id }), true),
            (json!({ "status": "completed" }), false),
            (
                json!({ "status": "processing", "session_id": id, "cdp_url": url }),
                true,
            ),
            (json!({ "status": "processing", "session_id": id }), false),
            (
                json!({ "status": "resting", "session_id": id, "cdp_url": url }),
                true,
            ),
            (json!({ "session_id": id, "cdp_url": url }), true),
            (
                json!({ "status": "failed", "session_id": id, "cdp_url": url }),
                false,
            ),
            (
                json!({ "status": "cancelled", "session_id": id, "cdp_url": url }),
                false,
            ),
        ] {
            assert_eq!(
                BatchItem::new(item(value.clone())).is_ready(),
                ready,
                "{value}"
            );
        }
    }

    #[test]
    fn an_index_counts_once_with_its_latest_attempt() {
        let one = |index, retries, id| json!({ "item_index": index, "retry_count": retries, "session_id": id });
        let none = json!({ "session_id": "none" });
        let ready = |id| json!({ "item_index": 0, "status": "completed", "session_id": id });
        for (items, ids) in [
            (vec![], vec![]),
            (vec![one(0, 0, "a"), one(1, 0, "b")], vec!["a", "b"]),
            (vec![one(1, 0, "b"), one(0, 0, "a")], vec!["b", "a"]),
            (
                vec![one(0, 0, "a"), one(0, 1, "b"), one(1, 0, "c")],
                vec!["b", "c"],
            ),
            (vec![one(0, 1, "b"), one(0, 0, "a")], vec!["b"]),
            (vec![one(0, 0, "a"), one(0, 0, "b")], vec!["b"]),
            (vec![none.clone(), none], vec!["none", "none"]),
            (vec![ready("a"), ready("b"), ready("a")], vec!["a", "b"]),
            (vec![one(-1, 0, "a"), one(-1, 0, "b")], vec!["a", "b"]),
        ] {
            let read = read(items.into_iter().map(item).collect());
            let found: Vec<_> = read
                .iter()
                .flat_map(|item| &item.session_id)
                .map(SessionId::as_str)
                .collect();
            assert_eq!(found, ids);
        }
    }
}
