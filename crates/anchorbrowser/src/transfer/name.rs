//! Names of files that a server tells: found in the headers, and made harmless.

use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_DISPOSITION, HeaderMap};

/// Bytes that a name may have, so that a number can be added and no file system refuses it.
const LONGEST: usize = 200;
/// Bytes that are kept of the ending when a long name is cut.
const LONGEST_ENDING: usize = 20;

/// What Windows takes for a device, whatever the ending.
const DEVICES: &[&str] = &["aux", "con", "conin$", "conout$", "nul", "prn"];

/// The file's name that `Content-Disposition` tells, by RFC 6266, as sent.
pub(super) fn of_headers(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_DISPOSITION)?.as_bytes();
    let value = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        // What it is then by the standard: Latin-1.
        Err(_) => latin1(value),
    };
    let (mut plain, mut extended) = (None, None);
    for (name, value) in parameters(&value) {
        match name.to_ascii_lowercase().as_str() {
            "filename" => plain = plain.or(Some(value)),
            "filename*" => extended = extended.or_else(|| decode(&value)),
            _ => {}
        }
    }
    extended.or(plain)
}

/// The parameters of a header's value, without quotes.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    // What stands before the first semicolon is the type.
    let mut rest = after(value, ';');
    while let Some((name, value)) = rest.split_once('=') {
        let name = name.trim_matches(|c: char| c == ';' || c.is_whitespace());
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let value = value.split(';').next().unwrap_or_default();
                (value.trim_end().to_owned(), after(rest, '='))
            }
        };
        found.push((name.to_owned(), value));
        rest = after(behind, ';');
    }
    found
}

/// What stands behind the first `separator`.
fn after(text: &str, separator: char) -> &str {
    text.split_once(separator).map_or("", |(_, rest)| rest)
}

/// A quoted text up to its closing quote, and what follows. A backslash counts as an escape only
/// where one is needed: many servers send the paths of Windows as they are.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return (value, text.get(place + 1..).unwrap_or_default()),
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            _ => value.push(character),
        }
    }
    (value, "")
}

/// An extended value of RFC 8187, such as `UTF-8''na%C3%AFve.txt`; `None` if it is none.
fn decode(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let bytes = percent_decode_str(encoded);
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => bytes.decode_utf8().ok().map(Into::into),
        "iso-8859-1" => Some(latin1(&bytes.collect::<Vec<u8>>())),
        _ => None,
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A name that a file can have on any system, and that leads nowhere else; `None` if nothing is
/// left of it.
pub(super) fn sanitize(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = name
        .chars()
        .filter(|&c| !c.is_control() && !is_invisible(c));
    let name: String = kept.map(replaced).collect();
    let name = trimmed(&name);
    let name = match name.len() > LONGEST {
        true => shortened(name),
        false => name.to_owned(),
    };
    match name.as_str() {
        "" => None,
        name if is_device(name) => Some(format!("_{name}")),
        _ => Some(name),
    }
}

/// What Windows refuses in a name. `:` would also name a stream of another file.
fn replaced(character: char) -> char {
    match character {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        other => other,
    }
}

/// What changes how a name is read without being seen: `txt.exe` can be shown as `exe.txt`.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

/// Without the dots that hide a file, and the dots and spaces at the end that Windows drops.
fn trimmed(name: &str) -> &str {
    let name = name.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    name.trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_lowercase();
    let mut characters = stem.chars();
    let number = characters.next_back();
    let is_port = matches!(characters.as_str(), "com" | "lpt")
        && matches!(number, Some('0'..='9' | '¹' | '²' | '³'));
    is_port || DEVICES.contains(&stem.as_str())
}

/// The beginning of a long name, with its ending.
fn shortened(name: &str) -> String {
    let (stem, ending) = split(name);
    let ending = match ending.len() <= LONGEST_ENDING {
        true => ending,
        false => "",
    };
    let mut length = (LONGEST - ending.len()).min(stem.len());
    while !stem.is_char_boundary(length) {
        length -= 1;
    }
    let stem = stem.get(..length).unwrap_or_default();
    format!("{}{ending}", trimmed(stem))
}

/// A name and its ending, dot included.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The name with a number: `report (2).pdf`. 0 is none.
pub(super) fn numbered(name: &str, number: u32) -> String {
    match (number, split(name)) {
        (0, _) => name.to_owned(),
        (_, (stem, ending)) => format!("{stem} ({number}){ending}"),
    }
}

#[cfg(test)]
mod tests;
