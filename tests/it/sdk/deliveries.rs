//! The SDK verifies what the emulator sends.

use std::time::{Duration, SystemTime};

use anchorbrowser::webhook::{
    Event, EventPayload, EventType, MemoryReplayGuard, Verifier, VerifyError, VerifyErrorKind,
};
use anchorbrowser_api::Client;
use anchorbrowser_api::types::{WebhookCreateRequest, WebhookTestRequest};
use anchorbrowser_api::wire::Secret;
use anchorbrowser_emulator::{Builder, Emulator};

use crate::server::{Answer, Request, Server};

/// A webhook of the emulator, and the server that gets its deliveries.
struct Hook {
    emulator: Emulator,
    client: Client,
    server: Server,
    id: String,
    secret: Secret,
}

impl Hook {
    /// Subscribed to ready sessions. The server answers with these statuses.
    async fn start(emulator: Builder, statuses: &[u16]) -> Self {
        let emulator = emulator.local_webhooks(true).start().await.unwrap();
        let builder = Client::builder().base_url(emulator.base_url());
        let client = builder.api_key("test").build().unwrap();
        let answers = statuses.iter().map(|status| Answer::json(*status, "{}"));
        let server = Server::list(answers).await;
        let body = WebhookCreateRequest::new(server.url(), vec![EventType::SessionReady]);
        let made = client.create_webhook().body(body).send().await.unwrap();
        let made = made.into_inner();
        Self {
            emulator,
            client,
            server,
            id: made.id.unwrap(),
            secret: made.secret.unwrap(),
        }
    }

    /// Sends a test event, and gives the last delivery.
    async fn test(&self, event: EventType) -> Request {
        let body = WebhookTestRequest::new(event);
        let test = self
            .client
            .send_webhook_test_event()
            .id(&self.id)
            .body(body);
        test.send().await.unwrap();
        self.last().await
    }

    async fn last(&self) -> Request {
        self.emulator.deliveries_done().await;
        self.server.requests().pop().unwrap()
    }

    fn now(&self) -> SystemTime {
        let millis = self.emulator.now_millis().try_into().unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    /// By the clock of the emulator.
    fn verify(&self, verifier: &Verifier, request: &Request) -> Result<Event, VerifyError> {
        verifier.verify_at(&request.headers, &request.body, self.now())
    }
}

#[tokio::test]
async fn each_type_of_event_is_verified_by_the_real_clock() {
    let statuses = [200; EventType::VALUES.len()];
    let hook = Hook::start(Emulator::builder(), &statuses).await;
    let verifier = Verifier::new(hook.secret.clone()).unwrap();
    for name in EventType::VALUES {
        let request = hook.test(EventType::from(*name)).await;
        let event = verifier.verify(&request.headers, &request.body).unwrap();
        assert_eq!(event.event_type.as_str(), *name);
        assert!(event.id.as_str().starts_with("evt_"), "{event:?}");
        let sent = request.header("anchor-delivery-id");
        assert_eq!(event.delivery_id, sent.map(Into::into));
        assert!(event.created.is_some_and(|time| time.to_utc().is_some()));
        assert!(!matches!(event.payload, EventPayload::Unknown(_)));
    }
}

#[tokio::test]
async fn a_real_event_carries_its_data() {
    let hook = Hook::start(Emulator::builder().manual_clock(), &[200]).await;
    hook.client.create_session().send().await.unwrap();
    let request = hook.last().await;
    let verifier = Verifier::new(hook.secret.clone()).unwrap();
    let event = hook.verify(&verifier, &request).unwrap();
    let EventPayload::SessionReady(session) = event.payload else {
        panic!("{event:?}")
    };
    assert_eq!(
        event.raw["data"]["session_id"],
        session.session_id.unwrap().as_str()
    );
}

#[tokio::test]
async fn after_a_rotation_both_secrets_are_taken() {
    let hook = Hook::start(Emulator::builder().manual_clock(), &[200; 2]).await;
    let before = hook.test(EventType::TaskFailed).await;
    let rotated = hook
        .client
        .rotate_webhook_secret()
        .id(&hook.id)
        .send()
        .await;
    let new = rotated.unwrap().into_inner().secret.unwrap();
    let after = hook.test(EventType::TaskFailed).await;

    let both = Verifier::with_secrets([new.clone(), hook.secret.clone()]).unwrap();
    let (old, new) = (Verifier::new(hook.secret.clone()), Verifier::new(new));
    let (old, new) = (old.unwrap(), new.unwrap());
    for (verifier, request, fits) in [
        (&both, &before, true),
        (&both, &after, true),
        (&old, &before, true),
        (&old, &after, false),
        (&new, &before, false),
        (&new, &after, true),
    ] {
        let error = hook.verify(verifier, request).err();
        let expected = (!fits).then_some(VerifyErrorKind::Mismatch);
        assert_eq!(error.map(|error| error.kind()), expected);
    }
}

#[tokio::test]
async fn an_event_whose_handler_failed_comes_again_and_is_let_through_once() {
    let hook = Hook::start(Emulator::builder().manual_clock(), &[500, 200]).await;
    let verifier = Verifier::new(hook.secret.clone()).unwrap();
    let verifier = verifier.replay_guard(MemoryReplayGuard::new());
    let first = hook.test(EventType::TaskFailed).await;
    let failed = hook.verify(&verifier, &first).unwrap();
    verifier.release(&failed);

    hook.emulator.advance(Duration::from_secs(1)).unwrap();
    let second = hook.last().await;
    assert_eq!(hook.server.requests().len(), 2);
    let event = hook.verify(&verifier, &second).unwrap();
    assert_eq!(event.id, failed.id);
    verifier.complete(&event);
    let error = hook.verify(&verifier, &second).unwrap_err();
    assert_eq!(error.kind(), VerifyErrorKind::Replayed);

    hook.emulator.advance(Duration::from_secs(121)).unwrap();
    let old = hook.verify(&verifier, &second).unwrap_err();
    let age = Duration::from_secs(121);
    assert_eq!(old.kind(), VerifyErrorKind::TimestampTooOld { age });
}

#[tokio::test]
async fn a_body_that_a_framework_wrote_again_is_recognised() {
    let hook = Hook::start(Emulator::builder().manual_clock(), &[200]).await;
    let request = hook.test(EventType::TaskFailed).await;
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let body = serde_json::to_vec_pretty(&body).unwrap();
    let verifier = Verifier::new(hook.secret.clone()).unwrap();
    let result = verifier.verify_at(&request.headers, body, hook.now());
    let kind = result.unwrap_err().kind();
    assert_eq!(kind, VerifyErrorKind::ReserializedBody);
}
