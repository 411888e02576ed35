//! What a guided login shows.

use serde_json::{Map, Value, json};

use super::{Login, REJECTIONS, SLOW_HOST, Stage};
use crate::resources::sessions;
use crate::world::World;

/// One way to fill in a form.
pub(super) struct FormOption {
    pub(super) kind: &'static str,
    pub(super) inputs: &'static [Input],
    /// Why it needs a person; `None` if it can be repeated without one.
    pub(super) by_person: Option<&'static str>,
    /// Further members, by name.
    extra: &'static [(&'static str, &'static str)],
}

/// One field of a form.
pub(super) struct Input {
    pub(super) name: &'static str,
    kind: &'static str,
    label: &'static str,
}

const CODE: &[Input] = &[Input {
    name: "code",
    kind: "text",
    label: "Code",
}];

const PASSWORD: &[FormOption] = &[FormOption {
    kind: "credentials",
    inputs: &[
        Input {
            name: "username",
            kind: "text",
            label: "Username",
        },
        Input {
            name: "password",
            kind: "password",
            label: "Password",
        },
    ],
    by_person: None,
    extra: &[],
}];

const SINGLE_SIGN_ON: &[FormOption] = &[FormOption {
    kind: "sso",
    inputs: &[],
    by_person: Some("sso: a person signs in with the provider"),
    extra: &[
        ("provider", "Example"),
        (
            "message",
            "Sign in with the provider in the live view, then go on.",
        ),
    ],
}];

const SECOND_FACTOR: &[FormOption] = &[
    FormOption {
        kind: "mfa_totp",
        inputs: CODE,
        by_person: Some(
            "mfa_totp: a person reads the code; give the secret by the option `totp_secret` instead",
        ),
        extra: &[("message", "Enter the code of the authenticator.")],
    },
    FormOption {
        kind: "mfa_sms",
        inputs: CODE,
        by_person: Some("mfa_sms: a person receives the code"),
        extra: &[
            ("message", "Enter the code of the text message."),
            ("phoneHint", "ends in 42"),
        ],
    },
    FormOption {
        kind: "totp_secret",
        inputs: &[Input {
            name: "secret",
            kind: "password",
            label: "Secret of the authenticator",
        }],
        by_person: None,
        extra: &[],
    },
];

/// What can be chosen at the decision.
pub(super) const CHOICES: [Stage; 2] = [Stage::Password, Stage::SingleSignOn];

/// The options of the form at a stage.
pub(super) fn options(stage: Stage) -> &'static [FormOption] {
    match stage {
        Stage::Password => PASSWORD,
        Stage::SingleSignOn => SINGLE_SIGN_ON,
        Stage::SecondFactor => SECOND_FACTOR,
        _ => &[],
    }
}

pub(super) fn step_id(stage: Stage) -> &'static str {
    match stage {
        Stage::Start => "start",
        Stage::Decision => "sign-in-options",
        Stage::Password => "password",
        Stage::SingleSignOn => "sso",
        Stage::SecondFactor => "second-factor",
        Stage::Undetected => "detection",
        Stage::Authenticated => "authenticated",
        Stage::Failed | Stage::Locked => "failed",
    }
}

fn label(stage: Stage) -> &'static str {
    match stage {
        Stage::Start => "Open the page",
        Stage::Decision => "Choose how to sign in",
        Stage::Password => "Sign in with a password",
        Stage::SingleSignOn => "Sign in with a provider",
        Stage::SecondFactor => "Confirm with a second factor",
        Stage::Undetected => "Find the form",
        Stage::Authenticated => "Signed in",
        Stage::Failed | Stage::Locked => "Not signed in",
    }
}

const UNDETECTED: &str = "no form to sign in was found on the page";

/// What is wrong at a stage; what a form rejected is said in its own member.
fn error(stage: Stage) -> Option<String> {
    match stage {
        Stage::Undetected => Some(UNDETECTED.to_owned()),
        Stage::Failed => Some(format!(
            "the site has rejected {REJECTIONS} tries; start the login anew"
        )),
        Stage::Locked => Some("the site has locked the account".to_owned()),
        _ => None,
    }
}

impl FormOption {
    fn json(&self) -> Value {
        let inputs: Vec<Value> = self
            .inputs
            .iter()
            .map(|it| json!({ "name": it.name, "type": it.kind, "label": it.label, "placeholder": it.label }))
            .collect();
        let mut json =
            json!({ "type": self.kind, "automatable": self.by_person.is_none(), "inputs": inputs });
        for (name, value) in self.extra {
            json[*name] = json!(value);
        }
        json
    }
}

/// The view of a login in which no step runs, with the addresses of its session for the key of the request.
pub(super) fn view(world: &World, login: &Login, key: &str) -> Value {
    let (cdp_url, live_view_url) = sessions::addresses(world, &login.session, key);
    let mut view = json!({
        "session_id": login.session,
        "host": login.host,
        "current_step_label": label(login.stage),
        "step_id": step_id(login.stage),
        "cdp_url": cdp_url,
        "live_view_url": live_view_url,
    });
    if let (Some(view), Value::Object(own)) = (view.as_object_mut(), own(login)) {
        view.extend(own);
    }
    view
}

/// What only the view of this stage has.
fn own(login: &Login) -> Value {
    match login.stage {
        Stage::Start | Stage::Decision => {
            let options: Vec<Value> = CHOICES
                .into_iter()
                .map(|stage| {
                    let automatable = options(stage).iter().any(|option| option.by_person.is_none());
                    json!({ "step_id": step_id(stage), "label": label(stage), "automatable": automatable })
                })
                .collect();
            json!({ "type": "decision", "options": options })
        }
        Stage::Password | Stage::SingleSignOn | Stage::SecondFactor => {
            let options: Vec<Value> = options(login.stage).iter().map(FormOption::json).collect();
            json!({
                "type": "form",
                "options": options,
                "credentials_rejected": login.rejections > 0,
                "credentials_passed": login.stage == Stage::SecondFactor,
            })
        }
        Stage::Undetected => json!({
            "type": "detection_failed",
            "node_status": "failed",
            "last_error": UNDETECTED,
            "retryable": true,
            "message": if login.host == SLOW_HOST {
                "The page is still looked at; poll the state."
            } else {
                "Start the login anew, or sign in by hand in the live view."
            },
            "discovery_error": UNDETECTED,
        }),
        Stage::Authenticated => {
            json!({ "type": "authenticated", "message": "The login is done; finalize it." })
        }
        Stage::Failed | Stage::Locked => json!({
            "type": "failed",
            "error": error(login.stage),
            "retryable": login.stage == Stage::Failed,
        }),
    }
}

/// The progress of a login, with its view unless a step runs.
pub(super) fn state(world: &World, login: &Login, key: &str) -> Value {
    let mut state = json!({
        "session_id": login.session,
        "graph_id": login.graph,
        "current_step_id": step_id(login.stage),
        "discovery_status": discovery(login),
        "phase": if login.step.is_some() { "navigating" } else { "settled" },
        "updated_at": login.updated.0,
        "nav": nav(login),
    });
    match login.step {
        Some(step) => {
            state["target"] =
                json!({ "step_id": step_id(step.target), "label": label(step.target) })
        }
        None => state["view"] = view(world, login, key),
    }
    if login.step.is_none() && login.stage == Stage::Undetected {
        state["discovery_error"] = json!(UNDETECTED);
    }
    state
}

fn discovery(login: &Login) -> &'static str {
    match login.stage {
        Stage::Start => "in_progress",
        Stage::Undetected if login.detects.is_some() => "in_progress",
        Stage::Undetected => "failed",
        _ => "complete",
    }
}

fn nav(login: &Login) -> Value {
    if login.step.is_some() {
        return json!({ "status": "pending" });
    }
    let rejected = login.rejections > 0;
    let mut nav = Map::new();
    let error = error(login.stage)
        .or_else(|| rejected.then(|| "the site has rejected the values".to_owned()));
    nav.insert(
        "status".to_owned(),
        json!(if error.is_some() {
            "failed"
        } else {
            "succeeded"
        }),
    );
    nav.insert("credentials_rejected".to_owned(), json!(rejected));
    if let Some(error) = error {
        nav.insert("error".to_owned(), json!(error));
    }
    Value::Object(nav)
}
