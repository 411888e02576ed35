use std::fmt::Write as _;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind};

/// A list that a query carries as one value, joined by commas: `metrics=a,b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined<T>(pub Vec<T>);

impl<T> From<Vec<T>> for Joined<T> {
    fn from(list: Vec<T>) -> Self {
        Self(list)
    }
}

impl<T, const N: usize> From<[T; N]> for Joined<T> {
    fn from(list: [T; N]) -> Self {
        Self(list.into())
    }
}

impl<T> FromIterator<T> for Joined<T> {
    fn from_iter<I: IntoIterator<Item = T>>(list: I) -> Self {
        Self(list.into_iter().collect())
    }
}

/// Fails if a value holds a comma: the server would take it for two.
impl<T: ToString> Serialize for Joined<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut joined = String::new();
        for (index, value) in self.0.iter().map(T::to_string).enumerate() {
            if value.contains(',') {
                return Err(S::Error::custom(
                    "a value of a comma-joined list holds a comma",
                ));
            }
            let comma = if index == 0 { "" } else { "," };
            write!(joined, "{comma}{value}").map_err(S::Error::custom)?;
        }
        serializer.serialize_str(&joined)
    }
}

super::json_schema!(Joined<T>, "Joined", |_generator| schemars::json_schema!({
    "type": "string",
    "description": "values joined by commas",
}));

/// A JSON value that a query carries as text: `metadata={"a":1}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct JsonText(String);

impl JsonText {
    /// The JSON of a value.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if it cannot be written as JSON, e.g. a map whose keys are
    /// no strings.
    pub fn new(value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let message = "a value cannot be written as JSON";
        serde_json::to_string(value)
            .map(Self)
            .map_err(|_| Error::new(ErrorKind::InvalidRequest, message))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<serde_json::Value> for JsonText {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string())
    }
}

super::json_schema!(JsonText, "JsonText", |_generator| schemars::json_schema!({
    "type": "string",
    "description": "JSON as text",
}));

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn lists_are_joined_and_json_is_text() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(to_value(Joined::from(["a", "b"]))?, json!("a,b"));
        assert_eq!(
            to_value([1, 2, 3].into_iter().collect::<Joined<i32>>())?,
            json!("1,2,3")
        );
        assert_eq!(to_value(Joined::<String>::from(vec![]))?, json!(""));
        assert!(to_value(Joined::from(["a,b"])).is_err());
        assert_eq!(
            to_value(JsonText::from(json!({"a": "é"})))?,
            json!(r#"{"a":"é"}"#)
        );
        assert_eq!(JsonText::new(&[Some(1), None])?.as_str(), "[1,null]");
        Ok(())
    }
}
