//! What an agent is told before it has a key.

use std::time::Duration;

use anchorbrowser_api::wire::Secret;
use anchorbrowser_api::{ResponseValue, types};

use super::{FlowStep, IdentityProvider, Instructions, NextStep};
use crate::error::{Open as _, Result};
use crate::timing::from_number;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A number of minutes.
pub(super) fn minutes(number: Option<f64>) -> Option<Duration> {
    from_number(number?, MINUTE)
}

/// What the service tells agents of the way to a key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guide {
    /// What the key is for.
    pub purpose: Option<String>,
    /// Where to read on.
    pub docs: Option<String>,
    /// The steps, in order.
    pub flow: Vec<FlowStep>,
    /// The credits that a key comes with.
    pub anonymous_credits: Option<f64>,
    /// The credits that it comes with if the agent proves who it is.
    pub identity_credits: Option<f64>,
    /// How long a challenge can be answered.
    pub ttl: Option<Duration>,
    /// How long a session of such a key lives at most.
    pub session_max_duration: Option<Duration>,
    /// Whether an agent may do without an identity.
    pub identity_optional: Option<bool>,
    /// The credits that an identity adds.
    pub identity_extra_credits: Option<f64>,
    /// How to send an identity.
    pub identity_submit: Option<String>,
    /// Who is taken as a provider of identities.
    pub identity_providers: Vec<IdentityProvider>,
    /// What to do next.
    pub next: Option<NextStep>,
}

impl Guide {
    pub(super) fn new(guide: types::GetAgentAccessGuideResponse) -> Self {
        let credits = guide.credits.unwrap_or_default();
        let limits = guide.limits.unwrap_or_default();
        let identity = guide.identity.unwrap_or_default();
        Self {
            purpose: guide.purpose,
            docs: guide.docs,
            flow: guide.flow,
            anonymous_credits: credits.anonymous,
            identity_credits: credits.with_identity,
            ttl: guide.ttl_seconds.and_then(|ttl| from_number(ttl, SECOND)),
            session_max_duration: minutes(limits.session_max_duration_minutes),
            identity_optional: identity.optional,
            identity_extra_credits: identity.extra_credits,
            identity_submit: identity.submit,
            identity_providers: identity.oidc,
            next: guide.next,
        }
    }
}

/// A challenge.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Challenge {
    /// What the answer is sent with.
    pub token: Secret,
    /// What is asked.
    pub prompt: String,
    /// Its id.
    pub id: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The name of an icon for it.
    pub icon: Option<String>,
    /// How long it can be answered. The document names no unit; it is taken as seconds.
    pub time_limit: Option<Duration>,
    /// The name of the data that it is about, for [`AgentAccess::appendix`](super::AgentAccess::appendix).
    pub appendix_ref: Option<String>,
    /// Where that data is.
    pub appendix_url: Option<String>,
    /// How to answer.
    pub instructions: Option<Instructions>,
    /// What to do next.
    pub next: Option<NextStep>,
}

impl Challenge {
    pub(super) fn open(
        answer: ResponseValue<types::GetAgentAccessChallengeResponse>,
    ) -> Result<ResponseValue<Self>> {
        let answer = answer.open("token", |answer| {
            Some((answer.token.take()?, std::mem::take(answer)))
        })?;
        answer.open("challenge.prompt", |(token, answer)| {
            let challenge = answer.challenge.take()?;
            Some(Self {
                token: token.clone(),
                prompt: challenge.prompt?,
                id: challenge.id,
                kind: challenge.type_,
                title: challenge.title,
                description: challenge.description,
                icon: challenge.icon,
                time_limit: challenge
                    .time_limit
                    .and_then(|limit| from_number(limit, SECOND)),
                appendix_ref: answer.appendix_ref.take(),
                appendix_url: answer.appendix_url.take(),
                instructions: answer.instructions.take(),
                next: answer.next.take(),
            })
        })
    }
}

/// The data that a challenge is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Appendix {
    /// The data, as text.
    pub inventory: String,
    /// What to do next.
    pub next: Option<NextStep>,
}
