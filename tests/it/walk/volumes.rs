//! Volumes and their files: what goes in comes out.

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::types::{self, BooleanText};

use super::{Walk, follow, gone, ok};

const DATA: &[u8] = b"a,b\n\x00\xff";

pub(super) async fn walk(walk: &Walk) {
    let client = &walk.client;
    let body = types::CreateVolumeBody::new("reports");
    let made = ok(client.create_volume().body(body).send()).await;
    let id = made.data.unwrap().id.unwrap();
    let volume = ok(client.get_volume().volume_id(&id).send()).await;
    walk.says(volume.data.unwrap().state, "ready");
    let named = ok(client.get_volume_by_name().name("reports").send()).await;
    assert_eq!(named.data.unwrap().id.as_ref(), Some(&id));
    let list = ok(client.list_volumes().send()).await.data.unwrap();
    assert_eq!(
        (list.count, list.items[0].id.as_ref()),
        (Some(1), Some(&id))
    );

    upload(walk, &id).await;
    upload_by_link(walk, &id).await;
    download(walk, &id).await;
    tidy(walk, &id).await;
    mount(walk, &id).await;

    let deleted = ok(client.delete_volume().volume_id(&id).send()).await;
    assert_eq!(deleted.data.unwrap().id.as_ref(), Some(&id));
    gone(client.get_volume().volume_id(&id).send()).await;
}

async fn upload(walk: &Walk, volume: &str) {
    let client = &walk.client;
    let file = FilePart::bytes("data.csv", DATA).content_type("text/csv");
    let form = types::UploadVolumeFileForm {
        path: Some("in/data.csv".to_owned()),
        ..types::UploadVolumeFileForm::new(file)
    };
    let sent = ok(client
        .upload_volume_file()
        .volume_id(volume)
        .body(form)
        .send())
    .await;
    let info = client.get_file_info().volume_id(volume).path("in/data.csv");
    let (sent, found) = (sent.data.unwrap(), ok(info.send()).await.data.unwrap());
    assert_eq!(found.size, Some(DATA.len() as i64));
    assert_eq!(found.etag, sent.etag);
}

/// The link takes what is sent with the method and the headers that come with it.
async fn upload_by_link(walk: &Walk, volume: &str) {
    let client = &walk.client;
    let body = types::CreateUploadUrlBody {
        content_type: Some("application/x-made-up".to_owned()),
        ..types::CreateUploadUrlBody::new("in/large.bin")
    };
    let link = ok(client
        .create_upload_url()
        .volume_id(volume)
        .body(body)
        .send())
    .await;
    let link = link.data.unwrap();
    walk.says(link.method, "PUT");
    let mut put = reqwest::Client::new().put(link.signed_url.unwrap().expose());
    for (name, value) in &link.headers {
        put = put.header(name, value.expose());
    }
    let sent = put.body(DATA).send().await.unwrap();
    assert!(sent.status().is_success(), "{sent:?}");
}

async fn download(walk: &Walk, volume: &str) {
    let client = &walk.client;
    for (path, kind) in [
        ("in/data.csv", "text/csv"),
        ("in/large.bin", "application/x-made-up"),
    ] {
        let link = client.get_download_url().volume_id(volume).path(path);
        let link = ok(link.send()).await.data.unwrap();
        assert_eq!(link.content_type.as_deref(), Some(kind));
        assert_eq!(follow(&link.signed_url.unwrap()).await, DATA);
        let redirect = client.get_download_url().volume_id(volume).path(path);
        let redirect = ok(redirect.redirect(BooleanText::True).send()).await;
        let link = redirect.data.unwrap().signed_url.unwrap();
        assert_eq!(follow(&link).await, DATA);
    }
}

/// Files are listed, page by page, and deleted.
async fn tidy(walk: &Walk, volume: &str) {
    let client = &walk.client;
    let body = types::CreateDirectoryBody::new("out");
    let made = ok(client
        .create_directory()
        .volume_id(volume)
        .body(body)
        .send())
    .await;
    assert_eq!(made.data.unwrap().path.as_deref(), Some("out"));
    let list = || {
        client
            .list_files()
            .volume_id(volume)
            .recursive(BooleanText::True)
    };
    let first = ok(list().limit("3").send()).await.data.unwrap();
    let rest = list().cursor(first.next_cursor.unwrap());
    let rest = ok(rest.send()).await.data.unwrap();
    let items = first.items.iter().chain(&rest.items);
    let found: Vec<&str> = items.filter_map(|item| item.path.as_deref()).collect();
    assert_eq!(found, ["in", "in/data.csv", "in/large.bin", "out"]);
    walk.says(first.items[0].type_.as_ref(), "directory");

    let delete = client.delete_files().volume_id(volume).path("in/data.csv");
    assert_eq!(ok(delete.send()).await.data.unwrap().deleted_count, Some(1));
    let delete = client.delete_files().volume_id(volume).prefix("in/");
    ok(delete.recursive(BooleanText::True).send()).await;
    let paths = ok(client.list_paths().volume_id(volume).send()).await;
    assert_eq!(paths.data.unwrap().items, ["out/"]);
}

/// What a session downloads is in its volume, shortly after.
async fn mount(walk: &Walk, volume: &str) {
    let client = &walk.client;
    let browser = types::BrowserConfig {
        volume: Some(types::BrowserConfigVolume::new(volume)),
        ..Default::default()
    };
    let session = walk.browser(browser).await;
    let body = types::NavigateRequestSchema::new("https://example.com/prices.csv");
    ok(client.goto().session_id(&session).body(body).send()).await;
    walk.passes(60_000);
    let path = "downloads/prices.csv";
    let info = client.get_file_info().volume_id(volume).path(path);
    let info = ok(info.send()).await.data.unwrap();
    assert_eq!(info.content_type.as_deref(), Some("text/csv"));
    ok(client.delete_session().session_id(&session).send()).await;
    let volume = ok(client.get_volume().volume_id(volume).send()).await;
    let used = volume.data.unwrap().last_used_at.unwrap();
    let millis = used.to_utc().unwrap().timestamp_millis();
    assert_eq!(millis, walk.emulator.now_millis());
}
