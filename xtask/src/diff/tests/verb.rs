//! The command line and its exit codes.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::rules::PAGE;
use super::super::{End, Format, Level, Options, options, run, write};
use crate::files::{self, Generated, Mode};

pub(super) fn parse(arguments: &[&str]) -> Result<Options, String> {
    options(arguments.iter().map(|argument| (*argument).to_owned()))
}

/// A folder with an old and a new document.
fn folder() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, paths: &str| {
        let path = folder.path().join(name);
        let text = format!("openapi: 3.1.0\ninfo: {{title: a, version: '1'}}\npaths: {paths}\n");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let old = write(
        "openapi.yaml",
        "{/a: {get: {responses: {}}}, /b: {get: {responses: {}}}}",
    );
    let new = write(
        "new.yaml",
        "{/a: {get: {responses: {}, deprecated: true}}, /c: {put: {responses: {}}}, /b: {get: {responses: {}}}}",
    );
    (folder, old, new)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A place that takes nothing.
struct Full(ErrorKind);

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure_unless_nobody_reads_on() {
    assert_eq!(write(Full(ErrorKind::BrokenPipe), "a"), Ok(()));
    let error = write(Full(ErrorKind::StorageFull), "a").unwrap_err();
    assert!(
        error.starts_with("the report cannot be written: "),
        "{error}"
    );
}

#[test]
fn documents_and_options_are_read() {
    let expected = |new: Option<&str>, fail_on| Options {
        old: "a".to_owned(),
        new: new.map(str::to_owned),
        fail_on,
        ..Options::default()
    };
    assert_eq!(parse(&["a"]), Ok(expected(None, None)));
    assert_eq!(parse(&["a", "b"]), Ok(expected(Some("b"), None)));
    assert_eq!(
        parse(&["--fail-on", "risky", "a"]),
        Ok(expected(None, Some(Level::Risky)))
    );
    assert_eq!(
        parse(&["a", "b", "--fail-on=breaking"]),
        Ok(expected(Some("b"), Some(Level::Breaking)))
    );
    for (name, format) in [
        ("text", Format::Text),
        ("json", Format::Json),
        ("markdown", Format::Markdown),
    ] {
        assert_eq!(parse(&["a", "--format", name]).unwrap().format, format);
    }
    assert_eq!(parse(&["a"]).unwrap().format, Format::Text);
    let other = parse(&["a", "--wire", "--no-overlay", "--overlay=o.yaml"]).unwrap();
    assert!(other.wire && other.no_overlay && other.overlay == Some(PathBuf::from("o.yaml")));
    assert!(parse(&["--rules"]).unwrap().rules);
}

#[test]
fn bad_calls_say_what_is_wrong() {
    let cases: [(&[&str], &str); 14] = [
        (&[], "one or two documents"),
        (&["a", "b", "c"], "one or two documents"),
        (&[""], "one or two documents"),
        (&["a", "--quiet"], "no option `--quiet`"),
        (&["a", "--fail-on"], "needs `breaking` or `risky`"),
        (&["a", "--fail-on", "docs"], "needs `breaking` or `risky`"),
        (&["a", "--overlay"], "`--overlay` needs a path"),
        (&["a", "--approvals="], "`--approvals` needs a path"),
        (&["a", "--today"], "needs a day as YYYY-MM-DD"),
        (&["a", "--today", "2026-02-30"], "needs a day as YYYY-MM-DD"),
        (&["a", "--format"], "needs `text`, `json` or `markdown`"),
        (
            &["a", "--format=yaml"],
            "needs `text`, `json` or `markdown`",
        ),
        (&["--rules", "a"], "leave the documents out"),
        (&["--rules=x"], "no option `--rules`"),
    ];
    for (arguments, expected) in cases {
        let message = parse(arguments).unwrap_err();
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn each_format_has_all_findings() {
    let (_folder, old, new) = folder();
    let report = |format: &str, more: &[&str]| {
        let arguments = [&[old.as_str(), &new, "--format", format], more].concat();
        let (end, text) = run(&workspace(), &parse(&arguments).unwrap()).unwrap();
        assert_eq!(end, End::Fine);
        text
    };
    for more in [&[][..], &["--wire"]] {
        let text = report("json", more);
        super::formats::assert_valid(&text);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let findings = json["findings"].as_array().unwrap();
        assert!(findings.len() == 2 && json["old"]["sha256"] != json["new"]["sha256"]);
        for format in ["text", "markdown"] {
            let text = report(format, more);
            for finding in findings {
                assert!(text.contains(finding["rule"].as_str().unwrap()), "{text}");
            }
        }
        assert_eq!(text, report("json", more));
    }
}

#[test]
fn changes_fail_from_the_level_on() {
    let (_folder, old, new) = folder();
    let end = |old: &str, new: &str, level: &str| {
        let mut arguments = vec![old, new];
        if !level.is_empty() {
            arguments.extend(["--fail-on", level]);
        }
        run(&workspace(), &parse(&arguments).unwrap()).unwrap().0
    };
    assert_eq!(end(&old, &new, ""), End::Fine);
    assert_eq!(end(&old, &new, "breaking"), End::Fine);
    assert_eq!(end(&old, &new, "risky"), End::Changes);
    assert_eq!(end(&new, &old, "breaking"), End::Changes);
    assert_eq!(end(&new, &new, "risky"), End::Fine);
}

#[test]
fn the_vendored_document_and_commits_can_be_compared() {
    let (folder, _, _) = folder();
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .current_dir(folder.path())
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@a.test",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            status.status.success(),
            "{}",
            String::from_utf8_lossy(&status.stderr)
        );
    };
    git(&["init", "-q"]);
    git(&["add", "openapi.yaml"]);
    git(&["commit", "-q", "-m", "x", "--no-verify"]);
    std::fs::copy(
        folder.path().join("new.yaml"),
        folder.path().join("openapi.yaml"),
    )
    .unwrap();
    let (end, text) = run(
        folder.path(),
        &parse(&["git:HEAD", "--wire", "--fail-on", "risky"]).unwrap(),
    )
    .unwrap();
    assert_eq!(end, End::Changes);
    assert!(
        text.starts_with("git:HEAD -> ") && text.contains("operation-added"),
        "{text}"
    );
    for (name, expected) in [
        (
            "git:nowhere",
            "git has no nowhere:openapi.yaml; check the name of the commit",
        ),
        ("git:", "names no commit"),
        ("git:--help", "names no commit"),
        ("none.yaml", "cannot read none.yaml; check the path"),
    ] {
        let error = run(folder.path(), &parse(&[name]).unwrap()).unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }
}

#[test]
fn the_page_of_rules_is_fresh() {
    let (end, text) = run(&workspace(), &parse(&["--rules"]).unwrap()).unwrap();
    assert_eq!(end, End::Fine);
    let row = "\n| `enum-value-added` | an enum has a new value | compatible | risky | variants come or go | programs may not know it | `enum-value-removed` |\n";
    assert!(text.contains(row), "{text}");
    let page = Generated([(PathBuf::from(PAGE), text)].into());
    let changes = files::sync(&workspace(), &[], &page, Mode::Check).unwrap();
    assert!(
        changes.is_clean(),
        "run `cargo xtask diff --rules > {PAGE}`"
    );
}

#[test]
fn without_items_the_wire_alone_is_reported() {
    let (folder, old, new) = folder();
    let empty = folder.path().join("empty.yaml").display().to_string();
    let text = "openapi: 3.1.0\ninfo: {title: a, version: '1'}\npaths: {}\n";
    std::fs::write(&empty, text).unwrap();
    let large = folder.path().join("large.yaml").display().to_string();
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: a, version: '1'}}\npaths: {{}}\nx-a: {}\n",
        "x".repeat(2_000_000)
    );
    std::fs::write(&large, text).unwrap();
    let cases: [(&[&str], &str); 3] = [
        (
            &[&old, &large],
            "large.yaml is too large to generate both editions in seconds: more than 2 MB",
        ),
        (
            &[&old, &new, "--wire"],
            "Rust items: left out, as `--wire` says",
        ),
        (
            &[&old, &empty],
            "the document has no paths, so there is nothing to generate",
        ),
    ];
    for (arguments, expected) in cases {
        let (_, text) = run(&workspace(), &parse(arguments).unwrap()).unwrap();
        let line = text.lines().nth(2).unwrap();
        assert!(
            line.starts_with("Rust items: ") && line.contains(expected),
            "{text}"
        );
        assert!(
            text.contains("\n      wire ") && !text.contains("source "),
            "{text}"
        );
    }
    let (_, text) = run(&workspace(), &parse(&[&old, &new]).unwrap()).unwrap();
    assert!(
        text.contains("Client::") && text.contains("\nversion: "),
        "{text}"
    );
    // An overlay that was asked for must be there.
    let arguments = [old.as_str(), &new, "--overlay", "none.yaml"];
    let error = run(&workspace(), &parse(&arguments).unwrap()).unwrap_err();
    assert!(
        format!("{error:#}").contains("cannot read none.yaml"),
        "{error:#}"
    );
}

#[test]
fn an_edition_that_the_overlay_refuses_is_reported_by_its_wire() {
    let (folder, old, new) = folder();
    let action =
        |target: &str, update: &str| format!("  - {{target: {target}, update: {update}}}\n");
    let overlay = [
        "overlay: 1.0.0\ninfo: {title: a, version: '1'}\nactions:\n".to_owned(),
        action("\"$.paths['/a'].get\"", "{operationId: get_a}"),
        action("$.info", "{title: b}"),
        // Only the new document has it.
        action("\"$.paths['/c'].put\"", "{responses: none}"),
    ];
    let path = folder.path().join("openapi.overlay.yaml");
    std::fs::write(path, overlay.concat()).unwrap();
    let arguments = [old.as_str(), &new, "--fail-on", "risky"];
    let (end, text) = run(folder.path(), &parse(&arguments).unwrap()).unwrap();
    let line = text.lines().nth(2).unwrap();
    let (start, rest) = line
        .split_once(": the overlay cannot be applied: ")
        .unwrap();
    assert!(
        start.starts_with("Rust items: not known: ") && start.ends_with("new.yaml"),
        "{line}"
    );
    assert!(
        rest.contains("openapi.overlay.yaml:6:5 (/actions/2): target `$.paths['/c'].put`: "),
        "{line}"
    );
    assert!(
        end == End::Changes && text.contains("operation-added"),
        "{text}"
    );
}
