//! Forms: their parts, and the object that the parts make up.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::CONTENT_DISPOSITION;
use http_body_util::{BodyDataStream, Full};
use multer::{Field, Multipart};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::kinds::{ARRAY, allows, items, property};
use super::message::step;
use super::operation::{Media, Operation};
use super::parameter::{self, pairs};
use super::pointer;
use super::request::{Content, MOST, Part, RequestFault, Violations};

pub(super) const MULTIPART: &str = "multipart/form-data";
pub(super) const URLENCODED: &str = "application/x-www-form-urlencoded";

/// More parts are refused.
const MOST_PARTS: usize = 1000;

/// Reads a form and holds it against its schema.
pub(super) fn check(
    operation: &Operation,
    media: &Media,
    declared: &str,
    bytes: &Bytes,
    violations: &mut Violations,
) -> Content {
    let multipart = super::body::essence(declared) == MULTIPART;
    let parts = if multipart {
        multipart_parts(declared, bytes)
    } else {
        encoded_parts(bytes)
    };
    let parts = match parts {
        Ok(parts) => parts,
        Err(reason) => {
            violations.add(RequestFault::Body, "body", reason);
            return Content::Other(bytes.clone());
        }
    };
    if let (Some(schema), Some(checker)) = (&media.schema, &media.checker) {
        let mut faults = Vec::new();
        let value = object(&operation.source.root, schema, &parts, &mut faults);
        // A part that can't be read is left out of the object, where it would count as missing.
        let said = |place: &str| faults.iter().any(|(other, _)| other == place);
        let mut found = checker.check(&operation.source, &value, "body", MOST);
        found.retain(|(place, _)| !said(place));
        violations.extend(RequestFault::Body, faults);
        violations.extend(RequestFault::Body, found);
    }
    Content::Form(parts)
}

fn encoded_parts(bytes: &Bytes) -> Result<Vec<Part>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let mut fault = None;
    let pairs = pairs(text, |name, reason| {
        fault = Some(format!("has a field {name:?} that {reason}"))
    });
    match fault {
        Some(fault) => Err(fault),
        None if pairs.len() > MOST_PARTS => Err(too_many()),
        None => {
            let part = |(name, value)| Part {
                name,
                file_name: None,
                content_type: None,
                bytes: Bytes::from(value),
            };
            Ok(pairs.into_iter().map(part).collect())
        }
    }
}

fn too_many() -> String {
    format!("has more than {MOST_PARTS} parts")
}

fn multipart_parts(declared: &str, bytes: &Bytes) -> Result<Vec<Part>, String> {
    let boundary = multer::parse_boundary(declared).map_err(|error| reason(&error))?;
    let mut form = Multipart::new(BodyDataStream::new(Full::new(bytes.clone())), boundary);
    let mut parts = Vec::new();
    while let Some(field) = ready(form.next_field())?.map_err(|error| reason(&error))? {
        if parts.len() == MOST_PARTS {
            return Err(too_many());
        }
        parts.push(part(field)?);
    }
    Ok(parts)
}

fn part(field: Field<'_>) -> Result<Part, String> {
    let Some(name) = field.name().map(str::to_owned) else {
        return Err(
            "has a part without a name; give it a Content-Disposition with `name`".to_owned(),
        );
    };
    let file_name = file_name(&field);
    let content_type = field.content_type().map(ToString::to_string);
    let bytes = ready(field.bytes())?.map_err(|error| reason(&error))?;
    Ok(Part {
        name,
        file_name,
        content_type,
        bytes,
    })
}

/// The name of a part's file. Forms should not have `filename*`, but clients write names that are not plain ASCII so.
fn file_name(field: &Field<'_>) -> Option<String> {
    let disposition = field.headers().get(CONTENT_DISPOSITION);
    disposition
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
        .and_then(extended_file_name)
        .or_else(|| field.file_name().map(str::to_owned))
}

/// The value of `filename*`, by RFC 8187, if it is in UTF-8.
fn extended_file_name(disposition: &str) -> Option<String> {
    let (mut quoted, mut escaped) = (false, false);
    let ends = |character: char| {
        let end = character == ';' && !quoted;
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && quoted && !escaped;
        end
    };
    disposition.split(ends).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let (charset, rest) = value.trim().split_once('\'')?;
        let (_language, text) = rest.split_once('\'')?;
        let fits =
            name.trim().eq_ignore_ascii_case("filename*") && charset.eq_ignore_ascii_case("utf-8");
        let text = percent_decode_str(text).decode_utf8().ok()?;
        fits.then(|| text.into_owned())
    })
}

/// Takes the result of a future that waits for nothing: the whole body is in memory.
fn ready<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(result) => Ok(result),
        Poll::Pending => Err("can't be read to its end".to_owned()),
    }
}

/// The parser's error in words that hold nothing of the body.
fn reason(error: &multer::Error) -> String {
    match error {
        multer::Error::NoBoundary | multer::Error::DecodeContentType(_) | multer::Error::NoMultipart => {
            "is not a valid multipart form: the Content-Type has no `boundary`".to_owned()
        }
        multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteFieldData { .. } => {
            "is not a valid multipart form: it ends too early, or its boundary is not the one in the Content-Type"
                .to_owned()
        }
        _ => "is not a valid multipart form: the headers of a part can't be read".to_owned(),
    }
}

/// The parts as the object that the schema describes. Adds parts that can't be read to `faults`.
fn object(
    root: &Value,
    schema: &Value,
    parts: &[Part],
    faults: &mut Vec<(String, String)>,
) -> Value {
    let mut members = Map::new();
    for part in parts {
        let place = step("body", &part.name);
        let schema = property(root, schema, &part.name);
        let list = schema.is_some_and(|schema| allows(root, schema, ARRAY));
        let item = if list {
            schema.and_then(|schema| items(root, schema))
        } else {
            schema
        };
        let value = match read(root, item, part) {
            Ok(value) => value,
            Err(reason) => {
                faults.push((place, reason));
                continue;
            }
        };
        match members.get_mut(&part.name) {
            Some(Value::Array(values)) if list => values.push(value),
            Some(_) => faults.push((place, "is given more than once; give it once".to_owned())),
            None => {
                let value = if list {
                    Value::Array(vec![value])
                } else {
                    value
                };
                members.insert(part.name.clone(), value);
            }
        }
    }
    Value::Object(members)
}

fn read(root: &Value, schema: Option<&Value>, part: &Part) -> Result<Value, String> {
    let binary = schema.is_some_and(|schema| {
        pointer::resolve(root, schema).get("format") == Some(&Value::from("binary"))
    });
    if binary || (part.file_name.is_some() && schema.is_none()) {
        // A file counts as a text; what is in it is nobody's business here.
        return Ok(Value::from("file"));
    }
    let text = std::str::from_utf8(&part.bytes).map_err(|_| "must be text in UTF-8".to_owned())?;
    match schema {
        Some(schema) => parameter::value(root, schema, text),
        None => Ok(Value::from(text)),
    }
}
