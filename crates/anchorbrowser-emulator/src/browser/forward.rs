//! Logs in to a proxy for a browser, which takes no credentials on its command line.
//!
//! The browser gets a proxy on loopback instead, which hands on what comes, with the credentials. Nothing else of the
//! session is touched, as it would be by answering the proxy's challenges over the browser's own protocol, where clients
//! answer them too.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, PROXY_AUTHORIZATION};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::proxy::Proxy;

/// How long the proxy may take to be reached.
const REACHING: Duration = Duration::from_secs(30);

/// What browsers send to proxies instead of `connection`.
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

type Body = Either<Incoming, Full<Bytes>>;

/// A proxy on loopback. It goes when it is dropped, with all that goes through it.
pub(super) struct Forward {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The proxy behind it.
struct Upstream {
    address: String,
    login: HeaderValue,
}

impl Forward {
    /// Forwards to `proxy`, if there is something to log in with.
    pub(super) async fn start(proxy: &Proxy) -> io::Result<Option<Self>> {
        let Some(login) = proxy.login.clone() else {
            return Ok(None);
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let upstream = Arc::new(Upstream {
            address: proxy.address(),
            login,
        });
        let task = tokio::spawn(run(listener, upstream));
        Ok(Some(Self { address, task }))
    }

    /// As the command line of the browser has it.
    pub(super) fn server(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn run(listener: TcpListener, upstream: Arc<Upstream>) {
    // They end with it.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open: some of them will be closed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, Arc::clone(&upstream)));
    }
}

/// Serves a connection of the browser, and the tunnel that it becomes, if it does.
async fn connection(stream: TcpStream, upstream: Arc<Upstream>) {
    let (tunnel, mut tunnels) = tokio::sync::mpsc::unbounded_channel();
    let service = service_fn(move |request| {
        let (upstream, tunnel) = (Arc::clone(&upstream), tunnel.clone());
        async move { Ok::<_, hyper::Error>(upstream.answer(request, &tunnel).await) }
    });
    let served = server::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // The browser may hang up at any time.
    let _ = served.await;
    if let Some((near, far)) = tunnels.recv().await {
        dig(near, far).await;
    }
}

type Ends = (hyper::upgrade::OnUpgrade, hyper::upgrade::OnUpgrade);

/// Brings bytes both ways until one end has gone.
async fn dig(near: hyper::upgrade::OnUpgrade, far: hyper::upgrade::OnUpgrade) {
    if let (Ok(near), Ok(far)) = tokio::join!(near, far) {
        let (mut near, mut far) = (TokioIo::new(near), TokioIo::new(far));
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}

impl Upstream {
    /// Hands a request on, with credentials, and gives the answer.
    async fn answer(
        &self,
        mut request: Request<Incoming>,
        tunnel: &tokio::sync::mpsc::UnboundedSender<Ends>,
    ) -> Response<Body> {
        let connects = request.method() == Method::CONNECT;
        let near = connects.then(|| hyper::upgrade::on(&mut request));
        let headers = request.headers_mut();
        headers.insert(PROXY_AUTHORIZATION, self.login.clone());
        headers.remove(PROXY_CONNECTION);
        if !connects {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let Some(mut response) = self.send(request).await else {
            let text = "the proxy of the session can't be reached\n";
            let mut response = Response::new(Either::Right(Full::from(text)));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            return response;
        };
        if let Some(near) = near.filter(|_| response.status().is_success()) {
            let far = hyper::upgrade::on(&mut response);
            // The connection waits for it.
            let _ = tunnel.send((near, far));
        }
        response.headers_mut().remove(CONNECTION);
        response.map(Either::Left)
    }

    /// Sends a request on a connection of its own.
    async fn send(&self, request: Request<Incoming>) -> Option<Response<Incoming>> {
        let connecting = TcpStream::connect(&self.address);
        let connected = tokio::time::timeout(REACHING, connecting).await;
        let stream = connected.ok()?.ok()?;
        let _ = stream.set_nodelay(true);
        let builder = &mut client::Builder::new();
        let builder = builder.preserve_header_case(true);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.ok()?;
        // Ends with the request, or with the tunnel.
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await.ok()
    }
}
