//! Guided logins.

use anchorbrowser_api::{ResponseValue, types};

use super::{LoginState, LoginView};
use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::poll::{Awaited, PollKind, PollToken, Poller, Wait, sealed};
use crate::{Client, IdentityId, Secret, SessionId, url};

/// A guided login in a session; see [`Identities::guided_login`](super::Identities::guided_login).
///
/// Each call that goes on with the login answers with what the service asks next. When it is logged
/// in, [`finalize`](Self::finalize) makes an identity of it.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client, password: String) -> anchorbrowser::Result<()> {
/// use anchorbrowser::identities::LoginStep;
///
/// let session = client.sessions().create().send().await?;
/// let login = client.identities().guided_login(session.id());
/// let mut view = login.start("https://shop.example/login").await?;
/// loop {
///     view = match &view.step {
///         LoginStep::Decision { options } => login.choose(&options[0].step_id).await?,
///         LoginStep::Form { .. } => {
///             login.fill(0, [("username", "ann"), ("password", password.as_str())]).await?
///         }
///         LoginStep::DetectionFailed { retryable: Some(true), .. } => login.settled().await?,
///         LoginStep::Authenticated { .. } => break,
///         other => {
///             eprintln!("the login needs a person: {other:?}");
///             return Ok(());
///         }
///     };
/// }
/// let ann = login.finalize().identity_name("Ann").send().await?;
/// println!("{}", ann.identity_id);
/// # Ok(())
/// # }
/// ```
///
/// While a step runs, all but [`state`](Self::state) fail with a conflict
/// ([`is_conflict`](Error::is_conflict)). After such a conflict, a timeout, or a
/// [`LoginStep::DetectionFailed`](super::LoginStep::DetectionFailed) that is retryable,
/// [`settled`](Self::settled) waits for a view to go on with.
#[derive(Clone, Debug)]
pub struct GuidedLogin {
    client: Client,
    session: SessionId,
}

impl GuidedLogin {
    pub(super) fn new(client: &Client, session: SessionId) -> Self {
        Self {
            client: client.clone(),
            session,
        }
    }

    /// The session that it takes place in.
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Opens a login page, and starts the login anew if there was one. An attempt gets three
    /// minutes at least.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `url` is no URL with a
    /// host; [`is_not_found`](Error::is_not_found) if there is no such session, or it has ended;
    /// [`is_conflict`](Error::is_conflict) while a step runs.
    ///
    /// Calls `start_dynamic_auth_flow`.
    pub fn start(&self, url: impl Into<String>) -> Call<LoginView> {
        let url = url.into();
        let host = url::host(&url);
        if self.client.checks() && host.is_none() {
            let message = "`url` must be a URL with a host, as in `https://..`";
            return Call::refused(Error::invalid("start_dynamic_auth_flow", message));
        }
        let body = types::AuthFlowV2StartRequest::new(url, host.unwrap_or_default());
        let session = self.session.clone();
        Call::new(&self.client, move |api| async move {
            let call = api.start_dynamic_auth_flow().session_id(session);
            Ok(call.body(body).send().await?.map(LoginView::new))
        })
    }

    /// How far the login is.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such session, or no login in it.
    ///
    /// Calls `get_dynamic_auth_flow_state`.
    pub fn state(&self) -> Call<LoginState> {
        let session = self.session.clone();
        Call::new(&self.client, move |api| fetch(api, session))
    }

    /// Waits until there is a view to go on with: await it for the view. That may be a decision, a
    /// form, the end of the login, or a view that this version of the SDK does not know.
    ///
    /// It is in progress while a step runs, or a phase that this version of the SDK does not know;
    /// while there is no view; and while the page is not understood
    /// ([`LoginStep::DetectionFailed`](super::LoginStep::DetectionFailed)), unless that is not
    /// retryable.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if the login failed, or the page is not
    /// understood for good, with the reason as [`message`](Error::message);
    /// [`is_not_found`](Error::is_not_found) if there is no such session, or no login in it;
    /// [`is_deadline`](Error::is_deadline) after 5 minutes, unless set otherwise: a login that stays
    /// retryable may need to be started anew, or a person.
    ///
    /// Calls `get_dynamic_auth_flow_state` for each poll.
    pub fn settled(&self) -> Poller<LoginView, LoginState> {
        let session = self.session.clone();
        let wait = Wait::new(
            PollKind::LoginStep,
            vec![session.to_string()],
            move |api| fetch(api, session.clone()),
            LoginState::place,
            LoginState::verdict,
        );
        Poller::new(&self.client, wait)
    }

    /// Answers a [`LoginStep::Decision`](super::LoginStep::Decision) by the `step_id` of an option.
    /// An attempt gets three minutes at least.
    ///
    /// # Errors
    /// [`is_conflict`](Error::is_conflict) while a step runs, or if there is nothing to answer.
    ///
    /// Calls `resolve_dynamic_auth_flow`.
    pub fn choose(&self, step_id: impl Into<String>) -> Call<LoginView> {
        self.resolve(types::AuthFlowV2DecisionResolve::new(step_id).into())
    }

    /// Answers a [`LoginStep::Form`](super::LoginStep::Form): which of its options, counted from 0,
    /// and a value for each of its inputs by name. An attempt gets three minutes at least.
    ///
    /// # Errors
    /// [`is_conflict`](Error::is_conflict) while a step runs, or if there is nothing to answer. That
    /// the site rejects what was filled in is no error: the next view says it.
    ///
    /// Calls `resolve_dynamic_auth_flow`.
    pub fn fill<N: Into<String>, V: Into<Secret>>(
        &self,
        option: u32,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Call<LoginView> {
        let values = values.into_iter();
        let values = values.map(|(name, value)| (name.into(), value.into()));
        self.resolve(types::AuthFlowV2FormResolve::new(option.into(), values.collect()).into())
    }

    fn resolve(&self, body: types::AuthFlowV2ResolveRequest) -> Call<LoginView> {
        let session = self.session.clone();
        Call::new(&self.client, move |api| async move {
            let call = api.resolve_dynamic_auth_flow().session_id(session);
            Ok(call.body(body).send().await?.map(LoginView::new))
        })
    }

    /// Makes an identity of a login that is authenticated, and a profile of the session.
    pub fn finalize(&self) -> FinalizeLogin {
        FinalizeLogin {
            client: self.client.clone(),
            session: self.session.clone(),
            body: Default::default(),
        }
    }
}

/// A view to go on with.
impl Awaited for LoginView {
    type Progress = LoginState;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, LoginState>> {
        let [session] = token.expect(PollKind::LoginStep)?;
        Ok(client.identities().guided_login(session).settled())
    }
}

impl sealed::Sealed for LoginView {}

async fn fetch(
    api: anchorbrowser_api::Client,
    session: SessionId,
) -> Result<ResponseValue<LoginState>> {
    let call = api.get_dynamic_auth_flow_state().session_id(session);
    Ok(call.send().await?.map(LoginState::new))
}

/// The end of a guided login; see [`GuidedLogin::finalize`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct FinalizeLogin {
    client: Client,
    session: SessionId,
    body: types::AuthFlowV2FinalizeRequest,
}

impl FinalizeLogin {
    /// What the identity is called.
    pub fn identity_name(mut self, name: impl Into<String>) -> Self {
        self.body.identity_name = Some(name.into());
        self
    }

    /// What the profile is called.
    pub fn profile_name(mut self, name: impl Into<String>) -> Self {
        self.body.profile_name = Some(name.into());
        self
    }

    /// Saves the login. An attempt gets three minutes at least.
    ///
    /// # Errors
    /// [`is_conflict`](Error::is_conflict) if the login is not authenticated, or the name of the
    /// profile is taken.
    ///
    /// Calls `finalize_dynamic_auth_flow`.
    pub fn send(self) -> Call<LoggedIn> {
        let Self {
            client,
            session,
            body,
        } = self;
        Call::new(&client, move |api| async move {
            let call = api.finalize_dynamic_auth_flow().session_id(session);
            call.body(body).send().await?.open("identityId", |answer| {
                Some(LoggedIn {
                    identity_id: answer.identity_id.take()?.into(),
                    profile_name: answer.profile_name.take(),
                    is_automatable: answer.automatable,
                    non_automatable_reasons: std::mem::take(&mut answer.non_automatable_reasons),
                })
            })
        })
    }
}

/// What a guided login was saved as.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The identity.
    pub identity_id: IdentityId,
    /// The profile.
    pub profile_name: Option<String>,
    /// Whether the service can repeat the login without a person.
    pub is_automatable: Option<bool>,
    /// Why it cannot.
    pub non_automatable_reasons: Vec<String>,
}
