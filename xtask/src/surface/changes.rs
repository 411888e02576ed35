//! What became of a surface, and what that does to code that uses it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::signature::replaced;
use super::{Edition, Item, ItemPath, Kind, Verdict, owner};

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another path, and maybe another signature.
    Renamed,
    /// It has another signature.
    Changed,
    /// Only its docs changed.
    Docs,
}

/// A change of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What happened.
    pub(crate) what: What,
    /// What the item is.
    pub(crate) kind: Kind,
    /// Its old path; none for a new item.
    pub(crate) old: Option<ItemPath>,
    /// Its new path; none for one that is gone.
    pub(crate) new: Option<ItemPath>,
    /// Its old signature.
    pub(crate) before: String,
    /// Its new signature.
    pub(crate) after: String,
    /// What it does to code that uses the crate.
    pub(crate) verdict: Verdict,
    /// Why it is judged so.
    pub(crate) why: &'static str,
}

impl Change {
    /// The path by which the item is known, the new one if it has two.
    pub(crate) fn path(&self) -> &str {
        let path = self.new.as_ref().or(self.old.as_ref());
        path.map_or("", String::as_str)
    }
}

/// The changes without those of parts of what came or went as a whole.
pub(crate) fn whole<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<&'a Change> {
    let changes: Vec<_> = changes.into_iter().collect();
    let ends = |change: &Change| matches!(change.what, What::Added | What::Removed);
    let all: BTreeSet<_> = changes
        .iter()
        .map(|change| (change.what, change.path()))
        .collect();
    let is_part = |change: &&&Change| {
        let around = owner(change.path()).filter(|_| ends(change));
        around.is_some_and(|around| all.contains(&(change.what, around)))
    };
    let is_whole = changes.iter().filter(|change| !is_part(change));
    is_whole.copied().collect()
}

/// Compares two surfaces. `moves` are places of the old document and what they are in the new one, for what was renamed
/// or moved there.
pub(crate) fn compare(old: &Edition, new: &Edition, moves: &[(String, String)]) -> Vec<Change> {
    let renames = Renames::find(old, new, moves);
    let mut changes = Vec::new();
    let mut kept = BTreeSet::new();
    for (path, before) in &old.surface.items {
        let target = renames.path(path);
        let Some(after) = new.surface.items.get(&target) else {
            changes.push(removed(path, before));
            continue;
        };
        kept.insert(target.clone());
        changes.extend(changed(&renames, (path, before), (&target, after)));
    }
    for (path, after) in &new.surface.items {
        if !kept.contains(path) {
            let before = owner(path).filter(|owner| kept.contains(*owner));
            let owner = before.and_then(|owner| new.surface.items.get(owner));
            changes.push(added(path, after, owner));
        }
    }
    changes.sort_by(|a, b| (a.path(), a.what).cmp(&(b.path(), b.what)));
    changes
}

/// Which old item is which new one, of those that have another path.
struct Renames(BTreeMap<ItemPath, ItemPath>);

impl Renames {
    fn find(old: &Edition, new: &Edition, moves: &[(String, String)]) -> Self {
        let mut renames = Self(BTreeMap::new());
        let mut by_place = BTreeMap::<(Kind, &str), Vec<&str>>::new();
        for (path, item) in &new.surface.items {
            if let Some(place) = new.origins.pointer(path)
                && is_another(path, item.kind, old, new, moves)
            {
                by_place.entry((item.kind, place)).or_default().push(path);
            }
        }
        for (path, item) in &old.surface.items {
            let place = old
                .origins
                .pointer(path)
                .and_then(|at| place_after(at, item.kind, moves));
            if let Some(place) = place.filter(|_| is_another(path, item.kind, old, new, moves))
                && let Some([only]) = by_place.get(&(item.kind, &*place)).map(Vec::as_slice)
            {
                renames.0.insert(path.clone(), (*only).to_owned());
            }
        }
        renames.arms(old, new);
        // What is inside another item goes with it.
        let implied = renames
            .0
            .iter()
            .filter(|(path, target)| renames.inside(path) == **target);
        let implied: Vec<_> = implied.map(|(path, _)| path.clone()).collect();
        renames.0.retain(|path, _| !implied.contains(path));
        renames
    }

    /// Arms whose payload stayed: their names may come from what the payload is called.
    fn arms(&mut self, old: &Edition, new: &Edition) {
        let mut found = Vec::new();
        for (path, item) in old
            .surface
            .items
            .iter()
            .filter(|(_, item)| item.kind == Kind::Arm)
        {
            let target = self.path(path);
            let Some(union) = owner(&target) else {
                continue;
            };
            if new.surface.items.contains_key(&target) {
                continue;
            }
            let payload = self.signature(&item.signature);
            let mut alike = new.surface.members(union).filter(|(path, item)| {
                item.signature == payload
                    && item.kind == Kind::Arm
                    && !old.surface.items.contains_key(*path)
            });
            if let (Some((other, _)), None) = (alike.next(), alike.next()) {
                found.push((path.clone(), other.to_owned()));
            }
        }
        self.0.extend(found);
    }

    /// The path of an old item in the new surface, if it is there.
    fn path(&self, path: &str) -> ItemPath {
        match self.0.get(path) {
            Some(new) => new.clone(),
            None => self.inside(path),
        }
    }

    /// The path of an old item that goes with what it is part of.
    fn inside(&self, path: &str) -> ItemPath {
        match owner(path) {
            Some(owner) => {
                let rest = self.signature(&path[owner.len()..]);
                format!("{}{rest}", self.path(owner))
            }
            None => path.to_owned(),
        }
    }

    fn signature(&self, text: &str) -> String {
        replaced(text, |path| self.0.get(path).cloned())
    }
}

/// Whether a path is that of nothing, or of another type, in one of the editions: a type may get a name that another one
/// had.
fn is_another(
    path: &str,
    kind: Kind,
    old: &Edition,
    new: &Edition,
    moves: &[(String, String)],
) -> bool {
    if !(old.surface.items.contains_key(path) && new.surface.items.contains_key(path)) {
        return true;
    }
    let after = new.origins.pointers(path);
    // Of a place that is not sure, nothing can be said.
    let stays =
        |at: &String| place_after(at, kind, moves).is_none_or(|place| after.contains(&place));
    matches!(kind, Kind::Struct | Kind::Enum | Kind::Union)
        && !old.origins.pointers(path).iter().any(stays)
}

/// Where a place of the old document is in the new one. Places in lists are sure only if they are known to have moved.
fn place_after(at: &str, kind: Kind, moves: &[(String, String)]) -> Option<String> {
    let exact = moves.iter().find(|(old, _)| old == at);
    if let Some((_, new)) = exact {
        return Some(new.clone());
    }
    let inside = |old: &str| {
        at.strip_prefix(old)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let around = moves.iter().filter(|(old, _)| inside(old));
    let place = match around.max_by_key(|(old, _)| old.len()) {
        Some((old, new)) => format!("{new}{}", &at[old.len()..]),
        None => at.to_owned(),
    };
    let in_list = matches!(kind, Kind::Setter | Kind::Arm | Kind::Variant);
    let in_union = ["/oneOf/", "/anyOf/"].iter().any(|list| at.contains(list));
    (!in_list && !in_union).then_some(place)
}

fn removed(path: &str, item: &Item) -> Change {
    Change {
        what: What::Removed,
        kind: item.kind,
        old: Some(path.to_owned()),
        new: None,
        before: item.signature.clone(),
        after: String::new(),
        verdict: Verdict::Breaking,
        why: "code that names it does not compile",
    }
}

/// `owner`: the item that it is part of, if that is not new as well.
fn added(path: &str, item: &Item, owner: Option<&Item>) -> Change {
    let (verdict, why) = match (item.kind, owner) {
        (Kind::Field, Some(owner)) if !owner.signature.starts_with("non_exhaustive") => {
            (Verdict::Breaking, "a struct literal without `..` lacks it")
        }
        (Kind::Setter, Some(_)) if item.signature.starts_with("required") => (
            Verdict::Breaking,
            "a request without it compiles, but is refused before it is sent",
        ),
        (Kind::Variant | Kind::Arm, Some(_)) => (
            Verdict::Compatible,
            "every `match` must have an arm for the rest",
        ),
        _ => (Verdict::Compatible, "no code names it yet"),
    };
    Change {
        what: What::Added,
        kind: item.kind,
        old: None,
        new: Some(path.to_owned()),
        before: String::new(),
        after: item.signature.clone(),
        verdict,
        why,
    }
}

fn changed(
    renames: &Renames,
    (path, before): (&ItemPath, &Item),
    (target, after): (&ItemPath, &Item),
) -> Option<Change> {
    let signature = renames.signature(&before.signature);
    let same = signature == after.signature && before.kind == after.kind;
    let (what, (verdict, why)) = match (renames.0.contains_key(path), same) {
        (true, _) => (
            What::Renamed,
            (Verdict::Breaking, "code that names it does not compile"),
        ),
        (false, false) => (What::Changed, judge(before.kind, after, &signature)),
        (false, true) if before.docs != after.docs => {
            (What::Docs, (Verdict::Docs, "it is for readers"))
        }
        (false, true) => return None,
    };
    Some(Change {
        what,
        kind: after.kind,
        old: Some(path.clone()),
        new: Some(target.clone()),
        before: before.signature.clone(),
        after: after.signature.clone(),
        verdict,
        why,
    })
}

/// What another signature does. `before` has the new names of types.
fn judge(old_kind: Kind, after: &Item, before: &str) -> (Verdict, &'static str) {
    const RETYPED: (Verdict, &str) = (Verdict::Breaking, "code that uses it has the old type");
    if old_kind != after.kind {
        return (Verdict::Breaking, "it is another kind of type");
    }
    match after.kind {
        Kind::Struct => traits(before, &after.signature),
        Kind::New => arguments(before, &after.signature),
        Kind::Setter => match (before.split_once(' '), after.signature.split_once(' ')) {
            (Some((_, old)), Some((_, new))) if old != new => RETYPED,
            (Some(("optional", _)), _) => (
                Verdict::Breaking,
                "a request without it compiles, but is refused before it is sent",
            ),
            _ => (Verdict::Compatible, "it may be left out"),
        },
        Kind::Variant => (Verdict::Risky, "the same name means another value"),
        Kind::Method => match (
            before.strip_prefix("deprecated "),
            after.signature.strip_prefix("deprecated "),
        ) {
            (None, Some(rest)) if rest == before => {
                (Verdict::Risky, "its callers get a warning, and it may go")
            }
            (Some(rest), None) if rest == after.signature => {
                (Verdict::Compatible, "its callers get no warning")
            }
            _ => RETYPED,
        },
        Kind::Operation => (
            Verdict::Compatible,
            "it is what the transport knows of the operation",
        ),
        Kind::Constant => (Verdict::Compatible, "its type is the same"),
        _ => RETYPED,
    }
}

/// Derived traits.
fn traits(before: &str, after: &str) -> (Verdict, &'static str) {
    let parts = |signature: &str| {
        let (kind, traits) = signature.split_once(": ").unwrap_or((signature, ""));
        let traits: BTreeSet<String> = traits.split(", ").map(str::to_owned).collect();
        (kind.to_owned(), traits)
    };
    let ((old_kind, old), (new_kind, new)) = (parts(before), parts(after));
    if old_kind != new_kind && new_kind.starts_with("non_exhaustive") {
        return (Verdict::Breaking, "it can't be built by a literal any more");
    }
    match old.is_subset(&new) {
        true => (Verdict::Compatible, "it can do more"),
        false => (Verdict::Breaking, "it lacks a trait that code may use"),
    }
}

/// Arguments of a constructor. Calls don't have their names, but mean what they mean.
fn arguments(before: &str, after: &str) -> (Verdict, &'static str) {
    let types = |signature: &str| -> Vec<String> {
        let list = signature.trim_matches(['(', ')']).split(", ");
        let types = list.filter_map(|argument| argument.split_once(": "));
        types.map(|(_, ty)| ty.to_owned()).collect()
    };
    match types(before) == types(after) {
        true => (Verdict::Risky, "calls compile, but give another thing"),
        false => (Verdict::Breaking, "calls have other arguments"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: Kind, signature: &str) -> Item {
        Item {
            kind,
            signature: signature.to_owned(),
            docs: String::new(),
        }
    }

    #[test]
    fn another_signature_is_judged_by_what_uses_it() {
        use Verdict::{Breaking, Compatible, Risky};
        let cases = [
            (
                Kind::Struct,
                "struct: Clone",
                "struct: Clone, Default",
                Compatible,
            ),
            (
                Kind::Struct,
                "struct: Clone, Default",
                "struct: Clone",
                Breaking,
            ),
            (
                Kind::Struct,
                "struct: Clone",
                "non_exhaustive struct: Clone",
                Breaking,
            ),
            (Kind::Field, "String", "i64", Breaking),
            (
                Kind::New,
                "(a: String, b: i64)",
                "(c: String, b: i64)",
                Risky,
            ),
            (Kind::New, "(a: String)", "(a: String, b: i64)", Breaking),
            (Kind::Variant, "\"a\"", "\"A\"", Risky),
            (Kind::Arm, "(types::A)", "(Box<types::A>)", Breaking),
            (Kind::Setter, "optional (i64)", "required (i64)", Breaking),
            (Kind::Setter, "required (i64)", "optional (i64)", Compatible),
            (
                Kind::Send,
                "ResponseValue<types::A>",
                "ResponseValue<()>",
                Breaking,
            ),
            (Kind::Method, "builder::A", "deprecated builder::A", Risky),
            (
                Kind::Method,
                "deprecated builder::A",
                "builder::A",
                Compatible,
            ),
            (
                Kind::Method,
                "builder::A",
                "deprecated builder::B",
                Breaking,
            ),
            (Kind::Operation, "path: \"/a\"", "path: \"/b\"", Compatible),
        ];
        for (kind, before, after, verdict) in cases {
            assert_eq!(
                judge(kind, &item(kind, after), before).0,
                verdict,
                "{before} to {after}"
            );
        }
    }

    #[test]
    fn another_kind_of_type_breaks() {
        let (verdict, _) = judge(Kind::Enum, &item(Kind::Union, "union"), "open enum");
        assert_eq!(verdict, Verdict::Breaking);
    }

    #[test]
    fn what_is_new_is_judged_by_what_it_is_part_of() {
        let owner = |signature: &str| item(Kind::Struct, signature);
        let field = item(Kind::Field, "String");
        let verdict = |owner: Option<&Item>| added("types::A::x", &field, owner).verdict;
        assert_eq!(verdict(Some(&owner("struct: Clone"))), Verdict::Breaking);
        assert_eq!(
            verdict(Some(&owner("non_exhaustive struct: Clone"))),
            Verdict::Compatible
        );
        assert_eq!(verdict(None), Verdict::Compatible);
    }
}
