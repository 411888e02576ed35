//! Whether path templates and declared path parameters agree.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Document, walk};

/// The methods that a path item can have.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// The longest chain of references that is followed; a longer one is a cycle, which is reported elsewhere.
const CHAIN_LIMIT: usize = 32;

/// Adds a problem if templates and parameters disagree anywhere.
pub(super) fn check(document: &Document, root: &Value, problems: &mut Vec<String>) {
    let mut lines = Vec::new();
    for (template, item) in root
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if !template.starts_with("x-") {
            check_item(document, root, template, item, &mut lines);
        }
    }
    if lines.is_empty() {
        return;
    }
    lines.sort();
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(_, line)| format!("\n  {line}"))
        .collect();
    problems.push(format!(
        "Path parameters that do not agree with their path:{}\nAdd, rename or remove them in an overlay action, or mend the document.",
        lines.concat()
    ));
}

/// A line of the report, after the place that it is sorted by.
type Line = (Option<super::Place>, String);

/// Checks one path.
fn check_item(
    document: &Document,
    root: &Value,
    template: &str,
    item: &Value,
    lines: &mut Vec<Line>,
) {
    let mut report = |pointer: &str, text: String| {
        lines.push((
            document.place(pointer),
            format!("{}: {text}", document.at(pointer)),
        ));
    };
    let pointer = format!("/paths/{}", walk::escape(template));
    let names = match template_names(template) {
        Ok(names) => names,
        Err(reason) => return report(&pointer, format!("{reason} in the path `{template}`")),
    };
    let Some((item, pointer)) = follow(root, item, pointer) else {
        return;
    };
    let unknown = |name: &str| {
        format!("parameter `{name}` is declared in the path, but `{template}` has no `{{{name}}}`")
    };
    let shared = Declared::read(root, item, &pointer);
    for (name, pointer) in shared
        .names
        .iter()
        .filter(|(name, _)| !names.contains(name))
    {
        report(pointer, unknown(name));
    }
    for method in METHODS {
        let Some(operation) = item.get(method).and_then(Value::as_object) else {
            continue;
        };
        let pointer = format!("{pointer}/{method}");
        let own = Declared::read(root, operation, &pointer);
        for (name, pointer) in own.names.iter().filter(|(name, _)| !names.contains(name)) {
            report(pointer, unknown(name));
        }
        // What an unresolvable reference would have declared is not known; it is reported elsewhere.
        if own.complete && shared.complete {
            for name in names
                .iter()
                .filter(|name| !own.has(name) && !shared.has(name))
            {
                report(
                    &pointer,
                    format!(
                        "`{template}` has `{{{name}}}`, but no path parameter `{name}` is declared"
                    ),
                );
            }
        }
    }
}

/// The path parameters that a path item or operation declares.
struct Declared<'a> {
    /// Names and pointers to their declarations.
    names: Vec<(&'a str, String)>,
    /// Whether every reference could be followed.
    complete: bool,
}

impl<'a> Declared<'a> {
    /// Reads the `parameters` of `owner`, which is at `pointer`.
    fn read(root: &'a Value, owner: &'a Map<String, Value>, pointer: &str) -> Self {
        let mut declared = Self {
            names: Vec::new(),
            complete: true,
        };
        let parameters = owner.get("parameters").and_then(Value::as_array);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let pointer = format!("{pointer}/parameters/{index}");
            let Some((parameter, _)) = follow(root, parameter, String::new()) else {
                declared.complete = false;
                continue;
            };
            if parameter.get("in").and_then(Value::as_str) == Some("path")
                && let Some(name) = parameter.get("name").and_then(Value::as_str)
            {
                declared.names.push((name, pointer));
            }
        }
        declared
    }

    /// Whether `name` is among them.
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|(other, _)| *other == name)
    }
}

/// Follows references from `value` at `pointer` to a mapping that is none, and gives its pointer as well.
fn follow<'a>(
    root: &'a Value,
    mut value: &'a Value,
    mut pointer: String,
) -> Option<(&'a Map<String, Value>, String)> {
    for _ in 0..CHAIN_LIMIT {
        let map = value.as_object()?;
        let Some(reference) = map.get("$ref") else {
            return Some((map, pointer));
        };
        let reference = reference.as_str()?;
        value = walk::resolve(root, reference)?;
        pointer = walk::local_pointer(reference)?.into_owned();
    }
    None
}

/// The names in braces of a path template.
fn template_names(template: &str) -> Result<BTreeSet<&str>, String> {
    let mut names = BTreeSet::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (_, from) = rest.split_at(at);
        let inner = from
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'));
        let Some((name, after)) =
            inner.filter(|(name, _)| !name.is_empty() && !name.contains(['{', '/']))
        else {
            return Err("unbalanced or empty braces".to_owned());
        };
        if !names.insert(name) {
            return Err(format!("`{{{name}}}` occurs twice"));
        }
        rest = after;
    }
    Ok(names)
}
