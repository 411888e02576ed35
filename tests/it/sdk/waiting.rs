//! Waiting for what the service does in the background.

mod agents;
mod batches;
mod core;
mod faults;
mod files;
mod identities;
mod many;
mod schedules;
mod starts;
mod tasks;
mod tokens;
mod webhooks;

use std::time::Duration;

use anchorbrowser::poll::{Awaited, Fixed, Polled};
use anchorbrowser::{Client, ErrorKind, Poller};
use anchorbrowser_emulator::{Builder, Emulator, Fault};
use serde_json::Value;

use super::methods::{ID, Method, methods};

/// The waits, by one poll each. That a poll fails is not survived, and not repeated.
pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.agent().running("w").wait().poll_once(),
        client.batch_sessions().attach([ID]).wait().poll_once(),
        client.identities().guided_login(ID).settled().poll_once(),
        client.identities().wait_until_validated(ID).poll_once(),
        client.recordings().ready(ID).poll_once(),
        client.session(ID).recordings().ready().poll_once(),
        client.sessions().pending(ID).ready().poll_once(),
        client.tasks().wait_for_generation(ID).poll_once(),
        client.tasks().wait_for_run(ID).poll_once(),
        client.tasks_legacy().wait_for_execution(ID, ID).poll_once(),
        client.volumes().wait_until_ready(ID).poll_once(),
        client.webhooks().wait_for_delivery(ID, "e").poll_once(),
    )
}

/// An emulator whose clock stands still, and a client that polls without pauses.
async fn patient(emulator: Builder) -> anyhow::Result<(Emulator, Client)> {
    let emulator = emulator.manual_clock().start().await?;
    let client = quick(&emulator);
    Ok((emulator, client))
}

/// A client that polls without pauses.
fn quick(emulator: &Emulator) -> Client {
    let builder = super::builder(emulator).polls_per_second(1e6);
    builder
        .poll_schedule(Fixed(Duration::from_millis(1)))
        .build()
        .unwrap()
}

/// What is made of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Means {
    Progress,
    Done,
    /// The error has this text.
    Failed(&'static str),
}

/// Each answer to a poll means what it is said to. They have the state in these words.
async fn meanings<T: Send + 'static, P: Clone + Send + Sync + 'static>(
    emulator: &Emulator,
    poller: impl Fn() -> Poller<T, P>,
    answers: &[(Value, &str, Means)],
) -> anyhow::Result<()> {
    for (answer, state, means) in answers {
        let mut poller = poller();
        let answer = Fault::status(200).json(answer.clone());
        emulator.fault(answer.on(poller.kind().operation()))?;
        let (found, text) = match poller.poll_once().await {
            Ok(Polled::Progress(_)) => (Means::Progress, String::new()),
            Ok(Polled::Done(_)) => (Means::Done, String::new()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
                let seen = error.waited().and_then(|waited| waited.state.as_deref());
                assert_eq!(seen, Some(*state), "{error}");
                (*means, error.to_string())
            }
        };
        let is_failed = matches!(means, Means::Failed(part) if text.contains(part));
        assert!(
            found == *means && (text.is_empty() || is_failed),
            "{state}: {found:?} {text}"
        );
    }
    Ok(())
}

/// Waits in two clients, the second by the token of the first. An answer with an unknown state comes
/// first, then that with the state as it is, and the end when this time has gone by.
async fn both<T: Awaited>(
    emulator: &Emulator,
    mut poller: Poller<T, T::Progress>,
    unknown: Value,
    by: Duration,
) -> anyhow::Result<[T; 2]> {
    let text = serde_json::to_string(&poller.token())?;
    let mut other = quick(emulator).resume::<T>(&serde_json::from_str(&text)?)?;
    assert_eq!(other.token(), poller.token());
    let unknown = Fault::status(200).json(unknown);
    emulator.fault(unknown.on(poller.kind().operation()))?;
    for poller in [&mut poller, &mut other] {
        for _ in 0..2 {
            let polled = poller.next().await.unwrap()?;
            assert!(matches!(polled, Polled::Progress(_)));
        }
    }
    emulator.advance(by)?;
    Ok([poller.until_done().await?, other.until_done().await?])
}
