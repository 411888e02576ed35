//! The tables: one kind of change a case, both ways.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::finding::{Diff, Verdict};
use super::super::rules::{Id, RULES, Rule};
use super::*;

/// What a case lists under `key`; nothing under `back` means the same as `there`.
fn expected(case: &Value, key: &str) -> BTreeSet<String> {
    let list = case.get(key).or(case.get("there"));
    let list = list.and_then(Value::as_array);
    let texts = list.into_iter().flatten();
    texts
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// The worst verdict of each rule.
fn worst(diff: &Diff) -> BTreeMap<&'static str, Verdict> {
    let mut found = BTreeMap::new();
    for finding in &diff.findings {
        let verdict = found.entry(finding.rule.name).or_insert(finding.wire);
        *verdict = finding.wire.min(*verdict);
    }
    found
}

/// A schema and the components beside it in one of the two documents of a case.
pub(super) fn side<'c>(case: &'c Value, name: &str) -> (&'c Value, Value) {
    let defs = case.get(format!("{name}_defs")).or(case.get("defs"));
    (&case[name], defs.cloned().unwrap_or_else(|| json!({})))
}

/// Rules with their verdicts for a request and a response, from one side of a case to the other.
fn schema_verdicts(case: &Value, from: &str, to: &str) -> BTreeSet<String> {
    let (old, new) = (side(case, from), side(case, to));
    let request = compare(&taking(old.0, &old.1), &taking(new.0, &new.1));
    let response = compare(&giving(old.0, &old.1), &giving(new.0, &new.1));
    let (request, response) = (worst(&request), worst(&response));
    let rules: BTreeSet<_> = request.keys().chain(response.keys()).copied().collect();
    let name = |it: Option<&Verdict>| it.map_or("-", |it| it.name());
    let shown = |rule: &&str| {
        let (request, response) = (request.get(rule), response.get(rule));
        format!("{rule} {}/{}", name(request), name(response))
    };
    rules.iter().map(shown).collect()
}

/// Rules with their verdicts between the two documents of a case.
fn document_verdicts(case: &Value, from: &str, to: &str) -> BTreeSet<String> {
    verdicts(&compare(&with(&case[from]), &with(&case[to])).findings)
}

/// Runs all cases of a file both ways, and gives the rules that occurred.
fn run(file: &str, find: fn(&Value, &str, &str) -> BTreeSet<String>) -> BTreeSet<String> {
    let cases = data(file);
    let cases = cases.as_object().unwrap();
    let mut wrong = Vec::new();
    let mut rules = BTreeSet::new();
    for (name, case) in cases {
        let there = find(case, "old", "new");
        let back = find(case, "new", "old");
        for (way, found, wanted) in [
            ("there", &there, expected(case, "there")),
            ("back", &back, expected(case, "back")),
        ] {
            if *found != wanted {
                wrong.push(format!(
                    "{name} ({way}):\n  found  {found:?}\n  wanted {wanted:?}"
                ));
            }
        }
        let reversed: BTreeSet<_> = names(&there)
            .into_iter()
            .map(|it| rule(&it).reverse)
            .collect();
        let back: BTreeSet<Id> = names(&back).into_iter().map(|it| id(&it)).collect();
        if reversed != back {
            wrong.push(format!(
                "{name}: back is {back:?}, there reversed is {reversed:?}"
            ));
        }
        rules.extend(names(&there));
        rules.extend(back.into_iter().map(|id| id.rule().name.to_owned()));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    rules
}

/// The names of rules without verdicts.
fn names(verdicts: &BTreeSet<String>) -> BTreeSet<String> {
    let name = |text: &String| text.split(' ').next().unwrap().to_owned();
    verdicts.iter().map(name).collect()
}

fn rule(name: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.name == name).unwrap()
}

fn id(name: &str) -> Id {
    // The reverse of the reverse is the rule itself, as another test says.
    rule(name).reverse.rule().reverse
}

#[test]
fn changes_of_schemas() {
    run("schemas.yaml", schema_verdicts);
}

#[test]
fn changes_of_operations() {
    run("operations.yaml", document_verdicts);
}

#[test]
fn there_is_a_case_for_every_rule() {
    let mut found = run("schemas.yaml", schema_verdicts);
    found.extend(run("operations.yaml", document_verdicts));
    let all: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    let missing: Vec<_> = all.difference(&found).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    let kinds = data("schemas.yaml").as_object().unwrap().len()
        + data("operations.yaml").as_object().unwrap().len();
    assert!(kinds >= 120, "{kinds}");
}

#[test]
fn names_of_rules_are_told_apart_and_the_reverse_of_the_reverse_is_the_rule() {
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        let back = rule.reverse.rule().reverse.rule();
        assert_eq!(back.name, rule.name);
        assert!(
            rule.name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{}",
            rule.name
        );
    }
}

#[test]
fn requests_and_responses_are_judged_contrariwise() {
    // What widens is no worse for what is sent, and what narrows no worse for what is received.
    let pairs = [
        ("type-widened", "type-narrowed"),
        ("became-nullable", "no-longer-nullable"),
        ("enum-value-added", "enum-value-removed"),
        ("bound-loosened", "bound-tightened"),
        ("property-became-optional", "property-became-required"),
        ("union-arm-added", "union-arm-removed"),
        (
            "additional-properties-opened",
            "additional-properties-closed",
        ),
    ];
    for (wider, narrower) in pairs {
        let (wider, narrower) = (rule(wider), rule(narrower));
        assert!(
            wider.request > wider.response && narrower.request < narrower.response,
            "{}",
            wider.name
        );
    }
}
