//! Bodies of requests.

use bytes::Bytes;
use http::header;
use serde_json::Value;
use serde_json::error::Category;

use super::form;
use super::operation::{Body, Media, Operation};
use super::request::{Content, MOST, RawRequest, RequestFault, Violations};

/// Reads and checks the body.
pub(super) fn check(
    operation: &Operation,
    request: &RawRequest<'_>,
    violations: &mut Violations,
) -> Content {
    let Some(body) = operation.body() else {
        return Content::None;
    };
    if request.body.is_empty() {
        if body.required() {
            violations.add(
                RequestFault::Body,
                "body",
                format!("is required; send {}", kinds(body)),
            );
        }
        return Content::None;
    }
    let declared = match request
        .headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    {
        Some(Ok(declared)) => declared,
        Some(Err(_)) => return refuse(body, request.body, violations, "is not plain text; send"),
        None => return refuse(body, request.body, violations, "is missing; send"),
    };
    let kind = essence(declared);
    let Some(media) = pick(&body.content, &kind) else {
        return refuse(body, request.body, violations, "must be");
    };
    if is_json(&kind) {
        json(operation, media, request.body, violations)
    } else if kind == form::MULTIPART || kind == form::URLENCODED {
        form::check(operation, media, declared, request.body, violations)
    } else {
        Content::Other(request.body.clone())
    }
}

fn refuse(body: &Body, bytes: &Bytes, violations: &mut Violations, what: &str) -> Content {
    let message = format!("{what} {}", kinds(body));
    violations.add(RequestFault::ContentType, "header content-type", message);
    Content::Other(bytes.clone())
}

fn kinds(body: &Body) -> String {
    let kinds: Vec<&str> = body.content().map(|(kind, _)| kind).collect();
    kinds.join(" or ")
}

fn json(
    operation: &Operation,
    media: &Media,
    bytes: &Bytes,
    violations: &mut Violations,
) -> Content {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            violations.add(RequestFault::Body, "body", malformed(&error));
            return Content::Other(bytes.clone());
        }
    };
    if let Some(checker) = &media.checker {
        violations.extend(
            RequestFault::Body,
            checker.check(&operation.source, &value, "body", MOST),
        );
    }
    Content::Json(value)
}

/// Where JSON breaks off, without the text around it.
pub(super) fn malformed(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Eof => "it ends too early",
        _ if error.to_string().starts_with("recursion limit") => "it is nested too deeply",
        _ => "it is malformed",
    };
    format!(
        "is not valid JSON: {what}, at line {} column {}",
        error.line(),
        error.column()
    )
}

/// A media type without its parameters, in lower case.
pub(super) fn essence(kind: &str) -> String {
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Whether a media type without parameters is JSON.
pub(super) fn is_json(kind: &str) -> bool {
    kind == "application/json"
        || kind == "text/json"
        || (kind.contains('/') && kind.ends_with("+json"))
}

/// The documented media type that fits: the same one, else JSON for any JSON, else a range.
pub(super) fn pick<'a>(content: &'a [Media], kind: &str) -> Option<&'a Media> {
    let range = |media: &&Media| match media.kind.strip_suffix("/*") {
        Some("*") => true,
        Some(class) => kind
            .split_once('/')
            .is_some_and(|(other, _)| other == class),
        None => false,
    };
    content
        .iter()
        .find(|media| media.kind == kind)
        .or_else(|| {
            content
                .iter()
                .find(|media| is_json(kind) && is_json(&media.kind))
        })
        .or_else(|| content.iter().find(range))
}
