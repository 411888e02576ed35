//! The WebSocket on which the steps of a session's agents can be followed.

use std::time::Duration;

use anchorbrowser_emulator::{AgentScript, Emulator};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::Api;

const PERFORM: &str = "/v1/tools/perform-web-task";
const MILLIS: fn(u64) -> Duration = Duration::from_millis;
const LIMIT: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

async fn connect(api: &Api, query: &str) -> Result<Socket, Error> {
    let address = api.emulator.address();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/ws{query}");
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
    Ok(socket)
}

async fn follow(api: &Api, session: &str) -> Socket {
    let socket = connect(api, &format!("?sessionId={session}")).await;
    socket.unwrap()
}

async fn next(socket: &mut Socket) -> Result<Message, Error> {
    let message = tokio::time::timeout(LIMIT, socket.next()).await;
    message.expect("a frame").expect("an open socket")
}

/// Reads frames of steps, and gives run and number of each.
async fn steps(socket: &mut Socket, count: usize) -> Vec<(String, u64)> {
    let mut read = Vec::new();
    for _ in 0..count {
        let Message::Text(text) = next(socket).await.unwrap() else {
            panic!("no text frame after {read:?}");
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let run = frame["workflowId"].as_str().unwrap().to_owned();
        read.push((run, frame["step"].as_u64().unwrap()));
    }
    read
}

/// The next frame closes the socket: code and reason.
async fn closed(socket: &mut Socket) -> (u16, String) {
    let Message::Close(Some(frame)) = next(socket).await.unwrap() else {
        panic!("no Close frame");
    };
    let rest = tokio::time::timeout(LIMIT, socket.next()).await.unwrap();
    assert!(rest.is_none(), "{rest:?}");
    (frame.code.into(), frame.reason.to_string())
}

/// Starts an agent, and gives the id of its run.
async fn start(api: &Api, session: &str, steps: u32) -> String {
    let script = AgentScript::completed("done").steps(steps);
    api.emulator.script(script).unwrap();
    let body = json!({ "prompt": "do it", "async": true, "max_steps": steps });
    let path = format!("{PERFORM}?sessionId={session}");
    api.post(&path, body).await.ok().text("/data/workflow_id")
}

fn of(run: &str, steps: impl IntoIterator<Item = u64>) -> Vec<(String, u64)> {
    steps.into_iter().map(|n| (run.to_owned(), n)).collect()
}

#[tokio::test]
async fn steps_are_sent_as_they_happen_until_the_session_ends() {
    let api = Api::start().await;
    let (session, other) = (api.session(json!({})).await, api.session(json!({})).await);
    let mut socket = follow(&api, &session).await;
    start(&api, &other, 2).await;
    let first = start(&api, &session, 3).await;
    api.advance(MILLIS(100));
    let Message::Text(text) = next(&mut socket).await.unwrap() else {
        panic!("no text");
    };
    let frame =
        json!({ "type": "step", "sessionId": session, "workflowId": first, "step": 1, "total": 3 });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), frame);
    api.advance(MILLIS(1_000));
    assert_eq!(steps(&mut socket, 2).await, of(&first, 2..=3));
    let second = start(&api, &session, 5).await;
    api.advance(MILLIS(250));
    assert_eq!(steps(&mut socket, 2).await, of(&second, 1..=2));
    api.delete(&format!("/v1/sessions/{session}")).await.ok();
    let end = closed(&mut socket).await;
    assert_eq!(end, (1000, "session ended".to_owned()));
    let exchange = &api.emulator.exchanges()[2];
    assert_eq!(
        (exchange.path.as_str(), exchange.status),
        ("/ws", Some(101))
    );
    assert_eq!(exchange.operation, None);
}

#[tokio::test]
async fn who_comes_late_sees_all_steps_of_the_run_under_way_once() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    start(&api, &session, 2).await;
    api.advance(MILLIS(500));
    let run = start(&api, &session, 4).await;
    let mut early = follow(&api, &session).await;
    api.advance(MILLIS(200));
    let mut late = follow(&api, &session).await;
    api.advance(MILLIS(200));
    api.emulator.push_step(&session, "end").unwrap();
    for socket in [&mut early, &mut late] {
        assert_eq!(steps(socket, 4).await, of(&run, 1..=4));
        assert_eq!(next(socket).await.unwrap(), Message::text("end"));
    }
}

#[tokio::test]
async fn a_session_of_the_run_s_own_ends_with_its_last_step() {
    let api = Api::start().await;
    let body = json!({ "prompt": "do it", "async": true });
    let run = api.post(PERFORM, body).await.ok().text("/data/workflow_id");
    let status = api.get(&format!("{PERFORM}/{run}/status")).await.ok();
    let mut socket = follow(&api, &status.text("/data/sessionId")).await;
    api.advance(MILLIS(300));
    assert_eq!(steps(&mut socket, 3).await, of(&run, 1..=3));
    assert_eq!(closed(&mut socket).await.0, 1000);
}

#[tokio::test]
async fn sockets_that_are_refused() {
    let api = Api::start().await;
    let ended = api.session(json!({})).await;
    api.delete(&format!("/v1/sessions/{ended}")).await.ok();
    for (query, status, word) in [
        ("", 400, "sessionId"),
        ("?sessionId=", 400, "sessionId"),
        ("?session_id=x", 400, "sessionId"),
        ("?sessionId=nobody", 404, "`nobody`"),
        (&format!("?sessionId={ended}"), 404, "has ended"),
    ] {
        let Err(Error::Http(response)) = connect(&api, query).await else {
            panic!("{query} was not refused");
        };
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!(
            (response.status().as_u16(), &body["error"]["code"]),
            (status, &json!(status))
        );
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(word), "{query}: {message}");
        assert_eq!(
            api.emulator.exchanges().last().unwrap().status,
            Some(status)
        );
    }
    let session = api.session(json!({})).await;
    let odd = api
        .request(reqwest::Method::GET, &format!("/ws?sessionId={session}"))
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "8");
    assert!(api.send(odd).await.refused(400).contains("handshake"));
}

#[tokio::test]
async fn an_open_socket_does_not_keep_a_session_from_being_idle() {
    let api = Api::start().await;
    let session = json!({ "session": { "timeout": { "idle_timeout": 1 } } });
    let session = api.session(session).await;
    api.advance(Duration::from_secs(59));
    let mut socket = follow(&api, &session).await;
    api.advance(Duration::from_secs(1));
    assert_eq!(closed(&mut socket).await.0, 1000);
}

#[tokio::test]
async fn pings_are_answered_and_who_goes_is_forgotten() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let (mut socket, mut leaver) = (follow(&api, &session).await, follow(&api, &session).await);
    socket.send(Message::text("ignored")).await.unwrap();
    socket.send(Message::Ping("a".into())).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), Message::Pong("a".into()));
    leaver.close(None).await.unwrap();
    assert!(matches!(
        next(&mut leaver).await.unwrap(),
        Message::Close(_)
    ));
    assert!(leaver.next().await.is_none());
    drop(socket);
    let gone = async {
        while api.emulator.state().unwrap()["step_sockets"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    assert_eq!(api.emulator.push_step(&session, "x").unwrap(), 0);
}

#[tokio::test]
async fn tests_send_what_they_like_and_cut_sockets() {
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let mut socket = follow(&api, &session).await;
    assert_eq!(api.emulator.push_step(&session, "{\"cut").unwrap(), 1);
    let bytes = [0xff_u8, 0].as_slice();
    assert_eq!(api.emulator.push_binary_step(&session, bytes).unwrap(), 1);
    assert_eq!(api.emulator.drop_sockets().unwrap(), 1);
    assert_eq!(api.emulator.drop_sockets().unwrap(), 0);
    assert_eq!(next(&mut socket).await.unwrap(), Message::text("{\"cut"));
    assert_eq!(next(&mut socket).await.unwrap(), Message::binary(bytes));
    next(&mut socket).await.unwrap_err();
    let error = api.emulator.push_step("nobody", "x").unwrap_err();
    assert!(error.to_string().contains("`nobody`"), "{error}");
}

#[tokio::test]
async fn a_reset_and_a_shutdown_close_sockets() {
    let api = Api::start().await;
    let mut socket = follow(&api, &api.session(json!({})).await).await;
    api.emulator.reset().unwrap();
    assert_eq!(closed(&mut socket).await.0, 1001);
    let mut socket = follow(&api, &api.session(json!({})).await).await;
    let ((), end) = tokio::join!(api.emulator.shutdown(), closed(&mut socket));
    assert_eq!(end.0, 1001);
    // A client that does not read can't keep it from ending.
    let api = Api::start().await;
    let session = api.session(json!({})).await;
    let _silent = follow(&api, &session).await;
    api.emulator
        .push_step(&session, "x".repeat(64 << 20))
        .unwrap();
    tokio::time::timeout(LIMIT, api.emulator.shutdown())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_reads_late_misses_nothing_of_a_long_run() {
    let builder = Emulator::builder().manual_clock();
    let api = Api::with(builder.timing(|timing| timing.agent_step = MILLIS(1))).await;
    let session = api.session(json!({})).await;
    let mut socket = follow(&api, &session).await;
    let run = start(&api, &session, 50_000).await;
    api.advance(Duration::from_secs(50));
    let last = steps(&mut socket, 50_000).await.pop();
    assert_eq!(last, Some((run, 50_000)));
}

#[tokio::test]
async fn the_run_under_way_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || {
        Emulator::builder()
            .manual_clock()
            .state(folder.path().join("state"))
    };
    let api = Api::with(builder()).await;
    let session = api.session(json!({})).await;
    let run = start(&api, &session, 3).await;
    api.advance(MILLIS(200));
    api.emulator.shutdown().await;
    let api = Api::with(builder()).await;
    let mut socket = follow(&api, &session).await;
    assert_eq!(steps(&mut socket, 2).await, of(&run, 1..=2));
}

#[tokio::test]
async fn without_state_there_are_sample_steps() {
    let api = Api::with(Emulator::builder().stateless(true)).await;
    let mut socket = follow(&api, "any").await;
    assert_eq!(steps(&mut socket, 2).await, of("sample", 1..=2));
    assert_eq!(closed(&mut socket).await.0, 1000);
}
