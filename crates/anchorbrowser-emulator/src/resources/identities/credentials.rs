//! Credentials of an identity.

use serde_json::Value;

use crate::resources::Secret;

/// The user whose every login fails.
pub(crate) const FAILING_USER: &str = "fail@example.com";

impl Secret<Vec<Value>> {
    /// The credentials of a request, if it has the member.
    pub(crate) fn read(body: &Value) -> Option<Self> {
        Some(Self(body.get("credentials")?.as_array()?.clone()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kinds of the credentials, each once.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let mut kinds = Vec::new();
        for kind in self.0.iter().filter_map(|it| it.get("type")?.as_str()) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// Whether a login with them fails: one of them is for [`FAILING_USER`].
    pub(crate) fn fail(&self) -> bool {
        let text = |credential: &Value, name: &str| {
            credential.get(name).and_then(Value::as_str) == Some(FAILING_USER)
        };
        self.0.iter().any(|credential| {
            let fields = credential.get("fields").and_then(Value::as_array);
            text(credential, "username")
                || fields
                    .into_iter()
                    .flatten()
                    .any(|field| text(field, "value"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(credentials: Value) -> Secret<Vec<Value>> {
        Secret::read(&json!({ "credentials": credentials })).unwrap()
    }

    #[test]
    fn a_login_fails_for_one_user() {
        let cases = [
            (json!([]), false),
            (
                json!([{ "type": "username_password", "username": "ann", "password": FAILING_USER }]),
                false,
            ),
            (
                json!([{ "type": "username_password", "username": FAILING_USER }]),
                true,
            ),
            (
                json!([{ "type": "custom", "fields": [{ "name": "user", "value": FAILING_USER }] }]),
                true,
            ),
            (json!([1, null, { "type": 3, "fields": "x" }]), false),
        ];
        for (credentials, fails) in cases {
            assert_eq!(secret(credentials.clone()).fail(), fails, "{credentials}");
        }
    }
}
