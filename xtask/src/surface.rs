//! The public surface of a generated crate: what it is, and what becomes of it from one edition of the document to the
//! next.
//!
//! The surface is read from the text of the generated files; nothing is compiled. [`changes`] compares two surfaces,
//! [`predict`] says what should follow from the changes of the document, and [`verify()`] sets both against each other.

mod calls;
mod changes;
mod class;
mod editions;
mod follow;
mod macros;
mod predict;
mod read;
pub(crate) mod sdk;
mod signature;
mod verify;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use crate::diff::Verdict;
pub(crate) use crate::lower::origins::ItemPath;
#[cfg(test)]
pub(crate) use calls::assert_sound as assert_calls_sound;
pub(crate) use calls::{Calls, calls, type_of};
pub(crate) use changes::{Change, What, whole};
pub(crate) use class::effect;
pub(crate) use editions::Edition;
pub(crate) use predict::{Cause, Expected, places};
pub(crate) use verify::{Verified, verify};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A struct, also the form of a multipart body. The signature has its derives.
    Struct,
    /// A public field.
    Field,
    /// `new` of a struct.
    New,
    /// An open enum of strings.
    Enum,
    /// A value of an open enum.
    Variant,
    /// A union.
    Union,
    /// A shape of a union.
    Arm,
    /// `From` of a shape.
    From,
    /// The builder of a request.
    Builder,
    /// Sets a parameter or the body.
    Setter,
    /// Sends the request.
    Send,
    /// A method of `Client`.
    Method,
    /// An entry of the table of operations.
    Operation,
    /// A constant.
    Constant,
}

/// A public item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What it is.
    pub(crate) kind: Kind,
    /// All that matters to code that uses it, in one spelling.
    pub(crate) signature: String,
    /// Its docs.
    pub(crate) docs: String,
}

/// The public items of a generated crate, by path: `types::SessionConfig::recording`, `Client::create_session`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surface {
    /// Items by path.
    pub(crate) items: BTreeMap<ItemPath, Item>,
}

impl Surface {
    fn add(
        &mut self,
        path: impl Into<ItemPath>,
        kind: Kind,
        signature: impl Into<String>,
        docs: String,
    ) {
        let item = Item {
            kind,
            signature: signature.into(),
            docs,
        };
        self.items.insert(path.into(), item);
    }

    /// The items inside another one: fields, variants, setters.
    pub(crate) fn members<'a>(
        &'a self,
        owner: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Item)> {
        let prefix = format!("{owner}::");
        self.items
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(path, item)| (path.as_str(), item))
    }
}

/// The item that another one is inside of, if it is.
pub(crate) fn owner(path: &str) -> Option<&str> {
    let (owner, _) = path
        .split_once(": From<")
        .or_else(|| path.rsplit_once("::"))?;
    owner.contains("::").then_some(owner)
}
