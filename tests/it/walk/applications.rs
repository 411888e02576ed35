//! Applications, ways to log in to them, and tokens for their users.

use anchorbrowser_api::types::{self, AuthMethod};
use serde_json::json;

use super::{Walk, gone, ok};

pub(super) async fn walk(walk: &Walk) {
    let client = &walk.client;
    let body = types::CreateApplicationRequest {
        name: Some("Shop".to_owned()),
        ..types::CreateApplicationRequest::new("https://shop.example.com/login")
    };
    let made = ok(client.create_application().body(body).send()).await;
    let id = made.id.unwrap();
    let list = ok(client.list_applications().search("sho").send()).await;
    assert_eq!(list.applications.len(), 1);
    assert_eq!(list.applications[0].id.as_ref(), Some(&id));

    flows(walk, &id).await;
    let found = ok(client.get_application().application_id(&id).send()).await;
    assert_eq!(
        (found.name.as_deref(), found.identity_count),
        (Some("Shop"), Some(0))
    );
    users(walk, &id).await;

    let deleted = ok(client.delete_application().application_id(&id).send()).await;
    assert_eq!(deleted.success, Some(true));
    gone(client.get_application().application_id(&id).send()).await;
}

async fn flows(walk: &Walk, application: &str) {
    let client = &walk.client;
    let list = || ok(client.list_auth_flows().application_id(application).send());
    let methods = vec![AuthMethod::UsernamePassword, AuthMethod::Authenticator];
    let body = types::CreateAuthFlowRequest::new("with a code", methods);
    let create = client.create_auth_flow().application_id(application);
    let made = ok(create.body(body).send()).await;
    assert_eq!(made.methods, ["username_password", "authenticator"]);
    let id = made.id.unwrap();

    let body = types::UpdateAuthFlowRequest {
        is_recommended: Some(true),
        ..Default::default()
    };
    let update = client.update_auth_flow().application_id(application);
    ok(update.auth_flow_id(&id).body(body).send()).await;
    let flow = &list().await.auth_flows[0];
    assert_eq!(
        (flow.id.as_ref(), flow.is_recommended),
        (Some(&id), Some(true))
    );

    let delete = client.delete_auth_flow().application_id(application);
    let deleted = ok(delete.auth_flow_id(&id).send()).await;
    assert_eq!(deleted.success, Some(true));
    assert!(list().await.auth_flows.is_empty());
}

/// The users of an application: one that is known, one that is asked by a link.
async fn users(walk: &Walk, application: &str) {
    let client = &walk.client;
    let metadata = json!({ "team": "a" });
    let body = types::CreateIdentityRequest {
        name: Some("Ann".to_owned()),
        metadata: metadata.as_object().cloned(),
        ..types::CreateIdentityRequest::new("https://shop.example.com/")
    };
    let identity = ok(client.create_identity().body(body).send()).await;
    for (metadata, count) in [(metadata, 1), (json!({ "team": "b" }), 0)] {
        let list = client.list_application_identities();
        let list = list.application_id(application).metadata(metadata);
        let list = ok(list.send()).await;
        assert_eq!(list.identities.len(), count);
        assert!(list.identities.iter().all(|found| found.id == identity.id));
    }

    let body = types::CreateIdentityTokenRequest::new("https://example.com/back");
    let create = client.create_identity_token().application_id(application);
    match ok(create.body(body).send()).await {
        types::CreateIdentityTokenResponse::IdentityTokenResponse(made) => {
            assert_ne!(
                made.token.unwrap().expose(),
                made.token_hash.unwrap().expose()
            );
            assert!(made.expires_at.is_some());
        }
        other => panic!("{other:?}"),
    }
}
