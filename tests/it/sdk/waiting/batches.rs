//! Batches of sessions.

mod ends;
mod hostile;
mod shared;
mod split;
mod streams;

use std::time::Duration;

use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::{Value, json};

/// Longer than the emulator takes for a batch of a thousand.
const LONG: Duration = Duration::from_secs(10);

/// Scripts the answers to the next polls, in their order; the last one stays.
fn script(emulator: &Emulator, answers: impl IntoIterator<Item = Value>) -> anyhow::Result<()> {
    let mut answers = answers.into_iter().peekable();
    while let Some(mut data) = answers.next() {
        data["batch_id"] = json!("b");
        let answer = Fault::status(200).json(json!({ "data": data }));
        let answer = answer.on("get_batch_session");
        emulator.fault(match answers.peek() {
            Some(_) => answer,
            None => answer.always(),
        })?;
    }
    Ok(())
}

/// An item of a batch: of this status, and with a session of this name.
fn item(index: usize, status: &str, session: &str) -> Value {
    json!({
        "item_index": index,
        "status": status,
        "session_id": session,
        "cdp_url": format!("wss://x/?apiKey=canary&sessionId={session}"),
    })
}
