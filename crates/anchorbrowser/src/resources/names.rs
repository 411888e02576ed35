//! What the API states in prose only: the form of names.

use crate::error::{Error, Result};

/// Refuses a name that is empty or has more than `most` characters.
pub(crate) fn check_length(operation: &'static str, name: &str, most: usize) -> Result<()> {
    match name.chars().count() {
        length if (1..=most).contains(&length) => Ok(()),
        _ => {
            let message = format!("`name` must have 1 to {most} characters");
            Err(Error::invalid(operation, message))
        }
    }
}

/// Refuses a name that is too long, or has other characters than letters, digits, `-` and `_`.
pub(crate) fn check(operation: &'static str, name: &str, most: usize) -> Result<()> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if check_length(operation, name, most).is_ok() && name.chars().all(is_allowed) {
        return Ok(());
    }
    let message = format!("`name` must have 1 to {most} letters, digits, `-` and `_`");
    Err(Error::invalid(operation, message))
}
