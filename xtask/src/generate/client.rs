//! The generated `Client`: one method for each operation.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value};
use syn::visit_mut::VisitMut;

use super::paths::Rewrite;
use super::{docs, text};
use crate::lower::Lowered;

/// `client.rs`.
pub(super) fn file(lowered: &Lowered, items: Vec<syn::Item>) -> Result<String> {
    let prose = prose(lowered);
    let mut kept = Vec::new();
    for item in items {
        match item {
            syn::Item::Struct(mut client) => {
                client
                    .attrs
                    .retain(|attribute| !attribute.path().is_ident("doc"));
                let title = format!(
                    "Client of the {}: one method for each operation.",
                    lowered.plan.title
                );
                client.attrs.splice(0..0, docs::attributes(&title));
                kept.push(syn::Item::Struct(client));
            }
            // Of the inherent methods only the operations stay. `new` would set a timeout of 15 s on
            // every call; constructors are in the hand-written part.
            syn::Item::Impl(mut methods) if methods.trait_.is_none() => {
                methods.items.retain_mut(|item| match item {
                    syn::ImplItem::Fn(method) => method_of_client(lowered, &prose, method),
                    _ => false,
                });
                if !methods.items.is_empty() {
                    methods.attrs.clear();
                    kept.push(syn::Item::Impl(methods));
                }
            }
            _ => {}
        }
    }
    let mut file = syn::File {
        shebang: None,
        attrs: Vec::new(),
        items: kept,
        frontmatter: None,
    };
    Rewrite::default().visit_file_mut(&mut file);
    Ok(format!("\nuse super::builder;\n\n{}", text(file.items)))
}

/// Documents an operation's method; makes the constructor private. Gives whether to keep it.
fn method_of_client(
    lowered: &Lowered,
    prose: &BTreeMap<&str, String>,
    method: &mut syn::ImplItemFn,
) -> bool {
    let name = method.sig.ident.to_string();
    if name == "new_with_client" {
        method.vis = syn::parse_quote!(pub(crate));
    }
    let Some(operation) = lowered.plan.operations.get(&name) else {
        return name == "new_with_client";
    };
    let mut attributes = docs::attributes(
        prose
            .get(name.as_str())
            .map(String::as_str)
            .unwrap_or_default(),
    );
    if !attributes.is_empty() {
        attributes.push(syn::parse_quote!(#[doc = ""]));
    }
    let line = format!(" `{} {}`", operation.method, operation.path);
    attributes.push(syn::parse_quote!(#[doc = #line]));
    if operation.deprecated {
        attributes
            .push(syn::parse_quote!(#[deprecated = "the API's document marks it as deprecated"]));
    }
    method.attrs = attributes;
    true
}

/// Summary and description of each operation.
fn prose(lowered: &Lowered) -> BTreeMap<&str, String> {
    let prose = |operation: &Map<String, Value>| {
        let words = |key: &str| operation.get(key).and_then(Value::as_str).map(str::trim);
        let summary = words("summary").map(|words| match words.ends_with('.') {
            true => words.to_owned(),
            false => format!("{words}."),
        });
        let description = words("description").map(str::to_owned);
        Vec::from_iter(summary.into_iter().chain(description)).join("\n\n")
    };
    let operations = lowered.operations().into_iter();
    operations
        .map(|(id, operation)| (id, prose(operation)))
        .collect()
}
