use std::collections::HashMap;

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;

mod notations;

const SECRET: &str = "36da51b166a69268a59a8d5ee0b32c9f5e5aaee7d301c7a5a36844318e116fc6";
const SIGNED_AT: u64 = 1_716_544_084;
const BODY: &str = r#"{"id":"evt_1","type":"task.failed","created":"2026-05-24T12:18:05.123Z","project_id":"p","text":"❌ Task `t` failed 🙂 <a>","data":{"task_id":"t","error":{"type":"timeout","message":"too slow"}}}"#;
/// Computed with Python's `hmac` over `v0:1716544084:` and the body, with [`SECRET`].
const SIGNATURE: &str = "d6df77c29aa3ed3be2946783859501f7b390d6a1af49bf7b4469d69c5f994a31";

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The headers of a delivery of [`BODY`].
fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("Anchor-Event", "task.failed".to_owned()),
        ("Anchor-Delivery-Id", "d1".to_owned()),
        ("Anchor-Timestamp", SIGNED_AT.to_string()),
        ("Anchor-Signature", format!("t={SIGNED_AT},v1={SIGNATURE}")),
    ]
}

fn verifier() -> Verifier {
    Verifier::new(SECRET).unwrap()
}

/// Verifies a body that is signed as it is.
fn verify_signed(body: &[u8]) -> Result<Event, VerifyError> {
    let headers = Signer::new(SECRET).unwrap().sign(body, at(SIGNED_AT));
    verifier().verify_at(&headers, body, at(SIGNED_AT))
}

#[test]
fn a_delivery_signed_by_another_implementation_is_verified() {
    let event = verifier()
        .verify_at(&headers(), BODY, at(SIGNED_AT))
        .unwrap();
    assert_eq!(
        (event.id.as_str(), event.event_type),
        ("evt_1", EventType::TaskFailed)
    );
    assert_eq!(event.created.unwrap().as_str(), "2026-05-24T12:18:05.123Z");
    assert_eq!(event.project_id, Some("p".into()));
    assert_eq!(event.delivery_id, Some("d1".into()));
    assert_eq!(event.text, "❌ Task `t` failed 🙂 <a>");
    assert_eq!(event.raw["data"]["error"]["message"], "too slow");
    let EventPayload::TaskFailed(task) = event.payload else {
        panic!("{:?}", event.payload)
    };
    assert_eq!(task.task_id, Some("t".into()));
    assert_eq!(task.error.unwrap().error_type, Some(ErrorType::Timeout));
    assert_eq!(*task.extra, json!({}));
}

#[test]
fn the_signer_agrees_with_another_implementation() {
    // Computed with Python's `hmac`.
    let long = "k".repeat(100);
    for (secret, expected) in [
        (SECRET, SIGNATURE),
        (
            "schlüssel",
            "9d67f801afeb817ade2f5c3b76a7bada42372c896010f66f01af52be51f79a47",
        ),
        (
            &long,
            "36da5e9018bd405dcf0f0f918a732ddb1b11e511b6e486c621c0cd59eeddf12c",
        ),
    ] {
        let signer = Signer::new(secret).unwrap().delivery_id("d1");
        let signed: HashMap<_, _> = signer.sign(BODY, at(SIGNED_AT)).into_iter().collect();
        assert_eq!(
            signed["anchor-signature"],
            format!("t={SIGNED_AT},v1={expected}")
        );
        assert_eq!(signed["anchor-timestamp"], SIGNED_AT.to_string());
        assert_eq!(signed["anchor-event"], "task.failed");
        assert_eq!(signed["anchor-delivery-id"], "d1");
    }
    let other = Signer::new(SECRET).unwrap().event("odd").sign("{", at(0));
    assert_eq!(other.value("anchor-event"), Some(b"odd".as_slice()));
}

#[test]
fn headers_come_in_many_types() {
    let (verifier, now) = (verifier(), at(SIGNED_AT));
    let pairs = headers();
    let map: HashMap<String, String> = pairs
        .iter()
        .map(|(name, value)| (name.to_uppercase(), value.clone()))
        .collect();
    let http: HeaderMap = pairs
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (name.parse::<http::HeaderName>().unwrap(), value)
        })
        .collect();
    let bytes: [(&str, &[u8]); 4] = [0, 1, 2, 3].map(|at| (pairs[at].0, pairs[at].1.as_bytes()));
    for result in [
        verifier.verify_at(&pairs, BODY, now),
        verifier.verify_at(pairs.as_slice(), BODY, now),
        verifier.verify_at(&map, BODY, now),
        verifier.verify_at(&http, BODY, now),
        verifier.verify_at(&bytes, BODY, now),
    ] {
        assert_eq!(result.unwrap().delivery_id, Some("d1".into()));
    }
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    use VerifyErrorKind as Kind;
    for (name, kind) in [
        ("Anchor-Timestamp", Kind::MissingHeader("anchor-timestamp")),
        ("Anchor-Signature", Kind::MissingHeader("anchor-signature")),
    ] {
        assert_eq!(kind_with(name, None), kind);
    }
    let most = u64::MAX.to_string();
    for value in [
        "",
        "soon",
        "-1",
        "+1716544084",
        "1e9",
        &most,
        "99999999999999999999",
    ] {
        let kind = kind_with("Anchor-Timestamp", Some(value));
        assert_eq!(kind, Kind::MalformedTimestamp, "{value}");
    }
    let moved = kind_with("Anchor-Timestamp", Some("1716544085"));
    assert_eq!(moved, Kind::TimestampMismatch);
    let moved = format!("t={SIGNED_AT}1,v1={SIGNATURE}");
    let moved = kind_with("Anchor-Signature", Some(&moved));
    assert_eq!(moved, Kind::TimestampMismatch);

    let v1 = |text: &str| format!("t={SIGNED_AT},v1={text}");
    for value in [
        "".to_owned(),
        SIGNATURE.to_owned(),
        format!("t={SIGNED_AT}"),
        format!("v1={SIGNATURE}"),
        format!("t=1,{}", v1(SIGNATURE)),
        v1(&SIGNATURE[1..]),
        v1(&SIGNATURE.replace('d', "g")),
        v1(&format!("ü{}", &SIGNATURE[2..])),
    ] {
        let kind = kind_with("Anchor-Signature", Some(&value));
        assert_eq!(kind, Kind::MalformedSignature, "{value}");
    }
}

/// What comes of a delivery of [`BODY`] with one header changed or left out.
fn kind_with(name: &'static str, value: Option<&str>) -> VerifyErrorKind {
    let mut headers = headers();
    headers.retain(|(found, _)| *found != name);
    headers.extend(value.map(|value| (name, value.to_owned())));
    let result = verifier().verify_at(&headers, BODY, at(SIGNED_AT));
    let error = result.unwrap_err();
    assert_eq!(error.status(), 400);
    error.kind()
}

#[test]
fn a_signature_may_have_other_parts_and_spaces() {
    for signature in [
        format!("t={SIGNED_AT},v1={SIGNATURE},v2=new"),
        format!(" v1={SIGNATURE} , t={SIGNED_AT} "),
        format!("t={SIGNED_AT},v1={},v1={SIGNATURE}", "0".repeat(64)),
        format!("t={SIGNED_AT},v1={SIGNATURE},v1={}", "0".repeat(64)),
        format!("t={SIGNED_AT},v1={}", SIGNATURE.to_uppercase()),
    ] {
        let mut headers = headers();
        headers[3].1 = signature;
        assert!(verifier().verify_at(&headers, BODY, at(SIGNED_AT)).is_ok());
    }
}

#[test]
fn the_tolerance_holds_both_ways_and_its_edge_is_within() {
    let half = Duration::from_millis(500);
    for (tolerance, edge) in [(None, 120), (Some(Duration::from_secs(5)), 5)] {
        let verifier = tolerance.map_or(verifier(), |it| verifier().tolerance(it));
        let verify = |now| verifier.verify_at(&headers(), BODY, now);
        for now in [at(SIGNED_AT + edge), at(SIGNED_AT), at(SIGNED_AT - edge)] {
            assert!(verify(now).is_ok());
        }
        let distance = Duration::from_secs(edge) + half;
        let old = verify(at(SIGNED_AT) + distance).unwrap_err();
        assert_eq!(
            old.kind(),
            VerifyErrorKind::TimestampTooOld { age: distance }
        );
        assert!(
            old.to_string().contains(&format!("{edge}.5 s ago")),
            "{old}"
        );
        let new = verify(at(SIGNED_AT) - distance).unwrap_err();
        let ahead = distance;
        assert_eq!(new.kind(), VerifyErrorKind::TimestampTooNew { ahead });
        assert_eq!((old.status(), new.status()), (401, 401));
    }
    let endless = verifier().tolerance(Duration::MAX);
    assert!(endless.verify_at(&headers(), BODY, at(0)).is_ok());
}

#[test]
fn any_of_several_secrets_will_do() {
    let signed = |secret: &str| Signer::new(secret).unwrap().sign(BODY, at(SIGNED_AT));
    let verify = |secrets: &[&str], headers: &SignedHeaders| {
        let verifier = Verifier::with_secrets(secrets.iter().copied()).unwrap();
        verifier.verify_at(headers, BODY, at(SIGNED_AT)).is_ok()
    };
    for secrets in [["new", "old"], ["old", "new"]] {
        assert!(verify(&secrets, &signed("old")) && verify(&secrets, &signed("new")));
        assert!(!verify(&secrets, &signed("other")));
    }
    let both = Signer::with_secrets(["new", "old"]).unwrap();
    let both = both.sign(BODY, at(SIGNED_AT));
    assert!(verify(&["new"], &both) && verify(&["old"], &both) && !verify(&["other"], &both));
}

#[test]
fn bad_secrets_are_refused() {
    for secret in ["", " ", "\n\t", "secret\n", " secret"] {
        let error = Verifier::new(secret).unwrap_err().to_string();
        assert_eq!(Signer::new(secret).unwrap_err().to_string(), error);
        assert!(Verifier::with_secrets([SECRET, secret]).is_err());
        assert!(!error.contains("secret\n"), "{error}");
    }
    assert!(Verifier::with_secrets(Vec::<String>::new()).is_err());
}

#[test]
fn a_wrong_secret_and_an_altered_body_are_mismatches() {
    let other = Verifier::new("other").unwrap();
    let wrong = other
        .verify_at(&headers(), BODY, at(SIGNED_AT))
        .unwrap_err();
    let body = BODY.replace("too slow", "too fast");
    let altered = verifier().verify_at(&headers(), &body, at(SIGNED_AT));
    for error in [wrong, altered.unwrap_err()] {
        assert_eq!(
            (error.kind(), error.status()),
            (VerifyErrorKind::Mismatch, 401)
        );
        assert!(!error.to_string().contains("alphabetical"), "{error}");
    }
    // The time is signed too.
    let mut later = headers();
    later[2].1 = (SIGNED_AT + 1).to_string();
    later[3].1 = format!("t={},v1={SIGNATURE}", SIGNED_AT + 1);
    let moved = verifier().verify_at(&later, BODY, at(SIGNED_AT));
    assert_eq!(moved.unwrap_err().kind(), VerifyErrorKind::Mismatch);
}

#[test]
fn a_signed_body_that_is_no_event_says_where() {
    for (body, part) in [
        (b"".as_slice(), "column 0"),
        (b"[]", "`type`"),
        (b"{\"id\": \"evt_1\",\n oops}", "line 2 column 2"),
        (b"{\"id\":\"\xff\"}", "column 8"),
        (b"{\"type\":\"task.failed\"}", "`id`"),
        (b"{\"id\":\"\",\"type\":\"task.failed\"}", "`id`"),
        (b"{\"id\":\"evt_1\",\"type\":7}", "`type`"),
    ] {
        let error = verify_signed(body).unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (VerifyErrorKind::InvalidPayload, 400)
        );
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn an_event_is_not_lost_for_what_is_unknown_or_missing() {
    let read = |event_type, data: Value| {
        let event = verify_signed(&sample_event("evt_1", event_type, data)).unwrap();
        (event.event_type, event.payload)
    };
    let (new, payload) = read("task.paused", json!({ "a": 1 }));
    assert_eq!(new, EventType::Unknown("task.paused".to_owned()));
    assert!(matches!(payload, EventPayload::Unknown(data) if data["a"] == 1));
    let (_, payload) = read("task.failed", json!("odd"));
    assert!(matches!(payload, EventPayload::Unknown(data) if *data == "odd"));
    let odd = json!({ "task_id": 7, "error": "no", "artifacts": [1], "test": true });
    let (_, EventPayload::TaskFailed(task)) = read("task.failed", odd) else {
        panic!()
    };
    assert_eq!((task.task_id, task.artifacts.len()), (None, 0));
    assert_eq!(task.error.unwrap().message.as_deref(), Some("no"));
    let extra = json!({ "task_id": 7, "artifacts": [1], "test": true });
    assert_eq!(*task.extra, extra);

    let event = verify_signed(br#"{"id":"evt_1","type":"task.failed","created":null}"#).unwrap();
    assert_eq!((event.created, event.project_id), (None, None));
    assert_eq!(event.text, "");
    assert!(matches!(event.payload, EventPayload::Unknown(data) if data.is_null()));
}

#[test]
fn data_is_read_by_its_type() {
    let task = json!({
        "artifacts": [{ "name": "a.csv", "url": "https://s/a", "size": 40.0, "content_type": "text/csv" }, {}],
        "recording_url": "https://s/r", "healed_task_version_id": "v2",
    });
    let EventPayload::TaskHealed(task) = EventPayload::read(&EventType::TaskHealed, task) else {
        panic!()
    };
    let file = &task.artifacts[0];
    assert_eq!((file.name.as_deref(), file.size), (Some("a.csv"), Some(40)));
    assert_eq!(task.recording_url.unwrap().expose(), "https://s/r");
    assert_eq!(task.healed_task_version_id.as_deref(), Some("v2"));

    let batch = json!({ "batch_id": "b", "total_requests": 3, "failed_requests": -1 });
    let EventPayload::BatchFailed(batch) = EventPayload::read(&EventType::BatchFailed, batch)
    else {
        panic!()
    };
    assert_eq!(
        (batch.total_requests, batch.failed_requests),
        (Some(3), None)
    );
    assert_eq!(*batch.extra, json!({ "failed_requests": -1 }));

    for name in EventType::VALUES {
        let event_type = EventType::from(*name);
        let payload = EventPayload::read(&event_type, json!({}));
        let shown = format!("{payload:?}");
        assert!(shown.starts_with(&format!("{event_type:?}(")), "{shown}");
    }
}

#[test]
fn an_event_is_handled_once() {
    let verifier = verifier().replay_guard(MemoryReplayGuard::new());
    let verify = || verifier.verify_at(&headers(), BODY, at(SIGNED_AT));
    let kind = || verify().unwrap_err().kind();

    let event = verify().unwrap();
    assert_eq!(kind(), VerifyErrorKind::InProgress);
    verifier.release(&event); // the handler failed
    let event = verify().unwrap();
    verifier.complete(&event);
    assert_eq!(kind(), VerifyErrorKind::Replayed);
    let error = verifier
        .clone()
        .verify_at(&headers(), BODY, at(SIGNED_AT))
        .unwrap_err();
    assert_eq!(error.status(), 200, "clones share the guard");
    assert!(error.to_string().contains("evt_1"), "{error}");
}

#[test]
fn only_genuine_events_reach_the_guard() {
    let guard = Arc::new(MemoryReplayGuard::new());
    let verifier = verifier().replay_guard(Arc::clone(&guard));
    for (body, now) in [("{}", SIGNED_AT), (BODY, SIGNED_AT + 121)] {
        assert!(verifier.verify_at(&headers(), body, at(now)).is_err());
    }
    assert_eq!(guard.claim("evt_1"), Claim::New);
}

#[test]
fn without_a_guard_nothing_is_remembered() {
    let verifier = verifier();
    for _ in 0..2 {
        let event = verifier.verify_at(&headers(), BODY, at(SIGNED_AT)).unwrap();
        verifier.complete(&event);
        verifier.release(&event);
    }
}

#[test]
fn nothing_shows_a_secret() {
    let canary = "canary-secret";
    let data = json!({
        "recording_url": "https://s/canary", "artifacts": [{ "url": "https://s/canary" }], "odd": "canary",
    });
    let body = sample_event("evt_1", "task.failed", data);
    let signer = Signer::new(canary).unwrap();
    let headers = signer.sign(&body, at(SIGNED_AT));
    let verifier = Verifier::new(canary).unwrap();
    let verifier = verifier.replay_guard(MemoryReplayGuard::new());
    let verify = |body: &[u8], now| verifier.verify_at(&headers, body, at(now));
    let event = verify(&body, SIGNED_AT).unwrap();
    let unknown = EventPayload::read(&EventType::from("odd"), json!({ "a": "canary" }));
    let mut shown = format!(
        "{signer:?} {headers:?} {verifier:#?} {event:?} {:#?}",
        event.payload
    );
    shown += &format!("{unknown:?} {:?}", event.raw);
    for (body, now) in [
        (body.as_slice(), SIGNED_AT),
        (b"canary", SIGNED_AT),
        (&body, 0),
    ] {
        let error = verify(body, now).unwrap_err();
        shown += &format!("{error:?} {error}");
    }
    shown += &format!("{:?}", Verifier::new(format!("{canary} ")).unwrap_err());
    assert!(
        shown.contains("evt_1") && shown.contains("recording_url"),
        "{shown}"
    );
    let signature = headers.value("anchor-signature").unwrap();
    let signature = std::str::from_utf8(&signature[signature.len() - 64..]).unwrap();
    for secret in ["canary", signature] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
