use std::fmt;

use serde::{Deserialize, Serialize};

/// A string that must not be printed, such as a password or a token.
///
/// It has no `Display`, and its `Debug` shows no character of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The string itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// JSON that must not be printed: a value of any form that may hold a credential.
///
/// It has no `Display`, and its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretJson(serde_json::Value);

impl SecretJson {
    /// The JSON itself.
    pub fn expose(&self) -> &serde_json::Value {
        &self.0
    }
}

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretJson(***)")
    }
}

impl<T: Into<serde_json::Value>> From<T> for SecretJson {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

super::json_schema!(
    SecretJson,
    "SecretJson",
    |_generator| schemars::json_schema!({
        "format": "password",
    })
);

super::json_schema!(Secret, "Secret", |_generator| schemars::json_schema!({
    "type": "string",
    "format": "password",
}));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_and_not_printed() -> serde_json::Result<()> {
        let secret = Secret::from("canary");
        assert_eq!(serde_json::to_string(&secret)?, r#""canary""#);
        assert_eq!(
            serde_json::from_str::<Secret>(r#""canary""#)?.expose(),
            "canary"
        );
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        let json = SecretJson::from(serde_json::json!({ "a": "canary" }));
        assert_eq!(serde_json::to_string(&json)?, r#"{"a":"canary"}"#);
        assert_eq!(format!("{json:?}"), "SecretJson(***)");
        Ok(())
    }
}
