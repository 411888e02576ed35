//! An edition of the document as far as Rust goes: its surface, and where each item comes from.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::signature::mentions;
use super::{ItemPath, Kind, Surface, owner};
use crate::generate::Output;
use crate::lower::Lowered;
use crate::lower::origins::Origins;
use crate::lower::plan::Direction;
use crate::names;

/// What code was generated from one edition of the document.
#[derive(Debug, Default)]
pub(crate) struct Edition {
    /// The public items.
    pub(crate) surface: Surface,
    /// Their places in the document.
    pub(crate) origins: Origins,
    /// What decides how types are lowered, beside their schemas.
    uses: BTreeMap<ItemPath, Use>,
    /// The types that a type holds.
    inside: BTreeMap<ItemPath, BTreeSet<ItemPath>>,
    /// The items whose signatures name a type.
    users: BTreeMap<ItemPath, BTreeSet<ItemPath>>,
    /// The operation of each builder.
    operations: BTreeMap<ItemPath, String>,
}

/// How operations use a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// Who sends it; forms are only sent.
    pub(super) direction: Option<Direction>,
    /// It is a body that may be left out, so nothing in it is required.
    pub(super) relaxed: bool,
}

impl Edition {
    /// Reads what was generated.
    ///
    /// # Errors
    /// As [`Surface::read`].
    pub(crate) fn of(lowered: &Lowered, output: &Output) -> Result<Self> {
        let surface = Surface::read(&output.files)?;
        let plan = &lowered.plan;
        let mut uses = BTreeMap::<ItemPath, Use>::new();
        for (name, direction) in &plan.directions {
            uses.entry(format!("types::{name}")).or_default().direction = Some(*direction);
        }
        let mut operations = BTreeMap::new();
        for (id, operation) in &plan.operations {
            let builder = format!("builder::{}", names::builder(id));
            if let Some(body) = surface.items.get(&format!("{builder}::body")) {
                for ty in mentions(&body.signature).filter(|_| operation.optional_body) {
                    uses.entry(ty.to_owned()).or_default().relaxed = true;
                }
            }
            operations.insert(builder, id.clone());
        }
        let mut inside = BTreeMap::<ItemPath, BTreeSet<ItemPath>>::new();
        let mut users = BTreeMap::<ItemPath, BTreeSet<ItemPath>>::new();
        for (path, item) in &surface.items {
            let holder = owner(path).unwrap_or(path);
            for held in mentions(&item.signature) {
                let inside = inside.entry(holder.to_owned()).or_default();
                inside.insert(held.to_owned());
                users
                    .entry(held.to_owned())
                    .or_default()
                    .insert(path.clone());
            }
        }
        Ok(Self {
            surface,
            origins: plan.origins.clone(),
            uses,
            inside,
            users,
            operations,
        })
    }

    /// How operations use a type.
    pub(super) fn used(&self, ty: &str) -> Use {
        self.uses.get(ty).copied().unwrap_or_default()
    }

    /// What an item is.
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        self.surface.items.get(path).map(|item| item.kind)
    }

    /// An item's signature; empty if there is none.
    pub(super) fn signature(&self, path: &str) -> &str {
        self.surface
            .items
            .get(path)
            .map_or("", |item| item.signature.as_str())
    }

    /// The types that an item or type names directly.
    pub(super) fn held(&self, path: &str) -> impl Iterator<Item = &str> {
        let holder = owner(path).unwrap_or(path);
        self.inside
            .get(holder)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// All types that the items lead to.
    pub(super) fn reached<'a>(
        &'a self,
        from: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<&'a str> {
        let mut open: Vec<&str> = from.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            if seen.insert(path) {
                open.extend(mentions(self.signature(path)));
                open.extend(self.held(path));
            }
        }
        seen
    }

    /// The items whose signatures name a type.
    pub(crate) fn users(&self, ty: &str) -> impl Iterator<Item = &str> {
        self.users.get(ty).into_iter().flatten().map(String::as_str)
    }

    /// The operation of a builder.
    pub(crate) fn operation(&self, builder: &str) -> Option<&str> {
        self.operations.get(builder).map(String::as_str)
    }
}
