//! Names: from any text in a document to a Rust identifier, without collisions.
//!
//! The generator turns names into identifiers by itself, but two names that give the same one do
//! not compile. So each name is chosen here first, in a form that the generator leaves alone.

use std::collections::BTreeSet;

use heck::{ToPascalCase, ToSnakeCase};

/// Names that a type can't have: `Unknown` and friends are fine, a path keyword is not.
const TYPE_SUFFIX: &str = "Type";

/// Names that a type can't have because generated code means something else by them.
const PRELUDE: &[&str] = &[
    "AsRef",
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Deserialize",
    "Display",
    "Drop",
    "Eq",
    "Err",
    "From",
    "FromIterator",
    "FromStr",
    "Hash",
    "Into",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Send",
    "Serialize",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Vec",
];

/// Methods of the generated `Client` that are no operations, and words that would shadow what the
/// generated code itself names.
const RESERVED_OPERATIONS: &[&str] = &[
    "attempt",
    "base_url",
    "builder",
    "clone",
    "download_url",
    "exec",
    "from_env",
    "new",
    "new_with_client",
    "option",
    "post",
    "pre",
    "result",
    "string",
];

/// Setters that a generated request builder already has, and variables of its `send`.
pub(crate) const RESERVED_PARAMETERS: &[&str] = &[
    "body",
    "client",
    "clone",
    "header_map",
    "info",
    "new",
    "send",
];

/// `snake_case`, a valid identifier: for fields, parameters and methods.
pub(crate) fn snake(wire: &str) -> String {
    identifier(wire, &|text| settled(str::to_snake_case, text), "x_", "_")
}

/// The Rust type for a component or an inline schema.
pub(crate) fn type_name(wire: &str) -> String {
    let name = pascal(wire);
    if PRELUDE.contains(&name.as_str()) {
        format!("{name}{TYPE_SUFFIX}")
    } else {
        name
    }
}

/// `PascalCase`, a valid identifier.
pub(crate) fn pascal(wire: &str) -> String {
    identifier(
        wire,
        &|text| settled(str::to_pascal_case, text),
        "N",
        TYPE_SUFFIX,
    )
}

/// The type of a multipart body.
pub(crate) fn form(method: &str) -> String {
    format!("{}Form", pascal(method))
}

/// What the generator calls the builder of an operation's method.
pub(crate) fn builder(method: &str) -> String {
    identifier(method, &|text| text.to_pascal_case(), "N", "_")
}

/// The variant for an enum's value. `Unknown` is kept for values that the document doesn't list.
pub(crate) fn variant(wire: &str) -> String {
    match identifier(wire, &|text| text.to_pascal_case(), "N", "Value") {
        name if name == "Unknown" => "UnknownValue".to_owned(),
        name => name,
    }
}

/// The method of an operation.
pub(crate) fn operation(wire: &str) -> String {
    let name = snake(wire);
    if RESERVED_OPERATIONS.contains(&name.as_str()) {
        format!("{name}_operation")
    } else {
        name
    }
}

fn identifier(wire: &str, case: &dyn Fn(&str) -> String, prefix: &str, suffix: &str) -> String {
    let words: String = wire
        .replace('\'', "")
        .chars()
        .map(|c| if is_word(c) { c } else { ' ' })
        .collect();
    let mut name = case(&words);
    // A sign or a symbol is all that tells such names apart: `+1` and `-1`, `<` and `>`.
    let starts_with_sign = wire.starts_with(['+', '-', '<', '>', '=', '!', '*', '~', '^']);
    if name.is_empty() || starts_with_sign {
        name = case(&spelled(wire));
    }
    if !name.chars().next().is_some_and(is_start) {
        name = case(&format!("{prefix}{name}"));
    }
    if typify::accept_as_ident(&name) {
        name
    } else {
        format!("{name}{suffix}")
    }
}

/// The text in the given case, in a form that the same conversion leaves alone: `x1Y2` is `X1Y2`
/// at first, but `X1y2` to the generator.
fn settled(case: fn(&str) -> String, text: &str) -> String {
    let first = case(text);
    std::iter::successors(Some(first.clone()), |name| Some(case(name)))
        .zip(std::iter::successors(Some(case(&first)), |name| {
            Some(case(name))
        }))
        .take(8)
        .find(|(name, next)| name == next)
        .map_or(first, |(name, _)| name)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_start(c: char) -> bool {
    c.is_alphabetic()
}

/// The text with each symbol as a word, so that it has letters.
fn spelled(wire: &str) -> String {
    if wire.is_empty() {
        return "empty".to_owned();
    }
    wire.chars()
        .map(|c| match symbol(c) {
            Some(word) => format!(" {word} "),
            None if is_word(c) => c.to_string(),
            None => format!(" u{:x} ", c as u32),
        })
        .collect()
}

fn symbol(c: char) -> Option<&'static str> {
    Some(match c {
        '+' => "plus",
        '-' => "minus",
        '<' => "less",
        '>' => "greater",
        '=' => "equal",
        '!' => "not",
        '*' => "star",
        '/' => "slash",
        '.' => "dot",
        '%' => "percent",
        '&' => "and",
        '|' => "or",
        '$' => "dollar",
        '#' => "hash",
        '@' => "at",
        '~' => "tilde",
        '^' => "caret",
        '?' => "question",
        ':' => "colon",
        ',' => "comma",
        ' ' => "space",
        '_' => "underscore",
        _ => return None,
    })
}

/// Hands out names, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(BTreeSet<String>);

impl Taken {
    /// Names that are taken from the start.
    pub(crate) fn with<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// `wanted`, or `wanted` with the first number that makes it free.
    pub(crate) fn claim(&mut self, wanted: &str) -> String {
        let name = std::iter::once(wanted.to_owned())
            .chain((2..).map(|n| format!("{wanted}{n}")))
            .find(|name| !self.0.contains(name))
            .unwrap_or_else(|| wanted.to_owned());
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_an_identifier() {
        let cases = [
            // wire, field, variant
            ("sessionId", "session_id", "SessionId"),
            ("type", "type_", "Type"),
            ("async", "async_", "Async"),
            ("gen", "gen_", "Gen"),
            ("self", "self_", "SelfValue"),
            ("1PASSWORD", "x_1password", "N1password"),
            ("N/A", "n_a", "NA"),
            ("", "empty", "Empty"),
            ("+1", "plus_1", "Plus1"),
            ("-1", "minus_1", "Minus1"),
            ("task.completed", "task_completed", "TaskCompleted"),
            (
                "waiting-for-session",
                "waiting_for_session",
                "WaitingForSession",
            ),
            ("<=", "less_equal", "LessEqual"),
            ("unknown", "unknown", "UnknownValue"),
            ("größe", "größe", "Größe"),
            ("名前", "名前", "名前"),
            ("🦀", "u1f980", "U1f980"),
            ("_under", "under", "Under"),
        ];
        for (wire, field, value) in cases {
            assert_eq!(snake(wire), field, "{wire}");
            assert_eq!(variant(wire), value, "{wire}");
            syn::parse_str::<syn::Ident>(&snake(wire)).unwrap();
            syn::parse_str::<syn::Ident>(&variant(wire)).unwrap();
        }
    }

    #[test]
    fn chosen_names_are_left_alone_when_named_again() {
        for wire in [
            "fooBar",
            "Foo2",
            "x1Y2",
            "preferCSSPageSize",
            "1st",
            "+1",
            "self",
            "a_b_2",
        ] {
            assert_eq!(pascal(&pascal(wire)), pascal(wire));
            assert_eq!(snake(&snake(wire)), snake(wire));
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let mut taken = Taken::with(["Asc"]);
        assert_eq!(taken.claim("Asc"), "Asc2");
        assert_eq!(taken.claim("Asc"), "Asc3");
        assert_eq!(taken.claim("Desc"), "Desc");
    }

    #[test]
    fn operations_do_not_shadow_the_client() {
        assert_eq!(operation("createSession"), "create_session");
        assert_eq!(operation("post"), "post_operation");
        assert_eq!(operation("Result"), "result_operation");
    }
}
