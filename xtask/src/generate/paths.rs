//! Paths in the generator's output, turned to this crate's own types.

use std::collections::BTreeMap;

use syn::visit_mut::{self, VisitMut};

/// Rewrites paths and wire names.
#[derive(Default)]
pub(super) struct Rewrite {
    /// Parameter names that the lowered document had to change: lowered name to wire name.
    pub(super) parameters: BTreeMap<String, String>,
}

impl VisitMut for Rewrite {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let first = path
            .segments
            .first()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        match first.as_str() {
            // The generator names the types of this crate from outside.
            "anchorbrowser_api" => set_first(path, "crate"),
            // Its support library prints payloads, which hold secrets, and loses the status of an
            // answer that can't be decoded: this crate has its own.
            "progenitor_client" => {
                set_first(path, "crate");
                path.segments
                    .insert(1, syn::PathSegment::from(ident("runtime")));
            }
            "super"
                if path
                    .segments
                    .get(1)
                    .is_some_and(|segment| segment.ident == "Client") =>
            {
                set_first(path, "crate");
            }
            _ => {}
        }
        // Errors have one type, whatever the operation.
        if path.segments.len() == 1 && path.segments[0].ident == "Error" {
            path.segments[0].arguments = syn::PathArguments::None;
        }
        visit_mut::visit_path_mut(self, path);
    }

    fn visit_expr_call_mut(&mut self, call: &mut syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func {
            let names: Vec<_> = path
                .path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            if names.ends_with(&["QueryParam".to_owned(), "new".to_owned()]) {
                self.rename(call.args.first_mut());
            }
        }
        visit_mut::visit_expr_call_mut(self, call);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        if call.method == "append" {
            self.rename(call.args.first_mut());
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }
}

impl Rewrite {
    fn rename(&self, argument: Option<&mut syn::Expr>) {
        if let Some(syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        })) = argument
            && let Some(wire) = self.parameters.get(&text.value())
        {
            *text = syn::LitStr::new(wire, text.span());
        }
    }
}

fn set_first(path: &mut syn::Path, name: &str) {
    path.leading_colon = None;
    if let Some(first) = path.segments.first_mut() {
        first.ident = ident(name);
    }
}

/// An identifier at no place in particular.
pub(super) fn ident(name: &str) -> syn::Ident {
    syn::Ident::new(name, proc_macro2::Span::call_site())
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn paths_and_wire_names_are_put_right() {
        let mut rewrite = Rewrite::default();
        rewrite
            .parameters
            .insert("session_id2".to_owned(), "sessionId".to_owned());
        let mut block: syn::Block = syn::parse_quote! {{
            let a: Result<ResponseValue<::anchorbrowser_api::types::A>, Error<()>> = x;
            request.query(&progenitor_client::QueryParam::new("session_id2", &session_id2));
            header_map.append("session_id2", super::Client::api_version());
        }};
        rewrite.visit_block_mut(&mut block);
        let expected: syn::Block = syn::parse_quote! {{
            let a: Result<ResponseValue<crate::types::A>, Error> = x;
            request.query(&crate::runtime::QueryParam::new("sessionId", &session_id2));
            header_map.append("sessionId", crate::Client::api_version());
        }};
        assert_eq!(
            block.to_token_stream().to_string(),
            expected.to_token_stream().to_string()
        );
    }
}
