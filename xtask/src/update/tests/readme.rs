//! An update of a copy of this workspace, and what the README shows of it.

use super::*;

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// What an edition has more than the vendored one, for the README.
const REGIONS: &str = "
paths:
  /v1/regions:
    get:
      summary: List the regions
      responses:
        '200':
          description: The regions.
          content:
            application/json:
              schema:
                type: object
                properties:
                  regions:
                    type: array
                    items:
                      type: string
";

/// The README with `output` as that of an update.
fn readme(text: &str, output: &str) -> Option<String> {
    const CALL: &str = "   $ cargo xtask update new.yaml\n";
    let (head, rest) = text.split_once(CALL)?;
    let (_, tail) = rest.split_once("   ```\n")?;
    let lines = output.lines().map(|line| format!("   {line}"));
    let lines: String = lines.map(|line| format!("{}\n", line.trim_end())).collect();
    Some(format!("{head}{CALL}{lines}   ```\n{tail}"))
}

#[test]
fn this_workspace_takes_an_edition_as_the_readme_shows() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let sdk = "crates/anchorbrowser/src";
    for path in [GENERATED, CALLS, snapshots::SNAPSHOTS, sdk] {
        copy(&here.join(path), &root.join(path));
    }
    for path in [DOCUMENT, OVERLAY, "Cargo.toml"] {
        fs::copy(here.join(path), root.join(path)).unwrap();
    }
    let text = fs::read_to_string(root.join(DOCUMENT)).unwrap();
    let text = text.replacen("\npaths:\n", REGIONS, 1);
    let (head, tail) = text.split_once("  BillingInfoResponse:\n").unwrap();
    let tail = tail.replacen("- week\n", "- week\n                - year\n", 1);
    let text = format!("{head}  BillingInfoResponse:\n{tail}");
    let before = files_of(root);
    let (dry, failed) = update(root, text.as_bytes(), &["--dry-run"]);
    assert_eq!(failed, None);
    assert!(files_of(root) == before);
    let (out, failed) = update(root, text.as_bytes(), &[]);
    assert_eq!(failed, None);
    let told = |text: &str, end: &str| text.split_once(end).unwrap().0.to_owned();
    assert_eq!(told(&out, "\nwritten"), told(&dry, "\ndry run"));
    let changed: Vec<_> = files_of(root)
        .into_iter()
        .filter(|(path, bytes)| before.get(path) != Some(bytes))
        .map(|(path, _)| path.strip_prefix(root).unwrap().to_owned())
        .collect();
    assert!(changed.contains(&PathBuf::from(DOCUMENT)));
    let types = Path::new(GENERATED).join("types/other.rs");
    assert!(changed.contains(&types), "{changed:?}");

    let path = here.join("README.md");
    let shown = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    // As if called in the workspace.
    let out = out.replace(&root.join("").display().to_string(), "");
    let out = out.replace("standard input", "new.yaml");
    let fresh = readme(&shown, &out).unwrap();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|it| it == "always") {
        fs::write(&path, &fresh).unwrap();
    }
    assert!(
        shown == fresh,
        "the README's update is stale: run this test with INSTA_UPDATE=always, and read `git diff`"
    );
}
