//! What a handler gives back.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::world::World;

/// An answer, or why the request is refused.
pub(crate) type Outcome = Result<Answer, Refusal>;

/// The answer to a request that was taken.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `None`: the status that the document gives for success.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Bytes {
        content_type: String,
        bytes: Bytes,
    },
    /// The answer comes later, from whoever releases the request.
    Held(oneshot::Receiver<Outcome>),
    /// The answer comes from work that goes on without the state.
    Later(Later),
}

/// Work that goes on without the state; what it comes to is then done with the state.
pub(crate) struct Later(pub(crate) Pin<Box<dyn Future<Output = Finish> + Send>>);

/// The end of such work.
pub(crate) type Finish = Box<dyn FnOnce(&mut World) -> Outcome + Send>;

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Later")
    }
}

impl Clone for Answer {
    fn clone(&self) -> Self {
        Self {
            status: self.status,
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }
}

impl Clone for Body {
    /// What comes later can't come twice: its clone is empty.
    fn clone(&self) -> Self {
        match self {
            Self::Empty | Self::Held(_) | Self::Later(_) => Self::Empty,
            Self::Json(value) => Self::Json(value.clone()),
            Self::Bytes {
                content_type,
                bytes,
            } => Self::Bytes {
                content_type: content_type.clone(),
                bytes: bytes.clone(),
            },
        }
    }
}

impl Answer {
    /// JSON as it stands.
    pub(crate) fn json(value: Value) -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::Json(value),
        }
    }

    /// JSON in the envelope `data`.
    pub(crate) fn data(value: Value) -> Self {
        Self::json(json!({ "data": value }))
    }

    /// The answer of operations that have nothing else to say: `{"data": {"status": "success"}}`.
    pub(crate) fn done() -> Self {
        Self::data(json!({ "status": "success" }))
    }

    pub(crate) fn bytes(content_type: &str, bytes: impl Into<Bytes>) -> Self {
        let body = Body::Bytes {
            content_type: content_type.to_owned(),
            bytes: bytes.into(),
        };
        Self {
            status: None,
            headers: Vec::new(),
            body,
        }
    }

    pub(crate) fn held(receiver: oneshot::Receiver<Outcome>) -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::Held(receiver),
        }
    }

    /// An answer that `work` comes to; `finish` does with the state what follows from it.
    pub(crate) fn later<T: Send + 'static>(
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
        finish: impl FnOnce(&mut World, T) -> Outcome + Send + 'static,
    ) -> Self {
        let work = async move {
            let done = work.await;
            let finish: Finish = Box::new(move |world| finish(world, done?));
            finish
        };
        Self {
            status: None,
            headers: Vec::new(),
            body: Body::Later(Later(Box::pin(work))),
        }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why a request is refused. The body takes the shape that the document gives for the operation.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// 400.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 404: there is no `what` with this id or name.
    pub(crate) fn missing(what: &str, id: &str) -> Self {
        Self::new(404, format!("there is no {what} `{id}`"))
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, message)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Whole seconds, rounded up: who waits that long has waited long enough.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    let seconds = duration.as_millis().div_ceil(1000);
    seconds.try_into().unwrap_or(u64::MAX)
}

/// What goes with a 429: the headers of the IETF draft for rate limits, and when to come back. Times are in seconds.
pub(crate) fn rate_limit_headers(
    limit: u32,
    window: u64,
    left: u64,
) -> [(&'static str, String); 3] {
    // Names whose limit this is; the same for everybody, and no secret.
    const PARTITION: &str = "ZW11bGF0b3I=";
    let name = match window % 60 {
        0 => format!("{limit}-in-{}min", window / 60),
        _ => format!("{limit}-in-{window}sec"),
    };
    [
        ("ratelimit", format!("\"{name}\"; r=0; t={left}")),
        (
            "ratelimit-policy",
            format!("\"{name}\"; q={limit}; w={window}; pk=:{PARTITION}:"),
        ),
        ("retry-after", left.to_string()),
    ]
}
