//! The types of multipart bodies, which the generator doesn't know.

use anyhow::{Context as _, Result};
use proc_macro2::TokenStream;
use quote::quote;

use super::docs;
use super::paths::ident;
use crate::lower::plan::{FormField, FormKind};
use crate::names;

/// The form of an operation: a struct, its constructor, and how it is sent.
pub(super) fn text(id: &str, fields: &[FormField]) -> Result<String> {
    let name = ident(&names::form(id));
    let fields: Vec<_> = fields.iter().map(Field::of).collect::<Result<_>>()?;
    let declared = fields.iter().map(Field::declaration);
    let required = fields.iter().filter(|field| field.source.required);
    let parameters =
        required.map(|Field { name, ty, .. }| -> syn::FnArg { syn::parse_quote!(#name: #ty) });
    let values = fields.iter().map(Field::value);
    let sent = fields.iter().map(Field::call);
    let doc = format!(" The multipart body of [`Client::{id}`](crate::Client::{id}).");
    let item: syn::ItemStruct = syn::parse_quote! {
        #[doc = #doc]
        #[derive(Debug)]
        pub struct #name { #(#declared),* }
    };
    let methods: syn::ItemImpl = syn::parse_quote! {
        impl #name {
            /// With what the API requires; the rest is left out.
            pub fn new(#(#parameters),*) -> Self {
                Self { #(#values),* }
            }

            pub(crate) fn into_form(self) -> ::std::result::Result<::reqwest::multipart::Form, crate::Error> {
                crate::multipart::FormBuilder::new() #(#sent)* .finish()
            }
        }
    };
    Ok(super::text(vec![
        syn::Item::Struct(item),
        syn::Item::Impl(methods),
    ]))
}

/// A field with what its code is made of.
struct Field<'a> {
    source: &'a FormField,
    name: syn::Ident,
    ty: syn::Type,
    /// It is there as it is, not as an `Option`.
    bare: bool,
}

impl<'a> Field<'a> {
    fn of(source: &'a FormField) -> Result<Self> {
        let scalar = |path: &str| -> Result<syn::Type> {
            syn::parse_str(path)
                .with_context(|| format!("form field `{}`: no type `{path}`", source.wire))
        };
        let ty = match &source.kind {
            FormKind::File => syn::parse_quote!(crate::multipart::FilePart),
            FormKind::Files => syn::parse_quote!(::std::vec::Vec<crate::multipart::FilePart>),
            FormKind::Text(path) => scalar(path)?,
            FormKind::Texts(path) => {
                let path = scalar(path)?;
                syn::parse_quote!(::std::vec::Vec<#path>)
            }
            FormKind::Json => syn::parse_quote!(::serde_json::Value),
        };
        let list = matches!(source.kind, FormKind::Files | FormKind::Texts(_));
        Ok(Self {
            source,
            name: ident(&source.name),
            ty,
            bare: source.required || list,
        })
    }

    fn declaration(&self) -> syn::Field {
        let Self { name, ty, .. } = self;
        let words = docs::attributes(self.source.description.as_deref().unwrap_or_default());
        match self.bare {
            true => syn::parse_quote!(#(#words)* pub #name: #ty),
            false => syn::parse_quote!(#(#words)* pub #name: ::std::option::Option<#ty>),
        }
    }

    /// What the constructor gives it.
    fn value(&self) -> syn::FieldValue {
        let name = &self.name;
        match self.source.required {
            true => syn::parse_quote!(#name),
            false => syn::parse_quote!(#name: ::std::default::Default::default()),
        }
    }

    /// The call that puts it into the form.
    fn call(&self) -> TokenStream {
        let (name, wire) = (&self.name, &self.source.wire);
        let value = match self.bare {
            true => quote!(Some(&self.#name)),
            false => quote!(self.#name.as_ref()),
        };
        match &self.source.kind {
            FormKind::File => quote!(.file(#wire, self.#name)?),
            FormKind::Files => quote!(.files(#wire, self.#name)?),
            FormKind::Text(_) => quote!(.text(#wire, #value)?),
            FormKind::Texts(_) => quote!(.texts(#wire, &self.#name)?),
            FormKind::Json => quote!(.json(#wire, #value)?),
        }
    }
}
