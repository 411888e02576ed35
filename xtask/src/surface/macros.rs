//! Reads what `open_enum!` and `union!` are given.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;

use super::signature::{Place, docs, type_text};
use super::{Kind, Surface};

/// `pub enum Name { /// docs  Variant = "wire", .. }`.
pub(super) struct OpenEnum {
    attributes: Vec<syn::Attribute>,
    name: syn::Ident,
    variants: Vec<Variant>,
}

struct Variant {
    attributes: Vec<syn::Attribute>,
    name: syn::Ident,
    wire: syn::LitStr,
}

impl Parse for OpenEnum {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (attributes, name) = head(input)?;
        let content;
        syn::braced!(content in input);
        let variants = Punctuated::<Variant, syn::Token![,]>::parse_terminated(&content)?;
        Ok(Self {
            attributes,
            name,
            variants: variants.into_iter().collect(),
        })
    }
}

impl Parse for Variant {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        let name = input.parse()?;
        input.parse::<syn::Token![=]>()?;
        Ok(Self {
            attributes,
            name,
            wire: input.parse()?,
        })
    }
}

impl OpenEnum {
    /// The enum, its variants, and the one for values that the document doesn't know.
    pub(super) fn add(&self, surface: &mut Surface) {
        let path = format!("types::{}", self.name);
        surface.add(&*path, Kind::Enum, "open enum", docs(&self.attributes));
        for variant in &self.variants {
            let item = format!("{path}::{}", variant.name);
            let signature = format!("{:?}", variant.wire.value());
            surface.add(item, Kind::Variant, signature, docs(&variant.attributes));
        }
        surface.add(
            format!("{path}::Unknown"),
            Kind::Variant,
            "(String)",
            String::new(),
        );
    }
}

/// `pub enum Name { Arm(Type) if guard from Type, .. } else Unknown`.
pub(super) struct Union {
    attributes: Vec<syn::Attribute>,
    name: syn::Ident,
    arms: Vec<Arm>,
    other: Option<syn::Ident>,
}

struct Arm {
    name: syn::Ident,
    payload: syn::Type,
    from: Option<syn::Type>,
}

impl Parse for Union {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (attributes, name) = head(input)?;
        let content;
        syn::braced!(content in input);
        let arms = Punctuated::<Arm, syn::Token![,]>::parse_terminated(&content)?;
        let other = match input.parse::<Option<syn::Token![else]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self {
            attributes,
            name,
            arms: arms.into_iter().collect(),
            other,
        })
    }
}

impl Parse for Arm {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(syn::Attribute::parse_outer)?;
        let name = input.parse()?;
        let content;
        syn::parenthesized!(content in input);
        let payload = content.parse()?;
        if input.parse::<Option<syn::Token![if]>>()?.is_some() {
            // The guard says how values are read, and no code depends on that.
            input.parse::<proc_macro2::TokenTree>()?;
        }
        let from = match input.peek(syn::Ident) {
            true => {
                input.parse::<syn::Ident>()?;
                Some(input.parse()?)
            }
            false => None,
        };
        Ok(Self {
            name,
            payload,
            from,
        })
    }
}

impl Union {
    /// The union, its arms, and their conversions.
    pub(super) fn add(&self, surface: &mut Surface) {
        let path = format!("types::{}", self.name);
        surface.add(&*path, Kind::Union, "union", docs(&self.attributes));
        for arm in &self.arms {
            let item = format!("{path}::{}", arm.name);
            let payload = format!("({})", type_text(&arm.payload, Place::Types));
            surface.add(item, Kind::Arm, payload, String::new());
            if let Some(from) = &arm.from {
                let from = type_text(from, Place::Types);
                let item = format!("{path}: From<{from}>");
                surface.add(item, Kind::From, from, String::new());
            }
        }
        if let Some(other) = &self.other {
            let item = format!("{path}::{other}");
            surface.add(item, Kind::Arm, "(serde_json::Value)", String::new());
        }
    }
}

/// What stands before the braces.
fn head(input: ParseStream<'_>) -> syn::Result<(Vec<syn::Attribute>, syn::Ident)> {
    let attributes = input.call(syn::Attribute::parse_outer)?;
    input.parse::<syn::Visibility>()?;
    input.parse::<syn::Token![enum]>()?;
    Ok((attributes, input.parse()?))
}
