//! Questions of agents to people, and the replies.

use std::collections::BTreeMap;

use anchorbrowser_api::types;
use anchorbrowser_api::wire::SecretJson;

use super::{FieldKind, InputKind};
use crate::call::Call;
use crate::{InterventionId, Secret, Session, SessionId};

/// A question of an agent, which waits for the reply.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Intervention {
    /// Identifies the question.
    pub id: InterventionId,
    /// The session of the agent.
    pub session_id: SessionId,
    /// What the agent asks.
    pub message: String,
    /// What kind of [`Reply`] it wants.
    pub input: Option<InputKind>,
    /// The fields to fill in, if it wants [`Reply::Fields`].
    pub fields: Vec<Field>,
    /// The session's tags. Only
    /// [`pending_interventions`](super::Agent::pending_interventions) tells them.
    pub tags: Vec<String>,
}

/// A field of a question.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Field {
    /// Its name in [`Reply::Fields`].
    pub name: String,
    /// Its name for people.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it must be filled in.
    pub required: bool,
    /// What kind of text it takes.
    pub kind: Option<FieldKind>,
    /// An example of a value.
    pub placeholder: Option<String>,
    /// The value to begin with. It may be a password, so `Debug` does not show it.
    pub default_value: Option<Secret>,
}

impl Intervention {
    /// `None` without an id.
    pub(super) fn requested(
        session: SessionId,
        item: types::HumanInterventionRequest,
    ) -> Option<Self> {
        Some(Self {
            id: item.request_id?.into(),
            session_id: session,
            message: item.message.unwrap_or_default(),
            input: item.input_type,
            fields: item.fields.into_iter().map(Field::new).collect(),
            tags: Vec::new(),
        })
    }

    /// `None` without the ids of the question and of the session.
    pub(super) fn pending(item: types::PendingInterventionItem) -> Option<Self> {
        Some(Self {
            id: item.request_id?.into(),
            session_id: item.session_id?.into(),
            message: item.message.unwrap_or_default(),
            input: item.input_type.map(|kind| kind.as_str().into()),
            fields: item.fields.into_iter().map(Field::new).collect(),
            tags: item.tags,
        })
    }
}

impl Field {
    fn new(field: types::HumanInterventionField) -> Self {
        Self {
            name: field.name.unwrap_or_default(),
            label: field.label,
            description: field.description,
            required: field.required.unwrap_or_default(),
            kind: field.type_,
            placeholder: field.placeholder,
            default_value: field.default_value,
        }
    }
}

/// A reply to a question of an agent. It may be a password, so `Debug` does not show it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// A text: to [`InputKind::Text`].
    Text(Secret),
    /// Yes or no: to [`InputKind::Confirm`].
    Confirm(bool),
    /// Values by the names of fields: to [`InputKind::Fields`].
    Fields(BTreeMap<String, SecretJson>),
}

impl Reply {
    /// Values by the names of fields, e.g. `Reply::fields([("user", "eve"), ("code", "123456")])`.
    pub fn fields(
        values: impl IntoIterator<Item = (impl Into<String>, impl Into<SecretJson>)>,
    ) -> Self {
        let values = values.into_iter();
        Self::Fields(
            values
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    fn into_api(self) -> types::HumanInterventionResponseRequestResponse {
        match self {
            Self::Text(text) => text.into(),
            Self::Confirm(yes) => yes.into(),
            Self::Fields(values) => values.into(),
        }
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Secret> for Reply {
    fn from(text: Secret) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Reply {
    fn from(yes: bool) -> Self {
        Self::Confirm(yes)
    }
}

/// Replying to a question; see [`SessionAgent::respond`](super::SessionAgent::respond).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Respond {
    session: Session,
    reply: Reply,
    question: Option<InterventionId>,
}

impl Respond {
    pub(super) fn new(session: &Session, reply: Reply) -> Self {
        Self {
            session: session.clone(),
            reply,
            question: None,
        }
    }

    /// The question that this is the reply to; by default the newest one of the session, and then
    /// webhooks get no `intervention.resolved`.
    pub fn to(mut self, id: impl Into<InterventionId>) -> Self {
        self.question = Some(id.into());
        self
    }

    /// Replies; the agent goes on.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such question, or it has been
    /// answered, and what any call may fail with.
    ///
    /// Calls `respond_to_human_intervention`.
    pub fn send(self) -> Call<()> {
        let id = self.session.id().clone();
        let mut body = types::HumanInterventionResponseRequest::new(self.reply.into_api());
        body.request_id = self.question.map(Into::into);
        Call::new(self.session.client(), move |api| async move {
            let call = api.respond_to_human_intervention().session_id(id);
            Ok(call.body(body).send().await?.map(drop))
        })
    }
}
