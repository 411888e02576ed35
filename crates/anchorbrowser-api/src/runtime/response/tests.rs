use super::*;
use std::collections::BTreeMap;

#[derive(Debug, serde::Deserialize, PartialEq)]
struct Item {
    #[serde(default)]
    id: Option<i64>,
}

#[test]
fn bodies_decode_in_spite_of_their_wrapping() {
    for (body, id) in [
        ("{\"id\":1}", Some(1)),
        ("\u{feff} {\"id\":1}\n", Some(1)),
        ("", None),
        (" null ", None),
        ("{\"id\":1,\"id\":2}", Some(2)),
    ] {
        assert_eq!(decode(body.as_bytes()), Ok(Item { id }));
    }
    assert_eq!(decode::<Vec<i64>>(b""), Ok(vec![]));
}

#[test]
fn a_decode_failure_names_the_place_and_no_value() {
    for (body, expected) in [
        (
            r#"{"a":[{"id":1},{"id":"wss://canary, expected x"}]}"#,
            "the body does not decode at `a[1].id`: string, expected i64 at line 1",
        ),
        (
            r#"{"a":[{"id":{"canary":1}}]}"#,
            "at `a[0].id`: map, expected i64",
        ),
        (
            r#"{"a":[{"id":1.5}]}"#,
            "at `a[0].id`: floating point, expected i64",
        ),
        (
            r#"{"a":[{"id":1}"#,
            "the body is no JSON: EOF while parsing",
        ),
        ("canary", "the body is no JSON: expected value"),
        ("{} canary", "the body is no JSON: trailing characters"),
        (
            "<!DOCTYPE html><title>canar</title>",
            "an HTML page instead of the API's answer (title",
        ),
    ] {
        let reason = decode::<BTreeMap<String, Vec<Item>>>(body.as_bytes()).expect_err(body);
        assert!(reason.contains(expected), "{reason}");
        assert!(!reason.contains("canary"), "{reason}");
    }
}
