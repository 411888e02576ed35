//! The parts of a batch that was split, seen as one.

use super::snapshot::is_over;
use super::{BatchSnapshot, Phase, Status};

/// The whole of the parts, of which there is at least one.
pub(super) fn merged(mut parts: Vec<BatchSnapshot>) -> Option<BatchSnapshot> {
    if parts.len() <= 1 {
        return parts.pop();
    }
    let sum =
        |count: fn(&BatchSnapshot) -> u64| parts.iter().map(count).fold(0, u64::saturating_add);
    let times = parts.iter().map(|part| part.completed_at.as_ref());
    let times: Option<Vec<_>> = times.collect();
    let times = times.unwrap_or_default().into_iter();
    Some(BatchSnapshot {
        ids: parts.iter().flat_map(|part| part.ids.clone()).collect(),
        status: status(parts.iter().map(|part| &part.status))?,
        phase: phase(&parts),
        percentage: percentage(&parts),
        total: sum(|part| part.total),
        completed: sum(|part| part.completed),
        failed: sum(|part| part.failed),
        processing: sum(|part| part.processing),
        pending: sum(|part| part.pending),
        error: parts.iter().find_map(|part| part.error.clone()),
        created_at: parts.iter().find_map(|part| part.created_at.clone()),
        completed_at: times.max_by_key(|time| time.to_utc()).cloned(),
        items: parts.iter().flat_map(|part| part.items.clone()).collect(),
        client: parts.first()?.client.clone(),
    })
}

/// The status of the whole: it is in progress as long as a part is, and completed if any part is.
pub(super) fn status<'a>(parts: impl Iterator<Item = &'a Status> + Clone) -> Option<Status> {
    let rank = |status: &&Status| match status {
        Status::Processing => 0,
        Status::Pending => 2,
        Status::Completed => 3,
        Status::Failed => 4,
        Status::Cancelled => 5,
        // What is not known goes on.
        _ => 1,
    };
    let first = parts.clone().min_by_key(rank)?;
    // Some of it is done, so it does not wait any more.
    if *first == Status::Pending && parts.clone().any(is_over) {
        return Some(Status::Processing);
    }
    Some(first.clone())
}

/// The phase of the hindmost part; once all are over, of the hindmost of all.
fn phase(parts: &[BatchSnapshot]) -> Option<Phase> {
    let over = parts.iter().all(BatchSnapshot::is_over);
    let parts = parts.iter().filter(|part| over || !part.is_over());
    let phases = parts.filter_map(|part| part.phase.as_ref());
    let rank = |phase: &&Phase| match phase {
        Phase::Queued => 0,
        Phase::Provisioning => 1,
        Phase::Configuring => 2,
        Phase::Ready => 4,
        _ => 3,
    };
    phases.min_by_key(rank).cloned()
}

/// How much of the whole is done, a large part counting for more than a small one.
fn percentage(parts: &[BatchSnapshot]) -> Option<f64> {
    let (mut done, mut total) = (0.0, 0.0);
    for part in parts {
        let told = part.percentage.map(|percent| percent / 100.0);
        let size = part.total as f64;
        done += told.or(part.share()).unwrap_or(0.0) * size;
        total += size;
    }
    (total > 0.0).then(|| (100.0 * done / total).clamp(0.0, 100.0))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::Client;

    fn part(mut data: Value) -> BatchSnapshot {
        data["batch_id"] = json!("b");
        let client = Client::new("key").unwrap();
        BatchSnapshot::new(client, from_value(data).unwrap()).unwrap()
    }

    fn whole(parts: impl IntoIterator<Item = Value>) -> BatchSnapshot {
        merged(parts.into_iter().map(part).collect()).unwrap()
    }

    #[test]
    fn the_whole_is_over_when_all_parts_are() {
        for (parts, status) in [
            (["pending", "pending"], "pending"),
            (["pending", "processing"], "processing"),
            (["completed", "processing"], "processing"),
            (["completed", "pending"], "processing"),
            (["cancelled", "resting"], "resting"),
            (["pending", "resting"], "resting"),
            (["failed", "completed"], "completed"),
            (["cancelled", "completed"], "completed"),
            (["cancelled", "failed"], "failed"),
            (["cancelled", "cancelled"], "cancelled"),
        ] {
            let merged = whole(parts.map(|status| json!({ "status": status })));
            assert_eq!(merged.status.as_str(), status, "{parts:?}");
        }
    }

    #[test]
    fn the_phase_is_that_of_the_hindmost_part() {
        let one =
            |status, phase| json!({ "status": status, "progress": { "current_phase": phase } });
        for (parts, phase) in [
            (
                [one("pending", "queued"), one("processing", "configuring")],
                Some("queued"),
            ),
            (
                [
                    one("processing", "configuring"),
                    one("processing", "provisioning"),
                ],
                Some("provisioning"),
            ),
            // What has ended is not behind, wherever it stopped.
            (
                [one("failed", "queued"), one("processing", "configuring")],
                Some("configuring"),
            ),
            (
                [one("completed", "ready"), one("processing", "resting")],
                Some("resting"),
            ),
            (
                [one("completed", "ready"), one("completed", "ready")],
                Some("ready"),
            ),
            (
                [
                    json!({ "status": "pending" }),
                    json!({ "status": "pending" }),
                ],
                None,
            ),
        ] {
            assert_eq!(whole(parts).phase.as_ref().map(Phase::as_str), phase);
        }
    }

    #[test]
    fn the_percentage_is_by_the_totals() {
        let one = |total, completed, percent| {
            json!({
                "status": "processing",
                "total_requests": total,
                "completed_requests": completed,
                "progress": { "percentage": percent },
            })
        };
        let none = json!(null);
        for (parts, percent) in [
            (
                [one(1000, 0, json!(50)), one(500, 0, json!(20))],
                Some(40.0),
            ),
            (
                [one(1000, 500, none.clone()), one(1000, 1000, json!("NaN"))],
                Some(75.0),
            ),
            ([one(1, 0, json!(-5)), one(1, 0, json!(1e300))], Some(50.0)),
            ([one(-1, 0, json!(50)), one(0, 0, json!(50))], None),
            ([one(i64::MAX, 0, json!(100)), one(1, 0, none)], Some(100.0)),
        ] {
            let merged = whole(parts.clone()).percentage;
            assert_eq!(merged, percent, "{parts:?}");
        }
    }

    #[test]
    fn counts_are_added_up() {
        let one = |count: i64| {
            json!({
                "status": "completed",
                "total_requests": count,
                "completed_requests": count,
                "failed_requests": -count,
                "actual_completion_time": format!("2026-01-0{}T00:00:00Z", count.min(9)),
                "sessions": [{ "item_index": 0 }],
            })
        };
        let merged = whole([one(2), one(i64::MAX), one(3)]);
        assert_eq!(merged.total, i64::MAX as u64 + 5);
        assert_eq!((merged.completed, merged.failed), (merged.total, 0));
        assert_eq!((merged.ids.len(), merged.items().count()), (3, 3));
        let time = merged.completed_at.unwrap();
        assert_eq!(time.as_str(), "2026-01-09T00:00:00Z");
    }
}
