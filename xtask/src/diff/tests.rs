//! Tests of the comparison: tables of small pairs under `testdata/diff`, properties, limits and the verb.

mod approvals;
mod cases;
mod findings;
mod formats;
mod hostile;
mod notation;
mod properties;
mod rust;
mod verb;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::finding::{Diff, Finding};
use super::{load, whole};
use crate::document::Document;

/// The document in `text`.
fn document(name: &str, text: &str) -> Document {
    load::check(Document::parse(name, text.as_bytes()).unwrap()).unwrap()
}

/// Compares two values that are documents.
fn compare(old: &Value, new: &Value) -> Diff {
    let old = document("old.yaml", &old.to_string());
    let new = document("new.yaml", &new.to_string());
    whole::compare(&old, &new).unwrap()
}

/// A document with `more` at its top.
fn with(more: &Value) -> Value {
    let mut root = json!({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}});
    for (key, value) in more.as_object().unwrap() {
        root[key] = value.clone();
    }
    root
}

/// A document whose one operation takes `schema` in its body.
fn taking(schema: &Value, defs: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    with(&json!({
        "paths": {"/a": {"post": {"requestBody": {"content": content}, "responses": {}}}},
        "components": {"schemas": defs},
    }))
}

/// A document whose one operation answers with `schema`.
fn giving(schema: &Value, defs: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    with(&json!({
        "paths": {"/a": {"post": {"responses": {"200": {"description": "", "content": content}}}}},
        "components": {"schemas": defs},
    }))
}

/// Names of the rules of `findings`, each with its wire verdict.
fn verdicts(findings: &[Finding]) -> BTreeSet<String> {
    let shown = |it: &Finding| format!("{} {}", it.rule.name, it.wire.name());
    findings.iter().map(shown).collect()
}

/// A file of test data.
fn data(name: &str) -> Value {
    let path = format!("{}/testdata/diff/{name}", env!("CARGO_MANIFEST_DIR"));
    Document::load(path.as_ref()).unwrap().root
}
