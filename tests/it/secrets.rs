//! Nothing prints a secret: canaries are planted wherever one may be, and looked for in all that
//! is printed.

use std::error::Error as _;
use std::fmt::Debug;

use anchorbrowser_api::types::*;
use anchorbrowser_api::{Client, Error, ResponseValue};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server::{Answer, KEY, Server};

/// Begins like [`KEY`], so that one search finds both.
const CANARY: &str = "canary-5ae0c2";

fn assert_clean(text: &str) {
    assert!(!text.contains("canary"), "{text}");
}

fn assert_debug_clean(value: &impl Debug) {
    assert_clean(&format!("{value:?} {value:#?}"));
}

/// All that an error prints, its causes included.
fn assert_error_clean(error: &Error) {
    assert_clean(&format!(
        "{error} {error:?} {error:#?} {:?}",
        error.error_body()
    ));
    let mut source = error.source();
    while let Some(cause) = source {
        assert_clean(&format!("{cause} {cause:?}"));
        source = cause.source();
    }
}

#[tokio::test]
async fn errors_print_no_key_header_or_body() {
    let canary_body = format!(r#"{{"token":"{CANARY}","error":{{"trace":"{CANARY}"}}}}"#);
    let headers = [
        ("set-cookie", CANARY),
        ("location", CANARY),
        ("x-trace", CANARY),
    ];
    let repeated = format!(r#"{{"error":{{"code":401,"message":"key {KEY} and {CANARY}-own"}}}}"#);
    let answers = [
        Answer::new(400, &headers, &canary_body),
        Answer::new(401, &headers, repeated),
        Answer::new(302, &headers[..1], &canary_body),
        Answer::new(500, &headers, format!("<html><title>t</title>{CANARY}")),
        Answer::new(500, &headers, format!(r#"{{"token":"{CANARY}","#)),
        Answer::new(
            500,
            &headers,
            format!("<?xml version=\"1.0\"?><Signature>{CANARY}</Signature>"),
        ),
        Answer::cut(500, &canary_body),
        Answer::cut(200, &canary_body),
        Answer::new(200, &headers, CANARY),
        Answer::new(
            200,
            &headers,
            format!(r#"{{"data":{{"session_id":["{CANARY}"]}}}}"#),
        ),
        Answer::new(
            200,
            &headers,
            format!(r#"{{"data":{{"tags":"{CANARY}"}}}}"#),
        ),
        Answer::new(
            200,
            &headers,
            format!(r#"{{"data":{{"created_at":{{"{CANARY}":1}}}}}}"#),
        ),
        Answer::reset(),
    ];
    let count = answers.len();
    let server = Server::list(answers).await;
    let builder = server.builder().header("x-own", format!("{CANARY}-own"));
    let client = builder.build().unwrap();
    for _ in 0..count {
        let call = client.get_session().session_id(CANARY).send().await;
        assert_error_clean(&call.unwrap_err());
    }
    assert_eq!(server.requests().len(), count);

    let refused = client
        .get_task_version()
        .task_id(CANARY)
        .task_version("versions");
    assert_error_clean(&refused.send().await.unwrap_err());
    let metrics = anchorbrowser_api::wire::Joined(vec![format!("{CANARY},").as_str().into()]);
    let history = client.get_sessions_history().metrics(metrics);
    assert_error_clean(&history.send().await.unwrap_err());
}

#[tokio::test]
async fn errors_print_no_signed_url() {
    let server = Server::list([
        Answer::new(
            403,
            &[],
            format!("<?xml version=\"1.0\"?><Error><Sig>{CANARY}</Sig></Error>"),
        ),
        Answer::redirect(302, &format!("http://localhost:1/x?sig={CANARY}")),
        Answer::reset(),
        Answer::cut(200, CANARY),
    ])
    .await;
    let client = server.client();
    let url = format!("{}/bucket/x?X-Amz-Signature={CANARY}", server.url());
    for _ in 0..3 {
        assert_error_clean(&client.download_url(&url).await.unwrap_err());
    }
    let mut file = client.download_url(&url).await.unwrap();
    assert_debug_clean(&file);
    while let Ok(chunk) = file.chunk().await {
        assert!(chunk.is_some(), "the body does not end by itself");
    }
    assert_error_clean(
        &client
            .download_url(&format!("{CANARY}/x"))
            .await
            .unwrap_err(),
    );
    assert_error_clean(
        &client
            .download_url(&format!("http://[{CANARY}"))
            .await
            .unwrap_err(),
    );
    let nobody = format!("http://127.0.0.1:1/{CANARY}?sig={CANARY}");
    assert_error_clean(&client.download_url(&nobody).await.unwrap_err());
}

#[test]
fn clients_and_builders_print_no_setting() {
    let builder = Client::builder()
        .api_key(KEY)
        .header("x-own", CANARY)
        .user_agent(CANARY);
    assert_debug_clean(&builder);
    assert!(format!("{builder:?}").contains("x-own"));
    let client = builder.build().unwrap();
    assert_debug_clean(&client);
    assert_debug_clean(&client.list_sessions());
    for error in [
        Client::builder()
            .base_url(format!("http://u:{CANARY}@h"))
            .build()
            .unwrap_err(),
        Client::builder()
            .base_url(format!("http://h?k={CANARY}"))
            .build()
            .unwrap_err(),
        Client::new(format!("{KEY} ")).unwrap_err(),
        Client::builder()
            .header("x-own", format!("{CANARY}\n"))
            .build()
            .unwrap_err(),
    ] {
        assert_error_clean(&error);
    }
}

/// Reads a request's JSON, with the canary for each `~`, and checks what it prints.
fn request<T: DeserializeOwned + Debug + serde::Serialize>(json: Value) -> T {
    let text = json.to_string().replace('~', CANARY);
    assert!(text.contains(CANARY));
    let value: T = serde_json::from_str(&text).unwrap();
    assert_debug_clean(&value);
    // What is not printed is sent.
    assert!(serde_json::to_string(&value).unwrap().contains(CANARY));
    value
}

#[test]
fn requests_print_no_credential() {
    let login = json!({"type": "username_password", "username": "u", "password": "~"});
    let app = json!({"type": "authenticator", "secret": "~", "otp": "~"});
    let custom = json!({"type": "custom", "fields": [{"name": "pin", "value": "~"}]});
    let credentials = json!([login, app, custom]);
    let create: CreateIdentityRequest =
        request(json!({"source": "https://example.com", "credentials": credentials}));
    request::<UpdateIdentityRequest>(json!({"credentials": credentials}));
    request::<PerformWebTaskRequestSchema>(json!({"prompt": "p", "secret_values": {"k": "~"}}));
    for response in [json!("~"), json!({"otp": "~"}), json!({"a": {"b": ["~"]}})] {
        request::<HumanInterventionResponseRequest>(json!({"response": response}));
    }
    request::<AuthFlowV2ResolveRequest>(json!({"option_index": 0, "values": {"password": "~"}}));
    request::<RunTaskV2Request>(json!({"input_params": {"k": "~"}}));
    let account = json!({"type": "serviceAccount", "data": {"serviceAccount": "~"}});
    let integration = json!({"name": "n", "type": "1PASSWORD", "credentials": account});
    request::<CreateIntegrationRequest>(integration);
    request::<CreateAgentAccessProjectBody>(
        json!({"answer": "a", "token": "~", "identity_token": "~"}),
    );
    let proxy = json!({"active": true, "type": "custom", "server": "s", "username": "u",
        "password": "~"});
    request::<SessionCreateRequestSchema>(json!({"session": {"proxy": proxy}}));
    let unknown = json!({"active": true, "type": "new", "token": "~"});
    request::<SessionCreateRequestSchema>(json!({"session": {"proxy": unknown}}));

    // A call holds its body.
    let client = Client::builder().build().unwrap();
    assert_debug_clean(&client.create_identity().body(create));
}

/// What an answer prints, with the canary for each `~`.
macro_rules! answer_is_clean {
    ($body:expr, $($call:tt)+) => {{
        let body = $body.to_string().replace('~', CANARY);
        assert!(body.contains(CANARY));
        let server = Server::always(Answer::new(200, &[("set-cookie", CANARY)], &body)).await;
        let client = server.client();
        let answer: ResponseValue<_> = client.$($call)+.send().await.unwrap();
        assert!(serde_json::to_string(&*answer).unwrap().contains(CANARY), "it was not read");
        assert_debug_clean(&answer);
    }};
}

#[tokio::test]
async fn answers_print_no_credential() {
    let urls = json!({"id": "s", "cdp_url": "wss://h?apiKey=~", "live_view_url": "https://h/~"});
    answer_is_clean!(json!({"data": urls}), create_session());
    let session = json!({"data": {"session": urls}});
    answer_is_clean!(session, get_async_session_status().request_id("r"));
    answer_is_clean!(
        json!({"data": {"sessions": [urls]}}),
        get_batch_session().batch_id("b")
    );
    let pages = json!({"data": {"items": [{"frontend_url": "https://h/~"}]}});
    answer_is_clean!(pages, get_session_pages().session_id("s"));
    let configuration = json!({"proxy": {"password": "~"}});
    let history = json!({"data": {"sessions": [{"user_configuration": configuration}]}});
    answer_is_clean!(history, list_sessions());
    let proxy = json!({"active": true, "type": "custom", "server": "s", "username": "u",
        "password": "~"});
    let version = json!({"data": {"browserConfiguration": {"proxy": proxy}}});
    answer_is_clean!(version, get_task_version().task_id("t").task_version("1"));

    answer_is_clean!(
        json!({"id": "w", "secret": "~"}),
        rotate_webhook_secret().id("w")
    );
    let webhook = WebhookCreateRequest::new("u", vec![]);
    answer_is_clean!(
        json!({"id": "w", "secret": "~"}),
        create_webhook().body(webhook)
    );
    let token = CreateIdentityTokenRequest::new("u");
    let answer = json!({"token": "~", "tokenHash": "~"});
    answer_is_clean!(
        answer,
        create_identity_token().application_id("a").body(token)
    );
    answer_is_clean!(json!({"token": "~"}), get_agent_access_challenge());
    let project = CreateAgentAccessProjectBody::new("a", "t");
    let answer = json!({"api_key": "~", "agent_identity_token": "~"});
    answer_is_clean!(answer, create_agent_access_project().body(project));

    let signed = json!({"data": {"signed_url": "https://h?sig=~"}});
    answer_is_clean!(signed, get_download_url().volume_id("v").path("p"));
    let upload = CreateUploadUrlBody::new("p");
    answer_is_clean!(signed, create_upload_url().volume_id("v").body(upload));

    let inputs = json!([{"name": "password", "value": "~"}]);
    let view = json!({"type": "form", "live_view_url": "~", "options": [{"inputs": inputs}]});
    answer_is_clean!(
        json!({"view": view}),
        get_dynamic_auth_flow_state().session_id("s")
    );
    let start = AuthFlowV2StartRequest::new("h", "u");
    let unknown = json!({"type": "new", "cdp_url": "~"});
    answer_is_clean!(
        unknown,
        start_dynamic_auth_flow().session_id("s").body(start)
    );
}
