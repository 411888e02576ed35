//! What a finding says: its cause once, its places, and all that it reaches.

use serde_json::{Value, json};

use super::super::finding::{Directions, Verdict};
use super::super::paint::Paint;
use super::super::report;
use super::*;

/// A document with three operations that use `schema` as component `A`, in either direction.
fn shared(schema: &Value) -> Value {
    let reference = json!({"$ref": "#/components/schemas/A"});
    let content = json!({"application/json": {"schema": {"type": "object", "properties": {"deep": reference}}}});
    let answer = json!({"responses": {"200": {"description": "", "content": content}}});
    with(&json!({
        "paths": {
            "/a": {"get": answer, "post": {"requestBody": {"content": content}, "responses": {}}},
            "/b": {"get": answer},
        },
        "components": {"schemas": {"A": schema}},
    }))
}

/// The only finding between two documents, with the names of its operations.
#[track_caller]
fn only(old: &Value, new: &Value) -> (Finding, Vec<String>) {
    let diff = compare(old, new);
    let [finding] = diff.findings.as_slice() else {
        panic!("{:#?}", diff.findings);
    };
    let names = finding
        .operations
        .iter()
        .map(|it| diff.operations[*it].name.clone());
    (finding.clone(), names.collect())
}

#[test]
fn one_cause_is_one_finding_with_all_that_it_reaches() {
    let old = shared(&json!({"type": "object", "properties": {"x": {"type": "string"}}}));
    let new = shared(&json!({"type": "object", "properties": {}}));
    let (finding, operations) = only(&old, &new);
    assert_eq!(finding.rule.name, "optional-property-removed");
    assert_eq!(&*finding.old.pointer, "/components/schemas/A/properties/x");
    assert_eq!(&*finding.new.pointer, "/components/schemas/A");
    assert_eq!(finding.schema(), (Some("A"), Some("A")));
    assert_eq!(finding.directions, Directions::BOTH);
    assert_eq!(finding.text, "`A` lost its optional property `x`");
    assert_eq!(operations, ["GET /a", "POST /a", "GET /b"]);
}

#[test]
fn a_schema_that_others_inherit_is_one_cause() {
    let document = |kind: &str| {
        let base = json!({"$ref": "#/components/schemas/Base"});
        let heir = |name: &str| json!({"allOf": [base, {"type": "object", "properties": {name: {"type": "string"}}}]});
        let defs = json!({
            "Base": {"type": "object", "properties": {"x": {"type": kind}}},
            "Cat": heir("purr"), "Dog": heir("bark"),
        });
        let all = json!({"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}, base]});
        taking(&all, &defs)
    };
    let (finding, _) = only(&document("string"), &document("boolean"));
    assert_eq!(
        &*finding.new.pointer,
        "/components/schemas/Base/properties/x/type"
    );
    assert_eq!(finding.text, "`Base.x` was string, is boolean");
}

#[test]
fn a_shared_response_and_a_default_are_one_cause_each() {
    let document = |header: &str, security: Value| {
        let answer = json!({"responses": {"429": {"$ref": "#/components/responses/Limit"}}});
        with(&json!({
            "security": security,
            "paths": {"/a": {"get": answer}, "/b": {"get": answer}},
            "components": {"responses": {"Limit": {"description": "", "headers": {header: {"schema": {"type": "string"}}}}}},
        }))
    };
    let (finding, operations) = only(
        &document("x", json!([])),
        &document("x", json!([{"key": []}])),
    );
    assert_eq!(finding.text, "the document by default needs credentials");
    assert_eq!(operations, ["GET /a", "GET /b"]);
    let diff = compare(&document("x", json!([])), &document("y", json!([])));
    let texts: Vec<_> = diff
        .findings
        .iter()
        .map(|it| (it.text.as_str(), it.operations.len()))
        .collect();
    assert_eq!(
        texts,
        [
            ("`response Limit` lost its header `x`", 2),
            ("`response Limit header y` is new", 2)
        ]
    );
}

#[test]
fn another_version_of_all_paths_is_one_cause() {
    let document = |version: &str| {
        let call = json!({"get": {"responses": {}}});
        with(
            &json!({"paths": {format!("/{version}/a"): call, format!("/{version}/a/b"): call, "/c": call}}),
        )
    };
    let (finding, operations) = only(&document("v1"), &document("v2"));
    assert_eq!(finding.rule.name, "operation-moved");
    assert_eq!(finding.text, "what was below `/v1/` is below `/v2/`");
    assert_eq!(operations, ["GET /v2/a", "GET /v2/a/b"]);
}

#[test]
fn another_schema_in_a_place_is_one_cause() {
    let document = |name: &str| {
        let property = json!({"$ref": format!("#/components/schemas/{name}")});
        let defs = json!({
            "A": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            "B": {"type": "object", "properties": {"c": {"type": "string"}, "b": {"type": "integer"}}},
        });
        taking(
            &json!({"type": "object", "properties": {"x": property}}),
            &defs,
        )
    };
    let (finding, operations) = only(&document("A"), &document("B"));
    assert_eq!(
        finding.text,
        "`POST /a request body (application/json) .x` is a `B`, was a `A`; the worst difference is type-changed"
    );
    let place = "/paths/~1a/post/requestBody/content/application~1json/schema/properties/x";
    assert_eq!(
        (&*finding.old.pointer, &*finding.new.pointer),
        (place, place)
    );
    assert_eq!((finding.wire, operations.len()), (Verdict::Breaking, 1));
}

#[test]
fn what_is_not_judged_is_one_finding_with_both_values() {
    let document = |value: &str| {
        let not = json!({"$ref": "#/components/schemas/Bad"});
        let defs = json!({
            "A": {"type": "object", "properties": {"x": {"type": "string", "not": {"enum": [value, "z"]}, "minLength": 1}}},
            "Same": {"type": "string", "not": not}, "Bad": {"const": "bad"},
        });
        taking(&json!({"$ref": "#/components/schemas/A"}), &defs)
    };
    let (finding, operations) = only(&document("a"), &document("b"));
    let values = "was {\"enum\":[\"a\",\"z\"]}, is {\"enum\":[\"b\",\"z\"]}";
    assert_eq!(
        finding.text,
        format!("`A.x` has another `not`: {values}; the worst difference is enum-value-removed")
    );
    assert_eq!(
        &*finding.new.pointer,
        "/components/schemas/A/properties/x/not"
    );
    assert_eq!((finding.wire, operations.len()), (Verdict::Risky, 1));
}

#[test]
fn what_nothing_uses_has_no_direction() {
    let document = |kind: &str| with(&json!({"components": {"schemas": {"A": {"type": kind}}}}));
    let (finding, operations) = only(&document("string"), &document("integer"));
    assert_eq!(
        (finding.wire, finding.directions, operations.len()),
        (Verdict::None, Directions::NEITHER, 0)
    );
}

#[test]
fn places_are_those_of_both_files() {
    let header = "openapi: 3.1.0\ninfo: {title: a, version: '1'}\n";
    let paths = |lines: &str| {
        format!(
            "{header}{lines}paths:\n  /a:\n    get:\n      parameters:\n        - name: q\n          in: query\n          schema:\n            type: "
        )
    };
    let old = document("old.yaml", &format!("{}string\n", paths("")));
    let new = document(
        "new.yaml",
        &format!("{}integer\n", paths("# one more line\n")),
    );
    let diff = whole::compare(&old, &new).unwrap();
    let [finding] = diff.findings.as_slice() else {
        panic!("{:#?}", diff.findings);
    };
    assert_eq!((finding.old.place.line, finding.old.place.column), (10, 13));
    assert_eq!((finding.new.place.line, finding.new.place.column), (11, 13));
    assert_eq!(
        &*finding.new.pointer,
        "/paths/~1a/get/parameters/0/schema/type"
    );
    assert_eq!(finding.text, "`GET /a parameter q` was string, is integer");
}

#[test]
fn the_report_sorts_by_verdict_and_names_operations() {
    let schema = |more: Value| {
        let mut properties =
            json!({"x": {"type": "string", "description": "a"}, "y": {"type": "string"}});
        for (key, value) in more.as_object().unwrap() {
            properties[key] = value.clone();
        }
        shared(&json!({"type": "object", "properties": properties}))
    };
    let old = document("old.yaml", &schema(json!({})).to_string());
    let changes = json!({"x": {"type": "string", "description": "b"}, "y": {"type": "integer"}, "z": {"type": "string"}});
    let new = document("new.yaml", &schema(changes).to_string());
    let text = report::text(
        &whole::compare(&old, &new).unwrap(),
        Err(&"left out".to_owned()),
        None,
        Paint::PLAIN,
    );
    // Columns are those of JSON on one line.
    let lines: Vec<_> = text
        .lines()
        .map(|line| match line.split_once(".yaml:1:") {
            Some((_, rest)) => rest.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => line,
        })
        .collect();
    let expected = [
        "old.yaml -> new.yaml",
        "3 operations, none of them new, none gone; 1 schema in both",
        "Rust items: left out",
        "",
        "breaking (1)",
        ": type-changed: `A.y` was string, is integer (request and response)",
        "; GET /a, POST /a, GET /b",
        "      at /components/schemas/A/properties/y/type",
        "",
        "compatible (1)",
        ": optional-property-added: `A` has a new optional property `z` (request and response)",
        "; GET /a, POST /a, GET /b",
        "      at /components/schemas/A/properties/z, before in /components/schemas/A",
        "",
        "docs (1)",
        ": description-changed: `A.x` has another `description` (request and response)",
        "; GET /a, POST /a, GET /b",
        "      at /components/schemas/A/properties/x/description",
        "",
        "3 changes: 1 breaking, 1 compatible, 1 docs",
        "schemas touched: A",
        "",
        "entry for CHANGELOG.md",
    ];
    assert_eq!(lines[..expected.len()], expected);
}

#[test]
fn text_of_a_document_does_not_steer_a_terminal() {
    let old = taking(&json!({"type": "object"}), &json!({}));
    let property = format!("a\u{1b}[31m\u{202e}{}", "x".repeat(500));
    let new = taking(
        &json!({"type": "object", "properties": {property: {"type": "string"}}}),
        &json!({}),
    );
    let (finding, _) = only(&old, &new);
    assert!(
        finding.text.contains("`a\\u{1b}[31m\\u{202e}xxx") && finding.text.len() < 400,
        "{}",
        finding.text
    );
}
