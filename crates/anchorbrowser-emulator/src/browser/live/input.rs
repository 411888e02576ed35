//! What a viewer sends.

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// A message of a viewer. `x` and `y` are in pixels of the page, `modifiers` as in the protocol: 1 is Alt, 2 Control,
/// 4 Meta, 8 Shift.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message {
    /// An image was seen.
    Ack,
    /// To look at another tab.
    Tab {
        id: String,
    },
    Mouse(Mouse),
    /// The wheel was turned by `dx` and `dy` pixels.
    Wheel {
        x: f64,
        y: f64,
        dx: f64,
        dy: f64,
        #[serde(default)]
        modifiers: u8,
    },
    Key(Key),
    /// Text that no key stands for: pasted, or composed.
    Text {
        text: String,
    },
    Goto {
        url: String,
    },
    Back,
    Forward,
    Reload,
}

#[derive(Deserialize)]
pub(super) struct Mouse {
    event: MouseEvent,
    x: f64,
    y: f64,
    #[serde(default)]
    button: Button,
    /// All buttons that are down, as in the protocol.
    #[serde(default)]
    buttons: u8,
    /// 2 for a double click.
    #[serde(default)]
    clicks: u8,
    #[serde(default)]
    modifiers: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MouseEvent {
    Move,
    Down,
    Up,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Button {
    #[default]
    None,
    Left,
    Middle,
    Right,
    Back,
    Forward,
}

/// A key, by the members of a keyboard event of the same names.
#[derive(Deserialize)]
pub(super) struct Key {
    event: KeyEvent,
    key: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    key_code: u16,
    #[serde(default)]
    location: u8,
    #[serde(default)]
    repeat: bool,
    /// The text that it types.
    #[serde(default)]
    text: String,
    #[serde(default)]
    modifiers: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyEvent {
    Down,
    Up,
}

/// A command of the protocol, with its parameters.
pub(super) type Command = (&'static str, Value);

/// The command that does to a page of this size what a message says, or why it is refused.
pub(super) fn command(message: Message, size: (f64, f64)) -> Result<Command, &'static str> {
    let is_placed = matches!(message, Message::Mouse(_) | Message::Wheel { .. });
    if is_placed && size == (0.0, 0.0) {
        return Err("nothing shows yet");
    }
    let inside = |x: f64, y: f64| (x.clamp(0.0, size.0), y.clamp(0.0, size.1));
    match message {
        Message::Mouse(mouse) => Ok(mouse.command(inside(mouse.x, mouse.y))),
        Message::Wheel {
            x,
            y,
            dx,
            dy,
            modifiers,
        } => {
            let (x, y) = inside(x, y);
            let params = json!({
                "type": "mouseWheel", "x": x, "y": y, "deltaX": dx, "deltaY": dy,
                "modifiers": modifiers & ALL,
            });
            Ok((MOUSE, params))
        }
        Message::Key(key) => Ok(key.command()),
        Message::Text { text } => Ok(("Input.insertText", json!({ "text": text }))),
        Message::Goto { url } => match address(&url) {
            Some(url) => Ok(("Page.navigate", json!({ "url": url }))),
            None => Err("this is no address that a page can have"),
        },
        Message::Reload => Ok(("Page.reload", json!({}))),
        Message::Ack | Message::Tab { .. } | Message::Back | Message::Forward => {
            Err("this is no input")
        }
    }
}

const MOUSE: &str = "Input.dispatchMouseEvent";

/// All modifiers.
const ALL: u8 = 15;

impl Mouse {
    fn command(&self, (x, y): (f64, f64)) -> Command {
        let name = match self.event {
            MouseEvent::Move => "mouseMoved",
            MouseEvent::Down => "mousePressed",
            MouseEvent::Up => "mouseReleased",
        };
        let button = match self.button {
            Button::None => "none",
            Button::Left => "left",
            Button::Middle => "middle",
            Button::Right => "right",
            Button::Back => "back",
            Button::Forward => "forward",
        };
        let params = json!({
            "type": name, "x": x, "y": y, "button": button, "buttons": self.buttons & 31,
            "clickCount": self.clicks.min(3), "modifiers": self.modifiers & ALL,
        });
        (MOUSE, params)
    }
}

impl Key {
    fn command(self) -> Command {
        let name = match self.event {
            KeyEvent::Down if self.text.is_empty() => "rawKeyDown",
            KeyEvent::Down => "keyDown",
            KeyEvent::Up => "keyUp",
        };
        let mut params = json!({
            "type": name, "key": self.key, "code": self.code, "windowsVirtualKeyCode": self.key_code,
            "location": self.location.min(3), "autoRepeat": self.repeat, "modifiers": self.modifiers & ALL,
        });
        if name == "keyDown" {
            params["text"] = self.text.into();
        }
        ("Input.dispatchKeyEvent", params)
    }
}

/// The address that is meant by what somebody wrote into an address bar.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let known = |url: &Url| ["http", "https", "about", "blob", "data"].contains(&url.scheme());
    // `localhost:3000` reads as an address of the scheme `localhost`.
    let has_scheme = |url: &Url| text[url.scheme().len()..].starts_with("://") || known(url);
    match Url::parse(text).ok().filter(has_scheme) {
        Some(url) => known(&url).then(|| url.into()),
        None => {
            let local = |url: &Url| match url.host() {
                Some(url::Host::Domain(name)) => !name.contains('.'),
                Some(_) => true,
                None => false,
            };
            let plain = Url::parse(&format!("http://{text}")).ok()?;
            match local(&plain) {
                true => Some(plain.into()),
                false => Some(Url::parse(&format!("https://{text}")).ok()?.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let cases = [
            ("https://a.example/x?y#z", Some("https://a.example/x?y#z")),
            (" a.example/x ", Some("https://a.example/x")),
            ("localhost:3000/x", Some("http://localhost:3000/x")),
            ("127.0.0.1:1", Some("http://127.0.0.1:1/")),
            ("[::1]:1", Some("http://[::1]:1/")),
            ("about:blank", Some("about:blank")),
            ("data:text/html,x", Some("data:text/html,x")),
            ("file:///etc/passwd", None),
            ("chrome://version", None),
            ("", None),
            ("two words", None),
        ];
        for (text, meant) in cases {
            assert_eq!(address(text).as_deref(), meant, "{text:?}");
        }
    }

    #[test]
    fn what_comes_is_checked() {
        let command = |text: &str| {
            let message: Message = serde_json::from_str(text).ok()?;
            command(message, (100.0, 50.0)).ok()
        };
        let down = r#"{"type":"mouse","event":"down","x":-5,"y":1e9,"button":"left","clicks":200,"modifiers":255}"#;
        let (method, params) = command(down).unwrap();
        assert_eq!(method, "Input.dispatchMouseEvent");
        assert_eq!(
            params,
            json!({
                "type": "mousePressed", "x": 0.0, "y": 50.0, "button": "left", "buttons": 0,
                "clickCount": 3, "modifiers": 15,
            })
        );
        let wrong = [
            "",
            "[]",
            r#"{"type":"evaluate","expression":"1"}"#,
            r#"{"type":"mouse","event":"down","x":"1","y":1}"#,
            r#"{"type":"mouse","event":"mouseMoved","x":1,"y":1}"#,
            r#"{"type":"key","event":"down"}"#,
            r#"{"type":"goto","url":"javascript:alert(1)"}"#,
        ];
        for text in wrong {
            assert!(command(text).is_none(), "{text}");
        }
    }
}
