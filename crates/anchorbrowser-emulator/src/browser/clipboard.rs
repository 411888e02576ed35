//! The clipboard of a browser, which is its own as long as it is headless.
//!
//! The browser lets a page at it only on user's orders and in a secure context. So listeners in a world of the
//! emulator's own give or take what such an order brings, before the page learns of it.

use serde_json::{Value, json};

use super::cdp::CdpError;
use super::page::Page;
use crate::answer::Refusal;

/// Puts a text on the clipboard.
const SET: &str = "(text) => {
    const allow = (event) => event.preventDefault();
    const give = (event) => {
        event.clipboardData.setData('text/plain', text);
        event.preventDefault();
        event.stopImmediatePropagation();
    };
    addEventListener('beforecopy', allow, true);
    addEventListener('copy', give, true);
    const done = document.execCommand('copy');
    removeEventListener('beforecopy', allow, true);
    removeEventListener('copy', give, true);
    return done;
}";

/// The window that has the focus, through all frames of the same site; `null` if it is one of another site.
const FOCUSED: &str = "const focused = () => {
    let within = document;
    while (/^I?FRAME$/.test(within.activeElement?.tagName)) {
        within = within.activeElement.contentDocument;
        if (!within) return null;
    }
    return within.defaultView;
};";

/// Takes what is pasted next. Says whether it can be.
const LISTEN: &str = "const taker = focused();
    globalThis.pasted = null;
    globalThis.take = (event) => {
        if (event.type === 'paste') globalThis.pasted = event.clipboardData.getData('text/plain');
        event.preventDefault();
        event.stopImmediatePropagation();
    };
    taker?.addEventListener('beforepaste', take, true);
    taker?.addEventListener('paste', take, true);
    globalThis.stop = () => {
        taker?.removeEventListener('beforepaste', take, true);
        taker?.removeEventListener('paste', take, true);
        return globalThis.pasted;
    };
    return Boolean(taker);";

/// Gives what was pasted, and lets the next be.
const PASTED: &str = "return globalThis.stop?.() ?? null;";

/// Keeps keys from the page.
const QUIET: &str = "const listener = focused();
    const swallow = (event) => event.stopImmediatePropagation();
    listener?.addEventListener('keydown', swallow, true);
    globalThis.loud = () => listener?.removeEventListener('keydown', swallow, true);";

/// Lets keys through to it again.
const LOUD: &str = "globalThis.loud?.();";

/// The text that is selected; `null` where that can't be seen.
const SELECTED: &str = "const within = focused()?.document;
    if (!within) return null;
    const field = within.activeElement;
    if (field && typeof field.value === 'string' && typeof field.selectionStart === 'number')
        return field.type === 'password' ? '' : field.value.slice(field.selectionStart, field.selectionEnd);
    return String(within.getSelection());";

/// Tells the page that something is pasted; says whether it leaves that to the browser.
const OFFER: &str = "const within = (focused() ?? window).document;
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', text);
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true, composed: true });
    return (within.activeElement ?? within).dispatchEvent(event);";

impl Page {
    /// Does something where the focus is, with `text` at hand.
    async fn focused(&self, script: &str, text: &Value) -> Result<Value, CdpError> {
        let function = format!("(text) => {{ {FOCUSED} {script} }}");
        self.own_world(&function, text).await
    }

    /// Gives an editing command, as a menu would. It comes with a key, which the page does not learn of.
    async fn edit(&self, command: &str) -> Result<(), CdpError> {
        let key = json!({ "type": "rawKeyDown", "commands": [command] });
        self.focused(QUIET, &Value::Null).await?;
        let done = self.call("Input.dispatchKeyEvent", key).await;
        self.focused(LOUD, &Value::Null).await?;
        done.map(drop)
    }

    /// The text on the clipboard.
    pub(crate) async fn clipboard(&self) -> Result<String, Refusal> {
        if self.focused(LISTEN, &Value::Null).await? != true {
            return Err(elsewhere());
        }
        let pasting = self.edit("Paste").await;
        let pasted = self.focused(PASTED, &Value::Null).await?;
        pasting?;
        let unread = || Refusal::new(500, "the page does not let the clipboard be read");
        pasted.as_str().map(str::to_owned).ok_or_else(unread)
    }

    /// Puts a text on the clipboard.
    pub(crate) async fn set_clipboard(&self, text: &str) -> Result<(), Refusal> {
        match self.own_world(SET, &text.into()).await? == true {
            true => Ok(()),
            false => Err(Refusal::new(
                500,
                "the page does not let the clipboard be written",
            )),
        }
    }

    /// Puts what is selected on the clipboard, and gives its text. Without a selection the clipboard stays as it is.
    pub(crate) async fn copy(&self) -> Result<String, Refusal> {
        let selected = self.focused(SELECTED, &Value::Null).await?;
        match selected.as_str() {
            None => Err(elsewhere()),
            Some("") => Ok(String::new()),
            Some(_) => {
                self.edit("Copy").await?;
                // The page may have put something else there.
                self.clipboard().await
            }
        }
    }

    /// Inserts a text where the cursor is, as if it was pasted. The clipboard stays as it is.
    pub(crate) async fn paste(&self, text: &str) -> Result<(), Refusal> {
        if self.focused(OFFER, &text.into()).await? == true {
            self.insert(text).await?;
        }
        Ok(())
    }
}

/// For frames that the scripts above do not reach.
fn elsewhere() -> Refusal {
    Refusal::new(
        500,
        "the focus is in a frame of another site, whose clipboard can't be seen; click elsewhere in the page first",
    )
}
