//! Input that no client should send.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::requests::sample;
use crate::support::Api;

/// Sends bytes as they are, and gives what comes back until the connection ends.
async fn raw(api: &Api, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(api.emulator.address()).await.unwrap();
    // The server may end the connection before it has read everything.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn malformed_http_gets_an_error_or_nothing() {
    let api = Api::start().await;
    let long = "x".repeat(200_000);
    let cases: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"GET".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"\0\x01\x02\xff\xfe".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET http://other/v1/sessions HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345".to_vec(),
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nanchor-api-key: k\r\nContent-Length: 500\r\n\r\n{}".to_vec(),
        b"GET /v1/sessions/%2e%2e/%00 HTTP/1.1\r\nHost: x\r\nanchor-api-key: k\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: x\r\nA: {long}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(500)).into_bytes(),
    ];
    for case in cases {
        let answer = raw(&api, &case).await;
        let shown = String::from_utf8_lossy(&case[..case.len().min(80)]).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1."),
            "{shown:?}: {answer:?}"
        );
        assert!(!answer.starts_with("HTTP/1.1 5"), "{shown:?}: {answer:?}");
    }
    api.get("/v1/sessions").await.ok();
}

#[tokio::test]
async fn random_bytes_do_no_harm() {
    let api = Api::start().await;
    let mut runner = TestRunner::new_with_rng(
        Config::with_cases(64),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let inputs = prop::collection::vec(any::<u8>(), 0..400);
    for _ in 0..64 {
        let mut bytes = inputs.new_tree(&mut runner).unwrap().current();
        raw(&api, &bytes).await;
        let mut request =
            b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nanchor-api-key: k\r\n".to_vec();
        request.append(&mut bytes);
        raw(&api, &request).await;
    }
    api.get("/v1/sessions").await.ok();
}

/// Some JSON, of any shape.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Handlers see what breaks the document only if the emulator is lenient: then nothing protects them.
#[tokio::test]
async fn bad_requests_by_the_thousand_never_break_it() {
    for lenient in [false, true] {
        let api = Api::with(
            anchorbrowser_emulator::Emulator::builder()
                .manual_clock()
                .lenient(lenient),
        )
        .await;
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            proptest::test_runner::TestRng::deterministic_rng(
                proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        );
        let json = any_json();
        let session = api.session(serde_json::json!({})).await;
        let mut sent = 0;
        for round in 0..12 {
            for operation in api.emulator.document().operations() {
                let mut request = sample(&api, operation, round, round % 3 == 0);
                if round % 2 == 0 {
                    for name in ["session_id", "sessionId"] {
                        let path = crate::requests::fill(operation.path(), name, &session);
                        request.path = if path == operation.path() {
                            request.path
                        } else {
                            crate::requests::fill(&path, "recording_id", "primary")
                        };
                    }
                }
                if round % 4 == 1 {
                    let value = json.new_tree(&mut runner).unwrap().current();
                    request.body = request.body.map(|(media_type, _)| (media_type, value));
                    request.query = request
                        .query
                        .into_iter()
                        .map(|(name, _)| (name, "\u{0}é'%".to_owned()))
                        .collect();
                }
                let call = api.send(request.build(&api, operation));
                tokio::pin!(call);
                // Some requests wait for something: time passes until they are answered.
                loop {
                    tokio::select! {
                        _ = &mut call => break,
                        () = tokio::time::sleep(Duration::from_millis(5)) => api.advance(Duration::from_secs(60)),
                    }
                }
                sent += 1;
            }
            api.emulator.clear_exchanges();
        }
        assert!(sent > 1_500, "{sent}");
    }
}
