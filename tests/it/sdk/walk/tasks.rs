//! Tasks: of code, with versions; and made from a prompt.

use std::time::Duration;

use anchorbrowser::TaskId;
use anchorbrowser::tasks_legacy::Version;
use anchorbrowser_emulator::AgentScript;

use super::{Walk, gone};

pub(super) async fn walk(walk: &Walk) -> anyhow::Result<()> {
    legacy(walk).await?;
    generated(walk).await
}

async fn legacy(walk: &Walk) -> anyhow::Result<()> {
    let tasks = walk.client.tasks_legacy();
    let id = tasks.create("prices").code("return 1;").send().await?.id;
    tasks.update(&id).description("finds prices").send().await?;
    let found = tasks.get(&id).await?;
    assert_eq!(found.description.as_deref(), Some("finds prices"));
    let list = tasks.list().stream().collect().await?;
    assert_eq!((list.len(), &list[0].id), (1, &id));
    versions(walk, &id).await?;
    runs(walk, &id).await?;
    tasks.delete(&id).await?;
    gone(tasks.get(&id)).await;
    Ok(())
}

/// A draft becomes version 1; version 7 is published by its number, and deleted.
async fn versions(walk: &Walk, id: &TaskId) -> anyhow::Result<()> {
    let tasks = walk.client.tasks_legacy();
    tasks.save_draft(id, "return 2;").send().await?;
    assert_eq!(tasks.version(id, Version::Draft).await?.code, "return 2;");
    let first = tasks.deploy(id).send().await?;
    assert_eq!(first.version, Version::Number(1));
    tasks.publish(id, 7).code("return 7;").send().await?;
    let latest = tasks.version(id, Version::Latest).await?;
    assert_eq!(
        (latest.version, &*latest.code),
        (Version::Number(7), "return 7;")
    );
    walk.says(latest.language, "typescript");
    assert_eq!(tasks.versions(id).stream().collect().await?.len(), 3);
    tasks.delete_version(id, 7).await?;
    gone(tasks.version(id, 7)).await;
    assert_eq!(tasks.version(id, 1).await?.code, "return 2;");
    Ok(())
}

async fn runs(walk: &Walk, id: &TaskId) -> anyhow::Result<()> {
    let tasks = walk.client.tasks_legacy();
    walk.emulator.script(AgentScript::completed("done"))?;
    let run = tasks.run(id).input("ANCHOR_A", "b").send();
    let run = walk.held("run_adhoc_task", run).await?;
    assert!(run.output.is_some_and(|output| output.contains("done")));

    walk.emulator
        .script(AgentScript::failed("no such button"))?;
    let run = tasks.run_by_name("prices").start().await?;
    walk.passes(Duration::from_secs(10))?;
    let failed = tasks.execution(id, &run.execution_id).await?;
    walk.says(failed.status, "failure");
    assert_eq!(failed.error.as_deref(), Some("no such button"));
    let all = tasks.executions(id).page_size(1).stream().collect().await?;
    assert_eq!(all.len(), 2);
    assert!(all.iter().any(|run| run.id == failed.id));
    Ok(())
}

async fn generated(walk: &Walk) -> anyhow::Result<()> {
    let tasks = walk.client.tasks();
    let made = tasks.generate("hats", "Find the price of a hat.");
    let id = made.send().await?.id;
    walk.passes(Duration::from_secs(10))?;
    walk.says(Some(tasks.generation_status(&id).await?.status), "ready");
    let run = tasks.run(&id).send().await?;
    walk.says(Some(run.status), "queued");
    walk.passes(Duration::from_secs(10))?;
    let run = tasks.run_status(&run.id).await?;
    walk.says(Some(run.status), "success");
    assert!(!run.result.is_empty());
    let waited = walk.held("run_task", tasks.run(&id).sync(true).send());
    walk.says(Some(waited.await?.status), "success");
    Ok(())
}
