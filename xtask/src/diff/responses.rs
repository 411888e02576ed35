//! Compares responses, headers and the content of bodies.

use std::collections::BTreeMap;

use anyhow::Result;

use super::edition::{Edition, Entry, Pointer, join};
use super::finding::Directions;
use super::label::clean;
use super::leftovers::Scope;
use super::matching::{Matching, Repeated};
use super::operations::Call;
use super::pairs::Comparer;
use super::rules::Id;

/// Names and where what they name stands.
type Named<'d> = Vec<(&'d str, Pointer)>;

impl<'d> Comparer<'d> {
    /// Compares the responses of an operation.
    pub(super) fn responses(
        &mut self,
        scope: &mut Scope,
        old: &Call<'d>,
        new: &Call<'d>,
    ) -> Result<()> {
        let answered = scope.answered;
        let old_all = self.old.entries(&old.entry, "responses");
        let new_all = self.new.entries(&new.entry, "responses");
        let mut matching = Matching::new(old_all.len(), new_all.len());
        let statuses = |all: &Named<'d>| {
            all.iter()
                .map(|(status, _)| Some(status.to_uppercase()))
                .collect()
        };
        for (before, after) in
            matching.by(statuses(&old_all), statuses(&new_all), Repeated::InOrder)
        {
            self.response(scope, &old_all[before].1, &new_all[after].1, answered)?;
        }
        let old_keys = contents(&mut self.old, &old_all, &matching.old)?;
        let new_keys = contents(&mut self.new, &new_all, &matching.new)?;
        for (before, after) in matching.by(old_keys, new_keys, Repeated::Leave) {
            let ((old_status, old_at), (_, new_at)) = (&old_all[before], &new_all[after]);
            let what = format!("came with status {}", clean(old_status));
            self.add(scope, Id::StatusChanged, (old_at, new_at), &what, answered);
            self.response(scope, old_at, new_at, answered)?;
        }
        for (status, at) in matching.old.iter().map(|index| &old_all[*index]) {
            let rule = match is_success(status) {
                true => Id::SuccessStatusRemoved,
                false => Id::ErrorStatusRemoved,
            };
            let what = format!("lost its status {}", clean(status));
            self.add(scope, rule, (at, &new.entry.pointer), &what, answered);
        }
        for (_, at) in matching.new.iter().map(|index| &new_all[*index]) {
            let rule = match is_success(at.rsplit('/').next().unwrap_or_default()) {
                true => Id::SuccessStatusAdded,
                false => Id::ErrorStatusAdded,
            };
            self.add(scope, rule, (&old.entry.pointer, at), "is new", answered);
        }
        Ok(())
    }

    fn response(
        &mut self,
        scope: &mut Scope,
        old: &Pointer,
        new: &Pointer,
        directions: Directions,
    ) -> Result<()> {
        match (self.old.entry(old), self.new.entry(new)) {
            (Some(old), Some(new)) => self.response_entry(scope, &old, &new, directions),
            // A reference that leads nowhere has a finding of its own.
            _ => Ok(()),
        }
    }

    pub(super) fn response_entry(
        &mut self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        directions: Directions,
    ) -> Result<()> {
        self.content(scope, old, new, directions)?;
        self.headers(scope, old, new, directions)?;
        self.leftovers(scope, old, new, &["content", "headers"], directions);
        Ok(())
    }

    /// Compares headers, whose names have no case.
    fn headers(
        &mut self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        directions: Directions,
    ) -> Result<()> {
        // `Content-Type` is that of the content, whatever is said here.
        let read = |entries: Named<'d>| -> BTreeMap<String, (&'d str, Pointer)> {
            let lower = entries
                .into_iter()
                .map(|(name, at)| (name.to_lowercase(), (name, at)));
            lower.filter(|(name, _)| name != "content-type").collect()
        };
        let old_all = read(self.old.entries(old, "headers"));
        let new_all = read(self.new.entries(new, "headers"));
        for (name, (shown, at)) in &old_all {
            let before = self.old.entry(at);
            match (new_all.get(name), before) {
                (Some((_, new_at)), Some(before)) => {
                    if let Some(after) = self.new.entry(new_at) {
                        self.header(scope, &before, &after, directions)?;
                    }
                }
                (None, Some(before)) => {
                    let rule = match before.flag("required") {
                        true => Id::RequiredHeaderRemoved,
                        false => Id::OptionalHeaderRemoved,
                    };
                    let what = format!("lost its header `{}`", clean(shown));
                    self.add(
                        scope,
                        rule,
                        (&before.pointer, &new.pointer),
                        &what,
                        directions,
                    );
                }
                (_, None) => {}
            }
        }
        for (_, (_, at)) in new_all
            .iter()
            .filter(|(name, _)| !old_all.contains_key(*name))
        {
            let Some(after) = self.new.entry(at) else {
                continue;
            };
            let rule = match after.flag("required") {
                true => Id::RequiredHeaderAdded,
                false => Id::OptionalHeaderAdded,
            };
            self.add(scope, rule, (&old.pointer, at), "is new", directions);
        }
        Ok(())
    }

    pub(super) fn header(
        &mut self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        directions: Directions,
    ) -> Result<()> {
        self.requirement(
            scope,
            (old, new),
            (Id::HeaderBecameRequired, "is always there"),
            (Id::HeaderBecameOptional, "may be absent"),
            directions,
        );
        self.written(scope, (old, "header"), (new, "header"), directions)
    }

    /// Compares the media types of a body, and what each of them holds.
    pub(super) fn content(
        &mut self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        directions: Directions,
    ) -> Result<()> {
        let old_all = self.old.entries(old, "content");
        let new_all = self.new.entries(new, "content");
        let mut matching = Matching::new(old_all.len(), new_all.len());
        let names = |all: &Named<'d>| all.iter().map(|(name, _)| Some(media_type(name))).collect();
        for (before, after) in matching.by(names(&old_all), names(&new_all), Repeated::InOrder) {
            self.media_type(scope, &old_all[before].1, &new_all[after].1, directions)?;
        }
        let old_keys = schemas(&mut self.old, &old_all, &matching.old)?;
        let new_keys = schemas(&mut self.new, &new_all, &matching.new)?;
        for (before, after) in matching.by(old_keys, new_keys, Repeated::Leave) {
            let ((old_name, old_at), (_, new_at)) = (&old_all[before], &new_all[after]);
            let what = format!("was `{}`", clean(old_name));
            self.add(
                scope,
                Id::MediaTypeChanged,
                (old_at, new_at),
                &what,
                directions,
            );
            self.media_type(scope, old_at, new_at, directions)?;
        }
        for (name, at) in matching.old.iter().map(|index| &old_all[*index]) {
            let what = format!("may not be `{}` any more", clean(name));
            self.add(
                scope,
                Id::MediaTypeRemoved,
                (at, &new.pointer),
                &what,
                directions,
            );
        }
        for (_, at) in matching.new.iter().map(|index| &new_all[*index]) {
            self.add(
                scope,
                Id::MediaTypeAdded,
                (&old.pointer, at),
                "is new",
                directions,
            );
        }
        Ok(())
    }

    fn media_type(
        &mut self,
        scope: &mut Scope,
        old: &Pointer,
        new: &Pointer,
        directions: Directions,
    ) -> Result<()> {
        let pair = self.pair(&[join(old, "schema")], &[join(new, "schema")])?;
        scope.roots.push((pair, directions));
        let (Some(old), Some(new)) = (self.old.entry(old), self.new.entry(new)) else {
            return Ok(());
        };
        let encoding = |entry: &Entry<'d>| {
            entry
                .get("encoding")
                .filter(|it| **it != serde_json::json!({}))
        };
        if encoding(&old) != encoding(&new) {
            let places = (&old.at("encoding"), &new.at("encoding"));
            self.add_of_owner(
                scope,
                Id::EncodingChanged,
                places,
                "has another `encoding`",
                directions,
            );
        }
        self.leftovers(scope, &old, &new, &["schema", "encoding"], directions);
        Ok(())
    }
}

/// A media type in one spelling. UTF-8 is what JSON is in anyway.
fn media_type(name: &str) -> String {
    let parts = name.split(';').map(|part| part.trim().to_lowercase());
    let parts = parts.filter(|part| part != "charset=utf-8");
    parts.collect::<Vec<_>>().join(";")
}

/// The shapes of bodies, but for those that many have.
fn schemas(edition: &mut Edition<'_>, all: &Named<'_>, left: &[usize]) -> Result<Vec<Option<u64>>> {
    let mut keys = Vec::new();
    for index in left {
        let site = edition.site(&[join(&all[*index].1, "schema")])?;
        keys.push(match edition.is_trivial(site) {
            true => None,
            false => Some(edition.fingerprint(site)?),
        });
    }
    Ok(keys)
}

/// What successful responses hold. Nothing for those without a content that tells them apart.
fn contents(
    edition: &mut Edition<'_>,
    all: &Named<'_>,
    left: &[usize],
) -> Result<Vec<Option<Vec<u64>>>> {
    let mut keys = Vec::new();
    for index in left {
        let (status, at) = &all[*index];
        let mut shapes = Vec::new();
        if let Some(entry) = edition.entry(at) {
            let content = edition.entries(&entry, "content");
            let every: Vec<usize> = (0..content.len()).collect();
            shapes.extend(schemas(edition, &content, &every)?.into_iter().flatten());
        }
        // The body of an error says nothing of its status.
        keys.push((is_success(status) && !shapes.is_empty()).then_some(shapes));
    }
    Ok(keys)
}

/// Whether a status is no error; `default` stands for the errors.
fn is_success(status: &str) -> bool {
    status.starts_with(['1', '2', '3'])
}
