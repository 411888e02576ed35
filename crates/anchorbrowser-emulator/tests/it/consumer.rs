//! A program that takes webhook deliveries.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A delivery as it came.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Takes deliveries, and answers with the statuses given, then with 200.
pub(crate) struct Consumer {
    pub(crate) url: String,
    pub(crate) sent: Arc<Mutex<Vec<Sent>>>,
}

impl Consumer {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut statuses) = (Arc::clone(&sent), VecDeque::from(statuses.to_vec()));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let delivery = read(&mut stream).await;
                kept.lock().unwrap().push(delivery);
                let status = statuses.pop_front().unwrap_or(200);
                let answer = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, sent }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

pub(crate) async fn read(stream: &mut TcpStream) -> Sent {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        assert!(
            stream.read_buf(&mut bytes).await.unwrap() > 0,
            "a whole head"
        );
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let headers: BTreeMap<String, String> = rest
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < headers["content-length"].parse().unwrap() {
        assert!(
            stream.read_buf(&mut body).await.unwrap() > 0,
            "a whole body"
        );
    }
    Sent {
        line: line.to_owned(),
        headers,
        body,
    }
}
