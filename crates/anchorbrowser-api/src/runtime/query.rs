//! Query parameters and form bodies: OpenAPI's style `form`, exploded.

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{Error, ErrorKind};

/// One query parameter; serializes as a list of pairs.
pub(crate) struct QueryParam<'a, T> {
    name: &'a str,
    value: &'a T,
}

impl<'a, T> QueryParam<'a, T> {
    pub(crate) fn new(name: &'a str, value: &'a T) -> Self {
        Self { name, value }
    }
}

impl<T: Serialize> Serialize for QueryParam<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs = Vec::new();
        let value = serde_json::to_value(self.value).map_err(S::Error::custom)?;
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    push(&mut pairs, &name, value).map_err(S::Error::custom)?;
                }
            }
            value => push(&mut pairs, self.name, value).map_err(S::Error::custom)?,
        }
        pairs.serialize(serializer)
    }
}

/// Adds the pairs of a scalar or of a list of scalars; null is no pair.
fn push(pairs: &mut Vec<(String, String)>, name: &str, value: Value) -> Result<(), String> {
    let text = match value {
        Value::Null => return Ok(()),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value,
        Value::Array(values) if !values.iter().any(|v| v.is_array() || v.is_object()) => {
            return values
                .into_iter()
                .try_for_each(|value| push(pairs, name, value));
        }
        Value::Array(_) | Value::Object(_) => {
            return Err(format!(
                "`{name}` holds a nested value, which this form cannot carry"
            ));
        }
    };
    pairs.push((name.to_owned(), text));
    Ok(())
}

/// What the generator calls for form bodies.
#[allow(dead_code)] // only a document with form bodies needs it
pub(crate) trait RequestBuilderExt: Sized {
    /// Sets a body of type `application/x-www-form-urlencoded`.
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self, Error>;
}

impl RequestBuilderExt for RequestBuilder {
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self, Error> {
        let refuse = |reason: String| {
            let message = format!("the form body could not be built: {reason}");
            Error::new(ErrorKind::InvalidRequest, message)
        };
        let mut pairs = Vec::new();
        match serde_json::to_value(body) {
            Ok(Value::Object(map)) => map
                .into_iter()
                .try_for_each(|(name, value)| push(&mut pairs, &name, value))
                .map_err(refuse)?,
            Ok(_) => return Err(refuse("it is no object".to_owned())),
            Err(error) => return Err(refuse(error.to_string())),
        }
        // The encoding of a URL's query is that of a form.
        let mut url = Url::parse("form:").map_err(|error| refuse(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(pairs);
        let encoded = url.query().unwrap_or_default().to_owned();
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        Ok(self.header(CONTENT_TYPE, content_type).body(encoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pairs(value: Value) -> Result<Value, String> {
        serde_json::to_value(QueryParam::new("n", &value)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_parameter_is_a_list_of_pairs() {
        for (value, expected) in [
            (json!(null), json!([])),
            (json!([]), json!([])),
            (json!("a b"), json!([["n", "a b"]])),
            (json!(""), json!([["n", ""]])),
            (json!(true), json!([["n", "true"]])),
            (json!(40), json!([["n", "40"]])),
            (json!(["a", null, 1]), json!([["n", "a"], ["n", "1"]])),
            (
                json!({"a": 1, "b": [2, 3], "c": null}),
                json!([["a", "1"], ["b", "2"], ["b", "3"]]),
            ),
        ] {
            assert_eq!(pairs(value), Ok(expected));
        }
        for nested in [json!([["a"]]), json!([{}]), json!({"a": {"b": 1}})] {
            assert!(pairs(nested).is_err_and(|reason| reason.contains("nested")));
        }
    }

    #[test]
    fn a_form_body_is_encoded_like_a_query() -> Result<(), Error> {
        let request = reqwest::Client::new()
            .post("http://localhost")
            .form_urlencoded(&json!({"a b": "c&d", "e": [1, 2]}))?;
        let request = request.build()?;
        let body = request.body().and_then(reqwest::Body::as_bytes);
        assert_eq!(body, Some(&b"a+b=c%26d&e=1&e=2"[..]));
        Ok(())
    }
}
