//! Tools: pictures, printed pages, contents, code.

use anchorbrowser_emulator::AgentScript;
use serde_json::json;

use super::Bench;
use super::site::Site;
use super::stage::{Stage, picture};

const PAGE: &str = "<!DOCTYPE html><title>Page</title>
    <body style='margin: 0; background: rgb(200, 100, 50)'><div style='height: 1000px; break-after: page'></div>
    <div id=end style='height: 1000px'></div>
    <script>end.textContent = 'made ' + 'here'</script>";

/// How many pages a PDF file has.
fn pages(pdf: &[u8]) -> usize {
    assert!(pdf.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page\n").count()
}

browser_tests! {
    async fn a_picture_is_taken_without_a_session() -> Result<()> {
        let site = Site::page(PAGE).await;
        let bench = Bench::start().await?;
        let shot = bench.client.tools().screenshot(site.url("/")).width(320).height(200).image_quality(50);
        let png = shot.send().await?.bytes().await?;
        assert_eq!(picture(&png, (10, 10)), (320, 200, [200, 100, 50]));
        bench.nothing_is_left().await;
        Ok(())
    }

    async fn a_picture_of_a_session_can_show_all_of_it() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let tools = stage.bench.client.tools();
        let shot = tools.screenshot_of(stage.session.id()).width(400);
        let png = shot.capture_full_height(true).scroll_all_content(true).send().await?;
        let (width, height, colour) = picture(&png.bytes().await?, (10, 1_900));
        assert_eq!((width, height, colour), (400, 2_000, [200, 100, 50]));
        // It looks as before afterwards.
        assert_eq!(stage.run("return [innerWidth, innerHeight]").await?, json!([800, 600]));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn a_page_is_printed() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let tools = stage.bench.client.tools();
        let print = || tools.pdf(stage.site.url("/")).session(stage.session.id()).margins(0.0).paper_height(12.0);
        let all = print().send().await?.bytes().await?;
        assert_eq!(pages(&all), 2);
        let first = print().page_ranges("1").landscape(false).send().await?.bytes().await?;
        assert_eq!(pages(&first), 1);
        let none = print().page_ranges("7").send().await.unwrap_err();
        assert_eq!(none.status().map(|it| it.as_u16()), Some(400));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn contents_are_fetched_as_the_browser_has_them() -> Result<()> {
        let site = Site::new(&[
            ("/", "content-type: text/html", PAGE.as_bytes()),
            ("/data", "content-type: application/json", b"{\"a\": 1}"),
            ("/table", "content-type: text/csv\r\ncontent-disposition: attachment; filename=t.csv", b"a,b\n"),
        ])
        .await;
        let bench = Bench::start().await?;
        let tools = bench.client.tools();
        for (path, content_type, part) in [
            ("/", "text/html", "made here</div>"),
            ("/data", "application/json", "{\"a\": 1}"),
            ("/table", "text/csv", "a,b\n"),
        ] {
            let content = tools.fetch_webpage(site.url(path)).send().await?;
            assert!(content.content_type().unwrap().starts_with(content_type), "{path}");
            let text = content.text().await?;
            assert!(text.contains(part), "{path}: {text}");
        }
        let refused = tools.fetch_webpage("http://10.0.0.1/").send().await.unwrap_err();
        assert!(refused.is_forbidden());
        let nowhere = tools.fetch_webpage("http://localhost:9/").send().await.unwrap_err();
        assert_eq!(nowhere.status().map(|it| it.as_u16()), Some(422));
        bench.nothing_is_left().await;
        Ok(())
    }

    async fn code_runs_in_the_page() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let execute = |code: &str| stage.bench.client.tools().execute_code(stage.session.id(), code).outcome();
        let done = execute("const title = await document.title; return { title, nothing: null }").await?;
        assert_eq!((done.success, done.output), (true, json!({ "title": "Page", "nothing": null })));
        for (code, error) in [
            ("throw new RangeError('no')", "RangeError: no"),
            ("const one: number = 1", "SyntaxError: Missing initializer in const declaration"),
            ("return 1n", "TypeError: Do not know how to serialize a BigInt"),
        ] {
            let failed = execute(code).await?;
            assert_eq!((failed.success, failed.error.as_deref()), (false, Some(error)));
        }
        // What was scripted goes first.
        stage.bench.emulator.script(AgentScript::completed(json!("scripted")))?;
        assert_eq!(execute("return 1").await?.output, "scripted");
        assert_eq!(execute("").await?.output, json!(null));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn a_borrowed_browser_is_one_of_the_account() -> Result<()> {
        let site = Site::page(PAGE).await;
        let bench = Bench::with(|builder| builder.account(|it| it.max_concurrent_browsers = Some(1))).await?;
        let session = bench.client.sessions().create().send().await?;
        let tools = bench.client.tools();
        for refused in [
            tools.screenshot(site.url("/")).send().await,
            tools.pdf(site.url("/")).send().await,
            tools.fetch_webpage(site.url("/")).send().await,
        ] {
            assert!(refused.unwrap_err().is_concurrency_limit());
        }
        tools.screenshot(site.url("/")).session(session.id()).send().await?.bytes().await?;
        session.end().await?;
        tools.screenshot(site.url("/")).send().await?.bytes().await?;
        Ok(())
    }

    async fn an_agent_begins_where_it_is_told() -> Result<()> {
        let stage = Stage::page("").await?;
        let url = stage.site.url("/?begin");
        stage.bench.client.agent().task("look").session(stage.session.id()).url(&url).run().await?;
        stage.until("return location.search === '?begin'").await
    }
}
