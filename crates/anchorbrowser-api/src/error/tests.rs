use super::*;

const CANARY: &str = "canary-6c1f";

fn answer(status: u16, body: &str) -> Answer {
    let status = StatusCode::from_u16(status).expect("a status");
    let mut headers = HeaderMap::new();
    headers.insert("x-secret", CANARY.parse().expect("a value"));
    Answer {
        status,
        headers,
        body: Some(Bytes::copy_from_slice(body.as_bytes())),
    }
}

#[test]
fn each_shape_of_error_body_is_read() {
    for (body, message, code, details) in [
        (
            r#"{"error":{"code":402,"message":"m"}}"#,
            Some("m"),
            Some("402"),
            vec![],
        ),
        (
            r#"{"error":{"error":{"code":402,"message":"m"}}}"#,
            Some("m"),
            Some("402"),
            vec![],
        ),
        (r#"{"error":"m"}"#, Some("m"), None, vec![]),
        (
            r#"{"error":"m","details":["a",{"message":"b"}]}"#,
            Some("m"),
            None,
            vec!["a", "b"],
        ),
        (
            r#"{"error":"m","next":{"a":1},"docs":"d"}"#,
            Some("m"),
            None,
            vec![],
        ),
        (
            r#"{"message":"m","error":"Bad Request","code":"x"}"#,
            Some("m"),
            Some("x"),
            vec![],
        ),
        (r#""m""#, Some("m"), None, vec![]),
        ("\u{feff}{\"message\":\"m\"}", Some("m"), None, vec![]),
        (r#"{"message":" ","error":"m"}"#, Some("m"), None, vec![]),
        (r#"{"error":{"details":"a"}}"#, None, None, vec!["a"]),
        ("upstream timeout", Some("upstream timeout"), None, vec![]),
        ("<html></html>", None, None, vec![]),
        ("<?xml version=\"1.0\"?><Error/>", None, None, vec![]),
        (r#"{"error":"cut o"#, None, None, vec![]),
        ("[]", None, None, vec![]),
    ] {
        let read = ErrorBody::read(body.as_bytes()).expect(body);
        assert_eq!((read.message(), read.code()), (message, code), "{body}");
        assert_eq!(read.details(), details, "{body}");
        assert_eq!(
            read.json().is_some(),
            !matches!(body.as_bytes()[0], b'<' | b'u') && !body.contains("cut"),
            "{body}"
        );
    }
    assert!(ErrorBody::read(b" \n").is_none());
}

#[test]
fn an_answer_that_is_no_success_reads_as_what_it_is() {
    let long = "x".repeat(300);
    for (status, body, expected) in [
        (
            402,
            r#"{"error":{"code":402,"message":"Insufficient credits"}}"#,
            "402 Payment Required: Insufficient credits (code 402)",
        ),
        (
            400,
            r#"{"error":"m","details":["a","b"]}"#,
            "400 Bad Request: m: a; b",
        ),
        (
            502,
            "<!DOCTYPE html><HTML><Title>\nBad Gateway</title>",
            "502 Bad Gateway: an HTML page instead of the API's answer (title: Bad Gateway)",
        ),
        (
            503,
            "<html>",
            "503 Service Unavailable: an HTML page instead of the API's answer",
        ),
        (401, "", "401 Unauthorized: no body; check the API key"),
        (520, "a\u{1b}[1m\nb", "520: a [1m b"),
        (
            500,
            r#"{"password":"canary-6c1f"}"#,
            "no message in the body (an object of `password`)",
        ),
        (500, &long, "xxx…"),
    ] {
        let error = Error::from_answer(answer(status, body), None, str::to_owned)
            .of(Some("create_session"));
        let text = error.to_string();
        assert!(
            text.starts_with("create_session: ") && text.contains(expected),
            "{text}"
        );
        assert!(text.len() < 300 && !text.contains(CANARY), "{text}");
        assert_eq!(error.body().map(|b| &b[..]), Some(body.as_bytes()));
        assert_eq!(error.status().map(|s| s.as_u16()), Some(status));
        assert_eq!(error.headers().map(HeaderMap::len), Some(1));
    }
}

#[test]
fn no_kind_of_error_prints_body_headers_or_location() {
    use ErrorKind::*;
    let kinds = [
        Config,
        InvalidRequest,
        MissingKey,
        Connect,
        Timeout,
        Transport,
        Status,
        Redirect,
        Body,
    ];
    for kind in kinds.into_iter().chain([Decode]) {
        let error = Error::new(kind, "what happened")
            .of(Some("get_session"))
            .with_answer(answer(307, CANARY))
            .with_location(Some(format!("https://{CANARY}/?sig={CANARY}")));
        assert_eq!(
            error.to_string(),
            "get_session: 307 Temporary Redirect: what happened"
        );
        assert!(
            !format!("{error:?}{error:#?}").contains(CANARY),
            "{error:?}"
        );
        assert!(
            error
                .location()
                .is_some_and(|location| location.contains(CANARY))
        );
        assert_eq!(
            (error.kind(), error.operation()),
            (kind, Some("get_session"))
        );
        assert_eq!(error.is_timeout(), kind == Timeout);
    }
}

#[test]
fn a_request_that_cannot_be_built_keeps_its_cause_and_no_url() {
    let request = reqwest::Client::new()
        .get(format!("http://[{CANARY}"))
        .build();
    let error = Error::from(request.expect_err("no URL"));
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(!format!("{error}{error:?}").contains(CANARY), "{error:?}");
    let source = error.source().expect("a cause").to_string();
    assert!(
        !source.contains(CANARY) && !error.to_string().contains(&source),
        "{source}"
    );
}

#[test]
fn an_error_can_be_sent_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
}
