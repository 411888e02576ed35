//! Tasks of the first generation.

use std::time::Duration;

use anchorbrowser::sessions::SessionOptions;
use anchorbrowser::tasks_legacy::{ExecutionStatus, RunTask, Version};
use anchorbrowser::{Client, Error, ErrorKind, Options, Proxy};
use anchorbrowser_emulator::{AgentScript, Emulator, Fault};
use serde_json::{Value, json};

use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.tasks_legacy().create("a").code("x").send(),
        client.tasks_legacy().get(ID),
        client.tasks_legacy().list().page_size(5).send(),
        client.tasks_legacy().update(ID).name("b").description("c").send(),
        client.tasks_legacy().delete(ID),
        client.tasks_legacy().versions(ID).send(),
        client.tasks_legacy().version(ID, Version::Draft),
        client.tasks_legacy().version(ID, Version::Latest),
        client.tasks_legacy().version(ID, 1),
        client.tasks_legacy().save_draft(ID, "x").send(),
        client.tasks_legacy().deploy(ID).code("x").send(),
        client.tasks_legacy().publish(ID, 2).code("x").send(),
        client.tasks_legacy().delete_version(ID, Version::Draft),
        client.tasks_legacy().run(ID).input("ANCHOR_A", "b").send(),
        client.tasks_legacy().run_version(ID, 1).start(),
        client.tasks_legacy().run_by_name("a").session(ID).send(),
        client.tasks_legacy().executions(ID).page_size(5).send(),
        client.tasks_legacy().execution(ID, ID),
    )
}

/// An emulator in which a run of a task takes a moment, and its client.
async fn start() -> anyhow::Result<(Emulator, Client)> {
    let quick = Emulator::builder().timing(|timing| timing.task = Duration::from_millis(4));
    let emulator = quick.start().await?;
    let client = super::client(&emulator);
    Ok((emulator, client))
}

#[tokio::test]
async fn a_task_is_written_published_and_deleted() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let tasks = client.tasks_legacy();
    let source = "export default () => 'é';\n";
    let task = tasks
        .create("a")
        .code(source)
        .description("b")
        .send()
        .await?;
    assert_eq!(task.code.as_deref(), Some(source));
    assert_eq!(task.latest_version, Some(Version::Draft));
    let sent = emulator.exchanges_of("create_task")?[0].json();
    assert_eq!(sent["code"], "ZXhwb3J0IGRlZmF1bHQgKCkgPT4gJ8OpJzsK");
    assert_eq!(sent["language"], "typescript");

    let first = tasks.deploy(&task.id).send().await?;
    assert_eq!(
        (first.version, first.code.as_str()),
        (Version::Number(1), source)
    );
    let draft = tasks
        .save_draft(&task.id, "2")
        .description("c")
        .send()
        .await?;
    assert_eq!(
        (draft.version, draft.task_id),
        (Version::Draft, task.id.clone())
    );
    let seventh = tasks.publish(&task.id, 7).send().await?;
    assert_eq!(seventh.version, Version::Number(7));

    for (version, found, code) in [
        (Version::Draft, Version::Draft, "2"),
        (Version::Latest, Version::Number(7), "2"),
        (Version::Number(1), Version::Number(1), source),
    ] {
        let version = tasks.version(&task.id, version).await?;
        assert_eq!((version.version, version.code.as_str()), (found, code));
    }
    let versions = tasks.versions(&task.id).stream().collect().await?;
    assert_eq!(versions.len(), 3);
    assert!(
        versions
            .iter()
            .any(|version| version.version == Version::Number(7))
    );

    tasks.delete_version(&task.id, 7).await?;
    let gone = tasks.version(&task.id, 7).await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    let found = tasks.get(&task.id).await?;
    assert_eq!(
        (found.code, found.latest_version),
        (None, Some(Version::Number(1)))
    );

    let changed = tasks.update(&task.id).name("d").send().await?;
    assert_eq!(
        (changed.name.as_str(), changed.description.as_deref()),
        ("d", Some("b"))
    );
    tasks.delete(&task.id).await?;
    assert!(
        tasks
            .get(&task.id)
            .await
            .is_err_and(|error| error.is_not_found())
    );
    assert!(
        tasks
            .create("d")
            .send()
            .await
            .is_err_and(|error| error.is_conflict())
    );
    Ok(())
}

#[tokio::test]
async fn tasks_are_listed_over_pages() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    for number in 0..5 {
        client
            .tasks_legacy()
            .create(format!("task-{number}"))
            .send()
            .await?;
    }
    let list = client.tasks_legacy().list();
    let page = list.clone().page_size(2).send().await?;
    assert_eq!(
        (page.items.len(), page.total, page.has_next()),
        (2, Some(5), true)
    );
    assert_eq!(list.clone().page_size(2).stream().collect().await?.len(), 5);
    assert_eq!(emulator.count("list_tasks")?, 4);
    assert_eq!(
        list.clone().page_size(2).page(3).send().await?.items.len(),
        1
    );
    assert_eq!(list.page_size(5).stream().collect().await?.len(), 5);
    assert_eq!(emulator.count("list_tasks")?, 6);
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_number_its_pages_is_followed() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let tasks = json!({ "tasks": [{ "id": "t" }], "total": 3, "limit": 1 });
    let results = json!({ "results": [{ "id": "e" }], "pagination": { "totalPages": 3 } });
    for (operation, data) in [("list_tasks", tasks), ("list_task_executions", results)] {
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on(operation).always())?;
    }
    let tasks = client.tasks_legacy();
    assert_eq!(tasks.list().stream().collect().await?.len(), 3);
    assert_eq!(tasks.executions(ID).stream().collect().await?.len(), 3);
    Ok(())
}

/// What the service says of a failure may be long, and have many lines.
#[tokio::test]
async fn an_error_is_one_short_line() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let tasks = client.tasks_legacy();
    let long = "at step 1\n".repeat(1000);
    let ran = json!({ "success": false, "error": long, "taskId": ID });
    let deleted = json!({ "success": false, "message": long });
    for (operation, data) in [("run_adhoc_task", ran), ("delete_task", deleted)] {
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on(operation))?;
    }
    for error in [
        tasks.run(ID).send().await.err(),
        tasks.delete(ID).await.err(),
    ] {
        let text = error.unwrap().to_string();
        assert!(text.contains("at step 1"), "{text}");
        assert!(text.len() < 600 && !text.contains('\n'), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_gives_its_result_or_the_reason_why_it_failed() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let tasks = client.tasks_legacy();
    let task = tasks.create("a").code("x").send().await?;
    emulator.script(AgentScript::completed("done"))?;
    let run = tasks.run(&task.id).inputs([("ANCHOR_A", "canary")]);
    assert!(!format!("{run:?}").contains("canary"));
    let run = run.send().await?;
    assert_eq!(run.task_id, task.id);
    assert!(run.output.is_some_and(|output| output.contains("done")));
    assert!(
        run.duration
            .is_some_and(|duration| duration < Duration::from_secs(60))
    );
    let sent = emulator.exchanges_of("run_adhoc_task")?[0].json();
    let expected = json!({
        "taskId": task.id, "async": false, "inputs": { "ANCHOR_A": "canary" },
    });
    assert_eq!(sent, expected);

    emulator.script(AgentScript::failed("no such button"))?;
    let error = tasks.run_by_name("a").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("no such button"), "{error}");
    assert!(error.status().is_some_and(|status| status.is_success()));

    let missing = tasks.run_by_name("none").send().await;
    assert!(missing.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn a_started_run_is_found_by_its_id() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock();
    let emulator = emulator.timing(|timing| timing.task = Duration::from_secs(8));
    let emulator = emulator.start().await?;
    let client = super::client(&emulator);
    let tasks = client.tasks_legacy();
    let task = tasks.create("a").code("x").send().await?;
    let run = tasks.run_by_name("a").start().await?;
    assert_eq!(run.task_id, task.id);
    let execution = tasks.execution(&run.task_id, &run.execution_id).await?;
    assert_eq!(execution.status, Some(ExecutionStatus::Queued));
    emulator.advance(Duration::from_secs(8))?;
    let execution = tasks.execution(&run.task_id, &run.execution_id).await?;
    assert_eq!(execution.status, Some(ExecutionStatus::Success));
    assert_eq!(execution.version, Some(Version::Draft));
    assert!(execution.output.is_some() && execution.error.is_none());
    assert!(
        execution
            .duration
            .is_some_and(|took| took >= Duration::from_secs(6))
    );

    emulator.script(AgentScript::failed("no such button"))?;
    let failed = tasks.run_version(&task.id, Version::Draft).start().await?;
    emulator.advance(Duration::from_secs(8))?;
    let failed = tasks.execution(&task.id, &failed.execution_id).await?;
    assert_eq!(failed.status, Some(ExecutionStatus::Failure));
    assert_eq!(failed.error.as_deref(), Some("no such button"));

    let list = tasks.executions(&task.id);
    let all = list.clone().page_size(1).stream().collect().await?;
    assert_eq!(all.len(), 2);
    assert_eq!(emulator.count("list_task_executions")?, 2);
    let one = list.clone().status(ExecutionStatus::Failure).send().await?;
    assert_eq!((one.total, &one.items[0].id), (Some(1), &failed.id));
    assert_eq!(list.version(3).send().await?.total, Some(0));
    let missing = tasks.execution(&task.id, ID).await;
    assert!(missing.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn settings_of_a_session_go_along_and_those_of_a_browser_are_refused() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let tasks = client.tasks_legacy();
    let options = || {
        let proxy = Proxy::custom("https://proxy.example", "u", "canary");
        SessionOptions::new()
            .proxy(proxy)
            .idle_timeout(Duration::from_secs(90))
    };
    let create = tasks.create("a").code("x").session_options(options());
    assert!(!format!("{create:?}").contains("canary"));
    let task = create.send().await?;
    assert!(task.session_config.is_some());
    tasks
        .save_draft(&task.id, "x")
        .session_options(options())
        .send()
        .await?;
    tasks
        .run(&task.id)
        .session_options(options())
        .cleanup_sessions(false)
        .send()
        .await?;
    for (operation, member) in [
        ("create_task", "browserConfiguration"),
        ("save_task_draft", "browserConfiguration"),
        ("run_adhoc_task", "overrideBrowserConfiguration"),
    ] {
        let sent = emulator.exchanges_of(operation)?[0].json();
        assert_eq!(sent[member]["timeout"]["idle_timeout"], 2, "{sent}");
        assert_eq!(sent[member]["proxy"]["password"], "canary");
    }
    assert_eq!(
        emulator.exchanges_of("run_adhoc_task")?[0].json()["cleanupSessions"],
        false
    );

    emulator.clear_exchanges();
    // They could not be sent, so turning the checks off does not help.
    let unchecked = client.with_options(Options::new().checks(false))?;
    let tasks = unchecked.tasks_legacy();
    for (error, name) in [
        (
            tasks
                .create("b")
                .session_options(options().headless(true))
                .send()
                .await
                .err(),
            "`browser`",
        ),
        (
            tasks
                .deploy(ID)
                .session_options(options().identity("i"))
                .send()
                .await
                .err(),
            "`identities`",
        ),
        (
            tasks
                .run(ID)
                .session_options(options().profile("p"))
                .start()
                .await
                .err(),
            "`browser`",
        ),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(emulator.exchanges().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_the_api_refuses_is_not_sent() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    async fn refusals(client: &Client) -> Vec<(&'static str, Option<Error>)> {
        let tasks = client.tasks_legacy();
        let wrong = |run: RunTask| run.input("HOME", "canary").send();
        vec![
            ("`name`", tasks.create("a b").send().await.err()),
            ("`name`", tasks.create("a".repeat(256)).send().await.err()),
            ("`name`", tasks.update(ID).name("").send().await.err()),
            ("`name`", tasks.run_by_name("é").send().await.err()),
            ("`ANCHOR_`", wrong(tasks.run(ID)).await.err()),
            ("`ANCHOR_`", wrong(tasks.run_by_name("a")).await.err()),
            ("`limit`", tasks.list().page_size(0).send().await.err()),
            ("`page`", tasks.executions(ID).page(0).send().await.err()),
        ]
    }
    for (part, error) in refusals(&client).await {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(part) && !shown.contains("canary"), "{shown}");
    }
    assert!(emulator.exchanges().is_empty());

    let unchecked = client.with_options(Options::new().checks(false))?;
    let refused = refusals(&unchecked).await;
    assert_eq!(emulator.exchanges().len(), refused.len());
    for (part, error) in refused {
        assert!(error.unwrap().status().is_some(), "{part}");
    }
    Ok(())
}

#[tokio::test]
async fn odd_answers_are_read_as_far_as_they_go() -> anyhow::Result<()> {
    let (emulator, client) = start().await?;
    let tasks = client.tasks_legacy();
    let answer = |operation: &str, data: Value| {
        let answer = Fault::status(200).json(json!({ "data": data }));
        emulator.fault(answer.on(operation))
    };
    answer(
        "get_task_version",
        json!({ "version": "v9-beta", "code": "no base64!" }),
    )?;
    let version = tasks.version(ID, 9).await?;
    assert_eq!(version.version, Version::Other("v9-beta".to_owned()));
    assert_eq!(version.code, "no base64!");

    answer("create_task", json!({ "name": "a" }))?;
    answer("get_task", json!({}))?;
    answer("get_task_draft", json!({ "version": "draft" }))?;
    answer(
        "run_adhoc_task",
        json!({ "success": true, "async": true, "taskId": ID }),
    )?;
    answer("get_task_execution", json!({ "status": "success" }))?;
    answer(
        "delete_task",
        json!({ "success": false, "message": "it runs" }),
    )?;
    for (error, kind, part) in [
        (
            tasks.create("a").send().await.err(),
            ErrorKind::Decode,
            "`data.id`",
        ),
        (tasks.get(ID).await.err(), ErrorKind::Decode, "`data.id`"),
        (
            tasks.version(ID, Version::Draft).await.err(),
            ErrorKind::Decode,
            "`data.code`",
        ),
        (
            tasks.run(ID).start().await.err(),
            ErrorKind::Decode,
            "`data.executionResultId`",
        ),
        (
            tasks.execution(ID, ID).await.err(),
            ErrorKind::Decode,
            "`data.id`",
        ),
        (tasks.delete(ID).await.err(), ErrorKind::Failed, "it runs"),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    Ok(())
}
