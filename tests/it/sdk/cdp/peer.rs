//! A scripted browser: the other side of a CDP connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anchorbrowser::{Client, Session};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The id of the sessions made here.
pub(crate) const ID: &str = "0f0e0d0c-0000-4000-8000-000000000001";

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One connection, as the browser sees it.
pub(crate) struct Peer(pub(crate) WebSocketStream<Box<dyn Stream>>);

impl Peer {
    /// The next command; `None` when the client has gone.
    pub(crate) async fn command(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        // That the client has gone is a test's business, and shows there.
        let _ = self.0.send(Message::text(text)).await;
    }

    pub(crate) async fn answer(&mut self, command: &Value, result: Value) {
        let mut answer = json!({ "id": command["id"], "result": result });
        if let Some(session) = command.get("sessionId") {
            answer["sessionId"] = session.clone();
        }
        self.send(answer).await;
    }

    /// Gives each command the answer that it asks for, by its method.
    pub(crate) async fn answer_all(mut self, result: impl Fn(&Value) -> Value) {
        while let Some(command) = self.command().await {
            let result = result(&command);
            self.answer(&command, result).await;
        }
    }
}

/// A browser; it ends when dropped.
pub(crate) struct Browser {
    address: String,
    pub(crate) certificate: Option<reqwest::Certificate>,
    targets: Arc<Mutex<Vec<(String, String)>>>,
    task: JoinHandle<()>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Browser {
    /// Each connection is handed to the script, with its number from 0.
    pub(crate) async fn start<F: Future<Output = ()> + Send + 'static>(
        script: impl Fn(Peer, usize) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::listen(script, None).await
    }

    /// One that speaks TLS, with a certificate of its own for `localhost`.
    pub(crate) async fn secure<F: Future<Output = ()> + Send + 'static>(
        script: impl Fn(Peer, usize) -> F + Send + Sync + 'static,
    ) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut browser = Self::listen(script, Some(acceptor)).await;
        let certificate = reqwest::Certificate::from_der(made.cert.der()).unwrap();
        browser.certificate = Some(certificate);
        browser
    }

    async fn listen<F: Future<Output = ()> + Send + 'static>(
        script: impl Fn(Peer, usize) -> F + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let targets: Arc<Mutex<Vec<_>>> = Arc::default();
        let (seen, script) = (targets.clone(), Arc::new(script));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen, tls) = (script.clone(), seen.clone(), tls.clone());
                connections.spawn(async move {
                    if let Some(peer) = accept(stream, tls, &seen).await {
                        let number = seen.lock().unwrap().len() - 1;
                        script(peer, number).await;
                    }
                });
            }
        });
        Self {
            address: format!("localhost:{port}"),
            certificate: None,
            targets,
            task,
        }
    }

    /// What [`Session::cdp_url`] is to be, in a form of the service's own.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() {
            "wss"
        } else {
            "ws"
        };
        format!("{scheme}://{}/?apiKey={}", self.address, super::KEY)
    }

    /// A session whose browser it is.
    pub(crate) fn session(&self) -> Session {
        self.client().session(ID)
    }

    pub(crate) fn client(&self) -> Client {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let client = Client::builder()
            .base_url(format!("{scheme}://{}", self.address))
            .api_key(super::KEY);
        match &self.certificate {
            Some(root) => {
                let http = reqwest::Client::builder()
                    .redirect(reqwest::redirect::Policy::none())
                    .tls_certs_only([root.clone()]);
                client.http_client(http.build().unwrap()).build().unwrap()
            }
            None => client.build().unwrap(),
        }
    }

    /// Path and query of each handshake, and its headers.
    pub(crate) fn handshakes(&self) -> Vec<(String, String)> {
        self.targets.lock().unwrap().clone()
    }
}

async fn accept(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    seen: &Mutex<Vec<(String, String)>>,
) -> Option<Peer> {
    let stream: Box<dyn Stream> = match tls {
        Some(tls) => Box::new(tls.accept(stream).await.ok()?),
        None => Box::new(stream),
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, Note(seen)).await;
    Some(Peer(socket.ok()?))
}

/// Takes down path, query and headers.
struct Note<'a>(&'a Mutex<Vec<(String, String)>>);

impl Callback for Note<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let headers = format!("{:?}", request.headers());
        let seen = (request.uri().to_string(), headers);
        self.0.lock().unwrap().push(seen);
        Ok(response)
    }
}

/// Waits for something, but not forever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("in time")
}

/// Waits until something holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    soon(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}
