use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

fn delivery(url: String) -> Delivery {
    Delivery {
        url,
        event: "session.ready".to_owned(),
        delivery_id: "5f0c1f5e-0000-4000-8000-000000000001".to_owned(),
        timestamp: 1_700_000_000,
        signature: "t=1700000000,v1=5ec2e7".to_owned(),
        body: Bytes::from_static(br#"{"id":"evt_1"}"#),
    }
}

/// Reads one request to the end of its body.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(br#"{"id":"evt_1"}"#) {
        if stream.read_buf(&mut text).await.unwrap() == 0 {
            break;
        }
    }
    String::from_utf8(text).unwrap()
}

/// A consumer that takes one connection, sends `answer`, and holds the connection for `hold` before it closes it. Gives
/// the URL, and the request when done.
async fn consumer(answer: impl Into<Vec<u8>>, hold: Duration) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/hook?key=a%20b#part",
        listener.local_addr().unwrap()
    );
    let answer = answer.into();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        // The sender may hang up in the middle of a long answer.
        let _ = stream.write_all(&answer).await;
        tokio::time::sleep(hold).await;
        request
    });
    (url, task)
}

async fn outcome(answer: impl Into<Vec<u8>>) -> Result<u16, String> {
    let (url, _consumer) = consumer(answer, Duration::ZERO).await;
    send(&delivery(url), LIMIT).await
}

#[tokio::test]
async fn a_delivery_carries_its_headers_and_body() {
    let answer = "HTTP/1.1 204 No Content\r\n\r\n";
    let (url, consumer) = consumer(answer, Duration::ZERO).await;
    let host = url[7..].split('/').next().unwrap().to_owned();
    assert_eq!(send(&delivery(url), LIMIT).await, Ok(204));
    let request = consumer.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"id":"evt_1"}"#);
    let (line, headers) = head.split_once("\r\n").unwrap();
    assert_eq!(line, "POST /hook?key=a%20b HTTP/1.1");
    let mut headers: Vec<&str> = headers.split("\r\n").collect();
    headers.sort_unstable();
    let host = format!("host: {host}");
    let expected = [
        "anchor-delivery-id: 5f0c1f5e-0000-4000-8000-000000000001",
        "anchor-event: session.ready",
        "anchor-signature: t=1700000000,v1=5ec2e7",
        "anchor-timestamp: 1700000000",
        "content-length: 14",
        "content-type: application/json",
        &host,
        "user-agent: Anchor-Webhooks/1.0",
    ];
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn the_status_is_given_whatever_it_is() {
    for status in [200, 302, 400, 410, 429, 500, 503] {
        let answer = format!(
            "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nok"
        );
        assert_eq!(outcome(answer).await, Ok(status));
    }
}

#[tokio::test]
async fn bodies_of_every_framing_are_read() {
    for rest in [
        "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "connection: close\r\n\r\nuntil the end",
        "content-length: 0\r\n\r\n",
    ] {
        assert_eq!(outcome(format!("HTTP/1.1 200 OK\r\n{rest}")).await, Ok(200));
    }
}

#[tokio::test]
async fn a_connection_that_stays_open_does_not_hold_the_delivery() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let (url, consumer) = consumer(answer, Duration::from_secs(60)).await;
    let start = Instant::now();
    assert_eq!(send(&delivery(url), LIMIT).await, Ok(200));
    assert!(start.elapsed() < LIMIT);
    consumer.abort();
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n".to_vec();
    answer.resize(answer.len() + 4 * 1024 * 1024, b'x');
    let (url, consumer) = consumer(answer, Duration::from_secs(60)).await;
    let start = Instant::now();
    assert_eq!(send(&delivery(url), LIMIT).await, Ok(200));
    assert!(start.elapsed() < LIMIT);
    consumer.abort();
}

#[tokio::test]
async fn the_limit_covers_head_and_body() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let (url, consumer) = consumer(answer, Duration::from_secs(60)).await;
        let message = send(&delivery(url), Duration::from_millis(200))
            .await
            .unwrap_err();
        assert!(message.contains("within 0.2 s"), "{message}");
        consumer.abort();
    }
}

#[tokio::test]
async fn connections_cut_short_are_errors() {
    for answer in [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha",
        "not http at all\r\n\r\n",
    ] {
        let message = outcome(answer).await.unwrap_err();
        assert!(
            message.contains("no complete answer"),
            "{answer}: {message}"
        );
    }
}

#[tokio::test]
async fn a_consumer_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let message = send(&delivery(url), LIMIT).await.unwrap_err();
    assert!(message.contains("no connection"), "{message}");
}

#[tokio::test]
async fn localhost_is_this_machine() {
    let (url, _consumer) = consumer("HTTP/1.1 200 OK\r\n\r\n", Duration::ZERO).await;
    let url = url.replace("127.0.0.1", "localhost");
    assert_eq!(send(&delivery(url), LIMIT).await, Ok(200));
}

#[tokio::test]
async fn nothing_is_sent_beyond_this_machine() {
    for url in [
        "https://example.com/hook",
        "http://example.com/",
        "https://127.0.0.1:1/",
        "http://10.0.0.1/",
        "http://u:p@127.0.0.1/",
        "nonsense",
    ] {
        let message = send(&delivery(url.to_owned()), LIMIT).await.unwrap_err();
        assert!(
            message.contains("nothing beyond this machine"),
            "{url}: {message}"
        );
    }
}

#[tokio::test]
async fn a_value_that_is_no_header_is_an_error() {
    let mut delivery = delivery("http://127.0.0.1:1/".to_owned());
    delivery.event = "a\r\nb".to_owned();
    let message = send(&delivery, LIMIT).await.unwrap_err();
    assert!(message.contains("cannot be written"), "{message}");
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", delivery("http://127.0.0.1/t0ken".to_owned()));
    assert!(
        shown.contains("session.ready") && shown.contains("5f0c1f5e"),
        "{shown}"
    );
    for secret in ["t0ken", "5ec2e7", "evt_1"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
