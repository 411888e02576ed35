//! Scripts, faults, the clock, and forgetting everything.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Asked, Done, ok, redact, script};
use crate::agent::AgentScript;
use crate::answer::Refusal;
use crate::fault::Fault;
use crate::shared::{Clock, REAL, lock};

pub(super) fn health(_: &Asked<'_>) -> Done {
    Ok(ok(
        &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }),
    ))
}

/// One thing, or a list of such.
fn one_or_more<T: DeserializeOwned>(body: Value, what: &str) -> Result<Vec<T>, Refusal> {
    let items = match body {
        Value::Array(items) => items,
        item => vec![item],
    };
    let read = |(place, item)| {
        serde_json::from_value(item)
            .map_err(|error| Refusal::bad(format!("{what} {place}: {error}")))
    };
    items.into_iter().enumerate().map(read).collect()
}

pub(super) fn faults(asked: &Asked<'_>) -> Done {
    let mut faults = json!(lock(&asked.shared.faults).list());
    redact::json(&mut faults);
    Ok(ok(&json!({ "faults": faults })))
}

pub(super) fn add_faults(asked: &Asked<'_>) -> Done {
    let faults: Vec<Fault> = one_or_more(asked.json()?, "fault")?;
    let queued = script(asked.shared, faults)?;
    Ok(ok(&json!({ "queued": queued })))
}

pub(super) fn clear_faults(asked: &Asked<'_>) -> Done {
    lock(&asked.shared.faults).clear();
    Ok(ok(&json!({ "queued": 0 })))
}

pub(super) fn add_scripts(asked: &Asked<'_>) -> Done {
    let scripts: Vec<AgentScript> = one_or_more(asked.json()?, "script")?;
    let queued = super::add_scripts(asked.shared, scripts)?;
    Ok(ok(&json!({ "queued": queued })))
}

pub(super) fn clear_scripts(asked: &Asked<'_>) -> Done {
    asked.shared.enter(|world| world.scripts.clear())?;
    Ok(ok(&json!({ "queued": 0 })))
}

pub(super) fn advance(asked: &Asked<'_>) -> Done {
    let millis = asked.json()?.get("ms").and_then(Value::as_u64);
    let millis = millis.ok_or_else(|| {
        Refusal::bad(
            r#"the body must say by how many milliseconds, as a whole number: {"ms": 1000}"#,
        )
    })?;
    if let Clock::System(_) = asked.shared.clock {
        return Err(Refusal::conflict(REAL));
    }
    asked.shared.advance(Duration::from_millis(millis))?;
    let now = asked.shared.now();
    Ok(ok(&json!({ "now": now.text(), "now_ms": now.0 })))
}

pub(super) fn reset(asked: &Asked<'_>) -> Done {
    asked.shared.reset()?;
    Ok(ok(&json!({ "status": "ok" })))
}
