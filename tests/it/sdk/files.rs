//! Files of sessions, and how files come and go.

mod downloads;
mod names;
mod uploads;

use anchorbrowser::{Client, ErrorKind, Upload};
use anchorbrowser_emulator::Emulator;

use super::checks::assert_clean;
use super::methods::{ID, Method, methods};
use crate::server::{Answer, Server};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.session(ID).upload(Upload::bytes("a.txt", "x")),
        client.session(ID).downloads().send(),
        client.session(ID).screenshot(),
    )
}

/// A server that always gives this answer, and a client of it.
async fn served(answer: Answer) -> (Server, Client) {
    let server = Server::always(answer).await;
    let builder = Client::builder().base_url(server.url()).api_key(super::KEY);
    (server, builder.build().unwrap())
}

/// The names of what is in a directory, hidden ones too.
fn names(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_session_takes_files() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    let file = Upload::bytes("a.txt", "canary").content_type("text/plain");
    let said = session.upload(file).await?;
    assert!(said.unwrap_or_default().contains("a.txt"));
    let form = &emulator.exchanges_of("upload_session_file")?[0];
    let form = String::from_utf8_lossy(&form.body).into_owned();
    for part in ["filename=\"a.txt\"", "Content-Type: text/plain", "canary"] {
        assert!(form.contains(part), "{form}");
    }
    let error = client.session(ID).upload(Upload::bytes("a", "x")).await;
    assert!(error.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn what_a_session_downloaded_is_fetched() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    assert!(session.downloads().send().await?.items.is_empty());
    let url = "https://example.com/r?token=canary";
    emulator.add_download(session.id().as_str(), "../../report.pdf", url, "bytes")?;

    let file = session.downloads().send().await?.items.remove(0);
    assert_eq!(file.file_name.as_deref(), Some("report.pdf"));
    assert_eq!(
        (file.size, file.duration),
        (Some(5), Some(std::time::Duration::ZERO))
    );
    assert_eq!(file.source_url.as_ref().map(|url| url.expose()), Some(url));
    assert!(file.created_at.is_some() && !file.id.as_str().is_empty());
    assert_clean(&file);

    let folder = tempfile::tempdir()?;
    let download = session.download(&file).await?;
    assert_eq!(download.content_type(), Some("application/pdf"));
    let path = download.save_in(folder.path()).await?;
    assert_eq!(path, folder.path().join("report.pdf"));
    assert_eq!(std::fs::read(path)?, b"bytes");

    let mut lost = file.clone();
    lost.link = None;
    let error = session.download(&lost).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(
        client
            .session(ID)
            .downloads()
            .send()
            .await
            .unwrap_err()
            .is_not_found()
    );
    Ok(())
}

/// The key goes to the API's own origin, and nowhere else.
#[tokio::test]
async fn a_link_to_another_server_does_not_get_the_key() -> anyhow::Result<()> {
    let (other, _) = served(Answer::new(200, &[], "bytes")).await;
    let url = other.url();
    let list = format!(
        r#"{{"data":{{"items":[{{"id":"a","file_link":"{url}/f"}},{{"id":"b","file_link":"/f"}}]}}}}"#
    );
    let (server, client) = served(Answer::json(200, list)).await;
    let session = client.session("s");
    let files = session.downloads().send().await?.items;
    for file in &files {
        session.download(file).await?.bytes().await?;
    }
    let request = other.request();
    assert!(!request.holds(super::KEY), "{request:?}");
    assert_eq!(server.requests().len(), 2);
    assert!(server.requests()[1].holds(super::KEY));
    Ok(())
}

#[tokio::test]
async fn a_screenshot_is_saved() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("page.png");
    let length = session.screenshot().await?.save_to(&path).await?;
    let saved = std::fs::read(&path)?;
    assert_eq!(saved.len() as u64, length);
    assert!(saved.starts_with(b"\x89PNG"));
    let named = session.screenshot().await?.save_in(folder.path()).await?;
    assert_eq!(named, folder.path().join("screenshot.png"));
    Ok(())
}
