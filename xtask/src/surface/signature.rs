//! Types in one spelling, whichever way the generated code writes them.

use quote::ToTokens as _;

/// The crates whose names say nothing.
const STANDARD: [&str; 3] = ["std", "core", "alloc"];

/// Where a type is written, which decides what a bare name means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In `types`, where a bare name is one of these.
    Types,
    /// Anywhere else.
    Elsewhere,
}

/// The type in one spelling: `Option<types::A>`, `Vec<String>`, `wire::Timestamp`.
pub(super) fn type_text(ty: &syn::Type, place: Place) -> String {
    match ty {
        syn::Type::Path(path) if path.qself.is_none() => path_text(&path.path, place),
        syn::Type::Reference(reference) => format!("&{}", type_text(&reference.elem, place)),
        syn::Type::Paren(inner) => type_text(&inner.elem, place),
        syn::Type::Group(inner) => type_text(&inner.elem, place),
        syn::Type::Tuple(tuple) => {
            let parts = tuple.elems.iter().map(|part| type_text(part, place));
            format!("({})", parts.collect::<Vec<_>>().join(", "))
        }
        syn::Type::ImplTrait(bounds) => format!("impl {}", bounds_text(&bounds.bounds, place)),
        other => other.to_token_stream().to_string(),
    }
}

/// Bounds in one spelling.
pub(super) fn bounds_text<P>(
    bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, P>,
    place: Place,
) -> String {
    let bounds = bounds.iter().map(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => path_text(&bound.path, place),
        other => other.to_token_stream().to_string(),
    });
    bounds.collect::<Vec<_>>().join(" + ")
}

fn path_text(path: &syn::Path, place: Place) -> String {
    let mut words: Vec<String> = path
        .segments
        .iter()
        .map(|segment| segment_text(segment, place))
        .collect();
    let bare = words.len() == 1;
    let first = path.segments.first().map(|it| it.ident.to_string());
    match first.as_deref() {
        Some("crate" | "super" | "self") if !bare => {
            words.remove(0);
        }
        Some(name) if STANDARD.contains(&name) => {
            words.drain(..words.len() - 1);
        }
        // All but the types of the document are written there with their paths.
        Some(name)
            if bare
                && place == Place::Types
                && name.starts_with(char::is_uppercase)
                && name != "Self" =>
        {
            words.insert(0, "types".to_owned());
        }
        _ => {}
    }
    words.join("::")
}

fn segment_text(segment: &syn::PathSegment, place: Place) -> String {
    let name = segment.ident.to_string();
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return name;
    };
    let arguments = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(type_text(ty, place)),
        syn::GenericArgument::Lifetime(_) => None,
        other => Some(other.to_token_stream().to_string()),
    });
    let arguments: Vec<_> = arguments.collect();
    match arguments.is_empty() {
        true => name,
        false => format!("{name}<{}>", arguments.join(", ")),
    }
}

/// The docs of an item.
pub(super) fn docs(attributes: &[syn::Attribute]) -> String {
    let line = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let lines = attributes.iter().filter_map(line);
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The paths of generated types that a signature names.
pub(super) fn mentions(signature: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    signature
        .split(move |c| !is_word(c))
        .filter(|word| word.starts_with("types::") || word.starts_with("builder::"))
}

/// The signature with other paths for the types that it names.
pub(super) fn replaced(signature: &str, by: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = signature;
    while let Some(found) = mentions(rest).next() {
        // It begins where no longer word holds it, because words are split at all else.
        let start = rest
            .match_indices(found)
            .map(|(start, _)| start)
            .find(|start| {
                let before = rest[..*start].chars().next_back();
                let after = rest[start + found.len()..].chars().next();
                let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                !before.is_some_and(is_word) && !after.is_some_and(is_word)
            })
            .unwrap_or_default();
        out.push_str(&rest[..start]);
        out.push_str(&by(found).unwrap_or_else(|| found.to_owned()));
        rest = &rest[start + found.len()..];
    }
    out + rest
}
