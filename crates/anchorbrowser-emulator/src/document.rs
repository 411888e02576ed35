//! The OpenAPI document: its operations, the way from a request to one of them, and the checks of
//! requests and answers.
//!
//! A [`Document`] is read once and does not change. Its schemas are normalized on reading, so that
//! all other code sees plain JSON Schema 2020-12. Checks name the member at fault and what it must
//! be; they never repeat its value, which may be a secret.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use http::Method;
use serde_json::Value;

mod answer;
mod body;
mod builder;
mod form;
mod kinds;
mod message;
mod names;
mod normal;
mod operation;
mod parameter;
mod pointer;
mod request;
mod route;
mod schema;
#[cfg(test)]
mod tests;
mod text;

pub use operation::{Body, Location, Operation, Parameter, Reply};
pub use request::{Checked, Content, Part, RawRequest, RequestFault, Violation};
pub use route::Route;

use builder::Builder;
use route::Router;
use schema::Source;

/// The document that is part of the crate.
const EMBEDDED: &str = include_str!("../openapi.yaml");

/// An OpenAPI 3.1 document, read and normalized.
pub struct Document {
    source: Arc<Source>,
    operations: Vec<Operation>,
    names: BTreeMap<String, usize>,
    router: Router,
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// The document of the API that the crate was made for.
    pub fn embedded() -> Arc<Self> {
        static DOCUMENT: OnceLock<Arc<Document>> = OnceLock::new();
        let document = DOCUMENT.get_or_init(|| {
            // The text is fixed and a test reads it, so there is nobody to give an error to.
            let document = Self::load(EMBEDDED).unwrap_or_else(|error| {
                tracing::error!(%error, "the embedded document can't be read; no operation is served");
                Self::empty()
            });
            Arc::new(document)
        });
        Arc::clone(document)
    }

    /// Reads a document in YAML or JSON. Operations that the API has too get the same names as there.
    ///
    /// # Errors
    ///
    /// If the text is not an OpenAPI 3.1 document, refers to what is not in it, or holds a schema
    /// that can't be used. The error names the place.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        text::with_room(|| {
            let located = |error: DocumentError| error.find_line(text);
            let document = Self::load(text).map_err(located)?;
            document.check_schemas().map_err(located)?;
            Ok(document)
        })
    }

    /// Reads a document from a file, as [`Document::parse`] does.
    ///
    /// # Errors
    ///
    /// If the file can't be read, and as [`Document::parse`].
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let named = |error: DocumentError| error.in_file(path);
        let file = File::open(path).map_err(|error| named(unreadable(&error)))?;
        let mut bytes = Vec::new();
        // Devices and pipes do not tell their size before.
        file.take(text::LARGEST as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| named(unreadable(&error)))?;
        if bytes.len() > text::LARGEST {
            return Err(named(text::too_large()));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| named(DocumentError::new("the file is not text in UTF-8")))?;
        Self::parse(&text).map_err(named)
    }

    fn load(text: &str) -> Result<Self, DocumentError> {
        let mut root = text::read(text)?;
        normal::normalize(&mut root)?;
        Self::build(root)
    }

    fn build(root: Value) -> Result<Self, DocumentError> {
        let source = Arc::new(Source::new(root)?);
        let operations = Builder::new(&source).operations()?;
        let mut names = BTreeMap::new();
        for operation in &operations {
            for name in [operation.id(), operation.key()] {
                if names.insert(name.to_owned(), operation.index()).is_some() {
                    return Err(DocumentError::new(format!(
                        "two operations are named `{name}`; give each its own `operationId`"
                    ))
                    .at(operation.pointer()));
                }
            }
        }
        let router = Router::new(operations.iter())?;
        Ok(Self {
            source,
            operations,
            names,
            router,
        })
    }

    fn empty() -> Self {
        let source = Arc::new(Source::empty());
        Self {
            source,
            operations: Vec::new(),
            names: BTreeMap::new(),
            router: Router::default(),
        }
    }

    /// Makes all validators, so that a schema at fault is known before the first request.
    fn check_schemas(&self) -> Result<(), DocumentError> {
        self.operations
            .iter()
            .try_for_each(Operation::check_schemas)
    }

    /// All operations; each stands at its own index.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// An operation by its id, such as `create_session`, or by its key, such as `POST /v1/sessions`.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.names
            .get(name)
            .and_then(|index| self.operations.get(*index))
    }

    /// The operation that a request is for. `path` is the request's own, still percent-encoded.
    ///
    /// Fixed parts of paths go before templates. A path with the right parts but without the method
    /// gives way to the next one that has it.
    pub fn route(&self, method: &Method, path: &str) -> Route<'_> {
        self.router.route(&self.operations, method, path)
    }

    /// The normalized document.
    pub fn root(&self) -> &Value {
        &self.source.root
    }

    /// What `schema` refers to in the end, or `schema` itself.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        self.source.resolve(schema)
    }
}

fn unreadable(error: &std::io::Error) -> DocumentError {
    DocumentError::new(format!("the file can't be read: {error}"))
}

/// Why a document can't be used, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    file: Option<String>,
    line: Option<(usize, usize)>,
    pointer: Option<String>,
    message: String,
}

impl DocumentError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            pointer: None,
            message: message.into(),
        }
    }

    pub(crate) fn at(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }

    fn at_line(mut self, line: usize, column: usize) -> Self {
        self.line = Some((line, column));
        self
    }

    fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.display().to_string());
        self
    }

    /// Adds the line of the pointer.
    fn find_line(mut self, text: &str) -> Self {
        if let (None, Some(pointer)) = (self.line, &self.pointer) {
            self.line = text::find(text, pointer);
        }
        self
    }

    /// The line in the text, from 1, if it is known.
    pub fn line(&self) -> Option<usize> {
        self.line.map(|(line, _)| line)
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{file}: ")?;
        }
        if let Some((line, column)) = self.line {
            write!(formatter, "line {line}, column {column}: ")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(formatter, "#{pointer}: ")?;
        }
        formatter.write_str(&self.message)
    }
}
