//! One of the two documents: follows its references and reads each of its schemas once.

use std::collections::HashMap;
use std::rc::Rc;

use anyhow::Result;
use serde_json::{Map, Value};

use super::atoms::Atom;
use super::shape::{self, Shape};
use crate::document::{self, Document};

/// A JSON pointer into one of the documents.
pub(crate) type Pointer = Rc<str>;

/// The longest chain of references to a parameter, response and the like.
const CHAIN_LIMIT: usize = 64;

/// `pointer` and one more token.
pub(super) fn join(pointer: &str, token: &str) -> Pointer {
    if token.contains(['~', '/']) {
        format!("{pointer}/{}", document::escape(token)).into()
    } else {
        format!("{pointer}/{token}").into()
    }
}

/// Number of a schema of an [`Edition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SiteId(usize);

/// A node of the document.
pub(super) type Located<'d> = (Pointer, &'d Value);

/// A schema: what it consists of, and its shape once somebody asked for it.
struct Site<'d> {
    atoms: Rc<[Atom<'d>]>,
    origin: Pointer,
    shape: Option<Rc<Shape<'d>>>,
}

/// An object of the document that is no schema, after its references.
#[derive(Clone)]
pub(super) struct Entry<'d> {
    pub(super) pointer: Pointer,
    pub(super) map: &'d Map<String, Value>,
    /// The reference that led here, whose `summary` and `description` come first.
    pub(super) reference: Option<(Pointer, &'d Map<String, Value>)>,
}

impl<'d> Entry<'d> {
    pub(super) fn get(&self, key: &str) -> Option<&'d Value> {
        self.map.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'d str> {
        self.get(key)?.as_str()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    pub(super) fn at(&self, key: &str) -> Pointer {
        join(&self.pointer, key)
    }
}

/// A document whose schemas can be asked for.
pub(super) struct Edition<'d> {
    pub(super) document: &'d Document,
    /// In 3.0 a reference hides what stands beside it.
    pub(super) siblings_count: bool,
    anchors: HashMap<&'d str, Pointer>,
    /// Where references lead, as far as somebody asked.
    targets: HashMap<&'d str, Option<Located<'d>>>,
    sites: Vec<Site<'d>>,
    by_atoms: HashMap<Box<[(Pointer, bool)]>, SiteId>,
    by_uses: HashMap<Box<[Pointer]>, SiteId>,
    /// Steps through references, `allOf` and unions.
    pub(super) steps: usize,
    /// See `fingerprint`.
    pub(super) prints: HashMap<(SiteId, u8), u64>,
}

impl<'d> Edition<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        let version = document.root.get("openapi").and_then(Value::as_str);
        let mut anchors = HashMap::new();
        document::visit(&document.root, &mut |pointer, map| {
            if let Some(Value::String(anchor)) = map.get("$anchor") {
                anchors
                    .entry(anchor.as_str())
                    .or_insert_with(|| pointer.into());
            }
        });
        Self {
            document,
            siblings_count: !version.is_some_and(|version| version.starts_with("3.0")),
            anchors,
            targets: HashMap::new(),
            sites: Vec::new(),
            by_atoms: HashMap::new(),
            by_uses: HashMap::new(),
            steps: 0,
            prints: HashMap::new(),
        }
    }

    /// The value at `pointer`.
    pub(super) fn value(&self, pointer: &str) -> Option<&'d Value> {
        self.document.root.pointer(pointer)
    }

    /// What a reference leads to.
    pub(super) fn target(&self, reference: &str) -> Option<Pointer> {
        let pointer = document::local_pointer(reference)?;
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return self.anchors.get(&*pointer).cloned();
        }
        self.value(&pointer)?;
        Some(canonical(&pointer).into())
    }

    /// Follows references to parameters, responses and the like. `None` for what is missing or no mapping.
    pub(super) fn entry(&self, pointer: &str) -> Option<Entry<'d>> {
        let mut at: Pointer = pointer.into();
        let mut reference = None;
        for _ in 0..CHAIN_LIMIT {
            let map = self.value(&at)?.as_object()?;
            let Some(target) = map.get("$ref") else {
                return Some(Entry {
                    pointer: at,
                    map,
                    reference,
                });
            };
            let target = self.target(target.as_str()?)?;
            reference.get_or_insert((at, map));
            at = target;
        }
        None
    }

    /// The entries below a mapping of names, such as `content`, each after its references, or else the plain pointer.
    pub(super) fn entries(&self, owner: &Entry<'d>, key: &str) -> Vec<(&'d str, Pointer)> {
        let map = owner.get(key).and_then(Value::as_object);
        let base = owner.at(key);
        map.into_iter()
            .flatten()
            .filter(|(name, _)| !name.starts_with("x-") || matches!(key, "headers" | "callbacks"))
            .map(|(name, _)| (name.as_str(), join(&base, name)))
            .collect()
    }

    /// The schema that all of `uses` make together.
    pub(super) fn site(&mut self, uses: &[Pointer]) -> Result<SiteId> {
        if let Some(site) = self.by_uses.get(uses) {
            return Ok(*site);
        }
        let atoms = self.atoms(uses)?;
        let key: Box<[_]> = atoms
            .iter()
            .map(|atom| (Rc::clone(&atom.pointer), atom.or_null))
            .collect();
        let site = match self.by_atoms.get(&key) {
            Some(site) => *site,
            None => self.add(uses, key, atoms),
        };
        self.by_uses.insert(uses.into(), site);
        Ok(site)
    }

    fn add(
        &mut self,
        uses: &[Pointer],
        key: Box<[(Pointer, bool)]>,
        atoms: Vec<Atom<'d>>,
    ) -> SiteId {
        let site = SiteId(self.sites.len());
        let origin = match (&*atoms, uses) {
            ([atom], _) => Rc::clone(&atom.pointer),
            (_, [first, ..]) => match self.value(first) {
                Some(value) => self.chain_end((Rc::clone(first), value)).0,
                None => Rc::clone(first),
            },
            _ => "".into(),
        };
        self.sites.push(Site {
            atoms: atoms.into(),
            origin,
            shape: None,
        });
        self.by_atoms.insert(key, site);
        site
    }

    /// What a reference leads to, through further references that have nothing beside them.
    pub(super) fn far_target(&mut self, reference: &'d str) -> Option<Located<'d>> {
        if let Some(known) = self.targets.get(reference) {
            return known.clone();
        }
        // All references on the way lead to the same end, so that a long chain is walked once.
        let mut way = Vec::new();
        let mut end = None;
        let mut next = Some(reference);
        while let Some(reference) = next.take() {
            self.targets.insert(reference, None);
            way.push(reference);
            // The last reference may lead nowhere: then it is what there is.
            let Some(pointer) = self.target(reference) else {
                break;
            };
            let Some(value) = self.value(&pointer) else {
                break;
            };
            end = Some((pointer, value));
            if let Some(further) = bare_reference(value) {
                match self.targets.get(further) {
                    Some(Some(known)) => end = Some(known.clone()),
                    Some(None) => {}
                    None => next = Some(further),
                }
            }
        }
        for reference in way {
            // One that leads nowhere has no end, although those that lead to it do.
            if self.target(reference).is_some() {
                self.targets.insert(reference, end.clone());
            }
        }
        end
    }

    /// Where a chain of bare references ends.
    fn chain_end(&mut self, (pointer, value): Located<'d>) -> Located<'d> {
        match bare_reference(value).and_then(|reference| self.far_target(reference)) {
            Some(end) => end,
            None => (pointer, value),
        }
    }

    /// Where the schema is written: its component, if it has one.
    pub(super) fn origin(&self, site: SiteId) -> Pointer {
        Rc::clone(&self.sites[site.0].origin)
    }

    /// The name of the schema, if it is a component.
    pub(super) fn component(&self, site: SiteId) -> Option<&str> {
        component_name(&self.sites[site.0].origin)
    }

    /// The schema without notation.
    pub(super) fn shape(&mut self, site: SiteId) -> Rc<Shape<'d>> {
        let entry = &mut self.sites[site.0];
        if let Some(shape) = &entry.shape {
            return Rc::clone(shape);
        }
        let shape = Rc::new(shape::read(&entry.atoms));
        entry.shape = Some(Rc::clone(&shape));
        shape
    }

    /// Whether many schemas have this shape by chance: one type and nothing else.
    pub(super) fn is_trivial(&mut self, site: SiteId) -> bool {
        let shape = self.shape(site);
        shape.values.is_none()
            && shape.facts.is_empty()
            && shape.unions.is_empty()
            && shape.applied.is_empty()
            && shape.properties.is_empty()
            && shape.items.is_empty()
            && shape.additional.is_empty()
    }
}

/// The name in a pointer to a component schema.
pub(super) fn component_name(pointer: &str) -> Option<&str> {
    pointer
        .strip_prefix("/components/schemas/")
        .filter(|name| !name.contains('/'))
}

/// The reference of a mapping that has nothing else.
fn bare_reference(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get("$ref")?.as_str()
}

/// One spelling for each pointer.
fn canonical(pointer: &str) -> String {
    if !pointer.contains('~') {
        return pointer.to_owned();
    }
    let tokens = pointer
        .split('/')
        .map(|token| document::escape(&document::unescape(token)));
    tokens.collect::<Vec<_>>().join("/")
}
