//! Reads operations out of a document.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::DocumentError;
use super::body::{essence, is_json};
use super::names;
use super::operation::{Body, DEFAULT, Location, Media, Operation, Parameter, Reply};
use super::pointer;
use super::route;
use super::schema::{Checker, Source};

/// The members of a path item that are methods.
const METHODS: [(&str, Method); 8] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
    ("head", Method::HEAD),
    ("patch", Method::PATCH),
    ("trace", Method::TRACE),
];

/// Reads the operations of a document.
pub(super) struct Builder<'a> {
    source: &'a Arc<Source>,
    operations: Vec<Operation>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Arc<Source>) -> Self {
        Self {
            source,
            operations: Vec::new(),
        }
    }

    pub(super) fn operations(mut self) -> Result<Vec<Operation>, DocumentError> {
        let root = &self.source.root;
        let fault = || {
            DocumentError::new("the member `paths` must be a mapping with at least one path")
                .at("/paths")
        };
        let paths = root
            .get("paths")
            .and_then(Value::as_object)
            .ok_or_else(fault)?;
        for path in paths.keys().filter(|path| !path.starts_with("x-")) {
            self.path_item(path)?;
        }
        if self.operations.is_empty() {
            return Err(fault());
        }
        Ok(self.operations)
    }

    fn path_item(&mut self, path: &str) -> Result<(), DocumentError> {
        route::segments(path)?;
        let Some((place, item)) =
            pointer::follow(&self.source.root, &pointer::join("/paths", path))
        else {
            return Ok(());
        };
        for (name, method) in &METHODS {
            if let Some(node) = item.get(*name) {
                let operation = self.operation(path, method, &place, name, node)?;
                self.operations.push(operation);
            }
        }
        Ok(())
    }

    fn operation(
        &self,
        path: &str,
        method: &Method,
        item: &str,
        name: &str,
        node: &Value,
    ) -> Result<Operation, DocumentError> {
        let place = pointer::join(item, name);
        if !node.is_object() {
            return Err(DocumentError::new("an operation must be a mapping").at(&place));
        }
        let mut parameters = Vec::new();
        self.parameters(&place, &mut parameters)?;
        self.parameters(item, &mut parameters)?;
        let security = node
            .get("security")
            .or_else(|| self.source.root.get("security"));
        Ok(Operation {
            source: Arc::clone(self.source),
            index: self.operations.len(),
            id: names::of(
                method,
                path,
                node.get("operationId").and_then(Value::as_str),
            ),
            key: format!("{method} {path}"),
            method: method.clone(),
            path: path.to_owned(),
            needs_key: needs_key(security),
            parameters,
            body: self.body(&place)?,
            answers: self.answers(&place)?,
            pointer: place,
        })
    }

    /// Adds the parameters under `place` that the list doesn't have yet.
    fn parameters(&self, place: &str, list: &mut Vec<Parameter>) -> Result<(), DocumentError> {
        let place = pointer::join(place, "parameters");
        let count = self
            .source
            .root
            .pointer(&place)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        for index in 0..count {
            let place = pointer::join(&place, &index.to_string());
            let Some((place, node)) = pointer::follow(&self.source.root, &place) else {
                continue;
            };
            if let Some(parameter) = self.parameter(place, node)?
                && !list.iter().any(|other| {
                    other.name == parameter.name && other.location == parameter.location
                })
            {
                list.push(parameter);
            }
        }
        Ok(())
    }

    fn parameter(&self, place: String, node: &Value) -> Result<Option<Parameter>, DocumentError> {
        let text = |name: &str| node.get(name).and_then(Value::as_str);
        let Some(name) = text("name") else {
            return Err(DocumentError::new("a parameter needs a `name`").at(&place));
        };
        let location = match text("in") {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            Some("cookie") => Location::Cookie,
            _ => {
                return Err(DocumentError::new(
                    "a parameter is `in` path, query, header or cookie",
                )
                .at(&place));
            }
        };
        // OpenAPI says to ignore these: other parts of the document describe them.
        let ignored = ["accept", "content-type", "authorization"];
        if location == Location::Header && ignored.contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(None);
        }
        let content = media(node, &place)?.into_iter().next();
        let json = content.as_ref().is_some_and(|media| is_json(&media.kind));
        let (schema, checker) = match content {
            Some(media) => (media.schema, media.checker),
            None => (
                node.get("schema").cloned(),
                node.get("schema")
                    .map(|_| Checker::new(pointer::join(&place, "schema"))),
            ),
        };
        Ok(Some(Parameter {
            name: name.to_owned(),
            location,
            required: location == Location::Path
                || node.get("required") == Some(&Value::Bool(true)),
            schema: schema.unwrap_or(Value::Bool(true)),
            checker,
            json,
            deep: text("style") == Some("deepObject"),
        }))
    }

    fn body(&self, place: &str) -> Result<Option<Body>, DocumentError> {
        let Some((place, node)) =
            pointer::follow(&self.source.root, &pointer::join(place, "requestBody"))
        else {
            return Ok(None);
        };
        let content = media(node, &place)?;
        if content.is_empty() {
            return Err(
                DocumentError::new("a request body needs `content` with a media type").at(&place),
            );
        }
        Ok(Some(Body {
            required: node.get("required") == Some(&Value::Bool(true)),
            content,
        }))
    }

    fn answers(&self, place: &str) -> Result<Vec<Reply>, DocumentError> {
        let place = pointer::join(place, "responses");
        let mut list = Vec::new();
        let names = self.source.root.pointer(&place).and_then(Value::as_object);
        for name in names
            .into_iter()
            .flat_map(|names| names.keys())
            .filter(|name| !name.starts_with("x-"))
        {
            let place = pointer::join(&place, name);
            let Some((first, last)) = statuses(name) else {
                return Err(DocumentError::new("an answer's key is a status such as '200', a class such as '4XX', or `default`")
                    .at(&place));
            };
            let Some((place, node)) = pointer::follow(&self.source.root, &place) else {
                continue;
            };
            let headers = node.get("headers").and_then(Value::as_object);
            let headers = headers
                .map(|headers| headers.keys().cloned().collect())
                .unwrap_or_default();
            list.push(Reply {
                first,
                last,
                content: media(node, &place)?,
                headers,
            });
        }
        list.sort_by_key(|reply| (reply.is_range(), reply.first));
        Ok(list)
    }
}

/// The media types of a parameter, a body or an answer.
fn media(node: &Value, place: &str) -> Result<Vec<Media>, DocumentError> {
    let place = pointer::join(place, "content");
    let Some(content) = node.get("content") else {
        return Ok(Vec::new());
    };
    let Some(content) = content.as_object() else {
        return Err(DocumentError::new("`content` must map media types to schemas").at(&place));
    };
    let list = content.iter().map(|(kind, node)| {
        let schema = node.get("schema").cloned();
        let place = pointer::join(&pointer::join(&place, kind), "schema");
        let checker = schema.as_ref().map(|_| Checker::new(place));
        Media {
            kind: essence(kind),
            schema,
            checker,
        }
    });
    Ok(list.collect())
}

/// A list with an empty mapping in it says that a key is optional.
fn needs_key(security: Option<&Value>) -> bool {
    let list = security.and_then(Value::as_array);
    list.is_some_and(|list| {
        !list.is_empty()
            && list
                .iter()
                .all(|entry| entry.as_object().is_some_and(|entry| !entry.is_empty()))
    })
}

fn statuses(name: &str) -> Option<(u16, u16)> {
    if name == "default" {
        return Some(DEFAULT);
    }
    if let Some(class) = name.strip_suffix("XX").or_else(|| name.strip_suffix("xx")) {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    let status: u16 = name
        .parse()
        .ok()
        .filter(|status| (100..=599).contains(status))?;
    Some((status, status))
}
