//! Reads JSON. A YAML parser takes most JSON, but neither tabs as indentation nor all of its escapes.

use anyhow::Result;
use serde_json::Value;

use super::Place;
use super::tree::{Builder, Failure, Node, at};

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A value.
    Value,
    /// A list's first item or its end.
    FirstItem,
    /// A key.
    Key,
    /// A mapping's first key or its end.
    FirstKey,
    /// A comma or an end; after the outermost value nothing.
    Next,
}

/// Reads the JSON value in `text`.
pub(super) fn read(name: &str, text: &str) -> Result<Option<(Value, Node)>, Failure> {
    let mut reader = Reader {
        name,
        text,
        at: 0,
        counted: 0,
        place: Place { line: 1, column: 1 },
    };
    let mut builder = Builder::new(name);
    let mut expect = Expect::Value;
    loop {
        reader.skip_space();
        expect = match expect {
            Expect::Next if !builder.is_open() => break,
            Expect::Next => reader.next(&mut builder)?,
            Expect::Key | Expect::FirstKey => reader.key(&mut builder, expect)?,
            Expect::Value | Expect::FirstItem => reader.value(&mut builder, expect)?,
        };
    }
    if reader.at < text.len() {
        return Err(reader.syntax("the end of the file"));
    }
    Ok(builder.finish())
}

/// A position in the text.
struct Reader<'a> {
    /// The document's name in messages.
    name: &'a str,
    /// All of the text.
    text: &'a str,
    /// Bytes read.
    at: usize,
    /// Bytes that `place` has taken into account.
    counted: usize,
    /// The place of byte `counted`.
    place: Place,
}

impl Reader<'_> {
    /// The next byte; 0, which the text can't hold, at its end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Passes over white space.
    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n') {
            self.at += 1;
        }
    }

    /// The place of the next byte. Counts only what is new, so that one long line costs no more than many short ones.
    fn place(&mut self) -> Place {
        for &byte in self
            .text
            .as_bytes()
            .get(self.counted..self.at)
            .unwrap_or_default()
        {
            if byte == b'\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.place.column += 1;
            }
        }
        self.counted = self.at;
        self.place
    }

    /// The failure for a text that lacks `expected` here.
    fn syntax(&mut self, expected: &str) -> Failure {
        let place = self.place();
        let found = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next());
        let found = found.map_or_else(
            || "the end of the file".to_owned(),
            |found| format!("`{}`", found.escape_debug()),
        );
        let here = at(self.name, place);
        Failure::Syntax {
            place,
            message: format!(
                "{here}: not valid JSON: expected {expected}, found {found}; mend the brackets, quotes or commas there or just before"
            ),
        }
    }

    /// Reads a value, or the beginning of a list or mapping.
    fn value(&mut self, builder: &mut Builder<'_>, expect: Expect) -> Result<Expect, Failure> {
        let place = self.place();
        match self.peek() {
            b']' if expect == Expect::FirstItem => return self.close(builder),
            b'{' => {
                builder.begin_mapping(place, 0)?;
                self.at += 1;
                return Ok(Expect::FirstKey);
            }
            b'[' => {
                builder.begin_list(place, 0)?;
                self.at += 1;
                return Ok(Expect::FirstItem);
            }
            b'"' => {
                let text = self.string()?;
                builder.scalar(Value::String(text), place, 0)?;
            }
            _ => {
                let value = self.word()?;
                builder.scalar(value, place, 0)?;
            }
        }
        Ok(Expect::Next)
    }

    /// Reads a key and its colon.
    fn key(&mut self, builder: &mut Builder<'_>, expect: Expect) -> Result<Expect, Failure> {
        let place = self.place();
        match self.peek() {
            b'}' if expect == Expect::FirstKey => return self.close(builder),
            b'"' => {}
            _ => return Err(self.syntax("a quoted key")),
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != b':' {
            return Err(self.syntax("`:`"));
        }
        self.at += 1;
        builder.key(key, place)?;
        Ok(Expect::Value)
    }

    /// Reads what follows a value inside a list or mapping.
    fn next(&mut self, builder: &mut Builder<'_>) -> Result<Expect, Failure> {
        let mapping = builder.expects_key();
        match self.peek() {
            b',' => {
                self.at += 1;
                Ok(if mapping { Expect::Key } else { Expect::Value })
            }
            b'}' if mapping => self.close(builder),
            b']' if !mapping => self.close(builder),
            _ => Err(self.syntax(if mapping { "`,` or `}`" } else { "`,` or `]`" })),
        }
    }

    /// Passes over a closing bracket.
    fn close(&mut self, builder: &mut Builder<'_>) -> Result<Expect, Failure> {
        self.at += 1;
        builder.end()?;
        Ok(Expect::Next)
    }

    /// Reads a quoted text.
    fn string(&mut self) -> Result<String, Failure> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        while let Some(&byte) = bytes.get(end) {
            match byte {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let text = self.text.get(self.at..=end);
        // Also refuses raw control characters and lone surrogates.
        match text.map(serde_json::from_str::<String>) {
            Some(Ok(text)) => {
                self.at = end + 1;
                Ok(text)
            }
            _ => Err(self.syntax("a complete quoted text")),
        }
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, Failure> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let word = rest.split(|c| !inside(c)).next().unwrap_or_default();
        let Ok(value) = serde_json::from_str::<Value>(word) else {
            return Err(self.syntax("a value"));
        };
        self.at += word.len();
        // The standard library rounds correctly, serde_json only nearly.
        let exact = value
            .as_number()
            .filter(|number| number.is_f64())
            .and_then(|_| word.parse::<f64>().ok());
        Ok(exact.map_or(value, Value::from))
    }
}
