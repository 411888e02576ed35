//! Bytes that were uploaded or made: files, recordings, downloads.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use crate::answer::Refusal;

/// All bytes, by id. What they are is in the record that has the id.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    blobs: HashMap<String, Bytes>,
    unsaved: BTreeSet<String>,
    size: u64,
    limit: u64,
}

impl Blobs {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Keeps bytes under a new id, or under one whose bytes they replace.
    pub(crate) fn put(&mut self, id: &str, bytes: Bytes) -> Result<(), Refusal> {
        let replaced = self.blobs.get(id).map_or(0, Bytes::len) as u64;
        let size = self.size - replaced + bytes.len() as u64;
        if size > self.limit {
            let limit = self.limit;
            return Err(Refusal::new(
                507,
                format!(
                    "the emulator keeps at most {limit} bytes of files; delete some, reset it, or raise the limit"
                ),
            ));
        }
        self.size = size;
        self.blobs.insert(id.to_owned(), bytes);
        self.unsaved.insert(id.to_owned());
        Ok(())
    }

    pub(crate) fn get(&self, id: &str) -> Option<Bytes> {
        self.blobs.get(id).cloned()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        if let Some(bytes) = self.blobs.remove(id) {
            self.size -= bytes.len() as u64;
            self.unsaved.insert(id.to_owned());
        }
    }

    /// All bytes together.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn restore(&mut self, id: String, bytes: Bytes) {
        self.size += bytes.len() as u64;
        self.blobs.insert(id, bytes);
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = (&str, Option<&Bytes>)> {
        self.unsaved
            .iter()
            .map(|id| (id.as_str(), self.blobs.get(id)))
    }

    pub(super) fn stored(&mut self) {
        self.unsaved.clear();
    }
}
