//! What a piece of code names. Tokens are enough for that, and macros have nothing else.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

use crate::surface::signature::docs;

/// What a piece of code uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Operations that it calls.
    pub(super) operations: BTreeSet<String>,
    /// Generated types that it names.
    pub(super) types: BTreeSet<String>,
    /// Functions that it calls: `Type::function`, or what [`Names::function`] gives.
    pub(super) functions: BTreeSet<String>,
    /// Functions of its own type that it calls.
    pub(super) own: BTreeSet<String>,
    /// All names in it.
    pub(super) words: BTreeSet<String>,
}

impl Uses {
    /// What both use.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self.types.extend(other.types);
        self.functions.extend(other.functions);
        self.own.extend(other.own);
        self.words.extend(other.words);
        self
    }
}

/// What names mean in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// The file.
    pub(super) file: String,
    /// Generated types by the names that they have here.
    types: BTreeMap<String, String>,
    /// All imported names.
    imported: BTreeSet<String>,
}

impl Names {
    /// The imports of a file.
    pub(super) fn of(file: &str, items: &[syn::Item]) -> Self {
        let mut names = Self {
            file: file.to_owned(),
            ..Self::default()
        };
        for item in items {
            if let syn::Item::Use(item) = item {
                names.types.extend(imports(&item.tree));
                let mut words = Vec::new();
                flatten(item.tree.to_token_stream(), &mut words);
                names.imported.extend(words);
            }
        }
        names
    }

    /// The key of a function without a type, as this file knows it.
    pub(super) fn function(&self, name: &str) -> String {
        match self.imported.contains(name) {
            true => format!("*#{name}"),
            false => format!("{}#{name}", self.file),
        }
    }

    /// What a function uses, by its docs, signature and body.
    pub(super) fn uses_of_function(
        &self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        body: &syn::Block,
    ) -> Uses {
        let mut uses = self.uses(signature.to_token_stream());
        uses = uses.and(self.uses(body.to_token_stream()));
        uses.operations.extend(called(&docs(attributes)));
        uses
    }

    /// What tokens name.
    pub(super) fn uses(&self, tokens: TokenStream) -> Uses {
        let mut words = Vec::new();
        flatten(tokens, &mut words);
        let mut uses = Uses::default();
        let at = |index: usize| words.get(index).map_or("", String::as_str);
        for (index, word) in words.iter().enumerate() {
            let before = |count: usize| index.checked_sub(count).map_or("", at);
            let is_path = before(1) == ":" && before(2) == ":";
            if let Some(ty) = self
                .types
                .get(word)
                .filter(|_| !is_path && before(1) != ".")
            {
                uses.types.insert(ty.clone());
            }
            if is_path && before(3) == "types" {
                uses.types.insert(format!("types::{word}"));
            }
            if at(index + 1) != "(" {
                continue;
            }
            match (before(1), before(2)) {
                (".", "api") => uses.operations.insert(word.clone()),
                (".", ")") if before(3) == "(" && before(4) == "api" => {
                    uses.operations.insert(word.clone())
                }
                (".", "self") => uses.own.insert(word.clone()),
                (".", _) => false,
                _ if is_path && before(3) == "Self" => uses.own.insert(word.clone()),
                _ if is_path => uses.functions.insert(format!("{}::{word}", before(3))),
                _ => uses.functions.insert(self.function(word)),
            };
        }
        uses.words = words.into_iter().collect();
        uses
    }
}

/// The words and signs of tokens, with those of groups.
fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                flatten(group.stream(), words);
                words.push(close.to_owned());
            }
            other => words.push(other.to_string()),
        }
    }
}

/// The operations in `Calls `create_session`.`
fn called(docs: &str) -> Vec<String> {
    let sentence = docs
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("Calls `"));
    let sentence: Vec<_> = sentence.collect();
    let sentence = sentence.join(" ");
    let end = sentence.find(". ").map_or(sentence.len(), |end| end + 1);
    let quoted = sentence[..end].split('`').skip(1).step_by(2);
    let is_operation = |name: &&str| {
        name.chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    quoted.filter(is_operation).map(str::to_owned).collect()
}

/// The generated types that an import names, by the name that they get.
pub(super) fn imports(tree: &syn::UseTree) -> Vec<(String, String)> {
    let mut found = Vec::new();
    descend(tree, false, &mut found);
    found
}

/// `inside`: the path so far ends with `types`.
fn descend(tree: &syn::UseTree, inside: bool, found: &mut Vec<(String, String)>) {
    match tree {
        syn::UseTree::Path(path) => descend(&path.tree, path.ident == "types", found),
        syn::UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| descend(tree, inside, found)),
        syn::UseTree::Name(name) if inside && name.ident != "self" => {
            found.push((name.ident.to_string(), format!("types::{}", name.ident)));
        }
        syn::UseTree::Rename(renamed) if inside => {
            found.push((
                renamed.rename.to_string(),
                format!("types::{}", renamed.ident),
            ));
        }
        _ => {}
    }
}

/// The name of a type without its path and parameters.
pub(super) fn last_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        syn::Type::Reference(reference) => last_name(&reference.elem),
        _ => None,
    }
}
