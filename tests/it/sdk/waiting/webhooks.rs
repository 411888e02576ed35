//! Deliveries of events.

use std::time::Duration;

use anchorbrowser::webhooks::{Delivery, DeliveryStatus, EventType};
use anchorbrowser::{Client, ErrorKind, EventId, Options, Poller, WebhookId};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use super::{Means, both, meanings, patient, quick};
use crate::server::{Answer, Server};

/// A test event of a webhook.
struct Tested {
    emulator: Emulator,
    client: Client,
    server: Server,
    webhook: WebhookId,
    event: EventId,
}

impl Tested {
    /// The webhook's server answers with these statuses, and has done so once.
    async fn new(statuses: &[u16]) -> anyhow::Result<Self> {
        let (emulator, client) = patient(Emulator::builder().local_webhooks(true)).await?;
        let answers = statuses.iter().map(|status| Answer::json(*status, "{}"));
        let server = Server::list(answers).await;
        // The SDK lets no address of this machine through.
        let unchecked = client.with_options(Options::new().checks(false))?;
        let create = unchecked.webhooks().create(server.url(), ["task.failed"]);
        let webhook = create.send().await?.webhook.id;
        let test = client.webhooks().test(&webhook, EventType::BatchFailed);
        let event = test.await?;
        emulator.deliveries_done().await;
        Ok(Self {
            emulator,
            client,
            server,
            webhook,
            event,
        })
    }

    fn wait(&self) -> Poller<Delivery, Option<Delivery>> {
        let webhooks = self.client.webhooks();
        webhooks.wait_for_delivery(&self.webhook, &self.event)
    }
}

/// A list with the delivery of the event `e`, or of another one.
fn list(event: &str, row: Value) -> Value {
    let mut row = row;
    row["id"] = json!("d");
    row["external_event_id"] = json!(event);
    json!({ "events": [row], "pagination": { "limit": 100, "offset": 0, "total": 1 } })
}

/// The first attempt fails, and the second does not.
#[tokio::test]
async fn a_delivery_is_waited_for() -> anyhow::Result<()> {
    let test = Tested::new(&[500, 200]).await?;
    let unknown = list(test.event.as_str(), json!({ "status": "packing" }));
    let minute = Duration::from_secs(60);
    let [delivery, other] = both(&test.emulator, test.wait(), unknown, minute).await?;
    assert_eq!(delivery.status, Some(DeliveryStatus::Succeeded));
    assert_eq!((delivery.event_id, &other.id), (test.event, &delivery.id));
    assert_eq!(delivery.attempt, Some(2));
    assert_eq!(test.server.requests().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_delivery_that_is_given_up_is_told() -> anyhow::Result<()> {
    let test = Tested::new(&[410]).await?;
    let error = test.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    let message = error.message().unwrap();
    assert!(message.starts_with("status 410: "), "{message}");
    assert_eq!(error.waited().unwrap().state.as_deref(), Some("failed"));
    let webhooks = test.client.webhooks();
    let missing = webhooks.wait_for_delivery("wh_none", &test.event).await;
    assert!(missing.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn each_state_of_a_delivery_is_understood() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let answers = [
        (
            list("other", json!({ "status": "succeeded" })),
            "not listed",
            Means::Progress,
        ),
        (
            list("e", json!({ "status": "pending" })),
            "pending",
            Means::Progress,
        ),
        (
            list("e", json!({ "status": "packing" })),
            "packing",
            Means::Progress,
        ),
        (list("e", json!({})), "no state", Means::Progress),
        (
            list("e", json!({ "status": "succeeded" })),
            "succeeded",
            Means::Done,
        ),
        (
            list("e", json!({ "status": "failed", "response_status": 410 })),
            "failed",
            Means::Failed("the delivery of an event ended as `failed`: status 410"),
        ),
        (
            list(
                "e",
                json!({ "status": "dead", "error_message": "no connection" }),
            ),
            "dead",
            Means::Failed("the delivery of an event ended as `dead`: no connection"),
        ),
    ];
    let wait = || client.webhooks().wait_for_delivery("w", "e");
    meanings(&emulator, wait, &answers).await
}

/// Further pages are looked at until the event is found, and not without end.
#[tokio::test]
async fn an_event_is_looked_for_over_some_pages() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = quick(&emulator);
    let page = |event: &str, offset: u64| {
        let mut page = list(event, json!({ "status": "succeeded" }));
        let row = page["events"][0].clone();
        page["events"] = vec![row; 100].into();
        page["pagination"] = json!({ "limit": 100, "offset": offset, "total": 5_000 });
        Fault::status(200).json(page).on("list_webhook_events")
    };
    emulator.fault(page("other", 0))?;
    emulator.fault(page("e", 100))?;
    client.webhooks().wait_for_delivery("w", "e").await?;
    let queries = |emulator: &Emulator| -> anyhow::Result<Vec<_>> {
        let sent = emulator.exchanges_of("list_webhook_events")?;
        Ok(sent
            .into_iter()
            .filter_map(|exchange| exchange.query)
            .collect())
    };
    assert_eq!(queries(&emulator)?, ["limit=100", "limit=100&offset=100"]);

    emulator.clear_exchanges();
    for offset in 0..20 {
        emulator.fault(page("other", offset * 100))?;
    }
    client
        .webhooks()
        .wait_for_delivery("w", "e")
        .poll_once()
        .await?;
    assert_eq!(queries(&emulator)?.len(), 10);

    // A server that ignores the offset is not asked again.
    emulator.clear_exchanges();
    emulator.clear_faults();
    emulator.fault(page("other", 0).always())?;
    client
        .webhooks()
        .wait_for_delivery("w", "e")
        .poll_once()
        .await?;
    assert_eq!(queries(&emulator)?.len(), 2);
    Ok(())
}
