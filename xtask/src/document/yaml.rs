//! Reads YAML 1.2 with the core schema.

use std::borrow::Cow;

use anyhow::{Result, anyhow, bail};
use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Number, Value};

use super::Place;
use super::tree::{Builder, Failure, Node, at, too_deep};

/// Reads the one document in `text`; `None` if there is nothing but comments.
pub(super) fn read(name: &str, text: &str) -> Result<Option<(Value, Node)>, Failure> {
    let mut builder = Builder::new(name);
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| failure(name, &error))?;
        let place = place(&span.start);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(Failure::Refused(anyhow!(
                        "{}: a second document begins here; keep one document in the file",
                        at(name, place)
                    )));
                }
            }
            other => take(name, &mut builder, other, place)?,
        }
    }
    Ok(builder.finish())
}

/// Hands one event to the builder.
fn take(name: &str, builder: &mut Builder<'_>, event: Event<'_>, place: Place) -> Result<()> {
    let key = builder.expects_key();
    match event {
        Event::Scalar(text, style, anchor, _) if key => {
            if style == ScalarStyle::Plain && text == "<<" {
                bail!(
                    "{}: merge key `<<`, which YAML 1.2 doesn't have; write the entries out, or use `$ref` or `allOf`",
                    at(name, place)
                );
            }
            builder.keep_key(anchor, &text, place)?;
            builder.key(text.into_owned(), place)
        }
        Event::Scalar(text, style, anchor, tag) => {
            let value = scalar(text, style, tag.as_ref())
                .map_err(|reason| anyhow!("{}: {reason}", at(name, place)))?;
            builder.scalar(value, place, anchor)
        }
        Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) if key => bail!(
            "{}: a key must be a plain or quoted text, not a list, a mapping or an alias; \
             write it as text (and quote a value that begins with `{{`, `[` or `*`)",
            at(name, place)
        ),
        Event::Alias(anchor) => builder.alias(anchor, place),
        Event::SequenceStart(anchor, tag) => {
            check_tag(name, tag.as_ref(), "seq", place)?;
            builder.begin_list(place, anchor)
        }
        Event::MappingStart(anchor, tag) => {
            check_tag(name, tag.as_ref(), "map", place)?;
            builder.begin_mapping(place, anchor)
        }
        Event::SequenceEnd | Event::MappingEnd => builder.end(),
        _ => Ok(()),
    }
}

/// Refuses tags on lists and mappings that JSON has no counterpart for.
fn check_tag(name: &str, tag: Option<&Cow<'_, Tag>>, suffix: &str, place: Place) -> Result<()> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == suffix) => {
            bail!("{}: {}", at(name, place), unknown_tag(tag))
        }
        _ => Ok(()),
    }
}

/// A tag as it is written.
fn shown(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        tag.to_string()
    }
}

/// The message for a tag without a JSON form.
fn unknown_tag(tag: &Tag) -> String {
    let tag = shown(tag);
    format!("tag `{tag}` has no JSON form here; remove the tag")
}

/// The value of a scalar by the core schema.
fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Cow<'_, Tag>>,
) -> Result<Value, String> {
    if let Some(tag) = tag
        && !tag.is_yaml_core_schema()
    {
        return Err(unknown_tag(tag));
    }
    if style != ScalarStyle::Plain && tag.is_none() {
        return Ok(Value::String(text.into_owned()));
    }
    if tag.is_none()
        && let Some(value) = integer(&text)
    {
        return Ok(value);
    }
    // With a tag the quotes say nothing about the type.
    match Scalar::parse_from_cow_and_metadata(Cow::Borrowed(&*text), ScalarStyle::Plain, tag) {
        Some(Scalar::Null) => Ok(Value::Null),
        Some(Scalar::Boolean(value)) => Ok(Value::Bool(value)),
        Some(Scalar::Integer(value)) => Ok(Value::from(value)),
        Some(Scalar::FloatingPoint(value)) => Number::from_f64(value.into_inner()).map(Value::Number).ok_or_else(|| {
            format!("number `{text}` has no JSON form (infinite, or not a number); write a finite number, or quote it if it is text")
        }),
        Some(Scalar::String(_)) => Ok(Value::String(text.into_owned())),
        None => Err(match tag {
            Some(tag) => format!("`{text}` does not fit its tag `{}`; correct the value or remove the tag", shown(tag)),
            None => format!("`{text}` can't be read; quote it"),
        }),
    }
}

/// Integers that the scalar parser reads otherwise than the core schema does: beyond `i64`, and with two signs.
fn integer(text: &str) -> Option<Value> {
    let first = *text.as_bytes().first()?;
    if !first.is_ascii_digit() && first != b'+' && first != b'-' {
        return None;
    }
    let (radix, digits) = match text.get(..2) {
        Some("0x") => (16, text.get(2..)?),
        Some("0o") => (8, text.get(2..)?),
        _ => (10, text.strip_prefix('+').unwrap_or(text)),
    };
    if (radix != 10 || digits.len() != text.len()) && digits.starts_with(['+', '-']) {
        return Some(Value::from(text));
    }
    if digits.is_empty()
        || !digits
            .bytes()
            .all(|digit| char::from(digit).is_digit(radix))
    {
        return None;
    }
    if i64::from_str_radix(digits, radix).is_ok() {
        return None;
    }
    if let Ok(value) = u64::from_str_radix(digits, radix) {
        return Some(Value::from(value));
    }
    if radix == 10 {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(radix).map_or(0.0, f64::from);
    let value = digits
        .bytes()
        .fold(0.0, |sum: f64, next| sum * f64::from(radix) + digit(next));
    Number::from_f64(value).map(Value::Number)
}

/// The parser's message in our form.
fn failure(name: &str, error: &ScanError) -> Failure {
    let place = place(error.marker());
    let here = at(name, place);
    let info = error.info();
    if info.contains("unknown anchor") {
        return Failure::Refused(anyhow!(
            "{here}: an alias names an anchor that is not defined above; define the anchor, or quote a text that begins with `*`"
        ));
    }
    if info.contains("recursion limit") {
        return Failure::Refused(anyhow!(too_deep(name, place)));
    }
    Failure::Syntax {
        place,
        message: format!(
            "{here}: not valid YAML: {info}; mend the indentation, quotes or brackets there or just above"
        ),
    }
}

/// A parser's mark as a place.
fn place(marker: &Marker) -> Place {
    Place {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
