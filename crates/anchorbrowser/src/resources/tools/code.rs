use anchorbrowser_api::types;
use serde_json::Value;

use crate::call::Call;
use crate::error::Error;
use crate::{Client, ExecutionId, Secret, SessionId};

/// Code to run in a session; see [`Tools::execute_code`](super::Tools::execute_code). `Debug` does
/// not show the code: it may hold a password.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `outcome`"]
pub struct ExecuteCode {
    client: Client,
    session: SessionId,
    code: Secret,
}

/// How the run of a piece of code ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CodeOutput {
    /// Whether the code ran to its end.
    pub success: bool,
    /// What the code returned: `null` if that is nothing. What is not JSON is a string.
    pub output: Value,
    /// What the code failed with.
    pub error: Option<String>,
    /// What the service says of it.
    pub message: Option<String>,
    /// Identifies the run.
    pub execution_id: Option<ExecutionId>,
}

impl ExecuteCode {
    pub(super) fn new(client: &Client, session: SessionId, code: Secret) -> Self {
        Self {
            client: client.clone(),
            session,
            code,
        }
    }

    /// Runs the code, which must succeed; see [`outcome`](Self::outcome). It gets five minutes at
    /// least, and is not repeated if its outcome is unknown.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the code failed; [`Error::body`] then has
    /// what the service said of it. And what any call may fail with.
    ///
    /// Calls `execute_code`.
    pub fn send(self) -> Call<CodeOutput> {
        self.call(true)
    }

    /// Runs the code, and gives how it ended also if it failed. Otherwise as
    /// [`send`](Self::send).
    ///
    /// Calls `execute_code`.
    pub fn outcome(self) -> Call<CodeOutput> {
        self.call(false)
    }

    fn call(self, must_succeed: bool) -> Call<CodeOutput> {
        Call::new(&self.client, move |api| async move {
            let body = types::ExecuteCodeRequestSchema::new(self.code.expose());
            let call = api.execute_code().session_id(self.session).body(body);
            let answer = call.send().await?.map(CodeOutput::new);
            if must_succeed && !answer.success {
                let reason = answer.error.as_deref().or(answer.message.as_deref());
                return Err(Error::failed(&answer, "the code failed", reason));
            }
            Ok(answer)
        })
    }
}

impl CodeOutput {
    fn new(answer: types::ExecuteCodeToolResponseSchema) -> Self {
        let output = answer.output.map_or(Value::Null, |text| {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        });
        Self {
            success: answer.success.unwrap_or(answer.error.is_none()),
            output,
            error: answer.error,
            message: answer.message,
            execution_id: answer.execution_result_id.map(Into::into),
        }
    }
}
