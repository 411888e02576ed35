//! Parameters: texts in, typed values out.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use serde_json::{Map, Number, Value};

use super::kinds::{
    ANY, ARRAY, BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, STRING, allows, items, kinds, words,
};
use super::message::one_of_types;
use super::operation::{Location, Operation, Parameter};
use super::request::{MOST, RawRequest, RequestFault, Violations};
use super::route::decode;

/// Pairs of names and values, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// Names in the query that the operation does not have, each once.
pub(super) fn unknown(operation: &Operation, query: Option<&str>) -> Vec<String> {
    let known = |name: &str| {
        operation
            .parameters()
            .iter()
            .filter(|it| it.location() == Location::Query)
            .any(|it| it.name() == name || (it.deep && member(it.name(), name).is_some()))
    };
    let mut names = Vec::new();
    for (name, _) in pairs(query.unwrap_or_default(), |_, _| ()) {
        let name = short(&name);
        if !known(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The member in `name[member]`.
fn member<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    text.strip_prefix(name)?
        .strip_prefix('[')?
        .strip_suffix(']')
}

/// Checks all parameters, and gives the query.
pub(super) fn check(
    operation: &Operation,
    request: &RawRequest<'_>,
    violations: &mut Violations,
) -> BTreeMap<String, Value> {
    let query = pairs(request.query.unwrap_or_default(), |name, reason| {
        violations.add(
            RequestFault::Parameter,
            format!("query {name}").trim_end(),
            reason,
        );
    });
    let mut values = BTreeMap::new();
    for parameter in operation.parameters() {
        let found = match find(parameter, request, &query) {
            Ok(found) => found,
            Err(reason) => {
                violations.add(RequestFault::Parameter, parameter.place(), reason);
                continue;
            }
        };
        match read(operation, parameter, found) {
            Ok(None) => {}
            Ok(Some(value)) => {
                if let Some(checker) = &parameter.checker {
                    let found = checker.check(&operation.source, &value, &parameter.place(), MOST);
                    violations.extend(RequestFault::Parameter, found);
                }
                if parameter.location() == Location::Query {
                    values.insert(parameter.name().to_owned(), value);
                }
            }
            Err(reason) => violations.add(RequestFault::Parameter, parameter.place(), reason),
        }
    }
    values
}

/// Reads a query or a form. Names of pairs that can't be decoded are told to `fault`, without their values.
pub(super) fn pairs(text: &str, mut fault: impl FnMut(&str, &str)) -> Pairs {
    let mut list = Pairs::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name, true), decode(value, true)) {
            (Ok(name), Ok(value)) => list.push((name, value)),
            (Ok(name), Err(reason)) => fault(&short(&name), reason),
            (Err(reason), _) => fault("", &format!("has a name that {reason}")),
        }
    }
    list
}

/// A name from the request as messages show it.
fn short(name: &str) -> String {
    name.chars()
        .take(64)
        .filter(|letter| !letter.is_control())
        .collect()
}

/// What a request gives for one parameter.
enum Given {
    Texts(Vec<String>),
    /// `name[member]=value`
    Members(Map<String, Value>),
}

fn find(
    parameter: &Parameter,
    request: &RawRequest<'_>,
    query: &Pairs,
) -> Result<Given, &'static str> {
    let name = parameter.name();
    let texts = match parameter.location() {
        Location::Path => request.path.get(name).cloned().into_iter().collect(),
        Location::Query => {
            let members = if parameter.deep {
                members(name, query)
            } else {
                Map::new()
            };
            if !members.is_empty() {
                return Ok(Given::Members(members));
            }
            query
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| value.clone())
                .collect()
        }
        Location::Header => header_texts(request.headers, name)?,
        Location::Cookie => cookies(request.headers, name)?,
    };
    Ok(Given::Texts(texts))
}

fn members(name: &str, query: &Pairs) -> Map<String, Value> {
    query
        .iter()
        .filter_map(|(text, value)| {
            Some((member(name, text)?.to_owned(), Value::from(value.as_str())))
        })
        .collect()
}

fn header_texts(headers: &HeaderMap, name: &str) -> Result<Vec<String>, &'static str> {
    let texts = headers
        .get_all(name)
        .iter()
        .map(|value| std::str::from_utf8(value.as_bytes()).map(str::to_owned));
    texts.collect::<Result<_, _>>().map_err(|_| "is not UTF-8")
}

fn cookies(headers: &HeaderMap, name: &str) -> Result<Vec<String>, &'static str> {
    let lines = header_texts(headers, header::COOKIE.as_str())?;
    let cookies = lines
        .iter()
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    Ok(cookies
        .filter(|(other, _)| *other == name)
        .map(|(_, value)| value.to_owned())
        .collect())
}

fn read(
    operation: &Operation,
    parameter: &Parameter,
    given: Given,
) -> Result<Option<Value>, String> {
    let root = &*operation.source.root;
    let schema = parameter.schema();
    let texts = match given {
        // Where a schema contradicts the style, the object goes on as the JSON text that the schema asks for.
        Given::Members(members)
            if allows(root, schema, STRING) && !allows(root, schema, OBJECT) =>
        {
            return Ok(Some(Value::String(Value::Object(members).to_string())));
        }
        Given::Members(members) => return Ok(Some(Value::Object(members))),
        Given::Texts(texts) => texts,
    };
    if texts.is_empty() {
        return if parameter.required() {
            Err("is required".to_owned())
        } else {
            Ok(None)
        };
    }
    // Where one text is as good as a list, whoever reads it splits it.
    let plain = texts.len() == 1 && allows(root, schema, STRING);
    if !parameter.json && !plain && allows(root, schema, ARRAY) {
        return list(root, schema, &texts).map(Some);
    }
    let [text] = texts.as_slice() else {
        return Err(format!("is given {} times; give it once", texts.len()));
    };
    if parameter.json {
        return serde_json::from_str(text)
            .map(Some)
            .map_err(|_| "must be a JSON text".to_owned());
    }
    value(root, schema, text).map(Some)
}

/// Reads a list: repeated names, each with one value or several by commas.
fn list(root: &Value, schema: &Value, texts: &[String]) -> Result<Value, String> {
    let items = items(root, schema);
    let texts = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    let texts: Vec<&str> = texts.collect();
    if texts == [""] {
        return Ok(Value::Array(Vec::new()));
    }
    let mut list = Vec::with_capacity(texts.len());
    for text in texts {
        list.push(match items {
            Some(items) => value(root, items, text)?,
            None => Value::from(text),
        });
    }
    Ok(Value::Array(list))
}

/// Reads one text as the type that the schema asks for. The error never holds the text.
pub(super) fn value(root: &Value, schema: &Value, text: &str) -> Result<Value, String> {
    let kinds = kinds(root, schema);
    if kinds == ANY {
        return Ok(Value::from(text));
    }
    if kinds & (INTEGER | NUMBER) != 0
        && let Some(number) = number(text, kinds & NUMBER != 0)
    {
        return Ok(Value::Number(number));
    }
    if kinds & BOOLEAN != 0 && (text == "true" || text == "false") {
        return Ok(Value::Bool(text == "true"));
    }
    if kinds & STRING != 0 {
        return Ok(Value::from(text));
    }
    if kinds & NULL != 0 && (text.is_empty() || text == "null") {
        return Ok(Value::Null);
    }
    if kinds & (OBJECT | ARRAY) != 0
        && let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    Err(one_of_types(&words(kinds)))
}

/// Numbers as JSON has them; whole ones may be larger than what a float holds.
fn number(text: &str, fraction: bool) -> Option<Number> {
    let whole = text.strip_prefix('-').unwrap_or(text);
    if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text
            .parse::<i64>()
            .map(Number::from)
            .or_else(|_| text.parse::<u64>().map(Number::from));
        if let Ok(number) = number {
            return Some(number);
        }
    }
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let plain = ends(whole.as_bytes().first()) && ends(whole.as_bytes().last());
    (fraction && plain)
        .then(|| serde_json::from_str(text).ok())
        .flatten()
}
