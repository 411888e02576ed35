//! What holds for the workspace as a whole.

use std::path::PathBuf;
use std::process::Command;

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Cargo's resolver keeps to the stated version only where a dependency states its own.
#[test]
fn dependencies_take_the_stated_rust_version() {
    let output = Command::new(env!("CARGO"))
        .current_dir(here())
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // `1.88.0` is no later than `1.88`.
    let version = |text: &str| {
        let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
        parts.resize(3, 0);
        parts
    };
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let theirs = package["rust_version"]
            .as_str()
            .map(version)
            .unwrap_or_default();
        assert!(theirs <= ours, "{} needs Rust {theirs:?}", package["name"]);
    }
}

#[test]
fn the_generator_that_generated_code_names_is_the_pinned_one() {
    let manifest = std::fs::read_to_string(here().join("../Cargo.toml")).unwrap();
    let (name, version) = crate::generate::GENERATOR.split_once(' ').unwrap();
    assert!(manifest.contains(&format!("{name} = {{ version = \"={version}\"")));
}
