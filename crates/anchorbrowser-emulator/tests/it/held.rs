//! Requests whose answer comes later.

use anchorbrowser_emulator::document::Route;
use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::support::Api;

/// Sends a POST, and comes back when the emulator has taken it up. The task gives status and body of the answer.
pub(crate) async fn held(api: &Api, path: &str, body: Value) -> JoinHandle<(u16, Value)> {
    let route = path.split('?').next().unwrap_or(path);
    let Route::Found { operation, .. } = api.emulator.document().route(&Method::POST, route) else {
        panic!("no operation is at {path}");
    };
    let before = api.emulator.count(operation.id()).expect("an operation");
    let request = api.request(Method::POST, path).json(&body);
    let task = tokio::spawn(async move {
        let response = request.send().await.expect("an answer");
        (
            response.status().as_u16(),
            response.json().await.unwrap_or_default(),
        )
    });
    let taken_up = api.emulator.wait_for(operation.id(), before + 1).await;
    taken_up.expect("an operation");
    task
}
