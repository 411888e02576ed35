use std::time::Duration;

use anchorbrowser_api::types;

use super::act;
use crate::call::Call;
use crate::error::Error;
use crate::timing::millis;
use crate::{Secret, Session};

/// The keyboard of a session's browser; see [`Session::keyboard`].
///
/// ```no_run
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// session.keyboard().type_text("hello").send().await?;
/// session.keyboard().shortcut(["Control", "a"]).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Keyboard<'a> {
    pub(super) session: &'a Session,
}

impl Keyboard<'_> {
    /// Types a text where the cursor is.
    pub fn type_text(&self, text: impl Into<Secret>) -> TypeText {
        TypeText {
            session: self.session.clone(),
            text: text.into(),
            delay: Duration::ZERO,
        }
    }

    /// Presses keys together, e.g. `["Control", "c"]`.
    pub fn shortcut(&self, keys: impl IntoIterator<Item = impl Into<String>>) -> Shortcut {
        Shortcut {
            session: self.session.clone(),
            keys: keys.into_iter().map(Into::into).collect(),
            hold: Duration::ZERO,
        }
    }
}

/// Typing a text; see [`Keyboard::type_text`]. `Debug` does not show the text: it may be a password.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct TypeText {
    session: Session,
    text: Secret,
    delay: Duration,
}

impl TypeText {
    /// The time between two keys, in whole milliseconds; by default there is none. The call gets as
    /// much time as the whole text then takes.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Types the text.
    ///
    /// Calls `keyboard_type`.
    pub fn send(self) -> Call<()> {
        let mut body = types::TypeTextRequestSchema::new(self.text.expose());
        if self.delay.is_zero() {
            return act!(self.session, keyboard_type, body);
        }
        body.delay = Some(millis(self.delay));
        let keys = u32::try_from(body.text.chars().count()).unwrap_or(u32::MAX);
        let client = self.session.client_for(self.delay.saturating_mul(keys));
        act!(&client, self.session, keyboard_type, body)
    }
}

/// Keys that are pressed together; see [`Keyboard::shortcut`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Shortcut {
    session: Session,
    keys: Vec<String>,
    hold: Duration,
}

impl Shortcut {
    /// How long the keys stay down, in whole milliseconds; by default they are released at once.
    pub fn hold(mut self, time: Duration) -> Self {
        self.hold = time;
        self
    }

    /// Presses the keys.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if there is no key.
    ///
    /// Calls `keyboard_shortcut`.
    pub fn send(self) -> Call<()> {
        let checks = self.session.client.checks();
        if checks && self.keys.iter().all(|key| key.is_empty()) {
            let message = "`keys` must name at least one key, e.g. `[\"Control\", \"c\"]`";
            return Call::refused(Error::invalid("keyboard_shortcut", message));
        }
        let mut body = types::KeyboardShortcutRequestSchema::new(self.keys);
        if self.hold.is_zero() {
            return act!(self.session, keyboard_shortcut, body);
        }
        body.hold_time = Some(millis(self.hold));
        let client = self.session.client_for(self.hold);
        act!(&client, self.session, keyboard_shortcut, body)
    }
}
