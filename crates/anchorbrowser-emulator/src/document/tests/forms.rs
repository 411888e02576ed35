use super::*;

/// A field's name, its file's name, and its content.
type Field<'a> = (&'a str, Option<&'a str>, &'a str);

fn form(parts: &[Field<'_>]) -> Vec<u8> {
    let mut text = String::new();
    for (name, file, content) in parts {
        let file = file
            .map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/plain"))
            .unwrap_or_default();
        text += &format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
        );
    }
    (text + "--b--\r\n").into_bytes()
}

#[test]
fn forms_are_read_and_checked() {
    let document = Document::embedded();
    let long = "x".repeat(1001);
    let file = ("file", Some("a.pem"), "\u{1}data");
    let table: &[(&[Field<'_>], &[&str])] = &[
        (&[("name", None, "a-1"), file], &[]),
        (&[("name", None, "a-1"), ("extra", None, "1"), file], &[]),
        (&[("name", None, "a-1")], &["body.file is required"]),
        (
            &[("name", None, "a 1"), file],
            &["body.name must match the pattern ^[a-zA-Z0-9\\-_]+$"],
        ),
        (
            &[("name", None, "a"), ("description", None, &long), file],
            &["body.description must have at most 1000 characters"],
        ),
        (
            &[("name", None, "a"), ("name", None, "b"), file],
            &["body.name is given more than once; give it once"],
        ),
    ];
    for (parts, expected) in table {
        let body = form(parts);
        let sent = Sent {
            kind: Some("multipart/form-data; boundary=b"),
            body: &body,
            ..Sent::default()
        };
        let checked = check(&document, "create_certificate", &sent);
        assert_eq!(told(&checked), *expected, "{parts:?}");
        let Content::Form(found) = checked.body else {
            panic!("{parts:?}")
        };
        let found: Vec<_> = found
            .iter()
            .map(|part| {
                (
                    part.name.as_str(),
                    part.file_name.as_deref(),
                    std::str::from_utf8(&part.bytes).unwrap(),
                )
            })
            .collect();
        assert_eq!(found, *parts);
    }
    let whole = form(&[("name", None, "a"), file]);
    for (kind, body) in [
        ("multipart/form-data", whole.as_slice()),
        ("multipart/form-data; boundary=other", &whole),
        ("multipart/form-data; boundary=b", &whole[..whole.len() - 8]),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\n\xff: x\r\n\r\nx\r\n--b--\r\n",
        ),
        ("application/x-www-form-urlencoded", b"name=a"),
    ] {
        let found = told(&check(
            &document,
            "create_certificate",
            &Sent {
                kind: Some(kind),
                body,
                ..Sent::default()
            },
        ));
        assert_eq!(found.len(), 1, "{kind} {found:?}");
    }
}

#[test]
fn forms_may_hold_lists_and_numbers() {
    let paths = r"
  /f:
    post:
      operationId: f
      requestBody:
        required: true
        content:
          multipart/form-data: {schema: {$ref: '#/components/schemas/F'}}
          application/x-www-form-urlencoded: {schema: {$ref: '#/components/schemas/F'}}
";
    let schemas = "    F: {type: object, required: [n], properties: {n: {type: integer}, l: {type: array, items: {type: boolean}, maxItems: 2}, o: {type: object}}}";
    let document = Document::parse(&small(paths, schemas)).unwrap();
    let body = form(&[
        ("n", None, "1"),
        ("l", None, "true"),
        ("l", None, "false"),
        ("o", None, "{\"a\":1}"),
    ]);
    let sent = Sent {
        kind: Some("multipart/form-data; boundary=b"),
        body: &body,
        ..Sent::default()
    };
    assert_eq!(told(&check(&document, "f", &sent)), Vec::<String>::new());
    let body = b"n=x&l=true&l=1&o=1";
    let sent = Sent {
        kind: Some("application/x-www-form-urlencoded"),
        body,
        ..Sent::default()
    };
    assert_eq!(
        told(&check(&document, "f", &sent)),
        [
            "body.n must be an integer",
            "body.l must be a boolean",
            "body.o must be an object"
        ]
    );
}

#[test]
fn large_files_arrive_whole() {
    let content = "0123456789abcdef\r\n".repeat(100_000);
    let body = form(&[("file", Some("a.bin"), &content)]);
    let sent = Sent {
        path: &[("sessionId", "8c8d2a3e-1c1b-4f8e-9a66-2f3f6d1f0b11")],
        kind: Some("multipart/form-data; boundary=b"),
        body: &body,
        ..Sent::default()
    };
    let checked = check(&Document::embedded(), "upload_session_file", &sent);
    assert_eq!(told(&checked), Vec::<String>::new());
    let Content::Form(parts) = checked.body else {
        panic!()
    };
    assert_eq!(parts[0].bytes, content);
}
