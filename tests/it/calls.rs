//! What the generated calls are made of.

use std::future::Future;
use std::pin::Pin;

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::{Client, Error, ResponseValue};
use reqwest::StatusCode;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};

/// One call of an operation.
pub(crate) struct Call {
    /// The operation.
    pub(crate) id: &'static str,
    /// Its resource.
    pub(crate) resource: &'static str,
    /// JSON of [`Values`] for all parameters and all of the body. Names stand for text, so it need not be valid.
    pub(crate) sample: &'static str,
    /// Makes the call with values.
    pub(crate) call: fn(Client, Values) -> Calling,
}

impl Call {
    /// Makes the call with the sample.
    pub(crate) fn sampled(&self, client: Client) -> Calling {
        let values = serde_json::from_str(self.sample);
        (self.call)(
            client,
            values.unwrap_or_else(|error| panic!("{}: {error}", self.id)),
        )
    }
}

/// A call under way.
pub(crate) type Calling = Pin<Box<dyn Future<Output = Result<Called, Error>> + Send>>;

/// What became of a call.
#[derive(Debug)]
pub(crate) struct Called {
    /// The status of the answer.
    pub(crate) status: StatusCode,
}

/// Forgets the type of an answer.
pub(crate) fn done<T>(result: Result<ResponseValue<T>, Error>) -> Result<Called, Error> {
    result.map(|response| Called {
        status: response.status(),
    })
}

/// What a call sends. What is absent is not given to the client, which says so if it is required.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Values {
    /// By the name on the wire.
    pub(crate) parameters: Map<String, Value>,
    /// For a form an object of its fields. The value of a file is its content, as text.
    #[serde(deserialize_with = "some")]
    pub(crate) body: Option<Value>,
}

/// A body that is `null` is a body.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Values {
    /// Sets a parameter, if there is a value for it.
    pub(crate) fn set<C, T: DeserializeOwned>(
        &self,
        call: C,
        name: &str,
        set: impl FnOnce(C, T) -> C,
    ) -> C {
        match self.parameters.get(name) {
            Some(value) => set(call, read(name, value)),
            None => call,
        }
    }

    /// Sets the body, if there is one.
    pub(crate) fn body<C, T: DeserializeOwned>(&self, call: C, set: impl FnOnce(C, T) -> C) -> C {
        match &self.body {
            Some(body) => set(call, read("body", body)),
            None => call,
        }
    }

    /// Sets the form, if there is one.
    pub(crate) fn form<C>(&self, call: C, set: impl FnOnce(C, Form<'_>) -> C) -> C {
        match &self.body {
            Some(fields) => set(call, Form(fields)),
            None => call,
        }
    }
}

/// The fields of a form.
pub(crate) struct Form<'a>(&'a Value);

impl Form<'_> {
    /// A field that is no file.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> T {
        read(name, &self.0[name])
    }

    /// One file, several or none.
    pub(crate) fn files(&self, name: &str) -> Vec<FilePart> {
        let contents = match &self.0[name] {
            Value::Array(list) => list.as_slice(),
            Value::Null => &[],
            one => std::slice::from_ref(one),
        };
        let contents = contents.iter().map(|content| read::<String>(name, content));
        contents.map(|content| file(name, &content)).collect()
    }
}

fn file(name: &str, content: &str) -> FilePart {
    FilePart::bytes(format!("{name}.txt"), content.to_owned())
}

/// A list, from an array or from text with commas.
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = match Value::deserialize(deserializer)? {
            Value::String(text) => text.split(',').map(Value::from).collect(),
            list => list,
        };
        serde_json::from_value(items)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// A value of a request type, from JSON.
fn read<T: DeserializeOwned>(name: &str, value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{name}: {value}: {error}"))
}
