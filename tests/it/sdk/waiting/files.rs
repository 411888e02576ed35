//! Recordings and volumes.

use std::time::Duration;

use anchorbrowser::volumes::State;
use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use super::{Means, both, meanings, patient, quick};
use crate::sdk::methods::ID;

const SECOND: Duration = Duration::from_secs(1);

/// Before there is a recording, the service answers with 404, or with an empty list.
#[tokio::test]
async fn a_recording_is_waited_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let session = client.sessions().create().send().await?;
    session.end().await?;
    let recordings = session.recordings();
    let none = json!({ "data": { "items": [] } });
    let [found, other] = both(&emulator, recordings.ready(), none, SECOND).await?;
    assert_eq!((found.len(), &found[0].id), (1, &other[0].id));
    let statuses = emulator.exchanges_of("list_recordings")?;
    assert!(statuses.iter().any(|exchange| exchange.status == Some(404)));
    Ok(())
}

#[tokio::test]
async fn of_a_session_without_recordings_a_wait_ends_at_its_deadline() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let mut wait = quick(&emulator).recordings().ready(ID);
    assert!(wait.poll_once().await.is_ok());
    assert_eq!(wait.last().map(Vec::len), Some(0));
    let error = wait.deadline(Duration::from_millis(20)).await.unwrap_err();
    assert!(error.is_deadline(), "{error}");
    assert!(
        error.to_string().contains("last seen: `no recording`"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_volume_is_waited_for() -> anyhow::Result<()> {
    let builder = Emulator::builder().timing(|timing| timing.volume = SECOND);
    let (emulator, client) = patient(builder).await?;
    let volumes = client.volumes();
    let volume = volumes.create("a").await?;
    let unknown = json!({ "data": { "id": ID, "state": "growing" } });
    let wait = volumes.wait_until_ready(&volume.id);
    let [ready, _] = both(&emulator, wait, unknown, SECOND).await?;
    assert_eq!((&ready.id, ready.state), (&volume.id, Some(State::Ready)));

    volumes.delete(&volume.id).await?;
    let error = volumes.wait_until_ready(&volume.id).await.unwrap_err();
    assert!(error.to_string().contains("ended as `deleting`"), "{error}");
    emulator.advance(SECOND)?;
    let error = volumes.wait_until_ready(&volume.id).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    Ok(())
}

#[tokio::test]
async fn each_state_of_a_volume_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let volume = |state: Value| {
        let data = json!({ "id": ID, "state": state, "error_reason": "no room" });
        json!({ "data": data })
    };
    let answers = [
        (volume(json!("creating")), "creating", Means::Progress),
        (volume(json!("growing")), "growing", Means::Progress),
        (volume(Value::Null), "no state", Means::Progress),
        (volume(json!("ready")), "ready", Means::Done),
        (
            volume(json!("error")),
            "error",
            Means::Failed("a volume ended as `error`: no room"),
        ),
        (
            volume(json!("deleting")),
            "deleting",
            Means::Failed("has been deleted"),
        ),
        (
            volume(json!("deleted")),
            "deleted",
            Means::Failed("has been deleted"),
        ),
    ];
    meanings(
        &emulator,
        || client.volumes().wait_until_ready(ID),
        &answers,
    )
    .await
}
