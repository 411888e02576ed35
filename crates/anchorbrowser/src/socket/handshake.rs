//! The HTTP half of a WebSocket: a GET request that the server answers by changing protocols.
//!
//! It is reqwest's, so that TLS, roots and crypto provider are those of all other calls.

use anchorbrowser_api::Error as ApiError;
use anchorbrowser_api::wire::Secret;
use bytes::BytesMut;
use reqwest::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Response, StatusCode, Upgraded, Url, Version};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::{Opening, SocketError};

/// Bytes that are kept of the body of a refusal.
const KEPT: usize = 64 << 10;

/// The URL for the request.
pub(super) fn http_url(url: &Secret) -> Result<Url, SocketError> {
    let (scheme, rest) = url.expose().split_once("://").unwrap_or_default();
    let http = match scheme {
        "ws" => "http",
        "wss" => "https",
        _ => return Err(SocketError::Url("must begin with ws:// or wss://")),
    };
    Url::parse(&format!("{http}://{rest}")).map_err(|_| SocketError::Url("has no valid host"))
}

/// Has the server change protocols; gives the connection, which speaks WebSocket from here on. The
/// client must not follow redirects, which may lead anywhere: one is a refusal.
pub(super) async fn open(
    client: reqwest::Client,
    url: Url,
    opening: &Opening<'_>,
) -> Result<Upgraded, SocketError> {
    let secure = url.scheme() == "https";
    let failed = |error| SocketError::connect(error, secure);
    let key = generate_key();
    let request = client
        .get(url)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    let response = request.send().await.map_err(failed)?;
    if response.version() == Version::HTTP_2 {
        return Err(SocketError::Http2);
    }
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response, opening).await);
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|value| value != &derive_accept_key(key.as_bytes())) {
        return Err(SocketError::Protocol(
            "the header Sec-WebSocket-Accept is missing or wrong".into(),
        ));
    }
    response.upgrade().await.map_err(failed)
}

async fn refused(mut response: Response, opening: &Opening<'_>) -> SocketError {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = BytesMut::new();
    // What came of a body that breaks off is better than nothing.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = KEPT - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if body.len() == KEPT {
            break;
        }
    }
    let redact = |text: &str| opening.redact.text(text);
    let error = ApiError::answered(opening.operation, status, headers, body.freeze(), redact);
    SocketError::Refused(error)
}
