//! The keys of a keyboard with the layout of the United States.

/// A key, as the browser wants it described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its place on the keyboard, such as `KeyA`.
    pub(super) code: &'static str,
    /// The number that Windows gives it.
    pub(super) number: u32,
    pub(super) kind: Kind,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Writes a character: plain, and with Shift.
    Character(char, char),
    /// Its name, and the bit that the browser knows it by.
    Modifier(&'static str, u8),
    /// Its name, and what it writes.
    Named(&'static str, Option<&'static str>),
}

pub(super) const ALT: u8 = 1;
pub(super) const CONTROL: u8 = 2;
pub(super) const META: u8 = 4;
pub(super) const SHIFT: u8 = 8;

/// Codes of letters, `a` first.
const LETTERS: [&str; 26] = [
    "KeyA", "KeyB", "KeyC", "KeyD", "KeyE", "KeyF", "KeyG", "KeyH", "KeyI", "KeyJ", "KeyK", "KeyL",
    "KeyM", "KeyN", "KeyO", "KeyP", "KeyQ", "KeyR", "KeyS", "KeyT", "KeyU", "KeyV", "KeyW", "KeyX",
    "KeyY", "KeyZ",
];

/// Keys of characters that are no letters.
const CHARACTERS: [(char, char, &str, u32); 22] = [
    ('0', ')', "Digit0", 48),
    ('1', '!', "Digit1", 49),
    ('2', '@', "Digit2", 50),
    ('3', '#', "Digit3", 51),
    ('4', '$', "Digit4", 52),
    ('5', '%', "Digit5", 53),
    ('6', '^', "Digit6", 54),
    ('7', '&', "Digit7", 55),
    ('8', '*', "Digit8", 56),
    ('9', '(', "Digit9", 57),
    (' ', ' ', "Space", 32),
    (';', ':', "Semicolon", 186),
    ('=', '+', "Equal", 187),
    (',', '<', "Comma", 188),
    ('-', '_', "Minus", 189),
    ('.', '>', "Period", 190),
    ('/', '?', "Slash", 191),
    ('`', '~', "Backquote", 192),
    ('[', '{', "BracketLeft", 219),
    ('\\', '|', "Backslash", 220),
    (']', '}', "BracketRight", 221),
    ('\'', '"', "Quote", 222),
];

/// Keys that write nothing, by the names that clients have for them, in lower case. The first one is also the code in
/// lower case, unless it has a side.
const NAMED: [(&[&str], Key); 25] = [
    (
        &["control", "ctrl", "controlleft", "controlright"],
        modifier("ControlLeft", 17, "Control", CONTROL),
    ),
    (
        &["shift", "shiftleft", "shiftright"],
        modifier("ShiftLeft", 16, "Shift", SHIFT),
    ),
    (
        &["alt", "option", "altleft", "altright"],
        modifier("AltLeft", 18, "Alt", ALT),
    ),
    (
        &["meta", "cmd", "command", "metaleft", "metaright"],
        modifier("MetaLeft", 91, "Meta", META),
    ),
    (
        &["enter", "return", "numpadenter"],
        writing("Enter", 13, "\r"),
    ),
    (&["tab"], named("Tab", 9)),
    (&["escape", "esc"], named("Escape", 27)),
    (&["backspace"], named("Backspace", 8)),
    (&["delete", "del"], named("Delete", 46)),
    (&["insert", "ins"], named("Insert", 45)),
    (&["home"], named("Home", 36)),
    (&["end"], named("End", 35)),
    (&["pageup"], named("PageUp", 33)),
    (&["pagedown"], named("PageDown", 34)),
    (&["arrowleft", "left"], named("ArrowLeft", 37)),
    (&["arrowup", "up"], named("ArrowUp", 38)),
    (&["arrowright", "right"], named("ArrowRight", 39)),
    (&["arrowdown", "down"], named("ArrowDown", 40)),
    (&["capslock"], named("CapsLock", 20)),
    (&["numlock"], named("NumLock", 144)),
    (&["scrolllock"], named("ScrollLock", 145)),
    (&["pause"], named("Pause", 19)),
    (&["printscreen"], named("PrintScreen", 44)),
    (&["contextmenu", "menu"], named("ContextMenu", 93)),
    (
        &["space", "spacebar"],
        Key {
            code: "Space",
            number: 32,
            kind: Kind::Character(' ', ' '),
        },
    ),
];

/// The function keys, the first one first.
const FUNCTIONS: [&str; 24] = [
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14", "F15",
    "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F23", "F24",
];

const fn modifier(code: &'static str, number: u32, name: &'static str, bit: u8) -> Key {
    Key {
        code,
        number,
        kind: Kind::Modifier(name, bit),
    }
}

const fn named(code: &'static str, number: u32) -> Key {
    Key {
        code,
        number,
        kind: Kind::Named(code, None),
    }
}

const fn writing(code: &'static str, number: u32, text: &'static str) -> Key {
    Key {
        code,
        number,
        kind: Kind::Named(code, Some(text)),
    }
}

impl Key {
    /// The key that writes a character, and whether it takes Shift.
    pub(super) fn writes(character: char) -> Option<(Self, bool)> {
        match character {
            '\n' | '\r' => return Some((writing("Enter", 13, "\r"), false)),
            '\t' => return Some((named("Tab", 9), false)),
            _ => {}
        }
        let plain = character.to_ascii_lowercase();
        let letters = ('a'..='z').zip(65..).zip(LETTERS);
        let letters = letters
            .map(|((letter, number), code)| (letter, letter.to_ascii_uppercase(), code, number));
        let mut keys = letters.chain(CHARACTERS);
        let (plain, shifted, code, number) =
            keys.find(|(key, shifted, ..)| *key == plain || *shifted == character)?;
        let kind = Kind::Character(plain, shifted);
        Some((Self { code, number, kind }, character != plain))
    }

    /// The key that a client means: by a character, by its name or by its code. Case matters for characters only.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut characters = name.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Self::writes(character).map(|(key, _)| key);
        }
        let lower = name.to_ascii_lowercase();
        if lower == "controlormeta" {
            return Self::of(if cfg!(target_os = "macos") {
                "meta"
            } else {
                "control"
            });
        }
        if let Some((_, key)) = NAMED
            .iter()
            .find(|(names, _)| names.contains(&lower.as_str()))
        {
            return Some(*key);
        }
        let function = FUNCTIONS.iter().zip(112..);
        if let Some((code, number)) = { function }.find(|(code, _)| code.eq_ignore_ascii_case(name))
        {
            return Some(named(code, number));
        }
        let characters = ('a'..='z').chain(CHARACTERS.map(|(plain, ..)| plain));
        let mut keys = characters.filter_map(|character| Some(Self::writes(character)?.0));
        keys.find(|key| key.code.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_of_the_layout_has_a_key() {
        for character in ' '..='~' {
            let (key, shift) = Key::writes(character).unwrap();
            let Kind::Character(plain, shifted) = key.kind else {
                panic!("{character}: {key:?}");
            };
            assert_eq!(if shift { shifted } else { plain }, character);
        }
        assert_eq!(Key::writes('é'), None);
    }

    #[test]
    fn keys_have_names() {
        for (name, code) in [
            ("Control", "ControlLeft"),
            ("CTRL", "ControlLeft"),
            ("Cmd", "MetaLeft"),
            ("a", "KeyA"),
            ("A", "KeyA"),
            ("KeyA", "KeyA"),
            ("?", "Slash"),
            ("Digit7", "Digit7"),
            ("F5", "F5"),
            ("ArrowLeft", "ArrowLeft"),
            ("space", "Space"),
        ] {
            assert_eq!(Key::of(name).map(|key| key.code), Some(code), "{name}");
        }
        for name in ["", "Hyper", "F25", "ab", "é"] {
            assert_eq!(Key::of(name), None, "{name}");
        }
    }
}
