//! Requests whose answer comes later.

use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::support::Api;

/// Sends a POST, and comes back when the emulator has taken it up. The task gives status and body of the answer.
pub(crate) async fn held(api: &Api, path: &str, body: Value) -> JoinHandle<(u16, Value)> {
    let taken_up = || {
        api.emulator
            .exchanges()
            .iter()
            .filter(|exchange| !exchange.body.is_empty())
            .count()
    };
    let before = taken_up();
    let request = api.request(Method::POST, path).json(&body);
    let task = tokio::spawn(async move {
        let response = request.send().await.expect("an answer");
        (
            response.status().as_u16(),
            response.json().await.unwrap_or_default(),
        )
    });
    for _ in 0..100_000 {
        if taken_up() > before {
            return task;
        }
        tokio::task::yield_now().await;
    }
    panic!("the request to {path} did not arrive");
}
