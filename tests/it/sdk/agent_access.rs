//! How an agent obtains a key.

use std::time::Duration;

use anchorbrowser::{Client, ErrorKind, Options};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::methods::{Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.agent_access().guide(),
        client.agent_access().challenge(),
        client.agent_access().appendix("a/b"),
        client.agent_access().create("token", "1").identity_token("x").send(),
    )
}

fn keyless(emulator: &Emulator) -> anyhow::Result<Client> {
    Ok(Client::builder().base_url(emulator.base_url()).build()?)
}

/// The sum that the emulator's challenge asks for.
fn solve(inventory: &str) -> String {
    let counts = ["bolts: ", "nuts: "].map(|part| {
        let line = inventory.lines().find_map(|line| line.strip_prefix(part));
        line.and_then(|number| number.parse::<u32>().ok()).unwrap()
    });
    counts.iter().sum::<u32>().to_string()
}

#[tokio::test]
async fn a_client_without_a_key_obtains_one_and_uses_it() -> anyhow::Result<()> {
    let emulator = Emulator::builder().key("another").start().await?;
    let keyless = keyless(&emulator)?;
    let access = keyless.agent_access();

    let guide = access.guide().await?;
    assert_eq!(guide.ttl, Some(Duration::from_secs(300)));
    assert_eq!(guide.session_max_duration, Some(Duration::from_secs(1200)));
    assert_eq!(guide.flow.len(), 3);
    assert!(guide.identity_credits > guide.anonymous_credits);

    let challenge = access.challenge().await?;
    assert_eq!(challenge.time_limit, Some(Duration::from_secs(300)));
    let token = challenge.token.expose();
    assert!(!format!("{challenge:?}").contains(token));
    let appendix = access.appendix(challenge.appendix_ref.unwrap()).await?;

    let wrong = access.create(token, "wrong").send().await.unwrap_err();
    assert_eq!(wrong.status().map(|status| status.as_u16()), Some(400));
    let create = access.create(token, solve(&appendix.inventory));
    let create = create
        .identity_token("canary-identity")
        .identity_provider("emulator");
    assert!(!format!("{create:?}").contains("canary-identity"));
    let project = create.identity_audience("anchor").send().await?;
    assert_eq!(project.credits_granted, Some(25.0));
    assert_eq!(project.api_key_header.as_deref(), Some("anchor-api-key"));
    assert_eq!(
        project.session_max_duration,
        Some(Duration::from_secs(1200))
    );
    let shown = format!("{project:?} {:?}", project.client_builder());
    for secret in [&project.api_key, project.identity_token.as_ref().unwrap()] {
        assert!(!shown.contains(secret.expose()), "{shown}");
    }

    let client = project.client_builder().build()?;
    client.sessions().create().send().await?;
    let sent = &emulator.exchanges_of("create_session")?[0];
    assert_eq!(
        sent.header("anchor-api-key"),
        Some(project.api_key.expose())
    );
    assert_eq!(sent.header("anchor-identity-token"), None);
    for open in ["get_agent_access_guide", "create_agent_access_project"] {
        assert_eq!(
            emulator.exchanges_of(open)?[0].header("anchor-api-key"),
            None
        );
    }

    let used_up = access.create(token, "1").send().await;
    assert!(used_up.is_err_and(|error| error.is_unauthorized()));
    Ok(())
}

#[tokio::test]
async fn the_identity_token_goes_along_only_if_the_key_needs_it() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let keyless = keyless(&emulator)?;
    for (auth, token, header, expected) in [
        (
            json!({ "identity_token_required": true }),
            Some("t"),
            "anchor-identity-token",
            Some("t"),
        ),
        (
            json!({ "identity_token_required": true, "identity_token_header": "x-agent" }),
            Some("t"),
            "x-agent",
            Some("t"),
        ),
        (
            json!({ "identity_token_required": false }),
            Some("t"),
            "anchor-identity-token",
            None,
        ),
        (
            json!({ "identity_token_required": true }),
            None,
            "anchor-identity-token",
            None,
        ),
        (json!(null), Some("t"), "anchor-identity-token", None),
    ] {
        let answer = json!({ "api_key": "k", "agent_identity_token": token, "auth": auth });
        let fault = Fault::status(200).json(answer);
        emulator.fault(fault.on("create_agent_access_project"))?;
        let project = keyless.agent_access().create("t", "a").send().await?;
        let client = project.client_builder().build()?;
        emulator.clear_exchanges();
        client.sessions().list().send().await?;
        let sent = &emulator.exchanges_of("list_sessions")?[0];
        assert_eq!(sent.header("anchor-api-key"), Some("k"));
        assert_eq!(sent.header(header), expected);
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_an_answer_is_not_sent() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let keyless = keyless(&emulator)?;
    for (token, answer, part) in [("", "a", "`token`"), ("canary", "", "`answer`")] {
        let error = keyless
            .agent_access()
            .create(token, answer)
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(part) && !shown.contains("canary"), "{shown}");
    }
    assert_eq!(emulator.count("create_agent_access_project")?, 0);
    let unchecked = keyless.with_options(Options::new().checks(false))?;
    let error = unchecked
        .agent_access()
        .create("", "")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));

    let missing = keyless.agent_access().appendix("none").await;
    assert!(missing.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn an_answer_without_what_is_needed_is_told() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let keyless = keyless(&emulator)?;
    let access = keyless.agent_access();
    let fault = || Fault::status(200).json(json!({ "challenge": {}, "auth": {} }));
    emulator.fault(fault().always())?;
    for (error, part) in [
        (access.challenge().await.err(), "`token`"),
        (access.appendix("a").await.err(), "`inventory`"),
        (access.create("t", "a").send().await.err(), "`api_key`"),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(access.guide().await?.ttl, None);
    Ok(())
}
