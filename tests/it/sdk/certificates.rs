//! Certificates.

use anchorbrowser::Upload;
use anchorbrowser_emulator::Emulator;

use super::checks::refused;
use super::methods::{Method, methods};

fn file() -> Upload {
    Upload::bytes("ca.pem", "-----BEGIN CERTIFICATE-----")
}

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.certificates().create("a", file()).description("x").send(),
        client.certificates().list().send(),
        client.certificates().delete("a"),
    )
}

#[tokio::test]
async fn a_certificate_is_created_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let certificates = client.certificates();
    let created = certificates
        .create("ca-1", file())
        .description("ours")
        .send()
        .await?;
    assert_eq!(
        (&*created.name, created.description.as_deref()),
        ("ca-1", Some("ours"))
    );
    assert!(created.id.is_some() && created.created_at.is_some());
    let again = certificates.create("ca-1", file()).send().await;
    assert!(again.unwrap_err().is_conflict());
    let list = certificates.list().send().await?;
    assert_eq!(list.items[0].name, "ca-1");
    certificates.delete("ca-1").await?;
    assert!(certificates.list().stream().collect().await?.is_empty());
    assert!(
        certificates
            .delete("ca-1")
            .await
            .unwrap_err()
            .is_not_found()
    );
    Ok(())
}

#[tokio::test]
async fn name_and_description_have_their_forms() -> anyhow::Result<()> {
    let (long, text) = ("n".repeat(256), "ü".repeat(1001));
    for (name, description, field) in [
        ("", "", "name"),
        ("a b", "", "name"),
        ("ü", "", "name"),
        (&long, "", "name"),
        ("a", &text, "description"),
    ] {
        refused("create_certificate", field, |client| {
            let call = client.certificates().create(name, file());
            call.description(description).send()
        })
        .await?;
    }
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let call = client.certificates().create("n".repeat(255), file());
    call.description("ü".repeat(1000)).send().await?;
    Ok(())
}
