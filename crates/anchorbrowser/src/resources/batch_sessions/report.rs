//! What has become of a batch.

use std::fmt;
use std::time::Duration;

use super::{Batch, BatchItem, BatchSnapshot, Status};
use crate::error::{Error, Result, excerpt};
use crate::poll::{Awaited, Begun, PollKind, PollToken, Poller, Verdict, sealed};
use crate::{Client, Session};

/// How many reasons of failures an error tells.
const REASONS: usize = 3;

/// What has become of a batch that is over; see [`Batch::wait`].
///
/// Its `Display` says it in a line, e.g. `7 of 10 sessions are ready, 2 failed, 1 cancelled, after
/// 31.0s`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchReport {
    /// The batch as it was at its end, with all items.
    pub snapshot: BatchSnapshot,
    /// How many sessions were asked for.
    pub total: u64,
    /// How many sessions are ready, as the items tell; see [`sessions`](Self::sessions). Of a batch that
    /// was given up, these have been ended.
    pub ready: u64,
    /// How many sessions could not be created; see [`failures`](Self::failures).
    pub failed: u64,
    /// How many sessions were given up before they were ready.
    pub cancelled: u64,
    /// How many sessions are none of these, although the batch is over.
    pub unfinished: u64,
    /// The time from the creation of the batch, or the last retry, to when its end was noticed; since
    /// the wait was begun if neither was made by this handle.
    pub elapsed: Duration,
}

impl BatchReport {
    fn new(snapshot: &BatchSnapshot, elapsed: Duration) -> Self {
        let (mut listed, mut ready, mut failed, mut cancelled) = (0, 0, 0, 0);
        for item in snapshot.items() {
            listed += 1;
            match &item.status {
                Some(Status::Failed) => failed += 1,
                Some(Status::Cancelled) => cancelled += 1,
                _ if item.is_ready() => ready += 1,
                _ => {}
            }
        }
        let total = snapshot.total.max(listed);
        Self {
            snapshot: snapshot.clone(),
            total,
            ready,
            failed,
            cancelled,
            unfinished: total - ready - failed - cancelled,
            elapsed,
        }
    }

    /// How the batch ended. It is completed as soon as one of its sessions was created.
    pub fn status(&self) -> &Status {
        &self.snapshot.status
    }

    /// Handles on the sessions that are ready.
    pub fn sessions(&self) -> impl Iterator<Item = Session> {
        self.snapshot.sessions()
    }

    /// The sessions that could not be created, with the reasons.
    pub fn failures(&self) -> impl Iterator<Item = &BatchItem> {
        self.snapshot.items().filter(|item| item.is_failed())
    }

    /// Whether all sessions that were asked for are ready.
    pub fn is_complete(&self) -> bool {
        self.ready == self.total
    }

    /// The report, if all sessions that were asked for are ready.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) otherwise, with the counts and the first
    /// reasons; [`Error::message`] is the first reason, whole. The sessions that are ready go on.
    pub fn check(self) -> Result<Self> {
        if self.is_complete() {
            return Ok(self);
        }
        let mut reasons: Vec<&str> = Vec::new();
        let items = self.failures().filter_map(|item| item.error.as_deref());
        for reason in self.snapshot.error.as_deref().into_iter().chain(items) {
            if reasons.len() < REASONS && !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let mut message = format!("not all sessions of the batch are ready: {self}");
        for reason in &reasons {
            // Before it is cut: a part of a secret would not be found.
            let reason = excerpt(&self.snapshot.client.api().redact(reason));
            message.push_str("; ");
            message.push_str(&reason);
        }
        let first = reasons.first().map(|&reason| reason.to_owned());
        Err(Error::reported(PollKind::Batch.operation(), message, first))
    }
}

/// In a line.
impl fmt::Display for BatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} sessions are ready", self.ready, self.total)?;
        for (count, what) in [
            (self.failed, "failed"),
            (self.cancelled, "cancelled"),
            (self.unfinished, "unfinished"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, ", after {:.1?}", self.elapsed)
    }
}

/// Any end is one: the report tells which.
pub(super) fn verdict(snapshot: &BatchSnapshot, since: Begun) -> Verdict<BatchReport> {
    match snapshot.is_over() {
        true => Verdict::Done(BatchReport::new(snapshot, since.elapsed())),
        false => Verdict::InProgress,
    }
}

/// A batch that is over.
impl Awaited for BatchReport {
    type Progress = BatchSnapshot;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, BatchSnapshot>> {
        token.expect_kind(PollKind::Batch)?;
        let ids = token.ids().iter().map(Into::into).collect();
        Ok(Batch::new(client, ids, token.begun()).wait())
    }
}

impl sealed::Sealed for BatchReport {}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::ErrorKind;

    /// The report of a batch of `total` with these items, if it is over.
    fn report(status: &str, total: u64, items: &[(&str, Option<&str>)]) -> Option<BatchReport> {
        let items = items.iter().enumerate().map(|(index, (status, error))| {
            let id = format!("s-{index}");
            json!({ "item_index": index, "status": status, "error": error, "session_id": id })
        });
        let data = json!({
            "batch_id": "b",
            "status": status,
            "total_requests": total,
            "sessions": items.collect::<Vec<Value>>(),
        });
        let client = Client::new("canary-key").unwrap();
        let snapshot = BatchSnapshot::new(client, from_value(data).unwrap()).unwrap();
        match verdict(&snapshot, Begun::now()) {
            Verdict::Done(report) => Some(report),
            _ => None,
        }
    }

    #[test]
    fn each_end_gives_a_report_and_nothing_else_does() {
        for (status, over) in [
            ("pending", false),
            ("processing", false),
            ("resting", false),
            ("completed", true),
            ("failed", true),
            ("cancelled", true),
        ] {
            let report = report(status, 1, &[("completed", None)]);
            assert_eq!(report.is_some(), over, "{status}");
        }
    }

    #[test]
    fn what_is_missing_or_open_is_unfinished() {
        let items = [
            ("completed", None),
            ("failed", None),
            ("cancelled", None),
            ("processing", None),
        ];
        for (total, unfinished) in [(4, 1), (6, 3), (0, 1)] {
            let report = report("completed", total, &items).unwrap();
            assert_eq!((report.ready, report.failed, report.cancelled), (1, 1, 1));
            assert_eq!(report.unfinished, unfinished);
            assert!(!report.is_complete());
        }
    }

    #[test]
    fn a_check_tells_counts_and_the_first_reasons() {
        assert!(
            report("completed", 1, &[("completed", None)])
                .unwrap()
                .check()
                .is_ok()
        );
        let items = [
            ("completed", None),
            ("failed", Some("no room for canary-key\nhere")),
            ("failed", Some("no room for canary-key\nhere")),
            ("failed", Some("no time")),
            ("failed", None),
            ("failed", Some("no money")),
            ("failed", Some("no luck")),
        ];
        let error = report("completed", 9, &items).unwrap().check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        let reasons = "; no room for *** here; no time; no money";
        let counts = "1 of 9 sessions are ready, 6 failed, 2 unfinished, after ";
        let text = error.to_string();
        assert!(text.contains(counts) && text.ends_with(reasons), "{text}");
        assert_eq!(error.message().unwrap(), "no room for canary-key\nhere");
    }
}
