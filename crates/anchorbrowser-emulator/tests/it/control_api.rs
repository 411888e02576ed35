//! The emulator's own paths.

use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Builder, Emulator, EmulatorError, Fault};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, KEY, Reply};

async fn manual(change: impl FnOnce(Builder) -> Builder) -> Api {
    Api::with(change(Emulator::builder().manual_clock())).await
}

/// A request with a header, of which the answer has `status`.
async fn with_header(
    api: &Api,
    method: Method,
    path: &str,
    header: (&str, &str),
    status: u16,
) -> Reply {
    let reply = api
        .send(api.request(method.clone(), path).header(header.0, header.1))
        .await;
    assert_eq!(
        reply.status, status,
        "{method} {path} {header:?}: {}",
        reply.json
    );
    reply
}

#[tokio::test]
async fn health_state_and_reset() {
    let api = Api::start().await;
    assert_eq!(
        api.get("/__emulator/health").await.ok().text("/status"),
        "ok"
    );
    let session = api.session(json!({ "session": { "tags": ["t"] } })).await;
    api.post(
        "/__emulator/scripts",
        json!({ "outcome": { "completed": "x" } }),
    )
    .await
    .ok();
    api.post(
        "/__emulator/faults",
        json!({ "effect": "drift", "operation": "list_webhooks" }),
    )
    .await
    .ok();
    let state = api.get("/__emulator/state").await.ok();
    assert_eq!(
        (state.at("/counts/sessions"), state.at("/counts/webhooks")),
        (json!(1), json!(0))
    );
    assert_eq!(
        (
            state.at("/scripts"),
            state.at("/faults"),
            state.at("/requests")
        ),
        (json!(1), json!(1), json!(1))
    );
    assert_eq!(
        (state.text("/clock"), state.text("/now")),
        ("manual".to_owned(), "2026-01-01T00:00:00.000Z".to_owned())
    );
    assert_eq!(state.text("/sessions/0/id"), session);
    assert_eq!(
        state.text("/sessions/0/created"),
        "2026-01-01T00:00:00.000Z"
    );
    assert_eq!(state.at("/sessions/0/tags"), json!(["t"]));

    api.act("/__emulator/reset").await.ok();
    let state = api.get("/__emulator/state").await.ok();
    for member in ["/counts/sessions", "/scripts", "/faults", "/requests"] {
        assert_eq!(state.at(member), 0, "{member}");
    }
    api.get(&format!("/v1/sessions/{session}"))
        .await
        .refused(404);
}

#[tokio::test]
async fn the_clock_is_advanced_only_if_it_is_manual() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let reply = api
        .post("/__emulator/clock/advance", json!({ "ms": 20 * 60_000 }))
        .await
        .ok();
    assert_eq!(reply.text("/now"), "2026-01-01T00:20:00.000Z");
    assert_eq!(
        api.get(&format!("/v1/sessions/{session}"))
            .await
            .ok()
            .text("/data/status"),
        "completed"
    );
    for body in [
        json!({}),
        json!({ "ms": -1 }),
        json!({ "ms": "1" }),
        json!({ "ms": 1.5 }),
        json!([1]),
    ] {
        let text = api
            .post("/__emulator/clock/advance", body)
            .await
            .refused(400);
        assert!(text.contains("milliseconds"), "{text}");
    }
    api.post("/__emulator/clock/advance", json!({ "ms": u64::MAX }))
        .await
        .ok();
    let api = Api::with(Emulator::builder()).await;
    let text = api
        .post("/__emulator/clock/advance", json!({ "ms": 1 }))
        .await
        .refused(409);
    assert!(text.contains("manual clock"), "{text}");
}

#[tokio::test]
async fn faults_are_scripted_in_their_serde_form() {
    let api = Api::start().await;
    let faults = [
        Fault::status(503)
            .header("Retry-After", "1")
            .on("list_webhooks")
            .times(2),
        Fault::html(502).on("GET /v1/webhooks").skip(1),
        Fault::slow_body(3, Duration::from_millis(4)).always(),
        Fault::cut_body(3).after(Duration::from_secs(1)),
        Fault::reset_after(),
        Fault::delay(Duration::from_millis(5)),
        Fault::invalid_json(),
    ];
    let body = json!(faults);
    assert_eq!(
        api.post("/__emulator/faults", body.clone())
            .await
            .ok()
            .at("/queued"),
        faults.len()
    );
    assert_eq!(
        api.get("/__emulator/faults").await.ok().at("/faults"),
        body,
        "as they were given"
    );
    let one: Vec<Fault> = serde_json::from_value(body).unwrap();
    assert_eq!(one, faults);

    let reply = api.get("/v1/webhooks").await;
    assert_eq!(
        (reply.status, &reply.headers["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(api.delete("/__emulator/faults").await.ok().at("/queued"), 0);
    api.get("/v1/webhooks").await.ok();
}

#[tokio::test]
async fn faults_that_can_not_be_are_refused() {
    let api = Api::start().await;
    let cases = [
        (
            json!({ "operation": "list_webhook", "effect": "drift" }),
            "list_webhooks",
        ),
        (
            json!({ "operation": "POST /v1/session", "effect": "drift" }),
            "POST /v1/sessions",
        ),
        (json!({ "effect": "status" }), "status"),
        (json!({ "effect": "status", "status": 99 }), "200 to 599"),
        (
            json!({ "effect": "status", "status": 500, "headers": { "a b": "c" } }),
            "header",
        ),
        (json!({ "effect": "reset", "time": 1 }), "`time`"),
        (json!({ "effect": "drift", "times": 0 }), "times"),
        (json!({ "effect": "drift", "times": -1 }), "times"),
        (json!({ "effect": "nothing" }), "drift"),
        (
            json!([{ "effect": "drift" }, { "effect": "nothing" }]),
            "fault 1",
        ),
        (json!("drift"), "fault 0"),
    ];
    for (body, expected) in cases {
        let text = api
            .post("/__emulator/faults", body.clone())
            .await
            .refused(400);
        assert!(text.contains(expected), "{body}: {text}");
    }
    assert_eq!(
        api.get("/__emulator/faults").await.ok().count("/faults"),
        0,
        "all or none"
    );
    let Err(EmulatorError::Setting(message)) =
        api.emulator.fault(Fault::drift().on("createWebhok"))
    else {
        panic!("there is no such operation")
    };
    assert!(
        message.contains("createWebhok") && message.contains("create_webhook"),
        "{message}"
    );
    api.emulator.fault(Fault::delay(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn scripts_are_queued_and_cleared() {
    let api = Api::start().await;
    let two = json!([AgentScript::completed("a"), { "outcome": { "failed": "b" }, "asks": { "message": "m" } }]);
    assert_eq!(
        api.post("/__emulator/scripts", two)
            .await
            .ok()
            .at("/queued"),
        2
    );
    api.post("/__emulator/scripts", json!({ "outcome": "x" }))
        .await
        .refused(400);
    assert_eq!(
        api.delete("/__emulator/scripts").await.ok().at("/queued"),
        0
    );
}

#[tokio::test]
async fn requests_are_listed_and_forgotten() {
    let api = Api::start().await;
    api.get("/v1/webhooks").await.ok();
    api.session(json!({ "session": { "tags": ["t"] } })).await;
    api.get("/v1/webhooks").await.ok();
    api.get("/v1/nowhere").await.refused(404);
    let all = api.get("/__emulator/requests").await.ok();
    let numbers: Vec<u64> = (0..4)
        .map(|place| {
            all.at(&format!("/requests/{place}/number"))
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!((all.count("/requests"), numbers), (4, vec![1, 2, 3, 4]));
    assert_eq!(all.at("/requests/1/body/session/tags"), json!(["t"]));
    assert_eq!(
        (
            all.at("/requests/3/operation"),
            all.at("/requests/3/status")
        ),
        (Value::Null, json!(404))
    );
    for (query, expected) in [
        ("limit=1", vec![4]),
        ("limit=0", vec![]),
        ("operation=list_webhooks", vec![1, 3]),
        ("operation=POST%20/v1/sessions", vec![2]),
        ("operation=list_webhooks&limit=1", vec![3]),
    ] {
        let listed = api
            .get(&format!("/__emulator/requests?{query}"))
            .await
            .ok()
            .at("/requests");
        let numbers: Vec<u64> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["number"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, expected, "{query}");
    }
    assert!(
        api.get("/__emulator/requests?operation=list_hooks")
            .await
            .refused(400)
            .contains("list_webhooks")
    );
    api.get("/__emulator/requests?limit=x").await.refused(400);
    api.delete("/__emulator/requests").await.ok();
    assert_eq!(
        api.get("/__emulator/requests")
            .await
            .ok()
            .count("/requests"),
        0
    );
}

#[tokio::test]
async fn secrets_are_redacted() {
    let api = manual(|builder| builder.lenient(true)).await;
    let proxy = json!({ "active": true, "type": "custom", "server": "http://u:canary-1@h:1", "username": "u",
        "password": "canary-2" });
    api.session(
        json!({ "session": { "proxy": proxy, "tags": ["https://u:canary-3@h/", "kept"],
        "initial_url": "https://h/?token=canary-4" } }),
    )
    .await;
    let identity = json!({ "source": "https://h/", "credentials": [{ "type": "custom", "fields": [
        { "name": "x", "value": "canary-5" }] }], "metadata": { "otp": "canary-6", "note": "apiKey=kept" } });
    api.post("/v1/identities", identity).await;
    api.get("/v1/webhooks?apiKey=canary-7&limit=kept").await;
    with_header(
        &api,
        Method::GET,
        "/v1/webhooks",
        ("authorization", "Bearer canary-8"),
        200,
    )
    .await;
    with_header(
        &api,
        Method::GET,
        "/v1/webhooks",
        ("cookie", "canary-9"),
        200,
    )
    .await;
    let fault = Fault::status(500)
        .header("Set-Cookie", "canary-0")
        .json(json!({ "secret": "canary-0" }));
    api.emulator.fault(fault.on("list_webhooks")).unwrap();
    let body =
        json!({ "url": "https://example.com/canary-x", "subscribed_events": ["task.failed"] });
    let secret = api.post("/v1/webhooks", body).await.ok().text("/secret");

    let mut pages = Vec::new();
    for path in [
        "/__emulator/requests",
        "/__emulator/state",
        "/__emulator/faults",
        "/",
    ] {
        let reply = api.get(path).await.ok();
        pages.push(String::from_utf8(reply.bytes).unwrap());
    }
    assert!(
        pages[0].contains("canary-x"),
        "what is no secret is shown: {}",
        pages[0]
    );
    for page in &pages {
        let page = page.replace("canary-x", "");
        assert!(
            !page.contains("canary") && !page.contains(KEY) && !page.contains(&secret),
            "{page}"
        );
    }
    assert!(pages[0].contains("[redacted]") && pages[0].contains("kept"));
    assert!(
        !pages[1].contains("canary-x"),
        "URLs of webhooks are not needed there"
    );
}

#[tokio::test]
async fn web_pages_may_not_steer_it() {
    let api = Api::start().await;
    let host = api.emulator.address().to_string();
    let steering = [
        (Method::POST, "/__emulator/reset"),
        (Method::DELETE, "/__emulator/requests"),
        (Method::POST, "/__emulator/faults"),
        (Method::PUT, "/__emulator/files/x"),
    ];
    for (method, path) in steering {
        for header in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("host", "evil.example:80"),
        ] {
            with_header(&api, method.clone(), path, header, 403).await;
        }
    }
    for path in [
        "/",
        "/__emulator/requests",
        "/__emulator/state",
        "/__emulator/nowhere",
    ] {
        with_header(&api, Method::GET, path, ("host", "rebound.example"), 403).await;
        with_header(
            &api,
            Method::GET,
            path,
            ("origin", "https://evil.example"),
            if path.ends_with("nowhere") { 404 } else { 200 },
        )
        .await;
    }
    with_header(
        &api,
        Method::POST,
        "/__emulator/reset",
        ("origin", &format!("http://{host}")),
        200,
    )
    .await;
    with_header(
        &api,
        Method::POST,
        "/__emulator/reset",
        ("host", "localhost:1234"),
        200,
    )
    .await;
    with_header(
        &api,
        Method::GET,
        "/v1/webhooks",
        ("host", "api.anchorbrowser.io"),
        200,
    )
    .await;
}

#[tokio::test]
async fn unknown_paths_methods_and_large_bodies() {
    let api = manual(|builder| builder.limits(|limits| limits.body_bytes = 1000)).await;
    for path in [
        "/__emulator",
        "/__emulator/",
        "/__emulator/x",
        "/__emulator/files/",
        "/__emulator/health/",
        "/__emulator/files/%ff",
    ] {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.count("/paths")), (404, 13), "{path}");
    }
    for (method, path, allow) in [
        (Method::POST, "/", "GET"),
        (Method::PUT, "/__emulator/faults", "GET, POST, DELETE"),
        (Method::GET, "/__emulator/reset", "POST"),
        (Method::DELETE, "/__emulator/files/x", "GET, PUT"),
        (Method::HEAD, "/__emulator/health", "GET"),
    ] {
        let reply = api.send(api.request(method.clone(), path)).await;
        assert_eq!(
            (reply.status, reply.headers["allow"].to_str().unwrap()),
            (405, allow),
            "{method} {path}"
        );
    }
    let long = json!({ "ms": 1, "x": "x".repeat(1000) });
    api.post("/__emulator/clock/advance", long)
        .await
        .refused(413);
    let broken = api
        .send(api.request(Method::POST, "/__emulator/faults").body("{"))
        .await;
    assert!(broken.refused(400).contains("JSON"));
    with_header(
        &api,
        Method::GET,
        "/?apiKey=k",
        ("upgrade", "websocket"),
        501,
    )
    .await;
}
