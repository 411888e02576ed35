//! How far a batch has come.

use std::sync::Arc;

use anchorbrowser_api::types;

use super::item::{self, BatchItem};
use super::{Phase, Status, count_or_zero};
use crate::poll::Place;
use crate::{BatchId, Client, Session, Timestamp};

/// How far a batch had come when it was asked. A count that the API does not tell is 0.
///
/// Of a batch that was split it is that of the whole: counts are added up, the phase is that of the
/// hindmost part. It is cheap to clone: clones share the items.
///
/// Counts and items are the service's; they need not agree, and the status decides.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchSnapshot {
    /// Its id; those of all parts, if it was split.
    pub ids: Vec<BatchId>,
    /// Its status. Of a batch that was split: in progress as long as a part is, then completed if a
    /// part is.
    pub status: Status,
    /// What is being done.
    pub phase: Option<Phase>,
    /// How much of it is done, in percent from 0 to 100.
    pub percentage: Option<f64>,
    /// How many sessions were asked for.
    pub total: u64,
    /// How many sessions have been created.
    pub completed: u64,
    /// How many sessions could not be created.
    pub failed: u64,
    /// How many sessions are being created.
    pub processing: u64,
    /// How many sessions wait their turn.
    pub pending: u64,
    /// Why the batch failed, if it did.
    pub error: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When its last session was created, or had failed.
    pub completed_at: Option<Timestamp>,
    /// The items of each part.
    pub(super) items: Vec<Arc<Vec<BatchItem>>>,
    pub(super) client: Client,
}

impl BatchSnapshot {
    pub(super) fn new(
        client: Client,
        data: types::BatchSessionStatusResponseSchema,
    ) -> Option<Self> {
        let progress = data.progress.unwrap_or_default();
        let percentage = progress.percentage.filter(|percent| percent.is_finite());
        Some(Self {
            ids: vec![data.batch_id?.into()],
            status: data.status?,
            phase: progress.current_phase,
            percentage: percentage.map(|percent| percent.clamp(0.0, 100.0)),
            total: count_or_zero(data.total_requests),
            completed: count_or_zero(data.completed_requests),
            failed: count_or_zero(data.failed_requests),
            processing: count_or_zero(data.processing_requests),
            pending: count_or_zero(data.pending_requests),
            error: data.error,
            created_at: data.created_at,
            completed_at: data.actual_completion_time,
            items: vec![Arc::new(item::read(data.sessions))],
            client,
        })
    }

    /// Its items, in their order: each session that was asked for, as far as the service lists them.
    pub fn items(&self) -> impl Iterator<Item = &BatchItem> {
        self.items.iter().flat_map(|items| items.iter())
    }

    /// Handles on the sessions that are ready.
    pub fn sessions(&self) -> impl Iterator<Item = Session> {
        self.items().filter_map(|item| item.session(&self.client))
    }

    /// Whether the batch has ended: it is completed, failed or cancelled.
    pub fn is_over(&self) -> bool {
        is_over(&self.status)
    }

    /// The part of the sessions that are over, by the counts, from 0 to 1; `None` without a total.
    pub(super) fn share(&self) -> Option<f64> {
        let over = self.completed.saturating_add(self.failed);
        (self.total > 0).then(|| (over as f64 / self.total as f64).min(1.0))
    }

    pub(super) fn place(&self) -> Place {
        Place {
            phase: self.phase.as_ref().map(ToString::to_string),
            share: self.share(),
            ..Place::new(&self.status)
        }
    }
}

/// Whether a batch of this status has ended. One that is not known goes on.
pub(super) fn is_over(status: &Status) -> bool {
    matches!(
        status,
        Status::Completed | Status::Failed | Status::Cancelled
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    /// A snapshot with this status and these counts of `total`, `completed` and `failed`.
    fn snapshot(status: &str, counts: [i64; 3]) -> BatchSnapshot {
        let [total, completed, failed] = counts;
        let data = json!({
            "batch_id": "b",
            "status": status,
            "total_requests": total,
            "completed_requests": completed,
            "failed_requests": failed,
            "progress": { "current_phase": "resting", "percentage": 1e9 },
        });
        let client = Client::new("key").unwrap();
        BatchSnapshot::new(client, from_value(data).unwrap()).unwrap()
    }

    #[test]
    fn the_status_alone_decides_what_is_over() {
        for (status, over) in [
            ("pending", false),
            ("processing", false),
            ("resting", false),
            ("completed", true),
            ("failed", true),
            ("cancelled", true),
        ] {
            for counts in [[2, 0, 0], [2, 2, 0], [2, 9, 9], [0, 0, 0], [-1, -1, -1]] {
                assert_eq!(snapshot(status, counts).is_over(), over, "{status}");
            }
        }
    }

    #[test]
    fn the_share_is_that_of_the_counts_whatever_they_say() {
        for (counts, share) in [
            ([4, 1, 1], Some(0.5)),
            ([4, 0, 0], Some(0.0)),
            ([4, 4, 4], Some(1.0)),
            ([4, -1, 1], Some(0.25)),
            ([i64::MAX, i64::MAX, i64::MAX], Some(1.0)),
            ([0, 3, 0], None),
            ([-4, 3, 0], None),
        ] {
            let place = snapshot("processing", counts).place();
            assert_eq!(place.share, share, "{counts:?}");
            assert_eq!(place.phase.as_deref(), Some("resting"));
            assert_eq!(place.state, "processing");
        }
    }

    #[test]
    fn the_percentage_is_one() {
        assert_eq!(snapshot("pending", [1, 0, 0]).percentage, Some(100.0));
    }
}
