//! WebSockets: opened by an HTTP request of reqwest's, so that TLS, certificates and proxies are
//! those of the client's other calls.

mod error;
mod handshake;
mod redact;

use std::time::Duration;

use anchorbrowser_api::wire::Secret;
use reqwest::Upgraded;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

pub(crate) use error::SocketError;
pub(crate) use redact::Redact;

use crate::Client;

/// How long opening a socket may take, unless the caller says otherwise.
pub(crate) const OPENING: Duration = Duration::from_secs(20);

/// A socket that is open.
pub(crate) type Socket = WebSocketStream<Upgraded>;

/// A socket that is to be opened.
pub(crate) struct Opening<'a> {
    /// What errors call it.
    pub(crate) operation: &'static str,
    /// A `ws://` or `wss://` URL.
    pub(crate) url: &'a Secret,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// What the server's texts are shown without.
    pub(crate) redact: &'a Redact,
}

impl Opening<'_> {
    /// The connection, which speaks WebSocket from here on.
    ///
    /// # Errors
    ///
    /// If the URL is none for a WebSocket, no connection can be made, the server refuses, or it is
    /// not open within the limit.
    pub(crate) async fn connect(&self, http: reqwest::Client) -> Result<Upgraded, SocketError> {
        let url = handshake::http_url(self.url)?;
        let opened = tokio::time::timeout(self.limit, handshake::open(http, url, self)).await;
        opened.unwrap_or(Err(SocketError::Timeout(self.limit)))
    }

    /// As [`connect`](Self::connect), over connections as the client has them.
    pub(crate) async fn connect_by(&self, client: &Client) -> Result<Upgraded, SocketError> {
        let http = client.api().socket_client();
        let secure = self.url.expose().starts_with("wss:");
        let http = http.map_err(|error| SocketError::connect(error, secure))?;
        self.connect(http).await
    }
}

/// The least of the limit for opening a socket and that of the client's operations.
pub(crate) fn limit(client: &Client, wanted: Option<Duration>) -> Duration {
    let wanted = wanted.unwrap_or(OPENING);
    let whole = client.api().policy().operation_timeout;
    whole.map_or(wanted, |whole| whole.min(wanted))
}

/// Reads and writes messages of up to `longest` bytes. `buffer` is the size of each of the two
/// buffers; a longer message makes its own room.
pub(crate) async fn framed(connection: Upgraded, longest: usize, buffer: usize) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(buffer)
        .write_buffer_size(buffer)
        .max_frame_size(Some(longest))
        .max_message_size(Some(longest));
    WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await
}
