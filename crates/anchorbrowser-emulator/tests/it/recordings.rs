//! Recordings and downloads of sessions.

use std::time::Duration;

use serde_json::json;

use crate::support::Api;

const SECOND: Duration = Duration::from_secs(1);

async fn end(api: &Api, id: &str) {
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    api.advance(SECOND);
}

#[tokio::test]
async fn a_recording_is_there_after_its_session() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let path = format!("/v1/sessions/{id}/recordings");
    let fetch = format!("{path}/primary/fetch");
    api.advance(90 * SECOND);
    for path in [&path, &fetch] {
        api.get(path).await.refused(404);
    }
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    api.get(&fetch).await.refused(404);
    api.advance(SECOND);
    let list = api.get(&path).await.ok();
    assert_eq!(
        (list.at("/data/count"), list.at("/data/items/0/is_primary")),
        (json!(1), json!(true))
    );
    assert_eq!(list.text("/data/items/0/duration"), "90.000");
    assert_eq!(
        list.text("/data/items/0/created_at"),
        "2026-01-01T00:00:00.000Z"
    );
    let link = list.text("/data/items/0/file_link");
    let video = api
        .get(link.strip_prefix(api.emulator.base_url()).unwrap())
        .await
        .ok();
    assert_eq!(video.headers["content-type"], "video/mp4");
    assert_eq!(json!(video.bytes.len()), list.at("/data/items/0/size"));
    assert_eq!(&video.bytes[4..8], b"ftyp");
}

#[tokio::test]
async fn pauses_are_not_recorded() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let path = format!("/v1/sessions/{id}/recordings");
    // Twice the same is no error, and changes nothing.
    for (action, seconds) in [
        ("resume", 1),
        ("pause", 2),
        ("pause", 4),
        ("resume", 8),
        ("pause", 16),
    ] {
        let reply = api.act(&format!("{path}/{action}")).await.ok();
        assert_eq!(reply.text("/data/data/status"), "success");
        api.advance(seconds * SECOND);
    }
    end(&api, &id).await;
    assert_eq!(
        api.get(&path).await.ok().text("/data/items/0/duration"),
        "9.000"
    );
    for action in ["pause", "resume"] {
        api.act(&format!("{path}/{action}")).await.refused(404);
    }
}

#[tokio::test]
async fn recording_can_be_turned_off() {
    let api = Api::start().await;
    let id = api
        .session(json!({ "session": { "recording": { "active": false } } }))
        .await;
    let path = format!("/v1/sessions/{id}/recordings");
    let refusal = api.act(&format!("{path}/pause")).await.refused(404);
    assert!(refusal.contains("turned off"), "{refusal}");
    end(&api, &id).await;
    for path in [
        &path,
        &format!("{path}/primary/fetch"),
        "/v1/sessions/none/recordings",
    ] {
        api.get(path).await.refused(404);
    }
    api.delete(&format!("{path}/primary")).await.refused(400);
    api.act("/v1/sessions/none/recordings/pause")
        .await
        .refused(404);
}

#[tokio::test]
async fn a_recording_is_deleted_once() {
    let api = Api::start().await;
    for primary in [true, false] {
        let id = api.session(json!({})).await;
        let path = format!("/v1/sessions/{id}/recordings");
        api.delete(&format!("{path}/primary")).await.refused(400);
        end(&api, &id).await;
        let own = api.get(&path).await.ok().text("/data/items/0/id");
        api.delete(&format!("{path}/none")).await.refused(400);
        let named = if primary { "primary" } else { &own };
        assert_eq!(
            api.delete(&format!("{path}/{named}"))
                .await
                .ok()
                .text("/data/status"),
            "success"
        );
        api.get(&path).await.refused(404);
        api.get(&format!("{path}/primary/fetch")).await.refused(404);
        api.delete(&format!("{path}/{named}")).await.refused(400);
    }
    api.delete("/v1/sessions/none/recordings/primary")
        .await
        .refused(400);
}

#[tokio::test]
async fn a_session_without_downloads_has_an_empty_list() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let path = format!("/v1/sessions/{id}/downloads");
    assert_eq!(
        api.get(&path).await.ok().at("/data"),
        json!({ "count": 0, "items": [] })
    );
    end(&api, &id).await;
    api.get(&path).await.ok();
    api.get("/v1/sessions/none/downloads").await.refused(404);
}
