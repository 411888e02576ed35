//! Browser profiles.

use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Open as _;
use crate::{Client, List, SessionId, Timestamp};

pub use types::ProfileResponseSchemaSource as Source;

/// Profiles: what a browser keeps from one session to the next, such as cookies, local storage and
/// cache; see [`Client::profiles`].
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let session = client.sessions().create().send().await?;
/// session.goto("https://shop.example").await?;
/// client.profiles().create("shopper").session(session.id()).send().await?;
/// session.end().await?; // the profile is stored
/// let again = client.sessions().create().profile("shopper").send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Profiles<'a> {
    client: &'a Client,
}

impl<'a> Profiles<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a profile, which is known by its name.
    pub fn create(&self, name: impl Into<String>) -> CreateProfile {
        CreateProfile {
            client: self.client.clone(),
            body: types::ProfileRequestSchema::new(name),
        }
    }

    /// Gets a profile.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such profile.
    ///
    /// Calls `get_profile`.
    pub fn get(&self, name: impl Into<String>) -> Call<Profile> {
        let name = name.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_profile().name(name).send().await?;
            answer.open("data.name", |answer| {
                let data = answer.data.take()?;
                data.name.as_ref()?;
                Some(data.into())
            })
        })
    }

    /// Lists profiles.
    ///
    /// Calls `list_profiles`.
    pub fn list(&self) -> List<Profile> {
        let client = self.client.clone();
        List::new("list_profiles", move || {
            Call::new(&client, |api| async move {
                let answer = api.list_profiles().send().await?;
                answer.open("data.items", |answer| {
                    let items = answer.data.take()?.items;
                    Some(items.into_iter().map(Into::into).collect())
                })
            })
        })
    }

    /// Deletes a profile.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such profile.
    ///
    /// Calls `delete_profile`.
    pub fn delete(&self, name: impl Into<String>) -> Call<()> {
        let name = name.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_profile().name(name).send().await?;
            Ok(answer.map(drop))
        })
    }
}

/// The creation of a profile; see [`Profiles::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateProfile {
    client: Client,
    body: types::ProfileRequestSchema,
}

impl CreateProfile {
    /// Makes the profile from a session, which must run. It is stored when the session ends.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.body.source = Some(types::ProfileRequestSchemaSource::Session);
        self.body.session_id = Some(id.into().into_string());
        self
    }

    /// What it is for.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.body.description = Some(text.into());
        self
    }

    /// Whether the profile has an IP address of its own, which stays the same; default no.
    pub fn dedicated_sticky_ip(mut self, on: bool) -> Self {
        self.body.dedicated_sticky_ip = Some(on);
        self
    }

    /// Creates the profile.
    ///
    /// # Errors
    /// [`is_conflict`](crate::Error::is_conflict) if the name is taken;
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such session, or it cannot be
    /// reached; [`status`](crate::Error::status) 501 if the service does not support what is asked
    /// for.
    ///
    /// Calls `create_profile`.
    pub fn send(self) -> Call<()> {
        let Self { client, body } = self;
        Call::new(&client, move |api| async move {
            let answer = api.create_profile().body(body).send().await?;
            Ok(answer.map(drop))
        })
    }
}

/// A profile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its state, e.g. `pending` or `ready`: the API does not limit the words.
    pub status: Option<String>,
    /// What it was made from.
    pub source: Option<Source>,
    /// The session that it was made from.
    pub session_id: Option<SessionId>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

impl From<types::ProfileResponseSchema> for Profile {
    fn from(item: types::ProfileResponseSchema) -> Self {
        Self {
            name: item.name.unwrap_or_default(),
            description: item.description,
            status: item.status,
            source: item.source,
            session_id: item.session_id.map(Into::into),
            created_at: item.created_at,
        }
    }
}
