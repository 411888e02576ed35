//! Responses from their parts.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::body::Body;

/// A response with JSON.
pub(crate) fn json_response(status: u16, body: &Value) -> Response<Body> {
    bytes_response(status, "application/json", body.to_string())
}

/// A response with these bytes.
pub(crate) fn bytes_response(
    status: u16,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = empty_response(status);
    *response.body_mut() = Body::whole(body);
    set_headers(&mut response, [(CONTENT_TYPE.as_str(), content_type)]);
    response
}

/// A response without a body.
pub(super) fn empty_response(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::new()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// Sets headers, and leaves out what HTTP does not allow.
pub(crate) fn set_headers<N: AsRef<str>, V: AsRef<str>>(
    response: &mut Response<Body>,
    headers: impl IntoIterator<Item = (N, V)>,
) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            name.as_ref().parse::<HeaderName>(),
            HeaderValue::from_str(value.as_ref()),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
}
