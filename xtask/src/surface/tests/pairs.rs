//! A small document and edited copies of it: what becomes of the items, and that it follows from the changes.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{Told, assert_sound, edition, lines};
use crate::document::Document;
use crate::surface::predict::Expected;
use crate::surface::{What, verify};

/// The document, and its changes by what they are about.
static TABLE: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/surface.yaml");
    Document::load(&path).unwrap().root
});

/// A place in its short form: `@Thing` is a schema, `:create` and the like are operations.
fn place(short: &str) -> String {
    let operations = [
        (":create", "/paths/~1v1~1things/post"),
        (":list", "/paths/~1v1~1things/get"),
        (":get", "/paths/~1v1~1things~1{id}/get"),
        (":upload", "/paths/~1v1~1files/post"),
        (
            ":form",
            ":upload/requestBody/content/multipart~1form-data/schema",
        ),
    ];
    let short = short.replacen('@', "/components/schemas/", 1);
    operations
        .iter()
        .rev()
        .fold(short, |place, (word, pointer)| {
            place.replacen(word, pointer, 1)
        })
}

/// The document with other values in some places; null is nothing there.
fn edited(edits: Option<&Map<String, Value>>) -> Value {
    let mut document = TABLE["base"].clone();
    for (at, value) in edits.into_iter().flatten() {
        let at = place(at);
        let (owner, name) = at.rsplit_once('/').unwrap();
        let name = crate::document::unescape(name).into_owned();
        match (document.pointer_mut(owner), value) {
            (Some(Value::Object(owner)), Value::Null) => {
                owner.remove(&name).unwrap();
            }
            (Some(Value::Object(owner)), value) => {
                owner.insert(name, value.clone());
            }
            (Some(Value::Array(owner)), value) => match name.parse::<usize>() {
                Ok(index) if index < owner.len() => owner[index] = value.clone(),
                _ => owner.push(value.clone()),
            },
            _ => panic!("nothing can be put into {owner}"),
        }
    }
    document
}

fn told(cause: &str) -> Told {
    let mut words = cause.split(' ');
    let mut word = || words.next().unwrap();
    Told(word().to_owned(), place(word()), place(word()))
}

/// The rule for the same change the other way round.
fn reverse(rule: &str) -> String {
    let pairs = [
        ("added", "removed"),
        ("became-required", "became-optional"),
        ("became-nullable", "no-longer-nullable"),
        ("undeprecated", "deprecated"),
        ("opened", "closed"),
        ("widened", "narrowed"),
    ];
    for (one, other) in pairs {
        if let Some(head) = rule.strip_suffix(one) {
            return format!("{head}{other}");
        }
        if let Some(head) = rule.strip_suffix(other) {
            return format!("{head}{one}");
        }
    }
    rule.to_owned()
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.map(|text| text.as_str().unwrap()).collect()
}

fn check(group: &str) {
    let base = edition(edited(None));
    for case in TABLE[group].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let old = case["old"]
            .as_object()
            .map(|edits| edition(edited(Some(edits))));
        let (old, new) = (
            old.as_ref().unwrap_or(&base),
            edition(edited(case["new"].as_object())),
        );
        let forth: Vec<_> = texts(&case["causes"]).into_iter().map(told).collect();
        let reversed = |Told(rule, old, new): &Told| Told(reverse(rule), new.clone(), old.clone());
        let back: Vec<_> = forth.iter().map(reversed).collect();
        let verified = verify(&forth, old, &new);
        assert_eq!(lines(&verified), texts(&case["items"]), "{name}");
        assert_sound(&verified, name);
        assert_sound(
            &verify(&back, &new, old),
            &format!("{name}, the other way round"),
        );
        // No cause, no explanation.
        let none: [Told; 0] = [];
        let silent = verify(&none, old, &new);
        let open = silent.unexplained.len() + silent.notation.len();
        assert_eq!(open, silent.changes.len(), "{name}");
    }
}

#[test]
fn properties() {
    check("properties");
}

#[test]
fn names() {
    check("names");
}

#[test]
fn notation() {
    check("notation");
}

#[test]
fn enums_and_unions() {
    check("enums_and_unions");
}

#[test]
fn operations() {
    check("operations");
}

#[test]
fn parameters() {
    check("parameters");
}

#[test]
fn bodies() {
    check("bodies");
}

#[test]
fn what_was_foretold_and_did_not_happen_is_reported() {
    let old = edition(edited(None));
    let size = place("@Thing/properties/size");
    for rule in [
        "type-changed",
        "property-became-required",
        "became-nullable",
    ] {
        let cause = Told(rule.to_owned(), size.clone(), size.clone());
        let verified = verify(&[cause], &old, &old);
        let expected = Expected {
            what: What::Changed,
            old: Some("types::Thing::size".to_owned()),
            new: Some("types::Thing::size".to_owned()),
        };
        assert_eq!(verified.unfulfilled, [(0, expected)], "{rule}");
    }
}

#[test]
fn a_cause_explains_only_what_it_is_about() {
    let old = edition(edited(None));
    let new = json!({ "@Thing/properties/size": { "type": "string" } });
    let new = edition(edited(new.as_object()));
    let cases = [
        ("bound-tightened", "@Thing/properties/size"),
        ("description-changed", "@Thing/properties/size"),
        ("type-changed", "@Thing/properties/name"),
        ("operation-tags-changed", ":create"),
    ];
    for (rule, short) in cases {
        let verified = verify(
            &[Told(rule.to_owned(), place(short), place(short))],
            &old,
            &new,
        );
        let unexplained: Vec<_> = verified
            .unexplained
            .iter()
            .map(|it| verified.changes[*it].path())
            .collect();
        assert_eq!(unexplained, ["types::Thing::size"], "{rule}");
    }
}
