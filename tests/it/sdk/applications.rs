//! Applications, their auth flows, and tokens for their users.

use anchorbrowser::ErrorKind;
use anchorbrowser::applications::AuthMethod::{Authenticator, Custom, UsernamePassword};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::checks::{assert_clean, refused};
use super::methods::{ID, Method, methods};

const SOURCE: &str = "https://shop.example.com/login";
const BACK: &str = "https://example.com/back";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.applications().create(SOURCE).name("a").description("b").send(),
        client.applications().get(ID),
        client.applications().list().search("a").send(),
        client.applications().delete(ID),
        client.applications().identities(ID).search("a").metadata("a", 1).send(),
        client.applications().create_token(ID, BACK),
        client.applications().auth_flows(ID).create("a", [Custom]).custom_fields(["pin"])
            .description("b").recommended(true).send(),
        client.applications().auth_flows(ID).list().send(),
        client.applications().auth_flows(ID).update(ID).name("a").methods([Authenticator])
            .custom_fields(["pin"]).description("b").recommended(false).send(),
        client.applications().auth_flows(ID).delete(ID),
    )
}

#[tokio::test]
async fn an_application_is_created_found_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let create = client.applications().create(SOURCE).name("Shop");
    let shop = create.description("sells").send().await?;
    let other = client
        .applications()
        .create("https://b.example")
        .send()
        .await?;
    assert_ne!(shop.id, other.id);

    let found = client.applications().get(&shop.id).await?;
    assert_eq!(found.name.as_deref(), Some("Shop"));
    assert_eq!(found.description.as_deref(), Some("sells"));
    assert_eq!(
        (found.url.as_deref(), found.identity_count),
        (Some(SOURCE), Some(0))
    );
    assert!(found.created_at.is_some() && found.updated_at.is_some());
    let list = client.applications().list();
    assert_eq!(list.clone().stream().collect().await?.len(), 2);
    let page = list.search("sho").send().await?;
    assert!(!page.has_next());
    assert_eq!(page.items[0].id, shop.id);

    client.applications().delete(&shop.id).await?;
    let again = client.applications().delete(&shop.id).await;
    assert!(again.unwrap_err().is_not_found());
    assert!(
        client
            .applications()
            .get(&shop.id)
            .await
            .unwrap_err()
            .is_not_found()
    );
    Ok(())
}

#[tokio::test]
async fn identities_of_an_application_are_found_by_their_metadata() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let create = client.identities().create(SOURCE).name("Ann");
    let ann = create
        .metadata("team", "a")
        .metadata("level", 2)
        .send()
        .await?;
    client
        .identities()
        .create(SOURCE)
        .name("Bob")
        .metadata("team", "a")
        .send()
        .await?;
    let shop = client.applications().list().send().await?.items.remove(0);
    assert_eq!(shop.identity_count, Some(2));

    let list = || client.applications().identities(&shop.id);
    assert_eq!(list().send().await?.items.len(), 2);
    assert_eq!(list().metadata("team", "b").send().await?.items.len(), 0);
    for list in [
        list().metadata("team", "a").metadata("level", 2),
        list().search("ann"),
    ] {
        let found = list.stream().collect().await?;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0].id, found[0].name.as_deref()),
            (&ann.id, Some("Ann"))
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_auth_flow_is_added_changed_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let shop = client.applications().create(SOURCE).send().await?;
    let flows = client.applications().auth_flows(&shop.id);
    let create = flows.create("with a code", [UsernamePassword, Authenticator]);
    let made = create.recommended(true).send().await?;
    assert_eq!(made.methods, [UsernamePassword, Authenticator]);
    let methods = client.applications().get(&shop.id).await?.auth_methods;
    assert_eq!(methods, [UsernamePassword, Authenticator]);

    let update = flows
        .update(&made.id)
        .methods([Custom])
        .custom_fields(["pin"]);
    assert_eq!(update.send().await?.custom_fields, ["pin"]);
    let sent = emulator.exchanges_of("update_auth_flow")?[0].json();
    assert_eq!(
        sent,
        json!({ "methods": ["custom"], "custom_fields": [{ "name": "pin" }] })
    );
    let list = flows.list().stream().collect().await?;
    assert_eq!(list[0].name.as_deref(), Some("with a code"));
    assert_eq!(
        (&list[0].methods[..], list[0].is_recommended),
        (&[Custom][..], Some(true))
    );

    flows.delete(&made.id).await?;
    assert!(flows.list().send().await?.items.is_empty());
    assert!(flows.delete(&made.id).await.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn a_token_is_read_in_both_forms_and_not_printed() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let shop = client.applications().create(SOURCE).send().await?;
    let create = || client.applications().create_token(&shop.id, BACK);
    assert!(!create().await?.token.expose().is_empty());

    let (token, hash, time) = ("canary-token", "canary-hash", "2026-05-01T12:00:00Z");
    for form in [
        json!({ "token": token, "tokenHash": hash, "expiresAt": time }),
        json!({ "data": { "token": token, "token_hash": hash, "expires_at": time } }),
    ] {
        emulator.fault(Fault::status(201).json(form))?;
        let made = create().await?;
        assert_eq!(
            (
                made.token.expose(),
                made.token_hash.as_ref().unwrap().expose()
            ),
            (token, hash)
        );
        assert_eq!(made.expires_at.as_ref().unwrap().as_str(), time);
        assert_clean(&made);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_answers_lack_is_named() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let fault = || emulator.fault(Fault::status(200).json(json!({})));
    fault()?;
    let error = client.applications().get(ID).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`id`"), "{error}");
    fault()?;
    let error = client
        .applications()
        .create_token(ID, BACK)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`token`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_deletion_that_did_not_succeed_is_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let shop = client.applications();
    for call in [shop.delete(ID), shop.auth_flows(ID).delete(ID)] {
        emulator.fault(Fault::status(200).json(json!({ "success": false })))?;
        let error = call.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(error.status().unwrap(), 200);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_service_refuses_is_refused_here() -> anyhow::Result<()> {
    for source in ["", "shop.example.com"] {
        refused("create_application", "source", |client| {
            client.applications().create(source).send()
        })
        .await?;
    }
    for url in ["http://example.com/back", "example.com", "https://"] {
        refused("create_identity_token", "callbackUrl", |client| {
            client.applications().create_token(ID, url)
        })
        .await?;
    }
    refused("create_auth_flow", "methods", |client| {
        client.applications().auth_flows(ID).create("a", []).send()
    })
    .await
}
