//! Reads YAML 1.2 and JSON into one tree, and finds the line of a place in it.

use std::fmt;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, ScanError, Yaml, YamlData};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::DocumentError;

/// The largest document that is read.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;

/// Deeper trees are refused: every walk over a document is recursive.
const DEEPEST: usize = 128;

/// The widest indentation of a line of YAML.
const WIDEST: usize = 256;

/// The stack for reading a text that nobody has seen before. Aliases can nest a tree some ten
/// thousand levels deep before the parser stops, and it copies and drops its trees recursively.
const STACK: usize = 64 * 1024 * 1024;

/// Does `work` on a stack that is large enough for any text.
pub(super) fn with_room<T: Send>(
    work: impl FnOnce() -> Result<T, DocumentError> + Send,
) -> Result<T, DocumentError> {
    let failed = || DocumentError::new("the document can't be read: the YAML parser stopped");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("document".to_owned())
            .stack_size(STACK);
        let thread = thread.spawn_scoped(scope, work).map_err(|_| failed())?;
        thread.join().unwrap_or_else(|_| Err(failed()))
    })
}

/// Reads a document: JSON if it begins with `{`, else YAML.
pub(super) fn read(text: &str) -> Result<Value, DocumentError> {
    if text.len() > LARGEST {
        return Err(too_large());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        json(text)
    } else {
        yaml(text)
    }
}

/// The parser drops its tree recursively, so a tree that is too deep must not come to be.
fn check_indentation(text: &str) -> Result<(), DocumentError> {
    for (index, line) in text.lines().enumerate() {
        let mut letters = line.bytes().enumerate().peekable();
        while let Some((column, letter)) = letters.next() {
            let indents = match letter {
                b' ' => true,
                b'-' | b'?' | b':' => letters
                    .peek()
                    .is_none_or(|(_, next)| *next == b' ' || *next == b'\t'),
                _ => false,
            };
            if !indents {
                break;
            }
            if column >= WIDEST {
                return Err(DocumentError::new(
                    "the line is indented by more than 256 columns; use `$ref`",
                )
                .at_line(index + 1, column + 1));
            }
        }
    }
    Ok(())
}

fn yaml(text: &str) -> Result<Value, DocumentError> {
    check_indentation(text)?;
    let documents = Yaml::load_from_str(text).map_err(|error| broken_yaml(&error))?;
    let mut documents = documents.into_iter();
    let Some(first) = documents.next() else {
        return Err(DocumentError::new(
            "the text is empty; give an OpenAPI 3.1 document",
        ));
    };
    if documents.next().is_some() {
        return Err(DocumentError::new(
            "the text holds more than one YAML document; keep one and remove the `---` lines",
        ));
    }
    convert(first, &mut Trail::default())
}

fn broken_yaml(error: &ScanError) -> DocumentError {
    let marker = error.marker();
    DocumentError::new(format!(
        "not valid YAML: {}; mend it there or just above",
        error.info()
    ))
    .at_line(marker.line(), marker.col() + 1)
}

/// Where a conversion is, for messages.
#[derive(Default)]
struct Trail(Vec<String>);

impl Trail {
    fn error(&self, message: impl Into<String>) -> DocumentError {
        let pointer: String = self.0.iter().flat_map(|part| ["/", part]).collect();
        DocumentError::new(message).at(&pointer)
    }

    fn within<T>(
        &mut self,
        step: String,
        work: impl FnOnce(&mut Self) -> Result<T, DocumentError>,
    ) -> Result<T, DocumentError> {
        self.0.push(step);
        if self.0.len() > DEEPEST {
            return Err(self.error("the document is nested deeper than 128 levels; use `$ref`"));
        }
        let result = work(self);
        self.0.pop();
        result
    }
}

fn convert(node: Yaml<'_>, trail: &mut Trail) -> Result<Value, DocumentError> {
    match node {
        Yaml::Value(scalar) => value(scalar, trail),
        Yaml::Sequence(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                list.push(trail.within(index.to_string(), |trail| convert(item, trail))?);
            }
            Ok(Value::Array(list))
        }
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (name, entry) in entries {
                let name = key(name, trail)?;
                let step = super::pointer::escape(&name);
                let entry = trail.within(step, |trail| convert(entry, trail))?;
                if map.insert(name.clone(), entry).is_some() {
                    return Err(
                        trail.error(format!("the key `{name}` stands here twice; remove one"))
                    );
                }
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(..) => {
            Err(trail.error("a YAML tag that JSON has no counterpart for; remove the tag"))
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            Err(trail.error("a value that can't be read; quote it if it is text"))
        }
    }
}

fn value(scalar: Scalar<'_>, trail: &Trail) -> Result<Value, DocumentError> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(flag),
        Scalar::Integer(number) => Value::from(number),
        Scalar::FloatingPoint(number) => Number::from_f64(number.into_inner())
            .map(Value::Number)
            .ok_or_else(|| {
            trail.error("a number without a JSON form; write a finite number, or quote it")
        })?,
        Scalar::String(text) => Value::String(text.into_owned()),
    })
}

/// A key as text: status codes are often written without quotes.
fn key(node: Yaml<'_>, trail: &Trail) -> Result<String, DocumentError> {
    match node {
        Yaml::Value(Scalar::String(text)) if text == "<<" => {
            Err(trail
                .error("the merge key `<<` is not YAML 1.2; write the entries out, or use `$ref`"))
        }
        Yaml::Value(Scalar::String(text)) => Ok(text.into_owned()),
        Yaml::Value(Scalar::Integer(number)) => Ok(number.to_string()),
        Yaml::Value(Scalar::Boolean(flag)) => Ok(flag.to_string()),
        Yaml::Value(Scalar::Null) => Ok("null".to_owned()),
        _ => Err(trail.error("a key that is not text; quote it")),
    }
}

pub(super) fn too_large() -> DocumentError {
    DocumentError::new("the document is larger than 16 MiB; remove what is not part of the API")
}

fn json(text: &str) -> Result<Value, DocumentError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Tree
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        let message = error.to_string();
        let message = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(head, _)| head);
        DocumentError::new(format!("not valid JSON: {message}"))
            .at_line(error.line(), error.column())
    })
}

/// Builds a tree as `serde_json` does, but takes no key twice.
struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let entry = entries.next_value_seed(Tree)?;
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "the key `{name}` stands here twice; remove one"
                )));
            }
            map.insert(name, entry);
        }
        Ok(Value::Object(map))
    }
}

/// The line and column of what `pointer` names, or of the deepest part of it that there is.
/// Reads the text once more: only messages need it.
pub(super) fn find(text: &str, pointer: &str) -> Option<(usize, usize)> {
    let documents = MarkedYaml::load_from_str(text).ok()?;
    let mut node = documents.first()?;
    let mut mark = node.span.start;
    for part in pointer.split('/').skip(1) {
        let part = super::pointer::unescape(part);
        let next =
            match &node.data {
                YamlData::Sequence(items) => {
                    part.parse().ok().and_then(|index: usize| items.get(index))
                }
                YamlData::Mapping(entries) => entries
                    .iter()
                    .find(|(name, _)| named(name, &part))
                    .map(|(name, entry)| {
                        mark = name.span.start;
                        entry
                    }),
                _ => None,
            };
        let Some(next) = next else { break };
        if matches!(node.data, YamlData::Sequence(_)) {
            mark = next.span.start;
        }
        node = next;
    }
    Some((mark.line(), mark.col() + 1))
}

fn named(node: &MarkedYaml<'_>, name: &str) -> bool {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => text == name,
        YamlData::Value(Scalar::Integer(number)) => number.to_string() == name,
        YamlData::Value(Scalar::Boolean(flag)) => flag.to_string() == name,
        _ => false,
    }
}
