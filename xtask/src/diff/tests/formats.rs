//! The report in its formats, and the schema of one of them.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::super::finding::Verdict;
use super::super::paint::Paint;
use super::super::rust::{Rust, explain};
use super::super::semver::Step;
use super::super::{json, markdown, report};
use super::*;
use crate::codegen;
use crate::progress::Progress;
use crate::surface::sdk::Sdk;
use crate::surface::{self, Edition};

/// The published schema, relative to this package.
const SCHEMA: &str = "diff.schema.json";

fn published() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Asserts that a report is as the published schema says.
#[track_caller]
pub(super) fn assert_valid(report: &str) {
    static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema: Value = serde_json::from_str(&published()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let report: Value = serde_json::from_str(report).unwrap();
    if let Err(error) = VALIDATOR.validate(&report) {
        panic!("{}: {error}", error.instance_path());
    }
}

/// Where the snapshots of reports are.
pub(super) fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../testdata/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings
}

#[test]
fn the_published_schema_is_that_of_the_report() {
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<json::Report<'static>>();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("INSTA_UPDATE").is_some_and(|it| it == "always") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        published().replace("\r\n", "\n") == text,
        "xtask/{SCHEMA} is stale: run this test with INSTA_UPDATE=always, and read `git diff`"
    );
}

/// What a report is made of.
struct Compared {
    diff: Diff,
    rust: Result<Rust, String>,
    step: Option<Step>,
}

impl Compared {
    fn new(old: &Value, new: &Value) -> Self {
        let mut diff = compare(old, new);
        let edition = |root: &Value| {
            let document = document("a.yaml", &root.to_string());
            let run = codegen::generated(document, None, None, &Progress::start())?;
            Edition::of(&run.lowered, &run.output)
        };
        let editions = edition(old).and_then(|old| Ok((old, edition(new)?)));
        let rust = match editions {
            Ok((old, new)) => Ok(explain(&mut diff, &old, &new, &Sdk::default())),
            Err(error) => Err(format!("{error:#}")),
        };
        let step = Step {
            current: "0.1.0".to_owned(),
            next: "0.2.0".to_owned(),
            reason: "2 changes of public items break code that uses them".to_owned(),
            only_wire_breaks: false,
        };
        let step = rust.is_ok().then_some(step);
        Self { diff, rust, step }
    }

    fn text(&self, paint: Paint) -> String {
        report::text(&self.diff, self.rust.as_ref(), self.step.as_ref(), paint)
    }

    fn json(&self) -> String {
        json::json(&self.diff, self.rust.as_ref(), self.step.as_ref()).unwrap()
    }

    fn markdown(&self) -> String {
        markdown::markdown(&self.diff, self.rust.as_ref(), self.step.as_ref())
    }
}

/// Two findings: an operation is gone, and a field has another type.
fn small() -> Compared {
    let schema = |ty: &str| json!({"A": {"type": "object", "properties": {"x": {"type": ty}}}});
    let of = |ty: &str, methods: &[&str]| {
        let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/A"}}});
        let answer = json!({"responses": {"200": {"description": "", "content": content}}});
        let item = methods.iter().map(|it| ((*it).to_owned(), answer.clone()));
        let item: serde_json::Map<String, Value> = item.collect();
        with(&json!({"paths": {"/a": item}, "components": {"schemas": schema(ty)}}))
    };
    Compared::new(&of("integer", &["get", "put"]), &of("string", &["get"]))
}

#[test]
fn a_small_report_in_json() {
    snapshots().bind(|| insta::assert_snapshot!("diff_json", small().json()));
}

#[test]
fn a_small_report_in_markdown() {
    snapshots().bind(|| insta::assert_snapshot!("diff_markdown", small().markdown()));
}

#[test]
fn a_report_without_items_says_why() {
    let mut compared = small();
    (compared.rust, compared.step) = (Err("left `out`\n  @a".to_owned()), None);
    for finding in &mut compared.diff.findings {
        finding.source = None;
    }
    let text = compared.json();
    assert_valid(&text);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["items_unknown"], "left `out`\n  @a");
    assert_eq!(report["version"], Value::Null);
    assert_eq!(report["findings"][0]["source"], Value::Null);
    assert!(
        compared
            .markdown()
            .contains("\nRust items: left `out`\n- `@a`\n")
    );
}

#[test]
fn the_old_and_the_new_code_are_told() {
    let required = |names: &Value| json!({"type": "object", "required": names, "properties": {"x": {"type": "string"}, "y": {"type": "integer"}}});
    let x_only = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    let all = required(&json!([]));
    let of_enum = |values: &Value| json!({"type": "object", "properties": {"k": {"enum": values}}});
    let cases = [
        (
            &x_only,
            &all,
            "types::PostABody { x } => types::PostABody { x, y: None }; or end the literal with `..Default::default()`",
        ),
        (&all, &x_only, "request.y = value => ; "),
        (
            &all,
            &required(&json!(["x"])),
            "types::PostABody::default() => types::PostABody::new(x); ",
        ),
        (
            &required(&json!(["x"])),
            &all,
            "types::PostABody::new(x) => types::PostABody::default(); then set its fields",
        ),
        (
            &required(&json!(["x"])),
            &required(&json!(["x", "y"])),
            "types::PostABody::new(x /* impl Into<String> */) => types::PostABody::new(x /* impl Into<String> */, y /* i64 */); ",
        ),
        (
            &of_enum(&json!(["a", "b"])),
            &of_enum(&json!(["a"])),
            "types::PostABodyK::B => ; ",
        ),
    ];
    for (old, new, expected) in cases {
        let taking = |schema: &Value| {
            let mut root = taking(schema, &json!({}));
            root["paths"]["/a"]["post"]["requestBody"]["required"] = json!(true);
            root
        };
        let compared = Compared::new(&taking(old), &taking(new));
        let effects = &compared.rust.as_ref().unwrap().effects;
        let calls: Vec<_> = effects.iter().flat_map(|it| &it.calls).collect();
        let told = |it: &&surface::Calls| {
            let (after, hint) = (it.after.as_deref(), it.hint.as_deref());
            let after = after.unwrap_or_default();
            format!("{} => {after}; {}", it.before, hint.unwrap_or_default()) == expected
        };
        assert!(calls.iter().any(told), "{expected}: {calls:#?}");
    }
}

#[test]
fn colours_are_all_that_a_terminal_gets_more() {
    let compared = small();
    let (plain, painted) = (compared.text(Paint::PLAIN), compared.text(Paint::COLOURED));
    assert!(!plain.contains('\u{1b}') && painted.contains("\u{1b}[1;31mbreaking (2)\u{1b}[0m"));
    let mut stripped = String::new();
    for (index, part) in painted.split("\u{1b}[").enumerate() {
        let text = part.split_once('m').filter(|_| index > 0);
        stripped.push_str(text.map_or(part, |(_, text)| text));
    }
    assert_eq!(stripped, plain);
}

#[test]
fn all_that_users_see_is_in_the_changelog() {
    let text = small().text(Paint::PLAIN);
    let (_, entry) = text.split_once("entry for CHANGELOG.md\n\n").unwrap();
    let (about, entry) = entry.split_once('\n').unwrap();
    assert!(
        about.starts_with("Document: API 1, 1 operation, SHA-256 `"),
        "{about}"
    );
    let expected = "
### Changed

- **Breaking:** `A.x` was integer, is string: `types::A::x` is `Option<String>`, was `Option<i64>`.

### Removed

- **Breaking:** `PUT /a` is gone: `Client::put_a`.
";
    assert_eq!(entry, expected);
}

/// Names that are Markdown, HTML, mentions and the like, or steer a terminal.
const HOSTILE: [&str; 14] = [
    "`",
    "``evil` @evil",
    "@evil",
    "<img src=x onerror=evil>",
    "[evil](https://evil.test)",
    "![](//evil.test/x.png)",
    "https://evil.test www.evil.test",
    "```\n# evil\n```",
    "a\n\n## evil\n- evil",
    "*evil* _evil_ ~~evil~~ | evil |",
    "evil/evil#1 #1 GH-1 &lt;evil&gt;",
    "\u{1b}[31mevil\u{9b}31m\u{202e}\u{e0041}",
    "0123456789abcdef0123456789abcdef01234567",
    "\"evil\\\" <b> ",
];

/// A document in which `name` stands in many places.
fn hostile(name: &str, other: &Value) -> Value {
    let schema = json!({
        "type": "object", "title": name, "description": name, "default": {name: name},
        "properties": {name: other, "k": {"enum": [name, "a"], "pattern": "a"}},
    });
    let content = json!({"application/json": {"schema": schema}, name: {"schema": schema}});
    let parameter = json!({"name": name, "in": "query", "schema": other, "style": name});
    let operation = |id: &str| {
        json!({
            "operationId": format!("{name}{id}"), "tags": [name], "summary": name, "parameters": [parameter],
            "requestBody": {"content": content}, "security": [{name: [name]}], name: name,
            "responses": {"200": {"description": name, "content": content, "headers": {name: {"schema": other}}}},
            "callbacks": {name: {name: {"post": {"responses": {}}}}},
        })
    };
    json!({
        "openapi": "3.1.0", "info": {"title": name, "version": name}, "tags": [{"name": name}],
        "servers": [{"url": name}], "webhooks": {name: {"post": operation("c")}},
        "paths": {format!("/{name}"): {"get": operation("a")}, "/a": {"post": operation("b")}},
        "components": {
            "schemas": {"A": schema}, "securitySchemes": {name: {"type": "apiKey", "name": name, "in": "header"}},
        },
    })
}

/// What stands outside code spans and fenced blocks.
fn outside(markdown: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let start = line.trim_start();
        let ticks = &start[..start.len() - start.trim_start_matches('`').len()];
        match fence {
            Some(open) if start == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !start[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                out.push_str(&outside_spans(line));
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "{markdown}");
    out
}

/// As CommonMark has it: a run of backticks begins a span that the next run of the same length ends.
fn outside_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let after = rest[start..].trim_start_matches('`');
        let ticks = rest.len() - start - after.len();
        let mut at = 0;
        let end = loop {
            let Some(found) = after[at..].find('`') else {
                panic!("a span without end: {line}");
            };
            let run = after[at + found..].len() - after[at + found..].trim_start_matches('`').len();
            at += found + run;
            if run == ticks {
                break at;
            }
        };
        rest = &after[end..];
    }
    out + rest
}

/// Asserts that what stands outside code is plain.
#[track_caller]
fn assert_plain(markdown: &str) {
    for line in outside(markdown).lines() {
        let text = line
            .trim_start_matches('#')
            .replace("**Breaking:**", "")
            .replace(" -> ", "");
        let special = |c: char| "`@<>[]#&|*_~\\\"/=".contains(c);
        let is_plain = !text.contains(special) && !text.contains("evil.") && !text.contains("0123");
        assert!(is_plain, "{line:?} of {markdown}");
    }
    let steering = |c: char| c != '\n' && super::super::label::steers(c);
    assert!(!markdown.contains(steering), "{markdown:?}");
}

#[test]
fn text_of_a_document_is_text_in_every_format() {
    let plain = hostile("name", &json!({"type": "string"}));
    let mut rules = BTreeSet::new();
    for name in HOSTILE {
        let changed = hostile(name, &json!({"type": "integer", "maximum": 1}));
        for (old, new) in [(&plain, &changed), (&changed, &plain)] {
            let compared = Compared::new(old, new);
            rules.extend(compared.diff.findings.iter().map(|it| it.rule.name));
            let text = compared.text(Paint::PLAIN);
            let (report, entry) = text.split_once("entry for CHANGELOG.md\n").unwrap();
            assert!(!report.contains(|c: char| c != '\n' && super::super::label::steers(c)));
            assert_plain(entry);
            assert_plain(&compared.markdown());
            let json = compared.json();
            assert_valid(&json);
            assert!(!json.contains(|c: char| c != '\n' && super::super::label::steers(c)));
        }
    }
    assert!(rules.len() > 15, "{rules:?}");
}

#[test]
fn escaped_text_is_one_span() {
    for name in HOSTILE {
        let span = markdown::code(name);
        assert_eq!(outside_spans(&span), "", "{span}");
        assert!(!span.contains('\n'), "{span}");
        for text in [name.to_owned(), format!("`{name}` is {name}, was `{name}`")] {
            assert_plain(&markdown::prose(&text));
        }
    }
    assert_eq!(markdown::code("a"), "`a`");
    assert_eq!(markdown::code("`a"), "`` `a ``");
    assert_eq!(
        markdown::prose("`a b` may be \"c d\", at least 1 (was 1.0.0)"),
        "`a b` may be `\"c d\"`, at least 1 (was 1.0.0)"
    );
}

#[test]
fn verdicts_are_counted_once() {
    let compared = small();
    let report: Value = serde_json::from_str(&compared.json()).unwrap();
    let all = compared.diff.findings.len();
    let breaking = compared
        .diff
        .findings
        .iter()
        .filter(|it| it.worst() == Verdict::Breaking);
    assert_eq!(report["counts"]["breaking"], breaking.count());
    let counts = Verdict::ALL.into_iter();
    let counts = counts.filter_map(|it| report["counts"][it.name()].as_u64());
    assert_eq!(counts.sum::<u64>(), all as u64);
}
