//! The key shows in no text.

use std::fmt::Write as _;
use std::sync::Mutex;

use anchorbrowser::Client;
use anchorbrowser::chromiumoxide::page::ScreenshotParams;
use serde_json::json;
use tracing::instrument::WithSubscriber as _;

use super::super::secrets::Log;
use super::browsers::{pages, speak};
use super::peer::{Browser, ID, soon};

/// A key of this test's alone: what other tests do is in the log of the process too.
const CANARY: &str = "canary-key-7d20c1";

/// What crates log by `log`, whichever test it is of.
struct Lines(Mutex<String>);

static LINES: Lines = Lines(Mutex::new(String::new()));

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut lines = self.0.lock().unwrap();
        writeln!(lines, "{} {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn neither_debug_nor_the_logs_show_the_key() -> anyhow::Result<()> {
    let browser = Browser::start(|peer, number| async move {
        match number {
            0 => peer.answer_all(|_| json!({ "sessionId": "flat-1" })).await,
            1 => speak(peer, pages(), Default::default()).await,
            _ => speak(peer, vec![], Default::default()).await,
        }
    })
    .await;
    let client = Client::builder().base_url(browser.session().client().base_url());
    let session = client.api_key(CANARY).build()?.session(ID);
    assert!(session.cdp_url().expose().contains(CANARY));
    crate::callsites::ask_each_time();
    log::set_logger(&LINES).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let traced = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(traced.clone())
        .finish();
    let program = async {
        let cdp = session.cdp().await?;
        let target = cdp.attach("A1").await?;
        let command = cdp.send("X.y", json!({ "text": "canary-typed" }));
        let connected = session.connect().await?;
        connected
            .page()
            .screenshot(ScreenshotParams::default())
            .await?;
        let printed = format!(
            "{:?} {cdp:?} {target:?} {command:?} {:?} {:?} {:?} {connected:?}",
            session.cdp(),
            cdp.events(),
            session.keep_alive(),
            session.connect(),
        );
        command.await?;
        cdp.close().await;
        let gone = cdp.send("X.y", ()).await.unwrap_err();
        let connect = session
            .connect()
            .timeout(std::time::Duration::from_millis(200));
        let slow = connect.await.unwrap_err();
        anyhow::Ok(format!("{printed} {gone:?} {slow:?}"))
    };
    let printed = soon(program.with_subscriber(subscriber)).await?;
    log::set_max_level(log::LevelFilter::Off);
    let traced = String::from_utf8(traced.0.lock().unwrap().clone())?;
    assert!(
        traced.contains("chromiumoxide") && traced.contains("hyper"),
        "{traced}"
    );
    let logged = LINES.0.lock().unwrap().clone();
    assert!(logged.contains("tungstenite") && logged.contains("reqwest"));
    // What is typed is in the messages, which `tungstenite` logs.
    for text in [&printed, &traced] {
        assert!(!text.contains("canary-typed"), "{text}");
    }
    for text in [printed, traced, logged] {
        for form in [
            CANARY.to_owned(),
            hex(CANARY),
            format!("{:?}", CANARY.as_bytes()),
        ] {
            assert!(!text.contains(&form), "{text}");
        }
    }
    Ok(())
}
