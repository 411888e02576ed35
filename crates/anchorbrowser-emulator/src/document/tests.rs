#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::*;

mod forms;
mod reading;
mod requests;

/// A request as a test writes it.
#[derive(Default)]
struct Sent<'a> {
    path: &'a [(&'a str, &'a str)],
    query: Option<&'a str>,
    headers: &'a [(&'static str, &'a str)],
    kind: Option<&'a str>,
    body: &'a [u8],
}

fn check(document: &Document, name: &str, sent: &Sent<'_>) -> Checked {
    let operation = document.operation(name).expect(name);
    let path = sent
        .path
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut headers = HeaderMap::new();
    for (name, value) in sent
        .headers
        .iter()
        .copied()
        .chain(sent.kind.map(|kind| ("content-type", kind)))
    {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let body = Bytes::copy_from_slice(sent.body);
    operation.check(&RawRequest {
        path: &path,
        query: sent.query,
        headers: &headers,
        body: &body,
    })
}

fn told(checked: &Checked) -> Vec<String> {
    checked.violations.iter().map(ToString::to_string).collect()
}

fn json_body(name: &str, body: &Value) -> Vec<String> {
    let body = body.to_string();
    let sent = Sent {
        kind: Some("application/json"),
        body: body.as_bytes(),
        ..Sent::default()
    };
    told(&check(&Document::embedded(), name, &sent))
}

fn query(name: &str, query: &str) -> Checked {
    check(
        &Document::embedded(),
        name,
        &Sent {
            query: Some(query),
            ..Sent::default()
        },
    )
}

fn small(paths: &str, schemas: &str) -> String {
    format!("openapi: 3.1.0\npaths:\n{paths}\ncomponents:\n  schemas:\n{schemas}\n")
}

#[test]
fn the_embedded_document_can_be_used_as_a_whole() {
    let document = Document::load(EMBEDDED).unwrap();
    document.check_schemas().unwrap();
    assert_eq!(document.operations().len(), 136);
    for (index, operation) in document.operations().iter().enumerate() {
        assert_eq!(operation.index(), index);
        assert!(std::ptr::eq(
            document.operation(operation.id()).unwrap(),
            operation
        ));
        assert!(std::ptr::eq(
            document.operation(operation.key()).unwrap(),
            operation
        ));
    }
    assert_eq!(Document::embedded().operations().len(), 136);
    let open = document
        .operations()
        .iter()
        .filter(|operation| !operation.needs_key());
    assert!(
        open.clone()
            .all(|operation| operation.path().starts_with("/v1/agent-access"))
    );
    assert_eq!(open.count(), 4);
}

#[test]
fn names_come_from_the_overlay_or_the_document() {
    let document = Document::embedded();
    for (name, key) in [
        ("create_session", "POST /v1/sessions"),
        ("create_webhook", "POST /v1/webhooks"),
        ("send_webhook_test_event", "POST /v1/webhooks/{id}/test"),
        (
            "create_directory",
            "POST /v1/volumes/{volume_id}/directories",
        ),
    ] {
        assert_eq!(document.operation(name).unwrap().key(), key);
    }
    assert!(
        document
            .operations()
            .iter()
            .all(|operation| !operation.id().contains("_by_session_id"))
    );
}

#[test]
fn fixed_parts_of_paths_go_first() {
    let document = Document::embedded();
    let table: &[(&str, &str, &str)] = &[
        ("DELETE", "/v1/sessions/all", "delete_all_sessions"),
        ("DELETE", "/v1/sessions/s1", "delete_session session_id=s1"),
        ("GET", "/v1/sessions/history", "get_sessions_history"),
        (
            "GET",
            "/v1/sessions/pending-interventions",
            "list_pending_interventions",
        ),
        ("GET", "/v1/sessions/all", "get_session session_id=all"),
        ("GET", "/v1/task/t/versions", "list_task_versions taskId=t"),
        (
            "GET",
            "/v1/task/t/latest",
            "get_latest_task_version taskId=t",
        ),
        (
            "GET",
            "/v1/task/t/3",
            "get_task_version taskId=t taskVersion=3",
        ),
        ("POST", "/v1/task/t/draft", "save_task_draft taskId=t"),
        (
            "POST",
            "/v1/task/t/3",
            "publish_task_version taskId=t taskVersion=3",
        ),
        (
            "POST",
            "/v1/task/run/name",
            "run_task_by_name taskName=name",
        ),
        ("POST", "/v1/task/run", "run_adhoc_task"),
        (
            "GET",
            "/v1/volumes/by-name/files",
            "get_volume_by_name name=files",
        ),
        ("GET", "/v1/volumes/v/files", "list_files volume_id=v"),
        (
            "DELETE",
            "/v1/sessions/s/recordings/pause",
            "delete_recording recording_id=pause session_id=s",
        ),
        (
            "GET",
            "/v1/profiles/a%2Fb%20%C3%A9%2541",
            "get_profile name=a/b é%41",
        ),
        ("GET", "/v1/profiles/a+b", "get_profile name=a+b"),
        ("GET", "/v1/sess%69ons", "list_sessions"),
        ("PUT", "/v1/sessions/s", "405 DELETE GET"),
        ("HEAD", "/v1/sessions", "405 GET POST"),
        ("GET", "/v1/sessions/s/recordings/pause", "405 DELETE POST"),
        ("GET", "/v1/sessions/", "404"),
        ("GET", "/v1/profiles/x/", "404"),
        ("GET", "/v1/sessions//pages", "404"),
        ("GET", "//v1/sessions", "404"),
        ("GET", "v1/sessions", "404"),
        ("GET", "*", "404"),
        ("GET", "/", "404"),
        ("GET", "/v1/profiles/%zz", "malformed"),
        ("GET", "/v1/profiles/%f", "malformed"),
        ("GET", "/v1/profiles/%", "malformed"),
        ("GET", "/v1/profiles/%FF", "malformed"),
    ];
    for (method, path, expected) in table {
        let found = match document.route(&method.parse().unwrap(), path) {
            Route::Found { operation, path } => {
                let values = path.iter().map(|(name, value)| format!(" {name}={value}"));
                std::iter::once(operation.id().to_owned())
                    .chain(values)
                    .collect()
            }
            Route::Method { allow } => {
                let mut allow: Vec<String> = allow.iter().map(ToString::to_string).collect();
                allow.sort();
                format!("405 {}", allow.join(" "))
            }
            Route::None => "404".to_owned(),
            Route::Malformed(_) => "malformed".to_owned(),
        };
        assert_eq!(found, *expected, "{method} {path}");
    }
}

#[test]
fn parts_of_paths_may_mix_text_and_template() {
    let paths = "  /f/{name}.json: {get: {}}\n  /f/{name}: {get: {}}\n  /f/x.json: {get: {}}";
    let document = Document::parse(&small(paths, "    A: {}")).unwrap();
    for (path, expected) in [
        ("/f/x.json", "get_f_x_json"),
        ("/f/y.json", "get_f_by_name_json"),
        ("/f/.json", "get_f_by_name"),
    ] {
        match document.route(&Method::GET, path) {
            Route::Found { operation, .. } => assert_eq!(operation.id(), expected),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn statuses_of_faults_are_the_documented_ones() {
    use RequestFault::{Body, ContentType, Key, NotFound, Parameter, TooLarge};
    let document = Document::embedded();
    for (name, fault, expected) in [
        ("create_session", Key, 401),
        ("create_session", Body, 400),
        ("create_session", ContentType, 400),
        ("create_session", NotFound, 400),
        ("reauthenticate_identity", Body, 422),
        ("upload_volume_file", TooLarge, 413),
        ("create_session", TooLarge, 400),
        ("delete_all_sessions", Parameter, 400),
        ("delete_all_sessions", ContentType, 415),
        ("delete_all_sessions", TooLarge, 413),
        ("get_session", NotFound, 404),
        ("list_profiles", NotFound, 404),
    ] {
        assert_eq!(
            document.operation(name).unwrap().status(fault),
            expected,
            "{name} {fault:?}"
        );
    }
    for (name, expected) in [
        ("create_session", 200),
        ("create_webhook", 201),
        ("send_webhook_test_event", 202),
        ("get_download_url", 200),
    ] {
        assert_eq!(
            document.operation(name).unwrap().success(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn error_bodies_have_the_documented_shape() {
    let document = Document::embedded();
    for operation in document.operations() {
        let statuses = operation
            .answers()
            .iter()
            .map(Reply::status)
            .filter(|status| *status >= 400);
        for status in statuses {
            let body = operation.error_body(status, "It went wrong.");
            let bytes = body
                .as_ref()
                .map(|body| body.to_string().into_bytes())
                .unwrap_or_default();
            let found = operation.check_answer(status, Some("application/json"), &bytes);
            assert_eq!(
                found,
                Vec::<String>::new(),
                "{} {status} {body:?}",
                operation.key()
            );
            if let Some(body) = body {
                assert!(
                    body.to_string().contains("It went wrong."),
                    "{} {status} {body}",
                    operation.key()
                );
            }
        }
    }
    let shape = |name: &str, status| document.operation(name).unwrap().error_body(status, "m");
    let code = |status: u16| json!({"error": {"code": status, "message": "m"}});
    for (name, status, expected) in [
        ("create_session", 400, Some(code(400))),
        ("create_session", 503, Some(code(503))),
        ("delete_all_sessions", 500, Some(code(500))),
        ("goto", 400, Some(code(400))),
        ("goto", 404, Some(json!({ "error": code(404) }))),
        ("pause_recording", 429, Some(json!({ "error": code(429) }))),
        ("create_page_pdf", 400, Some(json!({"error": "m"}))),
        ("fetch_webpage", 402, Some(json!({"error": "m"}))),
        ("fetch_webpage", 429, Some(code(429))),
        ("mouse_click", 400, None),
        ("mouse_click", 429, None),
        ("create_webhook", 400, Some(json!({"error": "m"}))),
        (
            "get_agent_access_guide",
            429,
            Some(json!({
                "error": "m", "docs": "https://example.com/docs",
                "next": {"method": "GET", "path": "/v1/agent-access", "description": "m"},
            })),
        ),
    ] {
        assert_eq!(shape(name, status), expected, "{name} {status}");
    }
}

#[test]
fn answers_are_held_against_the_document() {
    let document = Document::embedded();
    let json = Some("application/json; charset=utf-8");
    type Row<'a> = (&'a str, u16, Option<&'a str>, &'a str, &'a [&'a str]);
    let table: &[Row<'_>] = &[
        (
            "list_profiles",
            200,
            json,
            r#"{"data":{"count":1,"items":[]}}"#,
            &[],
        ),
        (
            "list_profiles",
            200,
            json,
            r#"{"data":{"count":"1"}}"#,
            &["body.data.count must be an integer"],
        ),
        (
            "list_profiles",
            200,
            json,
            "{",
            &["body is not valid JSON: it ends too early, at line 1 column 1"],
        ),
        ("list_profiles", 200, json, "", &["body is empty"]),
        (
            "list_profiles",
            200,
            Some("text/html"),
            "<p>",
            &["header content-type is not documented; documented is application/json"],
        ),
        (
            "list_profiles",
            200,
            None,
            "{}",
            &["header content-type is missing; documented is application/json"],
        ),
        (
            "list_profiles",
            201,
            json,
            "{}",
            &["status 201 is not documented for GET /v1/profiles"],
        ),
        ("list_profiles", 503, Some("text/html"), "<p>", &[]),
        ("get_session_screenshot", 200, Some("image/png"), "x", &[]),
        (
            "get_session_screenshot",
            200,
            Some("image/png"),
            "",
            &["body is empty"],
        ),
        ("mouse_click", 404, None, "", &[]),
        (
            "mouse_click",
            404,
            json,
            "{}",
            &["status 404 is documented without a body"],
        ),
        ("get_download_url", 302, None, "", &[]),
        ("fetch_webpage", 200, json, "[1]", &[]),
    ];
    for (name, status, kind, body, expected) in table {
        let found = document
            .operation(name)
            .unwrap()
            .check_answer(*status, *kind, body.as_bytes());
        assert_eq!(found, *expected, "{name} {status} {body}");
    }
}
