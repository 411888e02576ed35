//! A user walks through the whole SDK, in order: plain, and with a service that has moved on, where
//! each object has one more member and each value of an enumeration is a new one.

mod agents;
mod logins;
mod sessions;
mod tasks;
mod things;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use anchorbrowser::{Call, Client, Session};
use anchorbrowser_api::OPERATIONS;
use anchorbrowser_emulator::Emulator;
use anchorbrowser_emulator::drift::PREFIX;

/// The user, and the emulator in the place of the service.
struct Walk {
    emulator: Emulator,
    client: Client,
    /// Whether the emulator answers as a newer service would.
    drift: bool,
}

impl Walk {
    async fn start(drift: bool) -> anyhow::Result<Self> {
        let emulator = Emulator::builder()
            .manual_clock()
            .local_webhooks(true)
            .failures(|failures| failures.batch_items = vec![1])
            .drift(drift);
        let emulator = emulator.start().await?;
        let client = super::client(&emulator);
        Ok(Self {
            emulator,
            client,
            drift,
        })
    }

    /// Lets time pass.
    fn passes(&self, time: Duration) -> anyhow::Result<()> {
        Ok(self.emulator.advance(time)?)
    }

    /// Makes a call that is answered when some time has passed, and lets it pass.
    async fn held<T: Send + 'static>(&self, operation: &str, call: Call<T>) -> anyhow::Result<T> {
        let count = self.emulator.count(operation)? + 1;
        let call = tokio::spawn(call.into_future());
        self.emulator.wait_for(operation, count).await?;
        self.passes(Duration::from_secs(10))?;
        Ok(call.await??)
    }

    async fn session(&self) -> anyhow::Result<Session> {
        Ok(self.client.sessions().create().send().await?)
    }

    /// A value of an enumeration must be this one, or what a newer service would make of it.
    #[track_caller]
    fn says(&self, found: Option<impl Display>, expected: &str) {
        let prefix = if self.drift { PREFIX } else { "" };
        let found = found.map(|found| found.to_string());
        assert_eq!(found, Some(format!("{prefix}{expected}")));
    }

    /// No session lives, all operations were answered with success, and nothing broke the document.
    async fn check(&self) -> anyhow::Result<()> {
        let alive = self.client.sessions().list().status("running");
        let alive = alive.stream().collect().await?;
        assert!(alive.is_empty(), "still alive: {alive:#?}");
        let mut missed: BTreeSet<&str> = OPERATIONS.iter().map(|it| it.id).collect();
        for exchange in self.emulator.exchanges() {
            let id = exchange.operation.as_deref().unwrap_or_default();
            if exchange.status.is_some_and(|it| it < 400) {
                missed.remove(id);
            }
            let faults = [
                exchange.violations,
                exchange.answer_violations,
                exchange.unknown_parameters,
            ];
            assert!(faults.concat().is_empty(), "{id}: {faults:?}");
        }
        assert!(missed.is_empty(), "without a success: {missed:?}");
        Ok(())
    }
}

/// What was asked for must not be there.
async fn gone<T: Send + 'static>(call: Call<T>) {
    let error = call.await.err().expect("it is still there");
    assert!(error.is_not_found(), "{error}");
}

async fn all(drift: bool) -> anyhow::Result<()> {
    let walk = Walk::start(drift).await?;
    sessions::walk(&walk).await?;
    agents::walk(&walk).await?;
    tasks::walk(&walk).await?;
    logins::walk(&walk).await?;
    things::walk(&walk).await?;
    walk.check().await
}

#[tokio::test]
async fn a_user_gets_through() -> anyhow::Result<()> {
    all(false).await
}

#[tokio::test]
async fn a_user_gets_through_when_the_service_has_moved_on() -> anyhow::Result<()> {
    all(true).await
}
