//! What one connection sees, byte by byte, and what becomes of it when the emulator ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::held::held;
use crate::support::Api;

const SESSIONS: &str = "GET /v1/sessions HTTP/1.1\r\nHost: x\r\nanchor-api-key: k\r\n\r\n";

async fn connect(api: &Api) -> TcpStream {
    TcpStream::connect(api.emulator.address()).await.unwrap()
}

/// Reads until this text was read.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = String::new();
    let mut buffer = [0; 4096];
    while !read.contains(text) {
        let limit = Duration::from_secs(20);
        let size = tokio::time::timeout(limit, stream.read(&mut buffer)).await;
        match size.expect("an answer").expect("bytes") {
            0 => panic!("ended after {read:?}"),
            size => read += &String::from_utf8_lossy(&buffer[..size]),
        }
    }
    read
}

/// Reads until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let limit = Duration::from_secs(20);
    let ended = tokio::time::timeout(limit, stream.read_to_end(&mut read)).await;
    let _ = ended.expect("the connection ends");
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_until_a_fault_ends_their_connection() {
    let api = Api::start().await;
    let fault = Fault::reset_before().on("list_sessions").skip(2);
    api.emulator.fault(fault).unwrap();
    let (mut hit, mut spared) = (connect(&api).await, connect(&api).await);
    hit.write_all(SESSIONS.repeat(4).as_bytes()).await.unwrap();
    let answers = rest(&mut hit).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    spared.write_all(SESSIONS.as_bytes()).await.unwrap();
    until(&mut spared, "total_pages").await;
    let statuses: Vec<_> = api
        .emulator
        .exchanges()
        .iter()
        .map(|it| it.status)
        .collect();
    assert_eq!(statuses, [Some(200), Some(200), None, Some(200)]);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_slow_is_refused() {
    let api = Api::with(Emulator::builder().limits(|limits| {
        limits.body_bytes = 1_000;
        limits.body_time = Duration::from_millis(200);
    }))
    .await;
    // All of it is sent before the answer is read.
    let large = api
        .request(reqwest::Method::POST, "/v1/sessions")
        .body(vec![b' '; 20_000_000]);
    assert!(api.send(large).await.refused(400).contains("1000 bytes"));
    let head = "POST /v1/sessions HTTP/1.1\r\nHost: x\r\nanchor-api-key: k\r\nContent-Type: application/json\r\n";
    // Who asks first need not send.
    let mut asking = connect(&api).await;
    let request = format!("{head}Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
    asking.write_all(request.as_bytes()).await.unwrap();
    let answer = until(&mut asking, "1000 bytes").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let mut welcome = connect(&api).await;
    let request = format!("{head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    welcome.write_all(request.as_bytes()).await.unwrap();
    until(&mut welcome, "100 Continue\r\n\r\n").await;
    welcome.write_all(b"{}").await.unwrap();
    until(&mut welcome, "HTTP/1.1 200").await;
    let mut slow = connect(&api).await;
    let request = format!("{head}Content-Length: 10\r\n\r\n{{");
    slow.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn heads_and_methods_that_are_not_served() {
    let api = Api::start().await;
    let long = "x".repeat(300_000);
    let cases = [
        (
            format!("GET /v1/sessions HTTP/1.1\r\nHost: x\r\nA: {long}\r\n\r\n"),
            "431",
        ),
        (
            "HEAD /v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            "405",
        ),
        (
            "OPTIONS /v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            "405",
        ),
        (
            SESSIONS.replace(
                "Host: x",
                "Host: x\r\nConnection: upgrade, close\r\nUpgrade: websocket",
            ),
            "200",
        ),
    ];
    for (request, status) in cases {
        let mut stream = connect(&api).await;
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{:.60}: {answer}",
            request
        );
        assert_eq!(
            answer.contains("allow: GET, POST"),
            status == "405",
            "{answer}"
        );
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(
            body.is_empty(),
            request.starts_with("HEAD") || status == "431",
            "{answer}"
        );
    }
}

#[tokio::test]
async fn scripted_statuses_without_a_body_keep_the_connection_whole() {
    let api = Api::start().await;
    for status in [204, 205, 304, 599] {
        api.emulator
            .fault(Fault::status(status).on("list_sessions"))
            .unwrap();
        let mut stream = connect(&api).await;
        stream.write_all(SESSIONS.as_bytes()).await.unwrap();
        until(&mut stream, &format!("HTTP/1.1 {status}")).await;
        stream.write_all(SESSIONS.as_bytes()).await.unwrap();
        until(&mut stream, "total_pages").await;
    }
    for name in ["Content-Length", "transfer-encoding", "Connection"] {
        let error = api
            .emulator
            .fault(Fault::status(200).header(name, "5"))
            .unwrap_err();
        assert!(error.to_string().contains("cut_body"), "{error}");
    }
}

#[tokio::test]
async fn a_waiting_request_is_let_go_with_its_client() {
    let api = Api::start().await;
    let waiting = held(&api, "/v1/events/x/wait", json!({ "timeoutMs": 60_000 })).await;
    let request = api.emulator.wait_for("wait_for_event", 1).await.unwrap();
    assert_eq!(request.status, None);
    assert_eq!(api.emulator.state().unwrap()["waiting"], 1);
    waiting.abort();
    let gone = async {
        while api.emulator.state().unwrap()["waiting"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .unwrap();
    // Nobody is left to be told: the signal is kept for the next one.
    api.post("/v1/events/x", json!({ "data": { "n": 1 } }))
        .await
        .ok();
    let next = api.post("/v1/events/x/wait", json!({})).await.ok();
    assert_eq!(next.at("/data/n"), 1);
    let last = api
        .emulator
        .wait_for("POST /v1/events/{event_name}/wait", 2)
        .await;
    assert_eq!(last.unwrap().status, Some(200));
    let error = api
        .emulator
        .wait_for("wait_for_evnt", 1)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("`wait_for_event`"), "{error}");
}

#[tokio::test]
async fn a_reset_ends_waits_without_letting_delayed_requests_through() {
    let api = Api::start().await;
    let hour = Duration::from_secs(3_600);
    api.emulator
        .fault(Fault::delay(hour).on("create_session"))
        .unwrap();
    let create = api.post("/v1/sessions", json!({}));
    let reset = async {
        api.emulator.wait_for("create_session", 1).await.unwrap();
        api.emulator.reset().unwrap();
    };
    let (reply, ()) = tokio::join!(create, reset);
    reply.refused(503);
    assert_eq!(api.emulator.state().unwrap()["counts"]["sessions"], 0);
}

/// Waits, slow bodies and idle connections end, and address and state file are free.
#[tokio::test]
async fn a_shutdown_lets_go_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let builder = || Emulator::builder().manual_clock().state(&file);
    let api = Api::with(builder()).await;
    let slow = Fault::slow_body(1, Duration::from_secs(60)).on("list_profiles");
    api.emulator.fault(slow).unwrap();
    let mut streams = [connect(&api).await, connect(&api).await];
    let profiles = SESSIONS.replace("sessions", "profiles");
    streams[0].write_all(profiles.as_bytes()).await.unwrap();
    api.emulator.wait_for("list_profiles", 1).await.unwrap();
    let waiting = held(&api, "/v1/events/x/wait", json!({ "timeoutMs": 60_000 })).await;
    let (address, start) = (api.emulator.address(), Instant::now());
    api.emulator.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(waiting.await.unwrap().0, 503);
    let api = Api::with(builder().address(address)).await;

    // Dropped, it frees the file at once.
    let waiting = held(&api, "/v1/events/x/wait", json!({ "timeoutMs": 60_000 })).await;
    drop(api.emulator);
    Emulator::builder().state(&file).start().await.unwrap();
    assert_eq!(waiting.await.unwrap().0, 503);
}

#[tokio::test]
async fn a_full_house_lets_the_next_in_when_one_leaves() {
    let api = Api::with(Emulator::builder().limits(|limits| {
        limits.connections = 1;
        limits.head_time = Duration::from_millis(300);
    }))
    .await;
    let mut idle = connect(&api).await;
    idle.write_all(SESSIONS.as_bytes()).await.unwrap();
    until(&mut idle, "total_pages").await;
    // Served when the idle one has been closed.
    api.get("/v1/sessions").await.ok();
    assert_eq!(rest(&mut idle).await, "");
}

/// Clients, the clock, resets and a shutdown, all at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Emulator::builder().manual_clock();
    let api = Api::with(builder.state(folder.path().join("state"))).await;
    let paths = [
        "/v1/sessions",
        "/v1/sessions/async",
        "/v1/events/x/wait",
        "/v1/events/x",
    ];
    let answered: Arc<[AtomicUsize; 24]> = Arc::default();
    let clients = (0..24).map(|client| {
        let counts = Arc::clone(&answered);
        let body = json!({ "timeoutMs": 50, "data": {} });
        let requests = [0, 1, 2, 3].map(|more| {
            api.request(reqwest::Method::POST, paths[(client + more) % 4])
                .json(&body)
        });
        tokio::spawn(async move {
            let mut requests = requests.iter().cycle();
            // Until the emulator is gone.
            while let Ok(answer) = requests.next().unwrap().try_clone().unwrap().send().await {
                let status = answer.status().as_u16();
                assert!([200, 400, 408, 503].contains(&status), "{status}");
                counts[client].fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let limit = Duration::from_secs(30);
    let all = async {
        for round in 0.. {
            api.advance(Duration::from_millis(40));
            if round % 20 == 0 {
                api.emulator.reset().unwrap();
            }
            tokio::task::yield_now().await;
            if answered
                .iter()
                .all(|count| count.load(Ordering::Relaxed) >= 8)
            {
                break;
            }
        }
    };
    tokio::time::timeout(limit, all).await.unwrap();
    tokio::time::timeout(limit, api.emulator.shutdown())
        .await
        .unwrap();
    for client in clients {
        tokio::time::timeout(limit, client).await.unwrap().unwrap();
    }
}
