//! Documents that are hard on a generator, from the text to compiled code.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::codegen::{self, Options};
use crate::files::Mode;
use crate::{crate_copy, generate, lower};

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn options(document: PathBuf) -> Options {
    Options {
        document: Some(document),
        no_overlay: true,
        ..Options::default()
    }
}

/// Runs cargo in the generated crate. Warnings are errors, and nothing is downloaded.
fn cargo(folder: &Path, target: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO"))
        .current_dir(folder)
        .args(arguments)
        .args(["--offline", "--quiet", "--all-features"])
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-D warnings")
        .env("RUSTDOCFLAGS", "-D warnings")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&text)
    );
}

#[test]
fn a_wild_document_compiles_and_keeps_its_names() {
    let workspace = here().join("..");
    let run = codegen::run(&workspace, &options(here().join("testdata/torture.yaml"))).unwrap();
    // Kept between runs, because most of the time goes into what the crate depends on.
    let target = workspace.join("target/torture");
    let out = target.join("crate");
    crate_copy::sync(&workspace, &out, &run.output, Mode::Write).unwrap();
    std::fs::create_dir_all(out.join("tests")).unwrap();
    std::fs::copy(
        here().join("testdata/torture_wire.rs"),
        out.join("tests/wire.rs"),
    )
    .unwrap();
    cargo(&out, &target, &["test", "--test", "wire"]);
    cargo(&out, &target, &["doc", "--no-deps", "--lib"]);
    let again = crate_copy::sync(&workspace, &out, &run.output, Mode::Check).unwrap();
    assert!(again.is_clean(), "{again:?}");
}

#[test]
fn what_has_no_rust_form_is_listed() {
    let run = codegen::run(&here(), &options(here().join("testdata/torture.yaml"))).unwrap();
    let notes: Vec<_> = run
        .lowered
        .notes
        .keys()
        .map(|what| what.split(':').next().unwrap())
        .collect();
    assert_eq!(
        notes,
        [
            "1 webhooks",
            "`allOf` of types that exclude each other",
            "`false` as a schema",
            "body in several media types",
            "callbacks",
            "condition (`if`, `not`, `dependentSchemas`)",
            "cookie parameter",
            "dynamic reference",
            "enum of integers",
            "enum of values of several types",
            "list or map of itself",
            "optional body with required fields",
            "query parameter in a style of its own",
            "security scheme that the transport does not send",
            "several shapes of success",
            "success in JSON and other media types",
            "tuple",
        ]
    );
}

#[test]
fn fans_of_references_end_soon() {
    for combine in ["properties", "allOf", "anyOf", "items"] {
        let mut schemas = serde_json::Map::new();
        for level in 0..25 {
            let next =
                serde_json::json!({ "$ref": format!("#/components/schemas/S{}", level + 1) });
            let pair = match combine {
                "properties" => {
                    serde_json::json!({ "type": "object", "properties": { "a": next, "b": next } })
                }
                "items" => {
                    serde_json::json!({ "type": "array", "items": { "type": "object", "properties": { "a": next, "b": next } } })
                }
                _ => serde_json::json!({ combine: [next, next] }),
            };
            schemas.insert(format!("S{level}"), pair);
        }
        schemas.insert(
            "S25".to_owned(),
            serde_json::json!({ "type": "object", "properties": { "end": {} } }),
        );
        let content = serde_json::json!({ "application/json": { "schema": { "$ref": "#/components/schemas/S0" } } });
        let root = serde_json::json!({
            "openapi": "3.1.0",
            "info": { "title": "T", "version": "1" },
            "paths": { "/a": { "post": {
                "requestBody": { "content": content },
                "responses": { "200": { "description": "d", "content": content } },
            } } },
            "components": { "schemas": schemas },
        });
        let lowered = lower::lower(root);
        let source = generate::Source {
            document: "",
            overlay: "",
        };
        let output = generate::generate(&lowered, &source).unwrap();
        assert!(output.types < 60, "{combine}: {}", output.types);
    }
}

#[test]
fn editions_of_this_document_are_taken() {
    let workspace = here().join("..");
    let text = std::fs::read_to_string(workspace.join(codegen::DOCUMENT)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let edition = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let options = Options {
            document: Some(path),
            ..Options::default()
        };
        codegen::run(&workspace, &options).unwrap()
    };
    let added = "paths:\n  /v1/widgets/{widgetId}:\n    get:\n      tags: [Widgets]\n      parameters:\n        - {name: widgetId, in: path, required: true, schema: {type: string}}\n      responses: {'200': {description: ok}}\n";
    let known = edition("same.yaml", text.clone())
        .lowered
        .plan
        .operations
        .len();
    let more = edition("more.yaml", text.replacen("paths:\n", added, 1));
    assert_eq!(more.lowered.plan.operations.len(), known + 1);
    assert_eq!(
        more.lowered.plan.named_by_rule,
        [(
            "get_v1_widgets_by_widget_id".to_owned(),
            "GET /v1/widgets/{widgetId}".to_owned()
        )]
    );
    let unquoted = edition(
        "unquoted.yaml",
        text.replace("- 'no'\n", "- no\n").replace("'y':", "y:"),
    );
    let codes = &unquoted.lowered.plan.enums["AnchorProxyCountryCode"].variants;
    assert!(codes.contains(&("No".to_owned(), "no".to_owned())));
    let older = edition(
        "older.yaml",
        text.replacen("openapi: 3.1.0", "openapi: 3.0.3", 1),
    );
    assert_eq!(older.lowered.plan.operations.len(), known);
}

#[test]
fn bad_input_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yaml");
    std::fs::write(
        &broken,
        "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a: [",
    )
    .unwrap();
    let out = folder.path().join("out");
    let options = Options {
        out: Some(out.clone()),
        ..options(broken)
    };
    let error = format!(
        "{:#}",
        codegen::codegen(&here().join(".."), &options).unwrap_err()
    );
    assert!(error.contains("broken.yaml:5:1: not valid YAML"), "{error}");
    assert!(!out.exists());
}

#[test]
fn a_folder_with_another_crate_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    let options = Options {
        out: Some(folder.path().to_path_buf()),
        ..options(here().join("testdata/torture.yaml"))
    };
    let error = format!(
        "{:#}",
        codegen::codegen(&here().join(".."), &options).unwrap_err()
    );
    assert!(error.contains("holds another crate"), "{error}");
}
