//! What single operations need of the transport.

use std::time::Duration;

use anchorbrowser_api::{Needs, Operation};

/// Operations whose answer takes longer than most, with the least time that one attempt gets.
const SLOW: &[(&str, Duration)] = &[
    // A browser is started, or a page is loaded.
    ("create_page_pdf", minutes(2)),
    ("create_session", minutes(2)),
    ("execute_code", minutes(5)),
    ("fetch_webpage", minutes(3)),
    ("goto", minutes(2)),
    ("screenshot_webpage", minutes(2)),
    // A login is gone through, step by step.
    ("finalize_dynamic_auth_flow", minutes(3)),
    ("reauthenticate_identity", minutes(10)),
    ("resolve_dynamic_auth_flow", minutes(3)),
    ("start_dynamic_auth_flow", minutes(3)),
];

/// Operations that answer when a run has ended, however long that takes. A second request would run
/// it again, so they are sent once.
const RUNS: &[&str] = &[
    "perform_web_task",
    "run_adhoc_task",
    "run_task",
    "run_task_by_name",
];

/// Operations that end what costs money: they do not wait for their turn.
const ENDS: &[&str] = &[
    "delete_all_sessions",
    "delete_batch_session",
    "delete_session",
];

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// What an operation needs.
pub(super) fn needs(operation: &Operation) -> Needs {
    let is = |list: &[&str]| list.contains(&operation.id);
    let slow = SLOW.iter().find(|(id, _)| *id == operation.id);
    Needs {
        at_least: slow.map(|(_, limit)| *limit),
        unlimited: is(RUNS),
        never_repeat: is(RUNS),
        unqueued: is(ENDS),
    }
}

/// What an operation needs whose answer is that a run has started: not the time of the run.
pub(super) fn needs_of_a_start(operation: &Operation) -> Needs {
    Needs {
        unlimited: false,
        ..needs(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_named_here_exist() {
        let slow = SLOW.iter().map(|(id, _)| id);
        for id in slow.chain(RUNS).chain(ENDS) {
            assert!(Operation::find(id).is_some(), "{id}");
        }
    }
}
