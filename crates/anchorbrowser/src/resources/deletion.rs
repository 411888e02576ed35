//! Deletions that answer with a success, and in the body whether they succeeded.

use anchorbrowser_api::ResponseValue;

use crate::error::{Error, ErrorKind, Result};

/// An error if the answer says that it did not succeed.
pub(super) fn deleted<T>(
    answer: ResponseValue<T>,
    success: Option<bool>,
) -> Result<ResponseValue<()>> {
    if success == Some(false) {
        let message =
            "the service answers that nothing was deleted; look whether it is still there";
        return Err(Error::of_answer(ErrorKind::Failed, &answer, message));
    }
    Ok(answer.map(drop))
}
