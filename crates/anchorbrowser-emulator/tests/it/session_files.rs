//! Files for the pages and the agents of a session.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Api, Reply};

/// An archive with the empty files `a.txt` and `d/b.csv`, and the directory `d`.
fn zip() -> Vec<u8> {
    let (mut directory, names) = (Vec::new(), ["a.txt", "d/", "d/b.csv"]);
    for name in names {
        directory.extend(b"PK\x01\x02");
        directory.extend([0; 24]);
        directory.extend([u8::try_from(name.len()).unwrap(), 0]);
        directory.extend([0; 16]);
        directory.extend(name.as_bytes());
    }
    let size = u8::try_from(directory.len()).unwrap();
    directory.extend(b"PK\x05\x06\0\0\0\0");
    directory.extend([3, 0, 3, 0, size, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    directory
}

async fn send(api: &Api, path: &str, name: &str, bytes: &[u8]) -> Reply {
    let part = Part::bytes(bytes.to_vec()).file_name(name.to_owned());
    api.form(path, Form::new().part("file", part)).await
}

#[tokio::test]
async fn agents_get_files() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let path = format!("/v1/sessions/{id}/agent/files");
    assert_eq!(api.get(&path).await.ok().count("/data/files"), 0);
    for (name, bytes) in [
        ("a.bin", "one"),
        ("C:\\dir\\b.json", "{}"),
        ("a.bin", "three"),
    ] {
        assert_eq!(
            send(&api, &path, name, bytes.as_bytes())
                .await
                .ok()
                .text("/data/status"),
            "success"
        );
    }
    let upload = send(&api, &format!("/v1/sessions/{id}/uploads"), "c.txt", b"")
        .await
        .ok();
    assert!(upload.text("/data/message").ends_with("/uploads/c.txt"));
    let time = "2026-01-01T00:00:00.000Z";
    assert_eq!(
        api.get(&path).await.ok().at("/data/files"),
        json!([
            { "name": "a.bin", "size": 5, "type": "application/octet-stream", "lastModified": time },
            { "name": "b.json", "size": 2, "type": "application/json", "lastModified": time },
        ])
    );
}

#[tokio::test]
async fn archives_are_unpacked_for_agents_only() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let path = format!("/v1/sessions/{id}/agent/files");
    send(&api, &path, "all.ZIP", &zip()).await.ok();
    let files = api.get(&path).await.ok();
    assert_eq!(files.at("/data/files").as_array().unwrap().len(), 2);
    assert_eq!(files.text("/data/files/1/name"), "d/b.csv");
    assert_eq!(files.text("/data/files/1/type"), "text/csv");
    for bytes in [
        b"no archive".as_slice(),
        &[b"PK\x05\x06".as_slice(), &[0; 18]].concat(),
    ] {
        send(&api, &path, "all.zip", bytes).await.refused(400);
    }
    let escaping = String::from_utf8_lossy(&zip()).replace("a.txt", "../ab");
    send(&api, &path, "all.zip", escaping.as_bytes())
        .await
        .refused(400);
    send(
        &api,
        &format!("/v1/sessions/{id}/uploads"),
        "all.zip",
        b"no archive",
    )
    .await
    .ok();
    send(&api, &path, "all.docx", b"PK\x03\x04").await.ok();
    assert_eq!(api.get(&path).await.ok().count("/data/files"), 3);
}

#[tokio::test]
async fn a_file_and_a_running_session_are_needed() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let of = |id: &str| {
        [
            format!("/v1/sessions/{id}/agent/files"),
            format!("/v1/sessions/{id}/uploads"),
        ]
    };
    for path in of(&id) {
        send(&api, &path, "", b"").await.refused(400);
        send(&api, &path, "..", b"x").await.refused(400);
        api.form(&path, Form::new().text("other", "x"))
            .await
            .refused(400);
        send(&api, &path, "kept.txt", b"x").await.ok();
    }
    api.delete(&format!("/v1/sessions/{id}")).await.ok();
    for path in of(&id) {
        send(&api, &path, "late.txt", b"x").await.refused(400);
    }
    api.get(&of(&id)[0]).await.refused(400);
    for path in of("8b1b1f4e-54c3-4f0c-9a40-0d6f2f6c1e01") {
        send(&api, &path, "a.txt", b"x").await.refused(404);
    }
    api.get("/v1/sessions/8b1b1f4e-54c3-4f0c-9a40-0d6f2f6c1e01/agent/files")
        .await
        .refused(404);
}

#[tokio::test]
async fn names_of_files_are_read_in_all_the_ways_that_clients_write_them() {
    let api = Api::start().await;
    let id = api.session(json!({})).await;
    let path = format!("/v1/sessions/{id}/uploads");
    let cases = [
        (r#"filename="a.txt""#, "a.txt"),
        ("filename=a.txt", "a.txt"),
        ("filename=\"\u{fc}.txt\"", "\u{fc}.txt"),
        ("filename*=utf-8''%C3%BC%20%3B.txt", "\u{fc} ;.txt"),
        (
            r#"filename="=?utf-8?B?w7wudHh0?="; FileName*=UTF-8'en'%C3%BC.txt"#,
            "\u{fc}.txt",
        ),
        (
            r#"filename="a;filename*=utf-8''b.txt""#,
            "a;filename*=utf-8''b.txt",
        ),
        (r#"filename="a\";b.txt"; filename*=utf-8''c.txt"#, "c.txt"),
        (r#"filename="a.txt"; filename*=utf-8''%ff"#, "a.txt"),
        (r#"filename="a.txt"; filename*=utf-16''b.txt"#, "a.txt"),
        (r#"filename="a.txt"; filename*=b.txt"#, "a.txt"),
    ];
    for (name, expected) in cases {
        let body = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"file\"; {name}\r\n\r\nbytes\r\n--XX--\r\n"
        );
        let request = api
            .request(Method::POST, &path)
            .header("content-type", "multipart/form-data; boundary=\"XX\"")
            .body(body);
        let message = api.send(request).await.ok().text("/data/message");
        let expected = format!("/uploads/{expected}");
        assert!(message.ends_with(&expected), "{name}: {message}");
    }
}
