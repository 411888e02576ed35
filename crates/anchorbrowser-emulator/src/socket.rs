//! The step socket, `/ws?sessionId=<id>`: a WebSocket with one text frame of JSON for each step of a session's agents.
//!
//! The document describes neither the socket nor its frames. The shape of a frame is the emulator's own choice:
//! `{"type": "step", "sessionId": "...", "workflowId": "...", "step": 1, "total": 3}`. Steps count from 1 in each run;
//! `total` is how many the run will take.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::answer::Refusal;
use crate::body::Body;
use crate::browser::{Live, Relay};
use crate::resources::agents;
use crate::server::stopped;
use crate::shared::Shared;
use crate::world::{Event, Feed};

/// Where the socket is.
pub(crate) const PATH: &str = "/ws";

/// Clients have nothing to say here.
const LONGEST_MESSAGE: usize = 64 << 10;

/// Bytes of each of a socket's two buffers.
const BUFFER: usize = 4 << 10;

/// Real time for a client to answer a Close frame. Less than connections get at a shutdown.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Steps that are made up where nothing is kept.
const SAMPLES: u32 = 2;

/// A socket that was granted. It begins when the answer that grants it has been sent.
pub(crate) enum Granted {
    Steps(Steps),
    Relay(Box<Relay>),
    Live(Box<Live>),
}

impl Granted {
    /// Serves the socket until it ends, or `stop` turns true.
    pub(crate) async fn run(self, stop: &mut watch::Receiver<bool>) {
        match self {
            Self::Steps(steps) => steps.run(stop).await,
            Self::Relay(relay) => relay.run(stop).await,
            Self::Live(live) => live.run(stop).await,
        }
    }
}

/// A step socket.
pub(crate) struct Steps {
    session: String,
    feed: Feed,
    upgrade: OnUpgrade,
}

/// Where a connection keeps the socket that it turns into.
pub(crate) type Slot = Arc<Mutex<Option<Granted>>>;

/// The answer with which a WebSocket begins.
pub(crate) fn handshake(request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let empty = || Body::whole(Bytes::new());
    create_response_with_body(request, empty)
        .map_err(|error| Refusal::bad(format!("this is no WebSocket handshake: {error}")))
}

/// Ends a socket with a Close frame. The client may have gone.
pub(crate) async fn close(
    io: &mut WebSocketStream<TokioIo<Upgraded>>,
    code: CloseCode,
    reason: &'static str,
) {
    let reason = reason.into();
    let closing = async {
        io.close(Some(CloseFrame { code, reason })).await?;
        // Until the client has sent its own: to hang up on what it sends would take ours from it.
        while let Some(message) = io.next().await {
            message?;
        }
        Ok::<_, Error>(())
    };
    let _ = tokio::time::timeout(GRACE, closing).await;
}

/// Takes a request for the socket: the answer with which it begins, and the socket.
pub(crate) fn open(
    shared: &Shared,
    request: &mut Request<Incoming>,
) -> Result<(Response<Body>, Steps), Refusal> {
    let response = handshake(request)?;
    let query = request.uri().query().unwrap_or_default();
    let session = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name == "sessionId" && !value.is_empty())
        .map(|(_, value)| value.into_owned())
        .ok_or_else(|| {
            Refusal::bad("query.sessionId: missing; it names the session whose agent to follow")
        })?;
    let feed = match shared.config.stateless {
        true => samples(),
        false => shared.enter(|world| agents::follow(world, &session))??,
    };
    let steps = Steps {
        session,
        feed,
        upgrade: hyper::upgrade::on(request),
    };
    Ok((response, steps))
}

/// What there is to follow where nothing is kept.
fn samples() -> Feed {
    let (sender, feed) = mpsc::channel(SAMPLES as usize);
    let steps = Event::Steps {
        run: "sample".to_owned(),
        first: 1,
        last: SAMPLES,
        total: SAMPLES,
    };
    for event in [steps, Event::Ended] {
        // There is room for both.
        let _ = sender.try_send(event);
    }
    feed
}

impl Steps {
    /// Serves the socket until the session or the emulator ends, or the client goes.
    async fn run(self, stop: &mut watch::Receiver<bool>) {
        let Ok(connection) = self.upgrade.await else {
            return;
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_message_size(Some(LONGEST_MESSAGE));
        let io = TokioIo::new(connection);
        let io = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let mut socket = Socket {
            session: self.session,
            io,
        };
        let end = tokio::select! {
            end = socket.follow(self.feed) => end,
            () = stopped(stop) => Ok(End::Away),
        };
        match end {
            Ok(end) => socket.end(end).await,
            Err(error) => tracing::debug!(%error, "a step socket ended early"),
        }
    }
}

/// How a socket ends.
enum End {
    /// With its session.
    Session,
    /// The emulator has no more to tell.
    Away,
    /// Without a Close frame: the client sent one, or a test wants none.
    Gone,
}

struct Socket {
    session: String,
    io: WebSocketStream<TokioIo<Upgraded>>,
}

impl Socket {
    /// Sends what is told, until something ends it. Pings are answered by what reads.
    async fn follow(&mut self, mut feed: Feed) -> Result<End, Error> {
        loop {
            tokio::select! {
                event = feed.recv() => match event {
                    Some(Event::Steps { run, first, last, total }) => {
                        for step in first..=last {
                            let frame = self.frame(&run, step, total);
                            self.io.feed(Message::text(frame)).await?;
                        }
                        self.io.flush().await?;
                    }
                    Some(Event::Text(text)) => self.io.send(Message::text(text)).await?,
                    Some(Event::Binary(bytes)) => self.io.send(Message::binary(bytes)).await?,
                    Some(Event::Ended) => return Ok(End::Session),
                    Some(Event::Cut) => return Ok(End::Gone),
                    None => return Ok(End::Away),
                },
                message = self.io.next() => match message {
                    Some(message) => { message?; }
                    None => return Ok(End::Gone),
                }
            }
        }
    }

    fn frame(&self, run: &str, step: u32, total: u32) -> String {
        json!({
            "type": "step",
            "sessionId": self.session,
            "workflowId": run,
            "step": step,
            "total": total,
        })
        .to_string()
    }

    async fn end(&mut self, end: End) {
        let (code, reason) = match end {
            End::Session => (CloseCode::Normal, "session ended"),
            End::Away => (
                CloseCode::Away,
                "the emulator was reset or stops, or the client reads too slowly",
            ),
            End::Gone => return,
        };
        close(&mut self.io, code, reason).await;
    }
}
