//! Tests of reading.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// The document in `text`.
fn parse(text: &str) -> Document {
    Document::parse("api.yaml", text.as_bytes()).unwrap()
}

/// The message for bytes that aren't taken.
fn refusal(bytes: &[u8]) -> String {
    format!("{:#}", Document::parse("api.yaml", bytes).unwrap_err())
}

/// Asserts that `message` has all of `parts`.
#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

/// Bytes and what the message says.
const REFUSALS: &[(&[u8], &[&str])] = &[
    (b"", &["api.yaml: the file is empty; give"]),
    (b"\n# only a comment\n\n", &["the file is empty"]),
    (b"---\n", &["the file is empty"]),
    (
        b"\xFF\xFEa\0",
        &["api.yaml:1:1", "UTF-16; save it as UTF-8"],
    ),
    (b"\xFE\xFF\0a", &["UTF-16"]),
    (
        b"a: b\r\nc: \xC3\x28",
        &["api.yaml:2:4: byte 9 ", "not valid UTF-8"],
    ),
    (b"\xEF\xBB\xBFa: \xFF", &["api.yaml:1:4: byte 3 "]),
    (
        b"a: b\nc\0: d",
        &["api.yaml:2:2: control character U+0000; remove it"],
    ),
    (
        b"a: b\n c: d\n",
        &["api.yaml:2:3: not valid YAML: mapping values", "; mend"],
    ),
    (b"a: 'b\n", &["api.yaml:1:4: not valid YAML", "; mend"]),
    (
        b"a: 1\nb:\n  c: 1\n  c: 2\n",
        &["api.yaml:4:3: duplicate key `c`, first at 3:3; remove"],
    ),
    (
        b"200: a\n'200': b\n",
        &["api.yaml:2:1: duplicate key `200`, first at 1:1"],
    ),
    (
        b"{\n\t\"a\": 1,\n\t\"b\": {},\n\t\"a\": 2\n}",
        &["api.yaml:4:2: duplicate key `a`, first at 2:2"],
    ),
    (
        b"{a: 1,\n a: 2}",
        &["api.yaml:2:2: duplicate key `a`, first at 1:2"],
    ),
    (
        b"a: 1\n---\nb: 2\n",
        &["api.yaml:2:1: a second document begins here; keep"],
    ),
    (
        b"a:\n  ? [x]\n  : 1\n",
        &["api.yaml:2:5: a key must be a plain or quoted text"],
    ),
    (b"a: &k x\n*k : 1\n", &["api.yaml:2:1: a key must be"]),
    (
        b"a: &x {b: 1}\nc:\n  <<: *x\n",
        &[
            "api.yaml:3:3: merge key `<<`",
            "YAML 1.2",
            "write the entries out",
        ],
    ),
    (b"<<: {a: 1}\n", &["api.yaml:1:1: merge key `<<`"]),
    (
        b"a: *nowhere\n",
        &["api.yaml:1:4: an alias names an anchor that is not defined"],
    ),
    (
        b"a: &x\n  b: *x\n",
        &["api.yaml:2:6: an anchor contains an alias to itself"],
    ),
    (
        b"a: .nan\n",
        &["api.yaml:1:4: number `.nan` has no JSON form", "quote it"],
    ),
    (b"a: [1, -.inf]\n", &["api.yaml:1:8: number `-.inf`"]),
    (b"a: 1e400\n", &["api.yaml:1:4: number `1e400`"]),
    (b"{\"a\": 1e400}", &["api.yaml:1:7: number `1e400`"]),
    (
        b"a: !!int x\n",
        &["api.yaml:1:4: `x` does not fit its tag `!!int`; correct"],
    ),
    (
        b"a: !thing {}\n",
        &["api.yaml:1:", "tag `!thing` has no JSON form"],
    ),
    (
        b"- a\n- b\n",
        &[
            "api.yaml:1:1: not an OpenAPI document",
            "the top level is a list",
        ],
    ),
    (
        b"just text\n",
        &["not an OpenAPI document", "the top level is a text"],
    ),
    (b"[1]", &["the top level is a list"]),
    (
        b"\n<!DOCTYPE html>\n<a b=\"c: d\">",
        &["not an OpenAPI document", "looks like HTML"],
    ),
    (
        b"{\n\t\"a\": [1,\n\t2\n}",
        &["api.yaml:4:1: not valid JSON: expected `,` or `]`, found `}`; mend"],
    ),
    (b"{\"a\": \"b", &["api.yaml:1:7: not valid"]),
    (
        b"{\"a\": 1} x",
        &["api.yaml:1:10: not valid JSON: expected the end of the file, found `x`"],
    ),
];

#[test]
fn refuses_with_place_and_remedy() {
    for (bytes, parts) in REFUSALS {
        assert_says(&refusal(bytes), parts);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep_block: String = (0..300).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    let deep_flow = format!("a: {}1{}", "[".repeat(256), "]".repeat(256));
    let deep_json = format!("{{\"a\": {}1{}}}", "[".repeat(256), "]".repeat(256));
    let cases = [
        (
            deep_block,
            "api.yaml:257:257: nested deeper than 256 levels; flatten",
        ),
        (
            deep_flow,
            "api.yaml:1:259: nested deeper than 256 levels; flatten",
        ),
        (
            deep_json,
            "api.yaml:1:262: nested deeper than 256 levels; flatten",
        ),
    ];
    for (text, expected) in cases {
        assert_says(&refusal(text.as_bytes()), &[expected]);
    }
    let fits = format!("{{\"a\": {}1{}}}", "[".repeat(255), "]".repeat(255));
    assert!(parse(&fits).root["a"].is_array());
}

#[test]
fn reads_scalars_by_the_core_schema() {
    let cases = [
        ("no", json!("no")),
        ("y", json!("y")),
        ("on", json!("on")),
        ("Off", json!("Off")),
        ("true", json!(true)),
        ("False", json!(false)),
        ("null", json!(null)),
        ("~", json!(null)),
        ("", json!(null)),
        ("12", json!(12)),
        ("-12", json!(-12)),
        ("+12", json!(12)),
        ("+-12", json!("+-12")),
        ("012", json!(12)),
        ("0x1F", json!(31)),
        ("0x-1", json!("0x-1")),
        ("0o17", json!(15)),
        ("1_000", json!("1_000")),
        ("12:30:00", json!("12:30:00")),
        ("2020-01-02", json!("2020-01-02")),
        ("1.0.0", json!("1.0.0")),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1e3", json!(1000.0)),
        ("9223372036854775807", json!(i64::MAX)),
        ("18446744073709551615", json!(u64::MAX)),
        ("0xFFFFFFFFFFFFFFFF", json!(u64::MAX)),
        ("18446744073709551616", json!(18446744073709551616.0)),
        ("0x10000000000000000", json!(18446744073709551616.0)),
        ("'12'", json!("12")),
        ("\"no\"", json!("no")),
        ("!!str 12", json!("12")),
        ("!!int \"12\"", json!(12)),
        ("|\n  a\n  b\n", json!("a\nb\n")),
        (">-\n  a\n  b\n", json!("a b")),
        ("'🦀 ü'", json!("🦀 ü")),
    ];
    for (text, value) in cases {
        assert_eq!(
            parse(&format!("a: {text}")).root,
            json!({ "a": value }),
            "{text}"
        );
    }
}

#[test]
fn keys_are_their_source_text() {
    let root = parse("200: a\nnull: b\ntrue: c\n1.0: d\n0x10: e\n'<<': f\nno: g\n").root;
    let expected = json!({"200": "a", "null": "b", "true": "c", "1.0": "d", "0x10": "e", "<<": "f", "no": "g"});
    assert_eq!(root, expected);
}

#[test]
fn aliases_are_copies() {
    let document = parse("a: &x {b: [1, &y t]}\nc: *x\nd:\n  - *y\n");
    assert_eq!(
        document.root,
        json!({"a": {"b": [1, "t"]}, "c": {"b": [1, "t"]}, "d": ["t"]})
    );
    // What an alias expands to stands where the alias stands.
    assert_eq!(document.at("/c/b/0"), "api.yaml:2:1 (/c/b/0)");
}

#[test]
fn json_and_yaml_are_the_same() {
    let yaml = parse("a: [1, 1.5, -3e2, true, null, 'tab\tü/\"']\nb: {}\n").root;
    let json =
        parse("{\n\t\"a\":[1,1.5,-3e2,true,null,\"tab\\t\\u00fc\\/\\\"\"],\n\t\"b\": {}\n}\n");
    assert_eq!(json.root, yaml);
    assert_eq!(json.at("/a/1"), "api.yaml:2:9 (/a/1)");
    assert_eq!(json.at("/b"), "api.yaml:3:2 (/b)");
    // Flow style that is no JSON is still YAML.
    assert_eq!(parse("{a: 1, 'b': [c]}").root, json!({"a": 1, "b": ["c"]}));
    // Each number is the nearest one, which serde_json alone does not promise.
    let number = parse("{\"a\": 122.416294033786585}").root;
    assert_eq!(number["a"].as_f64(), "122.416294033786585".parse().ok());
}

#[test]
fn line_ends_and_bom_make_no_difference() {
    let plain = parse("a: |\n  x\n  y\nb: \"c\n  d\"\n");
    let other = [
        "a: |\r\n  x\r\n  y\r\nb: \"c\r\n  d\"\r\n",
        "a: |\r  x\r  y\rb: \"c\r  d\"\r",
        "\u{FEFF}a: |\n  x\n  y\nb: \"c\n  d\"\n",
    ];
    for text in other {
        let document = parse(text);
        assert_eq!(document.root, plain.root, "{text:?}");
        assert_eq!(document.sha256, plain.sha256, "{text:?}");
        assert_eq!(
            document.place("/b"),
            Some(Place { line: 4, column: 1 }),
            "{text:?}"
        );
    }
    assert_ne!(parse("a: b\n").sha256, parse("a: c\n").sha256);
    // As `printf 'a: b\n' | sha256sum` gives it.
    assert_eq!(
        parse("a: b\r\n").sha256,
        "52c9693cf3f219d51ba6af4362ee092c55fb5e6f96d6f9da13c8ede7eff8e71b"
    );
}

#[test]
fn places_are_those_of_keys_and_items() {
    let document = parse(
        "openapi: 3.1.0\npaths:\n  /a/{b}:\n    get:\n      tags:\n        - x\n        - y\n  \"/ü~\":  {put: {}}\n",
    );
    let cases = [
        ("", "api.yaml:1:1 (top level)"),
        ("/paths", "api.yaml:2:1 (/paths)"),
        ("/paths/~1a~1{b}/get", "api.yaml:4:5 (/paths/~1a~1{b}/get)"),
        (
            "/paths/~1a~1{b}/get/tags/1",
            "api.yaml:7:11 (/paths/~1a~1{b}/get/tags/1)",
        ),
        ("/paths/~1ü~0/put", "api.yaml:8:12 (/paths/~1ü~0/put)"),
        // The nearest ancestor, for what an overlay added.
        (
            "/paths/~1a~1{b}/get/operationId",
            "api.yaml:4:5 (/paths/~1a~1{b}/get/operationId)",
        ),
        (
            "/components/schemas/A",
            "api.yaml:1:1 (/components/schemas/A)",
        ),
    ];
    for (pointer, expected) in cases {
        assert_eq!(document.at(pointer), expected);
    }
    assert_eq!(document.place("no pointer"), None);
    let tilde = parse("a: 1\n/: 1\n~1: 1\n");
    assert_eq!(tilde.location("/~01"), "api.yaml:3:1");
}

#[test]
fn hostile_documents_end_soon() {
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
        let (from, to) = pair.split_at(1);
        writeln!(
            laughs,
            "{to}: &{to} [{}]",
            vec![format!("*{from}"); 9].join(", ")
        )
        .unwrap();
    }
    let long_text = format!(
        "a: &a {}\nb:\n{}",
        "x".repeat(100_000),
        "- *a\n".repeat(10_000)
    );
    let mut tower = String::from("a0: &a0 [x]\n");
    for i in 1..400 {
        writeln!(tower, "a{i}: &a{i} [*a{}]", i - 1).unwrap();
    }
    let nested_anchors: String = (0..250)
        .map(|i| format!("{}a: &x{i}\n", " ".repeat(i)))
        .collect::<String>();
    let nested_anchors = format!(
        "{nested_anchors}{}[{}]",
        " ".repeat(250),
        "x, ".repeat(40_000)
    );
    let cases = [
        (laughs, "api.yaml:6:28: the document is too large"),
        (long_text, "too large"),
        (tower, "nested deeper than 256"),
        (nested_anchors, "too large"),
        ("[".repeat(1_000_000), "nested deeper than 256"),
        ("{\"a\":".repeat(1_000_000), "nested deeper than 256"),
        (
            format!("a: [{}]", "1,".repeat(600_000)),
            "api.yaml:1:1000001: the document is too large",
        ),
    ];
    for (text, expected) in cases {
        let start = Instant::now();
        assert_says(&refusal(text.as_bytes()), &[expected]);
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{expected}: {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn alias_bomb_ends_at_once() {
    let bomb = format!(
        "a: &a [{}]\nb: &b [{}]\nc: [{}]\n",
        "x, ".repeat(1000),
        "*a, ".repeat(1000),
        "*b, ".repeat(1000)
    );
    let start = Instant::now();
    assert_says(
        &refusal(bomb.as_bytes()),
        &["api.yaml:2:", "aliases expanded"],
    );
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let message = |path: &Path| format!("{:#}", Document::load(path).unwrap_err());
    assert_says(&message(directory.path()), &["it is a directory"]);
    assert_says(
        &message(&directory.path().join("none.yaml")),
        &["cannot read", "none.yaml; check the path"],
    );
    let large = directory.path().join("large.yaml");
    let file = File::create(&large).unwrap();
    file.set_len(50 * 1024 * 1024).unwrap();
    let start = Instant::now();
    assert_says(
        &message(&large),
        &["large.yaml has 52428800 bytes", "limit of 16777216"],
    );
    assert!(
        start.elapsed() < Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
    let mut exact = vec![b'#'; 16 * 1024 * 1024 + 1];
    assert_says(&refusal(&exact), &["16777217 bytes"]);
    exact.truncate(16 * 1024 * 1024);
    assert_says(&refusal(&exact), &["is empty"]);
}

#[test]
fn references_resolve() {
    let root = json!({"a/b": {"c~d": [10, 20]}, "p q": 1, "s": {"$anchor": "here", "x": 1}, "default": {"$anchor": "not"}});
    let cases = [
        ("#", Some(&root)),
        ("#/a~1b/c~0d/1", Some(&root["a/b"]["c~d"][1])),
        ("#/p%20q", Some(&root["p q"])),
        ("#/a%7E1b", Some(&root["a/b"])),
        ("#here", Some(&root["s"])),
        ("#not", None),
        ("#/none", None),
        ("#/a~1b/c~0d/01", None),
        ("#/p%2", None),
        ("other.yaml#/a", None),
        ("", None),
    ];
    for (reference, expected) in cases {
        assert_eq!(resolve(&root, reference), expected, "{reference}");
    }
    assert_eq!(format!("/{}", escape("/a~b")), "/~1a~0b");
}

#[test]
fn the_vendored_document_loads() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let start = Instant::now();
    let document = Document::load(&path).unwrap();
    let elapsed = start.elapsed();
    document.check_header().unwrap();
    assert!(document.root["paths"].as_object().unwrap().len() > 50);
    assert!(
        document.at("/paths").contains("openapi.yaml:"),
        "{}",
        document.at("/paths")
    );
    assert_eq!(document.sha256.len(), 64);
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
}
