//! Webhooks: what happens is told to a server.

use anchorbrowser_api::types::{self, BooleanText, WebhookEventType};
use anchorbrowser_api::wire::Nullable;
use serde_json::Value;

use super::{Walk, gone, ok};
use crate::server::{Answer, Server};

pub(super) async fn walk(walk: &Walk) {
    let client = &walk.client;
    let server = Server::always(Answer::json(200, "{}")).await;
    let body = types::WebhookCreateRequest {
        description: Some("for tests".to_owned()),
        ..types::WebhookCreateRequest::new(server.url(), vec![WebhookEventType::SessionReady])
    };
    let made = ok(client.create_webhook().body(body).send()).await;
    assert_eq!(made.description.as_deref(), Some("for tests"));
    let (id, secret) = (made.id.unwrap(), made.secret.unwrap());
    walk.says(made.subscribed_events.first(), "session.ready");
    let list = ok(client.list_webhooks().send()).await;
    assert_eq!(
        (list.webhooks.len(), list.webhooks[0].id.as_ref()),
        (1, Some(&id))
    );

    deliveries(walk, &id, &server).await;

    let new = ok(client.rotate_webhook_secret().id(&id).send()).await;
    assert_ne!(new.secret.unwrap().expose(), secret.expose());
    let body = types::WebhookUpdateRequest {
        enabled: Some(false),
        description: Some(Nullable::Null),
        ..Default::default()
    };
    ok(client.update_webhook().id(&id).body(body).send()).await;
    let found = ok(client.get_webhook().id(&id).send()).await;
    assert_eq!((found.enabled, found.description), (Some(false), None));
    assert_eq!(
        ok(client.delete_webhook().id(&id).send()).await.ok,
        Some(true)
    );
    gone(client.get_webhook().id(&id).send()).await;
}

/// A session is told of, and so is a test.
async fn deliveries(walk: &Walk, id: &str, server: &Server) {
    let client = &walk.client;
    let session = walk.session().await;
    let body = types::WebhookTestRequest::new(WebhookEventType::TaskFailed);
    let test = ok(client.send_webhook_test_event().id(id).body(body).send()).await;
    walk.emulator.deliveries_done().await;
    let sent = server.requests();
    assert_eq!(sent.len(), 2);
    for (request, event) in sent.iter().zip(["session.ready", "task.failed"]) {
        assert_eq!(request.header("anchor-event"), Some(event));
        assert!(request.header("anchor-signature").unwrap().contains("v1="));
    }
    let told: Value = serde_json::from_str(&sent[0].text()).unwrap();
    assert_eq!(told["data"]["session_id"], *session);

    let list = client.list_webhook_events().id(id).limit(10);
    let list = ok(list.include_payload(BooleanText::True).send()).await;
    assert_eq!(list.pagination.unwrap().total, Some(2));
    let row = &list.events[0];
    assert_eq!(
        row.payload["id"].expose().as_str(),
        row.external_event_id.as_deref()
    );
    assert_eq!(row.external_event_id, test.external_event_id);
    assert_eq!((row.attempt, row.response_status), (Some(1), Some(200)));
    walk.says(row.status.as_ref(), "succeeded");
}
