//! What the scripted agent does: there is no model behind the emulator.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What one agent run, task run or snippet does. Given to the next run in line; without one, a run succeeds with a
/// result made from its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentScript {
    /// The result, or why the run fails.
    pub outcome: AgentOutcome,
    /// Steps that the run takes, at most 100,000. Default 3. Of an agent, each lasts [`crate::Timing::agent_step`] and is charged; a
    /// task run shares out [`crate::Timing::task`] among them; snippets and generations look at none of them.
    #[serde(default = "default_steps")]
    pub steps: u32,
    /// A question that the run asks and waits for, half-way; only if its request allows `human_intervention`.
    #[serde(default)]
    pub asks: Option<Question>,
    /// Whether a task run mends the task on its way to success, of which the event `task.healed` tells. Default
    /// `false`; other runs don't look at it.
    #[serde(default)]
    pub healed: bool,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentOutcome {
    /// With this result.
    Completed(Value),
    /// With this error.
    Failed(String),
}

/// What an agent asks a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The text of the question.
    pub message: String,
    /// `text`, `confirm` or `fields`; the document's `inputType`. Default `text`.
    #[serde(default = "default_input")]
    pub input: String,
    /// The fields of a question of type `fields`, as the document's `HumanInterventionField`.
    #[serde(default)]
    pub fields: Vec<Value>,
}

/// Each step is done for itself: without a limit, moving the clock could last for hours.
const MOST_STEPS: u32 = 100_000;

fn default_steps() -> u32 {
    3
}

fn default_input() -> String {
    "text".to_owned()
}

impl AgentScript {
    /// A run that succeeds with `result`.
    #[must_use]
    pub fn completed(result: impl Into<Value>) -> Self {
        Self {
            outcome: AgentOutcome::Completed(result.into()),
            steps: default_steps(),
            asks: None,
            healed: false,
        }
    }

    /// A run that fails with `error`.
    #[must_use]
    pub fn failed(error: impl Into<String>) -> Self {
        Self {
            outcome: AgentOutcome::Failed(error.into()),
            steps: default_steps(),
            asks: None,
            healed: false,
        }
    }

    /// Says why it could not run.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.steps <= MOST_STEPS {
            true => Ok(()),
            false => Err(format!("steps: at most {MOST_STEPS}")),
        }
    }

    /// Sets the number of steps.
    #[must_use]
    pub fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    /// Has a task run mend the task.
    #[must_use]
    pub fn healed(mut self) -> Self {
        self.healed = true;
        self
    }

    /// Has the run ask a question half-way, and wait for the answer.
    #[must_use]
    pub fn asks(mut self, message: impl Into<String>) -> Self {
        self.asks = Some(Question {
            message: message.into(),
            input: default_input(),
            fields: Vec::new(),
        });
        self
    }
}
