//! Identities: validation, changes, repeated logins, and that credentials stay inside.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

const CANARY: &str = "canary-password-4711";
const LOGIN: Duration = Duration::from_millis(500);
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn credentials(user: &str) -> Value {
    json!([
        { "type": "username_password", "username": user, "password": CANARY },
        { "type": "authenticator", "secret": CANARY, "otp": CANARY },
        { "type": "custom", "fields": [{ "name": "pin", "value": CANARY }] },
    ])
}

fn identity(user: &str) -> Value {
    json!({ "source": "https://app.example.com/login", "name": user, "credentials": credentials(user), "metadata": { "team": "a" } })
}

async fn made(api: &Api, body: Value) -> String {
    api.post("/v1/identities", body).await.ok().text("/id")
}

async fn status(api: &Api, id: &str) -> String {
    api.get(&format!("/v1/identities/{id}"))
        .await
        .ok()
        .text("/status")
}

/// Sends a request that is held, lets time pass when it waits, and gives the answer.
async fn held(api: &Api, operation: &str, request: impl Future<Output = Reply>) -> Reply {
    let before = api.emulator.count(operation).unwrap();
    let passes = async {
        let waiting = api.emulator.wait_for(operation, before + 1).await;
        waiting.unwrap();
        api.advance(LOGIN);
    };
    tokio::join!(request, passes).0
}

#[tokio::test]
async fn an_identity_is_validated_in_the_background() {
    let api = Api::start().await;
    let good = api
        .post("/v1/identities", identity("ann@example.com"))
        .await;
    assert_eq!(
        (good.status, good.text("/status"), good.at("/metadata")),
        (201, "pending".into(), json!({ "team": "a" }))
    );
    let bad = made(&api, identity("fail@example.com")).await;
    let bare = made(
        &api,
        json!({ "source": "https://app.example.com", "credentials": [] }),
    )
    .await;
    let good = good.text("/id");
    api.advance(LOGIN - Duration::from_millis(1));
    assert_eq!(status(&api, &good).await, "pending");
    api.advance(Duration::from_millis(1));
    for (id, wanted) in [(&good, "validated"), (&bad, "failed"), (&bare, "pending")] {
        assert_eq!(status(&api, id).await, wanted);
    }
    let found = api.get(&format!("/v1/identities/{good}")).await.ok();
    assert_eq!(found.text("/source"), "https://app.example.com/login");
    assert_eq!(found.text("/updated_at"), "2026-01-01T00:00:00.500Z");
    assert_eq!(
        api.get(&format!("/v1/identities/{bare}"))
            .await
            .ok()
            .text("/name"),
        "Unnamed Identity"
    );
    assert_eq!(
        api.get("/v1/applications")
            .await
            .ok()
            .at("/applications/0/identity_count"),
        3
    );
}

#[tokio::test]
async fn a_validation_is_waited_for_if_asked() {
    let api = Api::start().await;
    let path = "/v1/identities?validateAsync=false";
    let good = held(
        &api,
        "create_identity",
        api.post(path, identity("ann@example.com")),
    )
    .await
    .ok();
    assert_eq!(
        (good.status, good.text("/status")),
        (201, "validated".to_owned())
    );
    let bad = held(
        &api,
        "create_identity",
        api.post(path, identity("fail@example.com")),
    )
    .await
    .ok();
    assert_eq!(bad.text("/status"), "failed");
    let bare = api
        .post(path, json!({ "source": "https://app.example.com" }))
        .await
        .ok();
    assert_eq!(
        bare.text("/status"),
        "pending",
        "there is nothing to wait for"
    );
}

#[tokio::test]
async fn a_login_that_takes_no_time_is_over_at_once() {
    let timing = Emulator::builder()
        .manual_clock()
        .timing(|timing| timing.login = Duration::ZERO);
    let api = Api::with(timing).await;
    let id = made(&api, identity("ann@example.com")).await;
    assert_eq!(status(&api, &id).await, "validated");
    let path = "/v1/identities?validateAsync=false";
    let bad = api.post(path, identity("fail@example.com")).await.ok();
    assert_eq!(bad.text("/status"), "failed");
    let again = format!("/v1/identities/{id}/reauthenticate");
    assert_eq!(
        api.act(&again).await.ok().text("/auth_status"),
        "authenticated"
    );
}

#[tokio::test]
async fn an_application_is_made_or_found_by_the_source() {
    let api = Api::start().await;
    let body = json!({ "source": "https://app.example.com/a", "applicationName": "App", "applicationDescription": "d" });
    made(&api, body).await;
    made(&api, json!({ "source": "https://app.example.com/b" })).await;
    let found = api.get("/v1/applications").await.ok();
    assert_eq!(found.count("/applications"), 1);
    assert_eq!(
        (
            found.text("/applications/0/name"),
            found.text("/applications/0/description")
        ),
        ("App".into(), "d".into())
    );
    assert!(
        api.post("/v1/identities", json!({ "source": "mailto:a@b.c" }))
            .await
            .refused(400)
            .contains("body.source")
    );
}

#[tokio::test]
async fn an_identity_is_changed_and_deleted() {
    let api = Api::start().await;
    let id = made(&api, identity("fail@example.com")).await;
    let path = format!("/v1/identities/{id}");
    api.advance(LOGIN);
    let changed = api
        .put(&path, json!({ "name": "new", "metadata": { "x": [1] } }))
        .await
        .ok();
    assert_eq!(
        (changed.text("/name"), changed.at("/metadata")),
        ("new".to_owned(), json!({ "x": [1] }))
    );
    assert_eq!(
        status(&api, &id).await,
        "failed",
        "the credentials are the old ones"
    );
    api.put(
        &path,
        json!({ "credentials": credentials("ann@example.com") }),
    )
    .await
    .ok();
    assert_eq!(status(&api, &id).await, "pending");
    api.advance(LOGIN);
    assert_eq!(status(&api, &id).await, "validated");
    api.put(&path, json!({ "credentials": [] })).await.ok();
    api.advance(LOGIN);
    assert_eq!(
        status(&api, &id).await,
        "pending",
        "there is nothing left to log in with"
    );
    assert!(!api.delete(&path).await.ok().text("/message").is_empty());
    api.get(&path).await.refused(404);
    api.put(&path, json!({})).await.refused(404);
    api.delete(&path).await.refused(404);
}

#[tokio::test]
async fn a_login_is_repeated() {
    let api = Api::start().await;
    let id = made(&api, identity("ann@example.com")).await;
    let path = format!("/v1/identities/{id}/reauthenticate");
    api.advance(LOGIN);
    let done = held(&api, "reauthenticate_identity", api.act(&path))
        .await
        .ok();
    assert_eq!(
        (
            done.at("/async"),
            done.text("/auth_status"),
            done.text("/identityId")
        ),
        (json!(false), "authenticated".into(), id.clone())
    );
    let session = format!("/v1/sessions/{}", done.text("/sessionId"));
    assert_eq!(
        api.get(&session).await.ok().text("/data/status"),
        "completed"
    );
    let later = api.post(&path, json!({ "sync": false })).await.ok();
    assert_eq!(
        (later.at("/async"), later.text("/auth_status")),
        (json!(true), "pending".to_owned())
    );
    let again = api.post(&path, json!({ "sync": false })).await.ok();
    assert_eq!(
        again.text("/sessionId"),
        later.text("/sessionId"),
        "one login at a time"
    );
    let session = format!("/v1/sessions/{}", later.text("/sessionId"));
    assert_eq!(api.get(&session).await.ok().text("/data/status"), "running");
    api.advance(LOGIN);
    assert_eq!(status(&api, &id).await, "validated");
    assert_eq!(
        api.get(&session).await.ok().text("/data/status"),
        "completed"
    );
}

#[tokio::test]
async fn a_repeated_login_can_fail() {
    let api = Api::start().await;
    let bare = made(&api, json!({ "source": "https://app.example.com" })).await;
    let bad = made(&api, identity("fail@example.com")).await;
    let good = made(&api, identity("ann@example.com")).await;
    api.advance(LOGIN);
    let path = |id: &str| format!("/v1/identities/{id}/reauthenticate");
    assert!(
        api.act(&path(&bare))
            .await
            .refused(412)
            .contains("credentials")
    );
    api.act(&path(UNKNOWN)).await.refused(404);
    let text = held(&api, "reauthenticate_identity", api.act(&path(&bad)))
        .await
        .refused(422);
    assert!(
        text.contains("rejected") && !text.contains(CANARY),
        "{text}"
    );
    let session = api
        .post(&path(&good), json!({ "sync": false }))
        .await
        .ok()
        .text("/sessionId");
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    api.advance(LOGIN);
    assert_eq!(
        status(&api, &good).await,
        "failed",
        "the login can't outlive its session"
    );
}

#[tokio::test]
async fn who_waits_for_a_login_learns_that_it_is_given_up() {
    let api = Api::start().await;
    for (empties, wanted) in [(true, 412), (false, 404)] {
        let id = made(&api, identity("ann@example.com")).await;
        api.advance(LOGIN);
        let path = format!("/v1/identities/{id}");
        let again = format!("{path}/reauthenticate");
        let give_up = async {
            while status(&api, &id).await != "pending" {}
            let session = api
                .post(&again, json!({ "sync": false }))
                .await
                .ok()
                .text("/sessionId");
            match empties {
                true => api.put(&path, json!({ "credentials": [] })).await.ok(),
                false => api.delete(&path).await.ok(),
            };
            session
        };
        let (reply, session) = tokio::join!(api.act(&again), give_up);
        reply.refused(wanted);
        let session = api.get(&format!("/v1/sessions/{session}")).await.ok();
        assert_eq!(
            session.text("/data/status"),
            "completed",
            "it was there for the login only"
        );
    }
}

#[tokio::test]
async fn a_login_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || {
        Emulator::builder()
            .manual_clock()
            .state(folder.path().join("state.db"))
    };
    let api = Api::with(builder()).await;
    let good = made(&api, identity("ann@example.com")).await;
    let bad = made(&api, identity("fail@example.com")).await;
    api.emulator.shutdown().await;
    let api = Api::with(builder()).await;
    assert_eq!(status(&api, &good).await, "pending");
    api.advance(LOGIN);
    assert_eq!(
        (status(&api, &good).await, status(&api, &bad).await),
        ("validated".to_owned(), "failed".to_owned())
    );
}

#[tokio::test]
async fn the_end_of_a_login_is_an_event() {
    let api = Api::start().await;
    let events = json!(["identity.authenticated", "identity.authentication_failed"]);
    let webhook = json!({ "url": "https://hooks.example.com/a", "subscribed_events": events });
    let webhook = api.post("/v1/webhooks", webhook).await.ok().text("/id");
    for user in ["ann@example.com", "fail@example.com"] {
        made(&api, identity(user)).await;
        api.advance(LOGIN);
    }
    let sent = api
        .get(&format!(
            "/v1/webhooks/{webhook}/events?include_payload=true"
        ))
        .await
        .ok();
    assert!(!sent.json.to_string().contains(CANARY));
    let mut types: Vec<_> = sent
        .at("/events")
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["event_type"].clone())
        .collect();
    types.sort_by_key(Value::to_string);
    assert_eq!(Value::from(types), events);
}

#[tokio::test]
async fn credentials_stay_inside() {
    let api = Api::start().await;
    let first = api
        .post("/v1/identities", identity("ann@example.com"))
        .await
        .ok();
    let path = format!("/v1/identities/{}", first.text("/id"));
    let application = api.get("/v1/applications").await.ok();
    let of_application = format!(
        "/v1/applications/{}/identities",
        application.text("/applications/0/id")
    );
    api.advance(LOGIN);
    let login = json!({ "sync": false });
    let mut wrong = identity("ann@example.com");
    wrong["credentials"][0]["username"] = json!([CANARY]);
    let answers = [
        first,
        application,
        api.get(&path).await,
        api.put(
            &path,
            json!({ "credentials": credentials("ann@example.com") }),
        )
        .await,
        api.get(&of_application).await,
        api.post(&format!("{path}/reauthenticate"), login).await,
        api.post("/v1/identities", wrong).await,
        api.delete(&path).await,
    ];
    for answer in answers {
        assert!(
            !String::from_utf8_lossy(&answer.bytes).contains(CANARY),
            "{}",
            answer.json
        );
    }
}
