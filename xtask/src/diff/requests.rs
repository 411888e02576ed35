//! Compares parameters and request bodies.

use std::rc::Rc;

use anyhow::Result;
use serde_json::Value;

use super::edition::{Edition, Entry, Pointer, join};
use super::finding::{Directions, Note};
use super::label::{clean, label};
use super::leftovers::Scope;
use super::matching::{Matching, Repeated, plain_name};
use super::operations::Call;
use super::pairs::Comparer;
use super::rules::Id;

/// A parameter of an operation.
struct Parameter<'d> {
    /// Where it is declared, before references.
    at: Pointer,
    /// Whether the operation declares it, rather than the path.
    own: bool,
    entry: Entry<'d>,
    name: &'d str,
    place: &'d str,
    /// For path parameters, which one of the path.
    position: Option<usize>,
}

/// A name by which a parameter is found, and where it stands.
type NameOf<'d> = fn(&Parameter<'d>) -> (String, &'d str);

/// The parameters of an operation, and whether all of them could be read.
struct Parameters<'d> {
    list: Vec<Parameter<'d>>,
    complete: bool,
}

impl<'d> Parameter<'d> {
    fn required(&self) -> bool {
        self.place == "path" || self.entry.flag("required")
    }

    /// Names of headers have no case.
    fn key(&self) -> (String, &'d str) {
        let name = match self.place {
            "header" => self.name.to_lowercase(),
            _ => self.name.to_owned(),
        };
        (name, self.place)
    }
}

impl<'d> Comparer<'d> {
    /// Compares the parameters of an operation and of its path together.
    pub(super) fn parameters(
        &mut self,
        scope: &mut Scope,
        old: &Call<'d>,
        new: &Call<'d>,
    ) -> Result<()> {
        let old_all = parameters(&self.old, old);
        let new_all = parameters(&self.new, new);
        let mut matching = Matching::new(old_all.list.len(), new_all.list.len());
        self.match_parameters(&old_all.list, &new_all.list, &mut matching)?;
        for (before, after) in matching.pairs.clone() {
            self.parameter(scope, &old_all.list[before], &new_all.list[after])?;
        }
        // What a reference that leads nowhere stood for is not known.
        if !old_all.complete || !new_all.complete {
            return Ok(());
        }
        for parameter in matching.old.iter().map(|index| &old_all.list[*index]) {
            let rule = match parameter.required() {
                true => Id::RequiredParameterRemoved,
                false => Id::OptionalParameterRemoved,
            };
            let what = format!("lost its {}", words(parameter));
            let owner = owner(new, parameter);
            let new_at = owner.at("parameters");
            self.owner_note(scope, rule, (&parameter.at, &new_at), owner, &what);
        }
        for parameter in matching.new.iter().map(|index| &new_all.list[*index]) {
            let rule = match parameter.required() {
                true => Id::RequiredParameterAdded,
                false => Id::OptionalParameterAdded,
            };
            let what = format!("has a new {}", words(parameter));
            let old_at = owner(old, parameter).at("parameters");
            self.owner_note(
                scope,
                rule,
                (&old_at, &parameter.at),
                owner(new, parameter),
                &what,
            );
        }
        Ok(())
    }

    /// Adds a change whose sentence is about an operation or a path.
    fn owner_note(
        &self,
        scope: &mut Scope,
        rule: Id,
        (old, new): (&Pointer, &Pointer),
        owner: &Entry<'d>,
        what: &str,
    ) {
        let text = format!("`{}` {what}", label(self.new.document, &owner.pointer));
        let note = Note::new(rule, old, new, text, Directions::BOTH);
        scope.notes.push((note, scope.asked));
    }

    /// Finds which parameter is which.
    fn match_parameters(
        &mut self,
        old: &[Parameter<'d>],
        new: &[Parameter<'d>],
        matching: &mut Matching,
    ) -> Result<()> {
        let positions = |list: &[Parameter<'d>]| {
            let count = list.iter().filter(|it| it.position.is_some()).count();
            let key = |it: &Parameter<'d>| it.position.map(|position| (position, count));
            list.iter().map(key).collect()
        };
        matching.by(positions(old), positions(new), Repeated::Leave);
        let left = |list: &[Parameter<'d>],
                    left: &[usize],
                    key: fn(&Parameter<'d>) -> (String, &'d str)| {
            left.iter().map(|index| Some(key(&list[*index]))).collect()
        };
        // By name and place; then by name; then by another spelling of the name.
        let keys: [NameOf<'d>; 3] = [
            |it| it.key(),
            |it| (it.name.to_owned(), ""),
            |it| (plain_name(it.name), it.place),
        ];
        for key in keys {
            let old_keys = left(old, &matching.old, key);
            let new_keys = left(new, &matching.new, key);
            matching.by(old_keys, new_keys, Repeated::Leave);
        }
        if let ([before], [after]) = (&*matching.old, &*matching.new) {
            let (before, after) = (&old[*before], &new[*after]);
            if before.place == after.place
                && let Some(before) = shape(&mut self.old, &before.entry)?
                && let Some(after) = shape(&mut self.new, &after.entry)?
            {
                matching.by(vec![Some(before)], vec![Some(after)], Repeated::Leave);
            }
        }
        Ok(())
    }

    fn parameter(
        &mut self,
        scope: &mut Scope,
        old: &Parameter<'d>,
        new: &Parameter<'d>,
    ) -> Result<()> {
        let asked = scope.asked;
        let places = (&old.entry.pointer, &new.entry.pointer);
        if old.key() != new.key() {
            let (rule, what) = match (old.place == new.place, new.place) {
                (false, _) => (
                    Id::ParameterMoved,
                    format!("was the {}, is the {}", words(old), words(new)),
                ),
                (true, "path") => (
                    Id::PathParameterRenamed,
                    format!("was named `{}`", clean(old.name)),
                ),
                (true, _) => (
                    Id::ParameterRenamed,
                    format!("was named `{}`", clean(old.name)),
                ),
            };
            self.add(scope, rule, places, &what, asked);
        }
        if old.required() != new.required() {
            let (rule, what) = match new.required() {
                true => (Id::ParameterBecameRequired, "is required"),
                false => (Id::ParameterBecameOptional, "is optional"),
            };
            self.add(scope, rule, places, what, asked);
        }
        let empty = (
            old.entry.flag("allowEmptyValue"),
            new.entry.flag("allowEmptyValue"),
        );
        let empty = match empty {
            (false, true) => Some((Id::EmptyValueAllowed, "may be empty")),
            (true, false) => Some((Id::EmptyValueRefused, "may not be empty any more")),
            _ => None,
        };
        if let Some((rule, what)) = empty {
            self.add(scope, rule, places, what, asked);
        }
        self.written(
            scope,
            (&old.entry, old.place),
            (&new.entry, new.place),
            asked,
        )
    }

    /// Compares how a parameter or header is written, its schema, and the rest of it.
    pub(super) fn written(
        &mut self,
        scope: &mut Scope,
        (old, old_place): (&Entry<'d>, &str),
        (new, new_place): (&Entry<'d>, &str),
        directions: Directions,
    ) -> Result<()> {
        let (before, after) = (style(old, old_place), style(new, new_place));
        if before != after && old_place == new_place {
            let what = format!("is written as {}, was {}", clean(&after), clean(&before));
            self.add(
                scope,
                Id::ParameterStyleChanged,
                (&old.pointer, &new.pointer),
                &what,
                directions,
            );
        }
        let pair = self.pair(&[schema_of(old)], &[schema_of(new)])?;
        scope.roots.push((pair, directions));
        self.deprecated(scope, old, new, directions);
        let known = [
            "name",
            "in",
            "required",
            "deprecated",
            "allowEmptyValue",
            "style",
            "explode",
            "allowReserved",
            "schema",
            "content",
        ];
        self.leftovers(scope, old, new, &known, directions);
        Ok(())
    }

    /// Compares request bodies.
    pub(super) fn bodies(
        &mut self,
        scope: &mut Scope,
        old: &Call<'d>,
        new: &Call<'d>,
    ) -> Result<()> {
        let asked = scope.asked;
        let (old_at, new_at) = (old.entry.at("requestBody"), new.entry.at("requestBody"));
        let (before, after) = (self.old.entry(&old_at), self.new.entry(&new_at));
        match (before, after) {
            (Some(before), Some(after)) => self.body(scope, &before, &after, asked)?,
            (None, Some(after)) if old.entry.get("requestBody").is_none() => {
                let (rule, need) = match after.flag("required") {
                    true => (Id::RequiredBodyAdded, "a required"),
                    false => (Id::OptionalBodyAdded, "an optional"),
                };
                let what = format!("has {need} body");
                self.owner_note(
                    scope,
                    rule,
                    (&old.entry.pointer, &new_at),
                    &new.entry,
                    &what,
                );
            }
            (Some(before), None) if new.entry.get("requestBody").is_none() => {
                let (rule, need) = match before.flag("required") {
                    true => (Id::RequiredBodyRemoved, "required"),
                    false => (Id::OptionalBodyRemoved, "optional"),
                };
                let what = format!("lost its {need} body");
                self.owner_note(
                    scope,
                    rule,
                    (&old_at, &new.entry.pointer),
                    &new.entry,
                    &what,
                );
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn body(
        &mut self,
        scope: &mut Scope,
        old: &Entry<'d>,
        new: &Entry<'d>,
        directions: Directions,
    ) -> Result<()> {
        self.requirement(
            scope,
            (old, new),
            (Id::BodyBecameRequired, "is required"),
            (Id::BodyBecameOptional, "is optional"),
            directions,
        );
        self.content(scope, old, new, directions)?;
        self.leftovers(scope, old, new, &["required", "content"], directions);
        Ok(())
    }
}

/// The parameters of an operation, with those of its path that it does not define itself.
fn parameters<'d>(edition: &Edition<'d>, call: &Call<'d>) -> Parameters<'d> {
    let mut found = Parameters {
        list: Vec::new(),
        complete: true,
    };
    for (owner, own) in [(&call.entry, true), (&call.item, false)] {
        let base = owner.at("parameters");
        let count = owner
            .get("parameters")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        for index in 0..count {
            let at = join(&base, &index.to_string());
            let entry = edition.entry(&at);
            let named =
                entry.and_then(|entry| Some((entry.text("name")?, entry.text("in")?, entry)));
            let Some((name, place, entry)) = named else {
                found.complete = false;
                continue;
            };
            let position = match place {
                "path" => call.path_names().position(|it| it == name),
                _ => None,
            };
            let parameter = Parameter {
                at,
                own,
                entry,
                name,
                place,
                position,
            };
            if !found
                .list
                .iter()
                .any(|other| other.key() == parameter.key())
            {
                found.list.push(parameter);
            }
        }
    }
    found
}

/// What declares a parameter in one document as it is declared in the other.
fn owner<'c, 'd>(call: &'c Call<'d>, parameter: &Parameter<'_>) -> &'c Entry<'d> {
    match parameter.own {
        true => &call.entry,
        false => &call.item,
    }
}

/// A parameter in a sentence.
fn words(parameter: &Parameter<'_>) -> String {
    let need = match (parameter.place, parameter.required()) {
        ("path", _) => "",
        (_, true) => "required ",
        (_, false) => "optional ",
    };
    format!(
        "{need}{} parameter `{}`",
        clean(parameter.place),
        clean(parameter.name)
    )
}

/// The shape of a parameter, unless many have it.
fn shape(edition: &mut Edition<'_>, entry: &Entry<'_>) -> Result<Option<u64>> {
    let site = edition.site(&[schema_of(entry)])?;
    match edition.is_trivial(site) {
        true => Ok(None),
        false => edition.fingerprint(site).map(Some),
    }
}

/// How a parameter is written, with all defaults.
fn style(entry: &Entry<'_>, place: &str) -> String {
    if let Some(media_type) = media_type(entry) {
        return media_type.to_lowercase();
    }
    let default = match place {
        "query" | "cookie" => "form",
        _ => "simple",
    };
    let style = entry.text("style").unwrap_or(default);
    let explode = entry.get("explode").and_then(Value::as_bool);
    let explode = match explode.unwrap_or(style == "form") {
        true => "exploded",
        false => "joined",
    };
    let reserved = match entry.flag("allowReserved") {
        true => " with reserved characters",
        false => "",
    };
    format!("{style}, {explode}{reserved}")
}

/// The media type of a parameter that has `content`.
fn media_type<'d>(entry: &Entry<'d>) -> Option<&'d String> {
    entry.get("content")?.as_object()?.keys().next()
}

/// The schema of a parameter or header, or where it would stand.
fn schema_of(entry: &Entry<'_>) -> Pointer {
    match media_type(entry) {
        Some(media_type) => join(&join(&entry.at("content"), media_type), "schema"),
        None => Rc::clone(&entry.at("schema")),
    }
}
