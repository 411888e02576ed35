//! Scripts that are run in a page.

use std::time::Duration;

use serde_json::{Value, json};

use super::cdp::CdpError;
use super::page::Page;
use crate::answer::Refusal;

/// How long code of a client may take.
const RUNNING: Duration = Duration::from_secs(60);

/// Names the world of the emulator's own scripts.
const WORLD: &str = "anchorbrowser-emulator";

impl Page {
    /// Calls a function with one argument in a world of its own: it shares the document with the page, and no globals.
    pub(super) async fn own_world(
        &self,
        function: &str,
        argument: &Value,
    ) -> Result<Value, CdpError> {
        let tree = self.call("Page.getFrameTree", json!({})).await?;
        let world = json!({ "frameId": tree["frameTree"]["frame"]["id"], "worldName": WORLD });
        let made = self.call("Page.createIsolatedWorld", world).await?;
        let expression = json!({
            "expression": format!("({function})({argument})"),
            "contextId": made["executionContextId"],
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let mut ran = self.call("Runtime.evaluate", expression).await?;
        match thrown(&ran) {
            Some(message) => Err(CdpError::Refused {
                method: "Runtime.evaluate".to_owned(),
                message,
            }),
            None => Ok(ran["result"]["value"].take()),
        }
    }

    /// Runs code of a client as the body of an async function, in the page's own world. The inner result is JSON, or what
    /// went wrong in the code.
    pub(crate) async fn run(&self, code: &str) -> Result<Result<Value, String>, Refusal> {
        let expression = json!({
            "expression": format!(
                "(async () => {{\n{code}\n}})().then((value) => JSON.stringify(value) ?? \"null\")"
            ),
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
            "timeout": RUNNING.as_millis(),
        });
        let session = Some(self.session.as_str());
        let cdp = &self.running.cdp;
        let ran = cdp.call_within(RUNNING, session, "Runtime.evaluate", expression);
        match ran.await {
            Ok(ran) => Ok(match thrown(&ran) {
                Some(message) => Err(message),
                None => {
                    let text = ran["result"]["value"].as_str().unwrap_or("null");
                    serde_json::from_str(text).map_err(|error| error.to_string())
                }
            }),
            Err(CdpError::Slow { .. }) => {
                let seconds = RUNNING.as_secs();
                Ok(Err(format!(
                    "the code did not end within {seconds} seconds"
                )))
            }
            // The page went away under it.
            Err(CdpError::Refused { message, .. }) => Ok(Err(message)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a script threw, without the lines that say where.
fn thrown(ran: &Value) -> Option<String> {
    let details = ran.get("exceptionDetails")?;
    let exception = &details["exception"];
    let described = exception["description"].as_str();
    let text = match described.or(details["text"].as_str()) {
        Some(text) if described.is_some() || exception["value"].is_null() => text.to_owned(),
        // Not everything that is thrown is an error.
        _ => exception["value"].to_string(),
    };
    let end = text.find("\n    at ").unwrap_or(text.len());
    Some(text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_thrown_is_told_without_its_stack() {
        let error = json!({ "exceptionDetails": {
            "text": "Uncaught (in promise) Error: no",
            "exception": { "description": "Error: no\n    at <anonymous>:2:7" },
        } });
        let text = json!({ "exceptionDetails": {
            "text": "Uncaught (in promise)",
            "exception": { "type": "string", "value": "no" },
        } });
        assert_eq!(thrown(&error).as_deref(), Some("Error: no"));
        assert_eq!(thrown(&text).as_deref(), Some("\"no\""));
        assert_eq!(thrown(&json!({ "result": { "value": 1 } })), None);
    }
}
