//! The state file: what was acknowledged is there after a restart.

use std::time::Duration;

use anchorbrowser_emulator::{Builder, Emulator};
use serde_json::json;

use crate::support::Api;

fn on(path: &std::path::Path) -> Builder {
    Emulator::builder().manual_clock().state(path)
}

#[tokio::test]
async fn state_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let api = Api::with(on(&path)).await;
    let session = api
        .session(json!({ "session": { "tags": ["kept"] } }))
        .await;
    let ended = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{ended}")).await.ok();
    let volume = api
        .post("/v1/volumes", json!({ "name": "kept" }))
        .await
        .ok()
        .text("/data/id");
    let part = reqwest::multipart::Part::bytes(vec![7; 1000]).file_name("seven");
    let form = reqwest::multipart::Form::new()
        .part("file", part)
        .text("path", "a/seven");
    api.form(&format!("/v1/volumes/{volume}/files"), form)
        .await
        .ok();
    let batch = api
        .post("/v1/batch-sessions", json!({ "count": 3 }))
        .await
        .ok()
        .text("/data/batch_id");
    let profile = api.post("/v1/profiles", json!({ "name": "gone" })).await;
    profile.ok();
    api.delete("/v1/profiles/gone").await.ok();
    api.emulator.shutdown().await;

    let api = Api::with(on(&path)).await;
    assert_eq!(
        api.get(&format!("/v1/sessions/{session}"))
            .await
            .ok()
            .at("/data/tags"),
        json!(["kept"])
    );
    assert_eq!(
        api.get(&format!("/v1/sessions/{ended}"))
            .await
            .ok()
            .text("/data/status"),
        "completed"
    );
    let stat = api
        .get(&format!("/v1/volumes/{volume}/files/stat?path=a/seven"))
        .await
        .ok();
    assert_eq!(stat.at("/data/size"), 1000);
    api.get("/v1/profiles/gone").await.refused(404);
    api.advance(Duration::from_secs(3600));
    let status = api
        .get(&format!("/v1/batch-sessions/{batch}"))
        .await
        .ok()
        .text("/data/status");
    assert_eq!(status, "completed", "what was under way goes on");
    let fresh = api.session(json!({})).await;
    assert!(
        ![&session, &ended].contains(&&fresh),
        "no id is given twice"
    );
}

#[tokio::test]
async fn a_foreign_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(
        &path,
        "not a database, and long enough to look like something".repeat(40),
    )
    .unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = on(&path).start().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("notes.txt") && cause.contains("not a state file"),
        "{cause}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn two_emulators_do_not_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let _first = on(&path).start().await.unwrap();
    let error = on(&path).start().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("stop the other emulator"), "{cause}");
}

#[tokio::test]
async fn files_that_can_not_be_used_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let api = Api::with(on(&path)).await;
    for _ in 0..20 {
        api.session(json!({})).await;
    }
    api.emulator.shutdown().await;
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[4096..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(folder.path().join("damaged"), damaged).unwrap();
    std::fs::write(folder.path().join("short"), &whole[..5_000]).unwrap();
    let cases = [
        ("damaged", "is damaged"),
        ("short", "is damaged"),
        (".", "a file that can be written"),
        ("nowhere/state", "in a folder that is there"),
    ];
    for (name, expected) in cases {
        let error = on(&folder.path().join(name)).start().await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(name) && cause.contains(expected), "{cause}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_one_by_whatever_name() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("state.db"), folder.path().join("link"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let api = Api::with(on(&link)).await;
    let session = api.session(json!({})).await;
    assert!(on(&path).start().await.is_err());
    api.emulator.reset().unwrap();
    let kept = api.session(json!({})).await;
    api.emulator.shutdown().await;
    let api = Api::with(on(&path)).await;
    api.get(&format!("/v1/sessions/{kept}")).await.ok();
    api.get(&format!("/v1/sessions/{session}"))
        .await
        .refused(404);
}
