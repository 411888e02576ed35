//! Questions of agents, and the replies.

use std::time::Duration;

use anchorbrowser::agent::{FieldKind, InputKind, Intervention, Reply, RunningTask, TaskStatus};
use anchorbrowser::{Client, ErrorKind, Session};
use anchorbrowser_emulator::{AgentScript, Emulator, Question};
use serde_json::{Value, json};

/// A run that has asked a question, in a session of its own.
async fn asked(
    emulator: &Emulator,
    client: &Client,
    input: &str,
    fields: Vec<Value>,
) -> anyhow::Result<(Session, RunningTask)> {
    let mut script = AgentScript::completed("bought");
    script.asks = Some(Question {
        message: "Which colour?".to_owned(),
        input: input.to_owned(),
        fields,
    });
    emulator.script(script)?;
    let session = client.sessions().create().tag("hats").send().await?;
    let task = session.agent().task("Buy a hat.").human_intervention(true);
    let running = task.start().await?;
    emulator.advance(Duration::from_secs(60))?;
    Ok((session, running))
}

async fn is_done(emulator: &Emulator, running: &RunningTask) -> anyhow::Result<bool> {
    emulator.advance(Duration::from_secs(60))?;
    Ok(matches!(running.status().await?, TaskStatus::Completed(_)))
}

#[tokio::test]
async fn an_agent_asks_and_a_person_replies() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let (session, running) = asked(&emulator, &client, "text", vec![]).await?;
    assert!(!is_done(&emulator, &running).await?);

    let pending = client.agent().pending_interventions().send().await?;
    assert_eq!((pending.items.len(), pending.total), (1, Some(1)));
    let found: &Intervention = &pending.items[0];
    assert_eq!(
        (&found.session_id, found.tags.as_slice()),
        (session.id(), &["hats".to_owned()][..])
    );
    let open = session.agent().interventions().send().await?.items;
    assert_eq!((open.len(), &open[0].id), (1, &found.id));
    assert_eq!(
        (open[0].message.as_str(), &open[0].input),
        ("Which colour?", &Some(InputKind::Text))
    );

    session.agent().respond("red").to(&found.id).send().await?;
    let sent = emulator.exchanges_of("respond_to_human_intervention")?[0].json();
    assert_eq!(
        sent,
        json!({ "requestId": found.id.as_str(), "response": "red" })
    );
    assert!(
        session
            .agent()
            .interventions()
            .send()
            .await?
            .items
            .is_empty()
    );
    assert!(is_done(&emulator, &running).await?);

    let again = session.agent().respond("blue").to(&found.id).send().await;
    assert!(again.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn fields_are_filled_in() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let fields = vec![
        json!({
            "name": "pin", "label": "PIN", "type": "password", "required": true,
            "placeholder": "0000", "description": "of the card", "defaultValue": "canary",
        }),
        json!({ "name": "note", "label": "Note" }),
    ];
    let (session, running) = asked(&emulator, &client, "fields", fields).await?;

    let open = session
        .agent()
        .interventions()
        .send()
        .await?
        .items
        .remove(0);
    assert_eq!(open.input, Some(InputKind::Fields));
    let pin = &open.fields[0];
    assert_eq!(
        (pin.name.as_str(), pin.label.as_deref(), pin.required),
        ("pin", Some("PIN"), true)
    );
    assert_eq!(
        (&pin.kind, pin.placeholder.as_deref()),
        (&Some(FieldKind::Password), Some("0000"))
    );
    assert_eq!(
        pin.default_value.as_ref().map(|it| it.expose()),
        Some("canary")
    );
    assert!(!open.fields[1].required);
    assert!(!format!("{open:?}").contains("canary"));

    let reply = Reply::fields([("pin", "canary")]);
    assert!(!format!("{reply:?}").contains("canary"));
    session.agent().respond(reply).send().await?;
    let sent = emulator.exchanges_of("respond_to_human_intervention")?[0].json();
    assert_eq!(sent, json!({ "response": { "pin": "canary" } }));
    assert!(is_done(&emulator, &running).await?);
    Ok(())
}

#[tokio::test]
async fn the_newest_question_is_meant_if_none_is_named() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = crate::sdk::client(&emulator);
    let (session, running) = asked(&emulator, &client, "confirm", vec![]).await?;
    let wrong = session.agent().respond("yes").send().await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Status);
    session.agent().respond(true).send().await?;
    assert!(is_done(&emulator, &running).await?);
    let nothing = session.agent().respond(true).send().await.unwrap_err();
    assert!(nothing.is_not_found(), "{nothing}");
    Ok(())
}
