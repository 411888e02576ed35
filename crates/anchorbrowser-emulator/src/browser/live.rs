//! Live views: a WebSocket that shows a page of a session's browser, and lets its viewer use it.
//!
//! To the viewer go JPEG images of the page, each as a binary message, and JSON texts: `view` with what there is to know
//! about the page and the tabs, and `refused`. From the viewer come the JSON texts of [`input::Message`]. Each image is
//! to be answered by an `ack`: the browser makes no more of them than are looked at.

mod input;
mod screen;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

use super::SessionBrowser;
use super::cdp::{CdpError, Event};
use super::connected::Connected;
use crate::answer::Refusal;
use crate::body::Body;
use crate::resources::sessions;
use crate::server::stopped;
use crate::shared::Shared;
use crate::socket;

use input::Message;
use screen::Screen;

/// Where the socket is.
pub(crate) const PATH: &str = "/__emulator/live/socket";

/// Bytes of a message from a viewer: pasted text is the longest.
const LONGEST: usize = 1 << 20;

/// Real time between pings. A viewer that has been silent for two of them is gone.
const PING: Duration = Duration::from_secs(15);

/// Real time between looks at the tabs: of a title that a script has set, the browser tells nobody.
const LOOK: Duration = Duration::from_secs(1);

/// Real time until the browser is asked again for images that it has refused.
const RETRY: Duration = Duration::from_millis(50);

/// A live view that was granted. It begins when the answer that grants it has been sent.
pub(crate) struct Live {
    browser: SessionBrowser,
    screen: Screen,
    events: broadcast::Receiver<Arc<Event>>,
    read_only: bool,
    upgrade: OnUpgrade,
    connected: Connected,
}

impl Live {
    /// Takes a request for the socket: the answer with which it begins, and the live view. The id of the session is the
    /// secret that opens it.
    pub(crate) async fn open(
        shared: &Arc<Shared>,
        request: &mut Request<Incoming>,
    ) -> Result<(Response<Body>, Self), Refusal> {
        let response = socket::handshake(request)?;
        let query = request.uri().query().unwrap_or_default();
        let value = |wanted: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, value)| name == wanted && !value.is_empty())
                .map(|(_, value)| value.into_owned())
        };
        let missing = || Refusal::bad("query.sessionId: missing; it names the session to look at");
        let session = value("sessionId").ok_or_else(missing)?;
        let page = value("page");
        shared.enter(|world| sessions::viewable(world, &session).map(|_| ()))??;
        let (browser, connected) = Connected::new(shared, &session)?;
        let running = browser.running().await?;
        if let Some(page) = &page
            && !running.tabs().iter().any(|tab| tab.id == *page)
        {
            return Err(Refusal::missing("page", page));
        }
        let (screen, events) = Screen::connect(&running, page).await?;
        // Last, so that a view that could not be shown does not use up the URL.
        let read_only = shared.enter(|world| sessions::begin_view(world, &session))??;
        let live = Self {
            browser,
            screen,
            events,
            read_only,
            upgrade: hyper::upgrade::on(request),
            connected,
        };
        Ok((response, live))
    }

    /// Serves the socket until the session or the emulator ends, or the viewer goes.
    pub(crate) async fn run(self, stop: &mut watch::Receiver<bool>) {
        let Ok(connection) = self.upgrade.await else {
            return;
        };
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST));
        let io = TokioIo::new(connection);
        let mut viewer = Viewer {
            io: WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await,
            screen: self.screen,
            read_only: self.read_only,
            told: Value::Null,
        };
        let end = tokio::select! {
            end = viewer.show(self.events) => end,
            () = self.browser.ending() => End::Close(CloseCode::Normal, "the session has ended"),
            () = stopped(stop) => End::Close(CloseCode::Away, "the emulator stops"),
        };
        // It may be idle from now on, however long the viewer takes to say good-bye.
        drop(self.connected);
        viewer.end(end).await;
    }
}

/// How a live view ends.
enum End {
    Close(CloseCode, &'static str),
    /// Without a Close frame: the viewer has gone.
    Gone,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        tracing::debug!(%error, "a live view ended early");
        Self::Gone
    }
}

impl From<CdpError> for End {
    fn from(error: CdpError) -> Self {
        tracing::debug!(%error, "a live view can't be shown any more");
        Self::Close(CloseCode::Normal, "the browser can't be reached any more")
    }
}

struct Viewer {
    io: WebSocketStream<TokioIo<Upgraded>>,
    screen: Screen,
    read_only: bool,
    /// The `view` that the viewer was told last.
    told: Value,
}

impl Viewer {
    async fn show(&mut self, mut events: broadcast::Receiver<Arc<Event>>) -> End {
        let Err(end) = self.go_on(&mut events).await;
        // The browser hangs up when it ends; that it does is then the reason.
        if matches!(end, End::Close(..)) {
            tokio::time::sleep(socket::GRACE).await;
        }
        end
    }

    async fn go_on(
        &mut self,
        events: &mut broadcast::Receiver<Arc<Event>>,
    ) -> Result<std::convert::Infallible, End> {
        let mut pings = tokio::time::interval(PING);
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retries = tokio::time::interval(RETRY);
        retries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent = 0;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.happened(&event).await?,
                    // An image may have been among what was missed.
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.screen.hide();
                        looks.reset_immediately();
                    }
                    Err(broadcast::error::RecvError::Closed) => return Err(CdpError::Gone.into()),
                },
                frame = self.io.next() => {
                    silent = 0;
                    match frame {
                        Some(frame) => self.heard(frame?).await?,
                        None => return Err(End::Gone),
                    }
                }
                _ = looks.tick() => {
                    self.screen.look().await?;
                    self.tell().await?;
                }
                _ = retries.tick(), if self.screen.is_blank() => self.screen.draw().await?,
                _ = pings.tick() => {
                    if silent == 2 {
                        return Err(End::Gone);
                    }
                    silent += 1;
                    self.send(Frame::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    /// Something happened in the browser.
    async fn happened(&mut self, event: &Event) -> Result<(), End> {
        if let Some(image) = self.screen.image(event) {
            self.tell().await?;
            self.send(Frame::Binary(image.into())).await?;
        } else if self.screen.notice(event) {
            self.screen.follow().await?;
            self.tell().await?;
        }
        Ok(())
    }

    /// The viewer has sent something.
    async fn heard(&mut self, frame: Frame) -> Result<(), End> {
        let Frame::Text(text) = frame else {
            return Ok(());
        };
        // What is not understood may come from a later edition of the page.
        let Ok(message) = serde_json::from_str::<Message>(&text) else {
            return Ok(());
        };
        match message {
            Message::Ack => self.screen.ack(),
            Message::Tab { id } => {
                self.screen.choose(id);
                self.screen.follow().await?;
                self.tell().await?;
            }
            _ if self.read_only => self.refuse("the live view is read-only").await?,
            input => {
                if let Err(why) = self.screen.take(input).await? {
                    self.refuse(why).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells the viewer what it looks at, if that is new.
    async fn tell(&mut self) -> Result<(), End> {
        let mut view = self.screen.view();
        view["read_only"] = self.read_only.into();
        if view == self.told {
            return Ok(());
        }
        let text = Frame::text(view.to_string());
        self.told = view;
        self.send(text).await
    }

    async fn refuse(&mut self, why: &str) -> Result<(), End> {
        let refused = json!({ "type": "refused", "message": why });
        self.send(Frame::text(refused.to_string())).await
    }

    /// Sends to the viewer, as fast as it takes it. One that takes nothing is gone.
    async fn send(&mut self, frame: Frame) -> Result<(), End> {
        let sent = tokio::time::timeout(2 * PING, self.io.send(frame)).await;
        Ok(sent.map_err(|_| End::Gone)??)
    }

    async fn end(&mut self, end: End) {
        if let End::Close(code, reason) = end {
            socket::close(&mut self.io, code, reason).await;
        }
    }
}
