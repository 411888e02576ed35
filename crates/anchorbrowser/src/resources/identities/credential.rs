use anchorbrowser_api::types;

use crate::Secret;

/// What an identity logs in with. Its secrets are not printed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A user's name and password.
    Password {
        /// The user's name.
        username: String,
        /// The user's password.
        password: Secret,
    },
    /// An authenticator, which makes one-time passwords.
    Authenticator {
        /// The secret that its codes are made from.
        secret: Secret,
        /// A one-time password.
        otp: Option<Secret>,
    },
    /// Fields that the site asks for, by their names.
    Custom {
        /// Names and values.
        fields: Vec<(String, Secret)>,
    },
}

impl Credential {
    /// A user's name and password.
    pub fn password(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::Password {
            username: username.into(),
            password: password.into(),
        }
    }

    /// An authenticator, by the secret that its codes are made from (TOTP).
    pub fn authenticator(secret: impl Into<Secret>) -> Self {
        Self::Authenticator {
            secret: secret.into(),
            otp: None,
        }
    }

    /// Adds a one-time password to an authenticator. Has no effect on others.
    #[must_use]
    pub fn otp(mut self, code: impl Into<Secret>) -> Self {
        if let Self::Authenticator { otp, .. } = &mut self {
            *otp = Some(code.into());
        }
        self
    }

    /// Fields that the site asks for: names and values.
    pub fn custom<N: Into<String>, V: Into<Secret>>(
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let fields = fields.into_iter();
        Self::Custom {
            fields: fields
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }

    pub(super) fn into_api(self) -> types::CredentialData {
        match self {
            Self::Password { username, password } => types::UsernamePasswordCredential::new(
                types::UsernamePasswordCredentialType::UsernamePassword,
                username,
                password,
            )
            .into(),
            Self::Authenticator { secret, otp } => {
                let kind = types::AuthenticatorCredentialType::Authenticator;
                let mut credential = types::AuthenticatorCredential::new(kind, secret);
                credential.otp = otp;
                credential.into()
            }
            Self::Custom { fields } => {
                let fields = fields.into_iter();
                types::CustomCredential::new(
                    types::CustomCredentialType::Custom,
                    fields
                        .map(|(name, value)| types::CustomFieldItem::new(name, value))
                        .collect(),
                )
                .into()
            }
        }
    }
}
