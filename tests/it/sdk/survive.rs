//! Each method reads what a newer service may answer, and says what it cannot read.

use std::error::Error as _;

use anchorbrowser::reqwest::{self, redirect};
use anchorbrowser::{Client, Error, ErrorKind};
use anchorbrowser_api::Operation;
use anchorbrowser_emulator::{Builder, Emulator, Fault};
use serde_json::json;

use super::KEY;

/// What no text may hold, beside the key.
const CANARY: &str = "canary";

/// An emulator that makes its answers up, and its client. To make an HTTP client takes longer than
/// to use it, so it is shared.
async fn start(emulator: Builder, http: &reqwest::Client) -> anyhow::Result<(Emulator, Client)> {
    let emulator = emulator.stateless(true).start().await?;
    let client = super::builder(&emulator).http_client(http.clone());
    let client = client.build()?;
    Ok((emulator, client))
}

pub(super) fn http_client() -> reqwest::Result<reqwest::Client> {
    let http = reqwest::Client::builder().redirect(redirect::Policy::none());
    http.no_proxy().build()
}

/// What holds for the text of each error: it begins with the operation, is short, is one line, tells
/// no secret, and says nothing that its causes say.
#[track_caller]
pub(super) fn check_text(error: &Error, operation: &str) {
    fn check_bounds<T: Send + Sync + 'static>(_: &T) {}
    check_bounds(error);
    let text = error.to_string();
    assert_eq!(error.operation(), Some(operation), "{text}");
    assert!(text.starts_with(&format!("{operation}: ")), "{text}");
    assert!(text.len() < 600, "{} bytes: {text}", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        assert!(!text.contains(&said), "{text}\nbecause: {said}");
        causes.push_str(&said);
        cause = error.source();
    }
    for secret in [KEY, CANARY] {
        let all = format!("{text}{causes}{error:?}{error:#?}");
        assert!(!all.contains(secret), "{all}");
    }
}

/// Unknown members and values of enumerations, in answers of many shapes.
#[tokio::test]
async fn what_a_newer_service_answers_is_read() -> anyhow::Result<()> {
    let http = http_client()?;
    for seed in 1..=10 {
        let drifting = Emulator::builder().seed(seed).drift(true);
        let (emulator, client) = start(drifting, &http).await?;
        let methods = super::coverage::all().into_iter();
        for method in methods.chain(super::waiting::methods()) {
            let Err(error) = (method.call)(client.clone()).await else {
                continue;
            };
            // A made-up answer may say that nothing was done, and leave out what the document
            // does not require.
            let is_lack = error.to_string().contains(": the answer has no `");
            let expected = match is_lack {
                true => ErrorKind::Decode,
                false => ErrorKind::Failed,
            };
            assert_eq!(error.kind(), expected, "{} {seed}: {error}", method.name);
            let last = emulator.exchanges().pop().and_then(|it| it.operation);
            check_text(&error, &last.unwrap_or_default());
        }
    }
    Ok(())
}

/// What an answer is that the document has not.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Odd {
    /// It says nothing.
    Empty,
    /// It is JSON of another form.
    Json,
    /// It is no JSON.
    Text,
}

impl Odd {
    /// Whether a method may succeed with it.
    fn is_enough(self, operation: &Operation) -> bool {
        // What makes something must tell what it has made.
        let makes = ["create_", "perform_", "run_", "start_", "upload_extension"];
        let is_quiet = matches!(operation.id, "create_directory" | "create_profile");
        match (self, operation.response) {
            (_, None | Some("bytes")) => true,
            // Of this union, arms other than the known ones are plain JSON.
            (Self::Empty | Self::Json, Some("AuthFlowV2View")) => true,
            (Self::Empty, _) => is_quiet || !makes.iter().any(|it| operation.id.starts_with(it)),
            (Self::Json | Self::Text, _) => false,
        }
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_kept() -> anyhow::Result<()> {
    let (emulator, client) = start(Emulator::builder(), &http_client()?).await?;
    let page = "<html><title>Sign in</title><!-- canary --></html>";
    for (status, body, odd) in [
        (200, "{}", Odd::Empty),
        (200, "null", Odd::Empty),
        (200, "", Odd::Empty),
        (204, "", Odd::Empty),
        (200, r#"{"data":null}"#, Odd::Empty),
        (200, "[]", Odd::Json),
        (200, r#""canary""#, Odd::Json),
        (200, page, Odd::Text),
        (200, r#"{"data":"canar"#, Odd::Text),
    ] {
        emulator.clear_faults();
        let fault = Fault::status(status).text("application/json", body);
        emulator.fault(fault.always())?;
        for method in super::coverage::all() {
            emulator.clear_exchanges();
            let result = (method.call)(client.clone()).await;
            let exchanges = emulator.exchanges();
            let id = exchanges[0].operation.as_deref().unwrap_or_default();
            let operation = Operation::find(id).unwrap();
            let Err(error) = result else {
                assert!(odd.is_enough(operation), "{} on {body:?}", method.name);
                continue;
            };
            assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
            assert_eq!(error.status().unwrap(), status, "{error}");
            assert_eq!(error.body().unwrap(), body, "{error}");
            assert!(error.headers().is_some_and(|all| !all.is_empty()));
            assert!(error.may_have_been_processed() && !error.is_not_found());
            check_text(&error, id);
        }
    }
    Ok(())
}

/// What a service says of a failure, wherever it may say it.
fn failure(reason: &str) -> serde_json::Value {
    let inner = json!({
        "success": false, "status": "FAILED", "error": reason, "message": reason,
        "taskId": "t", "executionResultId": "e", "integration": { "deleted": false },
    });
    json!({
        "success": false, "ok": false, "status": "FAILED", "error": reason, "message": reason,
        "data": inner,
    })
}

#[tokio::test]
async fn a_failure_that_a_success_reports_is_told_in_short() -> anyhow::Result<()> {
    let (emulator, client) = start(Emulator::builder(), &http_client()?).await?;
    let long = "no\n\tway; ".repeat(200);
    // The second key is at the place where the text is cut.
    let reason = format!("{KEY}: {}{KEY}{long}", "x".repeat(285));
    emulator.fault(Fault::status(200).json(failure(&reason)).always())?;
    let mut failed = Vec::new();
    for method in super::coverage::all() {
        emulator.clear_exchanges();
        let Err(error) = (method.call)(client.clone()).await else {
            continue;
        };
        if error.kind() != ErrorKind::Failed {
            continue;
        }
        let id = emulator.exchanges().remove(0).operation.unwrap_or_default();
        check_text(&error, &id);
        assert_eq!(error.status().unwrap(), 200);
        let body = serde_json::from_slice::<serde_json::Value>(error.body().unwrap())?;
        assert_eq!(body, failure(&reason), "{error}");
        failed.push(id);
    }
    failed.sort();
    failed.dedup();
    assert_eq!(
        failed,
        [
            "delete_application",
            "delete_auth_flow",
            "delete_integration",
            "delete_session_tags",
            "delete_task",
            "delete_task_version",
            "delete_webhook",
            "perform_web_task",
            "put_session_tags",
            "run_adhoc_task",
            "run_task_by_name",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn what_a_refusal_says_is_told_in_short() -> anyhow::Result<()> {
    let (emulator, client) = start(Emulator::builder(), &http_client()?).await?;
    let reason = format!("{KEY}\n{}{KEY}{}", "x".repeat(186), " y".repeat(999));
    let body = json!({ "error": { "code": 400, "message": reason } });
    emulator.fault(Fault::status(400).json(body).always())?;
    for method in super::coverage::all() {
        emulator.clear_exchanges();
        let error = (method.call)(client.clone()).await.unwrap_err();
        let id = emulator.exchanges().remove(0).operation.unwrap_or_default();
        check_text(&error, &id);
        assert_eq!(error.message().as_deref(), Some(&*reason), "{error}");
        assert_eq!(error.code().as_deref(), Some("400"), "{error}");
    }
    Ok(())
}
