use super::*;

#[test]
fn null_is_allowed_where_the_document_says_so() {
    let clears = json!({"description": null});
    assert_eq!(
        json_body("update_webhook", &clears)
            .iter()
            .filter(|found| found.starts_with("body"))
            .count(),
        0
    );
    let table = [
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": "string", "nullable": false}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": ["string", "null"], "nullable": true}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": "string", "enum": ["a"], "nullable": true}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (json!({"nullable": true}), json!({})),
        (
            json!({"$ref": "#/components/schemas/A", "nullable": true}),
            json!({"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}),
        ),
        (
            json!({"$ref": "#/components/schemas/A", "title": "t"}),
            json!({"$ref": "#/components/schemas/A", "title": "t"}),
        ),
        (
            json!({"properties": {"nullable": {"type": "string"}, "example": {"type": "string", "nullable": true}}}),
            json!({"properties": {"nullable": {"type": "string"}, "example": {"type": ["string", "null"]}}}),
        ),
        (
            json!({"example": {"nullable": true}, "default": {"$ref": "x"}}),
            json!({"example": {"nullable": true}, "default": {"$ref": "x"}}),
        ),
        (
            json!({"pattern": r"^\d+[\d\-]\\d$"}),
            json!({"pattern": r"^[0-9]+[0-9\-]\\d$"}),
        ),
        (
            json!({"patternProperties": {r"^\d$": {"nullable": true, "type": "string"}}}),
            json!({"patternProperties": {"^[0-9]$": {"type": ["string", "null"]}}}),
        ),
    ];
    for (schema, expected) in table {
        let mut root =
            json!({"openapi": "3.1.0", "components": {"schemas": {"A": true, "B": schema}}});
        normal::normalize(&mut root).unwrap();
        assert_eq!(root["components"]["schemas"]["B"], expected);
    }
}

#[test]
fn documents_at_fault_are_refused_with_the_place() {
    let get = "  /a: {get: {}}";
    let table: &[(&str, &str)] = &[
        ("", "empty"),
        ("a: [", "not valid YAML"),
        ("a: 1\na: 2", "line 2, column 1"),
        ("1: a\n'1': b", "stands here twice"),
        ("{\"a\": 1, \"a\": 2}", "line 1"),
        ("{\"a\": ", "not valid JSON"),
        (
            "openapi: 3.0.3",
            "line 1, column 1: #/openapi: OpenAPI 3.0.3 is not read",
        ),
        ("info: {}", "`openapi` is missing"),
        ("openapi: 3.1.0", "`paths` must be a mapping"),
        ("openapi: 3.1.0\npaths: {a: {get: {}}}", "begins with `/`"),
        (
            "openapi: 3.1.0\npaths: {'/{a}{b}': {get: {}}}",
            "one `{name}`",
        ),
        (
            "openapi: 3.1.0\npaths: {/a: {get: 1}}",
            "#/paths/~1a/get: an operation must be a mapping",
        ),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {responses: {OK: {}}}}}",
            "key is a status",
        ),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {operationId: x}}, /b: {get: {operationId: X}}}",
            "two operations are named `x`",
        ),
        ("--- 1\n--- 2", "more than one YAML document"),
        ("a: !x 1", "tag"),
        ("<<: {a: 1}", "merge key"),
        ("a: .inf", "number"),
    ];
    for (text, expected) in table {
        let error = Document::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let schemas: &[(&str, &str)] = &[
        (
            "    A: {$ref: '#/components/schemas/B'}",
            "line 6, column 5: #/components/schemas/A: the reference `#/components/schemas/B` leads nowhere",
        ),
        (
            "    A: {$ref: 'other.yaml#/B'}",
            "leads out of the document",
        ),
        ("    A: {$id: 'https://example.com'}", "`$id` is not read"),
    ];
    for (schemas, expected) in schemas {
        let error = Document::parse(&small(get, schemas))
            .expect_err(schemas)
            .to_string();
        assert!(error.contains(expected), "{schemas}: {error}");
    }
    let used = "  /a: {get: {parameters: [{name: q, in: query, schema: {$ref: '#/components/schemas/A'}}]}}";
    for schema in [
        "    A: {pattern: '('}",
        "    A: {type: strin}",
        "    A: {minimum: x}",
    ] {
        let error = Document::parse(&small(used, schema))
            .expect_err(schema)
            .to_string();
        assert!(
            error.contains("line 3") && error.contains("schema can't be used"),
            "{schema}: {error}"
        );
    }
}

#[test]
fn trees_that_are_too_deep_are_refused() {
    let flow = format!("a: {}", "[".repeat(1000));
    let compact = "- ".repeat(100_000);
    let block: String = (0..2000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    let json = format!("{{\"a\": {}", "[".repeat(100_000));
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for index in 1..200 {
        let before = index - 1;
        aliases += &format!(
            "a{index}: &a{index} {}*a{before}{}\n",
            "[".repeat(200),
            "]".repeat(200)
        );
    }
    for text in [&flow, &compact, &block, &json, &aliases] {
        assert!(Document::parse(text).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn yaml_is_1_2_and_json_is_the_same() {
    let text = "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {description: no, y: yes}}}}}";
    let document = Document::parse(text).unwrap();
    assert_eq!(
        document.root()["paths"]["/a"]["get"]["responses"]["200"],
        json!({"description": "no", "y": "yes"})
    );
    let json = Document::parse(&document.root().to_string()).unwrap();
    assert_eq!(json.root(), document.root());
}

#[test]
fn schemas_may_refer_to_themselves() {
    let used = "  /a: {get: {parameters: [{name: q, in: query, schema: {$ref: '#/components/schemas/A'}}], responses: {'400': {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}}}";
    let to = |name: &str| format!("{{$ref: '#/components/schemas/{name}'}}");
    let many = vec![to("A"); 20].join(", ");
    for schema in [
        to("A"),
        format!("{{allOf: [{}]}}", to("A")),
        format!("{{anyOf: [{many}]}}"),
        format!("{{allOf: [{many}]}}"),
        format!(
            "{{type: object, required: [a, b, c], properties: {{a: {0}, b: {0}, c: {0}}}}}",
            to("A")
        ),
    ] {
        let document = Document::parse(&small(used, &format!("    A: {schema}"))).unwrap();
        let checked = check(
            &document,
            "get_a",
            &Sent {
                query: Some("q=1"),
                ..Sent::default()
            },
        );
        assert!(checked.violations.len() < 2, "{schema}");
        let operation = document.operation("get_a").unwrap();
        assert!(operation.error_body(400, "m").is_some());
    }
}

#[test]
fn a_file_at_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.yaml");
    assert!(
        Document::read(&path)
            .unwrap_err()
            .to_string()
            .contains("api.yaml: the file can't be read")
    );
    std::fs::write(&path, "a: [").unwrap();
    let error = Document::read(&path).unwrap_err();
    assert!(error.to_string().contains("api.yaml: line "), "{error}");
    assert!(error.line().is_some());
    std::fs::write(&path, EMBEDDED).unwrap();
    assert_eq!(Document::read(&path).unwrap().operations().len(), 136);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_stops_the_reader(text in "([ \\n\\-:\\[\\]{},'\"&*a!|>#?%]|openapi: 3.1.0\\n|paths:|/a|get|\\$ref: )*") {
        let _ = Document::parse(&text);
    }

    #[test]
    fn no_path_stops_the_router(path in "/(v1/|sessions/|%|[0-9a-fA-F]{1,2}|\\PC)*") {
        let _ = Document::embedded().route(&Method::GET, &path);
    }

    #[test]
    fn no_request_stops_the_check(query in "([a-z_]+=|metrics|limit=|[&=%+\\[\\]0-9,.-]|\\PC)*", body in "(--b|\r\n|--|Content-Disposition: form-data; name=|\"[a-z]*\"|\\PC)*") {
        let document = Document::embedded();
        for name in ["get_sessions_history", "list_sessions", "list_application_identities"] {
            check(&document, name, &Sent { query: Some(&query), ..Sent::default() });
        }
        for kind in ["multipart/form-data; boundary=b", "application/json"] {
            for name in ["create_certificate", "create_session"] {
                check(&document, name, &Sent { kind: Some(kind), body: body.as_bytes(), ..Sent::default() });
            }
        }
    }
}
