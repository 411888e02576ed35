//! Says what is wrong with a value, and where, without repeating the value.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

/// Unions within unions are followed so far.
const DEEPEST: usize = 6;

/// As many of the allowed values are listed.
const MOST_OPTIONS: usize = 24;

/// Members' names are cut to this length: they come from the request.
const LONGEST_NAME: usize = 64;

type Errors = Vec<ValidationError<'static>>;

/// Places that begin with `base`, and messages; `most` of them.
pub(super) fn explain<'a>(
    errors: impl Iterator<Item = ValidationError<'a>>,
    base: &str,
    most: usize,
) -> Vec<(String, String)> {
    let mut found = Found {
        base,
        most,
        list: Vec::new(),
    };
    for error in errors {
        if found.list.len() >= most {
            break;
        }
        found.add(&error, DEEPEST);
    }
    found.list
}

struct Found<'b> {
    base: &'b str,
    most: usize,
    list: Vec<(String, String)>,
}

impl Found<'_> {
    fn add(&mut self, error: &ValidationError<'_>, depth: usize) {
        let place = self.place(error.instance_path());
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.union(error.instance_path(), context, depth);
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                self.push(step(&place, name), "is required".to_owned());
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    self.push(
                        step(&place, name),
                        "is not a known member; remove it".to_owned(),
                    );
                }
            }
            Kind::PropertyNames { error } => {
                self.push(place, format!("has a member whose name {}", plain(error)));
            }
            _ => self.push(place, plain(error)),
        }
    }

    fn push(&mut self, place: String, message: String) {
        let entry = (place, message);
        if self.list.len() < self.most && !self.list.contains(&entry) {
            self.list.push(entry);
        }
    }

    /// Of a union that no form of fits, tells the form that was most likely meant.
    fn union(&mut self, here: &Location, context: &[Errors], depth: usize) {
        let place = self.place(here);
        let fitting: Vec<&Errors> = context
            .iter()
            .filter(|errors| !wrong_type(errors, here))
            .collect();
        if fitting.is_empty() {
            let types: BTreeSet<String> = context
                .iter()
                .flatten()
                .filter_map(|error| wanted(error, here))
                .collect();
            return self.push(place, one_of_types(&types.into_iter().collect::<Vec<_>>()));
        }
        let untagged: Vec<&Errors> = fitting
            .iter()
            .copied()
            .filter(|errors| tag(errors, here).is_none())
            .collect();
        if untagged.is_empty()
            && let Some((tagged, options)) = common_tag(&fitting, here)
        {
            let place = self.place(&tagged);
            return self.push(place, one_of(&options));
        }
        let likely = if untagged.is_empty() {
            fitting
        } else {
            untagged
        };
        if likely.len() > 1
            && likely
                .iter()
                .all(|errors| errors.iter().all(|error| missing(error, here).is_some()))
        {
            return self.push(place, alternatives(&likely, here));
        }
        match likely.iter().min_by_key(|errors| errors.len()) {
            Some(errors) if depth > 0 => {
                for error in errors.iter() {
                    self.add(error, depth - 1);
                }
            }
            _ => self.push(place, "fits none of the documented forms".to_owned()),
        }
    }

    fn place(&self, location: &Location) -> String {
        location
            .segments()
            .fold(self.base.to_owned(), |place, segment| match segment {
                LocationSegment::Property(name) => step(&place, &name),
                LocationSegment::Index(index) => format!("{place}[{index}]"),
            })
    }
}

/// One more member in a place.
pub(super) fn step(place: &str, name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-$".contains(letter);
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(plain) {
        return format!("{place}.{name}");
    }
    let short: String = name
        .chars()
        .take(LONGEST_NAME)
        .filter(|letter| !letter.is_control())
        .collect();
    format!("{place}[{short:?}]")
}

fn wrong_type(errors: &Errors, here: &Location) -> bool {
    errors.iter().any(|error| wanted(error, here).is_some())
}

/// The type that a form of a union wants the whole value to be, if that is what is wrong.
fn wanted(error: &ValidationError<'_>, here: &Location) -> Option<String> {
    match error.kind() {
        Kind::Type { kind } if error.instance_path() == here => Some(types(kind).join(" or ")),
        _ => None,
    }
}

/// The member by which a form of a union shows that it was not meant, and the values that the form takes there.
fn tag<'e>(errors: &'e Errors, here: &Location) -> Option<(&'e Location, Vec<&'e Value>)> {
    errors.iter().find_map(|error| {
        let within = error
            .instance_path()
            .as_str()
            .strip_prefix(here.as_str())?
            .strip_prefix('/')?;
        if within.contains('/') {
            return None;
        }
        let options = match error.kind() {
            Kind::Constant { expected_value } => vec![&**expected_value],
            Kind::Enum { options } => options.as_array()?.iter().collect(),
            _ => return None,
        };
        Some((error.instance_path(), options))
    })
}

/// The member that tells all of these forms apart, and all values that it may have.
fn common_tag<'e>(forms: &[&'e Errors], here: &Location) -> Option<(Location, Vec<&'e Value>)> {
    let mut common: Option<Location> = None;
    let mut all: Vec<&Value> = Vec::new();
    for errors in forms {
        let (place, options) = tag(errors, here)?;
        if common.as_ref().is_some_and(|common| common != place) {
            return None;
        }
        common = Some(place.clone());
        for option in options {
            if !all.contains(&option) {
                all.push(option);
            }
        }
    }
    common.map(|place| (place, all))
}

fn missing<'e>(error: &'e ValidationError<'_>, here: &Location) -> Option<&'e str> {
    match error.kind() {
        Kind::Required { property } if error.instance_path() == here => property.as_str(),
        _ => None,
    }
}

fn alternatives(forms: &[&Errors], here: &Location) -> String {
    let mut texts: Vec<String> = Vec::new();
    for errors in forms {
        let names: Vec<String> = errors
            .iter()
            .filter_map(|error| missing(error, here))
            .map(|name| format!("`{name}`"))
            .collect();
        let text = names.join(" and ");
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    format!(
        "fits none of the documented forms; add {}",
        texts.join(", or ")
    )
}

fn types(kind: &TypeKind) -> Vec<String> {
    match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect(),
    }
}

/// `must be a string or null`.
pub(super) fn one_of_types(types: &[String]) -> String {
    let words: Vec<String> = types
        .iter()
        .map(|word| match word.as_str() {
            "null" => "null".to_owned(),
            "array" | "integer" | "object" => format!("an {word}"),
            _ => format!("a {word}"),
        })
        .collect();
    format!("must be {}", words.join(" or "))
}

fn one_of(options: &[&Value]) -> String {
    let mut words: Vec<String> = options
        .iter()
        .take(MOST_OPTIONS)
        .map(|option| option.to_string())
        .collect();
    if options.len() > MOST_OPTIONS {
        words.push(format!("... ({} values in all)", options.len()));
    }
    match words.as_slice() {
        [word] => format!("must be {word}"),
        _ => format!("must be one of {}", words.join(", ")),
    }
}

fn format_of(name: &str) -> String {
    match name {
        "uuid" => "must be a UUID".to_owned(),
        "date-time" => {
            "must be a date and time by RFC 3339, such as 2025-01-31T12:00:00Z".to_owned()
        }
        "date" => "must be a date such as 2025-01-31".to_owned(),
        "uri" => "must be an absolute URI, such as https://example.com/".to_owned(),
        "email" => "must be an e-mail address".to_owned(),
        _ => format!("must have the format `{name}`"),
    }
}

fn plain(error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Type { kind } => one_of_types(&types(kind)),
        Kind::Enum { options } => {
            one_of(&options.as_array().into_iter().flatten().collect::<Vec<_>>())
        }
        Kind::Constant { expected_value } => one_of(&[&**expected_value]),
        Kind::Format { format } => format_of(format),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinProperties { limit } => format!("must have at least {limit} members"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::UniqueItems => "must not hold the same item twice".to_owned(),
        Kind::OneOfMultipleValid { .. } => {
            "fits more than one of the documented forms; keep the members of one".to_owned()
        }
        Kind::FalseSchema => "must not be given".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "fits none of the documented forms".to_owned()
        }
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "can't be held against its pattern; shorten it".to_owned()
        }
        _ => "does not fit its schema".to_owned(),
    }
}
