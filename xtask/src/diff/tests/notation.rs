//! What is only notation makes no difference.

use serde_json::{Map, Value, json};

use super::*;

#[test]
fn notations_of_one_schema_are_the_same() {
    let data = data("notation.yaml");
    let defs = &data["components"];
    let pairs = data["pairs"].as_object().unwrap();
    assert!(pairs.len() > 30);
    for (name, pair) in pairs {
        let one = taking(&pair["one"], defs);
        let other = taking(&pair["other"], defs);
        assert_eq!(
            verdicts(&compare(&one, &other).findings),
            BTreeSet::new(),
            "{name}"
        );
        assert_eq!(
            verdicts(&compare(&other, &one).findings),
            BTreeSet::new(),
            "{name}, back"
        );
    }
}

#[test]
fn in_3_0_a_reference_hides_its_siblings() {
    let defs = json!({"A": {"type": "string"}});
    let version = |version: &str| {
        let mut root = taking(
            &json!({"$ref": "#/components/schemas/A", "minLength": 3}),
            &defs,
        );
        root["openapi"] = json!(version);
        root
    };
    let found = compare(&version("3.0.3"), &version("3.1.0")).findings;
    let rules: Vec<_> = found.iter().map(|it| it.rule.name).collect();
    assert_eq!(rules, ["bound-tightened", "openapi-version-changed"]);
}

/// Numbers that are the same for the same seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Calls `change` with each schema below `value`, the inner ones first. `names`: `value` maps names to schemas.
pub(super) fn schemas(value: &mut Value, is_schema: bool, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| schemas(item, is_schema, change)),
        Value::Object(map) => {
            for (key, below) in map.iter_mut() {
                match key.as_str() {
                    "example" | "examples" | "default" | "enum" | "const" | "discriminator"
                    | "security" => {}
                    "properties" | "schemas" => {
                        let map = below.as_object_mut().unwrap();
                        map.values_mut().for_each(|it| schemas(it, true, change));
                    }
                    "schema" | "items" | "oneOf" | "anyOf" | "allOf" => {
                        schemas(below, true, change)
                    }
                    "additionalProperties" if below.is_object() => schemas(below, true, change),
                    _ => schemas(below, false, change),
                }
            }
            if is_schema {
                change(value);
            }
        }
        _ => {}
    }
}

/// Writes a schema otherwise. `new` takes schemas that become components.
fn rewrite(schema: &mut Value, random: &mut Random, new: &mut Map<String, Value>, inline: &Value) {
    let map = schema.as_object_mut().unwrap();
    if let Some(target) = map.get("$ref").and_then(Value::as_str) {
        let target = inline.pointer(target.trim_start_matches('#'));
        // Only what refers to nothing else, so that recursion ends. Its name may tell it apart in a union.
        let target = target.filter(|it| map.len() == 1 && !it.to_string().contains("$ref"));
        if let Some(target) = target.filter(|_| random.below(2) == 0) {
            *schema = target.clone();
        }
        return;
    }
    match random.below(12) {
        0 if map.get("nullable") == Some(&json!(true))
            && map.get("type").is_some_and(Value::is_string) =>
        {
            map.remove("nullable");
            map["type"] = json!([map["type"], "null"]);
        }
        1 if map.get("type").is_some_and(Value::is_string) => map["type"] = json!([map["type"]]),
        2 if map
            .get("enum")
            .is_some_and(|it| it.as_array().unwrap().len() == 1) =>
        {
            let value = map.remove("enum").unwrap()[0].clone();
            map.insert("const".to_owned(), value);
        }
        3 => *schema = json!({"allOf": [schema]}),
        4 => *schema = json!({"anyOf": [schema]}),
        5 if map.contains_key("required") => {
            let required = map.remove("required").unwrap();
            *schema = json!({"allOf": [schema, {"required": required}]});
        }
        6 | 7 => {
            let name = format!("Extracted{}", new.len());
            let reference = json!({"$ref": format!("#/components/schemas/{name}")});
            new.insert(name, std::mem::replace(schema, reference));
        }
        8 if map.get("type") == Some(&json!("integer")) && map.contains_key("minimum") => {
            let minimum = map.remove("minimum").unwrap().as_i64().unwrap();
            map.insert("exclusiveMinimum".to_owned(), json!(minimum - 1));
        }
        9 if map.get("type") == Some(&json!("object"))
            && !map.contains_key("additionalProperties") =>
        {
            map.insert("additionalProperties".to_owned(), json!(true));
        }
        10 if map.get("type").is_some_and(Value::is_string) && map.get("nullable").is_none() => {
            map.insert("nullable".to_owned(), json!(false));
        }
        _ => {}
    }
}

/// Moves the parameters of operations that are alone to their paths, and responses to components.
fn rearrange(root: &mut Value) {
    let mut moved = Map::new();
    for item in root["paths"].as_object_mut().unwrap().values_mut() {
        let item = item.as_object_mut().unwrap();
        let methods: Vec<String> = item
            .keys()
            .filter(|key| *key != "parameters")
            .cloned()
            .collect();
        for method in &methods {
            let operation = item[method].as_object_mut().unwrap();
            for response in operation["responses"].as_object_mut().unwrap().values_mut() {
                let name = format!("R{}", moved.len());
                let reference = json!({"$ref": format!("#/components/responses/{name}")});
                moved.insert(name, std::mem::replace(response, reference));
            }
        }
        if let [method] = methods.as_slice()
            && !item.contains_key("parameters")
            && let Some(parameters) = item[method].as_object_mut().unwrap().remove("parameters")
        {
            item.insert("parameters".to_owned(), parameters);
        }
    }
    let responses = root["components"].as_object_mut().unwrap();
    let responses = responses.entry("responses").or_insert_with(|| json!({}));
    responses.as_object_mut().unwrap().extend(moved);
}

/// The vendored document.
pub(super) fn vendored() -> Value {
    let path = format!("{}/../openapi.yaml", env!("CARGO_MANIFEST_DIR"));
    Document::load(path.as_ref()).unwrap().root
}

#[test]
fn the_vendored_document_written_otherwise_is_the_same() {
    let plain = vendored();
    for seed in 0..2 {
        let mut root = plain.clone();
        let mut random = Random(seed);
        let mut new = Map::new();
        schemas(&mut root, false, &mut |schema| {
            rewrite(schema, &mut random, &mut new, &plain)
        });
        assert!(new.len() > 100, "{}", new.len());
        root["components"]["schemas"]
            .as_object_mut()
            .unwrap()
            .extend(new);
        rearrange(&mut root);
        for (old, new) in [(&plain, &root), (&root, &plain)] {
            let found = compare(old, new).findings;
            let other = found
                .iter()
                .find(|it| !matches!(it.rule.name, "schema-added" | "schema-removed"));
            assert!(other.is_none(), "seed {seed}: {other:#?}");
            assert!(
                found
                    .iter()
                    .all(|it| it.wire == super::super::finding::Verdict::None)
            );
        }
    }
}

/// JSON with its keys in another order.
fn shuffled(value: &Value, random: &mut Random) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shuffled(item, random)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{}:{}", json!(key), shuffled(value, random)))
                .collect();
            for index in (1..entries.len()).rev() {
                entries.swap(index, random.below(index + 1));
            }
            format!("{{{}}}", entries.join(",\n"))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_vendored_document_in_another_order_is_the_same() {
    let path = format!("{}/../openapi.yaml", env!("CARGO_MANIFEST_DIR"));
    let plain = load::check(Document::load(path.as_ref()).unwrap()).unwrap();
    assert!(whole::compare(&plain, &plain).unwrap().findings.is_empty());
    for seed in 0..3 {
        let other = document("new.json", &shuffled(&plain.root, &mut Random(seed)));
        assert_eq!(
            verdicts(&whole::compare(&plain, &other).unwrap().findings),
            BTreeSet::new()
        );
    }
}
