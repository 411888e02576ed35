//! What a schema says of the kind of a value: texts are read by it.

use serde_json::Value;

use super::pointer;

/// Schemas may refer to themselves, so only so many are looked at for one answer.
const MOST_SCHEMAS: usize = 256;

pub(super) const NULL: u8 = 1;
pub(super) const BOOLEAN: u8 = 2;
pub(super) const INTEGER: u8 = 4;
pub(super) const NUMBER: u8 = 8;
pub(super) const STRING: u8 = 16;
pub(super) const ARRAY: u8 = 32;
pub(super) const OBJECT: u8 = 64;
pub(super) const ANY: u8 = 127;

const KINDS: [(&str, u8); 7] = [
    ("null", NULL),
    ("boolean", BOOLEAN),
    ("integer", INTEGER),
    ("number", NUMBER | INTEGER),
    ("string", STRING),
    ("array", ARRAY),
    ("object", OBJECT),
];

/// The words for kinds, as messages list them.
pub(super) fn words(kinds: u8) -> Vec<String> {
    let named = KINDS.iter().filter(|(word, bits)| {
        kinds & bits == *bits && !(*word == "integer" && kinds & NUMBER != 0) && *word != "null"
    });
    named.map(|(word, _)| (*word).to_owned()).collect()
}

/// Whether the schema says that a value may be of this kind; one that allows all kinds says nothing.
pub(super) fn allows(root: &Value, schema: &Value, kind: u8) -> bool {
    let kinds = kinds(root, schema);
    kinds != ANY && kinds & kind != 0
}

/// The kinds of values that a schema allows, as far as its types and values tell.
pub(super) fn kinds(root: &Value, schema: &Value) -> u8 {
    Search {
        root,
        left: MOST_SCHEMAS,
    }
    .kinds(schema)
}

/// The schema of a list's items, also of a list that is one form of a union.
pub(super) fn items<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    Search {
        root,
        left: MOST_SCHEMAS,
    }
    .find(schema, &|schema| schema.get("items"))
}

/// The schema of a member, also where `allOf` or a union holds it.
pub(super) fn property<'a>(root: &'a Value, schema: &'a Value, name: &str) -> Option<&'a Value> {
    Search {
        root,
        left: MOST_SCHEMAS,
    }
    .find(schema, &|schema| schema.get("properties")?.get(name))
}

struct Search<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Search<'a> {
    fn find(
        &mut self,
        schema: &'a Value,
        look: &impl Fn(&'a Value) -> Option<&'a Value>,
    ) -> Option<&'a Value> {
        self.left = self.left.checked_sub(1)?;
        let schema = pointer::resolve(self.root, schema);
        look(schema).or_else(|| {
            let forms = ["allOf", "anyOf", "oneOf"]
                .into_iter()
                .filter_map(|word| schema.get(word)?.as_array());
            forms.flatten().find_map(|form| self.find(form, look))
        })
    }

    fn kinds(&mut self, schema: &'a Value) -> u8 {
        let Some(left) = self.left.checked_sub(1) else {
            return ANY;
        };
        self.left = left;
        let mut kinds = own_kinds(schema);
        if schema.get("$ref").is_some() {
            let target = pointer::resolve(self.root, schema);
            if !std::ptr::eq(target, schema) {
                kinds &= self.kinds(target);
            }
        }
        for form in forms(schema, "allOf") {
            kinds &= self.kinds(form);
        }
        for word in ["anyOf", "oneOf"] {
            if schema.get(word).is_some_and(Value::is_array) {
                kinds &= forms(schema, word).fold(0, |kinds, form| kinds | self.kinds(form));
            }
        }
        kinds
    }
}

fn forms<'a>(schema: &'a Value, word: &str) -> impl Iterator<Item = &'a Value> {
    schema
        .get(word)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The kinds that a schema allows by its own words.
fn own_kinds(schema: &Value) -> u8 {
    let mut kinds = match schema.get("type") {
        Some(Value::String(word)) => kind_of_word(word),
        Some(Value::Array(words)) => words
            .iter()
            .filter_map(Value::as_str)
            .fold(0, |kinds, word| kinds | kind_of_word(word)),
        _ => ANY,
    };
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        kinds &= values
            .iter()
            .fold(0, |kinds, value| kinds | kind_of_value(value));
    }
    if let Some(value) = schema.get("const") {
        kinds &= kind_of_value(value);
    }
    kinds
}

fn kind_of_word(word: &str) -> u8 {
    KINDS
        .iter()
        .find(|(other, _)| *other == word)
        .map_or(ANY, |(_, bits)| *bits)
}

fn kind_of_value(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Number(number) if number.is_f64() => NUMBER | INTEGER,
        Value::Number(_) => INTEGER,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}
