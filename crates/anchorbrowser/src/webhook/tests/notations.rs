//! Bodies that were parsed and written again.

use super::*;

/// What comes of `received` with the headers of `sent`.
fn kind(sent: &[u8], received: &[u8]) -> VerifyErrorKind {
    let headers = Signer::new(SECRET).unwrap().sign(sent, at(SIGNED_AT));
    let result = verifier().verify_at(&headers, received, at(SIGNED_AT));
    result.unwrap_err().kind()
}

#[test]
fn a_body_written_again_is_told_from_a_wrong_secret() {
    let python = r#"{"id": "evt_1", "type": "task.failed", "created": "2026-05-24T12:18:05.123Z", "project_id": "p", "text": "\u274c Task `t` failed \ud83d\ude42 <a>", "data": {"task_id": "t", "error": {"type": "timeout", "message": "too slow"}}}"#;
    let go = BODY.replace('<', r"\u003c").replace('>', r"\u003e");
    let spaced = BODY.replace("\",\"", "\", \"").replace("\":", "\": ");
    let indented = spaced.replace(", ", ",\n  ");
    let notations = [BODY, python, &go, &spaced, &indented];
    // The first four are what a sender writes, all are what may be received.
    for sent in &notations[..4] {
        for received in notations.iter().filter(|received| *received != sent) {
            assert_eq!(
                kind(sent.as_bytes(), received.as_bytes()),
                VerifyErrorKind::ReserializedBody,
                "{sent} as {received}"
            );
        }
    }
    let line = format!("{BODY}\n");
    for (sent, received) in [(BODY, line.as_str()), (&line, BODY), (&line, &indented)] {
        let expected = match received == indented {
            true => VerifyErrorKind::Mismatch, // two changes at once
            false => VerifyErrorKind::ReserializedBody,
        };
        assert_eq!(kind(sent.as_bytes(), received.as_bytes()), expected);
    }
}

#[test]
fn white_space_around_a_body_and_escapes_are_found() {
    let odd = r#"{"number": 1e3,  "slash":"\/"}"#;
    let padded = format!("\r\n{odd} ");
    let separators = "[\"\u{2028}\u{2029}&\"]";
    for (sent, received) in [
        (odd, padded.as_str()),
        (r#"["\u2028\u2029\u0026"]"#, separators),
        (separators, r#"["\u2028\u2029\u0026"]"#),
        (
            "[\"\\b\\f\\n\\r\\t\\u0001\\\"\\\\\"]",
            "[\"\\u0008\\u000C\\u000a\\u000D\\u0009\\u0001\\u0022\\u005c\"]",
        ),
    ] {
        let kind = kind(sent.as_bytes(), received.as_bytes());
        assert_eq!(kind, VerifyErrorKind::ReserializedBody, "{received}");
    }
}

#[test]
fn members_ordered_by_name_are_told_from_a_wrong_secret() {
    let sent = sample_event(
        "evt_1",
        "task.failed",
        json!({ "a": [1.5, -2, null], "b": true }),
    );
    let value: Value = serde_json::from_slice(&sent).unwrap();
    let sorted = value.to_string();
    assert!(sorted.starts_with(r#"{"created""#) && sent.starts_with(br#"{"id""#));
    let pretty = serde_json::to_vec_pretty(&value).unwrap();
    for (sent, received) in [
        (sent.as_slice(), sorted.as_bytes()),
        (&sent, &pretty),
        (sorted.as_bytes(), &sent),
    ] {
        assert_eq!(kind(sent, received), VerifyErrorKind::ReserializedBody);
    }

    // An order that is lost cannot be found; there is a hint.
    let sorted: Value = serde_json::from_str(BODY).unwrap();
    let result = verifier().verify_at(&headers(), sorted.to_string(), at(SIGNED_AT));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), VerifyErrorKind::Mismatch);
    assert!(error.to_string().contains("alphabetical order"), "{error}");
}

#[test]
fn hostile_bodies_are_mismatches() {
    let deep = "[".repeat(60_000);
    let nested = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let long = format!("[{}1]", "\"é<\",".repeat(10_000));
    for body in [b"".as_slice(), b" ", b"{", b"\xff", b"\"\\ud83d\""]
        .into_iter()
        .chain([deep, nested, long].iter().map(String::as_bytes))
    {
        let result = verifier().verify_at(&headers(), body, at(SIGNED_AT));
        assert_eq!(result.unwrap_err().kind(), VerifyErrorKind::Mismatch);
    }
}

#[test]
fn a_long_body_is_not_looked_into() {
    for (length, expected) in [
        (60_000, VerifyErrorKind::ReserializedBody),
        (70_000, VerifyErrorKind::Mismatch),
    ] {
        let sent = format!("[\"{}\",1]", "x".repeat(length));
        let received = sent.replace(",1", ", 1");
        assert_eq!(kind(sent.as_bytes(), received.as_bytes()), expected);
    }
}
