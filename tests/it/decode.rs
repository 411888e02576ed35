//! Decoding survives an API that lives: what is new, missing or of another form than documented
//! loses no answer.

use anchorbrowser_api::ErrorKind;
use anchorbrowser_api::types::*;
use serde_json::{Value, json};

use crate::server::{Answer, Server};

/// Answers a call with this body, and gives what the call makes of it.
macro_rules! answered {
    ($body:expr, $($call:tt)+) => {{
        let server = Server::always(Answer::json(200, $body.to_string())).await;
        let client = server.client();
        client.$($call)+.send().await.unwrap().into_inner()
    }};
}

/// What is written again after it was read.
fn again(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[tokio::test]
async fn a_value_that_an_enum_does_not_know_comes_through() {
    let body = json!({"data": {"status": "paused", "progress": {"current_phase": "Zipping up"}}});
    let batch = answered!(body, get_batch_session().batch_id("b"));
    assert_eq!(again(&batch), body);
    let data = batch.data.unwrap();
    assert_eq!(data.status, Some(BatchStatus::Unknown("paused".to_owned())));

    let body = json!({"events": [{"event_type": "session.teleported", "status": ""}]});
    let events = answered!(body, list_webhook_events().id("w"));
    assert_eq!(again(&events), body);
    let event = &events.events[0];
    assert_eq!(event.event_type, Some("session.teleported".into()));
    assert_eq!(
        event.status.as_ref().map(|status| status.as_str()),
        Some("")
    );

    // Another case is another value: the API has `running` and `RUNNING`.
    let body = json!({"auth_status": "Authenticated", "method": "é"});
    let state = answered!(body, reauthenticate_identity().identity_id("i"));
    assert_eq!(again(&state), body);
    assert!(matches!(
        state.auth_status,
        Some(ReauthenticateIdentityResponseAuthStatus::Unknown(_))
    ));
}

#[tokio::test]
async fn fields_that_are_not_documented_are_ignored() {
    let body = json!({
        "data": {"id": "s", "cdp_url": "wss://x", "shard": {"a": [1]}, "": null},
        "trace": [1, {"b": 2}],
    });
    let created = answered!(body, create_session());
    assert_eq!(
        again(created),
        json!({"data": {"id": "s", "cdp_url": "wss://x"}})
    );
}

#[tokio::test]
async fn fields_that_are_documented_as_open_are_kept() {
    let manifest = json!({"name": "n", "icons": {"16": "a.png"}, "permissions": ["tabs"]});
    let body = json!({"data": [{"id": "e", "manifest": manifest}]});
    let extensions = answered!(body, list_extensions());
    assert_eq!(again(&extensions), body);
    let manifest = extensions.data[0].manifest.as_ref().unwrap();
    assert_eq!(manifest.extra["icons"], json!({"16": "a.png"}));
}

#[tokio::test]
async fn null_is_absence() {
    let body = json!({"data": {"session_id": null, "status": null, "tags": null, "steps": null,
        "created_at": null, "configuration": null}});
    let data = answered!(body, get_session().session_id("s")).data.unwrap();
    assert_eq!(
        (data.session_id, data.status, data.steps),
        (None, None, None)
    );
    assert_eq!(data.created_at, None);
    assert!(data.tags.is_empty());

    let data = answered!(json!({"data": {"sessions": null}}), list_sessions())
        .data
        .unwrap();
    assert!(data.sessions.is_empty());
    let metadata = answered!(json!({"metadata": null}), get_identity().identity_id("i")).metadata;
    assert!(metadata.is_empty());
    let tags = answered!(json!({"tags": null}), get_session_tags().session_id("s")).tags;
    assert!(tags.is_empty());
    assert!(
        answered!(json!({"data": null}), list_profiles())
            .data
            .is_none()
    );
}

#[tokio::test]
async fn an_id_may_be_any_text() {
    for id in [
        "sess_123456",
        "",
        "0",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "ü/ß",
    ] {
        let body = json!({"data": {"id": id}});
        let created = answered!(body, create_session());
        assert_eq!(created.data.unwrap().id.as_deref(), Some(id));
        let body = json!({"data": {"sessions": [{"id": id}]}});
        let listed = answered!(body, list_sessions());
        assert_eq!(listed.data.unwrap().sessions[0].id.as_deref(), Some(id));
    }
}

#[tokio::test]
async fn a_count_may_come_in_another_form() {
    for (sent, integer, number) in [
        ("40", Some(40), Some(40.0)),
        ("40.0", Some(40), Some(40.0)),
        (r#""40""#, Some(40), Some(40.0)),
        (r#"" 40.0 ""#, Some(40), Some(40.0)),
        ("4e1", Some(40), Some(40.0)),
        ("40.5", Some(40), Some(40.5)),
        ("-1", Some(-1), Some(-1.0)),
        (
            "18446744073709551616",
            Some(i64::MAX),
            Some(18_446_744_073_709_551_616.0),
        ),
        (r#""N/A""#, None, None),
        ("true", None, None),
        ("[40]", None, None),
        ("null", None, None),
    ] {
        let body = format!(r#"{{"data":{{"count":{sent}}}}}"#);
        let count = answered!(body, list_profiles()).data.unwrap().count;
        assert_eq!(count, integer, "{sent}");
        let count = answered!(body, get_session_pages().session_id("s"))
            .data
            .unwrap()
            .count;
        assert_eq!(count, number, "{sent}");
    }
}

#[tokio::test]
async fn a_time_may_come_in_another_form() {
    for (sent, utc) in [
        (json!("2026-01-02T03:04:05Z"), Some(1_767_323_045_000)),
        (
            json!("2026-01-02T04:04:05.25+01:00"),
            Some(1_767_323_045_250),
        ),
        (json!("2026-01-02T03:04:05"), Some(1_767_323_045_000)),
        (json!("2026-01-02 03:04:05.25"), Some(1_767_323_045_250)),
        (json!("2026-01-02"), Some(1_767_312_000_000)),
        (json!(1_767_323_045), Some(1_767_323_045_000)),
        (json!(1_767_323_045_250_i64), Some(1_767_323_045_250)),
        (json!(1_767_323_045.5), Some(1_767_323_045_500)),
        (json!("yesterday"), None),
        (json!(""), None),
    ] {
        let body = json!({"data": {"created_at": sent}});
        let answer = answered!(body, get_session().session_id("s"));
        assert_eq!(again(&answer), body);
        let time = answer.data.unwrap().created_at.unwrap().to_utc();
        assert_eq!(time.map(|time| time.timestamp_millis()), utc, "{sent}");
    }
}

#[tokio::test]
async fn an_object_of_no_known_shape_is_kept() {
    for odd in [
        json!({"answer": 1}),
        json!([1]),
        json!("done"),
        json!({"status": "queued"}),
    ] {
        let body = json!({"data": odd});
        let run = answered!(
            body,
            perform_web_task().body(PerformWebTaskRequestSchema::new("p"))
        );
        assert!(
            matches!(&run.data, Some(PerformWebTaskResponseSchemaData::Unknown(v)) if *v == odd)
        );
        assert_eq!(again(run), body);
        let status = answered!(body, get_perform_web_task_status().workflow_id("w"));
        assert!(matches!(
            &status.data,
            Some(PerformWebTaskStatusResponseSchemaData::Unknown(_))
        ));
        assert_eq!(again(status), body);
    }
    for odd in [
        json!({"type": "puzzle", "pieces": 3}),
        json!({}),
        json!({"type": null}),
    ] {
        let body = json!({"view": odd});
        let state = answered!(body, get_dynamic_auth_flow_state().session_id("s"));
        assert!(matches!(&state.view, Some(AuthFlowV2View::Unknown(v)) if *v == odd));
        assert_eq!(again(state), body);
        let start = AuthFlowV2StartRequest::new("h", "u");
        let view = answered!(odd, start_dynamic_auth_flow().session_id("s").body(start));
        assert_eq!(again(view), odd);
    }
}

#[tokio::test]
async fn the_shapes_of_a_web_task_are_told_apart() {
    type Start = PerformWebTaskResponseSchemaData;
    type State = PerformWebTaskStatusResponseSchemaData;
    let run = |data: Value| async move {
        let request = PerformWebTaskRequestSchema::new("p");
        answered!(json!({"data": data}), perform_web_task().body(request))
            .data
            .unwrap()
    };
    let started = run(json!({"status": "running", "workflow_id": "w"})).await;
    assert!(matches!(started, Start::Running(data) if data.workflow_id.as_deref() == Some("w")));
    for result in [json!({"a": 1}), json!("text"), json!([1]), json!(false)] {
        let done = run(json!({"result": result})).await;
        let Start::PerformWebTaskSyncResponseData(data) = done else {
            panic!("{done:?}")
        };
        assert_eq!(data.result, Some(result));
    }

    let state = |data: Value| async move {
        let body = json!({"data": data});
        answered!(body, get_perform_web_task_status().workflow_id("w"))
            .data
            .unwrap()
    };
    assert!(matches!(
        state(json!({"status": "RUNNING"})).await,
        State::Running(_)
    ));
    let done = state(json!({"status": "COMPLETED", "result": {"a": 1}, "sessionId": "s"})).await;
    assert!(matches!(done, State::Completed(data) if data.session_id.as_deref() == Some("s")));
    let failed = state(json!({"status": "FAILED", "error": "e"})).await;
    assert!(matches!(failed, State::Failed(data) if data.error.as_deref() == Some("e")));
    // The status tells, not what else is there.
    let failed = state(json!({"status": "FAILED", "result": {}, "error": "e"})).await;
    assert!(matches!(failed, State::Failed(_)));
}

#[tokio::test]
async fn credits_are_a_number_a_text_or_something_else() {
    type Credits = SessionHistoryPageItemUsedCredits;
    let credits = |sent: Value| async move {
        let body = json!({"data": {"sessions": [{"used_credits": sent}]}});
        let page = answered!(body, list_sessions());
        assert_eq!(again(&page)["data"]["sessions"][0]["used_credits"], sent);
        page.data.unwrap().sessions[0].used_credits.clone().unwrap()
    };
    assert!(matches!(credits(json!(1.5)).await, Credits::Number(1.5)));
    assert!(matches!(credits(json!("0.25")).await, Credits::String(text) if text == "0.25"));
    assert!(matches!(credits(json!("N/A")).await, Credits::String(text) if text == "N/A"));
    assert!(matches!(
        credits(json!({"v": 1})).await,
        Credits::Unknown(_)
    ));
}

/// What a proxy decodes as, in both answers that hold one.
async fn proxy(sent: &Value) -> ProxyConfig {
    let body = json!({"data": {"browserConfiguration": {"proxy": sent}}});
    let version = answered!(body, get_task_version().task_id("t").task_version("1"));
    assert_eq!(again(&version), body);
    let body = json!({"data": {"tasks": [{"browserConfiguration": {"proxy": sent}}]}});
    let tasks = answered!(body, list_tasks());
    assert_eq!(again(&tasks), body);
    version
        .data
        .unwrap()
        .browser_configuration
        .unwrap()
        .proxy
        .unwrap()
}

#[tokio::test]
async fn a_proxy_is_of_the_kind_that_its_type_says() {
    let custom = json!({"active": true, "type": "custom", "server": "s", "username": "u",
        "password": "p"});
    let ProxyConfig::Custom(found) = proxy(&custom).await else {
        panic!("no custom proxy")
    };
    assert_eq!((found.server.as_str(), found.password.expose()), ("s", "p"));

    for anchor in [
        json!({"active": true}),
        json!({"active": false, "type": "anchor_proxy", "country_code": "no"}),
        json!({"active": true, "type": "anchor_proxy", "country_code": "xx"}),
    ] {
        assert!(
            matches!(proxy(&anchor).await, ProxyConfig::AnchorProxy(_)),
            "{anchor}"
        );
    }
    for unknown in [
        json!({"active": true, "type": "anchor_residential"}),
        json!({"active": true, "type": "tor", "server": "s", "username": "u", "password": "p"}),
        // A custom proxy without its password must not pass for one of Anchor's.
        json!({"active": true, "type": "custom", "server": "s"}),
        json!({"type": "anchor_proxy"}),
        json!({}),
    ] {
        let found = proxy(&unknown).await;
        assert!(
            matches!(&found, ProxyConfig::Unknown(kept) if *kept == unknown),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn an_extension_may_come_in_an_envelope_or_without() {
    let extension = json!({"id": "e", "name": "n"});
    let wrapped = json!({"data": extension});
    let found = answered!(wrapped, get_extension().id("e"));
    assert_eq!(again(&found), wrapped);
    let GetExtensionResponse::ExtensionResponse(found) = found else {
        panic!("{found:?}")
    };
    assert_eq!(found.data.unwrap().id.as_deref(), Some("e"));

    let found = answered!(extension, get_extension().id("e"));
    assert_eq!(again(&found), extension);
    let GetExtensionResponse::ExtensionResponseSchema(found) = found else {
        panic!("{found:?}")
    };
    assert_eq!(found.id.as_deref(), Some("e"));
}

#[tokio::test]
async fn the_status_of_a_recording_may_stand_deeper() {
    for body in [
        json!({"data": {"data": {"status": "success"}}}),
        json!({"data": {"status": "success"}}),
    ] {
        let answer = answered!(body, pause_recording().session_id("s"));
        assert_eq!(again(answer), body);
        let answer = answered!(body, resume_recording().session_id("s"));
        assert_eq!(again(answer), body);
        let answer = answered!(body, delete_extension().id("e"));
        assert_eq!(again(answer), body);
    }
    for body in [
        json!({"data": {"status": "success"}}),
        json!({"status": "success"}),
    ] {
        let answer = answered!(body, delete_session().session_id("s"));
        assert_eq!(again(answer), body);
    }
}

#[tokio::test]
async fn a_list_in_place_of_an_object_is_not_lost() {
    for body in [r#"[{"id":"p"}]"#, r#"{"data":[{"id":"p"}]}"#] {
        let server = Server::always(Answer::json(200, body)).await;
        let client = server.client();
        match client.get_session_pages().session_id("s").send().await {
            Ok(pages) => assert_eq!(again(&*pages)["data"]["items"][0]["id"], "p", "{body}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Decode),
        }
    }
}

#[tokio::test]
async fn a_body_is_read_in_spite_of_its_wrapping() {
    for (body, id) in [
        (&b"{\"data\":{\"id\":\"s\"}}"[..], Some("s")),
        (b"\xEF\xBB\xBF{\"data\":{\"id\":\"s\"}}", Some("s")),
        (b"\r\n {\"data\":{\"id\":\"s\"}} \n", Some("s")),
        // Of a name that is there twice, the last counts.
        (b"{\"data\":{\"id\":\"r\",\"id\":\"s\"}}", Some("s")),
        (b"{\"data\":null,\"data\":{\"id\":\"s\"}}", Some("s")),
        (b"", None),
        (b" \n", None),
        (b"null", None),
        (b"{}", None),
    ] {
        // Whatever the header says of it.
        for content_type in ["application/json", "text/html", "application/problem+json"] {
            let answer = Answer::new(200, &[("content-type", content_type)], body);
            let server = Server::always(answer).await;
            let created = server
                .client()
                .create_session()
                .send()
                .await
                .unwrap()
                .into_inner();
            let found = created.data.and_then(|data| data.id);
            assert_eq!(found.as_deref(), id, "{}", String::from_utf8_lossy(body));
        }
    }
}

#[tokio::test]
async fn another_success_than_the_documented_one_is_a_success() {
    for status in [200, 201, 202, 203, 206, 299] {
        let server = Server::always(Answer::json(status, r#"{"data":{"id":"s"}}"#)).await;
        let created = server.client().create_session().send().await.unwrap();
        assert_eq!(created.status().as_u16(), status);
        assert_eq!(created.data.as_ref().unwrap().id.as_deref(), Some("s"));
    }
    let server = Server::always(Answer::new(204, &[], "")).await;
    let client = server.client();
    let deleted = client
        .delete_session()
        .session_id("s")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (deleted.status().as_u16(), again(deleted.into_inner())),
        (204, json!({}))
    );
    let created = client
        .create_webhook()
        .body(WebhookCreateRequest::new("u", vec![]));
    assert_eq!(created.send().await.unwrap().status(), 204);
}
