//! Credits, the ledger, limits.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use crate::support::Api;

const HOUR: Duration = Duration::from_secs(3600);

fn endless() -> Value {
    json!({ "session": { "timeout": { "max_duration": -1, "idle_timeout": -1 } } })
}

#[tokio::test]
async fn a_session_is_charged_at_its_end() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .account(|account| account.credits = 10.0),
    )
    .await;
    let id = api.session(endless()).await;
    api.advance(HOUR * 2);
    let used = api
        .get(&format!("/v1/sessions/{id}"))
        .await
        .ok()
        .at("/data/credits_used");
    assert_eq!(used, 0.11, "what it used is known before it is charged");
    let fresh = api.get("/v1/billing").await.ok();
    assert_eq!(
        (fresh.at("/data/credits"), fresh.at("/data/credits_used")),
        (json!(10.0), json!(0.0))
    );
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let data = api.get("/v1/billing").await.ok().json;
    let expected = json!({ "data": {
        "credits": 9.89, "credits_used": 0.11, "included_credits": 10.0, "billing_period": "2026-01", "tier": "growth",
        "gifts_balance": 0.0, "max_concurrent_browsers": -1, "cost_limit": null,
    } });
    assert_eq!(data, expected);
    api.advance(HOUR * 24 * 31);
    let next = api.get("/v1/billing").await.ok();
    assert_eq!(
        (
            next.text("/data/billing_period"),
            next.at("/data/credits_used")
        ),
        ("2026-02".to_owned(), json!(0.0))
    );
    assert_eq!(next.at("/data/credits"), 9.89, "credits don't come back");
}

#[tokio::test]
async fn usage_comes_by_bucket_if_asked_for() {
    let api = Api::start().await;
    for hours in [1, 3, 22] {
        let id = api.session(endless()).await;
        api.advance(HOUR * hours);
        api.delete(&format!("/v1/sessions/{id}")).await.ok();
    }
    for (query, from, buckets, total) in [
        ("granularity=day", "2025-12-03", 31, 1.33),
        ("from_date=2026-01-01T00:00:00Z", "2026-01-01", 2, 1.33),
        ("to_date=2026-01-01T23:00:00Z", "2025-12-02", 31, 0.22),
        (
            "from_date=2026-01-01T04:30:00Z&to_date=2026-01-01T05:00:00Z&granularity=hour",
            "2026-01-01",
            2,
            0.16,
        ),
        (
            "from_date=2026-01-01T05:00:00Z&to_date=2026-01-01T06:00:00Z&granularity=hour",
            "2026-01-01",
            2,
            0.0,
        ),
        (
            "from_date=2025-11-01T00:00:00Z&granularity=month",
            "2025-11-01",
            3,
            1.33,
        ),
        ("granularity=week", "2025-12-01", 5, 1.33),
    ] {
        let usage = api.get(&format!("/v1/billing?{query}")).await.ok();
        assert!(
            usage.text("/usage/data/0/date").starts_with(from),
            "{query}: {}",
            usage.json
        );
        assert_eq!(usage.count("/usage/data"), buckets, "{query}");
        assert_eq!(usage.at("/usage/total_credits_used"), total, "{query}");
        let items = usage.at("/usage/data");
        let items = items.as_array().expect("a list").iter();
        let sum: f64 = items
            .map(|item| item["credits_used"].as_f64().expect("a number"))
            .sum();
        assert!((sum - total).abs() < 1e-9, "{query}");
    }
}

#[tokio::test]
async fn periods_that_make_no_sense_are_refused() {
    let api = Api::start().await;
    for (query, part) in [
        (
            "from_date=2025-12-02T00:00:00Z&to_date=2025-12-01T00:00:00Z",
            "to_date",
        ),
        ("from_date=2026-01-02T00:00:00Z", "present time"),
        ("from_date=2025-11-01T00:00:00Z&granularity=hour", "coarser"),
        (
            "from_date=0001-01-01T00:00:00Z&granularity=month",
            "coarser",
        ),
        ("granularity=minute", "granularity"),
        ("from_date=yesterday", "from_date"),
    ] {
        let text = api.get(&format!("/v1/billing?{query}")).await.refused(400);
        assert!(text.contains(part), "{text}");
    }
    let most = "from_date=2025-11-20T09:00:00Z&to_date=2026-01-01T00:59:59Z&granularity=hour";
    assert_eq!(
        api.get(&format!("/v1/billing?{most}"))
            .await
            .ok()
            .count("/usage/data"),
        1000
    );
}

#[tokio::test]
async fn without_credits_nothing_more_is_done() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .account(|account| account.credits = 0.05),
    )
    .await;
    let id = api.session(endless()).await;
    api.advance(HOUR);
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    assert_eq!(api.get("/v1/billing").await.ok().at("/data/credits"), 0.0);
    api.post("/v1/sessions", json!({})).await.refused(402);
    api.post(
        "/v1/tools/fetch/webpage",
        json!({ "url": "https://one.example" }),
    )
    .await
    .refused(402);
}

#[tokio::test]
async fn browsers_at_once_are_limited() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .account(|it| it.max_concurrent_browsers = Some(1)),
    )
    .await;
    assert_eq!(
        api.get("/v1/billing")
            .await
            .ok()
            .at("/data/max_concurrent_browsers"),
        1
    );
    let id = api.session(json!({})).await;
    api.post("/v1/sessions", json!({})).await.refused(429);
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    api.session(json!({})).await;
}

#[tokio::test]
async fn creations_are_limited_by_window() {
    let api = Api::with(
        Emulator::builder()
            .manual_clock()
            .account(|it| it.session_rate_limit = Some(5)),
    )
    .await;
    api.advance(HOUR);
    for _ in 0..5 {
        api.session(json!({})).await;
    }
    api.advance(Duration::from_millis(1_500));
    let reply = api.post("/v1/sessions", json!({})).await;
    for (name, value) in [
        ("ratelimit", "\"5-in-1min\"; r=0; t=59"),
        (
            "ratelimit-policy",
            "\"5-in-1min\"; q=5; w=60; pk=:ZW11bGF0b3I=:",
        ),
        ("retry-after", "59"),
    ] {
        assert_eq!(reply.headers[name], value);
    }
    reply.refused(429);
    api.advance(Duration::from_millis(58_499));
    api.post("/v1/sessions", json!({})).await.refused(429);
    api.advance(Duration::from_millis(1));
    api.session(json!({})).await;
}

#[tokio::test]
async fn ledger_and_window_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let builder = || {
        let builder = Emulator::builder()
            .manual_clock()
            .state(folder.path().join("state"));
        builder.account(|account| account.session_rate_limit = Some(1))
    };
    let api = Api::with(builder()).await;
    let id = api.session(endless()).await;
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    api.emulator.shutdown().await;
    let api = Api::with(builder()).await;
    assert_eq!(
        api.get("/v1/billing").await.ok().at("/data/credits_used"),
        0.01
    );
    api.post("/v1/sessions", json!({})).await.refused(429);
}

#[tokio::test]
async fn the_bill_is_the_sum_of_what_was_done() {
    let api = Api::start().await;
    let session = api.session(endless()).await;
    let task = json!({ "prompt": "a", "async": true });
    for query in [format!("?sessionId={session}"), String::new()] {
        let path = format!("/v1/tools/perform-web-task{query}");
        api.post(&path, task.clone()).await.ok();
    }
    api.post("/v1/sessions/async", json!({})).await.ok();
    api.post("/v1/batch-sessions", json!({ "count": 7 }))
        .await
        .ok();
    let page = json!({ "url": "https://one.example" });
    for _ in 0..3 {
        api.post("/v1/tools/fetch/webpage", page.clone()).await.ok();
    }
    api.advance(HOUR / 7);
    api.delete("/v1/sessions/all").await.ok();

    let sessions = api.get("/v1/sessions?limit=50").await.ok();
    let sessions = sessions.at("/data/sessions");
    let sessions = sessions.as_array().expect("a list").iter();
    let used = sessions.map(|it| it["used_credits"].as_f64().expect("it has ended"));
    let used: Vec<f64> = used.collect();
    assert_eq!(used.len(), 10);
    let sum = used.iter().sum::<f64>();
    let billing = api.get("/v1/billing?granularity=day").await.ok();
    for (pointer, wanted) in [
        ("/data/credits_used", sum + 0.03),
        ("/data/credits", 1_000.0 - sum - 0.03),
        ("/usage/total_credits_used", sum + 0.03),
    ] {
        let figure = billing.at(pointer).as_f64().expect("a number");
        assert!(
            (figure - wanted).abs() < 1e-9,
            "{pointer} {figure} {wanted}"
        );
    }
    let history = "/v1/sessions/history?metrics=credits_used,ai_steps";
    let history = api.get(history).await.ok();
    assert_eq!(history.at("/summary/total_ai_steps"), 6);
    let total = history.at("/summary/total_credits_used").as_f64();
    assert!((total.expect("a number") - sum).abs() < 1e-9);
}
