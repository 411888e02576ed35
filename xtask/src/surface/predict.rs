//! What changes of the document should do to the surface.

use std::collections::BTreeSet;

use super::changes::What;
use super::class::Class;
use super::signature::mentions;
use super::{Edition, ItemPath, Kind, owner};
use crate::lower::plan::Direction;

/// A change of the document: its kind and its places, which are JSON pointers. What one document lacks has the place
/// where it would be.
pub(crate) trait Cause {
    /// Name of the rule, such as `optional-property-added`.
    fn rule(&self) -> &str;
    /// Place in the old document.
    fn old_place(&self) -> &str;
    /// Place in the new document.
    fn new_place(&self) -> &str;

    /// The operations that it reaches, by their old and new places. Needed where one cause stands for all of them: what
    /// was below one path is below another one, a tag has another name.
    fn operations(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The old and new places of a cause.
pub(crate) fn places(cause: &impl Cause) -> Vec<(String, String)> {
    let own = (cause.old_place().to_owned(), cause.new_place().to_owned());
    let of_all = match cause.rule() {
        "operation-moved" => !own.0.starts_with("/paths/"),
        "tag-renamed" => true,
        _ => false,
    };
    match of_all {
        true => cause.operations(),
        false => vec![own],
    }
}

/// What must happen to an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expected {
    /// What happens.
    pub(crate) what: What,
    /// The item's old path; none for a new item.
    pub(crate) old: Option<ItemPath>,
    /// The item's new path; none for one that goes.
    pub(crate) new: Option<ItemPath>,
}

/// What follows from a cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prediction {
    /// What must happen.
    pub(crate) expected: BTreeSet<Expected>,
    /// Old items that may change or go.
    pub(crate) old: BTreeSet<ItemPath>,
    /// New items that may be new or different.
    pub(crate) new: BTreeSet<ItemPath>,
    /// Nothing but docs may change.
    pub(crate) docs: bool,
}

/// Whether a rule is about what got another place, and so what is inside it.
pub(super) fn is_move(rule: &str) -> bool {
    Class::of(rule) == Class::Renames || matches!(rule, "status-changed" | "media-type-changed")
}

/// What should follow from a cause.
pub(crate) fn predict(cause: &impl Cause, old: &Edition, new: &Edition) -> Prediction {
    let class = Class::of(cause.rule());
    let mut all = Prediction {
        docs: class == Class::Words,
        ..Prediction::default()
    };
    for (from, to) in places(cause) {
        let sides = Sides {
            old,
            new,
            at: (keyword_aside(&from), keyword_aside(&to)),
        };
        let mut one = match class {
            Class::Nothing => continue,
            Class::Table => sides.table(cause.rule()),
            Class::Words => sides.words(),
            Class::Adds => sides.added(),
            Class::Removes => sides.removed(),
            Class::Values => sides.values(&from, &to),
            Class::Renames => sides.renamed(),
            _ => sides.changed(class),
        };
        if class != Class::Words {
            sides.widen(&mut one, class);
        }
        all.expected.extend(one.expected);
        all.old.extend(one.old);
        all.new.extend(one.new);
        // Versions and titles are no docs alone.
        all.docs &= one.docs;
    }
    all
}

/// The place of the schema whose type, list of values, or other keyword with a place of its own, is meant.
fn keyword_aside(pointer: &str) -> &str {
    const KEYWORDS: [&str; 4] = ["type", "nullable", "enum", "const"];
    match pointer.rsplit_once('/') {
        // A property may have the name of a keyword.
        Some((schema, word)) if KEYWORDS.contains(&word) && !schema.ends_with("/properties") => {
            schema
        }
        _ => pointer,
    }
}

/// Whether a property stands in a condition, such as `then`: no type says when it must be given.
fn is_conditional(pointer: &str) -> bool {
    let mut tokens = pointer.rsplit('/').skip(2);
    matches!(tokens.next(), Some("then" | "else")) || tokens.next() == Some("dependentSchemas")
}

/// Both editions, and the places that a cause is about.
struct Sides<'a> {
    old: &'a Edition,
    new: &'a Edition,
    at: (&'a str, &'a str),
}

impl Sides<'_> {
    fn added(&self) -> Prediction {
        let items = self.new.origins.items(self.at.1);
        let fresh = items.iter().filter(|path| {
            self.new.kind(path).is_some_and(is_member)
                && !self.old.surface.items.contains_key(*path)
        });
        Prediction {
            expected: fresh
                .map(|path| expected(What::Added, None, Some(path)))
                .collect(),
            new: within(self.new, self.at.1),
            // Where it is new, something else may have been: any JSON, or another type.
            old: self.old.origins.around(self.at.1).into_iter().collect(),
            docs: false,
        }
    }

    fn removed(&self) -> Prediction {
        let items = self.old.origins.items(self.at.0);
        let gone = items.iter().filter(|path| {
            self.old.kind(path).is_some_and(is_member)
                && !self.new.surface.items.contains_key(*path)
        });
        Prediction {
            expected: gone
                .map(|path| expected(What::Removed, Some(path), None))
                .collect(),
            old: within(self.old, self.at.0),
            new: self.new.origins.around(self.at.0).into_iter().collect(),
            docs: false,
        }
    }

    /// Variants of the values that one of the lists lacks.
    fn values(&self, from: &str, to: &str) -> Prediction {
        let listed = |edition: &Edition, at: &str| -> Vec<ItemPath> {
            let items = edition.origins.below(at).into_iter();
            items
                .filter(|path| edition.kind(path) == Some(Kind::Variant))
                .collect()
        };
        let (before, after) = (listed(self.old, from), listed(self.new, to));
        let lacks = |edition: &Edition, list: &[ItemPath], wire: Option<&str>| {
            !list.iter().any(|path| edition.origins.wire(path) == wire)
        };
        let mut all = BTreeSet::new();
        for path in &after {
            let is_new = lacks(self.old, &before, self.new.origins.wire(path));
            if is_new && !self.old.surface.items.contains_key(path) {
                all.insert(expected(What::Added, None, Some(path)));
            }
        }
        for path in &before {
            let is_gone = lacks(self.new, &after, self.old.origins.wire(path));
            if is_gone && !self.new.surface.items.contains_key(path) {
                all.insert(expected(What::Removed, Some(path), None));
            }
        }
        let with_place = |edition: &Edition, at: &str, list: Vec<ItemPath>| {
            let around = edition.origins.around(at);
            list.into_iter().chain(around).collect()
        };
        Prediction {
            expected: all,
            old: with_place(self.old, self.at.0, before),
            new: with_place(self.new, self.at.1, after),
            docs: false,
        }
    }

    fn renamed(&self) -> Prediction {
        let (before, after) = (
            self.old.origins.items(self.at.0),
            self.new.origins.items(self.at.1),
        );
        let mut all = BTreeSet::new();
        for old in &before {
            // One cause may rename the fields of several structs: each has its counterpart.
            let kind = self.old.kind(old);
            let alike = |new: &&ItemPath| {
                let same_owner = owner(new) == owner(old) || before.len() == 1 && after.len() == 1;
                self.new.kind(new) == kind && same_owner
            };
            let mut alike = after.iter().filter(alike);
            let last = |path: &ItemPath| path.rsplit("::").next().map(str::to_owned);
            if let (Some(new), None) = (alike.next(), alike.next())
                // Names that differ in case alone may be one in Rust, and what is around them may have another.
                && last(new) != last(old)
                && !before.contains(new)
                && !after.contains(old)
            {
                all.insert(expected(What::Renamed, Some(old), Some(new)));
            }
        }
        Prediction {
            expected: all,
            old: within(self.old, self.at.0),
            new: within(self.new, self.at.1),
            docs: false,
        }
    }

    fn changed(&self, class: Class) -> Prediction {
        let (before, after) = (
            self.old.origins.around(self.at.0),
            self.new.origins.around(self.at.1),
        );
        let both = before.iter().filter(|path| after.contains(*path));
        let surely = both.filter(|path| self.surely(class, path));
        Prediction {
            expected: surely
                .map(|path| expected(What::Changed, Some(path), Some(path)))
                .collect(),
            old: before.iter().cloned().collect(),
            new: after.iter().cloned().collect(),
            docs: false,
        }
    }

    /// Whether the cause certainly changes the signature of this item.
    fn surely(&self, class: Class, path: &str) -> bool {
        let Some(kind) = self
            .new
            .kind(path)
            .filter(|kind| self.old.kind(path) == Some(*kind))
        else {
            return false;
        };
        let is_any = |edition: &Edition| edition.signature(path).contains("serde_json::Value");
        let any = is_any(self.old) || is_any(self.new);
        let is_own =
            |edition: &Edition, at: &str| edition.origins.pointers(path).iter().any(|it| it == at);
        let own = is_own(self.old, self.at.0) && is_own(self.new, self.at.1);
        // A generated type may keep its name.
        let names = |edition: &Edition| mentions(edition.signature(path)).next().is_some();
        let named = names(self.old) && names(self.new);
        match (class, kind) {
            // The type of what is inside a list may be its own, and that of any JSON is the same for all.
            (Class::Retypes, Kind::Field) => own && !any && !named,
            (Class::Needs, Kind::Field) => {
                own && self.is_strict(path) && !is_conditional(self.at.1)
            }
            (Class::Nulls, Kind::Field) => own && self.is_strict(path) && !any,
            (Class::Needs, Kind::Setter) => own && !path.ends_with("::body"),
            (Class::Marks, Kind::Method) => true,
            _ => false,
        }
    }

    /// Whether a field says what must be given: in what is only received nothing must be.
    fn is_strict(&self, field: &str) -> bool {
        let strict = |edition: &Edition| {
            let used = edition.used(owner(field).unwrap_or_default());
            used.direction
                .is_some_and(|direction| direction != Direction::Response)
                && !used.relaxed
        };
        strict(self.old) && strict(self.new)
    }

    /// The entries of the table; those of all operations for what stands outside of any. How most operations send the key
    /// is a constant.
    fn table(&self, rule: &str) -> Prediction {
        let all = |edition: &Edition, wanted: &[Kind]| -> BTreeSet<ItemPath> {
            let items = edition.surface.items.iter();
            let items = items.filter(|(_, item)| wanted.contains(&item.kind));
            items.map(|(path, _)| path.clone()).collect()
        };
        let entries = |edition: &Edition, at: &str| -> BTreeSet<ItemPath> {
            let is_entry = |path: &String| path.starts_with("operations::");
            let around = edition.origins.around(at).into_iter();
            let mut own: BTreeSet<_> = around.filter(is_entry).collect();
            if own.is_empty() {
                own = all(edition, &[Kind::Operation, Kind::Constant]);
            } else if rule.starts_with("security") {
                own.extend(all(edition, &[Kind::Constant]));
            }
            own
        };
        Prediction {
            old: entries(self.old, self.at.0),
            new: entries(self.new, self.at.1),
            ..Prediction::default()
        }
    }

    fn words(&self) -> Prediction {
        let items = |edition: &Edition, at: &str| -> BTreeSet<ItemPath> {
            let mut items: BTreeSet<_> = edition.origins.around(at).into_iter().collect();
            if at.starts_with("/info") {
                // The title is in the client's docs, the version in a constant.
                items.insert("API_VERSION".to_owned());
            }
            items
        };
        Prediction {
            old: items(self.old, self.at.0),
            new: items(self.new, self.at.1),
            docs: !self.at.1.starts_with("/info"),
            ..Prediction::default()
        }
    }

    /// Adds what depends on the items themselves.
    fn widen(&self, prediction: &mut Prediction, class: Class) {
        for (edition, items) in [
            (self.old, &mut prediction.old),
            (self.new, &mut prediction.new),
        ] {
            for path in items.clone() {
                match edition.kind(&path) {
                    Some(Kind::Struct | Kind::Enum | Kind::Union)
                        if class != Class::Adds && class != Class::Removes =>
                    {
                        // Another shape of the type is one of all that is in it, and of all that has it.
                        items.extend(
                            edition
                                .surface
                                .members(&path)
                                .map(|(member, _)| member.to_owned()),
                        );
                        items.extend(edition.users(&path).map(str::to_owned));
                    }
                    // Arms are told apart, named and numbered together.
                    Some(Kind::Arm) => {
                        let union = owner(&path).unwrap_or_default();
                        let own = edition.held(union).filter(|ty| ty.starts_with(union));
                        for item in std::iter::once(union).chain(own) {
                            let members = edition.surface.members(item);
                            items.extend(members.map(|(member, _)| member.to_owned()));
                        }
                    }
                    // Which words of a path are taken depends on all other paths.
                    Some(Kind::Method) => items.extend(
                        edition
                            .surface
                            .members("operations")
                            .map(|(entry, _)| entry.to_owned()),
                    ),
                    _ => {}
                }
            }
            for path in items.clone() {
                let Some(owner) = owner(&path) else {
                    continue;
                };
                items.insert(format!("{owner}::new"));
                if let Some(id) = edition.operation(owner) {
                    items.extend([format!("operations::{id}"), format!("Client::{id}")]);
                }
                items.insert(owner.to_owned());
            }
        }
    }
}

fn expected(what: What, old: Option<&ItemPath>, new: Option<&ItemPath>) -> Expected {
    Expected {
        what,
        old: old.cloned(),
        new: new.cloned(),
    }
}

/// Whether an item stands for a thing of the document, not for the type of one.
fn is_member(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Field | Kind::Arm | Kind::Setter | Kind::Method | Kind::Builder | Kind::Operation
    )
}

/// The items of a place and of all inside it, or else those of the nearest place around it. A whole section of the
/// document is no place.
fn within(edition: &Edition, at: &str) -> BTreeSet<ItemPath> {
    if at.matches('/').count() < 3 {
        return BTreeSet::new();
    }
    let mut items: BTreeSet<_> = edition.origins.below(at).into_iter().collect();
    items.extend(edition.origins.around(at));
    items
}
