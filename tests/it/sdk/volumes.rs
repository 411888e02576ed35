//! Volumes.

mod files;

use std::time::Duration;

use anchorbrowser::Upload;
use anchorbrowser::volumes::State;
use anchorbrowser_emulator::Emulator;

use super::checks::refused;
use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.volumes().create("a"),
        client.volumes().get(ID),
        client.volumes().get_by_name("a"),
        client.volumes().list().include_deleted(true).state(State::Ready).send(),
        client.volumes().delete(ID),
        client.volumes().files(ID).list().directory("a").recursive(true).page_size(5).cursor("c").send(),
        client.volumes().files(ID).paths().prefix("a").page_size(5).cursor("c").send(),
        client.volumes().files(ID).stat("a"),
        client.volumes().files(ID).upload("a", Upload::bytes("a", "x")).overwrite(true).send(),
        client.volumes().files(ID).upload_url("a").content_type("text/plain").size(5).send(),
        client.volumes().files(ID).download_url("a"),
        client.volumes().files(ID).delete("a"),
        client.volumes().files(ID).delete_all("a/"),
        client.volumes().files(ID).create_directory("a"),
    )
}

#[tokio::test]
async fn a_volume_is_created_found_and_deleted() -> anyhow::Result<()> {
    let second = Duration::from_secs(1);
    let builder = Emulator::builder().manual_clock();
    let emulator = builder
        .timing(|timing| timing.volume = second)
        .start()
        .await?;
    let client = super::client(&emulator);
    let volumes = client.volumes();
    let created = volumes.create("reports_1-a").await?;
    assert_eq!(created.state, Some(State::Creating));
    assert!(
        volumes
            .create("reports_1-a")
            .await
            .unwrap_err()
            .is_conflict()
    );
    emulator.advance(second)?;
    let volume = volumes.get(&created.id).await?;
    assert_eq!(volume.state, Some(State::Ready));
    assert_eq!(volumes.get_by_name("reports_1-a").await?.id, created.id);
    let session = client
        .sessions()
        .create()
        .volume(&created.id)
        .send()
        .await?;
    assert!(volumes.delete(&created.id).await.unwrap_err().is_conflict());
    session.end().await?;
    let state = volumes.delete(&created.id).await?;
    assert_eq!(state, Some(State::Deleting));
    assert_eq!(volumes.get(&created.id).await?.state, Some(State::Deleting));
    emulator.advance(second)?;
    assert!(volumes.get(&created.id).await.unwrap_err().is_not_found());
    assert!(
        volumes
            .delete(&created.id)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(volumes.list().send().await?.total, Some(0));
    let deleted = volumes.list().include_deleted(true).state(State::Deleted);
    let deleted = deleted.stream().collect().await?;
    assert!(deleted[0].deleted_at.is_some());
    Ok(())
}

#[tokio::test]
async fn a_name_has_its_form() -> anyhow::Result<()> {
    for name in ["", "a b", "ü", "a/b", "a.b", &"n".repeat(65)] {
        refused("create_volume", "name", |client| {
            client.volumes().create(name)
        })
        .await?;
    }
    let emulator = Emulator::start().await?;
    super::client(&emulator)
        .volumes()
        .create("n".repeat(64))
        .await?;
    Ok(())
}
