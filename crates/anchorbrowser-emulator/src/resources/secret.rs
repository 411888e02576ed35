//! What must never be shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Kept in the state, but in no answer and in no log.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret<T>(pub(crate) T);

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_shows_nothing_and_the_state_keeps_all() {
        let secret = Secret(json!([{ "type": "authenticator", "secret": "canary" }]));
        assert!(!format!("{secret:?} {secret:#?}").contains("canary"));
        let stored = serde_json::to_string(&secret).unwrap();
        assert_eq!(
            serde_json::from_str::<Secret<serde_json::Value>>(&stored).unwrap(),
            secret
        );
    }
}
