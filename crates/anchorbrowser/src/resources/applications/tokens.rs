//! Tokens by which people become identities of an application.

use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Open as _;
use crate::{ApplicationId, Client, Secret, Timestamp, url};

/// A token by which a person logs in to an application; see
/// [`Applications::create_token`](super::Applications::create_token). It is not printed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IdentityToken {
    /// The token.
    pub token: Secret,
    /// The hash of the token.
    pub token_hash: Option<Secret>,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
}

pub(super) fn create(client: &Client, id: ApplicationId, callback: String) -> Call<IdentityToken> {
    let operation = "create_identity_token";
    if client.checks()
        && let Err(error) = url::https(operation, "callbackUrl", &callback)
    {
        return Call::refused(error);
    }
    let body = types::CreateIdentityTokenRequest::new(callback);
    Call::new(client, move |api| async move {
        let call = api.create_identity_token().application_id(id).body(body);
        call.send().await?.open("token", read)
    })
}

/// The service answers in two forms: flat, or as `data`.
fn read(answer: &mut types::CreateIdentityTokenResponse) -> Option<IdentityToken> {
    use types::CreateIdentityTokenResponse as Answer;
    let (token, token_hash, expires_at) = match answer {
        Answer::IdentityTokenResponse(flat) => (
            flat.token.take(),
            flat.token_hash.take(),
            flat.expires_at.take(),
        ),
        Answer::WrappedIdentityToken(wrapped) => {
            let data = wrapped.data.take()?;
            (data.token, data.token_hash, data.expires_at)
        }
        _ => return None,
    };
    Some(IdentityToken {
        token: token?,
        token_hash,
        expires_at,
    })
}
