//! Bodies of requests, byte by byte, where absence, `null` and emptiness differ.

use anchorbrowser_api::types::*;
use anchorbrowser_api::wire::Nullable;

use crate::server::{Answer, Request, Server};

/// What a call sends.
macro_rules! sent {
    ($($call:tt)+) => {{
        let server = Server::always(Answer::json(200, "{}")).await;
        let client = server.client();
        client.$($call)+.send().await.unwrap();
        server.request()
    }};
}

fn assert_json(request: &Request, body: &str) {
    assert_eq!(request.text(), body, "{}", request.target);
    assert_eq!(
        request.header("content-type"),
        Some("application/json"),
        "{}",
        request.target
    );
}

fn assert_none(request: &Request) {
    assert_eq!(request.length, 0, "{}", request.target);
    assert_eq!(request.header("content-type"), None, "{}", request.target);
    assert!(!request.chunked);
    // A POST may say that it has no body; nothing else can be meant.
    let length = request.header("content-length");
    assert!(
        matches!(length, None | Some("0")),
        "{}: {length:?}",
        request.target
    );
}

#[tokio::test]
async fn null_clears_a_description_and_absence_keeps_it() {
    let update = |description: Option<Nullable<String>>| async move {
        let body = WebhookUpdateRequest {
            description,
            ..Default::default()
        };
        sent!(update_webhook().id("w").body(body))
    };
    assert_json(&update(None).await, "{}");
    assert_json(
        &update(Some(Nullable::Null)).await,
        r#"{"description":null}"#,
    );
    assert_json(&update(Some("d".into())).await, r#"{"description":"d"}"#);
    assert_json(&update(Some("".into())).await, r#"{"description":""}"#);
}

#[tokio::test]
async fn an_empty_list_is_sent_and_an_absent_one_is_not() {
    let update = |methods| async move {
        let body = UpdateAuthFlowRequest {
            methods,
            ..Default::default()
        };
        sent!(
            update_auth_flow()
                .application_id("a")
                .auth_flow_id("f")
                .body(body)
        )
    };
    assert_json(&update(None).await, "{}");
    assert_json(&update(Some(vec![])).await, r#"{"methods":[]}"#);
    assert_json(
        &update(Some(vec![AuthMethod::Custom])).await,
        r#"{"methods":["custom"]}"#,
    );

    let tags = PutSessionTags::new(vec![]);
    assert_json(
        &sent!(put_session_tags().session_id("s").body(tags)),
        r#"{"tags":[]}"#,
    );
    let session = SessionConfig {
        tags: Some(vec![]),
        ..Default::default()
    };
    let body = SessionCreateRequestSchema {
        session: Some(session),
        ..Default::default()
    };
    assert_json(
        &sent!(create_session().body(body)),
        r#"{"session":{"tags":[]}}"#,
    );
}

#[tokio::test]
async fn a_required_body_without_required_fields_is_an_empty_object() {
    let update = UpdateAuthFlowRequest::default();
    assert_json(
        &sent!(
            update_auth_flow()
                .application_id("a")
                .auth_flow_id("f")
                .body(update)
        ),
        "{}",
    );
    let update = UpdateIdentityRequest::default();
    assert_json(
        &sent!(update_identity().identity_id("i").body(update)),
        "{}",
    );
    assert_json(
        &sent!(screenshot_webpage().body(ScreenshotRequestSchema::default())),
        "{}",
    );
    let click = MouseSingleClickRequestSchema::default();
    assert_json(&sent!(mouse_click().session_id("s").body(click)), "{}");
    let retry = BatchSessionRetryRequestSchema::default();
    assert_json(
        &sent!(retry_batch_session().batch_id("b").body(retry)),
        "{}",
    );
    let run = RunTaskByNameRequest::default();
    assert_json(&sent!(run_task_by_name().task_name("t").body(run)), "{}");
    let update = UpdateTaskMetadataRequest::default();
    assert_json(&sent!(update_task().task_id("t").body(update)), "{}");
    let publish = PublishVersionRequest::default();
    assert_json(
        &sent!(deploy_task().task_id("t").body(publish.clone())),
        "{}",
    );
    assert_json(
        &sent!(
            publish_task_version()
                .task_id("t")
                .task_version("1")
                .body(publish)
        ),
        "{}",
    );
    assert_json(
        &sent!(
            update_webhook()
                .id("w")
                .body(WebhookUpdateRequest::default())
        ),
        "{}",
    );
}

#[tokio::test]
async fn an_optional_body_may_be_left_out() {
    assert_none(&sent!(create_session()));
    assert_none(&sent!(create_session_async()));
    assert_none(&sent!(wait_for_event().event_name("e")));
    assert_none(&sent!(reauthenticate_identity().identity_id("i")));
    assert_none(&sent!(finalize_dynamic_auth_flow().session_id("s")));
    // One that says nothing is none.
    assert_none(&sent!(
        create_session().body(SessionCreateRequestSchema::default())
    ));

    let body = WaitForEventRequestSchema {
        timeout_ms: Some(5),
    };
    assert_json(
        &sent!(wait_for_event().event_name("e").body(body)),
        r#"{"timeoutMs":5}"#,
    );
    let body = ReauthenticateIdentityRequest { sync: Some(false) };
    assert_json(
        &sent!(reauthenticate_identity().identity_id("i").body(body)),
        r#"{"sync":false}"#,
    );
}

#[tokio::test]
async fn an_operation_without_a_body_sends_none() {
    assert_none(&sent!(copy().session_id("s")));
    assert_none(&sent!(pause_recording().session_id("s")));
    assert_none(&sent!(resume_recording().session_id("s")));
    assert_none(&sent!(pause_agent().session_id("s")));
    assert_none(&sent!(resume_agent().session_id("s")));
    assert_none(&sent!(rotate_webhook_secret().id("w")));
    assert_none(&sent!(get_session().session_id("s")));
    assert_none(&sent!(delete_session().session_id("s")));
}

#[tokio::test]
async fn what_was_not_set_is_not_sent() {
    // The document has defaults for all of these; they are the server's to apply.
    let task = PerformWebTaskRequestSchema::new("p");
    assert_json(&sent!(perform_web_task().body(task)), r#"{"prompt":"p"}"#);
    let proxy = ProxyConfig::from(AnchorProxy::new(true));
    let session = SessionConfig {
        proxy: Some(proxy),
        ..Default::default()
    };
    let body = SessionCreateRequestSchema {
        session: Some(session),
        ..Default::default()
    };
    let expected = r#"{"session":{"proxy":{"active":true}}}"#;
    assert_json(&sent!(create_session().body(body)), expected);
    assert_eq!(sent!(list_sessions()).target, "/v1/sessions");
    assert_eq!(sent!(get_sessions_history()).target, "/v1/sessions/history");
}
