//! The step socket: what a session's agent does, while it does it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use reqwest::Upgraded;
use serde_json::Value;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::error::{Error, Result};
use crate::socket::{self, Opening, Redact, Socket, SocketError};
use crate::{Client, SessionId};

/// What errors call it: the document has no such operation.
pub(crate) const OPERATION: &str = "agent_steps";

/// The longest step that is taken, in bytes.
const LONGEST: usize = 16 << 20;

/// Bytes of each of the socket's two buffers; a longer step makes its own room.
const BUFFER: usize = 16 << 10;

/// Live steps of a session's agent, as they happen.
///
/// A stream of [`Step`]s; [`next`](Self::next) reads it without further crates. It ends when the
/// server closes the socket, as it does with the session. A connection that is lost gives an error,
/// and then the stream ends: it does not connect again, since steps missed meanwhile would be
/// missing unnoticed. Dropping it closes the socket.
///
/// Read it all the time: while it is not polled, pings of the server are not answered, and the
/// server may give the connection up.
///
/// The connection is made like that of other calls: TLS by the feature `rustls`, and the proxy of
/// the client or the environment; or by the
/// [HTTP client that was given](crate::ClientBuilder::http_client), which must not speak HTTP/2.
pub struct Steps {
    /// `None` when it has ended.
    socket: Option<Socket>,
}

/// One step of an agent.
///
/// The API does not document what a step holds. [`raw`](Self::raw) has all of it; the other members
/// are read from there as far as they can be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// Its number in the run, counted from 1: the member `step`.
    pub number: Option<u64>,
    /// What kind of frame it is: the member `type`.
    pub kind: Option<String>,
    /// The frame: JSON, or a string that holds what is no JSON.
    pub raw: Value,
}

impl Steps {
    /// Opens the step socket of a session.
    ///
    /// # Errors
    ///
    /// If no connection can be made, the server refuses, or it is not open in time.
    pub(crate) async fn open(client: &Client, session: &SessionId) -> Result<Self> {
        let id = session.as_str();
        let url = client.api().socket_url("/ws", &[("sessionId", id)]);
        let opening = Opening {
            operation: OPERATION,
            limit: socket::limit(client, None),
            redact: &Redact::new(client, &url, &[id]),
            url: &url,
        };
        Self::on(opening.connect_by(client).await).await
    }

    /// Steps that come over this connection.
    async fn on(opened: Result<Upgraded, SocketError>) -> Result<Self> {
        let connection = opened.map_err(|error| Error::from(error).of(OPERATION))?;
        Ok(Self {
            socket: Some(socket::framed(connection, LONGEST, BUFFER).await),
        })
    }

    /// The next step; `None` when the server has closed the socket, or after an error.
    ///
    /// May be dropped before it is done, as `tokio::select!` does: no step is lost.
    ///
    /// # Errors
    ///
    /// If the connection is lost, a step is longer than 16 MiB, or what comes is no WebSocket frame.
    pub async fn next(&mut self) -> Option<Result<Step>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// An iterator that waits for each step, without an async runtime of the caller's.
    #[cfg(feature = "blocking")]
    #[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
    pub fn blocking(self) -> impl Iterator<Item = Result<Step>> {
        crate::background::items(self)
    }
}

impl Stream for Steps {
    type Item = Result<Step>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Some(socket) = &mut self.socket {
            match ready!(Pin::new(&mut *socket).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => {
                    return Poll::Ready(Some(Ok(Step::read(text.as_bytes()))));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    return Poll::Ready(Some(Ok(Step::read(&bytes))));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) => {
                    // Sends our own Close frame. Nothing is to come, so nobody waits for the server.
                    let _ = Pin::new(socket).poll_next(cx);
                    self.socket = None;
                }
                Some(Err(error)) => {
                    self.socket = None;
                    let error = Error::from(SocketError::read(error));
                    return Poll::Ready(Some(Err(error.of(OPERATION))));
                }
                None => self.socket = None,
            }
        }
        Poll::Ready(None)
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps")
            .field("ended", &self.socket.is_none())
            .finish()
    }
}

impl Step {
    fn read(frame: &[u8]) -> Self {
        let text = || Value::String(String::from_utf8_lossy(frame).into_owned());
        let raw: Value = serde_json::from_slice(frame).unwrap_or_else(|_| text());
        Self {
            number: raw.get("step").and_then(Value::as_u64),
            kind: raw.get("type").and_then(Value::as_str).map(str::to_owned),
            raw,
        }
    }
}
