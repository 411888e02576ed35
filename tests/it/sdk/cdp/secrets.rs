//! The key shows in no text.

use serde_json::json;
use tracing::instrument::WithSubscriber as _;

use super::super::KEY;
use super::super::secrets::Log;
use super::browsers::speak;
use super::peer::{Browser, soon};

#[tokio::test]
async fn neither_debug_nor_the_log_shows_the_key() -> anyhow::Result<()> {
    let browser = Browser::start(|peer, number| async move {
        match number {
            0 => peer.answer_all(|_| json!({ "sessionId": "flat-1" })).await,
            _ => speak(peer, vec![], Default::default()).await,
        }
    })
    .await;
    let session = browser.session();
    assert!(session.cdp_url().expose().contains(KEY));
    crate::callsites::ask_each_time();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let program = async {
        let cdp = session.cdp().await?;
        let target = cdp.attach("A1").await?;
        let command = cdp.send("X.y", json!({ "text": "canary-typed" }));
        let printed = format!(
            "{:?} {cdp:?} {target:?} {command:?} {:?} {:?} {:?}",
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
    let log = String::from_utf8(log.0.lock().unwrap().clone())?;
    assert!(log.contains("chromiumoxide"), "{log}");
    for text in [printed, log] {
        assert!(!text.contains(KEY) && !text.contains("apiKey"), "{text}");
        assert!(!text.contains("canary-typed"), "{text}");
    }
    Ok(())
}
