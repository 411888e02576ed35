//! What code looks like before and after a change that breaks it.
//!
//! The code is as short as it can be: what is called like a field, an argument or `answer`, `request` and `value` is a
//! variable that the reader has. Types that the compiler would not ask for stand in comments.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Edition, ItemPath, Kind, Verdict, What, owner};
use crate::lower::plan::Direction;

/// The most fields that a literal lists.
const LISTED: usize = 3;

/// Code that uses an item, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calls {
    /// The item, by its new path if it has two.
    pub(crate) item: ItemPath,
    /// What compiles, or works, with the old edition.
    pub(crate) before: String,
    /// The same with the new edition; none if nothing replaces it.
    pub(crate) after: Option<String>,
    /// What the code does not say.
    pub(crate) hint: Option<String>,
}

/// The code before and after each change that breaks any, without repetitions. `client` is an expression for the client.
pub(crate) fn calls<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    (old, new): (&Edition, &Edition),
    client: &str,
) -> Vec<Calls> {
    let changes: Vec<_> = changes.into_iter().collect();
    let renamed = changes.iter().filter(|it| it.what == What::Renamed);
    let renamed = renamed.filter_map(|it| Some((it.new.as_deref()?, it.old.as_deref()?)));
    let writer = Writer {
        old,
        new,
        client,
        renamed: renamed.collect(),
    };
    let breaking = changes
        .into_iter()
        .filter(|it| it.verdict == Verdict::Breaking);
    let breaking: Vec<_> = breaking.collect();
    // A builder goes with its method, a conversion with its arm, and a type with what names it.
    let rank = |change: &Change| match change.kind {
        Kind::Struct | Kind::Enum | Kind::Union if change.what != What::Changed => 2,
        Kind::Builder | Kind::Send | Kind::From => 1,
        _ => 0,
    };
    let first = breaking.iter().map(|it| rank(it)).min();
    let shown = breaking.iter().filter(|it| Some(rank(it)) == first);
    let mut seen = BTreeSet::new();
    shown
        .filter_map(|change| writer.write(change))
        .filter(|it| it.after.as_ref() != Some(&it.before) || it.hint.is_some())
        .filter(|it| seen.insert((it.before.clone(), it.after.clone())))
        .collect()
}

/// One edition, and the path that an item has in it.
type Side<'a> = (&'a Edition, &'a str);

struct Writer<'a> {
    old: &'a Edition,
    new: &'a Edition,
    client: &'a str,
    /// New and old paths of what has another one.
    renamed: BTreeMap<&'a str, &'a str>,
}

impl<'a> Writer<'a> {
    fn write(&self, change: &'a Change) -> Option<Calls> {
        let old = change.old.as_deref().map(|path| (self.old, path));
        let new = change.new.as_deref().map(|path| (self.new, path));
        let retyped = change.what == What::Changed;
        let (before, after) = match (change.kind, change.what) {
            (Kind::Field, What::Added) => self.new_field(change)?,
            (Kind::Setter, What::Added) => self.new_setter(change)?,
            (Kind::Setter, What::Removed) => {
                let (edition, path) = old?;
                let before = self.code(Kind::Setter, (edition, path), "", false)?;
                let after = self.after(owner(path)?);
                (
                    before,
                    after.and_then(|it| self.request((self.new, it), None)),
                )
            }
            (Kind::Setter, What::Changed) => self.other_setter(change)?,
            (Kind::Struct, What::Changed) if self.is_same_kind(change) => {
                self.other_traits(change)?
            }
            (Kind::New, What::Removed) => self.no_constructor(change)?,
            (Kind::Operation, _) => return None,
            _ => {
                let code = |side: Option<Side<'_>>, signature: &str| {
                    self.code(change.kind, side?, signature, retyped)
                };
                (code(old, &change.before)?, code(new, &change.after))
            }
        };
        // That another type has the name shows in no path.
        let hint = (retyped && !self.is_same_kind(change))
            .then(|| "the name is that of another kind of type".to_owned());
        Some(Calls {
            item: change.path().to_owned(),
            before,
            after,
            hint: hint.or_else(|| self.hint(change)),
        })
    }

    fn is_same_kind(&self, change: &Change) -> bool {
        let old = change.old.as_deref().and_then(|path| self.old.kind(path));
        old == Some(change.kind)
    }

    /// Code that uses an item of one edition.
    fn code(
        &self,
        kind: Kind,
        (edition, path): Side<'_>,
        signature: &str,
        retyped: bool,
    ) -> Option<String> {
        let name = last(path);
        let ty = type_of(kind, signature);
        Some(match kind {
            Kind::Field => match (retyped, value_of(edition, path)) {
                (true, "request") => format!("request.{name} = value /* {signature} */"),
                (true, value) => format!("let {name}: {signature} = {value}.{name};"),
                (false, "request") => format!("request.{name} = value"),
                (false, value) => format!("{value}.{name}"),
            },
            Kind::Setter => self.request(
                (edition, owner(path)?),
                Some((name, format!(".{name}({name})"))),
            )?,
            Kind::Method => {
                let builder = signature.trim_start_matches("deprecated ");
                self.request((edition, builder), None)?
            }
            Kind::Send => {
                let call = self.request((edition, owner(path)?), None)?;
                format!("let answer: {ty} = {call};")
            }
            Kind::Builder => {
                let operation = edition.operation(path)?;
                format!("let request: {path}<'_> = {}.{operation}();", self.client)
            }
            Kind::New => format!("{path}({})", arguments(signature, retyped)),
            Kind::Arm if retyped => format!("{path}(value /* {ty} */)"),
            Kind::Arm => format!("{path}(value)"),
            Kind::From => {
                let (union, source) = path.split_once(": From<")?;
                let source = source.strip_suffix('>').unwrap_or(source);
                format!("{union}::from(value /* {source} */)")
            }
            Kind::Struct | Kind::Enum | Kind::Union | Kind::Variant => path.to_owned(),
            Kind::Constant | Kind::Operation => return None,
        })
    }

    /// A request with all that it requires, and maybe one more call of a setter.
    fn request(
        &self,
        (edition, builder): Side<'_>,
        more: Option<(&str, String)>,
    ) -> Option<String> {
        let operation = edition.operation(builder)?;
        let required = edition
            .surface
            .members(builder)
            .filter(|(_, item)| item.kind == Kind::Setter)
            .filter(|(_, item)| item.signature.starts_with("required "));
        let mut setters: Vec<(&str, String)> = required
            .map(|(path, _)| (last(path), format!(".{0}({0})", last(path))))
            .filter(|(name, _)| more.as_ref().is_none_or(|(more, _)| more != name))
            .collect();
        setters.extend(more);
        setters.sort_by_key(|(name, _)| (*name == "body", *name));
        let setters: String = setters.into_iter().map(|(_, call)| call).collect();
        Some(format!(
            "{}.{operation}(){setters}.send().await?",
            self.client
        ))
    }

    /// A struct has one field more.
    fn new_field(&self, change: &Change) -> Option<(String, Option<String>)> {
        let path = change.new.as_deref()?;
        let structure = owner(path)?;
        let name = last(path);
        let value = match change.after.split('<').next() {
            Some("Option") => format!("{name}: None"),
            Some("Vec") => format!("{name}: Vec::new()"),
            _ => name.to_owned(),
        };
        let before = literal((self.old, self.before(structure)?), None);
        let after = literal((self.new, structure), Some((name, &value)));
        Some((before, Some(after)))
    }

    /// The old path of an item that holds others.
    fn before<'p>(&self, path: &'p str) -> Option<&'p str>
    where
        'a: 'p,
    {
        let before = self.renamed.get(path).copied().unwrap_or(path);
        self.old.kind(before).map(|_| before)
    }

    /// The new path of an item that holds others.
    fn after<'p>(&self, path: &'p str) -> Option<&'p str>
    where
        'a: 'p,
    {
        let renamed = self.renamed.iter().find(|(_, old)| **old == path);
        let after = renamed.map_or(path, |(new, _)| new);
        self.new.kind(after).map(|_| after)
    }

    /// A request has one required setter more.
    fn new_setter(&self, change: &Change) -> Option<(String, Option<String>)> {
        let path = change.new.as_deref()?;
        let builder = owner(path)?;
        let before = self.request((self.old, self.before(builder)?), None)?;
        Some((before, self.request((self.new, builder), None)))
    }

    /// A setter takes another type, or must be called.
    fn other_setter(&self, change: &Change) -> Option<(String, Option<String>)> {
        let call = |edition: &Edition, path: &str, signature: &str, typed: bool| {
            let ty = type_of(Kind::Setter, signature);
            let name = last(path);
            let call = match typed {
                true => format!(".{name}({name} /* {ty} */)"),
                false => format!(".{name}({name})"),
            };
            let shown = typed || signature.starts_with("required");
            self.request((edition, owner(path)?), shown.then_some((name, call)))
        };
        let ty = |signature| type_of(Kind::Setter, signature);
        let typed = ty(&change.before) != ty(&change.after);
        let before = call(self.old, change.old.as_deref()?, &change.before, typed)?;
        let after = call(self.new, change.new.as_deref()?, &change.after, typed);
        Some((before, after))
    }

    /// A struct lacks a trait, or may not be built by a literal.
    fn other_traits(&self, change: &Change) -> Option<(String, Option<String>)> {
        let path = change.new.as_deref()?;
        let has = |signature: &str| signature.contains("Default");
        let before = match has(&change.before) && !has(&change.after) {
            true => format!("{path}::default()"),
            false if change.after.starts_with("non_exhaustive") => {
                literal((self.old, change.old.as_deref()?), None)
            }
            false => return None,
        };
        let new = self.new.surface.items.get(&format!("{path}::new"));
        let after = match new {
            Some(new) => Some(format!("{path}::new({})", arguments(&new.signature, false))),
            None if change.after.starts_with("non_exhaustive") => None,
            None => Some(literal((self.new, path), None)),
        };
        Some((before, after))
    }

    /// A struct needs no constructor, because nothing in it is required.
    fn no_constructor(&self, change: &Change) -> Option<(String, Option<String>)> {
        let path = change.old.as_deref()?;
        let before = format!("{path}({})", arguments(&change.before, false));
        let after = self.after(owner(path)?);
        let after = after.filter(|it| self.new.signature(it).contains("Default"));
        Some((before, after.map(|it| format!("{it}::default()"))))
    }

    fn hint(&self, change: &Change) -> Option<String> {
        let has_default = |path: Option<&str>| {
            let structure = path.and_then(owner).and_then(|it| self.after(it));
            structure.is_some_and(|it| self.new.signature(it).contains("Default"))
        };
        let hint = match (change.kind, change.what) {
            (Kind::Field, What::Added) if has_default(change.new.as_deref()) => {
                "or end the literal with `..Default::default()`"
            }
            (Kind::New, What::Removed) if has_default(change.old.as_deref()) => {
                "then set its fields"
            }
            (Kind::Setter, What::Removed) => "nothing takes its place",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// The type that a signature is about: what a setter or an arm takes, what a request gives.
pub(crate) fn type_of(kind: Kind, signature: &str) -> &str {
    let (text, brackets): (&str, &[(&str, &str)]) = match kind {
        Kind::Setter => {
            let ty = signature.split_once(' ').map_or(signature, |(_, ty)| ty);
            (ty, &[("(", ")"), ("impl TryInto<", ">")])
        }
        Kind::Arm => (signature, &[("(", ")")]),
        // The `?` after a request takes the error.
        Kind::Send => (signature, &[("Result<", ", Error>")]),
        _ => (signature, &[]),
    };
    brackets.iter().fold(text, |text, (start, end)| {
        let inner = text.strip_prefix(start).and_then(|it| it.strip_suffix(end));
        inner.unwrap_or(text)
    })
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// A variable for a value of the type that a field is in.
fn value_of(edition: &Edition, field: &str) -> &'static str {
    match owner(field).and_then(|ty| edition.used(ty).direction) {
        Some(Direction::Request) => "request",
        Some(Direction::Response) => "answer",
        Some(Direction::Both) | None => "value",
    }
}

/// A struct literal with the first fields and one more, of which name and text are given.
fn literal((edition, path): Side<'_>, more: Option<(&str, &str)>) -> String {
    let members = edition.surface.members(path);
    let fields = members.filter(|(_, item)| item.kind == Kind::Field);
    let fields = fields.map(|(path, _)| last(path));
    let fields: Vec<_> = fields
        .filter(|name| more.is_none_or(|(more, _)| more != *name))
        .collect();
    let mut parts: Vec<_> = fields.iter().copied().take(LISTED).collect();
    parts.extend(more.map(|(_, value)| value));
    let rest = match fields.len().saturating_sub(LISTED) {
        0 => String::new(),
        rest => format!(" /* and {rest} more */"),
    };
    match parts.is_empty() {
        true => format!("{path} {{}}"),
        false => format!("{path} {{ {}{rest} }}", parts.join(", ")),
    }
}

/// What a constructor is called with: the names of its arguments.
fn arguments(signature: &str, typed: bool) -> String {
    let list = signature
        .strip_prefix('(')
        .and_then(|it| it.strip_suffix(')'));
    let mut depth = 0_usize;
    let separate = |character: char| {
        match character {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    };
    let arguments = list.unwrap_or(signature).split(separate);
    let arguments = arguments.filter_map(|argument| argument.trim().split_once(": "));
    let arguments = arguments.map(|(name, ty)| match typed {
        true => format!("{name} /* {ty} */"),
        false => name.to_owned(),
    });
    arguments.collect::<Vec<_>>().join(", ")
}

/// Asserts that all of the code is Rust, and that what it names is in its edition.
#[cfg(test)]
pub(crate) fn assert_sound(calls: &[Calls], (old, new): (&Edition, &Edition)) {
    for calls in calls {
        let sides = [(Some(&calls.before), old), (calls.after.as_ref(), new)];
        for (code, edition) in sides.into_iter().filter_map(|(code, it)| Some((code?, it))) {
            let parsed = syn::parse_str::<syn::Block>(&format!("{{ {code} }}"));
            assert!(parsed.is_ok(), "{code}: no Rust");
            for named in super::signature::mentions(code) {
                let ends = ["::new", "::default", "::from"];
                let ty = ends.iter().find_map(|end| named.strip_suffix(end));
                let known = [Some(named), ty].into_iter().flatten();
                let known = known.filter(|path| edition.kind(path).is_some()).count();
                assert!(known > 0, "{code}: no {named}");
            }
        }
    }
}
