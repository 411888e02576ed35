//! The forms of guided logins.

use std::collections::BTreeMap;

use anchorbrowser_api::types;

use super::FormKind;
use crate::{Secret, SecretJson};

/// A way to fill in a form of a guided login: one of those of
/// [`LoginStep::Form`](super::LoginStep::Form).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FormOption {
    /// What it asks for.
    pub kind: Option<FormKind>,
    /// Whether the service can repeat it without a person.
    pub is_automatable: Option<bool>,
    /// What is to be filled in; see [`GuidedLogin::fill`](super::GuidedLogin::fill). Empty if a
    /// person does something else.
    pub inputs: Vec<FormInput>,
    /// What to do, in words.
    pub message: Option<String>,
    /// Who logs in for the site.
    pub provider: Option<String>,
    /// A part of the phone number that a code is sent to.
    pub phone_hint: Option<String>,
    /// The number that a person confirms on another device.
    pub number: Option<Secret>,
    /// Where a person sets up what the option needs.
    pub create_integration_url: Option<Secret>,
    /// All else that the service tells of it, by name.
    pub extra: BTreeMap<String, SecretJson>,
}

/// An input of a form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FormInput {
    /// What a value is given by.
    pub name: String,
    /// Its kind, e.g. `text` or `password`: the API does not limit the words.
    pub kind: Option<String>,
    /// What the page calls it.
    pub label: Option<String>,
    /// What the page shows while it is empty.
    pub placeholder: Option<String>,
    /// What it holds already.
    pub value: Option<Secret>,
}

impl FormOption {
    pub(super) fn new(sent: types::AuthFlowV2FormOption) -> Self {
        let more = sent.extra_data.unwrap_or_default();
        Self {
            kind: sent.type_,
            is_automatable: sent.automatable,
            inputs: sent.inputs.into_iter().map(FormInput::new).collect(),
            message: sent.message,
            provider: sent.provider,
            phone_hint: sent.phone_hint,
            number: more.number,
            create_integration_url: more.create_integration_url,
            extra: more.extra,
        }
    }
}

impl FormInput {
    fn new(sent: types::AuthFlowV2FormOptionInputsItem) -> Self {
        Self {
            name: sent.name.unwrap_or_default(),
            kind: sent.type_,
            label: sent.label,
            placeholder: sent.placeholder,
            value: sent.value,
        }
    }
}
