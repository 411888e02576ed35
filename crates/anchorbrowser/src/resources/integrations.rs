//! Integrations with password managers.

use anchorbrowser_api::types;

use super::deletion::deleted;
use crate::call::Call;
use crate::error::{Error, Open as _};
use crate::{Client, IntegrationId, List, Secret, Timestamp};

pub use types::IntegrationType as Kind;

/// Integrations with password managers, from which sessions load secrets; see
/// [`Client::integrations`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client, token: String) -> anchorbrowser::Result<()> {
/// use anchorbrowser::integrations::{Integration, Provider};
///
/// let vault = client.integrations().create("vault", Provider::one_password(token)).await?;
/// let password = "op://shop/ann/password";
/// let integration = Integration::one_password_secrets(&vault.id, [password]);
/// let session = client.sessions().create().integration(&integration).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Integrations<'a> {
    client: &'a Client,
}

impl<'a> Integrations<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Connects a password manager, under a name of one character at least.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the name is empty.
    ///
    /// Calls `create_integration`.
    pub fn create(&self, name: impl Into<String>, provider: Provider) -> Call<IntegrationInfo> {
        let name = name.into();
        if self.client.checks() && name.is_empty() {
            let message = "`name` must not be empty";
            return Call::refused(Error::invalid("create_integration", message));
        }
        let body = provider.into_api(name);
        Call::new(self.client, move |api| async move {
            let answer = api.create_integration().body(body).send().await?;
            answer.open("data.integration.id", |answer| {
                let item = answer.data.take()?.integration?;
                item.id.as_ref()?;
                Some(item.into())
            })
        })
    }

    /// Lists integrations.
    ///
    /// Calls `list_integrations`.
    pub fn list(&self) -> List<IntegrationInfo> {
        let client = self.client.clone();
        List::new("list_integrations", move || {
            Call::new(&client, |api| async move {
                let answer = api.list_integrations().send().await?;
                answer.open("data.integrations", |answer| {
                    let items = answer.data.take()?.integrations;
                    Some(items.into_iter().map(Into::into).collect())
                })
            })
        })
    }

    /// Deletes an integration, with its credentials.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such integration;
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service answers that it did not
    /// succeed.
    ///
    /// Calls `delete_integration`.
    pub fn delete(&self, id: impl Into<IntegrationId>) -> Call<()> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_integration().integration_id(id).send().await?;
            let item = answer
                .data
                .as_ref()
                .and_then(|data| data.integration.as_ref());
            let success = item.and_then(|item| item.deleted);
            deleted(answer, success)
        })
    }
}

/// A password manager, and how the service reads from it. Its secrets are not printed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Provider {
    /// 1Password.
    OnePassword {
        /// The token of a service account.
        service_account: Secret,
    },
}

impl Provider {
    /// 1Password, by the token of a service account.
    pub fn one_password(service_account: impl Into<Secret>) -> Self {
        Self::OnePassword {
            service_account: service_account.into(),
        }
    }

    fn into_api(self, name: String) -> types::CreateIntegrationRequest {
        let Self::OnePassword { service_account } = self;
        let token = types::ServiceAccountCredentialsData::new(service_account);
        let kind = types::ServiceAccountCredentialsType::ServiceAccount;
        let credentials = types::ServiceAccountCredentials::new(kind, token);
        types::CreateIntegrationRequest::new(name, Kind::OnePassword, credentials)
    }
}

/// An integration that is stored with the service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IntegrationInfo {
    /// Its id.
    pub id: IntegrationId,
    /// What it is called.
    pub name: Option<String>,
    /// The kind of the password manager.
    pub kind: Option<Kind>,
    /// Where it is stored.
    pub path: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

impl From<types::IntegrationItem> for IntegrationInfo {
    fn from(item: types::IntegrationItem) -> Self {
        Self {
            id: item.id.unwrap_or_default().into(),
            name: item.name,
            kind: item.type_,
            path: item.path,
            created_at: item.created_at,
        }
    }
}

/// An integration as a session uses it; see
/// [`SessionOptions::integration`](crate::sessions::SessionOptions::integration).
#[derive(Clone, Debug)]
pub struct Integration(types::Integration);

impl Integration {
    /// All secrets of an integration with 1Password.
    pub fn one_password(id: impl Into<IntegrationId>) -> Self {
        let mode = types::OnePasswordAllSecretsConfigLoadMode::All;
        Self::of(
            id.into(),
            types::OnePasswordAllSecretsConfig::new(mode).into(),
        )
    }

    /// Some secrets of an integration with 1Password, by their references: one at least.
    pub fn one_password_secrets(
        id: impl Into<IntegrationId>,
        references: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mode = types::OnePasswordSpecificSecretsConfigLoadMode::Specific;
        let references = references.into_iter().map(Into::into).collect();
        let config = types::OnePasswordSpecificSecretsConfig::new(mode, references);
        Self::of(id.into(), config.into())
    }

    fn of(id: IntegrationId, config: types::OnePasswordConfig) -> Self {
        let kind = types::OnePasswordIntegrationType::OnePassword;
        Self(types::OnePasswordIntegration::new(id, kind, config).into())
    }

    pub(crate) fn to_api(&self) -> types::Integration {
        self.0.clone()
    }
}
