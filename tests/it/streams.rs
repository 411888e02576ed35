//! Bytes: answers that stream, and forms that do.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::types::*;
use anchorbrowser_api::{ByteStream, ErrorKind};
use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::Notify;

use crate::server::{Answer, CHUNKS_END, Request, Server, encode_chunk};

async fn rest(stream: &mut ByteStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        all.extend_from_slice(&chunk);
    }
    all
}

#[tokio::test]
async fn the_first_bytes_are_there_before_the_last_are_sent() {
    let seen = Arc::new(Notify::new());
    let answer = Answer::chunked(200, &[("content-type", "video/mp4")], b"first ");
    let answer = answer
        .wait(seen.clone())
        .then(encode_chunk(b"second"))
        .then(CHUNKS_END);
    let server = Server::always(answer).await;
    let client = server.client();
    let mut video = client
        .fetch_primary_recording()
        .session_id("s")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (video.content_type(), video.content_length()),
        (Some("video/mp4"), None)
    );
    assert_eq!(video.chunk().await.unwrap().unwrap(), "first ");
    seen.notify_one();
    assert_eq!(rest(&mut video).await, b"second");
    assert_eq!(server.request().header("accept"), Some("video/mp4"));
}

#[tokio::test]
async fn bytes_come_as_they_were_sent() {
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let server = Server::always(Answer::new(200, &[("content-type", "image/png")], &bytes)).await;
    let client = server.client();
    let mut image = client
        .get_session_screenshot()
        .session_id("s")
        .send()
        .await
        .unwrap();
    assert_eq!(image.content_length(), Some(300_000));
    assert!(rest(&mut image).await == bytes);
    let body = CreatePagePdfBody::new("u");
    let mut pdf = client.create_page_pdf().body(body).send().await.unwrap();
    assert!(rest(&mut pdf).await == bytes);
    let accept: Vec<_> = server
        .requests()
        .iter()
        .map(|r| r.header("accept").unwrap().to_owned())
        .collect();
    assert_eq!(accept, ["image/png", "application/pdf"]);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let server = Server::always(Answer::cut(200, "some")).await;
    let client = server.client();
    let mut image = client
        .get_session_screenshot()
        .session_id("s")
        .send()
        .await
        .unwrap();
    assert_eq!(image.chunk().await.unwrap().unwrap(), "some");
    let error = image.chunk().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Body, 200)
    );
    assert_eq!(error.operation(), Some("get_session_screenshot"));
    assert!(error.body().is_none() && error.headers().is_some());
}

#[tokio::test]
async fn the_failure_of_a_stream_is_that_of_a_call() {
    let server = Server::always(Answer::json(
        404,
        r#"{"error":{"code":404,"message":"none"}}"#,
    ))
    .await;
    let client = server.client();
    let error = client
        .fetch_primary_recording()
        .session_id("s")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Status, 404)
    );
    assert_eq!(error.error_body().unwrap().message(), Some("none"));
}

#[tokio::test]
async fn the_web_unlocker_gives_the_content_whatever_its_type() {
    for (content_type, content) in [
        (
            "text/html; charset=utf-8",
            &b"<html><title>Sign in</title></html>"[..],
        ),
        ("application/pdf", b"%PDF-1.7"),
        ("text/csv", b"a,b\n"),
        ("application/octet-stream", b"\x00\xff"),
        // JSON is content, not an envelope.
        (
            "application/json",
            b"{\"data\": {\"id\": 1}, \"error\": \"x\"}",
        ),
        ("application/json", b"null"),
        ("application/xml", b"<?xml version=\"1.0\"?><a/>"),
        ("text/plain", b""),
    ] {
        let server =
            Server::always(Answer::new(200, &[("content-type", content_type)], content)).await;
        let client = server.client();
        let body = WebUnlockerRequestSchema::new("https://example.com/");
        let mut page = client.fetch_webpage().body(body).send().await.unwrap();
        assert_eq!(page.content_type(), Some(content_type));
        assert_eq!(rest(&mut page).await, content);
        let request = server.request();
        let accept = request.header("accept").unwrap();
        for name in [
            "text/html",
            "application/pdf",
            "text/csv",
            "application/octet-stream",
            "application/json",
            "application/xml",
            "text/plain",
        ] {
            assert!(accept.split(", ").any(|found| found == name), "{accept}");
        }
    }
}

/// The parts of a form: their headers and bodies.
fn parts(request: &Request) -> Vec<(String, String)> {
    let content_type = request.header("content-type").unwrap();
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let text = request.text();
    let boundary = format!("--{boundary}");
    let parts = text.split(&boundary).skip(1);
    let parts = parts.filter_map(|part| part.strip_prefix("\r\n")?.split_once("\r\n\r\n"));
    parts
        .map(|(head, body)| (head.to_owned(), body.trim_end_matches("\r\n").to_owned()))
        .collect()
}

fn assert_sized(request: &Request) {
    assert!(!request.chunked);
    let length = request
        .header("content-length")
        .and_then(|text| text.parse().ok());
    assert_eq!(length, Some(request.length));
}

async fn upload(file: FilePart) -> Request {
    let server = Server::always(Answer::json(200, "{}")).await;
    let body = UploadVolumeFileForm {
        file,
        overwrite: None,
        path: None,
    };
    server
        .client()
        .upload_volume_file()
        .volume_id("v")
        .body(body)
        .send()
        .await
        .unwrap();
    server.request()
}

#[tokio::test]
async fn a_form_says_its_length() {
    let request = upload(FilePart::bytes("a.bin", vec![b'x'; 1000])).await;
    assert_sized(&request);
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
        Content-Type: application/octet-stream";
    assert_eq!(parts(&request), [(head.to_owned(), "x".repeat(1000))]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "from a file").unwrap();
    let file = FilePart::path(&path)
        .await
        .unwrap()
        .content_type("text/plain");
    // What is appended after the length was read is not sent.
    std::fs::write(&path, "from a file, and more").unwrap();
    let request = upload(file).await;
    assert_sized(&request);
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"notes.txt\"\r\n\
        Content-Type: text/plain";
    assert_eq!(
        parts(&request),
        [(head.to_owned(), "from a file".to_owned())]
    );
    assert!(FilePart::path(folder.path()).await.is_err());
    assert!(FilePart::path(folder.path().join("none")).await.is_err());
}

#[tokio::test]
async fn a_form_has_its_texts() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let file = FilePart::bytes("a\"; é.txt", "bytes");
    let body = UploadVolumeFileForm {
        file,
        overwrite: Some(BooleanText::True),
        path: Some("dir/é\r\n.txt".to_owned()),
    };
    server
        .client()
        .upload_volume_file()
        .volume_id("v")
        .body(body)
        .send()
        .await
        .unwrap();
    let request = server.request();
    assert_sized(&request);
    let parts = parts(&request);
    assert_eq!(parts.len(), 3, "{parts:?}");
    let file = parts
        .iter()
        .find(|(head, _)| head.contains("name=\"file\""))
        .unwrap();
    assert!(file.0.contains(r#"filename="a\"; é.txt""#), "{file:?}");
    let text = |name: &str| {
        let wanted = format!("name=\"{name}\"");
        parts
            .iter()
            .find(|(head, _)| head.contains(&wanted))
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(
        (text("overwrite").as_str(), text("file").as_str()),
        ("true", "bytes")
    );
    assert_eq!(text("path"), "dir/é\r\n.txt");
}

#[tokio::test]
async fn a_file_name_cannot_add_headers() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let client = server.client();
    for name in ["a\r\nX-Evil: 1\r\n\r\n", "a\nb", "a\rb", "a\0b"] {
        let file = FilePart::bytes(name, "bytes");
        let body = UploadSessionFileForm { file };
        let call = client
            .upload_session_file()
            .session_id("s")
            .body(body)
            .send();
        assert_eq!(
            call.await.unwrap_err().kind(),
            ErrorKind::InvalidRequest,
            "{name:?}"
        );
    }
    assert!(server.requests().is_empty());
}

const PIECE: u64 = 64 * 1024;
const LENGTH: u64 = 64 << 20;

/// Makes bytes on demand, and measures how far it runs ahead of the server.
struct Source {
    made: u64,
    received: Arc<AtomicU64>,
    most_ahead: Arc<AtomicU64>,
}

impl Stream for Source {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.made == LENGTH {
            return Poll::Ready(None);
        }
        self.made += PIECE;
        // The received bytes include the form's own few.
        let ahead = self
            .made
            .saturating_sub(self.received.load(Ordering::SeqCst));
        self.most_ahead.fetch_max(ahead, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Bytes::from(vec![b'x'; PIECE as usize]))))
    }
}

#[tokio::test]
async fn a_long_stream_is_never_held_whole() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let most_ahead = Arc::new(AtomicU64::new(0));
    let source = Source {
        made: 0,
        received: server.received(),
        most_ahead: most_ahead.clone(),
    };
    let file = FilePart::stream("long.bin", source, LENGTH);
    let body = UploadVolumeFileForm {
        file,
        overwrite: None,
        path: None,
    };
    server
        .client()
        .upload_volume_file()
        .volume_id("v")
        .body(body)
        .send()
        .await
        .unwrap();
    let request = server.request();
    assert_sized(&request);
    assert!(request.length > LENGTH && request.length < LENGTH + 1000);
    // Made and not yet received is what memory holds: ours and the sockets' buffers.
    let ahead = most_ahead.load(Ordering::SeqCst);
    assert!(ahead < LENGTH / 2, "{ahead} bytes at once");
}

#[tokio::test]
async fn a_stream_that_does_not_keep_its_length_is_an_error() {
    for (promised, reason) in [(PIECE + 1, "shorter"), (PIECE - 1, "longer"), (0, "longer")] {
        let server = Server::always(Answer::json(200, "{}")).await;
        let source = Source {
            made: LENGTH - PIECE,
            received: server.received(),
            most_ahead: Arc::default(),
        };
        let file = FilePart::stream("a.bin", source, promised);
        let body = UploadSessionFileForm { file };
        let client = server.client();
        let call = client
            .upload_session_file()
            .session_id("s")
            .body(body)
            .send();
        let error = call.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{promised}");
        // The cause says which.
        let mut causes = String::new();
        let mut cause = error.source();
        while let Some(found) = cause {
            causes += &found.to_string();
            cause = found.source();
        }
        assert!(causes.contains(reason), "{causes}");
    }
}
