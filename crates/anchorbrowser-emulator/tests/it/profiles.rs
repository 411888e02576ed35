//! Profiles: made from scratch, from a session, by persistence.

use std::time::Duration;

use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn a_profile_comes_and_goes() {
    let api = Api::start().await;
    api.post(
        "/v1/profiles",
        json!({ "name": "plain", "description": "a text" }),
    )
    .await
    .ok();
    api.post(
        "/v1/profiles",
        json!({ "name": "a b/ü", "dedicated_sticky_ip": true }),
    )
    .await
    .ok();
    let plain = api.get("/v1/profiles/plain").await.ok();
    let wanted = json!({ "name": "plain", "description": "a text", "status": "ready", "created_at": "2026-01-01T00:00:00.000Z" });
    assert_eq!(plain.at("/data"), wanted);
    let list = api.get("/v1/profiles").await.ok();
    assert_eq!(
        (list.at("/data/count"), list.text("/data/items/1/name")),
        (json!(2), "a b/ü".to_owned())
    );
    api.delete("/v1/profiles/a%20b%2F%C3%BC").await.ok();
    api.delete("/v1/profiles/a%20b%2F%C3%BC").await.refused(404);
    api.get("/v1/profiles/a%20b%2F%C3%BC").await.refused(404);
    assert_eq!(api.get("/v1/profiles").await.ok().at("/data/count"), 1);
}

#[tokio::test]
async fn refusals_name_what_is_wrong() {
    let api = Api::start().await;
    let ended = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{ended}")).await.ok();
    api.post("/v1/profiles", json!({ "name": "taken" }))
        .await
        .ok();
    let unknown = "00000000-0000-4000-8000-000000000000";
    let cases = [
        (json!({ "name": "taken" }), 409, "body.name"),
        (json!({ "name": "" }), 400, "body.name"),
        (json!({}), 400, "name"),
        (
            json!({ "name": "new", "source": "session" }),
            400,
            "body.session_id",
        ),
        (
            json!({ "name": "new", "source": "disk" }),
            400,
            "body.source",
        ),
        (
            json!({ "name": "new", "source": "session", "session_id": unknown }),
            404,
            unknown,
        ),
        (
            json!({ "name": "new", "source": "session", "session_id": ended }),
            404,
            "ended",
        ),
    ];
    for (body, status, part) in cases {
        let text = api.post("/v1/profiles", body.clone()).await.refused(status);
        assert!(text.contains(part), "{body}: {text}");
    }
    assert_eq!(api.get("/v1/profiles").await.ok().at("/data/count"), 1);
}

#[tokio::test]
async fn a_profile_of_a_session_is_stored_at_its_end() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    api.post(
        "/v1/profiles",
        json!({ "name": "kept", "source": "session", "session_id": session }),
    )
    .await
    .ok();
    let profile = api.get("/v1/profiles/kept").await.ok();
    assert_eq!(
        (
            profile.text("/data/status"),
            profile.text("/data/session_id")
        ),
        ("pending".to_owned(), session.clone())
    );
    api.advance(Duration::from_secs(5 * 60));
    let profile = api.get("/v1/profiles/kept").await.ok();
    assert_eq!(
        (profile.text("/data/status"), profile.text("/data/source")),
        ("ready".to_owned(), "session".to_owned())
    );
}

#[tokio::test]
async fn a_session_persists_its_profile_if_it_is_asked_to() {
    let api = Api::start().await;
    api.post(
        "/v1/profiles",
        json!({ "name": "old", "description": "stays" }),
    )
    .await
    .ok();
    let profiles = [
        json!({ "name": "new", "persist": true }),
        json!({ "name": "old", "persist": true }),
        json!({ "name": "not-kept", "persist": false }),
        json!({ "name": "not-kept" }),
        json!({ "persist": true }),
    ];
    let mut sessions = Vec::new();
    for profile in profiles {
        sessions.push(
            api.session(json!({ "browser": { "profile": profile } }))
                .await,
        );
    }
    assert_eq!(api.get("/v1/profiles").await.ok().at("/data/count"), 1);
    api.delete("/v1/sessions/all").await.ok();
    assert_eq!(api.get("/v1/profiles").await.ok().at("/data/count"), 2);
    for (name, session) in [("new", &sessions[0]), ("old", &sessions[1])] {
        let profile = api.get(&format!("/v1/profiles/{name}")).await.ok();
        assert_eq!(
            (
                profile.text("/data/status"),
                &profile.text("/data/session_id")
            ),
            ("ready".to_owned(), session)
        );
    }
    let old = api.get("/v1/profiles/old").await.ok();
    assert_eq!(old.text("/data/description"), "stays");
}
