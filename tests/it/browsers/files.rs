//! Files that pages upload and download.

use std::path::{Path, PathBuf};

use anchorbrowser::{DownloadedFile, Session, Upload};
use anyhow::{Context as _, Result};

use super::site::Site;
use super::stage::Stage;
use super::{Bench, until};

async fn site() -> Site {
    Site::new(&[
        (
            "/",
            "content-type: text/html",
            b"<input id=file type=file><a id=report href=/report>r</a><a id=local download=local.txt>l</a><script>
                local.href = URL.createObjectURL(new Blob(['made here']));
            </script>",
        ),
        (
            "/report",
            "content-type: application/octet-stream\r\ncontent-disposition: attachment; filename=\"my report.bin\"",
            b"\x00\x01report",
        ),
        ("/paper.pdf", "content-type: application/pdf", b"%PDF-1.4 paper"),
    ])
    .await
}

/// Waits until a session has so many downloads.
async fn downloads(session: &Session, count: usize) -> Result<Vec<DownloadedFile>> {
    loop {
        let files = session.downloads().stream().collect().await?;
        if files.len() >= count {
            return Ok(files);
        }
    }
}

/// Files anywhere in the `downloads` of the browsers.
fn left(bench: &Bench) -> usize {
    let browsers = std::fs::read_dir(bench.directory.path()).unwrap();
    let places = browsers.map(|browser| browser.unwrap().path().join("downloads"));
    places
        .map(|place| std::fs::read_dir(place).unwrap().count())
        .sum()
}

browser_tests! {
    async fn an_uploaded_file_is_there_for_pages() -> Result<()> {
        let stage = Stage::site(site().await).await?;
        stage.session.upload(Upload::bytes("first.txt", "first")).await?;
        let message = stage.session.upload(Upload::bytes("list of names.txt", "Ada")).await?;
        let message = message.context("no message")?;
        let path = PathBuf::from(message.strip_prefix("the file is at ").context("no path")?);
        assert_eq!(std::fs::read(&path)?, b"Ada");
        // The one that came last is chosen.
        stage.session.mouse().click_on("#file").send().await?;
        stage.until("return file.files.length === 1").await?;
        let chosen = stage.run("return [file.files[0].name, await file.files[0].text()]").await?;
        assert_eq!(chosen, serde_json::json!(["list of names.txt", "Ada"]));
        stage.session.end().await?;
        assert!(!Path::new(&path).exists());
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn what_a_page_downloads_is_listed_and_fetched() -> Result<()> {
        let stage = Stage::site(site().await).await?;
        stage.session.mouse().click_on("#report").send().await?;
        let file = downloads(&stage.session, 1).await?.remove(0);
        assert_eq!(file.file_name.as_deref(), Some("my report.bin"));
        assert_eq!(file.source_url.as_ref().map(|url| url.expose()), Some(&*stage.site.url("/report")));
        assert_eq!(file.origin_url.as_ref().map(|url| url.expose()), Some(&*stage.site.url("/")));
        let bytes = stage.session.download(&file).await?.bytes().await?;
        assert_eq!(&bytes[..], b"\x00\x01report");
        // Gone to by hand, and made by the page.
        stage.session.goto(stage.site.url("/report")).await?;
        stage.session.mouse().click_on("#local").send().await?;
        let files = downloads(&stage.session, 3).await?;
        let names: Vec<&str> = files.iter().filter_map(|file| file.file_name.as_deref()).collect();
        assert_eq!(names, ["my report.bin", "my report (1).bin", "local.txt"]);
        assert_eq!(stage.session.download(&files[2]).await?.text().await?, "made here");
        assert_eq!(left(&stage.bench), 0);
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn settings_decide_what_is_downloaded() -> Result<()> {
        let site = site().await;
        let bench = Bench::start().await?;
        let plain = bench.client.sessions().create().pdf_viewer(false).send().await?;
        plain.goto(site.url("/paper.pdf")).await?;
        assert_eq!(downloads(&plain, 1).await?[0].file_name.as_deref(), Some("paper.pdf"));
        let kept = bench.client.sessions().create().p2p_download(true).send().await?;
        kept.goto(site.url("/report")).await?;
        until(|| left(&bench) == 1).await;
        assert!(downloads(&kept, 0).await?.is_empty());
        Ok(())
    }
}
