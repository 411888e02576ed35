//! Events: waits and signals.

use std::time::Duration;

use serde_json::{Value, json};

use crate::held::held;
use crate::support::Api;

const WAIT: &str = "/v1/events/a%20b/wait";
const SIGNAL: &str = "/v1/events/a%20b";

#[tokio::test]
async fn a_signal_releases_all_who_wait_for_its_name() {
    let api = Api::start().await;
    let first = held(&api, WAIT, json!({ "timeoutMs": 10 })).await;
    let second = held(&api, WAIT, json!({})).await;
    let other = held(&api, "/v1/events/other/wait", json!({ "timeoutMs": 20 })).await;
    api.advance(Duration::from_millis(9));
    assert!(!first.is_finished() && !second.is_finished());
    api.post(SIGNAL, json!({ "data": { "n": 1 } })).await.ok();
    let told = (200, json!({ "data": { "n": 1 } }));
    assert_eq!(
        (first.await.unwrap(), second.await.unwrap()),
        (told.clone(), told)
    );
    api.advance(Duration::from_millis(11));
    assert_eq!(other.await.unwrap().0, 408);
}

#[tokio::test]
async fn a_wait_ends_at_its_deadline() {
    let api = Api::start().await;
    let usual = held(&api, WAIT, json!({})).await;
    let endless = held(&api, WAIT, json!({ "timeoutMs": i64::MAX })).await;
    api.advance(Duration::from_millis(59_999));
    assert!(!usual.is_finished());
    api.advance(Duration::from_millis(1));
    let (status, body) = usual.await.unwrap();
    assert_eq!((status, &body["error"]["code"]), (408, &json!(408)));
    api.advance(Duration::from_secs(1_000_000));
    assert!(!endless.is_finished());
}

#[tokio::test]
async fn signals_without_a_wait_are_kept_in_order() {
    let api = Api::start().await;
    for n in [1, 2] {
        api.post(SIGNAL, json!({ "data": { "n": n } })).await.ok();
    }
    for n in [1, 2] {
        let reply = api.post(WAIT, json!({ "timeoutMs": 1 })).await.ok();
        assert_eq!(reply.at("/data/n"), n);
    }
    let late = held(&api, WAIT, json!({ "timeoutMs": 1 })).await;
    api.advance(Duration::from_millis(1));
    assert_eq!(late.await.unwrap().0, 408, "each signal is delivered once");
}

#[tokio::test]
async fn senseless_requests_are_refused() {
    let api = Api::start().await;
    for timeout in [json!(0), json!(-1), json!("1")] {
        assert!(
            api.post(WAIT, json!({ "timeoutMs": timeout }))
                .await
                .refused(400)
                .contains("timeoutMs")
        );
    }
    for body in [
        json!({}),
        json!({ "data": Value::Null }),
        json!({ "data": [] }),
    ] {
        assert!(api.post(SIGNAL, body).await.refused(400).contains("data"));
    }
}
