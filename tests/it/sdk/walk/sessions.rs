//! Sessions with all that happens in them, and batches of sessions.

use std::time::Duration;

use anchorbrowser::sessions::{Granularity, Metric};
use anchorbrowser::{Session, Upload};

use super::{Walk, gone};

pub(super) async fn walk(walk: &Walk) -> anyhow::Result<()> {
    life(walk).await?;
    later(walk).await?;
    batch(walk).await?;
    counted(walk).await
}

/// A session is created, found, tagged, used, recorded and ended.
async fn life(walk: &Walk) -> anyhow::Result<()> {
    let sessions = walk.client.sessions();
    let create = sessions.create().tag("first");
    let session = create.initial_url("https://example.com/").send().await?;
    let info = sessions.get(session.id()).await?;
    assert_eq!(
        (&info.id, info.status.as_deref()),
        (session.id(), Some("running"))
    );
    assert_eq!(session.tags().await?, ["first"]);
    session.set_tags(["second"]).await?;
    let found = sessions.list().status("running").stream().collect().await?;
    assert_eq!((found.len(), &found[0].id), (1, session.id()));
    let status = sessions.statuses().tag("second").send().await?;
    assert_eq!(status.items[0].id, *session.id());
    session.clear_tags().await?;

    pages(&session).await?;
    hands(&session).await?;
    files(&session).await?;
    recorded(walk, &session).await?;
    assert_eq!(session.info().await?.status.as_deref(), Some("completed"));
    gone(session.pages()).await;
    Ok(())
}

async fn pages(session: &Session) -> anyhow::Result<()> {
    let before = session.screenshot().await?.bytes().await?;
    session.goto("https://example.com/prices").await?;
    let after = session.screenshot().await?.bytes().await?;
    assert!(after.starts_with(b"\x89PNG") && after != before);
    let page = &session.pages().await?[0];
    assert_eq!(page.url.as_deref(), Some("https://example.com/prices"));
    Ok(())
}

/// Mouse, keyboard, clipboard: what is typed can be copied, what is copied pasted.
async fn hands(session: &Session) -> anyhow::Result<()> {
    let (mouse, keyboard) = (session.mouse(), session.keyboard());
    mouse.click(10, 20).send().await?;
    mouse.click_on("#buy").send().await?;
    mouse.double_click(10, 20).send().await?;
    mouse.move_to(30, 40).await?;
    mouse.down(30, 40).send().await?;
    mouse.up(30, 40).send().await?;
    mouse.drag((10, 20), (30, 40)).send().await?;
    session.scroll(10, 20, 300).send().await?;

    let clipboard = session.clipboard();
    keyboard.type_text("typed").send().await?;
    assert_eq!(clipboard.copy().await?, "typed");
    clipboard.set("zwölf\n").await?;
    keyboard.shortcut(["Control", "v"]).send().await?;
    assert_eq!(clipboard.copy().await?, "zwölf\n");
    clipboard.paste("pasted").await?;
    assert_eq!(clipboard.get().await?, "zwölf\n");
    Ok(())
}

async fn files(session: &Session) -> anyhow::Result<()> {
    session.upload(Upload::bytes("list.csv", "a,b\n")).await?;
    session.goto("https://example.com/prices.csv").await?;
    let file = session.downloads().send().await?.items.remove(0);
    let folder = tempfile::tempdir()?;
    let path = session.download(&file).await?;
    let path = path.save_in(folder.path()).await?;
    assert_eq!(path, folder.path().join("prices.csv"));
    assert_eq!(Some(std::fs::metadata(path)?.len()), file.size);
    Ok(())
}

/// Ends the session, and saves what was recorded of it, which is all but a pause.
async fn recorded(walk: &Walk, session: &Session) -> anyhow::Result<()> {
    let recordings = session.recordings();
    walk.passes(Duration::from_secs(2))?;
    recordings.pause().await?;
    walk.passes(Duration::from_secs(10))?;
    recordings.resume().await?;
    walk.passes(Duration::from_secs(3))?;
    session.end().await?;
    walk.passes(Duration::from_secs(1))?;

    let recording = recordings.list().send().await?.items.remove(0);
    assert_eq!(recording.duration, Some(Duration::from_secs(5)));
    let folder = tempfile::tempdir()?;
    let path = recordings.fetch_primary().await?;
    let path = path.save_in(folder.path()).await?;
    assert_eq!(Some(std::fs::metadata(&path)?.len()), recording.size);
    let same = recordings.fetch(&recording).await?.bytes().await?;
    assert!(std::fs::read(path)? == same);
    recordings.delete(&recording.id).await?;
    gone(recordings.fetch_primary()).await;
    Ok(())
}

/// A session is asked for, and looked for until it is there.
async fn later(walk: &Walk) -> anyhow::Result<()> {
    let pending = walk.client.sessions().start().tag("later").send().await?;
    walk.says(Some(pending.status().await?.state), "pending");
    walk.passes(Duration::from_secs(1))?;
    let status = pending.status().await?;
    walk.says(Some(status.state), "ready");
    let found = walk.client.sessions().list().tag("later").send().await?;
    let session = match status.session {
        Some(session) => session,
        // What is ready is not known of an unknown state.
        None if walk.drift => walk.client.session(&found.items[0].id),
        None => panic!("a ready session is not handed out"),
    };
    assert_eq!(session.tags().await?, ["later"]);
    session.end().await?;
    Ok(())
}

/// One session of a batch fails, and is there after a retry. Another batch is given up.
async fn batch(walk: &Walk) -> anyhow::Result<()> {
    let batches = walk.client.batch_sessions();
    let batch = batches.create(3).metadata("order", 7).send().await?;
    walk.passes(Duration::from_secs(1))?;
    let snapshot = batch.get().await?;
    assert_eq!((snapshot.completed, snapshot.failed), (2, 1));
    assert!(snapshot.items().nth(1).unwrap().error.is_some());
    let id = &batch.ids()[0];
    assert_eq!(batches.retry(id).send().await?.retried, 1);
    walk.passes(Duration::from_secs(1))?;
    let snapshot = batches.get(id).await?;
    walk.says(Some(&snapshot.status), "completed");
    let sessions: Vec<_> = snapshot.sessions().collect();
    assert_eq!(sessions.len(), 3);
    for session in sessions {
        session.goto("https://example.com/").await?;
    }
    assert_eq!(batch.delete().await?.deleted, 3);
    gone(batch.get()).await;

    let batch = batches.create(2).send().await?;
    let id = &batch.ids()[0];
    walk.says(batches.cancel(id).await?.status, "cancelled");
    let list = batches.list().stream().collect().await?;
    assert_eq!((list.len(), &list[0].id), (1, id));
    Ok(())
}

/// All sessions are ended at once, and counted.
async fn counted(walk: &Walk) -> anyhow::Result<()> {
    let sessions = walk.client.sessions();
    let both = [walk.session().await?, walk.session().await?];
    sessions.end_all().await?;
    for session in both {
        assert_eq!(session.info().await?.status.as_deref(), Some("completed"));
    }
    let count = sessions.list().stream().collect().await?.len() as u64;
    let history = sessions.history().granularity(Granularity::Day);
    let history = history.metric(Metric::SessionCount).send().await?;
    assert_eq!(history.summary.sessions, Some(count));
    let points = history.points.items.iter();
    let counts = points.filter_map(|point| point.figures.sessions);
    assert_eq!(counts.sum::<u64>(), count);
    Ok(())
}
