//! Reads the surface from the text of the generated files.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use quote::ToTokens as _;

use super::macros::{OpenEnum, Union};
use super::signature::{Place, bounds_text, docs, type_text};
use super::{Kind, Surface};
use crate::files::Generated;

impl Surface {
    /// Reads the files of a generated crate.
    ///
    /// # Errors
    /// If a file is no Rust, or has an item of a kind that the generator is not known to write.
    pub(crate) fn read(files: &Generated) -> Result<Self> {
        let mut surface = Self::default();
        let mut table = Vec::new();
        for (path, text) in &files.0 {
            let part = |part: Option<&std::ffi::OsStr>| {
                part.and_then(|it| it.to_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let folder = part(path.parent().map(Path::as_os_str));
            let name = part(path.file_name());
            let read: fn(&mut Self, syn::Item) -> Result<()> = match (&*folder, &*name) {
                (_, "mod.rs") | ("", "schemas.rs") => continue,
                ("types", _) => Self::of_types,
                ("builder", _) => Self::of_builders,
                ("", "client.rs") => Self::of_client,
                ("", "operations.rs") => {
                    table.extend(items(path, text)?);
                    continue;
                }
                _ => bail!(
                    "{}: not known to the reader of surfaces; teach it in xtask/src/surface/read.rs",
                    path.display()
                ),
            };
            for item in items(path, text)? {
                read(&mut surface, item)
                    .with_context(|| format!("{}: cannot read the surface", path.display()))?;
            }
        }
        let types = surface
            .items
            .keys()
            .filter_map(|path| path.strip_prefix("types::"));
        let types: BTreeSet<String> = types.map(str::to_owned).collect();
        for item in table {
            surface.of_table(item, &types)?;
        }
        Ok(surface)
    }

    fn of_types(&mut self, item: syn::Item) -> Result<()> {
        match item {
            syn::Item::Use(_) => {}
            syn::Item::Struct(item) => self.structure(&item),
            syn::Item::Impl(item) => {
                let owner = type_text(&item.self_ty, Place::Types);
                for (name, method) in methods(&item) {
                    if name != "new" {
                        bail!("`{owner}` has a method `{name}` that is not known");
                    }
                    let arguments = arguments(&method.sig, Place::Types);
                    self.add(
                        format!("{owner}::new"),
                        Kind::New,
                        arguments,
                        docs(&method.attrs),
                    );
                }
            }
            syn::Item::Macro(item) => {
                let name = item
                    .mac
                    .path
                    .segments
                    .last()
                    .map(|last| last.ident.to_string());
                match name.as_deref() {
                    Some("open_enum") => item.mac.parse_body::<OpenEnum>()?.add(self),
                    Some("union") => item.mac.parse_body::<Union>()?.add(self),
                    other => bail!("unknown macro `{}`", other.unwrap_or_default()),
                }
            }
            other => bail!("unknown item: {}", other.to_token_stream()),
        }
        Ok(())
    }

    fn structure(&mut self, item: &syn::ItemStruct) {
        let path = format!("types::{}", item.ident);
        let mut traits = BTreeSet::new();
        let mut open = "";
        for attribute in &item.attrs {
            if attribute.path().is_ident("non_exhaustive") {
                open = "non_exhaustive ";
            }
            if attribute.path().is_ident("derive") {
                // Attributes that don't parse did not come from the generator.
                let _ = attribute.parse_nested_meta(|meta| {
                    traits.extend(meta.path.segments.last().map(|last| last.ident.to_string()));
                    Ok(())
                });
            }
        }
        let traits: Vec<_> = traits.into_iter().collect();
        let signature = format!("{open}struct: {}", traits.join(", "));
        self.add(&*path, Kind::Struct, signature, docs(&item.attrs));
        for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
            if let Some(name) = &field.ident {
                let ty = type_text(&field.ty, Place::Types);
                self.add(
                    format!("{path}::{name}"),
                    Kind::Field,
                    ty,
                    docs(&field.attrs),
                );
            }
        }
    }

    fn of_builders(&mut self, item: syn::Item) -> Result<()> {
        match item {
            syn::Item::Use(_) => {}
            syn::Item::Struct(item) => {
                let path = format!("builder::{}", item.ident);
                self.add(path, Kind::Builder, "builder", docs(&item.attrs));
            }
            syn::Item::Impl(item) => {
                let owner = format!("builder::{}", type_text(&item.self_ty, Place::Elsewhere));
                let missing = missing_at_first(&item);
                for (name, method) in methods(&item) {
                    let (kind, signature) = match (&*name, missing.contains(&name)) {
                        ("send", _) => (Kind::Send, output(&method.sig)),
                        (_, needed) => {
                            let need = if needed { "required" } else { "optional" };
                            let arguments = arguments(&method.sig, Place::Elsewhere);
                            (Kind::Setter, format!("{need} {arguments}"))
                        }
                    };
                    self.add(
                        format!("{owner}::{name}"),
                        kind,
                        signature,
                        docs(&method.attrs),
                    );
                }
            }
            other => bail!("unknown item: {}", other.to_token_stream()),
        }
        Ok(())
    }

    fn of_client(&mut self, item: syn::Item) -> Result<()> {
        if let syn::Item::Impl(item) = item {
            for (name, method) in methods(&item) {
                let mut attributes = method.attrs.iter();
                let deprecated = match attributes.any(|it| it.path().is_ident("deprecated")) {
                    true => "deprecated ",
                    false => "",
                };
                let signature = format!("{deprecated}{}", output(&method.sig));
                self.add(
                    format!("Client::{name}"),
                    Kind::Method,
                    signature,
                    docs(&method.attrs),
                );
            }
        }
        Ok(())
    }

    /// A constant, or the table of operations.
    fn of_table(&mut self, item: syn::Item, types: &BTreeSet<String>) -> Result<()> {
        let syn::Item::Const(item) = item else {
            return Ok(());
        };
        let value = match *item.expr {
            syn::Expr::Reference(value) => *value.expr,
            value => value,
        };
        let syn::Expr::Array(entries) = value else {
            let value = value.to_token_stream().to_string();
            self.add(
                item.ident.to_string(),
                Kind::Constant,
                value,
                docs(&item.attrs),
            );
            return Ok(());
        };
        for entry in &entries.elems {
            let syn::Expr::Struct(entry) = entry else {
                bail!("operations.rs: an entry of the table is no struct");
            };
            let mut id = String::new();
            let mut words = Vec::new();
            for field in &entry.fields {
                let name = field.member.to_token_stream().to_string();
                let value = expression(&field.expr);
                match &*name {
                    "id" => id = value.trim_matches('"').to_owned(),
                    "request" | "response" => {
                        words.push(format!("{name}: {}", named(&value, types)))
                    }
                    _ => words.push(format!("{name}: {value}")),
                }
            }
            self.add(
                format!("operations::{id}"),
                Kind::Operation,
                words.join(", "),
                String::new(),
            );
        }
        Ok(())
    }
}

fn items(path: &Path, text: &str) -> Result<Vec<syn::Item>> {
    let file = syn::parse_file(text)
        .with_context(|| format!("{}: the generated file is no Rust", path.display()))?;
    Ok(file.items)
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn methods(item: &syn::ItemImpl) -> impl Iterator<Item = (String, &syn::ImplItemFn)> {
    item.items.iter().filter_map(|item| match item {
        syn::ImplItem::Fn(method) if is_public(&method.vis) => {
            Some((method.sig.ident.to_string(), method))
        }
        _ => None,
    })
}

/// `(url: impl Into<String>, n: i64)`; of a setter, whose argument is always called `value`, the type alone.
fn arguments(signature: &syn::Signature, place: Place) -> String {
    let arguments = signature.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(argument) => {
            let bare = type_text(&argument.ty, Place::Elsewhere);
            let ty = match bounds_of(&bare, &signature.generics, place) {
                Some(bounds) => format!("impl {bounds}"),
                None => type_text(&argument.ty, place),
            };
            let name = argument.pat.to_token_stream().to_string();
            Some(match &*name {
                "value" => ty,
                _ => format!("{name}: {ty}"),
            })
        }
        syn::FnArg::Receiver(_) => None,
    });
    format!("({})", arguments.collect::<Vec<_>>().join(", "))
}

/// What a type parameter must be.
fn bounds_of(parameter: &str, generics: &syn::Generics, place: Place) -> Option<String> {
    let predicates = generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    predicates
        .into_iter()
        .find_map(|predicate| match predicate {
            syn::WherePredicate::Type(it)
                if type_text(&it.bounded_ty, Place::Elsewhere) == parameter =>
            {
                Some(bounds_text(&it.bounds, place))
            }
            _ => None,
        })
}

fn output(signature: &syn::Signature) -> String {
    match &signature.output {
        syn::ReturnType::Default => String::new(),
        syn::ReturnType::Type(_, ty) => type_text(ty, Place::Elsewhere),
    }
}

/// The fields that a new builder has no value for: it is not sent without them.
fn missing_at_first(item: &syn::ItemImpl) -> BTreeSet<String> {
    let new = item.items.iter().find_map(|item| match item {
        syn::ImplItem::Fn(method) if method.sig.ident == "new" => method.block.stmts.last(),
        _ => None,
    });
    let Some(syn::Stmt::Expr(syn::Expr::Struct(built), None)) = new else {
        return BTreeSet::new();
    };
    let is_error = |value: &syn::Expr| match value {
        syn::Expr::Call(call) => call.func.to_token_stream().to_string() == "Err",
        _ => false,
    };
    let missing = built.fields.iter().filter(|field| is_error(&field.expr));
    missing
        .map(|field| field.member.to_token_stream().to_string())
        .collect()
}

/// An expression without the spaces that tokens have between them.
fn expression(value: &syn::Expr) -> String {
    let list = |values: &syn::punctuated::Punctuated<syn::Expr, syn::Token![,]>| {
        let values: Vec<_> = values.iter().map(expression).collect();
        values.join(", ")
    };
    match value {
        syn::Expr::Reference(inner) => expression(&inner.expr),
        syn::Expr::Array(array) => format!("[{}]", list(&array.elems)),
        syn::Expr::Tuple(tuple) => format!("({})", list(&tuple.elems)),
        syn::Expr::Call(call) => format!("{}({})", call.func.to_token_stream(), list(&call.args)),
        syn::Expr::Path(path) => path.to_token_stream().to_string().replace(' ', ""),
        other => other.to_token_stream().to_string(),
    }
}

/// The words for a body, with the paths of the types in them.
fn named(words: &str, types: &BTreeSet<String>) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let parts = words.split_inclusive(|c| !is_word(c)).map(|part| {
        match types.contains(part.trim_end_matches(|c| !is_word(c))) {
            true => format!("types::{part}"),
            false => part.to_owned(),
        }
    });
    parts.collect()
}
