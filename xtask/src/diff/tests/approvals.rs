//! The approvals file.

use std::fs;
use std::path::Path;

use super::super::{End, run};
use serde_json::{Value, json};

use super::verb::parse;
use super::{Finding, compare, giving};

/// The day of the tests.
const TODAY: &str = "2026-06-15";

/// A folder with two documents: a property of an answer is gone, and an operation is deprecated.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, operation: &str, properties: &str| {
        let text = format!(
            "openapi: 3.1.0
info: {{title: a, version: '1'}}
paths:
  /a:
    get:
      {operation}
      responses: {{'200': {{description: '', content: {{application/json: {{schema: {{$ref: '#/components/schemas/A'}}}}}}}}}}
components: {{schemas: {{A: {{type: object, properties: {{{properties}}}}}}}}}
"
        );
        fs::write(folder.path().join(name), text).unwrap();
    };
    write(
        "old.yaml",
        "operationId: a",
        "x: {type: string}, y: {type: string}",
    );
    write(
        "new.yaml",
        "operationId: a\n      deprecated: true",
        "x: {type: string}",
    );
    fs::write(
        folder.path().join("Cargo.toml"),
        "[workspace.package]\nversion = \"0.1.0\"\n",
    )
    .unwrap();
    folder
}

/// An entry of the file.
fn approval(rule: &str, place: &str, expires: &str) -> String {
    format!(
        "  - {{rule: {rule}, place: {place}, reason: 'agreed, see\n      the board', expires: {expires}}}\n"
    )
}

/// Runs `diff` below `folder` with the approvals as those of the workspace.
fn diff(folder: &Path, approvals: &str, more: &[&str]) -> anyhow::Result<(End, String)> {
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(folder.join("openapi.approvals.yaml"), approvals)?;
    let (old, new) = (path("old.yaml"), path("new.yaml"));
    let arguments = [&[&*old, &new, "--today", TODAY], more].concat();
    run(folder, &parse(&arguments).unwrap())
}

const REMOVED: &str = "/components/schemas/A/properties/y";
const DEPRECATED: &str = "/paths/~1a/get/deprecated";

#[test]
fn approved_changes_and_what_follows_from_them_are_no_failure() {
    let folder = folder();
    let removed = approval("optional-property-removed", REMOVED, TODAY);
    let deprecated = approval("deprecated", DEPRECATED, "2027-01-01");
    let both = format!("approvals:\n{removed}{deprecated}");
    let cases = [
        ("approvals: []\n".to_owned(), "risky", End::Changes),
        (format!("approvals:\n{removed}"), "breaking", End::Fine),
        (format!("approvals:\n{removed}"), "risky", End::Changes),
        (
            format!("approvals:\n{deprecated}"),
            "breaking",
            End::Changes,
        ),
        (both.clone(), "risky", End::Fine),
    ];
    for (approvals, level, expected) in cases {
        let (end, text) = diff(folder.path(), &approvals, &["--fail-on", level]).unwrap();
        assert_eq!(end, expected, "{level}: {approvals}\n{text}");
    }
    let (_, text) = diff(folder.path(), &both, &[]).unwrap();
    let expected = [
        "\n      approved until 2026-06-15: agreed, see the board\n      types::A::y is gone (breaking)\n",
        "\n2 changes: 1 breaking, 1 risky; 2 approved\n",
        "\nversion: 0.1.0 -> 0.2.0, because one change",
    ];
    for part in expected {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    assert!(!text.contains("approvals to look at"), "{text}");
}

/// The report as JSON, which the published schema describes.
fn json(folder: &Path, approvals: &str) -> Value {
    let (_, text) = diff(folder, approvals, &["--wire", "--format", "json"]).unwrap();
    super::formats::assert_valid(&text);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn programs_and_pull_requests_see_approvals_too() {
    let folder = folder();
    let entries = [
        approval("optional-property-removed", REMOVED, TODAY).replace("the board", "`#1` <b>"),
        approval("deprecated", DEPRECATED, "2026-06-14"),
        approval("deprecated", "/paths", "2027-01-01"),
    ];
    let approvals = format!("approvals:\n{}", entries.concat());
    let report = json(folder.path(), &approvals);
    let findings = report["findings"].as_array().unwrap().iter();
    let found = findings.map(|it| (it["rule"].as_str().unwrap(), &it["approval"]));
    let known = json!({"reason": "agreed, see `#1` <b>", "expires": TODAY});
    let expected = [
        ("deprecated", &Value::Null),
        ("optional-property-removed", &known),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(report["counts"]["approved"], 1);
    let mut lapsed = report["lapsed"].clone();
    for entry in lapsed.as_array_mut().unwrap() {
        let file = entry["file"].take();
        assert!(file.as_str().unwrap().ends_with("openapi.approvals.yaml"));
    }
    let reason = "agreed, see the board";
    assert_eq!(
        lapsed,
        json!([
            {"why": "expired", "rule": "deprecated", "place": DEPRECATED, "reason": reason, "expires": "2026-06-14", "file": null, "line": 4, "column": 5},
            {"why": "stale", "rule": "deprecated", "place": "/paths", "reason": reason, "expires": "2027-01-01", "file": null, "line": 6, "column": 5},
        ])
    );

    let arguments = ["--wire", "--format", "markdown"];
    let (_, text) = diff(folder.path(), &approvals, &arguments).unwrap();
    let expected = [
        "\n  - approved until 2026-06-15: ``agreed, see `#1` <b>``\n",
        "; 1 approved",
        "\n### approvals to look at (2)\n",
        "openapi.approvals.yaml:4:5: expired on 2026-06-14: deprecated at",
    ];
    for part in expected {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn what_the_text_gives_as_a_place_can_be_approved() {
    let folder = folder();
    let (_, text) = diff(folder.path(), "approvals: []\n", &["--wire"]).unwrap();
    for (rule, place) in [
        ("optional-property-removed", REMOVED),
        ("deprecated", DEPRECATED),
    ] {
        assert!(text.contains(&format!("at {place}")), "{text}");
        let entry = approval(rule, place, TODAY);
        let (_, text) = diff(folder.path(), &format!("approvals:\n{entry}"), &["--wire"]).unwrap();
        assert!(text.contains("; 1 approved"), "{text}");
    }
    // What would be its parent in the document that lacks it.
    assert!(
        text.contains("in /components/schemas/A, before at"),
        "{text}"
    );
}

#[test]
fn what_is_in_a_schema_of_its_own_since_can_be_approved_by_both_places() {
    let inline = |ty: &str| json!({"type": "object", "properties": {"x": {"type": ty}}});
    let new = giving(
        &json!({"$ref": "#/components/schemas/A"}),
        &json!({"A": inline("string")}),
    );
    let diff = compare(&giving(&inline("integer"), &json!({})), &new);
    let changed = |it: &&Finding| it.rule.name == "type-changed";
    let finding = diff.findings.iter().find(changed).unwrap();
    assert_eq!(finding.is_in(), (true, true), "{finding:#?}");
    let here = "/paths/~1a/post/responses/200/content/application~1json/schema/properties/x/type";
    assert_eq!(
        finding.pointers(str::to_owned),
        format!("at /components/schemas/A/properties/x/type, before at {here}")
    );
}

#[test]
fn expired_and_stale_approvals_are_told_and_approve_nothing() {
    let folder = folder();
    let entries = [
        approval("optional-property-removed", REMOVED, "2026-06-14"),
        // Another rule, and the place of all properties.
        approval("required-property-removed", REMOVED, "2027-01-01"),
        approval(
            "optional-property-removed",
            "/components/schemas/A",
            "2027-01-01",
        ),
    ];
    let approvals = format!("approvals:\n{}", entries.concat());
    let arguments = ["--fail-on", "breaking"];
    let (end, text) = diff(folder.path(), &approvals, &arguments).unwrap();
    assert_eq!(end, End::Changes);
    let lines: Vec<_> = text
        .lines()
        .skip_while(|line| !line.starts_with("approvals to look at"))
        .take(4)
        .map(|line| {
            line.split_once("openapi.approvals.yaml:")
                .map_or(line, |(_, it)| it)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "approvals to look at (3)",
            "2:5: expired on 2026-06-14: optional-property-removed at /components/schemas/A/properties/y counts again",
            "4:5: stale: no required-property-removed at /components/schemas/A/properties/y; remove it",
            "6:5: stale: no optional-property-removed at /components/schemas/A; remove it",
        ]
    );
    assert!(!text.contains("approved"), "{text}");
    let again = diff(folder.path(), &approvals, &arguments).unwrap();
    assert_eq!(again, (end, text));
}

#[test]
fn another_file_takes_the_place_of_that_of_the_workspace() {
    let folder = folder();
    let other = folder.path().join("other.yaml");
    let entry = approval("optional-property-removed", REMOVED, "2027-01-01");
    fs::write(&other, format!("approvals:\n{entry}")).unwrap();
    let other = other.display().to_string();
    let arguments = ["--fail-on", "breaking", "--wire", "--approvals", &other];
    let (end, text) = diff(folder.path(), "no: approvals\n", &arguments).unwrap();
    assert!(end == End::Fine && text.contains("; 1 approved"), "{text}");
}

/// Files that are no approvals, and what the message says.
const BAD: &[(&str, &str)] = &[
    ("", "the file is empty"),
    (
        "approvals: {}\n",
        "yaml:1:1 (/approvals): `approvals` is a mapping, not a list",
    ),
    (
        "approval: []\n",
        "yaml:1:1 (/approval): unknown key `approval`",
    ),
    ("x-a: 1\n", "no `approvals`; add the list"),
    (
        "approvals: [3]\n",
        "yaml:1:13 (/approvals/0): a number where a mapping must be",
    ),
    (
        "approvals:\n  - {rule: deprecated, place: /a, reason: x, expires: 2027-01-01, until: x}\n",
        "yaml:2:67 (/approvals/0/until): unknown key `until`",
    ),
    (
        "approvals:\n  - {rule: deprecate, place: /a, reason: x, expires: 2027-01-01}\n",
        "yaml:2:6 (/approvals/0/rule): no rule `deprecate`; `cargo xtask diff --rules` lists them",
    ),
    (
        "approvals:\n  - {rule: deprecated, place: A.b, reason: x, expires: 2027-01-01}\n",
        "yaml:2:24 (/approvals/0/place): `A.b` is no JSON pointer",
    ),
    (
        "approvals:\n  - {rule: deprecated, place: /a, reason: ' ', expires: 2027-01-01}\n",
        "(/approvals/0/reason): `reason` is empty",
    ),
    (
        "approvals:\n  - {rule: deprecated, place: /a, reason: x}\n",
        "yaml:2:5 (/approvals/0): no `expires`; an approval has rule, place, reason, expires",
    ),
    (
        "approvals:\n  - {rule: deprecated, place: /a, reason: x, expires: 2027-02-29}\n",
        "(/approvals/0/expires): `2027-02-29` is no day; write it as YYYY-MM-DD",
    ),
    (
        "approvals:\n  - {rule: deprecated, place: /a, reason: x, expires: 2027}\n",
        "(/approvals/0/expires): `expires` is a number, not a text",
    ),
];

#[test]
fn bad_approvals_are_refused_with_their_place() {
    let folder = folder();
    for (text, expected) in BAD {
        let error = format!("{:#}", diff(folder.path(), text, &[]).unwrap_err());
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
    let error = diff(
        folder.path(),
        "approvals: []\n",
        &["--approvals", "none.yaml"],
    )
    .unwrap_err();
    assert!(
        format!("{error:#}").contains("cannot read none.yaml"),
        "{error:#}"
    );
}
