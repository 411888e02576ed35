//! The client walks through all operations of the emulator as programs do: create, look, change, use, delete.
//!
//! A second walk meets a service that has moved on: each object has one more member, and each value of an enumeration
//! is a new one. All of it must still decode, and all flows must go through.

mod access;
mod agents;
mod applications;
mod batches;
mod control;
mod faults;
mod identities;
mod profiles;
mod sessions;
mod tasks;
mod uploads;
mod volumes;
mod webhooks;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use anchorbrowser_api::wire::Secret;
use anchorbrowser_api::{ByteStream, Client, Error, KEY_HEADER, OPERATIONS, ResponseValue, types};
use anchorbrowser_emulator::Emulator;
use anchorbrowser_emulator::drift::PREFIX;

const KEY: &str = "canary-key";

/// What calls of the client give.
type Result<T> = std::result::Result<ResponseValue<T>, Error>;

/// A program with its client, and the emulator it talks to.
struct Walk {
    emulator: Emulator,
    client: Client,
    /// Whether the emulator answers as a newer service would.
    drift: bool,
}

impl Walk {
    async fn start(drift: bool) -> Self {
        let builder = Emulator::builder()
            .manual_clock()
            .local_webhooks(true)
            .failures(|failures| failures.batch_items = vec![1])
            .drift(drift);
        let emulator = builder.start().await.unwrap();
        let client = Client::builder()
            .base_url(emulator.base_url())
            .api_key(KEY)
            .build()
            .unwrap();
        Self {
            emulator,
            client,
            drift,
        }
    }

    /// Lets time pass.
    fn passes(&self, millis: u64) {
        let time = Duration::from_millis(millis);
        self.emulator.advance(time).unwrap();
    }

    /// Makes a call that is answered after some time, and lets that time pass.
    async fn held<T>(
        &self,
        operation: &str,
        millis: u64,
        call: impl Future<Output = Result<T>>,
    ) -> T {
        let before = self.emulator.count(operation).unwrap();
        let passes = async {
            self.emulator.wait_for(operation, before + 1).await.unwrap();
            self.passes(millis);
        };
        tokio::join!(ok(call), passes).0
    }

    /// A value of an enumeration must be this one, or what a newer service would make of it.
    #[track_caller]
    fn says(&self, found: Option<impl Display>, expected: &str) {
        let found = found.map(|found| found.to_string());
        let prefix = if self.drift { PREFIX } else { "" };
        assert_eq!(found, Some(format!("{prefix}{expected}")));
    }

    /// A new session.
    async fn session(&self) -> String {
        let made = ok(self.client.create_session().send()).await;
        made.data.unwrap().id.unwrap()
    }

    /// A new session with a browser of this kind.
    async fn browser(&self, browser: types::BrowserConfig) -> String {
        let configuration = types::SessionCreateRequestSchema {
            browser: Some(browser),
            ..Default::default()
        };
        let made = ok(self.client.create_session().body(configuration).send()).await;
        made.data.unwrap().id.unwrap()
    }

    /// What a session is doing.
    async fn status(&self, session: &str) -> String {
        let found = ok(self.client.get_session().session_id(session).send()).await;
        found.data.unwrap().status.unwrap()
    }

    /// Every operation was answered with success, and no request or answer broke the document.
    fn check(&self) {
        let mut missed: BTreeSet<&str> = OPERATIONS.iter().map(|it| it.id).collect();
        let mut faults = Vec::new();
        for exchange in self.emulator.exchanges() {
            let id = exchange.operation.as_deref().unwrap_or_default();
            if exchange.status.is_some_and(|it| (200..300).contains(&it)) {
                missed.remove(id);
            }
            let all = exchange
                .violations
                .iter()
                .chain(&exchange.answer_violations);
            faults.extend(all.map(|fault| format!("{id}: {fault}")));
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(missed.is_empty(), "without a success: {missed:?}");
    }
}

/// The value of an answer.
async fn ok<T>(call: impl Future<Output = Result<T>>) -> T {
    match call.await {
        Ok(answer) => answer.into_inner(),
        Err(error) => panic!("{error}"),
    }
}

/// The bytes of an answer that is a file.
async fn bytes(call: impl Future<Output = Result<ByteStream>>) -> Vec<u8> {
    let (mut stream, mut bytes) = (ok(call).await, Vec::new());
    while let Some(chunk) = stream.chunk().await.unwrap() {
        bytes.extend(chunk);
    }
    bytes
}

/// The bytes that a request for a link of an answer brings.
async fn fetched(request: reqwest::RequestBuilder) -> Vec<u8> {
    let response = request.send().await.unwrap().error_for_status();
    response.unwrap().bytes().await.unwrap().to_vec()
}

/// The bytes behind a signed link, which is as good as a key.
async fn follow(link: &Secret) -> Vec<u8> {
    fetched(reqwest::Client::new().get(link.expose())).await
}

/// The bytes behind the link to a file of a session, which is for those with a key.
async fn file(link: Option<&str>) -> Vec<u8> {
    let request = reqwest::Client::new().get(link.unwrap());
    fetched(request.header(KEY_HEADER, KEY)).await
}

/// What was asked for must not be there.
async fn gone<T>(call: impl Future<Output = Result<T>>) {
    let error = call.await.err().expect("it is still there");
    assert_eq!(error.status().unwrap(), 404, "{error}");
}

/// It must have been done.
#[track_caller]
fn done(answer: &types::SuccessResponse) {
    let data = answer.data.as_ref();
    let status = data.and_then(|data| data.status.as_deref());
    assert_eq!(status.or(answer.status.as_deref()), Some("success"));
}

async fn all(drift: bool) {
    let walk = Walk::start(drift).await;
    access::walk(&walk).await;
    sessions::walk(&walk).await;
    control::walk(&walk).await;
    batches::walk(&walk).await;
    agents::walk(&walk).await;
    profiles::walk(&walk).await;
    applications::walk(&walk).await;
    identities::walk(&walk).await;
    uploads::walk(&walk).await;
    volumes::walk(&walk).await;
    tasks::walk(&walk).await;
    webhooks::walk(&walk).await;
    walk.check();
}

#[tokio::test]
async fn programs_get_through() {
    all(false).await;
}

#[tokio::test]
async fn programs_get_through_when_the_service_has_moved_on() {
    all(true).await;
}
