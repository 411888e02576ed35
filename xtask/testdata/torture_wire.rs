//! Runs in the crate generated from `torture.yaml`: odd names keep their wire form.

use anchorbrowser_api::types;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn round<T: DeserializeOwned + Serialize>(value: Value) -> T {
    let typed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), value);
    typed
}

#[test]
fn fields_keep_their_names() {
    let bar: types::FooBar = round(json!({
        "type": "t", "async": true, "self": 1, "Self": 2, "gen": "g", "crate": "c", "+1": 3, "-1": 4, "": "e",
        "名前": "n", "größe": 1.5, "@id": "i", "$ref": "r", "1st": "f", "extra": "x", "rest": { "a": 1 },
    }));
    assert_eq!((bar.plus_1, bar.minus_1), (Some(3), Some(4)));
    assert_eq!(bar.extra["rest"], json!({ "a": 1 }));
    let foo: types::FooBar2 =
        round(json!({ "fooBar": "1", "foo_bar": "2", "foo-bar": "3", "FOO_BAR": "4" }));
    let all = [foo.foo_bar, foo.foo_bar2, foo.foo_bar3, foo.foo_bar4];
    let mut all: Vec<_> = all.into_iter().flatten().collect();
    all.sort();
    assert_eq!(all, ["1", "2", "3", "4"]);
}

#[test]
fn enum_values_keep_their_text() {
    assert_eq!(types::Odd::VALUES.len(), 17);
    for text in types::Odd::VALUES.iter().copied().chain(["new", "UNKNOWN"]) {
        let odd: types::Odd = round(json!(text));
        let known = types::Odd::VALUES.contains(&text);
        assert_eq!(matches!(odd, types::Odd::Unknown(_)), !known, "{text:?}");
    }
    assert!(matches!(round(json!("Err")), types::ResultType::Err));
}

#[test]
fn unions_tell_their_arms_apart() {
    assert!(matches!(round(json!({ "kind": "dog", "bark": "b" })), types::Pet::Dog(_)));
    assert!(matches!(round(json!({ "kind": "cow" })), types::Pet::Unknown(_)));
    let inner = json!({ "kind": "wrap", "inner": [1.5, { "name": "n", "tags": ["t", null] }] });
    let types::Recursive::Wrap(wrap) = round(inner) else { panic!("no wrap") };
    assert!(matches!(wrap.inner, types::Recursive::List(_)));
    assert!(matches!(round(json!({ "y": "1" })), types::WildBaseAndUnion::WildBaseAndUnionVariant2(_)));
}

#[test]
fn null_and_absent_differ_in_requests() {
    let node = |value: Value| round::<types::Node>(value);
    assert!(node(json!({ "tags": [] })).nick.is_none());
    assert!(node(json!({ "tags": [], "nick": null })).nick.is_some());
    assert!(node(json!({ "tags": [], "children": [] })).children.is_some());
}
