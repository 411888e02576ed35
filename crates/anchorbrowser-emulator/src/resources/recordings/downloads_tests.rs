use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::document::Document;
use crate::resources::sessions::{Origin, start};

fn session(configuration: &Value) -> (World, String) {
    let document = Document::embedded();
    let mut world = World::new(
        Arc::new(Config::default()),
        document,
        "http://h".to_owned(),
        Time::START,
    );
    let id = start(&mut world, configuration, Origin::default()).unwrap();
    (world, id)
}

#[test]
fn urls_are_made_strict() {
    for (url, strict) in [
        (
            "https://a.example/x y|z?q=[1]#part",
            Some("https://a.example/x%20y%7Cz?q=%5B1%5D"),
        ),
        (
            "https://user:secret@a.example/%41%zz%",
            Some("https://a.example/%41%25zz%25"),
        ),
        ("HTTPS://[::1]:8080/ü", Some("https://[::1]:8080/%C3%BC")),
        ("about:blank", Some("about:blank")),
        ("/relative", None),
        ("", None),
    ] {
        assert_eq!(uri(url).as_deref(), strict);
    }
}

#[test]
fn what_was_downloaded_comes_out_the_same() {
    let (mut world, session) = session(&json!({}));
    let bytes = Bytes::from(vec![0, 255, 10]);
    let mut add = |name: &str| {
        add_download(
            &mut world,
            &session,
            name,
            "https://a.example/r",
            bytes.clone(),
        )
        .unwrap()
    };
    let ids = [add("r.csv"), add("../r.csv"), add(".r"), add(".r")];
    let names = ids.map(|id| {
        let (name, _, stored) = download(&world, &id).unwrap();
        assert_eq!(stored, bytes);
        name
    });
    assert_eq!(names, ["r.csv", "r (1).csv", ".r", ".r (1)"]);
    assert!(download(&world, "made-up").is_none());
}

#[test]
fn a_url_that_is_a_file_is_downloaded() {
    let url = "https://a.example/files/my%20report.pdf?token=canary";
    for (configuration, count) in [
        (json!({}), 0),
        (
            json!({ "browser": { "pdf_viewer": { "active": false } } }),
            1,
        ),
        (
            json!({ "browser": { "pdf_viewer": { "active": false }, "p2p_download": { "active": true } } }),
            0,
        ),
    ] {
        let (mut world, session) = session(&configuration);
        downloaded(&mut world, &session, url);
        let ids = world.tables.downloads.ids(|_| true);
        assert_eq!(ids.len(), count, "{configuration}");
        for id in ids {
            let (name, content_type, bytes) = download(&world, &id).unwrap();
            assert_eq!(
                (name.as_str(), content_type.as_str()),
                ("my report.pdf", "application/pdf")
            );
            assert!(
                bytes.starts_with(b"%PDF") && !String::from_utf8_lossy(&bytes).contains("canary")
            );
        }
    }
}

#[test]
fn downloads_are_listed_as_the_document_says() {
    let (mut world, session) =
        session(&json!({ "session": { "initial_url": "https://a.example/x|y" } }));
    downloaded(
        &mut world,
        &session,
        "https://u:p@a.example/files/r.csv?q={1}",
    );
    let document = Arc::clone(&world.document);
    let operation = document
        .operation("GET /v1/sessions/{session_id}/downloads")
        .unwrap();
    let call = Call {
        operation,
        path: &[("session_id".to_owned(), session.clone())].into(),
        query: &[].into(),
        content: &crate::document::Content::None,
        key: "k",
    };
    let crate::answer::Body::Json(answer) = list(&mut world, &call).unwrap().body else {
        panic!()
    };
    let violations =
        operation.check_answer(200, Some("application/json"), answer.to_string().as_bytes());
    assert_eq!(violations, Vec::<String>::new());
    let item = &answer["data"]["items"][0];
    assert_eq!(
        item["original_download_url"],
        "https://a.example/files/r.csv?q=%7B1%7D"
    );
    assert_eq!(item["origin_url"], "https://a.example/x%7Cy");
    assert!(
        item["file_link"]
            .as_str()
            .unwrap()
            .starts_with("http://h/__emulator/downloads/")
    );
    crate::resources::sessions::end(&mut world, &session, "completed");
    assert_eq!(world.tables.downloads.len(), 1, "they outlive the session");
    let late = add_download(&mut world, &session, "a", "https://a.example", Bytes::new());
    assert_eq!(late.unwrap_err().status, 409);
}

#[test]
fn a_mounted_volume_gets_what_is_downloaded() {
    for (read_only, there) in [(false, true), (true, false)] {
        let (mut world, _) = session(&json!({}));
        let volume = volumes::ready(&mut world, "v");
        let configuration =
            json!({ "browser": { "volume": { "id": volume, "read_only": read_only } } });
        let session = start(&mut world, &configuration, Origin::default()).unwrap();
        add_download(
            &mut world,
            &session,
            "r.csv",
            "https://a.example/r",
            "x".into(),
        )
        .unwrap();
        assert_eq!(
            volumes::read(&world, &volume, "downloads/r.csv"),
            None,
            "not yet"
        );
        world.settle(Time::START.after(std::time::Duration::from_secs(60)));
        let file = volumes::read(&world, &volume, "downloads/r.csv");
        assert_eq!(
            file,
            there.then(|| Bytes::from("x")),
            "read_only {read_only}"
        );
    }
}

#[test]
fn made_up_files_are_of_their_kind() {
    let text = "a \"b\" <c>";
    assert!(content("x.png", text).starts_with(b"\x89PNG"));
    assert_eq!(
        serde_json::from_slice::<Value>(&content("x.json", text)).unwrap()["text"],
        text
    );
    assert_eq!(content("x.csv", text), "text\n\"a \"\"b\"\" <c>\"\n");
    assert!(String::from_utf8_lossy(&content("x.xml", text)).contains("&lt;c>"));
    assert_eq!(content("x.zip", text).len(), 22);
    assert_eq!(content("x.bin", text), format!("{text}\n"));
}
