//! Creation and change of identities.

use std::time::Duration;

use anchorbrowser_api::{Needs, types};
use serde_json::{Map, Value};

use super::{Credential, Identity};
use crate::call::Call;
use crate::error::Open as _;
use crate::macros::set;
use crate::{Client, IdentityId, url};

/// The least time that an attempt gets whose answer waits for a login.
const LOGIN: Duration = Duration::from_secs(600);

/// The creation of an identity; see [`Identities::create`](super::Identities::create).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateIdentity {
    client: Client,
    validate_async: Option<bool>,
    body: types::CreateIdentityRequest,
}

/// A change of an identity; see [`Identities::update`](super::Identities::update).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateIdentity {
    client: Client,
    id: IdentityId,
    body: types::UpdateIdentityRequest,
}

impl CreateIdentity {
    pub(super) fn new(client: &Client, source: String) -> Self {
        Self {
            client: client.clone(),
            validate_async: None,
            body: types::CreateIdentityRequest::new(source),
        }
    }

    /// What it is called; default `Unnamed Identity`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// Adds a credential. An identity need not have one.
    pub fn credential(mut self, credential: Credential) -> Self {
        let list = self.body.credentials.get_or_insert_default();
        list.push(credential.into_api());
        self
    }

    /// Stores this with it, by which it can be found.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let metadata = self.body.metadata.get_or_insert_default();
        metadata.insert(key.into(), value.into());
        self
    }

    /// The name of the application that it is linked to.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.body.application_name = Some(name.into());
        self
    }

    /// What that application is.
    pub fn application_description(mut self, text: impl Into<String>) -> Self {
        self.body.application_description = Some(text.into());
        self
    }

    /// Whether the answer comes before the credentials are tried; default yes. If not, the answer
    /// has the outcome, and the attempt gets ten minutes at least.
    pub fn validate_async(mut self, on: bool) -> Self {
        self.validate_async = Some(on);
        self
    }

    /// Creates the identity. A login that fails is no error: the status is then
    /// [`Failed`](super::Status::Failed).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `source` is no URL.
    ///
    /// Calls `create_identity`.
    pub fn send(self) -> Call<Identity> {
        let Self {
            mut client,
            validate_async,
            body,
        } = self;
        if client.checks()
            && let Err(error) = url::absolute("create_identity", "source", &body.source)
        {
            return Call::refused(error);
        }
        if validate_async == Some(false) {
            client = client.needing(Needs {
                at_least: Some(LOGIN),
                ..Needs::default()
            });
        }
        Call::new(&client, move |api| async move {
            let mut call = api.create_identity().body(body);
            set!(call, validate_async: validate_async);
            call.send().await?.open("id", |answer| {
                Some(Identity {
                    id: answer.id.take()?.into(),
                    name: answer.name.take(),
                    source: None,
                    status: answer.status.take(),
                    metadata: std::mem::take(&mut answer.metadata),
                    created_at: answer.created_at.take(),
                    updated_at: None,
                })
            })
        })
    }
}

impl UpdateIdentity {
    pub(super) fn new(client: &Client, id: IdentityId) -> Self {
        Self {
            client: client.clone(),
            id,
            body: Default::default(),
        }
    }

    /// What it is called.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// The credentials, in place of those so far; none if the list is empty.
    pub fn credentials(mut self, credentials: impl IntoIterator<Item = Credential>) -> Self {
        let list = credentials.into_iter().map(Credential::into_api);
        self.body.credentials = Some(list.collect());
        self
    }

    /// What is stored with it, in place of what was; nothing if the map is empty.
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.body.metadata = Some(metadata);
        self
    }

    /// Changes the identity. The answer does not tell whether new credentials work:
    /// [`wait_until_validated`](super::Identities::wait_until_validated) does.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such identity.
    ///
    /// Calls `update_identity`.
    pub fn send(self) -> Call<Identity> {
        let Self { client, id, body } = self;
        Call::new(&client, move |api| async move {
            let answer = api.update_identity().identity_id(id).body(body);
            answer.send().await?.open("id", |answer| {
                Some(Identity {
                    id: answer.id.take()?.into(),
                    name: answer.name.take(),
                    source: None,
                    status: None,
                    metadata: std::mem::take(&mut answer.metadata),
                    created_at: None,
                    updated_at: answer.updated_at.take(),
                })
            })
        })
    }
}
