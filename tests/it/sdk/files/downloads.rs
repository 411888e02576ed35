//! What is fetched: whole, or not at all.

use std::sync::{Arc, Mutex};

use anchorbrowser::ErrorKind;
use futures_core::Stream;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;

use super::{names, served};
use crate::server::{Answer, CHUNKS_END, encode_chunk};

/// Some bytes that are more than one piece.
fn long() -> Vec<u8> {
    (0..=255).cycle().take(700_000).collect()
}

/// A body that begins and does not end.
fn stuck() -> Answer {
    Answer::chunked(200, &[], b"first").wait(Arc::new(Notify::new()))
}

#[tokio::test]
async fn a_body_is_read_in_each_way() -> anyhow::Result<()> {
    let answer = Answer::new(200, &[("content-type", "text/plain")], "some ü");
    let (_server, client) = served(answer).await;
    let session = client.session("s");
    let fetch = || session.screenshot();
    let download = fetch().await?;
    assert_eq!(download.content_type(), Some("text/plain"));
    assert_eq!(download.content_length(), Some(7));
    assert_eq!(download.bytes().await?, "some ü");
    assert_eq!(fetch().await?.text().await?, "some ü");

    let mut text = String::new();
    fetch()
        .await?
        .into_reader()
        .read_to_string(&mut text)
        .await?;
    assert_eq!(text, "some ü");

    let mut download = fetch().await?;
    assert_eq!(download.chunk().await?.unwrap_or_default(), "some ü");
    assert!(download.chunk().await?.is_none() && download.chunk().await?.is_none());

    let mut stream = std::pin::pin!(fetch().await?);
    let item = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await;
    assert_eq!(item.unwrap()?, "some ü");

    let answer = fetch().await?.bytes().with_meta().await?;
    assert_eq!(answer.meta.operation(), "get_session_screenshot");
    Ok(())
}

#[tokio::test]
async fn text_that_is_none_is_an_error() -> anyhow::Result<()> {
    let (_server, client) = served(Answer::new(200, &[], b"canary \xff")).await;
    let error = client
        .session("s")
        .screenshot()
        .await?
        .text()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error:?}").contains("canary"));
    Ok(())
}

#[tokio::test]
async fn a_file_is_saved_with_progress() -> anyhow::Result<()> {
    let (_server, client) = served(Answer::new(200, &[], long())).await;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.bin");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (kept, old) = (seen.clone(), path.clone());
    std::fs::write(&path, "old")?;
    let download = client
        .session("s")
        .screenshot()
        .await?
        .on_progress(move |progress| {
            assert_eq!(std::fs::read(&old).unwrap(), b"old");
            kept.lock().unwrap().push(progress);
        });
    assert_eq!(download.save_to(&path).await?, 700_000);
    assert!(std::fs::read(&path)? == long());
    assert_eq!(names(folder.path()), ["a.bin"]);
    let seen = seen.lock().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].done < pair[1].done));
    assert!(seen.iter().all(|progress| progress.total == Some(700_000)));
    assert_eq!(seen.last().unwrap().done, 700_000);
    Ok(())
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_was_there() -> anyhow::Result<()> {
    let (_server, client) = served(Answer::cut(200, long())).await;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.bin");
    for before in [None, Some("old")] {
        if let Some(text) = before {
            std::fs::write(&path, text)?;
        }
        let error = client
            .session("s")
            .screenshot()
            .await?
            .save_to(&path)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), before);
        assert_eq!(names(folder.path()).len(), usize::from(before.is_some()));
    }
    let error = client
        .session("s")
        .screenshot()
        .await?
        .save_in(folder.path())
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Body);
    assert_eq!(names(folder.path()), ["a.bin"]);
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_nothing() -> anyhow::Result<()> {
    let (_server, client) = served(stuck()).await;
    let folder = tempfile::tempdir()?;
    let came = Arc::new(Notify::new());
    let (seen, directory) = (came.clone(), folder.path().to_owned());
    let download = client.session("s").screenshot().await?;
    let download = download.on_progress(move |_| {
        assert_eq!(names(&directory).len(), 1, "what came is kept aside");
        seen.notify_one();
    });
    tokio::select! {
        result = download.save_to(folder.path().join("a.bin")) => panic!("{result:?}"),
        () = came.notified() => {}
    }
    assert!(names(folder.path()).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_panic_leaves_nothing() -> anyhow::Result<()> {
    let (_server, client) = served(stuck()).await;
    let folder = tempfile::tempdir()?;
    let download = client.session("s").screenshot().await?;
    let download = download.on_progress(|_| panic!("a test"));
    let task = tokio::spawn(download.save_to(folder.path().join("a.bin")));
    assert!(task.await.unwrap_err().is_panic());
    assert!(names(folder.path()).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() -> anyhow::Result<()> {
    let told = Answer::new(200, &[], "123456");
    let untold = Answer::chunked(200, &[], b"123")
        .then(encode_chunk(b"456"))
        .then(CHUNKS_END);
    for (answer, is_told) in [(told, true), (untold, false)] {
        let (_server, client) = served(answer).await;
        let folder = tempfile::tempdir()?;
        let fetch = || client.session("s").screenshot();
        assert_eq!(fetch().await?.limit(6).bytes().await?, "123456");
        let error = fetch().await?.limit(5).bytes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
        assert!(error.may_have_been_processed());
        assert_eq!(
            error.to_string(),
            "get_session_screenshot: the body is longer than the limit of 5 bytes"
        );

        let path = folder.path().join("a");
        let error = fetch().await?.limit(5).save_to(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(names(folder.path()).is_empty());

        // Where the length is told, nothing is read.
        let mut download = fetch().await?.limit(5);
        let first = download.chunk().await;
        assert_eq!(first.is_err(), is_told);
        let mut ended = first.is_err();
        while !ended {
            ended = download.chunk().await.is_err();
        }
        assert!(download.chunk().await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_written_is_named() -> anyhow::Result<()> {
    let (_server, client) = served(Answer::new(200, &[], "bytes")).await;
    let folder = tempfile::tempdir()?;
    for path in [
        folder.path().join("none/a.bin"),
        folder.path().to_owned(),
        "/dev/null".into(),
        "".into(),
        "..".into(),
    ] {
        let error = client
            .session("s")
            .screenshot()
            .await?
            .save_to(&path)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{path:?}");
        assert!(
            error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
    let error = client.session("s").screenshot().await?;
    let error = error.save_in(folder.path().join("none")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(names(folder.path()).is_empty());
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_replaced_keeps_its_permissions_and_links() -> anyhow::Result<()> {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (_server, client) = served(Answer::new(200, &[], "new")).await;
    let folder = tempfile::tempdir()?;
    let (file, link) = (folder.path().join("a"), folder.path().join("link"));
    std::fs::write(&file, "old")?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    symlink(&file, &link)?;
    client
        .session("s")
        .screenshot()
        .await?
        .save_to(&link)
        .await?;
    assert!(std::fs::symlink_metadata(&link)?.is_symlink());
    assert_eq!(std::fs::read(&file)?, b"new");
    assert_eq!(
        std::fs::metadata(&file)?.permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(names(folder.path()), ["a", "link"]);
    Ok(())
}

#[tokio::test]
async fn debug_shows_no_header() -> anyhow::Result<()> {
    let answer = Answer::new(200, &[("x-secret", "canary")], "canary");
    let (_server, client) = served(answer).await;
    let download = client.session("s").screenshot().await?;
    let shown = format!("{download:?}");
    assert!(
        shown.contains("get_session_screenshot") && !shown.contains("canary"),
        "{shown}"
    );
    Ok(())
}
