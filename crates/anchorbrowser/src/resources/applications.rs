//! Applications, and how their users log in to them.

mod auth_flows;
mod list;
mod tokens;

use anchorbrowser_api::types;

use super::deletion::deleted;
use crate::call::Call;
use crate::error::Open as _;
use crate::resources::paging::count;
use crate::{ApplicationId, Client, Timestamp, url};

pub use auth_flows::{AuthFlow, AuthFlows, CreateAuthFlow, UpdateAuthFlow};
pub use list::{ApplicationIdentity, ListApplicationIdentities, ListApplications};
pub use tokens::IdentityToken;
pub use types::AuthMethod;

/// Applications: the sites that identities log in to; see [`Client::applications`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// use anchorbrowser::applications::AuthMethod;
///
/// let shop = client.applications().create("https://shop.example/login").name("Shop").send().await?;
/// let flows = client.applications().auth_flows(&shop.id);
/// flows.create("with a code", [AuthMethod::UsernamePassword, AuthMethod::Authenticator]).send().await?;
/// let token = client.applications().create_token(&shop.id, "https://example.com/back").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Applications<'a> {
    client: &'a Client,
}

impl<'a> Applications<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates an application, of which `source` is the URL: a login page, for example.
    pub fn create(&self, source: impl Into<String>) -> CreateApplication {
        CreateApplication {
            client: self.client.clone(),
            body: types::CreateApplicationRequest::new(source),
        }
    }

    /// Gets an application.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such application.
    ///
    /// Calls `get_application`.
    pub fn get(&self, id: impl Into<ApplicationId>) -> Call<Application> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_application().application_id(id).send().await?;
            answer.open("id", |answer| {
                answer.id.as_ref()?;
                Some(std::mem::take(answer).into())
            })
        })
    }

    /// Lists applications.
    pub fn list(&self) -> ListApplications {
        ListApplications::new(self.client)
    }

    /// Deletes an application.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such application;
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service answers that it did not succeed.
    ///
    /// Calls `delete_application`.
    pub fn delete(&self, id: impl Into<ApplicationId>) -> Call<()> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_application().application_id(id).send().await?;
            let success = answer.success;
            deleted(answer, success)
        })
    }

    /// Lists the identities of an application.
    pub fn identities(&self, id: impl Into<ApplicationId>) -> ListApplicationIdentities {
        ListApplicationIdentities::new(self.client, id.into())
    }

    /// The auth flows of an application: the ways to log in to it. Nothing is sent.
    pub fn auth_flows(&self, id: impl Into<ApplicationId>) -> AuthFlows {
        AuthFlows::new(self.client, id.into())
    }

    /// Issues a token by which a person of yours logs in to an application, and so becomes an
    /// identity of it. Afterwards the person is sent to `callback_url`, which must be an HTTPS URL.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `callback_url` is no HTTPS URL;
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such application.
    ///
    /// Calls `create_identity_token`.
    pub fn create_token(
        &self,
        id: impl Into<ApplicationId>,
        callback_url: impl Into<String>,
    ) -> Call<IdentityToken> {
        tokens::create(self.client, id.into(), callback_url.into())
    }
}

/// The creation of an application; see [`Applications::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateApplication {
    client: Client,
    body: types::CreateApplicationRequest,
}

impl CreateApplication {
    /// What it is called.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// What it is.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// Creates the application. The answer has no count of identities and no methods.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `source` is no URL.
    ///
    /// Calls `create_application`.
    pub fn send(self) -> Call<Application> {
        let Self { client, body } = self;
        if client.checks()
            && let Err(error) = url::absolute("create_application", "source", &body.source)
        {
            return Call::refused(error);
        }
        Call::new(&client, move |api| async move {
            let answer = api.create_application().body(body).send().await?;
            answer.open("id", |answer| {
                Some(Application {
                    id: answer.id.take()?.into(),
                    name: answer.name.take(),
                    description: answer.description.take(),
                    url: answer.url.take(),
                    identity_count: None,
                    auth_methods: Vec::new(),
                    created_at: answer.created_at.take(),
                    updated_at: None,
                })
            })
        })
    }
}

/// An application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// What it is called.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// How many identities it has.
    pub identity_count: Option<u64>,
    /// The methods that its auth flows log in by.
    pub auth_methods: Vec<AuthMethod>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

/// The document has a type of its own for each answer, with the same fields.
macro_rules! applications {
    ($($type:ident),*) => {$(
        impl From<types::$type> for Application {
            fn from(item: types::$type) -> Self {
                Self {
                    id: item.id.unwrap_or_default().into(),
                    name: item.name,
                    description: item.description,
                    url: item.url,
                    identity_count: count(item.identity_count),
                    auth_methods: item.auth_methods.into_iter().map(Into::into).collect(),
                    created_at: item.created_at,
                    updated_at: item.updated_at,
                }
            }
        }
    )*};
}

applications!(ApplicationItem, GetApplicationResponse);
