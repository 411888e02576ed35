//! Integrations with password managers.

use anchorbrowser::ErrorKind;
use anchorbrowser::integrations::{Integration, Kind, Provider};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::checks::{assert_clean, refused};
use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.integrations().create("a", Provider::one_password("b")),
        client.integrations().list().send(),
        client.integrations().delete(ID),
    )
}

#[tokio::test]
async fn an_integration_is_created_used_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let provider = Provider::one_password("canary-token");
    assert_clean(&provider);
    let made = client.integrations().create("vault", provider).await?;
    assert_eq!(
        (made.name.as_deref(), &made.kind),
        (Some("vault"), &Some(Kind::OnePassword))
    );
    let token = json!({ "type": "serviceAccount", "data": { "serviceAccount": "canary-token" } });
    let sent = emulator.exchanges_of("create_integration")?[0].json();
    assert_eq!(
        sent,
        json!({ "name": "vault", "type": "1PASSWORD", "credentials": token })
    );

    let list = client.integrations().list();
    assert_eq!(list.clone().send().await?.items[0].id, made.id);
    assert_eq!(list.stream().collect().await?.len(), 1);

    let id = &made.id;
    for (integration, configuration) in [
        (Integration::one_password(id), json!({ "load_mode": "all" })),
        (
            Integration::one_password_secrets(id, ["op://a/b/c"]),
            json!({ "load_mode": "specific", "secrets": ["op://a/b/c"] }),
        ),
    ] {
        emulator.clear_exchanges();
        client
            .sessions()
            .create()
            .integration(&integration)
            .send()
            .await?;
        let sent = &emulator.exchanges_of("create_session")?[0].json()["integrations"];
        assert_eq!(
            sent,
            &json!([{ "id": id, "type": "1PASSWORD", "configuration": configuration }])
        );
    }

    client.integrations().delete(id).await?;
    assert!(
        client
            .integrations()
            .delete(id)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(client.integrations().list().send().await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_deletion_that_did_not_succeed_is_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let answer = json!({ "data": { "integration": { "id": ID, "deleted": false } } });
    emulator.fault(Fault::status(200).json(answer))?;
    let error = client.integrations().delete(ID).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    Ok(())
}

#[tokio::test]
async fn what_the_service_refuses_is_refused_here() -> anyhow::Result<()> {
    refused("create_integration", "name", |client| {
        client
            .integrations()
            .create("", Provider::one_password("x"))
    })
    .await?;
    refused("create_session", "secrets", |client| {
        let none = Integration::one_password_secrets(ID, [""; 0]);
        client.sessions().create().integration(&none).send()
    })
    .await
}
