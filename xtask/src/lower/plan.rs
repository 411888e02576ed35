//! What the generator gets beside the lowered document.

use std::collections::BTreeMap;

use serde_json::Value;

use super::origins::Origins;

/// Everything that the generated crate needs and that OpenAPI 3.0 can't say.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// `info.title`.
    pub(crate) title: String,
    /// `info.version`.
    pub(crate) api_version: String,
    /// The first server's URL.
    pub(crate) base_url: String,
    /// How the key is sent.
    pub(crate) key: KeyScheme,
    /// Operations by id.
    pub(crate) operations: BTreeMap<String, Operation>,
    /// Ids that were made by rule: id and `METHOD path`.
    pub(crate) named_by_rule: Vec<(String, String)>,
    /// Enums by type name.
    pub(crate) enums: BTreeMap<String, Enum>,
    /// Unions by type name.
    pub(crate) unions: BTreeMap<String, Union>,
    /// Who sends a type: by type name.
    pub(crate) directions: BTreeMap<String, Direction>,
    /// The resource a type belongs to: by type name.
    pub(crate) resources: BTreeMap<String, String>,
    /// Wire names of fields whose lowered name is another: by type and lowered name.
    pub(crate) fields: BTreeMap<(String, String), String>,
    /// Wire names of query and header parameters whose lowered name is another: by operation id
    /// and lowered name.
    pub(crate) parameters: BTreeMap<(String, String), String>,
    /// Which places in the document the generated items come from.
    pub(crate) origins: Origins,
}

/// The header that carries the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyScheme {
    /// Header name, in lower case.
    pub(crate) header: String,
    /// What stands before the key: `Bearer `, or nothing.
    pub(crate) prefix: String,
}

impl Default for KeyScheme {
    fn default() -> Self {
        Self {
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
        }
    }
}

/// An operation, as the transport needs to know it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operation {
    /// `GET`.
    pub(crate) method: String,
    /// The template, with the document's parameter names.
    pub(crate) path: String,
    /// `sessions`.
    pub(crate) resource: String,
    /// Needs no key.
    pub(crate) open: bool,
    /// Whether repeating it does harm.
    pub(crate) class: &'static str,
    /// The body may be left out.
    pub(crate) optional_body: bool,
    /// The media type of the body.
    pub(crate) content_type: Option<String>,
    /// What to ask for.
    pub(crate) accept: String,
    /// Words that a path parameter must not be, because they make another path: by parameter.
    pub(crate) reserved: Vec<(String, Vec<String>)>,
    /// Where a redirect's target goes in the answer.
    pub(crate) location: Option<String>,
    /// The vendor gave it up.
    pub(crate) deprecated: bool,
    /// Fields of a multipart body.
    pub(crate) form: Option<Vec<FormField>>,
}

/// A field of a multipart body.
#[derive(Clone, Debug)]
pub(crate) struct FormField {
    /// Name on the wire.
    pub(crate) wire: String,
    /// Name in Rust.
    pub(crate) name: String,
    /// Must be given.
    pub(crate) required: bool,
    /// Its schema; lowered with the others.
    pub(crate) kind: FormKind,
    /// The document's words.
    pub(crate) description: Option<String>,
    /// Where it is in the document.
    pub(crate) origins: Vec<String>,
}

/// What a field of a multipart body holds.
#[derive(Clone, Debug)]
pub(crate) enum FormKind {
    /// A file.
    File,
    /// Any number of files.
    Files,
    /// A scalar: the path of its Rust type.
    Text(String),
    /// Any number of scalars.
    Texts(String),
    /// JSON text.
    Json,
}

/// An enum of strings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enum {
    /// The document's words.
    pub(crate) description: Option<String>,
    /// Variant and value, in the document's order.
    pub(crate) variants: Vec<(String, String)>,
}

/// A `oneOf` or `anyOf`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Union {
    /// The document's words.
    pub(crate) description: Option<String>,
    /// In the order in which they are tried.
    pub(crate) arms: Vec<Arm>,
    /// A value that fits no arm is kept as JSON.
    pub(crate) open: bool,
}

/// One shape of a union.
#[derive(Clone, Debug)]
pub(crate) struct Arm {
    /// Variant name.
    pub(crate) name: String,
    /// The payload's schema.
    pub(crate) schema: Value,
    /// The payload is boxed, because it holds the union again.
    pub(crate) boxed: bool,
    /// The JSON type that fits.
    pub(crate) kind: &'static str,
    /// Properties and the values that they must have; `true` if the property must be there.
    pub(crate) tags: Vec<(String, Vec<String>, bool)>,
    /// Properties that must be there.
    pub(crate) keys: Vec<String>,
}

/// Which way a type goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Only sent.
    Request,
    /// Only received.
    #[default]
    Response,
    /// Both.
    Both,
}
