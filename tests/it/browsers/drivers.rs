//! Drivers at `cdp_url`: the SDK's own connection, and chromiumoxide.

use std::time::Duration;

use anchorbrowser::chromiumoxide::Page;
use anchorbrowser::chromiumoxide::cdp::browser_protocol::page::PrintToPdfParams;
use anchorbrowser::{Client, Session};
use anyhow::{Context as _, Result};
use serde_json::json;

use super::site::Site;
use super::{Bench, PATIENCE, until};

const FORM: &str =
    "<!doctype html><title>Form</title><body style='margin:0;background:rgb(0,128,255)'>
    <form action='/sent'><input name='text'><button>Send</button></form>";

/// A site with a form, and the page that its answer is.
async fn site() -> Site {
    let html = "content-type: text/html";
    Site::new(&[
        ("/", html, FORM.as_bytes()),
        ("/sent", html, b"<title>Sent</title><p id=done>Thank you"),
    ])
    .await
}

/// The text of an element, as soon as it is there.
async fn text(page: &Page, selector: &str) -> String {
    let found = async {
        loop {
            // Between two pages there is none.
            if let Ok(element) = page.find_element(selector).await
                && let Ok(Some(text)) = element.inner_text().await
            {
                return text;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("there is no such element")
}

async fn status(session: &Session) -> Result<String> {
    session.info().await?.status.context("no status")
}

browser_tests! {
    async fn chromiumoxide_drives_a_page() -> Result<()> {
        let site = site().await;
        let bench = Bench::start().await?;
        let browser = bench.client.sessions().create().viewport(600, 400).create_and_connect().await?;
        let page = browser.page();
        page.goto(site.url("/")).await?;
        page.find_element("input").await?.click().await?.type_str("hello").await?;
        let typed = page.evaluate("document.querySelector('input').value").await?;
        assert_eq!(typed.into_value::<String>()?, "hello");
        page.find_element("button").await?.click().await?;
        assert_eq!(text(page, "#done").await, "Thank you");
        let asked = site.heads();
        assert!(asked.iter().any(|head| head.starts_with("GET /sent?text=hello ")), "{asked:?}");
        let pdf = page.pdf(PrintToPdfParams::default()).await?;
        assert!(pdf.starts_with(b"%PDF-"));

        // What the REST API sees is the same page.
        let session = browser.session().clone();
        assert_eq!(session.pages().await?[0].url.as_deref(), Some(&*site.url("/sent?text=hello")));
        // To detach, also by the command of the protocol, is not to end.
        drop(browser);
        assert_eq!(status(&session).await?, "running");
        session.end().await?;
        assert_eq!((bench.processes(), bench.directories()), (0, 0));
        Ok(())
    }

    async fn chromiumoxide_attaches_again_where_it_was() -> Result<()> {
        let site = site().await;
        let bench = Bench::start().await?;
        let mut browser = bench.client.sessions().create().create_and_connect().await?;
        browser.page().goto(site.url("/")).await?;
        browser.page().evaluate("window.kept = 7").await?;
        browser.reconnect().await?;
        let kept = browser.page().evaluate("window.kept").await?.into_value::<u32>()?;
        assert_eq!(kept, 7);
        assert_eq!(site.heads().iter().filter(|head| head.starts_with("GET / ")).count(), 1);
        browser.end().await?;
        bench.nothing_is_left().await;
        Ok(())
    }

    async fn commands_reach_the_browser_and_one_page_of_it() -> Result<()> {
        let site = site().await;
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        session.goto(site.url("/")).await?;
        let cdp = session.cdp().await?;
        let version = cdp.send("Browser.getVersion", ()).await?;
        assert!(version["product"].as_str().unwrap().contains("Chrome"));
        let id = session.pages().await?[0].id.clone();
        let page = session.cdp().page(id).await?;
        let title = json!({ "expression": "document.title" });
        let title = page.send("Runtime.evaluate", title).await?;
        assert_eq!(title["result"]["value"], "Form");
        let refused = page.send("No.such", ()).await.unwrap_err();
        assert!(refused.cdp().is_some(), "{refused}");

        // A client that closes "its" browser lets go of it.
        cdp.send("Browser.close", ()).await?;
        assert_eq!(status(&session).await?, "running");
        assert!(!cdp.is_closed());

        session.end().await?;
        cdp.closed().await?;
        page.closed().await?;
        let refused = session.cdp().await.unwrap_err();
        assert_eq!(refused.status().map(|it| it.as_u16()), Some(404), "{refused}");
        Ok(())
    }

    async fn only_the_key_of_a_session_opens_its_socket() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let other = Client::builder().base_url(bench.emulator.base_url()).api_key("another").build()?;
        let refused = other.session(session.id()).cdp().await.unwrap_err();
        assert_eq!(refused.status().map(|it| it.as_u16()), Some(404), "{refused}");
        let page = session.cdp().page("no-such-page").await.unwrap_err();
        assert_eq!(page.status().map(|it| it.as_u16()), Some(404), "{page}");
        Ok(())
    }

    async fn a_session_is_idle_from_the_last_disconnect_on() -> Result<()> {
        let bench = Bench::with(|builder| builder.manual_clock()).await?;
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let session = bench.client.sessions().create().idle_timeout(minutes(5)).send().await?;
        let (one, other) = (session.cdp().await?, session.cdp().await?);
        bench.emulator.advance(minutes(7))?;
        one.close().await;
        bench.emulator.advance(minutes(7))?;
        assert_eq!(status(&session).await?, "running");
        other.close().await;
        let idle = || bench.emulator.state().unwrap()["sessions"][0]["sockets"] == 0;
        until(idle).await;
        bench.emulator.advance(minutes(4))?;
        assert_eq!(status(&session).await?, "running");
        bench.emulator.advance(minutes(1))?;
        assert_eq!(status(&session).await?, "completed");
        bench.nothing_is_left().await;
        Ok(())
    }
}
