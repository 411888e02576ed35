//! Refuses a URL that does not address the operation it was built for.
//!
//! A value cannot hold a slash by now, it is encoded. It can still be empty, `.` or `..`, which
//! URL parsers resolve, or be the word of a static path such as `all`.

use percent_encoding::percent_decode_str;

use crate::Operation;

/// Checks the path of a URL, below that of the base URL, against the operation's template.
pub(super) fn check(operation: &Operation, base: &str, path: &str) -> Result<(), String> {
    let below = path
        .strip_prefix(base.trim_end_matches('/'))
        .unwrap_or_default();
    let mut segments = below.split('/');
    for template in operation.path.split('/') {
        let segment = segments.next().ok_or_else(|| misplaced(operation))?;
        let Some((name, value)) = parameter(template, segment) else {
            if template == segment {
                continue;
            }
            return Err(misplaced(operation));
        };
        let reserved = operation.reserved.iter().find(|(of, _)| *of == name);
        let words = reserved.map(|(_, words)| *words).unwrap_or_default();
        let value = percent_decode_str(value).decode_utf8_lossy();
        // Many servers compare paths without regard to case.
        if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(&value)) {
            let id = operation.id;
            return Err(format!(
                "`{name}` must not be `{word}`, which would address another operation than {id}"
            ));
        }
    }
    match segments.next() {
        None => Ok(()),
        Some(_) => Err(misplaced(operation)),
    }
}

/// The name and the value of a segment's parameter, if it has one and the value is not empty.
fn parameter<'a>(template: &'a str, segment: &'a str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    let value = segment.strip_prefix(before)?.strip_suffix(after)?;
    (!value.is_empty()).then_some((name, value))
}

fn misplaced(operation: &Operation) -> String {
    let names: Vec<String> = operation
        .path
        .split('/')
        .filter_map(|template| Some(template.split_once('{')?.1.split_once('}')?.0))
        .map(|name| format!("`{name}`"))
        .collect();
    format!("{} must not be empty, `.` or `..`", names.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;
    use crate::runtime::encode_path;
    use reqwest::Url;

    fn operation(path: &'static str) -> Operation {
        Operation {
            id: "get_it",
            resource: "things",
            method: "GET",
            path,
            open: false,
            class: Class::Read,
            optional_body: false,
            content_type: None,
            accept: "application/json",
            reserved: &[("id", &["all", "history"])],
            location: None,
            request: None,
            response: None,
            deprecated: false,
        }
    }

    /// Builds the URL as generated code does.
    fn verdict(base: &str, path: &'static str, values: &[&str]) -> Result<(), String> {
        let mut url = format!("{base}{path}");
        for value in values {
            let (start, rest) = url.split_once('{').expect("a parameter");
            let (_, end) = rest.split_once('}').expect("its end");
            url = format!("{start}{}{end}", encode_path(value));
        }
        let base = Url::parse(base).expect("a base URL");
        let url = Url::parse(&url).expect("a URL");
        check(&operation(path), base.path(), url.path())
    }

    #[test]
    fn a_url_must_address_its_operation() {
        let one = "/v1/s/{id}";
        let two = "/v1/task/{task}/{version}";
        let inner = "/v1/s/{id}/files";
        let part = "/v1/s/{id}.json";
        let empty = "must not be empty, `.` or `..`";
        let other = "must not be `all`, which would address another operation than get_it";
        for (path, values, expected) in [
            (one, vec!["a"], None),
            (one, vec!["a/b\\c?d#e%2e é:@"], None),
            (one, vec!["..."], None),
            (one, vec!["%2e%2e"], None),
            (one, vec!["pall"], None),
            (one, vec![""], Some(empty)),
            (one, vec!["."], Some(empty)),
            (one, vec![".."], Some(empty)),
            (one, vec!["all"], Some(other)),
            (one, vec!["ALL"], Some(other)),
            (inner, vec!["a"], None),
            (inner, vec![""], Some(empty)),
            (inner, vec!["."], Some(empty)),
            (inner, vec![".."], Some(empty)),
            (two, vec!["a", "1"], None),
            (two, vec!["a", ""], Some("`task` and `version` must not")),
            (two, vec!["..", "1"], Some(empty)),
            (two, vec!["..", ".."], Some(empty)),
            (two, vec!["a", ".."], Some(empty)),
            (two, vec!["all", "all"], None),
            (part, vec!["a"], None),
            (part, vec![""], Some(empty)),
            ("/v1/s", vec![], None),
        ] {
            for base in ["https://h", "http://h:1/prefix", "http://h/v1/s"] {
                let verdict = verdict(base, path, &values);
                let said = verdict.as_ref().err().map(String::as_str);
                match expected {
                    None => assert_eq!(said, None, "{path} {values:?}"),
                    Some(text) => {
                        assert!(
                            said.is_some_and(|said| said.contains(text)),
                            "{path} {values:?}"
                        );
                    }
                }
            }
        }
    }
}
