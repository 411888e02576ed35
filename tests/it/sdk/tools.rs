//! Tools that work on a page.

use std::time::Duration;

use anchorbrowser::tools::{Pdf, Screenshot};
use anchorbrowser::{Call, Client, Download, ErrorKind, Options};
use anchorbrowser_emulator::{AgentScript, Emulator};
use serde_json::{Value, json};

use super::methods::{ID, Method, methods};

const URL: &str = "https://example.com/report";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.tools().fetch_webpage(URL).send(),
        client.tools().screenshot(URL).send(),
        client.tools().screenshot_of(ID).send(),
        client.tools().pdf(URL).send(),
        client.tools().execute_code(ID, "return 1").outcome(),
    )
}

type Sent = (&'static str, fn(&Client) -> Call<Download>, Value);

fn all_of_screenshot(client: &Client) -> Screenshot {
    let screenshot = client.tools().screenshot(URL).width(320).height(200);
    let screenshot = screenshot.image_quality(80).wait(Duration::from_secs(2));
    let screenshot = screenshot
        .scroll_all_content(true)
        .capture_full_height(true);
    screenshot.s3_target_address("https://s3.example/canary")
}

fn all_of_pdf(client: &Client) -> Pdf {
    let pdf = client.tools().pdf(URL).landscape(true).scale(0.5);
    let pdf = pdf.display_header_footer(true).print_background(true);
    let pdf = pdf.header_template("<b>").footer_template("<i>");
    let pdf = pdf.paper_width(8.0).paper_height(10.0).margins(1.0);
    let pdf = pdf.margin_top(0.0).page_ranges("2-4, 7");
    pdf.prefer_css_page_size(true)
}

#[tokio::test]
async fn each_argument_is_sent_in_the_units_of_the_api() -> anyhow::Result<()> {
    let cases: &[Sent] = &[
        (
            "fetch_webpage",
            |client| client.tools().fetch_webpage(URL).send(),
            json!({ "url": URL }),
        ),
        (
            "fetch_webpage",
            |client| {
                let fetch = client.tools().fetch_webpage(URL);
                fetch.return_partial_on_timeout(false).send()
            },
            json!({ "url": URL, "options": { "return_partial_on_timeout": false } }),
        ),
        (
            "screenshot_webpage",
            |client| all_of_screenshot(client).send(),
            json!({
                "url": URL, "width": 320, "height": 200, "image_quality": 80, "wait": 2000,
                "scroll_all_content": true, "capture_full_height": true,
                "s3_target_address": "https://s3.example/canary",
            }),
        ),
        (
            "create_page_pdf",
            |client| all_of_pdf(client).send(),
            json!({
                "url": URL, "landscape": true, "scale": 0.5, "displayHeaderFooter": true,
                "printBackground": true, "headerTemplate": "<b>", "footerTemplate": "<i>",
                "paperWidth": 8.0, "paperHeight": 10.0, "marginTop": 0.0, "marginBottom": 1.0,
                "marginLeft": 1.0, "marginRight": 1.0, "pageRanges": "2-4, 7",
                "preferCSSPageSize": true,
            }),
        ),
    ];
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    for (operation, call, body) in cases {
        emulator.clear_exchanges();
        let _ = call(&client).await?;
        assert_eq!(&emulator.exchanges_of(operation)?[0].json(), body);
    }
    Ok(())
}

#[tokio::test]
async fn the_answer_says_its_type() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let tools = super::client(&emulator);
    let tools = tools.tools();
    for (call, expected) in [
        (
            tools.fetch_webpage("https://example.com/a.csv").send(),
            "text/csv",
        ),
        (
            tools.fetch_webpage("https://example.com").send(),
            "text/html",
        ),
        (tools.screenshot(URL).send(), "image/png"),
        (tools.pdf(URL).send(), "application/pdf"),
    ] {
        let meta = call.with_meta().await?.meta;
        let found = meta.headers()["content-type"].to_str()?;
        assert!(found.starts_with(expected), "{found}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_can_be_used() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    let tools = client.tools();
    let _ = tools.screenshot_of(&session).send().await?;
    let _ = tools.screenshot(URL).session(&session).send().await?;
    let _ = tools.pdf(URL).session(&session).send().await?;
    let query = Some(format!("sessionId={}", session.id()));
    let sent = emulator.exchanges_of("screenshot_webpage")?;
    assert_eq!((&sent[0].query, sent[0].json()), (&query, json!({})));
    assert_eq!(
        (&sent[1].query, sent[1].json()),
        (&query, json!({ "url": URL }))
    );
    assert_eq!(emulator.exchanges_of("create_page_pdf")?[0].query, query);
    Ok(())
}

type Refused = (&'static str, fn(&Client) -> Call<Download>);

#[tokio::test]
async fn what_the_document_rules_out_is_refused() -> anyhow::Result<()> {
    let cases: &[Refused] = &[
        ("image_quality", |it| {
            it.tools().screenshot(URL).image_quality(0).send()
        }),
        ("image_quality", |it| {
            it.tools().screenshot(URL).image_quality(101).send()
        }),
        ("scale", |it| it.tools().pdf(URL).scale(0.05).send()),
        ("scale", |it| it.tools().pdf(URL).scale(2.5).send()),
        ("paperWidth", |it| {
            it.tools().pdf(URL).paper_width(0.0).send()
        }),
        ("paperHeight", |it| {
            it.tools().pdf(URL).paper_height(-1.0).send()
        }),
        ("marginLeft", |it| {
            it.tools().pdf(URL).margin_left(-0.1).send()
        }),
        ("pageRanges", |it| {
            it.tools().pdf(URL).page_ranges("2-").send()
        }),
        ("pageRanges", |it| {
            it.tools().pdf(URL).page_ranges("1,,2").send()
        }),
    ];
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    for (field, call) in cases {
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(field), "{error}");
    }
    assert!(emulator.exchanges().is_empty());

    let unchecked = client.with_options(Options::new().checks(false))?;
    for (field, call) in cases {
        let error = call(&unchecked).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status, "{field}");
    }
    assert_eq!(emulator.exchanges().len(), cases.len());
    Ok(())
}

#[tokio::test]
async fn a_number_that_is_none_is_refused() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    for number in [f64::NAN, f64::INFINITY] {
        let error = client.tools().pdf(URL).margin_top(number).send().await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    assert_eq!(emulator.count("create_page_pdf")?, 0);
    Ok(())
}

#[tokio::test]
async fn code_gives_its_output_or_fails() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    let code = || client.tools().execute_code(&session, "return canary");

    emulator.script(AgentScript::completed(json!({ "n": 2 })))?;
    let ran = code().send().await?;
    assert!(ran.success && ran.execution_id.is_some());
    assert_eq!(ran.output, json!({ "n": 2 }));

    emulator.script(AgentScript::failed("no such element"))?;
    let error = code().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert!(error.to_string().contains("no such element"), "{error}");

    emulator.script(AgentScript::failed("no such element"))?;
    let ran = code().outcome().await?;
    assert_eq!(
        (ran.success, ran.error.as_deref()),
        (false, Some("no such element"))
    );
    assert_eq!(ran.output, Value::Null);
    assert_eq!(emulator.count("execute_code")?, 3);
    Ok(())
}

#[test]
fn no_secret_is_printed() -> anyhow::Result<()> {
    let client = Client::new(super::KEY)?;
    for printed in [
        format!("{:?}", all_of_screenshot(&client)),
        format!("{:?}", client.tools().execute_code(ID, "login('canary')")),
    ] {
        assert!(!printed.contains("canary"), "{printed}");
    }
    Ok(())
}
