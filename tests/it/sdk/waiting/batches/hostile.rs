//! Answers that make no sense.

use std::time::Duration;

use anchorbrowser::poll::{Adaptive, Polled};
use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use super::{item, script};
use crate::sdk::methods::ID;
use crate::sdk::waiting::quick;

/// Whatever counts, percentages, phases and items say: the batch goes on until its status says that
/// it is over.
#[tokio::test]
async fn only_the_status_ends_a_wait() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let base = || json!({ "status": "processing", "total_requests": 2, "completed_requests": 1 });
    let with = |name: &str, value: Value| {
        let mut data = base();
        data[name] = value;
        data
    };
    let percent = |value: Value| with("progress", json!({ "percentage": value }));
    let odd = [
        percent(json!(-5)),
        percent(json!(250)),
        percent(json!("NaN")),
        percent(json!(1e308)),
        with("progress", json!({ "current_phase": "resting" })),
        with("progress", json!(null)),
        with("completed_requests", json!(i64::MAX)),
        with("completed_requests", json!(-3)),
        with("failed_requests", json!(2)),
        with("total_requests", json!(0)),
        with("total_requests", json!(-1)),
        with("total_requests", json!(null)),
        with("status", json!("resting")),
        with("sessions", json!(null)),
        with(
            "sessions",
            json!([item(9, "completed", "a"), item(9, "completed", "a")]),
        ),
        with(
            "sessions",
            json!([{ "status": "completed" }, {}, { "item_index": -1 }]),
        ),
        with(
            "sessions",
            json!([{ "item_index": i64::MAX, "status": "resting" }]),
        ),
    ];
    let end = json!({ "status": "completed", "total_requests": 3, "sessions": [item(0, "completed", "a"), item(1, "pending", "b")] });
    let count = odd.len();
    script(&emulator, odd.into_iter().chain([end]))?;

    let batch = client.batch_sessions().attach([ID]);
    let mut poller = batch.wait();
    let mut seen = 0;
    let report = loop {
        match poller.next().await.unwrap()? {
            Polled::Done(report) => break report,
            Polled::Progress(snapshot) => {
                assert!(
                    snapshot
                        .percentage
                        .is_none_or(|it| (0.0..=100.0).contains(&it))
                );
                seen += 1;
            }
        }
    };
    assert_eq!(seen, count);
    // The second item has an address; of the third one nothing is known.
    assert_eq!((report.total, report.ready, report.unfinished), (3, 2, 1));
    assert!(!report.is_complete());
    Ok(())
}

/// The client's own schedule copes with them as well.
#[tokio::test]
async fn the_adaptive_schedule_takes_any_counts() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let odd =
        json!({ "status": "processing", "total_requests": 1, "completed_requests": i64::MAX });
    script(&emulator, [odd])?;
    let batch = client.batch_sessions().attach([ID]);
    let poller = batch.wait().schedule(Adaptive::new());
    let error = poller
        .deadline(Duration::from_millis(200))
        .await
        .unwrap_err();
    assert!(error.is_deadline(), "{error}");
    assert!(error.waited().unwrap().polls <= 3);
    Ok(())
}
