//! Lists of applications, and of the identities of one.

use anchorbrowser_api::types;
use serde_json::{Map, Value};

use super::Application;
use crate::call::Call;
use crate::error::Open as _;
use crate::identities::Status;
use crate::macros::set;
use crate::{ApplicationId, Client, IdentityId, List, Page, PageStream, Timestamp};

/// A list of applications; see [`Applications::list`](super::Applications::list).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListApplications {
    client: Client,
    search: Option<String>,
}

impl ListApplications {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            search: None,
        }
    }

    /// Keeps applications whose name matches this text.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// All applications, which are one page.
    ///
    /// Calls `list_applications`.
    pub fn send(self) -> Call<Page<Application>> {
        self.list().send()
    }

    /// All applications.
    ///
    /// Calls `list_applications`.
    pub fn stream(self) -> PageStream<Application> {
        self.list().stream()
    }

    fn list(self) -> List<Application> {
        List::new("list_applications", move || self.clone().fetch())
    }

    fn fetch(self) -> Call<Vec<Application>> {
        Call::new(&self.client, move |api| async move {
            let mut call = api.list_applications();
            set!(call, search: self.search);
            call.send().await?.open("applications", |answer| {
                let items = std::mem::take(&mut answer.applications);
                Some(items.into_iter().map(Into::into).collect())
            })
        })
    }
}

/// A list of the identities of an application; see
/// [`Applications::identities`](super::Applications::identities).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListApplicationIdentities {
    client: Client,
    application: ApplicationId,
    search: Option<String>,
    metadata: Map<String, Value>,
}

impl ListApplicationIdentities {
    pub(super) fn new(client: &Client, application: ApplicationId) -> Self {
        Self {
            client: client.clone(),
            application,
            search: None,
            metadata: Map::new(),
        }
    }

    /// Keeps identities whose name matches this text.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Keeps identities that have this in their metadata, and all else that was given.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// All identities, which are one page.
    ///
    /// Calls `list_application_identities`.
    pub fn send(self) -> Call<Page<ApplicationIdentity>> {
        self.list().send()
    }

    /// All identities.
    ///
    /// Calls `list_application_identities`.
    pub fn stream(self) -> PageStream<ApplicationIdentity> {
        self.list().stream()
    }

    fn list(self) -> List<ApplicationIdentity> {
        List::new("list_application_identities", move || self.clone().fetch())
    }

    fn fetch(self) -> Call<Vec<ApplicationIdentity>> {
        Call::new(&self.client, move |api| async move {
            let call = api.list_application_identities();
            let mut call = call.application_id(self.application);
            set!(call,
                search: self.search,
                metadata: (!self.metadata.is_empty()).then_some(Value::Object(self.metadata)),
            );
            call.send().await?.open("identities", |answer| {
                let items = std::mem::take(&mut answer.identities);
                Some(items.into_iter().map(Into::into).collect())
            })
        })
    }
}

/// An identity in the list of its application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplicationIdentity {
    /// Its id.
    pub id: IdentityId,
    /// What it is called.
    pub name: Option<String>,
    /// How far its login has been tried.
    pub status: Option<Status>,
    /// The auth flow that it is linked to.
    pub auth_flow: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl From<types::ApplicationIdentityItem> for ApplicationIdentity {
    fn from(item: types::ApplicationIdentityItem) -> Self {
        Self {
            id: item.id.unwrap_or_default().into(),
            name: item.name,
            status: item.status,
            auth_flow: item.auth_flow,
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }
}
