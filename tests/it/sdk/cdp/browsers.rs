//! `chromiumoxide`, connected to sessions.

use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anchorbrowser::chromiumoxide::cdp::browser_protocol::browser::CrashParams;
use anchorbrowser::chromiumoxide::page::ScreenshotParams;
use anchorbrowser::{Client, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::KEY;
use super::peer::{Browser, ID, Peer, soon, until};
use crate::server::{Answer, Server};

/// What browsers were asked for.
type Methods = Arc<Mutex<Vec<String>>>;

fn target(id: &str, kind: &str) -> Value {
    json!({
        "targetId": id, "type": kind, "title": "", "url": "about:blank",
        "attached": false, "canAccessOpener": false,
    })
}

/// Speaks as much of the protocol as `chromiumoxide` needs to adopt a page.
pub(super) async fn speak(mut peer: Peer, targets: Vec<Value>, methods: Methods) {
    while let Some(command) = peer.command().await {
        let method = command["method"].as_str().unwrap().to_owned();
        methods.lock().unwrap().push(method.clone());
        if method == "Browser.crash" {
            peer.0.close(None).await.unwrap();
            continue;
        }
        let result = match method.as_str() {
            "Target.setDiscoverTargets" => {
                for target in &targets {
                    let params = json!({ "targetInfo": target });
                    peer.send(json!({ "method": "Target.targetCreated", "params": params }))
                        .await;
                }
                json!({})
            }
            "Target.getTargets" => json!({ "targetInfos": targets }),
            "Target.attachToTarget" => {
                let id = command["params"]["targetId"].as_str().unwrap();
                let session = format!("flat-{id}");
                let params = json!({
                    "sessionId": session, "targetInfo": target(id, "page"),
                    "waitingForDebugger": false,
                });
                peer.send(json!({ "method": "Target.attachedToTarget", "params": params }))
                    .await;
                json!({ "sessionId": session })
            }
            "Page.getFrameTree" => json!({ "frameTree": { "frame": {
                "id": "F1", "loaderId": "L1", "url": "about:blank", "domainAndRegistry": "",
                "securityOrigin": "://", "mimeType": "text/html",
                "secureContextType": "InsecureScheme",
                "crossOriginIsolatedContextType": "NotIsolated", "gatedAPIFeatures": [],
            } } }),
            "Page.captureScreenshot" => json!({ "data": "aGVsbG8=" }),
            "Browser.getVersion" => json!({
                "protocolVersion": "1.3", "product": "Scripted/1", "revision": "", "userAgent": "x",
                "jsVersion": "",
            }),
            _ => json!({}),
        };
        peer.answer(&command, result).await;
    }
    methods.lock().unwrap().push("gone".to_owned());
}

pub(super) fn pages() -> Vec<Value> {
    vec![
        target("W1", "service_worker"),
        target("P1", "page"),
        target("P2", "page"),
    ]
}

async fn browser() -> (Browser, Methods) {
    let methods = Methods::default();
    let seen = methods.clone();
    let browser = Browser::start(move |peer, _| speak(peer, pages(), seen.clone())).await;
    (browser, methods)
}

fn has(methods: &Methods, name: &str) -> bool {
    methods.lock().unwrap().iter().any(|method| method == name)
}

#[tokio::test]
async fn the_first_page_is_adopted_and_the_browser_can_be_asked() -> anyhow::Result<()> {
    let (browser, methods) = browser().await;
    let connected = soon(browser.session().connect().into_future()).await?;
    assert_eq!(connected.page().target_id().as_ref(), "P1");
    assert_eq!(connected.version().await?.product, "Scripted/1");
    let shot = connected.page().screenshot(ScreenshotParams::default());
    assert_eq!(soon(shot).await?, b"hello");
    assert!(
        connected
            .pages()
            .await?
            .iter()
            .any(|page| page.target_id().as_ref() == "P1")
    );
    assert!(!connected.is_closed());
    // It leaves the session's window and certificates as they are.
    assert!(!has(&methods, "Emulation.setDeviceMetricsOverride"));
    assert!(!has(&methods, "Security.setIgnoreCertificateErrors"));
    Ok(())
}

#[tokio::test]
async fn dropping_it_detaches_and_closes_nothing() -> anyhow::Result<()> {
    let (browser, methods) = browser().await;
    drop(soon(browser.session().connect().into_future()).await?);
    until(|| has(&methods, "gone")).await;
    assert!(!has(&methods, "Browser.close") && !has(&methods, "Target.closeTarget"));
    assert_eq!(browser.handshakes().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_key_is_not_on_its_side_and_nobody_listens_any_more() -> anyhow::Result<()> {
    let (browser, _) = browser().await;
    let connected = soon(browser.session().connect().into_future()).await?;
    let address = connected.websocket_address().clone();
    assert!(address.starts_with("ws://127.0.0.1:") && !address.contains(KEY));
    let debug = format!("{connected:?} {:?} {:?}", *connected, connected.page());
    assert!(!debug.contains(KEY), "{debug}");
    let host = address
        .trim_start_matches("ws://")
        .split('/')
        .next()
        .unwrap();
    assert!(tokio::net::TcpStream::connect(host).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_lost_browser_is_attached_to_again_and_nothing_is_replayed() -> anyhow::Result<()> {
    let (methods, lose) = (Methods::default(), Arc::new(Notify::new()));
    let (seen, lost) = (methods.clone(), lose.clone());
    let browser = Browser::start(move |peer, number| {
        let (seen, lost) = (seen.clone(), lost.clone());
        async move {
            tokio::select! {
                () = speak(peer, pages(), seen) => {}
                () = lost.notified(), if number == 0 => {}
            }
        }
    })
    .await;
    let mut connected = soon(browser.session().connect().into_future()).await?;
    assert_eq!(connected.version().await?.product, "Scripted/1");
    lose.notify_one();
    soon(connected.closed()).await;
    assert!(connected.is_closed());
    assert!(connected.version().await.is_err());
    methods.lock().unwrap().clear();
    soon(connected.reconnect()).await?;
    assert!(!connected.is_closed());
    assert_eq!(connected.page().target_id().as_ref(), "P1");
    assert!(!has(&methods, "Browser.getVersion"));
    assert_eq!(connected.version().await?.product, "Scripted/1");
    Ok(())
}

#[tokio::test]
async fn connecting_has_a_limit() -> anyhow::Result<()> {
    let browser =
        Browser::start(|mut peer, _| async move { while peer.command().await.is_some() {} });
    let browser = browser.await;
    let connect = browser
        .session()
        .connect()
        .timeout(Duration::from_millis(100));
    let error = soon(connect.into_future()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(error.to_string().contains("100ms"), "{error}");
    Ok(())
}

#[tokio::test]
async fn it_goes_over_the_clients_own_tls() -> anyhow::Result<()> {
    let methods = Methods::default();
    let browser = Browser::secure(move |peer, _| speak(peer, pages(), methods.clone())).await;
    let connected = soon(browser.session().connect().into_future()).await?;
    assert_eq!(connected.version().await?.product, "Scripted/1");
    Ok(())
}

/// A service that creates and ends a session at this browser.
async fn service(browser_url: String) -> Server {
    Server::start(move |request| match request.method.as_str() {
        "POST" => {
            let data = json!({ "id": ID, "cdp_url": browser_url, "live_view_url": "https://x" });
            Answer::json(200, json!({ "data": data }).to_string())
        }
        _ => Answer::json(200, json!({ "data": { "status": "success" } }).to_string()),
    })
    .await
}

fn asked(service: &Server) -> Vec<String> {
    let requests = service.requests();
    requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.target))
        .collect()
}

#[tokio::test]
async fn a_session_is_created_and_connected_in_one_call() -> anyhow::Result<()> {
    let (browser, methods) = browser().await;
    let service = service(browser.url()).await;
    let client = Client::builder()
        .base_url(service.url())
        .api_key(KEY)
        .build()?;
    let end = format!("DELETE /v1/sessions/{ID}");

    let connected = soon(client.sessions().create().create_and_connect()).await?;
    let session = connected.session().clone();
    drop(connected);
    until(|| has(&methods, "gone")).await;
    assert_eq!(asked(&service), ["POST /v1/sessions"]);
    let connected = soon(session.connect().into_future()).await?;
    soon(connected.end()).await?;
    assert_eq!(asked(&service), ["POST /v1/sessions", &end]);

    let created = client.sessions().create().create_and_connect_owned();
    let (session, connected) = soon(created).await?;
    assert_eq!(connected.session().id(), session.id());
    drop((connected, session));
    soon(client.sessions().drained()).await;
    assert_eq!(
        asked(&service),
        ["POST /v1/sessions", &end, "POST /v1/sessions", &end]
    );
    assert!(!has(&methods, "Browser.close"));
    Ok(())
}

#[tokio::test]
async fn a_session_that_cannot_be_connected_to_is_ended() -> anyhow::Result<()> {
    let service = service("ws://127.0.0.1:1/".to_owned()).await;
    let client = Client::builder()
        .base_url(service.url())
        .api_key(KEY)
        .build()?;
    let error = soon(client.sessions().create().create_and_connect())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert_eq!(
        asked(&service).last(),
        Some(&format!("DELETE /v1/sessions/{ID}"))
    );
    Ok(())
}

#[tokio::test]
async fn a_creation_that_is_given_up_while_it_connects_leaves_no_session() -> anyhow::Result<()> {
    let silent =
        Browser::start(|mut peer, _| async move { while peer.command().await.is_some() {} }).await;
    let service = service(silent.url()).await;
    let client = Client::builder()
        .base_url(service.url())
        .api_key(KEY)
        .build()?;
    let mut create = client.sessions().create().create_and_connect();
    tokio::select! {
        created = &mut create => panic!("{created:?}"),
        () = until(|| silent.handshakes().len() == 1) => drop(create),
    }
    soon(client.sessions().drained()).await;
    assert_eq!(
        asked(&service),
        [
            "POST /v1/sessions".to_owned(),
            format!("DELETE /v1/sessions/{ID}")
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_close_by_the_server_fails_what_waits() -> anyhow::Result<()> {
    let (browser, _) = browser().await;
    let connected = soon(browser.session().connect().into_future()).await?;
    // Less than the limit of `chromiumoxide` for a command.
    let limit = Duration::from_secs(10);
    let waiting = tokio::time::timeout(limit, connected.execute(CrashParams::default()));
    assert!(waiting.await?.is_err());
    soon(connected.closed()).await;
    assert!(connected.is_closed());
    Ok(())
}
