//! Scripted faults, on the wire.

use std::time::Duration;

use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use crate::support::Api;

/// The text of an error and all its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_status_is_answered_in_the_documented_shape_as_often_as_asked() {
    let api = Api::start().await;
    let fault = Fault::status(429)
        .header("Retry-After", "7")
        .on("create_session")
        .skip(1)
        .times(2);
    api.emulator.fault(fault).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let reply = api.post("/v1/sessions", json!({})).await;
        if reply.status == 429 {
            assert_eq!(reply.at("/error/code"), 429);
            assert_eq!(reply.headers["retry-after"], "7");
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    assert_eq!(
        api.get("/v1/sessions/all/status")
            .await
            .ok()
            .at("/data/count"),
        2,
        "refused ones had no effect"
    );
    assert_eq!(
        api.emulator
            .exchanges()
            .iter()
            .filter(|it| it.faulted)
            .count(),
        2
    );
}

#[tokio::test]
async fn faults_are_used_up_in_order_and_by_operation() {
    let api = Api::start().await;
    api.emulator
        .fault(Fault::html(502).on("GET /v1/profiles"))
        .unwrap();
    api.emulator
        .fault(
            Fault::status(409)
                .json(json!({ "custom": true }))
                .on("list_profiles"),
        )
        .unwrap();
    api.get("/v1/extensions").await.ok();
    let client = reqwest::Client::new();
    let page = client
        .execute(
            api.request(reqwest::Method::GET, "/v1/profiles")
                .build()
                .unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert_eq!(
        api.get("/v1/profiles").await.json,
        json!({ "custom": true })
    );
    api.get("/v1/profiles").await.ok();
}

#[tokio::test]
async fn an_unknown_operation_is_named() {
    let api = Api::start().await;
    let error = api
        .emulator
        .fault(Fault::status(500).on("create_sesion"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("create_sesion") && error.contains("create_session"),
        "{error}"
    );
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let api = Api::start().await;
    let fault = Fault::rate_limited(Duration::from_millis(57_500)).on("create_session");
    api.emulator.fault(fault).unwrap();
    let reply = api.act("/v1/sessions").await;
    assert_eq!((reply.status, reply.at("/error/code")), (429, 429.into()));
    assert_eq!(reply.headers["retry-after"], "58");
    assert_eq!(reply.headers["ratelimit"], "\"5-in-1min\"; r=0; t=58");
    let policy = reply.headers["ratelimit-policy"].to_str().unwrap();
    assert!(policy.starts_with("\"5-in-1min\"; q=5; w=60"), "{policy}");
    api.act("/v1/sessions").await.ok();
}

#[tokio::test]
async fn a_reset_comes_before_or_after_the_effect() {
    let api = Api::start().await;
    for (fault, sessions) in [(Fault::reset_before(), 0), (Fault::reset_after(), 1)] {
        api.emulator.fault(fault.on("create_session")).unwrap();
        let request = api
            .request(reqwest::Method::POST, "/v1/sessions")
            .json(&json!({}));
        let error = causes(&request.send().await.unwrap_err());
        assert!(
            error.contains("reset") || error.contains("closed") || error.contains("SendRequest"),
            "{error}"
        );
        assert_eq!(
            api.get("/v1/sessions/all/status").await.at("/data/count"),
            sessions
        );
        assert_eq!(
            api.emulator
                .exchanges_of("create_session")
                .unwrap()
                .last()
                .unwrap()
                .status,
            None
        );
    }
}

#[tokio::test]
async fn a_body_is_cut() {
    let api = Api::start().await;
    api.emulator
        .fault(Fault::cut_body(5).on("list_profiles"))
        .unwrap();
    let response = api
        .request(reqwest::Method::GET, "/v1/profiles")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn half_of_the_json_comes_as_if_it_were_whole() {
    let api = Api::start().await;
    api.emulator
        .fault(Fault::invalid_json().on("list_profiles"))
        .unwrap();
    let reply = api.get("/v1/profiles").await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.bytes).is_err());
}

#[tokio::test]
async fn delays_and_slow_bodies_follow_the_clock() {
    let api = Api::start().await;
    api.emulator
        .fault(Fault::delay(Duration::from_secs(3600)).on("list_profiles"))
        .unwrap();
    api.emulator
        .fault(Fault::slow_body(4, Duration::from_secs(60)).on("list_profiles"))
        .unwrap();
    for _ in 0..2 {
        let whole = api.get("/v1/profiles");
        tokio::pin!(whole);
        let reply = loop {
            tokio::select! {
                reply = &mut whole => break reply,
                () = tokio::time::sleep(Duration::from_millis(1)) => api.advance(Duration::from_secs(600)),
            }
        };
        assert_eq!(reply.ok().at("/data/count"), 0);
    }
    assert!(api.emulator.now_millis() >= 1_767_225_600_000 + 3_600_000);
}

#[tokio::test]
async fn drift_shows_what_a_newer_service_would() {
    let api = Api::with(Emulator::builder().manual_clock().drift(true)).await;
    let known = Api::start().await;
    let request = json!({ "count": 2 });
    let drifted = api.post("/v1/batch-sessions", request.clone()).await.ok();
    let plain = known.post("/v1/batch-sessions", request).await.ok();
    assert_ne!(drifted.at("/data/status"), plain.at("/data/status"));
    let members = |reply: &crate::support::Reply| reply.at("/data").as_object().unwrap().len();
    assert!(members(&drifted) > members(&plain));
    assert_eq!(drifted.at("/data/batch_id"), plain.at("/data/batch_id"));
}
