//! What can be waited for.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a [`Poller`](crate::Poller) waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PollKind {
    /// The asynchronous start of a session; `get_async_session_status`.
    SessionStart,
    /// A batch of sessions; `get_batch_session`.
    Batch,
    /// A run of an agent; `get_perform_web_task_status`.
    AgentRun,
    /// A run of a task; `get_task_run_status`.
    TaskRun,
    /// The generation of a task; `get_task_generation_status`.
    TaskGeneration,
    /// A run of a legacy task; `get_task_execution`.
    LegacyRun,
    /// The validation of an identity; `get_identity`.
    Validation,
    /// A step of a guided login; `get_dynamic_auth_flow_state`.
    LoginStep,
    /// The recordings of a session that has ended; `list_recordings`.
    Recordings,
    /// A new volume; `get_volume`.
    Volume,
    /// The delivery of an event to a webhook; `list_webhook_events`.
    Delivery,
}

/// How something is waited for, unless the caller says otherwise.
pub(crate) struct Defaults {
    pub(crate) deadline: Duration,
    /// The shortest and the longest pause of the adaptive schedule.
    pub(crate) pauses: (Duration, Duration),
    /// How long it may take as far as is known before any was seen: pauses begin in proportion to the
    /// root of it.
    pub(crate) scale: Duration,
    /// What a poll costs, as the delay that it is worth.
    pub(crate) price: Duration,
}

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

impl PollKind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::SessionStart,
        Self::Batch,
        Self::AgentRun,
        Self::TaskRun,
        Self::TaskGeneration,
        Self::LegacyRun,
        Self::Validation,
        Self::LoginStep,
        Self::Recordings,
        Self::Volume,
        Self::Delivery,
    ];

    /// How long a poller of this kind waits, unless [`Poller::deadline`](crate::Poller::deadline)
    /// says otherwise.
    pub fn deadline(self) -> Duration {
        self.defaults().deadline
    }

    /// The shortest and the longest pause between two polls of the [adaptive](super::Adaptive)
    /// schedule.
    pub fn pauses(self) -> (Duration, Duration) {
        self.defaults().pauses
    }

    pub(crate) fn defaults(self) -> Defaults {
        // Deadline in minutes; pauses, scale and price in milliseconds.
        let (deadline, shortest, longest, scale, price) = match self {
            Self::SessionStart => (5, 100, 10_000, 2_000, 40),
            // The answer has every session of the batch, so a poll costs more.
            Self::Batch => (30, 500, 15_000, 2_000, 250),
            Self::AgentRun => (60, 500, 15_000, 10_000, 100),
            Self::TaskRun | Self::LegacyRun => (60, 250, 15_000, 5_000, 100),
            Self::TaskGeneration => (30, 500, 15_000, 10_000, 100),
            Self::Validation => (10, 250, 10_000, 5_000, 100),
            Self::LoginStep => (5, 250, 5_000, 3_000, 50),
            Self::Recordings => (10, 500, 15_000, 10_000, 100),
            Self::Volume => (5, 250, 10_000, 2_000, 100),
            // An attempt that fails is repeated after longer and longer pauses.
            Self::Delivery => (5, 250, 15_000, 1_000, 100),
        };
        Defaults {
            deadline: minutes(deadline),
            pauses: (millis(shortest), millis(longest)),
            scale: millis(scale),
            price: millis(price),
        }
    }

    /// The operation that is polled.
    pub fn operation(self) -> &'static str {
        match self {
            Self::SessionStart => "get_async_session_status",
            Self::Batch => "get_batch_session",
            Self::AgentRun => "get_perform_web_task_status",
            Self::TaskRun => "get_task_run_status",
            Self::TaskGeneration => "get_task_generation_status",
            Self::LegacyRun => "get_task_execution",
            Self::Validation => "get_identity",
            Self::LoginStep => "get_dynamic_auth_flow_state",
            Self::Recordings => "list_recordings",
            Self::Volume => "get_volume",
            Self::Delivery => "list_webhook_events",
        }
    }

    /// What is waited for, in words.
    fn text(self) -> &'static str {
        match self {
            Self::SessionStart => "the start of a session",
            Self::Batch => "a batch of sessions",
            Self::AgentRun => "a run of an agent",
            Self::TaskRun => "a run of a task",
            Self::TaskGeneration => "the generation of a task",
            Self::LegacyRun => "a run of a legacy task",
            Self::Validation => "the validation of an identity",
            Self::LoginStep => "a step of a guided login",
            Self::Recordings => "the recordings of a session",
            Self::Volume => "a volume",
            Self::Delivery => "the delivery of an event",
        }
    }
}

/// In words, e.g. `the start of a session`.
impl fmt::Display for PollKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_polls_an_operation_and_keeps_its_name() {
        for (kind, name) in [
            (PollKind::SessionStart, "session_start"),
            (PollKind::Batch, "batch"),
            (PollKind::AgentRun, "agent_run"),
            (PollKind::TaskRun, "task_run"),
            (PollKind::TaskGeneration, "task_generation"),
            (PollKind::LegacyRun, "legacy_run"),
            (PollKind::Validation, "validation"),
            (PollKind::LoginStep, "login_step"),
            (PollKind::Recordings, "recordings"),
            (PollKind::Volume, "volume"),
            (PollKind::Delivery, "delivery"),
        ] {
            assert!(PollKind::ALL.contains(&kind));
            // Tokens that were stored have these names.
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(
                serde_json::from_value::<PollKind>(name.into()).unwrap(),
                kind
            );
            let found = anchorbrowser_api::Operation::find(kind.operation());
            assert_eq!(found.unwrap().method, "GET", "{kind}");
        }
        assert_eq!(PollKind::ALL.len(), 11);
    }

    #[test]
    fn the_table_of_the_docs_is_true() {
        let rows = include_str!("../../docs/waiting.md").lines();
        let mut rows = rows.filter(|line| line.starts_with("| ")).skip(1);
        for kind in PollKind::ALL {
            let (shortest, longest) = kind.pauses();
            let minutes = kind.deadline().as_secs() / 60;
            let (shortest, longest) = (shortest.as_secs_f64(), longest.as_secs());
            let told = format!("| {minutes} min | {shortest} to {longest} s |");
            let row = rows.next().unwrap_or_default();
            assert!(row.ends_with(&told), "{kind}: {told} {row}");
        }
        assert_eq!(rows.next(), None);
    }

    /// As a plain file the page shows brackets around a name that has no link.
    #[test]
    fn the_page_says_where_each_name_leads() {
        let page = include_str!("../../docs/waiting.md");
        for name in page.split("[`").skip(1) {
            let (name, _) = name.split_once("`]").unwrap();
            assert!(page.contains(&format!("\n[`{name}`]: crate::")), "{name}");
        }
    }

    #[test]
    fn there_is_time_for_many_polls() {
        for kind in PollKind::ALL {
            let (shortest, longest) = kind.pauses();
            assert!(shortest >= millis(100) && shortest < longest, "{kind}");
            assert!(longest * 10 <= kind.deadline(), "{kind}");
            // A poll is worth it from the beginning, and the pauses are not all the longest.
            let Defaults { scale, price, .. } = kind.defaults();
            assert!(price < scale && scale <= longest, "{kind}");
        }
    }
}
