//! Reads OpenAPI documents and overlays, and knows where each node stood.

mod check;
mod header;
mod json;
mod parameters;
mod shape;
mod text;
mod tree;
mod walk;
mod yaml;

#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod overlay_tests;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

pub(crate) use check::{check_comparable, check_references};
pub(crate) use walk::{escape, local_pointer, resolve, unescape, visit};

use tree::{Failure, Node};

/// A place in a source file, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Line.
    pub(crate) line: usize,
    /// Column, in characters.
    pub(crate) column: usize,
}

/// A document as read: its text's hash, its value and where each node stood.
#[derive(Debug)]
pub(crate) struct Document {
    /// The file as shown in messages.
    pub(crate) name: String,
    /// SHA-256 in hex of the text without BOM and with LF as line end.
    pub(crate) sha256: String,
    /// The value; a mapping.
    pub(crate) root: Value,
    /// Where each node stood.
    places: Node,
}

impl Document {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        Ok(Self::load_with_bytes(path)?.0)
    }

    /// Reads a file, and gives its bytes as well.
    pub(crate) fn load_with_bytes(path: &Path) -> Result<(Self, Vec<u8>)> {
        let name = shown(path);
        let bytes = read(path, &name)?;
        Ok((Self::parse(&name, &bytes)?, bytes))
    }

    /// Reads all of `input`, such as standard input, and gives its bytes as well.
    pub(crate) fn read_with_bytes(name: &str, input: impl Read) -> Result<(Self, Vec<u8>)> {
        let bytes = limited(input).with_context(|| format!("cannot read {name}"))?;
        Ok((Self::parse(name, &bytes)?, bytes))
    }

    /// Reads bytes of YAML or JSON; `name` is shown in messages.
    pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let text = text::decode(name, bytes)?;
        let start = text.trim_start();
        // `<<` would be a merge key, which has a message of its own.
        if start.starts_with('<') && !start.starts_with("<<") {
            bail!(
                "{name}:1:1: not an OpenAPI document or overlay: it looks like HTML or XML, \
                 perhaps an error page that was saved in its place; get the file again"
            );
        }
        let read = read_tree(name, &text)?;
        let Some((root, places)) = read.filter(|(root, _)| !root.is_null()) else {
            bail!("{name}: the file is empty; give an OpenAPI document or an overlay");
        };
        if !root.is_object() {
            let place = tree::at(name, places.place());
            let found = kind(&root);
            bail!(
                "{place}: not an OpenAPI document or overlay: the top level is {found}, not a mapping; check that it is the right file"
            );
        }
        Ok(Self {
            name: name.to_owned(),
            sha256: text::sha256(&text),
            root,
            places,
        })
    }

    /// Where the node at `pointer` stood, or else its nearest ancestor that stood anywhere. An entry stands where its key is.
    pub(crate) fn place(&self, pointer: &str) -> Option<Place> {
        let mut node = &self.places;
        if !pointer.is_empty() {
            for token in pointer.strip_prefix('/')?.split('/') {
                match node.child(&walk::unescape(token)) {
                    Some(child) => node = child,
                    None => break,
                }
            }
        }
        Some(node.place())
    }

    /// The place of `pointer` in a message: `openapi.yaml:12:5`.
    pub(crate) fn location(&self, pointer: &str) -> String {
        let place = self.place(pointer).unwrap_or_else(|| self.places.place());
        tree::at(&self.name, place)
    }

    /// The start of a message about `pointer`: `openapi.yaml:12:5 (/paths/~1v1~1sessions/get)`.
    pub(crate) fn at(&self, pointer: &str) -> String {
        let shown = if pointer.is_empty() {
            "top level"
        } else {
            pointer
        };
        format!("{} ({shown})", self.location(pointer))
    }
}

/// Reads `text` as what it looks like.
fn read_tree(name: &str, text: &str) -> Result<Option<(Value, Node)>> {
    let yaml = |text| yaml::read(name, text);
    if !text.trim_start().starts_with(['{', '[']) {
        return yaml(text).map_err(error);
    }
    let (json_place, json_message) = match json::read(name, text) {
        Err(Failure::Syntax { place, message }) => (place, message),
        other => return other.map_err(error),
    };
    match yaml(text) {
        // The reader that came further took the text for what it was meant to be.
        Err(Failure::Syntax { place, .. }) if place <= json_place => bail!(json_message),
        other => other.map_err(error),
    }
}

/// A reader's failure as an error.
fn error(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Syntax { message, .. } => anyhow::Error::msg(message),
        Failure::Refused(error) => error,
    }
}

/// Reads a file's bytes, up to the limit.
fn read(path: &Path, name: &str) -> Result<Vec<u8>> {
    let metadata =
        std::fs::metadata(path).with_context(|| format!("cannot read {name}; check the path"))?;
    if metadata.is_dir() {
        bail!("cannot read {name}: it is a directory; give the path of a file");
    }
    text::check_size(name, metadata.len())?;
    let file =
        File::open(path).with_context(|| format!("cannot open {name}; check its permissions"))?;
    limited(file).with_context(|| format!("cannot read {name}; check its permissions"))
}

/// Reads what a file or pipe has, but not much more than the limit: a growing file has more than its metadata says.
fn limited(input: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(text::SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A path as shown in messages: relative to the current directory if it is below.
fn shown(path: &Path) -> String {
    let relative = || {
        let here = std::env::current_dir().ok()?.canonicalize().ok()?;
        let path = path.canonicalize().ok()?;
        path.strip_prefix(here).ok().map(Path::to_path_buf)
    };
    relative()
        .unwrap_or_else(|| path.to_path_buf())
        .display()
        .to_string()
}

/// A value's type in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
