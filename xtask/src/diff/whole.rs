//! Compares two documents as a whole.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::edition::{Edition, Entry, Pointer, SiteId, join};
use super::finding::{Diff, Directions, Note};
use super::label::clean;
use super::leftovers::{Scope, plain};
use super::matching::{Matching, Repeated, plain_name};
use super::operations::Kind;
use super::pairs::Comparer;
use super::rules::Id;
use super::schemas::broken_or_mended;
use super::shape::same;
use super::unions::are_alike;
use crate::document::{self, Document};

/// Where component schemas are defined.
const SCHEMAS: &str = "/components/schemas";

/// Compares two documents.
pub(crate) fn compare(old: &Document, new: &Document) -> Result<Diff> {
    let mut comparer = Comparer::new(old, new);
    comparer.renamed_schemes = comparer.scheme_names();
    comparer.operations_of("paths", Kind::Path)?;
    comparer.operations_of("webhooks", Kind::Webhook)?;
    comparer.compare_pairs()?;
    comparer.components()?;
    comparer.schemas()?;
    comparer.security_schemes();
    comparer.root();
    comparer.dangling();
    comparer.finish()
}

impl<'d> Comparer<'d> {
    /// Compares components by name, so that what no operation uses is not forgotten.
    fn components(&mut self) -> Result<()> {
        let mut scope = Scope::new(Directions::NEITHER, Directions::NEITHER);
        for section in ["parameters", "headers", "responses", "requestBodies"] {
            let base: Pointer = format!("/components/{section}").into();
            for name in common(&self.old, &self.new, &base) {
                let at = join(&base, name);
                let (Some(old), Some(new)) = (self.old.entry(&at), self.new.entry(&at)) else {
                    continue;
                };
                let neither = Directions::NEITHER;
                match section {
                    "parameters" => {
                        let place = (
                            old.text("in").unwrap_or_default(),
                            new.text("in").unwrap_or_default(),
                        );
                        self.written(&mut scope, (&old, place.0), (&new, place.1), neither)?;
                    }
                    "headers" => self.header(&mut scope, &old, &new, neither)?,
                    "responses" => self.response_entry(&mut scope, &old, &new, neither)?,
                    _ => self.body(&mut scope, &old, &new, neither)?,
                }
            }
        }
        for (section, rule) in [
            ("examples", Id::ExampleChanged),
            ("links", Id::NotClassified),
        ] {
            let base: Pointer = format!("/components/{section}").into();
            for name in common(&self.old, &self.new, &base) {
                let at = join(&base, name);
                if let (Some(old), Some(new)) = (self.old.value(&at), self.new.value(&at))
                    && !same(old, new)
                {
                    self.add(
                        &mut scope,
                        rule,
                        (&at, &at),
                        "is another one",
                        Directions::REQUEST,
                    );
                }
            }
        }
        self.notes.extend(scope.notes);
        self.components
            .extend(scope.roots.iter().map(|(pair, _)| *pair));
        let base: Pointer = SCHEMAS.into();
        for name in common(&self.old, &self.new, &base) {
            let at = join(&base, name);
            let pair = self.pair(std::slice::from_ref(&at), std::slice::from_ref(&at))?;
            self.components.push(pair);
            self.schemas.insert(name.to_owned(), name.to_owned());
        }
        self.compare_pairs()
    }

    /// Finds component schemas that came, went or have another name.
    fn schemas(&mut self) -> Result<()> {
        let base: Pointer = SCHEMAS.into();
        let gone = missing(&self.old, &self.new, &base);
        let fresh = missing(&self.new, &self.old, &base);
        let mut matching = Matching::new(gone.len(), fresh.len());
        let partners = self.partners(&gone, &fresh);
        let numbers = |names: usize| (0..names).map(Some).collect();
        let of_old = (0..gone.len())
            .map(|index| partners.get(&index).copied())
            .collect();
        matching.by(of_old, numbers(fresh.len()), Repeated::Leave);
        let plain_names = |names: &[&str], left: &[usize]| {
            left.iter().map(|it| Some(plain_name(names[*it]))).collect()
        };
        let keys: (Vec<_>, Vec<_>) = (
            plain_names(&gone, &matching.old),
            plain_names(&fresh, &matching.new),
        );
        matching.by(keys.0, keys.1, Repeated::Leave);
        let old_keys = shapes(&mut self.old, &gone, &matching.old)?;
        let new_keys = shapes(&mut self.new, &fresh, &matching.new)?;
        matching.by(old_keys, new_keys, Repeated::Leave);
        let mut notes = Vec::new();
        let mut note = |rule, old: &Pointer, new: &Pointer, text| {
            notes.push((
                Note::new(rule, old, new, text, Directions::BOTH),
                Directions::NEITHER,
            ));
        };
        for (old, new) in &matching.pairs {
            let (old, new) = (gone[*old], fresh[*new]);
            let (old_at, new_at) = (join(&base, old), join(&base, new));
            let text = format!("`{}` was named `{}`", clean(new), clean(old));
            note(Id::SchemaRenamed, &old_at, &new_at, text);
            let pair = self.pair(&[old_at], &[new_at])?;
            self.components.push(pair);
            self.schemas.insert(old.to_owned(), new.to_owned());
        }
        for name in matching.old.iter().map(|index| gone[*index]) {
            let text = format!("the schema `{}` is gone", clean(name));
            note(Id::SchemaRemoved, &join(&base, name), &base, text);
        }
        for name in matching.new.iter().map(|index| fresh[*index]) {
            let text = format!("the schema `{}` is new", clean(name));
            note(Id::SchemaAdded, &base, &join(&base, name), text);
        }
        self.notes.extend(notes);
        self.compare_pairs()
    }

    /// For schemas that are gone the new ones that stand in their place, as far as there is only one.
    fn partners(&mut self, gone: &[&str], fresh: &[&str]) -> BTreeMap<usize, usize> {
        let number = |names: &[&str]| -> BTreeMap<Pointer, usize> {
            let numbered = names.iter().enumerate();
            numbered
                .map(|(index, name)| (join(SCHEMAS, name), index))
                .collect()
        };
        let (gone, fresh) = (number(gone), number(fresh));
        let mut candidates: BTreeMap<usize, BTreeSet<(usize, SiteId, SiteId)>> = BTreeMap::new();
        for pair in self.pairs() {
            let (old, new) = (self.old.origin(pair.old), self.new.origin(pair.new));
            if let (Some(old), Some(new)) = (gone.get(&old), fresh.get(&new)) {
                candidates
                    .entry(*old)
                    .or_default()
                    .insert((*new, pair.old, pair.new));
            }
        }
        let mut partners = BTreeMap::new();
        for (old, new) in candidates {
            let mut new = new.into_iter();
            if let (Some((partner, old_site, new_site)), None) = (new.next(), new.next())
                && are_alike(&self.old.shape(old_site), &self.new.shape(new_site))
            {
                partners.insert(old, partner);
            }
        }
        partners
    }

    /// Compares the rest of the top level.
    fn root(&mut self) {
        let mut scope = Scope::new(Directions::REQUEST, Directions::RESPONSE);
        let at: Pointer = "".into();
        let (Some(old), Some(new)) = (
            plain(&at, Some(&self.old.document.root)),
            plain(&at, Some(&self.new.document.root)),
        ) else {
            return;
        };
        self.named_parts(&mut scope, &old, &new);
        let known = [
            "openapi",
            "info",
            "tags",
            "servers",
            "paths",
            "webhooks",
            "components",
            "security",
        ];
        self.leftovers(&mut scope, &old, &new, &known, Directions::REQUEST);
        for section in ["paths", "webhooks", "components"] {
            let at: Pointer = format!("/{section}").into();
            if let (Some(old), Some(new)) = (
                plain(&at, self.old.value(&at)),
                plain(&at, self.new.value(&at)),
            ) {
                let is_known = |key: &&str| !key.starts_with("x-");
                let known: Vec<&str> = old
                    .map
                    .keys()
                    .chain(new.map.keys())
                    .map(String::as_str)
                    .filter(is_known)
                    .collect();
                self.leftovers(&mut scope, &old, &new, &known, Directions::REQUEST);
            }
        }
        self.notes.extend(scope.notes);
    }

    /// Compares sections of the top level whose parts have names.
    fn named_parts(&self, scope: &mut Scope, old: &Entry<'d>, new: &Entry<'d>) {
        let sections = [
            ("openapi", Id::VersionOfOpenApiChanged),
            ("info", Id::InfoChanged),
            ("tags", Id::TagChanged),
        ];
        for (key, rule) in sections {
            let (mut before, after) = (tags_by_name(old.get(key)), tags_by_name(new.get(key)));
            if key == "tags" {
                before = self.with_new_names(before);
            }
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let (old_value, new_value) = (before.get(name), after.get(name));
                let equal = match (old_value, new_value) {
                    (Some((_, old)), Some((_, new))) => same_but_name(key, old, new),
                    _ => false,
                };
                if equal {
                    continue;
                }
                let place = |entry: Option<&(String, &Value)>| -> Pointer {
                    format!("/{key}{}", entry.map_or("", |(below, _)| below)).into()
                };
                let state = super::schemas::changed(old_value, new_value);
                let what = format!("has {state} `{key}`{}", clean(&format!(" {name}")));
                let text = format!("the document {}", what.trim_end());
                let note = Note::new(
                    rule,
                    &place(old_value),
                    &place(new_value),
                    text,
                    Directions::BOTH,
                );
                scope.notes.push((note, Directions::REQUEST));
            }
        }
    }

    /// Tags of the old document under their new names.
    fn with_new_names<'v>(
        &self,
        tags: BTreeMap<String, (String, &'v Value)>,
    ) -> BTreeMap<String, (String, &'v Value)> {
        let rename = |name: String| match self.renamed_tags.get(name.as_str()) {
            Some(to) => (*to).to_owned(),
            None => name,
        };
        tags.into_iter()
            .map(|(name, entry)| (rename(name), entry))
            .collect()
    }

    /// Compares references that lead nowhere, for those that no pair of schemas has met.
    fn dangling(&mut self) {
        let met: BTreeSet<String> = self.broken_references_met();
        let (old, new) = (dangling(&self.old), dangling(&self.new));
        for (reference, note) in broken_or_mended(&old, &new) {
            // Somebody refers to a target that is gone, or else nobody refers to one that never was.
            let used = note.rule == Id::ReferenceBroken || self.new.target(reference).is_some();
            if !met.contains(&note.text) && used {
                self.notes.push((note, Directions::BOTH));
            }
        }
    }
}

/// Names that a section of both documents has.
fn common<'d>(old: &Edition<'d>, new: &Edition<'d>, base: &Pointer) -> Vec<&'d str> {
    names(old, base)
        .into_iter()
        .filter(|name| new.value(&join(base, name)).is_some())
        .collect()
}

/// Names that a section has and that of the other document lacks.
fn missing<'d>(edition: &Edition<'d>, other: &Edition<'d>, base: &Pointer) -> Vec<&'d str> {
    names(edition, base)
        .into_iter()
        .filter(|name| other.value(&join(base, name)).is_none())
        .collect()
}

fn names<'d>(edition: &Edition<'d>, base: &Pointer) -> Vec<&'d str> {
    let map = edition.value(base).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect()
}

/// The shapes of schemas, but for those that many have.
fn shapes(edition: &mut Edition<'_>, names: &[&str], left: &[usize]) -> Result<Vec<Option<u64>>> {
    let mut keys = Vec::new();
    for index in left {
        let site = edition.site(&[join(SCHEMAS, names[*index])])?;
        keys.push(match edition.is_trivial(site) {
            true => None,
            false => Some(edition.fingerprint(site)?),
        });
    }
    Ok(keys)
}

/// References of a document that lead nowhere.
fn dangling<'d>(edition: &Edition<'d>) -> BTreeSet<&'d str> {
    let mut found = BTreeSet::new();
    document::visit(&edition.document.root, &mut |_, map| {
        if let Some(reference) = map.get("$ref").and_then(Value::as_str)
            && edition.target(reference).is_none()
        {
            found.insert(reference);
        }
    });
    found
}

/// Whether two parts of a section are the same; tags but for their name, by which they were found.
fn same_but_name(section: &str, old: &Value, new: &Value) -> bool {
    match (section, old.as_object(), new.as_object()) {
        ("tags", Some(old), Some(new)) => {
            let mut old = old.clone();
            old.insert(
                "name".to_owned(),
                new.get("name").cloned().unwrap_or_default(),
            );
            same(&Value::Object(old), &Value::Object(new.clone()))
        }
        _ => same(old, new),
    }
}

/// The parts of a top-level section by name, each with the rest of its pointer: keys of a mapping, tags of a list.
fn tags_by_name(section: Option<&Value>) -> BTreeMap<String, (String, &Value)> {
    match section {
        Some(Value::Object(map)) => {
            let entry = |(key, value)| {
                let key: &String = key;
                (key.clone(), (join("", key).to_string(), value))
            };
            map.iter().map(entry).collect()
        }
        Some(Value::Array(list)) => {
            let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
            let entry = |(index, value)| {
                (
                    name(value).unwrap_or_default(),
                    (format!("/{index}"), value),
                )
            };
            list.iter().enumerate().map(entry).collect()
        }
        Some(value) => BTreeMap::from([(String::new(), (String::new(), value))]),
        None => BTreeMap::new(),
    }
}
