//! Extensions and certificates.

use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::Api;

const ZIP: &[u8] = b"PK\x03\x04 and the rest of an archive";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn form(name: &str, file_name: &str, bytes: &'static [u8]) -> Form {
    Form::new()
        .text("name", name.to_owned())
        .part("file", Part::bytes(bytes).file_name(file_name.to_owned()))
}

#[tokio::test]
async fn an_extension_comes_and_goes() {
    let api = Api::start().await;
    let made = api
        .form("/v1/extensions", form("blocker", "blocker.zip", ZIP))
        .await
        .ok();
    let id = made.text("/data/id");
    assert_eq!(made.at("/data/manifest/manifest_version"), 3);
    assert_eq!(
        api.get("/v1/extensions").await.ok().at("/data"),
        json!([made.at("/data")])
    );
    assert_eq!(
        api.get(&format!("/v1/extensions/{id}")).await.ok().json,
        made.at("/data"),
        "it has no envelope"
    );
    api.session(json!({ "browser": { "extensions": [id] } }))
        .await;
    let gone = api.delete(&format!("/v1/extensions/{id}")).await.ok();
    assert_eq!(gone.text("/data/data/status"), "success");
    api.get(&format!("/v1/extensions/{id}")).await.refused(404);
    api.delete(&format!("/v1/extensions/{id}"))
        .await
        .refused(404);
    let text = api
        .post("/v1/sessions", json!({ "browser": { "extensions": [id] } }))
        .await
        .refused(400);
    assert!(text.contains("browser.extensions"), "{text}");
}

#[tokio::test]
async fn bad_extensions_are_refused() {
    let api = Api::start().await;
    let cases = [
        (form("", "a.zip", ZIP), "body.name"),
        (form(&"ü".repeat(256), "a.zip", ZIP), "body.name"),
        (form("a", "a.zip", b""), "body.file"),
        (form("a", "a.zip", b"#!/bin/sh"), "ZIP"),
        (Form::new().text("name", "a"), "file"),
    ];
    for (form, part) in cases {
        let text = api.form("/v1/extensions", form).await.refused(400);
        assert!(text.contains(part), "{part}: {text}");
    }
    api.form("/v1/extensions", form(&"ü".repeat(255), "a.zip", ZIP))
        .await
        .ok();
    assert_eq!(api.get("/v1/extensions").await.ok().count("/data"), 1);
    api.get(&format!("/v1/extensions/{UNKNOWN}"))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_certificate_comes_and_goes() {
    let api = Api::start().await;
    let with_text = form("ca-1", "ca.PEM", b"cert").text("description", "of the office");
    let made = api.form("/v1/certificates", with_text).await.ok();
    assert_eq!(made.text("/data/description"), "of the office");
    let plain = api
        .form("/v1/certificates", form("ca_2", "ca.der", b"\x30"))
        .await
        .ok();
    assert_eq!(plain.at("/data/description"), json!(null));
    assert_eq!(
        api.get("/v1/certificates").await.ok().at("/data"),
        json!([made.at("/data"), plain.at("/data")])
    );
    api.delete("/v1/certificates/ca-1").await.ok();
    api.delete("/v1/certificates/ca-1").await.refused(404);
    api.form("/v1/certificates", form("ca-1", "ca.crt", b"cert"))
        .await
        .ok();
}

#[tokio::test]
async fn bad_certificates_are_refused() {
    let api = Api::start().await;
    api.form("/v1/certificates", form("taken", "a.cer", b"cert"))
        .await
        .ok();
    let bare = Form::new()
        .text("name", "a")
        .part("file", Part::bytes(b"cert".as_slice()));
    let cases = [
        (form("taken", "a.pem", b"cert"), 409, "taken"),
        (form("a b", "a.pem", b"cert"), 400, "name"),
        (form(&"a".repeat(256), "a.pem", b"cert"), 400, "name"),
        (form("a", "a.txt", b"cert"), 400, ".pem, .crt, .der, .cer"),
        (form("a", "a.pem", b""), 400, "body.file"),
        (
            form("a", "a.pem", b"cert").text("description", "x".repeat(1_001)),
            400,
            "description",
        ),
        (Form::new().text("name", "a"), 400, "file"),
        (bare, 400, "file"),
    ];
    for (form, status, part) in cases {
        let text = api.form("/v1/certificates", form).await.refused(status);
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(api.get("/v1/certificates").await.ok().count("/data"), 1);
}

#[tokio::test]
async fn files_that_find_no_room_leave_nothing_behind() {
    let builder = anchorbrowser_emulator::Emulator::builder()
        .manual_clock()
        .limits(|limits| limits.stored_bytes = 40);
    let api = Api::with(builder).await;
    let id = api
        .form("/v1/extensions", form("a", "a.zip", ZIP))
        .await
        .ok()
        .text("/data/id");
    let certificate = || form("a", "a.pem", b"twelve bytes");
    let request = api
        .request(reqwest::Method::POST, "/v1/certificates")
        .multipart(certificate());
    assert_eq!(request.send().await.unwrap().status(), 507);
    assert_eq!(api.get("/v1/certificates").await.ok().count("/data"), 0);
    api.delete(&format!("/v1/extensions/{id}")).await.ok();
    api.form("/v1/certificates", certificate()).await.ok();
}
