//! Updates of small workspaces in temporary folders, and one of a copy of this one.

mod readme;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::codegen::{CALLS, GENERATED, OVERLAY};

const HEAD: &str = "openapi: 3.1.0
info: {title: Things, version: '1'}
servers: [{url: 'https://things.test'}]
";

const PATHS: &str = "paths:
  /v1/things:
    get: {operationId: list_things, tags: [Things], responses: {'200': {$ref: '#/components/responses/Thing'}}}
    post:
      operationId: create_thing
      tags: [Things]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {'200': {$ref: '#/components/responses/Thing'}}
  /v1/boxes:
    get: {operationId: list_boxes, tags: [Boxes], responses: {'204': {description: none}}}
    delete: {operationId: delete_boxes, tags: [Boxes], responses: {'204': {description: none}}}
";

const COMPONENTS: &str = "components:
  responses:
    Thing: {description: a, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
  schemas:
    Thing: {type: object, required: [id], properties: {id: {type: string}, size: {type: integer}}}
";

const ACTIONS: &str = "overlay: 1.1.0
info: {title: a, version: '1'}
actions:
  - target: $.paths['/v1/boxes'].get
    update: {deprecated: true}
  - target: $.paths['/v1/boxes'].delete
    update: {x-retry: once}
  - target: $.paths.*.post
    update: {x-retry: once}
";

const COVERAGE: &str = "---
source: tests/it/snapshot.rs
---
create_thing                      things().create()
delete_boxes                      boxes().delete()
list_boxes                        -
list_things                       things().list(), things().all()
";

/// The vendored document.
fn vendored() -> String {
    format!("{HEAD}{PATHS}{COMPONENTS}")
}

/// The next edition: an operation is gone, one is new, one posts as well, one got a property.
fn edition() -> String {
    let text = vendored().replace("size: {type: integer}", "size: {type: string}");
    let text = text.replace(
        "    get: {operationId: list_boxes, ",
        "    get: {operationId: list_boxes, deprecated: true, ",
    );
    let delete = text.find("    delete: ").unwrap();
    let end = text.find("components:").unwrap();
    let new = "  /v1/bags:\n    post: {tags: [Bags], responses: {'204': {description: none}}}\n";
    format!("{}{new}{}", &text[..delete], &text[end..])
}

/// A workspace with generated code.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let snapshots = root.join(snapshots::SNAPSHOTS);
    fs::create_dir_all(&snapshots).unwrap();
    for name in ["operations", "types__things", "wire__things", "wire__boxes"] {
        fs::write(snapshots.join(format!("{name}.snap")), "").unwrap();
    }
    fs::write(snapshots.join("coverage.snap"), COVERAGE).unwrap();
    fs::write(root.join(DOCUMENT), vendored()).unwrap();
    fs::write(root.join(OVERLAY), ACTIONS).unwrap();
    assert!(codegen::codegen(root, &codegen::Options::default()).unwrap());
    folder
}

/// All files below `root` with their bytes.
pub(super) fn files_of(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found
}

fn parse(arguments: &[&str]) -> Result<Options, String> {
    options(arguments.iter().map(|it| (*it).to_owned()))
}

/// Gives `text` on standard input; what was told, and how it failed.
fn update(root: &Path, text: &[u8], more: &[&str]) -> (String, Option<(Failure, String)>) {
    let mut out = String::new();
    let options = parse(&[&["-"], more].concat()).unwrap();
    let failed = run(root, &options, text, &mut out).err();
    (
        out,
        failed.map(|(failure, error)| (failure, format!("{error:#}"))),
    )
}

#[test]
fn options_are_read() {
    let all = parse(&["--dry-run", "a.yaml", "--allow-loss"]).unwrap();
    assert!(all.dry_run && all.allow_loss && all.file == "a.yaml");
    let plain = Options {
        file: "-".to_owned(),
        ..Options::default()
    };
    assert_eq!(parse(&["-"]), Ok(plain));
    for arguments in [&[][..], &[""], &["a", "b"], &["-", "-"]] {
        assert!(parse(arguments).unwrap_err().contains("needs one document"));
    }
    for flag in ["--dryrun", "-n", "--dry-run=1"] {
        let message = parse(&["a", flag]).unwrap_err();
        assert!(
            message.contains(&format!("no option `{flag}`")),
            "{message}"
        );
    }
}

#[test]
fn an_edition_is_taken_in() {
    let (first, second) = (workspace(), workspace());
    let file = second.path().join("new.yaml");
    // The file is the vendor's, with its line ends and its BOM.
    let text = format!("\u{feff}{}", edition().replace('\n', "\r\n"));
    fs::write(&file, &text).unwrap();
    let mut told = String::new();
    let options = parse(&[file.to_str().unwrap()]).unwrap();
    run(second.path(), &options, std::io::empty(), &mut told).unwrap();
    let (out, failed) = update(first.path(), text.as_bytes(), &[]);
    assert_eq!(failed, None);
    assert_eq!(
        out.lines()
            .skip(1)
            .filter(|line| line.contains("written"))
            .collect::<Vec<_>>(),
        told.lines()
            .skip(1)
            .filter(|line| line.contains("written"))
            .collect::<Vec<_>>(),
    );
    for root in [first.path(), second.path()] {
        assert_eq!(fs::read(root.join(DOCUMENT)).unwrap(), text.as_bytes());
        let run = codegen::run(root, &codegen::Options::default()).unwrap();
        let changes = codegen::sync(root, &run.output, Mode::Check).unwrap();
        assert!(changes.is_clean(), "{changes:?}");
    }
    let (again, failed) = update(first.path(), edition().as_bytes(), &[]);
    assert_eq!(failed, None);
    assert_eq!(
        again,
        "openapi.yaml is this edition already; nothing is written\n"
    );
}

#[test]
fn what_to_review_is_listed() {
    let workspace = workspace();
    let before = files_of(workspace.path());
    let (out, failed) = update(workspace.path(), edition().as_bytes(), &["--dry-run"]);
    assert_eq!(failed, None);
    assert!(files_of(workspace.path()) == before);
    let expected = "
to review
  operations without a method of the SDK
    list_boxes (GET /v1/boxes)
    post_v1_bags (POST /v1/bags), named by rule: name it in the overlay
  methods whose operation is gone
    DELETE /v1/boxes: boxes().delete()
  methods whose operation changed
    breaking: GET /v1/things: things().list(), things().all()
    breaking: POST /v1/things: things().create()
  actions of openapi.overlay.yaml
";
    assert!(out.contains(expected), "{out}");
    let place = |line: usize| format!("{OVERLAY}:{line}:5: update of ");
    for expected in [
        "openapi.yaml -> standard input\n",
        &format!(
            "{}`$.paths['/v1/boxes'].get` changes nothing: remove it\n",
            place(4)
        ),
        &format!(
            "{}`$.paths['/v1/boxes'].delete` matches nothing: remove or correct it\n",
            place(6)
        ),
        &format!(
            "{}`$.paths.*.post` matches 2 places, before 1: check it\n",
            place(8)
        ),
        "    coverage.snap\n    operations.snap\n    types__things.snap\n",
        "    wire__bags.snap is new\n    wire__boxes.snap\n    wire__things.snap\n",
        "\ndry run: nothing is written\n",
    ] {
        assert!(out.contains(expected), "{expected}\n{out}");
    }
}

#[test]
fn approvals_are_shown_and_hinder_nothing() {
    let folder = workspace();
    let approvals = |text: &str| fs::write(folder.path().join("openapi.approvals.yaml"), text);
    approvals(
        "approvals: [{rule: deprecated, place: /paths/~1v1~1boxes/get/deprecated, reason: known, expires: 9999-12-31}]\n",
    )
    .unwrap();
    let (text, failed) = update(folder.path(), edition().as_bytes(), &["--dry-run"]);
    assert_eq!(failed, None);
    assert!(text.contains("approved until 9999-12-31: known"), "{text}");
    assert!(text.contains("; 1 approved\n"), "{text}");

    approvals("approval: []\n").unwrap();
    let (text, failed) = update(folder.path(), edition().as_bytes(), &[]);
    assert_eq!(failed, None);
    let told = "\napprovals are left out: ";
    assert!(
        text.contains(told) && text.contains("unknown key `approval`"),
        "{text}"
    );
    assert!(text.contains("\nwritten: openapi.yaml"), "{text}");
}

#[test]
fn what_needs_no_review_is_not_listed() {
    let workspace = workspace();
    let coverage = workspace.path().join("tests/it/snapshots/coverage.snap");
    fs::write(coverage, COVERAGE.replace("  -", "  boxes().list()")).unwrap();
    let text = vendored().replace("description: none", "description: nothing");
    let (out, _) = update(workspace.path(), text.as_bytes(), &["--dry-run"]);
    assert!(
        out.contains("to review\n  nothing: no code changes but its docs\n"),
        "{out}"
    );
    let text = text.replace(
        "id: {type: string}",
        "id: {type: string}, size2: {type: integer}",
    );
    let (out, _) = update(workspace.path(), text.trim_end().as_bytes(), &["--dry-run"]);
    assert!(
        out.contains("  methods whose operation changed; 2 more changed compatibly\n"),
        "{out}"
    );
    assert!(out.contains("does not end with a line end: check"), "{out}");
}

#[test]
fn what_has_no_rust_form_is_listed_if_it_is_new() {
    let workspace = workspace();
    let text = vendored().replace(
        "id: {type: string}",
        "id: {type: string, contentSchema: {}, not: {}}",
    );
    let (out, failed) = update(workspace.path(), text.as_bytes(), &["--dry-run"]);
    assert_eq!(failed, None);
    assert!(out.contains("  not expressed as it stands\n    "), "{out}");
    assert!(!out.contains("optional body with required fields"), "{out}");
}

/// Editions that are refused, with a part of the message.
fn refused() -> Vec<(String, &'static str)> {
    let text = vendored();
    let other = edition()
        .replace("title: Things", "title: Animals")
        .replace("/v1/", "/animals/of/");
    let most =
        format!("{HEAD}paths:\n  /v1/new: {{get: {{responses: {{'204': {{description: a}}}}}}}}\n");
    vec![
        (
            "<!DOCTYPE html>\n<p>502</p>".to_owned(),
            "it looks like HTML or XML",
        ),
        (String::new(), "the file is empty"),
        (" \n# nothing\n".to_owned(), "the file is empty"),
        (text[..text.len() - 20].to_owned(), "standard input:"),
        (
            text[..text.find("components:").unwrap()].to_owned(),
            "the beginning of openapi.yaml, so the file is probably cut",
        ),
        (
            text[..text.find("    delete:").unwrap()].to_owned(),
            "the beginning of openapi.yaml, so the file is probably cut",
        ),
        (
            edition()[..edition().find("components:").unwrap()].to_owned(),
            "no `components`, but openapi.yaml has, so the file is probably cut",
        ),
        (format!("{text}---\n{text}"), "standard input:"),
        (format!("{HEAD}paths: {{}}\n"), "standard input:"),
        (HEAD.to_owned(), "no `paths`"),
        (
            "overlay: 1.1.0\n".to_owned(),
            "an overlay, not an OpenAPI document",
        ),
        (text.replace("3.1.0", "3.2.0"), "`3.2.0` is not supported"),
        (
            most.clone(),
            "most of the API is gone; 4 of 4 operations of openapi.yaml are missing, such as ",
        ),
        (
            most.replace("Things", "Animals"),
            "document of another API: its title is \"Animals\", not \"Things\"; 4 of 4",
        ),
        (
            other.replace(
                "'#/components/schemas/Thing'",
                "'#/components/schemas/None'",
            ),
            "standard input:",
        ),
    ]
}

#[test]
fn bad_editions_are_refused_and_nothing_is_written() {
    let workspace = workspace();
    let before = files_of(workspace.path());
    for (text, expected) in refused() {
        let (out, failed) = update(workspace.path(), text.as_bytes(), &[]);
        let Some((failure, message)) = failed else {
            panic!("not refused:\n{text}\n{out}");
        };
        assert_eq!(failure, Failure::BadInput, "{message}");
        assert!(message.contains(expected), "{message} lacks {expected}");
        assert!(files_of(workspace.path()) == before, "{message}");
    }
    let mut out = String::new();
    let missing = parse(&["none.yaml"]).unwrap();
    let (failure, _) = run(workspace.path(), &missing, std::io::empty(), &mut out).unwrap_err();
    assert_eq!(failure, Failure::BadInput);
}

#[test]
fn a_resource_may_go() {
    let workspace = workspace();
    let text = vendored();
    let boxes = text.find("  /v1/boxes:").unwrap();
    let text = text.replace(&text[boxes..text.find("components:").unwrap()], "");
    let (out, failed) = update(workspace.path(), text.as_bytes(), &[]);
    assert_eq!(failed, None);
    for expected in [
        "  methods whose operation is gone\n    DELETE /v1/boxes: boxes().delete()\n",
        "    wire__boxes.snap is to be removed\n",
        " 0 new, 1 removed\n",
    ] {
        assert!(out.contains(expected), "{expected}\n{out}");
    }
    assert!(
        !workspace
            .path()
            .join(GENERATED)
            .join("builder/boxes.rs")
            .exists()
    );
}

#[test]
fn a_loss_can_be_allowed() {
    for text in [
        format!(
            "{HEAD}paths:\n  /v1/new: {{get: {{tags: [New], responses: {{'204': {{description: a}}}}}}}}\n"
        ),
        vendored().split("    delete:").next().unwrap().to_owned() + COMPONENTS,
    ] {
        let workspace = workspace();
        let (out, failed) = update(workspace.path(), text.as_bytes(), &["--allow-loss"]);
        assert_eq!(failed, None, "{out}");
        assert_eq!(
            fs::read_to_string(workspace.path().join(DOCUMENT)).unwrap(),
            text
        );
    }
}

#[test]
fn what_was_written_is_put_back() {
    let temporary = format!(".{DOCUMENT}.{}.tmp", std::process::id());
    let workspace = workspace();
    let root = workspace.path();
    // A file in the place of a directory is removed before the first file is written.
    let types = root.join(GENERATED).join("types");
    fs::remove_dir_all(&types).unwrap();
    fs::write(&types, "a file").unwrap();
    fs::create_dir(root.join(&temporary)).unwrap();
    let before = files_of(root);
    let (out, failed) = update(root, edition().as_bytes(), &[]);
    let (failure, message) = failed.unwrap();
    assert_eq!(failure, Failure::NotWritten);
    assert!(
        message.starts_with("nothing is changed: what was written is put back: cannot write "),
        "{message}"
    );
    assert!(message.contains(&temporary), "{message}");
    assert!(
        out.contains("\nto review\n") && !out.contains("written"),
        "{out}"
    );
    assert!(files_of(root) == before);
    fs::remove_dir(root.join(&temporary)).unwrap();
    assert_eq!(update(root, edition().as_bytes(), &[]).1, None);
}

#[test]
fn a_directory_in_the_way_is_seen_before_writing() {
    let workspace = workspace();
    let root = workspace.path();
    let path = root.join(CALLS).join("mod.rs");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("keep"), "").unwrap();
    let before = files_of(root);
    let (_, failed) = update(root, edition().as_bytes(), &[]);
    let (failure, message) = failed.unwrap();
    assert_eq!(failure, Failure::NotWritten);
    assert!(message.contains("mod.rs"), "{message}");
    assert!(files_of(root) == before);
}
