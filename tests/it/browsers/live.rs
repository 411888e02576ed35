//! Live views: what a viewer sees, does, and may not do.

mod viewer;

use std::time::Duration;

use anchorbrowser::Session;
use anyhow::{Context as _, Result};
use serde_json::json;

use super::site::Site;
use super::{Bench, PATIENCE, until};
use viewer::{Viewer, size};

/// Green, with a red button, a field and a button that opens a tab.
const PAGE: &str = "<!DOCTYPE html><title>first</title><body style='margin:0;background:rgb(0,128,0)'>\
    <style>button,input{position:absolute;border:0;height:60px;width:100px;top:40px}</style>\
    <button style='left:20px;background:rgb(255,0,0)' onclick=\"document.title='clicked'\"></button>\
    <input style='left:220px' oninput='document.title=this.value'>\
    <button style='left:420px' onclick=\"window.open('/second')\">tab</button>";
const BUTTON: (f64, f64) = (70.0, 70.0);
const FIELD: (f64, f64) = (270.0, 70.0);
const OPENER: (f64, f64) = (470.0, 70.0);

async fn site() -> Site {
    let html = "content-type: text/html";
    let busy = "<title>busy</title><script>let n=0;(function next(){\
        document.documentElement.style.background=`rgb(${n++%256},0,0)`;requestAnimationFrame(next)})()</script>";
    Site::new(&[
        ("/", html, PAGE.as_bytes()),
        ("/second", html, b"<title>second</title>"),
        ("/busy", html, busy.as_bytes()),
    ])
    .await
}

/// A session of a small window that shows a page.
async fn session(bench: &Bench, url: String) -> Result<Session> {
    let create = bench.client.sessions().create();
    Ok(create.viewport(640, 480).initial_url(url).send().await?)
}

fn url(session: &Session) -> Result<&str> {
    Ok(session.live_view_url().context("no live view")?.expose())
}

async fn title(session: &Session) -> Result<String> {
    let pages = session.pages().await?;
    let page = pages.last().context("no page")?;
    Ok(page.title.clone().unwrap_or_default())
}

/// Why a live view does not open.
async fn refusal(url: &str) -> String {
    let opened = Viewer::open(url).await;
    opened
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

browser_tests! {
    async fn a_live_view_is_a_page_whole_in_itself() -> Result<()> {
        let bench = Bench::start().await?;
        let session = session(&bench, "about:blank".to_owned()).await?;
        let answer = reqwest::get(url(&session)?).await?;
        assert_eq!(answer.status(), 200);
        let policy = answer.headers()["content-security-policy"].to_str()?.to_owned();
        let page = answer.text().await?;
        for part in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("frame-ancestors"), "{policy}");
        for outside in ["://", "src=", "href=", "url(", "import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<html lang=") && page.contains("aria-label=\"Address\""));
        let id = session.id().as_str();
        assert!(!page.contains(id));
        let overview = reqwest::get(bench.emulator.base_url()).await?.text().await?;
        assert!(overview.contains(&format!("<a href=\"/__emulator/live?sessionId={id}\">")));
        let none = reqwest::get(url(&session)?.replace(id, "none")).await?;
        assert_eq!(none.status(), 404);
        let frame = reqwest::get(url(&session)?.replace("live?", "live/socket?")).await?;
        assert_eq!(frame.status(), 426);
        Ok(())
    }

    async fn a_viewer_sees_the_page_and_uses_it() -> Result<()> {
        let (site, bench) = (site().await, Bench::start().await?);
        let session = session(&bench, site.url("/")).await?;
        let mut viewer = Viewer::open(url(&session)?).await?;
        assert_eq!(size(&viewer.image().await?), Some((640, 480)));
        let view = viewer.titled("first").await?;
        assert_eq!((&view["width"], &view["height"]), (&json!(640.0), &json!(480.0)));
        assert_eq!((&view["url"], &view["read_only"]), (&json!(site.url("/")), &json!(false)));
        viewer.click(BUTTON.0, BUTTON.1).await?;
        viewer.titled("clicked").await?;
        assert_eq!(title(&session).await?, "clicked");
        viewer.click(FIELD.0, FIELD.1).await?;
        viewer.press('a').await?;
        viewer.send(json!({ "type": "text", "text": "\u{fc}\u{8a9e}" })).await?;
        viewer.titled("a\u{fc}\u{8a9e}").await?;
        viewer.send(json!({ "type": "goto", "url": site.url("/second") })).await?;
        viewer.titled("second").await?;
        viewer.send(json!({ "type": "back" })).await?;
        viewer.sees(|view| view["url"] == site.url("/")).await?;
        // What is unknown or wrong is ignored; what can't be is refused.
        viewer.send(json!({ "type": "evaluate", "x": [] })).await?;
        viewer.send(json!({ "type": "mouse", "event": "down", "x": "1", "y": 1 })).await?;
        viewer.send(json!({ "type": "goto", "url": "file:///etc/passwd" })).await?;
        assert!(viewer.refused().await?.contains("address"));
        assert_eq!(session.pages().await?[0].url.as_deref(), Some(site.url("/").as_str()));
        Ok(())
    }

    async fn a_read_only_view_only_shows() -> Result<()> {
        let (site, bench) = (site().await, Bench::start().await?);
        let create = bench.client.sessions().create().read_only_live_view(true);
        let session = create.initial_url(site.url("/")).send().await?;
        let mut viewer = Viewer::open(url(&session)?).await?;
        viewer.image().await?;
        assert_eq!(viewer.titled("first").await?["read_only"], true);
        let mut input = vec![
            json!({ "type": "text", "text": "x" }),
            json!({ "type": "wheel", "x": 1, "y": 1, "dx": 0, "dy": 9 }),
            json!({ "type": "key", "event": "down", "key": "x", "text": "x" }),
            json!({ "type": "goto", "url": site.url("/second") }),
        ];
        input.extend(["back", "forward", "reload"].map(|kind| json!({ "type": kind })));
        for message in input {
            viewer.send(message).await?;
            assert_eq!(viewer.refused().await?, "the live view is read-only");
        }
        viewer.click(BUTTON.0, BUTTON.1).await?;
        for _ in ["move", "down", "up"] {
            viewer.refused().await?;
        }
        assert_eq!(title(&session).await?, "first");
        Ok(())
    }

    async fn a_one_time_url_is_for_the_first_viewer() -> Result<()> {
        let bench = Bench::start().await?;
        let create = bench.client.sessions().create();
        let session = create.one_time_live_view(true).send().await?;
        let url = url(&session)?;
        // To load the page is not to connect yet.
        for _ in 0..2 {
            assert_eq!(reqwest::get(url).await?.status(), 200);
        }
        let overview = reqwest::get(bench.emulator.base_url()).await?.text().await?;
        assert!(!overview.contains("live?sessionId="));
        assert_eq!(refusal(&format!("{url}&page=none")).await, "refused: 404");
        let mut viewer = Viewer::open(url).await?;
        viewer.image().await?;
        let again = reqwest::get(url).await?;
        assert_eq!(again.status(), 410);
        assert!(again.headers()["content-type"].to_str()?.starts_with("text/html"));
        assert!(again.text().await?.contains("works only once"));
        assert_eq!(refusal(url).await, "refused: 410");
        viewer.click(1.0, 1.0).await?;
        Ok(())
    }

    async fn pages_of_other_sites_get_no_socket() -> Result<()> {
        let bench = Bench::start().await?;
        let session = session(&bench, "about:blank".to_owned()).await?;
        let url = url(&session)?;
        for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
            let error = Viewer::from(url, Some(origin)).await.err().context("it opened")?;
            assert_eq!(error.to_string(), "refused: 403", "{origin}");
        }
        Viewer::from(url, Some(bench.emulator.base_url())).await?.image().await?;
        let id = session.id().as_str();
        assert_eq!(refusal(&url.replace(id, "none")).await, "refused: 404");
        assert_eq!(refusal(&url.replace(id, "")).await, "refused: 400");
        Ok(())
    }

    async fn a_view_ends_with_its_session_and_with_the_emulator() -> Result<()> {
        let bench = Bench::start().await?;
        let first = session(&bench, "about:blank".to_owned()).await?;
        let mut viewer = Viewer::open(url(&first)?).await?;
        viewer.image().await?;
        first.end().await?;
        assert_eq!(viewer.closed().await?, (1000, "the session has ended".to_owned()));
        assert_eq!(reqwest::get(url(&first)?).await?.status(), 410);
        assert_eq!(refusal(url(&first)?).await, "refused: 410");
        let second = session(&bench, "about:blank".to_owned()).await?;
        let mut viewer = Viewer::open(url(&second)?).await?;
        viewer.image().await?;
        let ((), closed) = tokio::join!(bench.emulator.shutdown(), viewer.closed());
        assert!([1000, 1001].contains(&closed?.0));
        Ok(())
    }

    async fn a_session_is_not_idle_while_somebody_looks_at_it() -> Result<()> {
        let bench = Bench::with(|builder| builder.manual_clock()).await?;
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let create = bench.client.sessions().create().idle_timeout(minutes(1));
        let session = create.no_max_duration().send().await?;
        let mut viewer = Viewer::open(url(&session)?).await?;
        bench.emulator.advance(minutes(60))?;
        viewer.image().await?;
        assert_eq!(session.info().await?.status.as_deref(), Some("running"));
        viewer.close().await?;
        // Its minute begins when it is noticed that the viewer has gone.
        until(|| {
            bench.emulator.advance(minutes(1)).unwrap();
            bench.processes() == 0
        })
        .await;
        assert_eq!(session.info().await?.status.as_deref(), Some("completed"));
        Ok(())
    }

    async fn a_viewer_follows_the_newest_tab_or_the_one_it_chose() -> Result<()> {
        let (site, bench) = (site().await, Bench::start().await?);
        let session = session(&bench, site.url("/")).await?;
        let mut viewer = Viewer::open(url(&session)?).await?;
        viewer.image().await?;
        let first = viewer.titled("first").await?["page"].clone();
        viewer.click(OPENER.0, OPENER.1).await?;
        viewer.sees(|view| view["page"] != first).await?;
        viewer.image().await?;
        let view = viewer.titled("second").await?;
        assert_eq!(view["tabs"].as_array().map(Vec::len), Some(2));
        viewer.send(json!({ "type": "tab", "id": first })).await?;
        viewer.titled("first").await?;
        // It is behind the other tab, and can be seen and used all the same.
        viewer.image().await?;
        viewer.click(BUTTON.0, BUTTON.1).await?;
        viewer.titled("clicked").await?;
        let pages = session.pages().await?;
        for (page, title) in pages.iter().zip(["clicked", "second"]) {
            let url = page.live_view_url.as_ref().context("no live view")?.expose();
            assert_eq!(reqwest::get(url).await?.status(), 200);
            let mut viewer = Viewer::open(url).await?;
            viewer.image().await?;
            assert_eq!(viewer.titled(title).await?["page"], page.id.as_str());
        }
        let none = format!("{}&page=none", url(&session)?);
        assert_eq!(reqwest::get(&none).await?.status(), 404);
        assert_eq!(refusal(&none).await, "refused: 404");
        Ok(())
    }

    async fn who_looks_slowly_gets_fewer_images() -> Result<()> {
        let (site, bench) = (site().await, Bench::start().await?);
        let session = session(&bench, site.url("/busy")).await?;
        let mut slow = Viewer::open(url(&session)?).await?;
        slow.acks = false;
        let mut quick = Viewer::open(url(&session)?).await?;
        while quick.images < 20 {
            quick.image().await?;
        }
        // The refusal comes after all that was sent before.
        slow.send(json!({ "type": "goto", "url": "" })).await?;
        slow.refused().await?;
        assert!((1..=5).contains(&slow.images), "{}", slow.images);
        for _ in 0..slow.images {
            slow.send(json!({ "type": "ack" })).await?;
        }
        slow.image().await?;
        Ok(())
    }

    async fn the_page_of_a_live_view_shows_the_browser_and_takes_clicks() -> Result<()> {
        let (site, bench) = (site().await, Bench::start().await?);
        let first = session(&bench, site.url("/")).await?;
        let create = bench.client.sessions().create().viewport(500, 400);
        let second = create.initial_url(url(&first)?).send().await?;
        let red = tokio::time::timeout(PATIENCE, async {
            loop {
                // The page of the first, made smaller: much green, and the button.
                let shot = match title(&second).await?.as_str() {
                    "first - Live view" => second.screenshot().await?.bytes().await?,
                    _ => continue,
                };
                let red = places(&shot, [255, 0, 0])?;
                if places(&shot, [0, 128, 0])?.len() > 50_000 && red.len() > 500 {
                    return anyhow::Ok(red);
                }
            }
        });
        let red = red.await.context("it does not show")??;
        let (x, y) = red[red.len() / 2];
        // Through the live view of the page of the live view.
        let mut viewer = Viewer::open(url(&second)?).await?;
        viewer.image().await?;
        viewer.click(x, y).await?;
        viewer.titled("clicked - Live view").await?;
        assert_eq!(title(&first).await?, "clicked");
        Ok(())
    }
}

/// Where the pixels of a PNG are that have about this colour.
fn places(png: &[u8], colour: [u8; 3]) -> Result<Vec<(f64, f64)>> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("too large")?];
    let info = reader.next_frame(&mut pixels)?;
    let samples = info.color_type.samples();
    let fits = |pixel: &[u8]| {
        let mut parts = pixel.iter().zip(colour);
        parts.all(|(have, wanted)| have.abs_diff(wanted) < 12)
    };
    let place = |index: usize| {
        let (x, y) = (index as u32 % info.width, index as u32 / info.width);
        (f64::from(x), f64::from(y))
    };
    let found = pixels.chunks_exact(samples).enumerate();
    Ok(found
        .filter(|(_, pixel)| fits(pixel))
        .map(|(index, _)| place(index))
        .collect())
}
