//! The sockets at `cdp_url`, as they are on the wire.

use anchorbrowser::Session;
use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Bench, PATIENCE, until};

/// The CDP socket of a client that knows nothing but the protocol.
struct Wire {
    socket: WebSocketStream<TcpStream>,
    last: u64,
}

impl Wire {
    /// Opens the socket at `url`. An error is the status and the body of the answer.
    async fn open(url: &str, origin: Option<&str>) -> Result<Self> {
        let mut request = url.into_client_request()?;
        let host = request.uri().authority().context("no host")?.to_string();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse()?);
        }
        let stream = TcpStream::connect(host).await?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self { socket, last: 0 }),
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                anyhow::bail!(
                    "{} {}",
                    response.status().as_u16(),
                    String::from_utf8_lossy(body)
                )
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The next message; `None` at the end.
    async fn next(&mut self) -> Result<Option<Message>> {
        let message = tokio::time::timeout(PATIENCE, self.socket.next()).await?;
        Ok(message.transpose()?)
    }

    /// Sends a command, and gives all of its answer.
    async fn call(&mut self, mut command: Value) -> Result<Value> {
        self.last += 1;
        command["id"] = self.last.into();
        self.socket.send(Message::text(command.to_string())).await?;
        while let Some(message) = self.next().await? {
            let message: Value = serde_json::from_str(message.to_text()?)?;
            if message["id"] == self.last {
                return Ok(message);
            }
        }
        anyhow::bail!("the socket ended without an answer")
    }

    /// The code and the reason with which it is closed.
    async fn closed(&mut self) -> Result<(u16, String)> {
        while let Some(message) = self.next().await? {
            if let Message::Close(frame) = message {
                let frame = frame.context("no code")?;
                return Ok((frame.code.into(), frame.reason.to_string()));
            }
        }
        anyhow::bail!("it ended without a Close frame")
    }
}

fn base(bench: &Bench) -> String {
    bench.emulator.base_url().replace("http", "ws")
}

/// The socket of the browser of a session.
fn browser(bench: &Bench, session: &Session) -> String {
    format!(
        "{}/?apiKey={}&sessionId={}",
        base(bench),
        crate::sdk::KEY,
        session.id()
    )
}

/// The socket of a page.
fn page(bench: &Bench, session: &Session, page: &str) -> String {
    format!(
        "{}/devtools/page/{page}?sessionId={}",
        base(bench),
        session.id()
    )
}

async fn first_page(session: &Session) -> Result<String> {
    Ok(session.pages().await?[0].id.clone().to_string())
}

browser_tests! {
    async fn web_pages_open_no_socket() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let page = page(&bench, &session, &first_page(&session).await?);
        for url in [browser(&bench, &session), page] {
            for origin in ["http://evil.example", "http://127.0.0.1:1", "null"] {
                let refused = Wire::open(&url, Some(origin)).await.err().context("it opened")?;
                assert!(refused.to_string().starts_with("403 "), "{origin}: {refused}");
            }
            Wire::open(&url, None).await?;
        }
        let nowhere = format!("{}/devtools/browser/1?sessionId={}", base(&bench), session.id());
        let refused = Wire::open(&nowhere, None).await.err().context("it opened")?;
        assert!(refused.to_string().contains("no socket"), "{refused}");
        Ok(())
    }

    async fn close_frames_are_answered() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        wire.socket.close(None).await?;
        while wire.next().await?.is_some() {}

        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        session.end().await?;
        assert_eq!(wire.closed().await?, (1000, "the session has ended".to_owned()));
        Ok(())
    }

    async fn to_close_the_browser_from_a_page_is_to_let_go_of_it() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let id = first_page(&session).await?;
        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        let attach = json!({ "targetId": id, "flatten": true });
        let attached = wire.call(json!({ "method": "Target.attachToTarget", "params": attach })).await?;
        let within = &attached["result"]["sessionId"];
        let closed = wire.call(json!({ "method": "Browser.close", "sessionId": within })).await?;
        assert_eq!(closed, json!({ "id": 2, "sessionId": within, "result": {} }));
        session.goto("about:blank").await?;
        Ok(())
    }

    async fn a_page_that_was_just_made_has_its_socket() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        for _ in 0..10 {
            let blank = json!({ "url": "about:blank" });
            let made = wire.call(json!({ "method": "Target.createTarget", "params": blank })).await?;
            let id = made["result"]["targetId"].as_str().context("no id")?;
            Wire::open(&page(&bench, &session, id), None).await?;
        }
        Ok(())
    }

    async fn a_session_goes_on_without_its_last_page() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        let target = json!({ "targetId": first_page(&session).await? });
        wire.call(json!({ "method": "Target.closeTarget", "params": target })).await?;
        until(|| bench.emulator.state().unwrap()["sessions"][0]["url"].is_null()).await;
        session.goto("about:blank").await?;
        assert_eq!(session.pages().await?.len(), 1);
        Ok(())
    }

    async fn a_page_that_is_closed_keeps_nobody_waiting() -> Result<()> {
        let silent = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", silent.local_addr()?);
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        let target = json!({ "targetId": first_page(&session).await? });
        let close = async {
            let connection = silent.accept().await?;
            wire.call(json!({ "method": "Target.closeTarget", "params": target })).await?;
            anyhow::Ok(connection)
        };
        let (refused, closed) = tokio::join!(session.goto(url), close);
        let (refused, _) = (refused.unwrap_err().to_string(), closed?);
        assert!(refused.contains("the page was closed"), "{refused}");
        Ok(())
    }

    async fn a_browser_that_crashes_hangs_up_and_fails_its_session() -> Result<()> {
        let bench = Bench::start().await?;
        let session = bench.client.sessions().create().send().await?;
        let mut wire = Wire::open(&browser(&bench, &session), None).await?;
        let crash = json!({ "id": 1, "method": "Browser.crash" });
        wire.socket.send(Message::text(crash.to_string())).await?;
        wire.closed().await?;
        bench.nothing_is_left().await;
        let failed = || bench.emulator.state().unwrap()["sessions"][0]["status"] == "failed";
        until(failed).await;
        Ok(())
    }

    async fn the_place_of_browsers_may_have_a_long_name() -> Result<()> {
        let outer = tempfile::tempdir()?;
        let place = outer.path().join(format!("a b' {}", "long".repeat(40)));
        std::fs::create_dir(&place)?;
        let bench = Bench::with(|it| it.browser_directory(&place)).await?;
        let session = bench.client.sessions().create().send().await?;
        session.goto("about:blank").await?;
        session.end().await?;
        super::nothing_is_left(&place).await;
        Ok(())
    }
}
