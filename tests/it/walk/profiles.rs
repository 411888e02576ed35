//! Profiles, and integrations that sessions use.

use anchorbrowser_api::types;

use super::{Walk, done, gone, ok};

pub(super) async fn walk(walk: &Walk) {
    profile(walk).await;
    integration(walk).await;
}

/// A profile is made of a session, and used by another one.
async fn profile(walk: &Walk) {
    let client = &walk.client;
    let session = walk.session().await;
    let body = types::ProfileRequestSchema {
        source: Some(types::ProfileRequestSchemaSource::Session),
        session_id: Some(session.clone()),
        ..types::ProfileRequestSchema::new("my shop/ü")
    };
    done(&ok(client.create_profile().body(body).send()).await);
    let get = async || {
        ok(client.get_profile().name("my shop/ü").send())
            .await
            .data
            .unwrap()
    };
    assert_eq!(get().await.status.as_deref(), Some("pending"));
    ok(client.delete_session().session_id(&session).send()).await;
    let profile = get().await;
    assert_eq!(profile.status.as_deref(), Some("ready"));
    assert_eq!(profile.session_id, Some(session));
    walk.says(profile.source, "session");
    let list = ok(client.list_profiles().send()).await.data.unwrap();
    assert_eq!(list.items.len(), 1);

    let browser = types::BrowserConfig {
        profile: Some(types::BrowserConfigProfile {
            name: Some("my shop/ü".to_owned()),
            persist: None,
        }),
        ..Default::default()
    };
    let session = walk.browser(browser).await;
    let used = ok(client.list_sessions().profile_name("my shop").send()).await;
    assert_eq!(used.data.unwrap().sessions[0].id, Some(session));
    done(&ok(client.delete_profile().name("my shop/ü").send()).await);
    gone(client.get_profile().name("my shop/ü").send()).await;
}

async fn integration(walk: &Walk) {
    let client = &walk.client;
    let token = types::ServiceAccountCredentialsData::new("canary-token");
    let kind = types::ServiceAccountCredentialsType::ServiceAccount;
    let credentials = types::ServiceAccountCredentials::new(kind, token);
    let kind = types::IntegrationType::OnePassword;
    let body = types::CreateIntegrationRequest::new("vault", kind, credentials);
    let made = ok(client.create_integration().body(body).send()).await;
    let made = made.data.unwrap().integration.unwrap();
    walk.says(made.type_, "1PASSWORD");
    let id = made.id.unwrap();
    let list = ok(client.list_integrations().send()).await.data.unwrap();
    assert_eq!(list.integrations[0].id.as_ref(), Some(&id));

    let mode = types::OnePasswordAllSecretsConfigLoadMode::All;
    let secrets = types::OnePasswordAllSecretsConfig::new(mode);
    let kind = types::OnePasswordIntegrationType::OnePassword;
    let used = types::OnePasswordIntegration::new(&id, kind, secrets.into());
    let configuration = types::SessionCreateRequestSchema {
        integrations: Some(vec![used.into()]),
        ..Default::default()
    };
    ok(client.create_session().body(configuration).send()).await;
    let gone = ok(client.delete_integration().integration_id(&id).send()).await;
    let gone = gone.data.unwrap().integration.unwrap();
    assert_eq!((gone.id, gone.deleted), (Some(id), Some(true)));
}
