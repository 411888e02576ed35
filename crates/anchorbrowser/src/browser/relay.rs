//! A one-shot relay inside the process, from `chromiumoxide` to the service.
//!
//! The relay has the connection with the client's TLS, certificates and proxy. `chromiumoxide` only
//! sees a `ws://` address on loopback, with a random path in place of the key. Both sides are client
//! connections without extensions, so the bytes after the two handshakes are passed on as they are.

use std::time::Duration;

use reqwest::Upgraded;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};

/// Bytes that are on their way in one direction at most.
const BUFFER: usize = 64 << 10;

/// How long who connects may take to say that it is `chromiumoxide`.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// How long the last bytes may take.
const LINGER: Duration = Duration::from_secs(1);

/// A relay that waits for its one connection.
pub(super) struct Relay {
    listener: TcpListener,
    path: String,
}

impl Relay {
    pub(super) async fn bind() -> std::io::Result<Self> {
        // 128 random bits.
        let path = generate_key().replace('+', "-").replace('/', "_");
        Ok(Self {
            listener: TcpListener::bind(("127.0.0.1", 0)).await?,
            path: format!("/{}", path.trim_end_matches('=')),
        })
    }

    /// What to connect to.
    pub(super) fn url(&self) -> std::io::Result<String> {
        let address = self.listener.local_addr()?;
        Ok(format!("ws://{address}{}", self.path))
    }

    /// Waits for the one connection that knows the path. Then nobody listens any more.
    pub(super) async fn accept(self) -> std::io::Result<TcpStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            // Commands are small, and each one is waited for.
            let _ = stream.set_nodelay(true);
            let admit = accept_hdr_async(stream, Admit(&self.path));
            if let Ok(Ok(socket)) = tokio::time::timeout(HANDSHAKE, admit).await {
                return Ok(socket.into_inner());
            }
        }
    }
}

/// Admits who knows this path.
struct Admit<'a>(&'a str);

impl Callback for Admit<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        if request.uri().path() == self.0 {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = reqwest::StatusCode::NOT_FOUND;
        Err(refusal)
    }
}

/// Passes bytes on until one side has no more, or the service has sent a Close frame: `chromiumoxide`
/// neither answers that nor tells of it.
pub(super) async fn pump(local: TcpStream, remote: Upgraded) {
    let (mut from_local, mut to_local) = local.into_split();
    let (mut from_remote, mut to_remote) = tokio::io::split(remote);
    {
        let up = std::pin::pin!(copy(&mut from_local, &mut to_remote, |_| false));
        let mut frames = Frames::default();
        let closes = |bytes: &[u8]| frames.close(bytes);
        let down = std::pin::pin!(copy(&mut from_remote, &mut to_local, closes));
        futures_util::future::select(up, down).await;
    }
    let rest = async {
        let _ = to_local.shutdown().await;
        let _ = to_remote.shutdown().await;
        // What is sent here and not read would break the connection, and what came before be lost.
        copy(&mut from_local, tokio::io::sink(), |_| false).await
    };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut is_last: impl FnMut(&[u8]) -> bool,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
        if is_last(&buffer[..count]) {
            return Ok(());
        }
    }
}

/// Finds a Close frame among the bytes that a server sends.
#[derive(Default)]
struct Frames {
    /// What has come of a frame's head.
    head: Vec<u8>,
    /// Bytes of its payload that are to come.
    payload: usize,
}

impl Frames {
    /// Whether a Close frame begins in these bytes, which follow those so far.
    fn close(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            let (payload, rest) = bytes.split_at(self.payload.min(bytes.len()));
            self.payload -= payload.len();
            let Some((next, rest)) = rest.split_first() else {
                return false;
            };
            bytes = rest;
            self.head.push(*next);
            let Some(payload) = payload_of(&self.head) else {
                continue;
            };
            if self.head[0] & 0x0f == u8::from(OpCode::Control(Control::Close)) {
                return true;
            }
            self.payload = payload;
            self.head.clear();
        }
    }
}

/// The length of a frame's payload, if this is its whole head. Servers mask nothing.
fn payload_of(head: &[u8]) -> Option<usize> {
    match *head {
        [_, length @ ..126] => Some(length.into()),
        [_, 126, a, b] => Some(u16::from_be_bytes([a, b]).into()),
        [_, 127, a, b, c, d, e, f, g, h] => {
            let length = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            Some(usize::try_from(length).unwrap_or(usize::MAX))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connect(url: &str) -> reqwest::Result<reqwest::StatusCode> {
        let url = url.replacen("ws", "http", 1);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.get(url).header("connection", "upgrade");
        let request = request.header("upgrade", "websocket");
        let request = request.header("sec-websocket-version", "13");
        let request = request.header("sec-websocket-key", generate_key());
        Ok(request.send().await?.status())
    }

    #[tokio::test]
    async fn one_connection_is_taken_and_only_by_its_path() {
        let relay = Relay::bind().await.unwrap();
        let url = relay.url().unwrap();
        let other = Relay::bind().await.unwrap().path;
        assert!(other != relay.path && relay.path.len() == 23, "{other}");
        let wrong = url.replace(&relay.path, &other);
        let accepted = tokio::spawn(relay.accept());
        for wrong in [
            wrong,
            format!("{url}x"),
            url.replace(&url[url.len() - 23..], ""),
        ] {
            assert_eq!(connect(&wrong).await.unwrap(), 404);
            assert!(!accepted.is_finished());
        }
        assert_eq!(connect(&url).await.unwrap(), 101);
        accepted.await.unwrap().unwrap();
        assert!(connect(&url).await.unwrap_err().is_connect());
    }

    #[test]
    fn a_close_frame_is_found_wherever_the_bytes_are_cut() {
        // Payloads that look like Close frames, with all three forms of length; a ping.
        let mut sent = vec![0x81, 2, 0x88, 0, 0x89, 0];
        for (length, head) in [(300_u64, vec![0x01, 126]), (70_000, vec![0x80, 127])] {
            let bytes = length.to_be_bytes();
            let from = if length < 65_536 { 6 } else { 0 };
            sent.extend([head, bytes[from..].to_vec(), vec![0x88; length as usize]].concat());
        }
        for cut in [1, 2, 3, 7, 1000, sent.len()] {
            let mut frames = Frames::default();
            assert!(!sent.chunks(cut).any(|bytes| frames.close(bytes)), "{cut}");
            assert!(
                !frames.close(&[0x88]) && frames.close(&[2, 3, 0xe8]),
                "{cut}"
            );
        }
    }
}
