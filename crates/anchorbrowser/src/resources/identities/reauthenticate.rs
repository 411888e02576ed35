use anchorbrowser_api::types;

use super::{AuthStatus, ReauthenticationMethod};
use crate::call::Call;
use crate::{Client, IdentityId, SessionId};

/// A repeated login of an identity; see
/// [`Identities::reauthenticate`](super::Identities::reauthenticate).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Reauthenticate {
    client: Client,
    id: IdentityId,
    body: types::ReauthenticateIdentityRequest,
}

impl Reauthenticate {
    pub(super) fn new(client: &Client, id: IdentityId) -> Self {
        Self {
            client: client.clone(),
            id,
            body: Default::default(),
        }
    }

    /// Whether the answer waits for the end of the login; default yes.
    pub fn sync(mut self, on: bool) -> Self {
        self.body.sync = Some(on);
        self
    }

    /// Logs the identity in. An attempt gets ten minutes at least.
    ///
    /// # Errors
    /// [`status`](crate::Error::status) 412 if the identity has no credentials, 422 if the login
    /// failed; [`is_not_found`](crate::Error::is_not_found) if there is no such identity.
    ///
    /// Calls `reauthenticate_identity`.
    pub fn send(self) -> Call<Reauthentication> {
        let Self { client, id, body } = self;
        Call::new(&client, move |api| async move {
            let call = api
                .reauthenticate_identity()
                .identity_id(id.as_str())
                .body(body);
            let answer = call.send().await?;
            Ok(answer.map(|answer| Reauthentication {
                identity_id: answer.identity_id.map_or(id, Into::into),
                session_id: answer.session_id.map(Into::into),
                status: answer.auth_status,
                is_async: answer.async_,
                method: answer.method,
            }))
        })
    }
}

/// What became of a repeated login.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reauthentication {
    /// The identity.
    pub identity_id: IdentityId,
    /// The session that the login takes place in.
    pub session_id: Option<SessionId>,
    /// Whether it is done.
    pub status: Option<AuthStatus>,
    /// Whether the answer came before the end of the login.
    pub is_async: Option<bool>,
    /// How the service logs in.
    pub method: Option<ReauthenticationMethod>,
}
