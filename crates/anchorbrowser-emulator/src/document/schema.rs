//! Schemas of the document, and values held against them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use super::DocumentError;
use super::message;
use super::pointer;

/// The document's own address among schemas.
const ADDRESS: &str = "emulator:///document";

/// The address of the one-line schema that a validator begins with.
const ENTRY: &str = "emulator:///entry";

/// What all operations of a document read.
pub(super) struct Source {
    pub(super) root: Arc<Value>,
    /// `None` only where there is no document.
    registry: Option<Registry<'static>>,
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").finish_non_exhaustive()
    }
}

impl Source {
    pub(super) fn new(root: Value) -> Result<Self, DocumentError> {
        let root = Arc::new(root);
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(ADDRESS, Arc::clone(&root))
            .and_then(|builder| builder.prepare())
            .map_err(|error| DocumentError::new(format!("the schemas can't be read: {error}")))?;
        Ok(Self {
            root,
            registry: Some(registry),
        })
    }

    /// Nothing to read.
    pub(super) fn empty() -> Self {
        Self {
            root: Arc::new(Value::Null),
            registry: None,
        }
    }

    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        pointer::resolve(&self.root, schema)
    }

    fn compile(&self, pointer: &str) -> Result<Validator, String> {
        let registry = self.registry.as_ref().ok_or("there is no document")?;
        let entry = json!({ "$ref": format!("{ADDRESS}{}", pointer::fragment(pointer)) });
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(registry)
            .with_base_uri(ENTRY)
            .should_validate_formats(true)
            .build(&entry)
            .map_err(|error| error.masked().to_string())
    }
}

/// One schema of the document by its place. Its validator is made when it is first needed.
#[derive(Debug)]
pub(super) struct Checker {
    pointer: String,
    validator: OnceLock<Result<Validator, String>>,
}

impl Checker {
    pub(super) fn new(pointer: String) -> Self {
        Self {
            pointer,
            validator: OnceLock::new(),
        }
    }

    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Why the schema can't be used, if so.
    pub(super) fn fault(&self, source: &Source) -> Option<&str> {
        self.validator(source).as_ref().err().map(String::as_str)
    }

    fn validator(&self, source: &Source) -> &Result<Validator, String> {
        self.validator.get_or_init(|| source.compile(&self.pointer))
    }

    /// What is wrong with `value`: places that begin with `place`, and messages without values.
    pub(super) fn check(
        &self,
        source: &Source,
        value: &Value,
        place: &str,
        most: usize,
    ) -> Vec<(String, String)> {
        match self.validator(source) {
            Ok(validator) if validator.is_valid(value) => Vec::new(),
            Ok(validator) => message::explain(validator.iter_errors(value), place, most),
            Err(fault) => vec![(
                place.to_owned(),
                format!(
                    "can't be checked, as its schema is at fault ({fault}); mend the document at {}",
                    self.pointer
                ),
            )],
        }
    }
}
