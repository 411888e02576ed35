//! A scripted HTTP/1.1 server on loopback: it says what a test tells it to, bad HTTP included, and
//! keeps what it was asked.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anchorbrowser_api::{Client, ClientBuilder};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// The key of the clients made here. Tests look for it where it must not be.
pub(crate) const KEY: &str = "canary-key-93b1f0";

/// The most bytes kept of a body.
const KEPT: u64 = 1 << 20;

/// What a client sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as sent.
    pub(crate) target: String,
    /// In the order of arrival, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body without its transfer coding; of a long one, its beginning.
    pub(crate) body: Vec<u8>,
    /// The length of the whole body.
    pub(crate) length: u64,
    pub(crate) chunked: bool,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether a text stands anywhere in it.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let headers = self.headers.iter();
        let mut all = headers.flat_map(|(name, value)| [name, value]);
        all.any(|part| part.contains(text))
            || self.target.contains(text)
            || self.text().contains(text)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    /// Goes on when a test says so.
    Wait(Arc<Notify>),
    /// Waits until the client has closed the connection, and says so.
    Closed(Arc<Notify>),
    /// Breaks the connection, instead of closing it.
    Reset,
}

/// What the server does with one request. The connection ends with it.
#[derive(Clone, Debug)]
pub(crate) struct Answer(Vec<Step>);

impl Answer {
    /// These bytes, as they are.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self(vec![Step::Send(bytes.into())])
    }

    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        Self::sized(status, headers, body, body.len())
    }

    pub(crate) fn json(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self::new(status, &[("content-type", "application/json")], body)
    }

    /// Promises more than it sends.
    pub(crate) fn cut(status: u16, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        Self::sized(status, &[], body, body.len() + 100)
    }

    /// In chunks; [`then`](Self::then) sends further ones, and [`CHUNKS_END`] is the last.
    pub(crate) fn chunked(status: u16, headers: &[(&str, &str)], chunk: &[u8]) -> Self {
        let head = head(status, headers, "transfer-encoding: chunked");
        Self::raw(head).then(encode_chunk(chunk))
    }

    /// A redirect to there.
    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::new(status, &[("location", location)], "moved")
    }

    /// Takes the request and breaks the connection.
    pub(crate) fn reset() -> Self {
        Self(vec![Step::Reset])
    }

    /// Says nothing until the client hangs up, and then tells.
    pub(crate) fn until_closed(closed: Arc<Notify>) -> Self {
        Self(vec![Step::Closed(closed)])
    }

    pub(crate) fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Step::Send(bytes.into()));
        self
    }

    /// Goes on when the client has hung up, and tells.
    pub(crate) fn then_closed(mut self, closed: Arc<Notify>) -> Self {
        self.0.push(Step::Closed(closed));
        self
    }

    pub(crate) fn wait(mut self, signal: Arc<Notify>) -> Self {
        self.0.push(Step::Wait(signal));
        self
    }

    fn sized(status: u16, headers: &[(&str, &str)], body: &[u8], length: usize) -> Self {
        let head = head(status, headers, &format!("content-length: {length}"));
        Self::raw(head).then(body)
    }
}

/// One chunk of a chunked body.
pub(crate) fn encode_chunk(bytes: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", bytes.len());
    [size.as_bytes(), bytes, b"\r\n"].concat()
}

/// What ends a chunked body.
pub(crate) const CHUNKS_END: &[u8] = b"0\r\n\r\n";

fn head(status: u16, headers: &[(&str, &str)], framing: &str) -> String {
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers: String = headers.collect();
    // Such an answer has no body, and so no length.
    let framing = if status == 204 {
        String::new()
    } else {
        format!("{framing}\r\n")
    };
    format!("HTTP/1.1 {status} \r\n{headers}{framing}connection: close\r\n\r\n")
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    received: Arc<AtomicU64>,
}

/// A running server; it ends when dropped.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers each request by this function.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            requests: Mutex::default(),
            received: Arc::default(),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Self { port, shared, task }
    }

    /// Gives these answers, one after the other; what comes after them fails.
    pub(crate) async fn list(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        Self::start(move |_| {
            let next = answers.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Answer::new(599, &[], "no further answer was scripted"))
        })
        .await
    }

    /// Always gives this answer.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of it, with [`KEY`].
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().base_url(self.url()).api_key(KEY)
    }

    /// What came so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The one request that came.
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().unwrap()
    }

    /// Counts the bytes of bodies, as they are read.
    pub(crate) fn received(&self) -> Arc<AtomicU64> {
        self.shared.received.clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            // A client that breaks off is a test's business, and shows there.
            let _ = serve(stream, &shared).await;
        });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read_request(&mut stream, &shared.received).await?;
    let answer = (shared.answer)(&request);
    shared.requests.lock().unwrap().push(request);
    for step in answer.0 {
        match step {
            Step::Send(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
            }
            Step::Wait(signal) => signal.notified().await,
            Step::Closed(closed) => {
                while matches!(stream.read(&mut [0]).await, Ok(1..)) {}
                closed.notify_one();
            }
            Step::Reset => stream.get_ref().set_zero_linger()?,
        }
    }
    Ok(())
}

async fn read_request(
    stream: &mut BufReader<TcpStream>,
    received: &AtomicU64,
) -> io::Result<Request> {
    let first = read_line(stream).await?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        method,
        target,
        headers,
        body: vec![],
        length: 0,
        chunked: false,
    };
    request.chunked = request.header("transfer-encoding") == Some("chunked");
    if request.chunked {
        loop {
            let size = read_line(stream).await?;
            let size = u64::from_str_radix(&size, 16).map_err(io::Error::other)?;
            read_body(stream, &mut request, size, received).await?;
            read_line(stream).await?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().map_err(io::Error::other)?;
        read_body(stream, &mut request, length, received).await?;
    }
    Ok(request)
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

async fn read_body(
    stream: &mut BufReader<TcpStream>,
    request: &mut Request,
    length: u64,
    received: &AtomicU64,
) -> io::Result<()> {
    let mut left = length;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = stream.read(&mut buffer[..most]).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left -= count as u64;
        received.fetch_add(count as u64, Ordering::SeqCst);
        let kept = (KEPT - request.body.len() as u64).min(count as u64) as usize;
        request.body.extend_from_slice(&buffer[..kept]);
        request.length += count as u64;
    }
    Ok(())
}
