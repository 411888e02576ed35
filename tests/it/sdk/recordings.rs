//! Recordings.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;

use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.recordings().list(ID).send(),
        client.recordings().fetch_primary(ID),
        client.recordings().delete(ID, "primary"),
        client.recordings().pause(ID),
        client.recordings().resume(ID),
        client.session(ID).recordings().list().send(),
        client.session(ID).recordings().fetch_primary(),
        client.session(ID).recordings().delete(ID),
        client.session(ID).recordings().delete_primary(),
        client.session(ID).recordings().pause(),
        client.session(ID).recordings().resume(),
    )
}

#[tokio::test]
async fn a_recording_is_paused_fetched_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    let recordings = session.recordings();
    emulator.advance(Duration::from_secs(10))?;
    recordings.pause().await?;
    emulator.advance(Duration::from_secs(20))?;
    recordings.resume().await?;
    emulator.advance(Duration::from_secs(5))?;
    assert!(recordings.list().send().await.unwrap_err().is_not_found());
    session.end().await?;
    emulator.advance(Duration::from_secs(1))?;

    let recording = recordings.list().stream().collect().await?.remove(0);
    assert_eq!(recording.duration, Some(Duration::from_secs(15)));
    assert_eq!(recording.duration_text.as_deref(), Some("15.000"));
    assert_eq!(recording.is_primary, Some(true));
    let shown = format!("{recording:?}");
    assert!(!shown.contains("http"), "{shown}");

    let primary = recordings.fetch_primary().await?;
    let name = format!("session-{}.mp4", session.id());
    assert_eq!(primary.file_name(), Some(name));
    assert_eq!(primary.content_type(), Some("video/mp4"));
    let primary = primary.bytes().await?;
    assert_eq!(Some(primary.len() as u64), recording.size);

    recordings.delete(&recording.id).await?;
    assert!(recordings.fetch_primary().await.unwrap_err().is_not_found());
    assert!(recordings.delete_primary().await.is_err());
    Ok(())
}

/// The link of a recording leads to the API itself, which wants the key.
#[tokio::test]
async fn a_recording_of_the_list_is_fetched() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    session.end().await?;
    emulator.advance(Duration::from_secs(1))?;
    let recording = client
        .recordings()
        .list(session.id())
        .send()
        .await?
        .items
        .remove(0);
    let video = client.recordings().fetch(&recording).await?;
    assert_eq!(video.file_name(), recording.file_name);
    let (fetched, primary) = (
        video.bytes().await?,
        client
            .recordings()
            .fetch_primary(session.id())
            .await?
            .bytes()
            .await?,
    );
    assert!(fetched == primary && !fetched.is_empty());
    Ok(())
}
