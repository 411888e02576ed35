//! Operations of the document, and what they take and give.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::DocumentError;
use super::request::RequestFault;
use super::schema::{Checker, Source};

/// The statuses that `default` stands for.
pub(super) const DEFAULT: (u16, u16) = (100, 599);

/// One operation: a method on a path.
#[derive(Debug)]
pub struct Operation {
    pub(super) source: Arc<Source>,
    pub(super) pointer: String,
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) key: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) needs_key: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Reply>,
}

impl Operation {
    /// The operation's index in its document.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The operation's name in snake case, such as `create_session`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Method and path, such as `POST /v1/sessions`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path with its templates.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a request must bring an API key. If the operation doesn't say, the document does; if neither does, no.
    pub fn needs_key(&self) -> bool {
        self.needs_key
    }

    /// The parameters, those of the path item among them.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The body that a request has, if it has one.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The first documented status of success, or 200.
    pub fn success(&self) -> u16 {
        let statuses = self
            .answers
            .iter()
            .filter(|reply| !reply.is_range())
            .map(Reply::status);
        statuses
            .filter(|status| (200..300).contains(status))
            .min()
            .unwrap_or(200)
    }

    /// The documented answers, by status.
    pub fn answers(&self) -> &[Reply] {
        &self.answers
    }

    /// The documented answer for a status: the one of that status, else the one of its class, else the default.
    pub(super) fn answer(&self, status: u16) -> Option<&Reply> {
        let fitting = self.answers.iter().filter(|reply| reply.covers(status));
        fitting.min_by_key(|reply| reply.last - reply.first)
    }

    /// The status that the operation documents for a fault, or the usual one if it documents none.
    pub fn status(&self, fault: RequestFault) -> u16 {
        let (likely, usual): (&[u16], u16) = match fault {
            RequestFault::Key => (&[401], 401),
            RequestFault::Parameter | RequestFault::Body => (&[400, 422], 400),
            RequestFault::ContentType => (&[415, 400], 415),
            RequestFault::TooLarge => (&[413, 400], 413),
            RequestFault::NotFound => (&[404, 400], 404),
        };
        let documented = |status: &u16| {
            self.answers
                .iter()
                .any(|reply| reply.status() == *status && !reply.is_range())
        };
        likely.iter().copied().find(documented).unwrap_or(usual)
    }

    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// An error if a schema of the operation can't be used.
    pub(super) fn check_schemas(&self) -> Result<(), DocumentError> {
        let parameters = self
            .parameters
            .iter()
            .filter_map(|parameter| parameter.checker.as_ref());
        let bodies = self.body.iter().flat_map(|body| &body.content);
        let answers = self.answers.iter().flat_map(|reply| &reply.content);
        let media = bodies
            .chain(answers)
            .filter_map(|media| media.checker.as_ref());
        for checker in parameters.chain(media) {
            if let Some(fault) = checker.fault(&self.source) {
                return Err(
                    DocumentError::new(format!("the schema can't be used: {fault}"))
                        .at(checker.pointer()),
                );
            }
        }
        Ok(())
    }
}

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// Among the headers.
    Header,
    /// Among the cookies.
    Cookie,
}

impl Location {
    /// The word that documents and messages use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// One parameter of an operation.
#[derive(Debug)]
pub struct Parameter {
    pub(super) name: String,
    pub(super) location: Location,
    pub(super) required: bool,
    pub(super) schema: Value,
    pub(super) checker: Option<Checker>,
    /// The value is one JSON text.
    pub(super) json: bool,
    /// An object is sent as `name[member]=value`.
    pub(super) deep: bool,
}

impl Parameter {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands.
    pub fn location(&self) -> Location {
        self.location
    }

    /// Whether a request must have it.
    pub fn required(&self) -> bool {
        self.required
    }

    /// Its schema.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The parameter in messages, such as `query limit`.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.location.word(), self.name)
    }
}

/// A media type, and the schema of what is sent in it.
#[derive(Debug)]
pub(super) struct Media {
    pub(super) kind: String,
    pub(super) schema: Option<Value>,
    pub(super) checker: Option<Checker>,
}

/// The body of a request.
#[derive(Debug)]
pub struct Body {
    pub(super) required: bool,
    pub(super) content: Vec<Media>,
}

impl Body {
    /// Whether a request must have it.
    pub fn required(&self) -> bool {
        self.required
    }

    /// Media types and their schemas; a media type without a schema takes anything.
    pub fn content(&self) -> impl Iterator<Item = (&str, &Value)> {
        static ANYTHING: Value = Value::Bool(true);
        self.content.iter().map(|media| {
            (
                media.kind.as_str(),
                media.schema.as_ref().unwrap_or(&ANYTHING),
            )
        })
    }
}

/// A documented answer.
#[derive(Debug)]
pub struct Reply {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) content: Vec<Media>,
    pub(super) headers: Vec<String>,
}

impl Reply {
    /// The status; for a class such as `4XX` its first one, and for `default` 500.
    pub fn status(&self) -> u16 {
        if (self.first, self.last) == DEFAULT {
            500
        } else {
            self.first
        }
    }

    /// Whether the answer is documented for several statuses at once.
    pub fn is_range(&self) -> bool {
        self.first != self.last
    }

    /// Whether the answer is documented for this status.
    pub fn covers(&self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }

    /// Media types and their schemas. Nothing: the answer has no body.
    pub fn content(&self) -> impl Iterator<Item = (&str, Option<&Value>)> {
        self.content
            .iter()
            .map(|media| (media.kind.as_str(), media.schema.as_ref()))
    }

    /// Names of documented headers.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }
}
