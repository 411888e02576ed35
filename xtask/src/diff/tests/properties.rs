//! Properties of the comparison, on the vendored document with changes at random places.

use serde_json::{Value, json};

use super::notation::{Random, schemas, vendored};
use super::*;

/// A change that somebody would notice; `None` if the schema has nothing to change in this way.
fn mutate(schema: &mut Value, kind: usize) -> Option<()> {
    let map = schema.as_object_mut()?;
    match kind {
        0 => {
            let properties = map.get_mut("properties")?.as_object_mut()?;
            let name = properties.keys().next()?.clone();
            properties.remove(&name);
            if let Some(required) = map.get_mut("required") {
                required.as_array_mut()?.retain(|it| *it != name);
            }
        }
        1 => {
            map.get_mut("properties")?
                .as_object_mut()?
                .insert("zzz_new".to_owned(), json!({"type": "boolean"}));
            let required = map.entry("required").or_insert_with(|| json!([]));
            required.as_array_mut()?.push(json!("zzz_new"));
        }
        2 => {
            let kind = map.get_mut("type").filter(|it| **it == "string")?;
            *kind = json!("boolean");
            map.retain(|key, _| key == "type" || key == "description");
        }
        3 => map.get_mut("enum")?.as_array_mut()?.push(json!("zzz")),
        4 => {
            map.get("type").filter(|it| **it == "integer")?;
            map.insert("maximum".to_owned(), json!(3));
        }
        5 => {
            let kind = map.get("type").filter(|it| it.is_string())?.clone();
            let nullable = map.get("nullable").is_none() && !map.contains_key("enum");
            nullable.then(|| map.insert("type".to_owned(), json!([kind, "null"])))?;
        }
        6 => {
            let properties = map.get_mut("properties")?.as_object_mut()?;
            let name = properties.keys().find(|name| name.contains('_'))?.clone();
            let value = properties.remove(&name)?;
            properties.insert(name.replace('_', "").to_uppercase(), value);
            map.remove("required");
        }
        _ => {
            map.get("type").filter(|it| **it == "object")?;
            map.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    Some(())
}

/// The document with about `count` changes.
pub(super) fn changed(plain: &Value, seed: u64, count: usize) -> (Value, usize) {
    let mut root = plain.clone();
    let mut random = Random(seed);
    let mut total = 0;
    schemas(&mut root, false, &mut |_| total += 1);
    let mut made = 0;
    schemas(&mut root, false, &mut |schema| {
        if random.below(total) < count && mutate(schema, random.below(8)).is_some() {
            made += 1;
        }
    });
    (root, made)
}

#[test]
fn a_change_and_its_reverse_have_contrary_rules_at_the_same_places() {
    let plain = vendored();
    let mut changes = 0;
    for seed in 0..6 {
        let (root, made) = changed(&plain, seed, 30);
        changes += made;
        let there = compare(&plain, &root);
        let back = compare(&root, &plain);
        assert!(there.findings.len() >= made.min(1), "seed {seed}");
        let shown = |diff: &Diff, rule: &str, old: &str, new: &str, operations: &[usize]| {
            // Operations by name, since their order follows the document.
            let mut names: Vec<_> = operations
                .iter()
                .map(|it| diff.operations[*it].name.clone())
                .collect();
            names.sort();
            format!("{rule} {old} {new} {names:?}")
        };
        let forward: BTreeSet<_> = there
            .findings
            .iter()
            .map(|it| {
                let rule = it.rule.reverse.rule().name;
                shown(
                    &there,
                    rule,
                    &it.new.pointer,
                    &it.old.pointer,
                    &it.operations,
                )
            })
            .collect();
        let backward: BTreeSet<_> = back
            .findings
            .iter()
            .map(|it| {
                shown(
                    &back,
                    it.rule.name,
                    &it.old.pointer,
                    &it.new.pointer,
                    &it.operations,
                )
            })
            .collect();
        let differ: Vec<_> = forward.symmetric_difference(&backward).collect();
        assert!(differ.is_empty(), "seed {seed}: {differ:#?}");
    }
    assert!(changes > 30, "{changes}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let plain = vendored();
    let (root, _) = changed(&plain, 42, 60);
    let text = || {
        super::super::report::text(
            &compare(&plain, &root),
            Err(&"no".to_owned()),
            None,
            super::super::paint::Paint::PLAIN,
        )
    };
    let first = text();
    assert!(first.lines().count() > 20, "{first}");
    assert_eq!(first, text());
}

/// Puts nonsense at one of `rarity` places below `value`.
fn spoil(value: &mut Value, random: &mut Random, rarity: usize) {
    let nonsense = [
        json!(null),
        json!(3),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!({"type": "string"}),
    ];
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| spoil(item, random, rarity)),
        Value::Object(map) => {
            for (key, below) in map.iter_mut() {
                // What is checked before anything is compared.
                let checked = matches!(
                    key.as_str(),
                    "openapi" | "info" | "paths" | "$ref" | "operationId"
                );
                if random.below(rarity) == 0 && !checked {
                    *below = nonsense[random.below(nonsense.len())].clone();
                }
                spoil(below, random, rarity);
            }
        }
        _ => {}
    }
}

#[test]
fn nonsense_is_compared_and_differs_both_ways() {
    let plain = vendored();
    for seed in 0..5 {
        let mut root = plain.clone();
        spoil(&mut root, &mut Random(seed), 100 + 80 * seed as usize);
        assert_eq!(
            verdicts(&compare(&root, &root).findings),
            BTreeSet::new(),
            "seed {seed}"
        );
        let rules = |old: &Value, new: &Value, back: bool| -> BTreeSet<&'static str> {
            let name = |it: &Finding| {
                if back {
                    it.rule.reverse.rule().name
                } else {
                    it.rule.name
                }
            };
            compare(old, new).findings.iter().map(name).collect()
        };
        let (there, back) = (rules(&plain, &root, false), rules(&root, &plain, true));
        assert!(there.len() > 5, "seed {seed}: {there:?}");
        assert_eq!(there, back, "seed {seed}");
    }
}
