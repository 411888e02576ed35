//! How runs of agents end, and what is read of it.

use std::any::TypeId;

use serde::Serialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::Value;

use anchorbrowser_api::ResponseValue;

use crate::SessionId;
use crate::error::{Error, ErrorKind, Result, misfit};
use crate::poll::{Place, Verdict};

const RUNNING: &str = "RUNNING";
const COMPLETED: &str = "COMPLETED";
const FAILED: &str = "FAILED";

/// Makes a result what the caller wants, or says why it does not fit.
pub(super) type Decode<T> = fn(&Value) -> Result<T, String>;

/// What an agent's run gave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskOutcome<T = Value> {
    /// The result: of the type that was asked for, or else the JSON as it was sent.
    pub output: T,
    /// The result as it was sent.
    pub raw: Value,
    /// The session of the run, if it is known. It has ended, unless it was there before or was to be
    /// kept.
    pub session_id: Option<SessionId>,
}

/// The state of an agent's run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TaskStatus<T = Value> {
    /// It goes on.
    Running {
        /// The session of the run, as soon as there is one.
        session_id: Option<SessionId>,
    },
    /// It succeeded.
    Completed(TaskOutcome<T>),
    /// It failed.
    Failed {
        /// Why.
        message: String,
        /// The session of the run.
        session_id: Option<SessionId>,
    },
    /// It is in a state that this version of the SDK does not know.
    Unknown {
        /// The state, as it was sent.
        status: String,
        /// The session of the run.
        session_id: Option<SessionId>,
    },
}

impl<T> TaskStatus<T> {
    /// The session of the run, if it is known.
    pub fn session_id(&self) -> Option<&SessionId> {
        match self {
            Self::Completed(outcome) => outcome.session_id.as_ref(),
            Self::Running { session_id }
            | Self::Failed { session_id, .. }
            | Self::Unknown { session_id, .. } => session_id.as_ref(),
        }
    }
}

impl TaskStatus {
    /// What the answer to the question for the state says; `session_id` if it does not tell that.
    pub(super) fn new(report: Report, session_id: Option<SessionId>) -> Self {
        let session_id = report.session_id().or(session_id);
        if report.is(COMPLETED) {
            let raw = report.0.get("result").cloned().unwrap_or_default();
            Self::Completed(TaskOutcome {
                output: raw.clone(),
                raw,
                session_id,
            })
        } else if report.is(FAILED) {
            let message = report.text("error").unwrap_or_default();
            Self::Failed {
                message,
                session_id,
            }
        } else if report.is(RUNNING) {
            Self::Running { session_id }
        } else {
            let status = report.text("status").unwrap_or_default();
            Self::Unknown { status, session_id }
        }
    }

    /// With the result of another type, or why it does not fit.
    pub(super) fn decoded<T>(self, decode: Decode<T>) -> Result<TaskStatus<T>, String> {
        Ok(match self {
            Self::Running { session_id } => TaskStatus::Running { session_id },
            Self::Completed(outcome) => {
                TaskStatus::Completed(outcome_of(outcome.raw, outcome.session_id, decode)?)
            }
            Self::Failed {
                message,
                session_id,
            } => TaskStatus::Failed {
                message,
                session_id,
            },
            Self::Unknown { status, session_id } => TaskStatus::Unknown { status, session_id },
        })
    }

    pub(super) fn place(&self) -> Place {
        Place::told(match self {
            Self::Running { .. } => Some(RUNNING),
            Self::Completed(_) => Some(COMPLETED),
            Self::Failed { .. } => Some(FAILED),
            Self::Unknown { status, .. } => Some(status.as_str()).filter(|word| !word.is_empty()),
        })
    }

    /// A run is over when it has completed or failed.
    pub(super) fn verdict<T>(&self, decode: Decode<T>) -> Verdict<TaskOutcome<T>> {
        match self {
            Self::Completed(outcome) => {
                match outcome_of(outcome.raw.clone(), outcome.session_id.clone(), decode) {
                    Ok(outcome) => Verdict::Done(outcome),
                    Err(message) => Verdict::Unfit(message),
                }
            }
            Self::Failed { message, .. } => {
                Verdict::failed(Some(message.clone()).filter(|text| !text.is_empty()))
            }
            Self::Running { .. } | Self::Unknown { .. } => Verdict::InProgress,
        }
    }
}

/// The result itself.
pub(super) fn untyped(raw: &Value) -> Result<Value, String> {
    Ok(raw.clone())
}

/// The result as a type of the caller's.
pub(super) fn typed<T: DeserializeOwned + 'static>(raw: &Value) -> Result<T, String> {
    // The API promises an object: what is none comes in one, as its only member `result`. A type
    // that has such a member of its own means the object itself, and so does any JSON.
    if TypeId::of::<T>() != TypeId::of::<Value>()
        && let Some(members) = raw.as_object()
        && members.len() == 1
        && let Some(inner) = members.get("result")
        && !fields::<T>().contains(&"result")
        && let Ok(output) = T::deserialize(inner)
    {
        return Ok(output);
    }
    T::deserialize(raw).map_err(|error| misfit(&error))
}

/// The names of a struct's fields, as they are read; none of what is no struct.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &[&str] = &[];
    let _ = T::deserialize(Fields(&mut found));
    found
}

/// Takes down what a type asks for, and gives it nothing.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("there is nothing to read"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// What an answer says of a run: its known shapes and the unknown ones, read alike.
pub(super) struct Report(Value);

impl Report {
    pub(super) fn new(data: &impl Serialize) -> Self {
        Self(serde_json::to_value(data).unwrap_or_default())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(self.0.get(name)?.as_str()?.to_owned())
    }

    fn session_id(&self) -> Option<SessionId> {
        self.text("sessionId").map(Into::into)
    }

    fn is(&self, status: &str) -> bool {
        let said = self.text("status").unwrap_or_default();
        said.eq_ignore_ascii_case(status)
    }
}

/// The outcome of a call that waited for the run.
pub(super) fn ended<T>(
    answer: ResponseValue<Report>,
    session_id: Option<SessionId>,
    decode: Decode<T>,
) -> Result<ResponseValue<TaskOutcome<T>>> {
    if answer.is(FAILED) {
        let reason = answer.text("error");
        return Err(Error::failed(&answer, "the run failed", reason.as_deref()));
    }
    let Some(raw) = answer.0.get("result").cloned() else {
        let message = "the answer has no `data.result`";
        return Err(Error::of_answer(ErrorKind::Decode, &answer, message));
    };
    match outcome_of(raw, session_id, decode) {
        Ok(outcome) => Ok(answer.map(|_| outcome)),
        Err(message) => Err(Error::of_answer(ErrorKind::Decode, &answer, message)),
    }
}

/// The outcome with its result as a type, or why that does not fit.
fn outcome_of<T>(
    raw: Value,
    session_id: Option<SessionId>,
    decode: Decode<T>,
) -> Result<TaskOutcome<T>, String> {
    let output = decode(&raw).map_err(|reason| {
        format!(
            "the run succeeded, and its result does not fit the output type: {reason}; \
             the body of the answer has it"
        )
    })?;
    Ok(TaskOutcome {
        output,
        raw,
        session_id,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Price {
        amount: Option<f64>,
    }

    #[test]
    fn a_result_is_taken_out_of_its_wrapping() {
        let price = Price { amount: Some(3.0) };
        for raw in [json!({ "amount": 3 }), json!({ "result": { "amount": 3 } })] {
            assert_eq!(typed::<Price>(&raw).as_ref(), Ok(&price), "{raw}");
        }
        assert_eq!(typed(&json!({ "result": "x" })), Ok("x".to_owned()));
        let raw = json!({ "result": "x" });
        assert_eq!(typed::<Value>(&raw).as_ref(), Ok(&raw), "as without a type");
    }

    /// Whose members are all optional reads any object: the wrong one too.
    #[test]
    fn a_type_with_a_member_of_that_name_is_the_whole_result() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Answer {
            result: Option<Price>,
        }
        let raw = json!({ "result": { "amount": 3 } });
        let result = Some(Price { amount: Some(3.0) });
        let answer = Answer { result };
        assert_eq!(typed::<Answer>(&raw).as_ref(), Ok(&answer));
        assert_eq!(typed::<Option<Answer>>(&raw), Ok(Some(answer)));
        assert_eq!(typed::<Box<Value>>(&raw), Ok(json!({ "amount": 3 }).into()));
    }

    #[test]
    fn a_reason_names_no_value() {
        for (raw, reason) in [
            (
                json!({ "amount": "canary, expected canary" }),
                "expected f64",
            ),
            (json!("canary"), "expected struct Price"),
        ] {
            let found = typed::<Price>(&raw).map_err(|error| error.replace('`', ""));
            assert_eq!(found, Err(reason.to_owned()));
        }
    }
}
