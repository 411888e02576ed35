//! Tasks: of code with versions, and made from a prompt.

use anchorbrowser_api::types::{self, TaskLanguage};
use anchorbrowser_emulator::AgentScript;
use serde_json::json;

use super::{Walk, gone, ok};

/// `return 1;` and `return 2;`, as the API takes them.
const CODE: &str = "cmV0dXJuIDE7";
const OTHER: &str = "cmV0dXJuIDI7";

pub(super) async fn walk(walk: &Walk) {
    legacy(walk).await;
    generated(walk).await;
}

async fn legacy(walk: &Walk) {
    let client = &walk.client;
    let body = types::CreateTaskRequest::new("prices", TaskLanguage::Typescript);
    let made = ok(client.create_task().body(body).send())
        .await
        .data
        .unwrap();
    let id = made.id.unwrap();
    let body = types::UpdateTaskMetadataRequest {
        description: Some("finds prices".to_owned()),
        ..Default::default()
    };
    ok(client.update_task().task_id(&id).body(body).send()).await;
    let found = ok(client.get_task().task_id(&id).send())
        .await
        .data
        .unwrap();
    assert_eq!(found.description.as_deref(), Some("finds prices"));
    let list = ok(client.list_tasks().page("1").limit("5").send()).await;
    let list = list.data.unwrap();
    assert_eq!(
        (list.total, list.tasks[0].id.as_ref()),
        (Some(1), Some(&id))
    );

    versions(walk, &id).await;
    runs(walk, &id).await;

    let deleted = ok(client.delete_task().task_id(&id).send()).await;
    assert_eq!(deleted.data.unwrap().success, Some(true));
    gone(client.get_task().task_id(&id).send()).await;
}

/// A draft becomes version 1; version 7 is published by its number, and deleted.
async fn versions(walk: &Walk, id: &str) {
    let client = &walk.client;
    let body = types::DraftTaskRequest::new(CODE);
    let saved = ok(client.save_task_draft().task_id(id).body(body).send()).await;
    assert_eq!(saved.data.unwrap().version.as_deref(), Some("draft"));
    let draft = ok(client.get_task_draft().task_id(id).send()).await;
    assert_eq!(draft.data.unwrap().code.as_deref(), Some(CODE));

    let body = types::PublishVersionRequest::default();
    let deployed = ok(client.deploy_task().task_id(id).body(body).send()).await;
    assert_eq!(deployed.data.unwrap().version.as_deref(), Some("1"));
    let body = types::PublishVersionRequest {
        code: Some(OTHER.to_owned()),
        ..Default::default()
    };
    let publish = client.publish_task_version().task_id(id).task_version("7");
    ok(publish.body(body).send()).await;
    let latest = ok(client.get_latest_task_version().task_id(id).send()).await;
    let latest = latest.data.unwrap();
    assert_eq!(
        (latest.version.as_deref(), latest.code.as_deref()),
        (Some("7"), Some(OTHER))
    );
    walk.says(latest.language, "typescript");

    let delete = client.delete_task_version().task_id(id).task_version("7");
    assert_eq!(ok(delete.send()).await.data.unwrap().success, Some(true));
    let version = || client.get_task_version().task_id(id);
    let first = ok(version().task_version("1").send()).await.data.unwrap();
    assert_eq!(
        (first.code.as_deref(), first.task_id.as_deref()),
        (Some(CODE), Some(id))
    );
    gone(version().task_version("7").send()).await;
    let list = ok(client.list_task_versions().task_id(id).send()).await;
    assert_eq!(list.data.unwrap().versions.len(), 2, "the draft and 1");
}

/// One run is waited for, one is polled.
async fn runs(walk: &Walk, id: &str) {
    let client = &walk.client;
    walk.emulator
        .script(AgentScript::failed("no such button"))
        .unwrap();
    let inputs = [("ANCHOR_USER".to_owned(), "canary-user".into())].into();
    let body = types::RunTaskByNameRequest {
        inputs: Some(inputs),
        ..Default::default()
    };
    let run = client.run_task_by_name().task_name("prices").body(body);
    let ran = walk
        .held("run_task_by_name", 400, run.send())
        .await
        .data
        .unwrap();
    assert_eq!(
        (ran.success, ran.error.as_deref()),
        (Some(false), Some("no such button"))
    );

    walk.emulator
        .script(AgentScript::completed(json!({ "n": 1 })))
        .unwrap();
    let body = types::RunTaskRequest {
        async_: Some(true),
        version: Some("1".to_owned()),
        ..types::RunTaskRequest::new(id)
    };
    let started = ok(client.run_adhoc_task().body(body).send()).await;
    let execution = started.data.unwrap().execution_result_id.unwrap();
    for status in ["queued", "success"] {
        let get = client.get_task_execution().task_id(id);
        let found = ok(get.execution_id(&execution).send()).await.data.unwrap();
        assert_eq!(found.id.as_ref(), Some(&execution));
        walk.says(found.status, status);
        assert_eq!(found.output.is_some(), status == "success");
        walk.passes(400);
    }
    for (status, count) in [("failure", 1), ("success", 1), ("timeout", 0)] {
        let status = types::ListTaskExecutionsStatus::from(status);
        let list = ok(client
            .list_task_executions()
            .task_id(id)
            .status(status)
            .send())
        .await;
        let list = list.data.unwrap();
        assert_eq!(list.results.len(), count);
        assert_eq!(list.pagination.unwrap().total, Some(count as i64));
    }
}

/// A task is made from a prompt, and run.
async fn generated(walk: &Walk) {
    let client = &walk.client;
    let price = types::TaskParameterV2::new("price", types::TaskParameterV2Type::Number);
    let body = types::GenerateTaskV2Request {
        output_schema: Some(vec![price]),
        ..types::GenerateTaskV2Request::new("find-price", "Find the price.")
    };
    let made = ok(client.generate_task().body(body).send()).await;
    walk.says(made.status, "generating");
    let id = made.id.unwrap();
    for status in ["generating", "ready"] {
        let found = ok(client.get_task_generation_status().task_id(&id).send()).await;
        walk.says(found.status, status);
        walk.passes(1_000);
    }

    let body = types::RunTaskV2Request::new([].into());
    let started = ok(client.run_task().task_id(&id).body(body.clone()).send()).await;
    walk.says(started.status, "queued");
    walk.passes(400);
    let run = started.run_id.unwrap();
    let found = ok(client.get_task_run_status().run_id(&run).send()).await;
    walk.says(found.status, "success");
    assert!(found.result["price"].is_number());

    let body = types::RunTaskV2Request {
        sync: Some(true),
        ..body
    };
    let run = client.run_task().task_id(&id).body(body);
    let ran = walk.held("run_task", 400, run.send()).await;
    walk.says(ran.status, "success");
}
