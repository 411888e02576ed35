//! Which methods of the SDK are built on which operations and types.
//!
//! The sources are read, not compiled: a method calls the operations that its docs and its code name, and uses the types
//! that its code, its arguments and the fields it touches name; so do the private functions that it calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use quote::ToTokens as _;

mod scan;

use scan::{Names, Uses};

/// The SDK's sources, relative to the workspace.
const SOURCES: &str = "crates/anchorbrowser/src";

/// What the SDK's methods are built on.
#[derive(Debug, Default)]
pub(crate) struct Sdk {
    /// Public methods and types by what they are built on: `create_session`, `types::Webhook`.
    users: BTreeMap<String, BTreeSet<String>>,
}

impl Sdk {
    /// Reads the sources of the SDK in a workspace.
    ///
    /// # Errors
    /// If a source file cannot be read or is no Rust.
    pub(crate) fn read(workspace: &Path) -> Result<Self> {
        let mut reader = Reader::default();
        reader.module(&workspace.join(SOURCES), "lib", &[])?;
        Ok(Self {
            users: reader.users(),
        })
    }

    /// Whether nothing is known of it.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The methods that call an operation: `sessions::CreateSession::send`.
    pub(crate) fn methods_of(&self, operation: &str) -> Vec<String> {
        self.users_of(operation)
    }

    /// The methods and types that use a generated type, by its path `types::Webhook`; those that only hand it on are among
    /// them.
    pub(crate) fn users_of(&self, ty: &str) -> Vec<String> {
        self.users.get(ty).into_iter().flatten().cloned().collect()
    }
}

/// A function or a type, and what it uses.
#[derive(Debug, Default)]
struct Node {
    /// Its path, if it is public.
    public: Option<String>,
    uses: Uses,
}

/// All functions and types of the SDK.
#[derive(Default)]
struct Reader {
    /// By `Type::function`, `file#function` or `Type`. Names that are there twice are joined.
    nodes: BTreeMap<String, Node>,
    /// Fields of structs, and the types in them.
    fields: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Public types and the public module that each is in.
    types: BTreeMap<String, String>,
    /// Types that are others with parameters.
    aliases: BTreeMap<String, String>,
    /// Methods, kept until all types are known: type, function, uses, whether it is public.
    methods: Vec<(String, syn::ImplItemFn, Names)>,
}

impl Reader {
    /// Reads a module and those below it. `public` are the names of the modules around it that are public.
    fn module(&mut self, folder: &Path, name: &str, public: &[String]) -> Result<()> {
        let file = folder.join(format!("{name}.rs"));
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let parsed =
            syn::parse_file(&text).with_context(|| format!("{}: no Rust", file.display()))?;
        let below = match name {
            "lib" => folder.to_path_buf(),
            _ => folder.join(name),
        };
        let names = Names::of(&file.to_string_lossy(), &parsed.items);
        for item in parsed.items {
            match item {
                syn::Item::Mod(item) if item.content.is_none() => {
                    let test = item
                        .attrs
                        .iter()
                        .any(|it| it.to_token_stream().to_string().contains("test"));
                    let mut public = public.to_vec();
                    if is_public(&item.vis) {
                        public.push(item.ident.to_string());
                    }
                    if !test {
                        self.module(&below, &item.ident.to_string(), &public)?;
                    }
                }
                other => self.item(other, public, &names),
            }
        }
        Ok(())
    }

    fn item(&mut self, item: syn::Item, public: &[String], names: &Names) {
        let path = |name: &str| {
            let parts: Vec<_> = public.iter().map(String::as_str).chain([name]).collect();
            parts.join("::")
        };
        match item {
            syn::Item::Struct(item) => self.structure(&item, &path(&item.ident.to_string()), names),
            syn::Item::Enum(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                self.types.insert(name.clone(), path(&name));
                self.add(
                    name.clone(),
                    Some(path(&name)),
                    names.uses(item.variants.to_token_stream()),
                );
            }
            syn::Item::Fn(item) => {
                let name = item.sig.ident.to_string();
                let public = is_public(&item.vis).then(|| path(&name));
                let uses = names.uses_of_function(&item.attrs, &item.sig, &item.block);
                // Others may import it, and so does the file itself.
                self.add(format!("{}#{name}", names.file), public, uses);
            }
            syn::Item::Impl(item) => self.implementation(item, names),
            syn::Item::Type(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                self.types.insert(name.clone(), path(&name));
                self.aliases
                    .extend(scan::last_name(&item.ty).map(|ty| (name, ty)));
            }
            syn::Item::Use(item) if is_public(&item.vis) => {
                for (name, ty) in scan::imports(&item.tree) {
                    let uses = Uses {
                        types: BTreeSet::from([ty]),
                        ..Uses::default()
                    };
                    self.add(format!("use {name}"), Some(path(&name)), uses);
                }
            }
            _ => {}
        }
    }

    fn structure(&mut self, item: &syn::ItemStruct, path: &str, names: &Names) {
        let name = item.ident.to_string();
        let mut all = BTreeMap::new();
        for (index, field) in item.fields.iter().enumerate() {
            let field_name = field
                .ident
                .as_ref()
                .map_or(index.to_string(), ToString::to_string);
            all.insert(field_name, names.uses(field.ty.to_token_stream()).types);
        }
        self.fields.insert(name.clone(), all);
        if is_public(&item.vis) {
            self.types.insert(name.clone(), path.to_owned());
            // What it shows is its own, what it hides is that of the methods which touch it.
            let shown = item.fields.iter().filter(|field| is_public(&field.vis));
            let shown = shown.map(|field| names.uses(field.ty.to_token_stream()));
            let uses = shown.fold(Uses::default(), Uses::and);
            self.add(name.clone(), Some(path.to_owned()), uses);
        }
    }

    fn implementation(&mut self, item: syn::ItemImpl, names: &Names) {
        let Some(owner) = scan::last_name(&item.self_ty) else {
            return;
        };
        if let Some((of, _)) = &item.trait_ {
            // A conversion is a use by the type itself: nobody can see where it is called.
            let uses = names.uses(of.to_token_stream());
            let inside = item
                .items
                .iter()
                .map(|item| names.uses(item.to_token_stream()));
            let uses = inside.fold(uses, Uses::and);
            self.add(owner, None, uses);
            return;
        }
        for item in item.items {
            if let syn::ImplItem::Fn(method) = item {
                self.methods.push((owner.clone(), method, names.clone()));
            }
        }
    }

    fn add(&mut self, key: String, public: Option<String>, uses: Uses) {
        let node = self.nodes.entry(key).or_default();
        node.public = node.public.take().or(public);
        node.uses = std::mem::take(&mut node.uses).and(uses);
    }

    /// Public items by what they use, directly or through others.
    fn users(mut self) -> BTreeMap<String, BTreeSet<String>> {
        for (owner, method, names) in std::mem::take(&mut self.methods) {
            let name = method.sig.ident.to_string();
            let mut uses = names.uses_of_function(&method.attrs, &method.sig, &method.block);
            let target = self.aliases.get(&owner).unwrap_or(&owner);
            for (field, types) in self.fields.get(target).into_iter().flatten() {
                if uses.words.contains(field) {
                    uses.types.extend(types.iter().cloned());
                }
            }
            for ty in [&owner, target] {
                let own = uses.own.iter().map(|function| format!("{ty}::{function}"));
                uses.functions.extend(own);
            }
            let public = self.types.get(&owner).filter(|_| is_public(&method.vis));
            let public = public.map(|path| format!("{path}::{name}"));
            self.add(format!("{owner}::{name}"), public, uses);
        }
        let mut users = BTreeMap::<String, BTreeSet<String>>::new();
        for (key, node) in &self.nodes {
            let Some(path) = &node.public else {
                continue;
            };
            for used in self.used(key) {
                users.entry(used).or_default().insert(path.clone());
            }
        }
        users
    }

    /// What an item uses, also through what is not public.
    fn used(&self, key: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![key.to_owned()];
        let mut used = BTreeSet::new();
        while let Some(key) = open.pop() {
            let node = match key.strip_prefix('*') {
                Some(name) => {
                    let mut alike = self.nodes.iter().filter(|(key, _)| key.ends_with(name));
                    alike
                        .next()
                        .filter(|_| alike.next().is_none())
                        .map(|(_, node)| node)
                }
                None => self.nodes.get(&key),
            };
            let Some(node) = node.filter(|_| !seen.contains(&key)) else {
                continue;
            };
            used.extend(node.uses.types.iter().cloned());
            used.extend(node.uses.operations.iter().cloned());
            open.extend(node.uses.functions.iter().cloned());
            seen.insert(key);
        }
        used
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}
