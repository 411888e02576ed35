//! What subscribers of `tracing` see of a call.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::attempts::quick;
use crate::server::{Answer, KEY, Server};

/// Begins like [`KEY`], so that one search finds both.
const CANARY: &str = "canary-5ae0c2";

/// Writes down all that this crate's spans and events say, one line each.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Log {
    fn add(&self, start: String, visit: impl FnOnce(&mut Line<'_>)) -> usize {
        let mut line = start;
        visit(&mut Line(&mut line));
        let mut lines = self.0.lock().unwrap();
        lines.push(line);
        lines.len()
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        // Times differ from run to run.
        let masked = lines.iter().map(|line| {
            let words = line.split(' ').map(|word| match word.split_once("_ms=") {
                Some((name, _)) => format!("{name}_ms"),
                None => word.to_owned(),
            });
            words.collect::<Vec<_>>().join(" ")
        });
        masked.collect()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "anchorbrowser"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        assert_eq!(*span.metadata().level(), Level::DEBUG);
        let name = format!("new {}", span.metadata().name());
        Id::from_u64(self.add(name, |line| span.record(line)) as u64)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.add("record".to_owned(), |line| values.record(line));
    }

    fn event(&self, event: &Event<'_>) {
        assert_eq!(*event.metadata().level(), Level::DEBUG);
        self.add("event".to_owned(), |line| event.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_call_is_seen_with_its_attempts_and_without_secrets() {
    crate::callsites::ask_each_time();
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let message = json!({"error": {"code": 500, "message": CANARY, "key": KEY}}).to_string();
    let headers = [("x-trace", CANARY), ("set-cookie", CANARY)];
    let server = Server::list([
        Answer::new(500, &headers, &message),
        Answer::reset(),
        Answer::new(200, &headers, "{}"),
        Answer::new(404, &headers, &message),
    ])
    .await;
    let builder = server.builder().header("x-own", CANARY).policy(quick());
    let client = builder.build().unwrap().with_query("q", CANARY);
    client
        .get_session()
        .session_id(CANARY)
        .send()
        .await
        .unwrap();
    let request = client.request(reqwest::Method::POST, &format!("/v1/{CANARY}"));
    request
        .json(&json!({"a": CANARY}))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        log.lines(),
        [
            "new operation operation=\"get_session\" method=\"GET\"",
            "new attempt attempt=1",
            "record status=500",
            "record elapsed_ms",
            "event message=repeat kind=Status status=500 delay_ms",
            "new attempt attempt=2",
            "record elapsed_ms",
            "event message=repeat kind=Transport delay_ms",
            "new attempt attempt=3",
            "record status=200",
            "record elapsed_ms",
            "record status=200",
            "record elapsed_ms",
            "record attempts=3",
            "event message=done",
            "new operation operation=\"request\" method=\"POST\"",
            "new attempt attempt=1",
            "record status=404",
            "record elapsed_ms",
            "record status=404",
            "record elapsed_ms",
            "record attempts=1",
            "event message=failed kind=Status",
        ]
    );
    let lines = log.0.lock().unwrap().join("\n");
    assert!(
        !lines.contains("canary") && !lines.contains("127.0.0.1"),
        "{lines}"
    );
}
