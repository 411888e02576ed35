//! Agents that work in sessions, and their questions to people.

mod interventions;
#[cfg(feature = "steps")]
mod live;
mod outcome;
mod running;
mod session;
mod task;

pub use anchorbrowser_api::types::{
    HumanInterventionFieldType as FieldKind, HumanInterventionRequestInputType as InputKind,
    PerformWebTaskRequestSchemaAgent as AgentKind, PerformWebTaskRequestSchemaProvider as Provider,
};
pub use interventions::{Field, Intervention, Reply, Respond};
pub use outcome::{TaskOutcome, TaskStatus};
pub use running::RunningTask;
pub use session::{AgentFile, SessionAgent};
pub use task::AgentTask;

use crate::call::Call;
use crate::error::Open as _;
use crate::page::List;
use crate::{Client, WorkflowId};

/// Agents that work in sessions; see [`Client::agent`], and [`Session::agent`](crate::Session::agent)
/// for that of one session.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let outcome = client.agent().task("What is the price?").url("https://example.com").run().await?;
/// println!("{}", outcome.output);
/// # Ok(())
/// # }
/// ```
///
/// With the feature `schemars`, the result is of a type of yours; `schemars` is a dependency of
/// yours then.
///
/// ```no_run
/// # #[cfg(feature = "schemars")]
/// # mod example {
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Price {
///     amount: f64,
///     currency: String,
/// }
///
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let task = client.agent().task("What is the price?").output::<Price>();
/// let price = task.url("https://example.com").run().await?.output;
/// println!("{} {}", price.amount, price.currency);
/// # Ok(())
/// # }
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Agent<'a> {
    client: &'a Client,
}

impl<'a> Agent<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// A task for an agent, in words. Where it works is up to the task:
    /// [`session`](AgentTask::session), [`session_options`](AgentTask::session_options), or by
    /// default a session of the service's own.
    pub fn task(&self, prompt: impl Into<String>) -> AgentTask {
        AgentTask::new(self.client, prompt.into())
    }

    /// A handle on a run that was started, e.g. by another program. Nothing is sent, so it need not
    /// exist.
    pub fn running(&self, workflow: impl Into<WorkflowId>) -> RunningTask {
        RunningTask::attached(self.client, workflow.into())
    }

    /// The questions to people that are open, of all sessions.
    ///
    /// Calls `list_pending_interventions`.
    pub fn pending_interventions(&self) -> List<Intervention> {
        let client = self.client.clone();
        List::new("list_pending_interventions", move || {
            Call::new(&client, |api| async move {
                let answer = api.list_pending_interventions().send().await?;
                answer.open("data.items[].requestId", |answer| {
                    let items = answer.data.take()?.items.into_iter();
                    items.map(Intervention::pending).collect()
                })
            })
        })
    }
}
