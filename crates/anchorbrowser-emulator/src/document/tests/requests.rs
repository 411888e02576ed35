use super::*;

#[test]
fn queries_are_read_by_their_schemas() {
    let table: &[(&str, &str, Value, &[&str])] = &[
        (
            "list_sessions",
            "page=2&limit=20&proxy=true&search=a+b%2Bc&x=1",
            json!({"page": 2, "limit": 20, "proxy": true, "search": "a b+c"}),
            &[],
        ),
        ("list_sessions", "", json!({}), &[]),
        ("list_sessions", "&&page=1&", json!({"page": 1}), &[]),
        (
            "list_sessions",
            "page=0",
            json!({"page": 0}),
            &["query page must be at least 1"],
        ),
        (
            "list_sessions",
            "page=one",
            json!({}),
            &["query page must be an integer"],
        ),
        (
            "list_sessions",
            "page=1.5",
            json!({}),
            &["query page must be an integer"],
        ),
        (
            "list_sessions",
            "page=%2B1",
            json!({}),
            &["query page must be an integer"],
        ),
        (
            "list_sessions",
            "page=",
            json!({}),
            &["query page must be an integer"],
        ),
        (
            "list_sessions",
            "page=1&page=2",
            json!({}),
            &["query page is given 2 times; give it once"],
        ),
        (
            "list_sessions",
            "limit=11",
            json!({"limit": 11}),
            &["query limit must be one of 10, 20, 50"],
        ),
        (
            "list_sessions",
            "proxy=1",
            json!({}),
            &["query proxy must be a boolean"],
        ),
        (
            "list_sessions",
            "sort_order=up",
            json!({"sort_order": "up"}),
            &[r#"query sort_order must be one of "asc", "desc""#],
        ),
        (
            "list_sessions",
            "created_from=2025-01-31",
            json!({"created_from": "2025-01-31"}),
            &[
                "query created_from must be a date and time by RFC 3339, such as 2025-01-31T12:00:00Z",
            ],
        ),
        (
            "list_sessions",
            "search=%zz",
            json!({}),
            &[
                "query search holds a `%` that is not followed by two hexadecimal digits; write `%25` for the sign itself",
            ],
        ),
        (
            "list_sessions",
            "%FF=1",
            json!({}),
            &[
                "query has a name that is not UTF-8 after decoding; encode text as UTF-8 before escaping it",
            ],
        ),
        (
            "get_sessions_history",
            "metrics=ai_steps&metrics=screenshots",
            json!({"metrics": ["ai_steps", "screenshots"]}),
            &[],
        ),
        (
            "get_sessions_history",
            "metrics=ai_steps%2Cscreenshots",
            json!({"metrics": "ai_steps,screenshots"}),
            &[],
        ),
        (
            "get_sessions_history",
            "metrics=ai_steps",
            json!({"metrics": "ai_steps"}),
            &[],
        ),
        (
            "list_tasks",
            "page=2&limit=10",
            json!({"page": "2", "limit": "10"}),
            &[],
        ),
        (
            "list_tasks",
            "page=%D9%A1",
            json!({"page": "\u{661}"}),
            &["query page must match the pattern ^[1-9][0-9]*$"],
        ),
    ];
    for (name, text, expected, violations) in table {
        let checked = query(name, text);
        assert_eq!(json!(checked.query), *expected, "{name} {text}");
        assert_eq!(told(&checked), *violations, "{name} {text}");
        assert!(
            checked
                .violations
                .iter()
                .all(|violation| violation.fault == RequestFault::Parameter)
        );
    }
    let checked = query("get_sessions_history", "metrics=ai_steps&metrics=steps");
    assert!(
        told(&checked)[0].starts_with("query metrics[1] must be one of \"session_count\""),
        "{:?}",
        told(&checked)
    );
    assert_eq!(
        told(&query("execute_code", ""))[0],
        "query sessionId is required"
    );
}

#[test]
fn deep_objects_arrive_in_both_forms() {
    for text in [
        "metadata=%7B%22team%22%3A%22a%22%7D",
        "metadata[team]=a",
        "metadata%5Bteam%5D=a",
    ] {
        let sent = Sent {
            path: &[("applicationId", "8c8d2a3e-1c1b-4f8e-9a66-2f3f6d1f0b11")],
            query: Some(text),
            ..Sent::default()
        };
        let checked = check(&Document::embedded(), "list_application_identities", &sent);
        assert_eq!(told(&checked), Vec::<String>::new(), "{text}");
        assert_eq!(
            checked.query.get("metadata"),
            Some(&json!(r#"{"team":"a"}"#)),
            "{text}"
        );
    }
}

#[test]
fn paths_headers_and_cookies_are_checked() {
    let document = Document::embedded();
    let sent = Sent {
        path: &[("applicationId", "secret")],
        ..Sent::default()
    };
    let checked = check(&document, "get_application", &sent);
    assert_eq!(told(&checked), ["path applicationId must be a UUID"]);

    let paths = r"
  /x/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      - {name: X-Limit, in: header, required: true, schema: {type: integer, maximum: 5}}
      - {name: Accept, in: header, required: true, schema: {type: integer}}
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: boolean}}
        - {name: c, in: cookie, schema: {type: string, minLength: 2}}
        - {name: q, in: query, content: {application/json: {schema: {type: object, required: [a]}}}}
";
    let document = Document::parse(&small(paths, "    A: {}")).unwrap();
    let name = "get_x_by_id";
    let sent = Sent {
        path: &[("id", "true")],
        query: Some("q=%7B%22a%22%3A1%7D"),
        headers: &[("x-limit", "5"), ("cookie", "b=1; c=22")],
        ..Sent::default()
    };
    let checked = check(&document, name, &sent);
    assert_eq!(told(&checked), Vec::<String>::new());
    assert_eq!(json!(checked.query), json!({"q": {"a": 1}}));
    let sent = Sent {
        path: &[("id", "1")],
        query: Some("q={}"),
        headers: &[("x-limit", "6"), ("cookie", "c=2")],
        ..Sent::default()
    };
    let mut found = told(&check(&document, name, &sent));
    found.sort();
    assert_eq!(
        found,
        [
            "cookie c must have at least 2 characters",
            "header X-Limit must be at most 5",
            "path id must be a boolean",
            "query q.a is required"
        ]
    );
    let sent = Sent {
        path: &[("id", "true")],
        headers: &[("x-limit", "1"), ("x-limit", "2")],
        ..Sent::default()
    };
    assert_eq!(
        told(&check(&document, name, &sent)),
        ["header X-Limit is given 2 times; give it once"]
    );
}

#[test]
fn bodies_need_their_media_type() {
    let document = Document::embedded();
    let table: &[(&str, Option<&str>, &str, &[&str])] = &[
        ("create_session", None, "", &[]),
        ("create_session", Some("application/json"), "", &[]),
        ("create_session", Some("application/json"), "{}", &[]),
        (
            "create_session",
            Some("Application/JSON; charset=utf-8"),
            "{}",
            &[],
        ),
        (
            "create_session",
            Some("application/merge-patch+json"),
            "{}",
            &[],
        ),
        (
            "create_session",
            None,
            "{}",
            &["header content-type is missing; send application/json"],
        ),
        (
            "create_session",
            Some("text/plain"),
            "{}",
            &["header content-type must be application/json"],
        ),
        (
            "create_session",
            Some("\u{e9}"),
            "{}",
            &["header content-type is not plain text; send application/json"],
        ),
        (
            "create_session",
            Some("application/json"),
            "[",
            &["body is not valid JSON: it ends too early, at line 1 column 1"],
        ),
        (
            "create_session",
            Some("application/json"),
            "{\"a\" secret",
            &["body is not valid JSON: it is malformed, at line 1 column 6"],
        ),
        (
            "create_session",
            Some("application/json"),
            "[]",
            &["body must be an object"],
        ),
        (
            "update_task",
            Some("application/json"),
            "",
            &["body is required; send application/json"],
        ),
        ("delete_all_sessions", None, "whatever", &[]),
    ];
    for (name, kind, body, expected) in table {
        let sent = Sent {
            kind: *kind,
            body: body.as_bytes(),
            path: &[("taskId", "8c8d2a3e-1c1b-4f8e-9a66-2f3f6d1f0b11")],
            ..Sent::default()
        };
        assert_eq!(
            told(&check(&document, name, &sent)),
            *expected,
            "{name} {kind:?} {body}"
        );
    }
    let deep = "[".repeat(100_000);
    let sent = Sent {
        kind: Some("application/json"),
        body: deep.as_bytes(),
        ..Sent::default()
    };
    assert!(told(&check(&document, "create_session", &sent))[0].contains("nested too deeply"));
}

#[test]
fn violations_name_the_deepest_member_and_no_value() {
    let table = [
        (
            "create_session",
            json!({"session": {"timeout": {"max_duration": "secret"}}}),
            "body.session.timeout.max_duration must be an integer",
        ),
        (
            "create_batch_session",
            json!({"count": 1001}),
            "body.count must be at most 1000",
        ),
        ("create_batch_session", json!({}), "body.count is required"),
        (
            "create_webhook",
            json!({"url": "secret", "subscribed_events": ["task.completed"]}),
            "body.url must be an absolute URI, such as https://example.com/",
        ),
        (
            "create_identity",
            json!({"source": "https://example.com", "credentials": [{"type": "username_password", "username": "secret"}]}),
            "body.credentials[0].password is required",
        ),
        (
            "create_identity",
            json!({"source": "https://example.com", "credentials": [{"type": "secret"}]}),
            r#"body.credentials[0].type must be one of "username_password", "authenticator", "custom""#,
        ),
        (
            "create_identity",
            json!({"source": "https://example.com", "credentials": ["secret"]}),
            "body.credentials[0] must be an object",
        ),
        (
            "resolve_dynamic_auth_flow",
            json!({}),
            "body fits none of the documented forms; add `option_index` and `values`, or `choice`",
        ),
        (
            "create_task",
            json!({"name": "a b", "language": "typescript"}),
            "body.name must match the pattern ^[a-zA-Z0-9_-]+$",
        ),
        (
            "run_task",
            json!({"input_params": {"a b": 1}}),
            r#"body.input_params["a b"] must be a string"#,
        ),
        (
            "create_session",
            json!({"session": {"proxy": {"active": true, "type": "secret"}}}),
            "body.session.proxy.type must be one of",
        ),
        (
            "create_session",
            json!({"session": {"proxy": {"active": true, "type": "custom", "server": 1}}}),
            "body.session.proxy",
        ),
    ];
    for (name, body, expected) in table {
        let found = json_body(name, &body);
        assert!(
            found.iter().any(|found| found.starts_with(expected)),
            "{name} {body}: {found:?}"
        );
        assert!(!found.join(" ").contains("secret"), "{found:?}");
    }
    let many: Vec<Value> = (0..50).map(Value::from).collect();
    assert_eq!(
        json_body(
            "create_webhook",
            &json!({"url": "https://e.com", "subscribed_events": many})
        )
        .len(),
        10
    );
}

#[test]
fn nothing_of_a_request_is_printed() {
    let body = json!({"session": {"proxy": {"password": "hush"}}}).to_string();
    let sent = Sent {
        kind: Some("application/json"),
        body: body.as_bytes(),
        query: Some("search=hush"),
        ..Sent::default()
    };
    let checked = check(&Document::embedded(), "create_session", &sent);
    let part = Part {
        name: "n".to_owned(),
        file_name: None,
        content_type: None,
        bytes: Bytes::from_static(b"hush"),
    };
    let printed = format!(
        "{checked:?} {:?} {:?}",
        Content::Other(Bytes::from_static(b"hush")),
        part
    );
    assert!(!printed.contains("hush"), "{printed}");
}
