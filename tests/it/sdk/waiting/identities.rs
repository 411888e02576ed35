//! Identities and guided logins.

use std::time::Duration;

use anchorbrowser::Client;
use anchorbrowser::identities::{Credential, GuidedLogin, LoginStep, Status};
use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use super::{Means, both, meanings, patient, quick};
use crate::sdk::methods::ID;

const STEP: Duration = Duration::from_millis(500);

#[tokio::test]
async fn an_identity_is_validated() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    let create = |user| {
        let create = client.identities().create("https://shop.example.com/login");
        create.credential(Credential::password(user, "x")).send()
    };
    let ann = create("ann").await?;
    let unknown = json!({ "id": ann.id.as_str(), "status": "checking" });
    let wait = client.identities().wait_until_validated(&ann.id);
    let [found, _] = both(&emulator, wait, unknown, STEP).await?;
    assert_eq!(
        (&found.id, found.status),
        (&ann.id, Some(Status::Validated))
    );

    let eve = create("fail@example.com").await?;
    emulator.advance(STEP)?;
    let wait = client.identities().wait_until_validated(&eve.id);
    let error = wait.await.unwrap_err();
    assert!(error.to_string().contains("credentials failed"), "{error}");
    Ok(())
}

#[tokio::test]
async fn each_state_of_an_identity_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let state = |state: Value| json!({ "id": ID, "status": state });
    let answers = [
        (state(json!("pending")), "pending", Means::Progress),
        (state(json!("checking")), "checking", Means::Progress),
        (state(Value::Null), "no state", Means::Progress),
        (state(json!("validated")), "validated", Means::Done),
        (
            state(json!("failed")),
            "failed",
            Means::Failed("the validation of an identity ended as `failed`: the login"),
        ),
    ];
    let wait = || client.identities().wait_until_validated(ID);
    meanings(&emulator, wait, &answers).await
}

/// A login whose start has been sent, and is not waited for.
async fn login(emulator: &Emulator, client: &Client, url: &str) -> anyhow::Result<GuidedLogin> {
    let session = client.sessions().create().send().await?;
    let login = client.identities().guided_login(session.id());
    let start = tokio::spawn(login.start(url));
    emulator.wait_for("start_dynamic_auth_flow", 1).await?;
    start.abort();
    Ok(login)
}

#[tokio::test]
async fn a_view_to_go_on_with_is_waited_for() -> anyhow::Result<()> {
    let (emulator, client) = patient(Emulator::builder()).await?;
    // The page is understood at the second look.
    let login = login(&emulator, &client, "https://slow.example.com/login").await?;
    let unknown = json!({ "phase": "pondering", "view": { "type": "decision" } });
    let [view, other] = both(&emulator, login.settled(), unknown, 2 * STEP).await?;
    assert!(matches!(view.step, LoginStep::Decision { .. }), "{view:?}");
    assert_eq!(view.step_id, other.step_id);
    Ok(())
}

#[tokio::test]
async fn a_login_that_failed_is_told() -> anyhow::Result<()> {
    let builder = Emulator::builder().timing(|timing| timing.login = Duration::ZERO);
    let emulator = builder.start().await?;
    let client = quick(&emulator);
    let session = client.sessions().create().send().await?;
    let login = client.identities().guided_login(session.id());
    assert!(login.settled().await.unwrap_err().is_not_found());
    login.start("https://locked.example.com/login").await?;
    login.choose("password").await?;
    login.settled().await?;
    login
        .fill(0, [("username", "ann"), ("password", "x")])
        .await?;
    let error = login.settled().await.unwrap_err();
    let why = "the site has locked the account";
    assert_eq!(error.message().as_deref(), Some(why), "{error}");
    Ok(())
}

#[tokio::test]
async fn each_view_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let settled = |view: Value| json!({ "phase": "settled", "view": view });
    let undetected = |retryable: Value| {
        let view = json!({ "type": "detection_failed", "retryable": retryable,
            "message": "start anew", "last_error": "no form" });
        settled(view)
    };
    let decision = json!({ "type": "decision", "options": [] });
    let answers = [
        (
            json!({ "phase": "navigating" }),
            "navigating",
            Means::Progress,
        ),
        (
            json!({ "phase": "navigating", "view": decision }),
            "navigating",
            Means::Progress,
        ),
        (
            json!({ "phase": "pondering", "view": decision }),
            "pondering",
            Means::Progress,
        ),
        (json!({ "phase": "settled" }), "settled", Means::Progress),
        (undetected(json!(true)), "detection_failed", Means::Progress),
        (undetected(Value::Null), "detection_failed", Means::Progress),
        (
            undetected(json!(false)),
            "detection_failed",
            Means::Failed("no form"),
        ),
        (settled(decision.clone()), "decision", Means::Done),
        (json!({ "view": decision }), "decision", Means::Done),
        (settled(json!({ "type": "form" })), "form", Means::Done),
        (
            settled(json!({ "type": "authenticated" })),
            "authenticated",
            Means::Done,
        ),
        (settled(json!({ "type": "puzzle" })), "", Means::Done),
        (
            settled(json!({ "type": "failed", "error": "locked" })),
            "failed",
            Means::Failed("a step of a guided login ended as `failed`: locked"),
        ),
    ];
    let wait = || client.identities().guided_login(ID).settled();
    meanings(&emulator, wait, &answers).await
}
