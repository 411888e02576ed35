//! Files of volumes.

use anchorbrowser::volumes::{EntryKind, VolumeFiles};
use anchorbrowser::{Client, ErrorKind, Upload};
use anchorbrowser_emulator::{Emulator, Fault};

use crate::sdk::checks::refused;
use crate::sdk::client;
use crate::sdk::methods::ID;

async fn files(client: &Client) -> anyhow::Result<VolumeFiles> {
    let volume = client.volumes().create("v").await?;
    Ok(client.volumes().files(volume.id))
}

#[tokio::test]
async fn a_file_is_uploaded_read_and_deleted() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let files = files(&client(&emulator)).await?;
    let file = |text: &str| Upload::bytes("x", text.to_owned()).content_type("text/csv");
    let uploaded = files.upload("a/b.csv", file("one")).send().await?;
    assert_eq!((&*uploaded.path, uploaded.size), ("a/b.csv", Some(3)));
    assert_eq!(uploaded.content_type.as_deref(), Some("text/csv"));
    let again = files.upload("a/b.csv", file("two")).send().await;
    assert!(again.unwrap_err().is_conflict());
    let replaced = files
        .upload("a/b.csv", file("two!"))
        .overwrite(true)
        .send()
        .await?;
    let found = files.stat("a/b.csv").await?;
    assert_eq!((found.size, found.etag), (Some(4), replaced.etag));
    assert!(found.modified_at.is_some());

    let download = files.download("a/b.csv").await?;
    assert_eq!(download.file_name().as_deref(), Some("b.csv"));
    assert_eq!(download.content_type(), Some("text/csv"));
    assert_eq!(download.text().await?, "two!");

    files.delete("a/b.csv").await?;
    for error in [
        files.stat("a/b.csv").await.unwrap_err(),
        files.download("a/b.csv").await.unwrap_err(),
        files.delete("a/b.csv").await.unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn lists_go_over_all_pages() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let files = files(&client(&emulator)).await?;
    for number in 0..5 {
        let file = Upload::bytes("x", "x");
        files.upload(format!("d/{number}"), file).send().await?;
    }
    files.create_directory("empty").await?;
    assert!(
        files
            .create_directory("empty")
            .await
            .unwrap_err()
            .is_conflict()
    );

    let root = files.list().send().await?;
    let kinds: Vec<_> = root
        .items
        .iter()
        .map(|it| (&*it.path, it.kind.clone()))
        .collect();
    let directory = Some(EntryKind::Directory);
    assert_eq!(kinds, [("d", directory.clone()), ("empty", directory)]);
    assert_eq!(files.list().recursive(true).send().await?.items.len(), 7);

    emulator.clear_exchanges();
    let list = files.list().directory("d").page_size(2);
    let names: Vec<String> = list
        .stream()
        .collect()
        .await?
        .into_iter()
        .map(|it| it.path)
        .collect();
    assert_eq!(names, ["d/0", "d/1", "d/2", "d/3", "d/4"]);
    assert_eq!(emulator.count("list_files")?, 3);
    let paths = files
        .paths()
        .prefix("d/")
        .page_size(3)
        .stream()
        .collect()
        .await?;
    assert_eq!((&*paths[0], &paths[1..]), ("d/", &names[..]));
    assert_eq!(emulator.count("list_paths")?, 2);

    assert_eq!(files.delete_all("d/").await?, Some(5));
    assert_eq!(files.paths().send().await?.items, ["empty/"]);
    assert!(
        files
            .list()
            .directory("d")
            .send()
            .await
            .unwrap_err()
            .is_not_found()
    );
    Ok(())
}

#[tokio::test]
async fn a_large_file_goes_to_the_storage() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let files = files(&client(&emulator)).await?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.bin");
    std::fs::write(&path, vec![7; 11 << 20])?;

    let error = files.upload("a.bin", &path).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("upload_large"), "{error}");
    assert_eq!(emulator.count("upload_volume_file")?, 0);

    files
        .upload_large("a.bin", Upload::path(&path).content_type("image/x-test"))
        .await?;
    let asked = emulator.exchanges_of("create_upload_url")?[0].json();
    assert_eq!(asked["size"], 11 << 20);
    let found = files.stat("a.bin").await?;
    assert_eq!(
        (found.size, found.content_type.as_deref()),
        (Some(11 << 20), Some("image/x-test"))
    );

    let copy = folder.path().join("copy");
    let saved = files.download("a.bin").await?.save_to(&copy).await?;
    assert_eq!(saved, 11 << 20);
    assert!(std::fs::read(copy)? == std::fs::read(path)?);
    Ok(())
}

#[tokio::test]
async fn a_refusal_of_the_size_says_what_to_do() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let files = files(&client(&emulator)).await?;
    emulator.fault(Fault::status(413).on("upload_volume_file"))?;
    let error = files
        .upload("a", Upload::bytes("a", "x"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(413));
    assert!(error.body().is_some());
    let text = error.to_string();
    assert!(
        text.starts_with("upload_volume_file: 413 Payload Too Large: "),
        "{text}"
    );
    assert!(
        text.ends_with("; use `upload_large`, which takes up to 5 GB"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn urls_are_made_for_others() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let files = files(&client(&emulator)).await?;
    let link = files
        .upload_url("a.csv")
        .content_type("text/csv")
        .size(3)
        .send()
        .await?;
    assert_eq!((&*link.method, link.headers.len()), ("PUT", 1));
    assert_eq!(link.expires_in.map(|time| time.as_secs()), Some(900));
    let mut request = reqwest::Client::new().put(link.url.expose()).body("one");
    for (name, value) in &link.headers {
        request = request.header(name, value.expose());
    }
    request.send().await?.error_for_status()?;
    let download = files.download_url("a.csv").await?;
    assert_eq!(
        (download.size, download.content_type.as_deref()),
        (Some(3), Some("text/csv"))
    );
    assert_eq!(
        reqwest::get(download.url.expose()).await?.text().await?,
        "one"
    );
    for (url, shown) in [
        (link.url.expose(), format!("{link:?}")),
        (download.url.expose(), format!("{download:?}")),
    ] {
        assert!(!shown.contains(url) && !shown.contains("http"), "{shown}");
    }
    Ok(())
}

/// It would stand for the whole volume.
#[tokio::test]
async fn an_empty_path_is_not_sent() -> anyhow::Result<()> {
    let file = || Upload::bytes("a", "x");
    for path in ["", "/", "//"] {
        let of = |client: &Client| client.volumes().files(ID);
        refused("get_file_info", "path", |client| of(client).stat(path)).await?;
        refused("upload_volume_file", "path", |client| {
            of(client).upload(path, file()).send()
        })
        .await?;
        refused("create_upload_url", "path", |client| {
            of(client).upload_large(path, file())
        })
        .await?;
        refused("create_upload_url", "path", |client| {
            of(client).upload_url(path).send()
        })
        .await?;
        refused("get_download_url", "path", |client| {
            of(client).download(path)
        })
        .await?;
        refused("get_download_url", "path", |client| {
            of(client).download_url(path)
        })
        .await?;
        refused("delete_files", "path", |client| of(client).delete(path)).await?;
        refused("delete_files", "prefix", |client| {
            of(client).delete_all(path)
        })
        .await?;
        refused("create_directory", "path", |client| {
            of(client).create_directory(path)
        })
        .await?;
    }
    Ok(())
}
