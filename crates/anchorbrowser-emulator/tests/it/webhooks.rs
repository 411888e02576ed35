//! Webhooks: registration, signed deliveries, retries, history.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::consumer::{Consumer, Sent, read};
use crate::support::{Api, Reply};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// HMAC-SHA256 as RFC 2104 has it, in hex: not the code under test.
fn hmac(key: &str, message: &[u8]) -> String {
    let block = |pad: u8| -> Vec<u8> {
        let mut block = vec![pad; 64];
        block
            .iter_mut()
            .zip(key.bytes())
            .for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::digest([block(0x36), message.to_vec()].concat());
    let outer = Sha256::digest([block(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The delivery must be signed with this secret.
#[track_caller]
fn verify(sent: &Sent, secret: &str) {
    let timestamp = &sent.headers["anchor-timestamp"];
    let message = [format!("v0:{timestamp}:").as_bytes(), &sent.body].concat();
    assert_eq!(
        sent.headers["anchor-signature"],
        format!("t={timestamp},v1={}", hmac(secret, &message))
    );
}

async fn local() -> Api {
    Api::with(Emulator::builder().manual_clock().local_webhooks(true)).await
}

async fn register(api: &Api, url: &str, events: &[&str]) -> Reply {
    let reply = api
        .post(
            "/v1/webhooks",
            json!({ "url": url, "subscribed_events": events }),
        )
        .await;
    assert_eq!(reply.status, 201, "{}", reply.json);
    reply
}

async fn history(api: &Api, id: &str, query: &str) -> Vec<Value> {
    let reply = api
        .get(&format!("/v1/webhooks/{id}/events?{query}"))
        .await
        .ok();
    reply.at("/events").as_array().unwrap().clone()
}

async fn send_test(api: &Api, id: &str) -> String {
    let body = json!({ "event_type": "task.completed" });
    let reply = api.post(&format!("/v1/webhooks/{id}/test"), body).await;
    assert_eq!(reply.status, 202);
    api.emulator.deliveries_done().await;
    reply.text("/external_event_id")
}

/// Moves the clock, and waits for what is sent then.
async fn later(api: &Api, by: Duration) {
    api.advance(by);
    api.emulator.deliveries_done().await;
}

#[tokio::test]
async fn a_webhook_is_registered_changed_and_deleted() {
    let api = Api::start().await;
    let body = json!({ "url": "https://example.com/h", "description": "d", "subscribed_events": ["task.failed"] });
    let made = api.post("/v1/webhooks", body).await;
    assert_eq!(made.status, 201);
    let (id, secret) = (made.text("/id"), made.text("/secret"));
    assert!(
        id.starts_with("wh_")
            && secret.len() == 64
            && secret.bytes().all(|byte| byte.is_ascii_hexdigit())
    );
    let path = format!("/v1/webhooks/{id}");

    api.advance(Duration::from_secs(1));
    let change = json!({ "description": null, "enabled": false, "subscribed_events": ["task.healed", "task.healed"] });
    let changed = api.patch(&path, change).await.ok();
    assert_eq!(changed.at("/description"), Value::Null);
    assert_eq!(changed.at("/subscribed_events"), json!(["task.healed"]));
    assert_ne!(changed.at("/updated_at"), changed.at("/created_at"));
    assert_eq!(
        api.patch(&path, json!({ "url": "https://example.org/" }))
            .await
            .ok()
            .at("/enabled"),
        false
    );
    assert_eq!(
        api.get(&path).await.ok().text("/url"),
        "https://example.org/"
    );
    for reply in [api.get(&path).await, api.get("/v1/webhooks").await, changed] {
        assert!(
            !reply.json.to_string().contains(&secret),
            "the secret is shown once"
        );
    }
    assert_eq!(api.get("/v1/webhooks").await.count("/webhooks"), 1);

    assert_eq!(api.delete(&path).await.ok().at("/ok"), true);
    api.get(&path).await.refused(404);
    api.delete(&path).await.refused(404);
    api.patch(&path, json!({})).await.refused(404);
    api.act(&format!("{path}/rotate-secret")).await.refused(404);
    assert_eq!(api.get("/v1/webhooks").await.count("/webhooks"), 0);
}

#[tokio::test]
async fn what_is_refused() {
    let api = Api::start().await;
    let urls = [
        "http://example.com/",
        "https://10.0.0.1/",
        "https://u:canary@example.com/",
        "http://127.0.0.1:1/",
    ];
    for url in urls {
        let body = json!({ "url": url, "subscribed_events": ["task.failed"] });
        let text = api.post("/v1/webhooks", body).await.refused(400);
        assert!(!text.contains("canary"));
    }
    let none = json!({ "url": "https://example.com/", "subscribed_events": [] });
    api.post("/v1/webhooks", none).await.refused(400);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(
            register(&api, "https://example.com/", &["task.failed"])
                .await
                .text("/id"),
        );
    }
    let sixth = json!({ "url": "https://example.com/", "subscribed_events": ["task.failed"] });
    api.post("/v1/webhooks", sixth.clone()).await.refused(409);
    api.patch(
        &format!("/v1/webhooks/{}", ids[0]),
        json!({ "url": "https://10.0.0.1/" }),
    )
    .await
    .refused(400);
    api.delete(&format!("/v1/webhooks/{}", ids[0])).await.ok();
    api.post("/v1/webhooks", sixth).await.ok();
    api.post(
        "/v1/webhooks/wh_none/test",
        json!({ "event_type": "task.failed" }),
    )
    .await
    .refused(404);
    api.get("/v1/webhooks/wh_none/events").await.refused(404);
}

#[tokio::test]
async fn an_event_is_delivered_signed_to_its_subscribers() {
    let (api, consumer, other) = (
        local().await,
        Consumer::start(&[]).await,
        Consumer::start(&[]).await,
    );
    let made = register(&api, &consumer.url, &["session.ready", "session.completed"]).await;
    let (id, project) = (made.text("/id"), made.text("/project_id"));
    register(&api, &other.url, &["session.completed"]).await;
    let session = api.session(json!({})).await;
    later(&api, Duration::ZERO).await;
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    later(&api, Duration::ZERO).await;

    let (sent, others) = (consumer.sent(), other.sent());
    let types: Vec<&str> = sent
        .iter()
        .map(|it| it.headers["anchor-event"].as_str())
        .collect();
    assert_eq!(types, ["session.ready", "session.completed"]);
    for delivery in &sent {
        verify(delivery, &made.text("/secret"));
        assert_eq!(delivery.line, "POST /hook?a=b HTTP/1.1");
        assert_eq!(delivery.headers["user-agent"], "Anchor-Webhooks/1.0");
        assert_eq!(delivery.headers["content-type"], "application/json");
        assert_eq!(delivery.headers["anchor-timestamp"], "1767225600");
        let envelope: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(envelope["type"], delivery.headers["anchor-event"]);
        assert_eq!(envelope["created"], "2026-01-01T00:00:00.000Z");
        assert_eq!(
            (&envelope["project_id"], &envelope["data"]["session_id"]),
            (&json!(project), &json!(session))
        );
        assert!(
            envelope["id"].as_str().unwrap().starts_with("evt_") && envelope["text"].is_string()
        );
    }
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].body, sent[1].body, "one envelope for all");
    assert_ne!(
        others[0].headers["anchor-delivery-id"],
        sent[1].headers["anchor-delivery-id"]
    );
    assert_ne!(
        others[0].headers["anchor-signature"],
        sent[1].headers["anchor-signature"]
    );

    let rows = history(&api, &id, "include_payload=true").await;
    let newest: Value = serde_json::from_slice(&sent[1].body).unwrap();
    assert_eq!(rows[0]["payload"], newest);
    assert_eq!(rows[0]["external_event_id"], newest["id"]);
    assert_eq!(
        (&rows[0]["status"], &rows[0]["attempt"]),
        (&json!("succeeded"), &json!(1))
    );
    assert_eq!(rows[0]["id"], sent[1].headers["anchor-delivery-id"]);
}

#[tokio::test]
async fn failures_are_retried_on_the_clock() {
    let (api, consumer) = (
        local().await,
        Consumer::start(&[500, 429, 503, 408, 425]).await,
    );
    let made = register(&api, &consumer.url, &["task.failed"]).await;
    let id = made.text("/id");
    send_test(&api, &id).await;
    for (attempt, wait) in [1, 5, 30, 120, 600].into_iter().enumerate() {
        assert_eq!(consumer.sent().len(), attempt + 1);
        let row = &history(&api, &id, "status=pending").await[0];
        assert_eq!(row["attempt"], attempt + 1);
        assert!(row["error_message"].is_string() && row["completed_at"].is_null());
        later(&api, Duration::from_millis(wait * 1000 - 1)).await;
        assert_eq!(consumer.sent().len(), attempt + 1, "not before its time");
        later(&api, Duration::from_millis(1)).await;
    }
    let sent = consumer.sent();
    assert_eq!(sent.len(), 6);
    for delivery in &sent {
        verify(delivery, &made.text("/secret"));
        assert_eq!(delivery.body, sent[0].body);
        assert_eq!(
            delivery.headers["anchor-delivery-id"],
            sent[0].headers["anchor-delivery-id"]
        );
    }
    assert_eq!(sent[5].headers["anchor-timestamp"], "1767226356");
    let row = &history(&api, &id, "status=succeeded").await[0];
    assert_eq!(
        (
            &row["attempt"],
            &row["response_status"],
            &row["error_message"]
        ),
        (&json!(6), &json!(200), &Value::Null)
    );
}

#[tokio::test]
async fn some_failures_are_final() {
    let api = local().await;
    let dead = Consumer::start(&[500; 6]).await;
    let refusing = Consumer::start(&[404]).await;
    let moved = Consumer::start(&[302]).await;
    let cases = [
        (dead.url.as_str(), "dead", 6, json!(500)),
        (&refusing.url, "failed", 1, json!(404)),
        (&moved.url, "failed", 1, json!(302)),
        ("https://example.com/hook", "failed", 1, Value::Null),
    ];
    for (url, status, attempts, response) in cases {
        let id = register(&api, url, &["task.failed"]).await.text("/id");
        send_test(&api, &id).await;
        for _ in 0..10 {
            later(&api, Duration::from_secs(600)).await;
        }
        let row = &history(&api, &id, "").await[0];
        assert_eq!(
            (&row["status"], &row["attempt"]),
            (&json!(status), &json!(attempts)),
            "{url}"
        );
        assert_eq!(row["response_status"], response, "{url}");
        let beyond = row["error_message"]
            .as_str()
            .unwrap()
            .contains("beyond this machine");
        assert_eq!(beyond, url.starts_with("https"), "{row}");
    }
    assert_eq!(
        (dead.sent().len(), refusing.sent().len(), moved.sent().len()),
        (6, 1, 1)
    );
}

#[tokio::test]
async fn a_disabled_or_deleted_webhook_gets_nothing_more() {
    for delete in [false, true] {
        let (api, consumer) = (local().await, Consumer::start(&[500]).await);
        let id = register(&api, &consumer.url, &["session.ready"])
            .await
            .text("/id");
        send_test(&api, &id).await;
        let path = format!("/v1/webhooks/{id}");
        match delete {
            true => api.delete(&path).await.ok(),
            false => api.patch(&path, json!({ "enabled": false })).await.ok(),
        };
        api.session(json!({})).await;
        let test = api
            .post(
                &format!("{path}/test"),
                json!({ "event_type": "task.failed" }),
            )
            .await;
        test.refused(if delete { 404 } else { 400 });
        later(&api, DAY).await;
        assert_eq!(consumer.sent().len(), 1);
        let rows = history(&api, &id, "").await;
        assert_eq!((rows.len(), &rows[0]["status"]), (1, &json!("failed")));
    }
}

#[tokio::test]
async fn a_rotated_secret_signs_at_once_and_the_old_one_lasts_a_day() {
    let (api, consumer) = (local().await, Consumer::start(&[500]).await);
    let made = register(&api, &consumer.url, &["task.failed"]).await;
    let (id, old) = (made.text("/id"), made.text("/secret"));
    send_test(&api, &id).await;
    let new = api
        .act(&format!("/v1/webhooks/{id}/rotate-secret"))
        .await
        .ok()
        .text("/secret");
    assert_ne!(old, new);
    later(&api, Duration::from_secs(1)).await;
    verify(&consumer.sent()[0], &old);
    verify(&consumer.sent()[1], &new);
    let until = async || {
        api.get("/__emulator/state")
            .await
            .ok()
            .at("/webhooks/0/previous_secret_until")
    };
    assert_eq!(until().await, "2026-01-02T00:00:00.000Z");
    later(&api, DAY - Duration::from_secs(2)).await;
    assert_ne!(until().await, Value::Null);
    later(&api, Duration::from_secs(1)).await;
    assert_eq!(until().await, Value::Null);
}

#[tokio::test]
async fn the_history_is_filtered_paged_and_kept_a_week() {
    let (api, consumer) = (local().await, Consumer::start(&[200, 404]).await);
    let id = register(&api, &consumer.url, &["session.ready"])
        .await
        .text("/id");
    let first = send_test(&api, &id).await;
    later(&api, Duration::from_secs(10)).await;
    api.session(json!({})).await;
    later(&api, Duration::from_secs(10)).await;
    let third = send_test(&api, &id).await;
    let at = |second| format!("2026-01-01T00:00:{second}Z");
    let cases = [
        (String::new(), 3),
        ("status=succeeded".to_owned(), 2),
        ("status=failed".to_owned(), 1),
        ("status=dead".to_owned(), 0),
        ("event_type=session.ready".to_owned(), 1),
        (format!("since={}", at("10")), 2),
        (format!("until={}", at("10")), 2),
        (format!("since={}&until={}", at("05"), at("15")), 1),
        (format!("since={}", at("21")), 0),
    ];
    for (query, expected) in cases {
        let reply = api
            .get(&format!("/v1/webhooks/{id}/events?{query}"))
            .await
            .ok();
        assert_eq!(reply.count("/events"), expected, "{query}");
        assert_eq!(
            reply.at("/pagination"),
            json!({ "limit": 25, "offset": 0, "total": expected }),
            "{query}"
        );
    }
    let reply = api
        .get(&format!("/v1/webhooks/{id}/events?limit=1&offset=2"))
        .await
        .ok();
    assert_eq!(
        reply.at("/pagination"),
        json!({ "limit": 1, "offset": 2, "total": 3 })
    );
    assert_eq!(
        reply.text("/events/0/external_event_id"),
        first,
        "the oldest comes last"
    );
    assert!(reply.at("/events/0").get("payload").is_none());
    assert_eq!(
        history(&api, &id, "limit=1").await[0]["external_event_id"],
        third
    );

    api.delete(&format!("/v1/webhooks/{id}")).await.ok();
    later(&api, 7 * DAY - Duration::from_secs(5)).await;
    assert_eq!(
        history(&api, &id, "").await.len(),
        1,
        "the youngest is kept for its week"
    );
    later(&api, Duration::from_secs(5)).await;
    api.get(&format!("/v1/webhooks/{id}/events"))
        .await
        .refused(404);
}

#[tokio::test]
async fn what_was_under_way_at_a_crash_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let builder = || {
        Emulator::builder()
            .manual_clock()
            .local_webhooks(true)
            .state(&file)
    };
    let api = Api::with(builder()).await;
    let id = register(&api, &format!("http://{address}/"), &["task.failed"])
        .await
        .text("/id");
    let body = json!({ "event_type": "task.failed" });
    let event = api
        .post(&format!("/v1/webhooks/{id}/test"), body)
        .await
        .text("/external_event_id");
    let (mut stream, _) = silent.accept().await.unwrap();
    let first = read(&mut stream).await;
    api.emulator.shutdown().await;

    let api = Api::with(builder()).await;
    api.advance(Duration::ZERO);
    let (mut stream, _) = silent.accept().await.unwrap();
    let second = read(&mut stream).await;
    stream
        .write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap();
    api.emulator.deliveries_done().await;
    assert_eq!(
        (&second.headers["anchor-delivery-id"], &second.body),
        (&first.headers["anchor-delivery-id"], &first.body)
    );
    let row = &history(&api, &id, "").await[0];
    assert_eq!(
        (&row["external_event_id"], &row["status"]),
        (&json!(event), &json!("succeeded"))
    );
}

#[tokio::test]
async fn a_full_table_loses_the_oldest_ended_delivery() {
    let builder = Emulator::builder()
        .manual_clock()
        .local_webhooks(true)
        .limits(|limits| limits.records = 6);
    let (api, consumer) = (Api::with(builder).await, Consumer::start(&[]).await);
    let id = register(&api, &consumer.url, &["task.failed"])
        .await
        .text("/id");
    let mut events = Vec::new();
    for _ in 0..8 {
        events.push(json!(send_test(&api, &id).await));
    }
    let rows = history(&api, &id, "").await;
    let kept: Vec<&Value> = rows
        .iter()
        .rev()
        .map(|row| &row["external_event_id"])
        .collect();
    assert_eq!(kept, events[2..].iter().collect::<Vec<_>>());
    assert_eq!(consumer.sent().len(), 8);
}
