//! Finds the operation that a path belongs to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use http::Method;
use percent_encoding::percent_decode_str;

use super::{DocumentError, Operation};

/// What a request's method and path lead to.
#[derive(Debug)]
pub enum Route<'a> {
    /// An operation, and the values in the path, decoded.
    Found {
        /// The operation.
        operation: &'a Operation,
        /// The values of the path's templates by name.
        path: BTreeMap<String, String>,
    },
    /// The path is known, but not with this method.
    Method {
        /// The methods that the path knows.
        allow: Vec<Method>,
    },
    /// No operation has such a path.
    None,
    /// The path can't be decoded; the text says why.
    Malformed(String),
}

/// One part of a path of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Static(String),
    Template {
        before: String,
        name: String,
        after: String,
    },
}

impl Segment {
    /// A fixed text goes before a template, and one with more fixed text before one with less.
    fn weight(&self) -> usize {
        match self {
            Self::Static(_) => usize::MAX,
            Self::Template { before, after, .. } => before.len() + after.len(),
        }
    }
}

/// Splits a path of the document.
pub(super) fn segments(path: &str) -> Result<Vec<Segment>, DocumentError> {
    let fault =
        |message: &str| DocumentError::new(message).at(&super::pointer::join("/paths", path));
    let Some(path) = path.strip_prefix('/') else {
        return Err(fault("a path begins with `/`"));
    };
    path.split('/')
        .map(|part| {
            let Some((before, rest)) = part.split_once('{') else {
                return Ok(Segment::Static(part.to_owned()));
            };
            match rest.split_once('}') {
                Some((name, after)) if !name.is_empty() && !after.contains('{') => {
                    Ok(Segment::Template {
                        before: before.to_owned(),
                        name: name.to_owned(),
                        after: after.to_owned(),
                    })
                }
                _ => Err(fault("a part of a path holds one `{name}` at most")),
            }
        })
        .collect()
}

/// Operations by the number of parts in their paths, the ones with fixed texts first.
#[derive(Debug, Default)]
pub(super) struct Router(BTreeMap<usize, Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    segments: Vec<Segment>,
    method: Method,
    index: usize,
}

impl Router {
    pub(super) fn new<'a>(
        operations: impl Iterator<Item = &'a Operation>,
    ) -> Result<Self, DocumentError> {
        let mut router = Self::default();
        for operation in operations {
            let segments = segments(operation.path())?;
            let entries = router.0.entry(segments.len()).or_default();
            entries.push(Entry {
                segments,
                method: operation.method().clone(),
                index: operation.index(),
            });
        }
        for entries in router.0.values_mut() {
            entries.sort_by_cached_key(|entry| {
                entry
                    .segments
                    .iter()
                    .map(|segment| Reverse(segment.weight()))
                    .collect::<Vec<_>>()
            });
        }
        Ok(router)
    }

    pub(super) fn route<'a>(
        &self,
        operations: &'a [Operation],
        method: &Method,
        path: &str,
    ) -> Route<'a> {
        let Some(rest) = path.strip_prefix('/') else {
            return Route::None;
        };
        let mut parts = Vec::new();
        for part in rest.split('/') {
            match decode(part, false) {
                Ok(part) => parts.push(part),
                Err(reason) => return Route::Malformed(format!("the path {reason}")),
            }
        }
        let mut allow = Vec::new();
        for entry in self.0.get(&parts.len()).into_iter().flatten() {
            let Some(path) = fit(&entry.segments, &parts) else {
                continue;
            };
            if entry.method == *method
                && let Some(operation) = operations.get(entry.index)
            {
                return Route::Found { operation, path };
            }
            if !allow.contains(&entry.method) {
                allow.push(entry.method.clone());
            }
        }
        if allow.is_empty() {
            Route::None
        } else {
            Route::Method { allow }
        }
    }
}

/// The values of the templates, if every part fits.
fn fit(segments: &[Segment], parts: &[String]) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (segment, part) in segments.iter().zip(parts) {
        match segment {
            Segment::Static(text) if text == part => {}
            Segment::Static(_) => return None,
            Segment::Template {
                before,
                name,
                after,
            } => {
                let value = part
                    .strip_prefix(before.as_str())?
                    .strip_suffix(after.as_str())?;
                if value.is_empty() {
                    return None;
                }
                values.insert(name.clone(), value.to_owned());
            }
        }
    }
    Some(values)
}

/// Decodes percent escapes once, and `+` as a space in forms. The error says what is wrong, without the text.
pub(super) fn decode(text: &str, form: bool) -> Result<String, &'static str> {
    let spaced;
    let text = if form && text.contains('+') {
        spaced = text.replace('+', " ");
        spaced.as_str()
    } else {
        text
    };
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        if byte == b'%' && !(hex(bytes.next()) && hex(bytes.next())) {
            return Err(
                "holds a `%` that is not followed by two hexadecimal digits; write `%25` for the sign itself",
            );
        }
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("is not UTF-8 after decoding; encode text as UTF-8 before escaping it"),
    }
}
