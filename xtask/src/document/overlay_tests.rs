//! Tests of overlays, which are read as documents are.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::document::Document;
use crate::overlay::{Applied, Overlay};

/// An overlay with these actions, each from line 4 on.
fn overlay(version: &str, actions: &str) -> anyhow::Result<Overlay> {
    let text =
        format!("overlay: {version}\ninfo: {{title: a, version: '1'}}\nactions:\n{actions}\n");
    Overlay::parse("o.yaml", text.as_bytes())
}

/// Applies such an overlay to `root`.
fn apply(version: &str, actions: &str, mut root: Value) -> (Value, Applied) {
    let applied = overlay(version, actions).unwrap().apply(&mut root).unwrap();
    (root, applied)
}

const BOTH: &[&str] = &["1.0.0", "1.1.0"];
const FIRST: &[&str] = &["1.0.1"];
const SECOND: &[&str] = &["1.1.0"];

/// Versions, actions, the document before and after.
const ACTIONS: &[(&[&str], &str, &str, &str)] = &[
    (
        BOTH,
        "  - {target: $.a, update: {b: 2, c: {d: 1}}}",
        r#"{"a": {"b": 1, "e": 0}}"#,
        r#"{"a": {"b": 2, "e": 0, "c": {"d": 1}}}"#,
    ),
    (
        BOTH,
        "  - {target: $.a, update: {b: null}}",
        r#"{"a": {"b": 1}}"#,
        r#"{"a": {"b": null}}"#,
    ),
    (
        BOTH,
        "  - {target: $.a, update: {b: [2]}}",
        r#"{"a": {"b": [1]}}"#,
        r#"{"a": {"b": [1, 2]}}"#,
    ),
    (
        BOTH,
        "  - {target: $.a, update: {b: 2}}",
        r#"{"a": [1]}"#,
        r#"{"a": [1, {"b": 2}]}"#,
    ),
    (
        BOTH,
        "  - {target: $.a, update: 2}",
        r#"{"a": [1]}"#,
        r#"{"a": [1, 2]}"#,
    ),
    (
        BOTH,
        "  - {target: $.a, update: null}",
        r#"{"a": [1]}"#,
        r#"{"a": [1, null]}"#,
    ),
    (
        FIRST,
        "  - {target: $.a, update: [2, 3]}",
        r#"{"a": [1]}"#,
        r#"{"a": [1, [2, 3]]}"#,
    ),
    (
        SECOND,
        "  - {target: $.a, update: [2, 3]}",
        r#"{"a": [1]}"#,
        r#"{"a": [1, 2, 3]}"#,
    ),
    (
        SECOND,
        "  - {target: $.a.b, update: text}",
        r#"{"a": {"b": 1}}"#,
        r#"{"a": {"b": "text"}}"#,
    ),
    (
        SECOND,
        "  - {target: $.a.b, update: null}",
        r#"{"a": {"b": 1}}"#,
        r#"{"a": {"b": null}}"#,
    ),
    (
        BOTH,
        "  - {target: $.a.b, remove: true}",
        r#"{"a": {"b": {}, "c": 1}}"#,
        r#"{"a": {"c": 1}}"#,
    ),
    (
        BOTH,
        "  - {target: \"$.a[?@.x > 1]\", remove: true}",
        r#"{"a": [{"x": 1}, {"x": 2}, {"x": 3}]}"#,
        r#"{"a": [{"x": 1}]}"#,
    ),
    (
        SECOND,
        "  - {target: \"$.a[?@ == 'x']\", remove: true}",
        r#"{"a": ["x", "y", "x"]}"#,
        r#"{"a": ["y"]}"#,
    ),
    // Neither the order of a selection nor naming a node twice matters.
    (
        SECOND,
        "  - {target: '$.a[2,0,2]', remove: true}",
        r#"{"a": [0, 1, 2]}"#,
        r#"{"a": [1]}"#,
    ),
    (
        SECOND,
        "  - {target: '$.a[0:11]', remove: true}",
        r#"{"a": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}"#,
        r#"{"a": [11]}"#,
    ),
    (
        BOTH,
        "  - {target: '$.a[0,0]', update: {b: [1]}}",
        r#"{"a": [{}]}"#,
        r#"{"a": [{"b": [1]}]}"#,
    ),
    (
        BOTH,
        "  - {target: $..x, remove: true}",
        r#"{"x": {"x": {}}, "b": [{"x": {}}]}"#,
        r#"{"b": [{}]}"#,
    ),
    (
        SECOND,
        "  - {target: $.b, copy: $.a}",
        r#"{"a": {"x": 1}, "b": {"y": 2}}"#,
        r#"{"a": {"x": 1}, "b": {"x": 1, "y": 2}}"#,
    ),
    (
        SECOND,
        "  - {target: $, update: {b: {}}}\n  - {target: $.b, copy: $.a}\n  - {target: $.a, remove: true}",
        r#"{"a": {"x": 1}}"#,
        r#"{"b": {"x": 1}}"#,
    ),
    (
        BOTH,
        "  - {target: \"$.paths['/a/{b}'].get\", update: {operationId: x}}",
        r#"{"paths": {"/a/{b}": {"get": {}}}}"#,
        r#"{"paths": {"/a/{b}": {"get": {"operationId": "x"}}}}"#,
    ),
];

#[test]
fn actions_follow_the_specification() {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for (versions, actions, before, after) in ACTIONS {
        for version in *versions {
            let (found, applied) = apply(version, actions, json(before));
            assert_eq!(found, json(after), "{version} {actions}");
            assert_eq!(
                applied.stale().count() + applied.superfluous().count(),
                0,
                "{version} {actions}"
            );
        }
    }
}

#[test]
fn outcomes_say_what_each_action_did() {
    let actions = "  - target: $.a\n    description: why\n    update: {b: 1}\n  - target: $.none\n    remove: true\n  - target: $.a\n    copy: $.c\n  - {target: '$.d[*]', update: {e: 1}}\n  - {target: $.a, update: {}}\n  - {target: $.f, update: []}\n  - {target: $.f, copy: $.none, x-note: kept}";
    let before = json!({"a": {"b": 1}, "c": {"z": 1}, "d": [{"e": 1}, {}], "f": []});
    let text = format!("overlay: 1.1.0\ninfo: {{title: a, version: '1'}}\nactions:\n{actions}");
    assert!(
        Overlay::parse("o.yaml", text.as_bytes())
            .unwrap()
            .apply(&mut before.clone())
            .is_err()
    );
    let actions = actions.replace("$.f, copy: $.none", "$.none, copy: $.gone");
    let (_, applied) = apply("1.1.0", &actions, before);
    let found: Vec<_> = applied
        .actions
        .iter()
        .map(|a| (a.index, a.kind, a.matched, a.changed, a.place.as_str()))
        .collect();
    let expected = [
        (0, "update", 1, false, "o.yaml:4:5"),
        (1, "remove", 0, false, "o.yaml:7:5"),
        (2, "copy", 1, true, "o.yaml:9:5"),
        (3, "update", 2, true, "o.yaml:11:5"),
        (4, "update", 1, false, "o.yaml:12:5"),
        (5, "update", 1, false, "o.yaml:13:5"),
        (6, "copy", 0, false, "o.yaml:14:5"),
    ];
    assert_eq!(found, expected);
    assert_eq!(applied.actions[0].description.as_deref(), Some("why"));
    assert_eq!(applied.actions[1].target, "$.none");
    assert_eq!(applied.stale().map(|a| a.index).collect::<Vec<_>>(), [1, 6]);
    assert_eq!(
        applied.superfluous().map(|a| a.index).collect::<Vec<_>>(),
        [0, 4, 5]
    );
}

#[test]
fn faulty_overlays_are_refused_with_the_place_of_the_fault() {
    let head = "info: {title: a, version: '1'}\n";
    let action = "actions: [{target: $, update: {}}]\n";
    let cases = [
        (
            "a: b".to_owned(),
            "o.yaml:1:1 (top level): not an overlay: no `overlay` key",
        ),
        (
            "openapi: 3.1.0".to_owned(),
            "o.yaml:1:1 (/openapi): an OpenAPI document, not an overlay",
        ),
        (
            format!("{head}{action}overlay: 2.0.0"),
            "o.yaml:3:1 (/overlay): overlay version `2.0.0` is not supported; write an overlay of version 1.0.0 or 1.1.0",
        ),
        (
            format!("{head}{action}overlay: 1.1"),
            "the overlay version is a number, not a text; write the full version",
        ),
        (format!("overlay: 1.0.0\n{action}"), "no `info`; add"),
        (
            format!("overlay: 1.0.0\ninfo: {{title: a}}\n{action}"),
            "o.yaml:2:1 (/info): `info` is not as it must be: missing field `version`",
        ),
        (
            format!("overlay: 1.0.0\ninfo: {{title: a, version: '1', description: x}}\n{action}"),
            "o.yaml:2:32 (/info/description): unknown key `description`",
        ),
        (format!("overlay: 1.0.0\n{head}"), "no `actions`; add"),
        (
            format!("overlay: 1.0.0\n{head}actions: []"),
            "o.yaml:3:1 (/actions): the overlay has no actions",
        ),
        (
            format!("overlay: 1.0.0\n{head}actions: {{}}"),
            "`actions` is a mapping, not a list",
        ),
        (
            format!("overlay: 1.0.0\n{head}{action}action: []"),
            "o.yaml:4:1 (/action): unknown key `action`; write one of overlay, info, extends, actions",
        ),
        (
            format!("overlay: 1.0.0\n{head}{action}extends: 1"),
            "(/extends): `extends` is a number, not a text",
        ),
        (
            format!("overlay: 1.0.0\n{head}actions: [x]"),
            "o.yaml:3:11 (/actions/0): a text where a mapping must be",
        ),
    ];
    for (text, expected) in cases {
        let error = Overlay::parse("o.yaml", text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}\nlacks\n{expected}");
    }
    let cases = [
        (
            "1.0.0",
            "  - {target: $.a, udpate: {}}",
            "o.yaml:4:19 (/actions/0/udpate): unknown key `udpate`; write one of target, description, update, remove, or",
        ),
        (
            "1.0.0",
            "  - {target: $.a, copy: $.b}",
            "(/actions/0/copy): `copy` needs `overlay: 1.1.0`",
        ),
        (
            "1.0.0",
            "  - {target: $.a}",
            "o.yaml:4:5 (/actions/0): the action does nothing; give it one of `update` and `remove: true`",
        ),
        (
            "1.1.0",
            "  - {target: $.a, remove: false}",
            "does nothing; give it one of `update`, `copy` and `remove: true`",
        ),
        (
            "1.1.0",
            "  - {target: $.a, update: {}, copy: $.b}",
            "(/actions/0): the action has more than one of",
        ),
        (
            "1.0.0",
            "  - {target: $.a, update: {}, remove: true}",
            "more than one of",
        ),
        (
            "1.0.0",
            "  - {update: {}}",
            "(/actions/0): the action is not as it must be: missing field `target`",
        ),
        (
            "1.0.0",
            "  - {target: $.a, remove: yes}",
            "the action is not as it must be: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "1.0.0",
            "  - {target: $, update: {}}\n  - {target: 'paths./a', update: {}}",
            "o.yaml:5:6 (/actions/1/target): `paths./a` is not a JSONPath of RFC 9535",
        ),
        (
            "1.1.0",
            "  - {target: $, copy: '$['}",
            "(/actions/0/copy): `$[` is not a JSONPath",
        ),
    ];
    for (version, actions, expected) in cases {
        let error = overlay(version, actions).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\nlacks\n{expected}");
    }
}

/// Version, action and what the message says.
const FAILING: &[(&str, &str, &str)] = &[
    (
        "1.0.0",
        "{target: $.a.b, update: {x: 1}}",
        "it selects a text at /a/b, which overlay 1.0 cannot change; select the mapping or list that holds it",
    ),
    (
        "1.0.0",
        "{target: $.a.b, remove: true}",
        "which overlay 1.0 cannot change",
    ),
    (
        "1.1.0",
        "{target: $.a.b, update: {x: 1}}",
        "a mapping cannot be merged into a text at /a/b; remove the old value",
    ),
    (
        "1.0.0",
        "{target: $.a, update: {b: {x: 1}}}",
        "a mapping cannot be merged into a text at /a/b",
    ),
    (
        "1.0.0",
        "{target: $.a, update: {c: 1}}",
        "a number cannot be merged into a list at /a/c",
    ),
    (
        "1.0.0",
        "{target: $.a, update: {d: null}}",
        "null cannot be merged into a mapping at /a/d",
    ),
    (
        "1.0.0",
        "{target: $, update: 1}",
        "a number cannot be merged into a mapping at the top level",
    ),
    (
        "1.1.0",
        "{target: '$.a.*', update: {x: 1}}",
        "it selects nodes of different kinds: a text at /a/b, a list at /a/c; write an action for each",
    ),
    (
        "1.0.0",
        "{target: $, remove: true}",
        "it selects the whole document, which cannot be removed",
    ),
    (
        "1.1.0",
        "{target: $.a, copy: $.none}",
        "`copy: $.none` selects nothing",
    ),
    (
        "1.1.0",
        "{target: $.a, copy: $.a.*}",
        "`copy: $.a.*` selects 3 nodes; select exactly one",
    ),
];

#[test]
fn a_failing_action_changes_nothing_and_is_named() {
    let before = json!({"a": {"b": "text", "c": [1], "d": {}}});
    for (version, action, expected) in FAILING {
        let overlay = overlay(
            version,
            &format!("  - {{target: $, update: {{new: 1}}}}\n  - {action}"),
        )
        .unwrap();
        let mut root = before.clone();
        let error = overlay.apply(&mut root).unwrap_err().to_string();
        assert!(
            error.starts_with("o.yaml:5:5 (/actions/1): target `$"),
            "{error}"
        );
        assert!(error.contains(expected), "{error}\nlacks\n{expected}");
        assert_eq!(root, before, "{action}");
    }
}

#[test]
fn a_hundred_and_fifty_actions_take_no_time() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let mut document = Document::load(&path).unwrap();
    let paths: Vec<_> = document.root["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let mut actions = String::new();
    for index in 0..150 {
        let path = &paths[index % paths.len()];
        actions += &format!(
            "  - {{target: \"$.paths['{path}']\", update: {{x-name: n{}}}}}\n",
            index / paths.len()
        );
    }
    let overlay = overlay("1.1.0", &actions).unwrap();
    let start = Instant::now();
    let applied = overlay.apply(&mut document.root).unwrap();
    let elapsed = start.elapsed();
    println!("150 actions: {elapsed:?}");
    assert_eq!(
        applied
            .actions
            .iter()
            .filter(|action| action.changed && action.matched == 1)
            .count(),
        150
    );
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    assert_eq!(overlay.sha256().len(), 64);
}
