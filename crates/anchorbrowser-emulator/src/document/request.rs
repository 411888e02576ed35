//! Requests, and the check of one against its operation.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::{Operation, body, parameter};

/// As many violations of one request are told.
pub(super) const MOST: usize = 10;

/// The parts of a request that an operation describes.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// The values in the path, decoded.
    pub path: &'a BTreeMap<String, String>,
    /// The query as it was sent, without the `?`.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a Bytes,
}

impl fmt::Debug for RawRequest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RawRequest")
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a request says, and what is wrong with it.
pub struct Checked {
    /// The query by the types of its schemas. Defaults are not filled in; unknown names are left out.
    pub query: BTreeMap<String, Value>,
    /// Names in the query that the document does not give the operation.
    pub unknown: Vec<String>,
    /// The body.
    pub body: Content,
    /// What is wrong; nothing if the request is valid. Ten at most.
    pub violations: Vec<Violation>,
}

impl fmt::Debug for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Checked")
            .field("query", &self.query.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .field("violations", &self.violations)
            .finish()
    }
}

/// The body of a request.
pub enum Content {
    /// There is none, or none is documented.
    None,
    /// JSON.
    Json(Value),
    /// The parts of a form.
    Form(Vec<Part>),
    /// Something else, or a text that is at fault.
    Other(Bytes),
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
            Self::Json(_) => formatter.write_str("Json(..)"),
            Self::Form(parts) => formatter.debug_tuple("Form").field(parts).finish(),
            Self::Other(bytes) => write!(formatter, "Other({} bytes)", bytes.len()),
        }
    }
}

/// One part of a form.
#[derive(Clone)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, if the part is a file.
    pub file_name: Option<String>,
    /// The part's own media type.
    pub content_type: Option<String>,
    /// The content.
    pub bytes: Bytes,
}

impl fmt::Debug for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Part")
            .field("name", &self.name)
            .field("file_name", &self.file_name)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The kind of fault, which decides the status.
    pub fault: RequestFault,
    /// Where: `query limit`, `path sessionId`, `body.session.timeout`, `header content-type`.
    pub place: String,
    /// What is wrong and what would be right, to be read after the place. Never holds the value.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.place, self.message)
    }
}

/// Kinds of faults of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestFault {
    /// The API key is missing or wrong.
    Key,
    /// A value in the path, the query or the headers.
    Parameter,
    /// The body.
    Body,
    /// The body's media type.
    ContentType,
    /// The body is too large.
    TooLarge,
    /// What the request names is not there.
    NotFound,
}

/// Collects violations, up to [`MOST`].
#[derive(Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    pub(super) fn add(
        &mut self,
        fault: RequestFault,
        place: impl Into<String>,
        message: impl Into<String>,
    ) {
        if self.0.len() < MOST {
            self.0.push(Violation {
                fault,
                place: place.into(),
                message: message.into(),
            });
        }
    }

    pub(super) fn extend(&mut self, fault: RequestFault, found: Vec<(String, String)>) {
        for (place, message) in found {
            self.add(fault, place, message);
        }
    }
}

impl Operation {
    /// Reads a request by the operation's description, and says what is wrong with it.
    ///
    /// Names in the query that the operation doesn't know are no violation, and a body where none is
    /// documented is ignored. The API key is not looked at.
    pub fn check(&self, request: &RawRequest<'_>) -> Checked {
        let mut violations = Violations::default();
        let query = parameter::check(self, request, &mut violations);
        let body = body::check(self, request, &mut violations);
        Checked {
            query,
            unknown: parameter::unknown(self, request.query),
            body,
            violations: violations.0,
        }
    }
}
