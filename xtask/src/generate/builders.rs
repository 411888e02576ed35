//! Request builders: what `client.operation()` gives and `.send()` finishes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use syn::visit_mut::VisitMut;

use super::paths::{Rewrite, ident};
use super::{docs, text, types};
use crate::lower::{Lowered, rust_path};
use crate::names;

/// The head of `builder/mod.rs`.
pub(super) const HEADER: &str =
    "\n//! Request builders, by resource: set parameters, then `send`.\n";

const IMPORTS: &str = "
use crate::runtime::{
    ByteStream, Error, OperationInfo, RequestBuilderExt, ResponseValue, encode_path,
};
use crate::types;
";

/// All builder files, by resource.
pub(super) fn files(lowered: &Lowered, items: Vec<syn::Item>) -> Result<BTreeMap<String, String>> {
    let facts = facts(lowered);
    let by_builder: BTreeMap<_, _> = lowered
        .plan
        .operations
        .keys()
        .map(|id| (names::builder(id), id.as_str()))
        .collect();
    let mut pieces = BTreeMap::<(String, String), Vec<syn::Item>>::new();
    for item in items {
        let name = match &item {
            syn::Item::Struct(item) => item.ident.to_string(),
            syn::Item::Impl(item) => self_name(item),
            syn::Item::Use(_) => continue,
            other => bail!(
                "the generator wrote what no rule expects: {}",
                text(vec![other.clone()])
            ),
        };
        let Some(id) = by_builder.get(&name).copied() else {
            bail!("the generator wrote a builder `{name}` for no known operation");
        };
        let resource = lowered.plan.operations[id].resource.clone();
        let item = builder(
            lowered,
            id,
            facts.get(id).unwrap_or(&Facts::default()),
            item,
        )?;
        pieces
            .entry((resource, id.to_owned()))
            .or_default()
            .push(item);
    }
    let mut files = BTreeMap::<String, String>::new();
    for ((resource, _), items) in pieces {
        let file = files.entry(resource).or_insert_with(|| IMPORTS.to_owned());
        file.push('\n');
        file.push_str(&text(items));
    }
    Ok(files)
}

fn self_name(item: &syn::ItemImpl) -> String {
    match &*item.self_ty {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// What a builder's code needs to know of its operation.
#[derive(Default)]
struct Facts {
    /// Parameter names to the document's words.
    parameters: BTreeMap<String, String>,
    /// The body's type has a default.
    default_body: bool,
}

fn facts(lowered: &Lowered) -> BTreeMap<String, Facts> {
    let defaults: BTreeSet<_> = lowered.document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| {
            schema
                .get("required")
                .is_none_or(|list| list.as_array().is_some_and(Vec::is_empty))
        })
        .map(|(name, _)| format!("anchorbrowser_api::types::{name}"))
        .collect();
    let mut all = BTreeMap::new();
    for (id, operation) in lowered.operations() {
        let mut facts = Facts::default();
        let parameters = operation.get("parameters").and_then(|list| list.as_array());
        for parameter in parameters.into_iter().flatten() {
            let text = |key: &str| parameter[key].as_str().unwrap_or_default();
            let name = names::snake(text("name"));
            facts
                .parameters
                .insert(name, text("description").to_owned());
        }
        if let Some(body) = operation.get("requestBody") {
            let schema = &body["content"]["application/json"]["schema"];
            let any = schema.as_object().is_some_and(serde_json::Map::is_empty);
            let optional = lowered
                .plan
                .operations
                .get(id)
                .is_some_and(|known| known.optional_body);
            facts.default_body =
                rust_path(schema).is_some_and(|path| defaults.contains(path)) || (any && optional);
        }
        all.insert(id.to_owned(), facts);
    }
    all
}

fn builder(lowered: &Lowered, id: &str, facts: &Facts, mut item: syn::Item) -> Result<syn::Item> {
    let multipart = lowered.plan.operations[id].form.is_some();
    let mut rewrite = Rewrite {
        parameters: wire_names(lowered, id),
    };
    let mut passes = Passes {
        id,
        facts,
        multipart,
        changed: 0,
        headers: false,
    };
    match &mut item {
        syn::Item::Struct(item) => {
            item.attrs
                .retain(|attribute| types::doc(attribute).is_none());
            let doc = format!(" Request of [`Client::{id}`](crate::Client::{id}).");
            item.attrs.insert(0, syn::parse_quote!(#[doc = #doc]));
            item.attrs
                .push(syn::parse_quote!(#[must_use = "nothing is sent before `.send().await`"]));
            if multipart {
                body_field(item, id);
            }
        }
        syn::Item::Impl(item) => {
            for method in &mut item.items {
                if let syn::ImplItem::Fn(method) = method {
                    passes.method(method);
                }
            }
        }
        _ => {}
    }
    rewrite.visit_item_mut(&mut item);
    if matches!(item, syn::Item::Impl(_)) && multipart && passes.changed != 2 {
        bail!("`{id}`: the generator's code for a raw body is not what the form is put into");
    }
    Ok(item)
}

fn wire_names(lowered: &Lowered, id: &str) -> BTreeMap<String, String> {
    let names = lowered.plan.parameters.iter();
    names
        .filter(|((owner, _), _)| owner == id)
        .map(|((_, name), wire)| (name.clone(), wire.clone()))
        .collect()
}

/// A multipart body is a form, not bytes.
fn body_field(item: &mut syn::ItemStruct, id: &str) {
    let form = ident(&names::form(id));
    for field in &mut item.fields {
        if field.ident.as_ref().is_some_and(|name| name == "body") {
            field.ty = syn::parse_quote!(Result<types::#form, String>);
        }
    }
}

/// Changes to the methods of a builder.
struct Passes<'a> {
    id: &'a str,
    facts: &'a Facts,
    multipart: bool,
    /// How many places got the form.
    changed: usize,
    /// The request has headers of its own.
    headers: bool,
}

impl Passes<'_> {
    fn method(&mut self, method: &mut syn::ImplItemFn) {
        let name = method.sig.ident.to_string();
        let words = match name.as_str() {
            "new" => {
                method.vis = syn::parse_quote!(pub(crate));
                String::new()
            }
            "send" => "Sends the request.".to_owned(),
            "body" => "The body.".to_owned(),
            _ => match self
                .facts
                .parameters
                .get(&name)
                .filter(|words| !words.trim().is_empty())
            {
                Some(words) => words.clone(),
                None => format!("Sets `{name}`."),
            },
        };
        method.attrs = docs::attributes(&words);
        if self.multipart && name == "body" {
            let form = ident(&names::form(self.id));
            let attributes = &method.attrs;
            *method = syn::parse_quote! {
                #(#attributes)*
                pub fn body(mut self, value: types::#form) -> Self {
                    self.body = Ok(value);
                    self
                }
            };
            self.changed += 1;
        }
        self.headers = version_header(&mut method.block);
        self.visit_block_mut(&mut method.block);
    }

    /// An error of an argument names the operation.
    fn named(&self, call: &mut syn::ExprMethodCall) {
        let id = self.id;
        let argument = matches!(call.args.first(), Some(syn::Expr::Path(path))
            if path.path.segments.last().is_some_and(|last| last.ident == "InvalidRequest"));
        if call.method == "map_err" && argument {
            call.args = syn::parse_quote!(|message| Error::argument(#id, message));
        } else if call.method == "trace" || call.method == "options" {
            // The HTTP client has no method of these names.
            let method = ident(&call.method.to_string().to_uppercase());
            let (receiver, arguments) = (&call.receiver, &call.args);
            *call = syn::parse_quote!(#receiver.request(::reqwest::Method::#method, #arguments));
        } else if call.method == "build" && call.args.is_empty() {
            let receiver = &call.receiver;
            *call = syn::parse_quote!(#receiver.build().map_err(|error| Error::from(error).of(Some(#id))));
        }
    }
}

/// Drops the header `api-version`, which the generator sends with each request and the service
/// doesn't ask for; and the map of headers, where nothing else is in it.
fn version_header(block: &mut syn::Block) -> bool {
    let words = |statement: &syn::Stmt| quote::ToTokens::to_token_stream(statement).to_string();
    block.stmts.retain(|statement| {
        let words = words(statement);
        !(words.starts_with("header_map") && words.contains("from_static (\"api-version\")"))
    });
    let used = block
        .stmts
        .iter()
        .any(|statement| words(statement).contains("header_map . append"));
    if !used {
        block
            .stmts
            .retain(|statement| !words(statement).starts_with("let mut header_map"));
    }
    used
}

impl VisitMut for Passes<'_> {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        let body = matches!(&field.member, syn::Member::Named(name) if name == "body");
        if body && self.facts.default_body {
            field.expr = syn::parse_quote!(Ok(::std::default::Default::default()));
        }
        syn::visit_mut::visit_field_value_mut(self, field);
    }

    fn visit_expr_mut(&mut self, expression: &mut syn::Expr) {
        // The inside first: what is put in here must not be visited again.
        syn::visit_mut::visit_expr_mut(self, expression);
        let syn::Expr::MethodCall(call) = expression else {
            return;
        };
        if call.method == "headers" && !self.headers {
            *expression = (*call.receiver).clone();
            return;
        }
        self.named(call);
        // `.header(CONTENT_TYPE, ..).body(body)` of a raw body becomes `.multipart(form)`.
        if self.multipart
            && call.method == "body"
            && let syn::Expr::MethodCall(header) = &*call.receiver
        {
            let (receiver, id) = (&header.receiver, self.id);
            *expression = syn::parse_quote! {
                #receiver.multipart(body.into_form().map_err(|error| error.of(Some(#id)))?)
            };
            self.changed += 1;
        }
    }

    fn visit_lit_str_mut(&mut self, text: &mut syn::LitStr) {
        let value = text.value();
        let words = if let Some(name) = value.strip_suffix(" was not initialized") {
            format!("`{name}` is missing: call `.{name}(..)` before `.send()`")
        } else if let Some(rest) = value.strip_prefix("conversion to `") {
            let name = rest.rsplit(" for ").next().unwrap_or_default();
            let name = name.split_whitespace().next().unwrap_or_default();
            format!("the value given to `.{name}(..)` is not of its type")
        } else {
            return;
        };
        *text = syn::LitStr::new(&words, text.span());
    }
}
