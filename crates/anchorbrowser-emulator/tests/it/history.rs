//! Lists of sessions with filters, and figures over time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Api, KEY};

const HOUR: Duration = Duration::from_secs(3600);

fn ids(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item[member].as_str().expect("an id").to_owned())
        .collect()
}

/// Sessions that differ in everything that lists can be narrowed down to, one an hour from 00:00 on.
async fn sessions(api: &Api) -> Vec<String> {
    let never = json!({ "max_duration": -1, "idle_timeout": -1 });
    let proxy = json!({ "active": true, "country_code": "de" });
    let mut ids = Vec::new();
    for configuration in [
        json!({ "session": { "tags": ["Shop-A", "x"], "timeout": never, "initial_url": "https://one.example/" } }),
        json!({ "session": { "tags": ["x"], "timeout": never, "proxy": proxy },
                "browser": { "extra_stealth": { "active": true }, "headless": { "active": true } } }),
        json!({ "session": { "timeout": never, "recording": { "active": false } },
                "browser": { "profile": { "name": "Work" } } }),
    ] {
        ids.push(api.session(configuration).await);
        api.advance(HOUR);
    }
    api.delete(&format!("/v1/sessions/{}", ids[2])).await.ok();
    ids
}

#[tokio::test]
async fn lists_are_narrowed_down_by_filters() {
    let api = Api::start().await;
    let all = sessions(&api).await;
    for (query, expected) in [
        ("tags=x", &[0, 1][..]),
        ("tags=x,Shop-A", &[0]),
        ("tags=Shop", &[]),
        ("domains=ONE.example", &[0]),
        ("domains=one.example,two.example", &[]),
        ("created_from=2026-01-01T01:00:00Z", &[1, 2]),
        ("created_to=2026-01-01T01:00:00Z", &[0, 1]),
        (
            "created_from=2026-01-01T02:00:00%2B01:00&created_to=2026-01-01T01:59:59Z",
            &[1],
        ),
        ("batch_id=none", &[]),
        ("task_initiated=false", &[0, 1, 2]),
        ("task_initiated=true", &[]),
        ("proxy=true", &[1]),
        ("proxy=false", &[0, 2]),
        ("extra_stealth=true", &[1]),
        ("profile_name=wOR", &[2]),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|index: &usize| all[*index].clone())
            .collect();
        let page = api.get(&format!("/v1/sessions?{query}")).await.ok();
        assert_eq!(ids(&page.at("/data/sessions"), "id"), expected, "{query}");
        assert_eq!(page.at("/data/total"), expected.len(), "{query}");
        let status = api
            .get(&format!("/v1/sessions/all/status?{query}"))
            .await
            .ok();
        assert_eq!(
            ids(&status.at("/data/items"), "session_id"),
            expected,
            "{query}"
        );
        assert_eq!(status.at("/data/count"), expected.len(), "{query}");
    }
    for (query, expected) in [
        ("search=shop", 1),
        ("search=nothing,SHOP", 1),
        ("status=completed", 1),
        ("status=x", 0),
    ] {
        let page = api.get(&format!("/v1/sessions?{query}")).await.ok();
        assert_eq!(page.at("/data/total"), expected, "{query}");
    }
}

#[tokio::test]
async fn a_listed_session_has_what_is_known_of_it() {
    let api = Api::start().await;
    sessions(&api).await;
    let page = api.get("/v1/sessions").await.ok();
    for (pointer, expected) in [
        ("/0/used_credits", json!("N/A")),
        ("/0/domains", json!(["one.example"])),
        ("/0/recording", json!(true)),
        ("/0/proxy_type", Value::Null),
        ("/0/browser_ip", Value::Null),
        ("/0/duration", json!(3.0 * 3600.0)),
        ("/1/headless", json!(true)),
        ("/1/proxy_type", json!("anchor_proxy")),
        (
            "/1/user_configuration/session/proxy/country_code",
            json!("de"),
        ),
        ("/2/status", json!("completed")),
        ("/2/used_credits", json!(0.06)),
        ("/2/recording", json!(false)),
        ("/2/tags", Value::Null),
        ("/2/created_at", json!("2026-01-01T02:00:00.000Z")),
    ] {
        assert_eq!(
            page.at(&format!("/data/sessions{pointer}")),
            expected,
            "{pointer}"
        );
    }
}

#[tokio::test]
async fn pages_and_order_cover_every_session_once() {
    let api = Api::start().await;
    let mut all = Vec::new();
    for _ in 0..23 {
        all.push(api.session(json!({})).await);
    }
    let mut seen = Vec::new();
    for (page, count) in [(1, 10), (2, 10), (3, 3), (4, 0)] {
        let reply = api.get(&format!("/v1/sessions?page={page}")).await.ok();
        assert_eq!(
            (reply.count("/data/sessions"), reply.at("/data/total_pages")),
            (count, json!(3))
        );
        seen.extend(ids(&reply.at("/data/sessions"), "id"));
    }
    assert_eq!(seen, all, "by default the oldest comes first");
    let list = async |query: &str| {
        ids(
            &api.get(&format!("/v1/sessions?limit=50&{query}"))
                .await
                .ok()
                .at("/data/sessions"),
            "id",
        )
    };
    let latest: Vec<String> = all.iter().rev().cloned().collect();
    assert_eq!(list("sort_order=desc").await, latest);
    api.advance(HOUR / 60);
    api.delete(&format!("/v1/sessions/{}", all[4])).await.ok();
    assert_eq!(
        list("sort_by=used_credits&sort_order=desc").await[0],
        all[4]
    );
    assert_eq!(list("sort_by=api_key_name").await, all);
    all.sort();
    assert_eq!(list("sort_by=session_id").await, all);
    for query in [
        "sort_by=password",
        "limit=11",
        "page=0",
        "sort_order=up",
        "created_from=today",
    ] {
        api.get(&format!("/v1/sessions?{query}")).await.refused(400);
    }
}

#[tokio::test]
async fn the_status_list_is_of_one_key_and_the_list_of_the_team() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    let url = format!("{}/v1/sessions/all/status", api.emulator.base_url());
    let request = reqwest::Client::new()
        .get(url)
        .header("anchor-api-key", "another");
    assert_eq!(
        api.send(request).await.ok().json,
        json!({ "data": { "count": 0, "items": [] } })
    );
    assert_eq!(
        api.get("/v1/sessions/all/status")
            .await
            .ok()
            .text("/data/items/0/status"),
        "completed"
    );
    let page = api.get("/v1/sessions").await.ok();
    assert!(!page.text("/data/sessions/0/api_key_name").contains(KEY));
}

#[tokio::test]
async fn the_password_of_a_proxy_is_not_shown() {
    let api = Api::start().await;
    let proxy = json!({ "active": true, "type": "custom", "server": "https://proxy.example:8443",
                        "username": "me", "password": "canary-password" });
    let id = api.session(json!({ "session": { "proxy": proxy } })).await;
    let page = api.get("/v1/sessions").await.ok();
    assert_eq!(page.at("/data/sessions/0/proxy_type"), "custom");
    let session = api.get(&format!("/v1/sessions/{id}")).await.ok();
    for reply in [page, session] {
        assert!(
            !reply.json.to_string().contains("canary-password"),
            "{}",
            reply.json
        );
    }
}

#[tokio::test]
async fn figures_are_summed_by_bucket_and_in_all() {
    let api = Api::start().await;
    sessions(&api).await;
    api.get(&format!(
        "/v1/sessions/{}/screenshot",
        sessions(&api).await[0]
    ))
    .await
    .ok();
    let reply = api.get("/v1/sessions/history").await.ok();
    assert_eq!(
        (reply.count("/data"), reply.at("/data/0/date")),
        (31, json!("2025-12-02"))
    );
    assert_eq!(
        reply.at("/data/30"),
        json!({ "date": "2026-01-01", "session_count": 6 })
    );
    assert_eq!(
        reply.at("/data/29"),
        json!({ "date": "2025-12-31", "session_count": 0 })
    );
    let all = "session_count,proxy_bytes,ai_steps,session_hours,credits_used,screenshots,network_bytes_total";
    let query = format!(
        "granularity=hour&from_date=2026-01-01T02:00:00Z&to_date=2026-01-01T03:30:00Z&metrics={all}"
    );
    let reply = api.get(&format!("/v1/sessions/history?{query}")).await.ok();
    assert_eq!(reply.count("/data"), 2);
    assert_eq!(
        reply.at("/data/0"),
        json!({
            "date": "2026-01-01T02:00:00Z", "session_count": 1, "proxy_bytes": 0, "ai_steps": 0, "session_hours": 1.0,
            "credits_used": 0.06, "screenshots": 0, "network_bytes_total": 0,
        })
    );
    assert_eq!(reply.at("/data/1/network_bytes_total"), 50_000);
    assert_eq!(
        (
            reply.at("/summary/total_sessions"),
            reply.at("/summary/total_screenshots")
        ),
        (json!(2), json!(1))
    );
    assert_eq!(reply.at("/summary/total_credits_used"), 0.06 + 0.16);
}

#[tokio::test]
async fn metrics_come_by_comma_or_repeated() {
    let api = Api::start().await;
    for query in [
        "metrics=screenshots,ai_steps",
        "metrics=ai_steps&metrics=screenshots",
    ] {
        let reply = api
            .get(&format!("/v1/sessions/history?{query}&limit=1"))
            .await
            .ok();
        assert_eq!(
            reply.at("/data/0"),
            json!({ "date": "2025-12-02", "ai_steps": 0, "screenshots": 0 }),
            "{query}"
        );
    }
    let message = api
        .get("/v1/sessions/history?metrics=tears")
        .await
        .refused(400);
    assert!(message.contains("session_hours"), "{message}");
}

#[tokio::test]
async fn points_are_paged_however_many_there_are() {
    let api = Api::start().await;
    let path = "/v1/sessions/history?granularity=hour&from_date=0001-01-01T00:00:00Z&to_date=9999-12-31T23:59:59Z";
    let reply = api.get(&format!("{path}&limit=1000&page=87649")).await.ok();
    assert_eq!(reply.at("/data/0/date"), "9999-11-03T00:00:00Z");
    let first = json!({ "current_page": 1, "total_pages": 3, "total_records": 5, "has_next": true, "has_prev": false });
    let path = "/v1/sessions/history?granularity=month&from_date=2025-01-15T00:00:00Z&to_date=2025-05-01T00:00:00Z";
    assert_eq!(
        api.get(&format!("{path}&limit=2"))
            .await
            .ok()
            .at("/pagination"),
        first
    );
    let last = api.get(&format!("{path}&limit=2&page=3")).await.ok();
    assert_eq!(last.at("/data/0/date"), "2025-05-01");
    assert_eq!(
        (
            last.at("/pagination/has_next"),
            last.at("/pagination/has_prev")
        ),
        (json!(false), json!(true))
    );
    for query in [
        "granularity=year",
        "from_date=2027-01-01T00:00:00Z",
        "limit=1001",
    ] {
        api.get(&format!("/v1/sessions/history?{query}"))
            .await
            .refused(400);
    }
}
