//! Compares security and servers.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::edition::{Edition, Entry, Pointer, join};
use super::finding::{Directions, Note};
use super::label::{clean, shown};
use super::leftovers::{Scope, plain};
use super::matching::{Matching, Repeated};
use super::operations::Call;
use super::pairs::Comparer;
use super::rules::Id;

/// Schemes and their scopes, all of which a request needs.
type Alternative = BTreeMap<String, BTreeSet<String>>;

/// Where security schemes are defined.
const SCHEMES: &str = "/components/securitySchemes";

impl<'d> Comparer<'d> {
    /// Compares the definitions of security schemes.
    pub(super) fn security_schemes(&mut self) {
        let base: Pointer = SCHEMES.into();
        let map = |edition: &Edition<'d>| edition.value(SCHEMES).and_then(Value::as_object);
        let names = |map: Option<&'d Map<String, Value>>| {
            map.into_iter().flatten().map(|(name, _)| name.as_str())
        };
        let old: Vec<&str> = names(map(&self.old)).collect();
        let new: Vec<&str> = names(map(&self.new)).collect();
        let renamed = self.renamed_schemes.clone();
        let mut scope = Scope::new(Directions::REQUEST, Directions::RESPONSE);
        for name in &old {
            let to = renamed.iter().find(|(_, before)| *before == name);
            let new_name = to.map_or(*name, |(after, _)| *after);
            let (old_at, new_at) = (join(&base, name), join(&base, new_name));
            if to.is_some() {
                let what = format!("was named `{}`", clean(name));
                self.add(
                    &mut scope,
                    Id::SecuritySchemeRenamed,
                    (&old_at, &new_at),
                    &what,
                    Directions::REQUEST,
                );
            }
            match (self.old.entry(&old_at), self.new.entry(&new_at)) {
                (Some(before), Some(after)) => self.scheme(&mut scope, &before, &after),
                (Some(_), None) => {
                    let text = format!("the security scheme `{}` is gone", clean(name));
                    let note = Note::new(
                        Id::SecuritySchemeRemoved,
                        &old_at,
                        &base,
                        text,
                        Directions::BOTH,
                    );
                    scope.notes.push((note, Directions::REQUEST));
                }
                (None, _) => {}
            }
        }
        let fresh = new
            .iter()
            .filter(|name| !old.contains(name) && !renamed.contains_key(*name));
        for name in fresh {
            let text = format!("the security scheme `{}` is new", clean(name));
            let note = Note::new(
                Id::SecuritySchemeAdded,
                &base,
                &join(&base, name),
                text,
                Directions::BOTH,
            );
            scope.notes.push((note, Directions::REQUEST));
        }
        self.notes.extend(scope.notes);
    }

    fn scheme(&self, scope: &mut Scope, old: &Entry<'d>, new: &Entry<'d>) {
        let (before, after) = (definition(old.map), definition(new.map));
        if before != after {
            let what = "is sent or got in another way";
            self.add(
                scope,
                Id::SecuritySchemeChanged,
                (&old.pointer, &new.pointer),
                what,
                Directions::REQUEST,
            );
        }
        let all: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
        self.leftovers(scope, old, new, &all, Directions::REQUEST);
    }

    /// Names of the new document for schemes that have another name in the old one, by their definition.
    pub(super) fn scheme_names(&self) -> BTreeMap<&'d str, &'d str> {
        let map = |edition: &Edition<'d>| edition.value(SCHEMES).and_then(Value::as_object);
        let (Some(old), Some(new)) = (map(&self.old), map(&self.new)) else {
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for (name, scheme) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
            let same = old.iter().find(|(other, before)| {
                !new.contains_key(*other)
                    && !found.values().any(|taken| taken == other)
                    && before.as_object().map(definition) == scheme.as_object().map(definition)
            });
            if let Some((other, _)) = same {
                found.insert(name.as_str(), other.as_str());
            }
        }
        found
    }

    /// Compares what credentials an operation needs.
    pub(super) fn security(&self, scope: &mut Scope, old: &Call<'d>, new: &Call<'d>) {
        let (old_at, old_value) = inherited(&self.old, old, "security");
        let (new_at, new_value) = inherited(&self.new, new, "security");
        let none = BTreeMap::new();
        let (before, old_open) = alternatives(old_value, &none);
        let (after, new_open) = alternatives(new_value, &self.renamed_schemes);
        let places = (&old_at, &new_at);
        match (old_open, new_open) {
            (true, true) => return,
            (true, false) => {
                return self.secured(scope, Id::SecurityRequired, places, "needs credentials");
            }
            (false, true) => {
                return self.secured(
                    scope,
                    Id::SecurityDropped,
                    places,
                    "needs no credentials any more",
                );
            }
            (false, false) => {}
        }
        let schemes = |all: &[Alternative]| -> Vec<Option<Vec<String>>> {
            all.iter()
                .map(|it| Some(it.keys().cloned().collect()))
                .collect()
        };
        let mut matching = Matching::new(before.len(), after.len());
        matching.by(schemes(&before), schemes(&after), Repeated::InOrder);
        for (old, new) in matching.pairs.clone() {
            self.scopes(scope, places, &before[old], &after[new]);
        }
        let removed: Vec<String> = matching.old.iter().map(|it| words(&before[*it])).collect();
        let added: Vec<String> = matching.new.iter().map(|it| words(&after[*it])).collect();
        if matching.pairs.is_empty() && !removed.is_empty() && !added.is_empty() {
            let what = format!(
                "needs {}, needed {}",
                added.join(" or "),
                removed.join(" or ")
            );
            return self.secured(scope, Id::SecurityChanged, places, &what);
        }
        for one in removed {
            let what = format!("does not take {one} any more");
            self.secured(scope, Id::SecurityAlternativeRemoved, places, &what);
        }
        for one in added {
            self.secured(
                scope,
                Id::SecurityAlternativeAdded,
                places,
                &format!("takes {one} as well"),
            );
        }
    }

    /// Adds a change of security. One that operations inherit is one finding for all of them.
    fn secured(&self, scope: &mut Scope, rule: Id, places: (&Pointer, &Pointer), what: &str) {
        let text = match &**places.1 {
            "/security" => format!("the document by default {what}"),
            at => {
                let owner = at.strip_suffix("/security").unwrap_or(at);
                format!("`{}` {what}", super::label::label(self.new.document, owner))
            }
        };
        let note = Note::new(rule, places.0, places.1, text, Directions::BOTH);
        scope.notes.push((note, scope.asked));
    }

    fn scopes(
        &self,
        scope: &mut Scope,
        places: (&Pointer, &Pointer),
        old: &Alternative,
        new: &Alternative,
    ) {
        for (scheme, before) in old {
            let Some(after) = new.get(scheme) else {
                continue;
            };
            for one in after.difference(before) {
                let what = format!("needs the scope `{}` of {}", clean(one), clean(scheme));
                self.secured(scope, Id::SecurityScopeAdded, places, &what);
            }
            for one in before.difference(after) {
                let what = format!(
                    "does not need the scope `{}` of {} any more",
                    clean(one),
                    clean(scheme)
                );
                self.secured(scope, Id::SecurityScopeRemoved, places, &what);
            }
        }
    }

    /// Compares the servers of an operation, its own or inherited ones.
    pub(super) fn servers_of(&self, scope: &mut Scope, old: &Call<'d>, new: &Call<'d>) {
        let (old_at, old_value) = inherited(&self.old, old, "servers");
        let (new_at, new_value) = inherited(&self.new, new, "servers");
        let old_all = servers(&old_at, old_value);
        let new_all = servers(&new_at, new_value);
        let mut matching = Matching::new(old_all.len(), new_all.len());
        let urls =
            |all: &[(String, Pointer)]| all.iter().map(|(url, _)| Some(url.clone())).collect();
        matching.by(urls(&old_all), urls(&new_all), Repeated::InOrder);
        for (before, after) in matching.pairs.clone() {
            self.server(scope, &old_all[before].1, &new_all[after].1);
        }
        if let ([(before, old)], [(after, new)]) = (&*old_all, &*new_all)
            && matching.pairs.is_empty()
        {
            let text = format!("the server is {}, was {}", clean(after), clean(before));
            let note = Note::new(Id::ServerChanged, old, new, text, Directions::BOTH);
            scope.notes.push((note, scope.asked));
            return;
        }
        for (url, at) in matching.old.iter().map(|index| &old_all[*index]) {
            let text = format!("the server {} is gone", clean(url));
            let note = Note::new(Id::ServerRemoved, at, &new_at, text, Directions::BOTH);
            scope.notes.push((note, scope.asked));
        }
        for (url, at) in matching.new.iter().map(|index| &new_all[*index]) {
            let text = format!("the server {} is new", clean(url));
            let note = Note::new(Id::ServerAdded, &old_at, at, text, Directions::BOTH);
            scope.notes.push((note, scope.asked));
        }
    }

    fn server(&self, scope: &mut Scope, old: &Pointer, new: &Pointer) {
        let (Some(old), Some(new)) = (
            plain(old, self.old.value(old)),
            plain(new, self.new.value(new)),
        ) else {
            return;
        };
        let asked = scope.asked;
        let (before, after) = (variables(&old), variables(&new));
        if before != after {
            let what = format!(
                "has other variables: was {}, is {}",
                listed(&before),
                listed(&after)
            );
            let places = (&old.at("variables"), &new.at("variables"));
            self.add_of_owner(scope, Id::ServerVariableChanged, places, &what, asked);
        }
        self.leftovers(scope, &old, &new, &["url", "variables"], asked);
    }
}

/// What an operation has, or else its path, or else the document. Security has no place at a path.
fn inherited<'d>(
    edition: &Edition<'d>,
    call: &Call<'d>,
    key: &str,
) -> (Pointer, Option<&'d Value>) {
    let owners = match key {
        "servers" => vec![&call.entry, &call.item],
        _ => vec![&call.entry],
    };
    for owner in owners {
        if let Some(value) = owner.get(key) {
            return (owner.at(key), Some(value));
        }
    }
    let root: Pointer = format!("/{key}").into();
    let value = edition.value(&root);
    (root, value)
}

/// The alternatives of a `security` list, with schemes by the names of the old document, and whether one is to send none.
fn alternatives(
    security: Option<&Value>,
    names: &BTreeMap<&str, &str>,
) -> (Vec<Alternative>, bool) {
    let mut found = Vec::new();
    for requirement in security.and_then(Value::as_array).into_iter().flatten() {
        let schemes = requirement.as_object().into_iter().flatten();
        let alternative: Alternative = schemes
            .map(|(scheme, scopes)| {
                let scheme = names.get(scheme.as_str()).copied().unwrap_or(scheme);
                let scopes = scopes.as_array().into_iter().flatten();
                let scopes = scopes.filter_map(|scope| scope.as_str().map(str::to_owned));
                (scheme.to_owned(), scopes.collect())
            })
            .collect();
        if !found.contains(&alternative) {
            found.push(alternative);
        }
    }
    let open = found.is_empty() || found.iter().any(BTreeMap::is_empty);
    (found, open)
}

/// An alternative in a sentence.
fn words(alternative: &Alternative) -> String {
    let names: Vec<String> = alternative
        .keys()
        .map(|name| format!("`{}`", clean(name)))
        .collect();
    names.join(" with ")
}

/// What a scheme is, without prose.
fn definition(map: &Map<String, Value>) -> BTreeMap<&str, &Value> {
    let is_prose = |key: &str| key == "description" || key.starts_with("x-");
    map.iter()
        .filter(|(key, _)| !is_prose(key))
        .map(|(key, value)| (key.as_str(), value))
        .collect()
}

/// Addresses of servers, without a slash at the end, and where they stand. Without any it is that of the document.
fn servers(at: &Pointer, list: Option<&Value>) -> Vec<(String, Pointer)> {
    let list = list.and_then(Value::as_array).map_or(&[][..], |it| it);
    let mut found = Vec::new();
    for (index, server) in list.iter().enumerate() {
        let url = server
            .get("url")
            .and_then(Value::as_str)
            .unwrap_or_default();
        found.push((
            url.trim_end_matches('/').to_owned(),
            join(at, &index.to_string()),
        ));
    }
    if found.is_empty() {
        found.push((String::new(), Rc::clone(at)));
    }
    found
}

/// The variables of a server without their prose.
fn variables(server: &Entry<'_>) -> Map<String, Value> {
    let mut found = Map::new();
    let all = server.get("variables").and_then(Value::as_object);
    for (name, variable) in all.into_iter().flatten() {
        let mut variable = variable.clone();
        if let Some(map) = variable.as_object_mut() {
            map.retain(|key, _| key != "description");
        }
        found.insert(name.clone(), variable);
    }
    found
}

fn listed(variables: &Map<String, Value>) -> String {
    match variables.is_empty() {
        true => "none".to_owned(),
        false => shown(&Value::Object(variables.clone())),
    }
}
