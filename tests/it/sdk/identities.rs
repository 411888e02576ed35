//! Identities: with credentials that are given, or by a guided login.

use std::time::Duration;

use anchorbrowser::identities::{
    AuthStatus, Credential, FormKind, GuidedLogin, LoginStep, Phase, Status,
};
use anchorbrowser::{Client, ErrorKind};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::{Map, json};

use super::checks::{assert_clean, refused};
use super::methods::{ID, Method, methods};

const SOURCE: &str = "https://app.example.com/login";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.identities().create(SOURCE).name("a").credential(Credential::password("a", "b"))
            .metadata("a", 1).application_name("a").application_description("b")
            .validate_async(false).send(),
        client.identities().get(ID),
        client.identities().update(ID).name("a").metadata(Map::new())
            .credentials([Credential::authenticator("a").otp("b"), Credential::custom([("a", "b")])])
            .send(),
        client.identities().delete(ID),
        client.identities().reauthenticate(ID).sync(false).send(),
        client.identities().guided_login(ID).start(SOURCE),
        client.identities().guided_login(ID).state(),
        client.identities().guided_login(ID).choose("a"),
        client.identities().guided_login(ID).fill(0, [("a", "b")]),
        client.identities().guided_login(ID).finalize().identity_name("a").profile_name("b").send(),
    )
}

/// An emulator in which logins take no time.
async fn quick() -> anyhow::Result<(Emulator, Client)> {
    let builder = Emulator::builder().timing(|timing| timing.login = Duration::ZERO);
    let emulator = builder.start().await?;
    let client = super::client(&emulator);
    Ok((emulator, client))
}

#[tokio::test]
async fn an_identity_is_created_changed_and_deleted() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let create = client.identities().create(SOURCE).metadata("team", "a");
    let fails = Credential::password("fail@example.com", "canary-password");
    let create = create.credential(fails).validate_async(false);
    assert_clean(&create);
    let made = create.send().await?;
    assert_eq!(made.status, Some(Status::Failed));
    assert_eq!(made.metadata["team"], "a");
    let query = emulator.exchanges_of("create_identity")?[0].query.clone();
    assert_eq!(query.as_deref(), Some("validateAsync=false"));

    let update = client.identities().update(&made.id).name("Ann");
    let works = Credential::password("ann@example.com", "canary-password");
    let update = update.credentials([works]).metadata(Map::new());
    assert_clean(&update);
    assert_eq!(update.send().await?.name.as_deref(), Some("Ann"));
    let login = client.identities().reauthenticate(&made.id).send().await?;
    assert_eq!(
        (login.status, login.is_async),
        (Some(AuthStatus::Authenticated), Some(false))
    );
    assert!(login.identity_id == made.id && login.session_id.is_some());

    let found = client.identities().get(&made.id).await?;
    assert_eq!(
        (found.status, found.name.as_deref()),
        (Some(Status::Validated), Some("Ann"))
    );
    assert_eq!(
        (found.source.as_deref(), found.metadata.len()),
        (Some(SOURCE), 0)
    );
    client.identities().delete(&made.id).await?;
    let errors = [
        client.identities().get(&made.id).await.unwrap_err(),
        client
            .identities()
            .update(&made.id)
            .send()
            .await
            .unwrap_err(),
        client.identities().delete(&made.id).await.unwrap_err(),
        client
            .identities()
            .reauthenticate(&made.id)
            .send()
            .await
            .unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn credentials_are_sent_as_the_document_says() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let credentials = [
        Credential::password("ann", "canary-1").otp("ignored"),
        Credential::authenticator("canary-2"),
        Credential::authenticator("canary-3").otp("canary-4"),
        Credential::custom([("pin", "canary-5")]),
    ];
    assert_clean(&credentials);
    let create = client.identities().create(SOURCE);
    let create = credentials
        .into_iter()
        .fold(create, |create, it| create.credential(it));
    create.send().await?;
    let sent = emulator.exchanges_of("create_identity")?[0].json();
    let expected = json!([
        { "type": "username_password", "username": "ann", "password": "canary-1" },
        { "type": "authenticator", "secret": "canary-2" },
        { "type": "authenticator", "secret": "canary-3", "otp": "canary-4" },
        { "type": "custom", "fields": [{ "name": "pin", "value": "canary-5" }] },
    ]);
    assert_eq!(sent, json!({ "source": SOURCE, "credentials": expected }));
    Ok(())
}

#[tokio::test]
async fn a_repeated_login_says_why_it_fails() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let made = client.identities().create(SOURCE).send().await?;
    let again = || client.identities().reauthenticate(&made.id);
    assert_eq!(again().send().await.unwrap_err().status().unwrap(), 412);

    let fails = Credential::password("fail@example.com", "x");
    client
        .identities()
        .update(&made.id)
        .credentials([fails])
        .send()
        .await?;
    assert_eq!(again().send().await.unwrap_err().status().unwrap(), 422);
    let login = again().sync(false).send().await?;
    assert_eq!(
        (login.status, login.is_async),
        (Some(AuthStatus::Pending), Some(true))
    );
    let sent = emulator.exchanges_of("reauthenticate_identity")?;
    assert_eq!(
        (sent[1].json(), sent[2].json()),
        (json!(null), json!({ "sync": false }))
    );
    Ok(())
}

async fn guided(client: &Client) -> anyhow::Result<GuidedLogin> {
    let session = client.sessions().create().send().await?;
    Ok(client.identities().guided_login(session.id()))
}

#[tokio::test]
async fn a_guided_login_becomes_an_identity() -> anyhow::Result<()> {
    let (_emulator, client) = quick().await?;
    let login = guided(&client).await?;
    let view = login.start("https://mfa.example.com/login").await?;
    assert_eq!(view.session_id.as_ref(), Some(login.session_id()));
    assert_eq!(view.host.as_deref(), Some("mfa.example.com"));
    let id = login.session_id().as_str();
    assert!(view.cdp_url.as_ref().unwrap().expose().contains(id));
    assert!(view.live_view_url.as_ref().unwrap().expose().contains(id));
    let LoginStep::Decision { options } = view.step else {
        panic!("{view:?}");
    };
    assert!(login.finalize().send().await.unwrap_err().is_conflict());

    let view = login.choose(&options[0].step_id).await?;
    let LoginStep::Form { options, .. } = &view.step else {
        panic!("{view:?}");
    };
    assert_eq!(options[0].inputs[0].name, "username");
    let view = login
        .fill(0, [("username", "ann"), ("password", "wrong")])
        .await?;
    let rejected = matches!(
        view.step,
        LoginStep::Form {
            credentials_rejected: Some(true),
            ..
        }
    );
    assert!(rejected, "{view:?}");
    login
        .fill(0, [("username", "ann"), ("password", "x")])
        .await?;
    let view = login.fill(2, [("secret", "x")]).await?;
    assert!(
        matches!(view.step, LoginStep::Authenticated { .. }),
        "{view:?}"
    );

    let saved = login
        .finalize()
        .identity_name("Ann")
        .profile_name("ann")
        .send()
        .await?;
    assert_eq!(
        (saved.profile_name.as_deref(), saved.is_automatable),
        (Some("ann"), Some(true))
    );
    let ann = client.identities().get(&saved.identity_id).await?;
    assert_eq!(
        (ann.name.as_deref(), ann.status),
        (Some("Ann"), Some(Status::Validated))
    );
    Ok(())
}

#[tokio::test]
async fn other_ends_of_a_guided_login_are_told() -> anyhow::Result<()> {
    let (_emulator, client) = quick().await?;
    let login = guided(&client).await?;
    let view = login
        .start("https://undetectable.example.com/login")
        .await?;
    let undetected = matches!(
        view.step,
        LoginStep::DetectionFailed {
            retryable: Some(true),
            ..
        }
    );
    assert!(undetected && view.discovery_error.is_some(), "{view:?}");
    let error = login.choose("password").await.unwrap_err();
    assert!(error.is_conflict(), "{error}");

    login.start("https://locked.example.com/login").await?;
    login.choose("password").await?;
    let view = login
        .fill(0, [("username", "ann"), ("password", "x")])
        .await?;
    let failed = matches!(
        view.step,
        LoginStep::Failed {
            retryable: Some(false),
            ..
        }
    );
    assert!(failed, "{view:?}");
    Ok(())
}

#[tokio::test]
async fn while_a_step_runs_only_the_state_can_be_asked_for() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let login = guided(&client).await?;
    assert!(login.state().await.unwrap_err().is_not_found());

    let start = tokio::spawn(login.start(SOURCE));
    emulator.wait_for("start_dynamic_auth_flow", 1).await?;
    let state = login.state().await?;
    assert_eq!(state.phase, Some(Phase::Navigating));
    assert!(state.view.is_none() && state.target.is_some());
    assert!(login.choose("password").await.unwrap_err().is_conflict());

    emulator.advance(Duration::from_millis(500))?;
    start.await??;
    let state = login.state().await?;
    assert_eq!(state.phase, Some(Phase::Settled));
    let step = state.view.unwrap().step;
    assert!(matches!(step, LoginStep::Decision { .. }), "{step:?}");
    let millis = state
        .updated_at
        .unwrap()
        .to_utc()
        .unwrap()
        .timestamp_millis();
    assert_eq!(millis, emulator.now_millis());
    Ok(())
}

#[tokio::test]
async fn a_start_names_the_host_of_the_url() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let login = guided(&client).await?;
    login.start("https://App.Example.com:8443/login").await?;
    let sent = emulator.exchanges_of("start_dynamic_auth_flow")?[0].json();
    assert_eq!(sent["host"], "app.example.com:8443");
    Ok(())
}

#[tokio::test]
async fn no_view_prints_a_secret() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let login = client.identities().guided_login(ID);
    let inputs = json!([{ "name": "password", "type": "password", "value": "canary" }]);
    let extra = json!({
        "number": "canary",
        "create_integration_url": "https://h/?canary",
        "x": "canary",
    });
    for kind in [
        "decision",
        "form",
        "detection_failed",
        "authenticated",
        "failed",
        "riddle",
    ] {
        let view = json!({
            "type": kind,
            "step_id": "s",
            "cdp_url": "wss://h/?canary",
            "live_view_url": "https://h/?canary",
            "options": [{ "type": "credentials", "inputs": inputs, "extra_data": extra }],
        });
        emulator.fault(Fault::status(200).json(view.clone()))?;
        let found = login.choose("a").await?;
        assert_eq!(found.step_id.as_deref(), Some("s"));
        assert_eq!(found.cdp_url.as_ref().unwrap().expose(), "wss://h/?canary");
        assert_eq!(
            found.live_view_url.as_ref().unwrap().expose(),
            "https://h/?canary"
        );
        assert_clean(&found);
        emulator.fault(Fault::status(200).json(json!({ "view": view })))?;
        assert_clean(&login.state().await?);
    }
    Ok(())
}

#[tokio::test]
async fn all_that_is_told_of_a_form_is_given() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let input =
        json!({ "name": "otp", "type": "text", "label": "a", "placeholder": "b", "value": "c" });
    let view = json!({
        "type": "form",
        "options": [{
            "type": "mfa_sms",
            "automatable": false,
            "inputs": [input],
            "extra_data": { "number": "42", "create_integration_url": "https://h", "x": 1 },
            "message": "m",
            "provider": "p",
            "phoneHint": "h",
        }],
    });
    emulator.fault(Fault::status(200).json(view))?;
    let view = client.identities().guided_login(ID).choose("a").await?;
    let LoginStep::Form { options, .. } = view.step else {
        panic!("{view:?}");
    };
    let (form, input) = (&options[0], &options[0].inputs[0]);
    assert_eq!(form.kind, Some(FormKind::MfaSms));
    assert_eq!(form.is_automatable, Some(false));
    assert_eq!(form.extra["x"].expose(), &json!(1));
    let secrets = [&form.number, &form.create_integration_url, &input.value];
    let secrets = secrets.map(|secret| secret.as_ref().unwrap().expose());
    assert_eq!(secrets, ["42", "https://h", "c"]);
    let texts = [&form.message, &form.provider, &form.phone_hint];
    assert_eq!(texts.map(|text| text.as_deref().unwrap()), ["m", "p", "h"]);
    let texts = [&input.kind, &input.label, &input.placeholder];
    assert_eq!(
        texts.map(|text| text.as_deref().unwrap()),
        ["text", "a", "b"]
    );
    Ok(())
}

#[tokio::test]
async fn a_step_that_is_not_known_keeps_its_view() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    let view =
        json!({ "type": "riddle", "step_id": "s", "cdp_url": "wss://h/canary", "x": "canary" });
    emulator.fault(Fault::status(200).json(view.clone()))?;
    let found = client.identities().guided_login(ID).choose("a").await?;
    assert_eq!(found.step_id.as_deref(), Some("s"));
    assert_eq!(found.cdp_url.as_ref().unwrap().expose(), "wss://h/canary");
    assert_clean(&found);
    let LoginStep::Unknown(json) = found.step else {
        panic!("{found:?}");
    };
    assert_eq!(json.expose(), &view);
    Ok(())
}

#[tokio::test]
async fn what_the_service_refuses_is_refused_here() -> anyhow::Result<()> {
    refused("create_identity", "source", |client| {
        client.identities().create("shop").send()
    })
    .await?;
    for url in ["", "shop.example.com", "mailto:ann@example.com"] {
        refused("start_dynamic_auth_flow", "url", |client| {
            client.identities().guided_login(ID).start(url)
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_identity_without_an_id_is_an_error() -> anyhow::Result<()> {
    let (emulator, client) = quick().await?;
    emulator.fault(Fault::status(201).json(json!({ "name": "Ann" })))?;
    let error = client.identities().create(SOURCE).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`id`"), "{error}");
    Ok(())
}
