//! Redirects: followed by hand, because the key must not leave the API's origin.

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION, USER_AGENT};
use reqwest::header::{CONTENT_ENCODING, HeaderValue, TRANSFER_ENCODING};
use reqwest::{Method, Request, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::Transport;
use crate::Error;

/// The most redirects that one request follows.
const MOST_HOPS: usize = 10;
const TOO_MANY: &str = "it is the eleventh in a row";
const NOT_A_READ: &str = "only those of GET and HEAD are";
pub(super) const NOWHERE: &str = "it has no usable Location header";

/// Sends a request and, if it is a GET or HEAD and `follow` is set, follows what redirects it.
/// Gives the answer, of any status, and for a redirect the reason why it was not followed.
pub(super) async fn send(
    client: &reqwest::Client,
    transport: &Transport,
    request: Request,
    follow: bool,
) -> Result<(Response, Option<&'static str>), Error> {
    let follows = follow && matches!(*request.method(), Method::GET | Method::HEAD);
    let template = if follows { request.try_clone() } else { None };
    let mut response = client.execute(request).await?;
    let Some(mut template) = template else {
        let refusal = is_redirect(response.status()).then_some(NOT_A_READ);
        return Ok((response, refusal));
    };
    for _ in 0..MOST_HOPS {
        if !is_redirect(response.status()) {
            return Ok((response, None));
        }
        let target = match target(template.url(), response.headers()) {
            Ok(target) => target,
            Err(refusal) => return Ok((response, Some(refusal))),
        };
        if !transport.is_home(&target) {
            // Once away, nothing of ours is sent again, not even on the way back.
            *template.headers_mut() = public(template.headers());
            *template.body_mut() = None;
        }
        *template.url_mut() = target;
        let Some(next) = template.try_clone() else {
            return Ok((response, Some(NOT_A_READ)));
        };
        response = client.execute(next).await?;
    }
    let refusal = is_redirect(response.status()).then_some(TOO_MANY);
    Ok((response, refusal))
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The `Location` of an answer, as sent.
pub(super) fn location(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(LOCATION)?
        .to_str()
        .ok()
        .filter(|location| !location.is_empty())
}

fn target(from: &Url, headers: &HeaderMap) -> Result<Url, &'static str> {
    let location = location(headers).ok_or(NOWHERE)?;
    let target = from.join(location).map_err(|_| "its Location is no URL")?;
    match target.scheme() {
        "http" | "https" => Ok(target),
        _ => Err("its Location is not an HTTP URL"),
    }
}

/// The headers that another host may see.
fn public(headers: &HeaderMap) -> HeaderMap {
    let keep = |name| headers.get(&name).map(|value| (name, value.clone()));
    [ACCEPT, USER_AGENT].into_iter().filter_map(keep).collect()
}

/// Makes of a redirect that is itself the answer the JSON that the operation documents, with the
/// target at `pointer`, e.g. `/data/signed_url`. `None` if it has no usable `Location`.
pub(super) fn into_answer(response: &Response, pointer: &str) -> Option<http::Response<String>> {
    let location = location(response.headers())?;
    // A signed URL is handed on as it came: parsing may change how it is encoded.
    let target = match Url::parse(location) {
        Ok(_) => location.to_owned(),
        Err(_) => response.url().join(location).ok()?.into(),
    };
    let keys = pointer.rsplit('/').filter(|key| !key.is_empty());
    let body = keys.fold(Value::String(target), |value, key| json!({ key: value }));
    let mut answer = http::Response::new(body.to_string());
    *answer.headers_mut() = response.headers().clone();
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
        answer.headers_mut().remove(name);
    }
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(location: Option<&'static str>) -> Response {
        let mut answer = http::Response::new("a page");
        *answer.status_mut() = StatusCode::FOUND;
        answer
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("6"));
        answer
            .headers_mut()
            .insert("x-kept", HeaderValue::from_static("1"));
        if let Some(location) = location {
            answer
                .headers_mut()
                .insert(LOCATION, HeaderValue::from_static(location));
        }
        answer.into()
    }

    #[test]
    fn a_redirect_that_is_the_answer_becomes_json() {
        for (location, body) in [
            (
                Some("https://h/x?sig=%7e{}"),
                Some(r#"{"data":{"url":"https://h/x?sig=%7e{}"}}"#),
            ),
            (
                Some("/x"),
                Some(r#"{"data":{"url":"http://no.url.provided.local/x"}}"#),
            ),
            (Some(""), None),
            (None, None),
        ] {
            let answer = into_answer(&redirect(location), "/data/url");
            assert_eq!(answer.as_ref().map(|answer| answer.body().as_str()), body);
            if let Some(answer) = answer {
                assert_eq!(answer.status(), StatusCode::OK);
                assert_eq!(answer.headers().len(), 3, "{:?}", answer.headers());
            }
        }
    }

    #[test]
    fn a_target_must_be_an_http_url() -> Result<(), Box<dyn std::error::Error>> {
        let from = Url::parse("http://h:1/a/b")?;
        for (location, expected) in [
            ("../c?d", Some("http://h:1/c?d")),
            ("//other/x", Some("http://other/x")),
            ("https://other", Some("https://other/")),
            ("file:///etc/passwd", None),
            ("http://[", None),
        ] {
            let target = target(&from, redirect(Some(location)).headers()).ok();
            assert_eq!(target.as_ref().map(Url::as_str), expected, "{location}");
        }
        Ok(())
    }
}
