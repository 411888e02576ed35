//! Scripted faults: what goes wrong with which calls.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::answer::{rate_limit_headers, whole_seconds};

/// Something that goes wrong with calls of an operation.
///
/// ```
/// use anchorbrowser_emulator::Fault;
///
/// // The second and third call of this operation are refused.
/// let fault = Fault::status(429).header("Retry-After", "1").on("create_session").skip(1).times(2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Fault {
    /// Id of the operation, such as `create_session`, or its method and path. `*`: any operation.
    pub(crate) operation: String,
    /// Calls that pass before the first that fails.
    pub(crate) skip: u32,
    /// Calls that fail; `None`: all.
    pub(crate) times: Option<u32>,
    /// Waits before anything else is done.
    #[serde(
        with = "millis",
        rename = "delay_ms",
        skip_serializing_if = "Duration::is_zero"
    )]
    pub(crate) delay: Duration,
    #[serde(flatten)]
    pub(crate) effect: Effect,
}

/// By hand: derived code takes the members of a flattened union for unknown ones, and its tag for required.
impl TryFrom<Map<String, Value>> for Fault {
    type Error = serde_json::Error;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, Self::Error> {
        let mut fault = Self::new(Effect::None);
        if let Some(operation) = members.remove("operation") {
            fault.operation = member("operation", operation)?;
        }
        if let Some(skip) = members.remove("skip") {
            fault.skip = member("skip", skip)?;
        }
        if let Some(times) = members.remove("times") {
            fault.times = member("times", times)?;
        }
        if let Some(delay) = members.remove("delay_ms") {
            fault.delay = Duration::from_millis(member("delay_ms", delay)?);
        }
        if members.is_empty() {
            return Ok(fault);
        }
        fault.effect = serde_json::from_value(Value::Object(members.clone()))?;
        let known = serde_json::to_value(&fault.effect)?;
        match members
            .keys()
            .find(|name| known.get(name.as_str()).is_none())
        {
            Some(name) => Err(Self::Error::custom(format!(
                "`{name}` is no member of a fault with this effect"
            ))),
            None => Ok(fault),
        }
    }
}

fn member<T: serde::de::DeserializeOwned>(
    name: &str,
    value: Value,
) -> Result<T, serde_json::Error> {
    serde_json::from_value(value)
        .map_err(|error| serde_json::Error::custom(format!("`{name}`: {error}")))
}

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Nothing but the delay.
    #[default]
    None,
    /// Another answer. `processed`: the request has had its effect before.
    Status {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Option<FaultBody>,
        #[serde(default)]
        processed: bool,
    },
    /// The connection is reset; with `processed` after the request has had its effect, else before its body is read.
    Reset {
        #[serde(default)]
        processed: bool,
    },
    /// The connection ends after this many bytes of the body.
    CutBody { bytes: usize },
    /// The body comes in pieces of `bytes`, with a wait before each.
    SlowBody {
        bytes: usize,
        #[serde(with = "millis", rename = "every_ms")]
        every: Duration,
    },
    /// The body is cut in half and labelled as if it were whole.
    InvalidJson,
    /// Unknown members and enum values in the answer.
    Drift,
}

/// The body of a scripted answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum FaultBody {
    Text { content_type: String, text: String },
    Json(Value),
}

fn any() -> String {
    "*".to_owned()
}

fn once() -> Option<u32> {
    Some(1)
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Self {
            operation: any(),
            skip: 0,
            times: once(),
            delay: Duration::ZERO,
            effect,
        }
    }

    /// Answers with this status, in the error shape that the document gives for the operation. The request has no
    /// effect.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let headers = BTreeMap::new();
        Self::new(Effect::Status {
            status,
            headers,
            body: None,
            processed: false,
        })
    }

    /// Answers with 429 and the headers that the document gives for it: `Retry-After` in whole seconds, rounded up,
    /// `RateLimit` and `RateLimit-Policy`.
    #[must_use]
    pub fn rate_limited(retry_after: Duration) -> Self {
        let headers = rate_limit_headers(5, 60, whole_seconds(retry_after));
        headers
            .iter()
            .fold(Self::status(429), |fault, (name, value)| {
                fault.header(name, value)
            })
    }

    /// Answers as an overloaded proxy does: this status, with a page of HTML.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::status(status).text(
            "text/html",
            &format!("<html><body><h1>{status}</h1><hr>proxy</body></html>"),
        )
    }

    /// Resets the connection when the head of the request was read. The request has no effect.
    #[must_use]
    pub fn reset_before() -> Self {
        Self::new(Effect::Reset { processed: false })
    }

    /// Resets the connection when the request has had its effect, instead of answering.
    #[must_use]
    pub fn reset_after() -> Self {
        Self::new(Effect::Reset { processed: true })
    }

    /// Ends the connection after `bytes` of the answer's body.
    #[must_use]
    pub fn cut_body(bytes: usize) -> Self {
        Self::new(Effect::CutBody { bytes })
    }

    /// Sends the body in pieces of `bytes`, and waits `every` before each, on the emulator's clock.
    #[must_use]
    pub fn slow_body(bytes: usize, every: Duration) -> Self {
        Self::new(Effect::SlowBody { bytes, every })
    }

    /// Sends half of the JSON, as if it were whole.
    #[must_use]
    pub fn invalid_json() -> Self {
        Self::new(Effect::InvalidJson)
    }

    /// Puts unknown members and enum values into the answer, as a newer service would.
    #[must_use]
    pub fn drift() -> Self {
        Self::new(Effect::Drift)
    }

    /// Waits before the request is handled, on the emulator's clock. Nothing else goes wrong.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::new(Effect::None)
        }
    }

    /// Fails only calls of this operation: an id such as `create_session`, or `POST /v1/sessions`. Default: all.
    #[must_use]
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = operation.into();
        self
    }

    /// Lets this many calls pass first. Default 0.
    #[must_use]
    pub fn skip(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Fails this many calls. Default 1.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    /// Fails every call from now on.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Waits before the fault shows, on the emulator's clock.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a header to a scripted status. Without effect on other faults.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Effect::Status { headers, .. } = &mut self.effect {
            headers.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Gives a scripted status this JSON. Without effect on other faults.
    #[must_use]
    pub fn json(mut self, value: impl Into<Value>) -> Self {
        if let Effect::Status { body, .. } = &mut self.effect {
            *body = Some(FaultBody::Json(value.into()));
        }
        self
    }

    /// Gives a scripted status this text. Without effect on other faults.
    #[must_use]
    pub fn text(mut self, content_type: &str, content: &str) -> Self {
        if let Effect::Status { body, .. } = &mut self.effect {
            let (content_type, text) = (content_type.to_owned(), content.to_owned());
            *body = Some(FaultBody::Text { content_type, text });
        }
        self
    }

    /// Lets the request have its effect before a scripted status is answered. Without effect on other faults.
    #[must_use]
    pub fn processed(mut self) -> Self {
        if let Effect::Status { processed, .. } = &mut self.effect {
            *processed = true;
        }
        self
    }
}

/// The faults that are scripted, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.faults
    }

    /// The fault that hits this call. The first one in line that fits counts the call, and no other.
    pub(crate) fn hit(&mut self, id: &str, key: &str) -> Option<Fault> {
        let fits = |fault: &Fault| [id, key, "*"].contains(&fault.operation.as_str());
        let place = self.faults.iter().position(fits)?;
        let fault = self.faults.get_mut(place)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let hit = fault.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.faults.remove(place);
            }
        }
        Some(hit)
    }
}
