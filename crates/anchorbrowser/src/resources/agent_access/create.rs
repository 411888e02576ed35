//! The answer to a challenge, and the key that it earns.

use std::time::Duration;

use anchorbrowser_api::types;
use anchorbrowser_api::wire::Secret;

use super::NextStep;
use super::answers::minutes;
use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::{Client, ClientBuilder, ProjectId};

/// The header for an agent's identity, if the answer does not name it.
const IDENTITY_HEADER: &str = "anchor-identity-token";

/// The answer to a challenge; see [`AgentAccess::create`](super::AgentAccess::create).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateProject {
    client: Client,
    body: types::CreateAgentAccessProjectBody,
}

impl CreateProject {
    pub(super) fn new(client: &Client, token: Secret, answer: String) -> Self {
        Self {
            client: client.clone(),
            body: types::CreateAgentAccessProjectBody::new(token, answer),
        }
    }

    /// A token that proves who the agent is, for more credits; the
    /// [guide](super::AgentAccess::guide) names its providers.
    pub fn identity_token(mut self, token: impl Into<Secret>) -> Self {
        self.body.identity_token = Some(token.into());
        self
    }

    /// Who issued the identity token.
    pub fn identity_provider(mut self, name: impl Into<String>) -> Self {
        self.body.identity_provider = Some(name.into());
        self
    }

    /// Whom the identity token was issued for.
    pub fn identity_audience(mut self, audience: impl Into<String>) -> Self {
        self.body.identity_audience = Some(audience.into());
        self
    }

    /// Sends the answer. It is not repeated if its outcome is unknown.
    ///
    /// # Errors
    /// 400 if the answer is wrong; [`is_unauthorized`](Error::is_unauthorized) if the token is
    /// unknown or too old: get a new challenge then.
    ///
    /// Calls `create_agent_access_project`.
    pub fn send(self) -> Call<AgentProject> {
        let Self { client, body } = self;
        if let Err(error) = check(&client, &body) {
            return Call::refused(error);
        }
        let base_url = client.base_url().to_owned();
        Call::new(&client, move |api| async move {
            let answer = api.create_agent_access_project().body(body).send().await?;
            answer.open("api_key", |answer| {
                let auth = answer.auth.take().unwrap_or_default();
                let limits = answer.limits.take().unwrap_or_default();
                Some(AgentProject {
                    api_key: answer.api_key.take()?,
                    api_key_header: auth.api_key_header,
                    project_id: answer.project_id.take().map(Into::into),
                    identity_token: answer.agent_identity_token.take(),
                    identity_token_required: auth.identity_token_required.unwrap_or_default(),
                    identity_token_header: auth
                        .identity_token_header
                        .unwrap_or_else(|| IDENTITY_HEADER.to_owned()),
                    credits_granted: answer.credits_granted,
                    session_max_duration: minutes(limits.session_max_duration_minutes),
                    upgrade: answer.upgrade.take().and_then(|upgrade| upgrade.message),
                    docs: answer.docs.take(),
                    next: answer.next.take(),
                    base_url,
                })
            })
        })
    }
}

fn check(client: &Client, body: &types::CreateAgentAccessProjectBody) -> Result<()> {
    let given = [("token", body.token.expose()), ("answer", &body.answer)];
    match given.into_iter().find(|(_, text)| text.is_empty()) {
        Some((name, _)) if client.checks() => {
            let message = format!("`{name}` must not be empty");
            Err(Error::invalid("create_agent_access_project", message))
        }
        _ => Ok(()),
    }
}

/// A new project, and the key to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentProject {
    /// The API key. Store it: it is not shown again.
    pub api_key: Secret,
    /// The header that the key is sent in, for programs without this SDK.
    pub api_key_header: Option<String>,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// What proves the agent's identity with each request, if it gave one.
    pub identity_token: Option<Secret>,
    /// Whether the identity token must be sent together with the key.
    pub identity_token_required: bool,
    /// The header that the identity token is sent in.
    pub identity_token_header: String,
    /// The credits that the project begins with.
    pub credits_granted: Option<f64>,
    /// How long a session of this key lives at most.
    pub session_max_duration: Option<Duration>,
    /// How to get more.
    pub upgrade: Option<String>,
    /// Where to read on.
    pub docs: Option<String>,
    /// What to do next.
    pub next: Option<NextStep>,
    base_url: String,
}

impl AgentProject {
    /// A client with the new key, at the same base URL; with the identity token in each request if
    /// the key needs it. The other settings are the defaults.
    ///
    /// A program that stores the key and makes its client later sets the same:
    /// [`api_key`](ClientBuilder::api_key) and, if
    /// [`identity_token_required`](Self::identity_token_required), a
    /// [`header`](ClientBuilder::header).
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .base_url(&self.base_url)
            .api_key(self.api_key.expose());
        match &self.identity_token {
            Some(token) if self.identity_token_required => {
                builder.header(&self.identity_token_header, token.expose())
            }
            _ => builder,
        }
    }
}
