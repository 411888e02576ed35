//! What a request answers to the view of a guided login.

use serde_json::Value;

use super::{Stage, views};
use crate::answer::Refusal;
use crate::call::Call;

/// The form that the request chose.
pub(super) fn chosen(call: &Call<'_>) -> Result<Stage, Refusal> {
    let choice = call.member("choice").ok_or_else(|| {
        Refusal::bad("body.choice: is missing; the present view is a decision and takes the `step_id` of an option")
    })?;
    let chosen = views::CHOICES
        .into_iter()
        .find(|stage| views::step_id(*stage) == choice);
    chosen.ok_or_else(|| {
        Refusal::bad("body.choice: must be the `step_id` of an option of the present view")
    })
}

/// The option of the form that the request fills in.
pub(super) fn option(
    call: &Call<'_>,
    options: &'static [views::FormOption],
) -> Result<&'static views::FormOption, Refusal> {
    let index = call.body().get("option_index").and_then(Value::as_u64).ok_or_else(|| {
        Refusal::bad("body.option_index: is missing; the present view is a form and takes `option_index` and `values`")
    })?;
    let option = usize::try_from(index)
        .ok()
        .and_then(|index| options.get(index));
    option.ok_or_else(|| {
        Refusal::bad(format!(
            "body.option_index: must be less than {}",
            options.len()
        ))
    })
}

/// The values for the inputs of an option; all of them, and no others.
pub(super) fn values<'a>(
    call: &Call<'a>,
    option: &views::FormOption,
) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
    let values = call
        .body()
        .get("values")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let values: Vec<(&str, &str)> = values
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let names: Vec<&str> = option.inputs.iter().map(|input| input.name).collect();
    let fits = names.len() == values.len()
        && names
            .iter()
            .all(|name| values.iter().any(|(known, _)| known == name));
    let wanted = if names.is_empty() {
        "no members".to_owned()
    } else {
        format!("the members {}", names.join(", "))
    };
    fits.then_some(values)
        .ok_or_else(|| Refusal::bad(format!("body.values: must have {wanted} for this option")))
}
