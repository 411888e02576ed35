//! A web site on loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A site of fixed pages. It goes when it is dropped.
pub(super) struct Site {
    base: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

/// An answer: lines of headers, and the body.
#[derive(Clone)]
struct Page {
    headers: String,
    body: Vec<u8>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Site {
    /// A site with one HTML page, at `/`.
    pub(super) async fn page(html: &str) -> Self {
        Self::new(&[(
            "/",
            "content-type: text/html; charset=utf-8",
            html.as_bytes(),
        )])
        .await
    }

    /// A site of pages: path, lines of headers, and body.
    pub(super) async fn new(pages: &[(&str, &str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let page = |(path, headers, body): &(&str, &str, &[u8])| {
            let headers = (*headers).to_owned();
            let body = body.to_vec();
            ((*path).to_owned(), Page { headers, body })
        };
        let pages: Arc<BTreeMap<String, Page>> = Arc::new(pages.iter().map(page).collect());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&pages), Arc::clone(&seen)));
            }
        });
        Self { base, heads, task }
    }

    /// The URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The heads of the requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// The head of a request, if it comes whole.
pub(super) async fn head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

async fn answer(
    mut stream: TcpStream,
    pages: Arc<BTreeMap<String, Page>>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let Some(head) = head(&mut stream).await else {
        return;
    };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    seen.lock().unwrap().push(head);
    let (status, page) = match pages.get(&path) {
        Some(page) => ("200 OK", page.clone()),
        None => (
            "404 Not Found",
            Page {
                headers: "content-type: text/plain".to_owned(),
                body: b"not here".to_vec(),
            },
        ),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        page.headers,
        page.body.len()
    );
    // The browser may have changed its mind.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&page.body).await;
}
