//! What a Rust test does with an emulator, beside sending requests.

use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Builder, Emulator};
use serde_json::json;

use crate::support::{Api, KEY};

#[tokio::test]
async fn downloads_are_added_and_the_state_is_shown() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let add = |session, name| {
        api.emulator
            .add_download(session, name, "https://example.com/a.pdf", vec![7; 10])
    };
    let id = add(session.as_str(), "a.pdf").unwrap();
    let file = api.get(&format!("/__emulator/downloads/{id}")).await.ok();
    assert_eq!(file.bytes, [7; 10]);
    let error = add("nowhere", "a.pdf").unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
    assert!(add(session.as_str(), "").is_err());
    api.emulator.script(AgentScript::completed(1)).unwrap();
    let state = api.emulator.state().unwrap();
    assert_eq!(
        (&state["sessions"][0]["id"], &state["scripts"]),
        (&json!(session), &json!(1))
    );
    assert_eq!(state["counts"]["downloads"], 1);
    api.emulator.clear_scripts().unwrap();
    assert_eq!(api.emulator.state().unwrap()["scripts"], 0);
}

#[tokio::test]
async fn settings_that_can_not_work_are_refused_and_keys_are_not_shown() {
    type Change = fn(Builder) -> Builder;
    let cases: [(&str, Change); 6] = [
        ("key", |it| it.key("two words")),
        ("credits", |it| {
            it.account(|account| account.credits = f64::NAN)
        }),
        ("rate_window", |it| {
            it.account(|account| account.rate_window = Duration::ZERO)
        }),
        ("session_rate", |it| {
            it.failures(|failures| failures.session_rate = f64::NAN)
        }),
        ("connections", |it| {
            it.limits(|limits| limits.connections = 0)
        }),
        ("head_time", |it| {
            it.limits(|limits| limits.head_time = Duration::ZERO)
        }),
    ];
    for (name, change) in cases {
        let error = change(Emulator::builder())
            .start()
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(name), "{error}");
    }
    assert!(!format!("{:?}", Emulator::builder().key(KEY)).contains(KEY));
    let most = Emulator::builder().limits(|limits| limits.connections = usize::MAX);
    Api::with(most).await.get("/v1/sessions").await.ok();
}

#[tokio::test]
async fn real_time_is_not_moved() {
    let api = Api::with(Emulator::builder()).await;
    let error = api.emulator.advance(Duration::from_secs(1)).unwrap_err();
    assert!(error.to_string().contains("manual clock"), "{error}");
}

/// Real time goes on from a state that was made ahead of it.
#[tokio::test]
async fn a_state_of_the_future_moves_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let api = Api::with(Emulator::builder().manual_clock().state(&file)).await;
    api.advance(Duration::from_secs(20 * 365 * 86_400));
    api.session(json!({})).await;
    let then = api.emulator.now_millis();
    api.emulator.shutdown().await;

    let api = Api::with(Emulator::builder().state(&file)).await;
    let request = api.post("/v1/sessions/async", json!({})).await.ok();
    let path = format!(
        "/v1/sessions/async/{}/status",
        request.text("/data/request_id")
    );
    for _ in 0..200 {
        if api.get(&path).await.ok().text("/data/status") == "ready" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(api.get(&path).await.text("/data/status"), "ready");
    assert!((then..then + 60_000).contains(&api.emulator.now_millis()));
}

#[tokio::test]
async fn exchanges_are_kept_by_number_and_by_size() {
    let few = Emulator::builder().limits(|limits| limits.exchanges = 3);
    let small = Emulator::builder().limits(|limits| limits.exchange_bytes = 20_000);
    for (builder, kept) in [(few, 3), (small, 2)] {
        let api = Api::with(builder).await;
        for _ in 0..6 {
            let tags = ["x".repeat(8_000)];
            api.post("/v1/sessions", json!({ "session": { "tags": tags } }))
                .await;
        }
        let numbers: Vec<u64> = api
            .emulator
            .exchanges()
            .iter()
            .map(|it| it.number)
            .collect();
        assert_eq!(numbers, [4, 5, 6][3 - kept..]);
        api.emulator.clear_exchanges();
        api.get("/v1/sessions").await.ok();
        assert_eq!(api.emulator.count("list_sessions").unwrap(), 1);
    }
}

/// Years with many timers pass at once.
#[tokio::test]
async fn many_years_pass_quickly() {
    let api = Api::start().await;
    for _ in 0..5 {
        api.post("/v1/batch-sessions", json!({ "count": 1_000 }))
            .await
            .ok();
    }
    let script = |steps| api.emulator.script(AgentScript::completed(1).steps(steps));
    assert!(script(u32::MAX).unwrap_err().to_string().contains("steps"));
    script(5_000).unwrap();
    let run = json!({ "prompt": "p", "async": true, "max_steps": 1e9 });
    api.post("/v1/tools/perform-web-task", run).await.ok();
    let start = std::time::Instant::now();
    api.advance(Duration::from_secs(100 * 365 * 86_400));
    api.advance(Duration::MAX);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        api.emulator.state().unwrap()["runs"][0]["status"],
        "success"
    );
    api.get("/v1/sessions").await.ok();
}

#[tokio::test]
async fn requests_to_what_is_no_operation_are_not_counted_as_none() {
    let api = Api::start().await;
    let error = api.emulator.count("create_sesion").unwrap_err().to_string();
    assert!(error.contains("create_session"), "{error}");
    assert_eq!(api.emulator.count("POST /v1/sessions").unwrap(), 0);
}
