//! Webhooks.

use anchorbrowser::webhooks::{DeliveryStatus, EventType};
use anchorbrowser::{Error, ErrorKind, Options};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::checks::assert_clean;
use super::methods::{ID, Method, methods};

const URL: &str = "https://example.com/hook";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.webhooks().create(URL, ["task.failed"]).description("a").send(),
        client.webhooks().get(ID),
        client.webhooks().list().send(),
        client.webhooks().update(ID).url(URL).enabled(true).clear_description().send(),
        client.webhooks().delete(ID),
        client.webhooks().rotate_secret(ID),
        client.webhooks().test(ID, EventType::TaskFailed),
        client.webhooks().events(ID).page_size(100).include_payload(true).send(),
    )
}

#[tokio::test]
async fn a_webhook_is_created_changed_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let webhooks = client.webhooks();

    let events = [EventType::TaskFailed, "session.ready".into()];
    let created = webhooks.create(URL, events).description("a").send().await?;
    let secret = created.secret.expose().to_owned();
    assert!(!secret.is_empty() && !format!("{created:?}").contains(&secret));
    let id = &created.webhook.id;
    assert_eq!(created.webhook.description.as_deref(), Some("a"));

    let found = webhooks.get(id).await?;
    assert_eq!(found.id, *id);
    assert_eq!(found.url, URL);
    assert_eq!(
        found.subscribed_events,
        [EventType::TaskFailed, EventType::SessionReady]
    );
    assert!(found.enabled && found.project_id.is_some());
    assert!(found.created_at.is_some_and(|time| time.to_utc().is_some()));
    assert_eq!(webhooks.list().send().await?.items.len(), 1);
    assert_eq!(webhooks.list().stream().collect().await?.len(), 1);

    let update = webhooks.update(id).enabled(false).clear_description();
    let changed = update.subscribed_events(["batch.failed"]).send().await?;
    assert_eq!(changed.description, None);
    assert_eq!(changed.subscribed_events, [EventType::BatchFailed]);
    assert!(!changed.enabled && changed.url == URL);

    let new = webhooks.rotate_secret(id).await?;
    assert_ne!(new.expose(), secret);

    webhooks.delete(id).await?;
    assert!(
        webhooks
            .get(id)
            .await
            .is_err_and(|error| error.is_not_found())
    );
    assert!(
        webhooks
            .delete(id)
            .await
            .is_err_and(|error| error.is_not_found())
    );
    Ok(())
}

#[tokio::test]
async fn null_clears_a_description_and_what_is_not_set_is_not_sent() -> anyhow::Result<()> {
    let emulator = Emulator::builder().stateless(true).start().await?;
    let client = super::client(&emulator);
    client.webhooks().update("wh_1").send().await?;
    client
        .webhooks()
        .update("wh_1")
        .description("b")
        .send()
        .await?;
    client
        .webhooks()
        .update("wh_1")
        .clear_description()
        .send()
        .await?;
    let sent = emulator.exchanges_of("update_webhook")?;
    let sent: Vec<_> = sent.iter().map(|exchange| exchange.json()).collect();
    let expected = [
        json!({}),
        json!({ "description": "b" }),
        json!({ "description": null }),
    ];
    assert_eq!(sent, expected);
    Ok(())
}

#[tokio::test]
async fn the_history_is_read_page_by_page() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let webhooks = client.webhooks();
    let webhook = webhooks.create(URL, ["task.failed"]).send().await?.webhook;
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(webhooks.test(&webhook.id, EventType::BatchFailed).await?);
    }
    sent.reverse(); // the newest first

    let list = webhooks.events(&webhook.id).page_size(2);
    let page = list.clone().send().await?;
    assert_eq!(
        (page.items.len(), page.total, page.has_next()),
        (2, Some(5), true)
    );
    assert!(page.items[0].payload.is_empty());
    let all = list
        .clone()
        .include_payload(true)
        .stream()
        .collect()
        .await?;
    let ids: Vec<_> = all
        .iter()
        .map(|delivery| delivery.event_id.clone())
        .collect();
    assert_eq!(ids, sent);
    assert_eq!(emulator.count("list_webhook_events")?, 4);
    for delivery in &all {
        assert_eq!(delivery.event_type, Some(EventType::BatchFailed));
        let id = delivery.payload["id"].expose();
        assert_eq!(id, delivery.event_id.as_str());
    }

    let rest = list.clone().offset(3).stream().collect().await?;
    assert_eq!(rest.len(), 2);
    let none = list
        .clone()
        .event_type(EventType::TaskFailed)
        .send()
        .await?;
    assert_eq!((none.items.len(), none.has_next()), (0, false));
    let none = list
        .status(DeliveryStatus::Dead)
        .until("2000-01-01T00:00:00Z");
    assert_eq!(
        none.since("1999-01-01T00:00:00Z").send().await?.total,
        Some(0)
    );

    // A deleted webhook's history stays.
    webhooks.delete(&webhook.id).await?;
    assert_eq!(webhooks.events(&webhook.id).send().await?.items.len(), 5);
    let missing = webhooks.events("wh_none").stream().collect().await;
    assert!(missing.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn the_event_of_a_delivery_is_not_printed() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let event = json!({ "id": "evt_1", "data": { "recording_url": "https://s/?canary" } });
    let page = json!({ "events": [{ "id": "d", "payload": event }], "pagination": {} });
    emulator.fault(Fault::status(200).json(page))?;
    let list = super::client(&emulator).webhooks().events("wh_1");
    let page = list.include_payload(true).send().await?;
    assert_clean(&page);
    let payload = serde_json::to_value(&page.items[0].payload)?;
    assert_eq!(payload, event);
    Ok(())
}

#[tokio::test]
async fn no_offset_is_too_large_to_count_on() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let page = json!({ "events": [{ "id": "d" }], "pagination": { "total": 3 } });
    emulator.fault(Fault::status(200).json(page))?;
    let list = super::client(&emulator).webhooks().events("wh_1");
    let page = list.offset(u64::MAX).send().await?;
    assert!(!page.has_next());
    Ok(())
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_ends_the_stream() -> anyhow::Result<()> {
    let emulator = Emulator::builder().stateless(true).start().await?;
    let page = json!({
        "events": [{ "id": "d", "external_event_id": "e", "event_type": "task.failed",
            "status": "dead", "attempt": 6 }],
        "pagination": { "limit": 1, "offset": 0, "total": 3 },
    });
    emulator.fault(
        Fault::status(200)
            .json(page)
            .on("list_webhook_events")
            .always(),
    )?;
    let mut events = super::client(&emulator).webhooks().events("wh_1").stream();
    let first = events.next().await.transpose()?;
    assert_eq!(first.and_then(|delivery| delivery.attempt), Some(6));
    let error = events.next().await.and_then(Result::err);
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Decode));
    assert!(events.next().await.is_none());
    assert_eq!(emulator.count("list_webhook_events")?, 2);
    Ok(())
}

#[tokio::test]
async fn what_the_api_refuses_is_not_sent() -> anyhow::Result<()> {
    let emulator = Emulator::builder().local_webhooks(true).start().await?;
    let client = super::client(&emulator);
    let webhooks = client.webhooks();
    let no_events: [EventType; 0] = [];
    let local = "http://127.0.0.1:1/canary";
    let refused: [(Error, &str); 7] = [
        (
            webhooks
                .create(local, ["task.failed"])
                .send()
                .await
                .unwrap_err(),
            "`url`",
        ),
        (
            webhooks.create(URL, no_events).send().await.unwrap_err(),
            "`subscribed_events`",
        ),
        (
            webhooks
                .create(URL, ["a"])
                .description("é".repeat(257))
                .send()
                .await
                .unwrap_err(),
            "256",
        ),
        (
            webhooks
                .update("wh_1")
                .url("https://u:canary@h.example")
                .send()
                .await
                .unwrap_err(),
            "`url`",
        ),
        (
            webhooks
                .update("wh_1")
                .subscribed_events(["a"; 0])
                .send()
                .await
                .unwrap_err(),
            "`subscribed_events`",
        ),
        (
            webhooks
                .events("wh_1")
                .page_size(101)
                .send()
                .await
                .unwrap_err(),
            "`limit`",
        ),
        (
            webhooks
                .events("wh_1")
                .page_size(0)
                .stream()
                .collect()
                .await
                .unwrap_err(),
            "`limit`",
        ),
    ];
    for (error, part) in refused {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(part) && !shown.contains("canary"), "{shown}");
    }
    assert!(emulator.exchanges().is_empty());

    let unchecked = client.with_options(Options::new().checks(false))?;
    let created = unchecked
        .webhooks()
        .create(local, ["task.failed"])
        .send()
        .await?;
    assert_eq!(created.webhook.url, local);
    let refused = unchecked
        .webhooks()
        .update(&created.webhook.id)
        .url("https://localhost");
    assert_eq!(
        refused
            .send()
            .await
            .unwrap_err()
            .status()
            .map(|s| s.as_u16()),
        Some(400)
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_without_what_is_needed_is_told() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let webhooks = client.webhooks();
    let answer =
        |operation: &str, json| emulator.fault(Fault::status(200).json(json).on(operation));
    answer("create_webhook", json!({ "id": "wh_1" }))?;
    answer("rotate_webhook_secret", json!({ "id": "wh_1" }))?;
    answer("get_webhook", json!({ "secret": "canary" }))?;
    answer("send_webhook_test_event", json!({}))?;
    answer("delete_webhook", json!({ "ok": false }))?;
    for (error, kind, part) in [
        (
            webhooks.create(URL, ["a"]).send().await.err(),
            ErrorKind::Decode,
            "`secret`",
        ),
        (
            webhooks.rotate_secret("wh_1").await.err(),
            ErrorKind::Decode,
            "`secret`",
        ),
        (webhooks.get("wh_1").await.err(), ErrorKind::Decode, "`id`"),
        (
            webhooks.test("wh_1", "a").await.err(),
            ErrorKind::Decode,
            "`external_event_id`",
        ),
        (
            webhooks.delete("wh_1").await.err(),
            ErrorKind::Failed,
            "nothing was deleted",
        ),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(part), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_project_has_five_webhooks_at_most() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    for _ in 0..5 {
        client
            .webhooks()
            .create(URL, ["task.failed"])
            .send()
            .await?;
    }
    let sixth = client.webhooks().create(URL, ["task.failed"]).send().await;
    assert!(sixth.is_err_and(|error| error.is_conflict()));
    Ok(())
}

/// The old secret is valid for a day, so a rotation must not be lost unseen.
#[tokio::test]
async fn a_rotation_with_unknown_outcome_is_not_repeated() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let webhook = client
        .webhooks()
        .create(URL, ["task.failed"])
        .send()
        .await?
        .webhook;
    emulator.fault(Fault::reset_after().on("rotate_webhook_secret"))?;
    assert!(client.webhooks().rotate_secret(&webhook.id).await.is_err());
    assert_eq!(emulator.count("rotate_webhook_secret")?, 1);
    Ok(())
}
