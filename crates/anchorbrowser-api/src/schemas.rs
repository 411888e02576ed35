//! JSON Schemas of the generated types.

use schemars::{Schema, SchemaGenerator};

use crate::generated::schemas::TYPES;

/// A generated type and its JSON Schema.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TypeSchema {
    /// The resource it belongs to; `common` for one that several resources use.
    pub resource: &'static str,
    /// Its name in [`types`](crate::types).
    pub name: &'static str,
    /// What it reads and writes. Other types are references: `#/$defs/NAME`.
    pub schema: Schema,
}

/// The JSON Schemas of all types that requests and answers are made of, sorted by name; those of
/// forms are left out, because forms are no JSON.
pub fn schemas() -> Vec<TypeSchema> {
    let mut generator = SchemaGenerator::default();
    for (_, _, subschema) in TYPES {
        subschema(&mut generator);
    }
    let mut definitions = generator.take_definitions(true);
    let found = TYPES.iter().filter_map(|(resource, name, _)| {
        let schema = definitions.remove(*name)?.try_into().ok()?;
        Some(TypeSchema {
            resource,
            name,
            schema,
        })
    });
    found.collect()
}
