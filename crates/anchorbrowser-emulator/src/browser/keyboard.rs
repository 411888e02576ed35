//! The keyboard of a page.

use std::time::Duration;

use serde_json::{Value, json};

use super::cdp::CdpError;
pub(crate) use super::keys::Key;
use super::keys::{ALT, CONTROL, Kind, META, SHIFT};
use super::page::Page;
use crate::answer::Refusal;

/// What the browser does on these keys along with Control or Meta. It knows them by itself only where they are usual.
const COMMANDS: [(&str, &str); 6] = [
    ("KeyA", "SelectAll"),
    ("KeyC", "Copy"),
    ("KeyV", "Paste"),
    ("KeyX", "Cut"),
    ("KeyY", "Redo"),
    ("KeyZ", "Undo"),
];

impl Page {
    /// Types a text, key by key. What no key writes comes in as it does from an input method.
    pub(crate) async fn type_text(&self, text: &str, delay: Duration) -> Result<(), Refusal> {
        // Two characters, one keystroke.
        for (typed, character) in text.replace("\r\n", "\n").chars().enumerate() {
            if typed > 0 && !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            match Key::writes(character) {
                Some((key, shift)) => {
                    let modifiers = if shift { SHIFT } else { 0 };
                    self.key(key, modifiers, true).await?;
                    self.key(key, modifiers, false).await?;
                }
                None => self.insert(&character.to_string()).await?,
            }
        }
        Ok(())
    }

    /// Inserts a text where the cursor is, without keys.
    pub(super) async fn insert(&self, text: &str) -> Result<(), CdpError> {
        let text = json!({ "text": text });
        self.call("Input.insertText", text).await.map(drop)
    }

    /// Presses keys one after the other, holds them, and lets go of them the other way round.
    pub(crate) async fn shortcut(&self, keys: &[Key], hold: Duration) -> Result<(), Refusal> {
        let mut modifiers = 0;
        for key in keys {
            if let Kind::Modifier(_, bit) = key.kind {
                modifiers |= bit;
            }
            self.key(*key, modifiers, true).await?;
        }
        tokio::time::sleep(hold).await;
        for key in keys.iter().rev() {
            if let Kind::Modifier(_, bit) = key.kind {
                modifiers &= !bit;
            }
            self.key(*key, modifiers, false).await?;
        }
        Ok(())
    }

    async fn key(&self, key: Key, modifiers: u8, down: bool) -> Result<(), CdpError> {
        let event = event(key, modifiers, down);
        self.call("Input.dispatchKeyEvent", event).await.map(drop)
    }
}

/// The event of a key that goes down or up while modifiers are down.
fn event(key: Key, modifiers: u8, down: bool) -> Value {
    let shift = modifiers & SHIFT != 0;
    let command = modifiers & (CONTROL | META) != 0;
    let (name, text) = match key.kind {
        Kind::Character(plain, shifted) => {
            let written = if shift { shifted } else { plain }.to_string();
            (written.clone(), Some(written))
        }
        Kind::Modifier(name, _) => (name.to_owned(), None),
        Kind::Named(name, text) => (name.to_owned(), text.map(str::to_owned)),
    };
    // With these a key writes nothing.
    let text = text.filter(|_| modifiers & (CONTROL | META | ALT) == 0);
    let kind = match (down, &text) {
        (true, Some(_)) => "keyDown",
        (true, None) => "rawKeyDown",
        (false, _) => "keyUp",
    };
    let mut event = json!({
        "type": kind,
        "modifiers": modifiers,
        "key": name,
        "code": key.code,
        "windowsVirtualKeyCode": key.number,
    });
    if let Some(text) = text.filter(|_| down) {
        event["text"] = text.into();
    }
    let named = COMMANDS.iter().find(|(code, _)| *code == key.code);
    if let Some((code, named)) = named.filter(|_| down && command) {
        let named = if shift && *code == "KeyZ" {
            "Redo"
        } else {
            named
        };
        event["commands"] = json!([named]);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_decide_what_a_key_does() {
        let key = |name| Key::of(name).unwrap();
        let plain = event(key("a"), 0, true);
        assert_eq!(
            (&plain["type"], &plain["text"]),
            (&json!("keyDown"), &json!("a"))
        );
        assert_eq!(event(key("a"), SHIFT, true)["key"], "A");
        let copy = event(key("c"), CONTROL, true);
        assert_eq!(
            (&copy["type"], &copy["commands"]),
            (&json!("rawKeyDown"), &json!(["Copy"]))
        );
        assert_eq!(copy["text"], Value::Null);
        assert_eq!(
            event(key("z"), META | SHIFT, true)["commands"],
            json!(["Redo"])
        );
        assert_eq!(event(key("c"), CONTROL, false)["commands"], Value::Null);
    }
}
