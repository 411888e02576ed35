//! Files behind links, and the page for people.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use reqwest::Method;
use serde_json::json;

use crate::support::{Api, KEY};

#[tokio::test]
async fn files_go_in_and_come_out_but_never_as_pages() {
    let api = Api::with(Emulator::builder().manual_clock().key(KEY)).await;
    let session = api.session(json!({})).await;
    let bytes = b"<script>alert(1)</script>\x00\xff".to_vec();
    let path = format!("/__emulator/sessions/{session}/downloads");
    let added = api
        .send(
            api.request(Method::POST, &format!("{path}?name=a%20b.html"))
                .body(bytes.clone()),
        )
        .await;
    assert_eq!(added.status, 201, "{}", added.json);
    let link = added.text("/file_link");
    let link = link.strip_prefix(api.emulator.base_url()).unwrap();
    let file = api.get(link).await.ok();
    assert_eq!(file.bytes, bytes);
    let disposition = file.headers["content-disposition"].to_str().unwrap();
    assert!(
        disposition.starts_with("attachment; filename*=UTF-8''") && disposition.is_ascii(),
        "{disposition}"
    );
    assert_eq!(file.headers["x-content-type-options"], "nosniff");
    assert!(
        file.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("sandbox")
    );

    api.act(&path).await.refused(400);
    api.act("/__emulator/sessions/none/downloads?name=a")
        .await
        .refused(404);
    api.get("/__emulator/downloads/none").await.refused(404);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{link}", api.emulator.base_url());
    for key in [None, Some("wrong"), Some("")] {
        let request = client.get(&url);
        let request = key.iter().fold(request, |request, key| {
            request.header("anchor-api-key", *key)
        });
        assert_eq!(request.send().await.unwrap().status(), 401, "{key:?}");
    }
}

#[tokio::test]
async fn signed_links_work_once_or_until_they_expire() {
    let api = Api::start().await;
    let made = api
        .post("/v1/volumes", json!({ "name": "links" }))
        .await
        .ok();
    let files = format!("/v1/volumes/{}/files", made.text("/data/id"));
    let local = |url: String| {
        url.strip_prefix(api.emulator.base_url())
            .unwrap()
            .to_owned()
    };
    let body = json!({ "path": "a/b.txt", "content_type": "text/plain" });
    let upload = api.post(&format!("{files}/upload-url"), body).await.ok();
    let target = local(upload.text("/data/signed_url"));
    let mut put = api.request(Method::PUT, &target).body("canary");
    for (name, value) in upload.at("/data/headers").as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    let again = put.try_clone().unwrap();
    api.send(put).await.ok();
    assert!(matches!(api.send(again).await.status, 403 | 404));
    api.get(&target).await.refused(403);

    let found = api
        .get(&format!("{files}/download?path=a/b.txt"))
        .await
        .ok();
    let link = local(found.text("/data/signed_url"));
    assert_eq!(api.get(&link).await.ok().bytes, b"canary");
    assert_eq!(
        api.get(&link).await.ok().headers["content-disposition"],
        "attachment"
    );
    api.advance(Duration::from_secs(365 * 24 * 3600));
    assert!(matches!(api.get(&link).await.status, 403 | 404));
}

#[tokio::test]
async fn the_page_is_whole_in_itself_and_escapes() {
    let api = Api::start().await;
    let empty = String::from_utf8(api.get("/").await.ok().bytes).unwrap();
    let base = api.emulator.base_url();
    assert!(
        empty.contains(&format!("ANCHORBROWSER_BASE_URL={base}")) && empty.contains("None yet")
    );

    let evil = "<script>alert(1)</script>\"'&";
    let session = api
        .session(json!({ "session": { "tags": [evil], "initial_url": "https://h/?a=1&b='2" } }))
        .await;
    api.get("/v1/sessions/%3Cscript%3E?x=<script>")
        .await
        .refused(404);
    let live = format!("/__emulator/live?sessionId={session}");
    for path in ["/", live.as_str()] {
        let reply = api.get(path).await.ok();
        let page = String::from_utf8(reply.bytes).unwrap();
        assert!(
            page.contains(&session) && !page.contains("<script"),
            "{page}"
        );
        assert!(page.contains("https://h/?a=1&amp;b=&#39;2"), "{page}");
        assert!(
            !page.contains("src=") && !page.contains("href=") && !page.contains("url("),
            "{page}"
        );
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert_eq!(policy.contains("frame-ancestors"), path == "/");
        assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    }
    let page = String::from_utf8(api.get("/").await.ok().bytes).unwrap();
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"),
        "{page}"
    );
    api.get("/__emulator/live?sessionId=none")
        .await
        .refused(404);
}
