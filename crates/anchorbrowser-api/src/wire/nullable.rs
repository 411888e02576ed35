use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of a request that may be `null`, where `null` and absence mean two things: as
/// `Option<Nullable<T>>` a field is absent, `null` or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nullable<T> {
    /// `null`, which clears what is stored.
    Null,
    /// A value.
    Value(T),
}

impl<T> Nullable<T> {
    /// The value, unless it is `null`.
    pub fn as_option(&self) -> Option<&T> {
        match self {
            Nullable::Null => None,
            Nullable::Value(value) => Some(value),
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Nullable::Value(value)
    }
}

impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Nullable::Null, Nullable::Value)
    }
}

impl From<&str> for Nullable<String> {
    fn from(value: &str) -> Self {
        Nullable::Value(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_option().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

/// Decodes an `Option<Nullable<T>>`: serde would make `None` of a `null`.
#[allow(dead_code)] // which types need it is up to the document
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Nullable<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Nullable::deserialize(deserializer).map(Some)
}

// An `Option` looks the same to JSON Schema, so the difference is marked.
super::json_schema!(Nullable<T>, "Nullable", |generator| {
    let mut schema = Option::<T>::json_schema(generator);
    schema.insert("x-nullable".to_owned(), true.into());
    schema
});

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Body {
        #[serde(
            default,
            deserialize_with = "crate::wire::nullable",
            skip_serializing_if = "Option::is_none"
        )]
        text: Option<Nullable<String>>,
    }

    #[test]
    fn absent_null_and_value_are_three_states() -> serde_json::Result<()> {
        for (text, json) in [
            (None, "{}"),
            (Some(Nullable::Null), r#"{"text":null}"#),
            (Some(Nullable::from("a")), r#"{"text":"a"}"#),
        ] {
            let body = Body { text };
            assert_eq!(serde_json::to_string(&body)?, json);
            assert_eq!(serde_json::from_str::<Body>(json)?, body);
        }
        assert_eq!(Nullable::<i64>::from(None), Nullable::Null);
        assert_eq!(Nullable::from(Some(1)), Nullable::from(1));
        Ok(())
    }
}
