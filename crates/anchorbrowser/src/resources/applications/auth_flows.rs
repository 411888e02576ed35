//! Auth flows: the ways to log in to an application.

use anchorbrowser_api::types;

use super::AuthMethod;
use crate::call::Call;
use crate::error::{Error, Open as _};
use crate::resources::deletion::deleted;
use crate::{ApplicationId, AuthFlowId, Client, List, Timestamp};

/// The auth flows of an application; see
/// [`Applications::auth_flows`](super::Applications::auth_flows).
#[derive(Clone, Debug)]
pub struct AuthFlows {
    client: Client,
    application: ApplicationId,
}

impl AuthFlows {
    pub(super) fn new(client: &Client, application: ApplicationId) -> Self {
        Self {
            client: client.clone(),
            application,
        }
    }

    /// Adds an auth flow with a name, and the methods that it logs in by: one at least.
    pub fn create(
        &self,
        name: impl Into<String>,
        methods: impl IntoIterator<Item = AuthMethod>,
    ) -> CreateAuthFlow {
        let methods = methods.into_iter().collect();
        CreateAuthFlow {
            flows: self.clone(),
            body: types::CreateAuthFlowRequest::new(name, methods),
        }
    }

    /// Lists the auth flows.
    ///
    /// Calls `list_auth_flows`.
    pub fn list(&self) -> List<AuthFlow> {
        let flows = self.clone();
        List::new("list_auth_flows", move || {
            let application = flows.application.clone();
            Call::new(&flows.client, move |api| async move {
                let call = api.list_auth_flows().application_id(application);
                call.send().await?.open("auth_flows", |answer| {
                    let items = std::mem::take(&mut answer.auth_flows);
                    Some(items.into_iter().map(Into::into).collect())
                })
            })
        })
    }

    /// Changes an auth flow. What is not set stays as it is.
    pub fn update(&self, id: impl Into<AuthFlowId>) -> UpdateAuthFlow {
        UpdateAuthFlow {
            flows: self.clone(),
            id: id.into(),
            body: Default::default(),
        }
    }

    /// Deletes an auth flow.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the service answers that it did not
    /// succeed.
    ///
    /// Calls `delete_auth_flow`.
    pub fn delete(&self, id: impl Into<AuthFlowId>) -> Call<()> {
        let (application, id) = (self.application.clone(), id.into());
        Call::new(&self.client, move |api| async move {
            let call = api.delete_auth_flow().application_id(application);
            let answer = call.auth_flow_id(id).send().await?;
            let success = answer.success;
            deleted(answer, success)
        })
    }
}

/// The creation of an auth flow; see [`AuthFlows::create`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateAuthFlow {
    flows: AuthFlows,
    body: types::CreateAuthFlowRequest,
}

/// A change of an auth flow; see [`AuthFlows::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct UpdateAuthFlow {
    flows: AuthFlows,
    id: AuthFlowId,
    body: types::UpdateAuthFlowRequest,
}

/// Writes the setters that creation and change have in common.
macro_rules! setters {
    ($($type:ident),*) => {$(
        impl $type {
            /// What the flow is.
            pub fn description(mut self, text: impl Into<String>) -> Self {
                self.body.description = Some(text.into());
                self
            }

            /// Whether it is the recommended flow of the application.
            pub fn recommended(mut self, on: bool) -> Self {
                self.body.is_recommended = Some(on);
                self
            }

            /// The names of the fields that the method [`AuthMethod::Custom`] asks for.
            pub fn custom_fields(
                mut self,
                names: impl IntoIterator<Item = impl Into<String>>,
            ) -> Self {
                let fields = names.into_iter().map(types::CustomFieldDefinition::new);
                self.body.custom_fields = Some(fields.collect());
                self
            }
        }
    )*};
}

setters!(CreateAuthFlow, UpdateAuthFlow);

impl CreateAuthFlow {
    /// Adds the auth flow.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) without a method.
    ///
    /// Calls `create_auth_flow`.
    pub fn send(self) -> Call<AuthFlow> {
        let Self { flows, body } = self;
        if flows.client.checks() && body.methods.is_empty() {
            let message = "`methods` must hold one method at least";
            return Call::refused(Error::invalid("create_auth_flow", message));
        }
        Call::new(&flows.client, move |api| async move {
            let call = api.create_auth_flow().application_id(flows.application);
            call.body(body).send().await?.open("id", |answer| {
                answer.id.as_ref()?;
                Some(std::mem::take(answer).into())
            })
        })
    }
}

impl UpdateAuthFlow {
    /// What the flow is called.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// The methods that it logs in by, in place of those so far.
    pub fn methods(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        self.body.methods = Some(methods.into_iter().collect());
        self
    }

    /// Changes the auth flow.
    ///
    /// Calls `update_auth_flow`.
    pub fn send(self) -> Call<AuthFlow> {
        let Self { flows, id, body } = self;
        Call::new(&flows.client, move |api| async move {
            let call = api.update_auth_flow().application_id(flows.application);
            let call = call.auth_flow_id(id).body(body);
            call.send().await?.open("id", |answer| {
                answer.id.as_ref()?;
                Some(std::mem::take(answer).into())
            })
        })
    }
}

/// An auth flow: a way to log in to an application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthFlow {
    /// Its id.
    pub id: AuthFlowId,
    /// What it is called.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Whether it is the recommended flow of its application.
    pub is_recommended: Option<bool>,
    /// The methods that it logs in by.
    pub methods: Vec<AuthMethod>,
    /// The names of the fields that the method [`AuthMethod::Custom`] asks for.
    pub custom_fields: Vec<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

/// The document has a type of its own for each answer, with the same fields.
macro_rules! auth_flows {
    ($($type:ident),*) => {$(
        impl From<types::$type> for AuthFlow {
            fn from(item: types::$type) -> Self {
                let fields = item.custom_fields.into_iter();
                Self {
                    id: item.id.unwrap_or_default().into(),
                    name: item.name,
                    description: item.description,
                    is_recommended: item.is_recommended,
                    methods: item.methods.into_iter().map(Into::into).collect(),
                    custom_fields: fields.map(|field| field.name).collect(),
                    created_at: item.created_at,
                    updated_at: item.updated_at,
                }
            }
        }
    )*};
}

auth_flows!(AuthFlowItem, CreateAuthFlowResponse, UpdateAuthFlowResponse);
