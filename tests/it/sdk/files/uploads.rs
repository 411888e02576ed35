//! What is sent: from a path, bytes, a reader or a stream.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use anchorbrowser::{Bytes, Client, ErrorKind, Upload};
use anchorbrowser_emulator::{Emulator, Fault};
use futures_core::Stream;

use super::served;
use crate::sdk::client;
use crate::server::{Answer, Server};

/// Gives these pieces.
struct Pieces(Vec<&'static str>);

impl Stream for Pieces {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = (!self.0.is_empty()).then(|| self.0.remove(0));
        Poll::Ready(piece.map(|piece| match piece {
            "error" => Err(std::io::Error::other("a test")),
            piece => Ok(Bytes::from(piece)),
        }))
    }
}

#[tokio::test]
async fn a_file_is_sent_from_anywhere() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a \"b\".txt");
    std::fs::write(&path, "some bytes")?;
    for (file, name) in [
        (Upload::from(path.as_path()), "a \\\"b\\\".txt"),
        (
            Upload::from(path.to_str().unwrap()).file_name("other"),
            "other",
        ),
        (Upload::bytes("c.txt", "some bytes"), "c.txt"),
        (Upload::reader("d.txt", &b"some bytes"[..], 10), "d.txt"),
        (
            Upload::stream("e.txt", Pieces(vec!["some ", "bytes"]), 10),
            "e.txt",
        ),
    ] {
        let shown = format!("{file:?}");
        assert!(!shown.contains("bytes"), "{shown}");
        let (server, client) = served(Answer::json(200, "{}")).await;
        let file = file.content_type("text/x-test");
        assert_eq!(client.session("s").upload(file).await?, None);
        let request = server.request();
        assert!(!request.chunked, "the length is told");
        assert!(
            request.holds(&format!("filename=\"{name}\"")),
            "{}",
            request.text()
        );
        assert!(request.holds("Content-Type: text/x-test\r\n\r\nsome bytes\r\n--"));
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_and_nothing_is_sent() -> anyhow::Result<()> {
    let (server, client) = served(Answer::json(200, "{}")).await;
    let folder = tempfile::tempdir()?;
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let error = client.session("s").upload(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(!error.may_have_been_processed());
        let expected = format!(
            "upload_session_file: the file `{}` cannot be read",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.source().is_some());
    }
    assert!(server.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_source_that_fails_on_the_way_is_named() -> anyhow::Result<()> {
    for (pieces, length, reason) in [
        (vec!["12", "error"], 10, "a test"),
        (vec!["12", "34"], 10, "4 bytes"),
        (vec!["12", "34"], 3, "4 bytes"),
        (vec!["12"], 0, "2 bytes"),
    ] {
        let (_server, client) = served(Answer::json(200, "{}")).await;
        let file = Upload::stream("a.txt", Pieces(pieces), length);
        let error = client.session("s").upload(file).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{reason}");
        assert!(error.to_string().contains("`a.txt`"), "{error}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(reason), "{source}");
    }
    Ok(())
}

#[tokio::test]
async fn progress_only_grows() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a");
    std::fs::write(&path, vec![7; 900_000])?;
    for file in [Upload::path(&path), Upload::bytes("a", vec![7; 900_000])] {
        let (server, client) = served(Answer::json(200, "{}")).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        let file = file.on_progress(move |progress| kept.lock().unwrap().push(progress));
        client.session("s").upload(file).await?;
        let seen = seen.lock().unwrap();
        assert!(seen.len() > 2 && seen.windows(2).all(|pair| pair[0].done < pair[1].done));
        assert!(seen.iter().all(|progress| progress.total == Some(900_000)));
        assert_eq!(seen.last().unwrap().done, 900_000);
        assert!(server.request().length > 900_000);
    }
    Ok(())
}

#[tokio::test]
async fn a_name_cannot_add_headers() -> anyhow::Result<()> {
    let (server, client) = served(Answer::json(200, "{}")).await;
    let file = Upload::bytes("a\r\nX-Evil: 1", "x");
    let error = client.session("s").upload(file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(server.requests().is_empty());
    Ok(())
}

/// What was certainly not processed is sent again, if it can be read again.
#[tokio::test]
async fn an_upload_is_repeated_if_it_was_not_processed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a");
    std::fs::write(&path, "x")?;
    let limited = || Fault::rate_limited(Duration::ZERO);
    let overloaded = || Fault::status(503).header("retry-after", "0");
    let file = |from: &str| match from {
        "path" => Upload::path(&path),
        "bytes" => Upload::bytes("a", "x"),
        _ => Upload::reader("a", &b"x"[..], 1),
    };
    for from in ["path", "bytes", "reader"] {
        for (fault, repeats) in [
            (limited(), true),
            (overloaded(), true),
            (limited().header("x-should-retry", "false"), false),
            (Fault::status(503), false),
            (Fault::status(500), false),
            (Fault::status(408), false),
            (Fault::reset_after(), false),
        ] {
            let emulator = Emulator::start().await?;
            let session = client(&emulator).sessions().create().send().await?;
            emulator.fault(fault.clone().on("upload_session_file"))?;
            let result = session.upload(file(from)).with_meta().await;
            let again = repeats && from != "reader";
            assert_eq!(result.is_ok(), again, "{from} {fault:?} {result:?}");
            let attempts = result.map_or_else(|e| e.attempts(), |a| a.meta.attempts());
            let count = emulator.count("upload_session_file")?;
            assert_eq!(count, 1 + usize::from(again), "{fault:?}");
            assert_eq!(attempts as usize, count);
        }
    }
    Ok(())
}

#[tokio::test]
async fn repeats_end() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let session = client(&emulator).sessions().create().send().await?;
    let fault = Fault::status(429).header("retry-after", "0").always();
    emulator.fault(fault.on("upload_session_file"))?;
    let error = session.upload(Upload::bytes("a", "x")).await.unwrap_err();
    assert!(error.is_rate_limited());
    let first = emulator.count("upload_session_file")?;
    assert!((2..10).contains(&first), "{first}");
    assert_eq!(error.attempts() as usize, first);

    // What the server asks for is too long to wait.
    emulator.clear_faults();
    let fault = Fault::status(429).header("retry-after", "3600");
    emulator.fault(fault.on("upload_session_file"))?;
    let error = session.upload(Upload::bytes("a", "x")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(emulator.count("upload_session_file")?, first + 1);

    // So is what the caller's limit leaves no time for.
    let options = anchorbrowser::Options::new().operation_timeout(Duration::from_secs(30));
    let session = session
        .client()
        .with_options(options)?
        .session(session.id());
    let fault = Fault::status(429).header("retry-after", "40");
    emulator.fault(fault.on("upload_session_file"))?;
    let error = session.upload(Upload::bytes("a", "x")).await.unwrap_err();
    assert!(error.is_rate_limited() || error.retry_after().is_some());
    assert_eq!(emulator.count("upload_session_file")?, first + 2);
    Ok(())
}

#[tokio::test]
async fn the_limit_of_an_operation_holds_for_all_attempts() -> anyhow::Result<()> {
    let first = Answer::new(429, &[("retry-after", "0")], "");
    let server = Server::list([first, Answer::until_closed(Arc::default())]).await;
    let limit = Duration::from_millis(700);
    let builder = Client::builder().base_url(server.url()).api_key("k");
    let client = builder.operation_timeout(limit).build()?;
    let upload = client.session("s").upload(Upload::bytes("a", "x"));
    let error = upload.await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_processed());
    assert_eq!(error.attempts() as usize, server.requests().len());
    let text = "upload_session_file: the operation's limit of 700 ms passed after 2 attempts; \
                last: 429 Too Many Requests: no body";
    assert_eq!(error.to_string(), text);
    Ok(())
}

/// To open a pipe that nobody writes to would wait for ever.
#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status()?;
    anyhow::ensure!(made.success());
    let (server, client) = served(Answer::json(200, "{}")).await;
    let error = client.session("s").upload(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let part = anchorbrowser_api::multipart::FilePart::path(&path).await;
    assert!(part.is_err() && server.requests().is_empty());
    Ok(())
}
