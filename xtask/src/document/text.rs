//! From bytes to the text that both readers take: UTF-8, no BOM, LF line ends.

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};

use super::Place;

/// The largest file that is read. The real document has a third of a megabyte.
pub(super) const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// Refuses a size above [`SIZE_LIMIT`].
pub(super) fn check_size(name: &str, size: u64) -> Result<()> {
    if size > SIZE_LIMIT {
        bail!(
            "{name} has {size} bytes, more than the limit of {SIZE_LIMIT} (16 MiB); \
             check that it is the right file, or split the document"
        );
    }
    Ok(())
}

/// Decodes the bytes of a file, so that the text is the same for every line ending and with or without a BOM.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<String> {
    check_size(name, bytes.len() as u64)?;
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        bail!("{name}:1:1: the file is UTF-16; save it as UTF-8");
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let offset = error.valid_up_to();
            let place = place_of(bytes.get(..offset).unwrap_or_default());
            bail!(
                "{name}:{}:{}: byte {offset} (from 0, after any BOM) is not valid UTF-8; save the file as UTF-8",
                place.line,
                place.column
            );
        }
    };
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    };
    check_control_characters(name, &text)?;
    Ok(text)
}

/// Neither YAML nor JSON allows these, and a NUL would end the text silently.
fn check_control_characters(name: &str, text: &str) -> Result<()> {
    let control = |byte: &u8| *byte < 0x20 && *byte != b'\n' && *byte != b'\t';
    let Some(offset) = text.as_bytes().iter().position(control) else {
        return Ok(());
    };
    let (before, after) = text.split_at(offset);
    let place = place_of(before.as_bytes());
    bail!(
        "{name}:{}:{}: control character U+{:04X}; remove it, or check that the file is text",
        place.line,
        place.column,
        after.bytes().next().unwrap_or_default()
    );
}

/// The place that follows `before`. Line ends of every kind count, since this also serves text not yet normalised.
fn place_of(before: &[u8]) -> Place {
    let mut place = Place { line: 1, column: 1 };
    let mut previous = 0;
    for &byte in before {
        match byte {
            b'\n' if previous == b'\r' => {}
            b'\n' | b'\r' => {
                place.line += 1;
                place.column = 1;
            }
            // The first byte of a character; the others don't make a column.
            _ if byte & 0xC0 != 0x80 => place.column += 1,
            _ => {}
        }
        previous = byte;
    }
    place
}

/// The text's SHA-256 in hex.
pub(super) fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
