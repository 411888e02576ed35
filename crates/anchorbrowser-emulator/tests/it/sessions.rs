//! Sessions: life, limits, rules.

use std::time::Duration;

use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn a_session_lives_until_it_is_ended() {
    let api = Api::start().await;
    let id = api.session(json!({ "session": { "tags": ["a"] } })).await;
    assert_eq!(
        api.get(&format!("/v1/sessions/{id}"))
            .await
            .ok()
            .text("/data/status"),
        "running"
    );
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    assert_eq!(
        api.get(&format!("/v1/sessions/{id}"))
            .await
            .ok()
            .text("/data/status"),
        "completed"
    );
    api.get(&format!("/v1/sessions/{id}/pages"))
        .await
        .refused(404);
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
}

#[tokio::test]
async fn a_session_ends_when_idle_or_old() {
    let api = Api::start().await;
    let status = async |id: &str| {
        api.get(&format!("/v1/sessions/{id}"))
            .await
            .ok()
            .text("/data/status")
    };
    let usual = api.session(json!({})).await;
    let busy = api
        .session(json!({ "session": { "timeout": { "max_duration": 10, "idle_timeout": 5 } } }))
        .await;
    let endless = api
        .session(json!({ "session": { "timeout": { "max_duration": -1, "idle_timeout": -1 } } }))
        .await;
    api.advance(Duration::from_secs(4 * 60));
    api.get(&format!("/v1/sessions/{busy}/pages")).await.ok();
    api.advance(Duration::from_secs(2 * 60));
    assert_eq!(
        (&*status(&usual).await, &*status(&busy).await),
        ("completed", "running")
    );
    api.get(&format!("/v1/sessions/{busy}/pages")).await.ok();
    api.advance(Duration::from_secs(4 * 60 + 1));
    assert_eq!(status(&busy).await, "completed");
    api.advance(Duration::from_secs(100 * 24 * 3600));
    assert_eq!(status(&endless).await, "running");
    let age = api
        .get(&format!("/v1/sessions/{usual}"))
        .await
        .at("/data/duration");
    assert_eq!(
        age,
        5 * 60,
        "it ended when it was due, not when somebody looked"
    );
}
