//! The small types that generated types are made of, and the macros that write open enums and
//! unions.
//!
//! They hold one rule: an answer is not lost because a value in it is newer or looser than the
//! document. What is not known is kept ([`Timestamp`], the catch-all variants of enums and
//! unions) or absent (numbers that are none); it is not an error.

mod lenient;
mod nullable;
mod open_enum;
mod query;
mod secret;
mod strict;
mod timestamp;
mod union;

#[allow(unused_imports)] // which of these the generated code names is up to the document
pub(crate) use {
    lenient::{lenient, or_default},
    nullable::nullable,
    open_enum::{open_enum, text},
    union::{is_one_of, union},
};

pub(crate) use strict::{Trail, read};

pub use lenient::Lenient;
pub use nullable::Nullable;
pub use query::{Joined, JsonText};
pub use secret::{Secret, SecretJson};
pub use timestamp::Timestamp;
pub(crate) use union::outline;

/// Writes `schemars::JsonSchema` for a type, from the JSON of its schema.
macro_rules! json_schema {
    ($type:ident $(<$param:ident>)?, $name:literal, |$generator:ident| $schema:expr) => {
        #[cfg(feature = "schemars")]
        impl $(<$param: schemars::JsonSchema>)? schemars::JsonSchema for $type $(<$param>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema
            }
        }
    };
}
use json_schema;
