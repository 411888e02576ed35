//! Why a socket is not open, or no longer.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use anchorbrowser_api::Error as ApiError;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};

use crate::error::{Error, ErrorKind};

type Cause = Box<dyn StdError + Send + Sync>;

/// Why a socket could not be opened, or ended before its time.
///
/// Neither `Display` nor `Debug` prints the URL, a header's value or a whole body.
pub(crate) enum SocketError {
    /// The URL is none for a WebSocket, and why; nothing was sent.
    Url(&'static str),
    /// No connection could be made, or it broke before the server answered.
    Connect {
        /// What went wrong, without the URL.
        source: Cause,
        /// To where: the API's own host, or another.
        host: String,
        /// TLS is needed, and this crate was built without it.
        needs_tls: bool,
    },
    /// It was not open within this time.
    Timeout(Duration),
    /// The HTTP client that was given speaks HTTP/2, which has no `Upgrade`.
    Http2,
    /// The server answered with something else than a socket.
    Refused(ApiError),
    /// What came is no WebSocket.
    Protocol(Cause),
    /// The connection was lost: there was no Close frame.
    Dropped(Cause),
    /// A message was longer than so many bytes.
    TooLarge(usize),
}

impl SocketError {
    pub(crate) fn connect(error: reqwest::Error, secure: bool) -> Self {
        let host = error.url().and_then(|url| url.host_str());
        Self::Connect {
            host: host.unwrap_or("the server").to_owned(),
            source: error.without_url().into(),
            needs_tls: secure && cfg!(not(feature = "rustls")),
        }
    }

    /// What reading a frame failed with.
    pub(crate) fn read(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { max_size, .. }) => {
                Self::TooLarge(max_size)
            }
            tungstenite::Error::Io(_)
            | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Self::Dropped(error.into())
            }
            _ => Self::Protocol(error.into()),
        }
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(reason) => write!(f, "the URL {reason}"),
            Self::Connect {
                needs_tls, host, ..
            } => {
                let todo = match needs_tls {
                    true => "build with the feature `rustls`, which wss:// needs",
                    false => "check the network and the base URL",
                };
                write!(f, "no connection to {host} could be made; {todo}")
            }
            Self::Timeout(limit) => write!(
                f,
                "it was not open within {limit:?}; allow more time, or check the network"
            ),
            Self::Http2 => f.write_str(
                "the HTTP client that was given spoke HTTP/2, which cannot open a WebSocket; make \
                 it with `http1_only()`",
            ),
            Self::Refused(error) => error.fmt(f),
            Self::Protocol(_) => {
                f.write_str("what the server sent is no WebSocket; is a proxy in between?")
            }
            Self::Dropped(_) => f.write_str(
                "the connection was lost before the server closed it; open another to \
                 follow what comes",
            ),
            Self::TooLarge(limit) => write!(
                f,
                "a message is longer than {} MiB; open another to follow what comes",
                limit >> 20
            ),
        }
    }
}

impl fmt::Debug for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketError")
            .field("message", &self.to_string())
            .field("source", &self.source())
            .finish()
    }
}

impl StdError for SocketError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect { source, .. } | Self::Protocol(source) | Self::Dropped(source) => {
                Some(source.as_ref())
            }
            _ => None,
        }
    }
}

impl From<SocketError> for Error {
    fn from(error: SocketError) -> Self {
        let message = error.to_string();
        let new = |kind| Self::new(kind, message);
        match error {
            SocketError::Url(_) => new(ErrorKind::InvalidArgument),
            SocketError::Timeout(_) => new(ErrorKind::Timeout),
            SocketError::Http2 => new(ErrorKind::Config),
            SocketError::TooLarge(_) => new(ErrorKind::TooLarge),
            SocketError::Refused(error) => {
                let error = Self::from(error);
                match error.message() {
                    Some(_) => error,
                    None => error.with_hint("does the session still run?"),
                }
            }
            SocketError::Connect { source, .. } => new(ErrorKind::Connect).with_source(source),
            SocketError::Protocol(source) => new(ErrorKind::Decode).with_source(source),
            SocketError::Dropped(source) => new(ErrorKind::Transport).with_source(source),
        }
    }
}
