//! Identities: who a browser is logged in as.

mod change;
mod credential;
mod form;
mod login;
mod reauthenticate;
mod view;

use anchorbrowser_api::{ResponseValue, types};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::poll::{Awaited, Failure, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::{Client, IdentityId, SessionId, Timestamp};

pub use change::{CreateIdentity, UpdateIdentity};
pub use credential::Credential;
pub use form::{FormInput, FormOption};
pub use login::{FinalizeLogin, GuidedLogin, LoggedIn};
pub use reauthenticate::{Reauthenticate, Reauthentication};
pub use types::AuthFlowV2DetectionFailedViewNodeStatus as NodeStatus;
pub use types::AuthFlowV2FormOptionType as FormKind;
pub use types::AuthFlowV2StateDiscoveryStatus as DiscoveryStatus;
pub use types::AuthFlowV2StateNav as Navigation;
pub use types::AuthFlowV2StateNavStatus as NavigationStatus;
pub use types::AuthFlowV2StatePhase as Phase;
pub use types::AuthFlowV2StateTarget as Target;
pub use types::IdentityStatus as Status;
pub use types::ReauthenticateIdentityResponseAuthStatus as AuthStatus;
pub use types::ReauthenticateIdentityResponseMethod as ReauthenticationMethod;
pub use view::{Choice, LoginState, LoginStep, LoginView};

/// Identities: who a browser is logged in as; see [`Client::identities`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client, password: String) -> anchorbrowser::Result<()> {
/// use anchorbrowser::identities::Credential;
///
/// let create = client.identities().create("https://shop.example/login").name("Ann");
/// let ann = create.credential(Credential::password("ann@example.com", password)).send().await?;
/// client.identities().wait_until_validated(&ann.id).await?;
/// let session = client.sessions().create().identity(&ann.id).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Identities<'a> {
    client: &'a Client,
}

impl<'a> Identities<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates an identity at `source`, a URL: that of a login page, for example. By default the
    /// service tries its credentials later, and the status tells the outcome:
    /// [`wait_until_validated`](Self::wait_until_validated).
    pub fn create(&self, source: impl Into<String>) -> CreateIdentity {
        CreateIdentity::new(self.client, source.into())
    }

    /// Gets an identity.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such identity.
    ///
    /// Calls `get_identity`.
    pub fn get(&self, id: impl Into<IdentityId>) -> Call<Identity> {
        let id = id.into();
        Call::new(self.client, move |api| fetch(api, id))
    }

    /// Waits until the credentials of an identity have been tried, and work: await it for the
    /// identity.
    ///
    /// It is in progress while it is pending, and in a state that this version of the SDK does not
    /// know. One without credentials stays pending.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the login failed: the service gives no
    /// reason; [`is_not_found`](crate::Error::is_not_found) if there is no such identity;
    /// [`is_deadline`](crate::Error::is_deadline) after 10 minutes, unless set otherwise.
    ///
    /// Calls `get_identity` for each poll.
    pub fn wait_until_validated(&self, id: impl Into<IdentityId>) -> Poller<Identity, Identity> {
        let id = id.into();
        let wait = Wait::new(
            PollKind::Validation,
            vec![id.to_string()],
            move |api| fetch(api, id.clone()),
            Identity::place,
            Identity::verdict,
        );
        Poller::new(self.client, wait)
    }

    /// Changes an identity. What is not set stays as it is.
    pub fn update(&self, id: impl Into<IdentityId>) -> UpdateIdentity {
        UpdateIdentity::new(self.client, id.into())
    }

    /// Deletes an identity.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such identity.
    ///
    /// Calls `delete_identity`.
    pub fn delete(&self, id: impl Into<IdentityId>) -> Call<()> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_identity().identity_id(id).send().await?;
            Ok(answer.map(drop))
        })
    }

    /// Logs an identity in again, in a session that the service starts for it.
    pub fn reauthenticate(&self, id: impl Into<IdentityId>) -> Reauthenticate {
        Reauthenticate::new(self.client, id.into())
    }

    /// A guided login in a session that runs: the service works through the pages of a site, and
    /// asks for what it needs. Nothing is sent.
    pub fn guided_login(&self, session: impl Into<SessionId>) -> GuidedLogin {
        GuidedLogin::new(self.client, session.into())
    }
}

/// An identity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// What it is called.
    pub name: Option<String>,
    /// The URL that it belongs to; only [`Identities::get`] tells it.
    pub source: Option<String>,
    /// How far its login has been tried; [`UpdateIdentity`] does not tell it.
    pub status: Option<Status>,
    /// What was stored with it.
    pub metadata: Map<String, Value>,
    /// When it was created; [`UpdateIdentity`] does not tell it.
    pub created_at: Option<Timestamp>,
    /// When it was changed last; [`CreateIdentity`] does not tell it.
    pub updated_at: Option<Timestamp>,
}

impl Identity {
    fn place(&self) -> Place {
        Place::told(self.status.as_ref())
    }

    fn verdict(&self) -> Verdict<Self> {
        match self.status {
            Some(Status::Validated) => Verdict::Done(self.clone()),
            Some(Status::Failed) => Verdict::Failed(Failure {
                note: Some("the login with its credentials failed; update them"),
                reason: None,
            }),
            _ => Verdict::InProgress,
        }
    }
}

/// An identity that is validated.
impl Awaited for Identity {
    type Progress = Self;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self>> {
        let [id] = token.expect(PollKind::Validation)?;
        Ok(client.identities().wait_until_validated(id))
    }
}

impl sealed::Sealed for Identity {}

async fn fetch(api: anchorbrowser_api::Client, id: IdentityId) -> Result<ResponseValue<Identity>> {
    let answer = api.get_identity().identity_id(id).send().await?;
    answer.open("id", |answer| {
        Some(Identity {
            id: answer.id.take()?.into(),
            name: answer.name.take(),
            source: answer.source.take(),
            status: answer.status.take(),
            metadata: std::mem::take(&mut answer.metadata),
            created_at: answer.created_at.take(),
            updated_at: answer.updated_at.take(),
        })
    })
}
