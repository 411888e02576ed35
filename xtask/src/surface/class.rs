//! What the rules of the comparison mean for Rust.

/// What a rule means for Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Items come.
    Adds,
    /// Items go.
    Removes,
    /// Values of enums come or go.
    Values,
    /// Items get another name.
    Renames,
    /// Items surely get another type.
    Retypes,
    /// Items may get another type, come or go.
    Shapes,
    /// What must be given becomes optional, or the other way round.
    Needs,
    /// `null` is allowed or not.
    Nulls,
    /// The method is marked.
    Marks,
    /// What the transport knows of one operation, or of all.
    Table,
    /// Docs.
    Words,
    /// Nothing.
    Nothing,
}

impl Class {
    pub(super) fn of(rule: &str) -> Self {
        // What nobody knows may be anything.
        Self::known(rule).unwrap_or(Self::Shapes)
    }

    /// The class of a rule that has one; a test says that all rules of the comparison have.
    fn known(rule: &str) -> Option<Self> {
        Some(match rule {
            "operation-added" | "union-arm-added" => Self::Adds,
            "operation-removed" | "union-arm-removed" => Self::Removes,
            "enum-value-added" | "enum-value-removed" | "const-changed" => Self::Values,
            "type-changed" => Self::Retypes,
            "operation-moved"
            | "operation-id-changed"
            | "schema-renamed"
            | "property-renamed"
            | "parameter-renamed"
            | "path-parameter-renamed"
            | "parameter-moved" => Self::Renames,
            "became-nullable" | "no-longer-nullable" => Self::Nulls,
            "deprecated" | "undeprecated" => Self::Marks,
            "operation-tags-changed" | "tag-renamed" => Self::Table,
            "description-changed" | "info-changed" => Self::Words,
            "example-changed"
            | "external-docs-changed"
            | "tag-changed"
            | "openapi-version-changed"
            | "became-read-only"
            | "no-longer-read-only"
            | "became-write-only"
            | "no-longer-write-only"
            | "empty-value-allowed"
            | "empty-value-refused"
            | "multiple-of-changed" => Self::Nothing,
            "schema-added"
            | "schema-removed"
            | "extension-changed"
            | "encoding-changed"
            | "parameter-style-changed"
            | "status-changed"
            | "one-of-became-any-of"
            | "any-of-became-one-of"
            | "enum-added"
            | "enum-removed"
            | "union-added"
            | "union-removed"
            | "type-narrowed"
            | "type-widened"
            | "not-classified" => Self::Shapes,
            _ if rule.starts_with("security-") || rule.starts_with("server-") => Self::Table,
            _ => return Self::of_family(rule),
        })
    }

    /// Rules whose names begin with what they are about and end with what happened to it.
    fn of_family(rule: &str) -> Option<Self> {
        let is_about = |words: &[&str]| words.iter().any(|word| rule.contains(word));
        if is_about(&["header", "bound-", "default-", "webhook-", "callback-"])
            || rule.starts_with("pattern-") && !rule.starts_with("pattern-property")
        {
            return Some(Self::Nothing);
        }
        let is_member = is_about(&["-parameter-", "-body-", "-property-"])
            && !rule.starts_with("pattern-property");
        let is_shape = is_about(&[
            "media-type-",
            "-status-",
            "additional-properties-",
            "pattern-property-",
            "format-",
            "discriminator-",
            "reference-",
        ]);
        match rule.rsplit('-').next() {
            Some("added" | "admitted") if is_member => Some(Self::Adds),
            Some("removed" | "refused") if is_member => Some(Self::Removes),
            Some("required" | "optional") => Some(Self::Needs),
            _ => is_shape.then_some(Self::Shapes),
        }
    }
}

/// What a rule may lead to in Rust, in a few words.
pub(crate) fn effect(rule: &str) -> &'static str {
    match Class::of(rule) {
        Class::Adds => "items come",
        Class::Removes => "items go",
        Class::Values => "variants come or go",
        Class::Renames => "items have another name",
        Class::Retypes | Class::Shapes => "types change",
        Class::Needs => "what must be given changes",
        Class::Nulls => "`Option` comes or goes",
        Class::Marks => "methods are marked",
        Class::Table => "the table of operations changes",
        Class::Words => "docs change",
        Class::Nothing => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_the_comparison_has_a_class() {
        let unknown: Vec<_> = crate::diff::RULES
            .iter()
            .map(|rule| rule.name)
            .filter(|name| Class::known(name).is_none())
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(Class::known("no-such-rule"), None);
    }
}
