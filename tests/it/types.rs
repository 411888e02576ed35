//! What the generated types read and write, by the JSON Schemas that Rust derives from them.

use std::collections::{BTreeMap, BTreeSet};

use anchorbrowser_api::{OPERATIONS, TypeSchema, schemas};
use serde_json::{Map, Value};

use crate::snapshot;

/// The width at which a list of values goes on in the next line.
const WIDTH: usize = 100;

#[test]
fn snapshots() {
    let mut texts = BTreeMap::<&str, String>::new();
    for found in schemas() {
        let text = texts
            .entry(found.resource)
            .or_insert_with(|| LEGEND.to_owned());
        text.push('\n');
        text.push_str(&render(&found));
    }
    snapshot::check_all("types", &texts);
}

const LEGEND: &str = "\
`?`: may be absent; `= x`: is x if absent; `(open)`: other values are kept too
";

fn render(found: &TypeSchema) -> String {
    let schema = found
        .schema
        .as_object()
        .unwrap_or_else(|| panic!("{}: no object", found.name));
    let mut schema = schema.clone();
    schema.remove("description");
    let name = found.name;
    if let Some(values) = schema.remove("x-known-values") {
        assert_eq!(schema.remove("type"), Some("string".into()), "{name}");
        nothing_left(name, &schema);
        let values = values.as_array().unwrap().iter().map(Value::to_string);
        return wrap(format!("{name} ="), values, "(open)");
    }
    if let Some(properties) = schema.remove("properties") {
        let mut text = format!("{name}\n");
        let required: Vec<Value> = match schema.remove("required") {
            Some(list) => list.as_array().unwrap().clone(),
            None => vec![],
        };
        for (property, schema) in properties.as_object().unwrap() {
            let is_required = required.contains(&property.as_str().into());
            text += &format!("  {}\n", line(name, property, schema, is_required));
        }
        if let Some(rest) = schema.remove("additionalProperties") {
            text += &format!("  and any other: {}\n", shape(name, &rest, true));
        }
        assert_eq!(schema.remove("type"), Some("object".into()), "{name}");
        nothing_left(name, &schema);
        return text;
    }
    format!("{name} = {}\n", shape(name, &schema.into(), true))
}

/// One property. Those that may be absent take `null` for absence, which is not worth a mark.
fn line(of: &str, property: &str, schema: &Value, is_required: bool) -> String {
    let place = format!("{of}.{property}");
    let mut schema = schema.clone();
    let default = schema
        .as_object_mut()
        .and_then(|schema| schema.remove("default"));
    let shape = shape(&place, &schema, is_required);
    match default {
        Some(default) => format!("{property}: {shape} = {default}"),
        None if is_required => format!("{property}: {shape}"),
        None => format!("{property}?: {shape}"),
    }
}

/// Names a schema in short. Fails on what it does not know: nothing may be lost.
fn shape(place: &str, schema: &Value, show_null: bool) -> String {
    let mut schema = match schema {
        Value::Bool(true) => return "any".to_owned(),
        Value::Object(schema) => schema.clone(),
        other => panic!("{place}: {other}"),
    };
    schema.remove("description");
    let show_null = schema.remove("x-nullable").is_some() || show_null;
    let mut arms = Vec::new();
    if let Some(list) = schema.remove("anyOf") {
        for arm in list.as_array().unwrap() {
            match arm.get("type") {
                Some(kind) if kind == "null" => arms.push("null".to_owned()),
                _ => arms.push(shape(place, arm, true)),
            }
        }
    } else {
        arms = simple(place, &mut schema);
    }
    nothing_left(place, &schema);
    if !show_null {
        arms.retain(|arm| arm != "null");
    }
    assert!(!arms.is_empty(), "{place}: null alone");
    arms.join(" | ")
}

/// The names of a schema that is no choice between others; `null` is one of its own.
fn simple(place: &str, schema: &mut Map<String, Value>) -> Vec<String> {
    if let Some(target) = schema.remove("$ref") {
        let name = target
            .as_str()
            .and_then(|target| target.strip_prefix("#/$defs/"));
        return vec![
            name.unwrap_or_else(|| panic!("{place}: {target}"))
                .to_owned(),
        ];
    }
    let mut kinds = match schema.remove("type") {
        None => vec![],
        Some(Value::Array(kinds)) => kinds,
        Some(kind) => vec![kind],
    };
    let null = kinds
        .iter()
        .position(|kind| kind == "null")
        .map(|index| kinds.remove(index));
    let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
    let format = schema.remove("format");
    let name = match (kinds.as_slice(), format.as_ref().and_then(Value::as_str)) {
        ([], None) => "any".to_owned(),
        ([], Some("password")) => "SecretJson".to_owned(),
        (["string"], Some("password")) => "Secret".to_owned(),
        (["string", "number"], Some("date-time")) => "Timestamp".to_owned(),
        (["integer"], Some("int64")) => "integer".to_owned(),
        (["number"], Some("double")) => "number".to_owned(),
        ([kind @ ("string" | "boolean")], None) => (*kind).to_owned(),
        (["array"], None) => {
            let items = schema
                .remove("items")
                .unwrap_or_else(|| panic!("{place}: no items"));
            format!("[{}]", shape(place, &items, true))
        }
        (["object"], None) => {
            let values = schema.remove("additionalProperties");
            let values = values.unwrap_or_else(|| panic!("{place}: an object of nothing"));
            format!("{{string: {}}}", shape(place, &values, true))
        }
        unknown => panic!("{place}: {unknown:?}"),
    };
    [Some(name), null.map(|_| "null".to_owned())]
        .into_iter()
        .flatten()
        .collect()
}

fn nothing_left(place: &str, schema: &Map<String, Value>) {
    let keys: Vec<&String> = schema.keys().collect();
    assert!(
        keys.is_empty(),
        "{place}: this file does not know {keys:?} of a schema"
    );
}

fn wrap(start: String, values: impl Iterator<Item = String>, end: &str) -> String {
    let mut text = start;
    let mut width = text.len();
    let values: Vec<String> = values.collect();
    let last = values.len() - 1;
    for (index, value) in values.into_iter().enumerate() {
        let item = if index == last {
            format!("{value}   {end}")
        } else {
            format!("{value} |")
        };
        if width + 1 + item.len() > WIDTH {
            text += "\n   ";
            width = 3;
        }
        width += 1 + item.len();
        text += &format!(" {item}");
    }
    text + "\n"
}

#[test]
fn each_type_has_a_name_of_its_own() {
    let found = schemas();
    let names: BTreeSet<&str> = found.iter().map(|found| found.name).collect();
    assert_eq!(names.len(), found.len());
}

#[test]
fn each_type_that_is_named_has_a_schema() {
    let found = schemas();
    let names: BTreeSet<&str> = found.iter().map(|found| found.name).collect();
    for operation in OPERATIONS {
        for name in [operation.request, operation.response]
            .into_iter()
            .flatten()
        {
            // Forms and bytes are no JSON.
            let other = name == "bytes" || name.ends_with("Form");
            assert!(names.contains(name) != other, "{}: {name}", operation.id);
        }
    }
    for found in &found {
        let text = found.schema.as_value().to_string();
        for target in text.split("\"#/$defs/").skip(1) {
            let (name, _) = target.split_once('"').unwrap();
            assert!(names.contains(name), "{} names {name}", found.name);
        }
    }
}
