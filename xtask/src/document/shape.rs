//! Checks of a tree's shape that documents and overlays share.

use anyhow::{Result, anyhow, bail};
use serde_json::{Map, Value};

use super::{Document, escape, kind};

impl Document {
    /// The value at `pointer` as a mapping.
    pub(crate) fn mapping<'a>(
        &self,
        value: &'a Value,
        pointer: &str,
    ) -> Result<&'a Map<String, Value>> {
        value.as_object().ok_or_else(|| {
            let here = self.at(pointer);
            anyhow!(
                "{here}: {} where a mapping must be; write its keys below it",
                kind(value)
            )
        })
    }

    /// Refuses keys of the mapping at `pointer` that are neither `known` nor extensions; they are nearly always misspelt.
    pub(crate) fn check_keys(
        &self,
        map: &Map<String, Value>,
        pointer: &str,
        known: &[&str],
    ) -> Result<()> {
        for key in map.keys() {
            if !known.contains(&key.as_str()) && !key.starts_with("x-") {
                bail!(
                    "{}: unknown key `{key}`; write one of {}, or an extension that begins with `x-`",
                    self.at(&format!("{pointer}/{}", escape(key))),
                    known.join(", ")
                );
            }
        }
        Ok(())
    }
}
