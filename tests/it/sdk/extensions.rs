//! Extensions.

use anchorbrowser::Upload;
use anchorbrowser_emulator::Emulator;

use super::checks::refused;
use super::methods::{ID, Method, methods};

const ZIP: &[u8] = b"PK\x03\x04 and the rest of an archive";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.extensions().upload("a", Upload::bytes("a.zip", ZIP)),
        client.extensions().get(ID),
        client.extensions().list().send(),
        client.extensions().delete(ID),
    )
}

#[tokio::test]
async fn an_extension_is_uploaded_used_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let extensions = client.extensions();
    let uploaded = extensions
        .upload("blocker", Upload::bytes("b.zip", ZIP))
        .await?;
    assert_eq!(uploaded.name.as_deref(), Some("blocker"));
    assert!(uploaded.created_at.is_some() && uploaded.updated_at.is_some());
    let found = extensions.get(&uploaded.id).await?;
    assert_eq!(found.id, uploaded.id);
    assert_eq!(found.manifest.and_then(|it| it.manifest_version), Some(3));
    let list = extensions.list().send().await?;
    assert_eq!((list.total, list.has_next()), (Some(1), false));
    client
        .sessions()
        .create()
        .extension(&uploaded.id)
        .send()
        .await?;
    extensions.delete(&uploaded.id).await?;
    assert!(extensions.list().stream().collect().await?.is_empty());
    assert!(
        extensions
            .get(&uploaded.id)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        extensions
            .delete(&uploaded.id)
            .await
            .unwrap_err()
            .is_not_found()
    );
    Ok(())
}

#[tokio::test]
async fn a_name_has_1_to_255_characters() -> anyhow::Result<()> {
    for name in [String::new(), "ü".repeat(256)] {
        let file = || Upload::bytes("a.zip", ZIP);
        refused("upload_extension", "name", |client| {
            client.extensions().upload(&name, file())
        })
        .await?;
    }
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let file = Upload::bytes("a.zip", ZIP);
    client.extensions().upload("ü".repeat(255), file).await?;
    Ok(())
}
