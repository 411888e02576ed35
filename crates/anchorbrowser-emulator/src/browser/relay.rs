//! The sockets at `cdp_url`: what a client sends goes to the browser of its session, and back.

use std::sync::Arc;

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::SessionBrowser;
use super::care::Client;
use super::cdp::{self, Socket};
use super::connected::Connected;
use crate::answer::Refusal;
use crate::body::Body;
use crate::control;
use crate::resources::{find, sessions};
use crate::server::stopped;
use crate::service::KEY_HEADER;
use crate::shared::Shared;
use crate::socket;

/// Where the socket of one page is, without its id.
const PAGE: &str = "/devtools/page/";

/// Bytes of a message from a client: a file in base64 fits.
const LONGEST: usize = 512 << 20;

/// Whether a socket of a browser is at `path`.
pub(crate) fn is_path(path: &str) -> bool {
    path == "/" || path.starts_with(PAGE)
}

/// A relay that was granted. It begins when the answer that grants it has been sent.
pub(crate) struct Relay {
    browser: SessionBrowser,
    upstream: Socket,
    upgrade: OnUpgrade,
    connected: Connected,
    _client: Client,
}

/// What the URL of a socket names.
struct Asked {
    session: String,
    key: Option<String>,
    page: Option<String>,
}

impl Asked {
    fn of(request: &Request<Incoming>) -> Result<Self, Refusal> {
        let query = request.uri().query().unwrap_or_default();
        let value = |wanted: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, value)| name == wanted && !value.is_empty())
                .map(|(_, value)| value.into_owned())
        };
        let header = |headers: &HeaderMap| Some(headers.get(KEY_HEADER)?.to_str().ok()?.to_owned());
        let missing =
            || Refusal::bad("query.sessionId: missing; it names the session to connect to");
        Ok(Self {
            session: value("sessionId").ok_or_else(missing)?,
            key: value("apiKey").or_else(|| header(request.headers())),
            page: request.uri().path().strip_prefix(PAGE).map(str::to_owned),
        })
    }

    /// Who has the ids of a session and of a page in it needs no key. For all else the key must be the session's.
    fn check(&self, shared: &Shared) -> Result<(), Refusal> {
        let refusal = |message: &str| Err(Refusal::new(401, message));
        let lenient = shared.config.lenient;
        let key = self.key.as_deref().unwrap_or_default().trim();
        if key.is_empty() && self.page.is_some() {
            return Ok(());
        }
        if key.is_empty() && !lenient {
            return refusal("query.apiKey: the key is missing");
        }
        if !lenient && !shared.accepts(key) {
            return refusal("query.apiKey: the key is not known");
        }
        let owner = sessions::owner(key);
        let fits = shared.enter(|world| {
            let session = find(&world.tables.sessions, "session", &self.session)?;
            Ok::<_, Refusal>(session.owner == owner)
        })??;
        match fits {
            true => Ok(()),
            // As for a session that is not there: whose it is is nobody's business.
            false => Err(Refusal::missing("session", &self.session)),
        }
    }
}

impl Relay {
    /// Takes a request for the socket of a browser: the answer with which it begins, and the relay.
    pub(crate) async fn open(
        shared: &Arc<Shared>,
        request: &mut Request<Incoming>,
    ) -> Result<(Response<Body>, Self), Refusal> {
        control::check_socket(shared.local, request.headers())?;
        let response = socket::handshake(request)?;
        let asked = Asked::of(request)?;
        asked.check(shared)?;
        let (browser, connected) = Connected::new(shared, &asked.session)?;
        let running = browser.running().await?;
        let path = match &asked.page {
            None => running.path.clone(),
            // Of one that a client has just made, the browser may not have told yet.
            Some(page) if running.look().await?.iter().any(|tab| tab.id == *page) => {
                format!("{PAGE}{page}")
            }
            Some(_) => {
                return Err(Refusal::new(404, "the session has no page with this id"));
            }
        };
        let upstream = cdp::open(&running.host, &path).await?;
        let relay = Self {
            _client: running.usage.connect(),
            browser,
            upstream,
            upgrade: hyper::upgrade::on(request),
            connected,
        };
        Ok((response, relay))
    }

    /// Serves the socket until the session or the emulator ends, or the client or the browser goes.
    pub(crate) async fn run(self, stop: &mut watch::Receiver<bool>) {
        let Ok(connection) = self.upgrade.await else {
            return;
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let io = TokioIo::new(connection);
        let client = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let (mut to_client, mut from_client) = client.split();
        let (to_browser, from_browser) = self.upstream.split();
        let (answers, answered) = mpsc::channel(1);
        let end = tokio::select! {
            end = commands(&mut from_client, to_browser, answers) => end,
            _ = replies(from_browser, answered, &mut to_client) => Some(HUNG_UP),
            () = self.browser.ending() => Some((CloseCode::Normal, "the session has ended")),
            () = stopped(stop) => Some((CloseCode::Away, "the emulator stops")),
        };
        // It may be idle from now on, however long the client takes to say good-bye.
        drop(self.connected);
        if let (Some((code, reason)), Ok(mut client)) = (end, to_client.reunite(from_client)) {
            socket::close(&mut client, code, reason).await;
        }
    }
}

/// How a socket is closed.
type End = (CloseCode, &'static str);

/// The browser has gone, and its session has not ended.
const HUNG_UP: End = (CloseCode::Normal, "the browser hung up");

/// Brings to the browser what the client sends, until one of them has gone. Gives how the socket is closed, unless the
/// client has done so.
///
/// `Browser.close` is answered here instead: to let go of a session is not to end it.
async fn commands(
    client: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    mut browser: impl Sink<Message> + Unpin,
    answers: mpsc::Sender<Message>,
) -> Option<End> {
    // The stream answers a Close frame, and then ends.
    while let Some(Ok(message)) = client.next().await {
        if let Some(answer) = closed(&message) {
            let _ = answers.send(Message::text(answer.to_string())).await;
            continue;
        }
        let is_data = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_data && browser.send(message).await.is_err() {
            return Some(HUNG_UP);
        }
    }
    None
}

/// The answer to a command that closes the browser.
fn closed(message: &Message) -> Option<Value> {
    const CLOSE: &str = "Browser.close";
    let Message::Text(text) = message else {
        return None;
    };
    // Few messages hold the word, so that few are read.
    if !text.as_str().contains(CLOSE) {
        return None;
    }
    let mut command: Value = serde_json::from_str(text).ok()?;
    if command["method"] != CLOSE {
        return None;
    }
    let mut answer = json!({ "id": command["id"].take(), "result": {} });
    // Given by way of a page, it is answered that way.
    if let Some(session) = command.get_mut("sessionId") {
        answer["sessionId"] = session.take();
    }
    Some(answer)
}

/// Brings to the client what the browser sends, and what is answered for it.
async fn replies(
    mut browser: impl Stream<Item = Result<Message, Error>> + Unpin,
    mut answered: mpsc::Receiver<Message>,
    client: &mut (impl Sink<Message> + Unpin),
) -> Option<()> {
    loop {
        let message = tokio::select! {
            Some(answer) = answered.recv() => answer,
            message = browser.next() => message?.ok()?,
        };
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            client.send(message).await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_command_itself_closes() {
        let answer = |text: &str| closed(&Message::text(text.to_owned()));
        assert_eq!(
            answer(r#"{"id":7,"method":"Browser.close"}"#),
            Some(json!({ "id": 7, "result": {} }))
        );
        assert_eq!(
            answer(
                r#"{"id":7,"method":"Runtime.evaluate","params":{"expression":"'Browser.close'"}}"#
            ),
            None
        );
        assert_eq!(answer("Browser.close"), None);
    }
}
