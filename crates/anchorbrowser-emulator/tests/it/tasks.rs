//! Legacy tasks: metadata, versions, runs.

use std::time::Duration;

use anchorbrowser_emulator::{Account, AgentScript, Emulator};
use serde_json::{Value, json};

use crate::held::held;
use crate::support::{Api, Reply};

const CODE: &str = "cmV0dXJuIDE7";
const OTHER: &str = "cmV0dXJuIDI7";

/// A task's path.
async fn task(api: &Api, name: &str, code: Option<&str>) -> String {
    let mut body = json!({ "name": name, "language": "typescript" });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    format!(
        "/v1/task/{}",
        api.post("/v1/task", body).await.ok().text("/data/id")
    )
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_task_is_created_changed_and_deleted() {
    let api = Api::start().await;
    let path = task(&api, "one", Some(CODE)).await;
    api.advance(Duration::from_secs(1));
    let changed = api
        .put(&path, json!({ "name": "uno", "description": "first" }))
        .await
        .ok();
    assert_eq!(
        (changed.text("/data/name"), changed.text("/data/latest")),
        ("uno".into(), "draft".into())
    );
    assert_ne!(
        changed.text("/data/createdAt"),
        changed.text("/data/updatedAt")
    );
    let found = api.get(&path).await.ok();
    assert_eq!(
        (found.text("/data/description"), found.at("/data/deleted")),
        ("first".into(), json!(false))
    );
    assert_eq!(api.delete(&path).await.ok().at("/data/success"), true);
    for path in [
        &path,
        &format!("{path}/versions"),
        &format!("{path}/draft"),
        &format!("{path}/executions"),
    ] {
        assert!(
            api.get(path)
                .await
                .refused(404)
                .contains(id(&changed.text("/data/id")))
        );
    }
    api.delete(&path).await.refused(404);
    api.put(&path, json!({})).await.refused(404);
}

#[tokio::test]
async fn names_are_taken_once() {
    let api = Api::start().await;
    let one = task(&api, "one", None).await;
    let two = task(&api, "two", None).await;
    assert_eq!(
        task(&api, "one", Some(CODE)).await,
        one,
        "the task of this name is updated"
    );
    assert_eq!(
        api.get(&format!("{one}/draft"))
            .await
            .ok()
            .text("/data/code"),
        CODE
    );
    api.put(&two, json!({ "name": "one" })).await.refused(409);
    api.put(&two, json!({ "name": "two" })).await.ok();
    api.delete(&one).await.ok();
    let again = json!({ "name": "one", "language": "typescript" });
    assert!(
        api.post("/v1/task", again)
            .await
            .refused(409)
            .contains("deleted")
    );
    api.put(&two, json!({ "name": "one" })).await.refused(409);
}

#[tokio::test]
async fn tasks_are_listed_by_pages() {
    let api = Api::start().await;
    for n in 0..12 {
        task(&api, &format!("task-{n}"), Some(CODE)).await;
    }
    for (query, count, page, limit) in [
        ("", 10, 1, 10),
        ("?page=2", 2, 2, 10),
        ("?limit=5&page=3", 2, 3, 5),
        ("?limit=999", 12, 1, 100),
    ] {
        let reply = api.get(&format!("/v1/task{query}")).await.ok();
        assert_eq!(
            (reply.count("/data/tasks"), reply.at("/data/total")),
            (count, json!(12)),
            "{query}"
        );
        assert_eq!(
            (reply.at("/data/page"), reply.at("/data/limit")),
            (json!(page), json!(limit)),
            "{query}"
        );
    }
    assert_eq!(
        api.get("/v1/task?page=99999999999999999999")
            .await
            .ok()
            .count("/data/tasks"),
        10
    );
    api.get("/v1/task?page=0").await.refused(400);
}

#[tokio::test]
async fn versions_are_numbered_in_order() {
    let api = Api::start().await;
    let path = task(&api, "one", None).await;
    let at = |version: &str| format!("{path}/{version}");
    for version in ["draft", "latest", "1"] {
        api.get(&at(version)).await.refused(404);
    }
    assert!(
        api.post(&at("deploy"), json!({}))
            .await
            .refused(400)
            .contains("code")
    );
    api.post(&at("draft"), json!({ "code": CODE })).await.ok();
    assert_eq!(
        api.get(&at("latest")).await.ok().text("/data/version"),
        "draft"
    );
    let version = |reply: Reply| reply.ok().text("/data/version");
    assert_eq!(version(api.post(&at("deploy"), json!({})).await), "1");
    assert_eq!(
        version(api.post(&at("deploy"), json!({ "code": OTHER })).await),
        "2"
    );
    assert_eq!(
        version(
            api.post(&at("007"), json!({ "description": "seven" }))
                .await
        ),
        "7"
    );
    assert_eq!(version(api.post(&at("deploy"), json!({})).await), "8");
    assert_eq!(api.get(&at("2")).await.ok().text("/data/code"), OTHER);
    assert_eq!(
        api.get(&at("07")).await.ok().text("/data/description"),
        "seven"
    );
    let kept = api
        .post(&at("2"), json!({ "code": CODE, "description": "two" }))
        .await
        .ok();
    assert_eq!(
        (kept.text("/data/code"), kept.text("/data/description")),
        (OTHER.into(), "two".into())
    );
    assert_eq!(api.get(&path).await.ok().text("/data/latest"), "8");
    assert_eq!(
        api.get(&at("versions")).await.ok().count("/data/versions"),
        5
    );
    assert_eq!(
        api.delete(&at("latest")).await.ok().at("/data/success"),
        true
    );
    api.get(&at("8")).await.refused(404);
    api.delete(&at("8")).await.refused(404);
    assert_eq!(api.get(&at("latest")).await.ok().text("/data/version"), "7");
    assert_eq!(
        version(api.post(&at("deploy"), json!({})).await),
        "9",
        "no number is given twice"
    );
    api.delete(&at("draft")).await.ok();
    api.get(&at("draft")).await.refused(404);
    for wrong in ["draft", "0", "99999999999999999999"] {
        let status = if wrong == "draft" { 200 } else { 400 };
        let reply = api.post(&at(wrong), json!({ "code": CODE })).await;
        assert_eq!(reply.status, status, "{wrong}: {}", reply.json);
    }
}

#[tokio::test]
async fn a_run_is_answered_at_its_end() {
    let api = Api::start().await;
    let path = task(&api, "one", Some(CODE)).await;
    api.emulator
        .script(AgentScript::completed(json!({ "n": 1 })))
        .unwrap();
    api.emulator
        .script(AgentScript::failed("no such button").steps(7))
        .unwrap();
    let done = held(&api, "/v1/task/run", json!({ "taskId": id(&path) })).await;
    let failed = held(
        &api,
        "/v1/task/run/one",
        json!({ "inputs": { "ANCHOR_P": "canary-secret" } }),
    )
    .await;
    api.advance(Duration::from_millis(390));
    assert!(!done.is_finished());
    api.advance(Duration::from_millis(10));
    let (code, body) = done.await.unwrap();
    assert_eq!(
        (code, &body["data"]["success"], &body["data"]["async"]),
        (200, &json!(true), &json!(false))
    );
    assert_eq!(
        (&body["data"]["output"], &body["data"]["executionTime"]),
        (&json!("{\"n\":1}"), &json!(300))
    );
    let (code, body) = failed.await.unwrap();
    assert_eq!(
        (code, &body["data"]["success"], &body["data"]["error"]),
        (200, &json!(false), &json!("no such button"))
    );
    assert!(!body.to_string().contains("canary-secret"));
    assert_eq!(
        api.get(&format!("{path}/executions"))
            .await
            .ok()
            .count("/data/results"),
        2
    );
}

/// The execution of a run that was started asynchronously.
async fn execution(api: &Api, path: &str, mut body: Value) -> String {
    body["async"] = json!(true);
    body["taskId"] = json!(id(path));
    let reply = api.post("/v1/task/run", body).await.ok();
    assert_eq!(reply.at("/data/async"), true);
    format!(
        "{path}/executions/{}",
        reply.text("/data/executionResultId")
    )
}

#[tokio::test]
async fn an_asynchronous_run_is_polled() {
    let api = Api::start().await;
    let path = task(&api, "one", Some(CODE)).await;
    let run = execution(&api, &path, json!({})).await;
    let poll = async || api.get(&run).await.ok();
    for (after, status) in [
        (0, "queued"),
        (99, "queued"),
        (1, "running"),
        (299, "running"),
        (1, "success"),
    ] {
        api.advance(Duration::from_millis(after));
        let reply = poll().await;
        assert_eq!(reply.text("/data/status"), status);
        assert_eq!(reply.at("/data/output").is_null(), status != "success");
    }
    let other = task(&api, "two", Some(CODE)).await;
    api.get(&format!("{other}/executions/{}", id(&run)))
        .await
        .refused(404);
    api.get(&format!("{path}/executions/{}", id(&path)))
        .await
        .refused(404);
}

#[tokio::test]
async fn executions_are_filtered_and_paged() {
    let api = Api::start().await;
    let path = task(&api, "one", Some(CODE)).await;
    for version in ["draft", "1", "latest"] {
        if version == "1" {
            api.post(&format!("{path}/deploy"), json!({})).await.ok();
            api.emulator.script(AgentScript::failed("no")).unwrap();
        }
        execution(&api, &path, json!({ "version": version })).await;
        api.advance(Duration::from_secs(1));
    }
    let session = api.session(json!({})).await;
    execution(&api, &path, json!({ "sessionId": session })).await;
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    execution(&api, &path, json!({})).await;
    for (query, total) in [
        ("status=success", 2),
        ("status=failure", 1),
        ("status=cancelled", 1),
        ("status=queued", 1),
        ("status=timeout", 0),
        ("version=1", 4),
        ("version=draft", 1),
        ("version=1&status=success", 1),
        ("limit=2&page=3", 5),
    ] {
        let reply = api.get(&format!("{path}/executions?{query}")).await.ok();
        assert_eq!(reply.at("/data/pagination/total"), total, "{query}");
    }
    let last = api
        .get(&format!("{path}/executions?limit=2&page=3"))
        .await
        .ok();
    assert_eq!(
        (
            last.count("/data/results"),
            last.at("/data/pagination/totalPages")
        ),
        (1, json!(3))
    );
    assert_eq!(
        last.text("/data/results/0/version"),
        "draft",
        "the newest come first"
    );
}

#[tokio::test]
async fn a_session_is_cleaned_up_unless_it_is_wanted() {
    let account = |account: &mut Account| account.max_concurrent_browsers = Some(2);
    let api = Api::with(Emulator::builder().manual_clock().account(account)).await;
    let path = task(&api, "one", Some(CODE)).await;
    let given = api.session(json!({})).await;
    for body in [
        json!({}),
        json!({ "sessionId": given }),
        json!({ "cleanupSessions": false }),
    ] {
        execution(&api, &path, body).await;
        api.advance(Duration::from_secs(1));
    }
    assert_eq!(
        api.get(&format!("/v1/sessions/{given}"))
            .await
            .ok()
            .text("/data/status"),
        "running"
    );
    let full = json!({ "taskId": id(&path) });
    api.post("/v1/task/run", full.clone()).await.refused(429);
    api.delete(&format!("/v1/sessions/{given}")).await.ok();
    let last = held(&api, "/v1/task/run", full).await;
    api.advance(Duration::from_secs(1));
    assert_eq!(last.await.unwrap().0, 200);
}

#[tokio::test]
async fn runs_that_can_not_be_are_refused() {
    let api = Api::start().await;
    let path = task(&api, "one", Some(CODE)).await;
    let empty = task(&api, "empty", None).await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (body, status, names) in [
        (json!({ "taskId": unknown }), 404, unknown),
        (json!({ "taskId": id(&empty) }), 404, "latest"),
        (json!({ "taskId": id(&path), "version": "3" }), 404, "`3`"),
        (
            json!({ "taskId": id(&path), "sessionId": unknown }),
            404,
            "session",
        ),
        (
            json!({ "taskId": id(&path), "inputs": { "USER": "canary-secret" } }),
            400,
            "inputs.USER",
        ),
        (
            json!({ "taskId": id(&path), "overrideBrowserConfiguration": { "timeout": { "max_duration": 0 } } }),
            400,
            "max_duration",
        ),
    ] {
        let text = api.post("/v1/task/run", body.clone()).await.refused(status);
        assert!(
            text.contains(names) && !text.contains("canary-secret"),
            "{body}: {text}"
        );
    }
    api.post("/v1/task/run/two", json!({})).await.refused(404);
}

#[tokio::test]
async fn the_password_of_a_proxy_is_not_answered() {
    let api = Api::start().await;
    let configuration = json!({ "proxy": {
        "active": true, "type": "custom", "server": "http://proxy.example.com:1", "username": "u", "password": "canary-secret",
    } });
    let body =
        json!({ "name": "one", "language": "typescript", "browserConfiguration": configuration });
    let created = api.post("/v1/task", body).await.ok();
    let path = format!("/v1/task/{}", created.text("/data/id"));
    let draft = json!({ "code": CODE, "browserConfiguration": configuration });
    let saved = api.post(&format!("{path}/draft"), draft).await.ok();
    for reply in [created, saved, api.get("/v1/task").await.ok()] {
        let text = reply.json.to_string();
        assert!(
            text.contains("proxy.example.com") && !text.contains("canary-secret"),
            "{text}"
        );
    }
}
