//! Identities: with credentials that are given, or by a guided login.

use anchorbrowser_api::types::{self, AuthFlowV2View as View};
use serde_json::{Value, json};

use super::{Walk, gone, ok};

const URL: &str = "https://app.example.com/login";

pub(super) async fn walk(walk: &Walk) {
    given(walk).await;
    guided(walk).await;
}

fn password(user: &str) -> Vec<types::CredentialData> {
    let kind = types::UsernamePasswordCredentialType::UsernamePassword;
    let password = types::UsernamePasswordCredential::new(kind, user, "canary-password");
    vec![password.into()]
}

/// An identity is created, checked, changed, logged in again, deleted.
async fn given(walk: &Walk) {
    let client = &walk.client;
    let body = types::CreateIdentityRequest {
        credentials: Some(password("fail@example.com")),
        ..types::CreateIdentityRequest::new(URL)
    };
    let create = client.create_identity().validate_async(false).body(body);
    let made = walk.held("create_identity", 500, create.send()).await;
    walk.says(made.status, "failed");
    let id = made.id.unwrap();

    let body = types::UpdateIdentityRequest {
        name: Some("Ann".to_owned()),
        credentials: Some(password("ann@example.com")),
        ..Default::default()
    };
    ok(client.update_identity().identity_id(&id).body(body).send()).await;
    walk.passes(500);
    let found = ok(client.get_identity().identity_id(&id).send()).await;
    assert_eq!(
        (found.name.as_deref(), found.source.as_deref()),
        (Some("Ann"), Some(URL))
    );
    walk.says(found.status, "validated");

    let again = |sync| {
        let body = types::ReauthenticateIdentityRequest { sync: Some(sync) };
        client
            .reauthenticate_identity()
            .identity_id(&id)
            .body(body)
            .send()
    };
    let login = walk.held("reauthenticate_identity", 500, again(true)).await;
    walk.says(login.auth_status, "authenticated");
    assert_eq!(
        (login.async_, login.identity_id.as_ref()),
        (Some(false), Some(&id))
    );
    let login = ok(again(false)).await;
    walk.says(login.auth_status, "pending");
    assert_eq!(walk.status(&login.session_id.unwrap()).await, "running");
    walk.passes(500);
    ok(client.delete_identity().identity_id(&id).send()).await;
    gone(client.get_identity().identity_id(&id).send()).await;
}

/// The view must be of this type; gives its members.
fn view(walk: &Walk, view: View, expected: &str) -> Value {
    let known = match &view {
        View::Decision(_) => "decision",
        View::Form(_) => "form",
        View::Authenticated(_) => "authenticated",
        _ => "unknown",
    };
    assert_eq!(known, if walk.drift { "unknown" } else { expected });
    let view = serde_json::to_value(view).unwrap();
    walk.says(view["type"].as_str(), expected);
    view
}

/// A person is led through a login, which becomes an identity.
async fn guided(walk: &Walk) {
    let client = &walk.client;
    let session = walk.session().await;
    let body = types::AuthFlowV2StartRequest::new(URL, "app.example.com");
    let start = client
        .start_dynamic_auth_flow()
        .session_id(&session)
        .body(body);
    let decision = walk
        .held("start_dynamic_auth_flow", 500, start.send())
        .await;
    let decision = view(walk, decision, "decision");
    let step = decision["options"][0]["step_id"].as_str().unwrap();

    let resolve = async |body: types::AuthFlowV2ResolveRequest| {
        let call = client
            .resolve_dynamic_auth_flow()
            .session_id(&session)
            .body(body);
        walk.held("resolve_dynamic_auth_flow", 500, call.send())
            .await
    };
    let form = resolve(types::AuthFlowV2DecisionResolve::new(step).into()).await;
    let form = view(walk, form, "form");
    let inputs = form["options"][0]["inputs"].as_array().unwrap().iter();
    let value = |input: &Value| {
        let name = input["name"].as_str().unwrap().to_owned();
        (name, "canary-value".into())
    };
    let form = types::AuthFlowV2FormResolve::new(0, inputs.map(value).collect());
    let end = resolve(form.into()).await;
    view(walk, end, "authenticated");

    let state = client.get_dynamic_auth_flow_state().session_id(&session);
    let state = ok(state.send()).await;
    walk.says(state.phase, "settled");
    walk.says(state.nav.unwrap().status, "succeeded");
    view(walk, state.view.unwrap(), "authenticated");

    let body = types::AuthFlowV2FinalizeRequest {
        identity_name: Some("Bob".to_owned()),
        profile_name: Some("bob".to_owned()),
    };
    let finalize = client.finalize_dynamic_auth_flow().session_id(&session);
    let saved = ok(finalize.body(body).send()).await;
    assert_eq!(
        (saved.automatable, saved.profile_name.as_deref()),
        (Some(true), Some("bob"))
    );
    let id = saved.identity_id.unwrap();
    let identity = ok(client.get_identity().identity_id(&id).send()).await;
    assert_eq!(identity.name.as_deref(), Some("Bob"));
    assert_eq!(json!(identity.metadata), json!({}));
}
