//! A client that knows nothing but HTTP and JSON.

use std::time::Duration;

use anchorbrowser_emulator::{Builder, Emulator};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A key that must show nowhere.
pub(crate) const KEY: &str = "canary-key-1234";

/// An emulator and a client for it.
pub(crate) struct Api {
    pub(crate) emulator: Emulator,
    client: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// `null` if the body is not JSON.
    pub(crate) json: Value,
}

impl Api {
    /// With a manual clock.
    pub(crate) async fn start() -> Self {
        Self::with(Emulator::builder().manual_clock()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let emulator = builder.start().await.expect("the emulator starts");
        let redirect = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder()
            .redirect(redirect)
            .no_proxy()
            .build()
            .expect("a client");
        Self { emulator, client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.emulator.base_url()))
            .header("anchor-api-key", KEY)
    }

    /// Sends a request, and checks that the answer is as the document says.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body").to_vec();
        for exchange in self.emulator.exchanges() {
            assert_eq!(
                exchange.answer_violations,
                Vec::<String>::new(),
                "{exchange:?}"
            );
        }
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        assert!(
            status < 500 || status == 501 || status == 503,
            "{status} {json}"
        );
        Reply {
            status,
            headers,
            bytes,
            json,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PATCH, path).json(&body))
            .await
    }

    /// POST without a body.
    pub(crate) async fn act(&self, path: &str) -> Reply {
        self.send(self.request(Method::POST, path)).await
    }

    pub(crate) async fn form(&self, path: &str, form: reqwest::multipart::Form) -> Reply {
        self.send(self.request(Method::POST, path).multipart(form))
            .await
    }

    /// Moves the manual clock on.
    pub(crate) fn advance(&self, by: Duration) {
        self.emulator.advance(by).expect("time passes");
    }

    /// A running session's id.
    pub(crate) async fn session(&self, configuration: Value) -> String {
        let reply = self.post("/v1/sessions", configuration).await.ok();
        reply.text("/data/id")
    }
}

impl Reply {
    /// It must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(
            StatusCode::from_u16(self.status)
                .expect("a status")
                .is_success(),
            "{} {}",
            self.status,
            self.json
        );
        self
    }

    /// It must have this status; gives the whole text of the body.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        assert_eq!(self.status, status, "{text}");
        text
    }

    /// The value at a JSON pointer.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json
            .pointer(pointer)
            .unwrap_or_else(|| panic!("no {pointer} in {}", self.json))
            .clone()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.at(pointer)
            .as_str()
            .unwrap_or_else(|| panic!("no text at {pointer}: {}", self.json))
            .to_owned()
    }

    /// The number of items of the list at a JSON pointer.
    #[track_caller]
    pub(crate) fn count(&self, pointer: &str) -> usize {
        self.at(pointer)
            .as_array()
            .unwrap_or_else(|| panic!("no list at {pointer}: {}", self.json))
            .len()
    }
}
