//! Finds which operation is which, and compares them.

use std::rc::Rc;

use anyhow::Result;
use serde_json::Value;

use super::edition::{Edition, Entry, Pointer, join};
use super::finding::{Directions, Note, Operation};
use super::label::label;
use super::leftovers::{Scope, plain};
use super::matching::{Matching, Repeated};
use super::pairs::{Comparer, Reached};
use super::rules::Id;

/// The methods that a path item can have.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// An operation of one document.
#[derive(Clone)]
pub(super) struct Call<'d> {
    pub(super) path: &'d str,
    pub(super) method: &'static str,
    pub(super) entry: Entry<'d>,
    /// The path item that it stands in.
    pub(super) item: Entry<'d>,
}

impl<'d> Call<'d> {
    /// The names in braces of the path.
    pub(super) fn path_names(&self) -> impl Iterator<Item = &'d str> {
        let parts = self.path.split('{').skip(1);
        parts.filter_map(|part| Some(part.split_once('}')?.0))
    }

    /// The path without the names of its parameters, which nobody sends. What a callback has in braces is sent.
    pub(super) fn blank_path(&self) -> String {
        if !self.path.starts_with('/') {
            return self.path.to_owned();
        }
        let mut parts = self.path.split('{');
        let mut blank = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            blank.push_str("{}");
            blank.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
        }
        blank
    }

    /// The path without versions, such as `v1`, as well.
    fn unversioned_path(&self) -> String {
        let path = self.blank_path();
        let is_version = |part: &&str| {
            let digits = part.strip_prefix('v').unwrap_or_default();
            !digits.is_empty() && digits.starts_with(|c: char| c.is_ascii_digit())
        };
        path.split('/')
            .filter(|part| !is_version(part))
            .collect::<Vec<_>>()
            .join("/")
    }

    /// The parts of the path that are neither versions nor parameters.
    fn words(&self) -> impl DoubleEndedIterator<Item = String> {
        let path = self.unversioned_path();
        let words: Vec<_> = path
            .split('/')
            .filter(|part| !part.is_empty() && !part.contains('{'))
            .map(str::to_owned)
            .collect();
        words.into_iter()
    }

    fn with_method(&self, path: Option<String>) -> String {
        format!("{} {}", self.method, path.unwrap_or_default())
    }

    /// The beginnings of two paths that end alike, with one method.
    pub(super) fn way_to(&self, new: &Self) -> Option<(String, String)> {
        let (old_path, new_path) = (self.blank_path(), new.blank_path());
        let old: Vec<&str> = old_path.split('/').collect();
        let new_parts: Vec<&str> = new_path.split('/').collect();
        let alike = old
            .iter()
            .rev()
            .zip(new_parts.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let begin = |parts: &[&str]| format!("{}/", parts[..parts.len() - alike].join("/"));
        (self.method == new.method && alike > 0 && old_path != new_path)
            .then(|| (begin(&old), begin(&new_parts)))
    }

    pub(super) fn id(&self) -> Option<&'d str> {
        self.entry.text("operationId")
    }
}

/// Where operations stand, and so how their coming and going is judged.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Programs ask, the server answers.
    Path,
    /// The server asks, programs answer.
    Webhook,
    /// As a webhook, as part of an operation.
    Callback,
}

impl Kind {
    fn scope(self) -> Scope {
        match self {
            Self::Path => Scope::new(Directions::REQUEST, Directions::RESPONSE),
            _ => Scope::new(Directions::RESPONSE, Directions::REQUEST),
        }
    }

    fn rules(self) -> (Id, Id) {
        match self {
            Self::Path => (Id::OperationAdded, Id::OperationRemoved),
            Self::Webhook => (Id::WebhookAdded, Id::WebhookRemoved),
            Self::Callback => (Id::CallbackAdded, Id::CallbackRemoved),
        }
    }
}

/// The shapes that a call sends and answers with, and another key.
type Alike = (Vec<u64>, String);

/// A key of a call, to find it in the other document.
type Key<'d> = fn(&Call<'d>) -> Option<String>;

impl<'d> Comparer<'d> {
    /// Compares all operations below `paths` or `webhooks`.
    pub(super) fn operations_of(&mut self, section: &str, kind: Kind) -> Result<()> {
        let base: Pointer = format!("/{section}").into();
        let old = calls(&self.old, &base);
        let new = calls(&self.new, &base);
        self.calls(&old, &new, &base, kind)
    }

    fn calls(
        &mut self,
        old: &[Call<'d>],
        new: &[Call<'d>],
        base: &Pointer,
        kind: Kind,
    ) -> Result<()> {
        let matching = self.match_calls(old, new, kind)?;
        let pairs: Vec<_> = matching
            .pairs
            .iter()
            .map(|(before, after)| (&old[*before], &new[*after]))
            .collect();
        if matches!(kind, Kind::Path) {
            self.rename_tags(&pairs);
            for way in pairs.iter().filter_map(|(old, new)| old.way_to(new)) {
                *self.moves.entry(way).or_default() += 1;
            }
        }
        for (before, after) in pairs {
            self.operation(before, after, kind)?;
        }
        let (added, removed) = kind.rules();
        for call in matching.old.iter().map(|index| &old[*index]) {
            self.alone(kind, removed, Some(call), None, base, "is gone");
        }
        for call in matching.new.iter().map(|index| &new[*index]) {
            self.alone(kind, added, None, Some(call), base, "is new");
        }
        Ok(())
    }

    /// Finds which operation is which.
    fn match_calls(&mut self, old: &[Call<'d>], new: &[Call<'d>], kind: Kind) -> Result<Matching> {
        let mut matching = Matching::new(old.len(), new.len());
        // By method and path; then without names of parameters; then by id; then without versions.
        let keys: [Key<'d>; 4] = [
            |call| Some(call.with_method(Some(call.path.to_owned()))),
            |call| Some(call.with_method(Some(call.blank_path()))),
            |call| call.id().map(str::to_owned),
            |call| Some(call.with_method(Some(call.unversioned_path()))),
        ];
        for (step, key) in keys.into_iter().enumerate() {
            // Callbacks may share an address.
            let repeated = match step {
                0 => Repeated::InOrder,
                _ => Repeated::Leave,
            };
            let of = |calls: &[Call<'d>], left: &[usize]| {
                left.iter().map(|it| key(&calls[*it])).collect()
            };
            matching.by(of(old, &matching.old), of(new, &matching.new), repeated);
        }
        // By the shape of what is sent and answered, if the path has something in common as well.
        let mut alike: Vec<fn(&Call<'d>) -> String> = vec![
            |call| call.blank_path(),
            |call| call.with_method(call.words().last()),
            |call| call.with_method(call.words().next()),
        ];
        // The name of a webhook, and the expression for a callback's address, may have nothing in common.
        if !matches!(kind, Kind::Path) {
            alike.push(|call| call.method.to_owned());
        }
        for key in alike {
            let old_keys = shapes(&mut self.old, old, &matching.old, key)?;
            let new_keys = shapes(&mut self.new, new, &matching.new, key)?;
            matching.by(old_keys, new_keys, Repeated::Leave);
        }
        Ok(matching)
    }

    /// Adds an operation that only one document has. In the other one it would stand below `base`.
    fn alone(
        &mut self,
        kind: Kind,
        rule: Id,
        old: Option<&Call<'d>>,
        new: Option<&Call<'d>>,
        base: &Pointer,
        what: &str,
    ) {
        let pointer = |call: Option<&Call<'d>>| call.map(|call| Rc::clone(&call.entry.pointer));
        let (old, new) = (pointer(old), pointer(new));
        let name = match (&old, &new) {
            (_, Some(new)) => label(self.new.document, new),
            (Some(old), None) => label(self.old.document, old),
            (None, None) => String::new(),
        };
        let note = Note::new(
            rule,
            old.as_ref().unwrap_or(base),
            new.as_ref().unwrap_or(base),
            format!("`{name}` {what}"),
            Directions::BOTH,
        );
        self.operations.push(Reached {
            operation: Operation { name, old, new },
            notes: vec![(note, kind.scope().asked)],
            roots: Vec::new(),
        });
    }

    /// Compares one operation of both documents.
    fn operation(&mut self, old: &Call<'d>, new: &Call<'d>, kind: Kind) -> Result<()> {
        let mut scope = kind.scope();
        self.identity(&mut scope, old, new);
        self.parameters(&mut scope, old, new)?;
        self.bodies(&mut scope, old, new)?;
        self.responses(&mut scope, old, new)?;
        if matches!(kind, Kind::Path) {
            self.security(&mut scope, old, new);
            self.servers_of(&mut scope, old, new);
        }
        let asked = scope.asked;
        let mut known = vec![
            "operationId",
            "tags",
            "parameters",
            "requestBody",
            "responses",
            "callbacks",
            "deprecated",
        ];
        let mut known_of_item = [&METHODS[..], &["parameters"]].concat();
        // Who asks without a server of ours, and with which credentials, no rule judges.
        if matches!(kind, Kind::Path) {
            known.extend(["security", "servers"]);
            known_of_item.push("servers");
        }
        self.leftovers(&mut scope, &old.entry, &new.entry, &known, asked);
        self.leftovers(&mut scope, &old.item, &new.item, &known_of_item, asked);
        self.operations.push(Reached {
            operation: Operation {
                name: label(self.new.document, &new.entry.pointer),
                old: Some(Rc::clone(&old.entry.pointer)),
                new: Some(Rc::clone(&new.entry.pointer)),
            },
            notes: scope.notes,
            roots: scope.roots,
        });
        self.callbacks(old, new)
    }

    /// Compares the callbacks of an operation: by name, then by the expression for their address.
    fn callbacks(&mut self, old: &Call<'d>, new: &Call<'d>) -> Result<()> {
        let old_all = callbacks(&self.old, old);
        let new_all = callbacks(&self.new, new);
        self.calls(
            &old_all,
            &new_all,
            &new.entry.at("callbacks"),
            Kind::Callback,
        )
    }
}

/// The operations below `paths` or `webhooks`, or below the expressions of a callback.
fn calls<'d>(edition: &Edition<'d>, base: &Pointer) -> Vec<Call<'d>> {
    let mut found = Vec::new();
    let items = edition.value(base).and_then(Value::as_object);
    for path in items.into_iter().flatten().map(|(path, _)| path) {
        if path.starts_with("x-") {
            continue;
        }
        let Some(item) = edition.entry(&join(base, path)) else {
            continue;
        };
        for method in METHODS {
            let at = item.at(method);
            if let Some(entry) = plain(&at, item.get(method)) {
                found.push(Call {
                    path,
                    method,
                    entry,
                    item: item.clone(),
                });
            }
        }
    }
    found
}

/// The operations of all callbacks of a call. Their path is the expression for the address.
fn callbacks<'d>(edition: &Edition<'d>, call: &Call<'d>) -> Vec<Call<'d>> {
    let mut found = Vec::new();
    for (_, at) in edition.entries(&call.entry, "callbacks") {
        if let Some(callback) = edition.entry(&at) {
            found.extend(calls(edition, &callback.pointer));
        }
    }
    found
}

/// The shapes of an operation's body and successful answers with another key, unless it has none that tell it apart.
fn shapes<'d>(
    edition: &mut Edition<'d>,
    calls: &[Call<'d>],
    left: &[usize],
    key: fn(&Call<'d>) -> String,
) -> Result<Vec<Option<Alike>>> {
    let mut keys = Vec::new();
    for index in left {
        let call = &calls[*index];
        let mut owners = vec![call.entry.at("requestBody")];
        let responses = edition.entries(&call.entry, "responses").into_iter();
        owners.extend(
            responses
                .filter(|(status, _)| status.starts_with('2'))
                .map(|(_, at)| at),
        );
        let mut shapes = Vec::new();
        for owner in owners {
            let Some(owner) = edition.entry(&owner) else {
                continue;
            };
            for (_, at) in edition.entries(&owner, "content") {
                let site = edition.site(&[join(&at, "schema")])?;
                if !edition.is_trivial(site) {
                    shapes.push(edition.fingerprint(site)?);
                }
            }
        }
        keys.push((!shapes.is_empty()).then(|| (shapes, key(call))));
    }
    Ok(keys)
}
