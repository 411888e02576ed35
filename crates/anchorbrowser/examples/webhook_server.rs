//! A server that takes webhook deliveries: `cargo run --example webhook_server`.
//!
//! With `ANCHORBROWSER_API_KEY` it needs `WEBHOOK_SECRET`, listens on port 8080 and serves until it
//! is stopped. Without, it has an emulator send it one event.

mod support;

use std::sync::Arc;

use anchorbrowser::Secret;
use anchorbrowser::webhook::{EventType, MemoryReplayGuard, Verifier};
use anchorbrowser_emulator::Emulator;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What this server is ready to read of a delivery.
const LONGEST_BODY: usize = 1 << 20;

async fn receive(
    verifier: Arc<Verifier>,
    request: Request<Incoming>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    // The bytes as they came: a body that was parsed and written again does not verify.
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return answer(StatusCode::PAYLOAD_TOO_LARGE),
    };
    match verifier.verify(&head.headers, &body) {
        Ok(event) => {
            println!("{}: {}", event.event_type, event.text);
            // Taken: should it come again, it is answered without being handled. Had handling it
            // failed, `release` would let it through again.
            verifier.complete(&event);
            answer(StatusCode::OK)
        }
        Err(error) => {
            eprintln!("refused: {error}");
            answer(StatusCode::from_u16(error.status())?)
        }
    }
}

fn answer(status: StatusCode) -> anyhow::Result<Response<Full<Bytes>>> {
    Ok(Response::builder().status(status).body(Full::default())?)
}

async fn serve(listener: TcpListener, verifier: Arc<Verifier>) -> anyhow::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        let verifier = verifier.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| receive(verifier.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new();
            if let Err(error) = connection
                .serve_connection(TokioIo::new(socket), service)
                .await
            {
                eprintln!("a connection failed: {error}");
            }
        });
    }
}

fn verifier(secret: &Secret) -> anyhow::Result<Arc<Verifier>> {
    let verifier = Verifier::new(secret.expose())?.replay_guard(MemoryReplayGuard::new());
    Ok(Arc::new(verifier))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (client, emulator) = support::client(Emulator::builder().local_webhooks(true)).await?;
    let Some(emulator) = emulator else {
        let secret = Secret::from(std::env::var("WEBHOOK_SECRET")?);
        let listener = TcpListener::bind("0.0.0.0:8080").await?;
        println!("listening on {}", listener.local_addr()?);
        return serve(listener, verifier(&secret)?).await;
    };

    // An emulator delivers to this machine; the service wants a public https:// address.
    let client = client.with_options(anchorbrowser::Options::new().checks(false))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let created = client
        .webhooks()
        .create(url, [EventType::SessionReady])
        .send()
        .await?;
    tokio::spawn(serve(listener, verifier(&created.secret)?));

    client
        .webhooks()
        .test(&created.webhook.id, EventType::SessionReady)
        .await?;
    emulator.deliveries_done().await;
    Ok(())
}
