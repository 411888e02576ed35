//! Clients: what they send with each call, how many calls they make at once, and how one ends.

use std::sync::Arc;
use std::time::Duration;

use anchorbrowser_api::types::*;
use anchorbrowser_api::{Client, ClientBuilder, ErrorKind, KEY_HEADER};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::{Answer, KEY, Server};

/// Long enough for a slow machine: only a fault takes so long.
const NEVER: Duration = Duration::from_secs(60);

#[test]
fn clients_and_calls_may_go_to_another_thread() {
    fn client<T: Clone + Send + Sync + 'static>() {}
    fn builder<T: Clone + Send + Sync>() {}
    fn future<T: Send>(_: T) {}
    client::<Client>();
    builder::<ClientBuilder>();
    builder::<anchorbrowser_api::builder::CreateSession<'static>>();
    let api = Client::builder().build().unwrap();
    future(api.create_session().send());
    future(api.get_session_screenshot().session_id("s").send());
    future(api.download_url("http://localhost"));
    let file = anchorbrowser_api::multipart::FilePart::bytes("a", "b");
    future(
        api.upload_session_file()
            .session_id("s")
            .body(UploadSessionFileForm { file })
            .send(),
    );
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<anchorbrowser_api::Error>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_get_their_own_answers() {
    let server = Server::start(|request| {
        let id = request.target.strip_prefix("/v1/sessions/").unwrap();
        let tags = request.header("x-own").unwrap();
        Answer::json(
            200,
            format!(r#"{{"data":{{"session_id":"{id}","tags":["{tags}"]}}}}"#),
        )
    })
    .await;
    let client = server.builder().header("x-own", "mine").build().unwrap();
    let mut calls = JoinSet::new();
    for index in 0..200 {
        let client = client.clone();
        calls.spawn(async move {
            let id = format!("s-{index}");
            let session = client
                .get_session()
                .session_id(id.as_str())
                .send()
                .await
                .unwrap();
            let data = session.into_inner().data.unwrap();
            assert_eq!(data.session_id, Some(id));
            assert_eq!(data.tags, ["mine"]);
        });
    }
    let done = calls.join_all().await;
    assert_eq!((done.len(), server.requests().len()), (200, 200));
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_connection() {
    let (arrived, closed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, answer) = (arrived.clone(), Answer::until_closed(closed.clone()));
    let server = Server::start(move |_| {
        tell.notify_one();
        answer.clone()
    })
    .await;
    let client = server.client();
    let call = tokio::spawn(async move { client.create_session().send().await.map(|_| ()) });
    timeout(NEVER, arrived.notified()).await.unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    timeout(NEVER, closed.notified()).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_its_connection() {
    let closed = Arc::new(Notify::new());
    let answer = Answer::chunked(200, &[], b"first").then_closed(closed.clone());
    let server = Server::always(answer).await;
    let client = server.client();
    let mut image = client
        .get_session_screenshot()
        .session_id("s")
        .send()
        .await
        .unwrap();
    assert_eq!(image.chunk().await.unwrap().unwrap(), "first");
    drop(image);
    timeout(NEVER, closed.notified()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    // Even where a second attempt may do no harm: that is another layer's to decide.
    for status in [408, 409, 429, 500, 502, 503, 504] {
        let headers = [("retry-after", "0"), ("x-should-retry", "true")];
        let server = Server::always(Answer::new(status, &headers, "")).await;
        let client = server.client();
        let error = client.list_sessions().send().await.unwrap_err();
        assert_eq!(error.headers().unwrap()["retry-after"], "0");
        client.create_session().send().await.unwrap_err();
        assert_eq!(server.requests().len(), 2, "{status}");
    }
    let server = Server::always(Answer::reset()).await;
    let error = server.client().create_session().send().await.unwrap_err();
    assert_eq!(
        (error.kind(), server.requests().len()),
        (ErrorKind::Transport, 1)
    );
}

#[tokio::test]
async fn the_headers_of_a_client_go_with_each_call() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let builder = server
        .builder()
        .header("X-Own", "one")
        .header("x-own", "two");
    let client = builder
        .header("anchor-identity-token", "t")
        .user_agent("mine/1")
        .build()
        .unwrap();
    client.list_sessions().send().await.unwrap();
    client.get_agent_access_guide().send().await.unwrap();
    for request in server.requests() {
        let own: Vec<_> = request
            .headers
            .iter()
            .filter(|(name, _)| name == "x-own")
            .collect();
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].1, "two");
        assert_eq!(request.header("anchor-identity-token"), Some("t"));
        assert_eq!(request.header("user-agent"), Some("mine/1"));
        assert!(request.header("x-anchor-sdk").unwrap().starts_with("rust/"));
    }
    let keys: Vec<_> = server
        .requests()
        .iter()
        .map(|r| r.header(KEY_HEADER).map(str::to_owned))
        .collect();
    assert_eq!(keys, [Some(KEY.to_owned()), None]);
}

#[tokio::test]
async fn a_client_may_bring_its_own_http_client() {
    let server = Server::always(Answer::json(200, "{}")).await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.user_agent("theirs/2").build().unwrap();
    let client = server.builder().http_client(http).build().unwrap();
    client.list_sessions().send().await.unwrap();
    let request = server.request();
    assert_eq!(request.header("user-agent"), Some("theirs/2"));
    assert_eq!(request.header(KEY_HEADER), Some(KEY));
}
