//! The types of the API: structs from the generator, enums, unions and forms from the plan.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;
use syn::visit_mut::VisitMut;

use super::paths::Rewrite;
use super::{docs, forms, text};
use crate::lower::plan::{Arm, Direction, Enum, Union};
use crate::lower::{Lowered, component_name};
use crate::names;

/// The head of `types/mod.rs`.
pub(super) const HEADER: &str = "\n//! Types of requests and responses, by resource.\n";

/// The generated type files.
pub(super) struct Types {
    /// Text by resource.
    pub(super) files: BTreeMap<String, String>,
    /// `schemas.rs`.
    pub(super) schemas: String,
    /// Number of types.
    pub(super) count: usize,
}

/// All type files.
pub(super) fn files(lowered: &Lowered, items: Vec<syn::Item>) -> Result<Types> {
    // Each type by name, so that files are sorted whatever wrote the type.
    let mut texts = BTreeMap::new();
    for item in items {
        match item {
            syn::Item::Struct(item) => {
                texts.insert(item.ident.to_string(), structure(lowered, item));
            }
            // Builders of structs would double the code; errors are those of conversions that
            // these types don't have.
            syn::Item::Mod(_) => {}
            syn::Item::Impl(item) if is_builder(&item) => {}
            other => bail!(
                "the generator wrote what no rule expects: {}",
                text(vec![other])
            ),
        }
    }
    let plan = &lowered.plan;
    let enums = plan.enums.iter();
    texts.extend(enums.map(|(name, item)| (name.clone(), enumeration(name, item))));
    let unions = plan.unions.iter();
    texts.extend(unions.map(|(name, item)| (name.clone(), union(name, item))));
    let schemas = schemas(lowered, texts.keys());
    let mut resources = plan.resources.clone();
    for (id, operation) in &plan.operations {
        if let Some(fields) = &operation.form {
            let name = names::form(id);
            resources.insert(name.clone(), operation.resource.clone());
            texts.insert(name, forms::text(id, fields)?);
        }
    }
    let count = texts.len();
    let mut files = BTreeMap::<String, String>::new();
    for (name, item) in texts {
        let resource = resources
            .remove(&name)
            .unwrap_or_else(|| "common".to_owned());
        let file = files
            .entry(resource)
            .or_insert_with(|| "\nuse super::*;\n".to_owned());
        file.push('\n');
        file.push_str(&item);
    }
    Ok(Types {
        files,
        schemas,
        count,
    })
}

fn is_builder(item: &syn::ItemImpl) -> bool {
    item.trait_.is_none()
        && item
            .items
            .iter()
            .all(|item| matches!(item, syn::ImplItem::Fn(method) if method.sig.ident == "builder"))
}

/// A struct of the generator, with what it could not know.
fn structure(lowered: &Lowered, mut item: syn::ItemStruct) -> String {
    let name = item.ident.to_string();
    let reading = Reading::of(lowered, &name);
    item.attrs = redocumented(item.attrs);
    let mut required = Vec::new();
    for field in &mut item.fields {
        field.attrs = redocumented(std::mem::take(&mut field.attrs));
        let Some(field_name) = field.ident.clone() else {
            continue;
        };
        let optional = serde(field).iter().any(|meta| {
            ["default", "skip_serializing_if", "flatten"]
                .iter()
                .any(|word| meta.path().is_ident(word))
        });
        if !optional {
            required.push((field_name.clone(), field.ty.clone()));
        }
        let wire = lowered
            .plan
            .fields
            .get(&(name.clone(), field_name.to_string()));
        serde_attributes(field, wire, reading, optional);
    }
    in_document_order(lowered, &name, &mut required);
    derives(&mut item, required.is_empty());
    let new = (!required.is_empty()).then(|| constructor(&item, &required));
    let mut items: Vec<syn::Item> = vec![syn::Item::Struct(item)];
    items.extend(new.map(syn::Item::Impl));
    let mut file = syn::File {
        shebang: None,
        attrs: Vec::new(),
        items,
        frontmatter: None,
    };
    Rewrite::default().visit_file_mut(&mut file);
    text(file.items)
}

fn redocumented(attributes: Vec<syn::Attribute>) -> Vec<syn::Attribute> {
    let mut words = Vec::new();
    let mut others = Vec::new();
    for attribute in attributes {
        match doc(&attribute) {
            Some(line) => words.push(line),
            None => others.push(attribute),
        }
    }
    let mut all = docs::attributes(&words.join("\n"));
    all.extend(others);
    all
}

/// The text of a doc attribute.
pub(super) fn doc(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    match (&meta.value, meta.path.is_ident("doc")) {
        (
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }),
            true,
        ) => Some(text.value()),
        _ => None,
    }
}

fn serde(field: &syn::Field) -> Vec<syn::Meta> {
    let mut metas = Vec::new();
    for attribute in field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        let list = attribute.parse_args_with(
            syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
        );
        metas.extend(list.into_iter().flatten());
    }
    metas
}

/// How a struct is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As declared: it is only sent, or it is told from others by what it must have.
    Strict,
    /// What is missing or null is empty.
    Tolerant,
}

impl Reading {
    fn of(lowered: &Lowered, name: &str) -> Self {
        let plan = &lowered.plan;
        let sent = plan.directions.get(name) == Some(&Direction::Request);
        let arms = plan.unions.values().flat_map(|union| &union.arms);
        let arm = arms
            .filter_map(|arm| component_name(&arm.schema))
            .any(|arm| arm == name);
        let both = plan.directions.get(name) == Some(&Direction::Both);
        if sent || (arm && both) {
            Self::Strict
        } else {
            Self::Tolerant
        }
    }
}

/// The document's order of required properties is the one that people know: URL before host.
fn in_document_order(lowered: &Lowered, name: &str, required: &mut [(syn::Ident, syn::Type)]) {
    let schema = &lowered.document["components"]["schemas"][name];
    let listed = schema["required"].as_array().into_iter().flatten();
    let order: Vec<_> = listed.filter_map(Value::as_str).map(names::snake).collect();
    required.sort_by_key(|(field, _)| order.iter().position(|name| field == name));
}

/// Wire name and tolerant reading.
fn serde_attributes(
    field: &mut syn::Field,
    wire: Option<&String>,
    reading: Reading,
    optional: bool,
) {
    let mut metas = serde(field);
    if let Some(wire) = wire {
        metas.retain(|meta| !meta.path().is_ident("rename"));
        metas.insert(0, syn::parse_quote!(rename = #wire));
    }
    // Without its own reading a `Nullable` would take `null` for nothing said.
    let with = tolerant(&field.ty)
        .filter(|with| reading == Reading::Tolerant || optional && with.ends_with("nullable"));
    if let Some(with) = with
        && !metas.iter().any(|meta| meta.path().is_ident("flatten"))
    {
        metas.retain(|meta| !meta.path().is_ident("default"));
        metas.push(syn::parse_quote!(default));
        metas.push(syn::parse_quote!(deserialize_with = #with));
    }
    field
        .attrs
        .retain(|attribute| !attribute.path().is_ident("serde"));
    if !metas.is_empty() {
        field.attrs.push(syn::parse_quote!(#[serde(#(#metas),*)]));
    }
}

/// The function that reads a field of this type, if not the type's own.
fn tolerant(ty: &syn::Type) -> Option<&'static str> {
    let (name, inner) = last(ty)?;
    match (name.as_str(), inner) {
        ("i64" | "f64", _) => Some("crate::wire::lenient"),
        ("Option", Some(inner)) => match last(&inner)?.0.as_str() {
            "i64" | "f64" => Some("crate::wire::lenient"),
            "Nullable" => Some("crate::wire::nullable"),
            _ => None,
        },
        ("Vec" | "BTreeMap" | "Map" | "String" | "bool", _) => Some("crate::wire::or_default"),
        _ => None,
    }
}

/// The last word of a type and its first parameter.
fn last(ty: &syn::Type) -> Option<(String, Option<syn::Type>)> {
    let syn::Type::Path(path) = ty else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let inner = match &segment.arguments {
        syn::PathArguments::AngleBracketed(list) => {
            list.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
        }
        _ => None,
    };
    Some((segment.ident.to_string(), inner))
}

/// `Default` where nothing is required, and a JSON Schema for those who ask for it.
fn derives(item: &mut syn::ItemStruct, default: bool) {
    item.attrs
        .retain(|attribute| !attribute.path().is_ident("derive"));
    // A struct that only travels as a whole is never denied a field that it doesn't know.
    item.attrs
        .retain(|attribute| !attribute.path().is_ident("serde"));
    let default: Option<syn::Path> = default.then(|| syn::parse_quote!(Default));
    let default = default.iter();
    item.attrs.push(syn::parse_quote!(
        #[derive(Clone, Debug, #(#default,)* ::serde::Deserialize, ::serde::Serialize)]
    ));
    item.attrs
        .push(syn::parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]));
}

/// `new` with what is required, so that a new optional field breaks nobody's code.
fn constructor(item: &syn::ItemStruct, required: &[(syn::Ident, syn::Type)]) -> syn::ItemImpl {
    let name = &item.ident;
    let arguments = required.iter().map(|(name, ty)| -> syn::FnArg {
        match last(ty).map(|(word, _)| word).as_deref() {
            Some("String" | "Secret" | "Timestamp") => {
                syn::parse_quote!(#name: impl ::std::convert::Into<#ty>)
            }
            _ => syn::parse_quote!(#name: #ty),
        }
    });
    let values = item.fields.iter().filter_map(|field| {
        let name = field.ident.as_ref()?;
        let found = required.iter().find(|(required, _)| required == name);
        let value: syn::FieldValue = match found.map(|(_, ty)| last(ty).map(|(word, _)| word)) {
            Some(Some(word)) if ["String", "Secret", "Timestamp"].contains(&word.as_str()) => {
                syn::parse_quote!(#name: #name.into())
            }
            Some(_) => syn::parse_quote!(#name),
            None => syn::parse_quote!(#name: ::std::default::Default::default()),
        };
        Some(value)
    });
    syn::parse_quote! {
        impl #name {
            /// With what the API requires; the rest is left out.
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#values),* }
            }
        }
    }
}

fn enumeration(name: &str, item: &Enum) -> String {
    let mut out = docs::comment(item.description.as_deref().unwrap_or_default(), "    ");
    out.push_str(&format!("    pub enum {name} {{\n"));
    for (variant, wire) in &item.variants {
        out.push_str(&format!(
            "        /// `{}`\n        {variant} = {wire:?},\n",
            visible(wire)
        ));
    }
    format!("crate::wire::open_enum! {{\n{out}    }}\n}}\n")
}

fn visible(wire: &str) -> String {
    wire.chars()
        .filter(|c| !c.is_control() && *c != '`')
        .collect()
}

fn union(name: &str, item: &Union) -> String {
    let mut out = docs::comment(item.description.as_deref().unwrap_or_default(), "    ");
    out.push_str(&format!("    pub enum {name} {{\n"));
    let types: Vec<_> = item.arms.iter().map(|arm| rust(&arm.schema)).collect();
    for (arm, ty) in item.arms.iter().zip(&types) {
        let distinct = types.iter().filter(|other| *other == ty).count() == 1;
        let from = if distinct {
            format!(" from {ty}")
        } else {
            String::new()
        };
        let payload = if arm.boxed {
            format!("::std::boxed::Box<{ty}>")
        } else {
            ty.clone()
        };
        out.push_str(&format!(
            "        {}({payload}) if {}{from},\n",
            arm.name,
            guard(arm)
        ));
    }
    let rest = if item.open { " else Unknown" } else { "" };
    format!("crate::wire::union! {{\n{out}    }}{rest}\n}}\n")
}

fn guard(arm: &Arm) -> String {
    let tags = arm.tags.iter().map(|(property, values, demanded)| {
        let word = if *demanded { "in" } else { "in?" };
        let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
        format!("{property:?} {word} [{}]", values.join(", "))
    });
    let keys = arm.keys.iter().map(|key| format!("has {key:?}"));
    let tests: Vec<_> = tags.chain(keys).collect();
    match tests.is_empty() {
        true => arm.kind.to_owned(),
        false => format!("{{ {} }}", tests.join(", ")),
    }
}

/// The Rust type of a lowered schema.
pub(super) fn rust(schema: &Value) -> String {
    if let Some(name) = component_name(schema) {
        return format!("crate::types::{name}");
    }
    if let Some(extension) = schema.get("x-rust-type") {
        let path = extension["path"].as_str().unwrap_or_default();
        let path = match path.strip_prefix("anchorbrowser_api::") {
            Some(own) => format!("crate::{own}"),
            None => format!("::{path}"),
        };
        let parameters: Vec<_> = extension["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(rust)
            .collect();
        return match parameters.is_empty() {
            true => path,
            false => format!("{path}<{}>", parameters.join(", ")),
        };
    }
    match schema["type"].as_str() {
        Some("string") => "::std::string::String".to_owned(),
        Some("integer") => "i64".to_owned(),
        Some("number") => "f64".to_owned(),
        Some("boolean") => "bool".to_owned(),
        Some("array") => format!("::std::vec::Vec<{}>", rust(&schema["items"])),
        Some("object") => {
            let value = rust(&schema["additionalProperties"]);
            format!("::std::collections::BTreeMap<::std::string::String, {value}>")
        }
        _ => "::serde_json::Value".to_owned(),
    }
}

/// The list of types with their JSON Schemas.
fn schemas<'a>(lowered: &Lowered, names: impl Iterator<Item = &'a String>) -> String {
    let mut out = String::from(
        "\n/// Each type's resource, name, and a function that puts its JSON Schema into a generator.\n\
         pub(crate) const TYPES: &[(&str, &str, fn(&mut ::schemars::SchemaGenerator) -> ::schemars::Schema)] = &[\n",
    );
    for name in names {
        let resource = lowered
            .plan
            .resources
            .get(name)
            .map_or("common", String::as_str);
        out.push_str(&format!(
            "    ({resource:?}, {name:?}, ::schemars::SchemaGenerator::subschema_for::<crate::types::{name}>),\n"
        ));
    }
    out.push_str("];\n");
    out
}
