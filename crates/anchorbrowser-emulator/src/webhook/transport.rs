//! Sends one delivery to a consumer on this machine.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Position, Url};

use super::rules::local_target;

/// How much of the consumer's answer is read, in bytes. None of it is kept.
const LONGEST_ANSWER: usize = 64 * 1024;

/// One attempt to hand an event to a webhook, signed and ready.
pub(crate) struct Delivery {
    /// The URL of the webhook.
    pub url: String,
    /// The type of the event.
    pub event: String,
    /// The id of the delivery.
    pub delivery_id: String,
    /// Seconds since 1970, the same as in the signature.
    pub timestamp: i64,
    /// The value of `Anchor-Signature`.
    pub signature: String,
    /// The envelope as it was signed.
    pub body: Bytes,
}

/// Leaves out the URL, which may hold a token, the signature and the body.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("event", &self.event)
            .field("delivery_id", &self.delivery_id)
            .field("timestamp", &self.timestamp)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Posts the delivery on a connection of its own and gives the status of the answer. Redirects are not followed.
///
/// `limit` holds for everything: connecting, sending, and reading the answer, of which no more than 64 KiB are read.
/// Only `http` on a loopback host is contacted; any other URL is an error, and no packet leaves the machine.
pub(crate) async fn send(delivery: &Delivery, limit: Duration) -> Result<u16, String> {
    let Some((addresses, url)) = local_target(&delivery.url) else {
        return Err(
            "the webhook was not contacted: the emulator sends nothing beyond this machine; allow local webhooks \
             and register an `http://` URL on a loopback host, such as http://127.0.0.1:8080/hook"
                .to_owned(),
        );
    };
    let request = request(delivery, &url)?;
    let attempt = async {
        let stream = TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|error| format!("no connection to the webhook: {error}"))?;
        exchange(stream, request)
            .await
            .map_err(|error| format!("the webhook gave no complete answer: {error}"))
    };
    tokio::time::timeout(limit, attempt)
        .await
        .unwrap_or_else(|_| {
            Err(format!(
                "the webhook gave no complete answer within {} s",
                limit.as_secs_f64()
            ))
        })
}

fn request(delivery: &Delivery, url: &Url) -> Result<Request<Full<Bytes>>, String> {
    Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "Anchor-Webhooks/1.0")
        .header("anchor-event", &delivery.event)
        .header("anchor-delivery-id", &delivery.delivery_id)
        .header("anchor-timestamp", delivery.timestamp)
        .header("anchor-signature", &delivery.signature)
        .body(Full::new(delivery.body.clone()))
        .map_err(|error| format!("the delivery cannot be written as a request: {error}"))
}

async fn exchange(stream: TcpStream, request: Request<Full<Bytes>>) -> hyper::Result<u16> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(status(sender, request));
    tokio::select! {
        status = &mut answer => status,
        // A connection that has ended leaves its outcome to the exchange, also when it ended by an error.
        _ = connection => answer.await,
    }
}

/// The status of the answer, once its body is read.
async fn status(
    mut sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> hyper::Result<u16> {
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    drain(answer.into_body()).await?;
    Ok(status)
}

/// Reads a body to its end, or as far as [`LONGEST_ANSWER`].
async fn drain(mut body: Incoming) -> hyper::Result<()> {
    let mut left = LONGEST_ANSWER;
    while let Some(frame) = body.frame().await {
        let size = frame?.data_ref().map_or(0, Bytes::len);
        if size >= left {
            break;
        }
        left -= size;
    }
    Ok(())
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
