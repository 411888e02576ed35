use anchorbrowser_api::types;

use super::act;
use crate::Session;
use crate::call::Call;
use crate::error::Open as _;

/// The clipboard of a session's browser; see [`Session::clipboard`].
///
/// ```no_run
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// session.keyboard().shortcut(["Control", "a"]).send().await?;
/// let text = session.clipboard().copy().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clipboard<'a> {
    pub(super) session: &'a Session,
}

impl Clipboard<'_> {
    /// The text on the clipboard.
    ///
    /// Calls `get_clipboard`.
    pub fn get(&self) -> Call<String> {
        let id = self.session.id.clone();
        Call::new(&self.session.client, move |api| async move {
            let answer = api.get_clipboard().session_id(id).send().await?;
            answer.open("data.text", |answer| answer.data.take()?.text)
        })
    }

    /// Puts a text on the clipboard.
    ///
    /// Calls `set_clipboard`.
    pub fn set(&self, text: impl Into<String>) -> Call<()> {
        let body = types::ClipboardRequestSchema::new(text);
        act!(self.session, set_clipboard, body)
    }

    /// Copies the text that is selected to the clipboard, and gives it.
    ///
    /// Calls `copy`.
    pub fn copy(&self) -> Call<String> {
        let id = self.session.id.clone();
        Call::new(&self.session.client, move |api| async move {
            let answer = api.copy().session_id(id).send().await?;
            answer.open("text", |answer| answer.text.take())
        })
    }

    /// Inserts a text where the cursor is. The clipboard stays as it is.
    ///
    /// Calls `paste`.
    pub fn paste(&self, text: impl Into<String>) -> Call<()> {
        act!(self.session, paste, types::PasteRequestSchema::new(text))
    }
}
