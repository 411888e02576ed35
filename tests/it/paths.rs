//! Values in paths and queries: they arrive as what they are, or nothing is sent.

use anchorbrowser_api::types::*;
use anchorbrowser_api::wire::{Joined, JsonText};
use anchorbrowser_api::{Client, Error, ErrorKind, ResponseValue};
use serde_json::json;

use crate::server::{Answer, Server};

/// The answer to whatever is asked here.
async fn server() -> Server {
    Server::always(Answer::json(200, "{}")).await
}

/// Undoes percent-encoding; on its own, to be a second witness.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().unwrap(), rest.next().unwrap()];
        let digits = std::str::from_utf8(&digits).unwrap();
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// Free texts of the API's paths: names that a user chose.
const VALUES: &[&str] = &[
    "plain",
    "two words",
    "a/b",
    "/",
    "a\\b",
    "..\\..",
    "50%",
    "%2e%2e",
    "%2F",
    "a?b=c",
    "a#b",
    "a;b",
    "a:b",
    "http://host/",
    "é",
    "名前",
    "🦀",
    "a+b",
    "a&b=c",
    "...",
    ".a",
    "~",
    "a\tb\nc",
    "\"{}|^`<>",
    "@",
    "*",
    " ",
];

#[tokio::test]
async fn a_path_value_arrives_as_one_segment() {
    let server = server().await;
    let client = server.client();
    for value in VALUES {
        client.get_profile().name(*value).send().await.unwrap();
        client
            .get_volume_by_name()
            .name(*value)
            .send()
            .await
            .unwrap();
        client
            .wait_for_event()
            .event_name(*value)
            .send()
            .await
            .unwrap();
        client
            .get_agent_access_appendix()
            .appendix_ref(*value)
            .send()
            .await
            .unwrap();
        client
            .get_session()
            .session_id(*value)
            .send()
            .await
            .unwrap();
        let version = client
            .get_task_execution()
            .task_id(*value)
            .execution_id(*value);
        version.send().await.unwrap();
    }
    let targets: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    for (targets, value) in targets.chunks(6).zip(VALUES) {
        for (target, template) in targets.iter().zip([
            "/v1/profiles/{}",
            "/v1/volumes/by-name/{}",
            "/v1/events/{}/wait",
            "/v1/agent-access/appendix/{}",
            "/v1/sessions/{}",
            "/v1/task/{}/executions/{}",
        ]) {
            assert!(!target.contains(['?', '#', '\\', ' ', ';']), "{target}");
            let found: Vec<&str> = target.split('/').collect();
            let expected: Vec<&str> = template.split('/').collect();
            assert_eq!(found.len(), expected.len(), "{target}");
            for (found, expected) in found.into_iter().zip(expected) {
                let expected = if expected == "{}" { value } else { expected };
                assert_eq!(decode(found), expected, "{target}");
            }
        }
    }
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let server = server().await;
    for base in ["/prefix", "/prefix/", "/a/b%20c//"] {
        let client = Client::builder()
            .base_url(server.url() + base)
            .api_key("k")
            .build()
            .unwrap();
        client.get_session().session_id("a/b").send().await.unwrap();
        let target = server.requests().pop().unwrap().target;
        assert_eq!(
            target,
            format!("{}/v1/sessions/a%2Fb", base.trim_end_matches('/'))
        );
        let refused = client
            .get_session()
            .session_id("..")
            .send()
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidRequest);
    }
    assert_eq!(server.requests().len(), 3);
}

fn assert_refused<T: std::fmt::Debug>(result: Result<ResponseValue<T>, Error>, value: &str) {
    let error = result.expect_err(value);
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{value}: {error}");
    assert!(error.status().is_none());
}

#[tokio::test]
async fn a_value_that_addresses_something_else_is_not_sent() {
    let server = server().await;
    let client = &server.client();
    for value in ["", ".", ".."] {
        assert_refused(client.get_profile().name(value).send().await, value);
        assert_refused(client.delete_profile().name(value).send().await, value);
        assert_refused(client.delete_volume().volume_id(value).send().await, value);
        assert_refused(client.delete_webhook().id(value).send().await, value);
        assert_refused(
            client.get_batch_session().batch_id(value).send().await,
            value,
        );
        assert_refused(
            client.wait_for_event().event_name(value).send().await,
            value,
        );
        let execution = client.get_task_execution().task_id("t").execution_id(value);
        assert_refused(execution.send().await, value);
        let execution = client.get_task_execution().task_id(value).execution_id("e");
        assert_refused(execution.send().await, value);
        let run = client
            .run_task_by_name()
            .task_name(value)
            .body(RunTaskByNameRequest::default());
        assert_refused(run.send().await, value);
    }
    for id in [
        "",
        ".",
        "..",
        "all",
        "ALL",
        "history",
        "async",
        "pending-interventions",
    ] {
        assert_refused(client.delete_session().session_id(id).send().await, id);
        assert_refused(client.get_session().session_id(id).send().await, id);
        assert_refused(client.copy().session_id(id).send().await, id);
        assert_refused(client.get_session_tags().session_id(id).send().await, id);
        assert_refused(
            client.get_session_screenshot().session_id(id).send().await,
            id,
        );
        assert_refused(client.pause_agent().session_id(id).send().await, id);
        assert_refused(client.list_agent_files().session_id(id).send().await, id);
        assert_refused(client.list_recordings().session_id(id).send().await, id);
        let paste = client
            .paste()
            .session_id(id)
            .body(PasteRequestSchema::new("t"));
        assert_refused(paste.send().await, id);
        let delete = client
            .delete_recording()
            .session_id(id)
            .recording_id("primary");
        assert_refused(delete.send().await, id);
    }
    for (task, version) in [
        ("t", "versions"),
        ("t", "executions"),
        ("run", "1"),
        ("t", ""),
    ] {
        let get = client
            .get_task_version()
            .task_id(task)
            .task_version(version);
        assert_refused(get.send().await, version);
        let delete = client
            .delete_task_version()
            .task_id(task)
            .task_version(version);
        assert_refused(delete.send().await, version);
    }
    for version in ["draft", "latest", "deploy"] {
        let publish = client
            .publish_task_version()
            .task_id("t")
            .task_version(version);
        assert_refused(
            publish.body(PublishVersionRequest::default()).send().await,
            version,
        );
    }
    assert_refused(
        client.get_volume().volume_id("by-name").send().await,
        "by-name",
    );
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[tokio::test]
async fn the_magic_words_of_the_api_are_sent() {
    let server = server().await;
    let client = server.client();
    client
        .delete_recording()
        .session_id("s")
        .recording_id("primary")
        .send()
        .await
        .unwrap();
    for version in ["draft", "latest", "12"] {
        client
            .get_task_version()
            .task_id("t")
            .task_version(version)
            .send()
            .await
            .unwrap();
        client
            .delete_task_version()
            .task_id("t")
            .task_version(version)
            .send()
            .await
            .unwrap();
    }
    let found: Vec<_> = server
        .requests()
        .into_iter()
        .map(|r| r.method + " " + &r.target)
        .collect();
    assert_eq!(
        found,
        [
            "DELETE /v1/sessions/s/recordings/primary",
            "GET /v1/task/t/draft",
            "DELETE /v1/task/t/draft",
            "GET /v1/task/t/latest",
            "DELETE /v1/task/t/latest",
            "GET /v1/task/t/12",
            "DELETE /v1/task/t/12",
        ]
    );
}

#[tokio::test]
async fn a_query_carries_lists_objects_and_any_text() {
    let server = server().await;
    let client = server.client();
    let query = || {
        let target = server.requests().pop().unwrap().target;
        // A plus is a space in a query.
        target
            .split_once('?')
            .map(|(_, query)| decode(&query.replace('+', " ")))
    };
    let metrics = [
        GetSessionsHistoryMetricsItem::SessionCount,
        "new_metric".into(),
    ];
    client
        .get_sessions_history()
        .metrics(Joined::from(metrics))
        .send()
        .await
        .unwrap();
    assert_eq!(query().as_deref(), Some("metrics=session_count,new_metric"));

    let identities = client.list_application_identities().application_id("a");
    let metadata = JsonText::from(json!({"team": "ü & co", "n": [1, null]}));
    identities
        .metadata(metadata)
        .search("50% + a=b")
        .send()
        .await
        .unwrap();
    let expected = r#"metadata={"n":[1,null],"team":"ü & co"}&search=50% + a=b"#;
    assert_eq!(query().as_deref(), Some(expected));
    assert!(
        server
            .requests()
            .pop()
            .unwrap()
            .target
            .contains("search=50%25+%2B+a%3Db")
    );

    client
        .list_sessions()
        .tags("a,b")
        .proxy(false)
        .page(2)
        .send()
        .await
        .unwrap();
    assert_eq!(query().as_deref(), Some("page=2&proxy=false&tags=a,b"));
    client
        .list_files()
        .volume_id("v")
        .recursive(BooleanText::False)
        .limit("5")
        .send()
        .await
        .unwrap();
    assert_eq!(query().as_deref(), Some("limit=5&recursive=false"));

    let before = server.requests().len();
    let metrics = vec!["a,b".into()];
    let history = client
        .get_sessions_history()
        .metrics(Joined(metrics))
        .send()
        .await;
    assert_refused(history, "a comma in a list");
    assert_eq!(server.requests().len(), before);
}
