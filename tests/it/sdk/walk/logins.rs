//! Applications, identities, guided logins, profiles, integrations.

use std::time::Duration;

use anchorbrowser::applications::AuthMethod::{Authenticator, UsernamePassword};
use anchorbrowser::identities::{Credential, LoginStep, LoginView};
use anchorbrowser::integrations::{Integration, Provider};
use serde_json::Value;

use super::{Walk, gone};

const URL: &str = "https://shop.example.com/login";

pub(super) async fn walk(walk: &Walk) -> anyhow::Result<()> {
    application(walk).await?;
    identity(walk).await?;
    guided(walk).await?;
    profile(walk).await?;
    integration(walk).await
}

/// An application with ways to log in to it, its users, and a token for another one.
async fn application(walk: &Walk) -> anyhow::Result<()> {
    let applications = walk.client.applications();
    let id = applications.create(URL).name("Shop").send().await?.id;
    let list = applications.list().search("sho").send().await?;
    assert_eq!(list.items[0].id, id);

    let flows = applications.auth_flows(&id);
    let create = flows.create("with a code", [UsernamePassword, Authenticator]);
    let flow = create.send().await?.id;
    flows.update(&flow).recommended(true).send().await?;
    let list = flows.list().send().await?;
    assert_eq!(
        (&list.items[0].id, list.items[0].is_recommended),
        (&flow, Some(true))
    );
    flows.delete(&flow).await?;
    assert!(flows.list().send().await?.items.is_empty());

    let create = walk.client.identities().create(URL).metadata("team", "a");
    let user = create.name("Ann").send().await?;
    for (team, count) in [("a", 1), ("b", 0)] {
        let users = applications.identities(&id).metadata("team", team);
        let users = users.stream().collect().await?;
        assert_eq!(users.len(), count);
        assert!(users.iter().all(|found| found.id == user.id));
    }
    let found = applications.get(&id).await?;
    assert_eq!(found.identity_count, Some(1));
    let token = applications.create_token(&id, "https://example.com/back");
    assert!(!token.await?.token.expose().is_empty());
    applications.delete(&id).await?;
    gone(applications.get(&id)).await;
    Ok(())
}

/// An identity is created, mended, logged in again, used by a session, deleted.
async fn identity(walk: &Walk) -> anyhow::Result<()> {
    let identities = walk.client.identities();
    let wrong = Credential::password("fail@example.com", "canary");
    let create = identities
        .create(URL)
        .credential(wrong)
        .validate_async(false);
    let made = walk.held("create_identity", create.send()).await?;
    walk.says(made.status, "failed");
    let right = Credential::password("ann@example.com", "canary");
    identities
        .update(&made.id)
        .credentials([right])
        .send()
        .await?;
    walk.passes(Duration::from_secs(10))?;
    walk.says(identities.get(&made.id).await?.status, "validated");
    let again = identities.reauthenticate(&made.id).send();
    let login = walk.held("reauthenticate_identity", again).await?;
    walk.says(login.status, "authenticated");

    let session = walk.client.sessions().create().identity(&made.id);
    let session = walk.held("create_session", session.send()).await?;
    session.end().await?;
    identities.delete(&made.id).await?;
    gone(identities.get(&made.id)).await;
    Ok(())
}

/// What a view asks: the ids of the steps to choose from, or the names of the inputs to fill in.
/// Of a step that the SDK does not know there is the whole view.
fn asks(view: &LoginView) -> Vec<String> {
    let texts = |list: &Value, name: &str| {
        let list = list.as_array().unwrap().iter();
        list.map(|it| it[name].as_str().unwrap().to_owned())
            .collect()
    };
    match &view.step {
        LoginStep::Decision { options } => {
            let ids = options.iter().map(|choice| choice.step_id.clone());
            ids.collect()
        }
        LoginStep::Form { options, .. } => {
            let inputs = options[0].inputs.iter();
            inputs.map(|input| input.name.clone()).collect()
        }
        LoginStep::Unknown(view) => {
            let options = &view.expose()["options"];
            match &options[0]["inputs"] {
                Value::Null => texts(options, "step_id"),
                inputs => texts(inputs, "name"),
            }
        }
        other => panic!("{other:?}"),
    }
}

/// A person is led through a login, which becomes an identity.
async fn guided(walk: &Walk) -> anyhow::Result<()> {
    let session = walk.session().await?;
    let login = walk.client.identities().guided_login(session.id());
    let view = walk
        .held("start_dynamic_auth_flow", login.start(URL))
        .await?;
    let way = login.choose(asks(&view).remove(0));
    let form = walk.held("resolve_dynamic_auth_flow", way).await?;
    let values = asks(&form).into_iter().map(|name| (name, "canary"));
    let filled = login.fill(0, values);
    let end = walk.held("resolve_dynamic_auth_flow", filled).await?;
    let is_end = matches!(end.step, LoginStep::Authenticated { .. });
    assert_eq!(is_end, !walk.drift, "{end:?}");
    walk.says(login.state().await?.phase, "settled");

    let finalize = login.finalize().identity_name("Bob").profile_name("bob");
    let saved = finalize.send().await?;
    let identity = walk.client.identities().get(&saved.identity_id).await?;
    assert_eq!(identity.name.as_deref(), Some("Bob"));
    assert_eq!(saved.profile_name.as_deref(), Some("bob"));
    session.end().await?;
    Ok(())
}

/// A profile is made of a session, and used by another one.
async fn profile(walk: &Walk) -> anyhow::Result<()> {
    let (profiles, name) = (walk.client.profiles(), "my shop/ü");
    let session = walk.session().await?;
    profiles.create(name).session(session.id()).send().await?;
    session.end().await?;
    let profile = profiles.get(name).await?;
    assert_eq!(profile.status.as_deref(), Some("ready"));
    walk.says(profile.source, "session");
    let list = profiles.list().stream().collect().await?;
    assert!(list.iter().any(|found| found.name == name));

    let user = walk.client.sessions().create().profile(name).send().await?;
    let users = walk.client.sessions().list().profile(name).send().await?;
    assert_eq!(users.items[0].id, *user.id());
    user.end().await?;
    profiles.delete(name).await?;
    gone(profiles.get(name)).await;
    Ok(())
}

async fn integration(walk: &Walk) -> anyhow::Result<()> {
    let integrations = walk.client.integrations();
    let provider = Provider::one_password("canary-token");
    let made = integrations.create("vault", provider).await?;
    walk.says(made.kind, "1PASSWORD");
    assert_eq!(integrations.list().send().await?.items[0].id, made.id);
    let used = Integration::one_password(&made.id);
    let session = walk.client.sessions().create().integration(&used);
    session.send().await?.end().await?;
    integrations.delete(&made.id).await?;
    gone(integrations.delete(&made.id)).await;
    Ok(())
}
