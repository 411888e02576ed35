//! What a guided login shows.

use anchorbrowser_api::types::{self, AuthFlowV2View as Sent};
use anchorbrowser_api::wire::SecretJson;

use super::{DiscoveryStatus, FormOption, Navigation, NodeStatus, Phase, Target};
use crate::poll::{Place, Verdict};
use crate::{CdpUrl, LiveViewUrl, SessionId, Timestamp};

/// What a guided login asks or reports.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoginView {
    /// What it asks or reports.
    pub step: LoginStep,
    /// The id of the step.
    pub step_id: Option<String>,
    /// The step in words.
    pub step_label: Option<String>,
    /// The host of the login page.
    pub host: Option<String>,
    /// The session that the login takes place in.
    pub session_id: Option<SessionId>,
    /// Where a driver of the session's browser connects to.
    pub cdp_url: Option<CdpUrl>,
    /// The page that shows the session's browser, where a person can help.
    pub live_view_url: Option<LiveViewUrl>,
    /// Why the page was not understood.
    pub discovery_error: Option<String>,
}

/// The step that a guided login is at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LoginStep {
    /// There are several ways to go on; see [`GuidedLogin::choose`](super::GuidedLogin::choose).
    Decision {
        /// The ways.
        options: Vec<Choice>,
    },
    /// Something is to be filled in; see [`GuidedLogin::fill`](super::GuidedLogin::fill).
    Form {
        /// What can be filled in: one of these.
        options: Vec<FormOption>,
        /// Whether name and password were accepted before.
        credentials_passed: Option<bool>,
        /// Whether the site rejected what was filled in last.
        credentials_rejected: Option<bool>,
    },
    /// The page was not understood. If it is retryable, the service goes on looking: see
    /// [`GuidedLogin::settled`](super::GuidedLogin::settled).
    DetectionFailed {
        /// How far the page is understood.
        node_status: Option<NodeStatus>,
        /// Whether it can still succeed.
        retryable: Option<bool>,
        /// What to do.
        message: Option<String>,
        /// What went wrong last.
        last_error: Option<String>,
    },
    /// The browser is logged in; see [`GuidedLogin::finalize`](super::GuidedLogin::finalize).
    Authenticated {
        /// What to do.
        message: Option<String>,
    },
    /// The login failed.
    Failed {
        /// Why.
        error: Option<String>,
        /// Whether starting it anew may help.
        retryable: Option<bool>,
    },
    /// A step that this version of the SDK does not know: the whole view. It may hold secrets, so
    /// `Debug` does not show it.
    Unknown(SecretJson),
}

impl LoginStep {
    /// The API's word for it.
    fn word(&self) -> &str {
        match self {
            Self::Decision { .. } => "decision",
            Self::Form { .. } => "form",
            Self::DetectionFailed { .. } => "detection_failed",
            Self::Authenticated { .. } => "authenticated",
            Self::Failed { .. } => "failed",
            Self::Unknown(_) => "a view of another kind",
        }
    }
}

/// A way to go on with a guided login.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Choice {
    /// What to choose it by.
    pub step_id: String,
    /// What it is, in words.
    pub label: Option<String>,
    /// Whether the service can repeat it without a person.
    pub is_automatable: Option<bool>,
}

/// Puts what all views have beside the step.
macro_rules! beside {
    ($view:ident, $step:expr) => {
        LoginView {
            step: $step,
            step_id: $view.step_id,
            step_label: $view.current_step_label,
            host: $view.host,
            session_id: $view.session_id.map(Into::into),
            cdp_url: $view.cdp_url.map(Into::into),
            live_view_url: $view.live_view_url.map(Into::into),
            discovery_error: $view.discovery_error,
        }
    };
}

impl LoginView {
    pub(super) fn new(sent: Sent) -> Self {
        match sent {
            Sent::Decision(view) => {
                let options = view.options.into_iter().map(Choice::new).collect();
                beside!(view, LoginStep::Decision { options })
            }
            Sent::Form(view) => {
                let options = view.options.into_iter();
                let step = LoginStep::Form {
                    options: options.map(FormOption::new).collect(),
                    credentials_passed: view.credentials_passed,
                    credentials_rejected: view.credentials_rejected,
                };
                beside!(view, step)
            }
            Sent::DetectionFailed(view) => {
                let step = LoginStep::DetectionFailed {
                    node_status: view.node_status,
                    retryable: view.retryable,
                    message: view.message,
                    last_error: view.last_error,
                };
                beside!(view, step)
            }
            Sent::Authenticated(view) => {
                let message = view.message;
                beside!(view, LoginStep::Authenticated { message })
            }
            Sent::Failed(view) => {
                let step = LoginStep::Failed {
                    error: view.error,
                    retryable: view.retryable,
                };
                beside!(view, step)
            }
            other => Self::unknown(&other),
        }
    }

    /// What all views have, as far as this one has it.
    fn unknown(sent: &Sent) -> Self {
        let json = serde_json::to_value(sent).unwrap_or_default();
        let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        let secret = |name: &str| text(name).map(crate::Secret::from);
        Self {
            step_id: text("step_id"),
            step_label: text("current_step_label"),
            host: text("host"),
            session_id: text("session_id").map(Into::into),
            cdp_url: secret("cdp_url").map(Into::into),
            live_view_url: secret("live_view_url").map(Into::into),
            discovery_error: text("discovery_error"),
            step: LoginStep::Unknown(json.into()),
        }
    }
}

impl Choice {
    fn new(option: types::AuthFlowV2DecisionOption) -> Self {
        Self {
            step_id: option.step_id.unwrap_or_default(),
            label: option.label,
            is_automatable: option.automatable,
        }
    }
}

/// How far a guided login is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoginState {
    /// Whether a step runs. While one does, there is no view.
    pub phase: Option<Phase>,
    /// What it asks or reports.
    pub view: Option<LoginView>,
    /// The id of the step that it is at.
    pub current_step_id: Option<String>,
    /// Where the step that runs is meant to lead.
    pub target: Option<Target>,
    /// What became of the last step.
    pub navigation: Option<Navigation>,
    /// How far the page is understood.
    pub discovery_status: Option<DiscoveryStatus>,
    /// Why the page was not understood.
    pub discovery_error: Option<String>,
    /// The number of the map of pages that the service makes.
    pub graph_id: Option<i64>,
    /// The session that the login takes place in.
    pub session_id: Option<SessionId>,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
}

impl LoginState {
    pub(super) fn new(sent: types::AuthFlowV2State) -> Self {
        Self {
            phase: sent.phase,
            view: sent.view.map(LoginView::new),
            current_step_id: sent.current_step_id,
            target: sent.target,
            navigation: sent.nav,
            discovery_status: sent.discovery_status,
            discovery_error: sent.discovery_error,
            graph_id: sent.graph_id,
            session_id: sent.session_id.map(Into::into),
            updated_at: sent.updated_at.and_then(from_millis),
        }
    }

    /// The view, if there is one to be heeded: one that comes while a step runs is that before it.
    fn settled(&self) -> Option<&LoginView> {
        let is_settled = matches!(self.phase, None | Some(Phase::Settled));
        self.view.as_ref().filter(|_| is_settled)
    }

    pub(super) fn place(&self) -> Place {
        match self.settled() {
            Some(view) => Place::new(view.step.word()),
            None => Place::told(self.phase.as_ref()),
        }
    }

    pub(super) fn verdict(&self) -> Verdict<LoginView> {
        let Some(view) = self.settled() else {
            return Verdict::InProgress;
        };
        match &view.step {
            LoginStep::Failed { error, .. } => Verdict::failed(error.clone()),
            LoginStep::DetectionFailed {
                retryable: Some(false),
                message,
                last_error,
                ..
            } => Verdict::failed(last_error.clone().or_else(|| message.clone())),
            LoginStep::DetectionFailed { .. } => Verdict::InProgress,
            _ => Verdict::Done(view.clone()),
        }
    }
}

/// A number of milliseconds since 1970.
fn from_millis(number: f64) -> Option<Timestamp> {
    serde_json::from_value((number as i64).into()).ok()
}
