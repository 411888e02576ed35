//! How an agent obtains an API key of its own.

mod answers;
mod create;

pub use anchorbrowser_api::types::{
    AgentAccessInstructions as Instructions, AgentAccessNextStep as NextStep,
    AgentAccessNextStepMethod as NextStepMethod, GetAgentAccessGuideResponseFlowItem as FlowStep,
    GetAgentAccessGuideResponseIdentityOidcItem as IdentityProvider,
};
pub use answers::{Appendix, Challenge, Guide};
pub use create::{AgentProject, CreateProject};

use anchorbrowser_api::wire::Secret;

use crate::Client;
use crate::call::Call;
use crate::error::Open as _;

/// How an agent obtains an API key of its own, by answering a challenge; see
/// [`Client::agent_access`]. These calls need no key.
///
/// ```no_run
/// # fn solve(prompt: &str, appendix: &str) -> String { String::new() }
/// # async fn example() -> anchorbrowser::Result<()> {
/// let keyless = anchorbrowser::Client::builder().build()?;
/// let access = keyless.agent_access();
/// let challenge = access.challenge().await?;
/// let appendix = match &challenge.appendix_ref {
///     Some(name) => access.appendix(name).await?.inventory,
///     None => String::new(),
/// };
/// let answer = solve(&challenge.prompt, &appendix);
/// let project = access.create(challenge.token, answer).send().await?;
/// let client = project.client_builder().build()?;
/// client.sessions().create().send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AgentAccess<'a> {
    client: &'a Client,
}

impl<'a> AgentAccess<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// What the service tells agents of the way to a key.
    ///
    /// Calls `get_agent_access_guide`.
    pub fn guide(&self) -> Call<Guide> {
        Call::new(self.client, |api| async move {
            let answer = api.get_agent_access_guide().send().await?;
            Ok(answer.map(Guide::new))
        })
    }

    /// A challenge, and the token by which its answer is known.
    ///
    /// # Errors
    /// [`is_rate_limited`](crate::Error::is_rate_limited) if too many were asked for.
    ///
    /// Calls `get_agent_access_challenge`.
    pub fn challenge(&self) -> Call<Challenge> {
        Call::new(self.client, |api| async move {
            let answer = api.get_agent_access_challenge().send().await?;
            Challenge::open(answer)
        })
    }

    /// The data that a challenge is about, by its [`appendix_ref`](Challenge::appendix_ref).
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this name, or its challenge
    /// is over.
    ///
    /// Calls `get_agent_access_appendix`.
    pub fn appendix(&self, appendix_ref: impl Into<String>) -> Call<Appendix> {
        let name = appendix_ref.into();
        Call::new(self.client, |api| async move {
            let answer = api.get_agent_access_appendix().appendix_ref(name).send();
            answer.await?.open("inventory", |answer| {
                Some(Appendix {
                    inventory: answer.inventory.take()?,
                    next: answer.next.take(),
                })
            })
        })
    }

    /// Answers a challenge: a project is created, and its key given. `token` is the challenge's.
    pub fn create(&self, token: impl Into<Secret>, answer: impl Into<String>) -> CreateProject {
        CreateProject::new(self.client, token.into(), answer.into())
    }
}
