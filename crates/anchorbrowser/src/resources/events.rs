//! Events that programs and sessions signal to each other.

use std::collections::BTreeMap;
use std::time::Duration;

use anchorbrowser_api::wire::SecretJson;
use anchorbrowser_api::{Needs, types};
use reqwest::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::Client;
use crate::call::Call;
use crate::error::Error;
use crate::timing::{millis, not_zero};

/// How long the service waits unless it is told.
const USUAL: Duration = Duration::from_secs(60);
/// What an attempt gets beyond the time that the service waits.
const MARGIN: Duration = Duration::from_secs(30);

/// Events that programs and sessions signal to each other by name; see [`Client::events`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use std::time::Duration;
///
/// match client.events().wait("code-received").timeout(Duration::from_secs(300)).send().await? {
///     Some(event) => println!("{:?}", event.get("code")),
///     None => println!("no code came"),
/// }
/// // Elsewhere:
/// client.events().signal("code-received", serde_json::json!({ "code": "123456" })).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    client: &'a Client,
}

impl<'a> Events<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Waits until an event is signaled, or the time is over.
    pub fn wait(&self, name: impl Into<String>) -> WaitForEvent {
        WaitForEvent {
            client: self.client.clone(),
            name: name.into(),
            timeout: None,
        }
    }

    /// Signals an event with data for those who wait for it. The data must become a JSON object: a
    /// map, or a struct.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the data is no object.
    ///
    /// Calls `signal_event`.
    pub fn signal(&self, name: impl Into<String>, data: impl Serialize) -> Call<()> {
        let name = name.into();
        let Ok(Value::Object(data)) = serde_json::to_value(data) else {
            let message = "`data` must be a JSON object: give a map or a struct";
            return Call::refused(Error::invalid("signal_event", message));
        };
        let data = data.into_iter().map(|(name, value)| (name, value.into()));
        let body = types::SignalEventRequestSchema::new(data.collect());
        Call::new(self.client, move |api| async move {
            let answer = api
                .signal_event()
                .event_name(name)
                .body(body)
                .send()
                .await?;
            Ok(answer.map(drop))
        })
    }
}

/// A wait for an event; see [`Events::wait`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct WaitForEvent {
    client: Client,
    name: String,
    timeout: Option<Duration>,
}

impl WaitForEvent {
    /// How long to wait; default one minute. The API counts whole milliseconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits. Gives `None` if the event was not signaled in time (status 408).
    ///
    /// An attempt gets half a minute more than the wait. A proxy in between may have a limit of its
    /// own: many short waits then do better than a long one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the timeout is zero.
    ///
    /// Calls `wait_for_event`.
    pub fn send(self) -> Call<Option<Event>> {
        let operation = "wait_for_event";
        let Self {
            client,
            name,
            timeout,
        } = self;
        if client.checks()
            && let Some(timeout) = timeout
            && let Err(error) = not_zero(operation, "timeoutMs", timeout)
        {
            return Call::refused(error);
        }
        let client = client.needing(Needs {
            at_least: Some(timeout.unwrap_or(USUAL).saturating_add(MARGIN)),
            ..Needs::default()
        });
        let body = types::WaitForEventRequestSchema {
            timeout_ms: timeout.map(wait_millis),
        };
        let call = Call::new(&client, move |api| async move {
            let answer = api
                .wait_for_event()
                .event_name(name)
                .body(body)
                .send()
                .await?;
            Ok(answer.map(|answer| Event(answer.data)))
        });
        call.none_on(operation, StatusCode::REQUEST_TIMEOUT)
    }
}

/// Whole milliseconds; a part of the first one counts as one, since zero is no wait.
fn wait_millis(timeout: Duration) -> i64 {
    let least = i64::from(!timeout.is_zero());
    millis(timeout).max(least)
}

/// What came with an event. It may hold secrets, so `Debug` shows names only.
#[derive(Clone, Debug)]
pub struct Event(BTreeMap<String, SecretJson>);

impl Event {
    /// A member of the data, by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(SecretJson::expose)
    }

    /// The data as a JSON object.
    pub fn to_json(&self) -> Value {
        let members = self.0.iter();
        let members = members.map(|(name, value)| (name.clone(), value.expose().clone()));
        Value::Object(members.collect())
    }
}
