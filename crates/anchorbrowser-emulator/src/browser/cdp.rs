//! The emulator's own connection to a browser, by the Chrome DevTools Protocol.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::answer::Refusal;

/// How long a command may take that says nothing else.
pub(crate) const USUAL: Duration = Duration::from_secs(30);

/// Events that a reader may be behind.
const EVENTS: usize = 1_024;

/// Bytes of a message: a screenshot of the largest page fits.
const LONGEST: usize = 512 << 20;

/// Why a page does not do what it was asked for, if it has gone.
pub(super) const CLOSED: &str = "the page was closed";

/// A socket to a browser.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Why a command was not done.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CdpError {
    #[error("the browser of the session is gone")]
    Gone,
    #[error("the browser refused `{method}`: {message}")]
    Refused { method: String, message: String },
    #[error("the browser did not answer `{method}` within {} seconds", limit.as_secs_f64())]
    Slow { method: String, limit: Duration },
}

impl From<CdpError> for Refusal {
    fn from(error: CdpError) -> Self {
        Self::new(500, error.to_string())
    }
}

/// Something that happened in a browser.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) method: String,
    /// The attached target that it is of.
    pub(crate) session: Option<String>,
    pub(crate) params: Value,
}

impl Event {
    /// A text of its parameters.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.params.pointer(pointer)?.as_str()
    }

    /// The attached target that has gone, if it tells of one.
    pub(super) fn detached(&self) -> Option<&str> {
        match self.method.as_str() {
            "Target.detachedFromTarget" => self.text("/sessionId"),
            _ => None,
        }
    }
}

/// Where the answer to a command comes: its result, or why the browser refused it.
pub(crate) type Answered = oneshot::Receiver<Result<Value, String>>;

struct Command {
    message: Value,
    reply: oneshot::Sender<Result<Value, String>>,
}

/// A connection to a browser. It ends when its last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Cdp {
    commands: mpsc::UnboundedSender<Command>,
    events: broadcast::WeakSender<Arc<Event>>,
}

/// Opens a socket of a browser that listens on loopback.
pub(crate) async fn open(host: &str, path: &str) -> Result<Socket, CdpError> {
    let gone = |_| CdpError::Gone;
    let stream = TcpStream::connect(host).await.map_err(gone)?;
    // Commands are small, and wait for one another.
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    let url = format!("ws://{host}{path}");
    let opened = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
    match opened {
        Ok((socket, _)) => Ok(socket),
        Err(_) => Err(CdpError::Gone),
    }
}

impl Cdp {
    /// Connects to a browser that listens on loopback.
    pub(crate) async fn connect(host: &str, path: &str) -> Result<Self, CdpError> {
        let socket = open(host, path).await?;
        let (commands, receiver) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(EVENTS);
        let cdp = Self {
            commands,
            events: events.downgrade(),
        };
        tokio::spawn(pump(socket, receiver, events));
        Ok(cdp)
    }

    /// Sends a command to the browser, or to an attached target, and gives its result.
    pub(crate) async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, CdpError> {
        self.call_within(USUAL, session, method, params).await
    }

    /// Sends a command, and does not wait for its answer.
    pub(crate) fn tell(&self, session: Option<&str>, method: &str, params: Value) {
        let message = message(session, method, params);
        let (reply, _) = oneshot::channel();
        // Who does not wait for the answer learns from the events that the browser is gone.
        let _ = self.commands.send(Command { message, reply });
    }

    /// The same as [`Cdp::call`], with a limit of its own.
    pub(crate) async fn call_within(
        &self,
        limit: Duration,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, CdpError> {
        let message = message(session, method, params);
        let (reply, answer) = oneshot::channel();
        let command = Command { message, reply };
        self.commands.send(command).map_err(|_| CdpError::Gone)?;
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(message))) => Err(CdpError::Refused {
                method: method.to_owned(),
                message,
            }),
            Ok(Err(_)) => Err(CdpError::Gone),
            Err(_) => Err(CdpError::Slow {
                method: method.to_owned(),
                limit,
            }),
        }
    }

    /// Sends a command, and gives where its answer comes. Commands are taken in the order in which they are sent.
    pub(crate) fn send(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Answered, CdpError> {
        let message = message(session, method, params);
        let (reply, answer) = oneshot::channel();
        let command = Command { message, reply };
        self.commands.send(command).map_err(|_| CdpError::Gone)?;
        Ok(answer)
    }

    /// The events from now on. It ends with the connection.
    pub(crate) fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        match self.events.upgrade() {
            Some(events) => events.subscribe(),
            // The connection has ended: so have its events.
            None => broadcast::channel(1).1,
        }
    }
}

fn message(session: Option<&str>, method: &str, params: Value) -> Value {
    let mut message = json!({ "method": method, "params": params });
    if let Some(session) = session {
        message["sessionId"] = session.into();
    }
    message
}

/// Commands that are not answered yet, by their ids.
type Waiting = HashMap<u64, Asked>;

/// Who waits for the answer to a command.
struct Asked {
    /// The attached target that it was sent to.
    session: Option<String>,
    reply: oneshot::Sender<Result<Value, String>>,
}

/// Brings commands to the browser, and answers and events back.
async fn pump(
    mut socket: Socket,
    mut commands: mpsc::UnboundedReceiver<Command>,
    events: broadcast::Sender<Arc<Event>>,
) {
    let mut waiting = Waiting::new();
    let mut last = 0_u64;
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(Command { mut message, reply }) = command else {
                    break;
                };
                last += 1;
                message["id"] = last.into();
                let session = message["sessionId"].as_str().map(str::to_owned);
                waiting.retain(|_, asked| !asked.reply.is_closed());
                waiting.insert(last, Asked { session, reply });
                if socket.send(Message::text(message.to_string())).await.is_err() {
                    break;
                }
            }
            message = socket.next() => {
                let Some(Ok(message)) = message else {
                    break;
                };
                if let Some(message) = read(&message) {
                    told(message, &mut waiting, &events);
                }
            }
        }
    }
    let _ = socket.close(None).await;
}

/// Takes what the browser says: an answer, or an event.
fn told(mut message: Value, waiting: &mut Waiting, events: &broadcast::Sender<Arc<Event>>) {
    if let Some(asked) = message["id"].as_u64().and_then(|id| waiting.remove(&id)) {
        let refused = message.pointer("/error/message").and_then(Value::as_str);
        let answer = match refused {
            Some(refused) => Err(refused.to_owned()),
            None => Ok(message["result"].take()),
        };
        // Who asked may have gone.
        let _ = asked.reply.send(answer);
    } else if let Some(method) = message["method"].as_str() {
        let event = Event {
            method: method.to_owned(),
            session: message["sessionId"].as_str().map(str::to_owned),
            params: message["params"].take(),
        };
        if let Some(gone) = event.detached() {
            // What a page was asked that goes is never answered.
            let lost = waiting.extract_if(|_, asked| asked.session.as_deref() == Some(gone));
            for (_, asked) in lost {
                let _ = asked.reply.send(Err(CLOSED.to_owned()));
            }
        }
        // Nobody may be listening.
        let _ = events.send(Arc::new(event));
    }
}

fn read(message: &Message) -> Option<Value> {
    match message {
        Message::Text(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}
