//! The Rust items of the tables' cases, and of an update of the vendored document.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::finding::Verdict;
use super::super::json::json;
use super::super::paint::Paint;
use super::super::rust::{self, explain};
use super::super::{Options, report, semver};
use super::{formats, *};
use crate::codegen;
use crate::progress::Progress;
use crate::surface::sdk::Sdk;
use crate::surface::{self, Edition};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What was generated from documents; none for those that the generator refuses.
#[derive(Default)]
struct Editions(BTreeMap<String, Option<Rc<Edition>>>);

impl Editions {
    fn of(&mut self, root: &Value) -> Option<Rc<Edition>> {
        let text = root.to_string();
        let made = self.0.entry(text).or_insert_with_key(|text| {
            let document = document("a.yaml", text);
            let run = codegen::generated(document, None, None, &Progress::start()).ok()?;
            Some(Rc::new(Edition::of(&run.lowered, &run.output).unwrap()))
        });
        made.clone()
    }
}

/// Asserts that all that becomes of the items is foreseen, both ways, between as many pairs of documents as can be generated.
fn assert_foreseen(pairs: impl Iterator<Item = (String, Value, Value)>, at_least: usize) {
    let mut editions = Editions::default();
    let mut wrong = Vec::new();
    let (mut generated, mut changes) = (0, 0);
    for (name, old, new) in pairs {
        let (Some(before), Some(after)) = (editions.of(&old), editions.of(&new)) else {
            continue;
        };
        let sdk = Sdk::default();
        let (mut onwards, mut backwards) = (compare(&old, &new), compare(&new, &old));
        let there = explain(&mut onwards, &before, &after, &sdk);
        let back = explain(&mut backwards, &after, &before, &sdk);
        let ways = [
            (&onwards, &there, (&*before, &*after)),
            (&backwards, &back, (&*after, &*before)),
        ];
        for (diff, rust, editions) in ways {
            formats::assert_valid(&json(diff, Ok(rust), None).unwrap());
            for effect in rust.effects.iter().chain([&rust.notation]) {
                surface::assert_calls_sound(&effect.calls, editions);
                let breaks = |it: &surface::Change| it.verdict == Verdict::Breaking;
                let is_told = !effect.calls.is_empty() || !effect.items.iter().any(breaks);
                assert!(is_told, "{name}: no code for {:#?}", effect.items);
            }
        }
        generated += 1;
        changes += usize::from(!there.changes.is_empty());
        let faults = there.faults.into_iter().chain(back.faults);
        wrong.extend(faults.map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        generated >= at_least && changes * 3 > generated,
        "{generated} pairs, items change in {changes}"
    );
}

/// The cases of schemas, each put into a document by `around`.
fn schemas(
    around: impl Fn(&Value, &Value) -> Value,
) -> impl Iterator<Item = (String, Value, Value)> {
    let cases = data("schemas.yaml");
    let pairs: Vec<_> = cases
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, case)| {
            let (old, new) = (cases::side(case, "old"), cases::side(case, "new"));
            (name.clone(), around(old.0, &old.1), around(new.0, &new.1))
        })
        .collect();
    pairs.into_iter()
}

#[test]
fn items_of_changed_requests_are_foreseen() {
    assert_foreseen(schemas(taking), 100);
}

#[test]
fn items_of_changed_responses_are_foreseen() {
    assert_foreseen(schemas(giving), 100);
}

#[test]
fn fields_of_changed_types_are_foreseen() {
    // In what is sent and in what is received and sent, a field is required or not.
    let holder = |schema: &Value, defs: &Value, required: &Value| {
        let mut defs = defs.clone();
        defs["Holder"] = json!({"type": "object", "required": required, "properties": {"x": schema, "y": {"type": "string"}}});
        let content =
            json!({"application/json": {"schema": {"$ref": "#/components/schemas/Holder"}}});
        with(&json!({
            "paths": {"/a": {"post": {
                "requestBody": {"required": true, "content": content},
                "responses": {"200": {"description": "", "content": content}},
            }}},
            "components": {"schemas": defs},
        }))
    };
    let optional = schemas(|schema, defs| holder(schema, defs, &json!([])));
    assert_foreseen(optional, 100);
    let required = schemas(|schema, defs| holder(schema, defs, &json!(["x"])));
    assert_foreseen(required, 100);
}

#[test]
fn items_of_changed_operations_are_foreseen() {
    let cases = data("operations.yaml");
    let cases = cases.as_object().unwrap().iter();
    let pairs = cases.map(|(name, case)| (name.clone(), with(&case["old"]), with(&case["new"])));
    assert_foreseen(pairs, 70);
}

#[test]
fn what_is_not_foreseen_is_a_fault_of_the_tool() {
    let schema = |kind: &str| {
        taking(
            &json!({"type": "object", "properties": {"x": {"type": kind}}}),
            &json!({}),
        )
    };
    let (old, new) = (schema("string"), schema("integer"));
    let mut editions = Editions::default();
    let (before, after) = (editions.of(&old).unwrap(), editions.of(&new).unwrap());
    let lines = |diff: &mut Diff, (before, after): (&Edition, &Edition)| {
        let rust = explain(diff, before, after, &Sdk::default());
        let text = report::text(diff, Ok(&rust), None, Paint::PLAIN);
        let faults = text
            .lines()
            .skip_while(|line| !line.starts_with("faults of this tool: please report ("));
        faults.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut silent = compare(&old, &new);
    silent.findings.clear();
    let unexplained = lines(&mut silent, (&before, &after));
    assert_eq!(
        unexplained[1],
        "      no change explains types::PostABody::x: Option<String> -> Option<i64> (breaking)"
    );
    let rust = explain(&mut silent, &before, &after, &Sdk::default());
    let report = json(&silent, Ok(&rust), None).unwrap();
    formats::assert_valid(&report);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["unexplained"][0]["path"], "types::PostABody::x");
    assert_eq!(report["unexplained"][0]["verified"], false);
    let entry = report["changelog"].as_str().unwrap();
    assert!(entry.contains("\n- **Breaking:** `types::PostABody::x` is "));
    let unfulfilled = lines(&mut compare(&old, &new), (&before, &before));
    assert!(
        unfulfilled[1].starts_with(
            "      types::PostABody::x should be different, because of type-changed at /paths/"
        ),
        "{unfulfilled:?}"
    );
}

/// An update such as a vendor makes: text of the vendored document, and what stands there instead.
const UPDATE: [(&str, &str); 13] = [
    // A response's property has another name.
    (
        "        text:\n          type: string\n          description: Text taken by the copy.",
        "        copied_text:\n          type: string\n          description: Text taken by the copy.",
    ),
    // A property must be sent.
    (
        "    WaitForEventRequestSchema:\n      type: object\n",
        "    WaitForEventRequestSchema:\n      type: object\n      required: [timeoutMs]\n",
    ),
    // An optional property, in what many operations use.
    (
        "      description: Settings of the session itself.\n      properties:\n",
        "      description: Settings of the session itself.\n      properties:\n        color:\n          type: string\n",
    ),
    // A value to send, and one that is not admitted any more.
    (
        "only source supported so far.\n          enum:\n            - session\n",
        "only source supported so far.\n          enum:\n            - session\n            - browser\n",
    ),
    ("        - af\n        - al\n", "        - al\n"),
    // A type, a bound and a default.
    (
        "duration:\n                        type: integer\n                        description: How long the session lasts",
        "duration:\n                        type: string\n                        description: How long the session lasts",
    ),
    (
        "          type: integer\n          description: Viewport width in pixels.",
        "          type: integer\n          minimum: 1\n          description: Viewport width in pixels.",
    ),
    (
        "          default: false\n    SessionCreateResponseSchema:",
        "          default: true\n    SessionCreateResponseSchema:",
    ),
    // Words.
    (
        "Whether this profile has a dedicated IP address",
        "Whether the profile has an IP address of its own",
    ),
    // A parameter has another name, and an operation another path.
    (
        "name: from_date\n          required: false\n          description: Start of the period",
        "name: since\n          required: false\n          description: Start of the period",
    ),
    (
        "  /v1/sessions/{sessionId}/paste:",
        "  /v2/sessions/{sessionId}/paste:",
    ),
    // An operation may go, and another one is new.
    (
        "      summary: Press a mouse button\n",
        "      summary: Press a mouse button\n      deprecated: true\n",
    ),
    (
        "\npaths:\n",
        "\npaths:\n  /v1/colors:\n    get:\n      responses: {'204': {description: None.}}\n",
    ),
];

/// What the report tells a maintainer.
#[test]
fn an_update_is_reported_with_items_and_methods() {
    let old = std::fs::read_to_string(workspace().join(codegen::DOCUMENT)).unwrap();
    let new = UPDATE.iter().fold(old.clone(), |text, (before, after)| {
        assert_eq!(text.matches(before).count(), 1, "{before}");
        text.replacen(before, after, 1)
    });
    let (old, new) = (document("old.yaml", &old), document("new.yaml", &new));
    let mut diff = whole::compare(&old, &new).unwrap();
    let options = Options::default();
    let rust = rust::join(&workspace(), &options, &mut diff, (old, new)).unwrap();
    let rust = rust.unwrap();
    let step = semver::step(&workspace(), &diff, &rust).unwrap();
    formats::assert_valid(&json(&diff, Ok(&rust), Some(&step)).unwrap());
    formats::snapshots().bind(|| {
        insta::assert_snapshot!(
            "diff",
            report::text(&diff, Ok(&rust), Some(&step), Paint::PLAIN)
        )
    });
}

/// Many changes at once, of which one may hide another.
#[test]
fn items_of_a_much_changed_document_are_foreseen() {
    let plain = notation::vendored();
    let overlay = codegen::overlay(&workspace(), None, false).unwrap();
    let edition = |root: &Value| {
        let document = document("a.yaml", &root.to_string());
        let run = codegen::generated(document, overlay.as_ref(), None, &Progress::start()).ok()?;
        Some(Edition::of(&run.lowered, &run.output).unwrap())
    };
    let before = edition(&plain).unwrap();
    let (mut changes, mut faults) = (0, Vec::new());
    for seed in 0..4 {
        let (root, _) = properties::changed(&plain, seed, 30);
        // The overlay may not fit what changed.
        let Some(after) = edition(&root) else {
            continue;
        };
        let mut diff = compare(&plain, &root);
        let rust = explain(&mut diff, &before, &after, &Sdk::default());
        changes += rust.changes.len();
        faults.extend(rust.faults.iter().map(|it| format!("seed {seed}: {it}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(changes > 10, "{changes}");
}
