//! Profiles.

use anchorbrowser::ErrorKind;
use anchorbrowser::profiles::Source;
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.profiles().create("a").session(ID).description("b").dedicated_sticky_ip(true).send(),
        client.profiles().get("a"),
        client.profiles().list().send(),
        client.profiles().delete("a"),
    )
}

#[tokio::test]
async fn a_profile_is_made_of_a_session_and_used_by_another() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let (name, profiles) = ("my shop/ü", client.profiles());
    let session = client.sessions().create().send().await?;
    profiles
        .create(name)
        .session(session.id())
        .description("d")
        .send()
        .await?;
    let sent = emulator.exchanges_of("create_profile")?[0].json();
    let id = session.id();
    assert_eq!(
        sent,
        json!({ "name": name, "source": "session", "session_id": id, "description": "d" })
    );
    assert_eq!(profiles.get(name).await?.status.as_deref(), Some("pending"));

    session.end().await?;
    let found = profiles.get(name).await?;
    assert_eq!(
        (found.name.as_str(), found.status.as_deref()),
        (name, Some("ready"))
    );
    assert_eq!(
        (found.source, found.session_id.as_ref()),
        (Some(Source::Session), Some(id))
    );
    assert!(found.created_at.is_some());
    profiles.create("empty").send().await?;
    let page = profiles.list().send().await?;
    assert_eq!((page.items.len(), page.total), (2, Some(2)));
    assert_eq!(profiles.list().stream().collect().await?.len(), 2);
    client.sessions().create().profile(name).send().await?;

    let taken = profiles.create(name).send().await.unwrap_err();
    assert!(taken.is_conflict(), "{taken}");
    profiles.delete(name).await?;
    assert!(profiles.get(name).await.unwrap_err().is_not_found());
    assert!(profiles.delete(name).await.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn a_profile_of_a_session_that_has_ended_is_refused() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    session.end().await?;
    let create = client.profiles().create("a").session(session.id());
    assert!(create.send().await.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn a_profile_without_a_name_is_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    emulator.fault(Fault::status(200).json(json!({ "data": {} })))?;
    let error = client.profiles().get("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`data.name`"), "{error}");
    Ok(())
}
