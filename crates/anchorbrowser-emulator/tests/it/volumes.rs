//! Volumes, their files, and the links to them.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Api, Reply};

async fn volume(api: &Api, name: &str) -> String {
    api.post("/v1/volumes", json!({ "name": name }))
        .await
        .ok()
        .text("/data/id")
}

async fn upload(api: &Api, volume: &str, path: &str, bytes: impl Into<Vec<u8>>) -> Reply {
    let part = Part::bytes(bytes.into()).file_name("name.csv");
    let form = Form::new().part("file", part).text("path", path.to_owned());
    api.form(&format!("/v1/volumes/{volume}/files"), form).await
}

/// A volume with files at these paths.
async fn filled(api: &Api, paths: &[&str]) -> String {
    let id = volume(api, "v").await;
    for path in paths {
        upload(api, &id, path, *path).await.ok();
    }
    id
}

/// The paths of a list.
fn paths(reply: &Reply) -> Vec<String> {
    let items = reply.at("/data/items");
    let path = |item: &Value| item["path"].as_str().or(item.as_str()).unwrap().to_owned();
    items.as_array().unwrap().iter().map(path).collect()
}

fn slow() -> anchorbrowser_emulator::Builder {
    let builder = Emulator::builder().manual_clock();
    builder.timing(|timing| timing.volume = Duration::from_secs(5))
}

#[tokio::test]
async fn a_volume_is_created_and_deleted_over_time() {
    let api = Api::with(slow()).await;
    let id = volume(&api, "reports_1-a").await;
    let path = format!("/v1/volumes/{id}");
    let state = async || api.get(&path).await.ok().text("/data/state");
    assert_eq!(state().await, "creating");
    api.get(&format!("{path}/files")).await.refused(412);
    upload(&api, &id, "a", "x").await.refused(409);
    let session = json!({ "browser": { "volume": { "id": id } } });
    api.post("/v1/sessions", session).await.refused(400);
    api.advance(Duration::from_secs(5));
    assert_eq!(state().await, "ready");
    assert_eq!(
        api.get("/v1/volumes/by-name/reports_1-a")
            .await
            .ok()
            .text("/data/id"),
        id
    );
    assert_eq!(
        api.delete(&path).await.ok().text("/data/status"),
        "deleting"
    );
    assert_eq!(
        api.delete(&path).await.ok().text("/data/status"),
        "deleting"
    );
    api.advance(Duration::from_secs(5));
    for path in [
        &path,
        &format!("{path}/files"),
        "/v1/volumes/by-name/reports_1-a",
    ] {
        api.get(path).await.refused(404);
    }
    api.delete(&path).await.refused(404);
    let list = async |query: &str| api.get(&format!("/v1/volumes{query}")).await.ok();
    assert_eq!(list("").await.count("/data/items"), 0);
    assert_eq!(list("?state=deleted").await.count("/data/items"), 0);
    let deleted = list("?include_deleted=true&state=deleted").await;
    assert_eq!(deleted.at("/data/count"), 1);
    assert_eq!(
        deleted.at("/data/items/0/deleted_at"),
        "2026-01-01T00:00:10.000Z"
    );
    assert_eq!(
        list("?include_deleted=true&state=ready")
            .await
            .at("/data/count"),
        0
    );
}

#[tokio::test]
async fn names_are_checked_and_unique_and_few() {
    let api = Api::start().await;
    for name in ["", "a b", "ä", "a/b", "a.b", &"n".repeat(65)] {
        api.post("/v1/volumes", json!({ "name": name }))
            .await
            .refused(400);
    }
    let first = volume(&api, &"n".repeat(64)).await;
    api.post("/v1/volumes", json!({ "name": "n".repeat(64) }))
        .await
        .refused(409);
    for number in 1..10 {
        volume(&api, &format!("v{number}")).await;
    }
    let refusal = api
        .post("/v1/volumes", json!({ "name": "v10" }))
        .await
        .refused(409);
    assert!(refusal.contains("10"), "{refusal}");
    assert_eq!(
        api.delete(&format!("/v1/volumes/{first}"))
            .await
            .ok()
            .text("/data/status"),
        "deleted"
    );
    volume(&api, &"n".repeat(64)).await;
    let disabled = Emulator::builder()
        .manual_clock()
        .account(|account| account.volumes = false);
    let api = Api::with(disabled).await;
    api.post("/v1/volumes", json!({ "name": "v" }))
        .await
        .refused(403);
}

#[tokio::test]
async fn a_mounted_volume_stays() {
    let api = Api::start().await;
    let id = volume(&api, "v").await;
    let path = format!("/v1/volumes/{id}");
    let mount = |id: &str| json!({ "browser": { "volume": { "id": id } } });
    assert_eq!(api.get(&path).await.at("/data/last_used_at"), Value::Null);
    let sessions = [api.session(mount(&id)).await, api.session(mount(&id)).await];
    for session in sessions {
        api.delete(&path).await.refused(409);
        api.advance(Duration::from_secs(1));
        api.delete(&format!("/v1/sessions/{session}")).await.ok();
    }
    assert_eq!(
        api.get(&path).await.at("/data/last_used_at"),
        "2026-01-01T00:00:02.000Z"
    );
    api.delete(&path).await.ok();
    api.post("/v1/sessions", mount(&id)).await.refused(400);
    api.post(
        "/v1/sessions",
        mount("8b1b1f4e-54c3-4f0c-9a40-0d6f2f6c1e01"),
    )
    .await
    .refused(400);
}

#[tokio::test]
async fn a_file_is_uploaded_once_or_replaced() {
    let api = Api::start().await;
    let id = volume(&api, "v").await;
    let info = upload(&api, &id, "/in//data.csv", "a,b\n").await.ok();
    assert_eq!(
        (info.text("/data/path"), info.at("/data/size")),
        ("in/data.csv".to_owned(), json!(4))
    );
    assert_eq!(info.at("/data/content_type"), "text/csv");
    let stat = api
        .get(&format!("/v1/volumes/{id}/files/stat?path=in/data.csv"))
        .await
        .ok();
    assert_eq!(stat.json, info.json);
    upload(&api, &id, "in/data.csv", "c").await.refused(409);
    let file = || {
        Part::bytes(b"c".to_vec())
            .file_name("data.csv")
            .mime_str("text/x")
            .unwrap()
    };
    for (overwrite, status) in [("false", 409), ("true", 200)] {
        let form = Form::new()
            .part("file", file())
            .text("path", "in/")
            .text("overwrite", overwrite);
        let reply = api.form(&format!("/v1/volumes/{id}/files"), form).await;
        assert_eq!(reply.status, status);
    }
    let stat = api
        .get(&format!("/v1/volumes/{id}/files/stat?path=/in/data.csv"))
        .await
        .ok();
    assert_eq!(
        (stat.at("/data/size"), stat.text("/data/content_type")),
        (json!(1), "text/x".to_owned())
    );
    assert_ne!(stat.at("/data/etag"), info.at("/data/etag"));
    let form = Form::new().part("file", file());
    assert_eq!(
        api.form(&format!("/v1/volumes/{id}/files"), form)
            .await
            .ok()
            .text("/data/path"),
        "data.csv"
    );
    for path in ["../a", "a/../../b", "a\\b", "a\u{0}b"] {
        upload(&api, &id, path, "x").await.refused(400);
    }
    for path in ["in", "data.csv/below"] {
        upload(&api, &id, path, "x").await.refused(409);
    }
    for path in ["in", "nothing", "data.csv/below"] {
        api.get(&format!("/v1/volumes/{id}/files/stat?path={path}"))
            .await
            .refused(404);
    }
    upload(&api, "8b1b1f4e-54c3-4f0c-9a40-0d6f2f6c1e01", "a", "x")
        .await
        .refused(404);
}

#[tokio::test]
async fn ten_megabytes_are_the_most() {
    let api = Api::start().await;
    let id = volume(&api, "v").await;
    upload(&api, &id, "a", vec![7; 10 << 20]).await.ok();
    let refusal = upload(&api, &id, "b", vec![7; (10 << 20) + 1])
        .await
        .refused(413);
    assert!(refusal.contains("upload URL"), "{refusal}");
    let form = Form::new().text("path", "a");
    api.form(&format!("/v1/volumes/{id}/files"), form)
        .await
        .refused(400);
}

#[tokio::test]
async fn files_are_listed_by_directory_and_page() {
    let api = Api::start().await;
    let id = filled(&api, &["b.txt", "a/1.txt", "a/2.txt", "a/deep/3.txt"]).await;
    let list = async |query: &str| api.get(&format!("/v1/volumes/{id}/files{query}")).await;
    let root = list("").await.ok();
    assert_eq!(paths(&root), ["a", "b.txt"]);
    assert_eq!(
        (
            root.text("/data/items/0/type"),
            root.at("/data/items/0/size")
        ),
        ("directory".to_owned(), Value::Null)
    );
    assert_eq!(
        paths(&list("?path=/a/").await.ok()),
        ["a/1.txt", "a/2.txt", "a/deep"]
    );
    assert_eq!(paths(&list("?path=a&recursive=true").await.ok()).len(), 4);
    for (query, status) in [
        ("?path=none", 404),
        ("?path=b.txt", 404),
        ("?path=a/..", 400),
        ("?limit=0", 400),
        ("?limit=x", 400),
        ("?cursor=zz", 400),
        ("?cursor=%C3%BC", 400),
        ("?recursive=yes", 400),
    ] {
        list(query).await.refused(status);
    }
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("?recursive=true&limit=4&cursor={cursor}"))
            .await
            .ok();
        all.extend(paths(&page));
        // What is deleted meanwhile shifts nothing.
        api.delete(&format!("/v1/volumes/{id}/files?path=a/1.txt"))
            .await;
        match page.at("/data/next_cursor") {
            Value::String(next) => cursor = next,
            end => break assert_eq!(end, Value::Null),
        }
    }
    assert_eq!(
        all,
        ["a", "a/1.txt", "a/2.txt", "a/deep", "a/deep/3.txt", "b.txt"]
    );
}

#[tokio::test]
async fn paths_are_listed_by_prefix_and_page() {
    let api = Api::start().await;
    let id = filled(&api, &["ab", "a/b", "c"]).await;
    let list = async |query: &str| {
        api.get(&format!("/v1/volumes/{id}/paths{query}"))
            .await
            .ok()
    };
    assert_eq!(paths(&list("").await), ["a/", "a/b", "ab", "c"]);
    assert_eq!(paths(&list("?prefix=/a").await), ["a/", "a/b", "ab"]);
    assert_eq!(paths(&list("?prefix=a/").await), ["a/", "a/b"]);
    assert_eq!(paths(&list("?prefix=none").await).len(), 0);
    let first = list("?limit=3").await;
    let rest = list(&format!("?cursor={}", first.text("/data/next_cursor"))).await;
    assert_eq!(
        (paths(&rest), rest.at("/data/next_cursor")),
        (vec!["c".to_owned()], Value::Null)
    );
}

#[tokio::test]
async fn directories_are_made_once() {
    let api = Api::start().await;
    let id = filled(&api, &["a/file"]).await;
    let make = async |path: &str| {
        api.post(
            &format!("/v1/volumes/{id}/directories"),
            json!({ "path": path }),
        )
        .await
    };
    assert_eq!(make("/x/y/").await.ok().text("/data/path"), "x/y");
    for (path, status) in [
        ("x", 409),
        ("x/y", 409),
        ("a", 409),
        ("a/file", 409),
        ("a/file/b", 409),
        ("/", 400),
        ("..", 400),
    ] {
        make(path).await.refused(status);
    }
    let listed = api
        .get(&format!("/v1/volumes/{id}/files?recursive=true"))
        .await
        .ok();
    assert_eq!(paths(&listed), ["a", "a/file", "x", "x/y"]);
}

#[tokio::test]
async fn files_are_deleted_by_path_or_prefix() {
    let api = Api::start().await;
    let id = filled(&api, &["logs/1", "logs/old/2", "logs2", "keep"]).await;
    let delete = async |query: &str| api.delete(&format!("/v1/volumes/{id}/files{query}")).await;
    for (query, status) in [
        ("", 400),
        ("?prefix=logs", 400),
        ("?prefix=logs&recursive=false", 400),
        ("?prefix=&recursive=true", 400),
        ("?path=keep&prefix=logs&recursive=true", 400),
        ("?path=none", 404),
        ("?path=logs", 409),
    ] {
        delete(query).await.refused(status);
    }
    let count = async |query: &str| delete(query).await.ok().at("/data/deleted_count");
    assert_eq!(count("?path=/keep").await, 1);
    assert_eq!(count("?prefix=logs/&recursive=true").await, 2);
    let rest = api.get(&format!("/v1/volumes/{id}/paths")).await.ok();
    assert_eq!(paths(&rest), ["logs2"]);
    assert_eq!(count("?prefix=none&recursive=true").await, 0);
    assert_eq!(count("?prefix=/&recursive=true").await, 1);
    api.post(
        &format!("/v1/volumes/{id}/directories"),
        json!({ "path": "empty" }),
    )
    .await
    .ok();
    assert_eq!(count("?path=empty").await, 1);
}

#[tokio::test]
async fn links_are_given_for_uploads_and_downloads() {
    let api = Api::start().await;
    let id = filled(&api, &["a/data.csv"]).await;
    let ask = async |body: Value| {
        api.post(&format!("/v1/volumes/{id}/files/upload-url"), body)
            .await
    };
    let link = ask(json!({ "path": "big.bin", "content_type": "x/y", "size": 5_u64 << 30 }))
        .await
        .ok();
    let base = format!("{}/__emulator/files/", api.emulator.base_url());
    assert!(link.text("/data/signed_url").starts_with(&base));
    assert_eq!(
        (
            link.at("/data/headers/Content-Type"),
            link.at("/data/expires_in")
        ),
        (json!("x/y"), json!(900))
    );
    for body in [
        json!({ "path": "../x" }),
        json!({ "path": "" }),
        json!({ "path": "a" }),
        json!({ "path": "a/data.csv/x" }),
        json!({ "path": "x", "size": -1 }),
        json!({ "path": "x", "size": (5_u64 << 30) + 1 }),
        json!({ "path": "x", "content_type": "text/csv\r\nx: y" }),
    ] {
        ask(body).await.refused(400);
    }
    let path = format!("/v1/volumes/{id}/files/download?path=a/data.csv");
    let link = api.get(&path).await.ok();
    assert!(link.text("/data/signed_url").starts_with(&base));
    assert_eq!(
        (link.at("/data/size"), link.text("/data/content_type")),
        (json!(10), "text/csv".to_owned())
    );
    let redirect = api.get(&format!("{path}&redirect=true")).await;
    let location = redirect.headers["location"].to_str().unwrap();
    assert!(redirect.status == 302 && redirect.bytes.is_empty() && location.starts_with(&base));
    for path in ["none", "a"] {
        api.get(&format!("/v1/volumes/{id}/files/download?path={path}"))
            .await
            .refused(404);
    }
    let get = api.request(Method::GET, &format!("/v1/volumes/{id}/files/download"));
    api.send(get).await.refused(400);
}
