//! Control of a session as if by hand: mouse, keyboard, clipboard, navigation.

mod clipboard;
mod keyboard;
mod mouse;

use std::time::Duration;

use anchorbrowser_api::{Needs, types};

pub use anchorbrowser_api::types::MouseButton;
pub use clipboard::Clipboard;
pub use keyboard::{Keyboard, Shortcut, TypeText};
pub use mouse::{ClickOn, Drag, Mouse, Press, Scroll};

use super::Session;
use crate::Client;
use crate::call::Call;

/// What an attempt gets beside the time that the call itself is asked to take.
const SLACK: Duration = Duration::from_secs(10);

/// Calls an operation on a session. Its answer says nothing but success.
macro_rules! act {
    ($client:expr, $session:expr, $operation:ident, $body:expr) => {{
        let (id, body) = ($session.id.clone(), $body);
        $crate::call::Call::new($client, move |api| async move {
            let answer = api.$operation().session_id(id).body(body).send().await?;
            Ok(answer.map(drop))
        })
    }};
    ($session:expr, $operation:ident, $body:expr) => {
        act!(&$session.client, $session, $operation, $body)
    };
}
use act;

impl Session {
    /// Opens a URL in the browser, and answers when the page is there. It gets two minutes at
    /// least.
    ///
    /// # Errors
    /// [`Error::is_not_found`](crate::Error::is_not_found) if there is no such session, and what any
    /// call may fail with.
    ///
    /// Calls `goto`.
    pub fn goto(&self, url: impl Into<String>) -> Call<()> {
        act!(self, goto, types::NavigateRequestSchema::new(url))
    }

    /// The mouse of the browser.
    pub fn mouse(&self) -> Mouse<'_> {
        Mouse { session: self }
    }

    /// Scrolls at a point, in pixels from the top left corner: down by `delta_y` pixels, or up if it
    /// is negative.
    pub fn scroll(&self, x: u32, y: u32, delta_y: i32) -> Scroll {
        Scroll {
            session: self.clone(),
            body: types::ScrollRequestSchema::new(x.into(), y.into(), delta_y.into()),
        }
    }

    /// The keyboard of the browser.
    pub fn keyboard(&self) -> Keyboard<'_> {
        Keyboard { session: self }
    }

    /// The clipboard of the browser.
    pub fn clipboard(&self) -> Clipboard<'_> {
        Clipboard { session: self }
    }

    /// The client for a call that is asked to take this long.
    fn client_for(&self, time: Duration) -> Client {
        self.client.needing(Needs {
            at_least: Some(time.saturating_add(SLACK)),
            ..Needs::default()
        })
    }
}
